"""The main verb: charge a network by a protocol and return the record."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from .arguments import switch
from .engines.base import Engine, output_times
from .engines.checkpoint import Checkpoint
from .engines.lindblad import Lindblad
from .engines.mean_field import MeanField
from .engines.product import Product
from .engines.qtealeaves import QTeaLeaves
from .engines.sampling import Emulator
from .engines.statevector import Statevector
from .engines.symmetric import Symmetric
from .engines.tensor import TensorNetwork
from .engines.trajectories import Trajectories
from .engines.truncated_wigner import TruncatedWigner
from .errors import EngineError, InvalidParameterError, did_you_mean
from .hashing import run_key
from .network import SpinNetwork
from .network_text import as_network
from .noise import Noise, as_noise
from .problem import ChargingProblem
from .progress import Progress, checked_progress, silent
from .recipe import ProtocolLike, as_protocol
from .record import Record
from .scales import EnergyScales
from .store.folder import Store, as_store
from .topology import scales_for

if TYPE_CHECKING:
    import networkx as nx

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine
    for engine in (
        Product,
        Symmetric,
        Statevector,
        TensorNetwork,
        QTeaLeaves,
        Lindblad,
        Trajectories,
        Emulator,
        MeanField,
        TruncatedWigner,
    )
}
"""Engines that have a name alone; an annealer needs a sampler besides."""


DEFAULT_TOLERANCE = 1e-6

_CLEARLY_LESS = 0.8
"""Of the time of the state vector: predictions are no better, and small problems take the same either way."""


_MUCH_MEMORY, _VERY_MUCH_MEMORY = 1 << 30, 1 << 33
"""Bytes from which a sector that needs more of them than the state vector is not chosen, and one that needs less is."""


def choose_engine(problem: ChargingProblem, tolerance: float | None = None) -> tuple[Engine, str]:
    """The engine for a problem, and why it was chosen: an exact one wherever one can do it.

    Args:
        problem: what it is for.
        tolerance: promised error; 1e-6 by default, and 1e-4 of the discretisation of trajectories.
    """
    promised = DEFAULT_TOLERANCE if tolerance is None else tolerance
    if problem.is_local:
        return Product(promised), "no coupling acts, so every spin evolves alone"
    if problem.noise is None:
        return _coherent_engine(problem, promised)
    lindblad = Lindblad(promised)
    if lindblad.refusal(problem) is None:  # by the size alone: the choice must not depend on the machine
        return lindblad, "spins are coupled and noisy, and the density matrix is exact on any graph"
    sampled = Trajectories() if tolerance is None else Trajectories(tolerance=tolerance)
    return sampled, "the density matrix of so many noisy spins is too large, so trajectories are sampled"


def _coherent_engine(problem: ChargingProblem, tolerance: float) -> tuple[Engine, str]:
    """The symmetric sector or the full state vector, whichever is predicted to take less time.

    Predictions know nothing of the machine, so that the choice is the same everywhere.
    """
    full, symmetric = Statevector(tolerance), Symmetric(tolerance)
    refusal = symmetric.refusal(problem)
    if refusal is not None:
        return full, f"spins are coupled, and the symmetric engine cannot: {refusal.partition(';')[0].rstrip('.')}"
    size = f"{symmetric.dimension(problem)} instead of 2^{problem.n_spins} amplitudes by symmetry"
    of_sector, of_full = symmetric.required_bytes(problem), full.required_bytes(problem)
    if of_sector > max(_MUCH_MEMORY, of_full):
        return full, f"spins are coupled, and {size} take more memory, each with its neighbours and many vectors"
    if of_full > _VERY_MUCH_MEMORY:
        return symmetric, f"spins are coupled, and {size} take less memory"
    no_times = output_times(problem, None)
    in_sector, in_full = (engine.predicted_seconds(problem, no_times) for engine in (symmetric, full))
    reason = f"spins are coupled, and {size} are predicted to take {in_sector:.2g} s against {in_full:.2g} s"
    if in_sector < _CLEARLY_LESS * in_full:
        return symmetric, reason
    return full, f"{reason}, which is not clearly less"


def named_engine(name: str, problem: ChargingProblem, tolerance: float | None = None) -> tuple[Engine, str]:
    """Engine by its command-line name; ``auto`` chooses an exact one.

    Args:
        name: of the engine.
        problem: what it is for.
        tolerance: promised error, by default that of the engine, for engines that promise one.

    Raises:
        EngineError: no engine of that name; the message says which exist.
        InvalidParameterError: a tolerance for an engine that promises none.
    """
    if name == "auto":
        return choose_engine(problem, tolerance)
    kind = engine_type(name)
    if tolerance is None:
        return kind(), "chosen by the caller"
    if not has_tolerance(kind):
        raise InvalidParameterError(
            f"the {name} engine promises no tolerance; leave it out and choose what its accuracy depends on, such as "
            "reads, trajectories or the bond dimension."
        )
    options: dict[str, Any] = {"tolerance": tolerance}
    return kind(**options), "chosen by the caller"


def engine_type(name: str) -> type[Engine]:
    """Class of an engine from its name.

    Raises:
        EngineError: no engine of that name; the message says which exist.
    """
    if name not in ENGINES:
        hint = "; make Annealer(sampler=...) in Python" if name == "annealer" else did_you_mean(name, ENGINES)
        raise EngineError(f"unknown engine {name!r}; there are auto, {', '.join(ENGINES)}.{hint}")
    return ENGINES[name]


def has_tolerance(kind: type[Engine]) -> bool:
    """Whether an engine promises an error."""
    return any(option.name == "tolerance" for option in fields(kind))


def resolve_engine(engine: Engine | str, problem: ChargingProblem, tolerance: float | None) -> tuple[Engine, str]:
    """Engine for a problem from what a caller asked for, with a seed where it takes one, and why it.

    Raises:
        EngineError: no engine, or none of that name.
        InvalidParameterError: a tolerance beside an engine object, which has its own, or for one without.
    """
    if isinstance(engine, str):
        chosen, reason = named_engine(engine, problem, tolerance)
        return chosen.seeded(problem), reason
    if not isinstance(engine, Engine):
        raise EngineError(f"engine must be an engine object or one of auto, {', '.join(ENGINES)}, but is {engine!r}.")
    if tolerance is not None:
        raise InvalidParameterError("an engine object has its own tolerance; name the engine, or set it there.")
    return engine.seeded(problem), "chosen by the caller"


def charge(
    network: SpinNetwork | nx.Graph[Any] | str,
    protocol: ProtocolLike,
    *,
    scales: EnergyScales | None = None,
    noise: Noise | str | None = None,
    engine: Engine | str = "auto",
    tolerance: float | None = None,
    times: ArrayLike | None = None,
    store: Store | str | Path | None = None,
    recompute: bool = False,
    progress: Progress = silent,
) -> Record:
    """Charge a network and return the record.

    Args:
        network: the spins and their pairs: a network, its text form such as ``torus:3x4``, or a networkx graph.
        protocol: what is done to them: a protocol, a recipe, or a function from a network to a protocol.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        noise: what acts on the spins besides, as an object or a text such as ``x:1e-3/ns``.
        engine: an engine with its options, its name, or ``"auto"`` (the record says which and why).
        tolerance: promised error where the engine is chosen by name; 1e-6 by default (1e-4 of the discretisation
            of trajectories). An engine object has its own.
        times: times (ns) at which to keep mu, sigma and the energy.
        store: a store or its folder: where to look for this run first, and to keep it afterwards. A long run that is
            killed or interrupted then goes on where it was, with the same digits.
        recompute: run even if the store has it, and replace what is there; a measurement is kept beside the earlier
            ones, and is the one that is found from then on.
        progress: called with the fraction done and a message; silent by default.

    Raises:
        SpinBatteryError: bad input, too little memory, or a tolerance not reached; nothing is lost.
    """
    progress, recompute = checked_progress(progress), switch("recompute", recompute)
    spins = as_network(network)
    device = scales_for(spins, scales)
    problem = ChargingProblem(spins, as_protocol(protocol, spins, device), device, as_noise(noise))
    chosen, reason = resolve_engine(engine, problem, tolerance)
    store = None if store is None else as_store(store)
    if store is None:
        return chosen.run(problem, times, progress, reason)
    key = run_key(problem, chosen.name, chosen.options_for(problem), output_times(problem, times))
    known = store.latest if chosen.measures else store.get
    found = None if recompute else known(key)
    if found is None:
        checkpoint = Checkpoint(store.checkpoint_path(key), key)
        found = chosen.run(problem, times, progress, reason, checkpoint)
        store.put(found)
        checkpoint.remove()
    return found.with_labels_of(problem)
