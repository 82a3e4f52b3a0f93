"""QuSpin with the symmetries of the torus as a peer of the symmetric sector. It is an extra: see ``is_installed``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinbattery.core.units import TWO_PI
from spinbattery.model.problem import ChargingProblem

from .contestants import Case, Outcome, Run, moments_on
from .qutip_peer import MOST_STEPS, REFERENCE_TOLERANCES, splines
from .search import Setting, Solver

if TYPE_CHECKING:
    from quspin.basis import spin_basis_general
    from quspin.operators import hamiltonian

HOW_TO_INSTALL = (
    "QuSpin is not installed, so its rows and goals are left out; to have them: "
    "pip install -c constraints.txt -e '.[test,bench]'"
)

_UNCHECKED = {"check_herm": False, "check_symm": False, "check_pcon": False}
"""QuSpin's checks of a Hamiltonian print to the terminal; our tests check that the maps are symmetries."""

Field = Callable[[float], float]


def is_installed() -> bool:
    return find_spec("quspin") is not None


def torus_maps(lx: int, ly: int) -> dict[str, NDArray[np.int64]]:
    """Translations, reflections and, on a square torus, the transposition, as maps of sites; identities left out."""
    sites = np.arange(lx * ly)
    x, y = sites // ly, sites % ly
    maps = {
        "translation x": (x + 1) % lx * ly + y,
        "translation y": x * ly + (y + 1) % ly,
        "reflection x": -x % lx * ly + y,
        "reflection y": x * ly + -y % ly,
    }
    if lx == ly:
        maps["transposition"] = y * ly + x
    return {name: image for name, image in maps.items() if not np.array_equal(image, sites)}


def basis(case: Case) -> spin_basis_general:
    """The block of states that all maps of the torus leave as they are."""
    from quspin.basis import spin_basis_general

    blocks = {name.replace(" ", "_"): (image, 0) for name, image in torus_maps(case.lx, case.ly).items()}
    with warnings.catch_warnings():
        # these maps do not commute, which matters only for blocks with other quantum numbers than zero
        warnings.simplefilter("ignore")
        return spin_basis_general(case.lx * case.ly, pauli=1, **blocks)


def solver(case: Case) -> Solver:
    """QuSpin on one torus, ready for the search; its basis is made once."""
    space = basis(case)

    def prepared(problem: ChargingProblem, setting: Setting) -> Run:
        return prepare(problem, setting, space)

    def reference(problem: ChargingProblem) -> Outcome:
        return prepared(problem, Setting("dop853", *REFERENCE_TOLERANCES, coefficients="function"))()

    return Solver("QuSpin", layouts(), METHODS, prepared, reference, loosest_relative=1e-6, failure=RuntimeError)


METHODS = ("dop853", "dopri5", "vode", "lsoda")
"""Integrators of scipy's ``ode``. QuSpin passes real and imaginary parts as real numbers, which excludes zvode."""


def layouts(method: str = "dop853", atol: float = 1e-10, rtol: float = 1e-8) -> list[Setting]:
    """Kinds of coefficients and matrix formats, all at one method and tolerance."""
    compiled = [Setting(method, atol, rtol, "spline", storage) for storage in ("csr", "csr+dia")]
    return [Setting(method, atol, rtol, "function"), *compiled]


def prepare(problem: ChargingProblem, setting: Setting, space: spin_basis_general) -> Run:
    """QuSpin's ``evolve`` with stops at the protocol's corners; basis, matrices and splines are prepared here."""
    corners = problem.protocol.breakpoints
    stretches = list(zip(corners[:-1].tolist(), corners[1:].tolist(), strict=True))
    hamiltonians = [_hamiltonian(problem, setting, space, start, end) for start, end in stretches]
    magnetization = _magnetization(problem.n_spins, space)
    discharged = np.zeros(space.Ns, dtype=np.complex128)
    discharged[np.argmin(magnetization)] = 1.0
    options: dict[str, Any] = {"atol": setting.atol, "rtol": setting.rtol, "nsteps": MOST_STEPS}
    if setting.method == "vode":
        options["method"] = "adams"

    def run() -> Outcome:
        psi = discharged
        for evolving, (start, end) in zip(hamiltonians, stretches, strict=True):
            psi = evolving.evolve(psi, start, end, solver_name=setting.method, **options)
        return moments_on(np.abs(psi) ** 2, magnetization / problem.n_spins)

    return run


def _hamiltonian(
    problem: ChargingProblem, setting: Setting, space: spin_basis_general, start: float, end: float
) -> hamiltonian:
    from quspin.operators import hamiltonian

    n = problem.n_spins
    pairs, couplings = problem.couplings
    each = [[1.0, k] for k in range(n)]
    bonds = [[float(c), int(j), int(k)] for (j, k), c in zip(pairs, couplings, strict=True)]
    fields = _fields(problem, setting, start, end)
    terms = [[name, sites, field, ()] for name, sites, field in zip("xz", (each, each), fields[:2], strict=True)]
    terms.append(["zz", bonds, fields[2], ()])
    found = hamiltonian([], terms, basis=space, dtype=np.float64, **_UNCHECKED)
    if setting.storage == "csr+dia":
        forms = ("csr", "dia", "dia")
        found.update_matrix_formats(None, {(field, ()): form for field, form in zip(fields, forms, strict=True)})
    return found


def _fields(problem: ChargingProblem, setting: Setting, start: float, end: float) -> list[Field]:
    """Coefficients of Sx, Sz and the couplings at a time, in rad/ns."""
    if setting.coefficients == "function":
        return [lambda t, k=k: TWO_PI * float(problem.fields(t)[k]) for k in range(3)]
    return [lambda t, spline=spline: spline(t).real for spline in splines(problem, start, end)]


def _magnetization(n_spins: int, space: spin_basis_general) -> NDArray[np.float64]:
    """Sz of each state of the basis."""
    from quspin.operators import hamiltonian

    sz = hamiltonian([["z", [[1.0, k] for k in range(n_spins)]]], [], basis=space, dtype=np.float64, **_UNCHECKED)
    return np.asarray(sz.diagonal().real)
