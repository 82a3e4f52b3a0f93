"""An engine that has an option named ``seed`` is stochastic; the others say that they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from spinbattery import Product, Statevector
from spinbattery.core.errors import EngineError
from spinbattery.engines.common.contract import Engine


@dataclass(frozen=True)
class Deterministic(Engine):
    """The least an engine must have."""

    name: ClassVar[str] = "deterministic"
    shots: int = 10

    def refusal(self, problem):
        return None

    def required_bytes(self, problem):
        return 0

    def predicted_seconds(self, problem, times):
        return 0.0

    def solve(self, problem, times, progress, checkpoint):
        raise NotImplementedError


@dataclass(frozen=True)
class Stochastic(Deterministic):
    name: ClassVar[str] = "stochastic"
    seed: int = 0


def test_engines_with_a_seed_take_one():
    engine = Stochastic(shots=5)
    assert engine.takes_seed
    seeded = engine.with_seed(7)
    assert seeded == Stochastic(shots=5, seed=7)
    assert seeded.options() == {"shots": 5, "seed": 7}
    assert engine.seed == 0


@pytest.mark.parametrize("engine", [Deterministic(), Product(), Statevector()], ids=lambda engine: engine.name)
def test_engines_without_a_seed_refuse_one(engine):
    assert not engine.takes_seed
    with pytest.raises(EngineError, match=f"the {engine.name} engine takes no seed: it is deterministic"):
        engine.with_seed(7)


def test_an_engine_must_predict_its_run_time():
    @dataclass(frozen=True)
    class Silent(Engine):
        name: ClassVar[str] = "silent"

        def refusal(self, problem):
            return None

        def required_bytes(self, problem):
            return 0

        def solve(self, problem, times, progress, checkpoint):
            raise NotImplementedError

    with pytest.raises(TypeError, match="predicted_seconds"):
        Silent()
