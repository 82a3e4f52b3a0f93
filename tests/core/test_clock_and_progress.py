"""Run times are those of computations, and progress never goes back: of every engine, by its name."""

from __future__ import annotations

import time

import numpy as np
import pytest

from spinbattery import (
    Annealer,
    EmulatedAnnealer,
    Emulator,
    QTeaLeaves,
    Record,
    Statevector,
    TensorNetwork,
    Trajectories,
    TruncatedWigner,
    charge,
    cooperative,
    extend_record,
    ring,
    torus,
)  # fmt: skip
from spinbattery.core.progress import Rising
from spinbattery.engines.common.checkpoint import Checkpoint
from spinbattery.engines.common.clock import Clock
from spinbattery.engines.registry import engines
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.scales import advantage_system6

_CASES = {
    "product": ("product", ring(3), cooperative(5.0, J=0.0), None),
    "symmetric": ("symmetric", ring(4), cooperative(5.0), None),
    "statevector": ("statevector", ring(4), cooperative(5.0), None),
    "statevector, many halvings": (Statevector(1e-10), ring(3), cooperative(5.0), None),
    "tensor": (TensorNetwork(), torus(2, 3), cooperative(2.0), None),
    "tensor, one run": (TensorNetwork(bond_dimension=4), torus(2, 3), cooperative(2.0), None),
    "tensor, several": (TensorNetwork(bond_dimension=(2, 4, 6)), torus(2, 3), cooperative(2.0), None),
    "qtealeaves": (QTeaLeaves(bond_dimension=4), torus(2, 3), cooperative(0.5), None),
    "lindblad": ("lindblad", ring(3), cooperative(5.0), "x:1e-3/ns"),
    "trajectories": (Trajectories(trajectories=40), ring(3), cooperative(5.0), "x:1e-2/ns"),
    "trajectories, sampled": (
        Trajectories(trajectories=40, one_jump="sampled"), ring(3), cooperative(5.0), "relaxation:1e-2/ns@16mK"),
    "emulator": (Emulator(reads=20, sweeps=100), ring(4), cooperative(60e3), None),
    "mean-field": ("mean-field", ring(4), cooperative(5.0), None),
    "truncated-wigner": (TruncatedWigner(trajectories=100), ring(4), cooperative(5.0), None),
}  # fmt: skip


def test_every_engine_is_among_the_cases():
    assert {name.partition(",")[0] for name in _CASES} == set(engines())


@pytest.mark.parametrize("name", _CASES)
def test_progress_rises_from_0_to_1_and_never_goes_back(name):
    engine, network, protocol, noise = _CASES[name]
    if name == "qtealeaves":
        pytest.importorskip("qtealeaves")
    seen: list[float] = []
    charge(network, protocol, noise=noise, engine=engine, progress=lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] <= seen[-1] == 1.0
    assert seen.count(1.0) == 1


def test_progress_of_a_sampler_engine_ends_with_one():
    seen: list[float] = []
    engine = Annealer(sampler=EmulatedAnnealer(graph=ring(3), sweeps=10), reads=10, seed=1)
    charge(ring(3), cooperative(60e3), engine=engine, progress=lambda fraction, _: seen.append(fraction))
    assert seen == [1.0]


def test_progress_is_not_at_its_end_for_most_of_a_run():
    seen: list[float] = []
    charge(ring(6), cooperative(60.0), engine=Statevector(1e-9), progress=lambda fraction, _: seen.append(fraction))
    assert np.mean(np.array(seen) < 0.99) > 0.5


def test_passes_fill_what_is_left():
    seen: list[float] = []
    rising = Rising(lambda fraction, _: seen.append(round(fraction, 12)))
    first = rising.part(0.25)
    for fraction in (0.5, 1.0):
        first(fraction, "")
    second = rising.part(0.4)
    for fraction in (0.0, 0.5, 0.2, 1.0):
        second(fraction, "")
    rising.end()
    assert seen == [0.125, 0.25, 0.25, 0.4, 0.4, 0.55, 1.0]


def test_the_clock_stands_while_kernels_are_compiled():
    import numba

    @numba.njit
    def kernel(x):
        total = 0.0
        for k in range(len(x)):
            total += np.sqrt(x[k]) if k % 2 else np.sin(x[k])
        return total

    start = time.perf_counter()
    with Clock() as clock:
        kernel(np.ones(3))
        spent = clock.seconds
    assert time.perf_counter() - start > 0.05  # compiling takes longer than that
    assert spent < 0.5 * (time.perf_counter() - start)
    with Clock() as clock:
        time.sleep(0.05)
        assert 0.05 <= clock.seconds < 0.5


def test_a_run_that_goes_on_counts_the_time_before(tmp_path):
    problem = ChargingProblem(ring(10), cooperative(200.0), advantage_system6())
    engine = Statevector(1e-8)
    engine.run(problem)  # kernels are there
    whole = float(engine.run(problem).dataset.attrs["wall_time_s"])

    calls = 0

    def stop(fraction, message):
        nonlocal calls
        calls += 1
        time.sleep(0.6)
        if calls == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(problem, progress=stop, checkpoint=Checkpoint(tmp_path / "run", "key", seconds_between=0.0))
    assert list(tmp_path.glob("run.*.npz"))
    again = engine.run(problem, checkpoint=Checkpoint(tmp_path / "run", "key"))
    assert float(again.dataset.attrs["wall_time_s"]) >= 1.8  # of the first part alone
    assert float(again.dataset.attrs["wall_time_s"]) <= 2.4 + 2.0 + 3.0 * whole
    assert again.content_hash == engine.run(problem).content_hash


def test_an_extended_record_has_the_time_of_both_parts():
    engine = Trajectories(trajectories=20, one_jump="sampled", seed=1)
    record = charge(ring(3), cooperative(20.0), noise="x:1e-2/ns", engine=engine)
    long = record.dataset
    long.attrs["wall_time_s"] = 100.0
    more = extend_record(Record(long), 4000)
    assert 100.0 < float(more.dataset.attrs["wall_time_s"]) < 130.0
