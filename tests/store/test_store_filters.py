"""What users ask of a store, and which runs that finds."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import Store, cooperative, ring
from spinbattery.core.errors import InvalidParameterError
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import run_plan

FIELDS = (-0.3, -0.1 - 0.2, -0.5)  # the first two are one physical value and two floats


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Store(tmp_path_factory.mktemp("runs"))
    protocols = [cooperative(duration, h=h) for duration in (1.0, 2.0) for h in FIELDS]
    networks = [ring(2), ring(3), ring(4).with_crosstalk(-0.01)]
    plan = Grid(networks, [*protocols, cooperative(1.0).local_equivalent], tolerance=1e-3).plan()
    run_plan(plan, opened, workers=1)
    return opened


def count(store, **filters):
    return len(store.rows(**filters))


def test_no_filter_finds_all(store):
    assert count(store) == 21


@pytest.mark.parametrize(
    "filters, expected",
    [
        ({"n_spins": 3}, 7),
        ({"network": "ring:2"}, 7),
        ({"protocol": "local"}, 3),
        ({"n_spins": [2, 3]}, 14),
        ({"n_spins": (2, 2, 2)}, 7),
        ({"n_spins": np.array([3, 9])}, 7),
        ({"protocol": ["local", "cooperative"]}, 21),
        ({"protocol": ["local", "polarised"]}, 3),
        ({"n_spins": slice(3, None)}, 14),
        ({"n_spins": slice(None, 3)}, 14),
        ({"n_spins": slice(2, 3)}, 14),
        ({"n_spins": slice(5, None)}, 0),
        ({"n_spins": [2, slice(4, 6)]}, 14),
        ({"duration": "2ns"}, 9),
        ({"duration": "0.002us"}, 9),
        ({"duration": 2.0}, 9),
        ({"duration": ["1ns", 2]}, 21),
        ({"duration": slice("1.5ns", "2000ps")}, 9),
        ({"n_spins": 3, "duration": "2ns"}, 3),
        ({"seed": None}, 21),
        ({"J": None}, 0),
        ({"seed": [1, None]}, 21),
        ({"crosstalk": -0.01}, 7),
        ({"crosstalk": 0.0}, 14),
        ({"crosstalk": 0}, 14),
        ({"status": "done"}, 21),
        ({"created": slice("2020", None)}, 21),
        ({"created": slice(None, "2020")}, 0),
    ],
)
def test_filters(store, filters, expected):
    assert count(store, **filters) == expected


@pytest.mark.parametrize("wanted", [-0.3, FIELDS[1], [-0.3], slice(-0.3, -0.3)])
def test_numbers_that_differ_by_rounding_are_one(store, wanted):
    assert FIELDS[0] != FIELDS[1]
    assert count(store, protocol="cooperative", field=wanted) == 12


@pytest.mark.parametrize("wanted", [-0.3 * (1 + 3e-9), [-0.3 * (1 - 3e-9)], slice(-0.3 * (1 - 3e-9), 0.0)])
def test_numbers_that_differ_by_more_are_not(store, wanted):
    assert count(store, protocol="cooperative", field=wanted) == 0


def test_the_elements_of_a_dataset_are_values(store):
    data = store.select(n_spins=3)
    assert count(store, key=data.key[0]) == 1
    assert count(store, key=data.key) == 7
    assert count(store, n_spins=data.n_spins[0]) == 7
    assert count(store, duration=slice(data.duration.max(), None)) == 9


def test_lists_may_be_longer_than_sqlite_has_room_for(store):
    keys = [row["key"] for row in store.rows(n_spins=2)]
    assert count(store, key=[f"{k:064d}" for k in range(50_000)] + keys) == 7
    assert count(store, n_spins=list(range(3, 3_000))) == 14


@pytest.mark.parametrize(
    "text", ["ring:2' OR '1'='1", "ring:2'; DROP TABLE runs; --", 'ring:2" --', "ring%", '["ring:2"]']
)
def test_values_are_never_read_as_sql(store, text):
    assert count(store, network=text) == 0
    assert count(store, network=[text]) == 0
    assert count(store, network=slice(text, text)) == 0
    assert count(store) == 21


def test_names_are_never_read_as_sql(store):
    with pytest.raises(InvalidParameterError, match="runs have no"):
        store.rows(**{"1=1 OR n_spins": 3})


def test_an_unknown_column_and_the_nearest_one(store):
    with pytest.raises(
        InvalidParameterError, match=r"runs have no 'nspins'; .*problem_hash.* Did you mean 'n_spins'\?"
    ):
        store.rows(nspins=3)


@pytest.mark.parametrize("wanted", ["three", True, float("nan"), float("inf"), [3, "x"], slice("a", None), {"a": 1}])
def test_a_number_must_be_one(store, wanted):
    with pytest.raises(InvalidParameterError, match="n_spins is a number, but the filter asks for"):
        store.rows(n_spins=wanted)


def test_a_duration_as_text_needs_its_unit(store):
    with pytest.raises(InvalidParameterError, match="'2' has no unit"):
        store.rows(duration="2")


@pytest.mark.parametrize("wanted", [[], (), np.array([])])
def test_an_empty_list_asks_for_nothing(store, wanted):
    with pytest.raises(InvalidParameterError, match="the list for n_spins is empty"):
        store.rows(n_spins=wanted)


@pytest.mark.parametrize("wanted", [slice(None), slice(1, 5, 2)])
def test_a_range_has_an_end_and_no_step(store, wanted):
    with pytest.raises(InvalidParameterError, match="a range of n_spins is slice"):
        store.rows(n_spins=wanted)
