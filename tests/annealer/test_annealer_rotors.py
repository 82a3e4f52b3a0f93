"""How reads are divided among threads, and what rotors start from."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.annealer.job import AnnealJob, DenseProblem
from spinbattery.annealer.kernels import LANES
from spinbattery.annealer.rotors import BLOCK, blocks, padded, run_rotors
from spinbattery.annealer.schedule import AnnealSchedule, SweepEnergies
from spinbattery.annealer.streams import Streams
from spinbattery.core.progress import silent
from spinbattery.model.scales import advantage_system6
from spinbattery.solver.parsing import parse_parameters


def _job(problem, start, reads=3, chained=False, sweeps=200):
    schedule = AnnealSchedule.of(parse_parameters({}), 20.0)
    return AnnealJob(
        problem, schedule, SweepEnergies.of(schedule, advantage_system6(), sweeps), 0.375, 0.5, reads, start, chained,
        Streams(1), 2, silent,
    )  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("reads", [1, LANES, LANES + 1, BLOCK, 1000])
def test_blocks_cover_all_reads_once_in_whole_vectors(reads, threads):
    parts = blocks(reads, threads)
    assert [read for part in parts for read in part] == list(range(reads))
    for part in parts:
        assert len(padded(part)) % LANES == 0
        assert part.start == padded(part).start
        assert len(part) <= len(padded(part)) <= BLOCK


def test_all_threads_get_a_block_where_there_are_reads_for_them():
    assert len(blocks(BLOCK, 2)) == 2
    assert len(blocks(10 * BLOCK, 2)) == 10


def test_held_spins_start_where_they_are_held():
    problem = DenseProblem(np.zeros(3), np.empty((0, 2), np.int64), np.empty(0), np.array([0, 1, -1], np.int8))
    np.testing.assert_array_equal(_job(problem, None).first_spins, [0, 1, -1])
    np.testing.assert_array_equal(_job(problem, np.array([1, -1, -1], np.int8)).first_spins, [1, 1, -1])


@pytest.mark.parametrize("couplings", [[-1.0, -1.0], [-1.0, -0.5]])
def test_the_order_of_the_kernel_does_not_show_in_the_reads(couplings):
    # a strong field on one spin of a chain, a held one at its end: each read tells which spin is which
    pairs = np.array([[0, 3], [1, 2]])
    problem = DenseProblem(np.array([3.0, 0.0, 0.0, 0.0]), pairs, np.array(couplings), np.array([0, 0, 1, 0], np.int8))
    spins = run_rotors(_job(problem, None, reads=70))
    assert (spins[:, 2] == 1).all()
    assert spins[:, [0, 3]].mean() < -0.9
    assert spins[:, 1].mean() > 0.5


def test_only_held_spins_are_no_work():
    problem = DenseProblem(np.ones(2), np.array([[0, 1]]), np.array([0.5]), np.array([1, -1], np.int8))
    np.testing.assert_array_equal(run_rotors(_job(problem, None)), [[1, -1]] * 3)
