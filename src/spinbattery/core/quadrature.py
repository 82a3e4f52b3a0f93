"""Composite Gauss-Legendre quadrature on panels that never straddle a kink."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .arrays import distinct
from .typing import FloatArray


def panel_edges(edges: FloatArray, kinks: FloatArray) -> FloatArray:
    """Merge integration edges with the kinks that lie strictly between the first and the last.

    Kinks that coincide with an edge up to rounding are dropped: they would make empty panels.
    """
    span = edges[-1] - edges[0]
    inside = kinks[(kinks > edges[0]) & (kinks < edges[-1])]
    if inside.size:
        right = np.clip(np.searchsorted(edges, inside), 1, edges.size - 1)
        gap = np.minimum(inside - edges[right - 1], edges[right] - inside)
        inside = inside[gap > 1e-12 * span]
    if not inside.size:
        return edges
    return distinct(np.concatenate([edges, inside]))


@lru_cache
def _rule(order: int) -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(order)
    return x, w


def gauss_nodes(panels: FloatArray, order: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights, each of shape (panels, order), on consecutive panels."""
    x, w = _rule(order)
    half = 0.5 * np.diff(panels)[:, None]
    middle = 0.5 * (panels[1:] + panels[:-1])[:, None]
    return middle + half * x, half * w
