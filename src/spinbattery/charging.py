"""The main verb: charge a network by a protocol and return the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from .core.checks import switch
from .core.progress import Progress, checked_progress, silent
from .engines.choice import resolve_engine
from .engines.common.checkpoint import Checkpoint
from .engines.common.contract import Engine, output_times
from .model.network import SpinNetwork
from .model.network_text import as_network
from .model.noise import Noise, as_noise
from .model.problem import ChargingProblem
from .model.recipe import ProtocolLike, as_protocol
from .model.scales import EnergyScales
from .model.topology import scales_for
from .records.hashing import run_key
from .records.record import Record
from .store.folder import Store, as_store

if TYPE_CHECKING:
    import networkx as nx


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
        tolerance: error to keep where the engine is chosen by name; 1e-6 by default (1e-4 of the discretisation
            of trajectories). An engine object has its own.
        times: times (ns) at which to keep mu, sigma and the energy; many of them cost more than a run of few spins.
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
