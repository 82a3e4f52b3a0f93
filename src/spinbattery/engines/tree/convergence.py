"""How far a tree's figures may be off: runs that differ in one thing each, and a verdict.

One-site steps in fixed bases and steps with expansion and cut err in opposite ways (the first leave sigma too large,
the second make it too small and mu too large), so that the difference between the two bounds both better than a larger
bond dimension does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray
from .runs import Setting, TreeRun

_SHARE_EXPANDED = 8
"""Part of the bond dimension that an expanding run may exchange in a step."""

_CLEARLY_LESS = 0.75
"""Weight that a larger bond dimension must cut off less of, for an extrapolation to mean something."""

_SECOND_ORDER = 4.0 / 3.0
"""What half the step changes, over its own error: at least, for second order and above."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Study:
    """Which runs there are of one problem.

    Attributes:
        bond_dimensions: ascending; the last is that of the result.
        expansion: of the result; see :class:`~.runs.Setting`.
        seed: of the result.
        complete: whether the last cuts nothing off, so that the step alone is left to check.
    """

    bond_dimensions: tuple[int, ...]
    expansion: int | None
    seed: int
    complete: bool

    @property
    def result(self) -> Setting:
        """The run that is shown."""
        return Setting(self.bond_dimensions[-1], self.expansion, self.seed, 0)

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
        return (self.result if self.complete else self.before)._replace(level=1)

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


def converged(study: Study, runs: Mapping[Setting, TreeRun], neglected: float) -> Converged:
    """Compare the runs of a study.

    The error is the sum of a bound on what was neglected and of four differences: that of the last two bond dimensions,
    of the two methods, of two seeds and, times 4/3, of two steps.
    """
    result, step = runs[study.result], runs[study.other_step]
    if study.complete:
        differences = {"step": _difference(result, step, _SECOND_ORDER)}
        means, stds = float(result.mean[-1]), float(result.std[-1])
    else:
        before = runs[study.before]
        differences = {
            "bond_dimension": _difference(result, before),
            "method": _difference(result, runs[study.other_method(study.result)]),
            "seed": _difference(before, runs[study.other_seed]),
            "step": _difference(before, step, _SECOND_ORDER),
        }
        cut = [runs[study.other_method(setting)] for setting in (study.before, study.result)]
        if study.expansion != 0:
            cut = [before, result]
        means, stds = _extrapolated(cut) or (float(result.mean[-1]), float(result.std[-1]))
    nothing = np.zeros_like(result.mean)
    differences["neglected"] = nothing + neglected, nothing + neglected
    mean_error = ROUNDING + sum(mean for mean, _ in differences.values())
    std_error = ROUNDING + sum(std for _, std in differences.values())
    parts = {name: (float(mean[-1]), float(std[-1])) for name, (mean, std) in differences.items()}
    return Converged(np.asarray(mean_error), np.asarray(std_error), parts, means, stds)


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
