"""Runs the Python examples of README.md and of some pages of docs, each file in an empty folder of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "Agg"  # before matplotlib is imported: examples open no window

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

SLOW = "gallery.md"
PAGES = ("tour", "tutorial", "engines", "gallery", "annealer", "noise", "figures", "records")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the pictures of the gallery, which are physics of ten seconds and more, to ``make test-slow``."""
    for item in items:
        if item.path.name == SLOW:
            item.add_marker(pytest.mark.slow)


def _enter_scratch_folder(namespace: dict[str, Any]) -> None:
    namespace["_home"] = Path.cwd()
    namespace["_scratch"] = tempfile.TemporaryDirectory(prefix="spinbattery-examples-")
    os.chdir(namespace["_scratch"].name)


def _leave_scratch_folder(namespace: dict[str, Any]) -> None:
    import matplotlib.pyplot as plt

    plt.close("all")
    os.chdir(namespace["_home"])
    namespace["_scratch"].cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", *(f"docs/{page}.md" for page in PAGES)],
    setup=_enter_scratch_folder,
    teardown=_leave_scratch_folder,
).pytest()
