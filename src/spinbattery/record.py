"""The record: one xarray schema for every engine, with units and provenance, kept as netCDF."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._typing import ComplexArray, FloatArray
from .atomic import replacing
from .errors import RecordError
from .netcdf import decode, encode
from .problem import ChargingProblem
from .schema import (
    LONG_NAMES,
    NUMERICS_VERSION,
    REQUIRED,
    SCHEMA,
    SCHEMA_VERSION,
    UNITS,
    VARIANCE_FLOOR,
)

if TYPE_CHECKING:
    import xarray as xr

_LIBRARIES = ("spinbattery", "numpy", "numba", "scipy", "xarray")
_EXECUTION = frozenset({"created", "wall_time_s", "checksum"})
"""Attributes that differ between two runs of the same problem."""


@dataclass(frozen=True)
class Solution:
    """What an engine found, before it becomes a record.

    Attributes:
        mean, variance: final mu and sigma^2.
        spin_magnetization: (N,) final <sz_k>.
        distribution: (N + 1,) final P(Sz), Sz = -N, -N + 2, ... N.
        times: (T,) output times in ns; may be empty, as then are the trajectories.
        trajectory_mean, trajectory_variance, trajectory_energy: (T,) mu, sigma^2, <H> in GHz.
        trajectory_mean_error, trajectory_variance_error: (T,) absolute error estimates.
        mean_error: absolute error estimate of mu.
        precision_error: relative error estimate of 1/sigma^2.
        norm_error: |norm - 1| at the end, before normalisation.
        state: final amplitudes, or None where they are not kept.
        discretisation: what the error came from (splitting, steps, ...).
    """

    mean: float
    variance: float
    spin_magnetization: FloatArray
    distribution: FloatArray
    times: FloatArray
    trajectory_mean: FloatArray
    trajectory_variance: FloatArray
    trajectory_energy: FloatArray
    trajectory_mean_error: FloatArray
    trajectory_variance_error: FloatArray
    mean_error: float
    precision_error: float
    norm_error: float
    state: ComplexArray | None
    discretisation: dict[str, Any]


@cache  # looking a version up takes longer than all else that is done for a record
def _versions() -> str:
    """Versions of Python and the libraries, as JSON."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return canonical_json(found)


def canonical_json(data: Any) -> str:
    """JSON with one spelling, for hashes and attributes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def run_key(problem: ChargingProblem, engine: str, options: dict[str, Any], times: FloatArray) -> str:
    """Hash of all that decides a run's content: problem, engine, options, output times, and our versions."""
    text = canonical_json(
        [SCHEMA_VERSION, NUMERICS_VERSION, problem.content_hash, engine, options, np.asarray(times).tolist()]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def build_record(
    problem: ChargingProblem, engine: str, options: dict[str, Any], reason: str, solution: Solution, wall_time: float
) -> Record:
    """Assemble the dataset of one run."""
    import xarray as xr

    n = problem.n_spins
    cost = problem.cost
    values: dict[str, Any] = {
        "magnetization": ((), solution.mean),
        "variance": ((), solution.variance),
        "std": ((), math.sqrt(solution.variance)),
        "magnetization_error": ((), solution.mean_error),
        "norm_error": ((), solution.norm_error),
        "duration": ((), problem.protocol.duration),
        "hs_cost": ((), cost.integral),
        "hs_cost_peak": ((), cost.peak),
        "hs_cost_matched": ((), cost.matched),
        "spin_magnetization": ("spin", solution.spin_magnetization),
        "distribution": ("sz_total", solution.distribution),
        "problem": ((), canonical_json(problem.to_dict())),
        "spin": ("spin", np.arange(n)),
        "sz_total": ("sz_total", np.arange(-n, n + 1, 2)),
    }
    if solution.variance > VARIANCE_FLOOR:
        values["precision"] = ((), 1.0 / solution.variance)
        values["precision_error"] = ((), solution.precision_error)
    else:
        values["precision_bound"] = ((), 1.0 / VARIANCE_FLOOR)
    if len(solution.times):
        values["time"] = ("time", solution.times)
        values["magnetization_t"] = ("time", solution.trajectory_mean)
        values["std_t"] = ("time", np.sqrt(solution.trajectory_variance))
        values["energy_t"] = ("time", solution.trajectory_energy)
        values["magnetization_t_error"] = ("time", solution.trajectory_mean_error)
        values["variance_t_error"] = ("time", solution.trajectory_variance_error)
    if solution.state is not None:
        values["state"] = (("amplitude", "part"), np.column_stack([solution.state.real, solution.state.imag]))
        values["part"] = ("part", ["real", "imag"])
    variables = {name: xr.Variable(dims, data, _described(name)) for name, (dims, data) in values.items()}
    dataset = xr.Dataset(variables, attrs=_provenance(problem, engine, options, reason, solution, wall_time))
    return Record(dataset, problem)


def _described(name: str) -> dict[str, str]:
    """Unit and meaning of a variable, where it has them."""
    attributes = {"units": UNITS.get(name), "long_name": LONG_NAMES.get(name)}
    return {key: value for key, value in attributes.items() if value is not None}


def _provenance(
    problem: ChargingProblem, engine: str, options: dict[str, Any], reason: str, solution: Solution, wall_time: float
) -> dict[str, Any]:
    """Attributes that say what was run, by what, and how to run it again."""
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "problem_hash": problem.content_hash,
        "run_key": run_key(problem, engine, options, solution.times),
        "network": problem.network.name,
        "protocol": problem.protocol.name,
        "scales": problem.scales.name,
        "engine": engine,
        "engine_options": canonical_json(options),
        "engine_reason": reason,
        "discretisation": canonical_json(solution.discretisation),
        "versions": _versions(),
        "wall_time_s": wall_time,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _digest(dataset: xr.Dataset, left_out: frozenset[str]) -> str:
    """SHA-256 over all variables and all attributes but those left out."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        values = np.asarray(variable.values)
        described = sorted((key, _plain(value)) for key, value in variable.attrs.items())
        digest.update(f"{name}:{variable.dims}:{values.shape}:{described}".encode())
        digest.update(str(values.tolist()).encode() if values.dtype.kind in "OUT" else values.tobytes())
    attributes = {key: _plain(value) for key, value in dataset.attrs.items() if key not in left_out}
    digest.update(canonical_json(attributes).encode())
    return digest.hexdigest()


def _checksum(dataset: xr.Dataset) -> str:
    return _digest(dataset, frozenset({"checksum"}))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


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
        """1/sigma^2, or None where sigma is zero to rounding; then see :attr:`precision_bound`."""
        return self._scalar("precision") if "precision" in self.dataset else None

    @property
    def precision_bound(self) -> float | None:
        """Lower bound of 1/sigma^2 where sigma is zero to rounding, else None."""
        return self._scalar("precision_bound") if "precision_bound" in self.dataset else None

    @property
    def magnetization_error(self) -> float:
        """Estimated absolute error of mu."""
        return self._scalar("magnetization_error")

    @property
    def precision_error(self) -> float | None:
        """Estimated relative error of the precision, or None where there is no precision."""
        return self._scalar("precision_error") if "precision_error" in self.dataset else None

    @property
    def error_estimate(self) -> float:
        """The larger of the two errors: what the engine's tolerance promises."""
        return max(self.magnetization_error, self.precision_error or 0.0)

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
        """Hash of problem, engine, options and output times: the name of its file in a store."""
        return str(self.dataset.attrs["run_key"])

    @property
    def content_hash(self) -> str:
        """SHA-256 of all but when and how fast it was computed: equal for runs that agree to the last bit."""
        return _digest(self.dataset, _EXECUTION)

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
        """Splitting, steps and halvings of the run."""
        found: dict[str, Any] = json.loads(self.dataset.attrs["discretisation"])
        return found

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
        precision = f"1/sigma^2 = {self.precision:.6g}" if self.precision else "sigma = 0"
        return (
            f"Record({self.dataset.attrs['network']}, {self.dataset.attrs['protocol']}, {self.duration:g} ns, "
            f"{self.engine}: mu = {self.magnetization:.6f}, {precision}, error {self.error_estimate:.1e})"
        )

    def to_bytes(self) -> bytes:
        """The netCDF file that :meth:`save` writes; the time of writing is in it, so compare :attr:`content_hash`.

        Raises:
            RecordError: it holds a name, a text or a type that netCDF cannot.
        """
        try:
            return encode(self.dataset, {**self.dataset.attrs, "checksum": _checksum(self.dataset)})
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
        path = Path(path)
        content = self.to_bytes() if content is None else content
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
        except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
            reason = getattr(error, "strerror", None) or error
            raise RecordError(
                f"cannot write {str(path)!r}: {reason}; the folder must exist, be writable and have room."
            ) from error
        return path


def read_record(path: str | Path) -> Record:
    """Read a record and check it.

    Raises:
        RecordError: no such file, no netCDF, not a record, another schema version, or damaged
            (its checksum does not match).
    """
    path = Path(path)
    if not path.is_file():
        raise RecordError(f"there is no record file {str(path)!r}.")
    try:
        dataset = decode(path.read_bytes())
    except OSError as error:
        raise RecordError(f"cannot read {str(path)!r}: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(
            f"{str(path)!r} is not a readable netCDF record: {error}; if it was one, delete it and compute it again."
        ) from None
    attributes = {key: _plain(value) for key, value in dataset.attrs.items()}
    if attributes.get("schema") != SCHEMA:
        raise RecordError(f"{str(path)!r} is netCDF but no spinbattery record; write records with Record.save.")
    if attributes.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema version {attributes.get('schema_version')}, but this spinbattery reads "
            f"version {SCHEMA_VERSION}; compute it again or read it with the version that wrote it."
        )
    missing = [name for name in REQUIRED if name not in dataset]
    if missing:
        raise RecordError(f"{str(path)!r} is damaged: it lacks {', '.join(missing)}; delete it and compute it again.")
    expected = attributes.pop("checksum", None)
    dataset.attrs = attributes
    try:
        intact = _checksum(dataset) == expected
    except (TypeError, ValueError):  # an attribute that no record has
        intact = False
    if not intact:
        raise RecordError(f"{str(path)!r} is damaged: its checksum does not match; delete it and compute it again.")
    return Record(dataset)
