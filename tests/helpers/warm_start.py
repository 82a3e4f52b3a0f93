"""What a process imports and runs before others are forked from it: a first run, with all that it loads."""

from __future__ import annotations

import pandas  # noqa: F401

import spinbattery as sb
import spinbattery.cli.main
import spinbattery.sweeps.cluster
import spinbattery.sweeps.run

sb.charge("ring:4", sb.cooperative(2.0), engine="statevector", tolerance=1e-5)
