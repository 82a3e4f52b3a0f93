"""What a call will need."""

from __future__ import annotations

import pytest

from spinbattery.annealer.prediction import predicted_seconds, required_bytes


def test_a_whole_chip_fits_into_a_gigabyte():
    needed = required_bytes(5640, 40484, 1000, 2)
    assert 5640 * 1000 < needed < 1e9


@pytest.mark.parametrize(
    ("argument", "larger"), [("n_spins", 800), ("n_couplings", 5000), ("reads", 2000), ("threads", 4)]
)
def test_memory_grows_with_everything(argument, larger):
    small = {"n_spins": 400, "n_couplings": 1000, "reads": 600, "threads": 2}
    assert required_bytes(**small | {argument: larger}) > required_bytes(**small)


def test_seconds_fall_with_threads_as_long_as_there_are_blocks():
    arguments = {"n_spins": 5640, "n_couplings": 40484, "reads": 1024, "sweeps": 5000}
    one, two, many = (predicted_seconds(**arguments, threads=threads) for threads in (1, 2, 1000))
    assert 1.7 < one / two < 2.0
    assert many > one / 64


def test_a_read_costs_as_much_as_a_block():
    arguments = {"n_spins": 5640, "n_couplings": 40484, "sweeps": 5000, "threads": 1}
    assert predicted_seconds(reads=1, **arguments) == pytest.approx(predicted_seconds(reads=64, **arguments), rel=0.01)


def test_models_differ():
    arguments = {"n_spins": 40, "n_couplings": 164, "reads": 100, "sweeps": 5000, "threads": 1}
    instant, rotors, worldlines = (
        predicted_seconds(**arguments, model=model) for model in ("closed-form", "svmc-tf", "pimc")
    )
    assert instant < rotors < worldlines / 10
