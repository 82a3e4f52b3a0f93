"""Charging protocols, independent of the device and the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import distinct, read_only
from ..core.checks import apart, finite, instance, positive, within_unit
from ..core.errors import CostError, InvalidParameterError, WaveformError
from ..core.typing import FloatArray
from .cost import Cost, integrate, scaled_norm
from .network import SpinNetwork
from .network_text import as_network
from .scales import EnergyScales, as_scales
from .state import InitialLike, ProductState, as_state
from .waveform import Waveform, as_waveform

SAME_TIME = 1e-9
"""Times closer than this fraction of the duration are one time."""

_SAME_CORNER = 1e-12
"""Corners closer than this fraction are one up to rounding; a jump may be written as two that are farther apart."""

_THIRD, _TWO_THIRDS = 1.0 / 3.0, 2.0 / 3.0


@dataclass(frozen=True)
class Protocol:
    """A way to charge: waveforms s(u), g(u), the couplings they scale, and the initial state.

    H(t) = Bx Sx + Bz Sz + J(t) sum_<jk> w_jk sz_j sz_k with Bx = -A(s)/2, Bz = g h B(s)/2,
    J(t) = J B(s)/2 (paper Eq. 1, 4, 7); A, B in GHz come with the device, w with the network.

    Attributes:
        duration: tau in ns.
        s: annealing fraction against u = t/tau, within [0, 1] (to rounding, 1e-9): a waveform, or its points as pairs
            (u, value). A waveform made by :meth:`Waveform.from_times` must end at ``duration``.
        g: field gain against u, likewise.
        h: longitudinal field in units of B(s)/2; h < 0 charges (lowers the energy of sz = +1).
        J: coupling in units of B(s)/2; J < 0 is ferromagnetic.
        initial: product state at t = 0, discharged (all down) by default; also ``"up"`` or ``"down"``, or +1 or -1
            for each spin.
        name: for records and figures; not part of the physics.
        field_is_matched: whether h was chosen so that the cost on one network equals that of another protocol; it then
            differs from network to network. Not part of the physics, and not kept in records.

    Raises:
        InvalidParameterError: a parameter is not finite, or the duration not above zero.
        WaveformError: s leaves [0, 1], or the times of s or g end elsewhere than the protocol.
    """

    duration: float
    s: Waveform
    g: Waveform
    h: float
    J: float
    initial: ProductState = field(default_factory=lambda: ProductState.named("down"))
    name: str = "custom"
    field_is_matched: bool = field(default=False, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        given: object = self.duration
        if isinstance(given, str):
            raise InvalidParameterError(
                f"duration must be a real number of ns, but is {given!r}; parse_duration() reads a text with its unit."
            )
        object.__setattr__(self, "duration", positive("duration", self.duration))
        object.__setattr__(self, "h", finite("h", self.h))
        object.__setattr__(self, "J", finite("J", self.J))
        object.__setattr__(self, "initial", as_state(self.initial))
        instance("name", self.name, str)
        s, g = as_waveform("s", self.s), as_waveform("g", self.g)
        for name, waveform in (("s", s), ("g", g)):
            self._check_duration(name, waveform)
        s = s.with_rounded_values(within_unit)
        low, high = float(s.values.min()), float(s.values.max())
        if low < 0.0 or high > 1.0:
            reached, _, _ = apart(low if low < 0.0 else high, 0.0, 1.0)
            raise WaveformError(f"s must stay within [0, 1], but reaches {reached}.")
        object.__setattr__(self, "s", s)
        object.__setattr__(self, "g", g)

    def _check_duration(self, name: str, waveform: Waveform) -> None:
        """Refuse a waveform whose times end elsewhere than the protocol."""
        if waveform.duration is not None and not math.isclose(waveform.duration, self.duration, rel_tol=SAME_TIME):
            given, wanted = apart(waveform.duration, self.duration)
            raise WaveformError(
                f"{name} was made of times up to {given} ns, but the protocol lasts {wanted} ns; make them agree, or "
                f"stretch the curve by Waveform({name}.points), which has no times of its own."
            )

    @cached_property
    def breakpoints(self) -> FloatArray:
        """Times (ns) at which s or g has a corner, both ends included; no integrator may step across one."""
        corners = distinct(np.concatenate([self.s.breakpoints, self.g.breakpoints]))
        # 1/3 and 0.1/0.3 are meant to be one corner: a step between them would be empty
        kept = [0.0]
        for corner in corners.tolist():
            if corner > kept[-1] + _SAME_CORNER:
                kept.append(corner)
        kept[-1] = 1.0
        return read_only(np.array(kept) * self.duration)

    def kinks(self, scales: EnergyScales) -> FloatArray:
        """Times (ns) at which the fields are not smooth: corners, and passages through kinks of the scales."""
        inner = self.s.crossings(scales.kinks) * self.duration
        return distinct(np.concatenate([self.breakpoints, inner]))

    def fields(self, t: ArrayLike, scales: EnergyScales) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Bx(t), Bz(t) and B(s(t))/2 in GHz, each of the shape of t (ns); J(t) is J times the third."""
        u = np.asarray(t, dtype=np.float64) / self.duration
        s = self.s(u)
        half_b = 0.5 * scales.B(s)
        return -0.5 * scales.A(s), self.g(u) * self.h * half_b, half_b

    def cost(self, network: SpinNetwork, scales: EnergyScales | None = None) -> Cost:
        """Hilbert-Schmidt cost on a network (Eq. 28): integral, peak, and where |g| peaks."""
        network = as_network(network)
        return self.cost_of_size(network.n_spins, network.coupling_norm_squared, scales)

    def cost_of_size(self, n_spins: int, n_pairs: float, scales: EnergyScales | None = None) -> Cost:
        """Hilbert-Schmidt cost from N and n_C alone (sum of squared weights for weighted pairs)."""
        scales = as_scales(scales)

        def norm(t: FloatArray) -> FloatArray:
            bx, bz, half_b = self.fields(t, scales)
            return scaled_norm(n_spins, n_pairs, bx, bz, self.J * half_b)

        edges = distinct(np.concatenate([self.kinks(scales), self.g.crossings([0.0]) * self.duration]))
        integral, peak = integrate(norm, edges)
        gain = np.abs(self.g.values)
        matched_at = float(self.g.breakpoints[int(np.argmax(gain))]) * self.duration
        return Cost(n_spins, integral, peak, float(norm(np.array([matched_at]))[0]))

    def local_equivalent(self, network: SpinNetwork) -> Protocol:
        """The local protocol (LP): J = 0 and the field that costs the same where |g| is largest.

        See :func:`local_field` (Eq. 19; Eq. 5 prints g for g^2). The match holds at that one instant:
        integrated over the schedule the LP spends about half (see the docs).

        Raises:
            CostError: g is zero throughout, so no field makes up for the coupling.
        """
        network, gain = as_network(network), float(np.abs(self.g.values).max())
        if gain == 0.0:
            raise CostError("g is zero throughout, so no local field can match the cost of the coupling.")
        h = local_field(self.h, self.J, network.coupling_norm_squared / network.n_spins, gain)
        return replace(self, J=0.0, h=h, name="local", field_is_matched=True)

    def scaled_to_cost(self, of: Protocol, network: SpinNetwork, scales: EnergyScales | None = None) -> Protocol:
        """This protocol with |h| chosen so that its integrated cost equals the cost of another protocol.

        Everything but h stays, sign included. The integral rises monotonically with |h|, so the
        answer is unique; it is found to 1e-12.

        Raises:
            CostError: the coupling and the transverse field alone cost more than ``of``, or h cannot
                change the cost because g is zero.
        """
        from scipy.optimize import brentq

        network = as_network(network)
        target = instance("of", of, Protocol).cost(network, scales).integral
        sign = math.copysign(1.0, self.h) if self.h else -1.0

        def excess(h: float) -> float:
            return replace(self, h=sign * h).cost(network, scales).integral / target - 1.0

        floor = excess(0.0)
        if floor > 0.0:
            raise CostError(
                f"no field exists: {self.name} costs {1.0 + floor:.4f} times the reference {of.name} even at h = 0 "
                "(its coupling and transverse field alone); reduce |J|, increase s_hold, or use a reference with a "
                "higher cost."
            )
        if not np.any(self.g.values):
            raise CostError(f"{self.name} has g = 0 throughout, so its field cannot be scaled to any cost.")
        high = max(abs(self.h), 1.0)
        while excess(high) < 0.0:
            high *= 2.0
        h = brentq(excess, 0.0, high, xtol=1e-13, rtol=1e-13)
        return replace(self, h=sign * float(h), field_is_matched=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain data from which :meth:`from_dict` rebuilds the protocol."""
        return {
            "duration_ns": self.duration,
            "s": [list(point) for point in self.s.points],
            "g": [list(point) for point in self.g.points],
            "h": self.h,
            "J": self.J,
            "initial": {"theta": list(self.initial.theta), "phi": list(self.initial.phi)},
            "name": self.name,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Protocol:
        """Inverse of :meth:`to_dict`."""
        return cls(
            duration=data["duration_ns"],
            s=Waveform(tuple((u, v) for u, v in data["s"])),
            g=Waveform(tuple((u, v) for u, v in data["g"])),
            h=data["h"],
            J=data["J"],
            initial=ProductState(tuple(data["initial"]["theta"]), tuple(data["initial"]["phi"])),
            name=data["name"],
        )


def _annealing_fraction(s_hold: float) -> Waveform:
    """s of the paper's Eq. 8: 1 -> s_hold, hold, -> 1 on equal thirds."""
    s_hold = within_unit(finite("s_hold", s_hold))
    if not 0.0 <= s_hold <= 1.0:
        value, _, _ = apart(s_hold, 0.0, 1.0)
        raise WaveformError(f"s_hold must lie within [0, 1], but is {value}.")
    return Waveform(((0.0, 1.0), (_THIRD, s_hold), (_TWO_THIRDS, s_hold), (1.0, 1.0)))


def cooperative(
    duration: float, J: float = -0.2, h: float = -0.5, s_hold: float = 0.35, *, initial: InitialLike = None
) -> Protocol:
    """The paper's cooperative protocol (CP), Eq. 7-9.

    s: 1 -> s_hold, hold, -> 1 and g: 0, 0 -> 1, 1 -> 0 on the same thirds of the duration.

    Args:
        duration: tau in ns.
        J: coupling in units of B(s)/2, ferromagnetic below zero.
        h: field in units of B(s)/2, charging below zero.
        s_hold: value of s in the hold, within [0, 1].
        initial: discharged (all down) by default; ``"up"`` or ``"down"``, +1 or -1 for each spin, such as
            ``[-1, 1, -1]``, or a :class:`~spinbattery.model.state.ProductState`.

    Raises:
        InvalidParameterError: a parameter is not finite, or the duration not above zero.
        WaveformError: s_hold outside [0, 1].
    """
    g = Waveform(((0.0, 0.0), (_THIRD, 0.0), (_TWO_THIRDS, 1.0), (1.0, 0.0)))
    return Protocol(duration, _annealing_fraction(s_hold), g, h, J, as_state(initial), "cooperative")


def polarised(
    duration: float, J: float = -0.2, h: float = -0.5, s_hold: float = 0.35, *, initial: InitialLike = None
) -> Protocol:
    """Ground-state-following protocol (ours, not the paper's); with J = 0 the polarised local protocol.

    g: 0 -> -1 (the field makes the discharged state the true ground state), -1 -> +1 through zero while s = s_hold,
    +1 -> 0. The waveform s, the arguments and the errors are as in :func:`cooperative`.
    """
    g = Waveform(((0.0, 0.0), (_THIRD, -1.0), (_TWO_THIRDS, 1.0), (1.0, 0.0)))
    J = finite("J", J)
    name = "polarised" if J else "polarised local"
    return Protocol(duration, _annealing_fraction(s_hold), g, h, J, as_state(initial), name)


def local_field(h: float, J: float, pairs_per_spin: float, g: float = 1.0) -> float:
    """Field of the local protocol that costs the same at gain g: Eq. 19, with the sign of h.

    Raises:
        InvalidParameterError: not finite, g zero, or pairs_per_spin negative.
    """
    h, J, g = finite("h", h), finite("J", J), finite("g", g)
    pairs_per_spin = finite("pairs_per_spin", pairs_per_spin)
    if g == 0.0 or pairs_per_spin < 0.0:
        raise InvalidParameterError(
            f"g must not be zero, nor pairs_per_spin negative, but they are {g:g} and {pairs_per_spin:g}."
        )
    return math.copysign(math.sqrt(h**2 + pairs_per_spin * (J / g) ** 2), h)


def check_initial(protocol: Protocol, network: SpinNetwork) -> None:
    """Raise :class:`InvalidParameterError` unless the initial state fits the network."""
    try:
        protocol.initial.angles(network.n_spins)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{protocol.name}: {error}") from None
