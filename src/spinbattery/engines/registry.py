"""The engines there are, by name."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ..core.errors import EngineError, did_you_mean
from .classical.mean_field import MeanField
from .classical.truncated_wigner import TruncatedWigner
from .common.contract import Engine
from .dense.lindblad import Lindblad
from .dense.product import Product
from .dense.statevector import Statevector
from .qtealeaves.engine import QTeaLeaves
from .sampled.engine import Emulator
from .symmetric.engine import Symmetric
from .tensor.engine import TensorNetwork
from .trajectories.engine import Trajectories

if TYPE_CHECKING:
    pass


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
