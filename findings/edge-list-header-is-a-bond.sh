#!/usr/bin/env bash
# networkx 3.6.1, read_weighted_edgelist, on spin-glass instance files: the first line "N M" becomes a bond between spins N and M
# with no weight; a line with one label is skipped; a file with commas is an empty graph; of a pair that stands there twice the
# last weight wins. None of it raises an error or a warning.
# This project reads instance files with a reader of its own, which understands a line or refuses it by its number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install networkx==3.6.1
cd "$folder"
cat > show.py <<'PYTHON'
import sys
import warnings
from pathlib import Path

import networkx as nx

warnings.simplefilter("error")
FILES = {
    "N M in the first line": "4 5\n1 2 1.0\n2 3 -0.5\n3 4 0.25\n4 1 2.0\n1 3 1.0\n",
    "a line with one label": "7\n0 1 1.0\n",
    "commas": "0,1,1.0\n1,2,-0.5\n",
    "a pair twice": "0 1 1.0\n1 0 2.0\n",
}
EXPECTED = {
    "N M in the first line": (5, 6, [("4", "5", {})]),
    "a line with one label": (2, 1, []),
    "commas": (0, 0, []),
    "a pair twice": (2, 1, []),
}
found = {}
for name, text in FILES.items():
    path = Path("instance.txt")
    path.write_text(text)
    graph = nx.read_weighted_edgelist(path)
    bare = [edge for edge in graph.edges(data=True) if not edge[2]]
    found[name] = (graph.number_of_nodes(), graph.number_of_edges(), bare)
    print(f"{name}: {found[name][0]} nodes, {found[name][1]} edges, without a weight: {bare}")
print("networkx", nx.__version__)
sys.exit(found != EXPECTED)
PYTHON
env/bin/python show.py
# Seen:
# N M in the first line: 5 nodes, 6 edges, without a weight: [('4', '5', {})]
# a line with one label: 2 nodes, 1 edges, without a weight: []
# commas: 0 nodes, 0 edges, without a weight: []
# a pair twice: 2 nodes, 1 edges, without a weight: []
