"""The whole report: what is in it, what its audit says, and that it runs nothing twice."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from page_links import PageLinks

import spinbattery as sb
from charging_paper import beyond, fig2_tensor, large_n
from charging_paper.beyond import Beyond, Torus
from charging_paper.build import PARTS, build_report
from charging_paper.fig2_tensor import TensorStudy

READS = 50
"""Fewer than by default: the annealer's runs take most of the time."""

SMALL = Beyond(
    (Torus((2, 6), 1e-6), Torus((1, 13), 1e-4, full_only=True)), (Torus((2, 2), 1e-6), Torus((2, 3), 1e-6)), "200ns"
)
"""For what is beyond the paper: its own sizes take minutes."""

SMALL_STUDIES = (TensorStudy((2, 4), (2, 3)), TensorStudy((4, 4), (4, 6), full_only=True))

SMALL_PARTS = {
    **PARTS,
    "fig2-tensor": fig2_tensor.part(SMALL_STUDIES, SMALL),
    "beyond": beyond.part(SMALL),
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
    page = PageLinks()
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
    assert item.parameters.endswith("kept, not computed now: torus:5x5, torus:5x6")
    rows = re.findall(
        r"<td>((?:tilted-)?torus:\dx\d)</td><td>\d+</td>.*?<td>(now|kept)</td>", result.report.read_text()
    )
    assert dict(rows)["torus:5x6"] == "kept"
    assert dict(rows)["tilted-torus:4x1"] == "now"


@pytest.mark.slow
def test_the_annealer_s_rows(full):
    _, result = full
    measured = {item.item: item for item in result.audit}
    lead = measured["Fig. 2b, annealer: the CP against the LP"].measured
    with_errors = (re.findall(r"(\S+) \+- \S+ at N", part) for part in lead.split(" as printed; "))
    printed, equal = (list(map(float, found)) for found in with_errors)
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
    assert page.count("emulated, svmc-tf at 18 mK, 5000 Monte Carlo sweeps, 50 reads") > 5


@pytest.mark.slow
def test_networks_of_the_annealer_s_rows(full):
    folder, _ = full
    rows = sb.Store(folder / "records").rows(engine="emulator", protocol="cooperative", J=-0.2)
    sizes = {row["network"].rpartition("region:")[2]: (row["n_spins"], row["n_pairs"]) for row in rows}
    assert len(sizes) == 6
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
    assert first.computed == len({request.plan(READS).tasks[0].key for request in requests})
    shutil.copytree(folder / "records", tmp_path / "records")  # a report of one part would take the place of the whole
    seen: list[str] = []
    build_report(tmp_path, ["fig2"], lambda fraction, message: seen.append(message), parts=SMALL_PARTS)
    assert seen == ["figures", "report"]  # nothing had to be computed


@pytest.mark.slow
def test_second_run_computes_nothing(full, monkeypatch):
    folder, first = full
    (folder / ".made.json").unlink()
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
    assert "<td>torus:1x13" not in page  # it is named as what --full has
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
