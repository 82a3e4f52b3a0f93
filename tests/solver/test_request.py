"""What an annealer is asked for a charging problem, and what its answer is taken for."""

from __future__ import annotations

import math
from dataclasses import replace

import dimod
import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, SpinNetwork, Waveform, cooperative, polarised, torus
from spinbattery.core.errors import EngineError, InvalidParameterError
from spinbattery.solver.request import readout, sampler_request

NETWORK = SpinNetwork(3, [[0, 1], [1, 2]], [1.0, 0.5], labels=(30, 7, 12))


def request_of(network=NETWORK, protocol=None, reads=10, **changes):
    return sampler_request(ChargingProblem(network, protocol or cooperative(60e3), **changes), reads)


def test_the_paper_s_job():
    found = request_of()
    assert found.qubits == (30, 7, 12)
    assert found.h == {30: -0.5, 7: -0.5, 12: -0.5}
    assert found.J == {(30, 7): -0.2, (7, 12): -0.1}
    assert found.parameters == {
        "num_reads": 10,
        "answer_mode": "raw",
        "auto_scale": False,
        "anneal_schedule": [[0.0, 1.0], [20.0, 0.35], [40.0, 0.35], [60.0, 1.0]],
        "h_gain_schedule": [[0.0, 0.0], [20.0, 0.0], [40.0, 1.0], [60.0, 0.0]],
        "initial_state": {30: -1, 7: -1, 12: -1},
        "reinitialize_state": True,
    }


def test_energies_of_the_request_are_those_of_the_problem():
    problem = ChargingProblem(torus(3, 3), cooperative(60e3))
    found = sampler_request(problem, 2)
    assert dimod.BinaryQuadraticModel.from_ising(found.h, found.J) == problem.to_bqm()


def test_no_coupler_is_programmed_where_none_acts():
    local = cooperative(60e3).local_equivalent(NETWORK)
    assert request_of(protocol=local).J == {}


def test_the_initial_state_follows_the_spins():
    start = ProductState((0.0, math.pi, 0.0))
    found = request_of(protocol=cooperative(60e3, initial=start))
    assert found.parameters["initial_state"] == {30: 1, 7: -1, 12: 1}
    assert found.to_dict()["initial_state"] == [1, -1, 1]
    assert request_of().to_dict()["initial_state"] == -1


def test_a_forward_anneal_has_no_initial_state():
    forward = replace(cooperative(60e3, initial=ProductState((math.pi / 2,))), s=Waveform(((0.0, 0.0), (1.0, 1.0))))
    assert "initial_state" not in request_of(protocol=forward).parameters
    assert "reinitialize_state" not in request_of(protocol=forward).parameters


def test_times_are_in_steps_of_a_hundredth_of_a_microsecond():
    found = request_of(protocol=polarised(50e3)).parameters["anneal_schedule"]
    assert [t for t, _ in found] == [0.0, 16.67, 33.33, 50.0]


@pytest.mark.parametrize("duration", [20.0, 500.0, 100.0])
def test_durations_too_short_for_these_steps_are_refused(duration):
    with pytest.raises(EngineError, match=r"steps of 0\.01 us"):
        request_of(protocol=cooperative(duration))


@pytest.mark.parametrize(
    "protocol",
    [
        cooperative(60e3, initial=ProductState((math.pi / 2,))),
        cooperative(60e3, initial=ProductState((0.0, 1.0, 0.0))),
        replace(cooperative(60e3), s=Waveform(((0.0, 0.0), (1.0, 1.0)))),
        replace(cooperative(60e3), s=Waveform(((0.0, 0.9), (1.0, 1.0)))),
    ],
)
def test_starts_that_no_annealer_has_are_refused(protocol):
    with pytest.raises(EngineError, match="an annealer starts at s = 1 from spins up or down"):
        request_of(protocol=protocol)


@pytest.mark.parametrize("reads", [1, 0, 2.5, True])
def test_too_few_reads(reads):
    with pytest.raises(InvalidParameterError, match="reads must be a whole number of 2 or more"):
        request_of(reads=reads)


def samples(rows, variables, **more):
    return dimod.SampleSet.from_samples((np.array(rows), variables), vartype="SPIN", energy=0.0, **more)


def test_reads_come_in_the_order_of_the_spins():
    found = readout(samples([[1, -1, -1], [1, 1, -1]], [7, 12, 30]), NETWORK.labels)
    assert found.spins.tolist() == [[-1, 1, -1], [-1, 1, 1]]
    assert found.magnetizations.tolist() == [-1 / 3, 1 / 3]
    assert found.qubits.tolist() == [30, 7, 12]


def test_histograms_are_written_out():
    found = readout(samples([[1, 1], [1, -1]], [0, 1], num_occurrences=[2, 3]), range(2))
    assert found.magnetizations.tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_binary_answers_are_spins_too():
    binary = dimod.SampleSet.from_samples(([[0, 1], [1, 1]], "ab"), vartype="BINARY", energy=0.0)
    found = readout(binary, "ab")
    assert found.spins.tolist() == [[-1, 1], [1, 1]]
    assert found.qubits is None


def test_answers_to_something_else_are_refused():
    with pytest.raises(EngineError, match="lacks 2 of its 3 qubits and has 1 others"):
        readout(samples([[1, 1], [1, 1]], [7, 8]), NETWORK.labels)
    with pytest.raises(EngineError, match="1 reads"):
        readout(samples([[1, 1]], [0, 1]), range(2))
    unused = dimod.SampleSet.from_samples(([[3, 1], [3, 1]], [0, 1]), vartype="SPIN", energy=0.0)
    with pytest.raises(EngineError, match="3 marks a qubit that was not used"):
        readout(unused, range(2))
