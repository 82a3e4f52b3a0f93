"""Independence of the spins in a record, and statistics of shots."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spinbattery import ChargingProblem, ProductState, Protocol, Waveform, charge, cooperative, ring
from spinbattery.analysis.samples import Independence
from spinbattery.analysis.statistics import independence_ratio, sample_statistics
from spinbattery.core.errors import InvalidParameterError, SpinBatteryError
from spinbattery.records.building import build_record
from spinbattery.records.moments import Moments
from spinbattery.records.readout import Readout
from spinbattery.records.solution import ErrorEstimates, FinalState, Solution, TimeTraces


def record_of(probabilities):
    """Record of the final state with these probabilities of the 2^N basis states, spin 0 first, bit 0 up."""
    p = np.asarray(probabilities, dtype=float)
    n = len(p).bit_length() - 1
    bits = 1 - 2 * ((np.arange(len(p))[:, None] >> np.arange(n - 1, -1, -1)) & 1)
    mu = bits.mean(axis=1)
    mean = float(p @ mu)
    variance = float(p @ (mu - mean) ** 2)
    solution = Solution(
        FinalState(np.bincount((bits.sum(axis=1) + n) // 2, weights=p, minlength=n + 1), p @ bits, norm_error=0.0),
        TimeTraces(np.empty(0), np.array([mean]), np.array([variance]), energy=np.zeros(1)),
        ErrorEstimates(np.zeros(1), np.zeros(1), precision=0.0),
    )
    return build_record(ChargingProblem(ring(n), cooperative(10.0)), "test", {}, "test", solution, 0.0)


def sampled_record(spins):
    """Record of reads (reads, N) of +-1."""
    spins = np.asarray(spins, dtype=np.int8)
    problem = ChargingProblem(ring(spins.shape[1]), cooperative(10.0))
    return build_record(problem, "test", {}, "test", Readout(spins.mean(axis=1), spins), 0.0)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5))
def test_independent_spins_have_ratio_one_whatever_their_means(ups):
    assume(sum(up * (1.0 - up) for up in ups) > 1e-6)
    p = np.ones(1)
    for up in ups:
        p = np.kron(p, [up, 1.0 - up])
    assert independence_ratio(record_of(p)) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("up", [0.5, 0.9])
def test_spins_that_flip_together_have_ratio_n(n, up):
    p = np.zeros(1 << n)
    p[0], p[-1] = up, 1.0 - up
    assert independence_ratio(record_of(p)) == pytest.approx(n, rel=1e-12)


def test_spins_that_flip_in_turn_have_a_ratio_below_one():
    # one of two spins is down, whichever it is: Sz is certain, each spin is not
    assert independence_ratio(record_of([0.0, 0.5, 0.5, 0.0])) == pytest.approx(0.0, abs=1e-15)


def test_the_cooperative_limit_has_ratio_below_one():
    # (|all up> + |one down, symmetric>)/sqrt2: Var(Sz) = 1, <sz_k> = 1 - 1/N
    n = 4
    p = np.zeros(1 << n)
    p[0] = 0.5
    p[1 << np.arange(n)] = 0.5 / n
    assert independence_ratio(record_of(p)) == pytest.approx(1.0 / (n * (1.0 - (1.0 - 1.0 / n) ** 2)), rel=1e-12)


def test_no_ratio_where_no_spin_fluctuates():
    assert independence_ratio(record_of([1.0, 0.0, 0.0, 0.0])) is None
    rounding = 1e-16
    assert independence_ratio(record_of([1.0 - rounding, rounding, 0.0, 0.0])) is None


def test_the_ratio_of_an_engine_run_without_coupling_is_one():
    flat = Waveform(((0.0, 0.4), (1.0, 0.4)))
    tilted = ProductState((0.3, 1.1, 2.0))
    record = charge(ring(3), Protocol(2.0, flat, flat, -0.5, 0.0, tilted), tolerance=1e-6)
    assert independence_ratio(record) == pytest.approx(1.0, abs=1e-9)


def test_the_ratio_of_reads_has_nu_minus_one_in_both_variances():
    spins = np.where(np.random.default_rng(0).random((7, 5)) < 0.4, -1, 1)
    expected = spins.sum(axis=1).var(ddof=1) / spins.var(axis=0, ddof=1).sum()
    assert independence_ratio(sampled_record(spins)) == pytest.approx(expected, rel=1e-12)
    assert Independence.from_spins(spins).ratio == pytest.approx(expected, rel=1e-12)


def test_the_ratio_of_few_reads_of_independent_spins_is_one_on_average():
    generator = np.random.default_rng(5)
    ratios = [independence_ratio(sampled_record(np.where(generator.random((8, 6)) < 0.5, -1, 1))) for _ in range(500)]
    # with nu in one variance and nu - 1 in the other it would be 8/7
    assert abs(np.mean(ratios) - 1.0) < 4.0 * np.std(ratios) / math.sqrt(500)


def test_no_ratio_of_reads_without_spins_or_without_flips():
    problem = ChargingProblem(ring(4), cooperative(10.0))
    shots = Readout(np.array([1.0, 0.5, 1.0]))
    assert independence_ratio(build_record(problem, "test", {}, "test", shots, 0.0)) is None
    assert independence_ratio(sampled_record(np.ones((3, 4)))) is None


def test_statistics_of_known_shots():
    # by hand: mean 0.5, deviations 0.5, -0.5, 0, 0 -> sum of squares 0.5, over nu - 1 = 3
    found = sample_statistics([1.0, 0.0, 0.5, 0.5], n_spins=4)
    assert found.n_shots == 4
    assert found.mean == 0.5
    assert found.variance == pytest.approx(0.5 / 3.0, rel=1e-15)
    assert found.std == pytest.approx(math.sqrt(0.5 / 3.0), rel=1e-15)
    assert found.mean_error == pytest.approx(math.sqrt(0.5 / 3.0) / 2.0, rel=1e-15)
    assert found.precision == pytest.approx(6.0, rel=1e-15)
    assert found.precision_bound is None


@given(st.integers(1, 50), st.data())
def test_variance_has_nu_minus_one(n_spins, data):
    up = np.array(data.draw(st.lists(st.integers(0, n_spins), min_size=2, max_size=30)))
    assume(np.ptp(up) > 0)
    mu = 2.0 * up / n_spins - 1.0
    found = sample_statistics(mu, n_spins)
    # over all ordered pairs: sum (mu_i - mu_j)^2 = 2 nu (nu - 1) sigma^2, with no mean in it
    pairs = float(np.sum((mu[:, None] - mu) ** 2)) / (2.0 * len(mu) * (len(mu) - 1))
    assert found.variance == pytest.approx(pairs, rel=1e-9)
    assert found.precision == pytest.approx(1.0 / pairs, rel=1e-9)
    assert found.precision_bound is None


def test_shots_carry_the_errors_of_their_moments():
    shots = np.array([1.0, 1.0, 0.5, -0.5, 1.0])
    found, moments = sample_statistics(shots, 4), Moments.of(shots)
    assert found.variance_error == moments.variance_error
    assert found.precision_error == pytest.approx(moments.variance_error / moments.variance**2)
    alike = sample_statistics(np.ones(5), 4)
    assert (alike.variance_error, alike.precision_error) == (None, None)


def test_identical_shots_give_a_bound_and_no_precision():
    found = sample_statistics(np.full(100, 0.8), n_spins=10)
    assert (found.n_shots, found.mean, found.variance, found.std) == (100, 0.8, 0.0, 0.0)
    assert found.precision is None
    assert found.mean_error is None
    # (3/100) (2/10)^2 = 1.2e-3
    assert found.precision_bound == pytest.approx(1.0 / 1.2e-3, rel=1e-12)


def test_identical_shots_without_the_number_of_spins_give_no_bound():
    found = sample_statistics([0.3] * 7)
    assert found.precision is None
    assert found.precision_bound is None


def test_shots_alike_to_rounding_are_identical():
    mu = 0.1 + 0.2  # 0.30000000000000004
    assert sample_statistics([mu, 0.3, mu]).precision is None


def test_shots_that_differ_by_one_flip_of_the_largest_annealer_are_not_identical():
    n = 5612
    found = sample_statistics([1.0, 1.0 - 2.0 / n], n)
    assert found.precision == pytest.approx(n**2 / 2.0, rel=1e-9)


def test_the_rule_of_three_holds_at_its_confidence():
    # shots that differ with probability 3/nu are all alike in at most 5 % of series
    for nu in (10, 100, 10_000):
        assert (1.0 - 3.0 / nu) ** nu < 0.05


@pytest.mark.parametrize("shots", [[], [0.5], 0.5, [[0.1, 0.2], [0.3, 0.4]]])
def test_shots_must_be_two_or_more_in_a_row(shots):
    with pytest.raises(InvalidParameterError, match="two or more shots"):
        sample_statistics(shots)


@pytest.mark.parametrize("bad", [1.5, -1.5, math.nan, math.inf])
def test_shots_must_lie_within_the_interval(bad):
    with pytest.raises(InvalidParameterError, match="within"):
        sample_statistics([0.5, bad])


def test_shots_must_fit_the_number_of_spins():
    with pytest.raises(InvalidParameterError, match=r"3 spins cannot have mu = 0\b"):
        sample_statistics([1.0, 0.0], n_spins=3)
    assert sample_statistics([1.0, 0.0], n_spins=2).n_shots == 2


def test_single_precision_shots_are_accepted():
    mu = (2.0 * np.arange(5608, 5613) / 5612 - 1.0).astype(np.float32)
    assert sample_statistics(mu, n_spins=5612).n_shots == 5


@pytest.mark.parametrize("n_spins", [0, -2, 2.0, True, "4"])
def test_n_spins_must_be_a_whole_number(n_spins):
    with pytest.raises(SpinBatteryError, match="whole number"):
        sample_statistics([1.0, -1.0], n_spins=n_spins)
