"""Error estimate and verdict for a tree, from runs that differ in one thing each.

The result is an estimate and no bound. One-site steps in fixed bases and steps with expansion and truncation make
different errors, so that the difference between the two often says more than the difference between two bond
dimensions; but both errors may have the same sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.typing import FloatArray
from .tree_runs import Setting, TreeRun

_SHARE_EXPANDED = 8
"""Bond dimension over the number of bond vectors that an expanding run may exchange in a step."""

_CLEARLY_LESS = 0.75
"""Largest ratio of the discarded weights of two bond dimensions for which an extrapolation is meaningful."""

_SECOND_ORDER = 4.0 / 3.0
"""Error of a step over the change by half of it: at most, for second order and above."""

_CAUTION = 2.0
"""Factor of the sum of all changes, as differences between runs that are all too coarse are too small."""

_LEAST_BOND_DIMENSION, _LEAST_NUMBER = 12, 3
"""Smallest bond dimension, and number of them, for a positive verdict, unless nothing is truncated: two may agree by
accident."""

_MORE_CAUTION = 2.0
"""Additional factor below these: without it, similar small bases had up to 1.5 times the estimated error."""

_BEFORE_LAST = 0.25
"""Smallest estimate from the change before the last one, for the same reason."""

ROUNDING = {8: 2e-4, 16: 1e-9}
"""Possible errors from single and double precision, by the bytes of a number."""


@dataclass(frozen=True)
class Study:
    """Runs of one problem.

    Attributes:
        bond_dimensions: ascending; the last gives the result.
        expansion, seed, halvings: setting of the result; see :class:`~.tree_runs.Setting`.
        complete: whether the last one truncates nothing, so that only the step is checked.
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
        """Factor of the sum of all changes."""
        return _CAUTION if self.may_converge else _MORE_CAUTION * _CAUTION

    @property
    def slowness(self) -> float:
        """Remaining error over the last change, if errors fall in proportion to the inverse bond dimension."""
        return max(1.0, 1.0 / (self.bond_dimensions[-1] / self.bond_dimensions[-2] - 1.0))

    @property
    def before(self) -> Setting:
        """The same setting at the last bond dimension but one."""
        return self.result._replace(bond_dimension=self.bond_dimensions[-2])

    @property
    def main(self) -> list[Setting]:
        """One run for each bond dimension."""
        return [self.result._replace(bond_dimension=bond) for bond in self.bond_dimensions]

    def other_method(self, setting: Setting) -> Setting:
        """The setting with expansion if it has none, and without if it has."""
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
    """Result of a study, at the output times and, last, at the end.

    Attributes:
        mean_error, std_error: (T + 1,) estimates of the errors of mu and sigma.
        parts: errors of mu and sigma at the end by their cause.
        extrapolated_mean, extrapolated_std: extrapolations to no discarded weight at the end; the plain results if
            the discarded weight of expanding runs does not fall clearly with the bond dimension.
    """

    mean_error: FloatArray
    std_error: FloatArray
    parts: Mapping[str, tuple[float, float]]
    extrapolated_mean: float
    extrapolated_std: float

    @property
    def worst(self) -> str:
        """Cause of the largest part of the error of mu."""
        return max(self.parts, key=lambda name: self.parts[name][0])


def converged(study: Study, runs: Mapping[Setting, TreeRun], neglected: float, rounding: float) -> Converged:
    """Compare the runs of a study.

    The error is the sum of ``neglected`` (a bound for the neglected parts of the protocol), of rounding, and of twice
    (four times if the verdict cannot be positive) four differences: between the last two bond dimensions (times a
    factor for the remaining error, and no less than a quarter of the change before), between the two methods, between
    two seeds, and 4/3 of the difference between two steps.
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
    """Error estimate from the last change of the bond dimension, or from a quarter of the change before."""
    *earlier, before, result = (runs[setting] for setting in study.main)
    last = _difference(result, before, study.slowness)
    if not earlier:
        return last
    previous = _difference(before, earlier[-1], _BEFORE_LAST)
    return np.maximum(last[0], previous[0]), np.maximum(last[1], previous[1])


def _difference(one: TreeRun, other: TreeRun, factor: float = 1.0) -> tuple[FloatArray, FloatArray]:
    return factor * np.abs(one.mean - other.mean), factor * np.abs(one.std - other.std)


def _extrapolated(runs: Sequence[TreeRun]) -> tuple[float, float] | None:
    """Final mu and sigma on straight lines in the discarded weights of two runs; None if these are too similar."""
    coarse, fine = runs
    last = float(fine.mean[-1]), float(fine.std[-1])
    if not fine.discarded < _CLEARLY_LESS * coarse.discarded:
        return None
    factor = fine.discarded / (coarse.discarded - fine.discarded)
    mean = last[0] + factor * (last[0] - float(coarse.mean[-1]))
    std = last[1] + factor * (last[1] - float(coarse.std[-1]))
    return mean, max(std, 0.0)
