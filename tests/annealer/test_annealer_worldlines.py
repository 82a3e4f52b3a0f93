"""Path integrals: what they refuse, and held spins."""

from __future__ import annotations

import networkx as nx
import pytest

from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.core.errors import EngineError
from spinbattery.model import lattices


def _sample(graph, h, J, **parameters):
    sampler = EmulatedAnnealer(graph=graph, model="pimc", sweeps=200, seed=1, threads=2)
    return sampler.sample_ising(h, J, answer_mode="raw", auto_scale=False, **parameters).record.sample


def test_large_networks_are_refused_with_the_way_out():
    graph = lattices.ring(1001)
    with pytest.raises(EngineError, match="up to 1000 spins, but the problem has 1001; use 'svmc-tf'"):
        _sample(graph, dict.fromkeys(range(1001), 1.0), {})


def test_a_schedule_above_the_freeze_out_is_refused():
    with pytest.raises(EngineError, match="increase freeze_out"):
        _sample(lattices.ring(2), {0: 1.0}, {}, anneal_schedule=[[0, 1], [9, 0.8], [18, 1]], initial_state={0: 1})


def test_a_forward_anneal_follows_fields_couplings_and_held_spins():
    chain = nx.path_graph(4)
    reads = _sample(chain, {0: -2.0}, {(0, 1): 1.0, (2, 3): -1.0}, num_reads=60, stuck={3: -1})
    assert reads[:, 0].mean() > 0.9
    assert reads[:, 1].mean() < -0.8
    assert reads[:, 2].mean() < -0.8
    assert (reads[:, 3] == -1).all()
