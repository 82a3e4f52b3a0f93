"""A dimod sampler with an annealer's parameters that answers at random: for tests of what surrounds it."""

from __future__ import annotations

from typing import Any

import dimod
import numpy as np


class RandomAnnealer(dimod.Sampler):
    """Spins are up with probability ``up``; what it was given stands in ``given``."""

    properties: dict[str, Any] = {}
    parameters = {
        name: []
        for name in (
            "num_reads", "answer_mode", "auto_scale", "anneal_schedule", "h_gain_schedule", "initial_state",
            "reinitialize_state", "seed",
        )
    }  # fmt: skip

    def __init__(self, up: float = 0.9, **properties: Any) -> None:
        self.properties = {"chip_id": "random", **properties}
        self.up = up
        self.given: dict[str, Any] = {}

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        self.given = parameters
        rng = np.random.default_rng(parameters.get("seed"))
        spins = np.where(rng.random((parameters["num_reads"], len(bqm.variables))) < self.up, 1, -1).astype(np.int8)
        return dimod.SampleSet.from_samples_bqm(
            (spins, bqm.variables), bqm, info={"timing": {"seconds": np.float64(1.5)}, "object": object()}
        )
