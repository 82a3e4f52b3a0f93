"""A state of the symmetric sector, with exponentials by Chebyshev series or by Lanczos' method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ...core.arrays import parts
from ...core.threads import Team
from ...core.typing import ComplexArray, FloatArray
from ..common.magnus import Exponents
from ..common.populations import Populations, summed
from .basis import SymmetricSector
from .costs import CHEBYSHEV, LANCZOS, Costs
from .declared import chebyshev_steps, transverse_expectation
from .lanczos import Lanczos

_PRODUCTS_PER_EXPONENTIAL = 15.0
_LEAST_TOLERANCE = 1e-15
_TILTS = np.exp(np.linspace(-1.5, 1.5, 9))
"""Trial vectors t^(spins down) of the bound of the spectrum; see :mod:`.chebyshev`."""

_TERMS = 256
"""Room for the terms of a series, which grows where an exponential needs more."""


class SectorState(ABC):
    """Amplitudes in a sector; ``products`` counts the products with H."""

    shortest_chunk = 1
    costs: ClassVar[Costs]

    @abstractmethod
    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        """Start from ``amplitudes`` (dimension,), which are overwritten, with a tolerance for each exponential."""
        self.sector = sector
        self.products = 0

    @property
    @abstractmethod
    def amplitudes(self) -> ComplexArray:
        """The state (dimension,), in place."""

    @abstractmethod
    def apply(self, stages: Exponents) -> None:
        """Apply exponentials in place."""

    @property
    def arrays(self) -> list[ComplexArray]:
        return [self.amplitudes]

    @property
    def stage_seconds(self) -> float:
        return _PRODUCTS_PER_EXPONENTIAL * self.costs.seconds(self.sector.dimension, self.sector.n_spins)

    def probabilities(self) -> tuple[FloatArray, float]:
        """Normalised probability of each orbit (dimension,), and the squared norm before."""
        psi = self.amplitudes
        p = self.sector.sizes * (psi.real**2 + psi.imag**2)
        norm = float(p.sum())
        p /= norm
        return p, norm

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the squared norm."""
        return summed(*self.probabilities(), self.sector.magnetization, self.sector.ising)

    @abstractmethod
    def transverse(self) -> float:
        """<Sx>, not normalised."""


class ChebyshevState(SectorState):
    """For small sectors: all exponentials of a chunk in one kernel."""

    costs = CHEBYSHEV

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        super().__init__(sector, amplitudes, tolerance, team)
        self._psi, self._tolerance = amplitudes, max(tolerance, _LEAST_TOLERANCE)
        self._diagonal = np.empty(sector.dimension)
        self._work = np.empty((3, sector.dimension, 2))
        self._bessel = np.empty(_TERMS)
        up = (sector.magnetization.astype(np.int64) + sector.n_spins) // 2
        self._lowest, self._highest = np.full(sector.n_spins + 1, np.inf), np.full(sector.n_spins + 1, -np.inf)
        np.minimum.at(self._lowest, up, sector.ising)
        np.maximum.at(self._highest, up, sector.ising)

    @property
    def amplitudes(self) -> ComplexArray:
        return self._psi

    def transverse(self) -> float:
        flipped = np.zeros_like(self._psi)
        for column in self.sector.index.T:  # a kernel would have to be compiled for it
            flipped += self._psi[column]
        return float((self.sector.sizes * (self._psi.conj() * flipped).real).sum())

    def apply(self, stages: Exponents) -> None:
        sector, left, products = self.sector, stages.coefficients, np.zeros(1, dtype=np.int64)
        while True:
            done = chebyshev_steps(
                sector.index, sector.magnetization, sector.ising, self._lowest, self._highest, _TILTS,
                left, self._tolerance, parts(self._psi), self._diagonal, self._work, self._bessel, products,
            )  # fmt: skip
            if done == len(left):
                break
            left, self._bessel = left[done:], np.empty(2 * len(self._bessel))
        self.products += int(products[0])


class LanczosState(SectorState):
    """For large sectors: fewer products, on all cores."""

    costs = LANCZOS

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        super().__init__(sector, amplitudes, tolerance, team)
        self._lanczos = Lanczos(sector, amplitudes, max(tolerance, _LEAST_TOLERANCE), team)

    @property
    def amplitudes(self) -> ComplexArray:
        return self._lanczos.amplitudes

    def transverse(self) -> float:
        return float(transverse_expectation(self.sector.index, self.sector.sizes, parts(self.amplitudes)))

    def apply(self, stages: Exponents) -> None:
        self.products += self._lanczos.apply(stages.coefficients)
