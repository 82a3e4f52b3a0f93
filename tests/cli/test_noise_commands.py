"""Noise and cross-talk on the command line."""

from __future__ import annotations

import pytest

import spinbattery as sb

CHARGE = ("charge", "--network", "ring:4", "--protocol", "cooperative", "-J", "-0.2", "--field", "-0.5", "--quiet")
SHORT = (*CHARGE, "--duration", "5ns")


def test_the_density_matrix_of_a_ring(spinbattery):
    got = spinbattery(*CHARGE, "--duration", "60ns", "--noise", "x:1e-3/ns", "--engine", "lindblad", "--json")
    assert got.code == 0
    data = got.json
    assert data["engine"] == "lindblad"
    assert data["noise"] == "x:0.001/ns"
    assert data["precision"] == pytest.approx(7.864, rel=2e-3)
    assert 0.0 < data["purity"] < 1.0
    assert data["error_estimate"] <= 1e-6
    assert "magnetization_stderr" not in data


def test_trajectories_come_with_standard_errors(spinbattery):
    run = (*SHORT, "--noise", "x:2e-2/ns")
    exact = spinbattery(*run, "--engine", "lindblad", "--json").json
    data = spinbattery(*run, "--engine", "trajectories", "--trajectories", "500", "--seed", "1", "--json").json
    assert (data["engine"], data["trajectories"], data["seed"]) == ("trajectories", 500, 1)
    assert 0.0 < data["magnetization_stderr"] < 0.05
    assert 0.0 < data["precision_stderr"] < 0.2 * data["precision"]
    assert abs(data["precision"] - exact["precision"]) < 4.0 * data["precision_stderr"]
    assert abs(data["magnetization"] - exact["magnetization"]) < 4.0 * data["magnetization_stderr"]
    again = spinbattery(*run, "--engine", "trajectories", "--trajectories", "500", "--seed", "1", "--json").json
    assert again["magnetization"] == data["magnetization"]


def test_auto_takes_the_density_matrix(spinbattery):
    data = spinbattery(*SHORT, "--noise", "relaxation:1e-3/ns@16mK+z:1MHz", "--json").json
    assert data["engine"] == "lindblad"
    assert data["noise"] == "z:0.001/ns+relaxation:0.001/ns@16mK"


def test_a_noisy_record_is_shown(spinbattery, tmp_path):
    record = tmp_path / "run.nc"
    assert spinbattery(*SHORT, "--noise", "3.5kHz", "--out", str(record)).code == 0
    assert sb.read_record(record).problem.noise == sb.parse_noise("3.5kHz")
    assert "x:3.5e-06/ns" in spinbattery("show", str(record)).out


def test_scaling_takes_noise_and_trajectories(spinbattery):
    run = ("scaling", "--networks", "ring:2,ring:3,ring:4", "--duration", "5ns", "--quiet")
    data = spinbattery(*run, "--noise", "x:1e-3/ns", "--json").json
    assert {point["noise"] for point in data["points"]} == {"x:0.001/ns"}
    assert {point["engine"] for point in data["points"]} == {"lindblad"}
    table = spinbattery(*run, "--noise", "x:1e-3/ns", "--engine", "trajectories", "--trajectories", "20", "--seed", "2")
    assert table.code == 0
    assert "precision_stderr" in table.out


def test_a_sweep_has_noise_and_is_filtered_by_it(spinbattery, tmp_path):
    (tmp_path / "noisy.toml").write_text(
        'networks = ["ring:2"]\nnoise = ["none", "x:1e-2/ns"]\n[[protocols]]\nname = "cooperative"\nduration = "1ns"\n'
    )
    store = str(tmp_path / "runs")
    assert spinbattery("sweep", str(tmp_path / "noisy.toml"), "--store", store, "--quiet").code == 0
    rows = spinbattery("store", "list", store, "--where", "noise=10MHz", "--json").json
    assert [row["noise"] for row in rows] == ["x:0.01/ns"]
    assert len(spinbattery("store", "list", store, "--where", "noise=none", "--json").json) == 1
    assert "noise" in spinbattery("store", "list", store).out


def test_random_crosstalk_has_a_seed(spinbattery):
    run = (*SHORT, "--crosstalk", "-0.002", "--crosstalk-spread", "0.001", "--json")
    one, same, other = (spinbattery(*run, "--crosstalk-seed", seed).json for seed in ("1", "1", "2"))
    assert one["problem_hash"] == same["problem_hash"] != other["problem_hash"]
    assert one["crosstalk"] == "varies"
    assert spinbattery(*SHORT, "--crosstalk", "-0.002", "--json").json["crosstalk"] == -0.002


BAD = [
    (("--noise", "x:-1e-3/ns"), "must not be negative"),
    (("--noise", "x:1e-3"), "no unit"),
    (("--noise", "x:1e-3 K"), "unit 'K'"),
    (("--noise", "x:nan/ns"), "number with a unit"),
    (("--noise", "bitflip:1e-3/ns"), "unknown noise"),
    (("--noise", "x:1/ns;2/ns"), "2 rates of x but the network has 4 spins"),
    (("--noise", "relaxation:1e-3/ns"), "temperature"),
    (("--noise", "x:1e-3/ns", "--engine", "statevector"), "lindblad"),
    (("--noise", "x:1e-3/ns", "--engine", "emulator"), "lindblad"),
    (("--noise", "x:1e-3/ns", "--engine", "lindblad", "--network", "ring:20"), "trajectories"),
    (("--engine", "lindblad", "--trajectories", "50"), "--engine trajectories"),
    (("--noise", "x:1e-3/ns", "--engine", "trajectories", "--trajectories", "1"), "trajectories"),
    (("--crosstalk-spread", "0.01"), "give --crosstalk-seed"),
    (("--crosstalk-seed", "1"), "--crosstalk-spread"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_noise_is_one_line_and_code_2(spinbattery, arguments, message):
    got = spinbattery(*SHORT, *arguments)
    assert got.code == 2
    assert message in got.err
    assert "Traceback" not in got.err
    assert got.out == ""


SAMPLED = (*SHORT, "--noise", "x:2e-2/ns", "--engine", "trajectories")


def test_records_of_trajectories_are_merged_and_extended(spinbattery, tmp_path):
    files = {name: str(tmp_path / f"{name}.nc") for name in ("a", "b", "both", "more", "direct")}
    for name, seed in (("a", "1"), ("b", "2")):
        run = (*SAMPLED, "--trajectories", "40", "--seed", seed)
        assert spinbattery(*run, "--out", files[name]).code == 0
    merged = spinbattery("merge", files["a"], files["b"], "--out", files["both"], "--json").json
    assert merged["trajectories"] == 80
    assert merged["magnetization"] == sb.read_record(files["both"]).magnetization
    more = spinbattery("extend", files["a"], "--trajectories", "60", "--out", files["more"], "--quiet", "--json").json
    direct = spinbattery(*SAMPLED, "--trajectories", "60", "--seed", "1", "--out", files["direct"], "--json").json
    assert more["run_key"] == direct["run_key"]
    assert more["magnetization"] == pytest.approx(direct["magnetization"], abs=1e-12)
    again = spinbattery("merge", files["a"], files["a"], "--out", files["both"])
    assert again.code == 2
    assert "in common" in again.err


CURVE = """
networks = ["ring:2", "ring:3", "ring:4"]
noise = ["none", "x:1e-2/ns", "x:3e-2/ns"]
tolerance = 1e-4
[[protocols]]
name = "cooperative"
duration = "5ns"
"""


@pytest.fixture(scope="module")
def curve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curve")
    (folder / "curve.toml").write_text(CURVE)
    return (str(folder / "curve.toml"), "--store", str(folder / "runs"), "--quiet")


def test_a_rate_is_estimated_from_an_exponent(spinbattery, curve, tmp_path):
    asked = ("estimate", *curve, "--parameter", "gamma_tau", "--quantity", "alpha", "--error", "0.001")
    known = spinbattery(*asked, "--measured", "1.3", "--json").json["curve"]
    middle = known["y"][1]
    figure = tmp_path / "curve.png"
    found = spinbattery(*asked, "--measured", str(middle), "--at", "5ns", "--plot", str(figure), "--json").json
    assert found["value"] == pytest.approx(0.05)
    assert found["at"]["value"] == pytest.approx(0.01)
    assert found["at"]["unit"] == "1/ns"
    assert figure.stat().st_size > 0
    assert (found["n_spins"], found["networks"]) == ([2, 3, 4], ["ring:2", "ring:3", "ring:4"])
    assert (found["simulated_duration"], found["noise_kind"]) == (5.0, "x")
    assert (found["by_range"], found["range_of_n"], found["covering"]) == ([], None, None)
    printed = spinbattery(*asked, "--measured", str(middle)).out
    assert printed.startswith("gamma_tau = 0.05 (95 %: ")
    assert "; dependence on the range of N not known) from alpha" in printed
    assert printed.rstrip().endswith("; ring, N = 2 to 4, 5 ns, x noise")


def test_an_estimate_of_more_rings_says_how_it_hangs_on_their_range(spinbattery, tmp_path):
    file = tmp_path / "curve.toml"
    file.write_text(CURVE.replace('"ring:4"', '"ring:4", "ring:5"'))
    asked = ("estimate", str(file), "--store", str(tmp_path / "runs"), "--quiet", "--parameter", "gamma_tau")
    asked = (*asked, "--quantity", "alpha", "--measured")
    middle = spinbattery(*asked, "1.3", "--json").json["curve"]["y"][1]
    found = spinbattery(*asked, str(middle), "--at", "5us", "--json").json
    assert [one["n_spins"] for one in found["by_range"]] == [[2, 3, 4], [2, 3, 4, 5]]
    assert found["by_range"][1]["value"] == found["value"] == pytest.approx(0.05)
    assert found["at"]["by_range"][1]["value"] == pytest.approx(1e-5)
    assert "as the largest N goes from 4 to 5) from alpha" in spinbattery(*asked, str(middle)).out


def test_an_exponent_outside_the_curve_gives_a_warning_and_no_number(spinbattery, curve):
    asked = ("estimate", *curve, "--parameter", "gamma_tau", "--quantity", "alpha", "--measured", "9")
    got = spinbattery(*asked, "--json")
    assert got.code == 0
    assert got.json["value"] is None
    assert got.err.startswith("warning: alpha goes from")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--parameter", "gama", "--quantity", "alpha"), "Did you mean 'gamma'"),
        (("--parameter", "gamma", "--quantity", "mu"), "magnetization"),
        (("--parameter", "gamma", "--quantity", "alpha", "--method", "log"), "loglog"),
        (("--parameter", "gamma", "--quantity", "alpha", "--at", "60"), "no unit"),
        (("--parameter", "gamma", "--quantity", "alpha", "--at", "60us"), "does not depend on a duration"),
    ],
)
def test_bad_estimates_are_refused(spinbattery, curve, arguments, message):
    got = spinbattery("estimate", *curve, *arguments, "--measured", "1.3")
    assert got.code == 2
    assert message in got.err


def test_networks_of_several_families_are_refused_before_they_are_run(spinbattery, tmp_path):
    experiment = tmp_path / "mixed.toml"
    experiment.write_text(CURVE.replace("ring:3", "torus:2x3").replace("ring:4", "ring:5"))
    run = ("estimate", str(experiment), "--store", str(tmp_path / "runs"), "--quiet", "--parameter", "gamma_tau")
    got = spinbattery(*run, "--quantity", "alpha", "--measured", "1.3")
    assert got.code == 2
    assert "several families (ring, torus)" in got.err
    assert not (tmp_path / "runs").exists()
