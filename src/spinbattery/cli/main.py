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
from .console import SIGNALLED, say_at_once
from .doctor import doctor
from .engines import engines
from .estimating import estimate
from .groups import spread
from .importing import import_measurement
from .merging import extend, merge
from .qpu import qpu
from .stores import store
from .sweeping import sweep
from .warming import warm_up


def reproduce() -> None:
    """Run the simulations of arXiv:2410.22212, its annealer emulated, and show what it printed and what holds."""


COMMANDS: dict[str, Callable[..., None]] = {
    "charge": charge,
    "scaling": scaling,
    "sweep": sweep,
    "reproduce": reproduce,
    "show": show,
    "merge": merge,
    "extend": extend,
    "estimate": estimate,
    "engines": engines,
    "doctor": doctor,
    "warm-up": warm_up,
    "import": import_measurement,
}
"""Commands by name. The paper's package offers `reproduce` by an entry point, so that nothing here imports it."""


class _Commands(typer.core.TyperGroup):
    """Commands whose flags are made when they are called: --help of all commands needs names and first lines alone."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _complete(COMMANDS[name]) if name in COMMANDS else command, rest

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = super().get_command(ctx, cmd_name)
        return _complete(offered) if known is None and (offered := plugins(COMMAND_GROUP).get(cmd_name)) else known


def _complete(function: Callable[..., None]) -> Any:
    """The command of a function, with all its flags."""
    alone = typer.Typer(add_completion=False)
    alone.command(function.__name__)(spread(plugins(COMMAND_GROUP)["reproduce"] if function is reproduce else function))
    return typer.main.get_command(alone)


app = typer.Typer(
    name="spinbattery",
    cls=_Commands,
    help="Charge quantum spin-network batteries: simulate, compare, reproduce.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.__doc__)(lambda: None)
app.add_typer(store, name="store")
app.add_typer(qpu, name="qpu")


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
    say_at_once("interrupted.")
    raise SystemExit(SIGNALLED + number)


def run() -> None:
    """Run the command line: exit code 2 and one line on standard error for errors that the user can fix."""
    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, _end) for number in heeded}
    try:
        app()
    except SpinBatteryError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    finally:  # a process that goes on, such as one that runs several commands, keeps its own
        for number, handler in before.items():
            signal.signal(number, handler)
