"""The self-contained HTML page of the reproduction."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from .section import Section


def render_page(
    sections: Sequence[Section], folder: Path, version: str, *, parts: Sequence[str] | None, options: str, annealer: str
) -> str:
    """HTML with the figures inside; links to records and figure files are relative to ``folder``.

    Args:
        sections: what to show, in this order.
        folder: the report's own folder.
        version: of spinbattery.
        parts: those that were chosen, or None for all.
        options: of the command that makes this report again.
        annealer: what the runs of the annealer were made by.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))

    def embedded(stem: str) -> str:
        data = base64.b64encode((folder / "figures" / f"{stem}.png").read_bytes()).decode()
        return f"data:image/png;base64,{data}"

    def relative(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    command = "spinbattery reproduce" + ("" if parts is None else f" --only {','.join(parts)}") + options
    verdicts: dict[str, int] = {}
    for section in sections:
        for item in section.audit:
            verdicts[item.verdict] = verdicts.get(item.verdict, 0) + 1
    return template.render(
        sections=sections,
        version=version,
        embedded=embedded,
        relative=relative,
        verdicts=verdicts,
        command=command,
        options=options,
        annealer=annealer,
    )
