"""A store written in November 2026 (commit 4da83a7) is read, and its runs are found and not run again.

Made then by the calls below, the imported record by `record_from_samples`. Figures are those of that commit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import spinbattery as sb
from spinbattery.records.hashing import without_names

KEPT = Path(__file__).parents[1] / "data" / "store-2026-11"
CHARGING = sb.cooperative(20.0)
NOISE = "x:1e-3/ns"

FIGURES = {
    "statevector": ("00ef70e8b5f4e771", 0.8208628705479923, 16.441750170243722),
    "lindblad": ("fe022d2dd10af77a", 0.7220435683954035, 7.26199274846093),
    "trajectories": ("916362c384317ad4", 0.7909704234987704, 12.004119009275998),
    "tensor": ("e3ece7c0f61f3c31", 0.8234702389502181, None),
    "emulator": ("c7bf318c3c4beef1", 0.22999999999999998, 3.877638948728996),
    "imported": ("b337cb7c166dd643", 0.7777777777777778, 6.749999999999999),
}
"""First digits of the key, mu and 1/sigma^2 by engine."""

CALLS: dict[str, Callable[[sb.Store], sb.Record]] = {
    "statevector": lambda store: sb.charge(sb.torus(2, 2), CHARGING, store=store, engine="statevector"),
    "lindblad": lambda store: sb.charge(sb.ring(3), CHARGING, store=store, engine="lindblad", noise=NOISE),
    "trajectories": lambda store: sb.charge(
        sb.ring(4), CHARGING, store=store, engine=sb.Trajectories(trajectories=20, seed=1), noise=NOISE
    ),
    "tensor": lambda store: sb.charge(
        sb.torus(2, 2), CHARGING, store=store, engine=sb.TensorNetwork(bond_dimension=(1, 2))
    ),
    "emulator": lambda store: sb.charge(
        sb.parse_network("pegasus:2"),
        sb.cooperative(60e3),
        store=store,
        engine=sb.Emulator(reads=10, sweeps=50, seed=1),
    ),
}


@pytest.fixture
def store(tmp_path: Path) -> sb.Store:
    return sb.Store(shutil.copytree(KEPT, tmp_path / "store"))


@pytest.mark.parametrize("engine", CALLS)
def test_a_kept_run_is_found_and_not_run_again(store: sb.Store, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*args: object, **kwargs: object) -> None:
        raise AssertionError("the run is in the store")

    monkeypatch.setattr(sb.Engine, "run", run)
    record = CALLS[engine](store)
    assert (record.key[:16], record.magnetization, record.precision) == FIGURES[engine]


def test_all_kept_records_are_listed_with_their_figures(store: sb.Store) -> None:
    rows = store.rows(status="done")
    found = {row["engine"]: (row["key"][:16], row["magnetization"], row["precision"]) for row in rows}
    assert found == FIGURES


def test_the_error_estimate_of_a_kept_record_is_as_it_was(store: sb.Store) -> None:
    record = next(store.records(engine="lindblad"))
    assert record.error_estimate == pytest.approx(3.7268816822457025e-07, rel=1e-12)


@pytest.mark.parametrize("engine", CALLS)
def test_a_run_made_now_has_the_variables_and_attributes_of_the_kept_one(
    store: sb.Store, engine: str, tmp_path: Path
) -> None:
    kept = next(store.records(engine=engine)).dataset
    made = CALLS[engine](sb.Store(tmp_path / "new")).dataset
    assert set(made.variables) == set(kept.variables)
    for name, variable in made.variables.items():
        assert (variable.dims, variable.shape) == (kept[name].dims, kept[name].shape)
        assert (variable.dtype.kind, variable.attrs) == (kept[name].dtype.kind, kept[name].attrs)
    assert set(made.attrs) == set(kept.attrs)
    texts = [str(dataset["problem"].to_numpy()) for dataset in (made, kept)]
    assert without_names(texts[0]) == without_names(texts[1])  # what the content hash has of the problem
