"""The emulator's physics: reference figures, Boltzmann's distribution, and agreement with other codes."""

from __future__ import annotations

import math

import dimod
import dwave.graphs
import numpy as np
import pytest
from dwave.samplers import RotorModelAnnealingSampler
from scipy.stats import chi2

from spinbattery.annealer import kernels, rotors
from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.annealer.freeze_out import down_probabilities
from spinbattery.annealer.job import AnnealJob, DenseProblem
from spinbattery.annealer.rotors import run_rotors
from spinbattery.annealer.schedule import AnnealSchedule, SweepEnergies
from spinbattery.annealer.streams import Streams
from spinbattery.core.progress import silent
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.model import scales
from spinbattery.model.thermal import thermal_magnetization
from spinbattery.solver.parsing import parse_parameters

F = np.float32
KT = 0.018 * BOLTZMANN_GHZ_PER_KELVIN
ENERGIES = scales.advantage_system6()
P2 = dwave.graphs.pegasus_graph(2)
REVERSE = {
    "anneal_schedule": [[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
}
SCHEDULE = AnnealSchedule.of(parse_parameters(REVERSE), 20.0)


def _local_field(graph):
    return -math.sqrt(0.25 + graph.number_of_edges() / len(graph) * 0.04)


def _charge(graph, protocol, reads=5000, calls=1, **settings):
    """Spins of all reads of a charging run from all spins down."""
    sampler = EmulatedAnnealer(graph=graph, seed=11, **settings)
    h = -0.5 if protocol == "cooperative" else _local_field(graph)
    J = dict.fromkeys(sampler.edgelist, -0.2) if protocol == "cooperative" else {}
    start = dict.fromkeys(sampler.nodelist, -1)
    parameters = REVERSE | {"auto_scale": False, "answer_mode": "raw", "num_reads": reads, "initial_state": start}
    answers = [sampler.sample_ising(dict.fromkeys(sampler.nodelist, h), J, **parameters) for _ in range(calls)]
    return np.concatenate([answer.record.sample for answer in answers])


def _p2_job(protocol, sweeps, reads, seed):
    index = {qubit: k for k, qubit in enumerate(sorted(P2))}
    pairs = np.array(sorted(tuple(sorted((index[j], index[k]))) for j, k in P2.edges))
    h, J = (-0.5, -0.2) if protocol == "cooperative" else (_local_field(P2), 0.0)
    used = pairs if J else pairs[:0]
    problem = DenseProblem(np.full(40, h), used, np.full(len(used), J), np.zeros(40, np.int8))
    start = np.full(40, -1, np.int8)
    return AnnealJob(problem, SCHEDULE, sweeps, KT, 0.5, reads, start, False, Streams(seed), 1, silent)


@pytest.mark.slow
def test_magnetization_of_the_local_protocol_on_p2():
    # 0.7784 with a standard error of 0.0004
    assert _charge(P2, "local", calls=12).mean() == pytest.approx(0.783, abs=0.006)


@pytest.fixture(scope="module")
def down():
    """Spins that are down after the cooperative protocol on P2, (20000, 40)."""
    return _charge(P2, "cooperative", calls=4) < 0


@pytest.mark.slow
def test_the_cooperative_protocol_charges_every_read_on_p2(down):
    flips = down.sum(axis=1)
    assert flips.max() <= 10
    # its standard error is 0.002
    assert flips.var(ddof=1) == pytest.approx(0.077, abs=0.015)


@pytest.mark.slow
def test_flips_of_the_cooperative_protocol_are_independent(down):
    p = down.mean(axis=0)
    ratio = down.sum(axis=1).var(ddof=1) / (p * (1.0 - p)).sum()
    assert ratio == pytest.approx(1.0, abs=4 * math.sqrt(2.0 / len(down) * (1.0 + 0.5 / p.sum())))
    assert 0.9 < ratio < 1.1


@pytest.mark.slow
def test_the_whole_chip():
    """P16: the figures that the settings were chosen for, and that every read charges."""
    chip = dwave.graphs.pegasus_graph(16)
    local = _charge(chip, "local", reads=100)
    assert local.mean() == pytest.approx(0.830, abs=0.006)
    flips = np.count_nonzero(_charge(chip, "cooperative", reads=1000) < 0, axis=1)
    assert flips.max() <= 10
    assert flips.var(ddof=1) == pytest.approx(0.22, abs=0.05)


@pytest.mark.slow
def test_a_larger_region_charges_too():
    graph = dwave.graphs.pegasus_graph(6)
    flips = (_charge(graph, "cooperative", reads=1000) < 0).sum(axis=1)
    assert flips.max() <= 10
    assert _charge(graph, "local", reads=500).mean() == pytest.approx(0.820, abs=0.006)


@pytest.mark.parametrize("protocol", ["local", "cooperative"])
def test_the_sweeps_left_out_change_nothing(protocol, monkeypatch):
    sweeps, reads = SweepEnergies.of(SCHEDULE, ENERGIES, 3000), 2000
    values = []
    for least in (rotors.FROZEN_RATIO, 0.0):
        monkeypatch.setattr(rotors, "FROZEN_RATIO", least)
        kept = len(sweeps.where(sweeps.ratio >= least))
        assert kept < 0.7 * len(sweeps) or least == 0.0
        values.append((run_rotors(_p2_job(protocol, sweeps, reads, seed=2)) < 0).sum(axis=1))
    error = math.sqrt(sum(value.var() for value in values) / reads)
    assert abs(values[0].mean() - values[1].mean()) < 4 * error


def _equilibrium(starts, neighbours, h, lanes, sweeps, transverse, coupling, field, width):
    v = np.zeros((len(h), lanes), F)
    cosine = np.zeros_like(v)
    generators = np.ascontiguousarray(Streams(9).words(range(lanes)).view(np.uint32).T)
    curve = np.ones(sweeps, F)
    kernels.anneal_rotors(
        np.asarray(starts, np.int32), np.asarray(neighbours, np.int32), np.empty(0, F), np.asarray(h, F), v, cosine,
        generators, transverse * curve, coupling * curve, field * curve, width * curve,
    )  # fmt: skip
    return v + 0.5


def _accepted(counts, probabilities):
    expected = counts.sum() * probabilities
    assert expected.min() > 10.0
    statistic = ((counts - expected) ** 2 / expected).sum()
    return chi2.sf(statistic, counts.size - 1)


@pytest.mark.parametrize(
    ("transverse", "field", "width"), [(1.05, 1.3, 1.0), (3.0, -0.7, 0.3), (0.2, 0.5, 0.05), (0, 2, 1)]
)
def test_one_rotor_has_boltzmanns_distribution(transverse, field, width):
    # lanes are independent, and the chain is long enough to diffuse many times around: sweeps width^2 >> 1
    theta = _equilibrium([0, 0], [], [1.0], 64 * 200, int(20.0 / width**2), transverse, 0.0, field, width)[0]
    bins = 16
    counts = np.histogram(theta, bins, (0.0, 1.0))[0]
    x = (np.arange(bins * 200) + 0.5) / (bins * 200) * np.pi
    weight = np.exp(transverse * np.sin(x) - field * np.cos(x)).reshape(bins, 200).sum(axis=1)
    assert _accepted(counts, weight / weight.sum()) > 1e-4


@pytest.mark.parametrize("coupling", [-1.2, 0.9])
def test_two_coupled_rotors_have_boltzmanns_distribution(coupling):
    transverse, field, width, h = 1.1, 0.4, 0.5, [1.0, -0.5]
    angles = _equilibrium([0, 1, 2], [1, 0], h, 64 * 250, 150, transverse, coupling, field, width)
    bins = 5
    counts = np.histogram2d(*angles, bins, [(0.0, 1.0)] * 2)[0]
    x = (np.arange(bins * 80) + 0.5) / (bins * 80) * np.pi
    c, single = np.cos(x), transverse * np.sin(x)
    energy = -single[:, None] - single + field * (h[0] * c[:, None] + h[1] * c) + coupling * np.outer(c, c)
    weight = np.exp(-energy).reshape(bins, 80, bins, 80).sum(axis=(1, 3))
    assert _accepted(counts.ravel(), (weight / weight.sum()).ravel()) > 1e-4


def _constant_gain_in_segments(sweeps, n_segments):
    """The same sweeps with the mean gain of each segment: other samplers scale h and J together."""
    parts = np.array_split(np.arange(len(sweeps)), n_segments)
    gain = np.concatenate([np.full(len(part), sweeps.gain[part].mean()) for part in parts])
    return SweepEnergies(sweeps.s, sweeps.transverse, sweeps.ising, gain), parts


def _chained_rotor_sampler(problem, sweeps, parts, reads):
    """Spins of dwave-samplers' rotors, one call per segment, angles handed on."""
    states, sampler = np.full((reads, problem.n_spins), 128, dtype=np.uint8), RotorModelAnnealingSampler()
    pairs = dict(zip(map(tuple, problem.pairs.tolist()), problem.couplings.tolist(), strict=True))
    for k, part in enumerate(parts):
        gain = float(sweeps.gain[part[0]])
        bqm = dimod.BQM(dict(enumerate((gain * problem.fields).tolist())), pairs, 0.0, "SPIN")
        answer = sampler.sample(
            bqm, num_reads=reads, beta_schedule_type="custom", initial_states=states, seed=100 + k,
            Hp_field=sweeps.ising[part] / (2.0 * KT), Hd_field=sweeps.transverse[part] / (2.0 * KT),
            proposal_acceptance_criteria="MetropolisTF", project_states=(False, False),
        )  # fmt: skip
        assert list(answer.variables) == list(range(problem.n_spins))
        states = np.ascontiguousarray(answer.info["rotor_states"], dtype=np.uint8)
    # its own projection draws spins at random from the angles; a read here is the sign of the cosine
    return np.where(np.cos(np.pi * states / 128.0) >= 0.0, 1, -1)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["local", "cooperative"])
def test_agreement_with_the_rotors_of_dwave_samplers(protocol):
    sweeps, parts = _constant_gain_in_segments(SweepEnergies.of(SCHEDULE, ENERGIES, 1000), 21)
    job = _p2_job(protocol, sweeps, 5000, seed=3)
    own = (run_rotors(job) < 0).sum(axis=1)
    theirs = (_chained_rotor_sampler(job.problem, sweeps, parts, 1500) < 0).sum(axis=1)
    error = math.sqrt(own.var() / len(own) + theirs.var() / len(theirs))
    assert abs(own.mean() - theirs.mean()) < 4 * error
    assert error < 0.02 * own.mean() if protocol == "local" else error < 0.2 * own.mean()


@pytest.mark.slow
def test_the_closed_form_is_close_to_the_rotors(down):
    degree = np.array([P2.degree[qubit] for qubit in sorted(P2)])
    measured = down.mean(axis=0)
    expected = down_probabilities(_p2_job("cooperative", None, 1, 0).problem, SCHEDULE, ENERGIES, KT, 0.5)
    for d in (5, 9):
        assert expected[degree == d].mean() == pytest.approx(measured[degree == d].mean(), rel=0.6)


def test_the_closed_form_samples_what_it_says():
    down = _charge(P2, "local", model="closed-form") < 0
    expected = down_probabilities(_p2_job("local", None, 1, 0).problem, SCHEDULE, ENERGIES, KT, 0.5)
    error = np.sqrt(expected * (1.0 - expected) / len(down))
    assert (np.abs(down.mean(axis=0) - expected) < 4.5 * error).all()


@pytest.mark.parametrize("freeze_out", [0.45, 0.55])
def test_path_integrals_of_uncoupled_spins_are_qubits_in_equilibrium(freeze_out):
    spins = _charge(P2, "local", reads=100, model="pimc", sweeps=1000, temperature=14.0, freeze_out=freeze_out)
    u = SCHEDULE.last_rise(freeze_out)
    a, b, g = ENERGIES.A(freeze_out), ENERGIES.B(freeze_out), SCHEDULE.g(u)
    kt = 0.014 * BOLTZMANN_GHZ_PER_KELVIN
    expected = thermal_magnetization(float(a) / 2, float(b * g) / 2 * _local_field(P2), kt)
    # the last sweep is a little before the freeze-out, and M = 32 slices: both well below the error
    assert spins.mean() == pytest.approx(expected, abs=4 * math.sqrt((1.0 - expected**2) / spins.size))


def test_path_integrals_of_coupled_qubits_match_exact_diagonalisation():
    h, J, kt, s = -0.3, -0.6, 0.05 * BOLTZMANN_GHZ_PER_KELVIN, 0.4
    a, b = float(ENERGIES.A(s)), float(ENERGIES.B(s))
    x, z, one = np.array([[0, 1], [1, 0]]), np.diag([1, -1]), np.eye(2)
    fields = -a / 2 * (np.kron(x, one) + np.kron(one, x)) + b / 2 * h * (np.kron(z, one) + np.kron(one, z))
    energy, states = np.linalg.eigh(fields + b / 2 * J * np.kron(z, z))
    weight = np.exp(-(energy - energy[0]) / kt)
    populations = (states**2 @ weight) / weight.sum()

    # s is held just below the freeze-out until the end
    sampler = EmulatedAnnealer(
        graph=dwave.graphs.pegasus_graph(2), seed=2, temperature=50.0, sweeps=400, model="pimc", freeze_out=s + 1e-3
    )
    pair = sampler.edgelist[0]
    answer = sampler.sample_ising(
        dict.fromkeys(pair, h), {pair: J}, num_reads=900, answer_mode="raw", auto_scale=False,
        anneal_schedule=[[0, 1], [10, s], [798, s], [800, 1]], initial_state=dict.fromkeys(pair, -1),
    )  # fmt: skip
    index = (1 - answer.record.sample[:, 0]) + (1 - answer.record.sample[:, 1]) // 2
    counts = np.bincount(index, minlength=4)
    assert _accepted(counts.astype(float), populations) > 1e-4
