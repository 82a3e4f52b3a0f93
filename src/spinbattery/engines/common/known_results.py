"""Charging problems with known results, by which ``spinbattery doctor`` checks the engines of an installation.

In the pulsed problems A(s) acts alone, then B(s) alone, then A(s) alone, so that H(t) commutes with itself within each
part: a turn about x, phases by the field and the coupling, another turn about x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...core.quadrature import gauss_nodes
from ...core.units import BOLTZMANN_GHZ_PER_KELVIN
from ...model.network import SpinNetwork
from ...model.noise import Noise
from ...model.problem import ChargingProblem
from ...model.protocol import Protocol
from ...model.scales import EnergyScales, LinearTable, Polynomial
from ...model.waveform import Waveform

_N_PAIRS = 3
_N_SPINS = 2 * _N_PAIRS
_DURATION = 20.0
_ALWAYS = Waveform(((0.0, 1.0), (1.0, 1.0)))

_QUARTER, _SIXTH = math.pi / 2.0, math.pi / 3.0
"""Angles of turns about x, rad."""

_COUPLING, _FIELD = 1.0, 0.4
"""Angles chi and psi of the phases between the turns, rad."""


@dataclass(frozen=True)
class KnownResult:
    """A charging problem and the moments at its end.

    Attributes:
        what: the problem and where its result comes from, in a few words.
        problem: what an engine is given.
        magnetization: mu = <Sz>/N.
        variance: sigma^2 of Sz/N.
    """

    what: str
    problem: ChargingProblem
    magnetization: float
    variance: float


def exact_results() -> tuple[KnownResult, ...]:
    """What every solution of the Schroedinger or the master equation gives: coupled pairs, and spins alone."""
    return pulsed_pairs(), ramped_pairs(), pulsed_spins(), pulsed_spins(decay=0.2)


def pulsed_pairs() -> KnownResult:
    """Pairs of coupled spins, pulsed.

    The first turn, a quarter, leaves both spins of a pair along y. With the second turn by theta
    mu = sin(theta) cos(chi) cos(psi), and <sz sz> = sin^2(theta) cos^2(psi) - sin(2 theta) sin(chi) sin(psi).
    """
    mean = math.sin(_SIXTH) * math.cos(_COUPLING) * math.cos(_FIELD)
    correlation = (math.sin(_SIXTH) * math.cos(_FIELD)) ** 2 + _cross_term()
    return _of_pairs("coupled pairs, pulsed", _pulsed(_COUPLING, _QUARTER), mean, correlation)


def _cross_term() -> float:
    return -math.sin(2.0 * _SIXTH) * math.sin(_COUPLING) * math.sin(_FIELD)


def pulsed_spins(decay: float = 0.0) -> KnownResult:
    """Spins without coupling, pulsed; depolarising noise commutes with every turn and shrinks mu by exp(-decay)."""
    mean = math.sin(_SIXTH) * math.cos(_FIELD) * math.exp(-decay)
    noise = Noise(depolarising=decay / _DURATION) if decay else None
    what = "spins alone, pulsed, with depolarising noise" if decay else "spins alone, pulsed"
    return KnownResult(what, _pulsed(0.0, _QUARTER, noise), mean, (1.0 - mean**2) / _N_SPINS)


def ramped_pairs() -> KnownResult:
    """Pairs of coupled spins without a longitudinal field, A and B in proportion to s, so that H(t) = s(t) H(1).

    With a = 2 pi A T and b = 2 pi J B T/2, T the integral of s dt, H couples (|uu> + |dd>) to (|ud> + |du>) and leaves
    (|uu> - |dd>) alone: amplitudes alpha = (cos w - i b/w sin w)/sqrt(2), w = hypot(a, b), and
    gamma = -exp(-i b)/sqrt(2).
    """
    a, b = 1.2, -0.9
    area = 0.5 * _DURATION  # of s: up in a quarter of the time, held at 2/3, down to 0
    transverse, J = a / (2.0 * math.pi * area), b / (math.pi * area)
    scales = EnergyScales("in proportion to s", Polynomial((0.0, transverse)), Polynomial((0.0, 1.0)))
    s = Waveform(((0.0, 0.0), (0.25, 2.0 / 3.0), (0.75, 2.0 / 3.0), (1.0, 0.0)))
    problem = ChargingProblem(_pairs(), Protocol(_DURATION, s, _ALWAYS, 0.0, J), scales)
    w = math.hypot(a, b)
    alpha = complex(math.cos(w), -b / w * math.sin(w)) / math.sqrt(2.0)
    gamma = -complex(math.cos(b), -math.sin(b)) / math.sqrt(2.0)
    weight = abs(alpha) ** 2 + abs(gamma) ** 2
    return _of_pairs(
        "coupled pairs in ramped fields", problem, 2.0 * (alpha.conjugate() * gamma).real, 2.0 * weight - 1.0
    )


def mean_field_pairs() -> KnownResult:
    """The mean-field equations of pulsed pairs: each spin turns by chi times the mean sz of its partner."""
    first = _SIXTH
    phase = _FIELD - _COUPLING * math.cos(first)
    mean = -math.cos(first) * math.cos(_SIXTH) + math.sin(first) * math.sin(_SIXTH) * math.cos(phase)
    return KnownResult(
        "coupled pairs, pulsed, by their mean fields", _pulsed(_COUPLING, first), mean, (1.0 - mean**2) / _N_SPINS
    )


def wigner_pairs() -> KnownResult:
    """Discrete truncated Wigner for pulsed pairs: the mean is exact, and <sy sy> of a pair is cos^2(chi), not 1."""
    mean = math.sin(_SIXTH) * math.cos(_COUPLING) * math.cos(_FIELD)
    return _of_pairs(
        "coupled pairs, pulsed, by random starts", _pulsed(_COUPLING, _QUARTER), mean, mean**2 + _cross_term()
    )


def thermal_pairs(temperature: float) -> KnownResult:
    """Pairs of coupled rotors of spin-vector Monte Carlo in thermal equilibrium in constant fields.

    Two angles in [0, pi] with the energies of :func:`~spinbattery.model.thermal.down_probability`; a read has the signs
    of their cosines.

    Args:
        temperature: mK.
    """
    a, b, h, J = 1.0, 1.0, -0.2, -0.3
    scales = EnergyScales("constant", Polynomial((a,)), Polynomial((b,)))
    s = Waveform(((0.0, 1.0), (0.5, 0.5), (1.0, 1.0)))
    problem = ChargingProblem(_pairs(), Protocol(_DURATION, s, _ALWAYS, h, J), scales)
    theta, weights = (axis.ravel() for axis in gauss_nodes(np.linspace(0.0, math.pi, 9), 16))
    cosine, kt = np.cos(theta), 1e-3 * temperature * BOLTZMANN_GHZ_PER_KELVIN
    alone = -0.5 * a * np.sin(theta) + 0.5 * b * h * cosine
    together = 0.5 * b * J * np.multiply.outer(cosine, cosine)
    density = np.multiply.outer(weights, weights) * np.exp(-(alone[:, None] + alone + together) / kt)
    density /= density.sum()
    sign = np.sign(cosine)
    mean, correlation = float(density.sum(axis=1) @ sign), float(sign @ density @ sign)
    return _of_pairs("coupled pairs of rotors in thermal equilibrium", problem, mean, correlation)


def _of_pairs(what: str, problem: ChargingProblem, mean: float, correlation: float) -> KnownResult:
    """The result from <sz> of a spin and <sz sz> of a pair; pairs are independent of each other."""
    return KnownResult(what, problem, mean, (0.5 * (1.0 + correlation) - mean**2) / _N_PAIRS)


def _pairs() -> SpinNetwork:
    return SpinNetwork(_N_SPINS, np.arange(_N_SPINS).reshape(_N_PAIRS, 2), name="3 pairs")


def _pulsed(coupling: float, first: float, noise: Noise | None = None) -> ChargingProblem:
    """A turn about x by ``first``, phases by the field and by ``coupling``, and a turn about x by a sixth."""
    begin = 0.3
    end = 1.0 - begin * _SIXTH / first  # equal slopes of s: angles are in proportion to the lengths of the parts
    turning = first / (math.pi * begin * _DURATION)
    area = 0.5 * (end - begin) * _DURATION  # of B(s) in the middle part, GHz ns
    scales = EnergyScales(
        "A or B", LinearTable((0.0, 0.5, 1.0), (turning, 0.0, 0.0)), LinearTable((0.0, 0.5, 1.0), (0.0, 0.0, 1.0))
    )
    s = Waveform(((0.0, 0.0), (begin, 0.5), (0.5 * (begin + end), 1.0), (end, 0.5), (1.0, 0.0)))
    h, J = -_FIELD / (2.0 * math.pi * area), -coupling / (2.0 * math.pi * area)
    return ChargingProblem(_pairs(), Protocol(_DURATION, s, _ALWAYS, h, J), scales, noise)
