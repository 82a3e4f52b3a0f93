"""How far a tree's figures may be off: runs that differ in one thing each, and a verdict.

What comes out is an estimate and no bound. One-site steps in fixed bases and steps with expansion and cut lose
different things, so that the difference between the two often says more than that between two bond dimensions; but both
may err to the same side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.typing import FloatArray
from .tree_runs import Setting, TreeRun

_SHARE_EXPANDED = 8
"""Part of the bond dimension that an expanding run may exchange in a step."""

_CLEARLY_LESS = 0.75
"""Weight that a larger bond dimension must cut off less of, for an extrapolation to mean something."""

_SECOND_ORDER = 4.0 / 3.0
"""Error of a step over what half of it changes: at most, for second order and above."""

_CAUTION = 2.0
"""By which the sum of what changed is taken, as differences between runs that are all too coarse are too small."""

_LEAST_BOND_DIMENSION, _LEAST_NUMBER = 12, 3
"""Below it, and with fewer of them, no verdict is positive, unless nothing is cut off: two may agree by accident."""

_MORE_CAUTION = 2.0
"""By which caution is more there: small bases, alike by accident, missed up to 1.5 times the error without it."""

_BEFORE_LAST = 0.25
"""Part of the change before the last one that counts at least, for the same reason."""

ROUNDING = {8: 2e-4, 16: 1e-9}
"""What single and double precision may add, by the bytes of a number."""


@dataclass(frozen=True)
class Study:
    """Which runs there are of one problem.

    Attributes:
        bond_dimensions: ascending; the last is that of the result.
        expansion: of the result; see :class:`~.runs.Setting`.
        seed: of the result.
        complete: whether the last cuts nothing off, so that the step alone is left to check.
        halvings: halvings of the step of the result.
    """

    bond_dimensions: tuple[int, ...]
    expansion: int | None
    seed: int
    complete: bool
    halvings: int = 0

    @property
    def result(self) -> Setting:
        """The run that is shown."""
        return Setting(self.bond_dimensions[-1], self.expansion, self.seed, self.halvings)

    @property
    def may_converge(self) -> bool:
        """Whether a verdict may be positive."""
        bonds = self.bond_dimensions
        return self.complete or (len(bonds) >= _LEAST_NUMBER and bonds[-1] >= _LEAST_BOND_DIMENSION)

    @property
    def caution(self) -> float:
        """By which the sum of what changed is taken."""
        return _CAUTION if self.may_converge else _MORE_CAUTION * _CAUTION

    @property
    def slowness(self) -> float:
        """What is left to come over the last change, if errors fall as the bond dimension grows, and no faster."""
        return max(1.0, 1.0 / (self.bond_dimensions[-1] / self.bond_dimensions[-2] - 1.0))

    @property
    def before(self) -> Setting:
        """The same at the last bond dimension but one."""
        return self.result._replace(bond_dimension=self.bond_dimensions[-2])

    @property
    def main(self) -> list[Setting]:
        """One run for each bond dimension."""
        return [self.result._replace(bond_dimension=bond) for bond in self.bond_dimensions]

    def other_method(self, setting: Setting) -> Setting:
        """With expansion where it has none, and without where it has."""
        return setting._replace(
            expansion=max(1, setting.bond_dimension // _SHARE_EXPANDED) if self.expansion == 0 else 0
        )

    @property
    def other_seed(self) -> Setting:
        return self.before._replace(seed=self.seed + 1)

    @property
    def other_step(self) -> Setting:
        return (self.result if self.complete else self.before)._replace(halvings=self.halvings + 1)

    @property
    def checks(self) -> list[Setting]:
        """Runs that differ from the main ones in one thing each."""
        if self.complete:
            return [self.other_step]
        return [self.other_method(self.result), self.other_method(self.before), self.other_seed, self.other_step]


@dataclass(frozen=True)
class Converged:
    """What a study says, at the output times and, last, at the end.

    Attributes:
        mean_error, std_error: (T + 1,) estimates of the errors of mu and sigma of the result.
        parts: at the end, what they are made of: by cause, of mu and of sigma.
        extrapolated_mean, extrapolated_std: to no weight cut off, at the end; those of the result where the weight
            that expanding runs cut off does not fall clearly with the bond dimension.
    """

    mean_error: FloatArray
    std_error: FloatArray
    parts: Mapping[str, tuple[float, float]]
    extrapolated_mean: float
    extrapolated_std: float

    @property
    def worst(self) -> str:
        """What makes most of the error of mu."""
        return max(self.parts, key=lambda name: self.parts[name][0])


def converged(study: Study, runs: Mapping[Setting, TreeRun], neglected: float, rounding: float) -> Converged:
    """Compare the runs of a study.

    The error is the sum of what was neglected, of rounding, and of twice four differences: that of the last two bond
    dimensions (times what may be left to come, and no less than a quarter of the change before), of the two methods, of
    two seeds and, times 4/3, of two steps; four times where no verdict may be positive.

    Args:
        study: which runs there are.
        runs: all of them, others may be among them.
        neglected: bound on what was left out of the protocol.
        rounding: of the numbers.
    """
    result, step = runs[study.result], runs[study.other_step]
    means, stds = float(result.mean[-1]), float(result.std[-1])
    if study.complete:
        differences = {"step": _difference(result, step, _SECOND_ORDER)}
    else:
        before = runs[study.before]
        differences = {
            "bond_dimension": _of_bonds(study, runs),
            "method": _difference(result, runs[study.other_method(study.result)]),
            "seed": _difference(before, runs[study.other_seed]),
            "step": _difference(before, step, _SECOND_ORDER),
        }
        cut = [runs[study.other_method(setting)] for setting in (study.before, study.result)]
        means, stds = _extrapolated([before, result] if study.expansion != 0 else cut) or (means, stds)
    parts = {name: (study.caution * mean, study.caution * std) for name, (mean, std) in differences.items()}
    everywhere = np.ones_like(result.mean)
    parts |= {"neglected": (neglected * everywhere,) * 2, "rounding": (rounding * everywhere,) * 2}
    mean_error, std_error = (np.sum(part, axis=0) for part in zip(*parts.values(), strict=True))
    at_end = {name: (float(mean[-1]), float(std[-1])) for name, (mean, std) in parts.items()}
    return Converged(mean_error, std_error, at_end, means, stds)


def _of_bonds(study: Study, runs: Mapping[Setting, TreeRun]) -> tuple[FloatArray, FloatArray]:
    """What the last bond dimension changed, times what may be left to come, or a quarter of what the one before did."""
    *earlier, before, result = (runs[setting] for setting in study.main)
    last = _difference(result, before, study.slowness)
    if not earlier:
        return last
    previous = _difference(before, earlier[-1], _BEFORE_LAST)
    return np.maximum(last[0], previous[0]), np.maximum(last[1], previous[1])


def _difference(one: TreeRun, other: TreeRun, factor: float = 1.0) -> tuple[FloatArray, FloatArray]:
    return factor * np.abs(one.mean - other.mean), factor * np.abs(one.std - other.std)


def _extrapolated(runs: Sequence[TreeRun]) -> tuple[float, float] | None:
    """mu and sigma of two runs at the end, on straight lines in the weight cut off; None where it fell less."""
    coarse, fine = runs
    last = float(fine.mean[-1]), float(fine.std[-1])
    if not fine.discarded < _CLEARLY_LESS * coarse.discarded:
        return None
    factor = fine.discarded / (coarse.discarded - fine.discarded)
    mean = last[0] + factor * (last[0] - float(coarse.mean[-1]))
    std = last[1] + factor * (last[1] - float(coarse.std[-1]))
    return mean, max(std, 0.0)
