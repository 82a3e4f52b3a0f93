"""States of many spins: the same physics as small ones, to the last bit for any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, SpinNetwork, Statevector, complete, cooperative, torus
from spinbattery.core.threads import Team
from spinbattery.engines.common.splitting import Stages
from spinbattery.engines.dense import statevector
from spinbattery.engines.dense.large_state import SMALLEST, LargeState
from spinbattery.engines.dense.small_state import SplitState
from spinbattery.engines.simd import row_kernels, row_phases
from spinbattery.engines.simd.sizes import LINE_BYTES, TILE_BITS
from spinbattery.model.operators import ising_diagonal

N = SMALLEST


def job(stages, seed=0):
    """Random spinors, couplings between all spins, and stages."""
    rng = np.random.default_rng([seed, stages])
    spinors = ProductState(tuple(rng.uniform(0, 3, N)), tuple(rng.uniform(0, 6, N))).spinors(N)
    pairs = complete(N).pairs
    theta = rng.uniform(-1.0, 1.0, stages)
    field, ising = rng.normal(scale=2.0, size=(2, stages + 1))
    return spinors, pairs, rng.normal(size=len(pairs)), Stages(theta, field, ising, theta, np.empty((0, stages)))


def evolved(stages, threads=1, *, single=False):
    spinors, pairs, couplings, sequence = job(stages)
    with Team(threads) as team:
        state = LargeState(spinors, pairs, couplings, team, single=single)
        state.apply(sequence)
        state.apply(sequence)
        return state.amplitudes(), state.populations(), state.spin_magnetization(), state.transverse()


def test_small_states_end_where_large_ones_begin():
    assert SMALLEST == TILE_BITS + 1


def test_it_starts_as_the_product_it_is_told():
    spinors, pairs, couplings, _ = job(1)
    with Team(1) as team:
        state = LargeState(spinors, pairs, couplings, team)
        expected = SplitState(spinors, ising_diagonal(N, pairs, couplings))
        np.testing.assert_allclose(state.amplitudes(), expected.amplitudes(), rtol=0, atol=1e-15)
        assert state.size == 1 << N


@pytest.mark.parametrize("tile_bits", [8, 9, 15])
@pytest.mark.parametrize("stages", [1, 4, 5])
def test_phases_by_rows_are_those_of_the_whole_diagonals(monkeypatch, tile_bits, stages):
    monkeypatch.setattr(row_phases, "_TILE_BITS", tile_bits)  # from wide columns to wide tiles
    spinors, pairs, couplings, sequence = job(stages)
    expected = SplitState(spinors, ising_diagonal(N, pairs, couplings))  # cos and sin of every amplitude
    expected.apply(sequence)
    expected.apply(sequence)
    for threads in (1, 2):
        amplitudes, populations, spins, transverse = evolved(stages, threads)
        np.testing.assert_allclose(amplitudes, expected.amplitudes(), rtol=0, atol=2e-14)
        distribution, ising, norm = expected.populations()
        np.testing.assert_allclose(populations.distribution, distribution, rtol=0, atol=1e-14)
        assert populations.ising == pytest.approx(ising, abs=1e-12)
        assert populations.norm == pytest.approx(norm, abs=1e-13)
        np.testing.assert_allclose(spins, expected.spin_magnetization(), rtol=0, atol=1e-13)
        assert transverse == pytest.approx(expected.transverse(), abs=1e-12)


def test_tiles_in_several_levels_agree_with_tall_columns(monkeypatch):
    """17 spins: tiles with subtiles and blocks in them, and columns of several blocks."""
    rng = np.random.default_rng(4)
    n, pairs = 17, complete(17).pairs
    spinors = ProductState(tuple(rng.uniform(0, 3, n)), tuple(rng.uniform(0, 6, n))).spinors(n)
    couplings, (theta, field, ising) = rng.normal(size=len(pairs)), rng.uniform(-1.0, 1.0, (3, 5))
    stages = Stages(theta[:4], field, ising, theta[:4], np.empty((0, 4)))
    amplitudes = []
    with Team(1) as team:
        for tile_bits in (9, 14):
            monkeypatch.setattr(row_phases, "_TILE_BITS", tile_bits)
            state = LargeState(spinors, pairs, couplings, team)
            state.apply(stages)
            assert state.populations().norm == pytest.approx(1.0, abs=1e-13)
            amplitudes.append(state.amplitudes())
    np.testing.assert_allclose(amplitudes[0], amplitudes[1], rtol=0, atol=2e-14)


@pytest.mark.parametrize("single", [False, True])
def test_states_begin_with_a_line_of_the_cache(single):
    spinors, pairs, couplings, _ = job(1)
    with Team(1) as team:
        re, im, _ = LargeState(spinors, pairs, couplings, team, single=single).arrays
    assert re.ctypes.data % LINE_BYTES == im.ctypes.data % LINE_BYTES == 0


@pytest.mark.parametrize("single", [False, True])
def test_threads_do_not_change_a_bit(single):
    one = evolved(7, single=single)
    for threads in (2, 3, 11):  # more than there are tiles
        other = evolved(7, threads, single=single)
        for a, b in zip((one[0], *one[1], *one[2:]), (other[0], *other[1], *other[2:]), strict=True):
            np.testing.assert_array_equal(a, b)


def test_single_precision_is_off_by_rounding_alone():
    double, single = evolved(6), evolved(6, single=True)
    error = np.linalg.norm(single[0] - double[0])
    assert 1e-8 < error < 2e-6
    assert single[1].ising == pytest.approx(double[1].ising, abs=1e-5)
    assert single[3] == pytest.approx(double[3], abs=1e-5)


def test_rounding_does_not_add_up_where_fields_are_constant():
    """The same stage 600 times: were its phases rounded alike each time, the error would be 1.0 in these units."""
    spinors, pairs, couplings, _ = job(1)
    theta, phases = np.full(600, 0.05), np.full(601, 0.02)
    sequence = Stages(theta, phases, phases, theta, np.empty((0, 600)))
    amplitudes = []
    with Team(1) as team:
        for single in (False, True):
            state = LargeState(spinors, pairs, couplings, team, single=single)
            state.apply(sequence)
            amplitudes.append(state.amplitudes())
    assert np.linalg.norm(amplitudes[1] - amplitudes[0]) < 0.8 * 2.0**-24 * np.sqrt(600 * N)


def test_kernels_release_the_interpreter_lock():
    for kernel in (row_kernels.apply_stage, row_kernels.evolve_rows, row_kernels.populations, row_kernels.prepare):
        assert kernel.targetoptions["nogil"]


@pytest.mark.parametrize("single", [False, True])
def test_runs_with_any_number_of_cores_have_one_hash(monkeypatch, single):
    monkeypatch.setattr(statevector, "_WORTH_THREADS", N)
    monkeypatch.setattr("spinbattery.core.threads.n_cores", lambda: 1)
    problem = ChargingProblem(torus(2, 7), cooperative(0.3))
    engine = Statevector(1e-2, keep_state=True, single=single)
    hashes = [engine.run(problem, times=[0.1]).content_hash]
    monkeypatch.setattr("spinbattery.core.threads.n_cores", lambda: 2)
    hashes.append(engine.run(problem, times=[0.1]).content_hash)
    assert hashes[0] == hashes[1]


def test_isolated_spins_and_cross_talk_find_their_place():
    """Fourteen spins of which some are coupled to none: the others alone must give the same."""
    pairs = [(0, 3), (3, 7), (7, 12), (12, 0)]  # in both halves of the rows and among the low bits
    start = ProductState.named("down")
    wide = ChargingProblem(SpinNetwork(N, pairs, [1.0, 0.5, 2.0, -1.0]), cooperative(0.5, initial=start))
    narrow = ChargingProblem(
        SpinNetwork(4, [(0, 1), (1, 2), (2, 3), (3, 0)], [1.0, 0.5, 2.0, -1.0]), cooperative(0.5, initial=start)
    )
    spins = Statevector(1e-6).run(wide).dataset["spin_magnetization"].to_numpy()
    expected = Statevector(1e-6).run(narrow).dataset["spin_magnetization"].to_numpy()
    np.testing.assert_allclose(spins[[0, 3, 7, 12]], expected, rtol=0, atol=1e-6)
