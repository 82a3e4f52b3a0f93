"""The promise of a tolerance on many random problems, for the table of docs/accuracy.md.

PYTHONPATH=tests/helpers python tests/physics/promise_trial.py statevector 1000
"""

from __future__ import annotations

import sys

import numpy as np
from test_promise import KINDS, charging_errors, relaxing_errors


def main(kind: str, runs: int) -> None:
    """Print how many of the problems 0 to ``runs`` - 1 of a kind keep the promise."""
    if kind in KINDS:
        found = [charging_errors(kind, number) for number in range(runs)]
    elif kind == "relaxing":
        found = [relaxing_errors(number, 10.0 ** -(4 + number % 5)) for number in range(runs)]
    else:
        sys.exit(f"unknown kind {kind!r}; there are relaxing, {', '.join(KINDS)}.")
    judged = [errors for errors in found if errors is not None]
    shares, covered = (np.array(part) for part in zip(*judged, strict=True))
    print(f"{kind}: {len(judged)} runs, {len(found) - len(judged)} ended with an error")
    print(f"error above the tolerance: {(shares > 1.0).sum()}, up to {shares.max():.2g} times")
    print(f"error above its estimate: {(~covered).sum()}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
