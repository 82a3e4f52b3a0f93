"""Waveforms of thousands of samples: the same physics as the curve they are of, without Python for each corner."""

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.symmetric.polynomials import TaylorSeries
from spinbattery.model.protocol import Protocol

N_SAMPLES = 6001


def sampled(curve, n=N_SAMPLES):
    u = np.linspace(0.0, 1.0, n)
    return sb.Waveform(tuple(zip(u.tolist(), curve(u).tolist(), strict=True)))


def pulse(u):
    return 1.0 - 0.65 * np.sin(np.pi * u) ** 2


def of_samples(duration, curve=pulse, n=N_SAMPLES):
    return sb.Protocol(duration, sampled(curve, n), sb.cooperative(20.0).g, -0.5, -0.2)


def test_a_pulse_of_6001_samples_on_two_spins():
    record = sb.charge(sb.ring(2), of_samples(60.0))
    assert record.magnetization == pytest.approx(0.04885, abs=5e-6)  # QuTiP


def test_the_same_in_qutip():
    qutip = pytest.importorskip("qutip")
    problem = sb.ChargingProblem(sb.ring(2), of_samples(20.0))
    ham, _, ket = problem.to_qutip()
    corners = np.linspace(0.0, 20.0, 61)
    options = {"atol": 1e-9, "rtol": 1e-8, "nsteps": 100_000, "max_step": 0.2, "method": "vern9"}
    final = qutip.sesolve(ham, ket, corners, options=options).final_state
    magnetization = float(np.abs(final.full().ravel()) ** 2 @ np.array([1.0, 0.0, 0.0, -1.0]))
    assert sb.charge(sb.ring(2), of_samples(20.0)).magnetization == pytest.approx(magnetization, abs=1e-6)


@pytest.mark.parametrize("engine", ["symmetric", "statevector", "lindblad"])
def test_samples_of_lines_are_those_lines(engine):
    few = sb.cooperative(20.0)
    many = sb.Protocol(20.0, sampled(few.s), sampled(few.g), -0.5, -0.2)
    times = np.linspace(0.0, 20.0, 41)
    one, other = (sb.charge(sb.ring(2), protocol, engine=engine, times=times) for protocol in (few, many))
    assert other.magnetization == pytest.approx(0.5560481, abs=2e-6)
    assert other.precision == pytest.approx(one.precision, rel=2e-6)
    np.testing.assert_allclose(
        other.dataset["magnetization_t"].values, one.dataset["magnetization_t"].values, atol=2e-6
    )


def test_without_coupling():
    few = sb.cooperative(20.0, J=0.0)
    many = sb.Protocol(20.0, sampled(few.s), sampled(few.g), -0.5, 0.0)
    assert sb.charge(sb.ring(2), many).magnetization == pytest.approx(
        sb.charge(sb.ring(2), few).magnetization, abs=2e-6
    )


def test_the_cost_of_samples_is_that_of_the_lines():
    few = sb.cooperative(20.0)
    many = sb.Protocol(20.0, sampled(few.s), sampled(few.g), -0.5, -0.2)
    network = sb.torus(3, 3)
    assert many.cost(network).integral == pytest.approx(few.cost(network).integral, rel=1e-12)
    assert many.cost(network).peak == pytest.approx(few.cost(network).peak, rel=1e-6)


def test_one_long_piece_among_thousands_of_short_ones_is_integrated_as_exactly():
    u = np.concatenate([np.linspace(0.0, 0.1, 6000)[:-1], [0.1, 1.0]])
    few = sb.Protocol(20.0, sb.Waveform(((0.0, 1.0), (0.1, 0.2), (1.0, 0.9))), sb.cooperative(20.0).g, -0.5, -0.2)
    many = sb.Protocol(20.0, sb.Waveform(tuple(zip(u.tolist(), few.s(u).tolist(), strict=True))), few.g, -0.5, -0.2)
    assert many.cost(sb.ring(3)).integral == pytest.approx(few.cost(sb.ring(3)).integral, rel=1e-10)


def test_the_python_of_a_run_does_not_grow_with_its_corners(monkeypatch):
    calls = {"fields": 0, "sequence": 0}

    def counted(kind, name):
        original = getattr(kind, name)

        def wrapper(*args):
            calls[name] += 1
            return original(*args)

        monkeypatch.setattr(kind, name, wrapper)

    counted(Protocol, "fields")
    counted(TaylorSeries, "sequence")
    sb.charge(sb.ring(2), of_samples(60.0), engine="symmetric")
    assert 0 < calls["fields"] < 100
    assert 0 < calls["sequence"] < 30


@pytest.mark.parametrize("n", [7, 100, 3000])
def test_crossings_are_those_of_each_piece(n):
    rng = np.random.default_rng(5)
    values = np.round(rng.random(n), 2)  # levels are met at corners, too, and pieces are flat
    waveform = sb.Waveform(tuple(zip(np.linspace(0.0, 1.0, n).tolist(), values.tolist(), strict=True)))
    levels = np.round(np.linspace(0.0, 1.0, 21), 2)
    expected = []
    for (u0, v0), (u1, v1) in zip(waveform.points, waveform.points[1:], strict=False):
        expected += [u0 + (level - v0) / (v1 - v0) * (u1 - u0) for level in levels if min(v0, v1) < level < max(v0, v1)]
    found = waveform.crossings(levels)
    np.testing.assert_array_equal(found, np.unique(expected))
    assert len(found) > 0


def test_a_mesh_of_many_stops_keeps_them_and_halves_its_steps():
    problem = sb.ChargingProblem(sb.ring(2), of_samples(60.0))
    stops = problem.protocol.breakpoints
    mesh = Mesh(problem, stops, 100)
    assert sum(mesh.counts(1)) == len(stops) - 1 == N_SAMPLES - 1
    for level in range(3):
        edges = mesh.edges(1 << level)
        assert set(stops) <= set(edges.tolist())
        assert len(edges) == 1 + (N_SAMPLES - 1 << level)
        assert (np.diff(edges) > 0.0).all()


def test_output_times_snap_to_the_nearest_corner():
    problem = sb.ChargingProblem(sb.ring(2), of_samples(60.0))
    corners = problem.protocol.breakpoints
    times = corners + 1e-9 * np.where(np.arange(len(corners)) % 2, 1.0, -1.0)
    times[0] = times[-1] = 0.0
    times = times[:-1]
    record = sb.charge(sb.ring(2), of_samples(60.0), times=times[::100])
    np.testing.assert_array_equal(record.times, corners[:-1][::100])


def test_a_plot_draws_few_corners_and_no_thousands():
    from spinbattery.figures.trajectories import plot_trajectories

    drawn = []
    for protocol in (sb.cooperative(60.0), of_samples(60.0)):
        figure = plot_trajectories([sb.charge(sb.ring(2), protocol, times=[0.0, 30.0, 60.0])])
        drawn.append(len(figure.axes[0].lines))
    assert drawn == [3, 1]  # the curve, and two corners


def test_other_engines_take_samples():
    network, protocol = sb.ring(2), of_samples(20.0, n=601)
    plain, noisy = (sb.charge(network, protocol, noise=noise) for noise in (None, "x:1e-4/ns"))
    sampled = sb.charge(network, protocol, noise="x:1e-4/ns", engine=sb.Trajectories(100, seed=1))
    assert abs(sampled.magnetization - noisy.magnetization) < 4.0 * sampled.magnetization_stderr
    tree = sb.charge(network, protocol, engine="tensor")
    assert tree.magnetization == pytest.approx(plain.magnetization, abs=2e-3)


def test_a_spread_that_is_zero_to_rounding_is_no_nan():
    record = sb.charge(sb.torus(2, 2), sb.polarised(20.0), engine="lindblad", times=np.linspace(0.0, 20.0, 601))
    assert np.isfinite(record.dataset["std_t"].to_numpy()).all()
