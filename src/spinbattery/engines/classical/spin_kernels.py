"""Compiled kernel: many copies of a network of classical spins, side by side."""

from __future__ import annotations

import numpy as np

from ...core.jitted import jitted
from ..simd.kernels import FAST_MATH, cos_sin


@jitted(nogil=True, fastmath=FAST_MATH)
def turn_spins(x, y, z, theta, field, ising, first, neighbours, weights):
    """Stages V T V ... T V on spins (N, copies), in place.

    A V stage turns spin k by 2 (field + ising sum_j w_kj z_j) about z, a T stage turns all spins by 2 theta about
    x, as exp(-i phi sz) and exp(-i theta sx) turn Bloch vectors. The couplings are compressed sparse rows.
    """
    spins, copies = x.shape
    local = np.empty(copies)
    for stage in range(len(field)):
        for k in range(spins):
            for c in range(copies):
                local[c] = 0.0
            for entry in range(first[k], first[k + 1]):
                other, weight = neighbours[entry], weights[entry]
                for c in range(copies):
                    local[c] += weight * z[other, c]
            for c in range(copies):
                cosine, sine = cos_sin(2.0 * (field[stage] + ising[stage] * local[c]))
                turned = cosine * x[k, c] - sine * y[k, c]
                y[k, c] = sine * x[k, c] + cosine * y[k, c]
                x[k, c] = turned
        if stage < len(theta):
            cosine, sine = np.cos(2.0 * theta[stage]), np.sin(2.0 * theta[stage])
            for k in range(spins):
                for c in range(copies):
                    turned = cosine * y[k, c] - sine * z[k, c]
                    z[k, c] = sine * y[k, c] + cosine * z[k, c]
                    y[k, c] = turned
