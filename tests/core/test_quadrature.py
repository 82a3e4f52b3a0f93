"""Composite Gauss-Legendre quadrature."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.core.quadrature import gauss_nodes, panel_edges


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
def test_polynomials_up_to_twice_the_order_are_exact(order):
    panels = np.array([-1.0, 0.3, 0.35, 2.0])
    nodes, weights = gauss_nodes(panels, order)
    assert nodes.shape == weights.shape == (3, order)
    for degree in range(2 * order):
        exact = (2.0 ** (degree + 1) - (-1.0) ** (degree + 1)) / (degree + 1)
        assert np.sum(weights * nodes**degree) == pytest.approx(exact, rel=1e-13, abs=1e-13)


def test_the_rule_is_of_no_higher_degree_than_promised():
    nodes, weights = gauss_nodes(np.array([-1.0, 1.0]), 2)
    assert abs(np.sum(weights * nodes**4) - 2.0 / 5.0) > 0.1


def test_nodes_stay_inside_their_panels():
    panels = np.array([0.0, 1.0, 1.5])
    nodes, weights = gauss_nodes(panels, 5)
    assert ((nodes > panels[:-1, None]) & (nodes < panels[1:, None])).all()
    assert weights.sum(axis=1) == pytest.approx([1.0, 0.5])


def test_a_kink_at_a_panel_edge_costs_no_accuracy():
    kink = 0.377
    exact = 0.5 * (kink**2 + (1.0 - kink) ** 2)
    cut, weights = gauss_nodes(panel_edges(np.array([0.0, 1.0]), np.array([kink])), 2)
    assert np.sum(weights * np.abs(cut - kink)) == pytest.approx(exact, rel=1e-14)
    whole, weights = gauss_nodes(np.array([0.0, 1.0]), 2)
    assert abs(np.sum(weights * np.abs(whole - kink)) - exact) > 1e-3


def test_panels_are_edges_and_inner_kinks_in_order():
    edges = np.array([1.0, 2.0, 4.0])
    kinks = np.array([0.0, 1.0, 1.5, 2.0, 3.9, 4.0, 5.0])
    np.testing.assert_array_equal(panel_edges(edges, kinks), [1.0, 1.5, 2.0, 3.9, 4.0])
    np.testing.assert_array_equal(panel_edges(edges, np.empty(0)), edges)


def test_a_kink_within_rounding_of_an_edge_makes_no_panel():
    edges = np.array([0.0, 20.0 / 3.0, 20.0])
    near = np.array([np.nextafter(edges[1], 21.0), np.nextafter(edges[1], 0.0), 1e-13, 20.0 - 1e-13])
    np.testing.assert_array_equal(panel_edges(edges, np.sort(near)), edges)
