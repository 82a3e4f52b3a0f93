"""The emulator's job, the emulator, and its peers of dwave-samplers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dimod
import dwave.graphs
import numpy as np
from dwave.samplers import PathIntegralAnnealingSampler, RotorModelAnnealingSampler
from numpy.typing import NDArray

from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.annealer.options import Model
from spinbattery.annealer.schedule import AnnealSchedule, SweepEnergies
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.model.scales import advantage_system6
from spinbattery.solver.parsing import parse_parameters

from .contestants import COUPLING, FIELD, HOLD

TEMPERATURE = 18.0
"""In mK, the emulator's default."""

EDGE = 0.65
"""s at both ends: A/B = 0.0017 there, and the emulator leaves out Monte Carlo sweeps below 0.001."""

_KT = 1e-3 * TEMPERATURE * BOLTZMANN_GHZ_PER_KELVIN

_US_PER_SWEEP, _JUMP_US = 0.4, 0.19
"""An annealer's schedule begins and ends at s = 1; getting there takes less than half a sweep: none falls in."""

_SEED = 1
_UINT8_PER_PI = 128.0
"""The angles of RotorModelAnnealingSampler are bytes."""


@dataclass(frozen=True)
class Answer:
    """Magnetization per spin, mean over the reads, and its standard error."""

    magnetization: float
    stderr: float


Run = Callable[[], Answer]
"""One complete call of a sampler; the problem, the start and the peers' schedules were prepared and are not timed."""


@dataclass(frozen=True)
class AnnealJob:
    """The moving part of a reverse anneal with constant gain, on a whole Pegasus, from all spins down.

    Attributes:
        size: m of Pegasus P_m.
        reads: number of reads.
        sweeps: Monte Carlo sweeps of each read; each updates every spin.
        coupling, field: J and h in units of B(s)/2.
        edge: s at the beginning and at the end.
        hold: s in the second third.
    """

    size: int
    reads: int
    sweeps: int
    coupling: float = COUPLING
    field: float = FIELD
    edge: float = EDGE
    hold: float = HOLD

    @property
    def name(self) -> str:
        return f"P{self.size}, {self.reads} reads, {self.sweeps} sweeps"

    @property
    def updates(self) -> int:
        """Spins times reads times Monte Carlo sweeps."""
        return len(self.graph()) * self.reads * self.sweeps

    def graph(self) -> Any:
        return dwave.graphs.pegasus_graph(self.size)

    def bqm(self) -> dimod.BinaryQuadraticModel:
        graph = self.graph()
        return dimod.BQM.from_ising(dict.fromkeys(graph.nodes, self.field), dict.fromkeys(graph.edges, self.coupling))

    def schedule(self) -> list[list[float]]:
        """Corners (us, s) of the schedule that the emulator gets."""
        end = _US_PER_SWEEP * max(self.sweeps, 3)  # a single Monte Carlo sweep, to time the set-up, is in the hold
        times = (0.0, _JUMP_US, end / 3, 2 * end / 3, end - _JUMP_US, end)
        levels = (1.0, self.edge, self.hold, self.hold, self.edge, 1.0)
        return [[round(t, 2), s] for t, s in zip(times, levels, strict=True)]

    def energies(self) -> SweepEnergies:
        """The emulator's A, B and g at each Monte Carlo sweep, for the peers that need them as input."""
        schedule = AnnealSchedule.of(parse_parameters({"anneal_schedule": self.schedule()}), 20.0)
        return SweepEnergies.of(schedule, advantage_system6(), self.sweeps)


def emulator(job: AnnealJob, threads: int = 1, model: Model = "svmc-tf") -> Run:
    """A new emulator on the graph, and one call of ``sample`` with every check of a solver's limits."""
    graph, bqm = job.graph(), job.bqm()
    start = dict.fromkeys(graph.nodes, -1)

    def run() -> Answer:
        # path integrals freeze at freeze_out, which no Monte Carlo sweep of this job reaches
        sampler = EmulatedAnnealer(
            graph=graph,
            temperature=TEMPERATURE,
            sweeps=job.sweeps,
            seed=_SEED,
            threads=threads,
            model=model,
            freeze_out=0.5 * (1.0 + job.edge),
        )
        answer = sampler.sample(
            bqm,
            num_reads=job.reads,
            answer_mode="raw",
            auto_scale=False,
            anneal_schedule=job.schedule(),
            initial_state=start,
        )
        return _answer(answer.record.sample)

    return run


def rotor_peer(job: AnnealJob) -> Run:
    """dwave-samplers' rotors with the same energies and the same proposals; a read is the sign of the cosine.

    The sampler's own projection draws spins from the angles at random, which is another read-out.
    """
    bqm, fields = job.bqm(), _fields(job)
    start = np.full((job.reads, len(bqm)), -1, dtype=np.int8)

    def run() -> Answer:
        answer = RotorModelAnnealingSampler().sample(
            bqm,
            num_reads=job.reads,
            initial_states=start,
            seed=_SEED,
            proposal_acceptance_criteria="MetropolisTF",
            project_states=(False, False),
            **fields,
        )
        angles = np.asarray(answer.info["rotor_states"]) * (np.pi / _UINT8_PER_PI)
        return _answer(np.where(np.cos(angles) >= 0.0, 1, -1))

    return run


def path_integral_peer(job: AnnealJob) -> Run:
    """dwave-samplers' worldlines with the same energies."""
    bqm, fields = job.bqm(), _fields(job)
    start = (np.full((job.reads, len(bqm)), -1, dtype=np.int8), list(bqm.variables))

    def run() -> Answer:
        answer = PathIntegralAnnealingSampler().sample(
            bqm, num_reads=job.reads, initial_states=start, seed=_SEED, **fields
        )
        return _answer(answer.record.sample)

    return run


def _fields(job: AnnealJob) -> dict[str, Any]:
    """B/2 and A/2 over kT at each Monte Carlo sweep."""
    sweeps = job.energies()
    return {
        "beta_schedule_type": "custom",
        "Hp_field": sweeps.ising / (2.0 * _KT),
        "Hd_field": sweeps.transverse / (2.0 * _KT),
    }


def _answer(spins: NDArray[Any]) -> Answer:
    values = spins.mean(axis=1)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return Answer(float(values.mean()), float(error))
