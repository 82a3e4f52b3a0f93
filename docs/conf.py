"""Sphinx configuration: `make docs` builds without a warning, or fails."""

from __future__ import annotations

from spinbattery import __version__

project = "spinbattery"
author = "The spinbattery developers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"spinbattery {release}"

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# numpy spells ArrayLike as a union of ten lines
autodoc_type_aliases = {name: name for name in ("ArrayLike", "FloatArray", "IntArray", "ComplexArray")}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def escape_bars(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Keep the bars of |up> and |h| in docstrings, which reStructuredText reads as substitutions."""
    lines[:] = [line.replace("|", "\\|") for line in lines]


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", escape_bars)  # type: ignore[attr-defined]
