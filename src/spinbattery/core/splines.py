"""Cubic splines: SciPy's, whose import alone takes longer than a small run."""

from __future__ import annotations

import numpy as np

from .typing import FloatArray

_LEAST_ROWS = 4
"""Rows from which two knots can be left out; fewer give one polynomial through all."""


class NotAKnotSpline:
    """Cubic spline through rows (x, y) whose third derivative is continuous at the second and last but one.

    Two rows give a straight line, three a parabola. Outside of the rows the outer pieces go on.

    Source: C. de Boor, A Practical Guide to Splines (1978), chapter IV; the equations are in the order of
    ``scipy.interpolate.CubicSpline``, to which it is equal to rounding.
    """

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        """A spline through y (n,) at ascending x (n,), two rows or more."""
        steps = np.diff(x)
        chords = np.diff(y) / steps
        slopes = _slopes(x, steps, chords)
        bends = (slopes[:-1] + slopes[1:] - 2.0 * chords) / steps
        self._x = x
        self._coefficients = bends / steps, (chords - slopes[:-1]) / steps - bends, slopes[:-1], y[:-1]

    def __call__(self, x: FloatArray) -> FloatArray:
        """Values at x, shape of x."""
        piece = np.searchsorted(self._x[1:-1], x, side="right")
        third, second, first, value = (c.take(piece) for c in self._coefficients)
        d = x - self._x[piece]
        squared = d * d
        return np.asarray(value + first * d + second * squared + third * (squared * d))


def _slopes(x: FloatArray, steps: FloatArray, chords: FloatArray) -> FloatArray:
    """First derivative at every row (n,)."""
    if len(x) == 2:
        return np.repeat(chords, 2)
    if len(x) < _LEAST_ROWS:
        bend = (chords[1] - chords[0]) / (x[2] - x[0])
        return np.append(chords[0] + bend * steps[0] * np.array([-1.0, 1.0]), chords[1] + bend * steps[1])
    first, last = x[2] - x[0], x[-1] - x[-3]
    below = np.append(steps[1:], last).tolist()
    diagonal = np.concatenate([steps[1:2], 2.0 * (steps[:-1] + steps[1:]), steps[-2:-1]]).tolist()
    above = np.insert(steps[:-1], 0, first).tolist()
    found = np.concatenate(
        [
            [((steps[0] + 2.0 * first) * steps[1] * chords[0] + steps[0] ** 2 * chords[1]) / first],
            3.0 * (steps[1:] * chords[:-1] + steps[:-1] * chords[1:]),
            [(steps[-1] ** 2 * chords[-2] + (2.0 * last + steps[-1]) * steps[-2] * chords[-1]) / last],
        ]
    ).tolist()
    for k in range(len(x) - 1):  # no exchange of rows: the diagonal stays the larger entry of each column
        factor = below[k] / diagonal[k]
        diagonal[k + 1] -= factor * above[k]
        found[k + 1] -= factor * found[k]
    found[-1] /= diagonal[-1]
    for k in reversed(range(len(x) - 1)):
        found[k] = (found[k] - above[k] * found[k + 1]) / diagonal[k]
    return np.array(found)
