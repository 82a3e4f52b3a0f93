"""The whole report from small and coarse runs: every part is built, whatever its numbers; test_report.py has those."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from page_links import PageLinks
from test_report import SMALL_PARTS

import spinbattery as sb
from charging_paper import estimates, fig8, fig10, ranges
from charging_paper.build import build_report
from charging_paper.parameters import COOPERATIVE, TORI
from charging_paper.runs import Request, flat

LARGE = ("torus:2x5", "torus:3x4")


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact runs to 1e-3, an annealer in closed form, fewer rates of noise and cross-talk, smaller rings and tori."""
    exact = Request.plan

    def plan(request: Request, reads: int | None = None) -> sb.Plan:
        return exact(replace(request, tolerance=1e-3), reads)

    monkeypatch.setattr(Request, "plan", plan)
    monkeypatch.setattr(sb, "Emulator", partial(sb.Emulator, model="closed-form"))
    curve = fig8.noisy_rings(COOPERATIVE, (0.0, 0.02, 0.04, 0.06), range(2, 7))
    monkeypatch.setattr(ranges, "_CURVE", curve)
    monkeypatch.setattr(ranges, "REQUESTS", [*curve, *ranges._WITHOUT])
    cases = {name: (recipe, rates[::2]) for name, (recipe, rates) in fig8._CASES.items()}
    rings = {name: fig8.noisy_rings(recipe, rates, fig8._SIZES) for name, (recipe, rates) in cases.items()}
    for name, value in (("_CASES", cases), ("_REQUESTS", rings), ("REQUESTS", flat(rings))):
        monkeypatch.setattr(fig8, name, value)
    of_all = fig10._tori

    def smaller(duration: str, product: float) -> list[Request]:
        return [one for one in of_all(duration, product) if one.network not in LARGE]

    products = {duration: some[::2] for duration, some in fig10._PRODUCTS.items()}
    tori = {name: [one for product in some for one in smaller(name, product)] for name, some in products.items()}
    changed = {"_PRODUCTS": products, "_tori": smaller, "_REQUESTS": tori, "REQUESTS": flat(tori), "_LARGEST": (3, 3)}
    for name, value in changed.items():
        monkeypatch.setattr(fig10, name, value)
    monkeypatch.setattr(fig10, "TORI", TORI[: -len(LARGE)])
    made = sb.calibration_curve
    monkeypatch.setattr(sb, "calibration_curve", lambda *runs, **given: made(*runs, **{**given, "n_replicates": 100}))


@pytest.mark.usefixtures("coarse", "no_pictures")
def test_every_part_is_built_and_every_link_leads_to_a_file(tmp_path: Path) -> None:
    requests = [*fig8.REQUESTS, *fig10.REQUESTS, *ranges.REQUESTS]
    curves = {"fig8": (fig8.build, fig8.REQUESTS), "fig10": (fig10.build, fig10.REQUESTS)}
    parts = {**SMALL_PARTS, **curves, "estimates": (estimates.build, requests)}
    result = build_report(tmp_path, reads=20, parts=parts)
    page = PageLinks()
    page.feed(result.report.read_text())
    assert set(parts) <= page.ids
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    for href in page.hrefs:
        assert href[1:] in page.ids if href.startswith("#") else (tmp_path / href).is_file(), href
    assert len({href for href in page.hrefs if href.endswith(".nc")}) == result.computed
    assert len(list((tmp_path / "figures").glob("*.png"))) == len(page.sources)
