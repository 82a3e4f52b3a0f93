"""``python -m benchmarks.predictions``: the time of a short job of each engine over its prediction.

One thread, CPU seconds, the median of five runs after one that compiles kernels. Predictions hold for a present-day
core within a factor of about three (``Engine.predicted_seconds``); how fast this machine is enters the ratio.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median

from .__main__ import THREADS

JOBS = {
    "lindblad": ("torus:2x3", {}, 60.0, -0.2, "x:1e-3/ns+z:1e-3/ns"),
    "product": ("torus:10x10", {"tolerance": 1e-10}, 200.0, 0.0, "x:1e-3/ns"),
    "statevector": ("torus:3x4", {}, 60.0, -0.2, None),
    "symmetric": ("torus:4x4", {}, 60.0, -0.2, None),
    "tensor": ("torus:3x4", {"bond_dimension": 12}, 20.0, -0.2, None),
    "emulator": ("pegasus:3", {"reads": 1000}, 60e3, -0.2, None),
    "trajectories": ("torus:2x4", {"trajectories": 500}, 20.0, -0.2, "x:1e-3/ns"),
    "qtealeaves": ("torus:2x3", {"bond_dimension": 6}, 2.0, -0.2, None),
    "mean-field": ("torus:20x20", {}, 60.0, -0.2, None),
    "truncated-wigner": ("torus:6x6", {"trajectories": 500}, 20.0, -0.2, None),
}
"""Network, options, duration (ns), J and noise of a job, by engine."""

_ROUNDS = 5


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.predictions", description=__doc__).parse_args()
    os.environ.update(THREADS)
    import numpy as np

    import spinbattery as sb
    from spinbattery.core.errors import MissingDependencyError
    from spinbattery.engines.registry import engines, make_engine

    print(f"{'engine':18} {'predicted':>10} {'taken':>10}   taken/predicted")
    for name in engines():
        if name not in JOBS:
            print(f"{name:18} has no job here")
            continue
        network, options, duration, J, noise = JOBS[name]
        rates = None if noise is None else sb.parse_noise(noise)
        problem = sb.ChargingProblem(sb.parse_network(network), sb.cooperative(duration, J=J), noise=rates)
        engine = make_engine(name, options)
        predicted = engine.predicted_seconds(problem, np.empty(0))
        try:
            engine.run(problem)
        except MissingDependencyError as missing:
            print(f"{name:18} left out: {missing}", flush=True)
            continue
        taken = []
        for _ in range(_ROUNDS):
            start = time.process_time()
            engine.run(problem)
            taken.append(time.process_time() - start)
        print(f"{name:18} {predicted:8.3f} s {median(taken):8.3f} s   {median(taken) / predicted:.2f}", flush=True)


if __name__ == "__main__":
    main()
