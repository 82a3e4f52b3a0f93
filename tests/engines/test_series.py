"""Taylor series in the symmetric sector, and the steps that they are made on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import Legendre
from numpy.polynomial import Polynomial as Series
from scipy.integrate import solve_ivp
from scipy.linalg import eigh, expm
from threadpoolctl import threadpool_limits

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    Protocol,
    Statevector,
    Symmetric,
    cooperative,
    polarised,
    ring,
    symmetry_group,
    torus,
)
from spinbattery.core.errors import ToleranceError
from spinbattery.core.threads import Team
from spinbattery.engines.common.mesh import driving, project_fields
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.symmetric import declared, polynomials
from spinbattery.engines.symmetric.basis import SymmetricSector
from spinbattery.engines.symmetric.engine import carried
from spinbattery.engines.symmetric.polynomials import Polynomials, divided
from spinbattery.engines.symmetric.series_state import SeriesState, SharedState, bounds
from spinbattery.model.scales import LogSpline, Polynomial

ROWS = 0.4 * np.array([[-0.3, 0.2, 0.7], [0.9, -1.3, 0.1], [0.0, 0.5, -0.4], [2.0, 0.0, 0.0], [-1.0, 0.3, 0.4]])


def sector_of(network):
    problem = ChargingProblem(network, cooperative(10.0))
    return SymmetricSector.build(problem, symmetry_group(problem))


def dense(sector, row):
    """x Sx + z Sz + c ZZ on amplitudes, and the square roots of the sizes that make it symmetric."""
    sx = np.zeros((sector.dimension, sector.dimension))
    np.add.at(sx, (np.arange(sector.dimension)[:, None], sector.index), 1.0)
    return row[0] * sx + np.diag(row[1] * sector.magnetization + row[2] * sector.ising)


def random_amplitudes(sector, seed=0):
    rng = np.random.default_rng(seed)
    amplitudes = rng.normal(size=sector.dimension) + 1j * rng.normal(size=sector.dimension)
    return amplitudes / np.sqrt(sector.sizes @ np.abs(amplitudes) ** 2)


def constant(rows):
    """Steps on which H does not change."""
    return exact(np.array(rows)[:, :, None])


def exact(coefficients):
    """Steps on which H is nothing else than these polynomials."""
    return Polynomials(coefficients, np.zeros((len(coefficients), 2)), np.zeros(len(coefficients)))


def alone(sector, amplitudes, share):
    return SeriesState(sector, amplitudes, share)


def with_threads(sector, amplitudes, share):
    return SharedState(sector, amplitudes, share, Team(1))


def norm(sector, vector):
    return np.sqrt(sector.sizes @ np.abs(vector) ** 2)


@pytest.mark.parametrize("kind", [alone, with_threads])
@pytest.mark.parametrize("network", [torus(2, 2), torus(3, 3), ring(8)], ids=str)
def test_steps_with_a_constant_h_are_exponentials(kind, network):
    sector = sector_of(network)
    start = random_amplitudes(sector)
    expected = start
    for row in ROWS:
        expected = expm(-1j * dense(sector, row)) @ expected
    state = kind(sector, start, 1e-14)
    state.apply(constant(ROWS))
    np.testing.assert_allclose(state.amplitudes, expected, atol=2e-12)
    assert norm(sector, state.amplitudes - expected) < state.error
    assert state.probabilities()[1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind", [alone, with_threads])
def test_a_step_with_a_polynomial_is_what_an_integrator_of_differential_equations_gives(kind):
    sector = sector_of(torus(2, 3))
    start = random_amplitudes(sector, 1)
    powers = np.random.default_rng(2).normal(size=(3, 5))
    parts = [dense(sector, row) for row in powers.T]

    def derivative(u, psi):
        return -1j * (sum(part * u**j for j, part in enumerate(parts)) @ psi)

    expected = solve_ivp(derivative, (0.0, 1.0), start, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    state = kind(sector, start, 1e-13)
    state.apply(exact(powers[None].copy()))
    np.testing.assert_allclose(state.amplitudes, expected, atol=1e-10)


def test_both_kinds_take_the_same_terms():
    sector = sector_of(torus(3, 3))
    start = random_amplitudes(sector, 3)
    steps = replace(exact(0.3 * np.random.default_rng(4).normal(size=(7, 3, 4))), rests=np.full((7, 2), 1e-9))
    one, other = alone(sector, start, 1e-10), with_threads(sector, start, 1e-10)
    for state in (one, other):
        state.apply(steps)
    np.testing.assert_allclose(one.amplitudes, other.amplitudes, atol=1e-13)
    assert one.products == other.products
    assert one.error == pytest.approx(other.error, rel=1e-9)
    assert one.error > 14e-9  # what the polynomials leave out counts


@pytest.mark.parametrize("share", [1e-3, 1e-5, 1e-7, 1e-10])
def test_the_bound_of_the_error_holds_and_is_no_more_than_was_allowed(share):
    sector = sector_of(torus(3, 4))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        start, row = random_amplitudes(sector, seed), rng.uniform(0.01, 0.25) * rng.normal(size=3)
        state = alone(sector, start, share)
        state.apply(constant([row]))
        error = norm(sector, state.amplitudes - expm(-1j * dense(sector, row)) @ start)
        assert error <= state.error
        assert state.error - state.rounding < 30.0 * share


@pytest.mark.parametrize("kind", [alone, with_threads])
def test_a_series_does_not_end_at_a_term_that_vanishes(kind):
    """Where H grows from zero in proportion to u, u^2 or u^3, every second, third or fourth term alone is not zero."""
    sector = sector_of(torus(2, 3))
    start = random_amplitudes(sector, 9)
    for power in (1, 2, 3):
        row = np.array([0.2, -0.1, 0.3])
        coefficients = np.zeros((1, 3, 4))
        coefficients[0, :, power] = row
        state = kind(sector, start, 1e-9)
        state.apply(exact(coefficients))
        expected = expm(-1j * dense(sector, row) / (power + 1.0)) @ start
        assert norm(sector, state.amplitudes - expected) <= state.error < 1e-7


def test_an_eigenstate_takes_its_phase():
    sector = sector_of(torus(2, 3))
    down = np.zeros(sector.dimension, dtype=complex)
    down[-1] = 1.0
    state = alone(sector, down, 1e-14)
    state.apply(constant([[0.0, 0.4, 0.3]]))
    assert state.amplitudes[-1] == pytest.approx(np.exp(-1j * (0.4 * -6 + 0.3 * sector.ising[-1])), abs=1e-13)
    assert np.abs(state.amplitudes[:-1]).max() == 0.0


@pytest.mark.parametrize("network", [torus(2, 2), torus(3, 3), ring(7)], ids=str)
def test_bounds_hold_the_spectrum(network):
    sector = sector_of(network)
    scale = np.sqrt(sector.sizes)
    rng = np.random.default_rng(5)
    for row, slope in rng.normal(size=(40, 2, 3)):
        values = eigh(scale[:, None] * dense(sector, row) / scale, eigvals_only=True)
        (centre,), (norms,) = bounds(np.array([row, slope]).T[None], sector.ising_extremes)
        assert centre + norms[0] >= values[-1] - 1e-12
        assert centre - norms[0] <= values[0] + 1e-12
        assert norms[0] < 0.9 * (values[-1] - values[0])
        of_slope = eigh(scale[:, None] * dense(sector, slope) / scale, eigvals_only=True)
        assert np.abs(of_slope).max() <= norms[1] + 1e-12


def test_digits_do_not_depend_on_threads():
    sector = sector_of(ring(16))
    assert sector.dimension > declared.ROWS_PER_BLOCK
    start = random_amplitudes(sector, 6)
    found = []
    for threads in (1, 2, 3):
        with Team(threads) as team:
            state = SharedState(sector, start, 1e-10, team)
            state.apply(constant(ROWS))
        found.append((state.amplitudes, state.error))
    assert all(np.array_equal(found[0][0], other) and found[0][1] == error for other, error in found[1:])


def test_digits_do_not_depend_on_the_threads_of_blas():
    """Which shares a dot product of more than 10 000 numbers among its threads."""
    sector = sector_of(torus(4, 5))
    assert sector.dimension > 10_000
    start = random_amplitudes(sector, 7)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            state = alone(sector, start, 1e-10)
            state.apply(constant(ROWS[:1]))
            p, _ = state.probabilities()
            spins = sector.spin_magnetization(p, np.zeros(sector.n_spins, dtype=int))
            found.append((state.amplitudes, state.populations().ising, spins))
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


FAST = EnergyScales(
    "fast", LogSpline((0.0, 0.3, 0.5, 1.0), (9.0, 3.0, 1e-4, 1e-7)), Polynomial((0.2, 2.0, 5.0))
)  # changes by orders of magnitude within a step


@pytest.mark.parametrize("scales", [None, FAST], ids=["default", "fast"])
@pytest.mark.parametrize(
    ("tolerance", "duration"), [(1e-3, 20.0), (1e-6, 20.0), (1e-6, 0.5), (1e-10, 20.0), (1e-10, 0.1)]
)
def test_polynomials_are_the_fields_up_to_what_they_say(scales, tolerance, duration):
    given = {} if scales is None else {"scales": scales}
    problem = ChargingProblem(torus(2, 3), cooperative(duration), **given)
    steps = divided(problem, np.array([0.3 * duration]), tolerance)
    edges = steps.edges(1)
    assert len(edges) == steps.steps(1) + 1
    assert np.all(np.diff(edges) > 0.0)
    assert np.isin(steps.stops, edges).all()
    assert np.isin(problem.kinks, steps.stops).all()
    found = steps.scheme.sequence(project_fields(problem, edges, steps.crossed, steps.scheme.legendre_degree))
    assert found.rests.sum() < (tolerance if scales is None else 10.0 * tolerance)  # which another pass would mend
    for x in np.linspace(0.0, 1.0, 7):
        fields = driving(problem)(edges[:-1] + x * np.diff(edges)) * np.diff(edges)
        off = np.abs(found.coefficients @ x ** np.arange(found.coefficients.shape[2]) - fields.T)
        assert np.all(off @ steps.scheme.norms <= found.rests.sum(axis=1) + 1e-13)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_fields_that_change_rapidly_keep_the_tolerance(tolerance):
    problem = ChargingProblem(torus(2, 3), cooperative(5.0), FAST)
    found, exact = Symmetric(tolerance).run(problem), Symmetric(1e-11).run(problem)
    assert abs(found.magnetization - exact.magnetization) <= found.magnetization_error <= tolerance
    assert abs(found.precision / exact.precision - 1.0) <= found.precision_relative_error <= tolerance


def test_a_battery_that_hardly_moves_takes_a_more_exact_pass():
    """The variance is then so small that its relative error counts."""
    problem = ChargingProblem(torus(2, 3), cooperative(0.0005))
    found = Symmetric(1e-6).run(problem)
    assert 0.0 < found.std < 1e-3
    assert found.precision_relative_error <= 1e-6
    exact = Symmetric(1e-9).run(problem)
    assert abs(found.precision / exact.precision - 1.0) <= found.precision_relative_error


def test_a_battery_that_stands_almost_still():
    """Its variance of 1e-18 is not made of differences, so that rounding does not count for more than usual."""
    protocol = cooperative(1.0, J=0.5, h=0.0, s_hold=1.0)
    problem = ChargingProblem(ring(4), protocol)
    found, other = Symmetric(1e-9).run(problem), Statevector(1e-9).run(problem)
    assert 0.0 < found.std < 1e-8
    assert found.precision == pytest.approx(other.precision, rel=1e-8)


@pytest.mark.parametrize(
    ("duration", "tolerance", "J", "h", "hold"),
    [(0.8814, 0.0215, -0.2623, 0.9214, 0.5543), (1.296, 0.006, -0.1, 0.85, 0.43)],
)
def test_h_may_change_much_on_a_step(duration, tolerance, J, h, hold):
    """Its powers of u then add up to more than its mean, and rounding was said to exceed loose tolerances."""
    problem = ChargingProblem(torus(2, 2), polarised(duration, J=J, h=h, s_hold=hold))
    found, exact = Symmetric(tolerance).run(problem), Symmetric(1e-8).run(problem)
    assert found.discretisation["passes"] == 1
    assert abs(found.precision / exact.precision - 1.0) <= found.precision_relative_error <= tolerance


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("duration", [1.0, 300.0, pytest.param(60e3, marks=pytest.mark.slow)])
def test_steps_are_so_short_that_rounding_is_within_its_share(duration, tolerance):
    problem = ChargingProblem(torus(3, 3), cooperative(duration))
    steps = divided(problem, np.empty(0), tolerance)
    sector = SymmetricSector.build(problem, symmetry_group(problem))
    state, _ = carried(Passage(problem, steps.scheme, steps, 1), sector, steps.scheme.share)
    assert state.rounding <= 1e-2 * tolerance or steps.radius == polynomials.RADII[-1]
    for radius in [radius for radius in polynomials.RADII if radius > steps.radius]:  # longer steps would not do
        rounded = np.ceil(steps.turned / radius) * polynomials.squared_rounding(np.array([1.1 * radius])).sum()
        assert np.sqrt(rounded) > 0.9e-2 * tolerance


def test_rounding_above_the_tolerance_is_reported(monkeypatch):
    monkeypatch.setattr(SeriesState, "rounding", 1e-3)
    with pytest.raises(ToleranceError, match=r"rounding may amount to .* above the tolerance 1e-06.* statevector"):
        Symmetric(1e-6).run(ChargingProblem(torus(2, 2), cooperative(5.0)))


P8 = EnergyScales(
    "p8",
    Polynomial(tuple(Legendre([5.0] + [0.0] * 7 + [4.0], domain=[0.0, 1.0]).convert(kind=Series).coef)),
    Polynomial((2.0, 3.0)),
)  # the first field that eight nodes see as a constant


@pytest.mark.parametrize("duration", [0.05, 0.1, 0.2, 1.0])
def test_fields_that_few_nodes_do_not_see_keep_the_tolerance(duration):
    protocol = Protocol(duration, ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 1.0)), -0.5, -0.2)
    problem = ChargingProblem(ring(3), protocol, P8)
    found, other = Symmetric(1e-6).run(problem), Statevector(1e-10).run(problem)
    assert abs(found.magnetization - other.magnetization) <= found.magnetization_error <= 1e-6
    assert abs(found.precision / other.precision - 1.0) <= found.precision_relative_error <= 1e-6


@pytest.mark.parametrize("exponent", [8, 10, 12])
@pytest.mark.parametrize("duration", [0.1, 0.5])
def test_steps_grow_with_the_exactness_and_not_out_of_proportion(exponent, duration):
    """Where the powers of u in H add to more than its mean on the first guess of a step."""
    falling = 5.0 - 5.0 * Series([-1.0, 2.0]) ** exponent
    scales = EnergyScales("falling", Polynomial(tuple(falling.coef)), Polynomial((2.0, 3.0)))
    protocol = Protocol(duration, ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 1.0)), -0.5, -0.2)
    problem = ChargingProblem(ring(3), protocol, scales)
    steps = [divided(problem, np.empty(0), tolerance).steps(1) for tolerance in (1e-3, 1e-6, 1e-8, 1e-10)]
    assert steps == sorted(steps)
    assert steps[-1] <= 50


@pytest.mark.slow
@pytest.mark.parametrize("network", [ring(3), torus(2, 2)], ids=str)
def test_a_long_protocol_that_charges_nearly_every_spin(network):
    """Rounding of the fields counts for nothing where H hardly changes on a step: 1/sigma^2 is 4e9 and more."""
    problem = ChargingProblem(network, polarised(20_000.0, J=-0.2, h=-1.0, s_hold=0.35))
    found, other = Symmetric(1e-6).run(problem), Statevector(1e-6).run(problem)
    assert found.precision > 3e9
    assert found.discretisation["passes"] == 2
    assert abs(found.precision / other.precision - 1.0) <= 1e-6


def test_what_leaves_an_orbit_within_a_step_and_comes_back_counts():
    """A turn by pi about x, on which diagonal errors do not only change a phase."""
    sector = sector_of(ring(4))
    down = np.zeros(sector.dimension, dtype=complex)
    down[-1] = 1.0
    state = alone(sector, down, 1e-14)
    state.apply(replace(constant([[np.pi, 0.0, 0.0]]), rests=np.array([[0.0, 0.08]])))
    assert np.abs(state.amplitudes[:-1]).max() < 1e-9
    assert state.error >= 0.08


def test_steps_that_do_not_help_end_a_run_that_rounding_spoils():
    """The battery is so nearly full that rounding in the state is above the tolerance of 1/sigma^2."""
    problem = ChargingProblem(torus(2, 2), polarised(2000.0, J=-0.2, h=-1.0, s_hold=0.35))
    with pytest.raises(ToleranceError, match="shorter steps do not reduce it"):
        Symmetric(1e-8).run(problem)
    assert Symmetric(1e-7).run(problem).precision_relative_error <= 1e-7


@pytest.mark.parametrize("knots", [(0.0, 0.05, 0.95, 1.0), (0.0, 0.3, 0.7, 1.0)])
@pytest.mark.parametrize("width", [0.0193, 0.03])
@pytest.mark.parametrize("duration", [1.0, 20.0])
def test_narrow_pulses_are_seen(knots, width, duration):
    """Series of steps that are far too long do not converge, and the steps must become shorter."""
    gaussian = LogSpline(knots, tuple(float(3.0 * np.exp(-(((s - 0.5) / width) ** 2))) for s in knots))
    scales = EnergyScales("pulse", gaussian, Polynomial((1.0,)))
    problem = ChargingProblem(
        torus(2, 2), Protocol(duration, ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 1.0)), -1.0, -0.2), scales
    )
    found, other = Symmetric(1e-6).run(problem), Statevector(1e-7).run(problem)
    assert abs(found.magnetization - other.magnetization) <= 1e-6
    assert abs(found.precision / other.precision - 1.0) <= 1e-6
