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
from .schema import VARIANCE_FLOOR, Variables


@dataclass(frozen=True)
class TimeTraces:
    """Expectation values at the T output times and, last, at the end of the protocol.

    Attributes:
        times: (T,) output times in ns; T may be 0.
        mean, variance, energy: (T + 1,) mu, sigma^2, and <H> in GHz.
        purity: (T + 1,) Tr rho^2, of density matrices.
        spins: (T + 1, N) <sz_k>.
    """

    times: FloatArray
    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    purity: FloatArray | None = None
    spins: FloatArray | None = None


@dataclass(frozen=True)
class FinalState:
    """What is known at the end of the protocol alone.

    Attributes:
        distribution: (N + 1,) P(Sz), Sz = -N, -N + 2, ... N.
        spins: (N,) <sz_k>.
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
    """Estimated errors of the discretisation.

    Attributes:
        mean, variance: (T + 1,) absolute errors of mu and sigma^2, as in :class:`TimeTraces`.
        precision: relative error of the final 1/sigma^2.
        std: absolute error of the final sigma.
    """

    mean: FloatArray
    variance: FloatArray
    precision: float
    std: float | None = None


@dataclass(frozen=True)
class StandardErrors:
    """Standard errors of what was drawn at random.

    Attributes:
        mean, variance, energy: (T + 1,) of mu, sigma^2 and <H>, as in :class:`TimeTraces`.
        distribution, spins: (N + 1,) of P(Sz) and (N,) of <sz_k> at the end.
    """

    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    distribution: FloatArray | None = None
    spins: FloatArray | None = None


@dataclass(frozen=True)
class Extrapolation:
    """Final mu and sigma of a tensor network, extrapolated to no truncated weight; None where that cannot be done."""

    mean: float | None
    std: float | None


@dataclass(frozen=True)
class Convergence:
    """Verdict on the final mu and 1/sigma^2; None where no error is known. A precision is shown if True."""

    magnetization: bool | None = None
    precision: bool | None = None


@dataclass(frozen=True)
class Solution:
    """What an engine found, before it becomes a record.

    Attributes:
        verdict: of engines that may end without convergence; others keep their tolerance or raise.
        ensemble: sums over trajectories, from which runs are merged and extended.
        discretisation: where the errors come from (splitting, steps, ...): plain data.
        execution: what differs between two runs of the same problem: plain data.
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
        """Final sigma^2."""
        return float(self.traces.variance[-1])

    def attributes(self) -> dict[str, str]:
        """Attributes of the record."""
        found = {"discretisation": canonical_json(self.discretisation)}
        if self.verdict is not None:
            found["converged"] = canonical_json(asdict(self.verdict))
        if self.execution:
            found["execution"] = canonical_json(self.execution)
        return found

    def variables(self, problem: ChargingProblem, is_approximate: bool) -> Variables:
        """Variables of the record; without errors or precision where the engine's error is unknown."""
        errors = None if is_approximate else self.errors
        final, sampled = self.final, self.standard_errors
        numbers = {**self._numbers(errors), **self._precision(is_approximate)}
        values: Variables = {
            "magnetization": ((), self.mean),
            "variance": ((), self.variance),
            "std": ((), math.sqrt(self.variance)),
            "spin_magnetization": ("spin", final.spins),
            "distribution": ("sz_total", final.distribution),
            **{name: ((), value) for name, value in numbers.items() if value is not None},
        }
        if len(self.times):
            values |= self._traces(errors)
        if sampled is not None:
            if "precision" in values:
                values["precision_stderr"] = ((), float(sampled.variance[-1]) / self.variance**2)
            values |= _standard_errors(sampled, bool(len(self.times)))
        if self.ensemble is not None:
            values |= self.ensemble.values()
        if final.amplitudes is not None:
            values["state"] = (("amplitude", "part"), np.column_stack([final.amplitudes.real, final.amplitudes.imag]))
            values["part"] = ("part", ["real", "imag"])
        return values

    def _numbers(self, errors: ErrorEstimates | None) -> dict[str, float | None]:
        purity, other = self.traces.purity, self.extrapolation
        return {
            "magnetization_error": None if errors is None else float(errors.mean[-1]),
            "norm_error": self.final.norm_error,
            "purity": None if purity is None else float(purity[-1]),
            "smallest_eigenvalue": self.final.smallest_eigenvalue,
            "magnetization_extrapolated": None if other is None else other.mean,
            "std_extrapolated": None if other is None else other.std,
        }

    def _precision(self, is_approximate: bool) -> dict[str, float | None]:
        """1/sigma^2 with its errors, or a lower bound where sigma has not converged or is zero."""
        if is_approximate:
            return {}
        errors = self.errors
        std_error = None if errors is None else errors.std
        if self.verdict is not None and not self.verdict.precision:
            # where the error of mu is unknown, a bound may be false: seen at small bond dimensions
            bound = None if errors is None else _least_precision(self.mean, float(errors.mean[-1]))
            return {"std_error": std_error, "precision_bound": bound}
        if self.variance <= VARIANCE_FLOOR:
            return {"precision_bound": 1.0 / VARIANCE_FLOOR}
        relative = None if errors is None else errors.precision
        return {"precision": 1.0 / self.variance, "precision_relative_error": relative, "std_error": std_error}

    def _traces(self, errors: ErrorEstimates | None) -> Variables:
        """Variables at the output times, without the end."""
        traces = self.traces
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


def _standard_errors(errors: StandardErrors, with_times: bool) -> Variables:
    values: Variables = {
        "magnetization_stderr": ((), float(errors.mean[-1])),
        "variance_stderr": ((), float(errors.variance[-1])),
    }
    if errors.distribution is not None:
        values["distribution_stderr"] = ("sz_total", errors.distribution)
    if errors.spins is not None:
        values["spin_magnetization_stderr"] = ("spin", errors.spins)
    if with_times:
        in_time = {"magnetization_t": errors.mean, "variance_t": errors.variance, "energy_t": errors.energy}
        values |= {f"{name}_stderr": ("time", value[:-1]) for name, value in in_time.items()}
    return values


def _least_precision(mean: float, error: float) -> float:
    """Lower bound 1/(1 - mu^2) of Bhatia and Davis on 1/sigma^2, at the end of mu's error bar that makes it least."""
    least = max(abs(mean) - error, 0.0)
    return 1.0 / max(1.0 - least**2, VARIANCE_FLOOR)
