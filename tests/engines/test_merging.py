"""Merging and extending records of trajectories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinbattery import ChargingProblem, cooperative, read_record, ring, torus
from spinbattery.core.errors import InvalidParameterError, RecordError
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.engines.trajectories.engine import Trajectories
from spinbattery.engines.trajectories.merging import extend_record, merge_records
from spinbattery.model.noise import Noise

PAULI = ChargingProblem(torus(2, 2), cooperative(6.0), noise=Noise(x=2e-2))
RELAXING = ChargingProblem(ring(3), cooperative(6.0), noise=Noise(relaxation=5e-2, temperature=16.0))
TIMES = (2.0, 6.0)


def run(problem, trajectories, first=0, seed=5, times=TIMES, **options):
    return Trajectories(trajectories, seed=seed, first=first, **options).run(problem, times)


def assert_same(record, other):
    """Equal to rounding, in every number."""
    assert set(record.dataset.variables) == set(other.dataset.variables)
    for name, variable in other.dataset.variables.items():
        if variable.dtype.kind == "f":
            assert np.allclose(record.dataset[name], variable, rtol=1e-9, atol=1e-11), name
    assert record.key == other.key
    assert record.dataset.attrs["engine_options"] == other.dataset.attrs["engine_options"]
    assert record.discretisation == other.discretisation


@pytest.mark.parametrize("problem", [PAULI, RELAXING])
@pytest.mark.parametrize("one_jump", ["auto", "sampled"])
def test_halves_merge_to_the_whole(problem, one_jump):
    whole = run(problem, 400, one_jump=one_jump)
    parts = [run(problem, 250, 150, one_jump=one_jump), run(problem, 150, one_jump=one_jump)]
    assert_same(merge_records(parts), whole)


@pytest.mark.parametrize("problem", [PAULI, RELAXING])
def test_an_extended_run_is_the_long_one(problem, tmp_path):
    stored = read_record(run(problem, 150).save(tmp_path / "short.nc"))
    assert_same(extend_record(stored, 330), run(problem, 330))
    assert extend_record(stored, 150) is stored


def test_a_run_too_short_to_integrate_is_run_again():
    short = run(PAULI, 20)
    assert short.discretisation["one_jump"] == "sampled"
    long = run(PAULI, 300)
    assert long.discretisation["one_jump"] == "quadrature"
    assert_same(extend_record(short, 300), long)


def test_seeds_merge_with_smaller_errors():
    records = [run(PAULI, 200, seed=seed, one_jump="sampled") for seed in range(4)]
    merged = merge_records(records)
    assert np.mean([record.magnetization for record in records]) == pytest.approx(merged.magnetization, abs=1e-12)
    quoted = np.mean([record.magnetization_stderr for record in records])
    assert merged.magnetization_stderr == pytest.approx(quoted / 2.0, rel=0.15)
    assert '"parts":[[0,0,200],[1,0,200],[2,0,200],[3,0,200]]' in merged.dataset.attrs["engine_options"]
    assert len({record.key for record in [merged, *records]}) == 5
    again = merge_records([merge_records(records[2:]), merge_records(records[:2])])
    assert_same(again, merged)


def test_what_cannot_be_merged_is_named():
    record = run(PAULI, 50)
    with pytest.raises(RecordError, match="no record"):
        merge_records([])
    with pytest.raises(RecordError, match="trajectories 20 to 49 of seed 5 in common"):
        merge_records([record, run(PAULI, 50, 20)])
    with pytest.raises(RecordError, match="different output times"):
        merge_records([record, run(PAULI, 50, 50, times=None)])
    with pytest.raises(RecordError, match="different tolerance"):
        merge_records([record, run(PAULI, 50, 50, tolerance=1e-3)])
    with pytest.raises(RecordError, match="integrated, in another sampled"):
        merge_records([record, run(PAULI, 50, 50, one_jump="quadrature")])
    quiet = ChargingProblem(PAULI.network, PAULI.protocol)
    with pytest.raises(RecordError, match="statevector engine has no trajectories"):
        merge_records([record, Statevector().run(quiet)])


def test_records_of_different_problems_are_told_apart():
    records = [run(PAULI, 30), run(PAULI, 30, 30), run(RELAXING, 30)]
    with pytest.raises(RecordError) as refused:
        merge_records(records)
    message = str(refused.value)
    assert "the first is of network 'torus:2x2', protocol 'cooperative' of 6 ns and noise x:0.02/ns, " in message
    assert "number 3 of network 'ring:3', protocol 'cooperative' of 6 ns and noise relaxation:0.05/ns@16mK;" in message
    assert "they differ in network, noise." in message
    assert "store.records(network=..., protocol=..., noise=...)" in message
    assert "--" not in message
    longer = ChargingProblem(PAULI.network, cooperative(7.0), noise=PAULI.noise)
    with pytest.raises(RecordError, match=r"number 2 of .* of 7 ns .*; they differ in protocol\."):
        merge_records([records[0], run(longer, 30)])


def test_what_cannot_be_extended_is_named():
    record = run(PAULI, 50)
    with pytest.raises(RecordError, match="has 50 trajectories already"):
        extend_record(record, 40)
    with pytest.raises(InvalidParameterError, match="whole number"):
        extend_record(record, 60.5)
    merged = merge_records([record, run(PAULI, 50, seed=6)])
    with pytest.raises(RecordError, match="several seeds"):
        extend_record(merged, 200)


KEPT = Path(__file__).parents[1] / "data" / "store-2026-11" / "916362c384317ad4bd927b1cec486748.nc"


def test_a_record_of_a_version_with_other_steps_is_not_extended():
    # its 126 steps are as many as those of now, but lie elsewhere: mu of the run without jumps differs by 4e-7
    with pytest.raises(RecordError, match=r"another version .* other steps"):
        extend_record(read_record(KEPT), 40)


@pytest.mark.parametrize("problem", [PAULI, RELAXING])
def test_other_steps_are_known_by_the_run_without_jumps(problem, monkeypatch):
    record = run(problem, 150)
    edges = Mesh.edges

    def moved(mesh, multiple):
        found = edges(mesh, multiple)
        middle = len(found) // 2  # which is no stop
        found[middle] = 0.6 * found[middle] + 0.4 * found[middle + 1]
        return found

    monkeypatch.setattr(Mesh, "edges", moved)
    with pytest.raises(RecordError, match=r"another version .* other steps"):
        extend_record(record, 330)
