"""Tables and verdicts on sweeps, and their figures as plain data."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console

from .overhead import GOAL_S, SOLVE, Overhead
from .pairing import Ratio
from .speedup import GOAL, SpeedUp
from .sweeps import HERE, POOL, WORKERS, Spent
from .tables import span, table, word


def show_overhead(overhead: Overhead, console: Console) -> None:
    """Print the time of each contestant, the steps of a problem, and the verdict."""
    rows = table(f"{overhead.job.name}; medians of the rounds, ranges in brackets")
    for column in ("contestant", "wall s", "engines s", "CPU s", "overhead ms", "by CPU ms", "wall ratio", "start s"):
        rows.add_column(column, justify="left" if column == "contestant" else "right", no_wrap=True)
    for name, spent in overhead.spent.items():
        rows.add_row(
            name,
            *_medians(spent),
            span(overhead.of(name), 1e3),
            f"{1e3 * overhead.cpu_overhead(name):.2f}",
            span(overhead.ratio(name)),
            f"{statistics.median(one.start for one in spent):.1f}",
        )
    console.print(rows)
    way = table("the way of one problem, ms: median wall, mean CPU")
    for column in ("step", "where", "wall", "CPU"):
        way.add_column(column, justify="left" if column in ("step", "where") else "right", no_wrap=True)
    for step, part in overhead.parts.items():
        way.add_row(
            step if step != SOLVE else f"{step} (no overhead)",
            part.place,
            f"{1e3 * statistics.median(part.wall):.2f}",
            f"{1e3 * statistics.fmean(part.cpu):.2f}",
        )
    console.print(way)
    console.print(
        f"overhead per problem in the warm embedded pool of {WORKERS}: {span(overhead.of(POOL), 1e3)} ms, goal below "
        f"{1e3 * GOAL_S:g} ms: {word(overhead.reached)}"
    )


def show_speed_up(speed_up: SpeedUp, console: Console) -> None:
    """Print the times of one worker and of two, and the verdict."""
    rows = table(f"{speed_up.job.name}; medians of the rounds")
    for column in ("contestant", "wall s", "engines s", "CPU s"):
        rows.add_column(column, justify="left" if column == "contestant" else "right", no_wrap=True)
    for name in (HERE, POOL):
        rows.add_row(name, *_medians(speed_up.spent[name]))
    console.print(rows)
    console.print(f"engines take {span(speed_up.engine_ratio)} times as long when {WORKERS} run at once")
    machine = [min(speed_up.machine), statistics.median(speed_up.machine), max(speed_up.machine)]
    console.print(f"a bare loop gets done {span(Ratio(*machine))} times as much by {WORKERS} processes as by one")
    console.print(
        f"{WORKERS} workers against one: {speed_up.measured:.2f} times faster (rounds: {span(speed_up.rounds)}), goal "
        f"{GOAL:g}: {word(speed_up.reached)}"
    )


def plain(overhead: Overhead, speed_up: SpeedUp) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {
        "overhead": {
            "job": asdict(overhead.job),
            "contestants": {
                name: {
                    "rounds": [asdict(one) for one in spent],
                    "overhead_s": asdict(overhead.of(name)),
                    "cpu_overhead_s": overhead.cpu_overhead(name),
                    "wall_ratio_to_pool": asdict(overhead.ratio(name)),
                }
                for name, spent in overhead.spent.items()
            },
            "parts": {
                step: {
                    "place": part.place,
                    "wall_median_s": statistics.median(part.wall),
                    "cpu_mean_s": statistics.fmean(part.cpu),
                }
                for step, part in overhead.parts.items()
            },
            "goal_s": GOAL_S,
            "reached": overhead.reached,
        },
        "speed_up": {
            "job": asdict(speed_up.job),
            "contestants": {name: [asdict(one) for one in spent] for name, spent in speed_up.spent.items()},
            "speed_up": speed_up.measured,
            "rounds": asdict(speed_up.rounds),
            "engine_ratio": asdict(speed_up.engine_ratio),
            "machine": speed_up.machine,
            "goal": GOAL,
            "reached": speed_up.reached,
        },
    }


def _medians(spent: list[Spent]) -> tuple[str, str, str]:
    """Wall, engine and CPU seconds."""
    wall, engine, cpu = (statistics.median(getattr(one, kind) for one in spent) for kind in ("wall", "engine", "cpu"))
    return f"{wall:.2f}", f"{engine:.2f}", f"{cpu:.2f}"
