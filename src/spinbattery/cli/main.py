"""Entry point of the `spinbattery` command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import typer
import typer.core

from .. import __version__
from ..core.errors import SpinBatteryError
from ..core.interruption import SIGNALS
from ..core.plugins import COMMAND_GROUP, plugins
from .commands import charge, scaling, show
from .console import SIGNALLED
from .engines import engines
from .estimating import estimate
from .groups import EngineOptions, spread
from .importing import import_measurement
from .merging import extend, merge
from .qpu import qpu
from .stores import store
from .sweeping import sweep

_WITH_ENGINES: dict[str, Callable[..., None]] = {"charge": charge, "scaling": scaling}
"""Commands with flags of all installed engines, which are imported when one of these commands is called."""


class _Commands(typer.core.TyperGroup):
    """Commands that get their last flags when they are called, so that --help of all commands stays instant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name in _WITH_ENGINES:
            EngineOptions.complete = True
            alone = typer.Typer(add_completion=False)
            alone.command(name)(spread(_WITH_ENGINES[name]))
            command = typer.main.get_command(alone)
        return name, command, rest


app = typer.Typer(
    name="spinbattery",
    cls=_Commands,
    help="Charge quantum spin-network batteries: simulate, compare, reproduce.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(spread(charge))
app.command()(spread(scaling))
app.command()(spread(sweep))
app.command()(show)
app.command()(merge)
app.command()(extend)
app.command()(spread(estimate))
app.command()(engines)
app.command("import")(spread(import_measurement))
app.add_typer(store, name="store")
app.add_typer(qpu, name="qpu")
for _name, _offered in plugins(COMMAND_GROUP).items():
    app.command(_name)(spread(_offered))


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Charge quantum spin-network batteries."""


def _end(number: int, frame: FrameType | None) -> None:
    """End at once where a command has not begun its work, or does not see to signals itself."""
    print("interrupted; records in a store are kept.", file=sys.stderr)
    raise SystemExit(SIGNALLED + number)


def run() -> None:
    """Run the command line: exit code 2 and one line on standard error for errors that the user can fix."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _end)
    try:
        app()
    except SpinBatteryError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
