"""Kernels: functions that Numba compiles once, and whose machine code is then loaded from a file without Numba.

The import of Numba and its first compilation take two seconds of CPU, a small run a hundredth of that. A kernel is
declared with its signature in a module that is light to import; its body lies in another, which is imported when it
has to be compiled. The code is kept in files (:mod:`.code_files`). It is used as long as the sources, the processor and
the versions of Numba and LLVM are the same; a file that is damaged is replaced.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from . import compilation
from .code_files import alone, changed, host, keep, machine, read

_PARAMETER = re.compile(r"(\w+)(?:\[([^\]]*)\])?")
_REAL = "real"
"""In a signature: the type of the entries of the first argument."""

_SCALARS: dict[str, Any] = {
    "void": None, "int64": ctypes.c_int64, "float64": ctypes.c_double, "float32": ctypes.c_float,
}  # fmt: skip
_SYMBOL = "kernel"
_FROM_LIBRARIES = {
    "acos", "cos", "cosh", "exp", "log", "pow", "sin", "sinh", "sqrt", "tan", "memcpy", "memmove", "memset",
}  # fmt: skip
"""Functions of C that the process has in any case; code that calls others is left to Numba."""

INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
"""Options of ``numba.njit`` for functions that only compiled code calls: they take half of the time to compile."""

_PLATFORMS = ("linux", "darwin")
_DIGEST = hashlib.sha256


class Watcher(Protocol):
    """Is called at the beginning and at the end of the time in which code is loaded or compiled."""

    def begin(self) -> None: ...
    def end(self) -> None: ...


_watchers: list[Watcher] = []


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Call a watcher within a block; compilations by Numba itself, outside of a :class:`Kernel`, are not seen."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


class Kernel:
    """A compiled function of arrays and numbers.

    Example:
        >>> dot = Kernel("my.module", "dot", "float64(float64[::1], float64[::1])")  # doctest: +SKIP
        >>> dot(x, y)  # doctest: +SKIP

    It releases the interpreter lock, and writes into arrays that are read-only for NumPy: a body must not.

    Attributes:
        found, compiled: how many signatures were loaded from a file, and how many this process compiled.
        folder: where their code is kept; None before the first call, or where no folder can be written to.
    """

    declared: ClassVar[list[Kernel]] = []
    """All kernels of the modules that were imported."""

    def __init__(self, module: str, name: str, signature: str, sources: tuple[str, ...] = ()) -> None:
        """Declare a kernel.

        Args:
            module: where the body is, a function compiled by ``numba.njit``; it allocates and raises nothing.
            name: of the body.
            signature: types as Numba writes them, arrays contiguous; ``real`` is the type of the first argument.
            sources: modules beside its own whose code it uses.
        """
        self.module, self.name, self.signature, self.sources = module, name, signature, sources
        self._is_generic = _REAL in signature
        self.found = self.compiled = 0
        self.folder: Path | None = None
        self._functions: dict[str, Callable[..., Any]] = {}
        self._lock = threading.Lock()
        self.declared.append(self)

    def __repr__(self) -> str:
        return f"Kernel({self.module}.{self.name})"

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel.

        Raises:
            TypeError: an argument is not of its type, or an array not contiguous.
        """
        real = _name_of(arguments[0].dtype) if self._is_generic else ""
        function = self._functions.get(real)
        if function is None:
            function = self.load(real)
        return function(*arguments)

    def load(self, real: str = "") -> Callable[..., Any]:
        """The function, compiled where there is no code for it yet."""
        with self._lock:
            if real not in self._functions:
                with _watching():
                    self._functions[real] = self._found(real)
            return self._functions[real]

    def _found(self, real: str) -> Callable[..., Any]:
        if sys.platform not in _PLATFORMS or os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
            return self._by_numba()
        signature, key = self.signature.replace(_REAL, real), self._key(real)
        place = _source(self.module), self._file_name(real)
        found = self._read(place, key)
        if found is None:
            compilation.say()
            with nullcontext() if key is None else alone(*place):  # what is kept nowhere is worth no waiting
                # another process may have compiled it meanwhile
                found = self._read(place, key) or self._made(signature, place, key, real)
        return self._by_numba() if found is None else _linked(found, signature)

    def _read(self, place: tuple[Path, str], key: bytes | None) -> bytes | None:
        if key is None or (found := read(*place, key)) is None:
            return None
        code, self.folder = found
        self.found += 1
        return code

    def _made(self, signature: str, place: tuple[Path, str], key: bytes | None, real: str) -> bytes | None:
        """Code that is compiled now, and kept; None where it has to be left to Numba."""
        code = self._compiled(signature)
        if code is not None:
            self.compiled += 1
            if key is not None and key == self._key(real):  # else a source was changed before the compiler read it
                self.folder = keep(*place, key, code)
        return code

    def _by_numba(self) -> Callable[..., Any]:
        """The body as it is, for Numba to compile at its call and to keep itself."""
        body: Callable[..., Any] = getattr(import_module(self.module), self.name)
        return body

    def _compiled(self, signature: str) -> bytes | None:
        """Machine code of the body, or None where it needs functions that only Numba can give it."""
        from llvmlite import binding

        made = _lowered(self._by_numba(), signature)
        text = made.library.get_llvm_str()
        module = binding.parse_assembly(text)
        for function in module.functions:
            name = function.name
            known = name.startswith("llvm.") or name in _FROM_LIBRARIES or not function.is_declaration
            if not known and text.count(f"@{name}(") > 1:
                return None
        module.get_function(made.fndesc.llvm_func_name).name = _SYMBOL
        return bytes(_target_machine(3).emit_object(module))

    def _key(self, real: str) -> bytes | None:
        """What the code depends on, beside the machine; None where what was imported may be another text."""
        digest = _DIGEST(f"{self.signature} {real}".encode())
        sources = [_source(module) for module in (__name__, self.module, *self.sources)]
        for source in sources:
            digest.update(source.read_bytes())
        return None if changed(sources) else digest.digest()

    def _file_name(self, real: str) -> str:
        return ".".join(part for part in (self.module.rpartition(".")[2], self.name, real, machine(), "o") if part)


def _source(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(f"there is no source of {module}.")
    return Path(spec.origin)


@contextmanager
def _watching() -> Iterator[None]:
    watchers = list(_watchers)
    for watcher in watchers:
        watcher.begin()
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.end()


def _lowered(body: Any, signature: str) -> Any:
    """A function as Numba optimises it for LLVM, without entries for callers from Python and C."""
    numba: Any = import_module("numba.core")  # whose functions have no types
    target = numba.registry.cpu_target
    options = {"nopython": True, "error_model": "numpy", "_nrt": False}  # no counts of references
    flags = numba.compiler.Flags()
    target.options.parse_as_flags(flags, {**options, "fastmath": body.targetoptions.get("fastmath", False)})
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    types, returned = numba.sigutils.normalize_signature(signature)
    contexts = target.typing_context, target.target_context
    with numba.compiler_lock.global_compiler_lock:
        for context in contexts:
            context.refresh()
        made = numba.compiler.compile_extra(*contexts, body.py_func, types, returned, flags, {})
        made.library.finalize()
    return made


def _target_machine(optimisation: int) -> Any:
    """As Numba makes it for code that this process runs."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, features = host()
    target = binding.Target.from_triple(binding.get_process_triple())
    relocation = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(
        cpu=name, features=features, opt=optimisation, reloc=relocation, codemodel="jitdefault", jit=True
    )


_engines: list[Any] = []
"""Owners of the code that was loaded."""


@lru_cache
def _name_of(kind: np.dtype[Any]) -> str:
    """Name of a type, which numpy spells out again at each request."""
    return kind.name


def _linked(code: bytes, signature: str) -> Callable[..., Any]:
    """A function of Python that calls machine code."""
    from llvmlite import binding

    machine = _target_machine(0)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    (result, _), *parameters = _PARAMETER.findall(signature)
    kinds: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]
    expected: list[tuple[np.dtype[Any], int] | None] = []
    for kind, shape in parameters:
        ndim = 1 + shape.count(",") if shape else 0
        kinds += [ctypes.c_void_p] * (5 + 2 * ndim) if ndim else [_SCALARS[kind]]
        expected.append((np.dtype(kind), ndim) if ndim else None)
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(engine.get_function_address(_SYMBOL))
    returned = _SCALARS[result] or ctypes.c_void_p

    def call(*arguments: Any) -> Any:
        value = returned()
        flat: list[Any] = [ctypes.addressof(value), ctypes.addressof(value)]  # the second would be an exception
        for argument, array in zip(arguments, expected, strict=True):
            if array is None:
                flat.append(argument)
            elif argument.dtype == array[0] and argument.ndim == array[1] and argument.flags.c_contiguous:
                # no owner, no parent, size, bytes of an entry, address, lengths and strides
                flat += (None, None, argument.size, argument.itemsize, argument.ctypes.data)
                flat += (*argument.shape, *argument.strides)
            else:
                raise TypeError(
                    f"a kernel takes a contiguous {array[1]}-d array of {array[0]}, but got {argument.dtype} of shape "
                    f"{argument.shape} and strides {argument.strides}."
                )
        if status := function(*flat):
            raise SystemError(f"a kernel failed with status {status}; please report the problem.")
        return value.value

    return call
