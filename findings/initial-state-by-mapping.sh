#!/usr/bin/env bash
# dwave-cloud-client 0.14.8: an initial_state given as a mapping is rounded by its sign before it is sent, and what is missing counts
# as unused (3). So a 0/1 state of a SPIN problem starts from -1 where 0 stands, a +-1 state of a BINARY one from 0 where -1 stands,
# 0.3 and a forgotten qubit pass too: no error, and the anneal that is paid for starts from what the sign says.
# This project reads a state in the vartype of its problem, and refuses any other value and any missing qubit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install dwave-cloud-client==0.14.8 dimod==0.12.23
cd "$folder"
cat > show.py <<'PYTHON'
import sys
from importlib.metadata import version

from dwave.cloud.solver import StructuredSolver

properties = {"num_qubits": 4}


def sent(vartype, state):
    parameters = {"initial_state": state}
    return StructuredSolver.reformat_parameters(vartype, parameters, properties)["initial_state"]


found = {
    "SPIN, {0: 0, 1: 1, 2: 0.3, 3: -1}": sent("SPIN", {0: 0, 1: 1, 2: 0.3, 3: -1}),
    "SPIN, qubit 2 forgotten": sent("SPIN", {0: -1, 1: -1, 3: -1}),
    "BINARY, {0: -1, 1: 1, 2: 0, 3: 0}": sent("BINARY", {0: -1, 1: 1, 2: 0, 3: 0}),
}
for name, state in found.items():
    print(f"{name}: {state}")
print("dwave-cloud-client", version("dwave-cloud-client"))
sys.exit(list(found.values()) != [[-1, 1, 1, -1], [-1, -1, 3, -1], [0, 1, 0, 0]])
PYTHON
env/bin/python show.py
# Seen:
# SPIN, {0: 0, 1: 1, 2: 0.3, 3: -1}: [-1, 1, 1, -1]
# SPIN, qubit 2 forgotten: [-1, -1, 3, -1]
# BINARY, {0: -1, 1: 1, 2: 0, 3: 0}: [0, 1, 0, 0]
