"""The rotor kernel: its functions, its random numbers, and the independence of its lanes."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from spinbattery.annealer import kernels
from spinbattery.annealer.streams import Streams

F = np.float32


@numba.njit
def _tabulate(v, x):
    sines, cosines, exponentials = np.empty_like(v), np.empty_like(v), np.empty_like(x)
    for k in range(v.size):
        sines[k] = kernels._minus_sin_pi(v[k])
        cosines[k] = kernels._cos_pi(v[k])
    for k in range(x.size):
        exponentials[k] = kernels._exp_negative(x[k])
    return sines, cosines, exponentials


def test_the_polynomials_are_as_good_as_they_say():
    v, x = np.linspace(-0.5, 0.5, 10001, dtype=F), np.linspace(-60.0, 0.0, 10001, dtype=F)
    sines, cosines, exponentials = _tabulate(v, x)
    assert np.abs(sines + np.sin(np.pi * v.astype(float))).max() < 1e-6
    assert np.abs(cosines - np.cos(np.pi * v.astype(float))).max() < 3e-7
    # the argument itself is rounded: 60 * 2^-24
    assert np.abs(exponentials / np.exp(x.astype(float)) - 1.0).max() < 1.5e-5
    assert exponentials[-1] == 1.0


def test_the_exponential_of_very_unlikely_moves_is_tiny_and_not_zero_or_nan():
    values = _tabulate(np.zeros(1, F), np.array([-80.0, -1e3, -1e30], F))[2]
    assert ((values > 0.0) & (values < 1e-29)).all()


def _anneal(lanes, weights=None, sweeps=40):
    """A ring of five rotors with one neighbour more, in the given lanes of one seed."""
    pairs = {(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 2)}
    rows = [sorted({j + k - i for j, k in pairs if i in (j, k)}) for i in range(5)]
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    neighbours = np.concatenate(rows).astype(np.int32)
    weights = np.empty(0, F) if weights is None else np.full(len(neighbours), weights, F)
    v = np.zeros((5, len(lanes)), F)
    cosine = np.zeros_like(v)
    generators = np.ascontiguousarray(Streams(3).words(lanes).view(np.uint32).T)
    curve = np.ones(sweeps, F)
    kernels.anneal_rotors(
        starts, neighbours, weights, np.full(5, -0.3, F), v, cosine, generators,
        2.0 * curve, (-0.7 if not weights.size else 1.0) * curve, curve, 0.4 * curve,
    )  # fmt: skip
    return v, cosine


@pytest.mark.parametrize("width", [64, 128, 192])
def test_lanes_do_not_depend_on_how_many_there_are(width):
    wide = _anneal(range(256))
    for part, whole in zip(_anneal(range(64, 64 + width)), wide, strict=True):
        np.testing.assert_array_equal(part, whole[:, 64 : 64 + width])


def test_the_cosine_belongs_to_the_angle():
    v, cosine = _anneal(range(64))
    assert np.abs(v).max() <= 0.5
    np.testing.assert_allclose(cosine, -np.sin(np.pi * v), atol=1e-6)
    assert v.std() > 0.05


def test_equal_couplings_and_weighted_ones_are_one_model():
    equal, weighted = (np.sign(_anneal(range(4096), weights)[1]).mean(axis=1) for weights in (None, -0.7))
    assert np.abs(equal - weighted).max() < 4 * np.sqrt(2.0 / 4096)
    assert np.abs(equal).min() > 0.2


def test_a_sweep_without_width_changes_nothing():
    v = np.full((1, 64), 0.2, F)
    cosine = np.full((1, 64), -np.sin(np.pi * 0.2), F)
    before = cosine.copy()
    generators = np.ascontiguousarray(Streams(1).words(range(64)).view(np.uint32).T)
    zero, one = np.zeros(5, F), np.ones(5, F)
    kernels.anneal_rotors(
        np.zeros(2, np.int32), np.empty(0, np.int32), np.empty(0, F), np.ones(1, F), v, cosine, generators,
        one, one, one, zero,
    )  # fmt: skip
    np.testing.assert_allclose(cosine, before, atol=1e-6)
