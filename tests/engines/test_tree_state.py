"""Trees of tensors against state vectors of the same spins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import expm_multiply

import spinbattery as sb
from spinbattery.engines.common.magnus import Exponents
from spinbattery.engines.common.ordering import chained, halved
from spinbattery.engines.tensor import measure
from spinbattery.engines.tensor.channels import Channels
from spinbattery.engines.tensor.evolution import TreeEvolution
from spinbattery.engines.tensor.expansion import cut, enlarge
from spinbattery.engines.tensor.layout import Layout
from spinbattery.engines.tensor.tree_state import TreeState
from spinbattery.model.operators import ising_diagonal, magnetization_diagonal

KINDS = {"tree": halved, "chain": chained}
START = sb.ProductState(tuple(0.3 + 0.4 * k for k in range(8)), tuple(0.2 * k for k in range(8)))


class Case:
    """A tree of 8 spins with random couplings, and the same as matrices."""

    def __init__(self, kind="tree", bond=16, largest=2, dtype=np.complex128, start=START, network=None, **options):
        self.network = network or sb.torus(2, 4)
        n = self.network.n_spins
        rng = np.random.default_rng(3)
        self.couplings = rng.normal(size=self.network.n_pairs)
        self.layout = Layout.of(KINDS[kind](n, self.network.pairs, largest))
        self.channels = Channels(self.layout, self.network.pairs, self.couplings)
        self.state = TreeState(self.layout, self.channels, start.spinors(n), bond, 1, dtype)
        self.evolution = TreeEvolution(self.state, tolerance=1e-10, **options)
        matrices = sb.ChargingProblem(self.network, sb.cooperative(20.0)).to_scipy()
        ising = ising_diagonal(n, self.network.pairs, self.couplings)
        self.matrices = matrices.sx, matrices.sz, type(matrices.sz)(np.diag(ising.astype(float)))

    def hamiltonian(self, row):
        return sum(factor * matrix for factor, matrix in zip(row, self.matrices, strict=True))

    def amplitudes(self):
        """(2^N,) of the state, by multiplying the tree out."""
        layout, state = self.layout, self.state

        def outwards(node, onward):
            """(leg, 2^k) basis of what stands behind a leg, and its spins."""
            if node < 0:
                spins = layout.blocks[-1 - node]
                return np.eye(1 << len(spins)), list(spins)
            (first, spins), (second, others) = (outwards(x, node) for x in layout.neighbours(node) if x != onward)
            tensor = state.environment.towards(node, onward, state.tensors[node])
            joined = np.einsum("abp,as,bt->pst", tensor, first, second)
            return joined.reshape(len(joined), -1), spins + others

        root = layout.root
        parts = [outwards(x, root) for x in layout.neighbours(root) if x <= root]
        tensor = state.tensors[root]
        vector = np.einsum("abp,as,bt->pst", tensor, parts[0][0], parts[1][0]).reshape(tensor.shape[2], -1)
        spins = parts[0][1] + parts[1][1]
        if len(parts) == 3:
            vector, spins = np.einsum("px,py->xy", vector, parts[2][0]), spins + parts[2][1]
        n = len(spins)
        return np.moveaxis(vector.reshape((2,) * n), range(n), spins).ravel()


def product_amplitudes(start, n):
    amplitudes = np.ones(1)
    for spinor in start.spinors(n):
        amplitudes = np.kron(amplitudes, spinor)
    return amplitudes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("largest", [1, 2, 4])
@pytest.mark.parametrize("bond", [1, 3, 16])
def test_the_start_is_the_product_state(kind, largest, bond):
    case = Case(kind, bond, largest)
    assert np.abs(case.amplitudes() - product_amplitudes(START, 8)).max() < 3e-8
    assert case.state.largest_dimension <= max(bond, 1 << largest)


def test_odd_shapes():
    for network in (sb.ring(2), sb.ring(3), sb.ring(5)):
        case = Case(network=network, largest=1, start=sb.ProductState((1.0,), (0.5,)))
        row = [0.2, -0.1, 0.3]
        expected = expm_multiply(-1j * case.hamiltonian(row), case.amplitudes())
        for _ in range(50):
            case.evolution.apply(Exponents(np.array([row]) / 50))
        assert np.abs(case.amplitudes() - expected).max() < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_moving_the_centre_changes_nothing(kind):
    case = Case(kind)
    case.evolution.apply(Exponents(np.array([[0.3, 0.2, 0.4]])))
    before = case.amplitudes()
    for node in [0, case.layout.root, 1, case.layout.root // 2, 0]:
        case.state.move(node)
        assert case.state.centre == node
        assert np.abs(case.amplitudes() - before).max() < 1e-13
        assert np.linalg.norm(case.state.tensors[node]) == pytest.approx(1.0, abs=1e-12)
        for other, onward in case.state.ways_to_centre():
            tensor = case.state.environment.towards(other, onward, case.state.tensors[other])
            matrix = tensor.reshape(-1, tensor.shape[2])
            assert np.abs(matrix.conj().T @ matrix - np.eye(tensor.shape[2])).max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("largest", [1, 2])
@pytest.mark.parametrize("expansion", [0, None])
def test_full_bases_follow_the_schroedinger_equation(kind, largest, expansion):
    errors = []
    for steps in (10, 20):
        case = Case(kind, 16, largest, expansion=expansion)
        row = np.array([0.7, -0.4, 0.5])
        expected = expm_multiply(-1j * case.hamiltonian(row), case.amplitudes())
        case.evolution.apply(Exponents(np.tile(row / steps, (steps, 1))))
        errors.append(np.abs(case.amplitudes() - expected).max())
    assert errors[1] < 2e-4
    assert errors[1] < errors[0] / 3.0 or errors[1] < 1e-7


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_backward_in_time_undoes_a_step_where_bases_are_too_small(kind):
    case = Case(kind, 3, 1)
    rows = np.array([[0.3, -0.2, 0.4], [0.2, 0.1, 0.5]])
    before = case.amplitudes()
    case.evolution.apply(Exponents(rows))
    assert np.abs(case.amplitudes() - before).max() > 0.1
    case.evolution.apply(Exponents(-rows[::-1]))
    assert np.abs(case.amplitudes() - before).max() < 1e-6


def test_the_energy_is_kept_where_bases_are_too_small():
    case = Case("tree", 3, 1)
    row = (0.7, -0.4, 0.5)
    before = measure.energy(case.state, row)
    case.evolution.apply(Exponents(np.tile(np.array(row) / 100, (50, 1))))
    assert measure.energy(case.state, row) == pytest.approx(before, abs=2e-3)
    amplitudes = case.amplitudes()
    assert np.vdot(amplitudes, amplitudes).real == pytest.approx(1.0, abs=1e-9)
    assert abs(before) > 0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [sb.torus(2, 4), sb.ring(2), sb.ring(3)], ids=str)
def test_what_is_measured(kind, network):
    n = network.n_spins
    case = Case(kind, 16, 1, network=network, start=sb.ProductState(START.theta[:n], START.phi[:n]))
    case.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5], [0.3, 0.1, 0.2]])))
    case.state.tensors[case.state.centre] *= 1.3  # all is divided by the norm
    amplitudes = case.amplitudes() / 1.3
    p = np.abs(amplitudes) ** 2
    sz = magnetization_diagonal(n).astype(float)
    found = measure.moments(case.state, case.channels)
    assert found.norm == pytest.approx(1.69, abs=1e-12)
    assert found.mean == pytest.approx(p @ sz / n, abs=1e-12)
    assert found.variance == pytest.approx(p @ (sz - p @ sz) ** 2 / n**2, abs=1e-12)
    expected = np.bincount(((sz + n) // 2).astype(int), weights=p, minlength=n + 1)
    assert np.abs(measure.distribution(case.state, case.channels) - expected).max() < 1e-12
    signs = 1.0 - 2.0 * ((np.arange(1 << n) >> np.arange(n - 1, -1, -1)[:, None]) & 1)
    assert np.abs(measure.spin_magnetization(case.state, case.channels) - signs @ p).max() < 1e-12
    row = (0.3, -0.2, 0.9)
    energy = np.vdot(amplitudes, case.hamiltonian(row) @ amplitudes).real
    assert measure.energy(case.state, row) == pytest.approx(energy, abs=1e-12)


def test_a_link_of_dimension_one_is_measured_too():
    case = Case("tree", 1, 1)
    p = np.abs(case.amplitudes()) ** 2
    sz = magnetization_diagonal(8).astype(float)
    expected = np.bincount(((sz + 8) // 2).astype(int), weights=p, minlength=9)
    assert np.abs(measure.distribution(case.state, case.channels) - expected).max() < 1e-12


def test_single_precision_stays_single():
    case = Case(dtype=np.complex64)
    case.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5]])))
    assert {tensor.dtype for tensor in case.state.tensors} == {np.dtype(np.complex64)}
    double = Case()
    double.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5]])))
    assert 1e-9 < np.abs(case.amplitudes() - double.amplitudes()).max() < 1e-5


def test_arrays_hold_all_of_the_state():
    one, other = Case(bond=5, expansion=2, truncation=1e-6), Case(bond=5, expansion=2, truncation=1e-6)
    rows = np.random.default_rng(0).normal(size=(6, 3)) * 0.3
    one.evolution.apply(Exponents(rows[:3]))
    for mine, theirs in zip(other.evolution.arrays, one.evolution.arrays, strict=True):
        mine[:] = theirs
    one.evolution.apply(Exponents(rows[3:]))
    other.evolution.apply(Exponents(rows[3:]))
    assert all(np.array_equal(a, b) for a, b in zip(one.state.tensors, other.state.tensors, strict=True))
    assert one.state.discarded == other.state.discarded > 0.0


def test_a_larger_basis_changes_no_state():
    case = Case("tree", 3, 1)
    case.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5]])))
    node, parent = 0, case.layout.parents[0]
    case.state.move(node)
    before, dimension = case.amplitudes(), case.state.tensors[node].shape[2]
    added = enlarge(case.state, node, parent, 1, np.random.default_rng(0))
    assert added == 1
    assert case.state.tensors[node].shape[2] == dimension + 1
    assert np.abs(case.amplitudes() - before).max() < 1e-14
    tensor = case.state.environment.towards(parent, node, case.state.tensors[parent])
    matrix = tensor.reshape(-1, dimension + 1)
    assert np.abs(matrix.conj().T @ matrix - np.eye(dimension + 1)).max() < 1e-12


def test_directions_are_those_that_the_hamiltonian_needs():
    """Of all directions the ones found carry the most of H psi outside of both bases."""
    case = Case("chain", 2, 1)
    case.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5]])))
    node = case.layout.root // 2
    parent = case.layout.parents[node]
    case.state.move(node)
    before = case.amplitudes()
    driven = case.hamiltonian((0.0, 0.0, 1.0)) @ before

    def caught(number):
        """Singular values of H psi in the new directions, where the centre's basis lacks them, too."""
        again = Case("chain", 2, 1)
        again.evolution.apply(Exponents(np.array([[0.7, -0.4, 0.5]])))
        again.state.move(node)
        basis = np.linalg.qr(again.state.tensors[node].reshape(-1, 2))[0]
        added = enlarge(again.state, node, parent, number, np.random.default_rng(0))
        state, tensor = again.state, again.state.tensors[node]
        overlaps = np.zeros(tensor.shape, complex)
        for index in np.ndindex(*tensor.shape):
            state.tensors[node] = np.zeros_like(tensor)
            state.tensors[node][index] = 1.0
            overlaps[index] = np.vdot(again.amplitudes(), driven)
        outside = overlaps.reshape(-1, tensor.shape[2])[:, -added:]
        return np.linalg.svd(outside - basis @ (basis.conj().T @ outside), compute_uv=False)

    everything, one = caught(None), caught(1)
    assert (len(everything), len(one)) == (2, 1)
    assert one[0] == pytest.approx(everything[0], rel=1e-3)
    assert everything[1] > 0.1 * everything[0]


def test_cutting_keeps_the_norm_and_says_what_is_lost():
    rng = np.random.default_rng(0)
    tensor = rng.normal(size=(3, 4, 6)) + 1j * rng.normal(size=(3, 4, 6))
    isometry, matrix, lost = cut(tensor, 4, 1, 0.0)
    assert isometry.shape == (3, 4, 4)
    assert np.linalg.norm(matrix) == pytest.approx(np.linalg.norm(tensor))
    values = np.linalg.svd(tensor.reshape(12, 6), compute_uv=False)
    assert lost == pytest.approx((values[4:] ** 2).sum() / (values**2).sum())
    assert cut(tensor, 6, 1, 0.0)[2] == 0.0
    assert cut(tensor, 6, 2, 0.999)[1].shape == (2, 6)
