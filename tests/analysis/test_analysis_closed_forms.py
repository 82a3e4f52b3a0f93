"""Closed forms against density matrices built explicitly."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.analysis.closed_forms import cooperative_limit, ghz_mixture_moments, local_moments
from spinbattery.core.errors import InvalidParameterError

SZ = np.diag([1.0, -1.0])


def magnetization(n):
    """Sz/N as a matrix, by Kronecker products."""
    terms = [reduce(np.kron, [SZ if j == k else np.eye(2) for j in range(n)]) for k in range(n)]
    return sum(terms) / n


def moments(rho, n):
    m = magnetization(n)
    mean = np.trace(rho @ m).real
    return mean, np.trace(rho @ m @ m).real - mean**2


sizes = st.integers(1, 5)
angles = st.floats(-4.0, 4.0)
weights = st.floats(0.0, 1.0)


@given(sizes, angles, weights)
def test_local_moments(n, theta, p):
    psi = np.array([math.cos(theta), math.sin(theta)])
    rho = reduce(np.kron, [(1.0 - p) * np.outer(psi, psi) + p * np.eye(2) / 2.0] * n)
    assert local_moments(n, theta, p) == pytest.approx(moments(rho, n), abs=1e-13)


@given(sizes, angles, weights)
def test_ghz_mixture_moments(n, theta, p):
    psi = np.zeros(1 << n)
    psi[0], psi[-1] = math.cos(theta), math.sin(theta)
    rho = (1.0 - p) * np.outer(psi, psi) + p * np.eye(1 << n) / (1 << n)
    assert ghz_mixture_moments(n, theta, p) == pytest.approx(moments(rho, n), abs=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("phase", [0.0, 0.7, math.pi])
def test_cooperative_limit(n, phase):
    psi = np.zeros(1 << n, dtype=complex)
    psi[0] = 1.0
    psi[1 << np.arange(n)] = np.exp(1j * phase) / math.sqrt(n)
    psi /= math.sqrt(2.0)
    assert cooperative_limit(n) == pytest.approx(moments(np.outer(psi, psi.conj()), n), abs=1e-13)


def test_the_cooperative_limit_is_the_heisenberg_limit():
    mu, variance = cooperative_limit(100)
    assert (mu, 1.0 / variance) == pytest.approx((0.99, 1e4))


def test_ghz_and_local_states_agree_for_one_spin():
    assert local_moments(1, 0.4, 0.3) == pytest.approx(ghz_mixture_moments(1, 0.4, 0.3), abs=1e-15)


def test_noise_alone_gives_the_standard_quantum_limit():
    assert local_moments(7, 0.2, 1.0) == (0.0, 1.0 / 7.0)
    assert ghz_mixture_moments(7, 0.2, 1.0) == (0.0, 1.0 / 7.0)


@pytest.mark.parametrize("form", [local_moments, ghz_mixture_moments])
def test_arguments_are_checked(form):
    for n in (0, -1, 1.5, True):
        with pytest.raises(InvalidParameterError, match="whole number"):
            form(n, 0.1, 0.1)
    for p in (-0.01, 1.01, math.nan):
        with pytest.raises(InvalidParameterError, match="p "):
            form(2, 0.1, p)
    with pytest.raises(InvalidParameterError, match="theta must be finite"):
        form(2, math.inf, 0.1)


def test_the_cooperative_limit_needs_spins():
    with pytest.raises(InvalidParameterError, match="whole number"):
        cooperative_limit(0)
