"""Measurements of the magnetization of a tree: moments, every spin, and the distribution.

They do not change the state: operators are gathered towards its centre, in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...core.typing import ComplexArray, FloatArray
from ..common.populations import fourier_angles, from_characteristic
from .channels import Channels
from .hamiltonian import Drive
from .tree_state import TreeState


class TreeMoments(NamedTuple):
    """Normalised mu and sigma^2, and the squared norm before."""

    mean: float
    variance: float
    norm: float


def _gathered(
    state: TreeState,
    of_block: Callable[[int], ComplexArray],
    joined: Callable[[ComplexArray, ComplexArray, ComplexArray], ComplexArray],
    nothing: float,
) -> list[ComplexArray]:
    """Stacks of operators (K, d, d) on the three legs of the centre, from the operators of block k.

    ``joined`` makes the stack of T* O T on the last leg of a tensor from the stacks on its two others; ``nothing`` is
    the operator of a leg without spins.
    """
    stacks = {-1 - k: of_block(k) for k in range(len(state.layout.blocks))}
    for node, onward in state.ways_to_centre():
        first, second = (stacks[other] for other in state.layout.neighbours(node) if other != onward)
        tensor = state.environment.towards(node, onward, state.tensors[node]).astype(np.complex128)
        stacks[node] = joined(tensor, first, second)
    none = np.full((len(stacks[-1]), 1, 1), nothing, dtype=np.complex128)
    return [stacks.get(other, none) for other in state.layout.neighbours(state.centre)]


def _sums(tensor: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
    """T* (S1 + S2) T and T* (S1 + S2)^2 T, shape (2, d, d), from (S, S^2) of either leg."""
    d1, d2, d = tensor.shape
    one = np.tensordot(first[0], tensor, 1)
    two = second[0] @ tensor
    squares = np.tensordot(first[1], tensor, 1) + second[1] @ tensor + 2.0 * (second[0] @ one)
    adjoint = tensor.reshape(d1 * d2, d).conj().T
    return np.stack([adjoint @ (one + two).reshape(d1 * d2, d), adjoint @ squares.reshape(d1 * d2, d)])


def moments(state: TreeState, channels: Channels) -> TreeMoments:
    """mu and sigma^2; the mean is subtracted from each spin's sz, so that no digits cancel."""
    n = len(state.layout.below[state.layout.root])
    shift = variance = 0.0
    for _ in range(2):

        def of_block(k: int, shift: float = shift) -> ComplexArray:
            sz = channels.inside[k][0] - shift * len(state.layout.blocks[k])
            return np.stack([np.diag(sz), np.diag(sz * sz)]).astype(np.complex128)

        legs = _gathered(state, of_block, _sums, 0.0)
        tensor = state.tensors[state.centre].astype(np.complex128)
        below = _sums(tensor, legs[0], legs[1])
        matrix = np.tensordot(tensor.conj(), tensor, ((0, 1), (0, 1)))
        norm = float(np.trace(matrix).real)
        last, last_squared = legs[2]
        both = np.tensordot(legs[0][0], tensor, 1) + legs[1][0] @ tensor
        mixed = np.tensordot(tensor.conj(), both, ((0, 1), (0, 1)))
        total = np.trace(below[0]) + np.sum(last * matrix)
        square = np.trace(below[1]) + np.sum(last_squared * matrix) + 2.0 * np.sum(last * mixed)
        mean = float(total.real) / norm / n
        variance = float(square.real) / norm / n**2 - mean**2
        shift += mean
    return TreeMoments(shift, variance, norm)


def energy(state: TreeState, fields: tuple[float, float, float]) -> float:
    """<H> in the unit of the fields Bx, Bz and B/2."""
    tensor = state.tensors[state.centre]
    product = state.environment.times_hamiltonian(state.centre, tensor, Drive(*fields))
    return float(np.vdot(tensor, product).real / np.vdot(tensor, tensor).real)


def distribution(state: TreeState, channels: Channels) -> FloatArray:
    """P(Sz) (N + 1,) from Sz = -N to N, by the Fourier transform of <exp(i theta Sz)>."""
    n = len(state.layout.below[state.layout.root])
    angles = fourier_angles(n)

    def of_block(k: int) -> ComplexArray:
        ups = 0.5 * (channels.inside[k][0] + len(state.layout.blocks[k]))
        return np.asarray(np.exp(-1j * angles[:, None, None] * ups[:, None]) * np.eye(len(ups)))

    def joined(tensor: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
        return np.stack([_turned(tensor, one, other) for one, other in zip(first, second, strict=True)])

    legs = _gathered(state, of_block, joined, 1.0)
    tensor = state.tensors[state.centre].astype(np.complex128)
    characteristic = [np.sum(_turned(tensor, one, other) * last) for one, other, last in zip(*legs, strict=True)]
    return from_characteristic(np.array(characteristic), n)


def _turned(tensor: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
    """T* (A x B) T on the last leg, shape (d, d)."""
    acted = second @ np.tensordot(first, tensor, 1)
    return np.asarray(np.tensordot(tensor.conj(), acted, ((0, 1), (0, 1))))


def spin_magnetization(state: TreeState, channels: Channels) -> FloatArray:
    """<sz_k> (N,), from the reduced density matrices of the blocks."""
    layout = state.layout
    found = np.empty(len(layout.below[layout.root]))
    tensor = state.tensors[state.centre].astype(np.complex128)
    a, b, p = layout.neighbours(state.centre)
    norm = float(np.vdot(tensor, tensor).real)
    whole = np.eye(tensor.shape[2], dtype=np.complex128) / norm
    densities = dict(zip(((a, state.centre), (b, state.centre)), _outward(tensor, whole), strict=True))
    densities[p, state.centre] = np.tensordot(tensor, tensor.conj(), ((0, 1), (0, 1))) / norm
    for node, onward in reversed(state.ways_to_centre()):
        others = [other for other in layout.neighbours(node) if other != onward]
        tensor = state.environment.towards(node, onward, state.tensors[node]).astype(np.complex128)
        for other, density in zip(others, _outward(tensor, densities[node, onward]), strict=True):
            densities[other, node] = density
    for k, spins in enumerate(layout.blocks):
        populations = np.diag(densities[-1 - k, layout.parents[-1 - k]]).real
        found[list(spins)] = channels.signs(k) @ populations
    return found


def _outward(tensor: ComplexArray, density: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """Reduced density matrices on the first two legs of a tensor, from the one on its last leg."""
    weighted = tensor @ density
    first = np.tensordot(weighted, tensor.conj(), ((1, 2), (1, 2)))
    second = np.tensordot(weighted, tensor.conj(), ((0, 2), (0, 2)))
    return first, second
