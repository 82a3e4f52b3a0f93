"""Hamiltonian, collapse operators and initial state in QuTiP's terms.

The tensor order is spin 0 first, and ``basis(2, 0)`` is up. Times are in ns, H in rad/ns, and collapse operators
in the square root of 1/ns, so that QuTiP's solvers take them as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..core.errors import MissingDependencyError
from ..core.installing import install_extra_command
from ..core.typing import ComplexArray, FloatArray
from ..core.units import TWO_PI
from ..model.noise import Noise

if TYPE_CHECKING:
    import qutip
    from scipy.sparse import csr_matrix

Fields: TypeAlias = Callable[[float], tuple[FloatArray, FloatArray, FloatArray]]
"""Bx(t), Bz(t) and B(s(t))/2 in GHz at t in ns."""


class QutipProblem(NamedTuple):
    """A charging problem for QuTiP's solvers, with t in ns.

    Attributes:
        hamiltonian: H(t) in rad/ns.
        collapse_operators: one for each spin and kind of jump, its rate included; empty without noise.
        initial: the product state at t = 0, a ket.
    """

    hamiltonian: qutip.QobjEvo
    collapse_operators: list[qutip.Qobj | qutip.QobjEvo]
    initial: qutip.Qobj


def import_qutip(what: str) -> Any:
    """The library, which ``what`` needs; raises :class:`MissingDependencyError` where it is not installed."""
    try:
        import qutip
    except ImportError:
        raise MissingDependencyError(f"{what} needs QuTiP; run {install_extra_command('qutip')}") from None
    return qutip


class _Latest:
    """Values of a function at its latest time, which the coefficients of all terms share."""

    def __init__(self, function: Callable[[float], tuple[float, ...]]) -> None:
        self.function = function
        self.time = math.nan
        self.values: tuple[float, ...] = ()

    def at(self, t: float) -> tuple[float, ...]:
        if t != self.time:
            self.time, self.values = t, self.function(t)
        return self.values


@dataclass(frozen=True)
class _Coefficient:
    """One of these values; no closure, so that it can be sent to worker processes."""

    latest: _Latest
    index: int

    def at(self, t: float) -> float:  # by its annotation QuTiP knows that it is real, and merges terms
        return self.latest.at(t)[self.index]


def _coefficients(function: Callable[[float], tuple[float, ...]], count: int) -> list[qutip.Coefficient]:
    import qutip

    latest = _Latest(function)
    return [qutip.coefficient(_Coefficient(latest, index).at) for index in range(count)]


@dataclass(frozen=True)
class _AngularFields:
    """Bx, Bz and B/2 in rad/ns."""

    fields: Fields

    def __call__(self, t: float) -> tuple[float, ...]:
        return tuple(TWO_PI * float(value) for value in self.fields(t))


@dataclass(frozen=True)
class _RelaxationAmplitudes:
    """Coefficients of sz, sx and i sy in the jumps down, |-><+| = (nz sx - nx sz - i sy)/2, and up, its adjoint."""

    fields: Fields
    noise: Noise

    def __call__(self, t: float) -> tuple[float, ...]:
        bx, bz, _ = self.fields(t)
        nx, nz, q = (float(value) for value in self.noise.equilibrium(bx, bz))
        down, up = 0.5 * np.sqrt(0.5 * (1.0 + q)), 0.5 * np.sqrt(0.5 * (1.0 - q))
        return (-nx * down, nz * down, -down, -nx * up, nz * up, up)


def hamiltonian(operators: Sequence[csr_matrix], fields: Fields) -> qutip.QobjEvo:
    """Sum of sparse matrices (2^N, 2^N) times Bx, Bz and B/2, in rad/ns."""
    import qutip

    n_spins = operators[0].shape[0].bit_length() - 1
    dims = [[2] * n_spins, [2] * n_spins]
    coefficients = _coefficients(_AngularFields(fields), len(operators))
    terms = zip(operators, coefficients, strict=True)
    return qutip.QobjEvo([[qutip.Qobj(operator, dims=dims), coefficient] for operator, coefficient in terms])


def collapse_operators(noise: Noise, n_spins: int, fields: Fields) -> list[qutip.Qobj | qutip.QobjEvo]:
    """Every jump of the noise times the square root of its rate; relaxation depends on time with the fields.

    Depolarising noise is in the rates of the three Pauli matrices.
    """
    import qutip

    def on(k: int, operator: qutip.Qobj) -> qutip.Qobj:
        return qutip.expand_operator(operator, [2] * n_spins, k)

    x, y, z = (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz())
    found: list[qutip.Qobj | qutip.QobjEvo] = []
    for pauli, rates in zip((x, y, z), noise.pauli_rates(n_spins), strict=True):
        found += [np.sqrt(rate) * on(k, pauli) for k, rate in enumerate(rates) if rate > 0.0]
    rates = noise.relaxation_rates(n_spins)
    if rates.any():
        amplitudes = _coefficients(_RelaxationAmplitudes(fields, noise), 6)
        for k in np.flatnonzero(rates).tolist():
            parts = [np.sqrt(rates[k]) * on(k, part) for part in (z, x, 1j * y)]
            for jump in (amplitudes[:3], amplitudes[3:]):
                found.append(qutip.QobjEvo([[part, a] for part, a in zip(parts, jump, strict=True)]))
    return found


def product_ket(spinors: ComplexArray) -> qutip.Qobj:
    """Tensor product of amplitudes (N, 2), up first."""
    import qutip

    return qutip.tensor([qutip.Qobj(spinor[:, None]) for spinor in spinors])
