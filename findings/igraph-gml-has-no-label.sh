#!/usr/bin/env bash
# igraph 1.0.0 writes GML whose nodes have an id and no label, and networkx 3.6.1, by its default, refuses such a file. The way back
# loses labels: igraph reads the GML of a networkx graph with nodes 2, 0, 1 as vertices 0, 1, 2, and the nodes' names are texts.
# This project reads GML without labels by its ids, and matches whole numbers with their texts where that is unambiguous.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install networkx==3.6.1 igraph==1.0.0
cd "$folder"
cat > show.py <<'PYTHON'
import sys

import igraph
import networkx as nx

igraph.Graph(3, edges=[(0, 1), (1, 2)], edge_attrs={"J": [1.0, -0.5]}).write_gml("igraph.gml")
try:
    refused = repr(nx.read_gml("igraph.gml"))
except nx.NetworkXError as error:
    refused = f"NetworkXError: {error}"
by_id = sorted(nx.read_gml("igraph.gml", label="id").nodes)
graph = nx.Graph()
graph.add_edge(2, 0)
graph.add_edge(0, 1)
nx.write_gml(graph, "networkx.gml")
back = nx.read_gml("networkx.gml")
vertices = [(vertex.index, vertex["label"]) for vertex in igraph.Graph.Read_GML("networkx.gml").vs]
print("networkx reads igraph's file:", refused)
print("networkx, with label='id':", by_id)
print("nodes 2, 0, 1, written and read by networkx:", list(back.nodes))
print("the same file read by igraph, (vertex, label):", vertices)
print("igraph", igraph.__version__, "networkx", nx.__version__)
as_seen = (
    refused.startswith("NetworkXError")
    and by_id == [0, 1, 2]
    and list(back.nodes) == ["2", "0", "1"]
    and vertices == [(0, "2"), (1, "0"), (2, "1")]
)
sys.exit(not as_seen)
PYTHON
env/bin/python show.py
# Seen:
# networkx reads igraph's file: NetworkXError: node #0 has no 'label' attribute
# networkx, with label='id': [0, 1, 2]
# nodes 2, 0, 1, written and read by networkx: ['2', '0', '1']
# the same file read by igraph, (vertex, label): [(0, '2'), (1, '0'), (2, '1')]
