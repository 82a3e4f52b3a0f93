"""Phrases of docs/vocabulary.txt that a page or a module uses; `make lint` runs this file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEARCHED = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/*.py", "src/**/*.py")
"""Files in which a phrase is an error."""

KEPT = {("src/spinbattery/records/schema.py", r"\bweights? cut off\b")}
"""Attributes of variables, which enter the content hashes of records."""


def _rules() -> dict[str, str]:
    lines = (ROOT / "docs" / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" => ") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("phrase", _rules())
def test_no_file_uses_the_phrase(phrase: str) -> None:
    pattern = re.compile(phrase.replace(" ", r"\s+"), re.IGNORECASE)
    found = []
    for path in (path for glob in SEARCHED for path in sorted(ROOT.glob(glob))):
        if (path.relative_to(ROOT).as_posix(), phrase) in KEPT:
            continue
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}" for hit in pattern.finditer(text)
        ]
    assert not found, f"{phrase!r}, instead of which write: {_rules()[phrase]}"
