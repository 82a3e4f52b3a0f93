"""The record: one xarray schema for every engine, with units and provenance, kept as netCDF."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.atomic import replacing
from ..core.errors import InvalidParameterError, RecordError
from ..core.paths import user_path
from ..core.typing import ComplexArray, FloatArray
from ..model.problem import ChargingProblem
from .charge_state import ChargeState, charge_state
from .hashing import canonical_json, checksum, dataset_digest, measurement_key, without_names
from .netcdf import encode
from .no_precision import NoPrecision

if TYPE_CHECKING:
    import xarray as xr

_EXECUTION = frozenset({"created", "wall_time_s", "checksum", "execution"})
"""Attributes that differ between two runs of the same problem."""


class Record:
    """The result of one run: an xarray Dataset with named access to what is asked for most.

    Attributes:
        dataset: all there is; what is not known is absent from it, never zero.
    """

    def __init__(self, dataset: xr.Dataset, problem: ChargingProblem | None = None) -> None:
        """A record of a dataset; ``problem`` is what it says itself, where that is at hand."""
        self.dataset = dataset
        if problem is not None:
            self.problem = problem

    def _scalar(self, name: str) -> float:
        return float(self.dataset[name].item())

    def _optional(self, name: str) -> float | None:
        return self._scalar(name) if name in self.dataset else None

    def _attribute(self, name: str) -> dict[str, Any]:
        """An attribute of plain data; empty where the record has none of that name."""
        found: dict[str, Any] = json.loads(self.dataset.attrs.get(name, "{}"))
        return found

    @property
    def labels(self) -> tuple[Any, ...]:
        """The label of each spin, as in the graph that it was made from; 0 to N - 1 where it had none."""
        return self.problem.network.names

    @property
    def spin_magnetization(self) -> dict[Any, float] | None:
        """<sz_k> of each spin at the end, by its label; None where single spins are not known."""
        if "spin_magnetization" not in self.dataset:
            return None
        return dict(zip(self.labels, self.dataset["spin_magnetization"].to_numpy().tolist(), strict=True))

    def with_labels_of(self, problem: ChargingProblem) -> Record:
        """The same run with the labels of another network of the same physics.

        Raises:
            RecordError: its engine was given qubits by their labels, so that with other labels it is another run.
        """
        if problem.network.names == self.labels:
            return self
        if json.loads(str(self.dataset.attrs["engine_options"])).get("stuck"):
            raise RecordError(
                f"the store has this run with stuck qubits of a network with other labels ({self.labels[:3]}...), and "
                "qubits are named by labels; use another store, or recompute=True, which replaces it."
            )
        labelled = replace(self.problem, network=replace(self.problem.network, labels=problem.network.labels))
        text = self.dataset["problem"].copy(data=canonical_json(labelled.to_dict()))
        # numbers of qubits are the labels of another network
        return Record(self.dataset.drop_vars("qubit", errors="ignore").assign(problem=text), labelled)

    @property
    def n_spins(self) -> int:
        return int(self.dataset.sizes["spin"])

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
        """1/sigma^2; None where sigma has not converged, is that of an approximation, or is zero.

        Then see :attr:`precision_bound`.
        """
        return self._optional("precision")

    @property
    def no_precision(self) -> NoPrecision | None:
        """Why there is no precision; None where there is one."""
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
        """Whether the battery was charged, from P(Sz) at the end; only then is sigma the fluctuation of a charge."""
        return charge_state(self.dataset["distribution"].to_numpy())

    @property
    def precision_bound(self) -> float | None:
        """Lower bound of 1/sigma^2 where there is no precision, else None.

        The bound of reads holds with 95 % confidence, see :func:`spinbattery.sample_statistics`; where sigma has not
        converged it is that of Bhatia and Davis at the least |mu| that the error of mu allows, and where that error is
        not known there is none.
        """
        return self._optional("precision_bound")

    @property
    def magnetization_error(self) -> float | None:
        """Estimated absolute error of mu from the discretisation, or None for reads of an annealer."""
        return self._optional("magnetization_error")

    @property
    def precision_error(self) -> float | None:
        """Estimated absolute error of the precision, or None where there is no precision or there are reads."""
        relative, precision = self.precision_relative_error, self.precision
        return None if relative is None or precision is None else relative * precision

    @property
    def precision_relative_error(self) -> float | None:
        """The same over the precision, which is what an engine's tolerance bounds."""
        return self._optional("precision_relative_error")

    @property
    def std_error(self) -> float | None:
        """Estimated absolute error of sigma where it was checked by other runs, else None."""
        return self._optional("std_error")

    @property
    def magnetization_extrapolated(self) -> float | None:
        """mu of a tensor network, extrapolated to no weight cut off; None where there are not the runs for it."""
        return self._optional("magnetization_extrapolated")

    @property
    def std_extrapolated(self) -> float | None:
        """sigma of a tensor network, extrapolated likewise."""
        return self._optional("std_extrapolated")

    @property
    def converged(self) -> dict[str, bool | None]:
        """Verdict on ``magnetization`` and ``precision`` of a tensor network; None where no error is known.

        Empty for engines that promise an error: they end with an error where they cannot keep it.
        """
        return self._attribute("converged")

    @property
    def approximation(self) -> str:
        """What the engine neglects and how far off that is, where its error cannot be made small; else empty."""
        return str(self.dataset.attrs.get("approximation", ""))

    @property
    def accuracy(self) -> str:
        """In a few words how well the moments are known."""
        if self.approximation:
            return "error unknown"
        if self.n_reads is not None:
            return f"{self.n_reads} reads"
        if self.magnetization_stderr is not None:
            return f"standard error of mu {self.magnetization_stderr:.1e}"
        return "error unknown" if self.error_estimate is None else f"error {self.error_estimate:.1e}"

    @property
    def purity(self) -> float | None:
        """Tr rho^2 at the end, or None where the engine does not know it."""
        return self._optional("purity")

    @property
    def error_estimate(self) -> float | None:
        """The larger of the absolute error of mu and the relative one of the precision, which a tolerance bounds.

        None for reads of an annealer.
        """
        errors = [error for error in (self.magnetization_error, self.precision_relative_error) if error is not None]
        return max(errors, default=None)

    @property
    def magnetization_stderr(self) -> float | None:
        """Standard error of mu, or None where nothing was sampled or all reads are alike."""
        return self._optional("magnetization_stderr")

    @property
    def precision_stderr(self) -> float | None:
        """Standard error of the precision (absolute), or None as :attr:`magnetization_stderr`."""
        return self._optional("precision_stderr")

    @property
    def n_reads(self) -> int | None:
        """Number of reads of an annealer, or None where the distribution is known without."""
        for name in ("spins_packed", "read_magnetization"):
            if name in self.dataset:
                return len(self.dataset[name])
        return None

    @property
    def spins(self) -> NDArray[np.int8] | None:
        """Spins of each read as +1 and -1, shape (reads, N), or None where they are not known."""
        if "spins_packed" not in self.dataset:
            return None
        up = np.unpackbits(self.dataset["spins_packed"].to_numpy(), axis=1, count=self.n_spins)
        return 2 * up.view(np.int8) - 1

    @property
    def read_magnetization(self) -> FloatArray | None:
        """mu of each read, shape (reads,), or None where there are no reads."""
        if "read_magnetization" in self.dataset:
            return np.asarray(self.dataset["read_magnetization"].to_numpy())
        if "spins_packed" not in self.dataset:
            return None
        up = np.bitwise_count(self.dataset["spins_packed"].to_numpy()).sum(axis=1, dtype=np.int64)
        return np.asarray(2.0 * up / self.n_spins - 1.0)

    @property
    def sampler_info(self) -> dict[str, Any]:
        """What was asked of which sampler, and what it said; empty for other engines."""
        return self._attribute("sampler")

    @property
    def execution_info(self) -> dict[str, Any]:
        """Times and job numbers of a sampler; empty for other engines."""
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
        return str(self.dataset.attrs["engine"])

    @property
    def key(self) -> str:
        """Hash of problem, engine, options and output times: the name of its file in a store.

        That of a measurement goes on with a hash of its job, see :func:`measurement_key`.
        """
        return str(self.dataset.attrs["run_key"])

    @property
    def job(self) -> str | None:
        """Number of the job that measured it, as the service gave it; None of everything else, emulations too."""
        found = None if "emulator" in self.sampler_info else self.execution_info.get("problem_id")
        return None if found is None else str(found)

    def as_measurement(self) -> Record:
        """The same under the key of a measurement where it has a job: older versions left the job out of the key."""
        if self.job is None or "data" in self._attribute("engine_options"):  # a hash of all reads, of imported ones
            return self
        key = measurement_key(self.key, self.job)
        return self if key == self.key else Record(self.dataset.assign_attrs(run_key=key))

    @property
    def content_hash(self) -> str:
        """SHA-256 of all but labels, and when and how fast it ran: equal for runs that agree to the last bit."""
        text = self.dataset["problem"]
        unnamed = self.dataset.assign(problem=text.copy(data=without_names(str(text.item()))))
        return dataset_digest(unnamed, _EXECUTION)

    @property
    def times(self) -> FloatArray:
        """Output times in ns; empty where none were asked for."""
        return self.dataset["time"].to_numpy() if "time" in self.dataset.coords else np.empty(0)

    @cached_property
    def problem(self) -> ChargingProblem:
        """The problem this is the answer to, rebuilt from the record."""
        return ChargingProblem.from_dict(json.loads(str(self.dataset["problem"].item())))

    @property
    def discretisation(self) -> dict[str, Any]:
        """Splitting, steps and halvings of the run; empty where nothing was discretised."""
        return self._attribute("discretisation")

    @property
    def state(self) -> ComplexArray | None:
        """Final amplitudes where the engine was told to keep them."""
        if "state" not in self.dataset:
            return None
        parts = self.dataset["state"].to_numpy()
        return np.asarray(parts[:, 0] + 1j * parts[:, 1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.dataset.identical(other.dataset)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        why, precision = self.no_precision, f"1/sigma^2 = {self.precision or 0.0:.6g}"
        if why is not None:
            precision = "sigma = 0" if why.is_zero else f"sigma = {self.std:.3g} ({why})"
        return (
            f"Record({self.dataset.attrs['network']}, {self.dataset.attrs['protocol']}, {self.duration:g} ns, "
            f"{self.engine}: mu = {self.magnetization:.6f} ({self.charge_state}), {precision}, {self.accuracy})"
        )

    def to_bytes(self) -> bytes:
        """The netCDF file that :meth:`save` writes; the time of writing is in it, so compare :attr:`content_hash`.

        Raises:
            RecordError: it holds a name, a text or a type that netCDF cannot.
        """
        try:
            return encode(self.dataset, {**self.dataset.attrs, "checksum": checksum(self.dataset)})
        except (TypeError, ValueError) as error:
            raise RecordError(f"the record cannot be written as netCDF: {error}; change it.") from error

    def save(self, path: str | Path, content: bytes | None = None) -> Path:
        """Write netCDF atomically: under another name in the same folder, synced, then renamed.

        Args:
            path: where to.
            content: what :meth:`to_bytes` gave, where it is at hand.

        Raises:
            RecordError: the folder does not exist, cannot be written or is full; its cause is the OSError.
        """
        content = self.to_bytes() if content is None else content
        try:
            path = user_path(path)
        except InvalidParameterError as error:
            raise RecordError(f"cannot write the record: {error}") from error
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            reason = error.strerror or error
            raise RecordError(
                f"cannot write {str(path)!r}: {reason}; the folder must exist, be writable and have room."
            ) from error
        return path


def as_record(given: Any) -> Record:
    """What was given, if it is a record.

    Raises:
        RecordError: it is none.
    """
    if isinstance(given, Record):
        return given
    raise RecordError(f"a record is needed, as charge() returns and read_record() reads, but this is {given!r}.")
