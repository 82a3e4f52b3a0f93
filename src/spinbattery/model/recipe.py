"""Protocols by name, which become definite on a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..core.checks import check_choice, finite, switch
from ..core.errors import InvalidParameterError
from .durations import parse_duration
from .network import SpinNetwork
from .protocol import Protocol, cooperative, polarised
from .scales import EnergyScales

PROTOCOL_NAMES = ("cooperative", "local", "polarised", "polarised-local")
REFERENCE_S_HOLD = 0.35


@dataclass(frozen=True)
class ProtocolRecipe:
    """A named protocol that becomes definite on a network.

    Attributes:
        name: ``cooperative``; ``local``, its J = 0 equivalent on that network (Eq. 19);
            ``polarised``; ``polarised-local``, the same with J = 0.
        duration: with its unit, such as ``20ns``.
        J, field: of the cooperative protocol, also where ``name`` is one of the local ones.
        s_hold: value of s in the hold.
        equal_cost: scale the field to the integrated cost of the cooperative protocol of this
            duration, J and field with ``cost_reference`` as its s_hold.
        cost_reference: 0.35 where it is None.
    """

    name: str
    duration: str
    J: float = -0.2
    field: float = -0.5
    s_hold: float = 0.35
    equal_cost: bool = False
    cost_reference: float | None = None

    def __post_init__(self) -> None:
        check_choice("the name of a protocol", self.name, PROTOCOL_NAMES)
        parse_duration(self.duration)
        for name, value in (("J", self.J), ("h", self.field), ("s_hold", self.s_hold)):
            finite(name, value)
        switch("equal_cost", self.equal_cost)
        if self.cost_reference is not None:
            finite("cost_reference", self.cost_reference)
            if not self.equal_cost:
                raise InvalidParameterError(
                    "cost_reference is only used at equal cost; set equal_cost too, or leave it out."
                )
        if self.equal_cost and self.J == 0.0:
            raise InvalidParameterError(
                "equal cost needs the coupling J of the cooperative reference; give it, and choose local or "
                "polarised-local for a protocol without coupling."
            )

    def build(self, network: SpinNetwork, scales: EnergyScales | None = None) -> Protocol:
        """The protocol on one network.

        Raises:
            SpinBatteryError: unusable numbers, or no field of equal cost exists.
        """
        duration = parse_duration(self.duration)
        if self.name in ("cooperative", "local"):
            protocol = cooperative(duration, self.J, self.field, self.s_hold)
        else:
            protocol = polarised(duration, 0.0 if self.name == "polarised-local" else self.J, self.field, self.s_hold)
        if self.name == "local":
            protocol = protocol.local_equivalent(network)
        if self.equal_cost:
            s_hold = REFERENCE_S_HOLD if self.cost_reference is None else self.cost_reference
            reference = cooperative(duration, self.J, self.field, s_hold)
            scaled = protocol.scaled_to_cost(reference, network, scales)
            name = f"{protocol.name} equal-cost"  # another curve than the unscaled one
            protocol = replace(scaled, name=name, field_is_matched=True)
        return protocol


ProtocolLike: TypeAlias = Protocol | ProtocolRecipe | Callable[[SpinNetwork], Protocol]
"""A protocol, or what makes one for each network: a recipe, or a function such as ``protocol.local_equivalent``."""


def is_protocol_like(candidate: Any) -> bool:
    """Whether :func:`as_protocol` takes it; classes do not count as functions."""
    return isinstance(candidate, Protocol | ProtocolRecipe) or (callable(candidate) and not isinstance(candidate, type))


def as_protocol(protocol: ProtocolLike, network: SpinNetwork, scales: EnergyScales) -> Protocol:
    """Protocol on a network from what a caller gave."""
    if isinstance(protocol, Protocol):
        return protocol
    if not is_protocol_like(protocol):
        given = f"the name {protocol!r}, without a duration" if isinstance(protocol, str) else repr(protocol)
        raise InvalidParameterError(
            "a protocol must be one with a duration, such as spinbattery.cooperative(duration=20.0), a recipe, such as "
            f"ProtocolRecipe('cooperative', '20ns'), or a function from a network to a protocol, but is {given}."
        )
    built = protocol.build(network, scales) if isinstance(protocol, ProtocolRecipe) else protocol(network)
    if not isinstance(built, Protocol):
        raise InvalidParameterError(
            f"protocols must be protocols, recipes, or functions from a network to a protocol, but {protocol!r} "
            f"gives {built!r}."
        )
    return built
