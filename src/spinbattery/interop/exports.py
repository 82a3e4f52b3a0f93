"""A charging problem as other software takes it: SciPy, QuTiP, dimod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..core.units import TWO_PI
from ..model.operators import ising_diagonal, magnetization_diagonal, transverse_operator
from .qutip_operators import QutipProblem, collapse_operators, import_qutip, product_ket
from .qutip_operators import hamiltonian as qutip_hamiltonian

if TYPE_CHECKING:
    import dimod
    import qutip
    from scipy.sparse import csr_matrix

    from ..model.problem import ChargingProblem


@dataclass(frozen=True)
class ScipyHamiltonian:
    """H(t) = bx(t) Sx + bz(t) Sz + b(t) ZZ in rad/ns as sparse matrices; call it with t in ns.

    ZZ holds J w_jk and the cross-talk, so that its factor is 2 pi B(s)/2 alone. Basis order as in
    :mod:`spinbattery.model.operators`.
    """

    sx: csr_matrix
    sz: csr_matrix
    zz: csr_matrix
    fields: Callable[[ArrayLike], tuple[FloatArray, FloatArray, FloatArray]]

    def __call__(self, t: float) -> csr_matrix:
        bx, bz, half_b = (TWO_PI * float(c) for c in self.fields(t))
        matrix: csr_matrix = bx * self.sx + bz * self.sz + half_b * self.zz
        return matrix


def to_scipy(problem: ChargingProblem) -> ScipyHamiltonian:
    """H(t) in rad/ns as scipy sparse matrices, so that psi' = -i H psi with t in ns."""
    from scipy.sparse import diags

    _refuse_large(problem, "to_scipy", 20)
    n = problem.n_spins
    sz = diags(magnetization_diagonal(n).astype(np.float64)).tocsr()
    zz = diags(ising_diagonal(n, *problem.couplings)).tocsr()
    return ScipyHamiltonian(transverse_operator(n), sz, zz, problem.fields)


def to_qobjevo(problem: ChargingProblem) -> qutip.QobjEvo:
    """H(t) in rad/ns as a QuTiP QobjEvo with exact (function) coefficients, t in ns.

    The tensor order is the order of ``network.names``, the first spin first, and ``basis(2, 0)`` is up, as in
    QuTiP. Adaptive solvers step over the protocol's corners and interpolate back, whatever the tlist: limit
    ``max_step``, or integrate from corner to corner.

    Raises:
        InvalidParameterError: more than 20 spins.
        MissingDependencyError: qutip is not installed.
    """
    import_qutip("to_qobjevo")
    matrices = to_scipy(problem)
    return qutip_hamiltonian((matrices.sx, matrices.sz, matrices.zz), problem.fields)


def to_qutip(problem: ChargingProblem) -> QutipProblem:
    """The arguments of QuTiP's ``mesolve`` and ``mcsolve``: H(t), collapse operators, and the initial ket.

    ``qutip.mesolve(H, initial, tlist, collapse_operators)`` with t in ns solves the equation of
    :class:`~spinbattery.model.noise.Noise`. With QuTiP's own tolerances the precision of small rings is off by some
    1e-5, with ``options={"atol": 1e-10, "rtol": 1e-8, "nsteps": 100_000}`` by 1e-6. Without noise there are no collapse
    operators. The result can be pickled, so that ``mcsolve`` runs in parallel.
    :func:`~spinbattery.interop.qutip_results.record_from_qutip` makes a record of the result.

    Raises:
        InvalidParameterError: more than 16 spins.
        MissingDependencyError: qutip is not installed.
    """
    import_qutip("to_qutip")
    _refuse_large(problem, "to_qutip", 16)
    n = problem.n_spins
    jumps = [] if problem.noise is None else collapse_operators(problem.noise, n, problem.fields)
    return QutipProblem(to_qobjevo(problem), jumps, product_ket(problem.protocol.initial.spinors(n)))


def to_bqm(problem: ChargingProblem) -> dimod.BinaryQuadraticModel:
    """The model that an annealer is programmed with: h on every spin, J w_jk on every pair (g = 1).

    Variables are the labels of the network's spins, or 0 to N - 1 where it has none. Cross-talk is parasitic, not
    programmed, and left out. Energies are in units of B(s)/2.
    """
    import dimod

    network, protocol = problem.network, problem.protocol
    names, weights = network.names, network.weights.tolist()
    pairs = [(names[j], names[k]) for j, k in network.pairs.tolist()]
    quadratic = {pair: protocol.J * weight for pair, weight in zip(pairs, weights, strict=True)}
    return dimod.BinaryQuadraticModel(dict.fromkeys(names, protocol.h), quadratic, 0.0, dimod.SPIN)


def _refuse_large(problem: ChargingProblem, what: str, limit: int) -> None:
    if problem.n_spins > limit:
        raise InvalidParameterError(
            f"{what} builds matrices of 2^N rows and is limited to N = {limit}, but N is {problem.n_spins}."
        )
