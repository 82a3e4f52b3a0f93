"""How many steps and how long: predicted from the fields alone, against what runs needed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    Product,
    ProductState,
    Statevector,
    advantage_system6,
    complete,
    cooperative,
    polarised,
    ring,
    torus,
)
from spinbattery.engines.common import plan as plans
from spinbattery.engines.common.contract import output_times
from spinbattery.engines.common.mesh import initial_steps
from spinbattery.engines.common.split_engine import SplitStepEngine
from spinbattery.engines.dense import small_state as split_step
from spinbattery.model.scales import LinearTable

NONE = np.empty(0)
NETWORKS = [ring(2), ring(4), torus(2, 3), complete(4)]
PROTOCOLS = {
    "cooperative": cooperative(20.0),
    "short": cooperative(5.0, J=-0.5, h=-0.2, s_hold=0.25),
    "strong": cooperative(5.0, J=-1.0, h=-1.0, s_hold=0.45),
    "polarised": polarised(20.0),
    "local": cooperative(60.0, J=0.0, h=-0.7),
    "deep hold": polarised(5.0, s_hold=0.0),
}


def tabulated(rows):
    """The default scales as a table with linear interpolation: kinks at every row."""
    s, smooth = np.linspace(0.0, 1.0, rows), advantage_system6()
    return EnergyScales("table", *(LinearTable(tuple(s), tuple(curve(s))) for curve in (smooth.A, smooth.B)))


def check(problem, engine, times=None):
    """The finest steps that were predicted, within a factor of 4 of those the run needed."""
    predicted = engine.plan(problem, output_times(problem, times))
    needed = engine.run(problem, times).discretisation["steps"]
    assert needed / 4.0 <= predicted.finest <= needed * 4.0


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_steps_are_predicted_within_a_factor_of_four(network, protocol, tolerance):
    problem = ChargingProblem(network, protocol)
    check(problem, (Product if problem.is_local else Statevector)(tolerance))


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
@pytest.mark.parametrize("times", [np.linspace(0.0, 5.0, 60), np.linspace(4.9, 5.0, 60)], ids=["even", "crowded"])
@pytest.mark.parametrize("splitting", ["BM4", "BM6"])
def test_steps_with_output_times_and_either_splitting(splitting, times, tolerance):
    check(ChargingProblem(torus(2, 2), cooperative(5.0)), Statevector(tolerance, splitting=splitting), times)


def test_steps_where_the_scales_are_a_table():
    rough = ChargingProblem(ring(3), cooperative(5.0), tabulated(300))
    check(rough, Statevector(1e-6))
    smooth = ChargingProblem(ring(3), cooperative(5.0))
    for engine in (Statevector(10.0**-k) for k in range(2, 8)):
        assert engine.plan(smooth, NONE).total < engine.plan(rough, NONE).total


@pytest.mark.parametrize("times", [None, np.linspace(0.0, 20.0, 200), np.linspace(19.0, 20.0, 50)])
@pytest.mark.parametrize("protocol", [cooperative(20.0), cooperative(20.0, J=-0.01, h=-0.1, s_hold=0.0)])
def test_all_passes_are_counted_without_laying_a_mesh(protocol, times):
    problem = ChargingProblem(torus(2, 3), protocol)
    checked = output_times(problem, times)
    plan = Statevector().plan(problem, checked)
    laid = sum(plan.mesh(problem).steps(multiple) for multiple in plan.multiples)
    assert plan.total == pytest.approx(laid, rel=0.15)
    assert plan.finest == pytest.approx(plan.mesh(problem).steps(plan.multiples[-1]), rel=0.15)


def test_rotations_stay_away_from_a_quarter_turn():
    problem = ChargingProblem(torus(2, 3), cooperative(20.0, J=-0.01, h=-0.1, s_hold=0.0))
    plan = Statevector(1e-2).plan(problem, NONE)
    assert plan.steps > 1.5 * initial_steps(problem)
    edges = plan.mesh(problem).edges(plan.first)
    fields = 2.0 * np.pi * np.abs(problem.fields(edges)[0])
    rotations = np.diff(edges) * np.maximum(fields[1:], fields[:-1])
    assert 0.5 < max(abs(part) for part in plan.scheme.transverse) * rotations.max() < 1.4


def test_nothing_is_run_to_predict(monkeypatch):
    def forbidden(*arguments, **options):
        raise AssertionError("a prediction did some of the work")

    monkeypatch.setattr(SplitStepEngine, "solve", forbidden)
    monkeypatch.setattr(plans, "Mesh", forbidden)
    monkeypatch.setattr(split_step, "SplitState", forbidden)
    assert Statevector().predicted_seconds(ChargingProblem(ring(30), cooperative(20.0)), NONE) > 0.0


def test_long_protocols_are_stepped_by_a_splitting_of_high_order():
    short, long = (ChargingProblem(ring(4), cooperative(duration)) for duration in (20.0, 2000.0))
    for splitting in ("BM4", "BM6"):
        engine = Statevector(splitting=splitting)
        assert [engine.plan(problem, NONE).scheme.name for problem in (short, long)] == ["Strang", splitting]
    single = Statevector(1e-5, single=True)  # many passes would magnify its rounding
    assert single.plan(short, NONE).scheme.name == "BM6"


def seconds(network, protocol, engine=None, times=None):
    problem = ChargingProblem(network, protocol)
    return (engine or Statevector()).predicted_seconds(problem, output_times(problem, times))


def check_growth(values):
    assert all(later > earlier for earlier, later in itertools.pairwise(values))


def test_larger_networks_take_longer():
    found = [seconds(ring(n), cooperative(20.0)) for n in (3, 6, 9, 12, 15, 20, 30)]
    check_growth(found)
    assert found[-1] / found[-2] == pytest.approx(2.0**10, rel=0.01)


def test_longer_protocols_take_longer():
    check_growth([seconds(ring(8), cooperative(duration)) for duration in (5.0, 20.0, 60.0, 200.0, 60_000.0)])


@pytest.mark.parametrize("splitting", ["BM4", "BM6"])
def test_tighter_tolerances_take_longer(splitting):
    engines = [Statevector(10.0**-k, splitting=splitting) for k in range(2, 12)]
    found = [seconds(ring(8), cooperative(60.0), engine) for engine in engines]
    assert found == sorted(found)
    check_growth([found[0], found[5], found[-1]])


def test_output_times_take_longer():
    check_growth([seconds(ring(8), cooperative(20.0), times=np.linspace(0.0, 20.0, k)) for k in (2, 20, 200, 2000)])


def test_the_product_engine_pays_for_distinct_starts_alone():
    def local(initial):
        return cooperative(20.0, J=0.0, initial=initial)

    same, distinct = ProductState((0.5,) * 100), ProductState(tuple(np.linspace(0.0, 1.0, 100)))
    one, hundred = (seconds(ring(100), local(initial), Product()) for initial in (same, distinct))
    assert seconds(ring(5612), local(ProductState((0.5,))), Product()) == one
    assert hundred > 5.0 * one


@pytest.mark.parametrize("n", [500, 5612])
def test_networks_beyond_any_memory_are_predicted_too(n):
    found = seconds(ring(n), cooperative(20.0))
    assert found > 1e100
    assert not math.isnan(found)


@pytest.mark.parametrize("protocol", [cooperative(20.0, J=0.0, h=0.0), cooperative(1e9), cooperative(20.0, h=-1e50)])
def test_extreme_protocols_are_predicted_too(protocol):
    assert seconds(ring(2), protocol) > 0.0
