"""Settings of the whole suite: one thread per library, no display, the same examples on every run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# before numpy and matplotlib are imported: BLAS threads only slow small matrices down
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

# no deadline: the first call of a jitted kernel compiles it; `HYPOTHESIS_PROFILE=search` looks for new examples
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fixed", derandomize=True, max_examples=25, **_COMMON)
settings.register_profile("search", max_examples=500, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
