"""Which engine a problem is given to."""

from __future__ import annotations

from ..core.errors import EngineError, InvalidParameterError
from ..model.problem import ChargingProblem
from .common.contract import Engine, predicted_run
from .common.split_engine import SECONDS_PER_RUN
from .dense.lindblad import Lindblad
from .dense.product import Product
from .dense.statevector import Statevector
from .registry import AUTO, engine_type, engines, has_option, make_engine
from .symmetric.engine import Symmetric
from .trajectories.engine import Trajectories

DEFAULT_TOLERANCE = 1e-6

_CLEARLY_LESS = 0.8
"""Fraction of the time of the state vector below which the sector is chosen: predictions are no better."""


_MUCH_MEMORY, _VERY_MUCH_MEMORY = 1 << 30, 1 << 33
"""Bytes. Above the first the sector is not chosen where it needs more than the state vector; above the second it is
chosen where it needs less."""


def choose_engine(problem: ChargingProblem, tolerance: float | None = None) -> tuple[Engine, str]:
    """The engine for a problem, and why it was chosen: an exact one wherever one can do it.

    Args:
        problem: what it is for.
        tolerance: error to keep; 1e-6 by default, and 1e-4 of the discretisation of trajectories.
    """
    kept = DEFAULT_TOLERANCE if tolerance is None else tolerance
    if problem.is_local:
        return Product(kept), "no coupling acts, so every spin evolves alone"
    if problem.noise is None:
        return _coherent_engine(problem, kept)
    lindblad = Lindblad(kept)
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
    in_sector = predicted_run(symmetric, problem)
    if in_sector < _CLEARLY_LESS * SECONDS_PER_RUN:  # the other prediction would take some of the time of this run
        least = f"{in_sector:.2g} s, less than the least time of the state vector"
        return symmetric, f"spins are coupled, and {size} are predicted to take {least}"
    in_full = predicted_run(full, problem)
    reason = f"spins are coupled, and {size} are predicted to take {in_sector:.2g} s against {in_full:.2g} s"
    if in_sector < _CLEARLY_LESS * in_full:
        return symmetric, reason
    return full, f"{reason}, which is not clearly less"


def named_engine(name: str, problem: ChargingProblem, tolerance: float | None = None) -> tuple[Engine, str]:
    """Engine by its command-line name; ``auto`` chooses an exact one.

    Args:
        name: of the engine.
        problem: what it is for.
        tolerance: error to keep, for engines that have a tolerance; their own by default.

    Raises:
        EngineError: no engine of that name; the message says which exist.
        InvalidParameterError: a tolerance for an engine that has none.
    """
    if name == AUTO:
        return choose_engine(problem, tolerance)
    if tolerance is None:
        return make_engine(name, {}), "chosen by the caller"
    if not has_option(engine_type(name), "tolerance"):
        raise InvalidParameterError(
            f"the {name} engine has no tolerance; leave it out and choose what its accuracy depends on, such as "
            "reads, trajectories or the bond dimension."
        )
    return make_engine(name, {"tolerance": tolerance}), "chosen by the caller"


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
        raise EngineError(
            f"engine must be an engine object or one of {AUTO}, {', '.join(engines())}, but is {engine!r}."
        )
    if tolerance is not None:
        raise InvalidParameterError("an engine object has its own tolerance; name the engine, or set it there.")
    return engine.seeded(problem), "chosen by the caller"
