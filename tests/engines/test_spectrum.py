"""Levels in the symmetric sector and the populations of the evolving state."""

from __future__ import annotations

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError, ToleranceError
from spinbattery.engines.symmetric.spectrum import _shared
from spinbattery.model.scales import LogSpline, Polynomial

DURATION = 20.0


@pytest.fixture(scope="module")
def spectrum():
    """All six levels of the 2x2 torus."""
    return sb.sector_spectrum(sb.torus(2, 2), sb.cooperative(DURATION), np.linspace(0.0, DURATION, 7), levels=100)


def test_levels_are_those_of_the_whole_hamiltonian_on_symmetric_states(spectrum):
    problem = spectrum.problem
    h, n = problem.to_scipy(), problem.n_spins
    group = sb.symmetry_group(problem).elements(100)
    places = 1 << np.arange(n)[::-1]
    bits = (np.arange(2**n)[:, None] & places) > 0
    projector = np.zeros((2**n, 2**n))
    for permutation in group:
        moved = np.zeros_like(bits)
        moved[:, permutation] = bits
        projector[moved @ places, np.arange(2**n)] += 1.0 / len(group)
    values, vectors = np.linalg.eigh(projector)
    basis = vectors[:, values > 0.5]
    assert basis.shape[1] == spectrum.dimension == 6
    for k, t in enumerate(spectrum.times):
        expected = np.linalg.eigvalsh(basis.T @ h(float(t)).toarray() @ basis) / (2.0 * np.pi)
        assert spectrum.ground_energy[k] == pytest.approx(expected[0], abs=1e-12)
        assert spectrum.energies[k] == pytest.approx(expected - expected[0], abs=1e-12)


def test_populations_are_those_of_the_engine(spectrum):
    record = sb.charge(
        spectrum.problem.network, spectrum.problem.protocol, times=spectrum.times, tolerance=1e-8, engine="statevector"
    )
    assert spectrum.populations.sum(axis=1) == pytest.approx(1.0, abs=1e-10)
    assert np.abs(spectrum.above).max() < 1e-10
    energy = spectrum.ground_energy + (spectrum.populations * spectrum.energies).sum(axis=1)
    assert energy == pytest.approx(record.dataset["energy_t"].to_numpy(), abs=1e-6)


def test_the_discharged_state_is_half_of_each_state_of_the_first_doublet(spectrum):
    assert spectrum.energies[0, :2] == pytest.approx(0.0, abs=1e-9)
    assert spectrum.populations[0, :2] == pytest.approx(0.5, abs=1e-12)
    assert spectrum.magnetization[0, :2] == pytest.approx(0.0, abs=1e-12)


def test_both_branches_keep_half_and_the_polarised_protocol_its_ground_state():
    network, end_of_hold = sb.torus(3, 3), 400.0 / 3.0
    cooperative, polarised = (
        sb.sector_spectrum(network, make(200.0, s_hold=0.25), [end_of_hold / 2.0, end_of_hold, 199.0], levels=3)
        for make in (sb.cooperative, sb.polarised)
    )
    assert cooperative.dimension == 26
    assert cooperative.populations[1] == pytest.approx([0.5, 0.5, 0.0], abs=5e-3)
    assert polarised.populations[:, 0].min() > 0.999
    # at the end the branches are all-up and one-spin-down, with all-down as another level below the second
    assert cooperative.magnetization[2] == pytest.approx([1.0, -1.0, 1.0 - 2.0 / 9.0], abs=1e-3)
    assert cooperative.populations[2] == pytest.approx([0.5, 0.0, 0.5], abs=5e-3)


def test_a_network_without_symmetry_is_its_own_sector():
    network = sb.SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 2.0])
    found = sb.sector_spectrum(network, sb.cooperative(5.0), [2.5])
    assert found.dimension == 8
    assert found.energies.shape == (1, 8)


def test_levels_that_are_one_share_what_they_have():
    energies = np.array([[0.0, 1e-12, 1.0], [0.0, 1.0, 1.0]])
    values = np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1]])
    assert _shared(energies, values) == pytest.approx(np.array([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]))


def test_what_cannot_be_found_is_refused(monkeypatch):
    protocol = sb.cooperative(5.0)
    with pytest.raises(EngineError, match=r"sector 14\d\d\d states, and levels are found for up to 31 spins and 1000"):
        sb.sector_spectrum(sb.torus(4, 5), protocol, [1.0])
    with pytest.raises(EngineError, match=r"has 40 spins and its symmetric sector 41 states, .* up to 31 spins"):
        sb.sector_spectrum(sb.complete(40), protocol, [1.0])
    with pytest.raises(InvalidParameterError, match="within the protocol"):
        sb.sector_spectrum(sb.torus(2, 2), protocol, [6.0])
    with pytest.raises(InvalidParameterError, match="one time or more"):
        sb.sector_spectrum(sb.torus(2, 2), protocol, [])
    with pytest.raises(InvalidParameterError, match="levels"):
        sb.sector_spectrum(sb.torus(2, 2), protocol, [1.0], levels=0)
    monkeypatch.setattr("spinbattery.engines.common.contract.available_memory", lambda: 1000)
    with pytest.raises(InsufficientMemoryError, match="N = 20 spins"):
        sb.sector_spectrum(sb.complete(20), protocol, [1.0])


def test_arrays_are_closed_to_writing(spectrum):
    with pytest.raises(ValueError, match="read-only"):
        spectrum.populations[...] = 0.0


def test_the_figure_draws_every_level_and_what_is_populated(spectrum):
    figure = sb.plot_spectrum({"cooperative": spectrum, "again": spectrum})
    first, second, bar = figure.axes
    assert [axis.get_title() for axis in (first, second)] == ["cooperative", "again"]
    levels, corners = first.get_lines()[:6], first.get_lines()[6:]
    drawn = np.array([line.get_ydata() for line in levels]).T
    assert drawn == pytest.approx(spectrum.energies)
    assert [line.get_xdata()[0] for line in corners] == pytest.approx([DURATION / 3.0, 2.0 * DURATION / 3.0])
    (populated,) = first.collections
    shown = populated.get_array()
    assert shown.min() >= 5e-3
    assert shown.max() == pytest.approx(np.minimum(spectrum.populations[1:], spectrum.populations[:-1]).max())
    assert bar.get_ylabel() == "population"


def test_nothing_to_draw():
    alone = sb.sector_spectrum(sb.torus(2, 2), sb.cooperative(5.0), [1.0])
    assert repr(alone) == "SectorSpectrum(torus:2x2, 1 times, 6 of 6 levels)"
    with pytest.raises(InvalidParameterError, match="by title"):
        sb.plot_spectrum(alone)
    for spectra in ({}, {"alone": alone}):
        with pytest.raises(InvalidParameterError, match="at least two times"):
            sb.plot_spectrum(spectra)


def test_an_error_of_the_state_above_its_promise_is_no_result(monkeypatch):
    monkeypatch.setattr("spinbattery.engines.symmetric.series_state.SeriesState.rounding", 1e-7)
    with pytest.raises(ToleranceError, match="error of the state may amount to"):
        sb.sector_spectrum(sb.torus(2, 2), sb.cooperative(5.0), [1.0])


def test_too_many_steps_are_refused_before_any_memory_is_spent():
    with pytest.raises(EngineError, match=r"would need .* steps"):
        sb.sector_spectrum(sb.torus(2, 2), sb.cooperative(1e9), [0.0])


def test_a_spectrum_takes_as_many_passes_as_a_narrow_pulse_needs():
    knots = (0.0, 0.05, 0.95, 1.0)
    pulse = LogSpline(knots, tuple(float(3.0 * np.exp(-(((s - 0.5) / 0.0193) ** 2))) for s in knots))
    scales = sb.EnergyScales("pulse", pulse, Polynomial((1.0,)))
    protocol = sb.Protocol(20.0, ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 1.0)), -1.0, -0.2)
    found = sb.sector_spectrum(sb.torus(2, 2), protocol, [20.0], scales=scales, levels=100)
    record = sb.charge(sb.torus(2, 2), protocol, engine=sb.Statevector(1e-8), scales=scales)
    assert float((found.populations[0] * found.magnetization[0]).sum()) == pytest.approx(record.magnetization, abs=1e-7)
