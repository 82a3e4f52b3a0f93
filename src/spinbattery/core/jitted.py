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
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.core.types import unliteral

from .code_files import alone, changed, keep, machine, read

Types = tuple[Any, ...]

_FORMAT = 1
"""To be raised where this module compiles otherwise, or writes other files; its source is no part of the keys."""

_OF_FILES_ALONE = frozenset(
    Path(__file__).with_name(f"{name}.py") for name in ("jitted", "code_files", "compilation", "atomic", "claims")
)
"""Sources that no compiled code depends on."""

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
            made._compiler.compile = _once_for_all_processes(made)
            made.get_call_template = _for_any_value(made.get_call_template)
            functions.append(made)
        return made

    return compiled


def _for_any_value(get_call_template: Callable[..., Any]) -> Callable[..., Any]:
    """Let a call with a constant, from compiled code, use what calls with any other number use.

    Numba compiles a function again for each constant, so that nobody could tell which code will be needed.
    """

    def for_types(arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        type_of: Callable[[Any], Any] = unliteral
        return get_call_template(tuple(map(type_of, arguments)), {name: type_of(named[name]) for name in named})

    return for_types


def _once_for_all_processes(made: Any) -> Callable[..., Any]:
    """Compile unless another process has done so meanwhile, which is waited for."""
    compile_now = made._compiler.compile

    def compiled(types: Types, returned: Any) -> Any:
        kept: _KeptCode = made._cache
        with _at_once.nested() as is_outermost, kept.alone(types, wait=is_outermost):
            found = kept.load_overload(types, made.targetctx)
            if found is None:
                found = compile_now(types, returned)
                kept.keep(types, found)
            else:
                made.targetctx.insert_user_function(found.entry_point, found.fndesc, [found.library])
            return found

    return compiled


class _AtOnce(threading.local):
    """Whether this thread is compiling: what is compiled for a caller waits for nobody, who may wait for the caller."""

    depth = 0

    @contextmanager
    def nested(self) -> Iterator[bool]:
        self.depth += 1
        try:
            yield self.depth == 1
        finally:
            self.depth -= 1


_at_once = _AtOnce()


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
        types, _ = normalize_signature(sig)  # type: ignore[no-untyped-call]
        key = self._key(types)
        found = None if key is None else read(self._source, self._file_name(types), key)
        if found is None:
            return None
        code, self.folder = found
        return CompileResult._rebuild(target_context, *pickle.loads(code))  # type: ignore[no-untyped-call]

    def alone(self, types: Types, wait: bool) -> AbstractContextManager[None]:
        """Keep other processes from compiling the same, unless the code is kept nowhere."""
        return nullcontext() if self._key(types) is None else alone(self._source, self._file_name(types), wait=wait)

    def keep(self, types: Types, compiled: Any) -> None:
        key = self._key(types)
        if key is not None and not compiled.library.has_dynamic_globals:  # addresses, which no other process shares
            code: bytes = dumps(compiled._reduce())  # type: ignore[no-untyped-call]
            self.folder = keep(self._source, self._file_name(types), key, code)

    def _file_name(self, types: Types) -> str:
        name = hashlib.sha256(repr(types).encode()).hexdigest()[:12]
        return ".".join((self._name, name, machine(), sys.implementation.cache_tag, "code"))

    def _key(self, types: Types) -> bytes | None:
        """What the code depends on, beside the machine; None where that is not known."""
        sources = _digest(self._source)
        if sources is None:
            return None
        return hashlib.sha256(repr((_FORMAT, self._name, types)).encode() + sources).digest()


@cache
def _digest(source: Path) -> bytes | None:
    """A digest of a source and of all that it imports from its own package, directly or not.

    It is None where one of them was changed since, so that what was imported may be another text.
    """
    digest, left = hashlib.sha256(), [source]
    seen = set(left)
    while left:
        one = left.pop()
        text = one.read_bytes()
        digest.update(text)
        more = sorted(set(_imported(one, text)) - seen - _OF_FILES_ALONE)
        seen.update(more)
        left += more
    return None if changed(seen) else digest.digest()


def _imported(source: Path, text: bytes) -> Iterator[Path]:
    """Sources that relative imports of a source name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = source.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            members = (module / f"{name}.py" for name in ("__init__", *(alias.name for alias in node.names)))
            yield from (file for file in (module.with_suffix(".py"), *members) if file.is_file())
