"""What is handed over together: short tasks, and never so many that a worker goes without."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spinbattery import Statevector, cooperative, ring
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.queue import MOST_DEATHS, Queue


@dataclass(frozen=True)
class Told(Statevector):
    """As long and as large as its options say."""

    seconds: float = 0.001
    size: int = 10

    def predicted_seconds(self, problem, times):
        return self.seconds

    def required_bytes(self, problem):
        return self.size


def tasks(count, **options):
    return Grid([ring(n) for n in range(2, 2 + count)], cooperative(1.0), engines=Told(1e-3, **options)).plan().tasks


def test_short_tasks_go_together_in_their_order():
    short = tasks(6)
    queue = Queue(short)
    assert queue.take(None, 4) == short[:4]
    assert queue.take(None, 4) == short[4:]
    assert queue.take(None, 4) == ()
    assert len(queue) == 0


@pytest.mark.parametrize("most", [0, 1])
def test_one_goes_where_no_more_may(most):
    short = tasks(3)
    assert Queue(short).take(None, most) == short[:1]


def test_together_they_take_about_a_tenth_of_a_second():
    assert len(Queue(tasks(20, seconds=0.015)).take(None, 20)) == 5
    assert len(Queue(tasks(20, seconds=0.2)).take(None, 20)) == 1
    assert len(Queue(tasks(10, seconds=0.0)).take(None, 100)) == 10


def test_only_what_fits_is_taken():
    large, small = tasks(2, size=50), tasks(2, size=10)
    queue = Queue([*large, *small])
    assert queue.take(40, 1) == small[:1]
    assert queue.take(5, 1) == ()
    assert queue.take(60, 9) == (*large, small[1])


def test_a_batch_ends_at_a_task_that_does_not_fit():
    small, large = tasks(1), tasks(1, size=50)
    queue = Queue([*small, *large])
    assert queue.take(20, 9) == small
    assert len(queue) == 1


def test_what_is_put_back_comes_first_and_in_its_order():
    short = tasks(5)
    queue = Queue(short)
    taken = queue.take(None, 3)
    queue.put_back(taken)
    assert queue.take(None, 9) == short
    queue.add(short[:1])
    queue.put_back(short[1:2])
    assert queue.take(None, 9) == (short[1], short[0])


def test_tasks_whose_worker_died_go_alone_until_they_have_failed():
    short = tasks(4)
    queue = Queue(short)
    assert queue.may_try_again(short[1])
    assert queue.take(None, 9) == short[:1]
    assert queue.take(None, 9) == short[1:2]
    assert queue.take(None, 9) == short[2:]
    assert [queue.may_try_again(short[1]) for _ in range(MOST_DEATHS - 1)] == [True, True, False]
