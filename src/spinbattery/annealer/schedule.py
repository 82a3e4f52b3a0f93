"""From a sampler's schedules to the energies of each Monte Carlo sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.checks import apart
from ..core.errors import EngineError
from ..core.typing import FloatArray
from ..model.scales import EnergyScales
from ..model.waveform import Waveform

FROZEN_RATIO = 1e-3
"""Sweeps with A/B below this are left out.

Rotors turn by less than pi/1000 in such a sweep, in a potential that has long been too steep for them to cross the
equator; a third of a reverse anneal to s = 0.35 is like that. Magnetization and flips do not change within statistics
even where ten times more is left out.
"""

_NS_PER_US = 1000.0
_CONSTANT_GAIN = Waveform(((0.0, 1.0), (1.0, 1.0)))
_FORWARD = Waveform(((0.0, 0.0), (1.0, 1.0)))


@dataclass(frozen=True)
class AnnealSchedule:
    """s and g of one anneal, in normalised time.

    Attributes:
        s: anneal fraction.
        g: gain of the fields h.
        duration: in us; the emulator's dynamics do not depend on it.
    """

    s: Waveform
    g: Waveform
    duration: float

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any], default_time: float) -> AnnealSchedule:
        """Schedule of sampler parameters that the solver's limits allow; forward in ``default_time`` us by default."""
        if "anneal_schedule" in parameters:
            s = _waveform(parameters["anneal_schedule"])
            duration = float(parameters["anneal_schedule"][-1][0])
        else:
            s, duration = _FORWARD, float(parameters.get("annealing_time", default_time))
        if "h_gain_schedule" not in parameters:
            return cls(s, _CONSTANT_GAIN, duration)
        return cls(s, _waveform(parameters["h_gain_schedule"]), duration)

    @property
    def is_reverse(self) -> bool:
        """Whether it starts from a classical state, at s = 1."""
        return float(self.s(0.0)) == 1.0

    def last_rise(self, level: float) -> float:
        """Normalised time at which s rises through a level for the last time.

        Raises:
            EngineError: it never does.
        """
        u, s = self.s.breakpoints, self.s.values
        for k in range(len(u) - 2, -1, -1):
            if s[k] <= level <= s[k + 1] and s[k] < s[k + 1]:
                return float(u[k] + (level - s[k]) / (s[k + 1] - s[k]) * (u[k + 1] - u[k]))
        at, low = apart(level, s.min())
        raise EngineError(
            f"spins freeze out where s rises through {at} for the last time, but this schedule never does: "
            f"it stays above s = {low}; let it go lower, raise freeze_out, or use the model 'svmc-tf'."
        )


def _waveform(schedule: Any) -> Waveform:
    """Waveform of a schedule, whose times are in us."""
    times, values = np.asarray(schedule, dtype=np.float64).T.tolist()
    return replace(Waveform.from_times(times, values), duration=_NS_PER_US * times[-1])


@dataclass(frozen=True)
class Sweeps:
    """Energies of each sweep, (sweep,) arrays.

    Attributes:
        s: anneal fraction.
        transverse: A in GHz.
        ising: B in GHz.
        gain: g.
    """

    s: FloatArray
    transverse: FloatArray
    ising: FloatArray
    gain: FloatArray

    @classmethod
    def of(cls, schedule: AnnealSchedule, scales: EnergyScales, n_sweeps: int) -> Sweeps:
        """Sweeps equally spaced in time, each at the middle of its interval."""
        u = (np.arange(n_sweeps) + 0.5) / n_sweeps
        s = schedule.s(u)
        return cls(s, scales.A(s), scales.B(s), schedule.g(u))

    @property
    def ratio(self) -> FloatArray:
        """A/B, infinite where B = 0."""
        infinite = np.full_like(self.ising, np.inf)
        return np.divide(self.transverse, self.ising, out=infinite, where=self.ising > 0.0)

    @property
    def width(self) -> FloatArray:
        """Half width min(1, A/B) of a rotor's proposal, in units of pi (Albash and Marshall, arXiv:2009.04934)."""
        return np.minimum(1.0, self.ratio)

    def where(self, chosen: Any) -> Sweeps:
        """The sweeps that a mask chooses."""
        return Sweeps(self.s[chosen], self.transverse[chosen], self.ising[chosen], self.gain[chosen])

    def __len__(self) -> int:
        return len(self.s)
