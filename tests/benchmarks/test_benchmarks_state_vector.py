"""The benchmark of large state vectors sweeps what it says, and its figures are computed right; nothing is timed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spinbattery.core.threads import Team


def _found():
    from benchmarks.roofline import Roof
    from benchmarks.state_vector import Case, StageCost, StageCosts

    one, two = Case(20, False, 1), Case(20, False, 2)
    costs = [
        StageCost(one, [4e-3, 4e-3, 2e-3], [4e-3, 4e-3, 2e-3], [32e9, 16e9, 16e9]),
        StageCost(two, [2e-3, 1e-3, 2e-3], [5e-3, 4e-3, 4e-3], [32e9, 32e9, 32e9]),
    ]
    return StageCosts(costs, {False: Roof([2e10, 1e10, 2e10], [1e-9, 2e-9, 1e-9])}, [1.9, 1.0, 2.0])


def test_figures():
    from benchmarks.state_vector import Case

    assert Case(20, False, 1).bytes_moved == 32 << 20
    assert Case(24, True, 2).bytes_moved == 16 << 24
    assert Case(24, True, 2).name == "N = 24, single, 2 threads"
    found = _found()
    one, two = found.costs
    assert one.median == 4e-3
    assert one.moved.median == pytest.approx((32 << 20) / 4e-3)
    assert one.fraction.lowest == pytest.approx((32 << 20) / 4e-3 / one.copied[0])
    assert found.gain(one.case) is None
    gain = found.gain(two.case)
    assert (gain.lowest, gain.median, gain.highest) == (1.0, 2.0, 4.0)
    cost = found.cost(two.case)
    assert (cost.lowest, cost.median, cost.highest) == (1.0, 1.25, 2.0)
    assert found.cost(one.case) is None


def test_figures_are_written_as_json_and_shown():
    from benchmarks.state_vector_report import plain, show_stages
    from benchmarks.tables import wide_console

    data = json.loads(json.dumps(plain(_found())))
    assert data["bare_loop"] == [1.9, 1.0, 2.0]
    assert data["stages"][1]["threads"] == 2
    assert data["stages"][0]["precision"] == "double"
    console = wide_console()
    with console.capture() as shown:
        show_stages(_found(), console)
    row = next(line for line in shown.get().splitlines() if "double" in line)
    assert row.split("│")[1].split() == ["20"]
    text = " ".join(shown.get().split())
    assert "2.00 (1.00 to 4.00)" in text
    assert "two processes against one: 1.90, 1.00, 2.00" in text


@pytest.mark.parametrize("threads", [1, 2])
def test_copies_copy_everything(threads):
    from benchmarks.state_vector import copy_in

    source, target = np.arange(1001.0), np.zeros(1001)
    with Team(threads) as team:
        copy_in(team, source, target)()
    np.testing.assert_array_equal(source, target)


def test_copies_and_sweeps_take_turns(monkeypatch):
    from benchmarks import pairing, state_vector

    monkeypatch.setattr(state_vector, "QUICK_SIZES", (14,))
    monkeypatch.setitem(state_vector.NETWORKS, 14, "torus:2x7")
    monkeypatch.setitem(state_vector._STAGES, 14, 2)
    monkeypatch.setattr(state_vector, "machine_speed_up", lambda: 1.5)
    monkeypatch.setattr(pairing, "_FILL_SECONDS", 0.0)
    said = []
    found = state_vector.measure_stages(2, said.append, quick=True)
    assert found.machine == [1.5, 1.5]
    assert [(cost.case.single, cost.case.threads) for cost in found.costs] == [
        (False, 1),
        (False, 2),
        (True, 1),
        (True, 2),
    ]
    for cost in found.costs:
        assert len(cost.seconds) == len(cost.copied) == 2
        assert min(cost.seconds) > 0.0
    assert len(said) == 3
