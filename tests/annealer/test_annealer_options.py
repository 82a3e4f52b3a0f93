"""The emulator's own settings."""

from __future__ import annotations

import json

import pytest

from spinbattery.annealer.options import Options
from spinbattery.core.errors import InvalidParameterError


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", 0.0, "above zero"),
        ("temperature", float("nan"), "finite"),
        ("temperature", "18", "real number"),
        ("sweeps", 0, "1 or more"),
        ("sweeps", 10.5, "whole number"),
        ("readout_error", -0.1, "0 to 0.5"),
        ("readout_error", 0.6, "0 to 0.5"),
        ("freeze_out", 1.0, "between 0 and 1"),
        ("model", "svmc", "Did you mean 'svmc-tf'"),
        ("model", ["pimc"], "model must be"),
        ("stuck", {3: 0}, "-1 or \\+1"),
        ("stuck", {3: True}, "-1 or \\+1"),
        ("stuck", 3, "must map qubits"),
        ("stuck", "3", "must map qubits"),
    ],
)
def test_bad_settings_are_refused(name, value, message):
    with pytest.raises(InvalidParameterError, match=message):
        Options(**{name: value})


def test_a_list_of_stuck_qubits_is_stuck_at_minus_one():
    assert Options(stuck=[3, (0, 1)]).stuck == {3: -1, (0, 1): -1}
    assert Options(stuck={3: 1}).stuck == {3: 1}


def test_overriding_checks_and_leaves_the_rest():
    options = Options(temperature=15.0, stuck={(1, 2): 1})
    changed = options.overridden({"sweeps": 7, "seed": 3})
    assert (changed.temperature, changed.sweeps, changed.stuck) == (15.0, 7, {(1, 2): 1})
    assert options.sweeps == 5000
    with pytest.raises(InvalidParameterError, match="sweeps"):
        options.overridden({"sweeps": -1})


def test_settings_are_frozen_and_plain_data():
    options = Options(stuck={5: 1})
    with pytest.raises(AttributeError):
        options.sweeps = 3
    assert json.loads(json.dumps(options.to_dict()))["stuck"] == [[5, 1]]
