"""The symmetric sector's contestants solve the same problems, and figures are computed right; nothing is timed here."""

import json
import math

import numpy as np
import pytest


def _small():
    from benchmarks.contestants import Case

    return Case(2, 3, 5.0)


def test_refined_runs_and_passes_agree_with_the_state_vector():
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import Series, refined, single_series

    from spinbattery.engines.dense.statevector import Statevector
    from spinbattery.engines.symmetric.engine import Symmetric

    case = _small()
    assert case.problem().protocol.duration == 5.0
    assert case.title == "2x3 torus, 5 ns"
    truth = true_outcome(case, Statevector)
    runs = {"refined": refined(case, Symmetric(1e-6))}
    assert str(Series(1e-5)) == "series for 1.0e-05"
    runs["series"] = single_series(case, Series(1e-6))
    for name, run in runs.items():
        outcome = run()
        assert outcome.magnetization == pytest.approx(truth.magnetization, abs=1e-6), name
        assert outcome.precision == pytest.approx(truth.precision, rel=1e-6), name


def test_every_repeat_finds_the_symmetries_again(monkeypatch):
    from benchmarks.contestants import Series, refined, single_series

    from spinbattery.engines.symmetric.engine import Symmetric
    from spinbattery.model import symmetry

    found, search = [], symmetry.automorphism_group
    monkeypatch.setattr(symmetry, "automorphism_group", lambda *given: found.append(given) or search(*given))
    for run in (refined(_small(), Symmetric(1e-3)), single_series(_small(), Series(1e-3))):
        found.clear()
        run()
        run()
        assert len(found) == 2


def test_the_fewest_sufficient_steps_are_found_from_above():
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import Pass, precision_error, single_pass, sufficient_passes

    from spinbattery.engines.dense.statevector import Statevector
    from spinbattery.engines.symmetric.engine import Symmetric

    case, engine = _small(), Statevector(splitting="BM4")
    truth = true_outcome(case, Symmetric)
    (found,) = sufficient_passes(case, truth, 1e-6, [engine], 800)
    assert precision_error(single_pass(case, found)(), truth) <= 1e-6
    assert precision_error(single_pass(case, Pass(engine, int(found.steps / 1.1)))(), truth) > 1e-6
    with pytest.raises(ArithmeticError, match="BM4, 20 steps do not reach 1e-06 on 2x3"):
        sufficient_passes(case, truth, 1e-6, [engine], 20)


def test_the_cheapest_series_is_found_knowing_the_answer():
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import Outcome, Series, loosest_series, precision_error, single_series

    from spinbattery.engines.symmetric.engine import Symmetric

    case = _small()
    truth = true_outcome(case, Symmetric)
    found = loosest_series(case, truth, 1e-6)
    assert found.tolerance > 1e-6
    assert precision_error(single_series(case, found)(), truth) <= 1e-6
    assert precision_error(single_series(case, Series(3.0 * found.tolerance))(), truth) > 1e-6
    with pytest.raises(ArithmeticError, match=r"series for 1.0e-06 do not reach 1e-06 on 2x3"):
        loosest_series(case, Outcome(0.5, 1.0), 1e-6)


def test_the_search_for_a_series_ends_where_any_would_do(monkeypatch):
    from benchmarks import contestants

    truth = contestants.Outcome(-1.0, 1e9)
    monkeypatch.setattr(contestants, "single_series", lambda case, setting: lambda: truth)
    assert contestants.loosest_series(_small(), truth, 1e-6).tolerance == pytest.approx(1e-6 * 3.0**12)


def test_a_sample_of_the_papers_steps_meets_the_states_that_it_would():
    from benchmarks.contestants import Outcome
    from benchmarks.pairing import Timing
    from benchmarks.paper_peer import _assembled, _states_at, sampled_method

    problem, step = _small().problem(), 0.01
    sample = sampled_method(problem, 6, step)
    assert str(sample) == "extrapolated from 6 of its 500 steps, dt 0.01 ns"
    assert math.isnan(sample.run().precision)
    before = Timing([0.1, 0.2], [0.3, 0.6], Outcome(math.nan, math.nan))
    whole = sample.extrapolated(before)
    assert whole.cpu == pytest.approx([100 * 0.1 / 1.2, 100 * 0.2 / 1.2])
    assert whole.wall == pytest.approx([25.0, 50.0])
    # 250 steps lie before 2.5 ns
    here, after = _states_at(problem, np.array([2.5, 2.5 + step]))
    assert np.linalg.norm(here) == pytest.approx(1.0)
    assert abs(np.vdot(after, _assembled(problem, step)(250, here))) == pytest.approx(1.0, abs=1e-7)
    assert abs(np.vdot(after, here)) < 0.9999


@pytest.mark.parametrize(("lx", "ly", "count"), [(3, 4, 4), (4, 4, 5), (2, 3, 3), (1, 3, 2)])
def test_maps_of_the_torus_are_symmetries(lx, ly, count):
    from benchmarks.quspin_peer import torus_maps

    from spinbattery.model.lattices import torus

    pairs = {frozenset(pair) for pair in torus(lx, ly).pairs.tolist()}
    maps = torus_maps(lx, ly)
    assert len(maps) == count
    for name, image in maps.items():
        assert sorted(image) == list(range(lx * ly)), name
        assert {frozenset(image[list(pair)].tolist()) for pair in pairs} == pairs, name


def test_quspin_solves_the_same_problem_where_it_is_installed():
    from benchmarks.comparison import true_outcome
    from benchmarks.search import Setting

    from benchmarks import quspin_peer
    from spinbattery.engines.symmetric.engine import Symmetric

    if not quspin_peer.is_installed():
        assert "'.[test,bench]'" in quspin_peer.HOW_TO_INSTALL
        return
    case = _small()
    truth, solver = true_outcome(case, Symmetric), quspin_peer.solver(case)
    runs = [solver.prepare(case.problem(), setting) for setting in solver.layouts]
    runs += [solver.prepare(case.problem(), Setting(method, 1e-11, 1e-9)) for method in solver.methods]
    for run in [*runs, lambda: solver.reference(case.problem())]:
        outcome = run()
        assert outcome.magnetization == pytest.approx(truth.magnetization, abs=1e-6)
        assert outcome.precision == pytest.approx(truth.precision, rel=1e-6)


def _comparison(timings, **changed):
    from benchmarks.contestants import Case, Outcome
    from benchmarks.symmetric_sector import PAPER_SAMPLED, QUSPIN, Size, SymmetricComparison

    size = Size(Case(4, 4, 60.0), {PAPER_SAMPLED: 2000.0, QUSPIN: 20.0})
    settings = dict.fromkeys(timings, "so")
    return SymmetricComparison(size.case, Outcome(0.9, 240.0), None, settings, timings, {}, **changed, size=size)


def test_goals_are_of_the_size_and_of_the_peers_that_took_part(tmp_path):
    from benchmarks.contestants import Outcome
    from benchmarks.environment import environment, write_json
    from benchmarks.pairing import Timing
    from benchmarks.report import show
    from benchmarks.symmetric_report import plain
    from benchmarks.symmetric_sector import PAPER_SAMPLED, PASS, QUSPIN, REFINED
    from rich.console import Console

    near, nowhere = Outcome(0.9, 240.0 * (1.0 + 5e-7)), Outcome(math.nan, math.nan)
    timings = {
        PAPER_SAMPLED: Timing([600.0, 660.0], [600.0, 660.0], nowhere),
        REFINED: Timing([1.0, 1.0], [1.0, 1.0], near),
        PASS: Timing([0.2, 0.2], [0.2, 0.2], near),
    }
    without = _comparison(timings)
    assert [(verdict.peer, verdict.reached) for verdict in without.verdicts] == [
        (PAPER_SAMPLED, False),
        (PAPER_SAMPLED, True),
    ]
    timings[QUSPIN] = Timing([3.0, 3.0], [3.0, 3.0], near)
    comparison = _comparison(timings, dimensions={QUSPIN: 805, PASS: 402})
    assert [verdict.reached for verdict in comparison.verdicts] == [False, False, True, False]
    assert comparison.reference_difference is None
    path = tmp_path / "figures.json"
    write_json(path, environment({}), {"symmetric": plain([comparison], [])})
    text = path.read_text()
    assert "NaN" not in text
    (case,) = json.loads(text)["symmetric"]["comparisons"]
    assert case["duration_ns"] == 60.0
    assert case["contestants"][QUSPIN]["dimension"] == 805
    assert case["contestants"][PAPER_SAMPLED]["precision_error"] is None
    console = Console(record=True, width=200)
    show(comparison, console)
    shown = " ".join(console.export_text().split())
    assert "4x4 QuSpin: so; 805 amplitudes" in shown
    assert "3150.0 (3000.0 to 3300.0) times faster, goal 2000 at error 1e-06 (error 5.0e-07): reached" in shown
    assert "nan" not in shown


def test_our_engines_get_one_core_and_then_all_again(monkeypatch):
    from benchmarks.symmetric_sector import one_core

    from spinbattery.core import machine
    from spinbattery.core.machine import n_cores

    monkeypatch.setattr(machine, "_cores_left", None)  # and is again afterwards
    before = n_cores()
    with one_core():
        assert n_cores() == 1
    assert n_cores() == before


def test_the_choice_of_auto_is_compared_with_what_was_measured():
    from benchmarks.prediction import Choice, Predicted, PredictedJob
    from benchmarks.symmetric_report import plain, show_predictions
    from rich.console import Console

    job = PredictedJob("ring:4", 20.0)
    right = {"symmetric": Predicted(0.01, 0.02), "statevector": Predicted(0.02, 0.1)}
    choices = [
        Choice(job, 8, 6, right, "symmetric"),
        Choice(job, 8, 6, right, "statevector"),
        Choice(job, 1, 16, {"statevector": right["statevector"]}, "statevector"),
    ]
    assert [choice.is_faster for choice in choices] == [True, False, True]
    assert choices[1].loss == pytest.approx(5.0)
    assert [one["loss"] for one in plain([], choices)["predictions"]] == pytest.approx([1.0, 5.0, 1.0])
    console = Console(record=True, width=200)
    show_predictions(choices, console)
    text = " ".join(console.export_text().split())
    assert "auto picked the faster engine in 2 of 3 jobs; the most a pick lost is a factor 5.00" in text
    assert "measured over predicted: 2.00 to 5.00; 3 of 5 are not within a factor 3" in text


def test_predictions_are_checked_on_networks_with_and_without_symmetries():
    from benchmarks.prediction import PredictedJob, check, jobs

    ring = check(PredictedJob("ring:4", 2.0), 1)
    assert (ring.order, ring.dimension) == (8, 6)
    assert set(ring.engines) == {"symmetric", "statevector"}
    assert all(one.predicted > 0.0 and one.measured > 0.0 for one in ring.engines.values())
    bare = check(PredictedJob("random:14", 2.0), 1)
    assert (bare.order, bare.picked, set(bare.engines)) == (1, "statevector", {"statevector"})
    for job in jobs():
        assert job.problem().n_spins <= 16
    assert len({job.name for job in jobs()}) == len(jobs())
