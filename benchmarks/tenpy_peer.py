"""TeNPy's two-site TDVP of a matrix product state as a peer of the tensor engine, on the same chain and fields."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from spinbattery.engines.common.magnus import COMMUTATOR_FREE_2, Exponents
from spinbattery.engines.common.mesh import Mesh, project_fields
from spinbattery.engines.common.ordering import chained, in_order
from spinbattery.engines.common.window import Window
from spinbattery.model.problem import ChargingProblem

_SVD_MIN = 1e-12
_LANCZOS_AMPLITUDE = 1e-8
"""Size of the last Krylov vector at which a series ends: the accuracy of the tensor engine's exponentials."""


class ChainMoments(NamedTuple):
    """mu and sigma^2."""

    mean: float
    variance: float


@contextmanager
def _understood() -> Iterator[None]:
    """Silence warnings about lattices with charges; there are no charges here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*unit_cell_width", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*unit_cell_width", category=FutureWarning)
        yield


class TenpyChain:
    """A matrix product state in the product start of a problem, and H as a matrix product operator made for each step.

    ``TwoSiteTDVPEngine`` evolves it. ``TimeDependentTwoSiteTDVP`` builds its model at each step, too, and takes H at
    the start of the step instead of its mean. While links still grow from dimension one, couplings between spins that
    are not neighbours in the chain are followed only in part: a product start in strong fields needs small steps.
    """

    def __init__(self, problem: ChargingProblem, bond_dimension: int) -> None:
        from tenpy.algorithms.tdvp import TwoSiteTDVPEngine
        from tenpy.models.lattice import Chain
        from tenpy.networks.mps import MPS
        from tenpy.networks.site import SpinHalfSite

        self._pairs, self._couplings = problem.couplings
        order = np.array(in_order(chained(problem.n_spins, self._pairs, 1)))
        self._pairs = np.sort(np.argsort(order)[self._pairs], axis=1)
        site = SpinHalfSite(conserve=None)
        self._sites = [site] * problem.n_spins
        self._lattice = Chain(problem.n_spins, site, bc="open", bc_MPS="finite")
        spinors = problem.protocol.initial.spinors(problem.n_spins)[order]
        options = {
            "trunc_params": {"chi_max": bond_dimension, "svd_min": _SVD_MIN},
            "lanczos_params": {"P_tol": _LANCZOS_AMPLITUDE},
        }
        with _understood():
            self.psi = MPS.from_product_state(self._sites, list(spinors), bc="finite", dtype=complex, permute=False)
            self._engine = TwoSiteTDVPEngine(self.psi, self._model(np.ones(3)), options)

    def _model(self, coefficients: np.ndarray[Any, Any]) -> Any:
        """H with these coefficients of Sx, Sz and ZZ."""
        from tenpy.models.model import MPOModel
        from tenpy.networks.mpo import MPOGraph
        from tenpy.networks.terms import TermList

        n, (x, z, zz) = len(self._sites), coefficients.tolist()
        terms = [[(operator, k)] for operator in ("Sigmax", "Sigmaz") for k in range(n)]
        terms += [[("Sigmaz", j), ("Sigmaz", k)] for j, k in self._pairs.tolist()]
        strengths = np.concatenate([np.full(n, x), np.full(n, z), zz * self._couplings])
        graph = MPOGraph.from_term_list(TermList(terms, strengths), self._sites, "finite")
        return MPOModel(self._lattice, graph.build_MPO())

    def apply(self, exponents: Exponents) -> None:
        """Steps whose mean H, times their length, has these coefficients."""
        with _understood():
            for coefficients in exponents.coefficients:
                self._engine.model = self._model(coefficients)
                self._engine.init_env(self._engine.model)
                self._engine.evolve(1, 1.0)

    @property
    def largest_dimension(self) -> int:
        return int(max(self.psi.chi))

    def moments(self) -> ChainMoments:
        values = np.real(self.psi.expectation_value("Sigmaz"))
        products = np.real(self.psi.correlation_function("Sigmaz", "Sigmaz"))
        n = len(values)
        mean = float(values.mean())
        return ChainMoments(mean, float(products.sum()) / n**2 - mean**2)


def tenpy_run(problem: ChargingProblem, bond_dimension: int, steps: int, window: Window) -> TenpyChain:
    """The state at the end, after steps through the part of the protocol in which populations move."""
    stops = np.unique(np.concatenate([problem.protocol.breakpoints, window[:2]]))
    mesh = Mesh(problem, stops[(stops >= window.start) & (stops <= window.end)], steps)
    chain = TenpyChain(problem, bond_dimension)
    chain.apply(COMMUTATOR_FREE_2.sequence(project_fields(problem, mesh.edges(1), mesh.kinks, 0)))
    return chain
