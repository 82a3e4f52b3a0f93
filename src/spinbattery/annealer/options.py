"""The emulator's own settings, as opposed to the parameters it shares with a QPU."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from ..core.checks import apart, check_choice, finite, positive, several, whole_number
from ..core.errors import InvalidParameterError

Model = Literal["svmc-tf", "closed-form", "pimc"]

OWN_PARAMETERS = {
    "temperature": "Temperature in mK.",
    "sweeps": "Monte Carlo sweeps of one anneal, equally spaced in time, whatever its duration.",
    "seed": "Seed of this call, a whole number of 0 or more; the same seed gives the same reads.",
    "readout_error": "Probability that a bit is read flipped.",
    "stuck": "Qubits that keep one value: a mapping to -1 or +1, or those stuck at -1.",
    "model": "'svmc-tf' (spin-vector Monte Carlo), 'closed-form' (instant) or 'pimc' (path integral, small networks).",
    "freeze_out": "Annealing fraction s at which the spins freeze in 'closed-form' and 'pimc'; 'svmc-tf' needs none.",
}


@dataclass(frozen=True)
class Options:
    """Settings of the model; `OWN_PARAMETERS` describes them. InvalidParameterError for a value that is wrong."""

    temperature: float = 18.0
    sweeps: int = 5000
    readout_error: float = 0.0
    stuck: Mapping[Hashable, int] = field(default_factory=dict)
    model: Model = "svmc-tf"
    freeze_out: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", positive("temperature (mK)", self.temperature))
        object.__setattr__(self, "sweeps", whole_number("sweeps", self.sweeps))
        object.__setattr__(self, "readout_error", checked_readout_error(self.readout_error))
        object.__setattr__(self, "freeze_out", finite("freeze_out", self.freeze_out))
        object.__setattr__(self, "stuck", _stuck(self.stuck))
        if not 0.0 < self.freeze_out < 1.0:
            raise InvalidParameterError(
                f"freeze_out is an s between 0 and 1, but is {apart(self.freeze_out, 0.0, 1.0)[0]}."
            )
        check_choice("model", self.model, get_args(Model))

    def overridden(self, parameters: Mapping[str, Any]) -> Options:
        """The settings of a call, whose parameters replace these."""
        names = {option.name for option in fields(self)}
        return replace(self, **{name: value for name, value in parameters.items() if name in names})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the information that goes with the samples."""
        return {**vars(self), "stuck": [[qubit, value] for qubit, value in self.stuck.items()]}


def checked_readout_error(value: float) -> float:
    """The probability that a bit is read flipped, checked to be within [0, 0.5]."""
    error = finite("readout_error", value)
    if not 0.0 <= error <= 0.5:
        raise InvalidParameterError(
            f"readout_error is a probability from 0 to 0.5 (a coin), but is {apart(error, 0.0, 0.5)[0]}."
        )
    return error


def _stuck(given: Any) -> dict[Hashable, int]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidParameterError(f"stuck must map qubits to -1 or +1, or list qubits stuck at -1, but is {given!r}.")
    values = dict(given) if isinstance(given, Mapping) else _at_minus_one(given)
    for qubit, value in values.items():
        if isinstance(value, bool) or value not in (-1, 1):
            raise InvalidParameterError(f"a stuck qubit has the value -1 or +1, but qubit {qubit!r} has {value!r}.")
    return {qubit: int(value) for qubit, value in values.items()}


def _at_minus_one(qubits: Any) -> dict[Hashable, int]:
    try:
        return dict.fromkeys(several("stuck", qubits), -1)
    except TypeError:
        raise InvalidParameterError(f"stuck must list qubits, but {qubits!r} has unhashable members.") from None
