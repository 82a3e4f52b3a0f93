"""Commutator-free Magnus integrators of tensor networks: a step is a product of exponentials of H's own form.

On a step of length h, H(t) = sum_n H_n P_n(2 t/h - 1) with projections H_n on Legendre polynomials. The step is the
product of exp(-i h sum_n f_(k n) H_n). The exponents need no sampled fields, so that a measured table with a thousand
corners costs no order (see :mod:`spinbattery.engines.common.mesh`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...core.typing import FloatArray
from .mesh import StepFields


@dataclass(frozen=True)
class Exponents:
    """Exponents of m consecutive exponentials: (m, 3) factors of Sx, Sz and ZZ in rad."""

    coefficients: FloatArray

    def __len__(self) -> int:
        return len(self.coefficients)

    def parts(self, largest: int) -> Iterator[Exponents]:
        """The same exponentials in sequence, in parts of up to ``largest``."""
        for first in range(0, len(self), largest):
            yield Exponents(self.coefficients[first : first + largest])


@dataclass(frozen=True)
class CommutatorFree:
    """A commutator-free scheme.

    Attributes:
        order: order of the global error in the step.
        factors: (exponentials, degree + 1) factors f_(k n); the exponential in the first row acts first.
    """

    name: str
    order: int
    factors: tuple[tuple[float, ...], ...]

    @property
    def stages(self) -> int:
        """Exponentials per step."""
        return len(self.factors)

    @property
    def legendre_degree(self) -> int:
        return len(self.factors[0]) - 1

    def sequence(self, fields: StepFields) -> Exponents:
        """Exponents of all steps in sequence."""
        exponents = np.einsum("fsn,kn->skf", fields.coefficients[:3], np.array(self.factors))
        return Exponents(np.ascontiguousarray((exponents * fields.lengths[:, None, None]).reshape(-1, 3)))


COMMUTATOR_FREE_2 = CommutatorFree("CF2", 2, ((1.0,),))
"""The mean of H on the step, for TDVP sweeps, whose order is 2, too."""

# Blanes and Moan, Appl. Numer. Math. 56, 1519 (2006); Alvermann and Fehske, J. Comput. Phys. 230, 5930 (2011), CF4:2.
COMMUTATOR_FREE_4 = CommutatorFree("CF4", 4, ((0.5, -1.0 / 3.0), (0.5, 1.0 / 3.0)))
