"""The progress bar on a narrow terminal."""

from __future__ import annotations

import pytest

from spinbattery.cli.console import progress_display


def test_a_long_text_leaves_room_for_the_percentage(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with progress_display(quiet=False) as show:
        show(0.42, f"[sic] {'a text of many words ' * 10}")
    shown = capsys.readouterr().err
    assert " 42%" in shown
    assert "[sic] a text of many words a text of many" in shown
    assert "…" in shown
