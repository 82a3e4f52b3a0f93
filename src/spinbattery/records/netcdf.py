"""netCDF 4 files of records, written and read in memory, with a digest that shows damage before HDF5 parses them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .contents import Contents, Variable

if TYPE_CHECKING:
    import netCDF4

_LOCK = threading.Lock()  # neither netCDF-C nor HDF5 may be entered by two threads

_END_OF_FILE_AT = {0: 40, 2: 28, 3: 28}
"""Offset of the file length in superblocks of each version (HDF5 File Format Specification, II.A)."""


def encode(contents: Contents, attributes: Mapping[str, Any]) -> bytes:
    """A netCDF 4 file with the variables of ``contents`` and these global attributes.

    The SHA-256 of the HDF5 file follows its end, where readers do not look. HDF5 stores the time of writing, so
    that the bytes differ from second to second.

    Raises:
        TypeError: an attribute that is neither text nor a number.
        ValueError: a name, a text or a type of data that netCDF cannot hold.
    """
    _check(attributes)
    for name, variable in contents.variables.items():
        if "/" in name:  # netCDF4 would make a group of it
            raise ValueError(f"the name {name!r} holds a slash")
        _check(variable.attrs)
    with _LOCK:
        try:
            buffer = _write(contents, attributes)
        except (AttributeError, RuntimeError, TypeError) as error:  # netCDF4's for bad names and types
            raise ValueError(str(error)) from error
    image = buffer[: _end_of_file(buffer)]  # the buffer is longer than the file
    return b"".join((image, hashlib.sha256(image).digest()))


def decode(content: bytes) -> Contents:
    """The contents of a netCDF 4 file, made by :func:`encode` or, without a digest, by another writer.

    Values are as stored, without masks, scales or decoded times. The digest is compared before HDF5 parses
    anything, because one changed byte can send HDF5 into an endless loop.

    Raises:
        ValueError: no netCDF 4 (HDF5), truncated, or changed since it was written.
    """
    end = _end_of_file(content)
    if len(content) < end:
        raise ValueError(f"it should have {end} bytes and has {len(content)}")
    image, digest = memoryview(content)[:end], content[end:]
    if digest and hashlib.sha256(image).digest() != digest:
        raise ValueError("it has changed since it was written")
    try:
        with _LOCK:
            return _read(image)
    except Exception as error:  # netCDF4 raises many kinds for a damaged file
        raise ValueError(str(error)) from error


def _end_of_file(content: bytes | memoryview) -> int:
    """Length of the HDF5 file that ``content`` begins with."""
    if len(content) < 48 or content[:8] != b"\x89HDF\r\n\x1a\n" or content[8] not in _END_OF_FILE_AT:
        raise ValueError("it is not netCDF 4")
    start = _END_OF_FILE_AT[content[8]]
    return int.from_bytes(content[start : start + 8], "little")


def _check(attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if isinstance(value, str):
            _check_text(name, value)
        elif isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"the attribute {name!r} is neither text nor a number")


def _check_text(name: str, text: str) -> None:
    if "\0" in text:  # netCDF4 would drop it, or all text after it
        raise ValueError(f"the text of {name!r} holds a NUL character")


def _write(contents: Contents, attributes: Mapping[str, Any]) -> memoryview:
    import netCDF4

    file = netCDF4.Dataset("record.nc", "w", memory=0)
    try:
        file.set_fill_off()  # every value is assigned
        file.setncatts(attributes)
        for dimension, size in contents.sizes.items():
            file.createDimension(dimension, size)
        # all definitions before the first value: going back to define mode is slow
        targets = [_define(file, name, variable) for name, variable in contents.variables.items()]
        for target, values in targets:
            # as `target[...] = values`, without its search for slices and masks: a third of the whole time
            target._put(values, [0] * values.ndim, list(values.shape), [1] * values.ndim)
    except BaseException:
        file.close()
        raise
    return file.close()


def _define(file: netCDF4.Dataset, name: str, variable: Variable) -> tuple[netCDF4.Variable[Any], Any]:
    """A variable with its attributes, and the values to assign to it."""
    values = variable.values
    kind: Any = values.dtype
    if values.dtype.kind in "OUT":
        kind, values = str, values.astype(object)
        for text in values.flat:
            _check_text(name, text)
    target: netCDF4.Variable[Any] = file.createVariable(name, kind, variable.dims)
    target.setncatts(variable.attrs)
    target.set_auto_maskandscale(False)  # looking for masks takes time
    return target, values


def _read(image: memoryview) -> Contents:
    import netCDF4

    with netCDF4.Dataset("record.nc", memory=image) as file:
        file.set_auto_maskandscale(False)
        variables = {}
        for name, source in file.variables.items():
            values = np.asarray(source[...], dtype=str if source.dtype is str else None)
            attributes = {key: value for key, value in source.__dict__.items() if key != "_FillValue"}
            variables[name] = Variable(source.dimensions, values, attributes)
        return Contents(variables, dict(file.__dict__))
