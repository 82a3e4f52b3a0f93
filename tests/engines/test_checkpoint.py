"""Interrupted runs go on where they were, with the same digits."""

from __future__ import annotations

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import ToleranceError
from spinbattery.engines.common import checkpoint as module
from spinbattery.engines.common.checkpoint import Checkpoint
from spinbattery.model.problem import ChargingProblem

TIMES = [2.0, 5.0, 7.5]
ENGINES = {
    "product": (sb.Product(1e-6), "ring:6", {"J": 0.0}, None),
    "statevector": (sb.Statevector(1e-6), "ring:6", {}, None),
    "large statevector": (sb.Statevector(1e-3), "ring:14", {"J": -0.1}, None),
    "large single": (sb.Statevector(1e-2, single=True), "ring:14", {"J": -0.1}, None),
    "lindblad": (sb.Lindblad(1e-5), "ring:3", {}, "x:1e-3/ns+relaxation:1e-3/ns@16mK"),
    "symmetric": (sb.Symmetric(1e-6), "torus:3x3", {}, None),
    "large symmetric": (sb.Symmetric(1e-5), "torus:3x4", {}, None),
    "tensor": (sb.TensorNetwork(bond_dimension=4, expansion=2), "ring:8", {}, None),
    "tensors that are checked": (sb.TensorNetwork(bond_dimension=(2, 4), steps=20), "ring:6", {}, None),
}


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Every chunk is short, worth keeping, and kept."""
    monkeypatch.setattr("spinbattery.engines.common.propagation._SECONDS_PER_CHUNK", 1e-4)
    monkeypatch.setattr(module, "_SECONDS_WORTH_KEEPING", 0.0)
    monkeypatch.setattr("spinbattery.engines.symmetric.engine._SMALLEST_SHARED", 100)


class Stop(Exception):
    pass


def stopping_after(calls):
    left = [calls]

    def progress(fraction, message):
        left[0] -= 1
        if left[0] < 0:
            raise Stop

    return progress


def problem_of(name):
    engine, network, protocol, noise = ENGINES[name]
    duration = 3.0 if "large" in name else 10.0
    times = [1.5] if "large" in name else TIMES
    built = sb.cooperative(duration, **protocol)
    parsed = None if noise is None else sb.parse_noise(noise)
    return engine, ChargingProblem(sb.parse_network(network), built, noise=parsed), times


@pytest.mark.parametrize("name", ENGINES)
def test_a_run_that_is_stopped_again_and_again_ends_with_the_same_digits(name, tmp_path):
    engine, problem, times = problem_of(name)
    whole = engine.run(problem, times)
    stem = tmp_path / "checkpoints" / "run"
    stops, calls = 0, 1
    while True:
        try:
            found = engine.run(problem, times, stopping_after(calls), checkpoint=Checkpoint(stem, "key"))
            break
        except Stop:
            stops += 1
            calls = 2 * calls  # a run that did not go on would take for ever
    assert stops >= 2
    assert found.content_hash == whole.content_hash
    assert list(stem.parent.glob("run.*.npz"))
    Checkpoint(stem, "key").remove()
    assert not list(stem.parent.iterdir())


def test_finished_passes_are_not_run_again(tmp_path):
    engine, problem, times = problem_of("symmetric")
    checkpoint = Checkpoint(tmp_path / "run", "key")
    made = engine.run(problem, times, checkpoint=checkpoint).discretisation["passes"]
    calls = []
    engine.run(problem, times, lambda *reached: calls.append(reached), checkpoint=checkpoint)
    passes = [message for _, message in calls if "steps" in message]
    assert len(set(passes)) == made
    assert len(passes) <= made + 1  # each at once at its end, and the end of the run


def test_files_of_another_run_or_damaged_ones_count_as_none(tmp_path):
    engine, problem, times = problem_of("symmetric")
    stem = tmp_path / "run"
    with pytest.raises(Stop):
        engine.run(problem, times, stopping_after(5), checkpoint=Checkpoint(stem, "key"))
    (path,) = tmp_path.glob("run.*.npz")
    chunking = str(np.load(path)["key"]).removeprefix("key:0:")
    assert "steps" in chunking
    wrong = np.full(26, 7.0, dtype=complex)

    def restored(key="key", chunking=chunking):
        chunks = Checkpoint(stem, key).log(0).restore([wrong], chunking)
        assert chunks or np.all(wrong == 7.0)
        return chunks

    assert restored("another") == 0
    assert restored(chunking=chunking + "0") == 0  # a version with other chunks
    wrong = np.full(25, 7.0, dtype=complex)
    assert restored() == 0
    wrong = np.full(26, 7.0, dtype=complex)
    assert restored() > 0
    assert np.sum(np.abs(wrong)) < 26
    wrong[:] = 7.0
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"PK\x03\x04 nothing", b"\x80\x04N."):
        path.write_bytes(damaged)
        assert restored() == 0
    again = engine.run(problem, times, checkpoint=Checkpoint(stem, "key"))
    assert again.content_hash == engine.run(problem, times).content_hash


def test_a_tolerance_out_of_reach_leaves_nothing(tmp_path, monkeypatch):
    _, problem, times = problem_of("symmetric")
    engine = sb.Symmetric(1e-11)
    stem = tmp_path / "run"
    with pytest.raises(Stop):
        engine.run(problem, times, stopping_after(5), checkpoint=Checkpoint(stem, "key"))
    assert list(tmp_path.glob("run.*.npz"))
    monkeypatch.setattr("spinbattery.engines.symmetric.series_state.SeriesState.rounding", 1.0)
    with pytest.raises(ToleranceError):
        engine.run(problem, times, checkpoint=Checkpoint(stem, "key"))
    assert not list(tmp_path.iterdir())


def test_arrays_are_plain(tmp_path):
    engine, problem, times = problem_of("symmetric")
    with pytest.raises(Stop):
        engine.run(problem, times, stopping_after(5), checkpoint=Checkpoint(tmp_path / "run", "key"))
    (path,) = tmp_path.glob("run.*.npz")
    with np.load(path, allow_pickle=False) as file:
        assert {"format", "key", "chunks", "finished", "rows", "seconds", "state_0", "state_1"} == set(file.files)
        assert file["state_0"].dtype == np.complex128


def test_a_folder_that_cannot_be_written_stops_no_run(tmp_path):
    engine, problem, times = problem_of("symmetric")
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match="no checkpoint was written"):
        found = engine.run(problem, times, checkpoint=Checkpoint(tmp_path / "file" / "run", "key", 0.0))
    assert found.content_hash == engine.run(problem, times).content_hash


def test_short_runs_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_WORTH_KEEPING", 60.0)
    engine, problem, times = problem_of("symmetric")
    with pytest.raises(Stop):
        engine.run(problem, times, stopping_after(5), checkpoint=Checkpoint(tmp_path / "run", "key"))
    assert not list(tmp_path.iterdir())


def test_charging_with_a_store_goes_on_and_cleans_up(tmp_path):
    network, protocol = sb.torus(3, 3), sb.cooperative(10.0)
    engine = sb.Symmetric(1e-6)
    store = sb.Store(tmp_path)
    with pytest.raises(Stop):
        sb.charge(network, protocol, engine=engine, store=store, progress=stopping_after(5))
    assert list((tmp_path / ".checkpoints").glob("*.npz"))
    found = sb.charge(network, protocol, engine=engine, store=store)
    assert found.content_hash == sb.charge(network, protocol, engine=engine).content_hash
    assert not list((tmp_path / ".checkpoints").iterdir())
    assert store.get(found.key) == found


def test_passes_that_run_together_are_resumed_too(tmp_path, monkeypatch):
    monkeypatch.setattr("spinbattery.engines.common.stepping.n_cores", lambda: 2)
    engine, problem, times = problem_of("statevector")
    whole = engine.run(problem, times)
    monkeypatch.setattr(type(engine), "leaves_cores_idle", lambda self, problem: True)
    assert engine.run(problem, times).content_hash == whole.content_hash
    stem = tmp_path / "run"
    with pytest.raises(Stop):
        engine.run(problem, times, stopping_after(0), checkpoint=Checkpoint(stem, "key"))
    found = engine.run(problem, times, checkpoint=Checkpoint(stem, "key"))
    assert found.content_hash == whole.content_hash
