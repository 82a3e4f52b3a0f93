"""Trees of Quantum TEA Leaves, driven by the classes below its simulation interface.

These classes may change from version to version, so that one version is pinned. A product start has links of dimension
one. They are filled up with ``padding``, which must be above the package's truncation, and held at the bond dimension.
Otherwise the state stays a product of pairs without any warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import MissingDependencyError
from ...core.installing import install_extra_command
from ...core.typing import ComplexArray, FloatArray, IntArray
from ...model.problem import ChargingProblem
from ..common.magnus import Exponents
from ..common.ordering import halved, in_order
from ..common.populations import from_characteristic

CUT_RATIO = 1e-12
"""Singular values below this share of the largest are discarded."""

_CLASSES = {
    "convergence_parameters": ("TNConvergenceParameters",),
    "emulator": ("TTN",),
    "mpos": ("ITPO", "DenseMPO", "DenseMPOList", "MPOSite"),
    "operators": ("TNSpin12Operators",),
    "solvers": ("KrylovSolverH",),
    "tensors": ("TensorBackend",),
}


def import_qtealeaves() -> SimpleNamespace:
    """The classes of the package that are used here.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        modules = {import_module(f"qtealeaves.{name}"): classes for name, classes in _CLASSES.items()}
    except ImportError:
        raise MissingDependencyError(
            f"the qtealeaves engine needs Quantum TEA Leaves; run {install_extra_command('qtea')}"
        ) from None
    return SimpleNamespace(**{name: getattr(module, name) for module, names in modules.items() for name in names})


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the package's log of two intended things: N padded to a power of two, and isometries that it makes."""
    logger = logging.getLogger("qtealeaves")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class TeaTree:
    """A tree of the package in the product start of a problem, and H with coefficients that can be changed.

    Attributes:
        order: spin at each site of the tree.
        arrays: empty, as the tree cannot go on from a checkpoint.
    """

    shortest_chunk = 1
    arrays: Sequence[NDArray[Any]] = ()

    def __init__(
        self, problem: ChargingProblem, bond_dimension: int, padding: float, mode: int, stage_seconds: float = 1.0
    ) -> None:
        tea, n, pairs = import_qtealeaves(), problem.n_spins, problem.couplings[0]
        self.stage_seconds, self._mode, self._n = stage_seconds, mode, n
        self.order: IntArray = np.array(in_order(halved(n, pairs, 1)))
        self._place = np.argsort(self.order)
        backend = tea.TensorBackend()
        limits = tea.TNConvergenceParameters(
            max_bond_dimension=bond_dimension, min_bond_dimension=bond_dimension, cut_ratio=CUT_RATIO
        )
        with _quiet():
            self._tree = tea.TTN.product_state_from_local_states(
                problem.protocol.initial.spinors(n)[self.order],
                padding=[bond_dimension, padding],
                convergence_parameters=limits,
                tensor_backend=backend,
            )
            self._tree.solver = tea.KrylovSolverH
            tensor = backend.base_tensor_cls
            operators = tensor.convert_operator_dict(
                tea.TNSpin12Operators(), params={}, symmetries=[], generators=[], base_tensor_cls=tensor,
                dtype=backend.dtype, device=backend.memory_device,
            )  # fmt: skip
            self._sz = operators["default", "sz"]
            terms = self._terms(tea, backend, problem)
            terms.initialize(operators, {"x": 1.0, "z": 1.0, "zz": 1.0})
            hamiltonian = tea.ITPO(n, enable_update=True)
            hamiltonian.add_dense_mpo_list(terms)
            hamiltonian.setup_as_eff_ops(self._tree)

    def _terms(self, tea: SimpleNamespace, backend: Any, problem: ChargingProblem) -> Any:
        """sx and sz of every spin and sz sz of every coupled pair, with factors named x, z and zz."""
        terms = tea.DenseMPOList()
        for site in range(self._n):
            for operator in ("x", "z"):
                term = tea.DenseMPO(tensor_backend=backend)
                term.append(tea.MPOSite(site, f"s{operator}", operator, 1.0))
                terms.append(term)
        for sites, coupling in zip(self._place[problem.couplings[0]].tolist(), problem.couplings[1], strict=True):
            if coupling == 0.0:
                continue
            first, second = sorted(sites)
            term = tea.DenseMPO(tensor_backend=backend)
            term.append(tea.MPOSite(first, "sz", "zz", float(coupling)))
            term._singvals.append(None)  # for the link between both, which the package does not fill in
            term.append(tea.MPOSite(second, "sz", None, 1.0))
            terms.append(term)
        return terms

    def apply(self, stages: Exponents) -> None:
        """Make steps whose mean H, times their length, has these coefficients."""
        with _quiet():
            for coefficients in stages.coefficients:
                self._set(coefficients)
                self._tree.timestep(1.0, self._mode)

    def energy(self, fields: Sequence[Any]) -> float:
        """<H> in the unit of the fields Bx, Bz and B/2."""
        with _quiet():
            self._set(fields)
            return float(self._tree.compute_energy()) / self.norm**2

    def _set(self, coefficients: Sequence[Any] | FloatArray) -> None:
        """Give H these coefficients of Sx, Sz and ZZ."""
        self._tree.iso_towards(self._tree.default_iso_pos)
        hamiltonian = self._tree.eff_op
        hamiltonian.do_update = True
        hamiltonian.update_couplings(dict(zip(("x", "z", "zz"), map(float, coefficients), strict=True)))
        self._tree.build_effective_operators()
        hamiltonian.do_update = False

    @property
    def norm(self) -> float:
        return float(self._tree.norm())

    @property
    def largest_dimension(self) -> int:
        return max(int(max(tensor.elem.shape)) for layer in self._tree.layers for tensor in layer)

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> (N,), by the package's measurement."""
        with _quiet():
            return np.asarray(self._tree.meas_local(self._sz)[self._place], dtype=np.float64)

    def distribution(self) -> FloatArray:
        """P(Sz) (N + 1,) from Sz = -N to N, by the Fourier transform of <exp(i theta Sz)>.

        The package measures real parts of products of operators, so that its tensors are contracted here.
        """
        n = self._n
        turns = np.exp(-2j * np.pi * np.arange((n + 1) // 2 + 1) / (n + 1))
        up_or_down = np.zeros((len(turns), 2, 2), dtype=np.complex128)
        up_or_down[:, 0, 0], up_or_down[:, 1, 1] = turns, 1.0
        nothing = np.ones((len(turns), 1, 1), dtype=np.complex128)
        *below, top = ([tensor.elem for tensor in layer] for layer in reversed(self._tree.layers))
        stacks = [up_or_down] * n + [nothing] * (2 * len((below or [top])[0]) - n)
        for tensors in (*below, [tensor.reshape(tensor.shape[:3]) for tensor in top]):
            both = zip(stacks[::2], stacks[1::2], strict=True)
            stacks = [_joined(tensor, *legs) for tensor, legs in zip(tensors, both, strict=True)]
        characteristic = np.sum(stacks[0] * stacks[1], axis=(1, 2))
        return from_characteristic(characteristic, n)


def _joined(tensor: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
    """T* (A x B) T on the last leg (K, d, d), for K operators A and B on the others."""
    found = []
    for one, other in zip(first, second, strict=True):
        acted = other @ np.tensordot(one, tensor, 1)
        found.append(np.tensordot(tensor.conj(), acted, ((0, 1), (0, 1))))
    return np.stack(found)
