"""After a warm-up no engine compiles."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import spinbattery
from spinbattery.cli.main import app
from spinbattery.core.kernels import Kernel

RUNS = """
import json, spinbattery as sb
from spinbattery.diagnosis.kernels import read_kernels
for network, engine, noise in (
    ("torus:3x3", "symmetric", None), ("ring:5", "statevector", None), ("ring:14", "statevector", None),
    ("ring:4", "lindblad", "x:1e-3/ns"), ("ring:4", "lindblad", "relaxation:1e-3/ns@16mK"),
    ("ring:4", "trajectories", "x:1e-3/ns"), ("ring:5", "mean-field", None), ("ring:5", "truncated-wigner", None),
    ("ring:5", sb.Emulator(reads=2, sweeps=8, model="pimc"), None),
    ("torus:2x4", sb.TensorNetwork(bond_dimension=3), None), ("torus:2x4", sb.TensorNetwork(1e-4, 3), None),
):
    sb.charge(network, sb.cooperative(0.1), engine=engine, noise=noise)
print(json.dumps([read_kernels().found, read_kernels().compiled]))
"""

COMPLETE = """
import json, sys
from importlib import import_module
from spinbattery.core.jitted import functions
from spinbattery.core.kernels import Kernel
from spinbattery.diagnosis.warming import warm_up

warm_up()
for module in sys.argv[1:]:
    import_module(module)

def name(function):
    return f"{function.py_func.__module__}.{function.py_func.__name__}"

loaded = {f"{kernel.module}.{kernel.name}" for kernel in Kernel.declared if kernel.found or kernel.compiled}
seen, left = set(), [one for one in functions if one.signatures or name(one) in loaded]
while left:  # and what they call, whose code is part of theirs
    one = left.pop().py_func
    seen.add(f"{one.__module__}.{one.__name__}")
    called = [one.__globals__.get(known) for known in one.__code__.co_names]
    left += [other for other in called if hasattr(other, "py_func") and name(other) not in seen]
declared = {f"{kernel.module}.{kernel.name}" for kernel in Kernel.declared} | {
    name(one) for one in functions if not one.py_func.__module__.endswith("vector_code")
}
print(json.dumps(sorted(declared - loaded - seen)))
"""


def test_no_kernel_is_left_out():
    """Whatever any module declares is compiled, or part of what is; trials of vector code run where others compile."""
    root = Path(spinbattery.__file__).parent
    modules = [
        ".".join(("spinbattery", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("*.py")
        if path.parent.name != "core" and re.search(r"^@jitted|Kernel\(", path.read_text(), re.MULTILINE)
    ]
    assert len(modules) > 10
    command = [sys.executable, "-c", COMPLETE, *modules]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == []


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
