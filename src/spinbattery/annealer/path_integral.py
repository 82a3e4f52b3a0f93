"""Numba kernel of path-integral Monte Carlo in discrete imaginary time: clusters along each spin's worldline."""

from __future__ import annotations

import math

import numba
import numpy as np

from ..core.jitted import jitted

_U = np.uint64


@numba.njit(inline="always")
def _random(generator):
    """Uniform in (0, 1): SplitMix64."""
    generator[0] += _U(0x9E3779B97F4A7C15)
    z = generator[0]
    z = (z ^ (z >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _U(27))) * _U(0x94D049BB133111EB)
    z = z ^ (z >> _U(31))
    return (float(z >> _U(11)) + 0.5) * 2.0**-53


@numba.njit(inline="always")
def _cut(line, probability, cuts, generator):
    """Slices after which a worldline is cut: at its kinks, and elsewhere at random; returns their number."""
    slices = line.size
    log_rest = math.log1p(-probability) if probability < 1.0 else -np.inf
    n_cuts = 0
    # the next random cut comes after a geometrically distributed number of slices
    following = slices if probability < 1e-12 else int(min(math.log(_random(generator)) / log_rest, slices))
    for m in range(slices):
        kink = line[m] != line[m + 1 if m + 1 < slices else 0]
        if m == following:
            kink = True
            following = m + 1 + int(min(math.log(_random(generator)) / log_rest, slices))
        if kink:
            cuts[n_cuts] = m
            n_cuts += 1
    return n_cuts


@numba.njit(inline="always")
def _heat_bath(exponent, generator):
    """+1 with probability 1/(1 + exp(exponent)), else -1."""
    return 1 if _random(generator) * (1.0 + math.exp(min(max(exponent, -700.0), 700.0))) < 1.0 else -1


@jitted(nogil=True)
def anneal_worldlines(starts, neighbours, weights, h, lines, generator, breaking, coupling, field):
    """Sweeps over the spins, in place; one sweep per entry of ``breaking``.

    A spin's worldline is cut at each kink and, between equal slices, with the probability ``breaking``; each segment
    then takes +1 or -1 from the heat bath of its neighbours and its field (Swendsen and Wang in imaginary time).
    Only the first ``len(h)`` worldlines move; further ones are spins that are held.

    Args:
        starts: (n + 1,) where the neighbours of each moving spin begin.
        neighbours: worldlines of the neighbours, one after another.
        weights: J of each.
        h: (n,) fields of the moving spins.
        lines: [spin, slice] int8.
        generator: (1,) uint64, state of SplitMix64.
        breaking: (sweep,) tanh(A/(2 kT M)) for M slices.
        coupling, field: (sweep,) B/(2 kT M), and the same times g.
    """
    slices = lines.shape[1]
    local = np.empty(slices)
    cuts = np.empty(slices, np.int64)
    for k in range(breaking.size):
        for i in range(h.size):
            line = lines[i]
            for m in range(slices):
                local[m] = field[k] * h[i]
            for q in range(starts[i], starts[i + 1]):
                other = lines[neighbours[q]]
                strength = coupling[k] * weights[q]
                for m in range(slices):
                    local[m] += strength * other[m]
            n_cuts = _cut(line, breaking[k], cuts, generator)
            if n_cuts <= 1:
                line[:] = _heat_bath(2.0 * local.sum(), generator)
                continue
            for c in range(n_cuts):
                first = cuts[c] + 1
                last = cuts[c + 1] + 1 if c + 1 < n_cuts else cuts[0] + 1 + slices
                energy = 0.0
                for m in range(first, last):
                    energy += local[m if m < slices else m - slices]
                spin = _heat_bath(2.0 * energy, generator)
                for m in range(first, last):
                    line[m if m < slices else m - slices] = spin
