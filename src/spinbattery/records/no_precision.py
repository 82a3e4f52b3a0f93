"""Why a record has no precision."""

from __future__ import annotations

import re
from enum import StrEnum

from ..core.errors import RecordError

_COUNTED = re.compile(r"all \d+ reads")


class NoPrecision(StrEnum):
    """Why a record has no 1/sigma^2, in words that follow "sigma"."""

    APPROXIMATION = "is that of an approximation"
    NOT_CHECKED = "was not checked"
    NOT_CONVERGED = "has not converged"
    ZERO_TO_ROUNDING = "is zero to rounding"
    ZERO_IN_READS = "is zero in all reads"

    @property
    def is_zero(self) -> bool:
        """Whether sigma is known and zero; otherwise its value is uncertain."""
        return self in (NoPrecision.ZERO_TO_ROUNDING, NoPrecision.ZERO_IN_READS)

    def sentence(self, n_reads: int | None) -> str:
        """The reason with the number of reads, as stores and tables show it."""
        return f"is zero in all {n_reads} reads" if self is NoPrecision.ZERO_IN_READS else str(self)

    @classmethod
    def of_sentence(cls, sentence: str) -> NoPrecision:
        """The reason that :meth:`sentence` was made of, for columns of stores and Datasets.

        Raises:
            RecordError: no reason has this sentence.
        """
        try:
            return cls(_COUNTED.sub("all reads", sentence))
        except ValueError:
            raise RecordError(
                f"no_precision must be a reason such as {str(cls.NOT_CONVERGED)!r}, but is {sentence!r}; gather the "
                "records again."
            ) from None
