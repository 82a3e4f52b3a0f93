"""Units: time in ns, energies divided by Planck's constant in GHz, powers in W.

The propagator is ``exp(-i 2 pi H t)`` with H in GHz and t in ns: the 2 pi belongs there.
"""

from __future__ import annotations

import math

TWO_PI = 2.0 * math.pi
"""Angular frequency (rad/ns) of an energy of 1 GHz."""

PLANCK_CONSTANT = 6.62607015e-34
"""J s, exact in the SI of 2019."""

GHZ_IN_JOULE = PLANCK_CONSTANT * 1e9
"""Energy of 1 GHz in joule."""

BOLTZMANN_GHZ_PER_KELVIN = 1.380649e-23 / GHZ_IN_JOULE
"""kT/h of one kelvin, in GHz."""
