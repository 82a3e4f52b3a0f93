"""Results of QuTiP's solvers become records."""

from __future__ import annotations

import numpy as np
import pytest
import qutip

from spinbattery import (
    ChargingProblem,
    ProductState,
    Protocol,
    SpinNetwork,
    Statevector,
    Waveform,
    cooperative,
    read_record,
    ring,
)
from spinbattery.core.errors import RecordError
from spinbattery.interop.qutip_results import record_from_qutip
from spinbattery.model.noise import Noise
from spinbattery.model.operators import magnetization_diagonal

CP = cooperative(6.0)
TIGHT = {"method": "vern9", "atol": 1e-12, "rtol": 1e-10, "max_step": 0.1, "progress_bar": ""}
PAULI = Noise(x=0.03, z=(0.02, 0.0, 0.03))
TRIANGLE = SpinNetwork(3, [(0, 1), (1, 2)], [1.0, -0.5], [(0, 2)], [0.1])
TLIST = [0.0, 1.5, 4.0, 6.0]


def noisy(network=TRIANGLE, noise=PAULI, protocol=CP):
    return ChargingProblem(network, protocol, noise=noise)


def mesolve(problem, tlist=TLIST, initial=None, e_ops=None, **options):
    hamiltonian, jumps, start = problem.to_qutip()
    return qutip.mesolve(hamiltonian, initial or start, tlist, jumps, e_ops=e_ops, options=TIGHT | options)


def mcsolve(problem, ntraj=20, tlist=TLIST, e_ops=None, **options):
    hamiltonian, jumps, start = problem.to_qutip()
    loose = {"progress_bar": "", "max_step": 0.2}
    return qutip.mcsolve(hamiltonian, start, tlist, jumps, ntraj=ntraj, seeds=7, e_ops=e_ops, options=loose | options)


@pytest.fixture(scope="module")
def kept():
    """Trajectories with all their states, and with the no-jump run apart."""
    return {
        improved: mcsolve(noisy(), keep_runs_results=True, improved_sampling=improved, store_states=True)
        for improved in (False, True)
    }


def total_sz(n_spins, power=1):
    return qutip.Qobj(np.diag((magnetization_diagonal(n_spins) / n_spins) ** power), dims=[[2] * n_spins] * 2)


def test_a_density_matrix_against_qutips_own_expectation_values(tmp_path):
    problem = noisy(noise=Noise(x=0.01, z=(0.02, 0.0, 0.03), relaxation=0.02, temperature=100.0))
    energy = problem.to_qobjevo()
    result = mesolve(problem, e_ops=[total_sz(3), total_sz(3, 2), energy], store_states=True)
    record = record_from_qutip(result, problem, source="notebook 3")
    mean, square, turns = result.expect
    np.testing.assert_allclose(record.times, TLIST)
    np.testing.assert_allclose(record.dataset["magnetization_t"], mean, atol=1e-12)
    np.testing.assert_allclose(record.dataset["std_t"], np.sqrt(np.maximum(square - mean**2, 0.0)), atol=1e-7)
    np.testing.assert_allclose(record.dataset["energy_t"], turns / (2.0 * np.pi), atol=1e-10)
    np.testing.assert_allclose(record.dataset["purity_t"], [state.purity() for state in result.states], atol=1e-10)
    assert record.magnetization == pytest.approx(mean[-1], abs=1e-12)
    assert record.variance == pytest.approx(square[-1] - mean[-1] ** 2, rel=1e-10)
    assert record.precision == pytest.approx(1.0 / record.variance)
    assert record.purity == pytest.approx(result.final_state.purity())
    lowest = record.dataset["smallest_eigenvalue"].item()
    assert lowest == pytest.approx(result.final_state.eigenenergies()[0], abs=1e-12)
    spins = [qutip.expect(qutip.sigmaz(), result.final_state.ptrace(k)) for k in range(3)]
    np.testing.assert_allclose(record.dataset["spin_magnetization"], spins, atol=1e-10)
    assert record.dataset["distribution"].sum() == pytest.approx(1.0)
    assert record.engine == "qutip"
    assert record.problem == problem
    path = record.save(tmp_path / "qutip.nc")
    assert read_record(path) == record


def test_a_ket_gives_what_the_state_vector_gives():
    problem = ChargingProblem(TRIANGLE, cooperative(6.0, initial=ProductState((0.3, 1.0, 2.0), (0.0, 0.5, 1.0))))
    record = record_from_qutip(mesolve(problem), problem)  # without collapse operators mesolve calls sesolve
    ours = Statevector(1e-9).run(problem, times=TLIST)
    assert record.magnetization == pytest.approx(ours.magnetization, abs=1e-7)
    assert record.precision == pytest.approx(ours.precision, rel=1e-7)
    for name in ("magnetization_t", "std_t", "energy_t", "spin_magnetization", "distribution"):
        np.testing.assert_allclose(record.dataset[name], ours.dataset[name], atol=1e-7)
    for name in ("purity", "purity_t", "smallest_eigenvalue"):
        assert name not in record.dataset


def test_what_qutip_does_not_know_is_absent():
    problem = noisy()
    record = record_from_qutip(mesolve(problem, e_ops=[total_sz(3)], store_final_state=True), problem)
    for name in (
        "magnetization_error",
        "precision_relative_error",
        "magnetization_stderr",
        "time",
        "purity_t",
        "std_t",
    ):
        assert name not in record.dataset
    assert record.error_estimate is None
    assert record.purity is not None
    assert "error unknown" in repr(record)


def test_provenance_names_the_solver_and_its_options():
    import json

    problem = noisy()
    record = record_from_qutip(mesolve(problem), problem, source="notebook 3")
    options = json.loads(record.dataset.attrs["engine_options"])
    assert options["solver"] == "mesolve"
    assert options["qutip"] == qutip.__version__
    assert options["source"] == "notebook 3"
    assert (options["method"], options["atol"], options["max_step"]) == ("vern9", 1e-12, 0.1)
    assert "progress_bar" not in options
    looser = record_from_qutip(mesolve(problem, rtol=1e-4, atol=1e-6), problem, source="notebook 3")
    assert looser.key != record.key
    assert record_from_qutip(mesolve(problem), problem, source="notebook 3").key == record.key


@pytest.mark.parametrize("improved", [False, True])
def test_trajectories_give_the_weighted_mean_and_its_standard_error(kept, improved):
    result, problem = kept[improved], noisy()
    record = record_from_qutip(result, problem)
    average = result.average_final_state
    mean = qutip.expect(total_sz(3), average)
    assert record.magnetization == pytest.approx(mean, abs=1e-10)
    weight = 1.0 - sum(result.deterministic_weights)
    assert (weight < 0.9) == improved
    values = np.array([qutip.expect(total_sz(3), state.final_state) for state in result.trajectories])
    stderr = weight * values.std(ddof=1) / np.sqrt(len(values))
    assert record.magnetization_stderr == pytest.approx(stderr, rel=1e-10)
    biased = qutip.expect(total_sz(3, 2), average) - mean**2
    assert record.variance == pytest.approx(biased + stderr**2, rel=1e-10)
    assert record.dataset["precision_stderr"] == record.dataset["variance_stderr"] / record.variance**2
    np.testing.assert_allclose(record.dataset["magnetization_t"], [qutip.expect(total_sz(3), s) for s in
                                                                  result.average_states], atol=1e-10)  # fmt: skip
    for name in ("magnetization_t_stderr", "variance_t_stderr", "energy_t_stderr"):
        assert record.dataset[name].dims == ("time",)
        assert record.dataset[name][0] == pytest.approx(0.0, abs=1e-15)
        assert (record.dataset[name][1:] > 0.0).all()
    assert record.dataset["distribution_stderr"].dims == ("sz_total",)
    assert record.dataset["spin_magnetization_stderr"].dims == ("spin",)
    assert "purity" not in record.dataset  # that of an average over trajectories is biased
    assert "standard error" in repr(record)


@pytest.mark.parametrize("improved", [False, True])
def test_trajectories_lie_within_their_errors_of_the_density_matrix(kept, improved):
    problem = noisy()
    exact, drawn = record_from_qutip(mesolve(problem), problem), record_from_qutip(kept[improved], problem)
    assert abs(drawn.magnetization - exact.magnetization) < 4.0 * drawn.magnetization_stderr
    assert abs(drawn.variance - exact.variance) < 4.0 * float(drawn.dataset["variance_stderr"])
    away = np.abs(drawn.dataset["magnetization_t"] - exact.dataset["magnetization_t"])
    assert (away <= 4.0 * drawn.dataset["magnetization_t_stderr"] + 1e-6).all()


def test_the_error_of_the_variance_is_that_of_many_repetitions():
    from spinbattery.interop.qutip_results import _solution, _WeightedRuns

    problem = noisy(ring(1), Noise(x=0.1))
    draws = np.random.default_rng(5).random((400, 30)) < 0.3
    states = {up: qutip.basis(2, 0 if up else 1) for up in (False, True)}
    found = [_solution(problem, _WeightedRuns([[states[up]] for up in draw], np.empty(0), np.ones(30)), np.empty(0))
             for draw in draws.tolist()]  # fmt: skip
    variances = np.array([one.variance for one in found])
    assert variances.mean() == pytest.approx(4.0 * 0.3 * 0.7, abs=4.0 * variances.std() / 20.0)
    errors = np.array([one.standard_errors.variance[-1] for one in found])
    assert np.sqrt((errors**2).mean()) == pytest.approx(variances.std(), rel=0.2)


def test_the_average_alone_has_no_standard_errors():
    problem = noisy()
    result = mcsolve(problem, ntraj=5)
    with pytest.warns(UserWarning, match="average over its 5 trajectories alone.*keep_runs_results"):
        record = record_from_qutip(result, problem)
    assert record.magnetization == pytest.approx(qutip.expect(total_sz(3), result.average_final_state), abs=1e-10)
    assert record.magnetization_stderr is None
    assert "purity" not in record.dataset
    assert len(record.times) == 4
    assert '"trajectories":5' in record.dataset.attrs["engine_options"]


def test_one_trajectory_has_no_standard_errors():
    problem = noisy()
    record = record_from_qutip(mcsolve(problem, ntraj=1, keep_runs_results=True), problem)
    assert record.magnetization_stderr is None


def test_missing_states_are_asked_for_by_the_name_of_the_option():
    problem = noisy()
    with pytest.raises(RecordError, match=r"'store_final_state': True.*'store_states': True"):
        record_from_qutip(mesolve(problem, e_ops=[total_sz(3)]), problem)
    with pytest.raises(RecordError, match=r"'store_final_state': True, 'keep_runs_results': True"):
        record_from_qutip(mcsolve(problem, ntraj=2, e_ops=[total_sz(3)], keep_runs_results=True), problem)
    record = record_from_qutip(
        mcsolve(problem, ntraj=2, e_ops=[total_sz(3)], keep_runs_results=True, store_final_state=True), problem
    )
    assert record.magnetization_stderr is not None
    assert "time" not in record.dataset


def test_results_of_another_problem_are_refused():
    problem = noisy()
    result = mesolve(problem)
    with pytest.raises(RecordError, match="dimension 8, but the states of 4 spins have 16"):
        record_from_qutip(result, noisy(ring(4), Noise(x=0.01)))
    with pytest.raises(RecordError, match="ends at 6 ns, but the protocol at 7 ns"):
        record_from_qutip(result, noisy(protocol=cooperative(7.0)))
    with pytest.raises(RecordError, match="overlap with the problem's initial state is 0"):
        record_from_qutip(result, noisy(protocol=cooperative(6.0, initial=ProductState.named("up"))))
    with pytest.raises(RecordError, match=r"has \d+ collapse operators, but the problem has no noise"):
        record_from_qutip(result, ChargingProblem(TRIANGLE, CP))
    silent = ChargingProblem(TRIANGLE, CP)
    with pytest.raises(RecordError, match=r"sesolve has no collapse operators.*\(x:0.03/ns"):
        record_from_qutip(mesolve(silent), problem)
    with pytest.raises(RecordError, match="one of sesolve, mesolve or mcsolve, but is Qobj"):
        record_from_qutip(result.final_state, problem)


@pytest.mark.parametrize("noise", [PAULI, Noise(x=0.03, relaxation=0.02, temperature=100.0)])
@pytest.mark.parametrize("solver", [qutip.mesolve, qutip.mcsolve])
def test_another_number_of_collapse_operators_is_refused(solver, noise):
    problem = noisy(noise=noise)
    hamiltonian, jumps, start = problem.to_qutip()
    options = {"progress_bar": "", "store_states": True, "max_step": 0.2}
    options |= {"keep_runs_results": True} if solver is qutip.mcsolve else {}
    more = {"ntraj": 2, "seeds": 7} if solver is qutip.mcsolve else {}
    for given in (jumps[:-1], [*jumps, jumps[0]]):
        result = solver(hamiltonian, start, TLIST, given, options=options, **more)
        message = rf"has {len(given)} collapse operators, but the noise .* has {len(jumps)}; pass all of to_qutip"
        with pytest.raises(RecordError, match=message):
            record_from_qutip(result, problem)
    record_from_qutip(solver(hamiltonian, start, TLIST, jumps, options=options, **more), problem)


@pytest.mark.parametrize("kept", ["store_states", "store_final_state"])
def test_a_result_that_began_late_is_refused(kept):
    """Ring of 3, 10 ns: from 5 ns on mu ends at -0.26882, over the whole protocol at 0.74794."""
    problem = ChargingProblem(ring(3), cooperative(10.0))
    options = {"e_ops": [total_sz(3)], "store_states": False, kept: True}
    late, whole = (mesolve(problem, tlist, **options) for tlist in ([5.0, 10.0], [0.0, 5.0, 10.0]))
    assert late.expect[0][-1] == pytest.approx(-0.26882, abs=5e-6)
    with pytest.raises(RecordError, match=r"begins at 5 ns, but the protocol at 0; let the times of the solver, in ns"):
        record_from_qutip(late, problem)
    assert record_from_qutip(whole, problem).magnetization == pytest.approx(0.74794, abs=5e-6)


@pytest.mark.parametrize("tlist, message", [
    ([-1.0, 6.0], "begins at -1 ns"),
    ([0.0, 6e-3], "ends at 0.006 ns, but the protocol at 6 ns; let the times of the solver, in ns, end there"),
    ([0.0, 7.0], "ends at 7 ns, but the protocol at 6 ns"),
])  # fmt: skip
def test_times_of_another_protocol_or_in_another_unit_are_refused(tlist, message):
    problem = noisy()
    with pytest.raises(RecordError, match=message):
        record_from_qutip(mesolve(problem, tlist), problem)


def test_a_liouvillian_with_noise_in_it_is_none_without():
    """Its collapse operators are not counted, but its state is mixed: purity 0.19 on a ring of 3, 10 ns."""
    silent = ChargingProblem(ring(3), cooperative(10.0))
    hamiltonian, jumps, start = noisy(ring(3), Noise(x=0.05), cooperative(10.0)).to_qutip()
    for given, purity in ((jumps, 0.19), ([], 1.0)):
        liouvillian = qutip.liouvillian(hamiltonian, given)
        result = qutip.mesolve(liouvillian, start, [0.0, 10.0], options=TIGHT | {"store_final_state": True})
        assert result.stats["num_collapse"] == 0
        assert result.final_state.purity() == pytest.approx(purity, abs=5e-3)
        if given:
            with pytest.raises(RecordError, match=r"mixed state, of purity 0\.190.*, but the problem has no noise"):
                record_from_qutip(result, silent)
        else:
            assert record_from_qutip(result, silent).magnetization == pytest.approx(0.74794, abs=5e-6)


@pytest.mark.parametrize("options", [{"rtol": 1e-6, "atol": 1e-8}, {"rtol": 1e-4, "atol": 1e-6}, {"method": "bdf"}])
def test_purities_that_a_loose_tolerance_explains_are_taken(options):
    """QuTiP's defaults drift by 2e-4 here, and its rtol = 1e-4 by 2e-2."""
    problem = ChargingProblem(ring(3), cooperative(20.0))
    hamiltonian, _, start = problem.to_qutip()
    more = {"nsteps": 100_000, "progress_bar": "", "store_final_state": True}
    tlist = problem.protocol.breakpoints
    mixed = qutip.mesolve(hamiltonian, qutip.ket2dm(start), tlist, options=more | options)
    assert abs(mixed.final_state.purity() - 1.0) > 1e-4
    assert record_from_qutip(mixed, problem).magnetization == pytest.approx(0.6, abs=0.2)
    free = qutip.sesolve(hamiltonian, start, tlist, options=more | options | {"normalize_output": False})
    assert record_from_qutip(free, problem).dataset["norm_error"] > 1e-4


def test_a_pure_state_is_none_of_noise():
    problem = noisy(noise=Noise(x=0.03))
    hamiltonian, jumps, start = problem.to_qutip()
    off = [0.0 * jump for jump in jumps]
    with pytest.raises(RecordError, match=r"ends in a pure state, but the noise of the problem \(x:0.03/ns"):
        record_from_qutip(qutip.mesolve(hamiltonian, start, TLIST, off, options=TIGHT), problem)
    faint = noisy(noise=Noise(x=1e-9))  # too little to be seen
    assert record_from_qutip(mesolve(faint), faint).purity == pytest.approx(1.0, abs=1e-6)
    dip, held = Waveform(((0.0, 1.0), (0.5, 0.35), (1.0, 1.0))), Waveform(((0.0, 1.0), (1.0, 1.0)))
    cold = noisy(ring(1), Noise(relaxation=5.0, temperature=1.0), Protocol(60.0, dip, held, -0.5, 0.0))
    cooled = record_from_qutip(mesolve(cold, [0.0, 0.1, 60.0], nsteps=100_000), cold)
    assert cooled.dataset["purity_t"][1] < 0.9  # mixed on its way from down to up, and pure there
    assert cooled.purity == pytest.approx(1.0, abs=1e-6)


def test_states_that_are_none_are_refused():
    problem = ChargingProblem(TRIANGLE, CP)
    hamiltonian, _, start = problem.to_qutip()
    kept = TIGHT | {"store_final_state": True, "normalize_output": False}
    for given in (2.0 * start, qutip.qeye([2, 2, 2])):
        with pytest.raises(RecordError, match="not normalised"):
            record_from_qutip(qutip.sesolve(hamiltonian, given, TLIST, options=kept), problem)
    for initial in (qutip.ket2dm(start), start):  # a density matrix of half the weight
        result = qutip.mesolve(hamiltonian, 0.5 * initial, TLIST, options=kept)
        with pytest.raises(RecordError, match="not normalised"):
            record_from_qutip(result, problem)
    matrix = qutip.QobjEvo(lambda t: qutip.Qobj(hamiltonian(t).full(), dims=[[4, 2], [4, 2]]))
    regrouped = qutip.Qobj(start.full(), dims=[[4, 2], [1]])
    with pytest.raises(RecordError, match=r"dimensions \[4, 2\], but 3 spins have \[2, 2, 2\]"):
        record_from_qutip(qutip.sesolve(matrix, regrouped, TLIST, options=kept), problem)
    flat = qutip.QobjEvo(lambda t: qutip.Qobj(hamiltonian(t).full()))
    plain = qutip.sesolve(flat, qutip.Qobj(start.full()), TLIST, options=kept)
    ours = record_from_qutip(qutip.sesolve(hamiltonian, start, TLIST, options=kept), problem)
    assert record_from_qutip(plain, problem).magnetization == pytest.approx(ours.magnetization, abs=1e-9)


def test_every_trajectory_starts_from_the_state_of_the_problem():
    problem = noisy()
    hamiltonian, jumps, start = problem.to_qutip()
    up = qutip.tensor([qutip.basis(2, 0)] * 3)
    options = {"progress_bar": "", "store_states": True, "max_step": 0.2, "keep_runs_results": True}
    solver = qutip.MCSolver(hamiltonian, jumps, options=options)
    result = solver.run([(start, 0.5), (up, 0.5)], TLIST, ntraj=[2, 2], seeds=7)
    with pytest.raises(RecordError, match="overlap with the problem's initial state is 0"):
        record_from_qutip(result, problem)
