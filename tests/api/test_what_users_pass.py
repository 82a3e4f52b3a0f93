"""Forms of networks, protocols, states and waveforms that users pass, and numbers that are exact but for rounding."""

from __future__ import annotations

import dataclasses
import math
import re

import networkx as nx
import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.checks import apart
from spinbattery.core.errors import EnergyScalesError, InvalidParameterError, NetworkError, WaveformError
from spinbattery.model.scales import LinearTable, LogSpline

FAST = sb.Statevector(1e-3)
CP = sb.cooperative(20.0)
NEXT = 1.0000000000000007


class TestInitial:
    @pytest.mark.parametrize("make", [sb.cooperative, sb.polarised])
    def test_names(self, make):
        assert make(5.0, initial="up").initial == sb.ProductState.named("up")
        assert make(5.0, initial="down") == make(5.0)

    @pytest.mark.parametrize("spins", [[-1, 1, -1], (-1.0, 1.0, -1.0), np.array([-1, 1, -1], dtype=np.int8)])
    def test_spins(self, spins):
        initial = sb.cooperative(5.0, initial=spins).initial
        assert initial == sb.ProductState((math.pi, 0.0, math.pi))
        record = sb.charge(sb.ring(3), dataclasses.replace(CP, initial=spins), engine=FAST, times=[0.0])
        assert record.dataset["magnetization_t"].to_numpy()[0] == pytest.approx(-1.0 / 3.0, abs=1e-12)

    def test_all_down_is_the_default_state(self):
        one, other = (sb.ChargingProblem(sb.ring(3), sb.cooperative(5.0, initial=i)) for i in (None, [-1, -1, -1]))
        assert one.content_hash == other.content_hash

    @pytest.mark.parametrize(
        ("initial", "message"),
        [
            ([0, 1, 1], r"must be \+1 or -1, but spin 0 is 0"),
            ([1, 1.0000000000000002], r"must be \+1 or -1, but spin 1 is 1\.0000000000000002"),
            ("left", "must be one of down, up, but is 'left'"),
            ({0: 1, 1: -1}, "in the network's order"),
            (1, "in the network's order"),
            ([], "in the network's order"),
            ([True, False], "must be a real number"),
        ],
    )
    def test_others_are_refused(self, initial, message):
        with pytest.raises(InvalidParameterError, match=message):
            sb.cooperative(5.0, initial=initial)

    def test_spins_for_another_network_are_refused(self):
        with pytest.raises(InvalidParameterError, match="3 spins but the network has 2; give"):
            sb.charge(sb.ring(2), sb.cooperative(5.0, initial=[-1, 1, -1]))

    @pytest.mark.parametrize("initial", [(1,), [1.0], np.array([1])])
    def test_one_spin_is_not_all_of_them(self, initial):
        protocol = sb.cooperative(5.0, initial=initial)
        with pytest.raises(InvalidParameterError, match="has 1 spins but the network has 3; give"):
            sb.ChargingProblem(sb.ring(3), protocol)
        assert sb.ChargingProblem(sb.ring(1), protocol) == sb.ChargingProblem(
            sb.ring(1), sb.cooperative(5.0, initial="up")
        )


class TestNetworksAndProtocols:
    @pytest.mark.parametrize("network", ["ring:3", nx.cycle_graph(3)])
    def test_texts_and_graphs_are_networks(self, network):
        expected = sb.charge(sb.ring(3), CP, engine=FAST).magnetization
        assert sb.charge(network, CP, engine=FAST).magnetization == expected
        assert sb.ChargingProblem(network, CP) == sb.ChargingProblem(sb.ring(3), CP)
        [record] = sb.sweep(network, CP, engines=FAST, workers=1).records()
        assert record.magnetization == expected
        sb.sector_spectrum(network, CP, [0.0, 20.0], levels=2)
        measured = sb.record_from_magnetizations([1.0, 1.0 / 3.0], network, sb.cooperative(60_000.0))
        assert measured.problem.network.n_spins == 3

    def test_recipes_and_functions_are_protocols(self):
        recipe = sb.ProtocolRecipe("local", "20ns")
        one, other = (sb.charge("ring:3", protocol, engine=FAST) for protocol in (recipe, CP.local_equivalent))
        assert one.magnetization == other.magnetization
        assert sb.ChargingProblem("ring:3", recipe).protocol == recipe.build(sb.ring(3))

    def test_a_name_alone_has_no_duration(self):
        for call in (sb.charge, sb.ChargingProblem):
            with pytest.raises(InvalidParameterError, match=re.escape("spinbattery.cooperative(duration=20.0)")):
                call("ring:3", "cooperative")

    def test_other_networks_are_refused(self):
        for network in (object(), 3, ["ring:3"], None):
            with pytest.raises(NetworkError, match="such as 'torus:3x4'"):
                sb.charge(network, CP)

    def test_points_are_waveforms(self):
        made = sb.Protocol(20.0, [list(point) for point in CP.s.points], np.array(CP.g.points), -0.5, -0.2)
        assert made == dataclasses.replace(CP, name="custom")
        with pytest.raises(WaveformError, match="s must be a Waveform or its points"):
            sb.Protocol(20.0, lambda u: u, CP.g, -0.5, -0.2)


class TestDurations:
    SIXTY = sb.Waveform.from_times([0.0, 20.0, 40.0, 60.0], [1.0, 0.35, 0.35, 1.0])

    def test_a_waveform_of_times_knows_its_duration(self):
        assert self.SIXTY.duration == 60.0
        assert CP.s.duration is None
        assert sb.Waveform(self.SIXTY.points) == self.SIXTY
        assert hash(sb.Waveform(self.SIXTY.points)) == hash(self.SIXTY)
        assert "duration" not in repr(self.SIXTY)

    def test_another_duration_is_refused_for_s_and_for_g(self):
        for s, g, name in ((self.SIXTY, CP.g, "s"), (CP.s, self.SIXTY, "g")):
            with pytest.raises(
                WaveformError, match=f"{name} was made of times up to 60 ns, but the protocol lasts 20 ns"
            ):
                sb.Protocol(20.0, s, g, -0.5, -0.2)

    def test_s_and_g_of_different_lengths_are_refused(self):
        g = sb.Waveform.from_times([0.0, 50.0], [0.0, 1.0])
        for duration in (50.0, 60.0):
            with pytest.raises(WaveformError, match="was made of times up to"):
                sb.Protocol(duration, self.SIXTY, g, -0.5, -0.2)

    def test_durations_agree_to_rounding_and_change_no_hash(self):
        timed = sb.Protocol(60.0 * (1.0 + 1e-12), self.SIXTY, CP.g, -0.5, -0.2)
        assert timed.s is self.SIXTY
        one, other = (sb.Protocol(60.0, s, CP.g, -0.5, -0.2) for s in (self.SIXTY, sb.Waveform(self.SIXTY.points)))
        assert one == other
        assert one.to_dict() == other.to_dict()
        assert sb.ChargingProblem(sb.ring(2), one).content_hash == sb.ChargingProblem(sb.ring(2), other).content_hash
        with pytest.raises(WaveformError, match=r"up to 60 ns, but the protocol lasts 60\.000001 ns"):
            sb.Protocol(60.000001, self.SIXTY, CP.g, -0.5, -0.2)

    def test_the_curve_itself_may_be_stretched(self):
        assert sb.Protocol(20.0, sb.Waveform(self.SIXTY.points), CP.g, -0.5, -0.2).s == self.SIXTY

    def test_schedules_of_an_annealer_are_in_us(self):
        from spinbattery.annealer.schedule import AnnealSchedule
        from spinbattery.solver.parsing import parse_parameters

        points = [[0.0, 1.0], [20.0, 0.35], [60.0, 1.0]]
        schedule = AnnealSchedule.of(parse_parameters({"anneal_schedule": points}), 20.0)
        assert (schedule.duration, schedule.s.duration) == (60.0, 60_000.0)


class TestRounding:
    @pytest.mark.parametrize("kind", [LinearTable, LogSpline])
    def test_ends_of_a_table_may_be_off_by_rounding(self, kind):
        table = kind((-1e-17, 0.5, NEXT), (9.0, 3.0, 1.0))
        assert table.s == (0.0, 0.5, 1.0)
        assert table == kind((0.0, 0.5, 1.0), (9.0, 3.0, 1.0))

    def test_a_file_whose_last_s_is_off_by_rounding(self, tmp_path):
        path = tmp_path / "scales.csv"
        path.write_text(f"s,A(s) (GHz),B(s) (GHz)\n0,9,0.2\n0.5,1,4\n{NEXT!r},0,8\n")
        scales = sb.from_spreadsheet(path)
        assert scales.B(1.0) == 8.0
        assert scales.kinks.tolist() == [0.0, 0.5, 1.0]

    @pytest.mark.parametrize(
        ("s", "message"),
        [
            ((0.0, 1.00000001), "must run from 0 to 1, but run from 0 to 1.00000001"),
            ((0.0, 0.99999998), "must run from 0 to 1, but run from 0 to 0.99999998"),
            ((1e-8, 1.0), "must run from 0 to 1, but run from 1e-08 to 1"),
            ((0.0, 0.5, 0.5, 1.0), "0.5 is followed by 0.5"),
            ((0.0, 0.5, 0.49999999999, 1.0), r"0\.5 is followed by 0\.49999999999"),
        ],
    )
    def test_messages_of_tables_show_the_difference(self, s, message):
        with pytest.raises(EnergyScalesError, match=message):
            LinearTable(s, (1.0,) * len(s))

    def test_ends_of_a_waveform_and_values_of_s(self):
        waveform = sb.Waveform(((-1e-16, 1.0), (0.5, 0.3), (1.0000000000000002, 1.0)))
        assert waveform.points == ((0.0, 1.0), (0.5, 0.3), (1.0, 1.0))
        s = sb.Waveform(((0.0, 1.0000000000000002), (0.5, -1e-17), (1.0, 1.0)))
        assert sb.Protocol(5.0, s, CP.g, -0.5, -0.2).s.values.tolist() == [1.0, 0.0, 1.0]
        assert sb.cooperative(5.0, s_hold=1.0000000000000002).s.values.max() == 1.0

    def test_messages_of_waveforms_show_the_difference(self):
        with pytest.raises(WaveformError, match=r"run from 0 to 1\.00000001"):
            sb.Waveform(((0.0, 1.0), (1.00000001, 1.0)))
        with pytest.raises(WaveformError, match=r"but 0\.50000000001 is followed by 0\.5\."):
            sb.Waveform(((0.0, 1.0), (0.50000000001, 1.0), (0.5, 1.0), (1.0, 1.0)))
        with pytest.raises(WaveformError, match=r"within \[0, 1\], but reaches 1\.00000001"):
            sb.Protocol(5.0, ((0.0, 1.0), (1.0, 1.00000001)), CP.g, -0.5, -0.2)
        with pytest.raises(WaveformError, match=r"within \[0, 1\], but is 1\.00000001"):
            sb.cooperative(5.0, s_hold=1.00000001)

    def test_messages_elsewhere_show_the_difference(self):
        with pytest.raises(InvalidParameterError, match=r"0 to 20 ns, but run from 0 to 20\.0000001"):
            sb.charge(sb.ring(2), CP, times=[0.0, 20.0000001])
        with pytest.raises(InvalidParameterError, match=r"within \[-1, 1\], but shot 1 has 1\.00000001"):
            sb.sample_statistics([1.00000001, 1.0])
        with pytest.raises(InvalidParameterError, match=r"within \[0, 1\], but is 1\.0000000001"):
            sb.local_moments(3, 0.1, 1.0000000001)
        with pytest.raises(InvalidParameterError, match=r"and 0\.1, but is 0\.1000000001"):
            sb.Statevector(0.1000000001)
        with pytest.raises(InvalidParameterError, match=r"tolerance of 9\.9999999e-06, because"):
            sb.Statevector(9.9999999e-6, single=True)
        with pytest.raises(InvalidParameterError, match=r"0 to 0\.5 \(a coin\), but is 0\.50000001"):
            sb.EmulatedAnnealer(graph=sb.ring(3), readout_error=0.50000001)

    def test_numbers_have_as_many_digits_as_tell_them_apart(self):
        assert apart(1.0, 2.5) == ["1", "2.5"]
        assert apart(1.0, 1.0) == ["1", "1"]
        assert apart(NEXT, 0.0, 1.0) == ["1.000000000000001", "0", "1"]
        assert apart(1.0000000000000002, 1.0) == ["1.0000000000000002", "1"]
        assert apart(math.pi) == ["3.14159"]
