"""A state of the symmetric sector, with exponentials by Chebyshev series or by Lanczos' method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ...core.threads import Team
from ...core.typing import ComplexArray, FloatArray
from ..common.magnus import Exponents
from ..common.populations import Populations, summed
from .basis import SymmetricSector
from .chebyshev import chebyshev_steps
from .costs import CHEBYSHEV, LANCZOS, Costs
from .lanczos import Lanczos
from .sector_kernels import transverse_expectation

_PRODUCTS_PER_EXPONENTIAL = 15.0
_LEAST_TOLERANCE = 1e-15


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

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        return float(transverse_expectation(self.sector.index, self.sector.sizes, self.amplitudes))


class ChebyshevState(SectorState):
    """For small sectors: all exponentials of a chunk in one kernel."""

    costs = CHEBYSHEV

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        super().__init__(sector, amplitudes, tolerance, team)
        self._psi, self._tolerance = amplitudes, max(tolerance, _LEAST_TOLERANCE)
        self._diagonal = np.empty(sector.dimension)
        self._work = np.empty((3, sector.dimension), dtype=np.complex128)
        up = (sector.magnetization.astype(np.int64) + sector.n_spins) // 2
        self._lowest, self._highest = np.full(sector.n_spins + 1, np.inf), np.full(sector.n_spins + 1, -np.inf)
        np.minimum.at(self._lowest, up, sector.ising)
        np.maximum.at(self._highest, up, sector.ising)

    @property
    def amplitudes(self) -> ComplexArray:
        return self._psi

    def apply(self, stages: Exponents) -> None:
        sector = self.sector
        self.products += chebyshev_steps(
            sector.index, sector.magnetization, sector.ising, self._lowest, self._highest,
            stages.coefficients, self._tolerance, self._psi, self._diagonal, self._work,
        )  # fmt: skip


class LanczosState(SectorState):
    """For large sectors: fewer products, on all cores."""

    costs = LANCZOS

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        super().__init__(sector, amplitudes, tolerance, team)
        self._lanczos = Lanczos(sector, amplitudes, max(tolerance, _LEAST_TOLERANCE), team)

    @property
    def amplitudes(self) -> ComplexArray:
        return self._lanczos.amplitudes

    def apply(self, stages: Exponents) -> None:
        self.products += self._lanczos.apply(stages.coefficients)
