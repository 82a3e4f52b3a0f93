"""Product states a battery can start from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..core.checks import apart, check_choice, finite, is_row
from ..core.errors import InvalidParameterError
from ..core.typing import ComplexArray, FloatArray

InitialLike: TypeAlias = "ProductState | str | Sequence[float] | None"
"""A state, ``"up"`` or ``"down"``, or +1 or -1 for each spin; None is all down."""

_THETA = {"down": math.pi, "up": 0.0}


def _angles(name: str, value: Any) -> tuple[float, ...]:
    if not is_row(value):
        return (finite(name, value),)
    if len(value) == 0:
        raise InvalidParameterError(f"{name} must be one angle or one per spin, but is empty.")
    return tuple(finite(name, entry) for entry in value)


@dataclass(frozen=True)
class ProductState:
    """Every spin in a pure state cos(theta/2)|up> + exp(i phi) sin(theta/2)|down>.

    Attributes:
        theta: polar angle(s) in rad from |up> (sz = +1): one for all spins, or one per spin.
        phi: azimuth(s) in rad, likewise.

    Raises:
        InvalidParameterError: angles that are not finite, or theta and phi of different lengths.
    """

    theta: tuple[float, ...]
    phi: tuple[float, ...] = (0.0,)
    _of_spins: bool = field(default=False, init=False, repr=False, compare=False)
    """Whether it was given as +1 or -1 for each spin, so that a single one is not meant for all."""

    def __post_init__(self) -> None:
        theta, phi = _angles("theta", self.theta), _angles("phi", self.phi)
        if len(phi) == 1:
            phi = phi * len(theta)
        if len(theta) != len(phi):
            raise InvalidParameterError(f"theta and phi have different lengths, {len(theta)} and {len(phi)}.")
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "phi", phi)

    @classmethod
    def named(cls, name: str) -> ProductState:
        """``down`` (discharged, the default of every protocol) or ``up`` (charged)."""
        check_choice("an initial state", name, _THETA)
        return cls((_THETA[name],))

    @property
    def uniform(self) -> bool:
        """Whether all spins start alike."""
        return len(set(zip(self.theta, self.phi, strict=True))) == 1

    def angles(self, n_spins: int) -> tuple[FloatArray, FloatArray]:
        """theta and phi of shape (N,).

        Raises:
            InvalidParameterError: one angle per spin was given for another number of spins.
        """
        n_given = len(self.theta)
        if self._of_spins and n_given != n_spins:
            raise InvalidParameterError(
                f"the initial state has {n_given} spins but the network has {n_spins}; give +1 or -1 for each, or "
                "'up' or 'down' for all."
            )
        if n_given not in (1, n_spins):
            raise InvalidParameterError(
                f"the initial state has {n_given} angles but the network has {n_spins} spins; give one angle for all, "
                "or one per spin."
            )
        theta, phi = np.broadcast_to(np.array([self.theta, self.phi]), (2, n_spins)).copy()
        return theta, phi

    def spinors(self, n_spins: int) -> ComplexArray:
        """Amplitudes (up, down) of each spin, shape (N, 2).

        Angles that are multiples of pi give exact zeros, so that a basis state stays one.
        """
        theta, phi = self.angles(n_spins)
        up, down = np.cos(0.5 * theta), np.sin(0.5 * theta)
        rounding = 1e-16 * (1.0 + np.abs(theta))
        up[np.abs(up) < rounding] = 0.0
        down[np.abs(down) < rounding] = 0.0
        return np.column_stack([up.astype(np.complex128), np.exp(1j * phi) * down])


def as_state(given: Any) -> ProductState:
    """State from what a caller gave: a state, its name, or +1 (up) or -1 (down) for each spin; None is all down."""
    if isinstance(given, ProductState):
        return given
    if given is None or isinstance(given, str):
        return ProductState.named("down" if given is None else given)
    if not is_row(given) or not len(given):
        raise InvalidParameterError(
            f"initial must be {' or '.join(map(repr, _THETA))}, +1 or -1 for each spin in the network's order, such as "
            f"[-1, 1, -1], or a ProductState, but is {given!r}."
        )
    spins = [finite("a spin of the initial state", spin) for spin in given]
    for k, spin in enumerate(spins):
        if abs(spin) != 1.0:
            value, _, _ = apart(spin, 1.0, -1.0)
            raise InvalidParameterError(
                f"the spins of the initial state must be +1 or -1, but spin {k} is {value}; ProductState takes angles."
            )
    state = ProductState(tuple(0.0 if spin > 0.0 else math.pi for spin in spins))
    object.__setattr__(state, "_of_spins", True)
    return state
