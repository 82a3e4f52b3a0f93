"""Estimators of an ensemble: against direct formulas, and against the scatter of repetitions."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.records.ensemble import Ensemble, ExactPart, SampledSums

N = 3


def outcomes(rng, count):
    """Values like those of trajectories of three spins: P(Sz) and what follows from it."""
    spins = rng.uniform(-1.0, 1.0, (count, N))
    distribution = rng.dirichlet(np.ones(N + 1), count)
    sz = np.arange(-N, N + 1, 2) / N
    moments = np.stack([distribution @ sz, distribution @ sz**2, rng.normal(size=count)], axis=-1)
    return np.stack([0.5 * moments, moments], axis=1), distribution, spins


def exact_part(weight, rng):
    moments, distribution, spins = (values[0] for values in outcomes(rng, 1))
    return ExactPart(weight, weight * moments, weight * distribution, weight * spins)


def test_means_and_errors_are_those_of_the_formulas():
    rng = np.random.default_rng(1)
    exact = exact_part(0.7, rng)
    moments, distribution, spins = outcomes(rng, 50)
    ensemble = Ensemble(exact, 0.3, SampledSums.of(moments, distribution, spins, exact))
    assert np.allclose(ensemble.moments, exact.moments + 0.3 * moments.mean(axis=0), rtol=1e-13)
    assert np.allclose(ensemble.moment_errors, 0.3 * moments.std(axis=0, ddof=1) / np.sqrt(50), rtol=1e-10)
    assert np.allclose(ensemble.distribution, exact.distribution + 0.3 * distribution.mean(axis=0))
    assert np.allclose(ensemble.distribution_error, 0.3 * distribution.std(axis=0, ddof=1) / np.sqrt(50))
    assert np.allclose(ensemble.spins, exact.spins + 0.3 * spins.mean(axis=0))
    assert np.allclose(ensemble.spins_error, 0.3 * spins.std(axis=0, ddof=1) / np.sqrt(50))
    covariance = 0.09 * np.cov(moments[:, -1, 0], moments[:, -1, 1]) / 50
    slope = np.array([-2.0 * ensemble.moments[-1, 0], 1.0])
    assert ensemble.variance_error[-1] == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-10)


def test_the_variance_has_no_bias_and_its_error_is_the_scatter():
    rng = np.random.default_rng(2)
    exact = exact_part(0.4, rng)
    many, few = 20_000, 12
    moments, distribution, spins = outcomes(rng, many * few)
    true = exact.moments + 0.6 * moments.mean(axis=0)
    expected = (true[:, 1] - true[:, 0] ** 2)[-1]
    found, errors = np.empty(many), np.empty(many)
    for i in range(many):
        rows = slice(i * few, (i + 1) * few)
        ensemble = Ensemble(exact, 0.6, SampledSums.of(moments[rows], distribution[rows], spins[rows], exact))
        found[i], errors[i] = ensemble.variance[-1], ensemble.variance_error[-1]
    scatter = found.std()
    bias_of_the_square = 0.36 * moments[:, -1, 0].var() / few
    assert bias_of_the_square > 10.0 * scatter / np.sqrt(many), "the test could not see the bias"
    assert abs(found.mean() - expected) < 4.0 * scatter / np.sqrt(many)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(scatter, rel=0.1)


def test_small_spreads_keep_their_digits():
    rng = np.random.default_rng(3)
    exact = exact_part(0.5, rng)
    moments = exact.conditional[0] + 1e-9 * rng.normal(size=(40, 2, 3))
    distribution, spins = np.tile(exact.conditional[1], (40, 1)), np.tile(exact.conditional[2], (40, 1))
    ensemble = Ensemble(exact, 0.5, SampledSums.of(moments, distribution, spins, exact))
    assert np.allclose(ensemble.moment_errors, 0.5 * moments.std(axis=0, ddof=1) / np.sqrt(40), rtol=1e-6)
    assert not ensemble.distribution_error.any()


def test_sums_of_parts_are_those_of_the_whole_and_survive_a_dataset():
    import xarray as xr

    rng = np.random.default_rng(4)
    exact = exact_part(0.5, rng)
    values = outcomes(rng, 30)
    whole = SampledSums.of(*values, exact)
    parts = SampledSums.of(*(v[:11] for v in values), exact) + SampledSums.of(*(v[11:] for v in values), exact)
    assert parts.count == whole.count == 30
    assert np.allclose(parts.moments, whole.moments)
    ensemble = Ensemble(exact, 0.5, whole)
    variables = {name: xr.Variable(dims, data) for name, (dims, data) in ensemble.values().items()}
    again = Ensemble.from_variables(xr.Dataset(variables).variables)
    assert np.array_equal(again.moments, ensemble.moments)
    assert np.array_equal(again.variance_error, ensemble.variance_error)
    assert np.array_equal(again.spins_error, ensemble.spins_error)
    assert again.sums.count == 30


def test_without_any_exact_weight_all_comes_from_the_sample():
    rng = np.random.default_rng(5)
    zero = ExactPart(0.0, np.zeros((2, 3)), np.zeros(N + 1), np.zeros(N))
    values = outcomes(rng, 20)
    ensemble = Ensemble(zero, 1.0, SampledSums.of(*values, zero))
    assert np.allclose(ensemble.moments, values[0].mean(axis=0))
    assert (ensemble.variance > 0.0).all()
