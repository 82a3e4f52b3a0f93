"""What engines refuse, before any work or memory is spent."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    Product,
    ProductState,
    Protocol,
    SpinNetwork,
    Statevector,
    Symmetric,
    Waveform,
    charge,
    cooperative,
    ring,
    torus,
)
from spinbattery.core.errors import (
    EngineError,
    InsufficientMemoryError,
    InvalidParameterError,
    SpinBatteryError,
    ToleranceError,
)
from spinbattery.engines.choice import choose_engine
from spinbattery.engines.common import contract as base
from spinbattery.model.noise import Noise

PROTOCOL = cooperative(2.0)
LOCAL = cooperative(2.0, J=0.0)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_208_000_000, "1.21 GB"),
        (72 << 60, "83 EB"),
        (72 << 50, "81.1 PB"),
    ],
)
def test_sizes_are_written_with_a_unit(size, text):
    assert base.format_bytes(size) == text


def test_memory_is_refused_beforehand_with_the_amount_named(monkeypatch):
    def forbidden(*arguments, **options):
        raise AssertionError("work began before memory was checked")

    monkeypatch.setattr(Statevector, "solve", forbidden)
    amount = base.format_bytes(Statevector().required_bytes(ChargingProblem(ring(60), PROTOCOL)))
    assert amount.endswith("EB")
    with pytest.raises(InsufficientMemoryError, match=rf"needs {amount} for N = 60 spins, but .* are free"):
        charge(ring(60), PROTOCOL)


def test_the_memory_of_the_paper_network_is_refused_too():
    with pytest.raises(InsufficientMemoryError, match="N = 5612"):
        charge(ring(5612), PROTOCOL)


@pytest.mark.parametrize(("shortfall", "largest"), [(0, 20), (1, 19)])
def test_the_hint_names_the_largest_network_that_fits(monkeypatch, shortfall, largest):
    available = Statevector().required_bytes(ChargingProblem(ring(20), PROTOCOL)) - shortfall
    monkeypatch.setattr(base, "available_memory", lambda: available)
    with pytest.raises(InsufficientMemoryError, match=f"largest N that fits is {largest};"):
        charge(ring(30), PROTOCOL, engine="statevector")


def test_memory_that_suffices_is_not_refused(monkeypatch):
    problem = ChargingProblem(ring(4), PROTOCOL)
    monkeypatch.setattr(base, "available_memory", lambda: Statevector().required_bytes(problem))
    Statevector().check(problem)


def test_local_problems_need_no_state_vector():
    assert Product().required_bytes(ChargingProblem(ring(5612), LOCAL)) < 50_000_000


@pytest.mark.parametrize("network, protocol", [(ring(2), PROTOCOL), (ring(2).with_crosstalk(-1e-3), LOCAL)])
@pytest.mark.parametrize(
    ("noise", "others"),
    [(None, "the statevector engine"), (Noise(x=1e-3), "the lindblad or the trajectories engine")],
)
def test_product_refuses_what_is_coupled_and_names_engines_that_take_it(network, protocol, noise, others):
    problem = ChargingProblem(network, protocol, noise=noise)
    with pytest.raises(EngineError, match=f"product engine .* its spins are coupled .*; use {others}\\."):
        Product().run(problem)


def test_the_engine_is_chosen_by_the_physics_and_says_why():
    engine, why = choose_engine(ChargingProblem(ring(3), LOCAL))
    assert isinstance(engine, Product)
    assert "no coupling" in why
    engine, why = choose_engine(ChargingProblem(ring(3).with_crosstalk(-1e-3), LOCAL), 1e-4)
    assert engine == Symmetric(1e-4)
    assert charge(ring(1), PROTOCOL).engine == "product"
    assert charge(ring(3).with_crosstalk(-1e-3), LOCAL, tolerance=1e-4).dataset.attrs["engine_reason"] == why


PATH = SpinNetwork(12, [(k, k + 1) for k in range(11)])
LOPSIDED = SpinNetwork(7, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 6)], [1.0, 1.1, 1.2, 1.3, 1.4, 1.5])


@pytest.mark.parametrize(
    ("network", "engine", "why"),
    [
        (ring(3), Symmetric, r"4 instead of 2\^3 amplitudes by symmetry are predicted"),
        (PATH, Statevector, r"2080 instead of 2\^12 amplitudes .* not clearly less"),
        (torus(3, 4), Symmetric, r"158 instead of 2\^12 amplitudes by symmetry are predicted"),
        (torus(5, 6), Symmetric, r"8999762 instead of 2\^30 amplitudes by symmetry take less memory"),
        (ring(30), Symmetric, r"amplitudes by symmetry take less memory"),
        (LOPSIDED, Statevector, "no symmetry keeps the network"),
        (torus(3, 4).with_crosstalk(-1e-3, spread=1e-4, seed=1), Statevector, "no symmetry"),
        (ring(40), Statevector, r"all 2\^N configurations, for N up to 31"),
    ],
    ids=str,
)
def test_the_sector_is_chosen_where_it_is_predicted_to_be_faster(network, engine, why):
    chosen, reason = choose_engine(ChargingProblem(network, cooperative(20.0)))
    assert type(chosen) is engine
    assert re.search(why, reason)


def test_the_sector_is_not_chosen_where_it_needs_much_more_memory():
    pairs = [*zip(range(25), range(1, 26), strict=False), (3, 8), (22, 17)]
    path = SpinNetwork(26, pairs)  # two symmetries
    chosen, reason = choose_engine(ChargingProblem(path, cooperative(20.0)))
    assert type(chosen) is Statevector
    assert "33558528 instead of 2^26 amplitudes by symmetry take more memory" in reason


def test_the_symmetric_engine_refuses_what_has_no_symmetry_and_says_what_to_use():
    with pytest.raises(EngineError, match=r"no symmetry .* use the statevector engine"):
        charge(LOPSIDED, PROTOCOL, engine="symmetric")
    with pytest.raises(EngineError, match="for N up to 31, but N is 40"):
        charge(ring(40), PROTOCOL, engine="symmetric")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"keep_state": 1}, "keep_state must be true or false"),
        ({"tolerance": 1e-13}, "tolerance"),
    ],
)
def test_options_of_the_symmetric_engine_are_checked(option, message):
    with pytest.raises(InvalidParameterError, match=message):
        Symmetric(**option)


def test_a_drifting_norm_ends_the_run(monkeypatch):
    monkeypatch.setattr("spinbattery.engines.symmetric.series_state.SeriesState.apply", _losing_norm)
    with pytest.raises(ToleranceError, match="the norm has drifted"):
        Symmetric(1e-6).run(ChargingProblem(ring(4), PROTOCOL))


def _losing_norm(state, stages):
    state.amplitudes *= 1.0 - 1e-5


def test_unknown_engines_are_refused_with_a_list():
    with pytest.raises(
        EngineError,
        match=r"unknown engine 'tensors'; there are auto, lindblad, product, statevector, symmetric, tens",
    ):
        charge(ring(2), PROTOCOL, engine="tensors")


@pytest.mark.parametrize("tolerance", [0.0, -1.0, 1e-13, 0.5, math.nan, math.inf, "tight"])
def test_tolerances_out_of_range_are_refused(tolerance):
    for call in (
        lambda: charge(ring(2), PROTOCOL, tolerance=tolerance),
        lambda: Statevector(tolerance),
        lambda: Product(tolerance),
    ):
        with pytest.raises(InvalidParameterError, match="tolerance must"):
            call()


def test_an_engine_object_keeps_its_own_tolerance():
    with pytest.raises(InvalidParameterError, match="engine object has its own tolerance"):
        charge(ring(2), PROTOCOL, engine=Statevector(), tolerance=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"splitting": "RK4"}, "unknown splitting 'RK4'; there are BM4, BM6"), ({"max_levels": 1}, "2 or more, but is 1")],
)
def test_other_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        Statevector(**options)


@pytest.mark.parametrize("protocol", [cooperative(1e9), cooperative(20.0, h=-1e9), cooperative(20.0, J=0.0, h=1e9)])
def test_runs_of_too_many_steps_are_refused_at_once(protocol):
    with pytest.raises(EngineError, match=r"would need .* steps .* shorten the duration or reduce h and J"):
        charge(torus(1, 2), protocol)


def test_a_tolerance_out_of_reach_is_refused_with_the_figure_that_was_reached():
    with pytest.raises(ToleranceError, match=r"estimate is .* after 4 passes.* above the tolerance 1e-11"):
        charge(torus(2, 2), cooperative(20.0), engine=Statevector(1e-11, max_levels=2))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([-0.1, 1.0], r"0 to 2 ns, but run from -0.1 to 1"),
        ([0.0, 2.1], r"0 to 2 ns, but run from 0 to 2.1"),
        ([1.0, 0.5], "ascend strictly"),
        ([1.0, 1.0], "ascend strictly"),
        ([0.0, math.nan], "finite"),
        ([math.inf], "finite"),
        ([[0.0, 1.0], [1.5, 2.0]], "times must"),
        (["soon"], "times must"),
    ],
)
def test_output_times_that_are_refused(times, message):
    with pytest.raises(InvalidParameterError, match=message):
        charge(ring(2), PROTOCOL, times=times)


@pytest.mark.parametrize("engine", [Product(1e-6), Statevector(1e-6)])
@pytest.mark.parametrize("times", [0.5, [0.0], [2.0], [0.0, 0.3, 2.0 / 3.0, 1.0, 4.0 / 3.0, 2.0], []])
def test_output_times_are_kept_as_asked(engine, times):
    record = charge(ring(2), LOCAL, engine=engine, times=times)
    np.testing.assert_allclose(record.times, np.atleast_1d(times), rtol=1e-9)
    if record.times.size:
        assert record.dataset["magnetization_t"].sizes == {"time": record.times.size}


@pytest.mark.parametrize("engine", [Product(1e-6), Statevector(1e-6)])
@pytest.mark.parametrize("at", [1.0, 2.0 / 3.0])
def test_output_times_a_rounding_apart_are_served_or_refused(engine, at):
    """Two times closer than rounding, at a corner or elsewhere, must not break the mesh."""
    times = [at, np.nextafter(at, 2.0)]
    try:
        record = charge(ring(2), LOCAL, engine=engine, times=times)
    except SpinBatteryError:
        return
    values = record.dataset["magnetization_t"].values
    assert values.shape == record.times.shape
    np.testing.assert_allclose(values, values[0], atol=1e-6)


def near(corner):
    """The cooperative protocol with the first corner of g at ``corner`` instead of a third."""
    base_protocol = cooperative(20.0)
    g = Waveform(((0.0, 0.0), (corner, 0.0), (2.0 / 3.0, 1.0), (1.0, 0.0)))
    return Protocol(20.0, base_protocol.s, g, base_protocol.h, base_protocol.J)


@pytest.mark.parametrize(
    "corner",
    [np.nextafter(1.0 / 3.0, 1.0), np.nextafter(1.0 / 3.0, 0.0), 0.1 / 0.3, 1.0 / 3.0 + 1e-15, 1.0 / 3.0 + 1e-12],
)
def test_corners_a_rounding_apart_are_one_corner(corner):
    """As when one waveform is given in thirds and the other in times that are divided by the duration."""
    reference = charge(torus(1, 2), cooperative(20.0), tolerance=1e-8)
    record = charge(torus(1, 2), near(corner), tolerance=1e-8)
    assert record.magnetization == pytest.approx(reference.magnetization, abs=1e-8)


def test_a_state_for_another_number_of_spins_is_refused():
    with pytest.raises(InvalidParameterError, match="2 angles but the network has 3 spins"):
        charge(ring(3), cooperative(2.0, initial=ProductState((0.1, 0.2))))


def test_keeping_the_state_needs_more_memory():
    problem = ChargingProblem(ring(20), cooperative(5.0))
    assert Statevector(keep_state=True).required_bytes(problem) - Statevector().required_bytes(problem) == 192 << 20


@pytest.mark.parametrize("engine", [Product(), Statevector()])
def test_the_stages_of_long_runs_need_memory_whatever_the_network(engine):
    assert engine.required_bytes(ChargingProblem(ring(2), LOCAL)) >= 30_000_000
