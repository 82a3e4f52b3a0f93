"""Whether ``auto`` picks the faster of the two exact engines, and the accuracy of its predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import numpy as np

from spinbattery.engines.choice import choose_engine
from spinbattery.engines.common.contract import Engine
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.engines.symmetric.engine import Symmetric
from spinbattery.model.graph_import import from_networkx
from spinbattery.model.network import SpinNetwork
from spinbattery.model.network_text import parse_network
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.protocol import cooperative
from spinbattery.model.symmetry import symmetry_group

from .contestants import COUPLING, FIELD, HOLD, forget_symmetries
from .pairing import paired

FACTOR = 3.0
"""Goal: predictions are right within this factor."""

_RANDOM_DEGREE, _RANDOM_SEED = 3, 1


@dataclass(frozen=True)
class PredictedJob:
    """A network, as text or as ``path:N`` or ``random:N``, and a duration in ns."""

    network: str
    duration: float

    @property
    def name(self) -> str:
        return f"{self.network}, {self.duration:g} ns"

    def problem(self) -> ChargingProblem:
        return ChargingProblem(_network(self.network), cooperative(self.duration, J=COUPLING, h=FIELD, s_hold=HOLD))


def jobs(*, quick: bool = False) -> list[PredictedJob]:
    """Many symmetries and few, four to sixteen spins; 60 ns up to twelve."""
    if quick:
        return [PredictedJob(network, 20.0) for network in ("ring:4", "complete:6", "path:6", "random:6")]
    small = [
        *("ring:4", "ring:8", "ring:12", "torus:2x3", "torus:3x3", "torus:3x4", "complete:4", "complete:8"),
        *("complete:12", "path:4", "path:8", "path:12", "random:8", "random:12"),
    ]
    large = ["ring:16", "torus:4x4", "complete:16", "path:14", "random:14"]
    return [
        *(PredictedJob(network, duration) for network in small for duration in (20.0, 60.0)),
        *(PredictedJob(network, 20.0) for network in large),
    ]


@dataclass(frozen=True)
class Predicted:
    """One engine on one job: predicted and measured seconds on one thread."""

    predicted: float
    measured: float

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        return self.measured / self.predicted


@dataclass(frozen=True)
class Choice:
    """The choice of ``auto`` for a job, and the times of both engines.

    Attributes:
        order: of the symmetry group.
        dimension: of the symmetric sector.
        engines: by name; the symmetric one is missing where there is no symmetry.
        picked: name of the engine that ``auto`` took.
    """

    job: PredictedJob
    order: int
    dimension: int
    engines: dict[str, Predicted]
    picked: str

    @property
    def loss(self) -> float:
        """How many times longer the pick takes than the faster of the two."""
        return self.engines[self.picked].measured / min(one.measured for one in self.engines.values())

    @property
    def is_faster(self) -> bool:
        return self.loss == 1.0


def check_predictions(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> list[Choice]:
    """Predict, pick and measure every job; CPU seconds of one thread, medians of the rounds."""
    found = []
    for job in jobs(quick=quick):
        found.append(check(job, rounds))
        say(f"{job.name}: {found[-1].picked}, {found[-1].loss:.2f} times the faster one")
    return found


def check(job: PredictedJob, rounds: int) -> Choice:
    """Predict, pick and measure one job, on as many threads as engines take."""
    problem = job.problem()
    engines: list[Engine] = [engine for engine in (Symmetric(), Statevector()) if engine.refusal(problem) is None]
    timings = paired({engine.name: _run(engine, job) for engine in engines}, rounds)
    predicted = {
        engine.name: Predicted(
            engine.predicted_seconds(problem, np.empty(0)), float(np.median(timings[engine.name].cpu))
        )
        for engine in engines
    }
    picked, _ = choose_engine(problem)
    return Choice(job, symmetry_group(problem).order, Symmetric.dimension(problem), predicted, picked.name)


def _run(engine: Engine, job: PredictedJob) -> Callable[[], object]:
    def run() -> object:
        forget_symmetries()
        return engine.run(job.problem())

    return run


def _network(text: str) -> SpinNetwork:
    kind, _, size = text.partition(":")
    if kind == "path":
        return from_networkx(nx.path_graph(int(size)), name=text)
    if kind == "random":
        return from_networkx(nx.random_regular_graph(_RANDOM_DEGREE, int(size), seed=_RANDOM_SEED), name=text)
    return parse_network(text)
