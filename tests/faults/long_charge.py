"""A charge that writes checkpoints all the time; prints the hash of its record.

Called with the beginning of the names of its checkpoints.
"""

from __future__ import annotations

import sys
from pathlib import Path

import spinbattery as sb
from spinbattery.engines.checkpoint import Checkpoint


def main(stem: Path) -> None:
    problem = sb.ChargingProblem(sb.torus(3, 4), sb.cooperative(300.0))
    record = sb.Symmetric(1e-6).run(problem, times=[100.0, 200.0], checkpoint=Checkpoint(stem, "long", 0.0))
    print(record.content_hash)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
