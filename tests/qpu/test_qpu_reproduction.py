"""The annealer's rows of the reproduction, measured: the real client, a loopback service, a whole chip behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from qpu_desk import settings
from sapi_stub import SapiStub
from solvers import advantage

from charging_paper import device, energetics, fig9
from charging_paper.build import PARTS, RealAnnealer, build_report
from spinbattery import EmulatedAnnealer
from spinbattery.core.errors import InvalidParameterError, QpuError
from spinbattery.qpu.ledger import Ledger
from spinbattery.qpu.submission import SubmissionPolicy

READS = 50

OF_ALL_SIZES = ["fig2-annealer", "fig9", "table1-annealer"]
"""Parts that are measured on every region of the chip."""


@pytest.fixture(scope="module")
def chip() -> dict:
    return advantage(16, missing=range(1000, 1030))


@pytest.fixture
def service(chip: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SapiStub]:
    sampler = EmulatedAnnealer(graph=chip["properties"], model="closed-form", seed=1)
    with SapiStub(chip, sampler, tmp_path / "service") as stub:
        for name, value in settings(stub, tmp_path).items():
            monkeypatch.setenv(name, value)
        yield stub


@pytest.mark.slow
def test_rows_are_measured_once(service: SapiStub, tmp_path: Path):
    qpu = RealAnnealer(SubmissionPolicy(5e6))
    first = build_report(tmp_path / "out", ["energetics"], reads=READS, qpu=qpu)
    on_annealer = [request for request in energetics.REQUESTS if request.on_annealer]
    assert len(service.posted) == len(on_annealer) == 3
    page = first.report.read_text()
    assert "Advantage_system6, 50 reads" in page
    assert "emulated" not in page
    assert "N = 5610" not in page  # it is said in the table, where it was counted
    assert ">5610<" in page
    assert "--qpu --budget 5" in page
    again = build_report(tmp_path / "out", ["energetics"], reads=READS, qpu=qpu)
    assert len(service.posted) == 3
    assert again.audit == first.audit
    jobs = Ledger(tmp_path / "out" / "records").jobs()
    assert {job.state for job in jobs} == {"done"}


@pytest.mark.slow
def test_what_failed_is_named_and_asked_for_again(service: SapiStub, tmp_path: Path):
    qpu = RealAnnealer(SubmissionPolicy(5e6))
    service.failures.append("the chip is warm")
    for _ in range(2):  # what failed is not sent again without a word
        with pytest.raises(
            QpuError, match=r"1 of 3 jobs have no record: .* failed: .*the chip is warm.*retry_failed=True"
        ):
            build_report(tmp_path / "out", ["energetics"], reads=READS, qpu=qpu)
        assert len(service.posted) == 3
    build_report(
        tmp_path / "out", ["energetics"], reads=READS, qpu=RealAnnealer(replace(qpu.policy, retry_failed=True))
    )
    assert len(service.posted) == 4


@pytest.mark.parametrize("parts", [["energetics"], OF_ALL_SIZES], ids=["energetics", "all sizes"])
def test_a_budget_that_does_not_do_sends_nothing(parts: list[str], service: SapiStub, tmp_path: Path):
    """All jobs are planned and held against the solver's limits, and none is sent."""
    with pytest.raises(QpuError, match="budget"):
        build_report(tmp_path / "out", parts, reads=READS, qpu=RealAnnealer(SubmissionPolicy(1e4)))
    assert service.posted == []


@pytest.mark.parametrize("budget", [math.nan, -1.0, math.inf])
def test_budgets_that_are_none(budget: float):
    with pytest.raises(InvalidParameterError, match="the budget must"):
        SubmissionPolicy(budget)


@pytest.fixture
def few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """P2, P4, P6 and the whole chip stand for all regions: what is said of them does not hang on how many there are."""
    regions = [device.region(m) for m in (2, 4, 6, 16)]
    scattered = [fig9._SCATTERED[fig9._PACKED.index(region)] for region in regions[:-1]]
    kept = {*regions, *scattered}
    for owner, curves in ((device, "REQUESTS"), (fig9, "_CURVES")):
        found = getattr(owner, curves).items()
        monkeypatch.setattr(owner, curves, {name: [r for r in group if r.network in kept] for name, group in found})
    for part in OF_ALL_SIZES:
        build, needed = PARTS[part]
        monkeypatch.setitem(PARTS, part, (build, [request for request in needed if request.network in kept]))


@pytest.mark.slow
@pytest.mark.usefixtures("few_sizes")
def test_nothing_is_said_of_a_chip_that_holds_for_the_emulator_alone(service: SapiStub, tmp_path: Path):
    result = build_report(tmp_path / "out", OF_ALL_SIZES, reads=READS, qpu=RealAnnealer(SubmissionPolicy(60e6)))
    assert len(service.posted) == 3 * 4 + 3 * 3  # three protocols on the regions, and three more curves of Fig. 9
    told = json.loads((tmp_path / "out" / "audit.json").read_text())
    for word in ("emulat", "classical model", "thermal model", "with no cross-talk", "J_CT = -0.0013 "):
        assert not [item for item in told if word in item["measured"] + item["note"]], word
    page = result.report.read_text()
    assert "These rows are emulated" not in page
    assert "packed, J_CT" not in page
    assert (result.computed, result.reused) == (0, 0)  # nothing was emulated
