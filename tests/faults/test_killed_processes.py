"""Workers of the embedded pool, and the sweep itself, killed with SIGKILL in the middle of a run."""

from __future__ import annotations

from pathlib import Path

from deadly_engine import Deadly
from processes import Launch, Study, computing, contents, kill_one, records, run_here, stamps, wait_until

import spinbattery as sb
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import run_plan


def test_a_killed_worker_is_replaced_and_its_run_made_again(study: Study, tmp_path: Path, start: Launch) -> None:
    folder = tmp_path / "runs"
    sweep = start("sweep", study.experiment, "--store", folder, "--workers", "2", "--json")
    victims = wait_until(lambda: computing(folder, sweep), "a run in a worker")
    assert sweep.pid not in {process.pid for process in victims.values()}
    assert kill_one(victims.values())

    done = sweep.end()
    assert done.code == 0, done.err
    assert (done.json["computed"], done.json["failed"]) == (len(study.contents), 0)
    assert contents(folder) == study.contents


def test_a_killed_sweep_leaves_no_worker_behind_and_its_rerun_goes_on(
    study: Study, tmp_path: Path, start: Launch
) -> None:
    folder = tmp_path / "runs"
    sweep = start("sweep", study.experiment, "--store", folder, "--workers", "2")
    wait_until(lambda: records(folder) and computing(folder, sweep), "a finished run and a running one")
    sweep.kill()
    wait_until(lambda: not sweep.members(), "the end of its workers")

    kept = contents(folder)
    assert 0 < len(kept) < len(study.contents)
    before = stamps(folder)
    rerun = run_here(study.experiment, folder)
    assert (rerun.computed, rerun.reused) == (len(study.contents) - len(kept), len(kept))
    assert contents(folder) == study.contents
    assert before.items() <= stamps(folder).items()


def test_a_problem_that_kills_its_worker_every_time_fails_and_the_others_finish(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    plan = Grid(
        [sb.ring(n) for n in (4, 5, 6, 7)], sb.cooperative(duration=2.0), engines=Deadly(1e-5, deadly_spins=6)
    ).plan()
    result = run_plan(plan, folder, workers=2)

    assert (result.computed, len(records(folder)), len(contents(folder))) == (3, 3, 3)
    [(key, error)] = result.failures.items()
    assert next(task.problem.n_spins for task in plan if task.key == key) == 6
    assert "its worker died" in error
    assert [row["n_spins"] for row in result.store.rows(status="failed")] == [6]
    # not tried again unasked: here it would kill this process
    again = run_plan(plan, folder, workers=1)
    assert (again.computed, again.reused, again.failures) == (0, 3, {key: error})
