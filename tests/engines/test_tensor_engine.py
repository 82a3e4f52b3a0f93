"""Options of the tensor engine, what it checks itself by, and what its records say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError
from spinbattery.engines.tensor import engine as tensor_engine
from spinbattery.engines.tensor.convergence import Study, converged
from spinbattery.engines.tensor.tree_runs import Setting, TreeRun

PROTOCOL = sb.cooperative(20.0)
SMALL = sb.ChargingProblem(sb.torus(2, 4), sb.cooperative(5.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bond_dimension": 0}, "bond_dimension must be"),
        ({"bond_dimension": 2.5}, "bond_dimension must be"),
        ({"bond_dimension": "20"}, "bond_dimension must be"),
        ({"bond_dimension": (16, 10)}, "ascend"),
        ({"bond_dimension": ()}, "ascend"),
        ({"expansion": -1}, "expansion must be"),
        ({"expansion": "some"}, "expansion must be a whole number or 'all'"),
        ({"truncation": 1.0}, "truncation must lie"),
        ({"tolerance": 0.0}, "tolerance must"),
        ({"steps": 0}, "steps must be"),
        ({"seed": -1}, "seed must be"),
        ({"magnus": "CF6"}, "magnus must be one of CF2, CF4"),
        ({"shape": "star"}, "shape must be one of tree, chain"),
        ({"single": 1}, "single must be true, false or None"),
        ({"most_bond_dimension": 1}, "most_bond_dimension must be"),
        ({"truncation": "x"}, "truncation must be"),
        ({"magnus": ["CF2"]}, "magnus must be one of"),
        ({"tolerance": 0.5}, "tolerance must lie"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        sb.TensorNetwork(**options)


def test_one_number_and_a_list_of_one_are_the_same():
    assert sb.TensorNetwork(bond_dimension=(8,)) == sb.TensorNetwork(bond_dimension=8)
    assert sb.TensorNetwork(bond_dimension=[4, 8]).bond_dimension == (4, 8)


def test_one_spin_is_no_tree():
    with pytest.raises(EngineError, match="use the product engine"):
        sb.charge(sb.SpinNetwork(1, []), PROTOCOL, engine="tensor")


def test_noise_is_refused():
    with pytest.raises(EngineError, match=r"tensor engine cannot .* noise"):
        sb.charge(sb.torus(2, 2), PROTOCOL, engine="tensor", noise="x:1e-3/ns")


def test_too_much_memory_is_refused_before_any_work(monkeypatch):
    def never(*_):
        raise AssertionError("work was done")

    monkeypatch.setattr(sb.TensorNetwork, "solve", never)
    with pytest.raises(InsufficientMemoryError, match="use smaller bond dimensions"):
        sb.TensorNetwork(bond_dimension=3000).run(sb.ChargingProblem(sb.torus(16, 16), PROTOCOL))


def test_memory_and_time_grow_as_they_should():
    problem = sb.ChargingProblem(sb.torus(8, 8), PROTOCOL)
    none = np.empty(0)
    sizes = [sb.TensorNetwork(bond_dimension=bond) for bond in (16, 32)]
    assert 5 < sizes[1].predicted_seconds(problem, none) / sizes[0].predicted_seconds(problem, none) < 20
    assert sizes[1].required_bytes(problem) > sizes[0].required_bytes(problem)
    double = sb.TensorNetwork(bond_dimension=32, single=False)
    assert double.required_bytes(problem) > sizes[1].required_bytes(problem)
    checked = sb.TensorNetwork(bond_dimension=(16, 32))
    assert checked.predicted_seconds(problem, none) > 2.0 * sizes[1].predicted_seconds(problem, none)


def test_one_run_has_no_error_and_shows_no_precision():
    record = sb.charge(sb.torus(2, 4), PROTOCOL, engine=sb.TensorNetwork(bond_dimension=4))
    assert record.precision is None
    assert record.magnetization_error is None
    assert record.error_estimate is None
    assert record.converged == {"magnetization": None, "precision": None}
    assert record.precision_bound is None  # mu may be off by anything
    assert sb.independence_ratio(record) is None
    assert record.no_precision == "was not checked"
    assert "(was not checked)" in repr(record)
    assert record.discretisation["bond_dimension"] == 4
    assert record.execution_info["seconds_per_step"] > 0.0


def test_a_checked_run_has_an_error_and_a_verdict():
    record = sb.charge(sb.torus(2, 4), PROTOCOL, engine="tensor", tolerance=1e-2, times=[5.0, 10.0])
    exact = sb.charge(sb.torus(2, 4), PROTOCOL, times=[5.0, 10.0])
    assert record.converged == {"magnetization": True, "precision": True}
    assert abs(record.magnetization - exact.magnetization) < record.magnetization_error < 1e-2
    assert abs(record.std - exact.std) < record.std_error
    assert abs(record.precision / exact.precision - 1.0) < record.precision_relative_error
    error = record.dataset["magnetization_t_error"]
    for name in ("magnetization_t", "std_t", "energy_t"):
        assert np.abs(record.dataset[name] - exact.dataset[name]).max() < 2e-2
    assert (np.abs(record.dataset["magnetization_t"] - exact.dataset["magnetization_t"]) < error).all()
    assert np.abs(record.dataset["distribution"] - exact.dataset["distribution"]).max() < 5e-3
    assert np.abs(record.dataset["spin_magnetization"] - exact.dataset["spin_magnetization"]).max() < 5e-3
    spins = record.dataset["spin_magnetization_t"]
    assert spins.dims == ("time", "spin")
    assert np.abs(spins.mean("spin") - record.dataset["magnetization_t"]).max() < 1e-5
    bonds = [run["bond_dimension"] for run in record.discretisation["runs"]]
    assert record.discretisation["bond_dimension"] == max(bonds)
    parts = record.discretisation["errors"]
    assert sum(error for error, _ in parts.values()) == pytest.approx(record.magnetization_error)
    assert parts["rounding"][0] == 2e-4  # single precision from a tolerance of 1e-3 on


def test_a_sigma_that_has_not_converged_is_no_precision():
    protocol = sb.cooperative(8.0)
    record = sb.charge(sb.torus(3, 3), protocol, engine=sb.TensorNetwork(bond_dimension=(2, 4)))
    assert record.converged["precision"] is False
    assert record.precision is None
    assert record.std_error > 0.05 * record.std
    least = record.magnetization - record.magnetization_error
    assert record.precision_bound == pytest.approx(1.0 / (1.0 - least**2))
    exact = sb.charge(sb.torus(3, 3), protocol)
    assert abs(record.magnetization - exact.magnetization) < record.magnetization_error
    assert abs(record.std - exact.std) < record.std_error
    assert record.precision_bound < exact.precision


def test_raising_the_bond_dimension_ends_where_it_is_told_to():
    engine = sb.TensorNetwork(1e-6, most_bond_dimension=3)
    record = engine.run(sb.ChargingProblem(sb.ring(6), sb.cooperative(5.0)))
    assert record.converged["magnetization"] is False
    assert {run["bond_dimension"] for run in record.discretisation["runs"]} == {1, 3}


def test_the_step_is_halved_where_it_makes_most_of_the_error():
    exact = sb.charge(sb.torus(2, 3), sb.cooperative(8.0))
    engine = sb.TensorNetwork(1e-4, steps=16)
    record = engine.run(sb.ChargingProblem(sb.torus(2, 3), sb.cooperative(8.0)))
    assert record.converged["magnetization"] is True
    assert record.discretisation["steps"] >= 40
    assert abs(record.magnetization - exact.magnetization) < record.magnetization_error < 1e-4


def test_numbers_of_numpy_are_numbers():
    engine = sb.TensorNetwork(bond_dimension=np.int64(4), steps=np.int64(10), seed=np.int64(1), expansion=np.int64(1))
    assert engine.run(SMALL).discretisation["steps"] == 10


def test_pegasus_graphs_are_planned_at_once():
    problem = sb.ChargingProblem(sb.parse_network("pegasus:4"), PROTOCOL)
    assert sb.TensorNetwork(bond_dimension=4).predicted_seconds(problem, np.empty(0)) > 0.0


def test_thousands_of_spins_are_refused():
    with pytest.raises(EngineError, match="largest N is 1024"):
        sb.TensorNetwork(bond_dimension=2).run(sb.ChargingProblem(sb.ring(3000), PROTOCOL))


@pytest.mark.slow
def test_raising_the_bond_dimension_goes_no_further_than_needed(monkeypatch):
    monkeypatch.setattr("spinbattery.engines.tensor.engine.LADDER", (4, 6, 9, 12, 16, 24))
    record = sb.TensorNetwork(0.1).run(sb.ChargingProblem(sb.torus(3, 4), sb.cooperative(5.0)))
    assert record.converged["magnetization"] is True
    assert record.discretisation["bond_dimension"] < 16


def test_the_same_digits_on_one_core_and_two(monkeypatch):
    """Small runs follow each other on any number of cores, unless the share of compiled time does not matter."""
    engine, together, seen = sb.TensorNetwork(bond_dimension=(2, 3, 4)), [], []
    run_together = tensor_engine.run_together

    def counted(run, shares, threads, progress):
        together.append((len(shares), threads))
        return run_together(run, shares, threads, progress)

    def is_even(_, setting):
        return setting.bond_dimension % 2 == 0

    monkeypatch.setattr(tensor_engine, "run_together", counted)
    monkeypatch.setattr(tensor_engine, "n_cores", lambda: 2)
    small = engine.run(SMALL)
    assert not together
    with monkeypatch.context() as patch:
        patch.setattr(tensor_engine.TreePlan, "runs_beside_others", is_even)  # some alone, the others together
        record = engine.run(SMALL, progress=lambda fraction, _: seen.append(fraction))
    assert record.content_hash == small.content_hash
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    some = len(together)
    assert some
    monkeypatch.setattr("spinbattery.engines.tensor.tree_runs._COMPILED_OVER_INTERPRETED", 0.0)
    assert engine.run(SMALL).content_hash == small.content_hash
    assert sum(runs for runs, _ in together[some:]) > sum(runs for runs, _ in together[:some])
    assert all(threads == 2 for _, threads in together)
    monkeypatch.setattr(tensor_engine, "n_cores", lambda: 1)
    made = len(together)
    assert engine.run(SMALL).content_hash == small.content_hash
    assert len(together) == made


def test_a_run_has_one_thread_of_blas_in_a_new_process():
    """What numba multiplies by is loaded late; more threads took 70 times the CPU time where cores were shared."""
    code = (
        "import spinbattery as sb, threadpoolctl\n"
        "from spinbattery.engines.tensor.tree_runs import TreePlan\n"
        "def run(*_):\n"
        "    import spinbattery.engines.tensor.evolution, scipy.linalg\n"
        "    print({one['num_threads'] for one in threadpoolctl.threadpool_info() if one['user_api'] == 'blas'})\n"
        "    raise SystemExit\n"
        "TreePlan.run = run\n"
        "sb.charge(sb.torus(2, 4), sb.cooperative(5.0), engine=sb.TensorNetwork(bond_dimension=4))\n"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"


def test_seeds_tell_runs_apart():
    first, again, other = (sb.TensorNetwork(bond_dimension=3, seed=seed).run(SMALL) for seed in (1, 1, 2))
    assert first.content_hash == again.content_hash
    assert first.magnetization != other.magnetization
    assert abs(first.magnetization - other.magnetization) < 0.05


def test_records_are_kept(tmp_path):
    record = sb.charge(sb.torus(2, 4), PROTOCOL, engine="tensor", tolerance=2e-2)
    again = sb.read_record(record.save(tmp_path / "record.nc"))
    assert again == record
    assert again.converged == record.converged
    assert json.dumps(again.discretisation["runs"])


def run_with(setting, mean, std, discarded=0.0):
    mean, variance, none = np.array([mean]), np.array([std**2]), np.zeros(1)
    return TreeRun(setting, mean, variance, none, none[:, None], 1.0, discarded, 4, 10, 0.1, state=None)


def test_the_error_is_the_sum_of_what_changes():
    study = Study((4, 8), 0, 5, complete=False)
    runs = {
        study.before: run_with(study.before, 0.50, 0.20),
        study.result: run_with(study.result, 0.52, 0.19),
        study.other_method(study.before): run_with(None, 0.55, 0.16, 0.2),
        study.other_method(study.result): run_with(None, 0.54, 0.17, 0.1),
        study.other_seed: run_with(study.other_seed, 0.503, 0.20),
        study.other_step: run_with(study.other_step, 0.501, 0.202),
    }
    assert set(runs) == {*study.main, *study.checks}
    found = converged(study, runs, 0.001, 1e-4)
    assert found.mean_error[-1] == pytest.approx(0.0011 + 4 * (0.02 + 0.02 + 0.003 + 0.001 * 4 / 3))
    assert found.std_error[-1] == pytest.approx(0.0011 + 4 * (0.01 + 0.02 + 0.0 + 0.002 * 4 / 3))
    assert found.worst in ("bond_dimension", "method")
    assert (found.extrapolated_mean, found.extrapolated_std) == pytest.approx((0.53, 0.18))
    flat = runs | {study.other_method(study.result): run_with(None, 0.54, 0.17, 0.19)}
    assert converged(study, flat, 0.0, 0.0).extrapolated_mean == pytest.approx(0.52)


def test_three_bond_dimensions_need_less_caution_and_count_the_change_before():
    study = Study((8, 16, 32), 0, 5, complete=False)
    runs = {setting: run_with(setting, 0.52, 0.19) for setting in (study.before, study.result, *study.checks)}
    runs[study.main[0]] = run_with(study.main[0], 0.48, 0.21)
    found = converged(study, runs, 0.0, 0.0)
    assert found.mean_error[-1] == pytest.approx(2 * 0.04 / 4)
    assert found.std_error[-1] == pytest.approx(2 * 0.02 / 4)


def test_where_nothing_is_cut_off_only_the_step_is_checked():
    study = Study((4, 16), 0, 5, complete=True)
    assert study.checks == [Setting(16, 0, 5, 1)]
    runs = {study.result: run_with(study.result, 0.5, 0.2), study.other_step: run_with(None, 0.501, 0.2)}
    found = converged(study, runs, 0.0, 1e-9)
    assert found.mean_error[-1] == pytest.approx(8e-3 / 3, abs=2e-9)
    assert found.extrapolated_mean == 0.5


def test_bond_dimensions_that_are_close_tell_little():
    assert Study((8, 16), 0, 0, complete=False).slowness == 1.0
    assert Study((8, 12), 0, 0, complete=False).slowness == pytest.approx(2.0)
    assert Study((8, 9), 0, 0, complete=False).slowness == pytest.approx(8.0)
    assert not Study((2, 4, 6), 0, 0, complete=False).may_converge
    assert not Study((8, 12), 0, 0, complete=False).may_converge
    assert Study((6, 8, 12), 0, 0, complete=False).may_converge
    assert Study((4, 6), 0, 0, complete=True).may_converge


def test_the_other_method_of_expanding_steps_is_none():
    study = Study((8, 16), 4, 0, complete=False)
    assert study.other_method(study.result).expansion == 0
    assert Study((8, 16), 0, 0, complete=False).other_method(Setting(16, 0, 0, 0)).expansion == 2
