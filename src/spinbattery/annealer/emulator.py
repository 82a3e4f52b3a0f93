"""A quantum annealer emulated by Monte Carlo, with the interface of the real one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dimod
import numpy as np

from .. import __version__
from ..core.checks import finite, instance, switch, whole_number
from ..core.errors import EnergyScalesError, InsufficientMemoryError, InvalidParameterError, did_you_mean
from ..core.machine import available_memory, n_cores
from ..core.progress import Progress, checked_progress, silent
from ..core.units import BOLTZMANN_GHZ_PER_KELVIN
from ..model.network import SpinNetwork
from ..model.scales import EnergyScales, as_scales
from ..records.hashing import canonical_json
from ..solver.limits import check
from ..solver.parsing import ParsedRequest
from ..solver.timing import qpu_timing
from .device import CHIP_ID, QPU_PARAMETERS, Device, device_of
from .freeze_out import run_closed_form
from .job import AnnealJob, DenseProblem, SpinArray
from .options import OWN_PARAMETERS, Model, Options
from .prediction import required_bytes
from .programming import Program, dense_problem, scale_factor
from .rotors import run_rotors
from .schedule import AnnealSchedule, SweepEnergies
from .streams import CallSeeds, Streams
from .worldlines import run_worldlines

if TYPE_CHECKING:
    import networkx as nx

_KELVIN_PER_MILLIKELVIN = 1e-3


class EmulatedAnnealer(dimod.Sampler, dimod.Structured, dimod.Scoped):
    """A dimod sampler that takes what a D-Wave QPU takes, and samples on this machine.

    Reverse anneals with a gain of the fields, which no other public sampler emulates::

        import dwave.graphs
        from spinbattery.annealer.emulator import EmulatedAnnealer

        sampler = EmulatedAnnealer(graph=dwave.graphs.pegasus_graph(2), seed=1)
        h = {qubit: -0.5 for qubit in sampler.nodelist}
        J = {coupler: -0.2 for coupler in sampler.edgelist}
        answer = sampler.sample_ising(
            h, J, num_reads=100, answer_mode="raw", auto_scale=False,
            anneal_schedule=[[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
            h_gain_schedule=[[0, 0], [20, 0], [40, 1], [60, 0]],
            initial_state={qubit: -1 for qubit in sampler.nodelist},
        )
        print(answer.record.sample.mean())  # 0.99...: charged, from -1 to +1

    The Hamiltonian is -A(s)/2 sum X + B(s)/2 (g sum h Z + sum J Z Z). Models: ``svmc-tf``, spin-vector Monte Carlo with
    proposals of width pi min(1, A/B), which freezes out by itself; ``closed-form``, each spin in equilibrium at
    ``freeze_out``, instant; ``pimc``, path-integral Monte Carlo of qubits that move while s < ``freeze_out``, for small
    networks. All are thermal and have no coherence. Monte Carlo sweeps are not microseconds, and the temperature is a
    parameter of the model, not a measured temperature of the chip.

    Args:
        graph: qubits and couplers: a SpinNetwork, a networkx graph, or the properties of a solver, as a mapping or a
            JSON file, whose limits then hold. By default a whole Pegasus P16 with the limits documented for Advantage.
        scales: A(s) and B(s); Advantage_system6 by default, except for solvers that have others.
        temperature: in mK.
        sweeps: Monte Carlo sweeps of one anneal, equally spaced in time, whatever its duration.
        seed: of a series of calls. Calls differ, and a sampler made with the same seed repeats the series. By default
            every sampler differs. The ``info`` of an answer holds the seed that repeats the call.
        readout_error: probability that a bit is read flipped, 0 to 0.5.
        stuck: qubits that keep one value, in the dynamics and in all reads: a mapping to -1 or +1, or a list of qubits
            at -1.
        model: ``svmc-tf``, ``closed-form`` or ``pimc``.
        freeze_out: annealing fraction s at which the spins freeze in ``closed-form`` and ``pimc``.
        crosstalk: parasitic couplings in units of B(s)/2, a mapping of pairs of qubits. They act between the qubits of
            a problem whatever is programmed, and auto-scaling does not change them. By default the network's own.
        threads: number of threads, by default one per core; the result does not depend on it.
        strict: whether the limits of the machine (ranges, reads, durations, slopes, steps of times) bind. By default
            a request beyond them is sampled, and the ``info`` of the answer names these limits.
        progress: called about ten times per second with the fraction done; an exception it raises stops the call.

    Raises:
        InvalidParameterError: a setting is out of range, or names qubits that the graph does not have.
        NetworkError: the graph is not of spins.
        EnergyScalesError: no scales, for a solver that is no Advantage of the pegasus family.
    """

    def __init__(
        self,
        *,
        graph: SpinNetwork | nx.Graph[Any] | Mapping[str, Any] | str | Path | None = None,
        scales: EnergyScales | None = None,
        temperature: float = 18.0,
        sweeps: int = 5000,
        seed: int | None = None,
        readout_error: float = 0.0,
        stuck: Mapping[Hashable, int] | Iterable[Hashable] = (),
        model: Model = "svmc-tf",
        freeze_out: float = 0.5,
        crosstalk: Mapping[tuple[Hashable, Hashable], float] | None = None,
        threads: int | None = None,
        strict: bool = False,
        progress: Progress = silent,
    ) -> None:
        self._graph = graph
        self._scales = as_scales(scales)
        self._options = Options(temperature, sweeps, readout_error, stuck, model, freeze_out)  # type: ignore[arg-type]
        self._seeds = CallSeeds(None if seed is None else whole_number("seed", seed, least=0))
        self._threads = n_cores() if threads is None else whole_number("threads", threads)
        self.strict = switch("strict", strict)
        self._progress = checked_progress(progress)
        if graph is not None and scales is None and (reason := self._device.other_scales):
            raise EnergyScalesError(reason)
        self._given_crosstalk = None if crosstalk is None else self._checked_crosstalk(crosstalk)
        self._check_stuck(self._options)

    @cached_property
    def _device(self) -> Device:
        # a whole P16 takes a moment to build
        return device_of(self._graph)

    @cached_property
    def nodelist(self) -> list[Hashable]:
        """Qubits, in the order of the graph."""
        return list(self._device.labels)

    @cached_property
    def edgelist(self) -> list[tuple[Hashable, Hashable]]:
        """Couplers."""
        return self._device.couplers(self._device.labels)

    @cached_property
    def properties(self) -> dict[str, Any]:
        """Properties with the keys of a QPU; ``category`` is software, and no chip has this ``chip_id``."""
        return self._device.properties()

    @cached_property
    def parameters(self) -> dict[str, list[str]]:
        """Parameters of `sample`, with the properties that concern them; ``properties`` describes them."""
        found: dict[str, list[str]] = {name: ["parameters"] for name in sorted(QPU_PARAMETERS | OWN_PARAMETERS)}
        for name in found:
            found[name] += [key for key in (f"{name}_range", f"max_{name}_points") if key in self.properties]
        found["auto_scale"] += ["h_range", "j_range", "extended_j_range", "per_qubit_coupling_range"]
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """Plain data for records and keys: all that determines the reads, except a call's parameters and seed."""
        graph = [self._device.network.content_hash, [[*pair, value] for pair, value in self._crosstalk.items()]]
        return {**self._options.to_dict(), "graph": hashlib.sha256(canonical_json(graph).encode()).hexdigest()}

    @property
    def scales(self) -> EnergyScales:
        """A(s) and B(s)."""
        return self._scales

    def __repr__(self) -> str:
        options = self._options
        return (
            f"EmulatedAnnealer({self._device.network!r}, {options.model}, {options.temperature:g} mK, "
            f"{options.sweeps} sweeps)"
        )

    def close(self) -> None:
        """Do nothing; a QPU sampler has this method."""

    @dimod.bqm_structured  # type: ignore[untyped-decorator]
    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Anneal a problem.

        Args:
            bqm: SPIN or BINARY, on nodes and edges of this sampler.
            parameters: of a QPU, or the emulator's own, as ``properties["parameters"]`` describes them; times in us.
                A parameter that is None counts as not given. ``initial_state`` has the values of ``bqm``: -1 and +1
                for SPIN, 0 and 1 for BINARY.

        Returns:
            Samples with the energies of ``bqm``. ``info`` holds ``timing`` in us: the ``emulation_time`` on this
            machine and, under the names of a QPU, the times of the job there if the solver publishes timing data. It
            holds ``limits``, one sentence for each limit of the machine that the request is beyond, ``problem_id``,
            ``problem_label``, the parameters sent, and under ``emulator`` the settings, the seed that repeats the call
            and the factor by which auto-scaling divided h and J.

        Raises:
            LimitError: the request is malformed, or beyond limits of the solver with ``strict``; the error lists all.
            InvalidParameterError: an unknown parameter, or a setting out of range.
            InsufficientMemoryError: the reads would not fit into memory.
            EngineError: the model cannot treat the problem.
            dimod.exceptions.BinaryQuadraticModelStructureError: the problem does not fit the graph.
        """
        begin = time.perf_counter()
        sent, own = self._split(parameters)
        options = self._options.overridden(own)
        self._check_stuck(options)
        seed = self._seeds.next() if own.get("seed") is None else whole_number("seed", own["seed"], least=0)
        program = Program.of(bqm, self._device)
        request = program.request(self._device, sent)
        limits: list[str] = []
        if program.n_spins or request.faults:
            limits = check(self._numbered_properties, request, self.strict)
        factor = scale_factor(self.properties, program) if request.auto_scale else 1.0
        problem = dense_problem(program, factor, self._crosstalk, options.stuck, self._device)
        self._check_memory(problem, request.num_reads)
        streams, spins = Streams(seed), np.empty((request.num_reads, 0), dtype=np.int8)
        if program.n_spins:
            spins = self._anneal(problem, request, options, streams)
            _read_out(spins, problem, options.readout_error, streams)
        answer = _sample_set(bqm, program, spins, request)
        answer.info.update(_info(request, options, seed, factor))
        answer.info["limits"] = [str(limit) for limit in limits]
        answer.info["timing"] = {
            **self._machine_timing(program.n_spins, request),
            "emulation_time": (time.perf_counter() - begin) * 1e6,
        }
        return answer

    def _machine_timing(self, n_qubits: int, request: ParsedRequest) -> dict[str, float]:
        """Times that a QPU would report of this job; empty where the solver's timing data do not suffice."""
        with suppress(InvalidParameterError):
            return qpu_timing(self.properties, n_qubits, request).to_info()
        return {}

    def _split(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters of a QPU, and the emulator's own."""
        given = {name: value for name, value in parameters.items() if value is not None}
        known = QPU_PARAMETERS | OWN_PARAMETERS
        for name in given:
            if name not in known:
                raise InvalidParameterError(f"the emulator has no parameter {name!r}.{did_you_mean(name, known)}")
        own = {name: given.pop(name) for name in OWN_PARAMETERS if name in given}
        return given, own

    def _anneal(self, problem: DenseProblem, request: ParsedRequest, options: Options, streams: Streams) -> SpinArray:
        schedule = AnnealSchedule.of(request, float(self.properties.get("default_annealing_time", 20.0)))
        start = None
        if request.problem is not None and request.initial_state is not None:
            start = request.initial_state.spins(request.problem.qubits)
        job = AnnealJob(
            problem=problem,
            schedule=schedule,
            sweeps=SweepEnergies.of(schedule, self._scales, options.sweeps),
            kt=options.temperature * _KELVIN_PER_MILLIKELVIN * BOLTZMANN_GHZ_PER_KELVIN,
            freeze_out=options.freeze_out,
            reads=request.num_reads,
            start=start,
            chained=request.is_reverse and not request.reinitialize_state,
            streams=streams,
            threads=self._threads,
            progress=self._progress,
        )
        if options.model == "closed-form":
            return run_closed_form(job, self._scales)
        return run_rotors(job) if options.model == "svmc-tf" else run_worldlines(job)

    def _check_memory(self, problem: DenseProblem, reads: int) -> None:
        needed = required_bytes(problem.n_spins, len(problem.pairs), reads, self._threads)
        left = available_memory()
        if needed > left:
            raise InsufficientMemoryError(
                f"{reads} reads of {problem.n_spins} spins on {self._threads} threads need about {needed / 1e9:.3g} "
                f"GB, but {left / 1e9:.3g} GB are available; send fewer reads per call, or use fewer threads."
            )

    @cached_property
    def _numbered_properties(self) -> dict[str, Any]:
        """The properties with numbers in place of labels."""
        numbers = self._device.numbers
        return self.properties | {"qubits": list(numbers), "couplers": self._device.couplers(numbers)}

    @cached_property
    def _crosstalk(self) -> dict[tuple[int, int], float]:
        """Parasitic couplings of pairs of places in the graph."""
        if self._given_crosstalk is not None:
            return self._given_crosstalk
        network = self._device.network
        pairs = map(tuple, network.crosstalk_pairs.tolist())
        return dict(zip(pairs, network.crosstalk.tolist(), strict=True))

    def _checked_crosstalk(self, crosstalk: Mapping[Any, Any]) -> dict[tuple[int, int], float]:
        place, found = self._device.place, {}
        crosstalk = instance("crosstalk", crosstalk, Mapping, "of pairs of qubits to couplings")  # type: ignore[type-abstract]
        for pair, value in crosstalk.items():
            if not (isinstance(pair, tuple) and len(pair) == 2 and all(end in place for end in pair)):
                raise InvalidParameterError(f"crosstalk is between pairs of qubits of the graph, but {pair!r} is none.")
            first, second = sorted(place[end] for end in pair)
            if first == second or (first, second) in found:
                raise InvalidParameterError(f"crosstalk names each pair of two qubits once, but not so {pair!r}.")
            found[first, second] = finite(f"crosstalk of {pair!r}", value)
        return found

    def _check_stuck(self, options: Options) -> None:
        unknown = [label for label in options.stuck if label not in self._device.place]
        if unknown:
            raise InvalidParameterError(f"stuck names qubits that the graph does not have, such as {unknown[0]!r}.")


def _read_out(spins: SpinArray, problem: DenseProblem, readout_error: float, streams: Streams) -> None:
    """Apply readout errors in place: some bits flip at random, and stuck ones keep their value."""
    if readout_error > 0.0:
        for read in range(len(spins)):
            wrong = streams.generator(read, "readout").random(problem.n_spins) < readout_error
            spins[read, wrong] *= -1
    held = problem.stuck != 0
    spins[:, held] = problem.stuck[held]


def _sample_set(
    bqm: dimod.BinaryQuadraticModel, program: Program, spins: SpinArray, request: ParsedRequest
) -> dimod.SampleSet:
    """Reads in their order, or a histogram by energy."""
    samples = spins if bqm.vartype is dimod.SPIN else (spins + 1) // 2
    answer = dimod.SampleSet.from_samples_bqm((samples, list(program.variables)), bqm)
    mode = request.answer_mode or ("histogram" if request.initial_state is None else "raw")
    return answer if mode == "raw" else answer.aggregate().slice(sorted_by="energy")


def _info(request: ParsedRequest, options: Options, seed: int, factor: float) -> dict[str, Any]:
    parameters = {name: _plain(value) for name, value in request.sent.items() if name != "initial_state"}
    found: dict[str, Any] = {
        "problem_id": f"emulated-{uuid4()}",
        "emulator": {
            "name": CHIP_ID,
            "version": __version__,
            **options.to_dict(),
            "seed": seed,
            "scale_factor": factor,
        },
        "parameters": parameters,
    }
    return found if request.label is None else {**found, "problem_label": request.label}


def _plain(value: Any) -> Any:
    """Arrays as lists and numpy's numbers as Python's, so that the info can be saved as JSON."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
