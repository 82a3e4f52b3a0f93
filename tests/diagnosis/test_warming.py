"""After a warm-up no engine compiles."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from spinbattery.cli.main import app
from spinbattery.core.kernels import Kernel

RUNS = """
import json, spinbattery as sb
from spinbattery.diagnosis.kernels import read_kernels
for network, engine, noise in (
    ("torus:3x3", "symmetric", None), ("ring:5", "statevector", None), ("ring:14", "statevector", None),
    ("ring:4", "lindblad", "x:1e-3/ns"), ("ring:4", "lindblad", "relaxation:1e-3/ns@16mK"),
    ("ring:4", "trajectories", "x:1e-3/ns"), ("ring:5", "mean-field", None), ("ring:5", "truncated-wigner", None),
):
    sb.charge(network, sb.cooperative(0.1), engine=engine, noise=noise)
print(json.dumps([read_kernels().found, read_kernels().compiled]))
"""


@pytest.mark.slow
def test_a_run_after_a_warm_up_compiles_nothing():
    answer = CliRunner().invoke(app, ["warm-up", "--quiet"])
    assert answer.exit_code == 0, answer.output
    assert "were compiled now" in answer.output
    assert all(kernel.folder for kernel in Kernel.declared)
    run = subprocess.run([sys.executable, "-c", RUNS], capture_output=True, text=True, check=True)
    found, compiled = json.loads(run.stdout)
    assert compiled == 0
    assert found > 10
