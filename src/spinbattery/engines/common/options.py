"""Options that several engines declare alike."""

from __future__ import annotations

from ...core.checks import apart, positive
from ...core.errors import InvalidParameterError
from ...records.options import Column, option

MINIMUM_TOLERANCE = 1e-11

TOLERANCE = option(
    "Error that is kept: absolute in mu, relative in the precision.",
    column=Column("REAL", "tolerance of the engine, kept by exact ones and aimed at by tensor networks"),
)

SEED = option(
    "Seed; derived from the problem by default.",
    column=Column("INTEGER", "seed of the engine, where it has one"),
    least=0,
)

TRAJECTORIES = option("Number of trajectories.", column=Column("INTEGER", "trajectories of a noisy run"), least=2)


def whole_numbers(text: str) -> int | tuple[int, ...]:
    """One whole number, or several with commas."""
    try:
        several = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidParameterError(
            f"{text!r} must be a whole number or several with commas, such as 10,16,24."
        ) from None
    return several if len(several) > 1 else several[0]


def checked_tolerance(tolerance: float) -> float:
    """Raise :class:`InvalidParameterError` unless the tolerance lies between 1e-11 and 0.1."""
    value = positive("tolerance", tolerance)
    if not MINIMUM_TOLERANCE <= value <= 0.1:
        given, least, _ = apart(value, MINIMUM_TOLERANCE, 0.1)
        raise InvalidParameterError(f"tolerance must lie between {least} (rounding) and 0.1, but is {given}.")
    return value
