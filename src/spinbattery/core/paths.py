"""Paths as users write them."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InvalidParameterError, SpinBatteryError


def user_path(path: str | os.PathLike[str]) -> Path:
    """Path that a user named, with ``~`` and ``~name`` at its beginning replaced by the home folder.

    Shells leave ``~`` as it is in quotes, after ``--out=`` and after ``file:``.

    Raises:
        InvalidParameterError: neither text nor a path, empty, with a null byte, or the home of an unknown user.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise InvalidParameterError(f"a path must be text or a pathlib.Path, but is {path!r}.")
    if not text.strip() or "\0" in text:
        raise InvalidParameterError(f"a path must not be empty nor hold a null byte, but is {text!r}; name a file.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InvalidParameterError(f"no home folder is known for the path {text!r}; write it without ~.") from None


def read_text(path: Path, error: type[SpinBatteryError], remedy: str = "") -> str:
    """Text of a UTF-8 file, without a byte-order mark; raises ``error`` with the remedy where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as failure:
        raise error(f"cannot read {str(path)!r}: {failure.strerror or failure}{remedy}.") from None
    except UnicodeDecodeError:
        raise error(f"{str(path)!r} is not text; save it as UTF-8.") from None
