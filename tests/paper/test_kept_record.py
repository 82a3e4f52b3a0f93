"""The record of the 5x6 torus beside the documentation's figures: it is the run that a full reproduction asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinbattery as sb
from charging_paper.beyond import BEYOND
from charging_paper.large_n import KEPT

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


@pytest.fixture(scope="module")
def kept():
    return sb.read_record(FIGURES / "torus-5x6-20ns.nc")


def test_it_is_the_run_that_a_full_reproduction_asks_for(kept):
    (request,) = [request for request in BEYOND.larger["cooperative"] if request.full_only]
    (task,) = request.plan()
    assert kept.key == task.key
    assert f"{kept.key[:32]}.nc" in (FIGURES.parent / "figures.md").read_text(encoding="utf-8")


def test_it_keeps_its_promise_and_says_what_was_done(kept):
    assert kept.n_spins == 30
    assert (kept.discretisation["dimension"], kept.discretisation["group_order"]) == (8_999_762, 120)
    assert kept.error_estimate < 1e-4
    levels, weights = (kept.dataset[name].to_numpy() for name in ("sz_total", "distribution"))
    assert kept.magnetization == pytest.approx(weights @ levels / 30, abs=1e-12)


def test_the_figures_of_the_documentation_are_its_own(kept):
    assert f"| 30 | 5×6 | {kept.magnetization:.3f} | {kept.precision:.1f} |" in (FIGURES.parent / "paper.md").read_text(
        encoding="utf-8"
    )


def test_the_row_of_the_report_without_it_is_its_own(kept):
    (row,) = KEPT
    assert (row.network, row.n_spins, row.kept) == (kept.dataset.attrs["network"], kept.n_spins, True)
    assert row.magnetization == pytest.approx(kept.magnetization, abs=1e-6)
    assert row.precision == pytest.approx(kept.precision, abs=1e-3)
    assert row.per_spin == pytest.approx(0.1094, abs=5e-5)
