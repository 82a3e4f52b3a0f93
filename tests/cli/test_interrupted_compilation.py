"""Ctrl-C is answered while a kernel is compiled, which reports no progress for many seconds."""

from __future__ import annotations

import os
import signal
import sys

import numba
import pytest
import typer
from numba.core import event

from spinbattery.cli import main
from spinbattery.cli.console import progress_bar
from spinbattery.core import compilation

ANSWER = "is being compiled"


class Interrupting(event.Listener):
    """Sends Ctrl-C within the first pass of the compiler."""

    sent = 0

    def on_start(self, event):
        if not self.sent:
            self.sent += 1
            os.kill(os.getpid(), signal.SIGINT)

    def on_end(self, event):
        pass


def exit_code(work):
    """The exit code of a command that does some work, which is interrupted."""

    def command():
        with progress_bar(quiet=True) as progress:
            work(progress)

    with pytest.raises(typer.Exit) as stop:
        command()
    return stop.value.exit_code


def test_a_signal_within_the_compiler_is_answered_and_heeded_afterwards(capfd, monkeypatch):
    """By the system: Python refuses a print within a print, which the signal may have come into."""
    monkeypatch.setattr(sys, "stderr", None)

    @numba.njit
    def grown(x):
        return x + 1

    def work(progress):
        listener = Interrupting()
        with event.install_listener("numba:run_pass", listener):
            assert grown(1) == 2  # the compiler is not disturbed
        assert listener.sent == 1
        assert ANSWER in capfd.readouterr().err
        monkeypatch.undo()
        progress(0.5, "after it")

    assert exit_code(work) == 128 + signal.SIGINT


def test_a_signal_before_the_work_is_answered_within_a_print(capfd, monkeypatch):
    class Printing:
        def write(self, text):
            raise RuntimeError("reentrant call")

    monkeypatch.setattr(sys, "stderr", Printing())
    with pytest.raises(SystemExit) as stop:
        main._end(signal.SIGTERM, None)
    assert stop.value.code == 128 + signal.SIGTERM
    assert "interrupted" in capfd.readouterr().err


def test_a_signal_elsewhere_needs_no_such_word(capfd):
    def work(progress):
        os.kill(os.getpid(), signal.SIGINT)
        progress(0.5, "at work")

    assert exit_code(work) == 128 + signal.SIGINT
    assert ANSWER not in capfd.readouterr().err


@pytest.mark.parametrize("is_going_on", [True, False])
def test_a_bar_says_that_kernels_are_compiled(capsys, monkeypatch, is_going_on):
    """Which reports no progress."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(compilation, "is_going_on", lambda: is_going_on)
    with progress_bar(quiet=False):
        pass
    assert ("compiling kernels" in capsys.readouterr().err) == is_going_on


def test_a_second_signal_is_not_lost_in_what_llvm_calls():
    """An exception there would be printed and forgotten."""
    called = {"__name__": "llvmlite.binding", "os": os, "signal": signal}
    exec("def call_back():\n    os.kill(os.getpid(), signal.SIGINT)\n    return 'whole'", called)

    answers = []

    def work(progress):
        answers.extend(called["call_back"]() for _ in range(3))
        os.kill(os.getpid(), signal.SIGINT)
        answers.append("not heeded")

    assert exit_code(work) == 128 + signal.SIGINT
    assert answers == ["whole"] * 3
