"""`python -m spinbattery` is the `spinbattery` command."""

from .cli.main import run

run()
