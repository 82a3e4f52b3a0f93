"""Contestants of the tensor benchmark step the same problem, and figures are computed right; nothing is timed."""

import json

import numpy as np
import pytest


def _small():
    from benchmarks.contestants import Case

    return Case(2, 3, 2.0)


@pytest.mark.slow
def test_contestants_take_the_same_steps():
    from benchmarks.tensor_networks import OURS, OURS_SINGLE, QTEALEAVES, TENPY, _steps_to, contestant

    from spinbattery.engines.common.magnus import COMMUTATOR_FREE_2
    from spinbattery.engines.tensor.measure import moments
    from spinbattery.engines.tensor.tree_runs import _channels

    problem = _small().problem()
    steps = _steps_to(problem, 1.2, COMMUTATOR_FREE_2)
    found = {}
    for name in (OURS, OURS_SINGLE):
        evolution = contestant(name, problem, 8)
        evolution.apply(steps)
        assert evolution.state.tensors[0].dtype == (np.complex128 if name == OURS else np.complex64)
        found[name] = moments(evolution.state, _channels(problem, "tree", 8)).mean
    tea, chain = (contestant(name, problem, 8) for name in (QTEALEAVES, TENPY))
    for state in (tea, chain):
        state.apply(steps)
        assert state.largest_dimension >= 4
    found |= {QTEALEAVES: tea.spin_magnetization().mean(), TENPY: chain.moments().mean}
    assert found[OURS] > -0.8
    assert list(found.values()) == pytest.approx([found[OURS]] * 4, abs=5e-3)


def test_steps_lead_from_the_start_of_the_motion_to_the_middle():
    from benchmarks.contestants import Case
    from benchmarks.tensor_networks import MIDDLE, _steps_to, _window

    from spinbattery.engines.common.magnus import COMMUTATOR_FREE_2

    problem = Case(4, 4).problem()
    steps = _steps_to(problem, MIDDLE, COMMUTATOR_FREE_2)
    assert 15 <= len(steps) <= 17
    # the exponents add up to the integral of the fields
    times = np.linspace(_window(problem).start, MIDDLE, 20001)
    whole = 2.0 * np.pi * np.trapezoid(np.stack(problem.fields(times)), times, axis=1)
    assert steps.coefficients.sum(axis=0) == pytest.approx(whole, rel=1e-4)


@pytest.mark.slow
def test_whole_runs_agree():
    from benchmarks.tensor_networks import OURS, OURS_SINGLE, QTEALEAVES, TENPY, WholeRun, whole

    runs = [WholeRun(name, 8, 10) for name in (OURS, OURS_SINGLE, QTEALEAVES, TENPY)]
    found = np.array([whole(run, _small()) for run in runs])
    assert np.ptp(found, axis=0) == pytest.approx([0.0, 0.0], abs=3e-2)
    assert runs[0].name == "tensor, complex128, bond dimension 8, 10 steps"


def test_errors_and_ratios_are_of_the_runs_beside(monkeypatch):
    from benchmarks import tensor_networks

    exact = tensor_networks.charge(
        tensor_networks.QUICK_CASE.network(), tensor_networks.QUICK_CASE.protocol(), engine="symmetric"
    )
    seconds = iter([1.0, 20.0, 2.0, 30.0, 3.0, 40.0, 4.0])
    monkeypatch.setattr(tensor_networks, "whole", lambda run, case: (exact.magnetization + 1e-3, exact.std - 0.1))
    turn = tensor_networks._Turn
    monkeypatch.setattr(
        tensor_networks, "_timed", lambda run, case: turn(next(seconds), exact.magnetization + 1e-3, exact.std - 0.1)
    )
    said = []
    ours, *others = tensor_networks.compare_runs(said.append, quick=True)
    assert ours.seconds == [1.0, 2.0, 3.0, 4.0]
    assert [one.ratios for one in others] == [[20.0, 10.0], [15.0, 10.0], [40.0 / 3.0, 10.0]]
    assert all(one.is_accurate for one in (ours, *others))
    assert ours.mean_error == pytest.approx(1e-3, abs=1e-6)
    assert ours.std_error == pytest.approx(-0.1, abs=1e-6)
    assert len(said) == 3


def test_tables_and_verdicts(tmp_path):
    from benchmarks.contestants import Case
    from benchmarks.environment import environment, write_json
    from benchmarks.pairing import Timing
    from benchmarks.tensor_networks import (
        OURS,
        OURS_SINGLE,
        QTEALEAVES,
        Reached,
        StepCosts,
        StepJob,
        WholeRun,
    )
    from benchmarks.tensor_networks_report import plain, show_runs, show_steps
    from rich.console import Console

    job = StepJob(Case(8, 8), 10, (QTEALEAVES,), 15.0)
    timings = {
        OURS: Timing([0.1, 0.2, 0.1], [0.1, 0.2, 0.1], 10),
        OURS_SINGLE: Timing([0.1, 0.1, 0.1], [0.1, 0.1, 0.1], 10),
        QTEALEAVES: Timing([3.0, 4.0, 5.0], [3.0, 4.0, 5.0], 10),
    }
    costs = StepCosts(job, timings)
    assert costs.ratio(QTEALEAVES, OURS).median == pytest.approx(30.0)
    assert costs.reached is True
    slower = StepCosts(job, timings | {OURS: Timing([1.0] * 3, [1.0] * 3, 10)})
    assert slower.reached is False
    assert StepCosts(StepJob(Case(4, 4), 10, (QTEALEAVES,)), timings).reached is None
    runs = [
        Reached(WholeRun(OURS_SINGLE, 16, 60), 3e-3, 4e-3, [1.0, 1.2, 1.1], []),
        Reached(WholeRun(QTEALEAVES, 10, 60), 8e-3, 3e-2, [33.0], [33.0, 30.0]),
    ]
    console = Console(record=True, width=200)
    show_steps([costs, slower], console)
    show_runs(runs, "4x4 torus", console)
    text = " ".join(console.export_text().split())
    assert "30.0 (20.0 to 50.0) times faster than qtealeaves, goal 15: reached" in text
    assert "4.0 (3.0 to 5.0) times faster than qtealeaves, goal 15: not reached" in text
    assert "in all but: qtealeaves, mode 4, bond dimension 10, 60 steps" in text
    path = tmp_path / "figures.json"
    write_json(path, environment({}), {"tensor_networks": plain([costs], runs)})
    kept = json.loads(path.read_text())["tensor_networks"]
    assert kept["steps"][0]["contestants"][QTEALEAVES]["ratio_to_complex128"]["median"] == pytest.approx(30.0)
    assert [one["is_accurate"] for one in kept["runs"]] == [True, False]
