"""Write the tables of benchmarks.md from the files of figures again: ``python docs/benchmark_tables.py``.

The files in ``benchmarks/records`` come from ``python -m benchmarks.commits --results benchmarks/records/DAY.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.commit_tables import about, heading, table  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def figures() -> str:
    """The tables of all files, the latest first."""
    files = sorted((ROOT / "benchmarks" / "records").glob("*.json"), reverse=True)
    found = [json.loads(file.read_text()) for file in files]
    return "\n\n".join(f"### {heading(data)}\n\n{about(data)}\n\n{table(data)}" for data in found)


def written(page: str) -> str:
    """A page with the tables between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
