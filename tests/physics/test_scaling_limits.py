"""The limits of the exponents: adiabatic cooperative charging, its local equivalent, and the polarised protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import spinbattery as sb

TORI = ((1, 2), (2, 2), (2, 3), (2, 4), (3, 3), (2, 5), (3, 4))


@pytest.fixture
def records(known_runs: Path) -> Callable[[Callable[[sb.SpinNetwork], sb.Protocol]], list[sb.Record]]:
    """Records on all tori; the report has the same runs, at the same tolerance."""
    tori = [sb.torus(*size) for size in TORI]
    return lambda make: [sb.charge(torus, make(torus), tolerance=1e-8, store=known_runs) for torus in tori]


@pytest.mark.slow
def test_cooperative_charging_reaches_the_heisenberg_scaling(records):
    for fit in sb.fit_both(records(lambda torus: sb.cooperative(200.0, s_hold=0.25))).values():
        assert fit.alpha == pytest.approx(2.0, abs=0.01)
        assert fit.c == pytest.approx(1.0, abs=0.02)


def test_the_local_equivalent_has_the_standard_quantum_limit(records):
    for fit in sb.fit_both(records(lambda torus: sb.cooperative(200.0, s_hold=0.25).local_equivalent(torus))).values():
        assert fit.alpha == pytest.approx(1.0, abs=0.005)
        assert fit.c == pytest.approx(1.0, abs=0.005)


@pytest.mark.slow
def test_the_polarised_protocol_is_precise_at_every_size(records):
    precisions = [record.precision for record in records(lambda torus: sb.polarised(200.0, s_hold=0.25))]
    assert min(precisions) > 1e4
