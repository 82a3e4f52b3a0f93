"""Whether a battery was charged: a verdict on the distribution of Sz at the end of a run.

Only the end counts: a run that starts with all spins up and ends there is charged; one that empties the battery is not.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from ..core.typing import FloatArray

DISCHARGED_SHARE = 0.1
"""Share of up spins up to which an outcome belongs to the discharged peak of P(Sz), mu = -0.8."""

CHARGED_FROM = 0.9
"""mu from which a battery is charged: one spin in twenty is down."""

_EXACT_BINOMIALS = 60
"""Largest N of sums of a few terms by themselves: the import of SciPy takes longer than a small run."""

RAREST = 1e-5
"""Probability up to which a discharged peak does not count: few experiments have so many reads."""

DOMINANT = 0.5
"""Share of sigma^2 above which the discharged peak dominates it."""

NO_CHARGE = "hollow: no charge"
"""Legend text for points whose sigma is not the fluctuation of a charge."""

_SHOWN = 4


class ChargeState(StrEnum):
    """Verdict on the charge at the end of a run.

    With mu the mean of P(Sz), P0 the probability of its discharged peak (at most a tenth of the spins up: for N < 10
    all down), and e = P0 less what independent spins of the same mu would have there, never below zero:

    - ``not charged``: mu is -0.8 or less.
    - ``all or nothing``: e is above 1e-5, and the variance that the peak makes, e (1 - e) (mu_rest - mu_peak)^2 with
      the mean values outside and within it, is more than half of sigma^2.
    - ``charged``: mu is 0.9 or more.
    - ``partly charged``: all other runs, such as the local protocol, which ends at mu = 0 or 0.8.

    Independent spins have e = 0, however small N is: two spins at mu = 0 are both down in a quarter of all outcomes,
    and that is no peak.
    """

    CHARGED = "charged"
    PARTLY_CHARGED = "partly charged"
    ALL_OR_NOTHING = "all or nothing"
    NOT_CHARGED = "not charged"

    @property
    def is_charge(self) -> bool:
        """Whether sigma is the fluctuation of a charge, whole or partial; fits take no other points."""
        return self in (ChargeState.CHARGED, ChargeState.PARTLY_CHARGED)

    @property
    def why_no_charge(self) -> str:
        """Why sigma is no fluctuation of a charge, in words that follow the name of a run; else empty."""
        return _WHY.get(self, "")


_WHY = {
    ChargeState.NOT_CHARGED: "is not charged: it ends in or near the discharged state, and its sigma is not the "
    "fluctuation of a charge",
    ChargeState.ALL_OR_NOTHING: "is charged all or nothing: some outcomes are charged, others discharged, and its "
    "sigma is the noise of that event",
}


def discharged_probability(distribution: ArrayLike) -> float:
    """Probability of the discharged peak: at most a tenth of the spins are up.

    Args:
        distribution: (N + 1,) P(Sz), all down first.
    """
    probability = _normalised(distribution)
    return float(probability[: _most_up(len(probability) - 1) + 1].sum())


def charge_state(distribution: ArrayLike) -> ChargeState:
    """Verdict on P(Sz) at the end of a run, see :class:`ChargeState`.

    Args:
        distribution: (N + 1,) P(Sz), all down first.
    """
    probability = _normalised(distribution)
    n = len(probability) - 1
    values = np.linspace(-1.0, 1.0, n + 1)
    mu = float(probability @ values)
    if mu <= 2.0 * DISCHARGED_SHARE - 1.0:
        return ChargeState.NOT_CHARGED
    if _is_all_or_nothing(probability, values, mu):
        return ChargeState.ALL_OR_NOTHING
    return ChargeState.CHARGED if mu >= CHARGED_FROM else ChargeState.PARTLY_CHARGED


def unlike_a_charge(runs: list[tuple[str, float, ChargeState]]) -> str:
    """Runs that are no charge, each with its mu and the reason, as a sentence of a message.

    Args:
        runs: name, mu and verdict of each.
    """
    shown = [f"{name} (mu = {_spelled(mu)}) {state.why_no_charge}" for name, mu, state in runs[:_SHOWN]]
    return "; ".join(shown) + (f"; and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else "")


def _spelled(mu: float) -> str:
    """mu with enough digits to differ from -1 and 1."""
    gap = 1.0 - abs(mu)
    digits = 4 if gap <= 0.0 else max(4, math.ceil(-math.log10(gap)) + 1)
    return f"{mu:.{min(digits, 12)}f}"


def _most_up(n_spins: int) -> int:
    return int(DISCHARGED_SHARE * n_spins + 1e-9)  # 0.1 * 30 is no whole number in binary


def _normalised(distribution: ArrayLike) -> FloatArray:
    """Probabilities of sum 1; sampled or truncated runs may have values slightly below zero."""
    probability = np.maximum(np.asarray(distribution, dtype=np.float64), 0.0)
    return np.asarray(probability / probability.sum())


def binomial_share(most: int, n: int, p: float) -> float:
    """Probability of at most ``most`` of n successes, each of probability p."""
    if n <= _EXACT_BINOMIALS:
        return sum(math.comb(n, k) * p**k * (1.0 - p) ** (n - k) for k in range(most + 1))
    from scipy.special import bdtr

    return float(bdtr(most, n, p))


def _is_all_or_nothing(probability: FloatArray, values: FloatArray, mu: float) -> bool:
    n = len(values) - 1
    peak = slice(0, _most_up(n) + 1)
    inside = float(probability[peak].sum())
    if inside <= RAREST:
        return False
    excess = inside - binomial_share(peak.stop - 1, n, 0.5 * (1.0 + mu))
    if excess <= RAREST:
        return False
    mean_inside = float(probability[peak] @ values[peak]) / inside
    mean_outside = (mu - inside * mean_inside) / (1.0 - inside)
    variance = float(probability @ (values - mu) ** 2)
    return excess * (1.0 - excess) * (mean_outside - mean_inside) ** 2 > DOMINANT * variance
