"""Progress bars and tables of the command line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..progress import Progress


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress]:
    """A bar on standard error that follows the fraction and message it is given, and obeys Ctrl-C."""
    with _lasting_interrupt() as check:
        if quiet:
            yield lambda fraction, message: check()
            return
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task("starting", total=1.0)

            def show(fraction: float, message: str) -> None:
                check()
                bars.update(task, completed=fraction, description=message)

            yield show


@contextmanager
def _lasting_interrupt() -> Iterator[Callable[[], None]]:
    """Act on Ctrl-C at the next progress, not at once: while a kernel is being compiled an exception would
    be lost in a callback of the compiler, or come out as another error. A second Ctrl-C acts at once.

    Yields a check that raises KeyboardInterrupt if there was a Ctrl-C.
    """
    interrupted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def print_json(data: Any) -> None:
    """JSON on standard output; a number that is not known is null, never NaN."""
    print(json.dumps(data, indent=2, allow_nan=False))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in header:
        table.add_column(column, justify="left" if column == header[0] else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
