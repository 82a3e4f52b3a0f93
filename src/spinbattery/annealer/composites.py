"""Composites around an annealer that sample another protocol than the one in the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dimod

_SPIN_REVERSAL = "SpinReversalTransformComposite"

_CHANGING = {
    "ScaleComposite": "scales h and J",
    "CutOffComposite": "leaves weak couplings out",
    "LinearAncillaComposite": "replaces fields by couplings to other qubits, on which the gain does not act",
    "TruncateComposite": "keeps only the reads of low energy",
    "ReverseAdvanceComposite": "anneals by schedules of its own, each from the reads before",
    "ReverseBatchStatesComposite": "starts from states of its own",
    "TilingComposite": "does not carry initial_state over to the qubits of its tiles",
}
"""Composites of dimod, dwave-preprocessing and dwave-system that change a request, and how."""


def changing_composite(sampler: dimod.Sampler, is_reverse: bool) -> str | None:
    """Reason why a sampler, or a composite around one, would sample another protocol; None where it would not.

    ``is_reverse``: whether the protocol starts from an initial state.
    """
    effects = _CHANGING | ({_SPIN_REVERSAL: "reverses h and J but not initial_state"} if is_reverse else {})
    for layer in layers(sampler):
        for name in effects.keys() & {kind.__name__ for kind in type(layer).__mro__}:
            return (
                f"its sampler has a {type(layer).__name__}, which {effects[name]}, so that another protocol would be "
                "sampled; give the sampler without it."
            )
    return None


def layers(sampler: dimod.Sampler) -> Iterator[dimod.Sampler]:
    """The sampler and everything it is composed of, the outermost first."""
    yield sampler
    for child in getattr(sampler, "children", ()):
        yield from layers(child)
