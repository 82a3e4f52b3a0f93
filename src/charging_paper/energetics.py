"""Energetics: stored energy and powers, as printed and as they hold, and the same of the exact battery of Fig. 6."""

from __future__ import annotations

import spinbattery as sb
from spinbattery.analysis.energetics import ratio_and_difference

from . import device, fig6
from .parameters import (
    ANNEALER_DURATION_NS,
    N_ANNEALER,
    PRINTED_ENGINE_FACTOR,
    PRINTED_ENGINES,
    PRINTED_FIELD_GHZ,
    PRINTED_MAGNETIZATION,
    PRINTED_POWER_W,
)
from .runs import Runs, records
from .section import AuditItem, Row, Section, TableItem

_LARGEST = [requests[-1] for requests in device.REQUESTS.values()]

REQUESTS = [*fig6.REQUESTS, *_LARGEST]


def build(runs: Runs) -> Section:
    """Powers of the annealer runs from the printed magnetizations, and of the exact N = 9 battery."""
    field = float(sb.advantage_system6().B(1.0))
    largest, exact = ([runs[request] for request in group] for group in (_LARGEST, fig6.REQUESTS))
    ratio, difference = ratio_and_difference(PRINTED_ENGINES["cooperative"], PRINTED_ENGINES["local"])
    powers = {name: _powers(mu) for name, mu in PRINTED_MAGNETIZATION.items()}
    return Section(
        "Energetics",
        "Energy of N spins in the final field B(1)/2, charged from mu = -1; the charged battery is the high-energy "
        "state of the field it is read against. The annealer is shown with the printed magnetizations, and with "
        f"the magnetizations of the runs here ({runs.annealer_label}).",
        *runs.annealer_claims,
        TableItem(
            f"Mean power (W) of the annealer, N = {N_ANNEALER}, tau = 60 us",
            [
                {
                    "protocol": f"{name}, mu = {PRINTED_MAGNETIZATION[name]}",
                    "printed": f"{PRINTED_POWER_W[name]:.3e}",
                    "with the printed formula": f"{as_printed:.3e}",
                    "what holds": f"{power:.3e}",
                }
                for name, (power, as_printed) in powers.items()
            ],
        ),
        TableItem(
            f"The annealer here ({runs.annealer_label}), tau = 60 us",
            [
                {"protocol": name, "N": record.n_spins, "mu": f"{record.magnetization:.5f}"}
                | _charge_cells(record, field)
                | {"int ||H|| dt / 2^(N/2) (GHz ns)": f"{record.hs_cost:.3e}"}
                for name, record in zip(device.PROTOCOLS, records(largest), strict=True)
            ],
            largest,
            runs.smaller(_LARGEST),
        ),
        TableItem(
            "The exact battery, 3x3 torus, tau = 60 ns",
            [
                {"protocol": name}
                | _charge_cells(record, field)
                | {
                    "peak power (W)": f"{sb.peak_power(record, field):.3e}",
                    "peak with the printed formula": f"{sb.peak_power_as_printed(record, field):.3e}",
                    "int ||H|| dt (GHz ns)": f"{record.hs_cost:.3f}",
                }
                for name, record in zip(("cooperative", "local"), records(exact), strict=True)
            ],
            exact,
        ),
        *(_power_item(name, *found) for name, found in powers.items()),
        AuditItem(
            "Engines: CP against LP",
            f"a factor {PRINTED_ENGINE_FACTOR:.3e}",
            f"ratio {ratio:.4f}, difference {difference:.3e}",
            "from the printed 6.894e5 and 6.327e5",
            "corrected",
            "What is called a factor is the difference; the ratio is 1.09.",
        ),
    )


def _powers(mu: float) -> tuple[float, float]:
    """Mean power of the annealer in W from its printed magnetization, and with the printed formula."""
    right = sb.stored_energy(N_ANNEALER, -1.0, mu, PRINTED_FIELD_GHZ)
    printed = sb.stored_energy_as_printed(N_ANNEALER, -1.0, mu, PRINTED_FIELD_GHZ)
    return sb.mean_power(right, ANNEALER_DURATION_NS), sb.mean_power(printed, ANNEALER_DURATION_NS)


def _charge_cells(record: sb.Record, field: float) -> Row:
    energy = sb.stored_energy(record.n_spins, -1.0, record.magnetization, field)
    return {"stored energy (J)": f"{energy:.3e}", "mean power (W)": f"{sb.mean_power(energy, record.duration):.3e}"}


def _power_item(name: str, power: float, as_printed: float) -> AuditItem:
    mu = PRINTED_MAGNETIZATION[name]
    return AuditItem(
        f"Mean charging power, {name}",
        f"{PRINTED_POWER_W[name]:.3e} W",
        f"{power:.3e} W",
        f"N = {N_ANNEALER}, tau = 60 us, mu = {mu}, B(1) = {PRINTED_FIELD_GHZ} GHz",
        "corrected",
        f"The paper's E = (1 - f) E_0 gives {as_printed:.3e} W; flipping a fraction f gives (1 - 2 f) E_0: twice that.",
    )
