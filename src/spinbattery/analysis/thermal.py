"""Single spins in thermal equilibrium: the other explanation of a local protocol's magnetization."""

from __future__ import annotations

import math

from ..units import finite, positive


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
