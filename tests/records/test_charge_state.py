"""The verdict on the charge of a run, from P(Sz) alone, and what fits make of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from scipy.stats import binom

import spinbattery as sb
from spinbattery.core.errors import FitError
from spinbattery.model.recipe import ProtocolRecipe
from spinbattery.records.building import build_record
from spinbattery.records.charge_state import (
    ChargeState,
    binomial_share,
    charge_state,
    discharged_probability,
    unlike_a_charge,
)
from spinbattery.records.dataset import gather
from spinbattery.records.readout import Readout
from spinbattery.records.record_file import read_record

TORI = ((1, 2), (2, 2), (2, 3), (2, 4), (3, 3), (2, 5), (3, 4))
CHARGED, PARTLY, ALL_OR_NOTHING, NOT = ChargeState


def run(network, name="cooperative", duration="20ns", engine="auto", **options):
    noise = options.pop("noise", None)
    protocol = ProtocolRecipe(name, duration, **options).build(network)
    return sb.charge(network, protocol, tolerance=None if engine != "auto" else 1e-6, noise=noise, engine=engine)


def reads(flips, n_spins):
    """Record of reads with these numbers of spins down."""
    spins = np.array([[-1] * k + [1] * (n_spins - k) for k in flips], dtype=np.int8)
    problem = sb.ChargingProblem(sb.ring(n_spins), sb.cooperative(60e3))
    return build_record(problem, "test", {}, "test", Readout(spins.mean(axis=1), spins), 0.0)


@pytest.fixture(scope="module")
def uncharged():
    """The series of the Zephyr graphs, mu = -0.995 to -0.998."""
    engine = sb.Emulator(reads=100, sweeps=1000, seed=1)
    return [run(sb.parse_network(f"zephyr:{m}"), duration="60us", engine=engine) for m in (2, 3, 4)]


# Independent spins: never a peak, however few


@pytest.mark.parametrize("n", [1, 2, 3, 9, 10, 12, 40, 5612])
@pytest.mark.parametrize("up", [0.11, 0.25, 0.5, 0.8, 0.94])
def test_independent_spins_are_charged_in_part_whatever_n(n, up):
    assert charge_state(binom.pmf(np.arange(n + 1), n, up)) is PARTLY


@pytest.mark.parametrize(
    ("up", "state"), [(0.0, NOT), (0.05, NOT), (0.0999, NOT), (0.1001, PARTLY), (0.949, PARTLY), (0.951, CHARGED)]
)
def test_the_bounds_are_mu_of_minus_0_8_and_0_9(up, state):
    assert charge_state(binom.pmf(np.arange(31), 30, up)) is state


@pytest.mark.parametrize("duration", ["5ns", "20ns", "60ns"])
def test_the_local_protocol_is_charged_in_part(duration):
    records = [run(sb.torus(*side), "local", duration) for side in TORI]
    assert {record.charge_state for record in records} == {PARTLY}
    assert sb.uncharged_probability(records[0]) == pytest.approx(0.25, abs=0.12)  # of two spins at mu near 0
    if duration == "60ns":
        assert sb.fit_scaling(records).alpha == pytest.approx(1.0, abs=0.005)


# Reference runs: what is charged is taken for it


@pytest.mark.parametrize(("name", "s_hold", "duration"), [
    ("cooperative", 0.35, "20ns"), ("cooperative", 0.35, "60ns"), ("cooperative", 0.25, "60ns"),
    ("cooperative", 0.25, "200ns"), ("polarised", 0.25, "60ns"), ("polarised", 0.25, "200ns"),
    ("polarised", 0.35, "20ns"), ("polarised-local", 0.25, "20ns"), ("polarised-local", 0.25, "60ns"),
])  # fmt: skip
def test_exact_runs_of_the_reference_are_a_charge(name, s_hold, duration):
    for side in TORI:
        assert run(sb.torus(*side), name, duration, s_hold=s_hold).charge_state.is_charge, side


@pytest.mark.parametrize("crosstalk", [-0.001, -0.002, -0.004])
def test_local_runs_with_crosstalk_are_charged_in_part(crosstalk):
    for side in TORI:
        assert run(sb.torus(*side).with_crosstalk(crosstalk), "local", "200ns").charge_state is PARTLY


@pytest.mark.parametrize("product", [0.02, 0.06, 0.2, 1.0])
@pytest.mark.parametrize("kind", ["x", "z"])
def test_rings_with_noise_are_charged_in_part(kind, product):
    for n in (2, 3, 4, 5):
        record = run(sb.ring(n), duration="60ns", noise=f"{kind}:{product / 60:.6g}/ns")
        assert record.charge_state is PARTLY


def test_the_emulated_annealer_charges_pegasus_fully_and_locally_in_part():
    engine = sb.Emulator(reads=100, sweeps=1000, seed=1)
    for name, state in (("cooperative", CHARGED), ("local", PARTLY)):
        for m in (2, 3, 4):
            record = run(sb.parse_network(f"pegasus:{m}"), name, "60us", engine=engine)
            assert record.charge_state is state
            assert sb.charged(record) is (state is CHARGED)


# What is none


def test_the_swapped_parameters_leave_the_battery_discharged():
    assert run(sb.torus(3, 3), duration="60ns", J=-0.5, field=-0.2).charge_state is NOT


@pytest.mark.parametrize(
    ("n", "state"), [(3, PARTLY), (5, PARTLY), (6, ALL_OR_NOTHING), (8, ALL_OR_NOTHING), (10, NOT), (12, NOT)]
)
def test_complete_networks_cease_to_charge_by_way_of_all_or_nothing(n, state):
    record = run(sb.complete(n))
    assert record.charge_state is state
    if n == 8:
        assert record.magnetization == pytest.approx(-0.2079, abs=1e-4)
        assert sb.uncharged_probability(record) == pytest.approx(0.467, abs=1e-3)
        assert "mu = -0.207900 (all or nothing), 1/sigma^2 = 1.79" in repr(record)


@pytest.mark.parametrize("n_discharged", [1, 10, 100, 700])
def test_reads_of_which_some_never_nucleated_are_all_or_nothing(n_discharged):
    record = reads([576] * n_discharged + [0, 1] * ((1000 - n_discharged) // 2), 576)
    assert record.charge_state is ALL_OR_NOTHING
    assert sb.charged(record) is False
    assert sb.uncharged_probability(record) == pytest.approx(n_discharged / len(record.spins))
    alone = sb.record_from_magnetizations(record.read_magnetization, sb.ring(576), sb.cooperative(60e3))
    assert alone.charge_state is ALL_OR_NOTHING


def test_a_mixture_of_all_down_and_all_up_is_all_or_nothing_down_to_two_spins():
    for n in (2, 3, 9, 40):
        probability = np.zeros(n + 1)
        probability[[0, n]] = 0.1, 0.9
        assert charge_state(probability) is ALL_OR_NOTHING
        assert discharged_probability(probability) == pytest.approx(0.1)


def test_a_peak_that_no_experiment_sees_does_not_count():
    for weight, state in ((5e-6, CHARGED), (2e-5, ALL_OR_NOTHING)):
        assert charge_state([weight, *[0.0] * 8, 1e-5, 1.0 - weight - 1e-5]) is state


def test_values_slightly_below_zero_and_another_norm_do_not_matter():
    exact = binom.pmf(np.arange(13), 12, 0.5)
    assert charge_state(2.0 * exact - 1e-9 * (exact < 1e-3)) is PARTLY


def test_the_verdict_is_on_the_end_whatever_the_start():
    idle = sb.Waveform(((0.0, 1.0), (1.0, 1.0)))
    for initial, state in (("up", CHARGED), ("down", NOT)):
        start = sb.ProductState.named(initial)
        protocol = sb.Protocol(1e-6, idle, idle, -0.5, 0.0, initial=start)
        assert sb.charge(sb.ring(5), protocol, tolerance=1e-6).charge_state is state


def test_a_record_written_before_has_its_verdict_when_read(tmp_path, uncharged):
    path = uncharged[0].save(tmp_path / "old.nc")
    assert read_record(path).charge_state is NOT


# Fits


def test_the_zephyr_series_is_refused_with_its_runs_and_their_mu(uncharged):
    assert [record.charge_state for record in uncharged] == [NOT] * 3
    mu = [record.magnetization for record in uncharged]
    assert mu == pytest.approx([-0.9954, -0.9976, -0.9983], abs=2e-4)
    for points in (uncharged, gather(uncharged)):
        for fit in (sb.fit_scaling, sb.fit_both):
            with pytest.raises(FitError) as refused:
                fit(points)
            message = str(refused.value)
            for m, value in zip((2, 3, 4), mu, strict=True):
                assert f"cooperative on zephyr:{m} (mu = {value:.4f}) is not charged" in message
            assert "r.charge_state.is_charge" in message
            assert "include_uncharged=True takes them" in message
    fit = sb.fit_scaling(uncharged, include_uncharged=True)
    assert fit.alpha == pytest.approx(1.95, abs=0.3)
    assert fit.uncharged == (True, True, True)


def test_a_complete_network_that_did_not_charge_is_refused_and_lifts_alpha_where_it_is_asked_for():
    records = [run(sb.complete(n), duration="60ns") for n in (3, 4, 5, 12)]
    assert records[-1].magnetization == pytest.approx(-0.9999, abs=5e-5)
    assert records[-1].precision == pytest.approx(8743, abs=0.5)
    with pytest.raises(FitError, match=r"^cooperative on complete:12 \(mu = -0.99990\) is not charged: .* Leave such"):
        sb.fit_scaling(records)
    charged = [record for record in records if record.charge_state.is_charge]
    assert [record.n_spins for record in charged] == [3, 4, 5]
    assert sb.fit_scaling(charged).alpha < 3.0 < sb.fit_scaling(records, include_uncharged=True).alpha


def test_complete_networks_have_alpha_3_5_where_no_point_is_left_out():
    records = [run(sb.complete(n), duration="60ns") for n in (4, 6, 8, 10, 12)]
    assert sb.fit_scaling(records, include_uncharged=True).alpha == pytest.approx(3.50, abs=0.005)
    with pytest.raises(FitError) as refused:
        sb.fit_scaling(records)
    said = [part for part in str(refused.value).split("cooperative on ") if part]
    assert [part.split(":")[1].split()[0] for part in said] == ["8", "10", "12"]
    assert "(mu = 0.3513) is charged all or nothing" in said[0]
    assert "(mu = -0.9758) is not charged" in said[1]


def test_complete_12_at_20_ns():
    record = run(sb.complete(12))
    assert record.magnetization == pytest.approx(-0.99948, abs=5e-6)
    assert record.precision == pytest.approx(3218.31, abs=0.01)


def test_reads_that_are_all_alike_and_down_are_refused_for_what_they_are():
    records = [reads([k, k], k) for k in (10, 20, 30)]
    with pytest.raises(FitError, match=r"ring:10 \(mu = -1.0000\) is not charged"):
        sb.fit_scaling(records)
    with pytest.raises(FitError, match="has no precision"):
        sb.fit_scaling(records, include_uncharged=True)


def test_a_dataset_that_was_written_without_verdicts_has_p_of_sz(uncharged):
    old = gather(uncharged).drop_vars(["charge_state", "family"])
    with pytest.raises(FitError, match="is not charged"):
        sb.fit_scaling(old)
    with pytest.raises(FitError, match="is not charged"):
        sb.fit_scaling(old.transpose("sz_total", ...))
    assert sb.fit_scaling(old.drop_vars("distribution")).n_spins == (160, 336, 576)  # nothing tells


def test_many_runs_are_cut_short_in_the_message():
    said = unlike_a_charge([(f"ring:{n}", -0.99999985, NOT) for n in range(10)])
    assert said.count("is not charged") == 4
    assert said.endswith("; and 6 more")
    assert "ring:0 (mu = -0.99999985) is" in said


# Where it is shown


def test_stores_show_it_and_filter_by_it(tmp_path):
    store = sb.Store(tmp_path)
    for n in (3, 8, 12):
        store.put(run(sb.complete(n)))
    states = {row["n_spins"]: row["charge_state"] for row in store.rows()}
    assert states == {3: "partly charged", 8: "all or nothing", 12: "not charged"}
    assert store.select(charge_state=["charged", "partly charged"])["n_spins"].to_numpy().tolist() == [3]
    data = store.select()
    assert data["charge_state"].dims == ("run",)
    assert data["charge_state"].to_numpy().tolist() == ["partly charged", "all or nothing", "not charged"]


def test_an_index_that_was_made_before_is_made_again_with_verdicts(tmp_path):
    sb.Store(tmp_path).put(run(sb.complete(8)))
    (index,) = tmp_path.glob("*.sqlite")
    with closing(sqlite3.connect(index)) as connection, connection:
        for column in ("charge_state", "family", "schedule", "readout_error"):
            connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
    (row,) = sb.Store(tmp_path).rows()
    assert (row["charge_state"], row["family"], row["status"]) == ("all or nothing", "complete", "done")
    assert len(row["schedule"]) == 64


def test_hollow_points_in_the_figure_of_a_fit(uncharged):
    axes = sb.fit_scaling(uncharged, include_uncharged=True).plot()
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["hollow: no charge"].get_markerfacecolor() == "none"
    assert len(lines["hollow: no charge"].get_xdata()) == 3
    assert len(lines["data"].get_xdata()) == 0


@pytest.mark.parametrize("n", [1, 9, 60, 61])
@pytest.mark.parametrize("p", [0.0, 1e-6, 0.3, 1.0])
def test_the_share_of_independent_spins_is_binomial(n, p):
    assert binomial_share(n // 10, n, p) == pytest.approx(binom.cdf(n // 10, n, p), rel=1e-12, abs=1e-300)
