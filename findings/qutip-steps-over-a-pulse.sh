#!/usr/bin/env bash
# QuTiP 5.3.1, sesolve at its defaults: a pi pulse of 0.05 ns in the middle of 20 ns of rest is stepped over, and the spin that
# must be turned is not. Output times on both sides of the pulse do not help; max_step does. The same holds of every adaptive
# integrator that is given a whole protocol at once: atol and rtol bound the error of the steps that are made.
# The engines of this project never step across a corner of a waveform, and its exports say where the corners are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install qutip==5.3.1
cd "$folder"
cat > show.py <<'PYTHON'
import sys
import warnings

import numpy as np
import qutip

warnings.simplefilter("error")
WIDTH = 0.05


def pulse(t):
    return np.pi / (2.0 * WIDTH) if 10.0 <= t < 10.0 + WIDTH else 0.0


H = qutip.QobjEvo([qutip.sigmax(), pulse])
down = qutip.basis(2, 1)


def magnetization(times, **options):
    result = qutip.sesolve(H, down, times, e_ops=[qutip.sigmaz()], options={"progress_bar": "", **options})
    return float(result.expect[0][-1])


found = {
    "defaults": magnetization([0.0, 20.0]),
    "atol 1e-12, rtol 1e-10": magnetization([0.0, 20.0], atol=1e-12, rtol=1e-10),
    "output every ns": magnetization(np.linspace(0.0, 20.0, 21)),
    "max_step 0.01": magnetization([0.0, 20.0], max_step=0.01, nsteps=100_000),
}
for name, value in found.items():
    print(f"{name}: <sz> = {value:+.4f} (must be +1)")
print("qutip", qutip.__version__)
missed = [value < -0.99 for value in found.values()]
sys.exit(missed != [True, True, True, False])
PYTHON
env/bin/python show.py
# Seen:
# defaults: <sz> = -1.0000 (must be +1)
# atol 1e-12, rtol 1e-10: <sz> = -1.0000 (must be +1)
# output every ns: <sz> = -1.0000 (must be +1)
# max_step 0.01: <sz> = +1.0000 (must be +1)
