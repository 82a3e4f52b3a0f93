"""Labels of spins: matched with the names in files and in answers of samplers, and kept as plain data."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core.errors import NetworkError

_SHOWN = 4


def matched(names: Sequence[Hashable], own: Sequence[Hashable], what: str) -> list[Hashable]:
    """The label among ``own``, those of ``what``, for each name of a spin in a file or an answer.

    Names are the labels themselves, or all are labels in another spelling: whole numbers that became texts, as in graph
    files, or the reverse.
    """
    known = {label: label for label in own}  # 1.0 and True are equal to 1, which is the label
    if all(name in known for name in names):
        return [known[name] for name in names]
    texts = [str(name) for name in names if _has_two_spellings(name)]
    if len(texts) == len(names) == len(set(texts)):
        spelled = by_text([label for label in own if _has_two_spellings(label)], what)
        if spelled.keys() >= set(texts):
            return [spelled[text] for text in texts]
    strange = [name for name in names if name not in known]
    raise NetworkError(
        f"{len(strange)} of {len(names)} labels ({_some(strange)}) are not spins of {what}, which has {len(own)} "
        f"({_some(own)}){_kinds(strange, own)}; give the network that they belong to."
    )


def by_text(own: Iterable[Hashable], what: str) -> dict[str, Hashable]:
    """Labels by their texts, for names in files; refuses two that are written alike."""
    found: dict[str, Hashable] = {}
    for label in own:
        if str(label) in found:
            raise NetworkError(
                f"{what} has spins {found[str(label)]!r} and {label!r}, which are written alike; relabel them."
            )
        found[str(label)] = label
    return found


def to_plain(labels: Iterable[Hashable]) -> list[Any]:
    """Labels as JSON has them: tuples as lists, numpy's numbers as Python's, anything else as a text."""
    return [_plain(label) for label in labels]


def from_plain(labels: Iterable[Any]) -> tuple[Hashable, ...]:
    """Inverse of :func:`to_plain`, with tuples for lists."""
    return tuple(from_plain(label) if isinstance(label, list) else label for label in labels)


def _plain(label: Any) -> Any:
    if isinstance(label, tuple):
        return to_plain(label)
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, float) and not math.isfinite(label):
        return str(label)
    return label if label is None or isinstance(label, bool | int | float | str) else str(label)


def _has_two_spellings(label: Any) -> bool:
    return isinstance(label, int | np.integer | str) and not isinstance(label, bool)


def _some(labels: Sequence[Hashable]) -> str:
    more = ", ..." if len(labels) > _SHOWN else ""
    return ", ".join(map(repr, labels[:_SHOWN])) + more


def _kinds(strange: Sequence[Hashable], own: Sequence[Hashable]) -> str:
    """End of a message where one side has texts and the other whole numbers."""
    kinds = {"texts": str, "whole numbers": int | np.integer}
    theirs, ours = (
        next((name for name, kind in kinds.items() if side and all(isinstance(one, kind) for one in side)), "")
        for side in (strange, own)
    )
    return f"; they are {theirs}, and its own labels are {ours}" if theirs and ours and theirs != ours else ""
