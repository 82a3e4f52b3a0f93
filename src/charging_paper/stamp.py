"""Whether a report is still what it would be if it were made again: a digest of what decides it, and of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from spinbattery.core.atomic import writing
from spinbattery.core.errors import InvalidParameterError
from spinbattery.diagnosis.installation import read_versions
from spinbattery.store.files import digest

from .section import Part

_NAME = ".made.json"
_PACKAGES = ("spinbattery", "charging_paper")


@dataclass(frozen=True)
class Stamp:
    """Note in the folder of a report on what it was made from, and of which files it consists."""

    folder: Path
    inputs: str

    @classmethod
    def of(cls, folder: Path, parts: Iterable[tuple[str, Part]], *options: Any) -> Stamp:
        """The stamp of these parts with these options, made by the code, Python and libraries that are here.

        Raises:
            MissingDependencyError: spinbattery is not installed, so that the libraries it needs are not known.
        """
        found = hashlib.sha256()
        for package in _PACKAGES:
            for path in sorted(Path(str(files(package))).rglob("*")):
                if path.suffix in (".py", ".html"):
                    found.update(path.read_bytes())
        described = [(name, _described(build), *map(repr, needed)) for name, (build, needed) in parts]
        found.update(repr((described, options, read_versions())).encode())
        return cls(folder.absolute(), found.hexdigest())

    def holds(self) -> bool:
        """Whether the report was made from the same, and all of its files are as they were then."""
        try:
            noted = json.loads((self.folder / _NAME).read_text(encoding="utf-8"))
            return bool(
                noted["inputs"] == self.inputs
                and all(digest(self.folder / name) == known for name, known in noted["files"].items())
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def write(self, paths: Iterable[Path]) -> None:
        """Note that the report is made, of these files."""
        known = {path.absolute().relative_to(self.folder).as_posix(): digest(path) for path in dict.fromkeys(paths)}
        with writing(self.folder / _NAME, InvalidParameterError) as temporary:
            temporary.write_text(json.dumps({"inputs": self.inputs, "files": known}), encoding="utf-8")


def _described(build: Any) -> str:
    """A function that builds a part, with the arguments that are set."""
    if isinstance(build, partial):
        return f"{_described(build.func)} with {build.keywords}"
    return f"{build.__module__}.{build.__qualname__}"
