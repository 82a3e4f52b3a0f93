"""Entry point of the `spinbattery` command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from .. import __version__
from ..core.errors import SpinBatteryError
from .commands import charge, scaling, show
from .estimating import estimate
from .importing import import_measurement
from .merging import extend, merge
from .qpu import qpu
from .stores import store
from .sweeping import sweep

app = typer.Typer(
    name="spinbattery",
    help="Charge quantum spin-network batteries: simulate, compare, reproduce.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(charge)
app.command()(scaling)
app.command()(sweep)
app.command()(show)
app.command()(merge)
app.command()(extend)
app.command()(estimate)
app.command("import")(import_measurement)
app.add_typer(store, name="store")
app.add_typer(qpu, name="qpu")
for _command in entry_points(group="spinbattery.commands"):
    app.command(_command.name)(_command.load())


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Charge quantum spin-network batteries."""


def run() -> None:
    """Run the command line: exit code 2 and one line on standard error for what a user can mend."""
    try:
        app()
    except SpinBatteryError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
