"""The contestants of the benchmarks solve the same problem; nothing is timed here."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _repository_root(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))


def test_contestants_agree_on_a_pair():
    from benchmarks import qutip_peer
    from benchmarks.comparison import true_outcome
    from benchmarks.contestants import (
        Case,
        Pass,
        paper_method,
        paper_method_assembled,
        statevector_pass,
        statevector_promise,
    )

    case = Case(1, 2)
    truth = true_outcome(case)
    # computed once by Strang splitting with Richardson extrapolation, apart from this code; good to 1e-5
    assert truth.magnetization == pytest.approx(0.5560491, abs=2e-6)
    assert truth.precision == pytest.approx(3.98596, rel=1e-5)
    contestants = {
        "paper": (paper_method(case.problem()), 1e-3),
        "paper, assembled": (paper_method_assembled(case.problem()), 1e-3),
        "qutip, splines": (qutip_peer.prepare(case.problem(), qutip_peer.Setting("vern9", 1e-11, 1e-9)), 1e-7),
        "qutip, functions": (lambda: qutip_peer.reference(case.problem()), 1e-8),
        "promise": (statevector_promise(case, 1e-6), 1e-6),
        "one pass": (statevector_pass(case, Pass("BM4", 1000)), 1e-6),
    }
    for name, (run, tolerance) in contestants.items():
        outcome = run()
        assert outcome.magnetization == pytest.approx(truth.magnetization, abs=tolerance), name
        assert outcome.precision == pytest.approx(truth.precision, rel=tolerance), name
