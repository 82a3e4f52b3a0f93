"""Entry point of the `spinbattery` command."""

from __future__ import annotations

import sys

import typer

from .. import __version__
from ..errors import SpinBatteryError
from .commands import charge, scaling, show
from .reproduction import reproduce

app = typer.Typer(
    name="spinbattery",
    help="Charge quantum spin-network batteries: simulate, compare, reproduce.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(charge)
app.command()(scaling)
app.command()(reproduce)
app.command()(show)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Charge quantum spin-network batteries."""


_INTERRUPTED = 130


def run() -> None:
    """Run the command line: exit code 2 and one line on standard error for what a user can mend."""
    try:
        app()
    except SpinBatteryError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as stop:  # typer turns Ctrl-C into this code and says nothing
        if stop.code == _INTERRUPTED:
            print(
                "interrupted; finished records of a store or reproduction are kept, and the same command goes on.",
                file=sys.stderr,
            )
        raise
