"""A state of the symmetric sector that stages are applied to: by Chebyshev series or by Lanczos' method."""

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
from .gather import transverse_expectation
from .lanczos import BASIS, Lanczos

_PRODUCTS_PER_EXPONENTIAL = 15.0
_LEAST_TOLERANCE = 1e-15

_BYTES_PER_AMPLITUDE, _BYTES_IN_CACHE, _SECONDS_PER_MISS = 16, 32e6, 2.6e-9
"""A vector that does not fit the third-level cache is fetched from memory, amplitude by amplitude."""


class SectorState(ABC):
    """Amplitudes in the sector; what moments are taken from.

    Attributes:
        sector: the basis.
        products: with H, so far.
    """

    shortest_chunk = 1

    bytes_per_row: ClassVar[int]
    """Of the vectors it works with."""

    seconds_per_product: ClassVar[float]
    seconds_per_row: ClassVar[float]
    seconds_per_gather: ClassVar[float]
    """Rough time of a product with H on one core: in all, for each row, and for each of its N amplitudes."""

    products_per_radian: ClassVar[float]
    products_per_exponential: ClassVar[float]
    """Products with H that an exponential takes, as far as it turns (half the width of its spectrum), and at least."""

    @abstractmethod
    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        """Start from ``amplitudes`` (dimension,), which are written over.

        Args:
            sector: the basis.
            amplitudes: not normalised by the sizes of the orbits.
            tolerance: of each exponential.
            team: threads to work with.
        """
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

    @classmethod
    def expected_products(cls, turned: float, exponentials: float) -> float:
        """Rough number of products with H of so many exponentials that turn by so many radians together."""
        return cls.products_per_radian * turned + cls.products_per_exponential * exponentials

    @classmethod
    def seconds(cls, dimension: int, n_spins: int) -> float:
        """Rough time of a product with H on one core."""
        missed = max(0.0, 1.0 - _BYTES_IN_CACHE / (_BYTES_PER_AMPLITUDE * dimension))
        per_gather = cls.seconds_per_gather + missed * _SECONDS_PER_MISS
        return cls.seconds_per_product + dimension * (cls.seconds_per_row + n_spins * per_gather)

    @property
    def stage_seconds(self) -> float:
        return _PRODUCTS_PER_EXPONENTIAL * self.seconds(self.sector.dimension, self.sector.n_spins)

    def probabilities(self) -> tuple[FloatArray, float]:
        """Probability of each orbit (dimension,), normalised, and the squared norm before."""
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

    bytes_per_row: ClassVar[int] = 16 * 4 + 8
    seconds_per_product: ClassVar[float] = 5e-8
    seconds_per_row: ClassVar[float] = 2.5e-9
    seconds_per_gather: ClassVar[float] = 0.25e-9
    products_per_radian: ClassVar[float] = 1.0
    products_per_exponential: ClassVar[float] = 12.0

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

    bytes_per_row: ClassVar[int] = 16 * (BASIS + 1)
    seconds_per_product: ClassVar[float] = 2.5e-5
    seconds_per_row: ClassVar[float] = 10e-9
    seconds_per_gather: ClassVar[float] = 0.7e-9
    products_per_radian: ClassVar[float] = 0.8
    products_per_exponential: ClassVar[float] = 5.5

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, tolerance: float, team: Team) -> None:
        super().__init__(sector, amplitudes, tolerance, team)
        self._lanczos = Lanczos(sector, amplitudes, max(tolerance, _LEAST_TOLERANCE), team)

    @property
    def amplitudes(self) -> ComplexArray:
        return self._lanczos.amplitudes

    def apply(self, stages: Exponents) -> None:
        self.products += self._lanczos.apply(stages.coefficients)
