"""Single spins in thermal equilibrium, as a qubit and as the classical rotor of spin-vector Monte Carlo."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import check_choice, finite, positive, real_numbers
from ..core.errors import InvalidParameterError
from ..core.quadrature import gauss_nodes
from ..core.typing import FloatArray

SpinForm = Literal["rotor", "two-level"]

_PANELS = 32
_ORDER = 16


def thermal_magnetization(bx: float, bz: float, kt: float) -> float:
    """<sz> of one spin with H = bx sx + bz sz at temperature kt: -(bz/E) tanh(E/kt), E = hypot(bx, bz).

    Args:
        bx, bz: fields in GHz.
        kt: k_B T / h in GHz, above zero (0.333 GHz at 16 mK).

    Raises:
        InvalidParameterError: not finite, or kt not above zero.
    """
    bx, bz, kt = finite("bx", bx), finite("bz", bz), positive("kt", kt)
    energy = math.hypot(bx, bz)
    return 0.0 if energy == 0.0 else -bz / energy * math.tanh(energy / kt)


def down_probability(bx: ArrayLike, bz: ArrayLike, kt: float, form: SpinForm = "rotor") -> FloatArray:
    """Probability that a spin in thermal equilibrium reads -1.

    ``two-level`` is the qubit H = bx sx + bz sz. ``rotor`` replaces it in spin-vector Monte Carlo: the energy is
    bx sin(theta) + bz cos(theta), theta in [0, pi] with uniform measure, and the spin reads +1 where cos(theta) > 0
    (Shin, Smith, Smolin and Vazirani, arXiv:1401.7087). A rotor has more states near the equator than a qubit has, and
    so is softer.

    Args:
        bx, bz: fields in GHz; they broadcast.
        kt: k_B T / h in GHz, above zero.
        form: ``rotor`` or ``two-level``.

    Returns:
        Probabilities, of the broadcast shape.

    Raises:
        InvalidParameterError: fields not finite, kt not above zero, or another form.
    """
    kt = positive("kt", kt)
    check_choice("form", form, ("rotor", "two-level"))
    bx, bz = real_numbers("bx", bx), real_numbers("bz", bz)
    try:
        bx, bz = np.broadcast_arrays(bx, bz)
    except ValueError:
        raise InvalidParameterError(f"bx and bz must broadcast, but have shapes {bx.shape} and {bz.shape}.") from None
    if not bx.size:
        return np.empty(bx.shape)
    for name, values in (("bx", bx), ("bz", bz)):
        finite(f"the largest {name}", float(np.abs(values).max(initial=0.0)))
    if form == "two-level":
        energy = np.hypot(bx, bz)
        cosine = np.divide(bz, energy, out=np.zeros_like(energy), where=energy > 0.0)
        return np.asarray(0.5 * (1.0 + cosine * np.tanh(energy / kt)))
    theta, weights = gauss_nodes(np.linspace(0.0, math.pi, 2 * _PANELS + 1), _ORDER)
    exponent = -(np.multiply.outer(bx, np.sin(theta)) + np.multiply.outer(bz, np.cos(theta))) / kt
    density = weights * np.exp(exponent - exponent.max(axis=(-2, -1), keepdims=True))
    halves = density.reshape(*bx.shape, 2, -1).sum(axis=-1)  # cos(theta) changes sign between two panels
    return np.asarray(halves[..., 1] / halves.sum(axis=-1))
