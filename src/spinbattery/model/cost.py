"""Hilbert-Schmidt cost of a charging Hamiltonian (paper Eq. 28), in a form that never overflows.

||H||_HS = sqrt(2^N [N (Bx^2 + Bz^2) + n_C J^2]); all numbers here are ||H||_HS / 2^(N/2), in GHz,
and their time integral in GHz ns. For weighted pairs n_C becomes the sum of squared weights.
Cross-talk is not part of the cost: no protocol pays for what it does not control.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core.quadrature import gauss_nodes
from ..core.typing import FloatArray

_PANELS_PER_SEGMENT = 48
_MANY_SEGMENTS = 4096
_FEWEST_PANELS = 2
"""Panels of a short segment where there are many segments."""

_ORDER = 8


@dataclass(frozen=True)
class Cost:
    """Cost of one protocol on one network.

    Attributes:
        n_spins: N.
        integral: int ||H||_HS dt / 2^(N/2), GHz ns.
        peak: largest ||H||_HS / 2^(N/2) along the protocol, GHz.
        matched: ||H||_HS / 2^(N/2) at the instant |g| is largest (g = 1 in the paper), where Eq. 19
            makes the local and the cooperative protocol cost the same, GHz.
    """

    n_spins: int
    integral: float
    peak: float
    matched: float

    @property
    def log_scale(self) -> float:
        """ln 2^(N/2), to be added to the logarithm of each of these values for the unscaled norm."""
        return 0.5 * self.n_spins * math.log(2.0)


def scaled_norm(n_spins: int, n_pairs: float, bx: ArrayLike, bz: ArrayLike, j: ArrayLike) -> FloatArray:
    """||H||_HS / 2^(N/2) in the unit of the fields (Eq. 28); broadcasts."""
    bx, bz, j = np.asarray(bx), np.asarray(bz), np.asarray(j)
    return np.asarray(np.sqrt(n_spins * (bx**2 + bz**2) + n_pairs * j**2))


def integrate(function: Callable[[FloatArray], FloatArray], edges: FloatArray) -> tuple[float, float]:
    """Integral over [edges[0], edges[-1]] and the largest value seen, of a function that is smooth between edges.

    Intervals are cut into equal panels with Gauss-Legendre nodes, short ones into fewer where there are many.
    """
    lengths = np.diff(edges)
    counts = np.full(len(lengths), _PANELS_PER_SEGMENT)
    if len(lengths) > _MANY_SEGMENTS:
        share = np.ceil(_MANY_SEGMENTS * lengths / (edges[-1] - edges[0]))
        counts = np.clip(share, _FEWEST_PANELS, _PANELS_PER_SEGMENT).astype(np.int64)
    segment = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)
    panels = np.append(edges[segment] + lengths[segment] * (number * (1.0 / counts[segment])), edges[-1])
    nodes, weights = gauss_nodes(panels, _ORDER)
    values = function(nodes.ravel()).reshape(nodes.shape)
    largest = max(float(values.max()), float(np.max(function(edges))))
    return float(np.sum(weights * values)), largest
