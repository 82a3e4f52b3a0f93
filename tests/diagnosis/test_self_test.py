"""The self-test of engines: closed forms hold, and whatever an engine does wrong is found and reported."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

import spinbattery as sb
from spinbattery.core.plugins import ENGINE_GROUP
from spinbattery.diagnosis import self_test
from spinbattery.diagnosis.self_test import Check, Verdict, check_engine, check_engines
from spinbattery.engines.common import known_results


def offered(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, ENGINE_GROUP)


@pytest.mark.parametrize("known", known_results.exact_results(), ids=lambda known: known.what)
def test_known_results_agree_with_the_density_matrix_to_rounding(known):
    record = sb.Lindblad(1e-10).run(known.problem)
    assert record.magnetization == pytest.approx(known.magnetization, abs=1e-9)
    assert record.variance == pytest.approx(known.variance, rel=1e-9)


def test_known_results_need_every_term_of_the_hamiltonian():
    """Without coupling, field or noise the same problems end elsewhere, so that no term can be lost unnoticed."""
    pairs, ramped, alone, noisy = (known.magnetization for known in known_results.exact_results())
    assert len({round(mean, 3) for mean in (pairs, ramped, alone, noisy)}) == 4
    assert all(0.05 < abs(mean) < 0.95 for mean in (pairs, ramped, alone, noisy))


def test_mean_fields_are_turned_by_their_partners():
    known = known_results.mean_field_pairs()
    record = sb.MeanField(1e-9).run(known.problem)
    assert record.magnetization == pytest.approx(known.magnetization, abs=1e-8)
    assert record.variance == pytest.approx(known.variance, rel=1e-8)
    uncoupled = sb.MeanField(1e-9).run(known_results._pulsed(0.0, known_results._SIXTH))
    assert abs(uncoupled.magnetization - known.magnetization) > 0.05


def test_random_starts_and_rotors_reach_their_own_results():
    for engine, known in (
        (sb.TruncatedWigner(8000, seed=2), known_results.wigner_pairs()),
        (sb.Emulator(temperature=30.0, reads=8000, sweeps=2000, seed=2), known_results.thermal_pairs(30.0)),
    ):
        record = engine.run(known.problem)
        assert abs(record.magnetization - known.magnetization) < 5.0 * record.magnetization_stderr
        assert record.variance == pytest.approx(known.variance, rel=0.08)


@pytest.mark.parametrize(
    ("value", "verdict", "said"),
    [
        ("odd_engines:Twisted", Verdict.FAILED, "spins alone, pulsed"),
        ("odd_engines:Raising", Verdict.FAILED, "ZeroDivisionError('no such luck')"),
        ("odd_engines:NoEngine", Verdict.FAILED, "no subclass of spinbattery.Engine"),
        ("no_such_module:Engine", Verdict.FAILED, "ModuleNotFoundError"),
        ("odd_engines:Lacking", Verdict.MISSING, "install something"),
        ("odd_engines:Choosy", Verdict.UNTESTED, "none of the problems"),
        ("spinbattery.engines.dense.product:Product", Verdict.PASSED, ""),
    ],
)
def test_an_engine_is_judged_and_nothing_it_raises_is_fatal(value, verdict, said):
    found = check_engine(offered("odd", value))
    assert (found.name, found.verdict) == ("odd", verdict)
    assert said in found.message
    assert ("update or uninstall" in found.advice) == (verdict is Verdict.FAILED)


def test_a_missing_package_is_no_matter_of_compiled_kernels(monkeypatch):
    monkeypatch.setattr(self_test, "_is_own", lambda point: True)
    missing, raising = (check_engine(offered("odd", value)).advice for value in ("no_module:E", "odd_engines:Raising"))
    assert "packages" in missing
    assert "kernels" not in missing
    assert "kernels" in raising


def test_a_difference_that_is_no_number_does_not_pass():
    assert Check("", 0.0, -1e-6, 1e-6).passed
    assert not Check("", float("nan"), 0.0, 1e-6).passed
    assert not Check("", 0.0, 2e-6, 1e-6).passed


def test_every_offered_engine_is_tested_whatever_others_do(monkeypatch):
    points = [offered("a", "odd_engines:Raising"), offered("b", "spinbattery.engines.dense.product:Product")]
    monkeypatch.setattr(self_test, "entry_points", lambda group: points if group == ENGINE_GROUP else [])
    reports: list[tuple[float, str]] = []
    found = check_engines(lambda fraction, message: reports.append((fraction, message)))
    assert [(test.name, test.verdict) for test in found] == [("a", Verdict.FAILED), ("b", Verdict.PASSED)]
    assert reports == [(0.0, "testing a"), (0.5, "testing b")]
