"""The gauge of the kernels, b = i^(number of spins down) a, in which turns about x are real rotations."""

from __future__ import annotations

import numpy as np

from ...core.typing import ComplexArray
from ...model.operators import magnetization_diagonal

_FACTORS = np.array([1.0, -1j, -1.0, 1j])


def product_state(spinors: ComplexArray) -> ComplexArray:
    """Amplitudes (2^n,) in the gauge of the product of ``spinors`` (n, 2), up amplitude first."""
    psi = np.ones(1, dtype=np.complex128)
    for spinor in spinors * np.array([1.0, 1j]):
        psi = np.multiply.outer(psi, spinor).ravel()  # as np.kron, which takes ten times as long for few spins
    return psi


def out_of_gauge(n_spins: int) -> ComplexArray:
    """Factors (2^n,) that turn amplitudes in the gauge into those of :mod:`spinbattery.model.operators`."""
    down = (n_spins - magnetization_diagonal(n_spins).astype(np.int64)) // 2
    return np.asarray(_FACTORS[down % 4])
