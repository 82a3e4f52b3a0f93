"""Stored energy, charging power, and the energy that unitaries can extract."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import apart, finite, positive, whole_number
from ..core.errors import InvalidParameterError, RecordError
from ..core.typing import FloatArray
from ..core.units import GHZ_IN_JOULE
from ..records.record import Record, as_record

_LARGEST_DIMENSION = 4096
_ROUNDING = 1e-8
"""Allowed deviation of norm, trace, positivity and (relative) hermiticity."""


def _checked_mu(name: str, mu: float) -> float:
    mu = finite(name, mu)
    if abs(mu) > 1.0 + 1e-12:  # rounding of a computed mean
        value, _, _ = apart(mu, 1.0, -1.0)
        raise InvalidParameterError(f"{name} is <Sz>/N and must lie within [-1, 1], but is {value}.")
    return mu


def stored_energy(n_spins: int, mu_initial: float, mu_final: float, field_ghz: float) -> float:
    """Energy stored in N spins in a field, in J: N (field/2) h (mu_final - mu_initial), with Planck's constant h.

    Args:
        n_spins: N.
        mu_initial: <Sz>/N before; -1 is discharged.
        mu_final: <Sz>/N after.
        field_ghz: splitting of one spin over h in GHz, such as B(1); each spin has the energy field/2 per unit of sz.

    Raises:
        InvalidParameterError: N below 1, |mu| above 1, or a field that is not above zero.
    """
    change = _checked_mu("mu_final", mu_final) - _checked_mu("mu_initial", mu_initial)
    return whole_number("n_spins", n_spins) * 0.5 * positive("field_ghz", field_ghz) * GHZ_IN_JOULE * change


def stored_energy_as_printed(n_spins: int, mu_initial: float, mu_final: float, field_ghz: float) -> float:
    """Stored energy by the paper's formula, which is too small by a factor of 2; only for comparing with its numbers.

    The paper takes E_tau = (1 - f) E_0 after a fraction f of the spins has flipped. Correct is (1 - 2f) E_0, as a flip
    changes the sign of a spin's energy. The printed powers, 2.344e-16 W and 2.151e-16 W, are half of the correct ones.
    Arguments and errors as :func:`stored_energy`.
    """
    return 0.5 * stored_energy(n_spins, mu_initial, mu_final, field_ghz)


def mean_power(energy_j: float, duration_ns: float) -> float:
    """Mean power in W from an energy in J and a duration in ns.

    Raises:
        InvalidParameterError: an energy that is not finite, or a duration that is not above zero.
    """
    return finite("energy_j", energy_j) / (positive("duration_ns", duration_ns) * 1e-9)


def peak_power(record: Record, field_ghz: float) -> float:
    """Largest power along mu(t) in W, with E(t) = N (field/2) h mu(t) and Planck's constant h.

    It is the largest slope between neighbouring output times, a lower bound of the true peak that rises with finer
    output times.

    Args:
        record: a record with three or more output times.
        field_ghz: as in :func:`stored_energy`.

    Raises:
        RecordError: fewer than three output times.
        InvalidParameterError: a field that is not above zero.
    """
    times = as_record(record).times
    if len(times) < 3:
        raise RecordError(
            f"the peak power needs mu(t) at three or more output times, but the record has {len(times)}; "
            "charge again with times=..."
        )
    slope = float(np.max(np.diff(record.variables["magnetization_t"].values) / np.diff(times)))
    return record.n_spins * 0.5 * positive("field_ghz", field_ghz) * GHZ_IN_JOULE * slope / 1e-9


def peak_power_as_printed(record: Record, field_ghz: float) -> float:
    """Peak power by the paper's formula, half of the correct value; see :func:`stored_energy_as_printed`."""
    return 0.5 * peak_power(record, field_ghz)


def ratio_and_difference(a: float, b: float) -> tuple[float, float]:
    """(a/b, a - b): the paper's "factor 5.670e4" between its engines is the difference 6.894e5 - 6.327e5."""
    a, b = finite("a", a), finite("b", b)
    if b == 0.0:
        raise InvalidParameterError("b must not be zero: a/b does not exist.")
    return a / b, a - b


def ergotropy(state: ArrayLike, hamiltonian: ArrayLike) -> float:
    """Ergotropy Tr(rho H) - Tr(rho_passive H), the largest energy that unitaries can extract.

    rho_passive has the populations of rho in descending order on the levels of H in ascending order
    (Allahverdyan, Balian and Nieuwenhuizen, Europhys. Lett. 67, 565 (2004)).

    Args:
        state: amplitudes (d,) or a density matrix (d, d), d up to 4096.
        hamiltonian: (d, d) Hermitian, or its (d,) real diagonal, in the unit of the result.

    Raises:
        InvalidParameterError: shapes that do not fit, d above 4096, entries not finite, a state that is
            not normalised, Hermitian and positive, or a Hamiltonian that is not Hermitian.
    """
    matrix, levels = _checked_hamiltonian(hamiltonian)
    rho, populations = _checked_state(state, len(levels))
    if rho.ndim == 1:
        applied = matrix * rho if matrix.ndim == 1 else matrix @ rho
        energy = float(np.vdot(rho, applied).real)
    elif matrix.ndim == 1:
        energy = float(np.diagonal(rho).real @ matrix.real)
    else:
        energy = float(np.sum(rho * matrix.T).real)
    return max(energy - float(populations[::-1] @ levels), 0.0)


def capacity(state: ArrayLike, hamiltonian: ArrayLike) -> float:
    """Battery capacity, the energy of the active state minus the energy of the passive state on the unitary orbit.

    The active state has the populations in ascending order on ascending levels. The capacity is the same after every
    unitary, and bounds the ergotropy (Yang et al., Phys. Rev. Lett. 131, 030402 (2023)). Arguments and errors as
    :func:`ergotropy`.
    """
    _, levels = _checked_hamiltonian(hamiltonian)
    _, populations = _checked_state(state, len(levels))
    return float(populations @ levels - populations[::-1] @ levels)


def _checked_array(name: str, value: ArrayLike) -> NDArray[np.complex128]:
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidParameterError(f"{name} must be an array of numbers, but its rows are unequally long.") from None
    if array.dtype.kind not in "iufc":
        raise InvalidParameterError(f"{name} must be an array of numbers, but is of type {array.dtype}.")
    if array.ndim not in (1, 2) or array.size == 0 or array.shape[0] != array.shape[-1]:
        raise InvalidParameterError(f"{name} must be of shape (d,) or (d, d), but is of shape {array.shape}.")
    if len(array) > _LARGEST_DIMENSION:
        raise InvalidParameterError(
            f"{name} has dimension {len(array)}, but at most {_LARGEST_DIMENSION} (12 spins) can be diagonalised."
        )
    if not np.isfinite(array).all():
        raise InvalidParameterError(f"{name} has entries that are not finite.")
    array = array.astype(np.complex128)
    if array.ndim == 2 and np.abs(array - array.conj().T).max() > _ROUNDING * np.abs(array).max():
        raise InvalidParameterError(f"{name} is a matrix that is not Hermitian.")
    return array


def _checked_hamiltonian(hamiltonian: ArrayLike) -> tuple[NDArray[np.complex128], FloatArray]:
    """H as given, (d, d) or (d,), and its levels (d,) in ascending order."""
    matrix = _checked_array("hamiltonian", hamiltonian)
    if matrix.ndim == 2:
        return matrix, np.asarray(np.linalg.eigvalsh(matrix), dtype=np.float64)
    if np.abs(matrix.imag).max() > _ROUNDING * np.abs(matrix).max():
        raise InvalidParameterError("hamiltonian is a diagonal that is not real, so it is not Hermitian.")
    return matrix, np.sort(matrix.real)


def _checked_state(state: ArrayLike, dimension: int) -> tuple[NDArray[np.complex128], FloatArray]:
    """The state as given, (d,) or (d, d), and its populations (d,) in ascending order."""
    rho = _checked_array("state", state)
    if len(rho) != dimension:
        raise InvalidParameterError(f"the state has dimension {len(rho)}, but the Hamiltonian has {dimension}.")
    weight = float(np.vdot(rho, rho).real if rho.ndim == 1 else np.trace(rho).real)
    if abs(weight - 1.0) > _ROUNDING:
        what = "squared norm" if rho.ndim == 1 else "trace"
        raise InvalidParameterError(f"the state has {what} {weight:.10g}; normalise it to 1.")
    if rho.ndim == 1:
        populations = np.zeros(dimension)
        populations[-1] = 1.0
        return rho, populations
    populations = np.asarray(np.linalg.eigvalsh(rho), dtype=np.float64)
    if populations[0] < -_ROUNDING:
        raise InvalidParameterError(
            f"the state has the negative eigenvalue {populations[0]:.3g}; a density matrix is positive."
        )
    return rho, populations
