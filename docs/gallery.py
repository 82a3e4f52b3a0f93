"""Draw the figures of gallery.md again, from the blocks of that page: ``python docs/gallery.py`` (about a minute)."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")


def main() -> None:
    """Run the page's blocks in one session, in a temporary folder, and keep the pictures that they write."""
    os.environ["MPLBACKEND"] = "Agg"
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    figures = PAGE.parent / "figures"
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        session: dict[str, object] = {}
        for block in blocks:
            exec(block, session)
        for picture in Path().glob("gallery-*.png"):
            shutil.copy(picture, figures / picture.name)
        os.chdir(figures)


if __name__ == "__main__":
    main()
