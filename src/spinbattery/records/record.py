"""The record: one schema for every engine, with units and provenance, kept as netCDF."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.atomic import writing
from ..core.errors import InvalidParameterError, RecordError
from ..core.paths import user_path
from ..core.typing import ComplexArray, FloatArray
from ..model.problem import ChargingProblem, as_problem
from .charge_state import ChargeState, charge_state
from .contents import Contents, Variable
from .hashing import canonical_json, checksum, digest_of, measurement_key, without_names
from .netcdf import encode
from .no_precision import NoPrecision

if TYPE_CHECKING:
    import xarray as xr

_EXECUTION = frozenset({"created", "wall_time_s", "checksum", "execution"})
"""Attributes in which two runs of one problem may differ."""


class Record:
    """The result of one run: named variables and attributes, with properties for the most important values.

    A value that is not known is absent, never zero.
    """

    def __init__(self, dataset: xr.Dataset | Contents, problem: ChargingProblem | None = None) -> None:
        """A record of a copy of a dataset; ``problem`` spares rebuilding it from the dataset.

        Raises:
            RecordError: ``dataset`` is no xarray Dataset.
        """
        if not isinstance(dataset, Contents) and not hasattr(dataset, "data_vars"):
            raise RecordError(f"a record is made of an xarray Dataset, but was given {dataset!r}; use read_record().")
        self._contents = Contents.of(dataset)
        if problem is not None:
            self.problem = problem

    @property
    def dataset(self) -> xr.Dataset:
        """All values as a new xarray Dataset; its arrays are closed to writing, ``.copy(deep=True)`` has open ones."""
        return self._contents.to_dataset()

    @property
    def variables(self) -> Mapping[str, Variable]:
        """All variables by name, each with ``values`` (a NumPy array), ``dims`` and ``attrs``; needs no xarray."""
        return MappingProxyType(self._contents.variables)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Texts and numbers that describe the run; needs no xarray."""
        return MappingProxyType(self._contents.attrs)

    def _scalar(self, name: str) -> float:
        return float(self.variables[name].values.item())

    def _optional(self, name: str) -> float | None:
        return self._scalar(name) if name in self.variables else None

    def _attribute(self, name: str) -> dict[str, Any]:
        """An attribute that holds JSON; empty where it is absent."""
        found: dict[str, Any] = json.loads(self.attributes.get(name, "{}"))
        return found

    @property
    def labels(self) -> tuple[Any, ...]:
        """The label of each spin in the graph it comes from; 0 to N - 1 where the graph had none."""
        return self.problem.network.names

    @property
    def spin_magnetization(self) -> dict[Any, float] | None:
        """<sz_k> of each spin at the end, by its label; None where single spins are not known."""
        if "spin_magnetization" not in self.variables:
            return None
        return dict(zip(self.labels, self.variables["spin_magnetization"].values.tolist(), strict=True))

    def with_labels_of(self, problem: ChargingProblem) -> Record:
        """The same run with the labels of another network of the same physics.

        Raises:
            RecordError: the engine was given qubits by their labels, so that other labels make another run.
        """
        problem = as_problem(problem)
        if problem.network.names == self.labels:
            return self
        if self.engine_options.get("stuck"):
            raise RecordError(
                f"the store has this run with stuck qubits of a network with other labels ({self.labels[:3]}...), and "
                "qubits are named by labels; use another store, or recompute=True, which replaces the run."
            )
        labelled = replace(self.problem, network=replace(self.problem.network, labels=problem.network.labels))
        text = canonical_json(labelled.to_dict())
        # qubit numbers belong to the other labels
        return Record(self._contents.changed({"problem": text}, without=("qubit",)), labelled)

    @property
    def n_spins(self) -> int:
        return len(self.variables["distribution"].values) - 1

    @property
    def magnetization(self) -> float:
        """mu = <Sz>/N at the end of the protocol."""
        return self._scalar("magnetization")

    @property
    def variance(self) -> float:
        """sigma^2 of Sz/N."""
        return self._scalar("variance")

    @property
    def std(self) -> float:
        """sigma, the standard deviation of Sz/N."""
        return self._scalar("std")

    @property
    def precision(self) -> float | None:
        """1/sigma^2; None where :attr:`no_precision` has a reason, see then :attr:`precision_bound`."""
        return self._optional("precision")

    @property
    def no_precision(self) -> NoPrecision | None:
        """Reason why no precision is given; None where there is a precision."""
        if self.precision is not None:
            return None
        if self.approximation:
            return NoPrecision.APPROXIMATION
        verdict = self.converged.get("precision", True)
        if not verdict:
            return NoPrecision.NOT_CHECKED if verdict is None else NoPrecision.NOT_CONVERGED
        return NoPrecision.ZERO_TO_ROUNDING if self.n_reads is None else NoPrecision.ZERO_IN_READS

    @cached_property
    def charge_state(self) -> ChargeState:
        """Whether the battery was charged, from the final P(Sz); only then is sigma the fluctuation of a charge."""
        return charge_state(self.variables["distribution"].values)

    @property
    def precision_bound(self) -> float | None:
        """Lower bound of 1/sigma^2 where there is no precision, else None.

        For reads it holds with 95 % confidence, see :func:`spinbattery.sample_statistics`. Where sigma has not
        converged it is the bound of Bhatia and Davis at the least |mu| within the error of mu; without that error
        there is no bound.
        """
        return self._optional("precision_bound")

    @property
    def magnetization_error(self) -> float | None:
        """Estimated absolute error of mu from the discretisation; None for reads."""
        return self._optional("magnetization_error")

    @property
    def precision_error(self) -> float | None:
        """Estimated absolute error of the precision; None without a precision, and for reads."""
        relative, precision = self.precision_relative_error, self.precision
        return None if relative is None or precision is None else relative * precision

    @property
    def precision_relative_error(self) -> float | None:
        """Estimated relative error of the precision, which an engine's tolerance bounds."""
        return self._optional("precision_relative_error")

    @property
    def std_error(self) -> float | None:
        """Estimated absolute error of sigma; None where no other runs checked it."""
        return self._optional("std_error")

    @property
    def magnetization_extrapolated(self) -> float | None:
        """mu of a tensor network, extrapolated to zero truncated weight; None without the runs that this takes."""
        return self._optional("magnetization_extrapolated")

    @property
    def std_extrapolated(self) -> float | None:
        """sigma of a tensor network, extrapolated to zero truncated weight."""
        return self._optional("std_extrapolated")

    @property
    def converged(self) -> dict[str, bool | None]:
        """Verdict on ``magnetization`` and ``precision`` of a tensor network; None where no error is known.

        Empty for other engines: those with a tolerance raise an error where they cannot reach it.
        """
        return self._attribute("converged")

    @property
    def approximation(self) -> str:
        """Neglected effects and their size, for an engine whose error cannot be made small; else empty."""
        return str(self.attributes.get("approximation", ""))

    @property
    def accuracy(self) -> str:
        """Accuracy of the moments in a few words."""
        if self.approximation:
            return "error unknown"
        if self.n_reads is not None:
            return f"{self.n_reads} reads"
        if self.magnetization_stderr is not None:
            return f"standard error of mu {self.magnetization_stderr:.1e}"
        return "error unknown" if self.error_estimate is None else f"error {self.error_estimate:.1e}"

    @property
    def purity(self) -> float | None:
        """Tr rho^2 at the end; None where the engine does not know it."""
        return self._optional("purity")

    @property
    def error_estimate(self) -> float | None:
        """Larger of the absolute error of mu and the relative error of the precision, as a tolerance bounds it.

        None for reads.
        """
        errors = [error for error in (self.magnetization_error, self.precision_relative_error) if error is not None]
        return max(errors, default=None)

    @property
    def magnetization_stderr(self) -> float | None:
        """Standard error of mu; None where nothing was sampled or all reads are equal."""
        return self._optional("magnetization_stderr")

    @property
    def precision_stderr(self) -> float | None:
        """Absolute standard error of the precision; None where :attr:`magnetization_stderr` is."""
        return self._optional("precision_stderr")

    @property
    def n_reads(self) -> int | None:
        """Number of reads of an annealer; None for other engines."""
        for name in ("spins_packed", "read_magnetization"):
            if name in self.variables:
                return len(self.variables[name].values)
        return None

    @property
    def spins(self) -> NDArray[np.int8] | None:
        """Spins of each read as +1 and -1, shape (reads, N); None where they are not known."""
        if "spins_packed" not in self.variables:
            return None
        up = np.unpackbits(self.variables["spins_packed"].values, axis=1, count=self.n_spins)
        return 2 * up.view(np.int8) - 1

    @property
    def read_magnetization(self) -> FloatArray | None:
        """mu of each read, shape (reads,); None without reads."""
        if "read_magnetization" in self.variables:
            return np.asarray(self.variables["read_magnetization"].values)
        if "spins_packed" not in self.variables:
            return None
        up = np.bitwise_count(self.variables["spins_packed"].values).sum(axis=1, dtype=np.int64)
        return np.asarray(2.0 * up / self.n_spins - 1.0)

    @property
    def sampler_info(self) -> dict[str, Any]:
        """The sampler, its request and its answer; empty for other engines."""
        return self._attribute("sampler")

    @property
    def execution_info(self) -> dict[str, Any]:
        """Times and job numbers of a sampler, and time per step of a tensor network; empty for other engines."""
        return self._attribute("execution")

    @property
    def duration(self) -> float:
        """tau in ns."""
        return self._scalar("duration")

    @property
    def hs_cost(self) -> float:
        """int ||H||_HS dt / 2^(N/2) in GHz ns."""
        return self._scalar("hs_cost")

    @property
    def engine(self) -> str:
        return str(self.attributes["engine"])

    @property
    def engine_options(self) -> dict[str, Any]:
        """Options of the engine."""
        return self._attribute("engine_options")

    @property
    def key(self) -> str:
        """Hash of problem, engine, options and output times: the name of its file in a store.

        The key of a measurement ends in a hash of its job, see :func:`measurement_key`.
        """
        return str(self.attributes["run_key"])

    @property
    def job(self) -> str | None:
        """Number that the service gave to the job of a measurement; None for other records, also of emulations."""
        found = None if "emulator" in self.sampler_info else self.execution_info.get("problem_id")
        return None if found is None else str(found)

    def as_measurement(self) -> Record:
        """The same under the key of a measurement where it has a job: older versions left the job out of the key."""
        if self.job is None or "data" in self.engine_options:  # a hash of all imported reads
            return self
        key = measurement_key(self.key, self.job)
        return self if key == self.key else Record(self._contents.changed({}, attrs={"run_key": key}))

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything except labels, dates and run times: equal for runs that agree to the last bit."""
        text = without_names(str(self.variables["problem"].values))
        return digest_of(self._contents.changed({"problem": text}), _EXECUTION)

    @property
    def times(self) -> FloatArray:
        """Output times in ns; may be empty."""
        return self.variables["time"].values if "time" in self.variables else np.empty(0)

    @cached_property
    def problem(self) -> ChargingProblem:
        """The problem that was solved, rebuilt from the record."""
        return ChargingProblem.from_dict(json.loads(str(self.variables["problem"].values)))

    @property
    def discretisation(self) -> dict[str, Any]:
        """Splitting, steps and passes of the run; empty for reads."""
        return self._attribute("discretisation")

    @property
    def state(self) -> ComplexArray | None:
        """Final amplitudes, (2^N,); None where the engine did not keep them."""
        if "state" not in self.variables:
            return None
        parts = self.variables["state"].values
        return np.asarray(parts[:, 0] + 1j * parts[:, 1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._contents.same_as(other._contents)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        why, precision = self.no_precision, f"1/sigma^2 = {self.precision or 0.0:.6g}"
        if why is not None:
            precision = "sigma = 0" if why.is_zero else f"sigma = {self.std:.3g} ({why})"
        return (
            f"Record({self.attributes['network']}, {self.attributes['protocol']}, {self.duration:g} ns, "
            f"{self.engine}: mu = {self.magnetization:.6f} ({self.charge_state}), {precision}, {self.accuracy})"
        )

    def to_bytes(self) -> bytes:
        """The netCDF file that :meth:`save` writes; it has the time of writing, so compare :attr:`content_hash`.

        Raises:
            RecordError: a name, a text or a type that netCDF cannot hold.
        """
        try:
            return encode(self._contents, {**self._contents.attrs, "checksum": checksum(self._contents)})
        except (TypeError, ValueError) as error:
            raise RecordError(f"the record cannot be written as netCDF: {error}; change it.") from error

    def save(self, path: str | Path, content: bytes | None = None) -> Path:
        """Write netCDF atomically: under another name in the same folder, synced, then renamed.

        Args:
            path: where to.
            content: the result of :meth:`to_bytes`, to spare making it again.

        Raises:
            RecordError: the folder does not exist, cannot be written or is full; ``__cause__`` is the OSError.
        """
        content = self.to_bytes() if content is None else content
        try:
            path = user_path(path)
        except InvalidParameterError as error:
            raise RecordError(f"cannot write the record: {error}") from error
        with writing(path, RecordError) as temporary:
            temporary.write_bytes(content)
        return path


def as_record(given: Any) -> Record:
    """The given record.

    Raises:
        RecordError: something else was given.
    """
    if isinstance(given, Record):
        return given
    raise RecordError(f"a record, as from charge() or read_record(), is needed, but was given {given!r}.")
