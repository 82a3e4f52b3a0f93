"""After a warm-up no engine compiles."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kernel_types
import numba
import numpy as np
import pytest
from kernel_types import needless_variants

import spinbattery

RUNS = """
import json, spinbattery as sb
from kernel_types import needless_variants
from spinbattery.diagnosis.kernels import read_kernels

pauli, relaxing = "x:1e-2/ns", "relaxation:1e-2/ns@16mK"
for network, engine, noise in (
    ("torus:3x3", "symmetric", None), ("ring:5", "statevector", None),
    ("ring:4", "lindblad", pauli), ("ring:4", "lindblad", relaxing),
    ("ring:5", "mean-field", None), ("ring:5", "truncated-wigner", None),
    ("ring:5", sb.Emulator(reads=2, sweeps=8, model="pimc"), None),
    ("torus:2x4", sb.TensorNetwork(bond_dimension=3), None), ("torus:2x4", sb.TensorNetwork(1e-4, 3), None),
    *((f"ring:{n}", sb.Trajectories(k, seed=1, tolerance=1e-2), noise)
      for n in (4, 14) for k in (2, 20) for noise in (pauli, relaxing)),
    *((f"ring:{n}", sb.Statevector(1e-2, single=single), None) for n in (14, 17, 18) for single in (False, True)),
):
    for times in (None, [0.0, 0.05, 0.1]):
        if times is None or not isinstance(engine, sb.Emulator):
            sb.charge(network, sb.cooperative(0.1), engine=engine, noise=noise, times=times)
print(json.dumps([read_kernels().found, read_kernels().compiled, [str(one) for one in needless_variants().items()]]))
"""

COMPLETE = """
import json, sys
from importlib import import_module
from typer.testing import CliRunner
from spinbattery.cli.main import app
from spinbattery.core.jitted import functions
from spinbattery.core.kernels import Kernel

answer = CliRunner().invoke(app, ["warm-up", "--quiet"])
assert answer.exit_code == 0 and "all kernels are compiled" in answer.output, answer.output
assert all(kernel.folder for kernel in Kernel.declared)
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


def _call(program: str, *arguments: str) -> Any:
    path = os.pathsep.join([str(Path(kernel_types.__file__).parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", program, *arguments]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


@pytest.mark.slow
def test_no_kernel_is_left_out():
    """Whatever any module declares is compiled, or part of what is, so that no run has to compile afterwards.

    Trials of vector code run where others compile.
    """
    root = Path(spinbattery.__file__).parent
    modules = [
        ".".join(("spinbattery", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("*.py")
        if path.parent.name != "core" and re.search(r"^@jitted|Kernel\(", path.read_text(), re.MULTILINE)
    ]
    assert len(modules) > 10
    assert _call(COMPLETE, *modules) == []
    found, compiled, variants = _call(RUNS)
    assert compiled == 0
    assert found > 10
    assert variants == []


def test_types_that_differ_in_nothing_of_use_are_noticed(monkeypatch):
    """What watches over all runs of this suite, at its end."""

    @numba.njit
    def total(x, pair):
        return x[0] + pair[0]

    monkeypatch.setattr("spinbattery.core.jitted.functions", [total])
    total(np.ones(3), (1.0,))
    total(np.ones(3, np.float32), (1.0,))
    total(np.ones((3, 3)), (1.0,))
    assert needless_variants() == {}
    closed = np.ones(3)
    closed.flags.writeable = False
    for x, pair in ((np.ones(4)[::2], (1.0,)), (closed, (1.0,)), (np.ones(3), (1,))):
        total(x, pair)
    ((name, (variants,)),) = needless_variants().items()
    assert name.endswith("total")
    assert len(variants) == 4
