"""Modules, files and pages that README, CONTRIBUTING and docs name exist."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from spinbattery.engines.common.contract import Accuracy
from spinbattery.engines.registry import engine_table, engines

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])

_NAME = re.compile(r"(?<![\w./-])(?:spinbattery|charging_paper)(?:\.[A-Za-z_]\w*)+(?![\w/])(?!\.py)")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?!docs/_build)(?:docs|tests|findings|examples|benchmarks|src|model|records|solver)/[\w./-]+)`")
_ENTRY_POINTS = ("spinbattery.engines", "spinbattery.commands")


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[length:]:
                found = getattr(found, part)
        except AttributeError:
            return False
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_what_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    names = set(_NAME.findall(text)) - set(_ENTRY_POINTS)
    assert [name for name in sorted(names) if not _exists(name)] == []
    links = {link for link in _LINK.findall(text) if not link.startswith("http")}
    assert [link for link in sorted(links) if not (page.parent / link).exists()] == []
    paths = set(_PATH.findall(text))
    homes = (ROOT, ROOT / "src" / "spinbattery")
    assert [path for path in sorted(paths) if not any((home / path).exists() for home in homes)] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(\w[\w-]*)$", index, re.MULTILINE))
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} == listed


@pytest.mark.parametrize("page", ["README.md", "docs/engines.md"])
def test_every_engine_is_described(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in engines() if f"`{name}`" not in text] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 110


def test_the_table_of_engines_says_what_the_engines_declare() -> None:
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    table = text.split("| engine | class | noise |")[1].split("\n\n")[0]
    rows = {row.split("|")[1].strip(" `"): [cell.strip() for cell in row.split("|")] for row in table.splitlines()[2:]}
    for entry in engine_table():
        _, _, kind, noise, _, claim, _, _ = rows[entry.name]
        engine = engines()[entry.name]
        assert kind == f"{{class}}`~spinbattery.{engine.__name__}`"
        assert noise == ("yes" if entry.noise else "no")
        default = next((field.default for field in fields(engine) if field.name == "tolerance"), None)
        kept = engine.accuracy in (Accuracy.TOLERANCE, Accuracy.STATISTICAL) and default is not None
        assert (re.search(r"`tolerance`, (1e-\d)", claim) or [None, None])[1] == (
            re.sub(r"e-0", "e-", f"{default:.0e}") if kept else None
        )
        assert ("standard errors" in claim) == (engine.accuracy is Accuracy.STATISTICAL)
        assert ("estimate" in claim) == (engine.accuracy is Accuracy.TARGET)
