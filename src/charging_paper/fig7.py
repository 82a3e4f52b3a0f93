"""Fig. 7: charging in time with and without noise."""

from __future__ import annotations

from spinbattery.figures.trajectories import plot_trajectories

from .parameters import COOPERATIVE
from .runs import Request, Runs, records
from .section import FigureItem, Section, TableItem

_RATE = 1e-4
"""The paper's gamma, in 1/ns."""

_NOISES = {"without noise": None, f"gamma = {_RATE:g}/ns": f"x:{_RATE:g}/ns"}

REQUESTS = [Request("ring:6", COOPERATIVE, points=601, noise=noise) for noise in _NOISES.values()]


def build(runs: Runs) -> Section:
    """mu(t) and sigma(t) of six spins, unitary and with noise."""
    found = [runs[request] for request in REQUESTS]
    duration = found[0].record.duration
    return Section(
        "Fig. 7: charging under noise",
        "Flips by sigma_x act on every spin at the rate gamma (Eq. 30). The paper does not give the duration; here "
        f"it is {duration:g} ns, so that gamma tau = {_RATE * duration:g}. At that product the noise costs little "
        "charge and more of the precision: a flip after the hold is a spin that stays down.",
        FigureItem(
            "fig7",
            f"Fig. 7: cooperative protocol, N = 6 (ring), tau = {duration:g} ns, without noise and with "
            f"gamma = {_RATE:g}/ns; dotted lines mark the thirds.",
            plot_trajectories(records(found), list(_NOISES)),
            found,
        ),
        TableItem(
            "End of the protocol",
            [
                {
                    "noise": name,
                    "mu": f"{record.magnetization:.4f}",
                    "sigma": f"{record.std:.4f}",
                    "1/sigma^2": f"{record.precision:.2f}",
                }
                for name, record in zip(_NOISES, records(found), strict=True)
            ],
        ),
    )
