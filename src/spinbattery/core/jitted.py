"""Functions that Numba compiles when they are called, with a cache that knows all of their sources.

Numba's own cache knows a function by its file alone, so that code which was compiled from another module would run on
after that module has changed, and a damaged file ends every later run. Kernels that are declared with their types need
no Numba at all (:mod:`.kernels`).
"""

from __future__ import annotations

import ast
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .code_files import folders, keep, machine, read

functions: list[Any] = []
"""All of these functions in modules that were imported."""


def jitted(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """``numba.njit``, with machine code that is kept as long as no module that the function's module imports changes.

    Example:
        >>> @jitted(nogil=True)  # doctest: +SKIP
        ... def doubled(x):
        ...     return 2.0 * x
    """

    def compiled(body: Callable[..., Any]) -> Any:
        made: Any = numba.njit(**options)(body)
        if made is not body:  # as with NUMBA_DISABLE_JIT
            made._cache = _KeptCode(body)
            functions.append(made)
        return made

    return compiled


class _KeptCode(NullCache):
    """A file for each signature of one function.

    Attributes:
        folder: where code was found or kept last.
    """

    def __init__(self, body: Callable[..., Any]) -> None:
        self._name = f"{body.__module__}.{body.__qualname__}"
        self._source = Path(body.__code__.co_filename)
        self.folder: Path | None = None

    @property
    def cache_path(self) -> str | None:
        return None if self.folder is None else str(self.folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        found = read(self._places(sig), self._key(sig))
        if found is None:
            return None
        code, self.folder = found
        return CompileResult._rebuild(target_context, *pickle.loads(code))  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        if not data.library.has_dynamic_globals:  # such as addresses, which the next process does not share
            code: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
            self.folder = keep(self._places(sig), self._key(sig), code)

    def _places(self, sig: Any) -> list[Path]:
        types = hashlib.sha256(repr(sig).encode()).hexdigest()[:12]
        name = ".".join((self._name, types, machine(), sys.implementation.cache_tag, "code"))
        return [folder / name for folder in folders(self._source)]

    def _key(self, sig: Any) -> bytes:
        return hashlib.sha256(repr((self._name, sig)).encode() + _digest(self._source)).digest()


@cache
def _digest(source: Path) -> bytes:
    """A digest of a source and of all that it imports from its own package, directly or not."""
    digest, left = hashlib.sha256(), [source]
    seen = set(left)
    while left:
        one = left.pop()
        text = one.read_bytes()
        digest.update(text)
        more = sorted(set(_imported(one, text)) - seen)
        seen.update(more)
        left += more
    return digest.digest()


def _imported(source: Path, text: bytes) -> Iterator[Path]:
    """Sources that relative imports of a source name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = source.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            members = (module / f"{name}.py" for name in ("__init__", *(alias.name for alias in node.names)))
            yield from (file for file in (module.with_suffix(".py"), *members) if file.is_file())
