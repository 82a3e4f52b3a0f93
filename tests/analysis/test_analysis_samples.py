"""Flips in the reads of an annealer: their statistics, by degree, and whether they are independent."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, poisson

from spinbattery import ChargingProblem, charge, cooperative, fit_both, fit_scaling, from_networkx, ring, torus
from spinbattery.analysis.samples import (
    DegreeFlips,
    FlipStatistics,
    Independence,
    bootstrap_intervals,
    charged,
    clopper_pearson,
    count_flips,
    flip_probabilities,
    flip_statistics,
    flips_by_degree,
    flips_of_reads,
    uncharged_probability,
)
from spinbattery.core.errors import FitError, InvalidParameterError
from spinbattery.records.building import build_record
from spinbattery.records.readout import Readout


def independent_reads(down, n_reads, seed):
    """Reads (n_reads, N) of +-1 of independent spins with these probabilities of -1."""
    down = np.asarray(down)
    return np.where(np.random.default_rng(seed).random((n_reads, len(down))) < down, -1, 1).astype(np.int8)


# Number of flips


def test_flips_are_counted():
    assert count_flips([[1, 1, 1], [-1, 1, -1]]).tolist() == [0, 2]


@pytest.mark.parametrize("spins", [[1, -1], [], [[]], np.empty((0, 3))])
def test_spins_must_be_reads_by_spins(spins):
    with pytest.raises(InvalidParameterError, match=r"\(reads, N\)"):
        count_flips(spins)


@pytest.mark.parametrize("bad", [0, 2, -2, 0.5, math.nan])
def test_spins_must_be_plus_or_minus_one(bad):
    with pytest.raises(InvalidParameterError, match=r"\+1 or -1"):
        count_flips([[1, bad]])


def test_flip_statistics_by_hand():
    found = FlipStatistics.from_flips([0, 0, 0, 4], 40)
    assert found.counts.tolist() == [3, 0, 0, 0, 1]
    assert (found.n_reads, found.n_uncharged) == (4, 0)
    assert (found.mean, found.variance, found.fano) == (1.0, 4.0, 4.0)


def test_no_flip_has_no_fano_factor():
    found = FlipStatistics.from_flips([0, 0, 0], 5)
    assert (found.mean, found.variance, found.fano, found.fano_error) == (0.0, 0.0, None, None)
    assert found.counts.tolist() == [3]


@pytest.mark.parametrize(("law", "fano"), [(poisson(0.3), 1.0), (binom(8, 0.3), 0.7)])
def test_the_error_of_the_fano_factor_is_its_scatter(law, fano):
    series = law.rvs(size=(2000, 400), random_state=3)
    found = [FlipStatistics.from_flips(row, 400) for row in series]
    scatter = np.std([each.fano for each in found], ddof=1)
    assert np.mean([each.fano_error for each in found]) == pytest.approx(scatter, rel=0.08)
    assert np.mean([each.fano for each in found]) == pytest.approx(fano, abs=4.0 * scatter / math.sqrt(2000) + 1e-3)


@pytest.mark.parametrize("flips", [[1], [[1, 2]], []])
def test_flips_must_be_a_row_of_two_or_more(flips):
    with pytest.raises(InvalidParameterError, match="two or more reads"):
        FlipStatistics.from_flips(np.array(flips, dtype=int), 5)


@pytest.mark.parametrize("flips", [[0, -1], [0, 6], [0.0, 1.0]])
def test_flips_must_be_possible(flips):
    with pytest.raises(InvalidParameterError, match="within 0 to 5"):
        FlipStatistics.from_flips(flips, 5)


def test_reads_with_a_tenth_of_the_spins_up_are_discharged():
    assert FlipStatistics.from_flips([0, 10, 5050], 5612).n_uncharged == 0
    assert FlipStatistics.from_flips([0, 11, 5051, 5612], 5612).n_uncharged == 2  # 561 up, and none
    assert FlipStatistics.from_flips([26, 27, 28, 30], 30).n_uncharged == 3  # 0.1 * 30 is 3, rounding or not
    assert FlipStatistics.from_flips([8, 9], 9).n_uncharged == 1  # of fewer than ten spins none may be up


# Flips by degree


def test_flips_are_told_apart_by_degree():
    spins = [[-1, 1, 1, -1], [-1, 1, 1, 1]]
    found = DegreeFlips.from_spins(spins, [5, 9, 9, 5])
    assert found.degree.tolist() == [5, 9]
    assert found.n_spins.tolist() == [2, 2]
    assert found.flips.tolist() == [3, 0]
    assert found.probability.tolist() == [0.75, 0.0]
    assert found.low[1] == 0.0 < found.high[1] < 1.0


def test_each_spin_needs_a_degree():
    with pytest.raises(InvalidParameterError, match="2 spins need as many degrees"):
        DegreeFlips.from_spins([[1, -1]], [5])


@pytest.mark.parametrize(("k", "n"), [(0, 7), (7, 7), (3, 7), (40, 16_000)])
def test_clopper_pearson_is_that_of_scipy(k, n):
    low, high = clopper_pearson([k], [n])
    exact = binomtest(k, n).proportion_ci(0.95, "exact")
    assert low[0] == pytest.approx(exact.low, rel=1e-9, abs=1e-15)
    assert high[0] == pytest.approx(exact.high, rel=1e-9)


# Independence


@given(st.integers(0, 1000), st.integers(2, 30), st.integers(1, 6))
def test_the_ratio_is_that_of_the_definition(seed, n_reads, n_spins):
    spins = independent_reads(np.linspace(0.1, 0.9, n_spins), n_reads, seed)
    assume(np.ptp(spins, axis=0).any())
    totals = spins.sum(axis=1)
    expected = totals.var(ddof=1) / spins.var(axis=0, ddof=1).sum()
    assert Independence.from_spins(spins).ratio == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_independent_spins_scatter_about_one_as_said():
    down = np.array([0.02] * 30 + [0.3] * 3)
    found = [Independence.from_spins(independent_reads(down, 200, seed)) for seed in range(1000)]
    ratios = np.array([each.ratio for each in found])
    scatter = ratios.std(ddof=1)
    assert abs(ratios.mean() - 1.0) < 4.0 * scatter / math.sqrt(1000) + 1e-3
    for errors in ([each.error for each in found], [each.error_if_independent for each in found]):
        assert np.mean(errors) == pytest.approx(scatter, rel=0.1)


def test_pairs_that_flip_together_have_ratio_two_and_an_error_of_their_own():
    ratios, errors = [], []
    for seed in range(400):
        pairs = np.repeat(independent_reads(np.full(10, 0.1), 300, seed), 2, axis=1)
        found = Independence.from_spins(pairs)
        ratios.append(found.ratio)
        errors.append(found.error)
    scatter = np.std(ratios, ddof=1)
    assert abs(np.mean(ratios) - 2.0) < 4.0 * scatter / 20.0 + 2e-3
    assert np.mean(errors) == pytest.approx(scatter, rel=0.15)


def test_one_spin_is_independent_of_no_other():
    found = Independence.from_spins([[1], [-1], [1]])
    assert found.ratio == pytest.approx(1.0)
    assert found.error == pytest.approx(0.0, abs=1e-7)
    assert found.error_if_independent == 0.0


def test_blocks_of_reads_are_one_sample(monkeypatch):
    spins = independent_reads(np.full(50, 0.05), 100, 4)
    whole = Independence.from_spins(spins)
    monkeypatch.setattr("spinbattery.analysis.samples._BLOCK", 130)
    assert Independence.from_spins(spins).error == pytest.approx(whole.error, rel=1e-12)


def test_spins_that_never_flip_have_no_ratio():
    assert Independence.from_spins([[1, -1], [1, -1]]) is None
    with pytest.raises(InvalidParameterError, match="two or more reads"):
        Independence.from_spins([[1, -1]])


# Bootstrap


def test_intervals_cover_at_their_confidence():
    # normal-like: 95 % of 300 series, 4 sigma of a binomial is 5 %; percentile intervals of s^2 run 2 % low here
    law, n = binom(40, 0.2), 40
    true = 4.0 * law.var() / n**2
    covered = np.zeros(3)
    for seed in range(300):
        mu = 1.0 - 2.0 * law.rvs(size=200, random_state=seed) / n
        found = bootstrap_intervals(mu, seed=seed, n_resamples=400)
        for k, (value, ends) in enumerate(
            ((0.6, found.magnetization), (true, found.variance), (1.0 / true, found.precision))
        ):
            covered[k] += ends[0] <= value <= ends[1]
    assert (np.abs(covered / 300 - 0.94) < 0.06).all()


def test_the_multinomial_bootstrap_is_that_of_resampled_reads():
    mu = np.random.default_rng(0).choice([1.0, 0.95, 0.9, 0.2], p=[0.8, 0.1, 0.08, 0.02], size=300)
    found = bootstrap_intervals(mu, n_resamples=20_000, seed=1)
    drawn = np.random.default_rng(2).choice(mu, size=(20_000, 300))
    for ends, direct in ((found.magnetization, drawn.mean(axis=1)), (found.variance, drawn.var(axis=1, ddof=1))):
        # the density of the ends gives them an error of about 0.02 sigma
        np.testing.assert_allclose(ends, np.quantile(direct, (0.025, 0.975)), atol=0.1 * direct.std())
    assert found.std == tuple(math.sqrt(end) for end in found.variance)
    assert found.precision == (1.0 / found.variance[1], 1.0 / found.variance[0])


def test_resamples_that_are_all_alike_leave_the_precision_open():
    found = bootstrap_intervals([1.0] * 999 + [0.9])  # exp(-1) of the resamples have no flip
    assert found.variance[0] == 0.0
    assert math.isinf(found.precision[1])
    assert 0.0 < found.precision[0] < math.inf


def test_resamples_have_nu_minus_one():
    # of two reads, half of the resamples have both: sigma^2 = 0.5 (1 - 0)^2
    assert bootstrap_intervals([1.0, 0.0]).variance == (0.0, 0.5)


def test_equal_seeds_give_equal_intervals_in_any_blocks(monkeypatch):
    mu = np.linspace(-1.0, 1.0, 50)
    first = bootstrap_intervals(mu, seed=3)
    assert bootstrap_intervals(mu, seed=3) == first
    assert bootstrap_intervals(mu, seed=4) != first
    monkeypatch.setattr("spinbattery.analysis.samples._BLOCK", 170)
    np.testing.assert_allclose(bootstrap_intervals(mu, seed=3).variance, first.variance, rtol=1e-12)


@pytest.mark.parametrize("bad", [[1.0], [[1.0, 0.0]], [1.0, math.nan]])
def test_the_bootstrap_needs_reads(bad):
    with pytest.raises(InvalidParameterError, match="two or more finite"):
        bootstrap_intervals(bad)


def test_the_bootstrap_needs_enough_resamples():
    with pytest.raises(InvalidParameterError, match="n_resamples must be a whole number of 100 or more"):
        bootstrap_intervals([1.0, 0.5], n_resamples=10)


# Records


def record_of(spins, network=None):
    """Record of reads (reads, N) of +-1."""
    spins = np.asarray(spins, dtype=np.int8)
    problem = ChargingProblem(network or ring(spins.shape[1]), cooperative(60_000.0))
    return build_record(problem, "test", {}, "test", Readout(spins.mean(axis=1), spins), 0.0)


def magnetizations_of(mu, n):
    """Record of magnetizations alone."""
    return build_record(ChargingProblem(ring(n), cooperative(60_000.0)), "test", {}, "test", Readout(np.array(mu)), 0.0)


def flipped(n_spins, *flips):
    """Reads with these numbers of flipped spins."""
    return np.array([[-1] * k + [1] * (n_spins - k) for k in flips])


def test_flips_of_a_record():
    record = record_of(flipped(30, 0, 2, 0, 1))
    assert flips_of_reads(record).tolist() == [0, 2, 0, 1]
    found = flip_statistics(record)
    assert (found.n_spins, found.mean) == (30, 0.75)
    assert found.counts.tolist() == [2, 1, 1]
    # sigma^2 = 4 Var k / N^2, and so with its error
    assert 4.0 * found.variance / 900.0 == pytest.approx(record.variance, rel=1e-12)
    assert found.variance_error / found.variance == pytest.approx(record.precision_stderr / record.precision, rel=1e-12)
    assert flip_probabilities(record)[:4].tolist() == [0.5, 0.25, 0.25, 0.0]
    assert len(flip_probabilities(record)) == 31


def test_flips_of_magnetizations_alone():
    record = magnetizations_of([1.0, 0.6, 0.2], 5)
    assert flips_of_reads(record).tolist() == [0, 1, 2]
    assert flip_statistics(record).counts.tolist() == [1, 1, 1]
    with pytest.raises(InvalidParameterError, match="no reads of single spins"):
        flips_by_degree(record)


def test_records_of_reads_are_charged_or_flagged():
    assert charged(record_of(flipped(40, 0, 2, 3))) is True
    assert charged(record_of(flipped(40, 0, 10, 3))) is False  # mu = 0.78: partly, as by the local protocol
    flagged = record_of(flipped(40, 0, 11, 40, 3))
    assert charged(flagged) is False
    assert uncharged_probability(flagged) == 0.25
    assert flip_statistics(flagged).n_uncharged == 1
    # a small battery that stayed down is not charged either
    assert charged(record_of(-np.ones((3, 8)))) is False
    assert charged(magnetizations_of([1.0, -1.0], 5)) is False


def test_an_exact_record_has_no_reads_but_a_probability():
    record = charge(torus(2, 2), cooperative(20.0), tolerance=1e-6)
    assert charged(record) is False  # mu = 0.82, partly
    p = record.dataset["distribution"].to_numpy()  # Sz = -4, -2, 0, 2, 4
    assert uncharged_probability(record) == pytest.approx(p[0])
    assert uncharged_probability(record) == pytest.approx(2.0e-4, rel=0.01)
    np.testing.assert_array_equal(flip_probabilities(record), p[::-1])
    for function in (flips_of_reads, flip_statistics):
        with pytest.raises(InvalidParameterError, match=r"has no reads; P\(k\) is in flip_probabilities"):
            function(record)
    with pytest.raises(InvalidParameterError, match="no reads of single spins"):
        flips_by_degree(record)


def test_flips_by_degree_of_a_record():
    star = from_networkx(nx.star_graph(3))
    found = flips_by_degree(record_of([[1, -1, 1, 1], [-1, -1, -1, 1]], star))
    assert found.degree.tolist() == [1, 3]
    assert found.n_spins.tolist() == [3, 1]
    assert found.flips.tolist() == [3, 1]


def sampled_curve(n_reads=2000):
    """Records of independent reads of rings, Var k = 0.2 at every N."""
    sizes = (20, 40, 80, 160)
    return [record_of(independent_reads(np.full(n, 0.2 / n), n_reads, n)) for n in sizes]


def test_sampled_records_are_fitted_both_ways():
    records = sampled_curve()
    fits = fit_both(records, n_bootstrap=100)
    # precision N^2 / (4 * 0.2)
    for fit in fits.values():
        assert fit.alpha == pytest.approx(2.0, abs=0.2)
        assert fit.n_spins == (20, 40, 80, 160)
    assert fits["loglog"].precision == tuple(record.precision for record in records)


def test_reads_that_are_all_alike_are_no_point_of_a_fit():
    records = [*sampled_curve(100), record_of(np.ones((50, 10)))]
    with pytest.raises(FitError, match=r"N = 10\) .* sigma is zero in all 50 reads, and a lower bound"):
        fit_scaling(records)
