"""The contestants of the benchmarks solve the same problems, and figures are computed right; nothing is timed here."""

import json
import sys

import numpy as np
import pytest


def test_a_part_whose_peer_is_not_installed_is_left_out(monkeypatch):
    from benchmarks import __main__ as benchmarks

    monkeypatch.setitem(benchmarks.PEERS, "engines", ("numpy", "no_such_module"))
    monkeypatch.setitem(benchmarks.PEERS, "emulator", ("no_such_package.samplers",))
    parts, (engines, emulator) = benchmarks.runnable(["engines", "statevector", "emulator"])
    assert parts == ["statevector"]
    assert "needs no_such_module: pip install" in engines
    assert "needs no_such_package.samplers: pip install" in emulator


def test_predictions_leave_out_an_engine_whose_package_is_missing(monkeypatch, capsys):
    import spinbattery as sb
    from benchmarks import predictions
    from spinbattery.core.errors import MissingDependencyError

    def missing(*given):
        raise MissingDependencyError("install it")

    monkeypatch.setattr(predictions, "THREADS", {})
    monkeypatch.setattr(predictions, "JOBS", {"mean-field": predictions.JOBS["mean-field"]})
    monkeypatch.setattr(sb.MeanField, "solve", missing)
    monkeypatch.setattr(sys, "argv", ["predictions"])
    predictions.main()
    assert "left out: install it" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["predictions", "--help"])
    with pytest.raises(SystemExit, match="0"):
        predictions.main()


@pytest.mark.slow
def test_contestants_agree_on_a_pair():
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import Case, Pass, refined, single_pass
    from benchmarks.paper_peer import paper_method, paper_method_assembled

    from benchmarks import qutip_peer
    from spinbattery.engines.dense.statevector import Statevector

    case = Case(1, 2)
    truth = true_outcome(case)
    # computed once by Strang splitting with Richardson extrapolation, apart from this code; good to 1e-5
    assert truth.magnetization == pytest.approx(0.5560491, abs=2e-6)
    assert truth.precision == pytest.approx(3.98596, rel=1e-5)
    contestants = {
        "paper": (paper_method(case.problem()), 1e-3),
        "paper, assembled": (paper_method_assembled(case.problem()), 1e-3),
        "qutip, splines": (qutip_peer.prepare(case.problem(), qutip_peer.Setting("vern9", 1e-11, 1e-9)), 1e-7),
        "qutip, functions": (lambda: qutip_peer.reference(case.problem()), 1e-8),
        "refined": (refined(case, Statevector(1e-6)), 1e-6),
        "one pass": (single_pass(case, Pass(Statevector(splitting="BM4"), 1000)), 1e-6),
    }
    for name, (run, tolerance) in contestants.items():
        outcome = run()
        assert outcome.magnetization == pytest.approx(truth.magnetization, abs=tolerance), name
        assert outcome.precision == pytest.approx(truth.precision, rel=tolerance), name


def test_tiny_jobs_are_distinct_problems_and_their_warm_up_is_none_of_them():
    from benchmarks.overhead import TINIEST, TINY
    from benchmarks.speedup import EQUAL, EQUAL_PAIR

    for job in (TINY, TINIEST, EQUAL, EQUAL_PAIR):
        durations = {protocol.duration for protocol in job.protocols()}
        before = {protocol.duration for protocol in job.before().protocols()}
        assert len(durations) == job.count
        assert len(before) == job.warm_up
        assert not durations & before


def test_equal_problems_take_about_as_many_steps():
    from benchmarks.speedup import EQUAL

    from spinbattery.engines.dense.statevector import Statevector
    from spinbattery.model.network_text import parse_network
    from spinbattery.model.problem import ChargingProblem

    network, engine = parse_network(EQUAL.network), Statevector(EQUAL.tolerance)
    assert network.n_spins == 16
    protocols = EQUAL.protocols()
    seconds = [engine.predicted_seconds(ChargingProblem(network, p), np.empty(0)) for p in protocols]
    assert max(seconds) < 1.05 * min(seconds)


def _tiny_job():
    from benchmarks.sweeps import Job

    return Job("ring:2", 2.0, 3.0, count=3, tolerance=1e-2, warm_up=1)


@pytest.mark.parametrize("contestant", ["in_this_process", "in_embedded_pool", "in_process_pool"])
def test_contestants_run_the_same_problems(contestant, tmp_path):
    _check_contestant(contestant, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("contestant", ["in_dask_sweep", "in_dask_map"])
def test_dask_contestants_run_the_same_problems(contestant, tmp_path):
    pytest.importorskip("distributed")
    _check_contestant(contestant, tmp_path)


def _check_contestant(contestant, folder):
    from benchmarks import sweeps
    from spinbattery import Statevector, Store
    from spinbattery.sweeps.grid import Grid

    job = _tiny_job()
    plan = Grid(job.network, job.protocols(), engines=Statevector(job.tolerance)).plan()
    workers = () if contestant == "in_this_process" else (1,)
    with getattr(sweeps, contestant)(*workers) as run:
        run(job, folder)
    rows = Store(folder).rows(status="done")
    assert {row["key"] for row in rows} == {task.key for task in plan}


def test_turns_measure_every_contestant_in_every_round():
    from benchmarks.sweeps import HERE, in_this_process, take_turns

    said, rounds = [], []
    spent = take_turns(
        {HERE: in_this_process}, {HERE: 1}, _tiny_job(), 2, said.append, lambda: rounds.append(len(said))
    )
    assert len(spent[HERE]) == len(said) == 2
    assert rounds == [0, 1]
    for one in spent[HERE]:
        assert (one.problems, one.workers) == (3, 1)
        assert 0.0 < one.engine < one.wall
        assert one.cpu > 0.0


def test_a_contestant_that_leaves_problems_out_has_no_time():
    from benchmarks.sweeps import measured

    with pytest.raises(RuntimeError, match="0 of 3 problems"):
        measured(lambda job, folder: None, _tiny_job(), 1)


def test_way_of_a_problem_times_each_step_for_every_problem():
    from benchmarks.overhead import SOLVE, way_of_a_problem

    parts = way_of_a_problem(_tiny_job())
    assert {name for name, part in parts.items() if len(part.wall) == 1} == {
        "plan and keys",
        "survey",
        "write to the index",
    }
    assert {len(part.wall) for part in parts.values()} == {1, 3}
    assert SOLVE in parts
    assert all(seconds > 0.0 for part in parts.values() for seconds in part.wall)


def _spent(wall, engine, cpu=1.0, workers=2):
    from benchmarks.sweeps import Spent

    return Spent(problems=100, workers=workers, wall=wall, cpu=cpu, engine=engine)


def test_overhead_is_what_the_engines_do_not_take():
    from benchmarks.overhead import SOLVE, Overhead, Part
    from benchmarks.sweeps import PEER, POOL

    pool = [_spent(0.7, 1.0, cpu=1.8), _spent(1.0, 1.0, cpu=1.8), _spent(0.9, 1.2, cpu=2.2)]
    peer = [_spent(1.4, 1.0), _spent(1.5, 1.0), _spent(0.9, 1.2)]
    overhead = Overhead(_tiny_job(), {POOL: pool, PEER: peer}, {SOLVE: Part("worker", [0.012, 0.012], [0.009, 0.011])})
    found = overhead.of(POOL)
    assert (found.lowest, found.median, found.highest) == pytest.approx((2e-3, 3e-3, 5e-3))
    assert overhead.reached
    assert overhead.cpu_overhead(POOL) == pytest.approx(4e-3)  # (18 ms - 10 ms) / 2
    ratio = overhead.ratio(PEER)
    assert (ratio.lowest, ratio.median, ratio.highest) == pytest.approx((1.0, 1.5, 2.0))
    slow = Overhead(_tiny_job(), {POOL: [_spent(1.1, 1.0)]}, {})
    assert not slow.reached


def test_speed_up_is_of_medians_and_engines_are_compared_beside_it():
    from benchmarks.speedup import SpeedUp
    from benchmarks.sweeps import HERE, POOL

    one = [_spent(10.0, 10.0, workers=1), _spent(12.0, 11.0, workers=1), _spent(30.0, 10.0, workers=1)]
    two = [_spent(6.0, 11.0), _spent(5.0, 11.0), _spent(10.0, 15.0)]
    found = SpeedUp(_tiny_job(), {HERE: one, POOL: two}, [1.9, 2.0, 1.8])
    assert found.measured == pytest.approx(2.0)
    assert found.reached
    rounds = found.rounds
    assert (rounds.lowest, rounds.median, rounds.highest) == pytest.approx((10 / 6, 2.4, 3.0))
    assert found.engine_ratio.median == pytest.approx(1.1)
    assert not SpeedUp(_tiny_job(), {HERE: one, POOL: one}, [2.0] * 3).reached


def test_machine_is_asked_what_processes_get_done():
    from benchmarks.speedup import machine_speed_up

    assert machine_speed_up(workers=1, count=1000) > 0.0


def test_sweep_figures_are_written_as_json_and_shown(tmp_path):
    from benchmarks.environment import environment, write_json
    from benchmarks.overhead import SOLVE, Overhead, Part
    from benchmarks.speedup import SpeedUp
    from benchmarks.sweep_report import plain, show_overhead, show_speed_up
    from benchmarks.sweeps import HERE, POOL
    from rich.console import Console

    overhead = Overhead(_tiny_job(), {POOL: [_spent(0.7, 1.0)]}, {SOLVE: Part("worker", [0.01], [0.01])})
    speed_up = SpeedUp(_tiny_job(), {HERE: [_spent(6.0, 6.0, workers=1)], POOL: [_spent(4.0, 6.0)]}, [2.0])
    path = tmp_path / "figures.json"
    write_json(path, environment({"OMP_NUM_THREADS": "1"}), {"sweeps": plain(overhead, speed_up)})
    data = json.loads(path.read_text())
    assert data["environment"]["threads"] == {"OMP_NUM_THREADS": "1"}
    assert data["sweeps"]["overhead"]["contestants"][POOL]["overhead_s"]["median"] == pytest.approx(2e-3)
    assert data["sweeps"]["overhead"]["reached"] is True
    assert data["sweeps"]["speed_up"]["speed_up"] == pytest.approx(1.5)
    assert data["sweeps"]["speed_up"]["reached"] is False
    console = Console(record=True, width=160)
    show_overhead(overhead, console)
    show_speed_up(speed_up, console)
    text = console.export_text()
    assert "goal below 5 ms: reached" in text
    assert "1.50 times faster" in text
    assert "goal 1.7: not reached" in text


def _anneal_job(reads=1000):
    from benchmarks.annealing import AnnealJob

    # weak enough for the final magnetization to depend on everything that contestants are given
    return AnnealJob(2, reads, 150, coupling=-0.05, field=-0.1)


def _differ_by_chance(one, other):
    error = np.hypot(one.stderr, other.stderr)
    assert 0.0 < error < 0.03
    assert abs(one.magnetization - other.magnetization) < 4.0 * error


def test_emulator_and_the_peers_rotors_solve_the_same_job():
    from benchmarks.annealing import AnnealJob, emulator, rotor_peer

    # the second is still charging when it ends, which depends on the number of sweeps
    for job in (_anneal_job(reads=4000), AnnealJob(2, 4000, 30)):
        ours = emulator(job)()
        assert 0.1 < ours.magnetization < 0.9
        _differ_by_chance(ours, rotor_peer(job)())
    assert emulator(job, threads=2)() == ours


@pytest.mark.parametrize("form", ["rotor", "two-level"])
def test_peers_are_given_the_energies_of_the_sweeps(form):
    from benchmarks.annealing import TEMPERATURE, AnnealJob, path_integral_peer, rotor_peer

    from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
    from spinbattery.model.thermal import down_probability

    # uncoupled spins, long in equilibrium; no annealer could end at this s, but the peers are no annealers
    job = AnnealJob(2, 300, 200, coupling=0.0, field=-0.2, edge=0.4, hold=0.4)
    last = job.energies()
    bx, bz = -last.transverse[-1] / 2.0, job.field * last.ising[-1] / 2.0
    down = down_probability(bx, bz, 1e-3 * TEMPERATURE * BOLTZMANN_GHZ_PER_KELVIN, form)
    found = rotor_peer(job)() if form == "rotor" else path_integral_peer(job)()
    assert found.stderr < 0.01
    assert found.magnetization == pytest.approx(1.0 - 2.0 * float(down), abs=4.0 * found.stderr)


def test_path_integrals_of_emulator_and_peer_solve_the_same_job():
    from dataclasses import replace

    from benchmarks.annealing import emulator, path_integral_peer

    job = replace(_anneal_job(), reads=200, coupling=-0.01, field=-0.03)
    ours = emulator(job, model="pimc")()
    assert 0.1 < ours.magnetization < 0.9
    _differ_by_chance(ours, path_integral_peer(job)())


def test_every_sweep_of_the_timed_jobs_updates_every_spin():
    from benchmarks.emulation import DEFAULT, EQUAL, EQUAL_SMALLEST, LIKE, LIKE_SMALLEST, SHORT, SMALLEST

    from spinbattery.annealer.schedule import FROZEN_RATIO

    for job in (SHORT, DEFAULT, LIKE, EQUAL, SMALLEST, LIKE_SMALLEST, EQUAL_SMALLEST, _anneal_job()):
        energies = job.energies()
        assert len(energies) == job.sweeps
        assert energies.ratio.min() > FROZEN_RATIO
        assert energies.s.min() == pytest.approx(job.hold)
        assert (energies.gain == 1.0).all()
    assert SHORT.updates == 1288 * 64 * 300
    assert len(_anneal_job().bqm()) == len(_anneal_job().graph()) == 40


def _timing(cpu, wall=()):
    from benchmarks.annealing import Answer
    from benchmarks.pairing import Timing

    return Timing(list(cpu), list(wall or cpu), Answer(0.5, 0.01))


def test_rates_are_per_update_with_and_without_set_up():
    from benchmarks.emulation import OWN, PATHS, ROTORS, Rates

    reads = {OWN: 64, ROTORS: 16, PATHS: 1}
    timings = {OWN: _timing([0.2, 0.4, 0.3]), ROTORS: _timing([2.0, 2.0, 2.0]), PATHS: _timing([0.6, 0.6, 0.6])}
    rates = Rates(_anneal_job(), reads, timings, {OWN: 0.1, ROTORS: 0.4, PATHS: 0.0})
    assert rates.per_second(OWN) == pytest.approx(40 * 64 * 150 / 0.3)
    assert rates.sampling_per_second(OWN) == pytest.approx(40 * 64 * 150 / 0.2)
    ratio = rates.ratio(ROTORS, OWN)
    assert (ratio.lowest, ratio.median, ratio.highest) == pytest.approx((20.0, 80 / 3, 40.0))
    rotors, paths = rates.verdicts
    assert (rotors.peer, rotors.sampling, rotors.reached) == (ROTORS, pytest.approx(32.0), True)
    assert (paths.peer, paths.measured.median, paths.reached) == (PATHS, pytest.approx(128.0), False)


def test_gain_of_threads_is_of_median_wall_times():
    from benchmarks.emulation import ThreadGain

    gain = ThreadGain(_anneal_job(), _timing([2.0, 4.0], [2.0, 6.0]), _timing([3.0, 4.0], [1.0, 3.0]), [2.0, 1.9])
    assert gain.measured == pytest.approx(2.0)
    assert gain.reached
    assert (gain.cpu_ratio.lowest, gain.cpu_ratio.highest) == pytest.approx((1.0, 1.5))
    assert not ThreadGain(_anneal_job(), gain.one, gain.one, [2.0]).reached


def test_a_charge_in_a_new_process_tells_what_it_took():
    from benchmarks.whole_charge import ChargeJob, in_new_process

    cost = in_new_process(ChargeJob("pegasus:2", 10, 300))
    assert cost.spins == 40
    assert 0 <= cost.most_flips <= 40
    assert 0.0 < cost.charge_s < cost.process_s
    assert 2e7 < cost.peak_bytes < 2e9


def test_emulator_figures_are_written_as_json_and_shown(tmp_path):
    from benchmarks.emulation import OWN, PATHS, ROTORS, Rates, ThreadGain
    from benchmarks.emulator_report import plain, show_charge, show_rates, show_threads
    from benchmarks.environment import environment, write_json
    from benchmarks.whole_charge import PAPER, ChargeCost, ChargeCosts
    from rich.console import Console

    timings = {OWN: _timing([0.2]), ROTORS: _timing([4.0]), PATHS: _timing([20.0])}
    rates = Rates(_anneal_job(), dict.fromkeys(timings, 1000), timings, dict.fromkeys(timings, 0.1))
    gain = ThreadGain(_anneal_job(), _timing([2.0]), _timing([1.0]), [2.0])
    costs = ChargeCosts(PAPER, [ChargeCost(50.0, 1_200_000_000, 5640, 3, 52.0)])
    assert costs.updates_per_second == pytest.approx(5640 * 1000 * 5000 / 50.0)
    path = tmp_path / "figures.json"
    write_json(path, environment({}), {"emulator": plain([rates], gain, costs)})
    data = json.loads(path.read_text())["emulator"]
    assert [verdict["reached"] for verdict in data["rates"][0]["verdicts"]] == [True, False]
    assert data["threads"]["reached"] is True
    assert (data["charge"]["in_time"], data["charge"]["in_memory"]) == (True, False)
    console = Console(record=True, width=160)
    show_rates(rates, console)
    show_threads(gain, console)
    show_charge(costs, console)
    text = " ".join(console.export_text().split())
    assert "goal 15: reached" in text
    assert "goal 150: not reached" in text
    assert "2.00 times faster" in text
    assert "goal 90 s: reached" in text
    assert "goal below 1000 MB: not reached" in text


def test_every_engine_has_a_job_whose_prediction_is_checked():
    from benchmarks.predictions import JOBS

    from spinbattery.engines.registry import engines

    assert set(JOBS) == set(engines())
