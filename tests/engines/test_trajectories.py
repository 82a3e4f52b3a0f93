"""The trajectories engine: strata, seeds, order, refusals, and what its parts promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from spinbattery import ChargingProblem, ProductState, Statevector, complete, cooperative, polarised, ring, torus
from spinbattery.core.arrays import read_only
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError, ToleranceError
from spinbattery.core.progress import silent
from spinbattery.engines.common.splitting import SPLITTINGS
from spinbattery.engines.dense.large_state import SMALLEST
from spinbattery.engines.trajectories import jump_runs, jumps
from spinbattery.engines.trajectories.engine import Trajectories
from spinbattery.engines.trajectories.intervals import stage_tables
from spinbattery.engines.trajectories.jump_plan import Script
from spinbattery.engines.trajectories.strata import draw
from spinbattery.model.noise import Noise
from spinbattery.model.operators import magnetization_diagonal

NO_TIMES = np.empty(0)
SX, SY, SZ = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])
PAULI = ChargingProblem(torus(2, 2), cooperative(6.0), noise=Noise(x=2e-2))
RELAXING = ChargingProblem(ring(3), cooperative(6.0), noise=Noise(relaxation=5e-2, temperature=16.0))


def on_spin(operator, spin, n):
    return np.kron(np.kron(np.eye(1 << spin), operator), np.eye(1 << (n - 1 - spin)))


def direct_run(problem, script):
    """:func:`sliced_run` with slices of no length, by two runs whose errors fall with the square of the length."""
    coarse, fine = (sliced_run(problem, script, multiple) for multiple in (2, 4))
    return [(4.0 * after - before) / 3.0 for before, after in zip(coarse, fine, strict=True)]


def sliced_run(problem, script, multiple):
    """Final |psi|^2 of one trajectory by dense exponentials, and ln of the squared norm at jumps and the end.

    Slices have the same length between two corners of the protocol or jumps, so that each jump is at its own time.
    """
    n, noise = problem.n_spins, problem.noise
    hamiltonian, relaxation = problem.to_scipy(), noise.relaxation_rates(n)
    psi = np.ones(1, dtype=complex)
    for spinor in problem.protocol.initial.spinors(n):
        psi = np.kron(psi, spinor)
    stops = np.union1d(problem.protocol.breakpoints, script.times)
    counts = multiple * np.ceil(150 * np.diff(stops) / problem.protocol.duration).astype(int)
    pieces = [np.linspace(*one) for one in zip(stops[:-1], stops[1:], counts + 1, strict=True)]
    edges = np.unique(np.concatenate(pieces))
    middles = 0.5 * (edges[:-1] + edges[1:])
    logarithms, pending = [], list(zip(script.times.tolist(), script.choices.tolist(), strict=True))
    # what damps: sums over the spins of their rates, alone and along x and z
    alone = relaxation.sum() * np.eye(1 << n)
    along_x, along_z = (sum(rate * on_spin(s, k, n) for k, rate in enumerate(relaxation)) for s in (SX, SZ))

    for a, b, t, nx, nz, q in zip(
        edges[:-1], edges[1:], middles, *noise.equilibrium(*problem.fields(middles)[:2]), strict=True
    ):
        if pending and a == pending[0][0]:
            kind, spin = divmod(pending.pop(0)[1], n)
            logarithms.append(math.log(np.vdot(psi, psi).real))
            x, z, _ = (float(v) for v in noise.equilibrium(*problem.fields(a)[:2]))
            axis = x * SX + z * SZ
            plus = 0.5 * (np.eye(2) + axis)
            lower = (np.eye(2) - plus) @ (axis @ SY) @ plus  # |-><+| up to a phase
            psi = on_spin([SX, SY, SZ, lower, lower.conj().T][kind], spin, n) @ psi
            psi /= np.linalg.norm(psi)
        generator = -1j * hamiltonian(t).toarray() - 0.25 * (alone + q * (nx * along_x + nz * along_z))
        psi = expm((b - a) * generator) @ psi
    logarithms.append(math.log(np.vdot(psi, psi).real))
    return np.abs(psi) ** 2 / np.vdot(psi, psi).real, np.array(logarithms)


SCRIPT = Script(np.array([0.31, 1.402, 1.404, 2.9]), np.array([0, 3 + 1, 6 + 2, 2]))
DAMPED_SCRIPT = Script(np.array([0.31, 1.402, 1.404, 2.9]), np.array([9, 3 + 1, 12 + 2, 9 + 1]))


@pytest.fixture(
    scope="module",
    params=[
        (Noise(x=0.1, y=0.1, z=0.1), SCRIPT),
        (Noise(x=0.1, relaxation=(0.1, 0.3, 0.2), temperature=40.0), DAMPED_SCRIPT),
        (Noise(relaxation=0.2, temperature=10.0), DAMPED_SCRIPT),
    ],
    ids=["Pauli", "Pauli and relaxation", "relaxation"],
)
def scripted(request):
    """A problem from a start that is no basis state, the jumps of a trajectory, and its final |psi|^2."""
    noise, script = request.param
    start = ProductState((0.4, 2.0, 2.6), (0.3, 1.0, -2.0))
    problem = ChargingProblem(ring(3), polarised(3.0, initial=start), noise=noise)
    return problem, script, read_only(direct_run(problem, script)[0])


@pytest.mark.parametrize("splitting", SPLITTINGS)
def test_a_trajectory_with_given_jumps_is_the_dense_one(scripted, splitting):
    """Jumps of all kinds, two of them in one step."""
    problem, script, p = scripted
    engine = Trajectories(splitting=splitting)
    found = engine.unravelling(problem, NO_TIMES, 120).run([script], None, silent)
    sz = magnetization_diagonal(3) / 3
    assert found.moments[0, -1, 0] == pytest.approx(p @ sz, abs=3e-6)
    assert found.moments[0, -1, 1] == pytest.approx(p @ sz**2, abs=3e-6)
    assert np.allclose(found.distribution[0], [p[sz == m].sum() for m in (-1, -1 / 3, 1 / 3, 1)], atol=3e-6)
    assert np.allclose(found.spins[0], [p @ np.diag(on_spin(SZ, k, 3)) for k in range(3)], atol=3e-6)


def test_survival_is_the_norm_of_the_dense_run():
    noise = Noise(relaxation=(0.1, 0.3, 0.2), temperature=40.0)
    problem = ChargingProblem(ring(3), polarised(3.0), noise=noise)
    run = Trajectories().unravelling(problem, NO_TIMES, 120).no_jump(silent)
    _, logarithms = direct_run(problem, Script(NO_TIMES, np.empty(0, dtype=int)))
    assert run.log_survival[-1] == pytest.approx(logarithms[-1], abs=1e-6)
    assert run.log_survival[0] == 0.0
    assert (np.diff(run.log_survival) < 0.0).all()


@pytest.mark.parametrize(("splitting", "order"), [("BM4", 4), ("BM6", 6)])
@pytest.mark.parametrize(
    "noise", [Noise(x=0.1), Noise(x=0.05, relaxation=(0.3, 0.1, 0.2), temperature=20.0)], ids=["Pauli", "relaxation"]
)
def test_cutting_steps_at_jumps_keeps_the_order(splitting, order, noise):
    problem = ChargingProblem(ring(3), cooperative(3.0), noise=noise)
    script = Script(np.array([0.7123, 1.9217]), np.array([0, 4]))
    engine = Trajectories(splitting=splitting)

    def final(steps):
        return engine.unravelling(problem, NO_TIMES, steps).run([script], None, silent).moments[0, -1, :2]

    exact, steps = final(1600), np.array([18, 36, 72]) if order == 6 else np.array([40, 80, 160])
    errors = [np.abs(final(number) - exact).max() for number in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope < -order + 0.6, (slope, errors)


def test_events_come_at_the_rate_of_the_lost_norm():
    """Quantiles of the first jump are where the survival says, between step edges too."""
    unravelling = Trajectories().unravelling(RELAXING, NO_TIMES, 40)
    finer = Trajectories().unravelling(RELAXING, NO_TIMES, 640)
    uniform = np.linspace(0.01, 0.99, 33)
    finer.no_jump(silent)
    unravelling.no_jump(silent)
    assert np.allclose(unravelling.first_events(uniform), finer.first_events(uniform), atol=2e-4)
    assert (np.diff(finer.first_events(uniform)) > 0.0).all()


def test_a_sampled_damped_run_is_the_same_run_with_its_jumps_given():
    unravelling = Trajectories().unravelling(RELAXING, np.array([2.0, 3.3]), 60)
    found = draw(unravelling, 7, range(40), 1, silent)
    again = unravelling.run(found.scripts, None, silent)
    assert max(len(script.times) for script in found.scripts) > 1
    assert np.allclose(again.moments, found.moments, atol=1e-9)
    assert np.allclose(again.spins, found.spins, atol=1e-9)


@pytest.mark.parametrize("problem", [PAULI, RELAXING])
def test_a_trajectory_is_the_same_in_every_company(problem):
    """To the last bit: whichever others are run, in whatever batches."""
    unravelling = Trajectories().unravelling(problem, np.array([3.0]), 50)
    all_of_them = draw(unravelling, 3, range(300), 1, silent)
    alone = draw(unravelling, 3, range(250, 260), 1, silent)
    assert np.array_equal(all_of_them.moments[250:260], alone.moments)
    assert np.array_equal(all_of_them.spins[250:260], alone.spins)
    other = draw(unravelling, 4, range(250, 260), 1, silent)
    assert not np.array_equal(other.moments, alone.moments)


def test_a_seed_repeats_itself_and_none_is_derived_from_the_problem():
    first, second = (Trajectories(50, seed=1).run(PAULI) for _ in range(2))
    assert first.content_hash == second.content_hash
    assert Trajectories(50, seed=2).run(PAULI).magnetization != first.magnetization
    derived = Trajectories(50).run(PAULI)
    assert derived.content_hash == Trajectories(50).run(PAULI).content_hash
    assert '"seed":null' not in derived.dataset.attrs["engine_options"]


def test_output_times_and_the_end_agree_with_separate_runs():
    times = (0.0, 1.7, 4.0, 6.0)
    record = Trajectories(200, seed=3).run(PAULI, times).dataset
    assert record["magnetization_t"].to_numpy()[0] == -1.0
    assert record["magnetization_t_stderr"].to_numpy()[0] == 0.0
    assert record["magnetization_t"].to_numpy()[-1] == pytest.approx(float(record["magnetization"]), abs=1e-14)
    assert record["variance_t_stderr"].to_numpy()[-1] == pytest.approx(float(record["variance_stderr"]), rel=1e-12)
    assert np.isfinite(record["energy_t"]).all()
    plain = Trajectories(200, seed=3, one_jump="quadrature").run(PAULI).dataset
    assert float(plain["magnetization"]) == pytest.approx(float(record["magnetization"]), abs=2e-3)


def test_no_jump_is_the_state_vector_run():
    quiet = Statevector(1e-7).run(ChargingProblem(PAULI.network, PAULI.protocol))
    run = Trajectories().unravelling(PAULI, NO_TIMES, 400).no_jump(silent)
    assert run.mean[-1] == pytest.approx(quiet.magnetization, abs=1e-6)
    assert run.variance[-1] == pytest.approx(quiet.variance, abs=1e-6)
    assert np.allclose(run.distribution, quiet.dataset["distribution"], atol=1e-6)
    assert run.norm_error < 1e-11
    assert run.log_survival[-1] == pytest.approx(-4 * 2e-2 * 6.0)


def test_strata_weigh_one_together():
    for one_jump in ("quadrature", "sampled"):
        data = Trajectories(50, seed=1, one_jump=one_jump).run(PAULI).dataset
        assert float(data["exact_weight"] + data["sampled_weight"]) == pytest.approx(1.0, abs=1e-13)
        x = 4 * 2e-2 * 6.0
        rest = 1.0 - math.exp(-x) * (1.0 + x * (one_jump == "quadrature"))
        assert float(data["sampled_weight"]) == pytest.approx(rest)
        assert float(data["distribution"].sum()) == pytest.approx(1.0, abs=1e-12)


def test_integrating_one_jump_pays():
    sampled, integrated = (
        Trajectories(400, seed=1, one_jump=one_jump).run(PAULI) for one_jump in ("sampled", "quadrature")
    )
    assert integrated.magnetization_stderr < 0.6 * sampled.magnetization_stderr
    assert abs(sampled.magnetization - integrated.magnetization) < 4.0 * sampled.magnetization_stderr


def test_the_time_of_one_jump_is_resolved_as_promised():
    loose, sharp = (
        Trajectories(2, seed=1, one_jump="quadrature", tolerance=tolerance).run(PAULI).dataset
        for tolerance in (1e-3, 1e-7)
    )
    for name in ("exact_moments", "exact_distribution", "exact_spin_magnetization"):
        assert np.allclose(loose[name], sharp[name], atol=1e-3), name
    difference = np.abs(loose["exact_moments"] - sharp["exact_moments"]).to_numpy()[-1]
    assert difference[0] < float(loose["magnetization_error"])


def test_auto_integrates_where_it_costs_no_more_than_the_sample():
    asymmetric = ChargingProblem(PAULI.network, PAULI.protocol, noise=Noise(x=(1e-2, 2e-2, 3e-2, 4e-2)))
    for problem, trajectories, choice in (
        (PAULI, 20, "sampled"), (PAULI, 200, "quadrature"), (asymmetric, 100, "sampled"), (RELAXING, 500, "sampled"),
    ):  # fmt: skip
        record = Trajectories(trajectories, seed=1).run(problem)
        assert record.discretisation["one_jump"] == choice
        assert record.discretisation["one_jump_runs"] <= trajectories


@pytest.mark.parametrize("problem", [PAULI, RELAXING])
def test_the_discretisation_keeps_its_tolerance(problem):
    """The same trajectories at a far finer step differ by less than was promised, and than was said."""
    coarse = Trajectories(60, seed=1, tolerance=1e-3, one_jump="sampled").run(problem)
    fine = Trajectories(60, seed=1, tolerance=1e-6, one_jump="sampled").run(problem)
    assert coarse.error_estimate <= 1e-3
    assert coarse.discretisation["steps"] < fine.discretisation["steps"]
    assert abs(coarse.magnetization - fine.magnetization) < 3.0 * coarse.magnetization_error
    assert abs(coarse.precision / fine.precision - 1.0) < 3.0 * coarse.precision_relative_error


def test_strong_noise_mixes_all():
    problem = ChargingProblem(ring(3), cooperative(4.0), noise=Noise(depolarising=8.0))
    record = Trajectories(300, seed=1).run(problem)
    assert float(record.dataset["exact_weight"]) < 1e-10
    assert abs(record.magnetization) < 4.0 * record.magnetization_stderr
    assert record.precision == pytest.approx(3.0, abs=4.0 * record.precision_stderr)


@pytest.mark.slow
def test_states_beyond_one_tile_are_like_those_within(monkeypatch):
    """Kernels of large states, which take twelve seconds to compile, against those of small ones."""
    problem = ChargingProblem(ring(SMALLEST), cooperative(1.0), noise=Noise(x=2e-2))
    engine = Trajectories(5, seed=1, tolerance=1e-2, one_jump="sampled")
    large = engine.run(problem)
    monkeypatch.setattr(jump_runs, "TILE_BITS", SMALLEST)
    small = engine.run(problem)
    assert large.magnetization == pytest.approx(small.magnetization, rel=1e-12)
    of_large, of_small = (record.dataset["distribution"].to_numpy() for record in (large, small))
    np.testing.assert_allclose(of_large, of_small, rtol=1e-10, atol=1e-14)


def test_what_it_cannot_do_is_said():
    quiet = ChargingProblem(PAULI.network, PAULI.protocol)
    with pytest.raises(EngineError, match="use the statevector engine"):
        Trajectories().run(quiet)
    with pytest.raises(EngineError, match="without relaxation"):
        Trajectories(one_jump="quadrature").run(RELAXING)
    large = ChargingProblem(ring(60), cooperative(6.0), noise=Noise(x=1e-3))
    with pytest.raises(InsufficientMemoryError, match="largest N that fits"):
        Trajectories().run(large)
    with pytest.raises(ToleranceError, match="max_levels"):
        Trajectories(tolerance=1e-9, max_levels=2).run(PAULI)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trajectories": 1}, "trajectories must be a whole number of 2"),
        ({"seed": -1}, "seed must be a whole number of 0"),
        ({"first": -3}, "first must be a whole number of 0"),
        ({"tolerance": 0.0}, "tolerance must"),
        ({"splitting": "BM5"}, "unknown splitting"),
        ({"one_jump": "never"}, "one_jump must be one of auto, quadrature, sampled"),
        ({"max_levels": 1}, "max_levels"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        Trajectories(**options)


def test_predictions_grow_with_the_work():
    times = NO_TIMES
    large = ChargingProblem(torus(3, 4), PAULI.protocol, noise=PAULI.noise)
    assert Trajectories().predicted_seconds(large, times) > 5.0 * Trajectories().predicted_seconds(PAULI, times)
    assert Trajectories(1000).predicted_seconds(large, times) > 1.5 * Trajectories().predicted_seconds(large, times)
    assert Trajectories().required_bytes(large) < 300e6
    enormous = ChargingProblem(ring(3000), PAULI.protocol, noise=PAULI.noise)
    assert math.isfinite(Trajectories().predicted_seconds(enormous, times))


def test_intervals_may_overlap_and_hold_kinks():
    """Each table is that of the interval alone, and of parts of it together."""
    problem = ChargingProblem(complete(3), cooperative(3.0), noise=RELAXING.noise)
    kinks, scheme = problem.protocol.kinks(problem.scales), SPLITTINGS["BM4"]
    starts, ends = np.array([0.9, 0.95, 1.5, 0.2]), np.array([1.1, 1.9, 1.5, 0.3])
    together = stage_tables(problem, starts, ends, kinks, scheme)
    for j in range(4):
        alone = stage_tables(problem, starts[j : j + 1], ends[j : j + 1], kinks, scheme)[0]
        assert np.allclose(together[j], alone, rtol=1e-11, atol=1e-13)
    assert not together[2].any()
    halves = stage_tables(problem, np.array([0.95, 1.4]), np.array([1.4, 1.9]), kinks, scheme)
    assert np.allclose(halves.sum(axis=(0, 2))[:3], together[1].sum(axis=1)[:3], rtol=5e-2)


def test_a_crossing_is_found_where_the_cubic_has_it():
    start, end, rate = 0.3, 0.5, 2.0
    found = jumps.crossing(start, end, 0.0, -rate * 0.2, rate, rate, -0.1)
    assert found == pytest.approx(0.35, abs=1e-12)
