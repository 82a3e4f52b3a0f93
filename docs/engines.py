"""Draw the figure of engines.md again: ``python docs/engines.py`` (half a minute; nothing is simulated)."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import spinbattery as sb

SIDES = "1x2 2x2 2x3 2x4 3x3 3x4 4x4 4x5 5x5 5x6 6x6 7x7 8x8 12x12 16x16 24x24 40x40 60x90"
MEMORY = 8e9
DAY = 86_400.0
CLASSES = {
    "keeps a tolerance": "#0b5fa5",
    "estimates its error": "#7b4aa0",
    "gives standard errors": "#2c7d4f",
    "known bias, or error unknown": "#c8501e",
}
KEEPS, ESTIMATES, SAMPLES, BIAS = CLASSES.values()
ENGINES: dict[str, tuple[sb.Engine, str]] = {
    "product": (sb.Product(), KEEPS),
    "symmetric": (sb.Symmetric(), KEEPS),
    "statevector": (sb.Statevector(), KEEPS),
    "lindblad": (sb.Lindblad(), KEEPS),
    "tensor, to 2e-3 in μ": (sb.TensorNetwork(seed=1), ESTIMATES),
    "trajectories, 500": (sb.Trajectories(seed=1), SAMPLES),
    "emulator, 1000 reads": (sb.Emulator(seed=1), SAMPLES),
    "qtealeaves, χ = 10": (sb.QTeaLeaves(), BIAS),
    "mean-field": (sb.MeanField(), BIAS),
    "truncated-wigner": (sb.TruncatedWigner(seed=1), BIAS),
}


def predictions(engine: sb.Engine, noise: sb.Noise | None) -> tuple[list[int], list[float]]:
    """N and predicted seconds of the tori that an engine can do in 8 GB and a day, for 20 ns."""
    sizes, seconds = [], []
    for sides in SIDES.split():
        network, protocol = sb.parse_network(f"torus:{sides}"), sb.cooperative(20.0)
        if isinstance(engine, sb.Product):
            protocol = protocol.local_equivalent(network)
        problem = sb.ChargingProblem(network, protocol, noise=noise)
        if engine.takes_noise != (noise is not None) and not isinstance(engine, sb.Product):
            break  # what takes noise can do without, but another engine does that faster
        if engine.refusal(problem) is not None:
            continue
        if engine.required_bytes(problem) > MEMORY:
            break
        time = engine.predicted_seconds(problem, np.empty(0))
        if time > DAY:
            break
        sizes.append(problem.n_spins)
        seconds.append(time)
    return sizes, seconds


def draw(axis: Axes, noise: sb.Noise | None) -> None:
    """One panel."""
    for name, (engine, colour) in ENGINES.items():
        sizes, seconds = predictions(engine, noise)
        if sizes:
            axis.plot(sizes, seconds, ".-", color=colour, linewidth=1.2)
            axis.annotate(name, (sizes[-1], seconds[-1]), xytext=(4, 0), textcoords="offset points", color=colour,
                          fontsize=8, va="center", annotation_clip=False)  # fmt: skip
    axis.set(xscale="log", yscale="log", xlim=(1.7, 9e4), ylim=(3e-3, 2.5 * DAY), xlabel="number of spins N")
    axis.set_xticks([2, 10, 100, 1000], ["2", "10", "100", "1000"])
    axis.set_yticks([1e-2, 1, 60, 3600, DAY], ["10 ms", "1 s", "1 min", "1 h", "1 day"])
    axis.minorticks_off()
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)


def main() -> None:
    """Both panels, with a legend of what the colours mean."""
    figure, (without, with_noise) = plt.subplots(1, 2, figsize=(10.0, 4.4), sharey=True, layout="constrained")
    draw(without, None)
    draw(with_noise, sb.parse_noise("x:1e-3/ns"))
    without.set(title="without noise", ylabel="predicted time, one core")
    with_noise.set_title("with noise on the spins")
    handles = [Line2D([], [], color=colour, label=name) for name, colour in CLASSES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(Path(__file__).parent / "figures" / "engines.png", dpi=100)


if __name__ == "__main__":
    main()
