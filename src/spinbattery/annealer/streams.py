"""Random numbers of each read, which depend only on the seed of the call and the number of the read."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Purpose = Literal["dynamics", "readout"]

_COUNTERS = {"dynamics": 0, "readout": 1}
_LARGEST_SEED = 2**63


class CallSeeds:
    """One seed per call of a sampler: a sampler made with the same seed repeats the series."""

    def __init__(self, seed: int | None) -> None:
        self._series = np.random.SeedSequence(seed).generate_state(4).tolist()
        self._calls = 0

    def next(self) -> int:
        """Seed of the next call, below 2^63."""
        words = np.random.SeedSequence([*self._series, self._calls]).generate_state(1, np.uint64)
        self._calls += 1
        return int(words[0]) % _LARGEST_SEED


class Streams:
    """Random streams of one call: Philox, whose counter holds the number of the read and the purpose."""

    def __init__(self, seed: int) -> None:
        self._key = np.random.SeedSequence(seed).generate_state(2, np.uint64)

    def generator(self, read: int, purpose: Purpose) -> np.random.Generator:
        return np.random.Generator(self._bits(read, purpose))

    def words(self, reads: range) -> NDArray[np.uint64]:
        """(len(reads), 2): 128 random bits for the dynamics of each read."""
        return np.array([self._bits(read, "dynamics").random_raw(2) for read in reads], dtype=np.uint64)

    def _bits(self, read: int, purpose: Purpose) -> np.random.Philox:
        return np.random.Philox(key=self._key, counter=[0, 0, _COUNTERS[purpose], read])
