"""Ctrl-C is answered while a kernel is compiled, which reports no progress for many seconds."""

from __future__ import annotations

import os
import signal

import numba
import pytest
import typer
from numba.core import event

from spinbattery.cli.console import progress_bar

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


def test_a_signal_within_the_compiler_is_answered_and_heeded_afterwards(capsys):
    @numba.njit
    def grown(x):
        return x + 1

    def work(progress):
        listener = Interrupting()
        with event.install_listener("numba:run_pass", listener):
            assert grown(1) == 2  # the compiler is not disturbed
        assert listener.sent == 1
        assert ANSWER in capsys.readouterr().err
        progress(0.5, "after it")

    assert exit_code(work) == 128 + signal.SIGINT


def test_a_signal_elsewhere_needs_no_such_word(capsys):
    def work(progress):
        os.kill(os.getpid(), signal.SIGINT)
        progress(0.5, "at work")

    assert exit_code(work) == 128 + signal.SIGINT
    assert ANSWER not in capsys.readouterr().err


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
