"""Plans: what of a grid is run, in which order, with which seeds, in which part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    Plan,
    Product,
    ProtocolRecipe,
    Statevector,
    Store,
    advantage_system6,
    cooperative,
    polarised,
    ring,
    sweep,
    torus,
)
from spinbattery.core.errors import EngineError, InvalidParameterError, NetworkError, SpinBatteryError
from spinbattery.engines.common.contract import derived_seed
from spinbattery.records.hashing import run_key
from spinbattery.sweeps.grid import Grid

CP = cooperative(1.0)
EXACT = Statevector(1e-4)


@dataclass(frozen=True)
class Noisy(Statevector):
    """The state vector with a mean that depends on the seed."""

    name: ClassVar[str] = "noisy"

    seed: int | None = field(default=None, kw_only=True)

    def solve(self, problem, times, progress, checkpoint):
        solution = super().solve(problem, times, progress, checkpoint)
        shift = np.random.default_rng(self.seed).uniform(0.0, 1e-3)
        return replace(solution, traces=replace(solution.traces, mean=solution.traces.mean + shift))


def grid(*axes, **options):
    return Grid(*axes, **options).plan()


def described(plan):
    named = ((task.problem.network.name, task.problem.protocol, task.engine.name) for task in plan)
    return [(network, protocol.name, protocol.duration, engine) for network, protocol, engine in named]


def keys(plan):
    return [task.key for task in plan]


def seeds_of(plan):
    return [task.engine.seed for task in plan]


# the grid


def test_networks_come_first_then_protocols_then_engines():
    plan = grid(["ring:3", "ring:2"], [CP, polarised(2.0)], engines=[Statevector(1e-4), Statevector(1e-3)])
    assert described(plan) == [
        ("ring:3", "cooperative", 1.0, "statevector"),
        ("ring:3", "cooperative", 1.0, "statevector"),
        ("ring:3", "polarised", 2.0, "statevector"),
        ("ring:3", "polarised", 2.0, "statevector"),
        ("ring:2", "cooperative", 1.0, "statevector"),
        ("ring:2", "cooperative", 1.0, "statevector"),
        ("ring:2", "polarised", 2.0, "statevector"),
        ("ring:2", "polarised", 2.0, "statevector"),
    ]
    assert [task.engine.tolerance for task in plan] == [1e-4, 1e-3] * 4


def test_one_of_each_needs_no_list():
    plan = grid("ring:3", CP, engines="statevector", tolerance=1e-4)
    assert keys(plan) == keys(grid([ring(3)], [CP], engines=[EXACT]))
    assert len(plan) == 1


def test_any_iterable_will_do():
    listed = grid(["ring:2", "ring:3"], [CP, polarised(2.0)], engines=[EXACT])
    generated = grid(
        (text for text in ("ring:2", "ring:3")), (one for one in (CP, polarised(2.0))), engines=iter([EXACT])
    )
    assert keys(generated) == keys(listed)
    assert len(generated) == 4


def test_the_same_run_stands_once_where_it_stood_first():
    plan = grid(["ring:2", "ring:3", "complete:3", "ring:2"], [CP, cooperative(1.0), replace(CP, name="other")])
    assert described(plan) == [
        ("ring:2", "cooperative", 1.0, "symmetric"),
        ("ring:3", "cooperative", 1.0, "symmetric"),
    ]


def test_text_networks_are_read():
    assert [task.problem.network for task in grid(["ring:3", torus(2, 2), "torus:1x2"], CP)] == [
        ring(3), torus(2, 2), torus(1, 2),
    ]  # fmt: skip


def test_recipes_are_built_for_each_network():
    recipe = ProtocolRecipe("local", "2ns", equal_cost=True)
    plan = grid(["ring:2", "torus:2x2"], recipe)
    assert [task.problem.protocol for task in plan] == [recipe.build(network) for network in (ring(2), torus(2, 2))]
    assert plan.tasks[0].problem.protocol.h != plan.tasks[1].problem.protocol.h
    assert [task.problem.protocol.name for task in plan] == ["local equal-cost"] * 2


def test_recipes_are_built_with_the_scales_of_the_sweep():
    recipe, scales = ProtocolRecipe("polarised", "2ns", s_hold=0.4, equal_cost=True), halved()
    [task] = grid("ring:3", recipe, scales=scales)
    assert task.problem.scales == scales
    assert task.problem.protocol == recipe.build(ring(3), scales)
    assert task.problem.protocol.h != recipe.build(ring(3)).h


def halved():
    """The default scales with half the transverse field."""
    from spinbattery import EnergyScales
    from spinbattery.model.scales import LinearTable

    s, full = np.linspace(0.0, 1.0, 50), advantage_system6()
    return EnergyScales("halved", LinearTable(tuple(s), tuple(full.A(s) / 2)), LinearTable(tuple(s), tuple(full.B(s))))


def test_functions_are_called_with_each_network():
    plan = grid(["ring:2", "torus:3x3"], [CP, CP.local_equivalent])
    assert described(plan) == [
        ("ring:2", "cooperative", 1.0, "symmetric"),
        ("ring:2", "local", 1.0, "product"),
        ("torus:3x3", "cooperative", 1.0, "symmetric"),
        ("torus:3x3", "local", 1.0, "product"),
    ]
    assert [plan.tasks[k].problem.protocol.h for k in (1, 3)] == [
        CP.local_equivalent(network).h for network in (ring(2), torus(3, 3))
    ]


def test_engines_by_name_object_and_list():
    local = cooperative(1.0, J=0.0)
    plan = grid("ring:3", local, engines=["auto", "statevector", Statevector(1e-3), Product(1e-3)], tolerance=1e-4)
    assert [(task.engine.name, task.engine.tolerance) for task in plan] == [
        ("product", 1e-4), ("statevector", 1e-4), ("statevector", 1e-3), ("product", 1e-3),
    ]  # fmt: skip
    assert "evolves alone" in plan.tasks[0].reason
    assert [task.reason for task in plan][1:] == ["chosen by the caller"] * 3
    assert [task.engine.tolerance for task in grid("ring:3", CP)] == [1e-6]


def test_a_tolerance_beside_engine_objects_alone_is_refused():
    with pytest.raises(InvalidParameterError, match="a tolerance of its own"):
        grid("ring:2", CP, engines=[Statevector(1e-4), Statevector(1e-3)], tolerance=1e-8)


def test_output_times():
    plan = grid("ring:2", [CP, cooperative(2.0)], points=3)
    assert [task.times.tolist() for task in plan] == [[0.0, 0.5, 1.0], [0.0, 1.0, 2.0]]
    assert [task.times.tolist() for task in grid("ring:2", [CP, cooperative(2.0)], times=[0.25, 1.0])] == [
        [0.25, 1.0], [0.25, 1.0],
    ]  # fmt: skip
    assert grid("ring:2", CP).tasks[0].times.tolist() == []


def test_the_key_is_that_of_the_run():
    [task] = grid("ring:3", CP, engines=EXACT, points=2)
    expected = run_key(ChargingProblem(ring(3), CP), "statevector", EXACT.options(), np.array([0.0, 1.0]))
    assert task.key == expected == EXACT.run(task.problem, task.times).key


def test_a_task_knows_what_it_takes():
    [task] = grid("ring:3", CP, engines=EXACT, points=2)
    assert task.seconds == EXACT.predicted_seconds(task.problem, task.times) > 0.0
    assert task.required_bytes == EXACT.required_bytes(task.problem) > 0
    assert str(task) == "ring:3, cooperative, 1 ns, statevector"
    row = task.parameters()
    assert (row["key"], row["n_spins"], row["n_times"], row["engine"]) == (task.key, 3, 2, "statevector")


def test_plans_add_up():
    one, two = grid(["ring:2", "ring:3"], CP), grid(["ring:3", "ring:4"], CP)
    assert [task.problem.n_spins for task in one + two] == [2, 3, 4]
    assert (one + two).seconds == pytest.approx(sum(task.seconds for task in (one + two)))
    assert len(Plan()) == 0
    assert keys(Plan() + one) == keys(one)


@pytest.mark.parametrize(
    "arguments, options, error, message",
    [
        ((["ring:2"], []), {}, InvalidParameterError, "the grid is empty"),
        (([], [CP]), {}, InvalidParameterError, "the grid is empty"),
        ((["ring:2"], [CP]), {"engines": []}, InvalidParameterError, "the grid is empty"),
        (("rng:2", CP), {}, NetworkError, "Did you mean 'ring'"),
        ((5, CP), {}, InvalidParameterError, "5 is none of the networks"),
        (([None], CP), {}, InvalidParameterError, "None is none of the networks"),
        (("ring:2", "cooperative"), {}, InvalidParameterError, "'cooperative' is none of the protocols"),
        (("ring:2", [CP, 3.0]), {}, InvalidParameterError, r"3\.0 is none of the protocols"),
        (("ring:2", lambda network: network), {}, InvalidParameterError, "functions from a network to a protocol"),
        (("ring:2", CP), {"engines": 5}, InvalidParameterError, "5 is none of the engines"),
        (("ring:2", CP), {"engines": [EXACT, None]}, InvalidParameterError, "None is none of the engines"),
        (("ring:2", CP), {"engines": "statevecto"}, EngineError, "Did you mean 'statevector'"),
        (("ring:2", CP), {"tolerance": 0.0}, SpinBatteryError, "tolerance"),
        (("ring:2", CP), {"times": [0.5], "points": 3}, InvalidParameterError, "give one of them"),
        (("ring:2", CP), {"times": [3.0]}, InvalidParameterError, "within the protocol, 0 to 1 ns"),
        (("ring:2", CP), {"points": 1}, InvalidParameterError, "points must be a whole number of 2 or more"),
        (("ring:2", CP), {"points": 2.0}, InvalidParameterError, "points must be a whole number"),
    ],
)
def test_what_a_grid_refuses(arguments, options, error, message):
    with pytest.raises(error, match=message):
        grid(*arguments, **options)


# seeds


def test_seeds_come_from_the_problem_and_the_number():
    plan = grid(["ring:2", "ring:3"], CP, engines=Noisy(1e-4), seeds=range(3))
    assert len(plan) == 6
    assert len(set(seeds_of(plan))) == 6
    for task, base in zip(plan, [0, 1, 2] * 2, strict=True):
        assert task.engine == replace(Noisy(1e-4), seed=derived_seed(task.problem, task.engine.name, base))
        assert 0 <= task.engine.seed < 2**48


def test_seeds_are_the_same_in_every_grid():
    plan = grid(["ring:2", "ring:3"], CP, engines=Noisy(1e-4), seeds=[5, 7])
    [other] = [task for task in grid("ring:3", CP, engines=[EXACT, Noisy(1e-4)], seeds=[7]) if task.engine.takes_seed]
    assert other.key == plan.tasks[3].key
    assert seeds_of(grid("ring:2", replace(CP, name="renamed"), engines=Noisy(1e-4), seeds=[5])) == seeds_of(plan)[:1]
    assert seeds_of(grid("ring:2", cooperative(2.0), engines=Noisy(1e-4), seeds=[5])) != seeds_of(plan)[:1]


def test_a_known_seed():
    """What is in stores must be found again by later versions."""
    problem = ChargingProblem(ring(2), CP)
    text = f"seed:1:{problem.content_hash}:noisy:3"
    import hashlib

    assert derived_seed(problem, "noisy", 3) == int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def test_without_seeds_a_stochastic_engine_has_the_one_of_number_zero():
    assert keys(grid("ring:2", CP, engines=Noisy(1e-4))) == keys(grid("ring:2", CP, engines=Noisy(1e-4), seeds=[0]))


def test_a_seed_of_its_own_stays_unless_seeds_are_asked_for():
    assert seeds_of(grid("ring:2", CP, engines=Noisy(1e-4, seed=11))) == [11]
    assert seeds_of(grid("ring:2", CP, engines=Noisy(1e-4, seed=0))) == [0]
    assert seeds_of(grid("ring:2", CP, engines=Noisy(1e-4, seed=11), seeds=[2])) == [
        derived_seed(ChargingProblem(ring(2), CP), "noisy", 2)
    ]


def test_deterministic_engines_stand_once_beside_seeds():
    plan = grid("ring:2", CP, engines=[EXACT, Noisy(1e-4)], seeds=range(3))
    assert [task.engine.name for task in plan] == ["statevector", "noisy", "noisy", "noisy"]


@pytest.mark.parametrize("engines", ["auto", "statevector", [EXACT, Product()]])
def test_seeds_for_deterministic_engines_are_refused(engines):
    with pytest.raises(InvalidParameterError, match="every engine of this grid is deterministic"):
        grid("ring:2", CP, engines=engines, seeds=[1, 2])


@pytest.mark.parametrize(
    "seeds, message",
    [
        ([], "one or more different"), ([1, 1], r"different numbers, but are \[1, 1\]"), ([1.5], "a seed must be"),
        ([-1], "a seed must be"), ([True], "a seed must be"), (5, "seeds must be several numbers"),
    ],
)  # fmt: skip
def test_unusable_seeds(seeds, message):
    with pytest.raises(InvalidParameterError, match=message):
        grid("ring:2", CP, engines=Noisy(), seeds=seeds)


def test_seeds_are_used_and_kept_with_the_records(tmp_path):
    result = sweep("ring:2", CP, engines=[Noisy(1e-4), EXACT], seeds=range(3), store=tmp_path, workers=1)
    expected = seeds_of(result.plan.tasks[:3])
    data = result.dataset
    assert data.seed.to_numpy()[:3].tolist() == expected
    assert np.isnan(data.seed.to_numpy()[3])
    assert len(set(data.magnetization.to_numpy())) == 4
    rows = {row["key"]: row for row in Store(tmp_path).rows(engine="noisy")}
    for task, seed in zip(result.plan, expected, strict=False):
        assert rows[task.key]["seed"] == seed
        assert f'"seed":{seed}' in rows[task.key]["engine_options"]
    assert len(Store(tmp_path).rows(seed=expected[1])) == 1


# shards

SIZES = [f"ring:{n}" for n in range(2, 13)]


@pytest.fixture(scope="module")
def plan():
    return grid(SIZES, [cooperative(duration) for duration in (1.0, 5.0, 20.0)], tolerance=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 33, 40])
def test_shards_are_the_plan_dealt_out(plan, n):
    shards = [plan.shard(i, n) for i in range(1, n + 1)]
    dealt = [key for shard in shards for key in keys(shard)]
    assert sorted(dealt) == sorted(keys(plan))
    position = {key: k for k, key in enumerate(keys(plan))}
    for shard in shards:
        places = [position[key] for key in keys(shard)]
        assert places == sorted(places)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_shards_cost_about_the_same(plan, n):
    costs = [plan.shard(i, n).seconds for i in range(1, n + 1)]
    longest = max(task.seconds for task in plan)
    assert max(costs) - min(costs) <= longest  # what the longest first, to the least loaded, promises
    assert max(costs) <= max(longest, 1.1 * plan.seconds / n)


def test_shards_do_not_depend_on_the_order_of_the_plan(plan):
    turned = Plan(tuple(reversed(plan.tasks)))
    for i in (1, 2, 3):
        assert set(keys(turned.shard(i, 3))) == set(keys(plan.shard(i, 3)))


def test_shards_do_not_depend_on_what_is_finished(tmp_path):
    small = grid(SIZES[:4], CP, tolerance=1e-3)
    before = keys(small.shard(2, 2))
    sweep(SIZES[:2], CP, tolerance=1e-3, store=tmp_path, workers=1)
    assert keys(small.shard(2, 2)) == before


@dataclass(frozen=True)
class Vague(Statevector):
    """An engine whose predictions differ in the last digits between machines."""

    def predicted_seconds(self, problem, times):
        return 2.0 * (1.0 + vagueness.uniform(-1e-15, 1e-15))


vagueness = np.random.default_rng(0)


def test_shards_do_not_depend_on_the_last_digits_of_predictions():
    one, other = (grid(SIZES, CP, engines=Vague(1e-4)) for _ in range(2))
    assert [task.seconds for task in one] != [task.seconds for task in other]
    assert len({task.seconds for task in one}) > 1
    for i in (1, 2, 3):
        assert keys(one.shard(i, 3)) == keys(other.shard(i, 3))


@pytest.mark.parametrize("i, n", [(0, 2), (3, 2), (-1, 2), (1, 0), (1.0, 2), (1, 2.0), (True, 2), ("1", 2)])
def test_shards_that_are_none(plan, i, n):
    with pytest.raises(InvalidParameterError, match="shard"):
        plan.shard(i, n)
