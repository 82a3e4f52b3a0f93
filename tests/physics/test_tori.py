"""Exact tori with four neighbours at 20 ns: N sigma^2 does not fall with N."""

from __future__ import annotations

import pytest

import spinbattery as sb


# measured with this package's engines and independent scripts
@pytest.mark.parametrize(
    ("network", "n", "magnetization", "per_spin"),
    [
        ("torus:3x3", 9, 0.7324, 0.1135),
        ("tilted-torus:3x1", 10, 0.7504, 0.0976),
        ("torus:3x4", 12, 0.7841, 0.0862),
        ("tilted-torus:3x2", 13, 0.7537, 0.0985),
        ("torus:3x5", 15, 0.7639, 0.1028),
        ("torus:4x4", 16, 0.7528, 0.1528),
        ("tilted-torus:4x1", 17, 0.7563, 0.1319),
        ("tilted-torus:3x3", 18, 0.7678, 0.0951),
        ("torus:3x6", 18, 0.7645, 0.0911),
        pytest.param("tilted-torus:4x2", 20, 0.7754, 0.0762, marks=pytest.mark.slow),
        pytest.param("torus:4x5", 20, 0.7808, 0.0778, marks=pytest.mark.slow),
    ],
)
def test_the_variance_per_spin_of_exact_tori(network, n, magnetization, per_spin):
    record = sb.charge(sb.parse_network(network), sb.cooperative(20.0), tolerance=1e-4, engine="symmetric")
    assert record.n_spins == n
    assert record.magnetization == pytest.approx(magnetization, abs=6e-5)
    assert n / record.precision == pytest.approx(per_spin, abs=6e-5)


def test_mirror_images_charge_alike():
    charges = [sb.charge(sb.tilted_torus(*sides), sb.cooperative(20.0)).magnetization for sides in ((3, 1), (1, 3))]
    assert charges[0] == pytest.approx(charges[1], abs=1e-8)
