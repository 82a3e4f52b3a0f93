"""The annealer on the command line: `charge --engine emulator`, `scaling`, `import`, options of `reproduce`."""

from __future__ import annotations

import json

import dimod
import numpy as np
import pytest

import spinbattery as sb

CHARGE = (
    "charge",
    "--network",
    "pegasus:2",
    "--duration",
    "60us",
    "-J",
    "-0.2",
    "--field",
    "-0.5",
    "--quiet",
    "--json",
)
EMULATOR = ("--engine", "emulator", "--reads", "200", "--temperature", "18", "--sweeps", "1000", "--seed", "1")


def test_the_cooperative_protocol(spinbattery):
    got = spinbattery(*CHARGE, "--protocol", "cooperative", *EMULATOR)
    assert got.code == 0, got.err
    data = got.json
    assert (data["n_spins"], data["n_pairs"]) == (40, 164)
    assert data["engine"] == "emulator"
    assert data["charged"] is True
    assert got.err == ""
    assert data["reads"] == 200
    assert 0.0 < data["flips_mean"] < 0.3
    assert data["flips_variance"] == pytest.approx(1600 * data["std"] ** 2 / 4)
    assert data["magnetization"] == pytest.approx(1 - 2 * data["flips_mean"] / 40)
    assert 0.5 < data["independence_ratio"] < 1.5
    assert "error_estimate" not in data
    again = spinbattery(*CHARGE, "--protocol", "cooperative", *EMULATOR).json
    assert again["magnetization"] == data["magnetization"]


def test_a_run_that_did_not_charge_is_told(spinbattery):
    cold = ("--engine", "emulator", "--reads", "20", "--temperature", "10", "--sweeps", "100")
    got = spinbattery(*CHARGE[:-1], "--network", "pegasus:3", *cold)
    assert got.code == 0
    assert got.err == (
        "note: this run is not charged: it ends in or near the discharged state, and its sigma is not the "
        "fluctuation of a charge.\n"
    )
    assert "not charged" in next(line for line in got.out.splitlines() if "charge_state" in line)


def test_the_local_protocol_is_charged_in_part(spinbattery):
    data = spinbattery(*CHARGE, "--protocol", "local", *EMULATOR, "--network", "pegasus:4").json
    assert data["field"] == pytest.approx(-0.7022, abs=1e-4)
    assert data["magnetization"] == pytest.approx(0.79, abs=0.02)
    assert data["charge_state"] == "partly charged"
    assert data["charged"] is False
    assert data["reads_not_charged"] == 0


def test_what_a_network_with_missing_qubits_is(spinbattery):
    network = "pegasus:4/missing:20:seed:3/region:3"
    data = spinbattery("charge", "--network", network, "--duration", "60us", "--quiet", "--json", *EMULATOR).json
    assert data["network"] == network
    assert data["n_spins"] == sb.parse_network(network).n_spins < 128


def test_a_table_for_readers(spinbattery, tmp_path):
    got = spinbattery(*CHARGE[:-1], *EMULATOR, "--out", str(tmp_path / "reads.nc"))
    assert "flips_variance" in got.out
    assert sb.read_record(tmp_path / "reads.nc").n_reads == 200
    shown = spinbattery("show", str(tmp_path / "reads.nc"), "--json").json
    assert shown["reads"] == 200


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--reads", "10"), "the auto engine has no --reads"),
        (("--engine", "statevector", "--seed", "1"), "the statevector engine has no --seed"),
        (("--engine", "emulator", "--tolerance", "1e-6"), "has no tolerance"),
        (("--engine", "emulator", "--tolerance", "1e-6", "--seed", "1"), "has no --tolerance"),
        (("--engine", "emulator", "--temperature", "-1"), "temperature"),
        (("--engine", "emulater"), "Did you mean 'emulator'"),
        (("--engine", "annealer"), r"make Annealer\(sampler=...\) in Python"),
        (("--engine", "emulator", "--points", "5"), "reads spins only at the end"),
    ],
)
def test_options_that_do_not_fit(spinbattery, arguments, message):
    got = spinbattery(*CHARGE, *arguments)
    assert got.code == 2
    import re

    assert re.search(message, got.err), got.err


def test_nanoseconds_are_too_short_for_an_annealer(spinbattery):
    """0.06 us in steps of 0.01 us: an emulation says so, and refuses where it is to be strict."""
    short = ("charge", "--network", "torus:2x2", "--duration", "60ns", "--engine", "emulator", "--quiet")
    few = ("--reads", "20", "--sweeps", "50", "--json")
    strict = spinbattery(*short, *few, "--strict")
    assert strict.code == 2
    assert "anneal_schedule changes s too fast" in strict.err
    got = spinbattery(*short, *few)
    assert got.code == 0, got.err
    assert got.json["reads"] == 20
    assert "note: this emulation is beyond what a QPU accepts: anneal_schedule changes s too fast" in got.err


def test_more_reads_than_a_job_has_time_for(spinbattery, tmp_path):
    """60 us of 8000 reads are a simulation like any other; the chip would take them in two jobs."""
    many = ("--network", "pegasus:2", "--duration", "60us", "--engine", "emulator", "--reads", "8000", "--sweeps", "30")
    got = spinbattery("charge", *many, "--quiet", "--json", "--out", str(tmp_path / "reads.nc"))
    assert got.code == 0, got.err
    assert got.json["reads"] == 8000
    note = "note: this emulation is beyond what a QPU accepts: 8000 reads of 183.95 us"
    assert got.err.count("note: this emulation") == 1
    assert note in got.err
    assert note in spinbattery("show", str(tmp_path / "reads.nc")).err
    strict = spinbattery("charge", *many, "--quiet", "--strict")
    assert strict.code == 2
    assert "send at most 5430 reads per job" in strict.err
    other = spinbattery("charge", "--network", "ring:3", "--duration", "20ns", "--quiet", "--strict")
    assert other.code == 2
    assert "the auto engine has no --strict; leave it out, or use --engine emulator" in other.err


@pytest.mark.parametrize("strict", [False, True])
def test_limits_in_scaling_and_in_experiment_files(spinbattery, tmp_path, strict):
    runs = ("--duration", "60us", "--engine", "emulator", "--reads", "10001", "--sweeps", "5", "--workers", "1")
    got = spinbattery(
        "scaling", "--networks", "ring:2,ring:3,ring:4", *runs, "--quiet", "--json", *["--strict"] * strict
    )
    (tmp_path / "sweep.toml").write_text(
        f"""networks = ["ring:3", "ring:4"]
[[protocols]]
name = "cooperative"
duration = "60us"
[[engines]]
name = "emulator"
reads = 10001
sweeps = 5
strict = {str(strict).lower()}
"""
    )
    swept = spinbattery("sweep", str(tmp_path / "sweep.toml"), "--store", str(tmp_path / "store"), "--quiet")
    if strict:
        assert (got.code, swept.code) == (2, 2)
        assert "num_reads must be a whole number from 1 to 10000" in got.err
        assert "num_reads must be a whole number from 1 to 10000" in swept.err
        return
    assert got.code == 0, got.err
    assert "note: 3 of 3 runs are beyond what a QPU accepts: num_reads must be" in got.err
    assert swept.code == 0, swept.err
    assert "note: 2 of 2 runs are beyond what a QPU accepts: num_reads must be" in swept.err


def test_scaling_of_the_emulator(spinbattery):
    networks = ",".join(f"pegasus:{m}" for m in (2, 3, 4))
    got = spinbattery(
        "scaling", "--networks", networks, "--protocol", "local", "--duration", "60us", "--quiet", "--json",
        "--engine", "emulator", "--reads", "300", "--sweeps", "1000", "--workers", "1",
    )  # fmt: skip
    assert got.code == 0, got.err
    assert got.json["fits"]["loglog"]["alpha"] == pytest.approx(1.05, abs=0.25)
    assert all(point["reads"] == 300 for point in got.json["points"])


def test_import_of_a_sample_set(spinbattery, tmp_path):
    network = sb.parse_network("pegasus:2")
    spins = np.where(np.random.default_rng(1).random((50, 40)) < 0.98, 1, -1)
    samples = dimod.SampleSet.from_samples((spins, list(network.labels)), vartype="SPIN", energy=0.0)
    (tmp_path / "answer.json").write_text(json.dumps(samples.to_serializable()))
    got = spinbattery(
        "import", str(tmp_path / "answer.json"), "--network", "pegasus:2", "--duration", "60us", "--json",
        "--out", str(tmp_path / "record.nc"), "--store", str(tmp_path / "store"),
    )  # fmt: skip
    assert got.code == 0, got.err
    assert got.json["magnetization"] == pytest.approx(spins.mean())
    assert "warning: the energies of the answer do not belong" in got.err
    record = sb.read_record(tmp_path / "record.nc")
    assert np.array_equal(record.spins, spins)
    assert record.key in sb.Store(tmp_path / "store")


def test_import_of_magnetizations(spinbattery, tmp_path):
    (tmp_path / "measured.csv").write_text("mu\n1.0\n0.95\n1.0\n")
    arguments = ("import", str(tmp_path / "measured.csv"), "--network", "pegasus:2", "--protocol", "local")
    got = spinbattery(*arguments, "--duration", "60us", "--out", str(tmp_path / "record.nc"), "--json")
    assert got.code == 0, got.err
    assert got.json["flips_mean"] == pytest.approx(1 / 3)
    assert got.json["independence_ratio"] is None
    assert got.json["field"] == pytest.approx(-0.6434, abs=1e-4)
    without = spinbattery(*arguments, "--duration", "60us", "--json")  # no place for the record: what it says is shown
    assert without.code == 0, without.err
    assert without.json == got.json
    assert without.err == ""
    table = spinbattery(*arguments, "--duration", "60us")
    assert "flips_mean" in table.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["measured.csv", "record.nc"]


def test_import_of_reads_with_occurrences(spinbattery, tmp_path):
    """mu = 0.94, sigma = 0.19175 and 1/sigma^2 = 27.198 of 100 reads in three rows; what is not read is noted."""
    (tmp_path / "measured.csv").write_text("mu,num_occurrences,date\n1.0,90,May\n0.5,8,May\n0.0,2,June\n")
    got = spinbattery("import", str(tmp_path / "measured.csv"), "--network", "ring:4", "--duration", "60us", "--json")
    assert got.code == 0, got.err
    assert got.json["reads"] == 100
    assert got.json["magnetization"] == pytest.approx(0.94)
    assert got.json["std"] == pytest.approx(0.19175, abs=5e-6)
    assert got.json["precision"] == pytest.approx(27.198, abs=5e-4)
    assert got.err.startswith("note: ")
    assert "columns that are not used: date." in got.err


def test_import_of_a_table_of_pandas_and_of_matrices(spinbattery, tmp_path):
    network = sb.parse_network("pegasus:2")
    spins = np.where(np.random.default_rng(1).random((50, 40)) < 0.98, 1, -1).astype(np.int8)
    samples = dimod.SampleSet.from_samples((spins, list(network.labels)), vartype="SPIN", energy=0.0)
    frame = samples.to_pandas_dataframe()
    frame.drop(columns="energy").to_csv(tmp_path / "answer.csv")
    np.save(tmp_path / "answer.npy", spins)
    np.savetxt(tmp_path / "answer.txt", (spins + 1) // 2, fmt="%d")
    for name in ("answer.csv", "answer.npy", "answer.txt"):
        got = spinbattery("import", str(tmp_path / name), "--network", "pegasus:2", "--duration", "60us", "--json")
        assert got.code == 0, got.err
        assert got.err == ""
        assert got.json["reads"] == 50
        assert got.json["magnetization"] == pytest.approx(spins.mean())
        assert got.json["independence_ratio"] is not None


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--qpu",), "--budget"),
        (("--budget", "3"), "give --qpu as well"),
        (("--solver", "Advantage_system6"), "give --qpu as well"),
    ],
)
def test_options_of_reproduce(spinbattery, tmp_path, arguments, message):
    got = spinbattery("reproduce", "--only", "fig3", "--out", str(tmp_path / "out"), *arguments)
    assert got.code == 2
    assert message in got.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [("--full",), ("--full", "--reads", "200")])
def test_the_report_says_how_it_is_made_again(spinbattery, tmp_path, options):
    got = spinbattery("reproduce", "--only", "fig3", "--out", str(tmp_path / "out"), *options)
    assert got.code == 0, got.err
    page = (tmp_path / "out" / "report.html").read_text()
    assert f">{' '.join(('spinbattery reproduce --only fig3', *options))}<" in page


NEVER_CHARGED = (
    "scaling", "--networks", "zephyr:2,zephyr:3,zephyr:4", "--duration", "60us", "--quiet", "--engine", "emulator",
    "--reads", "50", "--sweeps", "1000", "--seed", "1",
)  # fmt: skip


def test_scaling_refuses_batteries_that_were_never_charged(spinbattery, tmp_path):
    store = str(tmp_path / "runs")
    got = spinbattery(*NEVER_CHARGED, "--store", store)
    assert got.code == 2
    assert got.out == ""
    for m in (2, 3, 4):
        assert f"cooperative on zephyr:{m} (mu = -0.99" in got.err
    assert "include_uncharged=True" in got.err
    taken = spinbattery(
        *NEVER_CHARGED, "--store", store, "--include-uncharged", "--json", "--plot", str(tmp_path / "scaling.pdf")
    )
    assert taken.code == 0, taken.err
    assert taken.json["fits"]["loglog"]["alpha"] == pytest.approx(1.95, abs=0.3)
    assert taken.json["fits"]["loglog"]["uncharged"] == [True] * 3
    assert [point["charge_state"] for point in taken.json["points"]] == ["not charged"] * 3
    assert [point["charged"] for point in taken.json["points"]] == [False] * 3
    listed = spinbattery("store", "list", store)
    assert listed.out.count("not charged") == 3
    found = spinbattery(
        "store", "list", store, "--where", "charge_state=not charged", "--where", "n_spins=160", "--json"
    )
    assert [(row["network"], row["family"]) for row in found.json] == [("zephyr:2", "zephyr")]
    table = spinbattery(*NEVER_CHARGED, "--store", store, "--include-uncharged")
    assert table.out.count("not charged") == 3
