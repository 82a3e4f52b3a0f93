"""Sweeps as a user runs them: the same from every executor, nothing twice, nothing lost."""

from __future__ import annotations

import gc
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from sweep_results import contents, stamps

from spinbattery import ProtocolRecipe, Statevector, Store, Symmetric, cooperative, ring, sweep
from spinbattery.core.errors import InsufficientMemoryError
from spinbattery.core.interruption import Interruption, SweepInterrupted
from spinbattery.sweeps.execution import Execution
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import execute, run_plan
from spinbattery.sweeps.survey import survey

CP = cooperative(1.0)
HOPELESS = Statevector(1e-10, max_levels=2)


@pytest.fixture
def plan():
    return Grid([ring(n) for n in (2, 3, 4)], CP, tolerance=1e-3).plan()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


# what is finished


def test_a_second_call_computes_nothing(plan, folder):
    first = run_plan(plan, folder, workers=1)
    before = stamps(folder)
    second = run_plan(plan, folder, workers=2)  # no pool either: this would take seconds
    assert (first.computed, first.reused) == (3, 0)
    assert (second.computed, second.reused) == (0, 3)
    assert stamps(folder) == before
    assert contents(second) == contents(first)


def test_a_larger_grid_computes_what_is_missing(plan, folder):
    run_plan(plan, folder, workers=1)
    before = stamps(folder)
    result = sweep(["ring:4", "ring:5"], [CP, cooperative(2.0)], tolerance=1e-3, store=str(folder), workers=1)
    assert (result.computed, result.reused) == (3, 1)
    assert before.items() <= stamps(folder).items()
    assert [record.n_spins for record in result.records()] == [4, 4, 5, 5]


def test_what_others_finished_meanwhile_is_not_run_again(plan, folder):
    store = Store(folder)
    found = survey(plan, store, Execution())
    run_plan(plan, folder, workers=1)
    before = stamps(folder)
    result = execute(found, store, Execution(workers=1))
    assert (result.computed, result.reused) == (0, 3)
    assert stamps(folder) == before


def test_what_failed_elsewhere_meanwhile_is_not_run_again(plan, folder):
    store = Store(folder)
    found = survey(plan, store, Execution())
    store.write_failure(plan.tasks[0].parameters(), "it broke there")
    result = execute(found, store, Execution(workers=1))
    assert (result.computed, result.reused) == (2, 0)
    assert result.failures == {plan.tasks[0].key: "it broke there"}


def test_what_another_sweep_is_running_is_waited_for(plan, folder):
    store, lines = Store(folder), []
    claim = store.claim(plan.tasks[1].key)
    assert claim.__enter__()

    def progress(fraction, message):
        lines.append(message)
        if "1 in another sweep" in message and "2 of 3 done" in message:
            claim.__exit__(None, None, None)

    result = run_plan(plan, store, workers=1, progress=progress)
    assert result.computed == 3
    assert any("in another sweep" in line for line in lines)
    assert "another" not in lines[-1]


def test_damage_is_named_and_recomputed_when_asked(plan, folder):
    first = run_plan(plan, folder, workers=1)
    expected = contents(first)
    key = plan.tasks[0].key
    path = first.store.path(key)
    path.write_bytes(path.read_bytes()[:-40])
    before = stamps(folder)
    second = run_plan(plan, folder, workers=1)
    assert (second.computed, second.reused, list(second.failures)) == (0, 2, [key])
    assert path.name in second.failures[key]
    assert stamps(folder) == before
    third = run_plan(plan, folder, workers=1, recompute_damaged=True)
    assert (third.computed, third.reused, third.failures) == (1, 2, {})
    assert contents(third) == expected


# failures


def hopeless(folder, **options):
    with pytest.warns(UserWarning, match=r"Sweep\(2 problems: \d computed, \d reused, 1 failed.*retry_failed=True"):
        return sweep("ring:3", CP, engines=[HOPELESS, Statevector(1e-3)], store=folder, workers=1, **options)


def notes(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.failed.json")}


def test_a_failure_is_recorded_and_stops_no_other(folder):
    result = hopeless(folder)
    [key] = result.failures
    assert (result.computed, result.reused) == (1, 0)
    assert key == result.plan.tasks[0].key
    assert result.failures[key].startswith("ToleranceError: ")
    assert [record.key for record in result.records()] == [result.plan.tasks[1].key]
    assert result.dataset.sizes["run"] == 1
    [row] = result.store.rows(status="failed")
    assert (row["key"], row["n_spins"], row["error"]) == (key, 3, result.failures[key])


def test_a_failure_is_tried_again_only_when_asked(folder, monkeypatch):
    first = hopeless(folder)
    before = notes(folder)
    assert len(before) == 1
    again = hopeless(folder)
    assert (again.computed, again.reused, again.failures) == (0, 1, first.failures)
    assert notes(folder) == before
    retried = hopeless(folder, retry_failed=True)
    assert (retried.computed, retried.failures) == (0, first.failures)
    assert notes(folder) != before

    real = Statevector.solve  # as if a new version could do it
    monkeypatch.setattr(Statevector, "solve", lambda self, *arguments: real(Statevector(1e-3), *arguments))
    mended = sweep("ring:3", CP, engines=HOPELESS, store=folder, workers=1, retry_failed=True)
    assert (mended.computed, mended.reused, mended.failures) == (1, 0, {})
    assert notes(folder) == {}


def test_an_error_that_nobody_foresaw_is_kept_with_its_trace(plan, folder, monkeypatch):
    def solve(self, problem, times, progress, checkpoint):
        raise ZeroDivisionError("an engine's mistake")

    monkeypatch.setattr(Symmetric, "solve", solve)
    result = run_plan(plan, folder, workers=1)
    assert len(result.failures) == 3
    for error in result.failures.values():
        assert error.startswith("Traceback")
        assert error.endswith("ZeroDivisionError: an engine's mistake")


def test_nothing_finished_has_no_dataset(folder):
    from spinbattery.core.errors import RecordError

    with pytest.warns(UserWarning, match="1 failed"):
        result = sweep("ring:3", CP, engines=HOPELESS, store=folder, workers=1)
    with pytest.raises(RecordError, match="no record"):
        result.dataset  # noqa: B018


def test_a_sweep_without_failures_does_not_warn(folder):
    assert repr(sweep("ring:2", CP, tolerance=1e-3, store=folder, workers=1)) == (
        f"Sweep(1 problems: 1 computed, 0 reused, 0 failed, store {str(folder)!r})"
    )


# no store


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_without_a_store_nothing_outlives_the_result(scratch):
    result = sweep(["ring:2", "ring:3"], CP, tolerance=1e-3, workers=1)
    data = result.dataset
    assert [path.name.startswith("spinbattery-sweep-") for path in scratch.iterdir()] == [True]
    assert len(list(result.records())) == 2
    del result
    gc.collect()
    assert list(scratch.iterdir()) == []
    assert data.magnetization.shape == (2,)


def test_without_a_store_an_error_leaves_nothing(scratch):
    with pytest.raises(InsufficientMemoryError):
        sweep("ring:60", CP)

    def progress(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep("ring:2", CP, tolerance=1e-3, workers=1, progress=progress)
    assert list(scratch.iterdir()) == []


def test_a_store_is_kept(folder):
    result = sweep("ring:2", CP, tolerance=1e-3, workers=1, store=folder)
    del result
    gc.collect()
    assert len(stamps(folder)) == 1


# progress


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_progress_ascends_to_one_and_counts(plan, folder, executor):
    seen = []
    with ExitStack() as stack:
        opened = stack.enter_context(executor(2)) if executor else None
        run_plan(plan, folder, executor=opened, workers=1, progress=lambda *report: seen.append(report))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0.0
    assert fractions[-1] == 1.0
    last = seen[-1][1]
    assert last.startswith("3 of 3 done, 0 running, ")
    assert last.endswith("/s")
    assert not any("failed" in line for _, line in seen)
    if executor is None:
        assert len({fraction for fraction in fractions if fraction < 1.0}) > 3  # within a problem, too


def test_progress_counts_failures(folder):
    seen = []
    plan = Grid("ring:3", CP, engines=[HOPELESS, Statevector(1e-3)]).plan()
    run_plan(plan, folder, workers=1, progress=lambda *report: seen.append(report))
    assert seen[-1][0] == 1.0
    assert seen[-1][1].startswith("2 of 2 done, 1 failed, 0 running")


@dataclass(frozen=True)
class Unpredicted(Statevector):
    """An engine that takes no time, as far as it knows."""

    def predicted_seconds(self, problem, times):
        return 0.0


def test_progress_where_no_time_is_predicted(folder):
    seen = []
    plan = Grid(["ring:2", "ring:3"], CP, engines=Unpredicted(1e-3)).plan()
    result = run_plan(plan, folder, workers=1, progress=lambda *report: seen.append(report))
    assert (result.computed, result.failures) == (2, {})
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_an_error_of_the_progress_is_the_callers_and_fails_no_problem(plan, folder, executor):
    def progress(fraction, message):
        raise LookupError("no such widget")

    with ExitStack() as stack:
        opened = stack.enter_context(executor(1)) if executor else None
        with pytest.raises(LookupError, match="no such widget"):
            run_plan(plan, folder, executor=opened, workers=1, progress=progress)
    assert Store(folder).rows(status=["failed", "damaged"]) == []
    assert run_plan(plan, folder, workers=1).failures == {}


def test_an_interruption_by_the_progress_keeps_what_is_finished(plan, folder):
    def progress(fraction, message):
        if message.startswith("2 of 3 done"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, folder, workers=1, progress=progress)
    before = stamps(folder)
    assert len(before) == 2
    assert len(Store(folder).rows(status="done")) == 2
    assert not list((folder / ".claims").iterdir())
    rest = run_plan(plan, folder, workers=1)
    assert (rest.computed, rest.reused) == (1, 2)
    assert before.items() <= stamps(folder).items()


# signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_finishes_what_is_running(plan, folder, number):
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    seen = []

    def progress(fraction, message):
        seen.append(message)
        if sum(line.startswith("1 of 3 done") for line in seen) == 2:  # the first is between two problems
            signal.raise_signal(number)

    with pytest.raises(
        SweepInterrupted, match="interrupted; 2 of 3 problems are finished and kept, 1 are left"
    ) as stop:
        run_plan(plan, folder, workers=1, progress=progress)
    assert (stop.value.signal_number, len(stamps(folder))) == (number, 2)
    assert seen[-1].startswith("stopping, 0 running; at once if asked again")
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert run_plan(plan, folder, workers=1).computed == 1


def test_a_second_signal_stops_at_once():
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert interruption.signal_number == signal.SIGTERM
        interruption.check()
        signal.raise_signal(signal.SIGINT)  # nothing is raised in the handler, where it could be lost
        with pytest.raises(SweepInterrupted, match="stopped at once") as stop:
            interruption.check()
        assert stop.value.signal_number == signal.SIGINT
        with pytest.raises(SweepInterrupted, match="stopped at once"):
            signal.raise_signal(signal.SIGINT)


def test_a_second_signal_ends_a_run_in_this_process_and_leaves_no_failure(folder):
    plan = Grid([ring(n) for n in (2, 3, 4)], CP, engines=Statevector(1e-3)).plan()  # shows its progress several times
    sent = []

    def progress(fraction, message):
        if len(sent) < 2:
            sent.append(message)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SweepInterrupted, match="stopped at once; 0 of 3 problems are finished and kept, 3 are left"):
        run_plan(plan, folder, workers=1, progress=progress)
    assert run_plan(plan, folder, workers=1).computed == 3


def test_the_first_signal_stops_where_nothing_is_kept(scratch):
    sent = []

    def progress(fraction, message):
        if not sent:
            sent.append(message)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SweepInterrupted, match="stopped at once"):
        sweep(["ring:2", "ring:3"], CP, tolerance=1e-3, workers=1, progress=progress)
    assert list(scratch.iterdir()) == []


def test_in_another_thread_signals_are_left_alone(plan, folder):
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(run_plan, plan, folder, workers=1).result().computed == 3


# the dataset


def test_the_dataset_is_in_the_order_of_the_plan_under_its_labels(folder):
    recipes = [
        ProtocolRecipe("local", "2ns", equal_cost=True),
        ProtocolRecipe("local", "2ns"),
        ProtocolRecipe("polarised-local", "2ns", s_hold=0.25, equal_cost=True),
        ProtocolRecipe("cooperative", "2ns"),
    ]
    result = sweep(["ring:3", "ring:2"], recipes, tolerance=1e-3, store=folder, workers=1)
    data = result.dataset
    labels = ["local equal-cost", "local", "polarised local equal-cost", "cooperative"]
    assert data.protocol.to_numpy().tolist() == labels * 2
    assert data.n_spins.to_numpy().tolist() == [3] * 4 + [2] * 4
    assert data.key.to_numpy().tolist() == [task.key for task in result.plan]
    records = {record.key: record for record in Store(folder).records()}
    assert data.magnetization.to_numpy().tolist() == [records[task.key].magnetization for task in result.plan]
    assert result.dataset is data
    equal = data.isel(run=[0, 2, 3]).hs_cost.to_numpy()
    np.testing.assert_allclose(equal, equal[0], rtol=1e-9)


def test_labels_are_those_of_this_plan_not_of_who_ran_it_first(folder):
    sweep("ring:2", CP, tolerance=1e-3, store=folder, workers=1)
    from dataclasses import replace

    again = sweep("ring:2", replace(CP, name="mine"), tolerance=1e-3, store=folder, workers=1)
    assert again.reused == 1
    assert again.dataset.protocol.to_numpy().tolist() == ["mine"]
