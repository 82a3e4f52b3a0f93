"""Commands that install what is missing, in the way in which spinbattery itself was installed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

_PACKAGE = "spinbattery"


def install_command(requirement: str) -> str:
    """The command that installs a package into this environment, such as ``numpy>=2``."""
    return _command(_source(), requirement)


def install_extra_command(extra: str) -> str:
    """The command that installs an optional part of spinbattery.

    Example:
        >>> install_extra_command("qutip")  # doctest: +SKIP
        "/home/me/venv/bin/python -m pip install 'spinbattery[qutip]'"
    """
    found = _source()
    if found is None:
        return _command(None, f"{_PACKAGE}[{extra}]")
    folder, is_editable = found
    return _command(found, *(["-e"] if is_editable else []), f"{folder}[{extra}]")


def _command(source: tuple[Path, bool] | None, *arguments: str) -> str:
    constraints = [] if source is None else [source[0] / "constraints.txt"]
    pinned = [word for file in constraints if file.is_file() for word in ("-c", str(file))]
    return shlex.join([sys.executable, "-m", "pip", "install", *pinned, *arguments])


def _source() -> tuple[Path, bool] | None:
    """The folder that spinbattery was installed from, and whether its sources run there; None for an index."""
    import json  # all of these are slow to import, and what they are for is seldom asked
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    try:
        own = distribution(_PACKAGE)
    except PackageNotFoundError:
        return None
    origin = json.loads(own.read_text("direct_url.json") or "{}")  # written by pip for all but an index
    url = urlparse(origin.get("url", ""))
    folder = Path(url2pathname(url.path))
    if url.scheme != "file" or not folder.is_dir():
        return None
    return folder, bool(origin.get("dir_info", {}).get("editable"))
