"""How a report is built: which runs are made, what an interruption keeps, and what is refused."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from page_links import PageLinks

import spinbattery as sb
from charging_paper import device, fig2, fig2_tensor, fig9, large_n
from charging_paper.beyond import BEYOND
from charging_paper.build import PARTS, build_report
from charging_paper.runs import Request, Runs
from charging_paper.section import Section
from charging_paper.stamp import Stamp
from spinbattery.core.errors import InvalidParameterError, SweepError
from spinbattery.diagnosis import installation
from spinbattery.engines.choice import choose_engine


def test_the_hold_does_not_cross_the_critical_point_of_square_tori(tmp_path: Path):
    result = build_report(tmp_path, ["criticality"])
    assert result.computed == 0
    (item,) = result.audit
    assert item.verdict == "not supported"
    assert item.printed == "the crossing of a phase transition's critical point"
    assert (
        "2.427 in the hold; critical at 3.0445 on a square torus, so crossed for s_hold < 0.331 alone" in item.measured
    )
    assert "at 1 on a ring, crossed for s_hold < 0.419" in item.measured
    assert "critical at 15, s = 0.188" in item.note
    assert "false vacuum" in item.note


def test_the_tori_of_the_whole_report_are_all_exact_ones():
    _, requests = large_n.part()
    names = [request.network for request in requests]
    assert sorted(names) == sorted(
        [f"torus:{sides}" for sides in ("3x3", "3x4", "3x5", "3x6", "4x4", "4x5", "5x5", "5x6")]
        + [f"tilted-torus:{sides}" for sides in ("3x1", "3x2", "4x1", "3x3", "4x2")]
    )
    late = {request.network for request in requests if request.full_only}
    assert late == {"tilted-torus:4x2", *(row.network for row in large_n.KEPT)}


def test_what_takes_hours_is_run_in_a_full_reproduction_alone(tmp_path: Path):
    quick, slow = Request("torus:1x2", fig2.LOCAL), Request("torus:2x2", fig2.LOCAL, full_only=True)
    seen = []

    def made(runs) -> Section:
        seen.append([request in runs for request in (quick, slow)])
        return _section_without_figures(runs)

    parts = {"some": (made, [quick, slow])}
    assert build_report(tmp_path, parts=parts).computed == 1
    assert build_report(tmp_path, parts=parts, full=True).computed == 1
    assert build_report(tmp_path, parts=parts).computed == 0
    assert seen == [[True, False], [True, True], [True, False]]


def test_only_the_largest_tori_take_minutes():
    assert [torus.size for torus in BEYOND.tori if torus.full_only] == [(5, 5), (5, 6)]
    assert [torus.size for torus in BEYOND.slow_tori if torus.full_only] == [(3, 4)]
    for request in [*BEYOND.larger["cooperative"], *BEYOND.slow[1:]]:
        (task,) = request.plan().tasks
        assert task.engine == sb.Symmetric(request.tolerance)
        assert request.command().endswith(f"--tolerance {request.tolerance:g}")


def test_regions_and_reads_of_the_annealer_by_default_and_in_full():
    quick = {name: [request for request in group if not request.full_only] for name, group in device.REQUESTS.items()}
    for group in quick.values():
        regions = [request.network.rpartition(":")[2] for request in group[:-1]]
        assert regions == ["2", "3", "4", "6", "9"]
        assert group[-1].network == device.WORKING_GRAPH
        assert [request.reads for request in group] == [1000, 400, 100, 50, 50, 50]
        assert [request.plan().tasks[0].engine.reads for request in group] == [request.reads for request in group]
        assert group[0].plan(50).tasks[0].engine.reads == 50
        assert "--reads 1000 " in group[0].command()
        assert "--reads 50 " in group[0].command(50)
    assert {len(group) for group in device.REQUESTS.values()} == {15}
    scattered = [request for request in fig9.REQUESTS if not request.full_only]
    assert [request.reads for request in scattered] == 6 * [100, 100, 100, 50]


def test_what_is_smaller_by_default_is_said(tmp_path: Path):
    requests = device.REQUESTS["local"]
    quick, full = Runs(tmp_path, [request for request in requests if not request.full_only]), Runs(tmp_path, requests)
    assert "6 of 15 runs, 50 to 1000 reads instead of the paper's 1000" in quick.smaller(requests)
    assert "spinbattery reproduce --full" in quick.smaller(requests)
    assert quick.annealer_label.endswith("5000 Monte Carlo sweeps, 50 to 1000 reads")
    assert device.regions(quick) == ""  # of the cooperative protocol there is nothing
    assert "200 reads instead" in Runs(tmp_path, requests, 200).smaller(requests)
    assert "15 runs" not in full.smaller(requests)
    assert Runs(tmp_path, requests, 1000).smaller(requests) == ""
    slow = Runs(tmp_path, [request for request in BEYOND.slow if not request.full_only])
    assert "2 of 3 runs; without torus:3x4 (60us); " in slow.smaller(BEYOND.slow)
    trees = Runs(tmp_path, [study.request for study in fig2_tensor.STUDIES if not study.full_only])
    assert "without torus:4x4 (20ns, to the tolerance), torus:8x8 (20ns, bond dimensions 10, 16, 24), " in (
        trees.smaller(study.request for study in fig2_tensor.STUDIES)
    )


@pytest.mark.usefixtures("no_pictures")
def test_the_first_figures_are_written_before_the_rest_is_run(tmp_path: Path):
    later, seen = Request("torus:1x2", replace(fig2.LOCAL, duration="7ns")), []

    def announce(line: str) -> None:
        page = (tmp_path / "report.html").read_text()
        seen.append((line, len(list((tmp_path / "records").glob("*.nc")))))
        assert "Table I, exact rows" in page
        assert "Some runs" not in page
        assert (tmp_path / "figures" / "fig2b.png").is_file()

    parts = {"late": (_section_without_figures, [later]), "fig2": PARTS["fig2"]}
    result = build_report(tmp_path, parts=parts, announce=announce)
    ((line, known),) = seen
    assert line.startswith(f"first figure: {tmp_path / 'figures' / 'fig2b.png'}")
    assert known == result.computed - 1
    titles = re.findall(r"<h2 id=\"(\S+)\">", result.report.read_text())
    assert titles == ["audit", "late", "fig2"]


@pytest.mark.usefixtures("no_pictures")
def test_progress_is_of_the_whole_and_says_when_figures_are_drawn(tmp_path: Path):
    later, seen = Request("torus:1x2", replace(fig2.LOCAL, duration="7ns")), []
    drawn = []

    def late(runs) -> Section:
        drawn.append(seen[-1])
        return _section_without_figures(runs)

    parts = {"late": (late, [later]), "fig2": PARTS["fig2"]}
    build_report(tmp_path, None, lambda fraction, message: seen.append((fraction, message)), parts=parts)
    messages = list(dict.fromkeys(message for _, message in seen))
    assert messages == [
        "runs, stage 1 of 2",
        "figures, stage 1 of 2",
        "runs, stage 2 of 2",
        "figures, stage 2 of 2",
        "report",
    ]
    assert [message for _, message in drawn] == ["figures, stage 2 of 2"]


@pytest.mark.usefixtures("no_pictures")
def test_a_report_that_is_there_is_left_as_it_is(tmp_path: Path):
    built = []

    def counted(runs) -> Section:
        built.append(runs)
        return PARTS["fig3"][0](runs)

    parts = {"fig3": (counted, [Request("torus:1x2", fig2.LOCAL)])}
    first = build_report(tmp_path, parts=parts)
    again = build_report(tmp_path, parts=parts)
    assert len(built) == 1
    assert (again.report, again.audit, again.computed, again.reused) == (first.report, first.audit, 0, 1)
    (record,) = (tmp_path / "records").glob("*.nc")
    figure, page = tmp_path / "figures" / "fig3.png", first.report.read_bytes()
    changes = [(figure, None), (figure, b"another"), (first.report, b""), (record, None)]
    for count, (path, content) in enumerate(changes):
        path.unlink() if content is None else path.write_bytes(content)
        result = build_report(tmp_path, parts=parts)
        assert len(built) == 2 + count
        assert first.report.read_bytes() == page
        assert figure.read_bytes().startswith(b"\x89PNG")
        assert result.computed == (path == record)
    build_report(tmp_path, parts=parts, reads=60)
    assert len(built) == 6


def test_a_report_is_made_again_with_another_version_of_anything_that_takes_part(tmp_path, monkeypatch):
    known = metadata.version
    before = Stamp.of(tmp_path, [])
    for changed in ("llvmlite", "numpy", "pandas", "dwave-graphs", "igraph", "dimod", "netCDF4"):
        with monkeypatch.context() as patch:
            patch.setattr(installation, "version", lambda name, other=changed: "0" if name == other else known(name))
            assert Stamp.of(tmp_path, []) != before, changed
    with monkeypatch.context() as patch:
        patch.setattr(platform, "python_version", lambda: "3.99.0")
        assert Stamp.of(tmp_path, []) != before
    assert Stamp.of(tmp_path, []) == before


def _section_without_figures(runs) -> Section:
    return Section("Some runs")


def test_interruption_keeps_finished_runs(tmp_path: Path):
    records = tmp_path / "records"

    def interrupt_when_three_are_kept(fraction: float, message: str) -> None:
        if len(list(records.glob("*.nc"))) >= 3:
            raise KeyboardInterrupt

    parts = {"some": (_section_without_figures, fig2.REQUESTS)}
    with pytest.raises(KeyboardInterrupt):
        build_report(tmp_path, None, interrupt_when_three_are_kept, parts=parts)
    kept = {path.name: path.stat().st_mtime_ns for path in records.glob("*.nc")}
    assert 3 <= len(kept) < len(fig2.REQUESTS)
    seen: list[float] = []
    result = build_report(tmp_path, None, lambda fraction, message: seen.append(fraction), parts=parts)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert (result.computed, result.reused) == (len(fig2.REQUESTS) - len(kept), len(kept))
    assert {name: (records / name).stat().st_mtime_ns for name in kept} == kept
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.usefixtures("no_pictures")
def test_a_relative_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for computed in (2, 0):
        result = build_report(Path("out"), ["fig6"])
        assert result.computed == computed
        assert result.report == Path("out/report.html")
        links = PageLinks()
        links.feed(result.report.read_text())
        records = {href for href in links.hrefs if href.endswith(".nc")}
        assert len(records) == 2
        assert all((tmp_path / "out" / href).is_file() for href in records)


@pytest.mark.usefixtures("no_pictures")
def test_a_damaged_record_is_named(tmp_path: Path):
    build_report(tmp_path, ["fig6"])
    record = next((tmp_path / "records").glob("*.nc"))
    record.write_bytes(record.read_bytes()[:1000])
    with pytest.raises(SweepError, match=record.name):
        build_report(tmp_path, ["fig6"])


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "figures" / "fig3.png").mkdir(parents=True)
    with pytest.raises(InvalidParameterError, match=r"fig3\.png"):
        build_report(tmp_path, ["fig3"])
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidParameterError, match="cannot make the folder"):
        build_report(tmp_path / "file", ["fig3"])


def test_unknown_part_is_refused_before_anything_is_made(tmp_path: Path):
    with pytest.raises(InvalidParameterError, match="Did you mean 'fig2'"):
        build_report(tmp_path / "out", ["fig2x"])
    assert not (tmp_path / "out").exists()


def test_parts_asked_for_by_name_exist():
    assert {"fig2", "fig3", "fig4", "fig6", "table1", "energetics", "baselines"} <= set(PARTS)


def test_engine_choice_says_why():
    lattice = sb.torus(2, 2)
    engine, why = choose_engine(sb.ChargingProblem(lattice, sb.cooperative(5.0)))
    assert engine.name == "symmetric"
    assert "coupled" in why
    engine, why = choose_engine(sb.ChargingProblem(lattice, sb.cooperative(5.0).local_equivalent(lattice)))
    assert engine.name == "product"
    assert "alone" in why
