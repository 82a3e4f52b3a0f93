"""`spinbattery charge`, `scaling` and `show` as a user runs them."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import spinbattery as sb

CHARGE = ("charge", "--protocol", "cooperative", "--duration", "20ns", "-J", "-0.2", "--field", "-0.5", "--quiet")


def test_charge_prints_the_reference_figure(spinbattery):
    got = spinbattery(*CHARGE, "--network", "torus:2x2", "--s-hold", "0.35", "--tolerance", "1e-8", "--json")
    assert got.code == 0
    data = got.json
    assert data["n_spins"] == 4
    assert data["n_pairs"] == 4
    assert data["engine"] == "symmetric"
    assert data["duration_ns"] == 20.0
    assert data["magnetization"] == pytest.approx(0.8208634, abs=1e-5)
    assert data["precision"] == pytest.approx(16.44146, rel=1e-4)
    assert data["std"] == pytest.approx(data["precision"] ** -0.5)
    assert 0.0 < data["error_estimate"] <= 1e-8
    cost = sb.cooperative(20.0).cost(sb.torus(2, 2))
    assert data["hs_cost"] == pytest.approx(cost.integral, rel=1e-12)


def test_the_symmetric_engine_says_how_large_its_sector_is(spinbattery):
    got = spinbattery(*CHARGE, "--network", "torus:3x3", "--engine", "symmetric", "--json")
    assert got.code == 0
    assert (got.json["engine"], got.json["dimension"], got.json["group_order"]) == ("symmetric", 26, 72)
    assert got.json["precision"] == pytest.approx(79.26217, rel=1e-4)
    full = spinbattery(*CHARGE, "--network", "torus:2x2", "--engine", "statevector", "--json").json
    assert "dimension" not in full
    refused = spinbattery(*CHARGE, "--network", "torus:5x8", "--engine", "symmetric")
    assert refused.code == 2
    assert "for N up to 31" in refused.err


def test_scaling_with_the_symmetric_engine(spinbattery):
    arguments = ("scaling", "--networks", "torus:2x2,torus:2x3,torus:3x3", "--duration", "20ns", "--quiet", "--json")
    got = spinbattery(*arguments, "--engine", "symmetric", "--workers", "1").json
    assert [(point["engine"], point["dimension"]) for point in got["points"]] == [
        ("symmetric", 6), ("symmetric", 13), ("symmetric", 26)
    ]  # fmt: skip
    full = spinbattery(*arguments, "--engine", "statevector", "--workers", "1").json
    assert got["fits"]["loglog"]["alpha"] == pytest.approx(full["fits"]["loglog"]["alpha"], abs=1e-5)


def test_single_precision_is_an_option_of_the_state_vector(spinbattery):
    got = spinbattery(
        *CHARGE, "--network", "torus:2x2", "--engine", "statevector", "--single", "--tolerance", "1e-4", "--json"
    )
    assert got.code == 0
    assert got.json["precision"] == pytest.approx(16.44146, rel=1e-4)
    assert 1e-7 < got.json["error_estimate"] <= 1e-4


def test_local_is_matched_to_the_cooperative_protocol(spinbattery):
    arguments = ("--network", "torus:3x3", "--duration", "20ns", "--json", "--quiet")
    local = spinbattery("charge", "--protocol", "local", *arguments).json
    cooperative = spinbattery("charge", "--protocol", "cooperative", *arguments).json
    assert local["engine"] == "product"
    assert local["field"] == pytest.approx(-math.sqrt(0.25 + 2 * 0.04))
    assert local["hs_cost_matched"] == pytest.approx(cooperative["hs_cost_matched"])
    assert local["hs_cost"] / cooperative["hs_cost"] == pytest.approx(0.5289, abs=5e-5)


def test_equal_cost_and_its_reference(spinbattery):
    arguments = ("charge", "--network", "torus:2x2", "--duration", "20ns", "--equal-cost", "--json", "--quiet")
    by_default = spinbattery(*arguments, "--protocol", "polarised-local", "--s-hold", "0.25").json
    assert by_default["hs_cost"] == pytest.approx(sb.cooperative(20.0).cost(sb.torus(2, 2)).integral, rel=1e-9)
    other = spinbattery(*arguments, "--protocol", "polarised", "--s-hold", "0.25", "--cost-reference", "0.25").json
    reference = sb.cooperative(20.0, s_hold=0.25).cost(sb.torus(2, 2)).integral
    assert other["hs_cost"] == pytest.approx(reference, rel=1e-9)


def test_equal_cost_says_when_no_field_exists(spinbattery):
    got = spinbattery(
        "charge", "--network", "torus:3x3", "--duration", "20ns", "--protocol", "polarised", "--s-hold", "0.25",
        "--equal-cost", "--quiet",
    )  # fmt: skip
    assert got.code == 2
    assert "no field exists" in got.err


def test_charge_table_record_and_plot(spinbattery, tmp_path: Path):
    record, plot = tmp_path / "run.nc", tmp_path / "run.png"
    got = spinbattery(*CHARGE, "--network", "ring:3", "--out", str(record), "--plot", str(plot))
    assert got.code == 0
    assert "magnetization" in got.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    stored = sb.read_record(record)
    assert len(stored.times) == 601
    shown = spinbattery("show", str(record), "--json").json
    assert shown["magnetization"] == stored.magnetization


def test_crosstalk_and_spreadsheet(spinbattery, tmp_path: Path):
    table = tmp_path / "scales.csv"
    scales = sb.advantage_system6()
    rows = [f"{s / 50},{float(scales.A(s / 50))},{float(scales.B(s / 50))}" for s in range(51)]
    table.write_text("\n".join(["s,A(s) (GHz),B(s) (GHz)", *rows]))
    plain = spinbattery("charge", "--network", "ring:3", "--duration", "5ns", "--json", "--quiet").json
    other = spinbattery(
        "charge", "--network", "ring:3", "--duration", "5ns", "--energy-scales", str(table), "--json", "--quiet"
    ).json
    assert other["energy_scales"] == "scales"
    assert other["magnetization"] != plain["magnetization"]
    assert other["magnetization"] == pytest.approx(plain["magnetization"], abs=0.05)
    coupled = spinbattery(
        "charge", "--network", "ring:3", "--duration", "5ns", "--protocol", "local", "--crosstalk", "-0.01", "--json",
        "--quiet",
    ).json  # fmt: skip
    assert coupled["engine"] == "symmetric"


def test_scaling_prints_points_and_both_fits(spinbattery, tmp_path: Path):
    plot = tmp_path / "fit.pdf"
    got = spinbattery(
        "scaling", "--networks", "torus:1x2,torus:2x2,torus:2x3,torus:2x4", "--duration", "60ns", "--protocol", "local",
        "--json", "--quiet", "--plot", str(plot), "--store", str(tmp_path / "records"),
    )  # fmt: skip
    assert got.code == 0
    assert [point["n_spins"] for point in got.json["points"]] == [2, 4, 6, 8]
    for name in ("loglog", "linear"):
        fit = got.json["fits"][name]
        assert fit["alpha"] == pytest.approx(1.0, abs=0.01)
        assert fit["c"] == pytest.approx(1.0, abs=0.01)
        assert fit["c_err"] >= 0.0
        assert fit["alpha_err"] >= 0.0
    assert plot.read_bytes().startswith(b"%PDF")
    assert len(list((tmp_path / "records").glob("*.nc"))) == 4


def test_store_runs_nothing_twice(spinbattery, tmp_path: Path):
    arguments = (*CHARGE, "--network", "ring:3", "--store", str(tmp_path), "--json")
    first, second = spinbattery(*arguments).json, spinbattery(*arguments).json
    assert first == second  # the wall time too: the second is the first one's record


BAD = [
    (("--duration", "20"), "no unit"),
    (("--duration", "-20ns"), "above zero"),
    (("--duration", "0ns"), "above zero"),
    (("--duration", "nanns"), "duration"),
    (("-J", "nan"), "J must be finite"),
    (("--field", "inf"), "h must be finite"),
    (("--s-hold", "1.2"), "s_hold must lie within"),
    (("--tolerance", "0"), "tolerance"),
    (("--network", "tours:3x3"), "torus"),
    (("--network", "torus:3"), "torus:3x4"),
    (("--network", "file:none.graphml"), "no file"),
    (("--network", "ring:60"), "EB for N = 60"),
    (("--protocol", "coperative"), "Did you mean 'cooperative'"),
    (("--engine", "exact"), "statevector"),
    (("--engine", "product"), "coupled"),
    (("--engine", "product", "--single"), "has no --single; leave it out, or use --engine statevector"),
    (("--single",), "the auto engine has no --single; leave it out"),
    (("--single", "--tolerance", "1e-4"), "the auto engine has no --single; leave it out"),
    (("--engine", "product", "--single", "--seed", "1"), "has no --single, --seed; leave them out"),
    (("--engine", "statevector", "--single"), "set the tolerance to 1e-05 or more"),
    (("--energy-scales", "none.xlsx"), "no file"),
    (("--sheet", "x"), "--energy-scales"),
    (("--cost-reference", "0.3"), "--equal-cost"),
    (("--out", "/nowhere/run.nc"), "does not exist"),
    (("--out", "run.txt"), ".nc"),
    (("--plot", "run.jpg"), ".png"),
    (("--crosstalk-pairs", "some"), "neighbours"),
    (("--crosstalk-pairs", "all"), "how much"),
    (("--network", "complete:100000"), "GB"),
    (("--network", "torus:100000x100000"), "GB"),
    (("--field", "1e308"), "h must not exceed"),
    (("--protocol", "local", "-J", "1e160"), "J must not exceed"),
    (("--duration", "1e-310ns"), "above zero"),
    (("--plot", "folder.png"), "it is a folder"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_is_one_line_and_code_2(spinbattery, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    got = spinbattery(*CHARGE, "--network", "torus:2x2", *arguments)
    assert got.code == 2
    assert got.err.startswith("error: ")
    assert message in got.err
    assert "Traceback" not in got.err
    assert got.out == ""


def test_points_are_output_times_of_the_record(spinbattery, tmp_path: Path):
    record = tmp_path / "run.nc"
    assert spinbattery(*CHARGE, "--network", "ring:3", "--points", "5", "--out", str(record)).code == 0
    assert sb.read_record(record).times.tolist() == pytest.approx([0.0, 5.0, 10.0, 15.0, 20.0])


def test_scaling_refuses_too_few_networks_and_large_ones_before_running(spinbattery):
    few = spinbattery("scaling", "--networks", "ring:3,ring:4", "--duration", "5ns", "--quiet")
    assert few.code == 2
    assert "three or more" in few.err
    large = spinbattery("scaling", "--networks", "ring:3,ring:4,ring:70", "--duration", "5ns", "--quiet")
    assert large.code == 2
    assert "N = 70" in large.err


def test_show_refuses_what_is_no_record(spinbattery, tmp_path: Path):
    text = tmp_path / "notes.nc"
    text.write_text("no record")
    for path in (text, tmp_path / "absent.nc"):
        got = spinbattery("show", str(path))
        assert got.code == 2
        assert "record" in got.err


def test_help_is_light():
    """The help must not import what takes long; times are not tested, imports are."""
    heavy = "numba scipy xarray matplotlib qutip networkx netCDF4 pandas dimod dwave.graphs dwave.cloud"
    code = (
        "import sys, spinbattery.cli.main\n"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])\n"
    )  # fmt: skip
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_version(spinbattery):
    assert spinbattery("--version").out.strip() == sb.__version__


@pytest.mark.parametrize(
    ("number", "compiling"),
    [
        (signal.SIGINT, True),
        (signal.SIGTERM, False),
        pytest.param(signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, True, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_with_its_code_and_a_word(tmp_path: Path, number: signal.Signals, compiling: bool):
    """While kernels are compiled, in whose compiler it must not get lost, and while they run."""
    environment = {**os.environ, **({"NUMBA_CACHE_DIR": str(tmp_path)} if compiling else {})}
    command = [
        sys.executable, "-m", "spinbattery", "charge", "--network", "torus:4x4", "--duration", "60us", "--quiet",
    ]  # fmt: skip
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(process.kill)
        asked = psutil.Process(process.pid)
        while process.poll() is None and asked.cpu_times().user < 1.5:
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 128 + number, err
        assert "interrupted" in err


@pytest.mark.parametrize("arguments", [("--version",), ("show", "nowhere.nc")])
def test_a_command_leaves_the_handlers_of_signals_as_they_were(spinbattery, arguments):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    spinbattery(*arguments)
    assert [signal.getsignal(number) for number in numbers] == before


def test_scaling_refuses_rings_with_tori_before_running(spinbattery, tmp_path):
    store = tmp_path / "runs"
    got = spinbattery(
        "scaling", "--networks", "ring:3,ring:5,torus:3x3", "--duration", "20ns", "--quiet", "--store", str(store)
    )
    assert got.code == 2
    assert "the networks are of several families (ring, torus), and not one curve; fit each alone" in got.err
    assert not store.exists()


@pytest.mark.parametrize(("network", "state"), [("complete:12", "not charged"), ("complete:8", "all or nothing")])
def test_charge_and_show_say_that_an_exact_run_is_no_charge(spinbattery, tmp_path, network, state):
    path = str(tmp_path / "record.nc")
    run = ("charge", "--network", network, "--duration", "20ns", "--quiet", "--json", "--out", path)
    for got in (spinbattery(*run), spinbattery("show", path, "--json")):
        assert got.code == 0
        assert (got.json["charge_state"], got.json["charged"]) == (state, False)
        assert got.json["uncharged_probability"] > 0.4
        assert got.err.startswith(
            f"note: this run is {state}" if state == "not charged" else "note: this run is charged"
        )
        assert got.err.count("\n") == 1
    fine = spinbattery("charge", "--network", "torus:3x3", "--duration", "20ns", "--quiet", "--json")
    assert (fine.json["charge_state"], fine.err) == ("partly charged", "")
