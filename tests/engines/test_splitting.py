"""Splittings: the coefficients, and the order at which whole runs converge."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, EnergyScales, Statevector, advantage_system6, cooperative, torus
from spinbattery.core.progress import silent
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.common.splitting import BLANES_MOAN_4, BLANES_MOAN_6, SPLITTINGS, STRANG
from spinbattery.model.scales import LinearTable


@pytest.mark.parametrize("scheme", [STRANG, *SPLITTINGS.values()], ids=["Strang", *SPLITTINGS])
def test_coefficients_are_consistent_and_palindromic(scheme):
    assert len(scheme.diagonal) == len(scheme.transverse) + 1 == scheme.stages + 1
    assert sum(scheme.diagonal) == pytest.approx(1.0, abs=1e-15)
    assert sum(scheme.transverse) == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_array_equal(scheme.diagonal, scheme.diagonal[::-1])
    np.testing.assert_array_equal(scheme.transverse, scheme.transverse[::-1])


def test_schemes_are_those_published():
    assert (BLANES_MOAN_4.order, BLANES_MOAN_4.stages, BLANES_MOAN_4.legendre_degree) == (4, 6, 1)
    assert (BLANES_MOAN_6.order, BLANES_MOAN_6.stages, BLANES_MOAN_6.legendre_degree) == (6, 10, 2)
    assert set(SPLITTINGS) == {"BM4", "BM6"}


@pytest.mark.parametrize("scheme", [STRANG, *SPLITTINGS.values()], ids=["Strang", *SPLITTINGS])
def test_order_on_two_constant_matrices(scheme):
    """The splitting of exp(A + B) for random matrices, which knows nothing of spins or schedules."""
    from scipy.linalg import expm

    rng = np.random.default_rng(5)
    a, b = 0.5 * rng.normal(size=(2, 5, 5))
    exact = expm(a + b)

    def error(steps):
        one = np.eye(5)
        for v, t in zip(scheme.diagonal, (*scheme.transverse, 0.0), strict=True):
            one = one @ expm(v / steps * a) @ expm(t / steps * b)
        return np.linalg.norm(np.linalg.matrix_power(one, steps) - exact)

    errors = np.array([error(steps) for steps in (2, 4, 8)])
    assert (np.log2(errors[:-1] / errors[1:]) > scheme.order - 0.3).all()


def table(rows):
    """The smooth model sampled into a spreadsheet-like table, linear between rows."""
    s = np.linspace(0.0, 1.0, rows)
    smooth = advantage_system6()
    return EnergyScales("table", LinearTable(tuple(s), tuple(smooth.A(s))), LinearTable(tuple(s), tuple(smooth.B(s))))


def observed_orders(splitting, network, scales, halvings):
    """log2 of the ratio of the final states' errors between successive halvings of a fixed mesh."""
    problem = ChargingProblem(network, cooperative(6.0), scales)
    mesh = Mesh(problem, problem.protocol.breakpoints, 40)

    def final_state(name, count):
        engine = Statevector(keep_state=True, splitting=name)
        return engine.stepper(problem, silent)(Passage(problem, engine.scheme, mesh, 1 << count)).state

    reference = final_state("BM6", max(halvings) + 2)
    errors = np.array([np.linalg.norm(final_state(splitting, count) - reference) for count in halvings])
    assert errors[0] < 1e-3
    return np.log2(errors[:-1] / errors[1:])


@pytest.mark.parametrize("network", [torus(2, 2), torus(2, 3)], ids=lambda network: network.name)
@pytest.mark.parametrize(("splitting", "least"), [("BM4", 3.8), ("BM6", 5.6)])
def test_observed_order_with_the_smooth_scales(splitting, least, network):
    orders = observed_orders(splitting, network, advantage_system6(), range(1, 5))
    assert (orders >= least).all(), orders


@pytest.mark.parametrize("network", [torus(2, 2), torus(2, 3)], ids=lambda network: network.name)
def test_observed_order_with_a_table_of_four_hundred_corners(network):
    scales = table(401)
    problem = ChargingProblem(network, cooperative(6.0), scales)
    assert len(problem.protocol.kinks(scales)) > 500  # far more corners than steps
    orders = observed_orders("BM4", network, scales, range(1, 4))
    assert (orders >= 3.8).all(), orders


def test_stage_angles_add_up_to_the_integrals_of_the_fields():
    problem = ChargingProblem(torus(2, 2), cooperative(6.0), table(101))
    from spinbattery.engines.common.mesh import project_fields

    mesh = Mesh(problem, problem.protocol.breakpoints, 12)
    t = np.unique(np.concatenate([np.linspace(0.0, 6.0, 20001), problem.protocol.kinks(problem.scales)]))
    integrals = [2.0 * np.pi * np.trapezoid(f, t) for f in problem.fields(t)]
    fields = project_fields(problem, mesh.edges(1), mesh.kinks, STRANG.legendre_degree)
    stages = STRANG.sequence(fields)
    theta, spins, pairs = stages.theta, stages.field, stages.ising
    steps = mesh.steps(1)
    assert (len(theta), len(spins), len(pairs)) == (steps, steps + 1, steps + 1)
    np.testing.assert_allclose([theta.sum(), spins.sum(), pairs.sum()], integrals, rtol=1e-7)


def test_no_step_crosses_a_stop_and_every_step_is_divided():
    problem = ChargingProblem(torus(2, 2), cooperative(6.0))
    stops = np.array([0.0, 1.7, 2.0, 4.0, 4.001, 6.0])
    mesh = Mesh(problem, stops, 30)
    for multiple in (1, 2, 3, 7):
        edges = mesh.edges(multiple)
        assert set(stops) <= set(edges)
        assert (np.diff(edges) > 0.0).all()
        assert len(edges) == 1 + mesh.steps(multiple)
    assert mesh.counts(3) == [3 * count for count in mesh.counts(1)]
    np.testing.assert_allclose(mesh.edges(3)[::3], mesh.edges(1), rtol=1e-14)
