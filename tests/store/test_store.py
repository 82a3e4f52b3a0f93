"""A folder of records: runs are made once, and damaged files are named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spinbattery import Product, Statevector, Store, charge, cooperative, ring, torus
from spinbattery.core.errors import InvalidParameterError, RecordError
from spinbattery.records.dataset import gather
from spinbattery.records.record import Record

PROTOCOL = cooperative(1.0)
NETWORK = torus(1, 2)
solved: list[tuple[float, int]] = []


@dataclass(frozen=True)
class Counted(Statevector):
    """The state-vector engine, noting the tolerance and number of output times of every solution."""

    def solve(self, problem, times, progress, checkpoint):
        solved.append((self.tolerance, len(times)))
        return super().solve(problem, times, progress, checkpoint)


@pytest.fixture
def store(tmp_path):
    solved.clear()
    return Store(tmp_path / "runs")


def run(store, **options):
    options = {"engine": Counted(1e-5), **options}
    return charge(NETWORK, PROTOCOL, store=store, **options)


def test_a_run_is_made_once(store):
    first = run(store)
    assert run(store) == first
    assert solved == [(1e-5, 0)]
    assert first.key in store
    assert store.get(first.key) == first


def test_the_folder_is_made_and_can_be_opened_again(store):
    first = run(store)
    again = Store(store.folder)
    assert again.get(first.key) == first
    run(again)
    assert len(solved) == 1


def test_another_tolerance_is_another_run(store):
    one, two = run(store), run(store, engine=Counted(1e-7))
    assert [tolerance for tolerance, _ in solved] == [1e-5, 1e-7]
    assert one.key != two.key
    assert len(list(store.folder.glob("*.nc"))) == 2


def test_another_tolerance_by_name_is_another_run(store):
    one = run(store, engine="statevector", tolerance=1e-5)
    two = run(store, engine="statevector", tolerance=1e-6)
    assert one.key != two.key
    assert run(store, engine="statevector") == two


@pytest.mark.parametrize("engine", [Counted(1e-5, keep_state=True), Counted(1e-5, splitting="BM4")])
def test_other_options_are_another_run(store, engine):
    run(store)
    run(store, engine=engine)
    assert len(solved) == 2


def test_other_output_times_are_another_run(store):
    run(store)
    run(store, times=[0.5])
    run(store, times=[0.5])
    assert solved == [(1e-5, 0), (1e-5, 1)]


def test_times_within_rounding_of_a_corner_are_the_same_run(store):
    run(store, times=[PROTOCOL.breakpoints[1]])
    run(store, times=[PROTOCOL.breakpoints[1] * (1.0 + 1e-13)])
    assert len(solved) == 1


def test_other_engines_do_not_share_runs(store):
    local = cooperative(1.0, J=0.0)
    one = charge(NETWORK, local, engine=Product(1e-5), store=store)
    two = charge(NETWORK, local, engine=Statevector(1e-5), store=store)
    assert one.key != two.key


def test_recompute_runs_again_and_replaces(store):
    first = run(store)
    store.path(first.key).write_bytes(b"damaged")
    again = run(store, recompute=True)
    assert len(solved) == 2
    assert store.get(first.key) == again
    assert len(list(store.folder.glob("*.nc"))) == 1


def test_an_unknown_key_is_no_error(store):
    assert store.get("0" * 64) is None
    assert "0" * 64 not in store


def test_a_damaged_file_is_named_and_not_silently_replaced(store):
    first = run(store)
    path = store.path(first.key)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RecordError, match=path.name):
        run(store)
    assert len(solved) == 1


def test_a_file_under_the_name_of_another_run_is_named(store):
    one, two = run(store), run(store, engine=Counted(1e-6))
    store.path(one.key).write_bytes(store.path(two.key).read_bytes())
    with pytest.raises(RecordError, match=rf"{store.path(one.key).name} holds another run"):
        store.get(one.key)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match=r"cannot make the folder .*file"):
        Store(tmp_path / "file")
    with pytest.raises(RecordError, match=r"cannot make the folder .*inner"):
        Store(tmp_path / "file" / "inner")


def test_a_run_that_fails_leaves_no_file(store):
    with pytest.raises(MemoryError):
        charge(ring(60), PROTOCOL, store=store)
    assert list(store.folder.iterdir()) == []


NO_KEYS = [5, None, b"key", Path("key"), "a/b", "a\0b", ["key"]]


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize(
    "method",
    [
        "path",
        "get",
        "latest",
        "has_planned",
        "failure",
        "forget_failure",
        "claim",
        "claimed",
        "checkpoint_path",
        "__contains__",
    ],
)
def test_what_is_no_key_is_refused(tmp_path, method, key):
    with pytest.raises(InvalidParameterError, match="must be the key of a record"):
        getattr(Store(tmp_path), method)(key)


@pytest.mark.parametrize("keys", [5, None, "key", [5]])
@pytest.mark.parametrize("method", ["statuses", "errors"])
def test_what_are_no_keys_is_refused(tmp_path, method, keys):
    store = Store(tmp_path)
    store.write_failure({"key": "other"}, "no room")
    with pytest.raises(InvalidParameterError):
        getattr(store, method)(keys)


@pytest.mark.parametrize("given", [5, None, "record", {}])
def test_what_is_no_record_is_refused(tmp_path, given):
    for write in (Store(tmp_path).put, Store(tmp_path).write):
        with pytest.raises(RecordError, match="a record, as from charge"):
            write(given)
    with pytest.raises(RecordError, match="is made of an xarray Dataset"):
        Record(given)
    with pytest.raises(RecordError, match="a record, as from charge"):
        gather([given])


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (5, "why"),
        ({}, "why"),
        ({"key": 5}, "why"),
        ({"key": "k"}, 5),
        ({"key": "k", "J": np.nan}, "why"),
        ({"key": "k", "J": {1}}, ""),
    ],
)
def test_an_unusable_note_of_a_failure_is_refused(tmp_path, parameters, error):
    with pytest.raises(InvalidParameterError):
        Store(tmp_path).write_failure(parameters, error)
    assert list(tmp_path.glob("*.json")) == []


def test_progress_that_cannot_be_called_is_refused(tmp_path):
    for call in (Store(tmp_path).sync, Store(tmp_path).rebuild):
        with pytest.raises(InvalidParameterError, match="progress"):
            call(5)
    with pytest.raises(InvalidParameterError, match="is a number"):
        Store(tmp_path).rows(n_spins=10**400)
