"""The emulator's own settings, as opposed to the parameters it shares with a QPU."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from ..core.checks import apart, finite, is_one_of, positive, several, whole_number
from ..core.errors import InvalidParameterError, did_you_mean

Model = Literal["svmc-tf", "closed-form", "pimc"]

OWN_PARAMETERS = {
    "temperature": "Temperature in mK.",
    "sweeps": "Monte Carlo sweeps of one anneal, equally spaced in time, whatever its duration.",
    "seed": "Seed of this call, a whole number of 0 or more; the same seed gives the same reads.",
    "readout_error": "Probability that a bit is read flipped.",
    "stuck": "Qubits that keep one value: a mapping to -1 or +1, or those stuck at -1.",
    "model": "'svmc-tf' (spin-vector Monte Carlo), 'closed-form' (instant) or 'pimc' (path integral, small networks).",
    "freeze_out": "s at which spins stop to move in 'closed-form' and 'pimc'; 'svmc-tf' finds it by itself.",
}


@dataclass(frozen=True)
class Options:
    """Settings of one call.

    Attributes:
        temperature: in mK.
        sweeps: Monte Carlo sweeps per anneal.
        readout_error: probability that a bit is read flipped.
        stuck: qubits and the values at which they are stuck.
        model: which dynamics.
        freeze_out: s at which spins stop to move, for the models that need it.

    Raises:
        InvalidParameterError: a value out of range or of the wrong kind.
    """

    temperature: float = 18.0
    sweeps: int = 5000
    readout_error: float = 0.0
    stuck: Mapping[Hashable, int] = field(default_factory=dict)
    model: Model = "svmc-tf"
    freeze_out: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", positive("temperature (mK)", self.temperature))
        object.__setattr__(self, "sweeps", whole_number("sweeps", self.sweeps))
        object.__setattr__(self, "readout_error", finite("readout_error", self.readout_error))
        object.__setattr__(self, "freeze_out", finite("freeze_out", self.freeze_out))
        object.__setattr__(self, "stuck", _stuck(self.stuck))
        if not 0.0 <= self.readout_error <= 0.5:
            value, _, _ = apart(self.readout_error, 0.0, 0.5)
            raise InvalidParameterError(f"readout_error is a probability from 0 to 0.5 (a coin), but is {value}.")
        if not 0.0 < self.freeze_out < 1.0:
            raise InvalidParameterError(
                f"freeze_out is an s between 0 and 1, but is {apart(self.freeze_out, 0.0, 1.0)[0]}."
            )
        models = get_args(Model)
        if not is_one_of(self.model, models):
            raise InvalidParameterError(
                f"model must be {', '.join(models)}, but is {self.model!r}.{did_you_mean(str(self.model), models)}"
            )

    def overridden(self, parameters: Mapping[str, Any]) -> Options:
        """With those parameters of a call that are settings."""
        names = {option.name for option in fields(self)}
        return replace(self, **{name: value for name, value in parameters.items() if name in names})

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for the information that goes with the samples."""
        found = {option.name: getattr(self, option.name) for option in fields(self)}
        return found | {"stuck": [[qubit, value] for qubit, value in self.stuck.items()]}


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
        raise InvalidParameterError(f"stuck must list qubits, but {qubits!r} holds what can be none.") from None
