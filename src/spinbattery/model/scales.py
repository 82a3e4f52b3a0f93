"""Energy scales A(s), B(s) of an annealer: energies divided by Planck's constant, in GHz."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import distinct, read_only
from ..core.checks import LARGEST, real_numbers, unit_span
from ..core.errors import EnergyScalesError
from ..core.splines import NotAKnotSpline
from ..core.typing import FloatArray


def checked_table(s: Any, values: Any, what: str, *, positive: bool = False) -> tuple[FloatArray, FloatArray]:
    """s and values (GHz) as arrays; ends that are 0 and 1 to rounding (1e-9) are made exact."""
    s, values = real_numbers(f"{what}: s", s, EnergyScalesError), real_numbers(what, values, EnergyScalesError)
    if s.ndim != 1 or s.shape != values.shape or len(s) < 2:
        raise EnergyScalesError(
            f"{what} needs two or more rows with as many s as values, but has {s.shape} and {values.shape}."
        )
    if not (np.isfinite(s).all() and np.isfinite(values).all()):
        raise EnergyScalesError(f"{what} has entries that are not finite; correct or remove those rows.")
    _check_size(what, values)
    s = unit_span(f"{what}: values of s", s, EnergyScalesError)
    if (values < 0.0).any() or (positive and (values <= 0.0).any()):
        row = int(np.argmin(values))
        raise EnergyScalesError(f"{what} must not be negative, but is {values[row]:g} GHz at s = {s[row]:g}.")
    return s, values


def _check_size(what: str, values: FloatArray) -> None:
    if not (np.abs(values) <= LARGEST).all():
        raise EnergyScalesError(f"{what} must be finite and not exceed {LARGEST:g} GHz in magnitude; correct them.")


@dataclass(frozen=True)
class _TableCurve:
    """Rows (s, GHz) that a function goes through."""

    kind: ClassVar[str]
    positive: ClassVar[bool] = False

    s: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        s, _ = checked_table(self.s, self.values, f"energy table ({self.kind})", positive=self.positive)
        if (self.s[0], self.s[-1]) != (0.0, 1.0):  # what was exact stays the very numbers that were given
            object.__setattr__(self, "s", tuple(s.tolist()))

    @property
    def kinks(self) -> FloatArray:
        """Values of s at which a derivative jumps: the rows."""
        return np.array(self.s)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "s": list(self.s), "values": list(self.values)}


@dataclass(frozen=True)
class LinearTable(_TableCurve):
    """Linear interpolation between the rows of a table (s, GHz)."""

    kind = "linear"

    @cached_property
    def _arrays(self) -> tuple[FloatArray, FloatArray]:
        return np.array(self.s), np.array(self.values)

    def __call__(self, s: ArrayLike) -> FloatArray:
        return np.asarray(np.interp(np.asarray(s, dtype=np.float64), *self._arrays))


@dataclass(frozen=True)
class LogSpline(_TableCurve):
    """Exponential of the not-a-knot cubic spline through the logarithms of a table (s, GHz)."""

    kind = "log-spline"
    positive = True

    @cached_property
    def _spline(self) -> NotAKnotSpline:
        return NotAKnotSpline(np.array(self.s), np.log(self.values))

    def __call__(self, s: ArrayLike) -> FloatArray:
        return np.asarray(np.exp(self._spline(np.asarray(s, dtype=np.float64))))


@dataclass(frozen=True)
class Polynomial:
    """Polynomial in s with ascending coefficients (GHz)."""

    kind: ClassVar[str] = "polynomial"

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        numbers = real_numbers("coefficients of a polynomial", self.coefficients, EnergyScalesError)
        if numbers.ndim != 1 or not numbers.size:
            raise EnergyScalesError(f"a polynomial needs a row of one coefficient or more, but has {numbers.shape}.")
        _check_size("coefficients of a polynomial", numbers)
        if not (isinstance(self.coefficients, tuple) and all(type(c) in (int, float) for c in self.coefficients)):
            object.__setattr__(self, "coefficients", tuple(numbers.tolist()))

    @property
    def kinks(self) -> FloatArray:
        return np.empty(0)

    def __call__(self, s: ArrayLike) -> FloatArray:
        s = np.asarray(s, dtype=np.float64)
        *lower, highest = self.coefficients
        found = np.full_like(s, highest)
        for coefficient in reversed(lower):  # as polyval, whose checks take longer than few numbers
            found = coefficient + found * s
        return np.asarray(found)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "coefficients": list(self.coefficients)}


Curve: TypeAlias = LinearTable | LogSpline | Polynomial
"""A function of s on [0, 1], with the places (kinks) where it is not smooth."""

_CURVES: dict[str, Any] = {kind.kind: kind for kind in (LinearTable, LogSpline, Polynomial)}


def _curve_from_dict(data: dict[str, Any]) -> Curve:
    curve: Curve = _CURVES[data["kind"]](**{key: tuple(value) for key, value in data.items() if key != "kind"})
    return curve


@dataclass(frozen=True)
class EnergyScales:
    """The two energy functions of an annealer: transverse A(s) and Ising B(s), in GHz.

    Attributes:
        name: for records and figures; not part of the physics.
        transverse: A(s).
        ising: B(s).
    """

    name: str
    transverse: Curve
    ising: Curve

    def __post_init__(self) -> None:
        for name, curve in (("A", self.transverse), ("B", self.ising)):
            if not isinstance(curve, tuple(_CURVES.values())):
                raise EnergyScalesError(
                    f"{name}(s) must be a LinearTable, a LogSpline or a Polynomial, but is {curve!r}; make a table of "
                    "another function."
                )

    def A(self, s: ArrayLike) -> FloatArray:
        """Transverse energy A(s) in GHz, shape of s."""
        return self.transverse(s)

    def B(self, s: ArrayLike) -> FloatArray:
        """Ising energy B(s) in GHz, shape of s."""
        return self.ising(s)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of both functions; the name does not count."""
        return hashlib.sha256(f"scales:1:{self.physics}".encode()).hexdigest()

    @cached_property
    def physics(self) -> str:
        """Everything but the name as JSON, for hashes: the tables are the longest part of any problem."""
        functions = {"A": self.transverse.to_dict(), "B": self.ising.to_dict()}
        return json.dumps(functions, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def kinks(self) -> FloatArray:
        """Values of s at which A or B is not smooth; integrators put panel edges there."""
        return read_only(distinct(np.concatenate([self.transverse.kinks, self.ising.kinks])))

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "A": self.transverse.to_dict(), "B": self.ising.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EnergyScales:
        """Inverse of :meth:`to_dict`."""
        return cls(data["name"], _curve_from_dict(data["A"]), _curve_from_dict(data["B"]))


_A_SYSTEM6 = (
    9.6269, 6.2804, 4.3719, 3.1406, 2.2841, 1.6552, 1.1689, 0.78982, 0.50224, 0.28795, 0.14448,
    0.062266, 0.022248, 0.0065754, 0.0015838, 0.00030176, 4.56e-05, 5.3606e-06, 4.8062e-07, 3.1525e-08, 1.4614e-09,
)  # fmt: skip
_B_SYSTEM6 = (0.231671, 2.184583, 5.149973)


@lru_cache
def advantage_system6() -> EnergyScales:
    """Smooth model of D-Wave Advantage_system6, the annealer of the paper.

    Source: the vendor's schedule spreadsheet 09-1273A-F for Advantage_system6 (sheet
    "Standard-Annealing Schedule"), as published with the Ocean documentation and read in 2026.
    A(s) is the exponential of a cubic spline through ln A at 21 equally spaced s; it is within 1 % of
    the table for s < 0.6, and the table itself carries 1 % of measurement noise. B(s) is the
    quadratic that gives the table to 1e-6. For the table itself use :func:`from_spreadsheet`.
    """
    knots = tuple(float(k) / 20.0 for k in range(21))
    return EnergyScales("Advantage_system6 (smooth model)", LogSpline(knots, _A_SYSTEM6), Polynomial(_B_SYSTEM6))


def as_scales(given: EnergyScales | None) -> EnergyScales:
    """Energy scales from what a caller gave: the default for None."""
    if given is None:
        return advantage_system6()
    if not isinstance(given, EnergyScales):
        raise EnergyScalesError(
            "scales must be EnergyScales, such as spinbattery.advantage_system6() or "
            f"spinbattery.from_spreadsheet('schedule.xlsx'), but are {given!r}."
        )
    return given
