"""Progress bars and tables of the command line."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from ..core import compilation
from ..core.interruption import Interruption, SweepInterrupted
from ..core.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0
SIGNALLED = 128
_NEVER_DONE = 0.999
_STANDARD_ERROR = 2
_OF_RUNS = (
    "records in a store are kept, and with --store the same command goes on where a long exact or tensor-network run "
    "was; others start again."
)
_BAR_WIDTH = 20
_BESIDE_TEXT = _BAR_WIDTH + len("100%") + len("0:00:00") + 3
"""Columns of the bar, the percentage, the clock and the blanks between them."""

_PIPED_WIDTH = 200
_TEXT = (
    "network", "protocol", "quantity", "value", "charge_state", "item", "the paper", "measured", "fit", "verdict",
)  # fmt: skip
"""Columns that may be folded if a table is too wide; numbers are not folded."""


@contextmanager
def progress_bar(quiet: bool, what_is_left: str = _OF_RUNS) -> Iterator[Progress]:
    """Progress on standard error for work that does not handle Ctrl-C and SIGTERM itself: they stop it at its next
    report, and a second one at once. While a kernel is compiled, there is none for many seconds, which they say.

    Args:
        quiet: show nothing.
        what_is_left: of the work when it is interrupted, for the user.
    """
    with Interruption(False, _say_if_compiling) as interruption, progress_display(quiet) as show:

        def progress(fraction: float, message: str) -> None:
            interruption.check()
            show(fraction, message)

        try:
            yield progress
        except KeyboardInterrupt:
            print(f"interrupted; {what_is_left}", file=sys.stderr)
            raise typer.Exit(SIGNALLED + (interruption.signal_number or signal.SIGINT)) from None


def _say_if_compiling() -> None:
    if compilation.is_going_on():
        say_at_once("a kernel is being compiled; the command ends when it is, or sooner if asked again.")


def say_at_once(text: str) -> None:
    """Write a line on standard error in a signal's handler: Python refuses a print within a print."""
    with suppress(OSError):
        os.write(_STANDARD_ERROR, f"{text}\n".encode())


@contextmanager
def sweep_progress(quiet: bool) -> Iterator[Progress]:
    """Progress on standard error for sweeps, which handle signals themselves; exits with 128 + the signal's number."""
    try:
        with progress_display(quiet) as show:
            yield show
    except SweepInterrupted as stop:
        print(stop, file=sys.stderr)
        raise typer.Exit(SIGNALLED + stop.signal_number) from None


@contextmanager
def progress_display(quiet: bool) -> Iterator[Progress]:
    """A bar on standard error, or a line now and then if it is no terminal."""
    if quiet:
        logging.getLogger("spinbattery").setLevel(logging.ERROR)
        yield silent
        return
    if not _is_terminal():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Doing(TextColumn):
        def render(self, task: Task) -> Text:
            return Text("compiling kernels") if compilation.is_going_on() else super().render(task)

    texts, bar = Doing("{task.description}", markup=False), BarColumn(bar_width=_BAR_WIDTH)
    columns = (texts, bar, TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("preparing", total=1.0)

        def show(fraction: float, message: str) -> None:
            # rich would take the room for a long text from the percentage
            room = max(1, bars.console.width - _BESIDE_TEXT)
            text = message if len(message) <= room else f"{message[: room - 1]}…"
            # at its total the clock would stop, but the record must still be written
            bars.update(task, completed=min(fraction, _NEVER_DONE), description=text)

        yield show


def _is_terminal() -> bool:
    """Whether standard error is a terminal, or is to be treated as one; Rich, which knows more of them, is slow."""
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _lines() -> Progress:
    """Lines for a log: none for short work."""
    last = time.monotonic()

    def show(fraction: float, message: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{fraction:4.0%}  {message}", file=sys.stderr, flush=True)

    return show


def print_json(data: Any) -> None:
    """JSON on standard output; an unknown number is null, never NaN."""
    print(json.dumps(data, indent=2, allow_nan=False))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in header:
        text = column in _TEXT
        table.add_column(column, justify="left" if text else "right", overflow="fold", no_wrap=not text)
    for row in rows:
        table.add_row(*row)
    # a file or a pipe has no width
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
