"""Markovian noise on every spin: rates of jumps, in 1/ns, and their text form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import read_only
from ..core.checks import finite, is_one_of, is_row, positive
from ..core.errors import InvalidParameterError, did_you_mean
from ..core.typing import FloatArray
from ..core.units import BOLTZMANN_GHZ_PER_KELVIN

Rates: TypeAlias = float | tuple[float, ...]
"""One rate for all spins, or one per spin, in 1/ns."""

KINDS = ("x", "y", "z", "depolarising", "relaxation")

# powers of ten: scaled as decimals, 3.5kHz is 3.5e-6/ns to the last bit, and one noise has one hash
_PER_NS = {"/ps": 3, "/ns": 0, "/us": -3, "/µs": -3, "/μs": -3, "/ms": -6, "/s": -9,
           "Hz": -9, "kHz": -6, "MHz": -3, "GHz": 0}  # fmt: skip
_MILLIKELVIN = {"mK": 0, "K": 3}
_QUANTITY = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*")
_BEGINS_A_NUMBER = re.compile(r"[-+.0-9]")
_SMALLEST = 1e-50
"""Below, products of rates would leave the range of floats."""
_NEXT_KIND = re.compile(r"\+(?=\s*[a-zA-Z])")
"""The plus between two kinds, not the one of an exponent."""

_OTHER_NAMES = {
    "Dephasing is z: coherences decay with twice its rate, so that z has the rate 1/(2 T_phi), as in z:5e-4/ns for "
    "T_phi = 1 us.": "dephasing puredephasing tphi phasedamping",
    "Relaxation to thermal equilibrium in the spin's own field has the rate 1/T1 and a temperature, as in "
    "relaxation:5e-5/ns@16mK for T1 = 20 us.": "t1 relax relaxing amplitudedamping damping decay emission "
    "spontaneousemission thermal thermalisation thermalization bath temperature",
    "1/T2 = 1/(2 T1) + 1/T_phi: relaxation has the rate 1/T1 (and a temperature), and z the rate "
    "1/(2 T_phi).": "t2 t2* decoherence",
    "Flips by sx are x: sz decays with twice its rate.": "bitflip spinflip flip sx sigmax",
    "Phase flips, by sz, are z: coherences decay with twice its rate.": "phaseflip phase sz sigmaz",
    "Flips of bit and phase, by sy, are y.": "bitphaseflip sy sigmay",
}
"""Remedies, and the other names of noise that they are for, in small letters without hyphens."""

_EXAMPLES = "x:1e-3/ns, z:3.5kHz, or x:1e-3/ns+relaxation:1e-4/ns@16mK"


@dataclass(frozen=True)
class Noise:
    """Rates of independent Markovian noise on every spin, each one number or one per spin.

    With D[L] rho = L rho L+ - (L+ L rho + rho L+ L)/2 the density matrix follows (paper Eq. 30, which has ``x`` alone)

        d rho/dt = -2 pi i [H, rho] + sum_k (x D[sx_k] + y D[sy_k] + z D[sz_k] + depolarising/4 sum_a D[sa_k])
                   + sum_k relaxation ((1 + q)/2 D[|-><+|_k] + (1 - q)/2 D[|+><-|_k])

    Rates are plain decay rates, with no factor 2 pi: 3.5 kHz is 3500 in a second, 3.5e-6 in a ns.

    ``depolarising`` is the rate at which a spin is replaced by a fully mixed one: its Bloch vector decays with it,
    while under ``x``, ``y`` or ``z`` the two components across the axis decay with twice the rate.

    ``relaxation`` is 1/T1 towards thermal equilibrium in the spin's own field Bx(t) sx + Bz(t) sz, with T2 = 2 T1:
    |+> and |-> are its levels of energy E = +-hypot(Bx, Bz), and q = tanh(E/kT). The couplings are not in that
    field. Held fields bring a lone spin to the equilibrium of :func:`~spinbattery.model.thermal.thermal_magnetization`.

    Attributes:
        x, y, z: rates of flips by that Pauli matrix, 1/ns.
        depolarising: 1/ns.
        relaxation: 1/ns.
        temperature: of the relaxation, mK; None where there is none.

    Raises:
        InvalidParameterError: a rate that is no number, negative, or not finite; a relaxation without
            temperature, or the reverse.
    """

    x: Rates = 0.0
    y: Rates = 0.0
    z: Rates = 0.0
    depolarising: Rates = 0.0
    relaxation: Rates = 0.0
    temperature: float | None = None
    _lengths: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for kind in KINDS:
            rates = _checked_rates(kind, getattr(self, kind))
            if len(rates) > 1:
                self._lengths[kind] = len(rates)
            # equal rates are one noise, however they were given
            object.__setattr__(self, kind, rates[0] if len(set(rates)) == 1 else rates)
        if self.temperature is None:
            if np.any(self.relaxation):
                raise InvalidParameterError(
                    "relaxation needs a temperature; write relaxation:1e-4/ns@16mK, or Noise(relaxation=1e-4, "
                    "temperature=16.0) with mK."
                )
        elif not np.any(self.relaxation):
            raise InvalidParameterError("a temperature belongs to relaxation, which has no rate here; give one.")
        else:
            object.__setattr__(self, "temperature", positive("temperature", self.temperature))

    def __bool__(self) -> bool:
        """Whether any rate is above zero."""
        return any(np.any(getattr(self, kind)) for kind in KINDS)

    def __str__(self) -> str:
        """Text form, which :func:`as_noise` reads."""
        parts = []
        for kind in KINDS:
            rates = getattr(self, kind)
            if np.any(rates):
                parts.append(f"{kind}:{';'.join(f'{_number(rate)}/ns' for rate in np.atleast_1d(rates).tolist())}")
        suffix = "" if self.temperature is None else f"@{_number(self.temperature)}mK"
        return "+".join(parts) + suffix or "none"  # relaxation stands last

    @property
    def per_spin(self) -> bool:
        """Whether some rates differ from spin to spin."""
        return any(isinstance(getattr(self, kind), tuple) for kind in KINDS)

    def check(self, n_spins: int) -> None:
        """Raise :class:`InvalidParameterError` where there are rates for another number of spins."""
        for kind, length in self._lengths.items():
            if length != n_spins:
                raise InvalidParameterError(
                    f"the noise has {length} rates of {kind} but the network has {n_spins} spins; give one rate for "
                    "all, or one per spin."
                )

    def pauli_rates(self, n_spins: int) -> FloatArray:
        """Rates of D[sx], D[sy] and D[sz], the depolarising ones included, shape (3, N), 1/ns."""
        mixed = 0.25 * self._array("depolarising", n_spins)
        return read_only(np.stack([self._array(axis, n_spins) + mixed for axis in ("x", "y", "z")]))

    def relaxation_rates(self, n_spins: int) -> FloatArray:
        """1/T1 of each spin, shape (N,), 1/ns."""
        return read_only(self._array("relaxation", n_spins))

    def equilibrium(self, bx: ArrayLike, bz: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Direction (nx, nz) of the field a spin relaxes in, and q = tanh(E/kT), each of the shape of the fields.

        The Bloch vector relaxes to -q n. Without any field n is along z and q is zero.

        Args:
            bx, bz: fields in GHz.
        """
        bx, bz = np.asarray(bx, dtype=np.float64), np.asarray(bz, dtype=np.float64)
        energy = np.hypot(bx, bz)
        acts = energy > 0.0
        nx = np.divide(bx, energy, out=np.zeros_like(energy), where=acts)
        nz = np.divide(bz, energy, out=np.ones_like(energy), where=acts)
        if self.temperature is None:
            return nx, nz, np.zeros_like(energy)
        return nx, nz, np.tanh(energy / (1e-3 * self.temperature * BOLTZMANN_GHZ_PER_KELVIN))

    def _array(self, kind: str, n_spins: int) -> FloatArray:
        return np.full(n_spins, getattr(self, kind), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; what is zero is left out, so that kinds of noise that come later change no hash."""
        given = {name: getattr(self, name) for name in (*KINDS, "temperature")}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value is not None and np.any(value)
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Noise:
        """Inverse of :meth:`to_dict`."""
        return cls(**data)


def as_noise(noise: Noise | str | None) -> Noise | None:
    """Noise from what a caller gave: an object, its text form, ``none``, or None."""
    if noise is None or isinstance(noise, Noise):
        return noise
    return None if is_one_of(noise, ("none",)) else parse_noise(noise)


def parse_noise(text: str) -> Noise:
    """Noise from its text form: kinds with their rates, joined by ``+``.

    ``x:1e-3/ns``, ``y:``, ``z:``, ``depolarising:`` and ``relaxation:1e-4/ns@16mK`` (its temperature); one rate
    per spin is ``x:1e-3/ns;2e-3/ns;0/ns``. A rate alone, such as ``3.5kHz``, is of sx, the paper's noise.

    Raises:
        InvalidParameterError: no such text, no unit, a unit of something else, an unknown kind, a kind given twice,
            or rates that :class:`Noise` refuses.
    """
    if not isinstance(text, str):
        raise InvalidParameterError(f"noise must be text such as {_EXAMPLES}, but is {text!r}.")
    found: dict[str, Any] = {}
    for part in _NEXT_KIND.split(text):
        kind, colon, argument = part.strip().partition(":")
        if not colon:
            if not _BEGINS_A_NUMBER.match(kind):
                given = f"is {text!r}" if kind == text.strip() else f"has {kind!r} in {text!r}"
                raise InvalidParameterError(f"noise must be text such as {_EXAMPLES}, but {given}.")
            kind, argument = "x", kind
        kind = kind.strip()
        if kind not in KINDS:
            raise InvalidParameterError(
                f"unknown noise {kind!r}; there are {', '.join(KINDS)}, as in {_EXAMPLES}.{_hint(kind)}"
            )
        if kind in found:
            raise InvalidParameterError(f"noise {text!r} gives {kind} twice; give each kind once.")
        argument, at, temperature = argument.partition("@")
        if at:
            if kind != "relaxation":
                raise InvalidParameterError(f"noise {part.strip()!r}: only relaxation has a temperature; leave @ out.")
            found["temperature"] = _quantity("temperature", temperature, _MILLIKELVIN, "16mK or 0.016K")
        rates = tuple(_quantity(kind, one, _PER_NS, "1e-3/ns or 3.5kHz") for one in argument.split(";"))
        found[kind] = rates[0] if len(rates) == 1 else rates
    return Noise(**found)


def _hint(kind: str) -> str:
    """Remedy for a kind that goes by another name."""
    plain = re.sub(r"[-_ ]", "", kind.lower()).removesuffix("noise")
    if plain in KINDS:
        return f" Did you mean {plain!r}?"
    axes = sorted(set(plain))
    if len(axes) > 1 and set(axes) <= {"x", "y", "z"}:
        return f" Give each axis a rate of its own, as in {'+'.join(f'{axis}:1e-3/ns' for axis in axes)}."
    return next(
        (f" {hint}" for hint, names in _OTHER_NAMES.items() if plain in names.split()), did_you_mean(kind, KINDS)
    )


def _number(value: float) -> str:
    """All digits that tell it from other floats."""
    return repr(value).removesuffix(".0")


def _quantity(name: str, text: str, units: dict[str, int], example: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise InvalidParameterError(f"{name} must be a number with a unit, such as {example}, but is {text!r}.")
    number, unit = match.groups()
    if unit not in units:
        what = f"the unit {unit!r}, which does not fit" if unit else "no unit"
        hint = " Kinds of noise are joined by +, rates of single spins by a semicolon." if "," in unit else ""
        raise InvalidParameterError(
            f"{name} {text.strip()!r} has {what}; write it as {example} ({', '.join(units)}).{hint}"
        )
    try:
        return float(Decimal(number).scaleb(units[unit]))
    except ArithmeticError:
        raise InvalidParameterError(f"{name} {text.strip()!r} does not begin with a number that can be used.") from None


def _checked_rates(kind: str, value: Any) -> tuple[float, ...]:
    """One rate, or one per spin."""
    if not is_row(value):
        return (_checked_rate(kind, value),)
    if not len(value):
        raise InvalidParameterError(f"the rates of {kind} are empty; give one for all spins, or one per spin.")
    return tuple(_checked_rate(kind, rate) for rate in value)


def _checked_rate(kind: str, value: SupportsFloat) -> float:
    if isinstance(value, str):
        raise InvalidParameterError(
            f"the rate of {kind} must be a number in 1/ns, but is {value!r}; texts with units are read by parse_noise."
        )
    rate = finite(f"the rate of {kind}", value)
    if rate < 0.0:
        raise InvalidParameterError(f"the rate of {kind} is {rate:g}/ns; rates must not be negative.")
    if 0.0 < rate < _SMALLEST:
        raise InvalidParameterError(f"the rate of {kind} is {rate:g}/ns, below {_SMALLEST:g}; give 0 for none.")
    return rate
