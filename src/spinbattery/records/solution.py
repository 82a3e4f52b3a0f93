"""What an engine found, as typed values: it names what it knows, and the rest is absent from the record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..core.typing import ComplexArray, FloatArray
from ..model.problem import ChargingProblem
from .ensemble import Ensemble
from .hashing import canonical_json
from .schema import MIXED_VARIANCE_FLOOR, VARIANCE_FLOOR, Variables


@dataclass(frozen=True)
class TimeTraces:
    """Expectation values at the T output times and, last, at the end of the protocol.

    Attributes:
        times: (T,) output times in ns; T may be 0.
        mean, variance, energy: (T + 1,) mu, sigma^2, and <H> in GHz.
        purity, spins: (T + 1,) Tr rho^2 of density matrices, and (T + 1, N) <sz_k>.
    """

    times: FloatArray
    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    purity: FloatArray | None = None
    spins: FloatArray | None = None


@dataclass(frozen=True)
class FinalState:
    """Values at the end of the protocol.

    Attributes:
        distribution, spins: (N + 1,) P(Sz), Sz = -N, -N + 2, ... N, and (N,) <sz_k>.
        norm_error: |norm - 1| before normalisation, where the norm should be 1.
        smallest_eigenvalue: of the density matrix.
        amplitudes: (2^N,) where they are kept.
    """

    distribution: FloatArray
    spins: FloatArray
    norm_error: float | None = None
    smallest_eigenvalue: float | None = None
    amplitudes: ComplexArray | None = None


@dataclass(frozen=True)
class ErrorEstimates:
    """Errors of the discretisation: absolute ones of mu and sigma^2, (T + 1,), and of the final sigma.

    ``precision`` is the relative error of the final 1/sigma^2.
    """

    mean: FloatArray
    variance: FloatArray
    precision: float
    std: float | None = None


@dataclass(frozen=True)
class StandardErrors:
    """Standard errors of mu, sigma^2 and <H>, (T + 1,), and of the final P(Sz) and <sz_k>, if drawn at random."""

    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    distribution: FloatArray | None = None
    spins: FloatArray | None = None


@dataclass(frozen=True)
class Extrapolation:
    """Final mu and sigma of a tensor network at zero truncated weight; None where they cannot be extrapolated."""

    mean: float | None
    std: float | None


@dataclass(frozen=True)
class Convergence:
    """Verdict on the final mu and 1/sigma^2; None where no error is known. A precision is shown only if True."""

    magnetization: bool | None = None
    precision: bool | None = None


@dataclass(frozen=True)
class Solution:
    """The result of an engine, before it becomes a record.

    Attributes:
        verdict: from engines that may end without convergence; others reach their tolerance or raise.
        ensemble: sums over trajectories, from which runs are merged and extended.
        discretisation: splitting, steps and other sources of error: plain data.
        execution: run times, which differ between two runs of the same problem: plain data.
    """

    final: FinalState
    traces: TimeTraces
    errors: ErrorEstimates | None = None
    standard_errors: StandardErrors | None = None
    extrapolation: Extrapolation | None = None
    verdict: Convergence | None = None
    ensemble: Ensemble | None = None
    discretisation: Mapping[str, Any] = field(default_factory=dict)
    execution: Mapping[str, Any] = field(default_factory=dict)

    @property
    def times(self) -> FloatArray:
        """(T,) output times in ns."""
        return self.traces.times

    @property
    def mean(self) -> float:
        """Final mu."""
        return float(self.traces.mean[-1])

    @property
    def variance(self) -> float:
        """Final sigma^2; zero where it may be nothing but rounding."""
        found = float(self.traces.variance[-1])
        return found if found > self._floor else 0.0

    @property
    def _floor(self) -> float:
        """Largest sigma^2 that may be nothing but rounding."""
        is_pure = self.traces.purity is None and self.ensemble is None
        return VARIANCE_FLOOR if is_pure else MIXED_VARIANCE_FLOOR / len(self.final.spins)

    def attributes(self) -> dict[str, str]:
        """Attributes of the record."""
        found = {"discretisation": canonical_json(self.discretisation)}
        if self.verdict is not None:
            found["converged"] = canonical_json(asdict(self.verdict))
        if self.execution:
            found["execution"] = canonical_json(self.execution)
        return found

    def variables(self, problem: ChargingProblem, is_approximate: bool) -> Variables:
        """Variables of the record; an approximation has neither errors nor a precision."""
        final = self.final
        values: Variables = {
            "magnetization": ((), self.mean),
            "variance": ((), self.variance),
            "std": ((), math.sqrt(self.variance)),
            "spin_magnetization": ("spin", final.spins),
            "distribution": ("sz_total", final.distribution),
        }
        values |= {name: ((), value) for name, value in self._numbers(is_approximate).items() if value is not None}
        if len(self.times):
            values |= self._in_time(is_approximate)
        if self.standard_errors is not None:
            values |= self._sampled(self.standard_errors, "precision" in values)
        if self.ensemble is not None:
            values |= self.ensemble.values()
        if final.amplitudes is not None:
            values["state"] = (("amplitude", "part"), np.column_stack([final.amplitudes.real, final.amplitudes.imag]))
            values["part"] = ("part", ["real", "imag"])
        return values

    def _numbers(self, is_approximate: bool) -> dict[str, float | None]:
        errors, purity, other = self.errors, self.traces.purity, self.extrapolation
        known = {
            "magnetization_error": None if errors is None or is_approximate else float(errors.mean[-1]),
            "norm_error": self.final.norm_error,
            "purity": None if purity is None else float(purity[-1]),
            "smallest_eigenvalue": self.final.smallest_eigenvalue,
            "magnetization_extrapolated": None if other is None else other.mean,
            "std_extrapolated": None if other is None else other.std,
        }
        if is_approximate:
            return known
        std_error = None if errors is None else errors.std
        if self.verdict is not None and not self.verdict.precision:
            # where the error of mu is unknown, a bound may be false: seen at small bond dimensions
            bound = None if errors is None else _least_precision(self.mean, float(errors.mean[-1]))
            return {**known, "std_error": std_error, "precision_bound": bound}
        if self.variance == 0.0:
            # trajectories that were not drawn may differ from those that were
            return {**known, "precision_bound": None if self.standard_errors else 1.0 / self._floor}
        relative = None if errors is None else errors.precision
        precision = {"precision": 1.0 / self.variance, "precision_relative_error": relative, "std_error": std_error}
        return known | precision

    def _in_time(self, is_approximate: bool) -> Variables:
        """Variables at the output times, without the end."""
        traces, errors = self.traces, None if is_approximate else self.errors
        in_time = {
            "magnetization_t": traces.mean,
            "std_t": np.sqrt(np.maximum(traces.variance, 0.0)),
            "energy_t": traces.energy,
            "magnetization_t_error": None if errors is None else errors.mean,
            "variance_t_error": None if errors is None else errors.variance,
            "purity_t": traces.purity,
        }
        values: Variables = {"time": ("time", traces.times)}
        values |= {name: ("time", value[:-1]) for name, value in in_time.items() if value is not None}
        if traces.spins is not None:
            values["spin_magnetization_t"] = (("time", "spin"), traces.spins[:-1])
        return values

    def _sampled(self, errors: StandardErrors, has_precision: bool) -> Variables:
        """Standard errors at the end and at the output times."""
        final = float(errors.variance[-1])
        known: dict[str, tuple[Any, Any]] = {
            "precision_stderr": ((), final / self.variance**2 if has_precision else None),
            "magnetization_stderr": ((), float(errors.mean[-1])),
            "variance_stderr": ((), final),
            "distribution_stderr": ("sz_total", errors.distribution),
            "spin_magnetization_stderr": ("spin", errors.spins),
        }
        if len(self.times):
            in_time = {"magnetization_t": errors.mean, "variance_t": errors.variance, "energy_t": errors.energy}
            known |= {f"{name}_stderr": ("time", value[:-1]) for name, value in in_time.items()}
        return {name: (dims, value) for name, (dims, value) in known.items() if value is not None}


def _least_precision(mean: float, error: float) -> float:
    """Lower bound 1/(1 - mu^2) of Bhatia and Davis on 1/sigma^2, at the smallest |mu| within its error bar."""
    least = max(abs(mean) - error, 0.0)
    return 1.0 / max(1.0 - least**2, VARIANCE_FLOOR)
