"""Closed forms of mu = <Sz>/N and sigma^2 = Var(Sz)/N^2 for the final states the paper models."""

from __future__ import annotations

import math

from ..core.checks import apart, finite, whole_number
from ..core.errors import InvalidParameterError


def _checked_mixing(p: float) -> float:
    p = finite("p", p)
    if not 0.0 <= p <= 1.0:
        value, _, _ = apart(p, 0.0, 1.0)
        raise InvalidParameterError(f"p is the weight of the maximally mixed state, within [0, 1], but is {value}.")
    return p


def local_moments(n: int, theta: float, p: float) -> tuple[float, float]:
    """(mu, sigma^2) for N independent, equal spins (paper Eq. 2, 10, 11).

    Each spin is (1 - p)|psi><psi| + p I/2 with |psi> = cos(theta)|up> + sin(theta)|down>, so that
    mu = (1 - p) cos(2 theta) and sigma^2 = [1 - (1 - p)^2 cos^2(2 theta)]/N: the precision grows as N.

    Args:
        n: number of spins N.
        theta: half of the polar angle, rad.
        p: weight of the mixed state, within [0, 1].

    Raises:
        InvalidParameterError: n below 1, p outside [0, 1], theta not finite.
    """
    n, p = whole_number("n", n), _checked_mixing(p)
    mu = (1.0 - p) * math.cos(2.0 * finite("theta", theta))
    return mu, (1.0 - mu**2) / n


def ghz_mixture_moments(n: int, big_theta: float, p: float) -> tuple[float, float]:
    """(mu, sigma^2) for a GHZ-like state mixed with white noise (paper Eq. 3, 12-15).

    The state is (1 - P)|Psi><Psi| + P I/2^N with |Psi> = cos(Theta)|up...up> + sin(Theta)|down...down>,
    so that mu = (1 - P) cos(2 Theta) and sigma^2 = P/N + (1 - P)[1 - (1 - P) cos^2(2 Theta)].

    Args:
        n: number of spins N.
        big_theta: Theta in rad.
        p: P, the weight of the mixed state, within [0, 1].

    Raises:
        InvalidParameterError: n below 1, p outside [0, 1], Theta not finite.
    """
    n, p = whole_number("n", n), _checked_mixing(p)
    cosine = math.cos(2.0 * finite("big_theta", big_theta))
    return (1.0 - p) * cosine, p / n + (1.0 - p) * (1.0 - (1.0 - p) * cosine**2)


def cooperative_limit(n: int) -> tuple[float, float]:
    """(mu, sigma^2) = (1 - 1/N, 1/N^2): the adiabatic limit of the cooperative protocol.

    All-down is an equal superposition of the two sectors of spin-flip parity. The even half follows
    the ground branch, the odd half the first excited one (one magnon); after the bias both point up,
    and the final state is (|all up> + e^{i phi}|one spin down, symmetric>)/sqrt(2). The precision is
    then N^2: c = 1, alpha = 2.

    Raises:
        InvalidParameterError: n below 1.
    """
    n = whole_number("n", n)
    return 1.0 - 1.0 / n, 1.0 / n**2
