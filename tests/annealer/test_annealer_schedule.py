"""From sampler parameters to sweeps."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.annealer.schedule import AnnealSchedule, SweepEnergies
from spinbattery.core.errors import EngineError
from spinbattery.model import scales
from spinbattery.solver.parsing import parse_parameters

REVERSE = {
    "anneal_schedule": [[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
}


def schedule_of(parameters, default_time):
    return AnnealSchedule.of(parse_parameters(parameters), default_time)


def test_the_default_is_a_forward_anneal_with_full_gain():
    schedule = schedule_of({}, 20.0)
    assert schedule.duration == 20.0
    assert not schedule.is_reverse
    assert schedule.s(0.25) == 0.25
    assert schedule.g(0.7) == 1.0
    assert schedule_of({"annealing_time": 5}, 20.0).duration == 5.0


def test_a_reverse_anneal_with_gain():
    schedule = schedule_of(REVERSE, 20.0)
    assert schedule.is_reverse
    assert schedule.duration == 60.0
    assert schedule.s(0.5) == pytest.approx(0.35)
    assert schedule.g(0.5) == pytest.approx(0.5)


def test_sweeps_sit_at_the_middle_of_their_intervals():
    energies = scales.advantage_system6()
    sweeps = SweepEnergies.of(schedule_of({}, 20.0), energies, 4)
    np.testing.assert_allclose(sweeps.s, [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(sweeps.transverse, energies.A(sweeps.s))
    np.testing.assert_allclose(sweeps.ising, energies.B(sweeps.s))
    np.testing.assert_array_equal(sweeps.gain, 1.0)
    assert len(sweeps) == 4


def test_the_width_of_a_proposal_is_a_over_b_and_at_most_one():
    sweeps = SweepEnergies(np.zeros(4), np.array([2.0, 0.5, 0.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4))
    np.testing.assert_array_equal(sweeps.width, [1.0, 0.5, 0.0, 1.0])


def test_the_last_rise_is_on_the_last_ramp():
    schedule = schedule_of(REVERSE, 20.0)
    assert schedule.last_rise(0.5) == pytest.approx((40.0 + 20.0 * 0.15 / 0.65) / 60.0)
    assert schedule_of({}, 20.0).last_rise(0.5) == pytest.approx(0.5)


def test_the_last_of_two_rises_counts():
    points = [[0, 1], [10, 0.4], [20, 0.8], [30, 0.4], [40, 1]]
    schedule = schedule_of({"anneal_schedule": points}, 20.0)
    assert schedule.last_rise(0.7) == pytest.approx(35.0 / 40.0)


def test_a_schedule_that_never_rises_through_the_freeze_out_is_refused():
    schedule = schedule_of({"anneal_schedule": [[0, 1], [10, 0.7], [20, 1]]}, 20.0)
    with pytest.raises(EngineError, match=r"stays above s = 0\.7"):
        schedule.last_rise(0.5)
