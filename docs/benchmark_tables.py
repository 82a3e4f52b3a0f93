"""Write the tables of benchmarks.md from the files of figures again: ``python docs/benchmark_tables.py``.

The files in ``benchmarks/records`` come from ``python -m benchmarks.commits --results benchmarks/records/DAY.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.commit_tables import about, by_date, replaced, table  # noqa: E402
from benchmarks.targets import JOBS  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def figures() -> str:
    """The latest figure of each job, jobs with a target that have none, and the figures before."""
    found = by_date([json.loads(file.read_text()) for file in (ROOT / "benchmarks" / "records").glob("*.json")])
    machines = "\n".join(f"- {about(data)}" for data in found)
    now = table(found, [name for name, job in JOBS.items() if job.targets])
    before = replaced(found) or "None."
    return f"{machines}\n\n{now}\n\n### Replaced since\n\n{before}"


def written(page: str) -> str:
    """A page with the tables between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
