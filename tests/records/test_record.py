"""Records: what they hold, and what their keys and hashes depend on."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from spinbattery import ChargingProblem, Statevector, charge, cooperative, torus
from spinbattery.records.building import build_record
from spinbattery.records.hashing import run_key
from spinbattery.records.record import Record
from spinbattery.records.schema import VARIANCE_FLOOR
from spinbattery.records.solution import ErrorEstimates, FinalState, Solution, TimeTraces

TIMES = [0.0, 1.0, 2.0]


@pytest.fixture(scope="module")
def record():
    return charge(torus(1, 2), cooperative(2.0), engine=Statevector(1e-6, keep_state=True), times=TIMES)


def built(variance):
    """The record of a solution as an engine would hand it over."""
    solution = Solution(
        FinalState(np.array([0.0, 0.5, 0.5]), np.array([0.5, 0.5]), norm_error=1e-15),
        TimeTraces(np.empty(0), mean=np.array([0.5]), variance=np.array([variance]), energy=np.zeros(1)),
        ErrorEstimates(np.array([1e-8]), np.array([1e-8]), precision=1e-7),
        discretisation={"steps": 3},
    )
    problem = ChargingProblem(torus(1, 2), cooperative(2.0))
    return build_record(problem, "statevector", {"tolerance": 1e-6}, "asked for", solution, 0.5)


def test_named_access_agrees_with_the_dataset(record):
    data = record.dataset
    assert record.n_spins == 2
    assert record.magnetization == data["magnetization"].item()
    assert record.variance == data["variance"].item()
    assert record.std == pytest.approx(math.sqrt(record.variance), rel=1e-15)
    assert record.precision == pytest.approx(1.0 / record.variance, rel=1e-15)
    assert record.precision_bound is None
    assert record.error_estimate == max(record.magnetization_error, record.precision_relative_error)
    assert record.duration == 2.0
    assert record.hs_cost == pytest.approx(cooperative(2.0).cost(torus(1, 2)).integral, rel=1e-15)
    assert record.engine == "statevector"
    assert record.times.tolist() == TIMES
    assert record.discretisation["splitting"] == "Strang"


def test_every_number_has_a_unit_and_coordinates_are_complete(record):
    data = record.dataset
    numeric = [name for name in data.data_vars if data[name].dtype.kind == "f"]
    assert len(numeric) >= 15
    assert [name for name in numeric if "units" not in data[name].attrs] == []
    assert data["sz_total"].values.tolist() == [-2, 0, 2]
    assert data["energy_t"].attrs["units"] == "GHz"
    assert data["duration"].attrs["units"] == data["time"].attrs["units"] == "ns"


def test_moments_agree_with_the_distribution_and_the_state(record):
    p = record.dataset["distribution"].values
    mu = p @ np.array([-1.0, 0.0, 1.0])
    assert record.magnetization == pytest.approx(mu, abs=1e-14)
    assert record.variance == pytest.approx(p @ (np.array([-1.0, 0.0, 1.0]) - mu) ** 2, abs=1e-14)
    q = np.abs(record.state) ** 2
    np.testing.assert_allclose([q[3], q[1] + q[2], q[0]], p, atol=1e-14)
    assert record.dataset["spin_magnetization"].values.mean() == pytest.approx(mu, abs=1e-14)
    assert record.dataset["magnetization_t"].values[-1] == record.magnetization
    assert record.dataset["magnetization_t"].values[0] == -1.0


def test_provenance_names_everything_needed_to_run_again(record):
    attributes = record.dataset.attrs
    assert json.loads(attributes["engine_options"])["tolerance"] == 1e-6
    assert {"python", "spinbattery", "numpy", "numba"} <= set(json.loads(attributes["versions"]))
    assert attributes["problem_hash"] == ChargingProblem(torus(1, 2), cooperative(2.0)).content_hash
    assert record.problem == ChargingProblem(torus(1, 2), cooperative(2.0))
    assert record.key == run_key(record.problem, "statevector", record_options(record), np.array(TIMES))


def record_options(record):
    return json.loads(record.dataset.attrs["engine_options"])


def test_what_is_not_known_is_absent():
    bare = charge(torus(1, 2), cooperative(2.0))
    absent = {"state", "time", "magnetization_t", "std_t", "energy_t", "magnetization_t_error", "precision_bound"}
    assert absent.isdisjoint(bare.dataset.variables)
    assert bare.state is None
    assert bare.times.size == 0


def test_a_vanishing_sigma_has_a_bound_in_place_of_a_precision():
    sharp = built(0.5 * VARIANCE_FLOOR)
    assert sharp.precision is None
    assert sharp.precision_error is None
    assert sharp.precision_bound == pytest.approx(1.0 / VARIANCE_FLOOR)
    assert sharp.error_estimate == 1e-8
    assert "sigma = 0" in repr(sharp)
    blunt = built(2.0 * VARIANCE_FLOOR)
    assert blunt.precision == pytest.approx(0.5 / VARIANCE_FLOOR)
    assert blunt.precision_bound is None


def test_run_keys_depend_on_all_that_decides_the_content():
    problem = ChargingProblem(torus(1, 2), cooperative(2.0))
    base = run_key(problem, "statevector", {"tolerance": 1e-6}, np.empty(0))
    others = [
        run_key(ChargingProblem(torus(1, 2), cooperative(3.0)), "statevector", {"tolerance": 1e-6}, np.empty(0)),
        run_key(problem, "product", {"tolerance": 1e-6}, np.empty(0)),
        run_key(problem, "statevector", {"tolerance": 1e-7}, np.empty(0)),
        run_key(problem, "statevector", {"tolerance": 1e-6}, np.array([1.0])),
    ]
    assert len({base, *others}) == 5
    assert run_key(problem, "e", {"a": 1, "b": 2}, np.empty(0)) == run_key(problem, "e", {"b": 2, "a": 1}, np.empty(0))


def test_records_differ_by_content(record):
    changed = record.dataset.copy(deep=True)
    changed["magnetization"] = changed["magnetization"] + 1e-15
    assert Record(changed) != record
    assert record != "record"


def test_two_runs_of_one_problem_have_the_same_content():
    one, two = (charge(torus(1, 2), cooperative(2.0), times=TIMES) for _ in range(2))
    later = Record(two.dataset.assign_attrs(created="2000-01-01T00:00:00+00:00", wall_time_s=1e6))
    assert one.content_hash == two.content_hash == later.content_hash
    assert one.dataset.attrs["wall_time_s"] != later.dataset.attrs["wall_time_s"]


def test_the_content_hash_sees_every_bit_every_name_and_every_attribute(record):
    data = record.dataset
    changed = [data.assign_attrs(engine_options="{}"), data.assign_attrs(added=1), data.rename(std="sigma")]
    for name in data.variables:
        if data[name].dtype.kind == "f":
            values = data[name].values.copy()
            values.reshape(-1).view(np.uint64)[0] ^= 1
            changed.append(data.assign({name: data[name].copy(data=values)}))
    described = data.copy(deep=True)
    described["duration"].attrs["units"] = "us"
    hashes = {Record(dataset).content_hash for dataset in (data, *changed, described)}
    assert len(hashes) == len(changed) + 2 > 20


def test_every_error_is_absolute_but_the_one_that_says_relative():
    record = charge(torus(1, 2), cooperative(2.0), tolerance=1e-4, engine="statevector")
    assert "precision_error" not in record.dataset
    assert record.precision_relative_error == record.dataset["precision_relative_error"].item()
    assert record.precision_error == pytest.approx(record.precision_relative_error * record.precision, rel=1e-15)
    assert record.precision > 1.5  # so that the two differ
    assert record.error_estimate == max(record.magnetization_error, record.precision_relative_error)
    assert record.precision_relative_error <= 1e-4
