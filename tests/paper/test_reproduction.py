"""The reproduction: what it writes, that it runs nothing twice, and that an interruption loses nothing."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

import spinbattery as sb
from charging_paper import fig2, fig2_tensor, large_n, table1
from charging_paper.beyond import BEYOND, Beyond, LargerTorus
from charging_paper.build import PARTS, build_report
from charging_paper.fig2_tensor import TensorStudy
from charging_paper.runs import Request
from charging_paper.section import Section
from spinbattery.core.errors import InvalidParameterError, SweepError
from spinbattery.engines.choice import choose_engine

READS = 50
"""Fewer than by default: the annealer's runs take most of the time."""

SMALL = Beyond((LargerTorus((2, 6), 1e-6), LargerTorus((1, 13), 1e-4, full_only=True)), ((2, 2), (2, 3)), "200ns")
"""For what is beyond the paper: its own sizes take minutes."""

SMALL_STUDIES = (TensorStudy((2, 4), (2, 3)), TensorStudy((4, 4), (4, 6), full_only=True))

SMALL_PARTS = {
    **PARTS,
    "fig2": fig2.part(SMALL),
    "fig2-tensor": fig2_tensor.part(SMALL_STUDIES, SMALL),
    "table1": table1.part(SMALL),
    "large-n": large_n.part(SMALL, large_n.MORE_TORI[:4]),
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, known_runs: Path):
    """The whole report, which no test changes. It is made from nothing, and its runs are then known to other tests."""
    folder = tmp_path_factory.mktemp("reproduction")
    result = build_report(folder, reads=READS, parts=SMALL_PARTS)
    known_runs.mkdir(exist_ok=True)
    for record in (folder / "records").glob("*.nc"):
        shutil.copyfile(record, known_runs / record.name)
    return folder, result


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.sources: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a":
            self.hrefs.append(values["href"])
        if tag in ("img", "script", "link"):
            self.sources.append(values.get("src") or values.get("href") or "")
        if "id" in values:
            self.ids.add(values["id"])


@pytest.mark.slow
def test_everything_is_written(full):
    folder, result = full
    assert result.computed > 50
    exact = ("fig2a", "fig2b", "fig2c", "fig3", "fig4", "fig6", "fig7", "fig8", "fig10a", "fig10b")
    beyond = ("fig2b-beyond", "fig2b-tensor", "fig2c-tensor", "spectrum-025", "spectrum-035", "large-n")
    for stem in (*exact, *beyond, "fig2b-annealer", "fig2c-annealer", "fig9"):
        assert (folder / "figures" / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / "figures" / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    assert len(list((folder / "records").glob("*.nc"))) == result.computed
    assert not list(folder.rglob("*.part"))
    items = json.loads((folder / "audit.json").read_text())
    assert len(items) == len(result.audit)
    assert {"item", "printed", "measured", "parameters", "verdict", "note"} <= set(items[0])


@pytest.mark.slow
def test_report_is_self_contained_and_its_links_exist(full):
    folder, result = full
    page = _Links()
    page.feed(result.report.read_text())
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    for href in page.hrefs:
        if href.startswith("#"):
            assert href[1:] in page.ids
        else:
            assert (folder / href).is_file(), href
    records = {href for href in page.hrefs if href.endswith(".nc")}
    assert len(records) == result.computed


@pytest.mark.slow
def test_audit_says_what_holds(full):
    measured = {item.item: item for item in full[1].audit}
    swapped = measured["Simulation parameters (End Matter)"]
    assert float(re.search(r"mu = (-0\.\d+) with them", swapped.measured)[1]) < -0.999
    exact = measured["Table I, cooperative exact"]
    assert "c = 0.88 +- 0.23, alpha = 2.14 +- 0.14 (log-log)" in exact.measured
    assert "c = 0.99" in exact.note
    assert measured["Mean charging power, cooperative"].measured == "4.689e-16 W"
    assert measured["Mean charging power, local"].measured == "4.300e-16 W"
    assert "ratio 1.0896" in measured["Engines: CP against LP"].measured
    assert measured["The LP stands for all local protocols"].verdict == "not supported"


@pytest.mark.slow
def test_decoherence_and_cross_talk_are_read_off(full):
    _, result = full
    measured = {item.item: item for item in result.audit}
    rate = measured["Decoherence rate from alpha = 1.39"]
    product, low, high = (
        float(x) for x in re.search(r"gamma tau = (\S+) \(95 %: (\S+) to (\S+) from the fit", rate.measured).groups()
    )
    assert product == pytest.approx(0.040, abs=0.0005)
    assert (low, high) == pytest.approx((0.0305, 0.050), abs=0.002)  # Student, two degrees of freedom
    assert float(re.search(r"that is (\S+) kHz", rate.measured)[1]) == pytest.approx(0.67, abs=0.01)
    assert float(re.search(r"gives alpha = (\S+)$", rate.measured)[1]) == pytest.approx(0.84, abs=0.01)
    assert float(re.search(r"gamma tau = 0.033 and gives alpha = (\d\.\d+)", rate.note)[1]) == pytest.approx(
        1.45, abs=0.01
    )
    others = re.search(r"gamma tau from (\S+) to (\d\.\d+)", rate.note).groups()
    assert [float(x) for x in others] == pytest.approx([0.037, 0.048], abs=0.001)
    by_range = re.findall(r"(0\.\d+) for N <= (\d)", rate.measured)
    assert by_range == [("0.0369", "6"), ("0.0277", "7"), ("0.0217", "8")]
    low, high = (float(x) for x in re.search(r"together say (\S+) to (\d\.\d+)", rate.measured).groups())
    assert low < 0.01
    assert high == pytest.approx(0.050, abs=0.002)
    assert "alpha at 60 ns falls from 1.99 (N <= 5) to 1.80 (8) and 1.55 (12)" in rate.note
    assert rate.parameters == "rings N = 2 to 5, and to 8; sigma_x noise; cooperative, 60 ns, s_hold = 0.35, log-log"
    crosstalk = measured["Cross-talk from alpha = 1.07 and mu = 0.833 of the local protocol"]
    products = re.search(r"J_CT tau = (\S+) from alpha and (\S+) from mu", crosstalk.measured).groups()
    assert [float(x) for x in products] == pytest.approx([0.24, 2.24], abs=0.02)
    assert "200 ns, log-log (J_CT tau from alpha -0.268 to -0.229, largest N 6 to 12)" in crosstalk.parameters
    assert float(re.search(r"0.0013 from alpha is tau = (\d+) ns", crosstalk.note)[1]) == pytest.approx(185, abs=5)


@pytest.mark.slow
def test_the_table_of_the_estimate_has_a_row_for_each_range_of_n(full):
    page = full[1].report.read_text()
    rows = {
        cells[0]: cells[1:4]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
        if len(cells := re.findall(r"<td>(.*?)</td>", row)) == 7 and re.fullmatch(r"2 to \d+", cells[0])
    }
    assert len(rows) == 9
    assert rows["2 to 5"] == ["1.99", "0.0400", "0.67"]
    assert rows["2 to 8"] == ["1.80", "0.0217", "0.36"]
    assert rows["2 to 12"] == ["1.55", "not run", "not run"]


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


@pytest.mark.slow
def test_the_variance_per_spin_of_all_tori_does_not_fall(full):
    _, result = full
    (item,) = (item for item in result.audit if item.item == "alpha = 2 for large N")
    assert item.verdict == "not supported"
    found = {name: float(value) for name, value in re.findall(r"(\S+) \(N = \d+\) (0\.\d+)", item.measured)}
    expected = {
        "torus:3x3": 0.1135,
        "tilted-torus:3x1": 0.0976,
        "torus:3x4": 0.0862,
        "tilted-torus:3x2": 0.0985,
        "torus:3x5": 0.1028,
        "tilted-torus:4x1": 0.1319,
        "torus:5x6": 0.1094,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert item.parameters.endswith("kept, not computed now: torus:5x6")
    rows = re.findall(
        r"<td>((?:tilted-)?torus:\dx\d)</td><td>\d+</td>.*?<td>(now|kept)</td>", result.report.read_text()
    )
    assert dict(rows)["torus:5x6"] == "kept"
    assert dict(rows)["tilted-torus:4x1"] == "now"


def test_the_tori_of_the_whole_report_are_all_exact_ones():
    _, requests = large_n.part()
    names = [request.network for request in requests]
    assert sorted(names) == sorted(
        [f"torus:{sides}" for sides in ("3x3", "3x4", "3x5", "3x6", "4x4", "4x5", "5x5", "5x6")]
        + [f"tilted-torus:{sides}" for sides in ("3x1", "3x2", "4x1", "3x3", "4x2")]
    )
    assert {request.network for request in requests if request.full_only} == {row.network for row in large_n.KEPT}


@pytest.mark.slow
def test_the_annealer_s_rows(full):
    _, result = full
    measured = {item.item: item for item in result.audit}
    lead = measured["Fig. 2b, annealer: the CP against the LP"].measured
    printed, equal = ([float(x) for x in re.findall(r"(\S+) at N = ", part)] for part in lead.split(" as printed; "))
    assert printed[0] > 15
    assert printed[-1] > 500
    assert 1.0 < equal[-1] < 0.05 * printed[-1]
    magnetization = measured["Fig. 2c, annealer: magnetization at N = 5612"].measured
    assert "every read charged" in magnetization
    assert float(re.search(r"LP (\S+)", magnetization)[1]) == pytest.approx(0.830, abs=0.008)
    local = measured["Table I, local on the annealer"].measured
    assert float(re.search(r"alpha = (\S+) .*loglog", local)[1]) == pytest.approx(1.04, abs=0.06)
    page = result.report.read_text()
    assert "These rows are emulated, not measured" in page
    assert page.count("emulated, svmc-tf at 18 mK, 5000 sweeps, 50 reads") > 5


@pytest.mark.slow
def test_networks_of_the_annealer_s_rows(full):
    folder, _ = full
    rows = sb.Store(folder / "records").rows(engine="emulator", protocol="cooperative", J=-0.2)
    sizes = {row["network"].rpartition("region:")[2]: (row["n_spins"], row["n_pairs"]) for row in rows}
    assert len(sizes) == 15
    assert sizes["2"] == (40, 164)
    assert max(n for n, _ in sizes.values()) == 5612


@pytest.mark.slow
def test_a_command_of_the_report_makes_the_same_record(full, monkeypatch, capsys):
    folder, result = full
    page = result.report.read_text()
    linked = re.findall(r'<a href="(records/[0-9a-f]+\.nc)">.*?<code>(spinbattery charge .*?)</code>', page, re.DOTALL)
    by_kind = {}
    for href, command in linked:
        options = tuple(
            option in command
            for option in (
                "--equal-cost",
                "--points",
                "--crosstalk",
                "--noise",
                "--engine emulator",
                "--engine tensor",
                "1e-06",
                "200ns",
            )
        )
        by_kind.setdefault((*options, re.search(r"--protocol (\S+)", command)[1]), (href, command))
    assert len(by_kind) >= 15
    from spinbattery.cli import main

    for href, command in by_kind.values():
        arguments = command.split()[1:]
        monkeypatch.setattr("sys.argv", ["spinbattery", *arguments, "--json", "--quiet"])
        with pytest.raises(SystemExit, match="0"):
            main.run()
        made = json.loads(capsys.readouterr().out)
        stored = sb.read_record(folder / href)
        assert made["run_key"] == stored.key
        assert made["magnetization"] == stored.magnetization


@pytest.mark.slow
def test_every_part_knows_its_runs_and_nothing_else_is_run(full, tmp_path: Path):
    folder, first = full
    requests = {request for _, needed in SMALL_PARTS.values() for request in needed if not request.full_only}
    emulator = sb.Emulator(reads=READS)
    assert first.computed == len({request.plan(emulator).tasks[0].key for request in requests})
    shutil.copytree(folder / "records", tmp_path / "records")  # a report of one part would take the place of the whole
    seen: list[float] = []
    build_report(tmp_path, ["fig2"], lambda fraction, message: seen.append(fraction), parts=SMALL_PARTS)
    assert seen == [1.0]  # nothing had to be computed


@pytest.mark.slow
def test_second_run_computes_nothing(full, monkeypatch):
    folder, first = full
    # every part is built again and compared; its pictures, which are there, are not drawn a second time
    monkeypatch.setattr("charging_paper.build.save_figure", lambda figure, path: path)
    page, before_page = folder / "report.html", (folder / "report.html").read_bytes()
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "records").glob("*.nc")}
    again = build_report(folder, reads=READS, parts=SMALL_PARTS)
    assert again.computed == 0
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "records").glob("*.nc")} == before
    assert again.audit == first.audit
    assert page.read_bytes() == before_page  # every table and picture of it, too


@pytest.mark.slow
def test_rows_beyond_the_paper(full):
    _, result = full
    page = result.report.read_text()
    larger, fits, slow = re.findall(r"<caption>Beyond the paper: (.*?)</table>", page, re.DOTALL)
    assert [re.findall(r"<td>(torus:.*?)</td><td>(\d+)</td><td>(.*?)</td>", larger)[k] for k in (0, -1)] == [
        ("torus:1x2", "2", "the paper"),
        ("torus:2x6", "12", "ours"),
    ]
    assert "torus:1x13" not in page
    assert re.findall(r"<td>(\S+)</td><td>2 to 12</td>", fits) == ["cooperative", "cooperative", "local", "local"]
    assert re.findall(r"<td>(\S+)</td><td>(\d)</td><td>\S+ \((\S+)\)</td><td>\S+ \((\d+)\)</td>", slow) == [
        ("torus:2x2", "4", "0.7500", "16"),
        ("torus:2x3", "6", "0.8333", "36"),
    ]
    (item,) = (item for item in result.audit if item.item.endswith("at the annealer's 200ns"))
    assert "at N = 4; 1/sigma^2 = " in item.measured


@pytest.mark.slow
def test_the_two_branches_and_the_one_of_the_polarised_protocol(full):
    page = full[1].report.read_text()
    rows = {
        tuple(cells[:3]): [float(cell) for cell in cells[3:]]
        for row in re.findall(r"<tr>(.*?)</tr>", page[page.index('<h2 id="spectrum">') :], re.DOTALL)
        if len(cells := re.findall(r"<td>(.*?)</td>", row)) == 8 and cells[0] in ("cooperative", "polarised")
    }
    assert len(rows) == 6
    assert rows["cooperative", "0.25", "200ns"] == pytest.approx([0.5, 0.5, 0.0, 0.5, 0.5], abs=5e-3)
    assert rows["polarised", "0.25", "200ns"] == pytest.approx([1.0, 0.0, 0.0, 1.0, 0.0], abs=1e-3)
    assert rows["cooperative", "0.35", "60ns"][:3] == pytest.approx([0.107, 0.872, 0.022], abs=1e-3)
    assert "1.18 GHz with s_hold = 0.25; 0.08 GHz with s_hold = 0.35" in page


def test_what_takes_hours_is_run_in_a_full_reproduction_alone(tmp_path: Path):
    quick, slow = Request("torus:1x2", fig2.LOCAL), Request("torus:2x2", fig2.LOCAL, full_only=True)
    seen = []

    def build(runs) -> Section:
        seen.append([request in runs for request in (quick, slow)])
        return _section_without_figures(runs)

    parts = {"some": (build, [quick, slow])}
    assert build_report(tmp_path, parts=parts).computed == 1
    assert build_report(tmp_path, parts=parts, full=True).computed == 1
    assert build_report(tmp_path, parts=parts).computed == 0
    assert seen == [[True, False], [True, True], [True, False]]


def test_only_the_largest_torus_takes_hours():
    assert [torus.size for torus in BEYOND.tori if torus.full_only] == [(5, 6)]
    emulator = sb.Emulator(reads=READS)
    for request in [*BEYOND.larger["cooperative"], *BEYOND.slow]:
        (task,) = request.plan(emulator).tasks
        assert task.engine == sb.Symmetric(request.tolerance)
        assert request.command(emulator).endswith(f"--tolerance {request.tolerance:g}")


def _section_without_figures(runs) -> Section:
    return Section("some", "Some runs", ())


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


def test_a_relative_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for computed in (2, 0):
        result = build_report(Path("out"), ["fig6"])
        assert result.computed == computed
        assert result.report == Path("out/report.html")
        links = _Links()
        links.feed(result.report.read_text())
        records = {href for href in links.hrefs if href.endswith(".nc")}
        assert len(records) == 2
        assert all((tmp_path / "out" / href).is_file() for href in records)


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
    assert engine.name == "statevector"
    assert "coupled" in why
    engine, why = choose_engine(sb.ChargingProblem(lattice, sb.cooperative(5.0).local_equivalent(lattice)))
    assert engine.name == "product"
    assert "alone" in why
