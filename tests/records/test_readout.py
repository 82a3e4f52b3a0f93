"""Records of reads: moments, standard errors, packed spins, and what is absent."""

from __future__ import annotations

import numpy as np
import pytest
from random_annealer import RandomAnnealer

from spinbattery import ChargingProblem, Record, SpinNetwork, Store, charge, complete, cooperative, read_record, torus
from spinbattery.engines.sampled.engine import Annealer
from spinbattery.records.building import build_record
from spinbattery.records.dataset import gather
from spinbattery.records.readout import Readout, ising_energies

CP = cooperative(60e3)


def record_of(spins, network=None, **more):
    spins = np.asarray(spins, dtype=np.int8)
    network = network or torus(1, spins.shape[1])
    readout = Readout(spins.mean(axis=1, dtype=np.float64), spins, **more)
    return build_record(ChargingProblem(network, CP), "annealer", {"reads": len(spins)}, "test", readout, 0.1)


RANDOM = np.where(np.random.default_rng(5).random((400, 11)) < 0.8, 1, -1)


def test_moments_are_those_of_the_reads():
    record, mu = record_of(RANDOM), RANDOM.mean(axis=1)
    assert record.magnetization == pytest.approx(mu.mean(), rel=1e-13)
    assert record.variance == pytest.approx(mu.var(ddof=1), rel=1e-12)
    assert record.precision == pytest.approx(1.0 / mu.var(ddof=1), rel=1e-12)
    assert record.magnetization_stderr == pytest.approx(mu.std(ddof=1) / 20.0, rel=1e-12)
    assert np.allclose(record.dataset["spin_magnetization"], RANDOM.mean(axis=0))
    assert record.dataset["distribution"].sum() == pytest.approx(1.0)
    sz = record.dataset["sz_total"].to_numpy()
    assert float(record.dataset["distribution"].to_numpy() @ sz) / 11 == pytest.approx(mu.mean())


def test_the_standard_errors_are_the_scatter_of_repetitions():
    rng = np.random.default_rng(8)
    repeated = [record_of(np.where(rng.random((300, 9)) < 0.97, 1, -1)) for _ in range(400)]
    variances = np.array([record.variance for record in repeated])
    quoted = np.array([record.precision_stderr for record in repeated]) * variances**2
    assert np.mean(quoted) == pytest.approx(variances.std(ddof=1), rel=0.15)
    assert np.allclose(quoted, [record.dataset["variance_stderr"] for record in repeated])


def test_spins_come_back_from_their_bits(tmp_path):
    record = record_of(RANDOM, qubits=np.arange(100, 111))
    again = read_record(record.save(tmp_path / "reads.nc"))
    for found in (record, again):
        assert np.array_equal(found.spins, RANDOM)
        assert np.allclose(found.read_magnetization, RANDOM.mean(axis=1))
        assert found.n_reads == 400
    assert again.dataset["spins_packed"].dtype == np.uint8
    assert again.dataset["spins_packed"].shape == (400, 2)
    assert again.dataset["qubit"].to_numpy().tolist() == list(range(100, 111))
    assert again.content_hash == record.content_hash


def test_energies_are_those_of_dimod():
    rng = np.random.default_rng(2)
    network = SpinNetwork(11, complete(11).pairs, rng.normal(size=55))
    problem = ChargingProblem(network, CP)
    bqm = problem.to_bqm()
    assert np.allclose(ising_energies(problem, RANDOM.astype(np.int8)), bqm.energies((RANDOM, range(11))))
    local = ChargingProblem(network, CP.local_equivalent(network))
    assert np.allclose(ising_energies(local, RANDOM.astype(np.int8)), local.to_bqm().energies((RANDOM, range(11))))


def test_energies_in_blocks(monkeypatch):
    problem = ChargingProblem(complete(11), CP)
    whole = ising_energies(problem, RANDOM.astype(np.int8))
    monkeypatch.setattr("spinbattery.records.readout._BLOCK", 55 * 7)
    assert np.array_equal(ising_energies(problem, RANDOM.astype(np.int8)), whole)


def test_degrees_are_kept():
    star = SpinNetwork(4, [[0, 1], [0, 2], [0, 3]])
    assert record_of(np.ones((3, 4)), star).dataset["degree"].to_numpy().tolist() == [3, 1, 1, 1]


def test_alike_reads_give_a_bound_and_no_precision():
    record = record_of(np.ones((50, 11)))
    assert record.precision is None
    assert record.precision_bound == pytest.approx(50 * 121 / 12)
    assert record.precision_stderr is None
    assert record.magnetization_stderr is None
    assert record.variance == 0.0
    assert "precision" not in record.dataset


def test_what_reads_do_not_tell_is_absent():
    record = record_of(RANDOM)
    assert record.magnetization_error is None
    assert record.error_estimate is None
    assert record.discretisation == {}
    for name in ("norm_error", "precision_error", "precision_relative_error", "qubit", "read_magnetization", "time"):
        assert name not in record.dataset
    assert "400 reads" in repr(record)


def test_magnetizations_alone():
    mu = RANDOM.mean(axis=1)
    problem = ChargingProblem(torus(1, 11), CP)
    record = build_record(problem, "imported", {}, "test", Readout(mu), 0.0)
    assert record.n_reads == 400
    assert record.spins is None
    assert np.array_equal(record.read_magnetization, mu)
    assert record.variance == pytest.approx(record_of(RANDOM).variance, rel=1e-12)
    for name in ("spin_magnetization", "energy", "spins_packed"):
        assert name not in record.dataset


def test_what_differs_between_runs_is_not_hashed():
    assert record_of(RANDOM, execution={"id": 1}).content_hash == record_of(RANDOM, execution={"id": 2}).content_hash
    assert record_of(RANDOM, sampler={"id": 1}).content_hash != record_of(RANDOM, sampler={"id": 2}).content_hash


def test_records_of_reads_and_of_engines_in_one_dataset(tmp_path):
    store = Store(tmp_path)
    network = torus(2, 2)
    charge(network, CP.local_equivalent(network), engine=Annealer(sampler=RandomAnnealer(), reads=20), store=store)
    charge(network, cooperative(2.0), store=store)
    magnetizations = Readout(np.array([1.0, 0.5, 0.5]))
    store.put(build_record(ChargingProblem(network, CP), "imported", {}, "test", magnetizations, 0.0))
    data = gather(list(store.records()))
    by_engine = data.swap_dims(run="engine")
    assert by_engine["reads"].sel(engine="annealer") == 20
    assert np.isnan(by_engine["reads"].sel(engine="symmetric"))
    assert np.isnan(by_engine["magnetization_error"].sel(engine="annealer"))
    assert np.isnan(by_engine["spin_magnetization"].sel(engine="imported")).all()
    assert by_engine["precision_stderr"].sel(engine="imported") > 0.0
    assert [row["reads"] for row in store.rows(engine="annealer")] == [20]


def test_records_that_kept_the_error_of_the_precision_relative_to_it_are_read_as_absolute(tmp_path):
    record = record_of(RANDOM)
    old = record.dataset.copy(deep=True)
    old["precision_stderr"] = (old["precision_stderr"] / old["precision"]).assign_attrs(
        units="1", long_name="relative standard error of 1/sigma^2"
    )
    again = read_record(Record(old).save(tmp_path / "old.nc"))
    assert again.precision_stderr == pytest.approx(record.precision_stderr, rel=1e-12)
    assert again.dataset["precision_stderr"].attrs == record.dataset["precision_stderr"].attrs
    new = read_record(record.save(tmp_path / "new.nc"))
    assert new.precision_stderr == record.precision_stderr
