"""Random problems of single spins that relax strongly, and their solution by Gauss collocation.

The solution shares only the fields with the library: an implicit Runge-Kutta method of order 10 on Bloch's equation, in
panels that are ever shorter towards corners and zeros of the fields.
"""

from __future__ import annotations

import numpy as np

import spinbattery as sb
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN

STAGES, LONGEST_TURN = 5, 0.5
STARTS = None, "up", sb.ProductState((np.pi / 2.0,), (np.pi / 2.0,))


def random_relaxing_problem(number: int) -> sb.ChargingProblem:
    """One to three uncoupled spins, a short protocol, and relaxation to some mK within ns."""
    rng = np.random.default_rng(number)
    duration, h = float(10.0 ** rng.uniform(-2.0, 0.7)), -float(rng.uniform(0.1, 1.2))
    start, kind = STARTS[rng.integers(3)], rng.integers(3)
    if kind < 2:
        make = sb.polarised if kind else sb.cooperative
        protocol = make(duration, J=0.0, h=h, s_hold=float(rng.uniform(0.1, 0.9)), initial=start)
    else:
        u = np.sort(rng.uniform(0.0, 1.0, int(rng.integers(1, 4))))
        if rng.random() < 0.4:  # corners that are close
            u = np.insert(u, 1, u[0] + (1.0 - u[0]) * 10.0 ** rng.uniform(-9.0, -2.0))
        u = np.unique(np.concatenate([[0.0], u, [1.0]]))
        s, g = rng.uniform(0.3, 1.0, len(u)), rng.uniform(-1.0, 1.0, len(u))
        s[-1] = rng.choice([1.0, s[-1]])
        g[rng.random(len(u)) < 0.3] = rng.choice([0.0, 10.0 ** rng.uniform(-8.0, -2.0)])
        points = (tuple(zip(u.tolist(), values.tolist(), strict=True)) for values in (s, g))
        tilted = sb.ProductState((float(rng.uniform(0.5, 2.5)),), (float(rng.uniform(0.0, 6.0)),))
        protocol = sb.Protocol(duration, *points, h, 0.0, tilted)
    noise = f"relaxation:{10.0 ** rng.uniform(-1.0, 0.5):.4g}/ns@{10.0 ** rng.uniform(0.0, 1.3):.3g}mK"
    if rng.random() < 0.6:
        noise = f"{rng.choice(['x', 'y', 'z', 'depolarising'])}:{10.0 ** rng.uniform(-2.0, 0.0):.4g}/ns+{noise}"
    return sb.ChargingProblem(sb.SpinNetwork(int(rng.integers(1, 4)), []), protocol, noise=noise)


def solution(problem: sb.ChargingProblem) -> tuple[float, float]:
    """mu and sigma^2 at the end of uncoupled spins that are all alike."""
    edges = _panels(problem)
    lengths = np.diff(edges)
    nodes, weights, within = _collocation()
    at = edges[:-1, None] + lengths[:, None] * nodes
    slopes = _generator(problem, at.ravel()).reshape(*at.shape, 4, 4) * lengths[:, None, None, None]
    size = 4 * STAGES
    system = np.eye(size) - np.einsum("ij,pikl->pikjl", within, slopes).reshape(-1, size, size)
    stages = np.linalg.solve(system, slopes.reshape(-1, size, 4)).reshape(slopes.shape)
    theta, phi = (float(angle[0]) for angle in problem.protocol.initial.angles(problem.n_spins))
    bloch = np.array([1.0, np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    for step in np.eye(4) + np.einsum("i,pikl->pkl", weights, stages):
        bloch = step @ bloch
    return float(bloch[3]), float(1.0 - bloch[3] ** 2) / problem.n_spins


def _collocation():
    """Nodes, weights and matrix of Gauss' method of order 2 STAGES on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(STAGES)
    nodes, powers = 0.5 * (x + 1.0), np.arange(1, STAGES + 1)
    within = (nodes[:, None] ** powers / powers) @ np.linalg.inv(np.vander(nodes, increasing=True))
    return nodes, 0.5 * w, within


def _panels(problem):
    protocol = problem.protocol
    special = np.concatenate([protocol.g.breakpoints, protocol.g.crossings(np.zeros(1)), protocol.s.breakpoints])
    distances = 0.5 ** np.arange(1.0, 44.0, 0.25)
    near = (special[:, None, None] + np.array([[-1.0], [1.0]]) * distances).ravel()
    u = np.sort(np.concatenate([special, near, problem.kinks / protocol.duration]))
    u = u[(u >= 0.0) & (u <= 1.0)]
    edges = np.append(u[:-1][np.diff(u) > 1e-15], 1.0) * protocol.duration
    bx, bz, _ = problem.fields(np.linspace(0.0, protocol.duration, 2001))
    fastest = 4.0 * np.pi * float(np.hypot(bx, bz).max()) + 10.0
    parts = np.ceil(np.diff(edges) * fastest / LONGEST_TURN).astype(int)
    return np.append(np.concatenate([
        np.linspace(start, end, n + 1)[:-1] for start, end, n in zip(edges[:-1], edges[1:], parts, strict=True)
    ]), protocol.duration)  # fmt: skip


def _generator(problem, t):
    """Of (1, x, y, z), for the first spin: precession about the field, flips by noise, relaxation along the field."""
    bx, bz, _ = problem.fields(t)
    noise = problem.noise
    x, y, z = noise.pauli_rates(1)[:, 0]
    rate = noise.relaxation_rates(1)[0]
    found = np.zeros((len(t), 4, 4))
    found[:, 2, 1], found[:, 3, 2] = 4.0 * np.pi * bz, 4.0 * np.pi * bx
    found[:, 1, 2], found[:, 2, 3] = -found[:, 2, 1], -found[:, 3, 2]
    energy = np.hypot(bx, bz)
    n = np.stack([bx, np.zeros_like(bx), bz], axis=1) / np.where(energy > 0.0, energy, 1.0)[:, None]
    flips = 2.0 * np.diag([y + z, x + z, x + y])
    found[:, 1:, 1:] -= flips + 0.5 * rate * (np.eye(3) + n[:, :, None] * n[:, None, :])
    q = np.tanh(energy / (1e-3 * noise.temperature * BOLTZMANN_GHZ_PER_KELVIN))
    found[:, 1:, 0] = -rate * q[:, None] * n
    return found
