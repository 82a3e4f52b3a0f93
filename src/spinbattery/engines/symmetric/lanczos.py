"""Exponentials by Lanczos' method: fewer products with H than any fixed series, but a basis in memory.

The vectors of the basis are kept without their norms, so that a product with H takes two passes over memory. Passes
run over blocks of rows, which threads share. Sums of blocks are added up in order, so that digits do not depend
on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ...core.arrays import parts
from ...core.errors import EngineError
from ...core.threads import Team
from ...core.typing import ComplexArray, FloatArray
from .basis import SymmetricSector
from .costs import BASIS
from .declared import ROWS_PER_BLOCK, combine, product, subtract

_PARTS_PER_THREAD = 4
_FIRST_CHECK = 3
_BREAKDOWN = 1e-14
_SMALLEST_PART = 1e-6
_SHARE_OF_BEFORE = 0.1


class Lanczos:
    """A state of the sector, in the first vector of a basis, and exponentials applied to it."""

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        """Start from ``amplitudes`` (dimension,), with a ``tolerance`` for each exponential."""
        self._sector, self._tolerance, self._team = sector, tolerance, team
        self._basis = np.empty((BASIS + 1, sector.dimension), dtype=np.complex128)
        self._basis[0] = amplitudes
        n_blocks = -(-sector.dimension // ROWS_PER_BLOCK)
        n_parts = 1 if team.threads == 1 else min(n_blocks, _PARTS_PER_THREAD * team.threads)
        self._parts = list(pairwise(n_blocks * part // n_parts for part in range(n_parts + 1)))
        self._sums = np.empty(n_blocks)
        self._extremes = np.array([sector.n_spins, sector.n_spins, np.abs(sector.ising).max()])
        self._last = 0, math.inf

    @property
    def amplitudes(self) -> ComplexArray:
        """The state (dimension,), which may be written over."""
        first: ComplexArray = self._basis[0]
        return first

    def apply(self, coefficients: FloatArray) -> int:
        """Apply exp(-i (x Sx + z Sz + c ZZ)) for each row (x, z, c), in rad; returns the products with H."""
        sizes, psi = self._sector.sizes, self._basis[0]
        norm = math.sqrt(float((sizes * (psi.real**2 + psi.imag**2)).sum()))  # the digits of BLAS depend on threads
        self._last = 0, math.inf  # depends on this sequence alone, so that a resumed run has the same digits
        products = 0
        for row in coefficients:
            left = 1.0
            while left > 0.0:
                part, factors = self._krylov(row, norm, left)
                norm = math.sqrt(self._sum(combine, sizes, parts(self._basis), parts(factors)))
                left = 0.0 if part == left else left - part
                products += len(factors)
        return products

    def _krylov(self, coefficients: FloatArray, norm: float, left: float) -> tuple[float, ComplexArray]:
        """Build a basis for the part of an exponential that is left, or for as much of it as possible.

        Returns:
            That part, and the factor of each vector of the basis in the result.
        """
        sector, vectors = self._sector, parts(self._basis)
        scales = [1.0 / norm]
        alphas: list[float] = []
        betas: list[float] = []
        # exponentials of a step differ in length, and a shorter one takes no fewer vectors for its length
        length = left * float(np.abs(coefficients) @ self._extremes)
        check = max(_FIRST_CHECK, int(self._last[0] * min(1.0, length / self._last[1])) - 1)
        while True:
            k = len(alphas)
            before, weight = (vectors[k - 1], betas[-1] * scales[k - 1]) if k else (vectors[0], 0.0)
            alpha = self._sum(
                product, sector.index, sector.sizes, sector.magnetization, sector.ising, coefficients,
                vectors[k], scales[k], before, weight, vectors[k + 1],
            )  # fmt: skip
            squared = self._sum(subtract, sector.sizes, vectors[k], alpha * scales[k], vectors[k + 1])
            alphas.append(alpha)
            betas.append(math.sqrt(squared))
            scales.append(1.0 / max(betas[-1], 1e-300))
            closed = betas[-1] < _BREAKDOWN * max(map(abs, alphas))
            if k + 1 < check and not closed and k + 1 < BASIS:
                continue
            spectrum = _Tridiagonal(alphas, betas)
            if closed or spectrum.error(left) <= self._tolerance * left:
                break
            if k + 1 == BASIS:
                left = spectrum.longest(left, self._tolerance)
                break
            check = k + 2
        self._last = len(alphas), max(length, 1e-300)
        return left, norm * spectrum.exponential(left) * np.array(scales[:-1])

    def _sum(self, kernel: Callable[..., None], *arguments: Any) -> float:
        """Run a kernel on all blocks of rows and add up their sums in order."""
        self._team.run(kernel, [(*arguments, first, last, self._sums) for first, last in self._parts])
        return float(self._sums.sum())


class _Tridiagonal:
    """H in the basis, diagonalised."""

    def __init__(self, alphas: list[float], betas: list[float]) -> None:
        from scipy.linalg import eigh_tridiagonal

        self._values, self._vectors = eigh_tridiagonal(np.array(alphas), np.array(betas[:-1]))
        self._next = betas[-1]

    def exponential(self, part: float) -> ComplexArray:
        """First column of exp(-i part T)."""
        return np.asarray(self._vectors @ (np.exp(-1j * part * self._values) * self._vectors[0]))

    def error(self, part: float) -> float:
        """Error, as the first term of its expansion (Saad, SIAM J. Numer. Anal. 29, 209 (1992), theorem 5.1).

        That is the mean weight of the last vector on the way times its coupling to the next. A share of the weight of
        the vector before stands in where the last weight vanishes by accident.
        """
        turned = -1j * part * self._values
        turned[turned == 0.0] = 1e-300
        weights = np.abs(self._vectors @ (np.expm1(turned) / turned * self._vectors[0]))
        return part * self._next * float(max(weights[-1], _SHARE_OF_BEFORE * weights[-2:][0]))

    def longest(self, part: float, tolerance: float) -> float:
        """A part short enough for the tolerance (of the whole).

        Raises:
            EngineError: there is none.
        """
        wanted = part
        while self.error(wanted) > tolerance * wanted:
            wanted *= 0.7
            if wanted < _SMALLEST_PART * part:
                raise EngineError("Lanczos' method does not converge on this problem; use the Chebyshev series.")
        return wanted
