"""From a sampler's schedules to the energies of each Monte Carlo sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.checks import apart
from ..core.errors import EngineError
from ..core.typing import FloatArray
from ..model.scales import EnergyScales
from ..model.waveform import Waveform
from ..solver.parsing import ParsedRequest

FROZEN_RATIO = 1e-3
"""Monte Carlo sweeps with A/B below this are left out.

In such a sweep rotors turn by less than pi/1000, in a potential too steep for them to cross the equator; a third of a
reverse anneal to s = 0.35 is like that. Magnetization and flips stay the same within statistics even with a limit ten
times higher.
"""

_NS_PER_US = 1000.0
_CONSTANT_GAIN = Waveform(((0.0, 1.0), (1.0, 1.0)))
_FORWARD = Waveform(((0.0, 0.0), (1.0, 1.0)))


@dataclass(frozen=True)
class AnnealSchedule:
    """s and g of one anneal, in normalised time; the emulator's dynamics do not depend on the duration (us)."""

    s: Waveform
    g: Waveform
    duration: float

    @classmethod
    def of(cls, request: ParsedRequest, default_time: float) -> AnnealSchedule:
        """Schedule of a request without malformed parts; forward in ``default_time`` us where none is sent."""
        points, gains = request.anneal_schedule, request.h_gain_schedule
        if points is not None:
            s, duration = _waveform(points), float(points[-1, 0])
        else:
            s, duration = _FORWARD, request.annealing_time or default_time
        return cls(s, _CONSTANT_GAIN if gains is None else _waveform(gains), duration)

    @property
    def is_reverse(self) -> bool:
        """Whether it starts from a classical state, at s = 1."""
        return float(self.s(0.0)) == 1.0

    def last_rise(self, to: float) -> float:
        """Normalised time at which s rises through a value for the last time; EngineError where it never does."""
        u, s = self.s.breakpoints, self.s.values
        for k in range(len(u) - 2, -1, -1):
            if s[k] <= to <= s[k + 1] and s[k] < s[k + 1]:
                return float(u[k] + (to - s[k]) / (s[k + 1] - s[k]) * (u[k + 1] - u[k]))
        at, low = apart(to, s.min())
        raise EngineError(
            f"spins freeze out where s rises through {at} for the last time, but this schedule never does: "
            f"it stays above s = {low}; lower its minimum, increase freeze_out, or use the model 'svmc-tf'."
        )


def _waveform(points: FloatArray) -> Waveform:
    times, values = points.T.tolist()
    return replace(Waveform.from_times(times, values), duration=_NS_PER_US * times[-1])


@dataclass(frozen=True)
class SweepEnergies:
    """s, A and B in GHz, and the gain g of each Monte Carlo sweep, (sweep,) arrays."""

    s: FloatArray
    transverse: FloatArray
    ising: FloatArray
    gain: FloatArray

    @classmethod
    def of(cls, schedule: AnnealSchedule, scales: EnergyScales, n_sweeps: int) -> SweepEnergies:
        """Energies at the middle of each of ``n_sweeps`` equal intervals of time."""
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

    def where(self, chosen: Any) -> SweepEnergies:
        """The Monte Carlo sweeps that a mask or a slice selects."""
        return SweepEnergies(self.s[chosen], self.transverse[chosen], self.ising[chosen], self.gain[chosen])

    def __len__(self) -> int:
        return len(self.s)
