"""LLVM vector code of :mod:`.digits`: entries of a density matrix in registers.

The four entries of the lowest digit lie within one vector, and are transposed in registers. LLVM by itself takes entry
after entry there, and for the higher digits it checks at every slice whether arrays overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...core.jitted import jitted
from .sizes import LANES
from .writer import Value, Writer, is_array

Act = Callable[[Writer, list[Value], Callable[[int], Value]], list[Value]]
"""Makes new entries of the four (a, b, c, d) of a digit, with the numbers of a map."""


def _flip(write: Writer, entries: list[Value], m: Callable[[int], Value]) -> list[Value]:
    a, b, c, d = entries
    v, w, both, apart = write.less(a, d), write.plus(b, c), write.plus(a, d), write.less(b, c)
    z = write.fused(m(0), v, write.times(m(1), w))
    y = write.fused(m(2), v, write.times(m(3), w))
    half, scale = ir.Constant(write.vector, [0.5] * write.lanes), m(4)
    return [
        write.fused(half, both, z),
        write.fused(scale, apart, y),
        write.fused(write.minus(scale), apart, y),
        write.fused(half, both, write.minus(z)),
    ]


def _split(write: Writer, entries: list[Value], m: Callable[[int], Value]) -> list[Value]:
    a, b, c, d = entries
    return [write.plus(a, d), write.plus(b, c), write.less(b, c), write.less(a, d)]


def _join(write: Writer, entries: list[Value], m: Callable[[int], Value]) -> list[Value]:
    half = ir.Constant(write.vector, [0.5] * write.lanes)
    u, w, s, v = (write.times(half, entry) for entry in entries)
    return [write.plus(u, v), write.plus(w, s), write.less(w, s), write.less(u, v)]


def _relax(write: Writer, entries: list[Value], m: Callable[[int], Value]) -> list[Value]:
    def row(first: int) -> Value:
        found = write.times(m(first), entries[0])
        for j in range(1, 4):
            found = write.fused(m(first + j), entries[j], found)
        return found

    return [entries[0], row(0), row(4), row(8)]


def _numbers_of(write: Writer, builder: Any, kind: Any, maps: Any, context: Any, row: Value) -> Callable[[int], Value]:
    """Numbers of a row of a table (m, n), each in all lanes."""
    table = context.make_array(kind)(context, builder, maps)
    start = builder.mul(row, cgutils.unpack_tuple(builder, table.shape)[1])
    return lambda j: write.spread(builder.load(builder.gep(table.data, [write.at(start, j)])))


def _on_slices(act: Act) -> Any:
    """Four slices of LANES entries, of each value of a digit."""

    def on_slices(typing: Any, x: Any, i: Any, step: Any, maps: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = Writer(context, builder, x.dtype)
            data = write.array(x, arguments[0])
            numbers = _numbers_of(write, builder, maps, arguments[3], context, arguments[4])
            where = [write.at(arguments[1], j, arguments[2]) for j in range(4)]
            for piece in write.pieces:
                found = act(write, [write.load(data, index, piece) for index in where], numbers)
                for value, index in zip(found, where, strict=True):
                    write.store(value, data, index, piece)

        return types.void(x, types.intp, types.intp, maps, types.intp), generate

    return intrinsic(on_slices)


def _on_lanes(act: Act) -> Any:
    """The two lowest digits of 16 entries. Values of the lowest are lanes of a vector, those of the other vectors."""

    def on_lanes(typing: Any, x: Any, i: Any, maps: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = Writer(context, builder, x.dtype)
            data = write.array(x, arguments[0])
            where = [write.at(arguments[1], write.lanes * j) for j in range(4)]
            values = [write.load(data, index, 0) for index in where]
            for k in range(2):
                row = ir.Constant(arguments[1].type, k)
                numbers = _numbers_of(write, builder, maps, arguments[2], context, row)
                values = write.transposed(values) if k == 0 else values
                values = act(write, values, numbers)
                values = write.transposed(values) if k == 0 else values
            for value, index in zip(values, where, strict=True):
                write.store(value, data, index, 0)

        return types.void(x, types.intp, maps), generate

    return intrinsic(on_lanes)


flip_slices, split_slices, join_slices, relax_slices = map(_on_slices, (_flip, _split, _join, _relax))
flip_lanes, split_lanes, join_lanes, relax_lanes = map(_on_lanes, (_flip, _split, _join, _relax))


def _phase_transposes(
    typing: Any, x: Any, i: Any, y: Any, j: Any, cos: Any, sin: Any, r: Any, cos_column: Any, sin_column: Any, c: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        write = Writer(context, builder, x.dtype)
        kinds = zip(signature.args, arguments, strict=True)
        one, other, *tables = (write.array(kind, value) for kind, value in kinds if is_array(kind))
        i, j, r, c = (arguments[k] for k in (1, 3, 6, 9))
        swapped, outer = [0, 2, 1, 3], [0, 0, 1, 1]
        rows = (write.twice(table, r) for table in tables[:2])
        cos_row, sin_row = (write.shuffled(row, row, outer) for row in rows)
        cos_column, sin_column = (write.twice(table, c) for table in tables[2:])
        cos, sin = write.product((cos_row, sin_row), (cos_column, write.minus(sin_column)))
        g, t = write.load(one, i, 0), write.load(other, j, 0)
        t = write.shuffled(t, t, swapped)
        turned = write.fused(cos, t, write.times(sin, g))
        write.store(write.fused(cos, g, write.minus(write.times(sin, t))), one, i, 0)
        write.store(write.shuffled(turned, turned, swapped), other, j, 0)

    n = types.intp
    return types.void(x, n, y, n, cos, sin, n, cos_column, sin_column, n), generate


phase_transposes: Any = intrinsic(_phase_transposes)


@jitted()
def trial_of_digits(x, y, maps):
    """Uses every function on digits once."""
    flip_lanes(x, 0, maps)
    relax_lanes(x, LANES, maps)
    split_lanes(y, 0, maps)
    join_lanes(y, LANES, maps)
    flip_slices(x, 0, LANES, maps, 1)
    relax_slices(y, LANES, LANES, maps, 0)
    split_slices(x, 0, 2 * LANES, maps, 0)
    join_slices(y, 0, LANES, maps, 1)
    phase_transposes(x, 0, y, LANES, maps[0], maps[1], 2, maps[1], maps[0], 4)
    return x[0], y[0]
