"""Seeds of calls and random streams of reads."""

from __future__ import annotations

import numpy as np

from spinbattery.annealer.streams import CallSeeds, Streams


def test_a_series_of_calls_repeats_and_its_calls_differ():
    first, second = ([seeds.next() for _ in range(5)] for seeds in (CallSeeds(7), CallSeeds(7)))
    assert first == second
    assert len(set(first)) == 5
    assert all(0 <= seed < 2**63 for seed in first)
    assert CallSeeds(8).next() != first[0]


def test_without_a_seed_every_series_differs():
    assert CallSeeds(None).next() != CallSeeds(None).next()


def test_the_words_of_a_read_depend_on_seed_and_read_only():
    words = Streams(5).words(range(300))
    np.testing.assert_array_equal(words[100:200], Streams(5).words(range(100, 200)))
    assert len(np.unique(words)) == words.size
    assert not np.isin(words, Streams(6).words(range(300))).any()


def test_readout_and_dynamics_have_different_streams():
    streams = Streams(5)
    draws = [streams.generator(read, purpose).random() for read in (0, 1) for purpose in ("dynamics", "readout")]
    assert len(set(draws)) == 4
