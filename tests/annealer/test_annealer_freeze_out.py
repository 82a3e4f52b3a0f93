"""The closed form: spins in equilibrium where they freeze out."""

from __future__ import annotations

import dwave.graphs
import numpy as np
import pytest

from spinbattery.annealer.freeze_out import down_probabilities
from spinbattery.annealer.job import DenseProblem
from spinbattery.annealer.schedule import AnnealSchedule
from spinbattery.core.errors import EngineError
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.model import scales
from spinbattery.model.thermal import down_probability
from spinbattery.solver.parsing import parse_parameters

KT = 0.018 * BOLTZMANN_GHZ_PER_KELVIN
ENERGIES = scales.advantage_system6()
REVERSE = AnnealSchedule.of(
    parse_parameters(
        {
            "anneal_schedule": [[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
            "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
        }
    ),
    20.0,
)


def _problem(n, h, pairs=(), couplings=(), stuck=()):
    held = np.zeros(n, np.int8)
    for spin, value in stuck:
        held[spin] = value
    pairs = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return DenseProblem(np.broadcast_to(np.asarray(h, float), n).copy(), pairs, np.array(couplings, float), held)


def _down(problem, schedule=REVERSE):
    return down_probabilities(problem, schedule, ENERGIES, KT, 0.5)


def _star(degree):
    """A spin with ``degree`` neighbours in the field of the cooperative protocol."""
    return _problem(degree + 1, -0.5, [(0, k + 1) for k in range(degree)], [-0.2] * degree)


@pytest.mark.parametrize(("m", "expected"), [(2, 0.785), (16, 0.834)])
def test_magnetization_of_the_local_protocol(m, expected):
    graph = dwave.graphs.pegasus_graph(m)
    h = -np.sqrt(0.25 + graph.number_of_edges() / len(graph) * 0.04)
    assert 1.0 - 2.0 * _down(_problem(1, h))[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("degree", "expected"), [(5, 3.4e-3), (6, 1.6e-3), (7, 7.3e-4), (10, 7.9e-5)])
def test_flips_of_the_cooperative_protocol_by_degree(degree, expected):
    assert _down(_star(degree))[0] == pytest.approx(expected, rel=0.05)


def test_the_moment_is_where_s_rises_for_the_last_time_with_the_gain_of_then():
    g = 1.0 - 0.15 / 0.65
    a, b = ENERGIES.A(0.5), ENERGIES.B(0.5)
    expected = down_probability(-a / 2, b / 2 * g * -0.3, KT)
    assert _down(_problem(1, -0.3))[0] == pytest.approx(float(expected), rel=1e-12)


def test_discharging_is_the_mirror_image():
    up, down = _star(5), _problem(6, 0.5, [(0, k + 1) for k in range(5)], [-0.2] * 5)
    np.testing.assert_allclose(_down(up), 1.0 - _down(down), rtol=1e-9)


def test_an_uncoupled_spin_without_field_is_a_coin():
    np.testing.assert_allclose(_down(_problem(2, [0.0, -1.0]))[0], 0.5)


def test_a_spin_without_field_follows_its_neighbours():
    problem = _problem(2, [0.0, -1.0], [(0, 1)], [-0.5])
    assert _down(problem)[0] == pytest.approx(_down(_problem(1, -0.5 / (1.0 - 0.15 / 0.65)))[0], rel=1e-9)


def test_stuck_spins_stay_and_count_for_their_neighbours():
    down = _down(_problem(3, -0.5, [(0, 1), (1, 2)], [-0.2, -0.2], stuck=[(0, -1), (2, 1)]))
    assert down[0] == 1.0
    assert down[2] == 0.0
    assert down[1] == pytest.approx(_down(_problem(1, -0.5))[0])


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (_problem(2, [-1.0, 1.0], [(0, 1)], [-0.1]), "different directions"),
        (_problem(2, 0.0, [(0, 1)], [-0.1]), "no field"),
        (_problem(2, -0.1, [(0, 1)], [0.8]), "overrule"),
    ],
)
def test_what_it_cannot_treat_is_refused(problem, message):
    with pytest.raises(EngineError, match=message):
        _down(problem)


def test_no_gain_left_means_no_field():
    schedule = AnnealSchedule.of(parse_parameters({"h_gain_schedule": [[0, 1], [10, 0], [20, 0]]}), 20.0)
    with pytest.raises(EngineError, match="no field"):
        _down(_star(3), schedule)
