"""What a process imports and runs before others are forked from it: first runs and a command, with all they load."""

from __future__ import annotations

import dwave.cloud  # noqa: F401
import forked  # noqa: F401
import pandas  # noqa: F401
from typer.testing import CliRunner

import spinbattery as sb
import spinbattery.sweeps.cluster
import spinbattery.sweeps.run
from spinbattery.cli.main import app

sb.charge("torus:2x2", sb.cooperative(2.0), engine=sb.TensorNetwork(bond_dimension=2, steps=2))
_COMMAND = ("charge", "--network", "ring:4", "--duration", "2ns", "--engine", "statevector", "--tolerance", "1e-5")
assert CliRunner().invoke(app, [*_COMMAND, "--json"]).exit_code == 0
