"""Calibration curves: from which runs, with which replicates, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from run_datasets import Result, charged, dataset, joined, recipe

from spinbattery import charge, cooperative, ring, torus
from spinbattery.analysis.calibration import CalibrationCurve, calibration_curve
from spinbattery.analysis.exponents import exponents
from spinbattery.analysis.scaling import fit_scaling
from spinbattery.core.errors import FitError, InvalidParameterError
from spinbattery.model.noise import Noise

COUPLINGS = (-8e-3, -4e-3, -1e-3, 0.0)
RATES = (0.0, 1e-3, 3e-3)


@pytest.fixture(scope="module")
def leaky():
    """Local protocols on four tori at four strengths of cross-talk."""
    return [record for j in COUPLINGS for record in charged(recipe("local", "20ns"), crosstalk=j)]


@pytest.fixture(scope="module")
def plain():
    return dataset({"cooperative": recipe()})


def noisy(plain, kind="x", rates=RATES, exponent=lambda rate: 2.0 - 200.0 * rate, scatter=(1.0, 1.0, 1.0, 1.0)):
    """The runs of a Dataset at several rates of noise, with precision scatter N^alpha of our making."""
    parts = []
    for rate in rates:
        temperature = 16.0 if kind == "relaxation" and rate else None
        text = str(Noise(**{kind: rate}, temperature=temperature))
        parts.append(
            plain.assign_coords(noise=("run", [text] * plain.sizes["run"])).assign(
                precision=np.array(scatter) * plain["n_spins"].astype(float) ** exponent(rate),
                precision_error=("run", np.zeros(plain.sizes["run"])),
            )
        )
    return joined(parts)


@pytest.mark.parametrize("method", ["loglog", "linear"])
def test_alpha_is_that_of_the_fit_at_every_value(leaky, method):
    curve = calibration_curve(leaky, "crosstalk", "alpha", method=method, n_replicates=100)
    assert curve.x.tolist() == list(COUPLINGS)
    for k in range(len(COUPLINGS)):
        fit = fit_scaling(leaky[4 * k : 4 * k + 4], method=method, n_bootstrap=100)
        assert curve.y[k] == pytest.approx(fit.alpha, abs=1e-9)
    assert (curve.parameter, curve.quantity, curve.method, curve.unit) == ("crosstalk", "alpha", method, "B(s)/2")
    assert (curve.duration, curve.n_spins) == (20.0, (2, 3, 4, 6))


def test_records_their_dataset_in_any_order_and_a_result_are_one_curve(leaky):
    from spinbattery.records.dataset import gather

    curve = calibration_curve(leaky, "crosstalk", "alpha", n_replicates=100)
    shuffled = gather([leaky[k] for k in np.random.default_rng(1).permutation(len(leaky))])
    for runs in (gather(leaky), shuffled, Result(shuffled)):
        same = calibration_curve(runs, "crosstalk", "alpha", n_replicates=100)
        assert same.y == pytest.approx(curve.y, abs=1e-12)
        assert same.replicates == pytest.approx(curve.replicates, abs=1e-12)


def test_the_band_is_that_of_the_bootstrap_of_each_fit(leaky):
    curve = calibration_curve(leaky, "crosstalk", "alpha", n_replicates=4000)
    low, high = curve.band()
    for k in range(len(COUPLINGS)):
        fit = fit_scaling(leaky[4 * k : 4 * k + 4], n_bootstrap=4000)
        width = fit.alpha_interval[1] - fit.alpha_interval[0]
        assert (low[k], high[k]) == pytest.approx(fit.alpha_interval, abs=0.05 * width)


def test_replicates_draw_the_same_networks_at_every_value(plain):
    # equal residuals everywhere: replicates are the curve, shifted as a whole
    runs = noisy(plain, scatter=(1.1, 0.9, 1.05, 0.97))
    curve = calibration_curve(runs, "gamma", "alpha", n_replicates=200)
    shifts = curve.replicates - curve.y
    assert shifts == pytest.approx(np.repeat(shifts[:, :1], len(RATES), axis=1), abs=1e-9)
    assert shifts.std() > 0.03


def test_equal_seeds_give_equal_replicates_and_others_do_not(leaky):
    curves = [calibration_curve(leaky, "crosstalk", "alpha", n_replicates=100, seed=seed) for seed in (3, 3, 4)]
    assert (curves[0].replicates == curves[1].replicates).all()
    assert (curves[0].replicates != curves[2].replicates).any()


@pytest.mark.parametrize("kind", ["x", "z", "depolarising", "relaxation"])
def test_rates_of_noise_and_their_product_with_the_duration(plain, kind):
    runs = noisy(plain, kind)
    curve = calibration_curve(runs, "gamma", "alpha", n_replicates=100)
    assert curve.x.tolist() == list(RATES)
    assert curve.y == pytest.approx([2.0, 1.8, 1.4], abs=1e-12)
    assert (curve.noise_kind, curve.unit) == (kind, "1/ns")
    product = calibration_curve(runs, "gamma_tau", "alpha", n_replicates=100)
    assert product.x == pytest.approx(5.0 * curve.x)
    assert product.y.tolist() == curve.y.tolist()


def test_magnetization_of_one_network_with_its_statistical_error(plain):
    one = plain.isel(run=[2])
    runs = joined(
        [
            one.assign_coords(noise=("run", [str(Noise(x=rate))])).assign(
                magnetization=("run", [0.9 - 100.0 * rate]), magnetization_stderr=("run", [error])
            )
            for rate, error in zip(RATES, (0.0, 0.01, 0.04), strict=True)
        ]
    )
    curve = calibration_curve(runs, "gamma", "magnetization", n_replicates=4000)
    assert curve.y == pytest.approx([0.9, 0.8, 0.6])
    assert curve.replicates.std(axis=0) == pytest.approx([0.0, 0.01, 0.04], rel=0.05)
    assert abs(np.corrcoef(curve.replicates.T[1:])[0, 1]) < 0.05  # runs err independently of each other
    assert (curve.method, curve.n_spins) == (None, (4,))


@pytest.mark.parametrize("method", ["loglog", "linear"])
def test_statistical_errors_of_runs_widen_the_replicates_of_alpha(plain, method):
    exact = noisy(plain)
    sampled = exact.assign(precision_stderr=("run", 0.1 * exact["precision"].to_numpy()))
    assert np.ptp(calibration_curve(exact, "gamma", "alpha", n_replicates=100, method=method).replicates[:, 0]) < 1e-8
    curve = calibration_curve(sampled, "gamma", "alpha", n_replicates=400, method=method)
    x = np.log([2.0, 3.0, 4.0, 6.0])
    if method == "loglog":  # the error of a slope
        assert curve.replicates[:, 0].std() == pytest.approx(0.1 / np.sqrt(np.sum((x - x.mean()) ** 2)), rel=0.1)
    else:
        assert curve.replicates[:, 0].std() > 0.05


def test_temperature_of_an_emulated_annealer(plain):
    parts = [
        plain.assign_coords(temperature=("run", [mk] * 4)).assign(precision=plain["n_spins"] ** (2.0 - mk / 40.0))
        for mk in (10.0, 20.0)
    ]
    curve = calibration_curve(joined(parts), "temperature", "alpha", n_replicates=100)
    assert (curve.x.tolist(), curve.unit) == ([10.0, 20.0], "mK")
    assert curve.y == pytest.approx([1.75, 1.5])


def test_seeds_are_averaged(plain):
    runs = noisy(plain)
    seeded = joined(
        [
            runs.assign_coords(seed=("run", np.full(runs.sizes["run"], float(seed)))).assign(
                precision=runs["precision"] * factor
            )
            for seed, factor in enumerate((0.9, 1.1))
        ]
    )
    curve = calibration_curve(seeded, "gamma", "alpha", n_replicates=100)
    assert curve.y == pytest.approx([2.0, 1.8, 1.4], abs=1e-12)
    assert curve.replicates[:, 0].std() > 0.02


def test_interpolation_is_monotone_through_the_points_and_nan_outside():
    curve = CalibrationCurve("gamma_tau", "alpha", [0.0, 0.02, 0.06, 0.2], [2.0, 1.6, 1.23, 1.2])
    assert curve([0.0, 0.02, 0.2]) == pytest.approx([2.0, 1.6, 1.2])
    between = curve(np.linspace(0.0, 0.2, 101))
    assert (np.diff(between) < 0.0).all()
    assert np.isnan(curve([-0.01, 0.21])).all()
    assert curve.replicates.shape == (1, 4)
    assert "2 to 1.2" in repr(curve)


def test_what_a_curve_refuses():
    for x, y in [([0.0], [1.0]), ([0.0, 0.0], [1.0, 2.0]), ([1.0, 0.0], [1.0, 2.0]), ([0.0, np.nan], [1.0, 2.0])]:
        with pytest.raises(InvalidParameterError, match="ascending"):
            CalibrationCurve("gamma", "alpha", x, y)
    with pytest.raises(InvalidParameterError, match=r"shape \(2,\)"):
        CalibrationCurve("gamma", "alpha", [0.0, 1.0], [1.0])
    with pytest.raises(InvalidParameterError, match="finite"):
        CalibrationCurve("gamma", "alpha", [0.0, 1.0], [1.0, np.inf])
    with pytest.raises(InvalidParameterError, match="Did you mean 'gamma'"):
        CalibrationCurve("gama", "alpha", [0.0, 1.0], [1.0, 2.0])


def test_unknown_choices_are_refused(leaky):
    with pytest.raises(InvalidParameterError, match="parameter must be one of gamma, gamma_tau"):
        calibration_curve(leaky, "rate", "alpha")
    with pytest.raises(InvalidParameterError, match="quantity must be one of alpha"):
        calibration_curve(leaky, "crosstalk", "sigma")
    with pytest.raises(InvalidParameterError, match="method must be one of loglog"):
        calibration_curve(leaky, "crosstalk", "alpha", method="log")
    with pytest.raises(InvalidParameterError, match="n_replicates"):
        calibration_curve(leaky, "crosstalk", "alpha", n_replicates=10)


def test_runs_that_are_no_curve_are_refused(leaky, plain):
    with pytest.raises(FitError, match="no runs"):
        calibration_curve([], "crosstalk", "alpha")
    with pytest.raises(FitError, match=r"1\.0 is not a record"):
        calibration_curve([1.0, 2.0], "crosstalk", "alpha")
    with pytest.raises(FitError, match="one point is no curve"):
        calibration_curve(leaky[:4], "crosstalk", "alpha")
    with pytest.raises(FitError, match=r"same networks.*N is 2 \(.*at -0.008 and 2 \(.*at -0.004"):
        calibration_curve(leaky[:7], "crosstalk", "alpha")
    with pytest.raises(FitError, match="three or more different N"):
        calibration_curve([*leaky[:2], *leaky[4:6]], "crosstalk", "alpha")
    with pytest.raises(FitError, match=r"magnetization belongs to one network.*, or give one network"):
        calibration_curve(leaky, "crosstalk", "magnetization")
    longer = dataset({"local": recipe("local", "10ns")}, crosstalk=-1e-3)
    both = joined([dataset({"local": recipe("local", "5ns")}), longer])
    with pytest.raises(FitError, match="differ in duration"):
        calibration_curve(both, "crosstalk", "alpha")
    with pytest.raises(FitError, match="only emulated runs have one"):
        calibration_curve(plain, "temperature", "alpha")


def test_noise_that_is_not_one_rate_is_refused(plain):
    with pytest.raises(FitError, match="none of these runs has noise"):
        calibration_curve(plain, "gamma", "alpha")
    with pytest.raises(FitError, match="more than one rate"):
        calibration_curve(joined([noisy(plain, "x"), noisy(plain, "z")]), "gamma", "alpha")
    mixed = joined([plain, plain.assign_coords(noise=("run", [str(Noise(x=1e-3, z=1e-3))] * 4))])
    with pytest.raises(FitError, match="one kind of noise, equal on all spins"):
        calibration_curve(mixed, "gamma", "alpha")
    uneven = joined([plain, plain.assign_coords(noise=("run", [str(Noise(x=(1e-3, 2e-3)))] * 4))])
    with pytest.raises(FitError, match="one kind of noise, equal on all spins"):
        calibration_curve(uneven, "gamma", "alpha")


def test_a_point_without_precision_is_named(plain):
    runs = noisy(plain)
    runs["precision"] = ("run", [*runs["precision"].to_numpy()[:-1], np.nan])
    with pytest.raises(FitError, match=r"gamma = 0.003: the run with N = 6 has no precision, as its sigma is zero"):
        calibration_curve(runs, "gamma", "alpha")


def test_the_band_covers_the_truth_whoever_makes_the_scatter(plain):
    """200 curves: whether points scatter by themselves or by the errors that their runs state, 95 % means 95 %."""
    generator = np.random.default_rng(3)
    sizes = np.array([2.0, 3.0, 4.0, 5.0])
    for stated in (0.0, 0.03):
        hits = 0
        for trial in range(200):
            precision = sizes**1.4 * np.exp(0.03 * generator.standard_normal(sizes.size))
            _, rows = exponents(
                sizes, precision[None], stated * precision[None], "loglog", np.random.default_rng(trial), 300
            )
            low, high = np.percentile(rows[:, 0], (2.5, 97.5))
            hits += low <= 1.4 <= high
        assert 0.91 <= hits / 200 <= 0.985


def test_runs_that_are_no_charge_are_refused_unless_sigma_is_not_needed():
    # a weaker field leaves the battery discharged; cross-talk does not change that
    records = [
        charge(torus(3, 3).with_crosstalk(j), cooperative(60.0, J=-0.5, h=-0.2), tolerance=1e-6) for j in (-2e-3, 0.0)
    ]
    with pytest.raises(FitError, match=r"torus:3x3\+crosstalk:-0.002:neighbours \(mu = -0.999.* is not charged"):
        calibration_curve(records, "crosstalk", "precision")
    curve = calibration_curve(records, "crosstalk", "precision", include_uncharged=True)
    assert curve.y.tolist() == [record.precision for record in records]
    assert calibration_curve(records, "crosstalk", "magnetization").y[0] < -0.99


def test_families_that_are_mixed_are_refused():
    networks = [ring(5), ring(6), torus(2, 4)]
    records = [
        charge(network.with_crosstalk(j), cooperative(20.0), tolerance=1e-6)
        for j in (0.0, 1e-3)
        for network in networks
    ]
    with pytest.raises(FitError, match=r"not one curve against crosstalk: they differ in family \(ring, torus\)"):
        calibration_curve(records, "crosstalk", "alpha")


def test_a_curve_knows_its_runs_and_what_fewer_of_them_say(plain):
    curved = noisy(plain, scatter=(1.0, 1.0, 1.0, 0.8))  # the largest torus falls short
    curve = calibration_curve(curved, "gamma_tau", "alpha", n_replicates=100)
    assert curve.networks == ("torus:1x2", "torus:1x3", "torus:2x2", "torus:2x3")
    assert curve.origin == "torus, N = 2, 3, 4, 6, 5 ns, x noise"
    assert repr(curve).endswith("; torus, N = 2, 3, 4, 6, 5 ns, x noise)")
    (fewer,) = curve.shorter
    assert (fewer.n_spins, fewer.networks, fewer.shorter) == ((2, 3, 4), curve.networks[:3], ())
    assert fewer.y == pytest.approx([2.0, 1.8, 1.4], abs=1e-9)
    assert fewer.replicates.tolist() == [fewer.y.tolist()]
    assert (curve.y < fewer.y - 0.05).all()
    three = curved.isel(run=np.flatnonzero(curved["n_spins"] < 6))
    assert calibration_curve(three, "gamma_tau", "alpha", n_replicates=100).shorter == ()


def test_networks_are_named_without_their_cross_talk_and_noise_with_any_parameter(leaky, plain):
    curve = calibration_curve(leaky, "crosstalk", "alpha", n_replicates=100)
    assert curve.origin == "torus, N = 2, 3, 4, 6, 20 ns"
    from spinbattery.records.dataset import gather

    runs = gather(leaky)
    runs = runs.assign_coords(noise=("run", [str(Noise(x=1e-3, z=1e-4))] * runs.sizes["run"]))
    assert calibration_curve(runs, "crosstalk", "alpha", n_replicates=100).noise_kind == "x+z"
    one = runs.isel(run=np.flatnonzero(runs["n_spins"] == 6))
    curve = calibration_curve(one, "crosstalk_tau", "magnetization", n_replicates=100)
    assert (curve.origin, curve.shorter) == ("torus:2x3, N = 6, 20 ns, x+z noise", ())
    assert CalibrationCurve("gamma", "alpha", [0.0, 1.0], [2.0, 1.0]).origin == ""
