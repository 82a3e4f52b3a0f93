"""The emulator as a sampler: parameters, seeds, settings, answers and refusals."""

from __future__ import annotations

import _thread
import json
import pickle
import threading

import dimod
import dwave.graphs
import networkx as nx
import numpy as np
import pytest

from spinbattery.annealer import emulator as emulator_module
from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.core.errors import InsufficientMemoryError, InvalidParameterError, LimitError
from spinbattery.model import lattices

RING = lattices.ring(6)
H = dict.fromkeys(range(6), -0.5)
J = {(k, (k + 1) % 6): -0.2 for k in range(6)}
REVERSE = {
    "auto_scale": False,
    "anneal_schedule": [[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
    "initial_state": dict.fromkeys(range(6), -1),
}


def _annealer(**settings):
    return EmulatedAnnealer(**{"graph": RING, "sweeps": 100, "seed": 1, "threads": 1} | settings)


def _reads(sampler, h=H, J=J, **parameters):
    return sampler.sample_ising(h, J, **REVERSE | {"num_reads": 200} | parameters).record.sample


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_enter_the_result(threads):
    np.testing.assert_array_equal(_reads(_annealer(threads=threads), num_reads=400), _reads(_annealer(), num_reads=400))


@pytest.mark.parametrize("model", ["svmc-tf", "closed-form", "pimc"])
def test_a_read_does_not_depend_on_how_many_there_are(model):
    settings = {"model": model, "readout_error": 0.1, "sweeps": 60}
    many = _reads(_annealer(**settings), num_reads=300)
    for few in (1, 65, 130):
        np.testing.assert_array_equal(_reads(_annealer(**settings), num_reads=few), many[:few])


def test_a_series_of_calls_repeats_and_its_calls_differ():
    first, second = _annealer(), _annealer()
    calls = [_reads(first) for _ in range(2)]
    assert (calls[0] != calls[1]).any()
    np.testing.assert_array_equal(calls, [_reads(second) for _ in range(2)])


def test_the_seed_in_the_info_repeats_the_call():
    sampler = _annealer(seed=None)
    answer = sampler.sample_ising(H, J, num_reads=100, answer_mode="raw")
    seed = answer.info["emulator"]["seed"]
    again = _annealer().sample_ising(H, J, num_reads=100, answer_mode="raw", seed=seed)
    np.testing.assert_array_equal(again.record.sample, answer.record.sample)
    assert seed != _annealer(seed=None).sample_ising(H, J).info["emulator"]["seed"]


def test_the_order_of_the_problem_does_not_matter():
    backwards = {q: H[q] for q in reversed(range(6))}
    answer = _annealer().sample_ising(backwards, J, **REVERSE, num_reads=50)
    assert list(answer.variables) == list(range(6))
    np.testing.assert_array_equal(answer.record.sample, _reads(_annealer(), num_reads=50))


def test_initial_states_as_mapping_and_as_list_are_the_same():
    as_list = _reads(_annealer(), initial_state=[-1] * 6)
    np.testing.assert_array_equal(as_list, _reads(_annealer()))


def test_a_frozen_schedule_returns_the_initial_state():
    state = {0: 1, 1: -1, 2: -1, 3: 1, 4: 1, 5: -1}
    for chained in (False, True):
        reads = _reads(
            _annealer(), anneal_schedule=[[0, 1], [10, 0.95], [20, 1]], h_gain_schedule=[[0, 0], [20, 0]],
            initial_state=state, reinitialize_state=not chained, num_reads=3,
        )  # fmt: skip
        np.testing.assert_array_equal(reads, [list(state.values())] * 3)


@pytest.mark.parametrize("model", ["svmc-tf", "pimc"])
def test_without_reinitialization_a_read_starts_from_the_one_before(model):
    # couplings so strong that a read remembers its start, and a field that turns some reads
    weak = {"h": dict.fromkeys(range(6), -0.4), "J": dict.fromkeys(J, -0.8), "model": model, "seed": 5, "sweeps": 30}
    chained = _reads(_annealer(), num_reads=6, reinitialize_state=False, **weak)
    state = [-1] * 6
    for read in range(6):
        # read number ``read`` of a call that starts from the read before
        fresh = _reads(_annealer(), num_reads=read + 1, initial_state=state, **weak)[read]
        np.testing.assert_array_equal(chained[read], fresh)
        state = fresh.tolist()
    assert (chained != _reads(_annealer(), num_reads=6, **weak)).any()


def test_stuck_qubits_hold_their_value_and_pull_their_neighbours():
    strong = dict.fromkeys(J, -1.0)
    reads = _reads(
        _annealer(), h=dict.fromkeys(range(6), 0.0), J=strong, stuck={2: 1, 5: 1}, num_reads=100, sweeps=2000
    )
    assert (reads[:, [2, 5]] == 1).all()
    assert reads.mean() > 0.5
    assert (_reads(_annealer(stuck=[0, 3]), num_reads=100)[:, [0, 3]] == -1).all()


@pytest.mark.parametrize("model", ["svmc-tf", "closed-form", "pimc"])
def test_readout_errors_flip_bits_at_their_rate(model):
    reads = _reads(_annealer(model=model, sweeps=50), num_reads=1000, readout_error=0.5, seed=4)
    assert abs(reads.mean()) < 4.0 / np.sqrt(reads.size)
    clean = _reads(_annealer(model=model, sweeps=50), num_reads=1000, seed=4)
    flipped = (_reads(_annealer(model=model, sweeps=50), num_reads=1000, readout_error=0.1, seed=4) != clean).mean()
    assert flipped == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / clean.size))


def test_stuck_bits_are_not_misread():
    assert (_reads(_annealer(readout_error=0.4, stuck=[1]))[:, 1] == -1).all()


def test_crosstalk_acts_whatever_is_programmed():
    crosstalk = {(0, 3): -1.5, (1, 2): 1.5}
    reads = _reads(_annealer(crosstalk=crosstalk, sweeps=1000), h=dict.fromkeys(range(6), 0.0), J={}, num_reads=500)
    assert (reads[:, 0] * reads[:, 3]).mean() > 0.9
    assert (reads[:, 1] * reads[:, 2]).mean() < -0.9
    assert abs((reads[:, 4] * reads[:, 5]).mean()) < 0.25


def test_crosstalk_of_a_network_is_taken_over():
    parasitic = lattices.ring(6).with_crosstalk(-1.5)
    own = _reads(_annealer(graph=parasitic), h=dict.fromkeys(range(6), 0.0), J={})
    given = _reads(_annealer(crosstalk=dict.fromkeys(J, -1.5)), h=dict.fromkeys(range(6), 0.0), J={})
    np.testing.assert_array_equal(own, given)
    none = _reads(_annealer(graph=parasitic, crosstalk={}), h=dict.fromkeys(range(6), 0.0), J={})
    assert (none != own).any()


def test_auto_scaling_is_on_by_default_and_reported():
    sampler = _annealer()
    answer = sampler.sample_ising({0: 0.2}, {}, num_reads=20)
    assert answer.info["emulator"]["scale_factor"] == pytest.approx(0.05)
    assert answer.first.energy == pytest.approx(-0.2)
    strong = _annealer().sample_ising({0: 4.0}, {}, num_reads=20, auto_scale=False)
    assert strong.info["emulator"]["scale_factor"] == 1.0


def test_answers_are_histograms_forward_and_raw_in_reverse():
    sampler = _annealer()
    forward = sampler.sample_ising(H, J, num_reads=50)
    assert forward.record.num_occurrences.sum() == 50
    assert len(forward) < 50
    assert (np.diff(forward.record.energy) >= 0).all()
    assert len(sampler.sample_ising(H, J, num_reads=50, answer_mode="raw")) == 50
    assert len(_reads(sampler, num_reads=50)) == 50
    assert len(_reads(sampler, num_reads=50, answer_mode="histogram")) < 50


def test_energies_are_those_of_the_model_that_was_given():
    bqm = dimod.BQM({0: 1.0, 1: -0.3}, {(0, 1): 0.7}, 2.5, "BINARY")
    answer = _annealer().sample(bqm, num_reads=20)
    assert answer.vartype is dimod.BINARY
    np.testing.assert_allclose(answer.record.energy, bqm.energies(answer))


def test_an_empty_problem_has_empty_reads():
    answer = _annealer().sample(dimod.BQM({}, {}, 1.5, "SPIN"), num_reads=3, answer_mode="raw")
    assert answer.record.sample.shape == (3, 0)
    np.testing.assert_array_equal(answer.record.energy, 1.5)


def test_the_info_is_plain_data():
    info = _annealer().sample_ising(H, J, **REVERSE, num_reads=5, label="mine").info
    assert json.loads(json.dumps(info)) == info
    assert info["problem_label"] == "mine"
    assert info["limits"] == []
    assert info["emulator"]["model"] == "svmc-tf"
    assert info["parameters"]["anneal_schedule"] == REVERSE["anneal_schedule"]


def test_numpy_schedules_are_taken_and_reported_as_lists():
    schedule = np.array([[0, 0], [20, 1]])
    info = _annealer().sample_ising(H, J, anneal_schedule=schedule, num_reads=np.int64(5)).info
    assert json.loads(json.dumps(info["parameters"])) == {"anneal_schedule": [[0, 0], [20, 1]], "num_reads": 5}


def test_parameters_that_are_none_are_not_given():
    np.testing.assert_array_equal(_reads(_annealer(), label=None, seed=None, model=None), _reads(_annealer()))


def test_parameters_without_effect_are_accepted():
    idle = {
        "programming_thermalization": 100.0, "readout_thermalization": 5.0,
        "reduce_intersample_correlation": True, "flux_drift_compensation": False,
    }  # fmt: skip
    np.testing.assert_array_equal(_reads(_annealer(), **idle), _reads(_annealer()))
    described = _annealer().properties["parameters"]
    assert all("without effect" in described[name] for name in idle)


def test_every_violation_is_listed():
    with pytest.raises(LimitError) as refused:
        _reads(_annealer(), h={0: 9.0}, J={(0, 1): 3.0}, num_reads=0, anneal_schedule=[[0, 1], [1, float("nan")]])
    assert len(refused.value.violations) >= 4


def test_limits_hold_for_labels_that_are_no_numbers():
    sampler = _annealer(graph=nx.path_graph(["a", "b"]))
    parameters = {name: value for name, value in REVERSE.items() if name != "initial_state"}
    with pytest.raises(LimitError, match="initial_state"):
        sampler.sample_ising({"a": 1.0, "b": 1.0}, {}, **parameters, initial_state={"a": 1})
    answer = sampler.sample_ising({"a": 1.0, "b": 1.0}, {}, **parameters, initial_state={"a": 1, "b": 1})
    assert set(answer.variables) == {"a", "b"}


def test_unknown_parameters_are_refused_with_a_suggestion():
    with pytest.raises(InvalidParameterError, match=r"no parameter 'num_read'. Did you mean 'num_reads'"):
        _annealer().sample_ising(H, J, num_read=3)


@pytest.mark.parametrize(("name", "value"), [("temperature", -1.0), ("sweeps", 0), ("seed", -1), ("stuck", [99])])
def test_bad_settings_of_a_call_are_refused(name, value):
    with pytest.raises(InvalidParameterError, match=name):
        _annealer().sample_ising(H, J, **{name: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 1.5}, "seed"),
        ({"threads": 0}, "threads"),
        ({"stuck": {77: 1}}, "stuck names qubits"),
        ({"crosstalk": {(0, 99): 0.1}}, "pairs of qubits"),
        ({"crosstalk": {(0, 0): 0.1}}, "two qubits"),
        ({"crosstalk": {(0, 1): 0.1, (1, 0): 0.1}}, "once"),
        ({"crosstalk": {(0, 1): float("inf")}}, "finite"),
        ({"graph": 5}, "graph must be"),
    ],
)
def test_bad_settings_of_the_sampler_are_refused(settings, message):
    with pytest.raises(InvalidParameterError, match=message):
        _annealer(**settings)


def test_more_reads_than_memory_are_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(emulator_module, "available_memory", lambda: 1_000)
    with pytest.raises(InsufficientMemoryError, match=r"200 reads of 6 spins .* GB are available"):
        _reads(_annealer())


def test_problems_off_the_graph_are_refused():
    for h, couplings in (({7: 1.0}, {}), ({}, {(0, 3): 1.0})):
        with pytest.raises(dimod.exceptions.BinaryQuadraticModelStructureError):
            _annealer().sample_ising(h, couplings)


def test_progress_rises_to_one():
    fractions = []
    _reads(_annealer(progress=lambda fraction, message: fractions.append(fraction)))
    assert fractions[-1] == pytest.approx(1.0)


def test_what_progress_raises_stops_the_call_and_leaves_no_threads():
    def interrupted(fraction, message):
        raise KeyboardInterrupt

    before = threading.active_count()
    sampler = _annealer(graph=dwave.graphs.pegasus_graph(2), progress=interrupted, threads=2, sweeps=10**7)
    with pytest.raises(KeyboardInterrupt):
        sampler.sample_ising(dict.fromkeys(sampler.nodelist, -1.0), {}, num_reads=1000)
    assert threading.active_count() == before


@pytest.mark.parametrize("model", ["svmc-tf", "pimc"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the Ctrl-C that Python drops
def test_control_c_stops_the_call_and_leaves_no_threads(model):
    before = set(threading.enumerate())
    sampler = _annealer(threads=2, sweeps=10**6, model=model)
    ended = threading.Event()

    def press_control_c():
        # again after a while: Python drops one that falls into a callback of a weak reference or the garbage collector
        seconds = 0.5
        while not ended.wait(seconds):
            _thread.interrupt_main()
            seconds = 10.0

    presser = threading.Thread(target=press_control_c)
    presser.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            _reads(sampler, num_reads=1000)
    finally:
        ended.set()
        presser.join()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10.0)  # interrupted in the moment of its start, a thread ends by itself
        assert not thread.is_alive()


def test_it_goes_to_other_processes():
    sampler = _annealer()
    np.testing.assert_array_equal(_reads(pickle.loads(pickle.dumps(sampler))), _reads(sampler))


def test_it_is_a_context_manager():
    with _annealer() as sampler:
        assert len(sampler.nodelist) == 6
