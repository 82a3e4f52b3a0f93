"""`spinbattery doctor` as a user runs it; how long it takes is not tested."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import EntryPoint

import pytest

from spinbattery.core.plugins import ENGINE_GROUP
from spinbattery.diagnosis import installation, report, self_test, warming
from spinbattery.diagnosis.installation import Extra, Installation, Needed
from spinbattery.diagnosis.kernels import Kernels
from spinbattery.engines.registry import engines

PRODUCT = EntryPoint("product", "spinbattery.engines.dense.product:Product", ENGINE_GROUP)
RAISING = EntryPoint("raising", "odd_engines:Raising", ENGINE_GROUP)


@pytest.fixture
def offer(monkeypatch):
    """Let these engines be the ones that are installed."""

    def set_points(*points: EntryPoint) -> None:
        monkeypatch.setattr(self_test, "entry_points", lambda group: points)

    return set_points


def test_every_engine_of_ours_is_right_or_its_package_is_missing(spinbattery):
    got = spinbattery("doctor", "--json", "--quiet")
    found = got.json
    assert got.code == 0
    assert found["healthy"]
    by_name = {engine["name"]: engine for engine in found["engines"]}
    assert set(by_name) == set(engines())
    for name, engine in by_name.items():
        assert engine["verdict"] == "passed" or (name == "qtealeaves" and engine["verdict"] == "not installed")
        assert engine["package"].startswith("spinbattery ")
        assert all(check["passed"] for check in engine["checks"])
    coupled = {name for name, one in by_name.items() if any("coupled" in check["what"] for check in one["checks"])}
    assert coupled >= {"statevector", "symmetric", "lindblad", "tensor", "mean-field", "truncated-wigner", "emulator"}
    assert found["versions"].keys() >= {"python", "spinbattery", "numpy", "numba", "llvmlite"}
    assert 1 <= found["machine"]["cores"] <= found["machine"]["all_cores"]
    assert 0 < found["machine"]["memory_bytes"] <= found["machine"]["all_memory_bytes"]
    assert found["kernels"]["folders"]
    assert found["unsuitable"] == []
    assert {extra["name"] for extra in found["extras"]} >= {"qutip", "qpu", "cluster", "qtea"}


def test_a_broken_engine_is_reported_and_ends_with_exit_code_1(spinbattery, offer):
    offer(RAISING, PRODUCT)
    got = spinbattery("doctor", "--quiet")
    assert got.code == 1
    assert "raising (unknown package): failed" in got.out
    assert "ZeroDivisionError('no such luck')" in got.out
    assert "update or uninstall" in got.out
    assert "product (unknown package): passed" in got.out
    data = spinbattery("doctor", "--quiet", "--json").json
    assert not data["healthy"]
    assert [engine["verdict"] for engine in data["engines"]] == ["passed", "failed"]


def test_missing_extras_are_no_fault_and_come_with_their_command(spinbattery, offer, monkeypatch):
    offer(PRODUCT)
    extra = Extra("more", (Needed("no-such-package>=3", None, False),), "pip install 'spinbattery[more]'")
    found = Installation({"python": "3"}, (Needed("numpy>=2", "2.1", True),), (extra,))
    monkeypatch.setattr(report, "read_installation", lambda: found)
    got = spinbattery("doctor", "--quiet")
    assert got.code == 0
    assert "more: missing no-such-package>=3; pip install 'spinbattery[more]'" in got.out


def test_a_package_that_is_too_old_is_a_fault(spinbattery, offer, monkeypatch):
    offer(PRODUCT)
    found = Installation({"python": "3"}, (Needed("numpy>=99", "2.1", False),), ())
    monkeypatch.setattr(report, "read_installation", lambda: found)
    got = spinbattery("doctor", "--quiet")
    assert got.code == 1
    assert "numpy>=99, but 2.1 is installed; run " in got.out
    assert "'numpy>=99'" in got.out


def test_kernels_that_cannot_be_kept_come_with_advice(spinbattery, offer, monkeypatch):
    offer(PRODUCT)
    monkeypatch.setattr(report, "read_kernels", lambda: Kernels(("/there/a", "/there/b"), 12, 2_000_000, 3, 4, 1))
    got = spinbattery("doctor", "--quiet")
    assert got.code == 0
    assert "12 are kept in /there, 2.0 MB; 4 were compiled now" in got.out
    assert "NUMBA_CACHE_DIR" in got.out
    monkeypatch.setattr(report, "read_kernels", lambda: Kernels((), 0, 0, 0, 4, 4))
    assert "none is kept; 4 were compiled now" in spinbattery("doctor", "--quiet").out


def test_time_of_runs_is_told_apart_from_the_rest(spinbattery, offer):
    """Imports of an engine's packages and compilation happen once."""
    offer(PRODUCT, RAISING)
    product, raising = spinbattery("doctor", "--quiet", "--json").json["engines"]
    assert product["seconds"] > 0.0
    assert product["preparing_seconds"] > 0.0
    assert raising["seconds"] == 0.0  # no run has come to its end
    assert raising["preparing_seconds"] > 0.0


def test_a_machine_without_psutil_is_described_as_far_as_it_is_known(spinbattery, offer, monkeypatch):
    offer(PRODUCT)
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert "memory unknown" in spinbattery("doctor", "--quiet").out
    machine = spinbattery("doctor", "--quiet", "--json").json["machine"]
    assert machine["memory_bytes"] is None
    assert machine["cores"] >= 1


@pytest.mark.parametrize("command", ["doctor", "warm-up"])
def test_an_interrupted_command_without_records_does_not_talk_of_stores(spinbattery, monkeypatch, command):
    def interrupted(progress):
        os.kill(os.getpid(), signal.SIGINT)
        progress(0.5, "at work")

    monkeypatch.setattr(report, "diagnose", interrupted)
    monkeypatch.setattr(warming, "warm_up", interrupted)
    got = spinbattery(command, "--quiet")
    assert got.code == 128 + signal.SIGINT
    assert "interrupted" in got.err
    assert "store" not in got.err


def test_a_source_tree_that_is_not_installed_is_refused(spinbattery, monkeypatch):
    def missing(name):
        raise installation.PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", missing)
    got = spinbattery("doctor", "--quiet")
    assert got.code == 2
    assert "pip install -e ." in got.err
