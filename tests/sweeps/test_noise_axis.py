"""Noise on its way through grids, experiment files, stores and the choice of engines."""

from __future__ import annotations

import math

import pytest

from spinbattery import ChargingProblem, Store, charge, cooperative, fit_scaling, read_experiment, ring, sweep
from spinbattery.analysis.points import check_one_curve
from spinbattery.core.errors import EngineError, FitError, InvalidParameterError
from spinbattery.engines.choice import choose_engine, named_engine
from spinbattery.model.noise import Noise, parse_noise
from spinbattery.sweeps.experiment import read_problems
from spinbattery.sweeps.grid import Grid

CP = cooperative(1.0)
WEAK, STRONG = "x:1e-2/ns", "x:5e-2/ns"

EXPERIMENT = """
networks = ["ring:2", "ring:3"]
noise = ["none", "x:1e-2/ns", "3.5MHz"]

[[protocols]]
name = "cooperative"
duration = "1ns"
"""


@pytest.fixture(scope="module")
def study():
    return sweep([ring(2), ring(3), ring(4)], CP, noise=[None, WEAK, STRONG], tolerance=1e-4, workers=1)


# grids


def test_a_grid_has_noise_as_an_axis():
    plan = Grid([ring(2), ring(3)], CP, noise=[None, WEAK, Noise(x=1e-2, z=1e-3)]).plan()
    assert [str(task.problem.noise) for task in plan] == 2 * ["None", "x:0.01/ns", "x:0.01/ns+z:0.001/ns"]
    assert [task.engine.name for task in plan] == 2 * ["symmetric", "lindblad", "lindblad"]
    assert "x:0.01/ns" in str(plan.tasks[1])


def test_noise_that_is_given_twice_is_one_task():
    assert len(Grid(ring(2), CP, noise=["x:1e-2/ns", "x:10MHz", Noise(x=1e-2), Noise(x=(1e-2, 1e-2))]).plan()) == 1


def test_no_noise_is_the_problem_it_was():
    plain = ChargingProblem(ring(3), CP)
    for nothing in (None, "none", Noise(), "x:0/ns"):
        assert Grid(ring(3), CP, noise=nothing).plan().tasks[0].problem == plain
    assert "noise" not in plain.to_dict()


@pytest.mark.parametrize("bad", ["x:1e-2", 3, [3], "x:-1/ns", [], "sx:1/ns"])
def test_bad_noise_is_refused_before_anything_runs(bad):
    with pytest.raises(InvalidParameterError):
        Grid(ring(2), CP, noise=bad).plan()


def test_rates_for_another_network_are_refused():
    with pytest.raises(InvalidParameterError, match="3 rates of x but the network has 2 spins"):
        Grid([ring(3), ring(2)], CP, noise=Noise(x=(0.1, 0.2, 0.3))).plan()


# stores and curves


def test_the_dataset_tells_noises_apart(study):
    assert sorted(set(study.dataset["noise"].to_numpy().tolist())) == ["", "x:0.01/ns", "x:0.05/ns"]
    with pytest.raises(FitError, match=r"noise"):
        check_one_curve(study.dataset)
    alphas = {noise: fit_scaling(runs).alpha for noise, runs in study.dataset.groupby("noise")}
    assert len(alphas) == 3
    assert all(map(math.isfinite, alphas.values()))


def test_purity_is_a_column(study):
    purity = dict(zip(study.dataset["noise"].to_numpy().tolist(), study.dataset["purity"].to_numpy(), strict=True))
    assert math.isnan(purity[""])
    assert 0.0 < purity["x:0.05/ns"] < purity["x:0.01/ns"] < 1.0


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (WEAK, 3),
        ("x:10MHz", 3),
        (Noise(x=0.01), 3),
        ("none", 3),
        (Noise(), 3),
        (["x:0/ns"], 3),
        (None, 3),
        ([None, WEAK], 6),
        (["none", WEAK, STRONG], 9),
        ("z:1e-2/ns", 0),
    ],
)
def test_filters_know_noise(study, wanted, expected):
    assert len(study.store.rows(noise=wanted)) == expected


def test_a_filter_with_no_noise_in_it_is_refused(study):
    with pytest.raises(InvalidParameterError, match="unit"):
        study.store.rows(noise="x:0.01")


def test_a_store_serves_noisy_runs_again(tmp_path):
    store = Store(tmp_path)
    first = charge(ring(2), CP, noise=WEAK, store=store)
    again = charge(ring(2), CP, noise=parse_noise("10MHz"), store=store)
    assert first.key == again.key
    assert first.dataset.identical(again.dataset)
    assert charge(ring(2), CP, store=store).key != first.key
    assert again.problem.noise == parse_noise(WEAK)


# experiment files


def test_experiment_files_have_noise(tmp_path):
    path = tmp_path / "noisy.toml"
    path.write_text(EXPERIMENT)
    noises = [str(task.problem.noise) for task in read_experiment(path)]
    assert noises == 2 * ["None", "x:0.01/ns", "x:0.0035/ns"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('noise = ["none", "x:1e-2"]', "no unit"),
        ("noise = []", "empty"),
        ("noise = 0.1", "noise"),
        ('nosie = "x:1e-2/ns"', "Did you mean 'noise'"),
    ],
)
def test_bad_noise_in_a_file_is_named(tmp_path, line, message):
    path = tmp_path / "noisy.toml"
    path.write_text(EXPERIMENT.replace('noise = ["none", "x:1e-2/ns", "3.5MHz"]', line))
    with pytest.raises(InvalidParameterError, match=message):
        read_experiment(path)


def test_a_device_takes_no_noise(tmp_path):
    path = tmp_path / "noisy.toml"
    path.write_text(EXPERIMENT)
    with pytest.raises(InvalidParameterError, match="leave noise out"):
        read_problems(path, lambda network: network)


# the choice of an engine


@pytest.mark.parametrize(
    ("network", "protocol", "noise", "engine"),
    [
        (ring(4), CP, None, "symmetric"),
        (ring(4), CP, WEAK, "lindblad"),
        (ring(12), CP, WEAK, "lindblad"),
        (ring(13), CP, WEAK, "trajectories"),
        (ring(40), cooperative(1.0, J=0.0), WEAK, "product"),
    ],
)
def test_auto_chooses_by_size_and_noise(network, protocol, noise, engine):
    problem = ChargingProblem(network, protocol, noise=None if noise is None else parse_noise(noise))
    chosen, reason = choose_engine(problem)
    assert chosen.name == engine
    assert reason
    assert chosen.refusal(problem) is None


def test_a_tolerance_reaches_the_chosen_engine():
    problem = ChargingProblem(ring(13), CP, noise=parse_noise(WEAK))
    assert choose_engine(problem)[0].tolerance == 1e-4
    assert choose_engine(problem, 1e-3)[0].tolerance == 1e-3
    assert named_engine("lindblad", problem, 1e-8)[0].tolerance == 1e-8


@pytest.mark.parametrize("engine", ["statevector", "emulator"])
def test_engines_without_noise_say_which_have_it(engine):
    with pytest.raises(EngineError) as error:
        charge(ring(3), CP, noise=WEAK, engine=engine)
    assert all(name in str(error.value) for name in ("lindblad", "trajectories", "product"))


def test_noise_in_a_sweep_is_refused_before_any_run():
    with pytest.raises(EngineError, match=r"2 of 2 problems cannot be run.*lindblad"):
        sweep([ring(2), ring(3)], CP, noise=WEAK, engines="statevector")
