#!/usr/bin/env bash
# dwave-preprocessing 0.6.11, SpinReversalTransformComposite: h and J are transformed, initial_state is not. A reverse anneal
# around it starts, after the answer is turned back, from another state in every run: spins that were to start down start up
# wherever they are reversed. No error, no warning.
# This project refuses such a sampler for protocols that begin from a classical state.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install dwave-preprocessing==0.6.11 dimod==0.12.23
cd "$folder"
cat > show.py <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import dimod
import numpy as np
from dwave.preprocessing.composites import SpinReversalTransformComposite

warnings.simplefilter("error")


class Frozen(dimod.Sampler):
    """A reverse anneal in which nothing moves: the answer is the state that it started from."""

    parameters = {"initial_state": []}
    properties = {}

    def sample(self, bqm, *, initial_state):
        self.fields = {spin: float(field) for spin, field in bqm.linear.items()}
        return dimod.SampleSet.from_samples_bqm(initial_state, bqm)


frozen = Frozen()
composite = SpinReversalTransformComposite(frozen)
model = dimod.BinaryQuadraticModel.from_ising({0: -0.5, 1: -0.5}, {(0, 1): -0.2})
answer = composite.sample(model, srts=np.array([[True, False]]), initial_state={0: -1, 1: -1})
start = {int(spin): int(value) for spin, value in answer.first.sample.items()}
print("fields that the inner sampler is given:", frozen.fields)
print("asked to start from {0: -1, 1: -1}, started from", start)
print("dwave-preprocessing", version("dwave-preprocessing"))
sys.exit(not (frozen.fields == {0: 0.5, 1: -0.5} and start == {0: 1, 1: -1}))
PYTHON
env/bin/python show.py
# Seen:
# fields that the inner sampler is given: {0: 0.5, 1: -0.5}
# asked to start from {0: -1, 1: -1}, started from {0: 1, 1: -1}
