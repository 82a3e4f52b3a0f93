"""Formulas of the paper checked by computation, and two explanations of the local protocol's mu on the annealer."""

from __future__ import annotations

import itertools
import math

import numpy as np

import spinbattery as sb
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN

from .parameters import COOPERATIVE
from .runs import Request, Runs
from .section import AuditItem, Section, TableItem

_CROSSTALK = (-0.001, -0.002, -0.004)

REQUESTS = [Request("torus:3x3", sb.ProtocolRecipe("local", "200ns"), crosstalk=j) for j in _CROSSTALK]


def build(runs: Runs) -> Section:
    """Bhatia-Davis, Eq. 24, and the local protocol's magnetization on the device."""
    used = [runs[request] for request in REQUESTS]
    crosstalk = {j: run.record for j, run in zip(_CROSSTALK, used, strict=True)}
    return Section(
        "Formulas and open questions",
        "The local protocol reaches mu = 0.83 on the device where unitary evolution gives mu near 0. There are two "
        "possible explanations: cross-talk between neighbours, and thermal equilibrium of single spins in the "
        "hold with no cross-talk at all. Exact runs cannot decide between them; both are computed here.",
        TableItem(
            "Local protocol with uniform cross-talk on neighbours, unitary: 3x3 torus, 200 ns",
            [
                {"J_CT": f"{j:g}", "mu": f"{record.magnetization:.4f}", "1/sigma^2": f"{record.precision:.2f}"}
                for j, record in crosstalk.items()
            ],
            used,
        ),
        _bhatia_davis(),
        _pauli_traces(),
        _device_local(crosstalk),
    )


def _bhatia_davis() -> AuditItem:
    mu, variance = sb.ghz_mixture_moments(4, 0.5 * math.acos(0.6), 0.0)
    bound = (1.0 - mu) * (1.0 + mu)
    return AuditItem(
        "Bhatia-Davis inequality",
        "sigma <= (1 - mu)(1 + mu)",
        "sigma^2 <= (1 - mu)(1 + mu)",
        f"cos|up> + sin|down> of 4 spins with mu = {mu:.2f}: sigma = {math.sqrt(variance):.2f} exceeds {bound:.2f}, "
        f"sigma^2 = {variance:.2f} does not",
        "misprint",
        "So precision >= 1/((1 - mu)(1 + mu)).",
    )


def _pauli_traces(n: int = 4) -> AuditItem:
    """Tr(sz_i sz_j sz_k sz_l) for all index quadruples, by enumeration."""
    signs = np.array(list(itertools.product((1, -1), repeat=n)))
    worst = 0.0
    for i, j, k, l in itertools.product(range(n), repeat=4):  # noqa: E741
        trace = float(np.sum(signs[:, i] * signs[:, j] * signs[:, k] * signs[:, l]))
        pairings = (i == j) * (k == l) + (i == k) * (j == l) + (i == l) * (j == k) - 2 * (i == j == k == l)
        worst = max(worst, abs(trace - 2**n * pairings))
    return AuditItem(
        "Eq. 24, trace of four equal-axis Paulis",
        "with signs between the pairings",
        f"2^N (d_ij d_kl + d_ik d_jl + d_il d_jk - 2 d_ijkl), largest deviation {worst:g}",
        f"all {n**4} index quadruples, N = {n}",
        "misprint",
        "Every pairing has sign + and the coincident term counts once; it enters no result.",
    )


def _device_local(crosstalk: dict[float, sb.Record]) -> AuditItem:
    scales, s = sb.advantage_system6(), COOPERATIVE.s_hold
    bx = -0.5 * float(scales.A(s))
    bz = sb.local_field(COOPERATIVE.field, COOPERATIVE.J, 7.0) * 0.5 * float(scales.B(s))
    thermal = sb.thermal_magnetization(bx, bz, 0.016 * BOLTZMANN_GHZ_PER_KELVIN)
    unitary = [f"J_CT = {j}: {record.magnetization:.3f}" for j, record in crosstalk.items()]
    return AuditItem(
        "Local protocol on the annealer, mu = 0.833",
        "explained by cross-talk",
        f"thermal, no cross-talk: mu = {thermal:.3f}; unitary with cross-talk: {', '.join(unitary)}",
        "thermal: h_L = 0.73, s = 0.35, 16 mK; unitary: 3x3 torus, 200 ns",
        "open",
        "Single-spin equilibrium in the hold at the 16 mK that the maker gives comes near the value without any "
        "cross-talk; the annealer's own rows (part 'table1-annealer') say more.",
    )
