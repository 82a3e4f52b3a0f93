"""Reports without pictures, which take longer than all else in a small report."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files without a picture in the place of figures; test_report.py looks at the pictures."""
    monkeypatch.setattr("charging_paper.build.save_figure", _written)


def _written(_: object, path: Path) -> Path:
    path.write_bytes(b"\x89PNG")
    return path
