"""Mean field and discrete truncated Wigner: what they are exact for, how far off they are, and that they say so."""

from __future__ import annotations

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import InvalidParameterError
from spinbattery.core.threads import Team
from spinbattery.engines.classical import truncated_wigner as module
from spinbattery.engines.classical.bloch import bloch_vectors
from spinbattery.engines.common.checkpoint import Checkpoint

PROTOCOL = sb.cooperative(20.0)
TILTED = sb.ProductState((0.4, 1.1, 2.0, 2.6), (0.3, 1.0, -0.7, 2.2))
BOTH = {"mean-field": sb.MeanField(1e-8), "truncated-wigner": sb.TruncatedWigner(64)}


def tilted(network, duration=5.0, J=-0.2):
    protocol = sb.cooperative(duration)
    return sb.ChargingProblem(
        network, sb.Protocol(duration, protocol.s, protocol.g, h=-0.5, J=J, initial=TILTED), sb.advantage_system6()
    )


def test_mean_field_is_exact_where_nothing_is_coupled():
    problem = tilted(sb.ring(4), J=0.0)
    exact = sb.Product(1e-8).run(problem, [2.0, 3.0])
    found = sb.MeanField(1e-8).run(problem, [2.0, 3.0])
    for name in ("magnetization", "std", "spin_magnetization", "distribution", "magnetization_t", "std_t", "energy_t"):
        assert np.abs(found.dataset[name] - exact.dataset[name]).max() < 1e-7, name


def test_truncated_wigner_is_exact_in_the_mean_where_nothing_is_coupled():
    problem = tilted(sb.ring(4), J=0.0)
    exact = sb.Product(1e-8).run(problem, [2.0])
    found = sb.TruncatedWigner(20_000, seed=1).run(problem, [2.0])
    assert abs(found.magnetization - exact.magnetization) < 4.0 * found.magnetization_stderr
    difference = found.dataset["magnetization_t"] - exact.dataset["magnetization_t"]
    assert (np.abs(difference) < 4.0 * found.dataset["magnetization_t_stderr"]).all()
    assert (
        np.abs(found.dataset["energy_t"] - exact.dataset["energy_t"]) < 4.0 * found.dataset["energy_t_stderr"]
    ).all()
    assert np.abs(found.dataset["spin_magnetization"] - exact.dataset["spin_magnetization"]).max() < 0.05


def test_the_start_fluctuates_as_the_quantum_start_does():
    """Second moments of each spin and of pairs agree with those of the product state at the start."""
    problem = tilted(sb.ring(4))
    sample = module._Sample(problem, np.empty(0), module.Mesh(problem, np.array([0.0, 5.0]), 4), 3)
    vectors = np.concatenate([sample.start(number) for number in range(400)], axis=2)
    assert np.abs(vectors.mean(axis=2) - bloch_vectors(problem)).max() < 0.04
    for spin in range(4):
        second = vectors[:, spin] @ vectors[:, spin].T / vectors.shape[2]
        assert np.abs(second - np.eye(3)).max() < 0.06  # symmetrised <sigma_a sigma_b> is the unit matrix


def test_trajectories_depend_on_their_number_alone(monkeypatch):
    problem = sb.ChargingProblem(sb.torus(3, 3), sb.cooperative(3.0))
    engine = sb.TruncatedWigner(100, seed=4)
    whole = engine.run(problem)
    assert engine.run(problem).content_hash == whole.content_hash
    monkeypatch.setattr(module, "Team", lambda: Team(1))
    assert engine.run(problem).content_hash == whole.content_hash
    assert sb.TruncatedWigner(100, seed=5).run(problem).magnetization != whole.magnetization


def test_an_interrupted_sample_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("spinbattery.engines.common.checkpoint._SECONDS_WORTH_KEEPING", 0.0)
    problem = sb.ChargingProblem(sb.torus(3, 3), sb.cooperative(3.0))
    engine = sb.TruncatedWigner(400, seed=4)
    whole = engine.run(problem)

    def stop(fraction, message):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(problem, progress=stop, checkpoint=Checkpoint(tmp_path / "run", "key"))
    seen = []
    again = engine.run(
        problem, progress=lambda fraction, _: seen.append(fraction), checkpoint=Checkpoint(tmp_path / "run", "key")
    )
    assert again.content_hash == whole.content_hash
    assert min(fraction for fraction in seen if fraction) > 0.4


@pytest.mark.parametrize("name", BOTH)
def test_records_say_that_they_are_approximations(name, tmp_path):
    record = BOTH[name].run(sb.ChargingProblem(sb.torus(3, 3), PROTOCOL))
    assert "tori of 9, 16 and 25 spins" in record.approximation
    assert record.precision is None
    assert record.precision_bound is None
    assert "(is that of an approximation)" in repr(record)
    assert record.magnetization_error is None  # that of the step would say nothing
    assert sb.read_record(record.save(tmp_path / "record.nc")).approximation == record.approximation
    assert sb.charge(sb.torus(3, 3), PROTOCOL).approximation == ""


@pytest.mark.parametrize(("side", "exact"), [(3, (0.7324, 0.1123)), (4, (0.7528, 0.0977)), (5, (0.7697, 0.0583))])
def test_the_bias_is_what_the_records_say(side, exact):
    problem = sb.ChargingProblem(sb.torus(side, side), PROTOCOL)
    mean, std = exact
    field = sb.MeanField(1e-4).run(problem)
    assert -0.145 < field.magnetization - mean < -0.095
    assert 1.95 < field.std / std < 2.7
    wigner = sb.TruncatedWigner(3000, seed=0).run(problem)
    assert 0.055 < wigner.magnetization - mean < 0.095
    assert 0.9 < wigner.std / std < 1.45


def test_thousands_of_spins():
    network = sb.parse_network("pegasus:16/missing:28:seed:7")
    assert network.n_spins > 5000
    protocol = sb.cooperative(0.5)
    field = sb.charge(network, protocol, engine=sb.MeanField(1e-2))
    wigner = sb.charge(network, protocol, engine=sb.TruncatedWigner(32))
    assert field.magnetization == pytest.approx(wigner.magnetization, abs=0.02)
    assert field.dataset["distribution"].sum() == pytest.approx(1.0)
    assert len(wigner.dataset["spin_magnetization"]) == network.n_spins


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sb.TruncatedWigner(1), "trajectories must be"),
        (lambda: sb.TruncatedWigner(seed=-1), "seed must be"),
        (lambda: sb.MeanField(1.0), "tolerance must lie"),
        (lambda: sb.charge(sb.ring(3), PROTOCOL, engine="truncated-wigner", tolerance=1e-3), "has no tolerance"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()


@pytest.mark.parametrize("engine", BOTH.values(), ids=BOTH)
def test_predictions_grow_with_the_work(engine):
    small, large = (sb.ChargingProblem(sb.torus(side, side), PROTOCOL) for side in (8, 32))
    none = np.empty(0)
    assert 8 < engine.predicted_seconds(large, none) / engine.predicted_seconds(small, none) < 24
    assert engine.required_bytes(large) > engine.required_bytes(small)


def test_memory_of_many_trajectories_is_counted():
    problem = sb.ChargingProblem(sb.torus(8, 8), PROTOCOL)
    assert sb.TruncatedWigner(10**6).required_bytes(problem) > 10**9
