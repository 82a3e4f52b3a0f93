"""The records of large tori beside the documentation's figures: they are the runs that a full reproduction asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

import spinbattery as sb
from charging_paper.beyond import BEYOND
from charging_paper.large_n import KEPT

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


@pytest.fixture(scope="module", params=KEPT, ids=[row.network for row in KEPT])
def row(request):
    return request.param


@pytest.fixture(scope="module")
def kept(row):
    return sb.read_record(FIGURES / f"{row.network.replace(':', '-')}-20ns.nc")


def test_every_run_of_a_full_reproduction_alone_is_kept():
    assert [request.network for request in BEYOND.larger["cooperative"] if request.full_only] == [
        row.network for row in KEPT
    ]


def test_it_is_the_run_that_a_full_reproduction_asks_for(row, kept):
    (request,) = [request for request in BEYOND.larger["cooperative"] if request.network == row.network]
    (task,) = request.plan()
    assert kept.key == task.key
    assert f"{kept.key[:32]}.nc" in (FIGURES.parent / "figures.md").read_text(encoding="utf-8")


def test_it_keeps_its_promise_and_says_what_was_done(row, kept):
    assert kept.n_spins == row.n_spins
    expected = {25: (172_112, 200), 30: (8_999_762, 120)}[kept.n_spins]
    assert (kept.discretisation["dimension"], kept.discretisation["group_order"]) == expected
    assert kept.error_estimate < 1e-4
    levels, weights = (kept.dataset[name].to_numpy() for name in ("sz_total", "distribution"))
    assert kept.magnetization == pytest.approx(weights @ levels / row.n_spins, abs=1e-12)


def test_the_figures_of_the_documentation_are_its_own(row, kept):
    sides = row.network.removeprefix("torus:").replace("x", "×")
    assert f"| {kept.n_spins} | {sides} | {kept.magnetization:.3f} | {kept.precision:.1f} |" in (
        FIGURES.parent / "paper.md"
    ).read_text(encoding="utf-8")


def test_the_row_of_the_report_without_it_is_its_own(row, kept):
    assert (row.network, row.kept) == (kept.dataset.attrs["network"], True)
    assert row.magnetization == pytest.approx(kept.magnetization, abs=1e-6)
    assert row.precision == pytest.approx(kept.precision, abs=1e-3)
    assert row.per_spin == pytest.approx(kept.n_spins * kept.variance, abs=5e-7)
