"""Fig. 7: charging in time with and without noise."""

from __future__ import annotations

from spinbattery.figures.trajectories import plot_trajectories

from .parameters import COOPERATIVE
from .runs import Request, Runs
from .section import FigureItem, Section, TableItem

_POINTS = 601
_RATE = 1e-4
"""The paper's gamma, in 1/ns."""

_REQUESTS = {
    "without noise": Request("ring:6", COOPERATIVE, points=_POINTS),
    f"gamma = {_RATE:g}/ns": Request("ring:6", COOPERATIVE, points=_POINTS, noise=f"x:{_RATE:g}/ns"),
}

REQUESTS = list(_REQUESTS.values())
"""Runs this part needs."""


def build(runs: Runs) -> Section:
    """mu(t) and sigma(t) of six spins, unitary and with noise."""
    found = {name: runs[request] for name, request in _REQUESTS.items()}
    duration = next(iter(found.values())).record.duration
    return Section(
        "fig7",
        "Fig. 7: charging under noise",
        (
            "Flips by sigma_x act on every spin at the rate gamma (Eq. 30). The paper does not give the duration; here "
            f"it is {duration:g} ns, so that gamma tau = {_RATE * duration:g}. At that product the noise costs little "
            "charge and more of the precision: a flip after the hold is a spin that stays down.",
        ),
        (
            FigureItem(
                "fig7",
                f"Fig. 7: cooperative protocol, N = 6 (ring), tau = {duration:g} ns, without noise and with "
                f"gamma = {_RATE:g}/ns; dotted lines mark the thirds.",
                plot_trajectories([run.record for run in found.values()], list(found)),
                list(found.values()),
            ),
        ),
        (
            TableItem(
                "End of the protocol",
                ("noise", "mu", "sigma", "1/sigma^2"),
                [
                    (name, f"{r.record.magnetization:.4f}", f"{r.record.std:.4f}", f"{r.record.precision:.2f}")
                    for name, r in found.items()
                ],
            ),
        ),
    )
