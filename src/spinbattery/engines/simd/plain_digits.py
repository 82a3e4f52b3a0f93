"""The functions of :mod:`.digits` as plain loops, where vector code does not work: slower, equal but for rounding."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from .sizes import LANES

_FUSED = {"fastmath": {"contract"}}


@register_jitable(**_FUSED)
def _flip(a, b, c, d, m):
    """Multiply (a - d, b + c) by the matrix m[0:4] and b - c by m[4], which all have a factor 1/2; a + d stays."""
    v = a - d
    w = b + c
    z = m[0] * v + m[1] * w
    y = m[2] * v + m[3] * w
    return 0.5 * (a + d) + z, y + m[4] * (b - c), y - m[4] * (b - c), 0.5 * (a + d) - z


@register_jitable(**_FUSED)
def _split(a, b, c, d, m):
    return a + d, b + c, b - c, a - d


@register_jitable(**_FUSED)
def _join(u, w, s, v, m):
    return 0.5 * u + 0.5 * v, 0.5 * w + 0.5 * s, 0.5 * w - 0.5 * s, 0.5 * u - 0.5 * v


@register_jitable(**_FUSED)
def _relax(u, w, s, v, m):
    """Rows of -y, x and z of a map on (1, -y, x, z) of the split digit; the first stays."""
    y = m[0] * u + m[1] * w + m[2] * s + m[3] * v
    t = m[4] * u + m[5] * w + m[6] * s + m[7] * v
    return u, y, t, m[8] * u + m[9] * w + m[10] * s + m[11] * v


def _on_entries(act: Any) -> Any:
    @register_jitable(**_FUSED)
    def on_entries(x, i, step, maps, k):
        j = i + step
        x[i], x[j], x[j + step], x[j + 2 * step] = act(x[i], x[j], x[j + step], x[j + 2 * step], maps[k])

    return on_entries


def _on_slices(on_entries: Any) -> Any:
    @register_jitable
    def on_slices(x, i, step, maps, k):
        for lane in range(LANES):
            on_entries(x, i + lane, step, maps, k)

    return on_slices


def _on_lanes(on_entries: Any) -> Any:
    @register_jitable
    def on_lanes(x, i, maps):
        for j in range(4):
            on_entries(x, i + 4 * j, 1, maps, 0)
        for j in range(4):
            on_entries(x, i + j, 4, maps, 1)

    return on_lanes


flip_entries, split_entries, join_entries, relax_entries = map(_on_entries, (_flip, _split, _join, _relax))
"""Four entries, one for each value of a digit, ``step`` apart."""

flip_slices, flip_lanes = _on_slices(flip_entries), _on_lanes(flip_entries)
split_slices, split_lanes = _on_slices(split_entries), _on_lanes(split_entries)
join_slices, join_lanes = _on_slices(join_entries), _on_lanes(join_entries)
relax_slices, relax_lanes = _on_slices(relax_entries), _on_lanes(relax_entries)


@register_jitable(**_FUSED)
def phase_transposes(x, i, y, j, cos, sin, r, cos_column, sin_column, c):
    for row in range(2):
        for column in range(2):
            d = cos[r + row] * cos_column[c + column] + sin[r + row] * sin_column[c + column]
            q = sin[r + row] * cos_column[c + column] - cos[r + row] * sin_column[c + column]
            here, there = i + 2 * row + column, j + row + 2 * column
            g = x[here]
            t = y[there]
            x[here] = d * g - q * t
            y[there] = d * t + q * g
