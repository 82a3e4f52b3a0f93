"""A charge that writes checkpoints all the time."""

from __future__ import annotations

from pathlib import Path

import spinbattery as sb
from spinbattery.engines.common.checkpoint import Checkpoint

RUNS = {
    "symmetric": (sb.Symmetric(1e-6), 300.0),
    "tensor": (sb.TensorNetwork(bond_dimension=(4, 8)), 10.0),
}


def charge(stem: Path, name: str) -> None:
    """Print the hash of the record of an engine; ``stem`` is the beginning of the names of its checkpoints."""
    engine, duration = RUNS[name]
    problem = sb.ChargingProblem(sb.torus(3, 4), sb.cooperative(duration))
    times = [duration / 3.0, duration / 1.5]
    print(engine.run(problem, times=times, checkpoint=Checkpoint(stem, "long", 0.0)).content_hash)
