"""Engines that draw reads: the emulated annealer, and any dimod sampler with an annealer's parameters."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...annealer import prediction
from ...annealer.composites import changing_composite, layers
from ...annealer.options import Model, Options
from ...core.checks import several, switch, whole_number
from ...core.errors import EngineError, InvalidParameterError, SpinBatteryError
from ...core.machine import n_cores
from ...core.progress import Progress, silent
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...model.scales import advantage_system6
from ...model.topology import other_scales
from ...records.options import Column, option
from ...records.readout import Readout, of_emulation
from ...solver.limits import malformed, violations
from ...solver.request import MIN_READS, SamplerRequest, placement_mark, readout, sampler_request
from ...solver.timing import qpu_access_time
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine, derived_seed
from ..common.options import SEED

if TYPE_CHECKING:
    import dimod

    from ...annealer.emulator import EmulatedAnnealer
    from ..common.known_results import KnownResult

_BYTES_PER_READ_AND_SPIN = 24
"""Reads as bytes, as rows of dimod, and as parts of a record."""

_BYTES_PER_READ_AND_PAIR = 2
_BYTES_PER_PAIR = 600
"""Pairs as dictionaries of Ocean and as text in the record."""

_NEEDED = ("anneal_schedule", "h_gain_schedule", "initial_state")
"""Parameters without which a sampler cannot follow a protocol."""


_NAMES = ("chip_id", "graph_id", "topology")
"""Properties by which a record names the solver."""


@dataclass(frozen=True)
class SampledEngine(Engine):
    """Base of the engines that draw reads.

    Attributes:
        reads: number of reads, two or more.
        seed: for samplers that take one. The sampler's seed is derived from it and the problem, so that runs of
            different problems with equal seeds are independent. By default it is derived as well.

    Raises:
        InvalidParameterError: fewer than two reads, or a seed below zero.
    """

    reads: int = field(
        default=1000, metadata=option("Number of reads.", column=Column("INTEGER", "reads of an annealer"), least=2)
    )
    seed: int | None = field(default=None, metadata=SEED)

    def __post_init__(self) -> None:
        whole_number("reads", self.reads, least=MIN_READS)
        if self.seed is not None:
            whole_number("seed", self.seed, least=0)

    @abstractmethod
    def sampler_for(self, problem: ChargingProblem, progress: Progress = silent) -> dimod.Sampler:
        """The sampler that draws the reads."""

    def refusal(self, problem: ChargingProblem) -> str | None:
        sampler = self.sampler_for(problem)
        strict = _binds(sampler)
        try:
            request = sampler_request(problem, self.reads, strict=strict)
        except EngineError as error:
            return str(error)
        found = violations(sampler.properties, request.h, request.J, self.arguments(sampler, request))
        found = found if strict else malformed(found)
        return "\n".join(found) if found else None

    def arguments(self, sampler: dimod.Sampler, request: SamplerRequest) -> dict[str, Any]:
        """The parameters of a request that this sampler takes."""
        return {name: value for name, value in request.parameters.items() if name in sampler.parameters}

    def solve(self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint) -> Readout:
        if len(times):
            raise EngineError(
                f"the {self.name} engine reads spins only at the end; ask for no output times (points, plot)."
            )
        sampler = self.sampler_for(problem, progress)
        request = sampler_request(problem, self.reads, strict=_binds(sampler))
        given = self.arguments(sampler, request)
        if self.seed is not None and self.takes_seed:
            # derived from the problem too: equal seeds must not couple the reads of different problems
            given["seed"] = derived_seed(problem, self.name, self.seed)
        samples = sampler.sample_ising(request.h, request.J, **given)
        samples.resolve()
        solver = {name: sampler.properties[name] for name in _NAMES if name in sampler.properties}
        model, execution = of_emulation(samples.info)
        reads = replace(
            readout(samples, request.qubits),
            sampler={"solver": solver, "parameters": request.to_dict(), **model},
            execution=execution,
        )
        return replace(reads, job=_job_of(reads)) if self.measures else reads


def _job_of(reads: Readout) -> str:
    """The job's number, or a hash of its reads if the sampler gives none."""
    found = reads.execution.get("problem_id")
    assert reads.spins is not None  # samplers give spins
    return hashlib.sha256(reads.spins.tobytes()).hexdigest() if found is None else str(found)


def _binds(sampler: dimod.Sampler) -> bool:
    """Whether limits bind: always for a machine, and for an emulated one if it is strict."""
    *_, innermost = layers(sampler)
    return bool(getattr(innermost, "strict", True))


@dataclass(frozen=True)
class Emulator(SampledEngine):
    """The emulated annealer, with the network itself as its working graph.

    A classical thermal model with free parameters: Monte Carlo sweeps are no microseconds, and the temperature is not
    the chip's; see :class:`~spinbattery.annealer.emulator.EmulatedAnnealer`.

    Attributes:
        temperature: mK.
        sweeps: Monte Carlo sweeps over the whole protocol, whatever its duration.
        model: ``svmc-tf``, ``closed-form`` or ``pimc``.
        readout_error: probability that a bit is read wrongly.
        stuck: qubits that read -1 always.
        strict: whether the limits of an Advantage QPU bind (reads, durations, slopes, ranges). By default a run beyond
            them is computed, and its record names them in ``sampler_info["limits"]``.
    """

    name: ClassVar[str] = "emulator"
    summary: ClassVar[str] = "reads of an emulated annealer"
    takes: ClassVar[str] = "networks that a chip has, or any where limits do not bind"
    accuracy: ClassVar[Accuracy] = Accuracy.STATISTICAL
    emulates_machine: ClassVar[bool] = True

    temperature: float = field(
        default=18.0,
        metadata=option(
            "Temperature in mK.", column=Column("REAL", "temperature of an emulated annealer", "mK"), curve=True
        ),
    )
    sweeps: int = field(
        default=5000,
        metadata=option(
            "Monte Carlo sweeps over the whole protocol.",
            column=Column("INTEGER", "Monte Carlo sweeps of an emulated annealer"),
            curve=True,
            least=1,
        ),
    )
    model: Model = field(
        default="svmc-tf", metadata=option(column=Column("TEXT", "model of an emulated annealer"), curve=True)
    )
    readout_error: float = field(
        default=0.0,
        metadata=option(column=Column("REAL", "probability that an emulated annealer misreads a bit"), curve=True),
    )
    stuck: tuple[int, ...] = ()
    strict: bool = field(
        default=False,
        metadata=option("Refuse what an Advantage QPU would refuse, instead of a note on it.", later=True),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.stuck, Mapping):
            raise InvalidParameterError("stuck lists the qubits that read -1; for others use Annealer with a sampler.")
        object.__setattr__(self, "stuck", tuple(several("stuck", self.stuck)))
        switch("strict", self.strict)
        Options(self.temperature, self.sweeps, self.readout_error, self.stuck, self.model)  # type: ignore[arg-type]

    @classmethod
    def self_tests(cls) -> list[tuple[Engine, KnownResult]]:
        from ..common.known_results import thermal_pairs

        engine = cls()
        return [(engine, thermal_pairs(engine.temperature))]

    def refusal(self, problem: ChargingProblem) -> str | None:
        self.sampler_for(problem)  # refuses stuck qubits that are not there
        # limits are checked on numbers of qubits, and labels may be anything
        unlabelled = replace(problem, network=replace(problem.network, labels=None))
        return super(Emulator, replace(self, stuck=())).refusal(unlabelled)

    def sampler_for(self, problem: ChargingProblem, progress: Progress = silent) -> EmulatedAnnealer:
        from ...annealer.emulator import EmulatedAnnealer

        return EmulatedAnnealer(
            graph=problem.network,
            scales=problem.scales,
            temperature=self.temperature,
            sweeps=self.sweeps,
            model=self.model,
            readout_error=self.readout_error,
            stuck=self.stuck,
            strict=self.strict,
            progress=progress,
        )

    def required_bytes(self, problem: ChargingProblem) -> int:
        sampling = prediction.required_bytes(problem.n_spins, len(problem.couplings[0]), self.reads, n_cores())
        return sampling + _bytes_of_reads(problem, self.reads)

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        n_couplings = int(np.count_nonzero(problem.couplings[1]))
        return prediction.predicted_seconds(
            problem.n_spins, n_couplings, self.reads, self.sweeps, threads=1, model=self.model
        )


@dataclass(frozen=True)
class Annealer(SampledEngine):
    """Any dimod sampler that takes an annealer's parameters, such as ``DWaveSampler`` or ``EmulatedAnnealer``.

    Spins are the qubits that the network's labels name, so that a network for a device is made from its working graph
    (:meth:`spinbattery.WorkingGraph.from_properties`). A job of a real QPU is lost with this process: for paid jobs use
    ``spinbattery qpu``. Limits of a machine always bind, limits of an EmulatedAnnealer if it is ``strict``. Composites
    that change a request are refused, such as SpinReversalTransformComposite around a reverse anneal, whose initial
    state it does not change.

    Attributes:
        sampler: a store identifies it by its class, ``chip_id``, ``graph_id`` and, for an emulator, its settings; two
            samplers alike in these count as one.
    """

    name: ClassVar[str] = "annealer"
    summary: ClassVar[str] = "reads of a sampler that is given"
    takes: ClassVar[str] = "what its sampler takes; in Python alone, as Annealer(sampler)"
    accuracy: ClassVar[Accuracy] = Accuracy.STATISTICAL

    sampler: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        import dimod

        if not isinstance(self.sampler, dimod.Sampler):
            raise EngineError(f"sampler must be a dimod sampler, such as DWaveSampler(), but is {self.sampler!r}.")

    @property
    def takes_seed(self) -> bool:
        return "seed" in self.sampler.parameters

    @property
    def measures(self) -> bool:
        return not self.takes_seed

    def options(self) -> dict[str, Any]:
        """Reads and seed, and the names of the solver, since a sampler object is no plain data."""
        properties = self.sampler.properties
        names = {name: properties[name] for name in ("chip_id", "graph_id") if name in properties}
        settings = getattr(self.sampler, "settings", {})
        return {"reads": self.reads, "seed": self.seed, "sampler": type(self.sampler).__name__, **names, **settings}

    def options_for(self, problem: ChargingProblem) -> dict[str, Any]:
        """The options with the placement: the problem does not contain which qubits are its spins."""
        return {**self.options(), "placement": placement_mark(problem.network.names)}

    def sampler_for(self, problem: ChargingProblem, progress: Progress = silent) -> dimod.Sampler:
        return self.sampler

    def refusal(self, problem: ChargingProblem) -> str | None:
        missing = [name for name in _NEEDED if name not in self.sampler.parameters]
        if missing:
            return f"its sampler {type(self.sampler).__name__} takes no {', '.join(missing)}; use an annealer."
        if len(problem.network.crosstalk):
            return "a sampler's cross-talk cannot be set; give the network without it, or use the emulator engine."
        is_reverse = float(problem.protocol.s(0.0)) == 1.0
        return (
            self._other_scales(problem)
            or changing_composite(self.sampler, is_reverse=is_reverse)
            or super().refusal(problem)
        )

    def _other_scales(self, problem: ChargingProblem) -> str | None:
        """Reason why a layer of the sampler has other energy scales than the problem; None if none is known."""
        own = [layer.scales for layer in layers(self.sampler) if getattr(layer, "scales", None) is not None]
        for scales in own:
            if scales.content_hash != problem.scales.content_hash:
                return (
                    f"its sampler has the energy scales {scales.name}, and the problem {problem.scales.name}; give one."
                )
        if own or problem.scales.content_hash != advantage_system6().content_hash:
            return None
        *_, innermost = layers(self.sampler)
        topology = dict(innermost.properties.get("topology") or {"type": "pegasus"}).get("type")
        return other_scales(str(innermost.properties.get("chip_id")), str(topology)) or None

    def required_bytes(self, problem: ChargingProblem) -> int:
        return _bytes_of_reads(problem, self.reads)

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """The access time predicted from the solver's timing data, or only the anneals if it has none."""
        try:
            return 1e-6 * qpu_access_time(
                self.sampler.properties, problem.n_spins, sampler_request(problem, self.reads).parameters
            )
        except SpinBatteryError:
            return 1e-9 * self.reads * problem.protocol.duration


def _bytes_of_reads(problem: ChargingProblem, reads: int) -> int:
    pairs = problem.network.n_pairs
    return reads * problem.n_spins * _BYTES_PER_READ_AND_SPIN + pairs * (
        _BYTES_PER_PAIR + reads * _BYTES_PER_READ_AND_PAIR
    )
