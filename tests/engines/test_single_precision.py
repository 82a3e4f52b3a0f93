"""The state vector in single precision: what it may promise, and that it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinbattery import ChargingProblem, Statevector, charge, cooperative, polarised, ring, torus
from spinbattery.core.errors import InvalidParameterError, ToleranceError
from spinbattery.core.progress import silent
from spinbattery.engines.common.contract import output_times
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.dense.statevector import SINGLE_TOLERANCE
from spinbattery.records.hashing import run_key

NONE = np.empty(0)


@pytest.mark.parametrize(
    ("network", "protocol", "tolerance"),
    [
        (torus(1, 2), cooperative(20.0), SINGLE_TOLERANCE),
        (torus(2, 3), cooperative(20.0), 3e-5),
        (torus(3, 3), cooperative(20.0), 3e-5),
        (torus(2, 3), polarised(20.0), 1e-3),
        (torus(2, 7), cooperative(2.0), 1e-4),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_errors_are_within_the_estimate(network, protocol, tolerance):
    problem = ChargingProblem(network, protocol)
    truth = Statevector(1e-9 if network.n_spins < 10 else 1e-6).run(problem)
    times = protocol.breakpoints[1:-1]
    found = Statevector(tolerance, single=True, keep_state=True).run(problem, times=times)
    assert abs(found.magnetization - truth.magnetization) <= found.magnetization_error <= tolerance
    assert abs(truth.precision / found.precision - 1.0) <= found.precision_relative_error <= tolerance
    assert found.precision_relative_error > 1e-7  # rounding is part of it
    assert np.linalg.norm(found.state) == pytest.approx(1.0, abs=1e-12)
    assert float(found.dataset["distribution"].sum()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("tolerance", [1e-6, 0.99 * SINGLE_TOLERANCE])
def test_tolerances_below_its_floor_are_refused(tolerance):
    with pytest.raises(InvalidParameterError, match=r"single precision cannot reach .* leave single out"):
        Statevector(tolerance, single=True)
    assert Statevector(tolerance).tolerance == tolerance


def test_rounding_above_the_tolerance_is_no_result():
    """sigma^2 of a polarised run is small: rounding changes its sixth digit, and shorter steps would not help."""
    problem = ChargingProblem(torus(2, 2), polarised(100.0, s_hold=0.25))
    with pytest.raises(ToleranceError, match=r"rounding alone may amount to .* use double precision"):
        Statevector(SINGLE_TOLERANCE, single=True).run(problem)


def test_only_a_bool_will_do():
    with pytest.raises(InvalidParameterError, match="single must be true or false"):
        Statevector(1e-4, single="yes")


def test_keys_of_runs_in_double_precision_are_what_they_were():
    """Records made before the option existed are found again."""
    options = {"tolerance": 1e-4, "splitting": "BM6", "max_levels": 12, "keep_state": False}
    problem = ChargingProblem(ring(3), cooperative(1.0))
    assert Statevector(1e-4).options() == options
    assert Statevector(1e-4, single=True).options() == {**options, "single": True}
    record = Statevector(1e-4).run(problem)
    assert record.key == run_key(problem, "statevector", options, NONE)
    assert record.key != Statevector(1e-4, single=True).run(problem).key


def test_a_store_keeps_both_apart(tmp_path):
    arguments = {"store": tmp_path, "tolerance": None}
    one = charge(ring(3), cooperative(1.0), engine=Statevector(1e-4), **arguments)
    two = charge(ring(3), cooperative(1.0), engine=Statevector(1e-4, single=True), **arguments)
    assert one.magnetization != two.magnetization
    assert one.magnetization == pytest.approx(two.magnetization, abs=1e-4)
    assert charge(ring(3), cooperative(1.0), engine=Statevector(1e-4, single=True), **arguments) == two


def test_it_takes_less_memory_and_less_time():
    problem = ChargingProblem(ring(24), cooperative(20.0))
    double, single = Statevector(1e-4), Statevector(1e-4, single=True)
    assert single.required_bytes(problem) < 0.7 * double.required_bytes(problem)
    seconds = [engine.predicted_seconds(problem, output_times(problem, None)) for engine in (single, double)]
    assert seconds[0] < 0.7 * seconds[1]


def test_a_variance_that_rounding_makes_negative_is_none():
    problem = ChargingProblem(torus(1, 2), cooperative(1.0))
    engine = Statevector(1e-2, single=True)
    evolution = replace(
        engine.stepper(problem, silent)(Passage(problem, engine.scheme, engine.plan(problem, NONE).mesh(problem), 2)),
        variance=np.array([-1e-9]),
    )
    of_mean, of_variance = engine.rounding(evolution)
    assert of_mean == 0.0
    assert of_variance >= 0.0
