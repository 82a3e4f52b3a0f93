"""What every engine of the registry does, plug-ins included: each is given the first problem that it accepts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

import spinbattery as sb
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError
from spinbattery.core.plugins import ENGINE_GROUP, plugins
from spinbattery.engines.common import checkpoint as checkpoints
from spinbattery.engines.common.checkpoint import Checkpoint
from spinbattery.engines.common.contract import Accuracy, Engine, output_times
from spinbattery.engines.registry import engine_table, engines
from spinbattery.model.problem import ChargingProblem
from spinbattery.records.columns import engine_columns, record_row
from spinbattery.records.hashing import run_key
from spinbattery.records.options import options_of

NAMES = list(engines())
NO_TIMES = np.empty(0)
NOISE = sb.parse_noise("depolarising:2e-2/ns")
SMALL = {"reads": 400, "sweeps": 100, "trajectories": 200, "bond_dimension": 4, "seed": 7}
"""Options that make runs short, where an engine has them."""

SHORT = SMALL | {"steps": 4}
"""The same with a step that predictions do not choose."""


def problem(network="ring:4", duration=5.0, J=-0.2, noise=None) -> ChargingProblem:
    return ChargingProblem(sb.parse_network(network), sb.cooperative(duration, J=J), noise=noise)


CANDIDATES = [problem(), problem(J=0.0), problem(noise=NOISE), problem("torus:2x3", 0.5)]


def small(name: str, options: dict[str, int] = SMALL) -> Engine:
    kind = engines()[name]
    try:
        return kind(**{option: value for option, value in options.items() if option in options_of(kind)})
    except TypeError as error:  # pragma: no cover - an engine whose options have no defaults cannot be named
        raise AssertionError(f"{name} cannot be made from its options: {error}") from error


def accepted(engine: Engine, candidates=CANDIDATES) -> ChargingProblem:
    """The first of some problems that an engine takes; skips where the engine's package is missing."""
    if engine.name == "qtealeaves":
        pytest.importorskip("qtealeaves")
    for candidate in candidates:
        try:
            engine.check(candidate)
        except EngineError:
            continue
        return candidate
    raise AssertionError(f"the {engine.name} engine takes none of the problems")


def times_for(engine: Engine, taken: ChargingProblem) -> list[float] | None:
    """Two output times, where an engine has any."""
    return None if engine.emulates_machine else [0.2 * taken.protocol.duration, 0.5 * taken.protocol.duration]


@pytest.fixture(autouse=True)
def _keep_everything(monkeypatch):
    """Chunks are short and worth keeping, so that checkpoints are written in short runs too."""
    monkeypatch.setattr("spinbattery.engines.common.propagation._SECONDS_PER_CHUNK", 1e-4)
    monkeypatch.setattr(checkpoints, "_SECONDS_WORTH_KEEPING", 0.0)


def test_the_registry_is_what_the_entry_points_offer():
    assert set(NAMES) == set(plugins(ENGINE_GROUP))
    assert {row.name for row in engine_table()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_says_what_it_is(name):
    kind = engines()[name]
    assert kind.name == name
    assert kind.summary
    assert kind.takes
    assert (kind.accuracy is Accuracy.APPROXIMATE) == bool(kind.approximation)
    engine = small(name)
    assert kind(**engine.options()) == engine
    json.dumps(engine.options())
    for option, declared in options_of(kind).items():
        assert declared.column is None or option in engine_columns()
        assert not declared.help or declared.help.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_it_refuses_before_any_work(name, monkeypatch):
    engine = small(name)
    taken = accepted(engine)

    def no_work(*_: Any) -> None:
        raise AssertionError("work was begun")

    monkeypatch.setattr(type(engine), "solve", no_work)
    with pytest.raises(InsufficientMemoryError, match="needs"):
        engine.check(taken, available=0)
    with pytest.raises(InvalidParameterError, match="times"):
        engine.run(taken, [2.0, 1.0])
    if not engine.takes_noise:
        with pytest.raises(EngineError, match=r"noise.*lindblad"):
            engine.run(replace(taken, noise=NOISE))
    if not engine.takes_seed:
        with pytest.raises(EngineError, match="seed"):
            engine.with_seed(1)


AWKWARD = [
    ChargingProblem(sb.SpinNetwork(1, []), sb.cooperative(5.0)),
    problem("complete:14", noise=NOISE),
    problem("ring:300"),
    problem("ring:5", J=0.0),
    ChargingProblem(
        sb.ring(3), replace(sb.cooperative(5.0), initial=sb.ProductState((0.1, 0.2, 0.3), (0.0, 0.0, 0.0)))
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_what_it_cannot_treat_is_refused_with_its_reason(name, monkeypatch):
    engine = small(name)
    monkeypatch.setattr(type(engine), "solve", lambda *_: pytest.fail("work was begun"))
    for given in AWKWARD:
        if given.noise is None or engine.takes_noise:
            reason = engine.refusal(given)
            if reason is not None:
                with pytest.raises(EngineError) as caught:
                    engine.run(given)
                assert reason in str(caught.value)
                assert name in str(caught.value)


def test_most_engines_refuse_something():
    refusing = {name for name in NAMES if any(small(name).refusal(given) for given in AWKWARD if given.noise is None)}
    assert {"product", "symmetric", "tensor", "qtealeaves", "trajectories"} <= refusing


@pytest.mark.parametrize("name", NAMES)
def test_its_prediction_is_found_without_work_and_grows_with_the_problem(name, monkeypatch):
    engine = small(name)
    taken = accepted(engine)
    monkeypatch.setattr(type(engine), "solve", lambda *_: pytest.fail("work was begun"))
    longer = replace(taken, protocol=sb.cooperative(20.0 * taken.protocol.duration, J=taken.protocol.J))
    seconds = engine.predicted_seconds(taken, NO_TIMES)
    assert 0.0 < seconds < 600.0
    assert engine.predicted_seconds(longer, NO_TIMES) >= seconds
    assert 0 < engine.required_bytes(taken) < 8e9
    wider = replace(taken, network=sb.ring(2 * taken.n_spins))
    assert engine.required_bytes(wider) >= engine.required_bytes(taken)


@dataclass(frozen=True)
class Truth:
    """mu and sigma^2 at the end."""

    mean: float
    variance: float


def constant_protocol(duration: float, J: float) -> sb.Protocol:
    """s = 0.35 and g = 1 from the start to the end: H does not depend on time."""
    return sb.Protocol(duration, [(0.0, 0.35), (1.0, 0.35)], [(0.0, 1.0), (1.0, 1.0)], -0.5, J)


def truth(given: ChargingProblem) -> Truth:
    """exp(-i H t) of all-down spins for a constant H; depolarising noise at rate g on each spin, by exp(L t)."""
    n, tau = given.n_spins, given.protocol.duration
    h = given.to_scipy()(0.0).toarray()
    sz = np.real(np.diag(given.to_scipy().sz.toarray()))
    size = len(sz)
    psi = np.zeros(size)
    psi[np.argmin(sz)] = 1.0
    identity = np.eye(size)
    generator = -1j * (np.kron(h, identity) - np.kron(identity, h.T))
    if given.noise is not None:
        rates = given.noise.pauli_rates(n)
        paulis = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])]
        for spin in range(n):
            for rate, pauli in zip(rates[:, spin], paulis, strict=True):
                jump = np.eye(1)
                for k in reversed(range(n)):  # spin 0 is the last factor
                    jump = np.kron(jump, pauli if k == spin else np.eye(2))
                generator += rate * (np.kron(jump, jump.conj()) - np.eye(size * size))
    rho = (expm(generator * tau) @ np.kron(psi, psi)).reshape(size, size)
    p = np.real(np.diag(rho))
    mean = float(p @ sz) / n
    return Truth(mean, float(p @ sz**2) / n**2 - mean**2)


CLOSED_FORMS = [
    ChargingProblem(sb.parse_network(network), constant_protocol(3.0, J), noise=noise)
    for network, J in (("torus:1x2", -0.3), ("ring:3", -0.2), ("ring:3", 0.0))
    for noise in (None, NOISE)
]


@pytest.mark.parametrize("name", NAMES)
def test_its_error_is_what_it_says_on_systems_with_closed_forms(name):
    engine = small(name)
    if engine.emulates_machine or engine.accuracy in (Accuracy.APPROXIMATE, Accuracy.UNKNOWN):
        pytest.skip(f"the {name} engine says nothing of its error against the Schroedinger equation")
    if engine.accuracy is Accuracy.TARGET:  # with a fixed bond dimension nothing is said
        engine = engines()[name]()
    judged = 0
    for given in CLOSED_FORMS:
        try:
            engine.check(given)
        except EngineError:
            continue
        judged += 1
        record, exact = engine.run(given), truth(given)
        if engine.accuracy is Accuracy.STATISTICAL:
            assert abs(record.magnetization - exact.mean) < 5.0 * record.magnetization_stderr + 1e-4
            continue
        allowed = engine.options().get("tolerance", 1e-9)
        assert abs(record.magnetization - exact.mean) <= allowed
        assert record.magnetization_error is not None
        if engine.accuracy is Accuracy.TOLERANCE:
            assert abs(record.std**2 - exact.variance) <= allowed
            assert abs(record.precision * exact.variance - 1.0) <= allowed
    assert judged


class Stop(Exception):
    pass


def stopping_after(calls: int):
    left = [calls]

    def progress(fraction: float, message: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Stop

    return progress


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_stopped_ends_with_the_same_digits(name, tmp_path):
    engine = small(name, SHORT)
    taken = accepted(engine)
    times = times_for(engine, taken)
    reached: list[float] = []
    whole = engine.run(taken, times, lambda fraction, _: reached.append(fraction))
    stem, calls, stops = tmp_path / "run", 0, 0
    while True:
        try:
            found = engine.run(taken, times, stopping_after(calls), checkpoint=Checkpoint(stem, "key"))
            break
        except Stop:
            stops += 1
            calls = 2 * calls or 1
    assert stops >= min(2, len(reached) - 1)  # an engine may report its end alone
    assert found.content_hash == whole.content_hash


@pytest.mark.parametrize("name", NAMES)
def test_its_progress_rises_to_one(name):
    engine, seen = small(name, SHORT), []
    taken = accepted(engine)
    engine.run(taken, times_for(engine, taken), lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] <= seen[-1] == 1.0
    assert seen.count(1.0) == 1


@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_loses_nothing(name, tmp_path):
    engine = small(name, SHORT)
    taken = accepted(engine)
    store = sb.Store(tmp_path / "store")
    arguments = {"noise": taken.noise, "engine": engine, "store": store}
    kept = sb.charge("ring:3", sb.cooperative(5.0), engine="statevector", store=store)

    def press(fraction: float, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sb.charge(taken.network, taken.protocol, progress=press, **arguments)
    assert len(store.select().run) == 1
    record = sb.charge(taken.network, taken.protocol, **arguments)
    assert store.get(record.key).content_hash == record.content_hash
    assert store.get(kept.key).content_hash == kept.content_hash


@pytest.mark.parametrize("name", NAMES)
def test_its_record_is_complete(name, tmp_path):
    engine = small(name, SHORT)
    taken = accepted(engine)
    times = times_for(engine, taken)
    record = engine.run(taken, times)
    seeded = engine.seeded(taken)
    assert record.engine == name
    assert record.key == run_key(taken, name, seeded.options_for(taken), output_times(taken, times))
    n, p = taken.n_spins, record.dataset["distribution"].to_numpy()
    totals = record.dataset["sz_total"].to_numpy()
    assert p.sum() == pytest.approx(1.0, abs=1e-6)
    rough = 2.0 / n if record.approximation else 1e-6  # classical spins are sorted into the nearest Sz
    assert p @ totals / n == pytest.approx(record.magnetization, abs=rough)
    assert record.dataset["spin_magnetization"].to_numpy().mean() == pytest.approx(record.magnetization, abs=1e-6)
    assert record.std >= 0.0
    assert record.precision is None or record.precision == pytest.approx(1.0 / record.std**2)
    assert (record.precision is None) == bool(record.no_precision)
    assert record.times.tolist() == (times or [])
    if times:
        assert np.isfinite(record.dataset["energy_t"].to_numpy()).all()
    row = record_row(record)
    options = engine.seeded(taken).options()
    assert all(row[option] == options[option] for option in SMALL if option in engine_columns() and option in options
               and option != "bond_dimension")  # fmt: skip
    record.save(tmp_path / "record.nc")
    again = sb.read_record(tmp_path / "record.nc")
    assert again.content_hash == record.content_hash
    assert again.problem == taken
