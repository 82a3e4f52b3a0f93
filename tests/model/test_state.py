"""Product states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spinbattery import ProductState
from spinbattery.core.errors import InvalidParameterError


def test_named_states_are_exact_basis_states():
    np.testing.assert_array_equal(ProductState.named("up").spinors(2), [[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(ProductState.named("down").spinors(2), [[0.0, 1.0], [0.0, 1.0]])


def test_unknown_names_are_refused_with_a_list():
    with pytest.raises(InvalidParameterError, match=r"one of down, up, but is 'left'"):
        ProductState.named("left")


def test_spinors_follow_the_bloch_angles():
    theta, phi = (0.3, 1.2, 2.9), (0.0, -2.1, 5.0)
    spinors = ProductState(theta, phi).spinors(3)
    for (up, down), t, p in zip(spinors, theta, phi, strict=True):
        assert abs(up) ** 2 + abs(down) ** 2 == pytest.approx(1.0, abs=1e-15)
        assert abs(up) ** 2 - abs(down) ** 2 == pytest.approx(math.cos(t), abs=1e-15)  # <sz>
        assert 2.0 * np.conj(up) * down == pytest.approx(math.sin(t) * np.exp(1j * p), abs=1e-15)  # <sx> + i <sy>


@pytest.mark.parametrize("turns", range(-4, 5))
def test_multiples_of_pi_give_exact_basis_states(turns):
    spinor = ProductState((turns * math.pi,)).spinors(1)[0]
    assert np.count_nonzero(spinor) == 1
    assert np.count_nonzero(spinor == 0.0) == 1
    assert abs(spinor[turns % 2]) == pytest.approx(1.0, abs=1e-15)


def test_one_angle_serves_every_spin_and_one_azimuth_every_angle():
    assert ProductState(1.0).theta == (1.0,)
    np.testing.assert_array_equal(ProductState(1.0, 0.5).angles(3), [[1.0, 1.0, 1.0], [0.5, 0.5, 0.5]])
    np.testing.assert_array_equal(ProductState((1.0, 2.0), (0.5,)).angles(2), [[1.0, 2.0], [0.5, 0.5]])
    assert ProductState(np.array([1.0, 2.0])) == ProductState((1.0, 2.0), (0.0, 0.0))


def test_angles_handed_out_do_not_alias_the_state():
    state = ProductState((1.0,))
    state.angles(2)[0][:] = 9.0
    np.testing.assert_array_equal(state.angles(2)[0], [1.0, 1.0])


def test_uniform_means_all_spins_start_alike():
    assert ProductState((1.0,)).uniform
    assert ProductState((1.0, 1.0), (0.2, 0.2)).uniform
    assert not ProductState((1.0, 1.0), (0.2, 0.3)).uniform
    assert not ProductState((1.0, 1.1)).uniform


@pytest.mark.parametrize(
    ("theta", "phi", "message"),
    [
        ((math.nan,), (0.0,), "theta must be finite"),
        ((0.0,), (math.inf,), "phi must be finite"),
        ((), (0.0,), "theta must be one angle or one per spin"),
        ((0.0,), (), "phi must be one angle or one per spin"),
        ((0.0, 1.0), (0.0, 1.0, 2.0), "different lengths, 2 and 3"),
        ((0.0,), (0.0, 1.0), "different lengths, 1 and 2"),
        ("down", (0.0,), "real number"),
        (("up", "down"), (0.0,), "real number"),
        ((None,), (0.0,), "real number"),
    ],
)
def test_unusable_angles_are_refused(theta, phi, message):
    with pytest.raises(InvalidParameterError, match=message):
        ProductState(theta, phi)


def test_a_state_of_another_size_is_refused():
    with pytest.raises(InvalidParameterError, match="2 angles but the network has 3 spins"):
        ProductState((0.1, 0.2)).spinors(3)
