"""Plain loops in place of LLVM's vector code: the same numbers, and the engines run with them."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import numba
import numpy as np
import pytest

from spinbattery.engines.simd import digit_code, digits, sums, vector_code, vectors
from spinbattery.engines.simd.choice import chosen

EXACT = {np.float64: 1e-15, np.float32: 1e-6}

ENGINES = """
import numpy as np, spinbattery as sb
from spinbattery.core.threads import Team
from spinbattery.engines.common.splitting import Stages
from spinbattery.engines.dense.large_state import LargeState
for engine, network, noise in (
    (sb.Statevector(1e-2), sb.torus(2, 3), None),
    (sb.Symmetric(1e-11), sb.torus(2, 3), None),
    (sb.Lindblad(1e-2), sb.ring(3), "x:1e-3/ns"),
    (sb.Lindblad(1e-2), sb.ring(3), "relaxation:1e-2/ns@16mK"),
):
    problem = sb.ChargingProblem(network, sb.cooperative(0.5), noise=noise and sb.parse_noise(noise))
    print(engine.run(problem).magnetization)
rng = np.random.default_rng(1)
spinors = sb.ProductState(tuple(rng.uniform(0, 3, 14)), tuple(rng.uniform(0, 6, 14))).spinors(14)
pairs = sb.ring(14).pairs
angles = rng.uniform(-1.0, 1.0, (3, 3))
with Team(1) as team:
    state = LargeState(spinors, pairs, rng.normal(size=len(pairs)), team)
    state.apply(Stages(angles[0, :2], angles[1], angles[2], angles[0, :2], np.empty((0, 2))))
    distribution, ising, _ = state.populations()
    print(distribution @ np.arange(15.0) ** 2, ising, state.transverse())
"""


def test_this_machine_has_vector_code():
    assert vectors.turn_row is vector_code.turn_row
    assert sums.flipped_sum is vector_code.flipped_sum
    assert digits.flip_lanes is digit_code.flip_lanes


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=pytest.mark.slow), False])
@pytest.mark.parametrize(
    ("module", "real"),
    [(vectors, np.float64), (vectors, np.float32), (sums, np.float64), (digits, np.float64)],
)
def test_every_function_does_the_same(module, real, compiled):
    """Compiled by Numba, and in Python."""
    code, loops, name, *arguments = module.CHOICE
    vector = getattr(code(), name)
    plain = FunctionType(vector.py_func.__code__, vars(loops))
    rng, found = np.random.default_rng(5), []
    numbers = [rng.normal(size=one.shape).astype(real) if one.dtype == float else one for one in arguments]
    for trial in (vector, numba.njit(plain) if compiled else plain):
        given = [one.copy() for one in numbers]
        returned = trial(*given)
        found.append(np.concatenate([returned, *(one.ravel() for one in given)]))
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=EXACT[real] * np.abs(found[0]).max())


@pytest.mark.parametrize("broken", ["raises", "differs"])
@pytest.mark.parametrize("module", [vectors, sums, digits])
def test_code_that_does_not_work_is_not_used(module, broken, monkeypatch):
    code, loops, name, *_ = module.CHOICE
    working = getattr(code(), name)

    def trial(*given):
        if broken == "raises":
            raise numba.core.errors.LoweringError("no such instruction")
        first, *others = working(*given)
        return first + 1e-9, *others

    assert chosen(*module.CHOICE) is code()
    trial.py_func = working.py_func
    monkeypatch.setattr(code(), name, trial)
    assert chosen(*module.CHOICE) is loops


def test_engines_run_with_plain_loops():
    """Without a compiler: the kernels in Python, in a process of their own, compared with the compiled ones here."""
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(ENGINES, {})
    answer = subprocess.run(
        [sys.executable, "-c",
         "from spinbattery.engines.simd import digits, plain_digits, plain_loops as plain, sums, vectors\n"
         "assert vectors.turn_row is plain.turn_row and sums.flipped_sum is plain.flipped_sum\n"
         "assert digits.flip_lanes is plain_digits.flip_lanes\n" + ENGINES],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=Path(__file__).parent, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    compiled, plain = ([float(number) for number in text.split()] for text in (here.getvalue(), answer.stdout))
    assert len(compiled) == 7
    np.testing.assert_allclose(plain, compiled, rtol=1e-12)
