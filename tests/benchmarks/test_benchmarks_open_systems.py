"""The contestants of the noisy benchmark solve one problem, and its figures are computed right; nothing is timed."""

import json

import pytest


def test_density_matrix_and_mesolve_solve_the_same_noisy_job():
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import Pass, single_pass
    from benchmarks.open_systems import NoisyCase, refined

    from benchmarks import mesolve_peer
    from spinbattery.engines.dense.lindblad import Lindblad

    case = NoisyCase("ring:2")
    assert case.problem().noise.x == pytest.approx(0.04 / 20.0)
    truth = true_outcome(case, Lindblad)
    unitary = true_outcome(_Silent(case), Lindblad)
    assert truth.precision < 0.97 * unitary.precision
    contestants = {str(setting): mesolve_peer.prepare(case.problem(), setting) for setting in mesolve_peer.layouts()}
    contestants["refined"] = refined(case)
    contestants["one pass"] = single_pass(case, Pass(Lindblad(splitting="BM4"), 600))
    assert len(contestants) == 10
    for name, run in contestants.items():
        outcome = run()
        assert outcome.magnetization == pytest.approx(truth.magnetization, abs=1e-6), name
        assert outcome.precision == pytest.approx(truth.precision, rel=1e-6), name


class _Silent:
    """A noisy job without its noise."""

    name = title = "silent"

    def __init__(self, case):
        self._case = case

    def problem(self):
        from dataclasses import replace

        return replace(self._case.problem(), noise=None)


def test_the_peer_of_noisy_jobs_takes_constant_jumps_alone():
    from dataclasses import replace

    from benchmarks.open_systems import NoisyCase

    from benchmarks import mesolve_peer
    from spinbattery.model.noise import Noise

    problem = replace(NoisyCase("ring:2").problem(), noise=Noise(relaxation=1e-3, temperature=16.0))
    with pytest.raises(ValueError, match="leave relaxation out"):
        mesolve_peer.prepare(problem, mesolve_peer.layouts()[0])


def test_search_finds_the_loosest_setting_of_mesolve():
    from benchmarks.comparison import true_outcome
    from benchmarks.mesolve_peer import MESOLVE, OpenSetting
    from benchmarks.open_systems import Lindblad, NoisyCase
    from benchmarks.search import loosest

    case = NoisyCase("ring:2")
    truth = true_outcome(case, Lindblad)
    start = OpenSetting("dop853", 1e-5, 1e-3, matrix_form=True)
    found = loosest(MESOLVE, case.problem(), start, truth)
    assert isinstance(found.setting, OpenSetting)
    assert found.setting.matrix_form
    assert found.error <= 1e-6
    looser = loosest(MESOLVE, case.problem(), start, truth, 1e-3)
    assert looser.setting.rtol > found.setting.rtol


def _noisy_record(accurate):
    from benchmarks.open_systems import NoisyCase

    from spinbattery.engines.dense.lindblad import Lindblad

    return Lindblad(accurate).run(NoisyCase("ring:2").problem())


def test_noisy_figures_are_written_as_json_and_shown(tmp_path):
    from benchmarks.contestants import Outcome
    from benchmarks.environment import environment, write_json
    from benchmarks.mesolve_peer import OpenSetting
    from benchmarks.open_report import plain, show_large_jobs
    from benchmarks.open_systems import PASS, QUTIP, REFINED, LargeJob, Lindblad, NoisyCase, NoisyComparison
    from benchmarks.pairing import Timing
    from benchmarks.report import show
    from benchmarks.search import Tried
    from rich.console import Console

    case, truth = NoisyCase("ring:5"), Outcome(0.76, 11.0)
    near, far = Outcome(0.76, 11.0 * (1.0 + 5e-7)), Outcome(0.76, 11.0 * (1.0 + 5e-6))
    timings = {
        QUTIP: Timing([1.0, 1.2, 1.1], [1.0, 1.2, 1.1], near),
        REFINED: Timing([0.1, 0.1, 0.1], [0.1, 0.1, 0.1], near),
        PASS: Timing([0.02, 0.02, 0.02], [0.02, 0.02, 0.02], near),
    }
    tried = [Tried(OpenSetting("adams", 1e-10, 1e-8), 5e-7), Tried(OpenSetting("tsit5", 1e-10, 1e-8), float("inf"))]
    comparison = NoisyComparison(case, truth, truth, dict.fromkeys(timings, "so"), timings, {QUTIP: tried})
    assert [verdict.reached for verdict in comparison.verdicts] == [False, True]
    wrong = NoisyComparison(case, truth, truth, {}, {**timings, PASS: Timing([0.01] * 3, [0.01] * 3, far)}, {})
    assert not any(verdict.reached for verdict in wrong.verdicts)
    record = _noisy_record(1e-4)
    jobs = [LargeJob(case, Lindblad(1e-4), Timing([4.0] * 3, wall, record)) for wall in ([5.0, 9.0, 20.0], [11.0] * 3)]
    path = tmp_path / "figures.json"
    write_json(path, environment({}), {"open_systems": plain([comparison], jobs)})
    data = json.loads(path.read_text())["open_systems"]
    assert data["comparisons"][0]["case"] == "ring:5"
    assert len(data["comparisons"][0]["candidates"][QUTIP]) == 1
    assert [job["reached"] for job in data["large_jobs"]] == [True, False]
    assert data["large_jobs"][0]["options"]["tolerance"] == 1e-4
    console = Console(record=True, width=200)
    show(comparison, console)
    show_large_jobs(jobs, console)
    text = " ".join(console.export_text().split())
    assert "ring:5 with gamma tau = 0.04, 20 ns" in text
    assert "11.0 (10.0 to 12.0) times faster, goal 20 at error 1e-06 (error 5.0e-07): not reached" in text
    assert "55.0 (50.0 to 60.0) times faster, goal 20 at error 1e-06 (error 5.0e-07): reached" in text
    assert "9 s, goal 10 s: reached" in text
    assert "11 s, goal 10 s: not reached" in text


def test_larger_noisy_jobs_are_timed():
    from benchmarks.open_systems import time_large_jobs

    said = []
    jobs = time_large_jobs(1, said.append, quick=True)
    assert [(job.case.name, job.engine.name) for job in jobs] == [
        ("torus:1x3", "lindblad"),
        ("torus:2x2", "trajectories"),
    ]
    for job in jobs:
        assert len(job.timing.wall) == 1
        assert job.seconds > 0.0
        assert job.timing.outcome.problem == job.case.problem()
    assert len(said) == 2
