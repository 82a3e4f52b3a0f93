"""Tables and verdicts on the emulator, and their figures as plain data."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console

from .emulation import OWN, THREAD_GOAL, THREADS, Rates, ThreadGain
from .pairing import Timing, spread
from .tables import span, table, word
from .whole_charge import CORES, GOAL_BYTES, GOAL_S, ChargeCosts


def show_rates(rates: Rates, console: Console) -> None:
    """Print the updates per second of each contestant, and the verdicts."""
    ours = next(iter(rates.timings))
    rows = table(f"{rates.job.name}, one thread; CPU seconds, medians of the rounds, ranges in brackets")
    columns = ("contestant", "reads", "s", "set-up s", "1e6 updates/s", "without set-up", "times slower", "mu")
    for column in columns:
        rows.add_column(column, justify="left" if column == "contestant" else "right", no_wrap=True)
    for name, timing in rates.timings.items():
        rows.add_row(
            name,
            str(rates.reads[name]),
            f"{statistics.median(timing.cpu):.4g}",
            f"{rates.setup[name]:.3f}",
            f"{1e-6 * rates.per_second(name):.3g}",
            f"{1e-6 * rates.sampling_per_second(name):.3g}",
            str(rates.ratio(name, ours)),
            f"{timing.outcome.magnetization:.4f}",
        )
    console.print(rows)
    for verdict in rates.verdicts:
        console.print(
            f"{rates.job.name}: {OWN} does {verdict.measured} times the updates of {verdict.peer} "
            f"({verdict.sampling:.1f} without set-up), goal {verdict.goal:g}: {word(verdict.reached)}"
        )


def show_threads(gain: ThreadGain, console: Console) -> None:
    """Print the times of one thread and of two, and the verdict."""
    rows = table(f"{gain.job.name}; seconds, medians of the rounds")
    for column in ("threads", "wall", "CPU"):
        rows.add_column(column, justify="right", no_wrap=True)
    for threads, timing in ((1, gain.one), (THREADS, gain.two)):
        rows.add_row(str(threads), f"{statistics.median(timing.wall):.3f}", f"{statistics.median(timing.cpu):.3f}")
    console.print(rows)
    console.print(f"{THREADS} threads take {span(gain.cpu_ratio)} times the CPU time of one")
    console.print(f"a bare loop gets done {span(spread(gain.machine))} times as much by {THREADS} processes as by one")
    console.print(
        f"{THREADS} threads against one: {gain.measured:.2f} times faster (rounds: {span(gain.rounds)}), goal "
        f"{THREAD_GOAL:g}: {word(gain.reached)}"
    )


def show_charge(costs: ChargeCosts, console: Console) -> None:
    """Print the cost of the paper's job, and the verdicts."""
    console.print(
        f"{costs.job.name}, N = {costs.rounds[0].spins}, in a new process on {CORES} cores: charge takes "
        f"{span(costs.charge_seconds)} s, {costs.updates_per_second:.3g} updates/s; at most "
        f"{max(cost.most_flips for cost in costs.rounds)} spins of a read are down at the end"
    )
    console.print(
        f"from the start of the process to its end: {span(costs.seconds)} s, goal {GOAL_S:g} s: {word(costs.in_time)}"
    )
    console.print(
        f"peak memory: {costs.peak_bytes / 1e6:.0f} MB, goal below {GOAL_BYTES / 1e6:.0f} MB: {word(costs.in_memory)}"
    )


def plain(rates: list[Rates], gain: ThreadGain, costs: ChargeCosts) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {
        "rates": [_plain_rates(one) for one in rates],
        "threads": {
            "job": asdict(gain.job),
            "one": _plain_timing(gain.one),
            "two": _plain_timing(gain.two),
            "speed_up": gain.measured,
            "rounds": asdict(gain.rounds),
            "cpu_ratio": asdict(gain.cpu_ratio),
            "machine": gain.machine,
            "goal": THREAD_GOAL,
            "reached": gain.reached,
        },
        "charge": {
            "job": asdict(costs.job),
            "cores": CORES,
            "rounds": [asdict(cost) for cost in costs.rounds],
            "process_s": asdict(costs.seconds),
            "peak_bytes": costs.peak_bytes,
            "updates_per_second": costs.updates_per_second,
            "goal_s": GOAL_S,
            "in_time": costs.in_time,
            "goal_bytes": GOAL_BYTES,
            "in_memory": costs.in_memory,
        },
    }


def _plain_rates(rates: Rates) -> dict[str, Any]:
    ours = next(iter(rates.timings))
    contestants = {
        name: {
            "reads": rates.reads[name],
            **_plain_timing(timing),
            "setup_s": rates.setup[name],
            "updates_per_second": rates.per_second(name),
            "updates_per_second_without_setup": rates.sampling_per_second(name),
            "ratio": asdict(rates.ratio(name, ours)),
        }
        for name, timing in rates.timings.items()
    }
    verdicts = [{**asdict(verdict), "reached": verdict.reached} for verdict in rates.verdicts]
    return {"job": asdict(rates.job), "contestants": contestants, "verdicts": verdicts}


def _plain_timing(timing: Timing[Any]) -> dict[str, Any]:
    return {"cpu_s": timing.cpu, "wall_s": timing.wall, **asdict(timing.outcome)}
