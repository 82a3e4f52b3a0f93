"""The self-contained HTML page of the reproduction."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from .section import Section


def render_page(sections: Mapping[str, Section], folder: Path, **texts: str) -> str:
    """HTML of the sections by part, with the figures inside; links to other files are relative to ``folder``.

    ``texts`` of the template: ``version`` of spinbattery, the whole ``command`` and its ``options`` for each part, and
    the ``annealer`` behind its runs.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))

    def embedded(stem: str) -> str:
        data = base64.b64encode((folder / "figures" / f"{stem}.png").read_bytes()).decode()
        return f"data:image/png;base64,{data}"

    def relative(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    verdicts = Counter(item.verdict for section in sections.values() for item in section.audit)
    return template.render(sections=sections, embedded=embedded, relative=relative, verdicts=verdicts, **texts)
