#!/usr/bin/env bash
# dimod 0.12.23, the COO format of models: it is written with six decimals, so that weights below 5e-7 come back as zero; and a
# line with an exponent, such as "0 1 1e-05", is skipped when it is read: the bond is missing, with no error and no warning.
# This project reads such lists itself: exponents are numbers, and a line is understood or refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet --disable-pip-version-check install dimod==0.12.23
cd "$folder"
cat > show.py <<'PYTHON'
import sys
import warnings

import dimod
from dimod.serialization import coo

warnings.simplefilter("error", UserWarning)
model = dimod.BinaryQuadraticModel.from_ising({}, {(0, 1): 1e-7, (1, 2): 0.123456789})
text = coo.dumps(model)
written = coo.loads(text, vartype="SPIN")
read = coo.loads("0 1 1e-05\n1 2 0.5\n", vartype="SPIN")
print("weights 1e-7 and 0.123456789, written and read:", written.get_quadratic(0, 1), written.get_quadratic(1, 2))
print("bonds read from the lines '0 1 1e-05' and '1 2 0.5':", {tuple(pair): float(v) for pair, v in read.quadratic.items()})
print("dimod", dimod.__version__)
as_seen = (
    (written.get_quadratic(0, 1), written.get_quadratic(1, 2)) == (0.0, 0.123457)
    and read.num_interactions == 1
    and sorted(read.variables) == [1, 2]
)
sys.exit(not as_seen)
PYTHON
env/bin/python show.py
# Seen:
# weights 1e-7 and 0.123456789, written and read: 0.0 0.123457
# bonds read from the lines '0 1 1e-05' and '1 2 0.5': {(2, 1): 0.5}
