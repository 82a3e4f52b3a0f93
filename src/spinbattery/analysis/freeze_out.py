"""Closed forms of an annealer's reads: independent spins, frozen at one point of the schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..annealer.options import checked_readout_error
from ..annealer.schedule import AnnealSchedule
from ..core.checks import apart, finite, is_one_of, positive
from ..core.errors import EngineError, InvalidParameterError
from ..core.typing import FloatArray
from ..core.units import BOLTZMANN_GHZ_PER_KELVIN
from ..model.problem import ChargingProblem, as_problem
from ..model.protocol import Protocol
from ..model.thermal import SpinForm, down_probability

_COLDEST_MK, _HOTTEST_MK = 1.0, 1e4
"""Range that :func:`effective_temperature` searches."""


@dataclass(frozen=True, eq=False)
class FreezeOut:
    """Spins that read -1 independently of each other, each with its own probability.

    Attributes:
        down_probability: (N,) probability of reading -1.
        form: ``rotor`` or ``two-level``.
        temperature: mK.
        s: annealing fraction at which the spins freeze.
        gain: g at that point.
    """

    down_probability: FloatArray
    form: SpinForm
    temperature: float
    s: float
    gain: float

    @property
    def n_spins(self) -> int:
        return len(self.down_probability)

    @property
    def magnetization(self) -> float:
        """mu = <Sz>/N."""
        return 1.0 - 2.0 * self.flips_mean / self.n_spins

    @property
    def flips_mean(self) -> float:
        """Mean number of spins at -1 in a read: the sum of p."""
        return float(self.down_probability.sum())

    @property
    def flips_variance(self) -> float:
        """Variance of this number: the sum of p (1 - p)."""
        return float((self.down_probability * (1.0 - self.down_probability)).sum())

    @property
    def variance(self) -> float:
        """sigma^2 of Sz/N: 4 Var k / N^2."""
        return 4.0 * self.flips_variance / self.n_spins**2

    @property
    def precision(self) -> float | None:
        """1/sigma^2, or None where no spin fluctuates."""
        return 1.0 / self.variance if self.variance > 0.0 else None

    def flip_probabilities(self) -> FloatArray:
        """P(k) for k = 0 ... N spins at -1, (N + 1,); see :func:`poisson_binomial`."""
        return poisson_binomial(self.down_probability)


def freeze_out(
    problem: ChargingProblem,
    temperature: float,
    *,
    form: SpinForm = "rotor",
    s: float = 0.5,
    readout_error: float = 0.0,
) -> FreezeOut:
    """Reads of a charged battery whose spins freeze in thermal equilibrium at one point s of the last ramp.

    Each spin is alone in the field of its neighbours, which are all up:
    e_k = [g(s) h + sum_j (J w_jk + cross-talk)] B(s)/2. The model describes fluctuations about the charged state, and
    not whether the battery charges at all.

    ``rotor`` is the classical spin of spin-vector Monte Carlo, with energy e cos(theta) - A(s)/2 sin(theta), which
    reads the sign of cos(theta). ``two-level`` is the qubit whose populations freeze, p = 1/(1 + exp(-2 e/kT)): the
    transverse field tilts its states by A/(2 e), but the rest of the ramp undoes the tilt. (A projection at that very
    point, without the rest of the ramp, is :func:`spinbattery.thermal_magnetization`.)

    Args:
        problem: any network and protocol; the state before the last ramp is assumed to be charged.
        temperature: mK.
        form: ``rotor`` or ``two-level``.
        s: annealing fraction of the freeze-out, at its last passage. It is a parameter of the model: for ``rotor``,
            0.5 agrees with spin-vector Monte Carlo with transverse-field-dependent updates.
        readout_error: probability that a bit is read wrongly.

    Raises:
        InvalidParameterError: temperature not above zero, an unknown form, s outside [0, 1] or not
            passed on the way up to a final value above it, or an error outside [0, 0.5].
    """
    problem = as_problem(problem)
    kt = positive("temperature", temperature) * 1e-3 * BOLTZMANN_GHZ_PER_KELVIN
    readout_error = checked_readout_error(readout_error)
    s, gain = finite("s", s), _gain_at(problem.protocol, s)
    half_b = 0.5 * float(problem.scales.B(s))
    transverse = -0.5 * float(problem.scales.A(s)) if is_one_of(form, ("rotor",)) else 0.0
    pairs, couplings = problem.couplings
    field = np.full(problem.n_spins, gain * problem.protocol.h)
    for side in (0, 1):
        np.add.at(field, pairs[:, side], couplings)
    # equal fields need one integral: on Pegasus a dozen, not thousands
    distinct, of_spin = np.unique(field.round(12), return_inverse=True)
    down = down_probability(transverse, half_b * distinct, kt, form)
    down = down + readout_error * (1.0 - 2.0 * down)
    return FreezeOut(down[of_spin], form, temperature, s, gain)


def effective_temperature(
    problem: ChargingProblem, magnetization: float, *, form: SpinForm = "rotor", s: float = 0.5
) -> float:
    """Temperature (mK) at which :func:`freeze_out` gives a measured magnetization.

    For a local protocol on an annealer it explains the partial charge by temperature, without cross-talk: mu = 0.833
    on P16 of Pegasus is 18 mK for the rotor and 29.5 mK for two levels, at s = 0.5. It depends on form and s, and is
    not a measurement of the chip.

    Args:
        problem: the problem that was run.
        magnetization: mu, strictly within (-1, 1).
        form, s: as for :func:`freeze_out`.

    Raises:
        InvalidParameterError: as :func:`freeze_out`, or no temperature from 1 mK to 10 K gives this mu.
    """
    from scipy.optimize import brentq

    mu = finite("magnetization", magnetization)

    def excess(log_temperature: float) -> float:
        return freeze_out(problem, math.exp(log_temperature), form=form, s=s).magnetization - mu

    cold, hot = math.log(_COLDEST_MK), math.log(_HOTTEST_MK)
    ends = excess(cold), excess(hot)
    if ends[0] * ends[1] >= 0.0:
        raise InvalidParameterError(
            f"no temperature from {_COLDEST_MK:g} to {_HOTTEST_MK:g} mK gives mu = {mu:g} with {form} spins frozen at "
            f"s = {s:g}: mu runs from {ends[0] + mu:.6g} to {ends[1] + mu:.6g}."
        )
    return math.exp(brentq(excess, cold, hot, xtol=1e-12))


def poisson_binomial(probabilities: ArrayLike) -> FloatArray:
    """P(k) of k successes among N independent trials with unequal probabilities, (N + 1,).

    It convolves the binomial laws of equal probabilities without subtraction, so that small P(k) are accurate too.
    """
    from scipy.special import gammaln, xlog1py, xlogy

    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or not len(p) or not ((p >= 0.0) & (p <= 1.0)).all():
        raise InvalidParameterError("probabilities must be one row of numbers within [0, 1].")
    found = np.ones(1)
    for value, n in zip(*np.unique(p, return_counts=True), strict=True):
        k = np.arange(n + 1.0)
        choices = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
        found = np.convolve(found, np.exp(choices + xlogy(k, value) + xlog1py(n - k, -value)))
    return np.asarray(found / found.sum())


def _gain_at(protocol: Protocol, s: float) -> float:
    """g at the last passage of s on the way up."""
    try:
        u = AnnealSchedule(protocol.s, protocol.g, protocol.duration).last_rise(s)
    except EngineError:
        at, low, end = apart(s, protocol.s.values.min(), protocol.s.values[-1])
        raise InvalidParameterError(
            f"{protocol.name} does not freeze at s = {at}: its s has a minimum of {low} and ends at {end}; choose s "
            "between these two."
        ) from None
    return float(protocol.g(u))
