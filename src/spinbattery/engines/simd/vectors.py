"""Vector code for the kernels that LLVM does not find in loops: butterflies and phases on values held in registers.

A turn of one spin is a butterfly (b0, b1) -> (b0 - t b1, b1 + t b0). Loops over slices do one or two of them for each
load and store, and none at all on the three lowest bits, whose partners lie within one vector. What is here loads up to
eight vectors of LANES entries, turns three bits of their number and three of their lanes, and stores them: memory is
touched once for six bits. Every entry meets the same operations in the same order as in the plain loop, so that
results do not depend on the way they were computed.

The functions are called from jitted code only. ``t`` and scalars have the type of the array, float64 or float32, and
indices must be in range: nothing is checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

LANE_BITS = 3
LANES = 1 << LANE_BITS

ROW_BITS = 2 * LANE_BITS
ROW = 1 << ROW_BITS
"""Entries of a row: what is turned and multiplied by phases in registers."""

_CONTRACT = ("contract",)
_INT = ir.IntType(32)

Value = Any
"""Of LLVM's intermediate representation, whose types are not known to mypy."""


class _Writer:
    """Emits operations on vectors of LANES numbers of one type."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self._context, self._builder = context, builder
        self._bytes = dtype.bitwidth // 8
        self._vector = ir.VectorType(context.get_data_type(dtype), LANES)
        self._undefined = ir.Constant(self._vector, ir.Undefined)

    def array(self, array_type: Any, value: Value) -> Value:
        """Address of the first entry of an array."""
        return self._context.make_array(array_type)(self._context, self._builder, value).data

    def at(self, index: Value, steps: int, stride: Value | int = 1) -> Value:
        """index + steps * stride."""
        by = ir.Constant(index.type, steps * stride if isinstance(stride, int) else steps)
        return self._builder.add(index, by if isinstance(stride, int) else self._builder.mul(stride, by))

    def _address(self, data: Value, index: Value) -> Value:
        return self._builder.bitcast(self._builder.gep(data, [index]), self._vector.as_pointer())

    def load(self, data: Value, index: Value) -> Value:
        loaded = self._builder.load(self._address(data, index))
        loaded.align = self._bytes
        return loaded

    def store(self, value: Value, data: Value, index: Value) -> None:
        self._builder.store(value, self._address(data, index)).align = self._bytes

    def shuffled(self, one: Value, two: Value, lanes: list[int]) -> Value:
        """Lanes of two vectors; those of the second count from LANES."""
        return self._builder.shuffle_vector(one, two, ir.Constant(ir.VectorType(_INT, LANES), lanes))

    def lane(self, vector: Value, number: int) -> Value:
        """One lane in all of them."""
        return self.shuffled(vector, self._undefined, [number] * LANES)

    def spread(self, scalar: Value) -> Value:
        """A number in all lanes."""
        return self.lane(self._builder.insert_element(self._undefined, scalar, ir.Constant(_INT, 0)), 0)

    def minus(self, a: Value) -> Value:
        return self._builder.fneg(a)

    def times(self, a: Value, b: Value) -> Value:
        return self._builder.fmul(a, b, flags=_CONTRACT)

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c."""
        return self._builder.fadd(self.times(a, b), c, flags=_CONTRACT)

    def product(self, one: tuple[Value, Value], two: tuple[Value, Value]) -> tuple[Value, Value]:
        """cos and sin of the sum of two angles."""
        (c, s), (d, r) = one, two
        return self.fused(c, d, self.minus(self.times(s, r))), self.fused(s, d, self.times(c, r))

    def turn_lanes(self, values: list[Value], t: Value) -> list[Value]:
        """Turn the LANE_BITS bits of the number of the lane."""
        for bit in range(LANE_BITS):
            up = [lane + (LANES if lane >> bit & 1 else 0) for lane in range(LANES)]
            signed = self.shuffled(self.minus(t), t, up)
            partners = [lane ^ (1 << bit) for lane in range(LANES)]
            values = [self.fused(signed, self.shuffled(v, self._undefined, partners), v) for v in values]
        return values

    def turn_numbers(self, values: list[Value], t: Value) -> list[Value]:
        """Turn the bits of the number of the vector."""
        values, minus = list(values), self.minus(t)
        for bit in range(len(values).bit_length() - 1):
            for one in range(len(values)):
                two = one | 1 << bit
                if one != two:
                    a, b = values[one], values[two]
                    values[one], values[two] = self.fused(minus, b, a), self.fused(t, a, b)
        return values


def _turn(bits: int) -> Any:
    """Turn of ``bits`` bits of the number of slices, LANES entries of each, from one array into another."""

    def turn(typing: Any, source: Any, i: Any, step: Any, target: Any, k: Any, stride: Any, t: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = _Writer(context, builder, source.dtype)
            x, y = write.array(source, arguments[0]), write.array(target, arguments[3])
            numbers = range(1 << bits)
            values = [write.load(x, write.at(arguments[1], j, arguments[2])) for j in numbers]
            values = write.turn_numbers(values, write.spread(arguments[6]))
            for j, value in zip(numbers, values, strict=True):
                write.store(value, y, write.at(arguments[4], j, arguments[5]))

        n = types.intp
        return types.void(source, n, n, target, n, n, source.dtype), generate

    return intrinsic(turn)


turn_one, turn_two, turn_three = _turn(1), _turn(2), _turn(3)
"""(source, i, step, target, k, stride, t): slices i, i + step, ... of the source, turned, to k, k + stride, ... of the
target, which may be the source itself."""


def _turn_low(vectors: int) -> Any:
    """Turn of the lowest bits of a block of ``vectors`` contiguous vectors."""

    def turn(typing: Any, x: Any, i: Any, t: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = _Writer(context, builder, x.dtype)
            data, angle = write.array(x, arguments[0]), write.spread(arguments[2])
            where = [write.at(arguments[1], LANES * j) for j in range(vectors)]
            values = write.turn_lanes([write.load(data, index) for index in where], angle)
            for value, index in zip(write.turn_numbers(values, angle), where, strict=True):
                write.store(value, data, index)

        return types.void(x, types.intp, x.dtype), generate

    return intrinsic(turn)


turn_lanes, turn_row = _turn_low(1), _turn_low(LANES)
"""(x, i, t): the lowest 3 bits of the 8 entries, or the lowest 6 of the 64, that begin at i."""


def _phases(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    """Code of :data:`phase_row` and, with two more arguments, of :data:`turn_phase_row`."""
    write = _Writer(context, builder, signature.args[0].dtype)
    x, y, first, second, base = (write.array(signature.args[j], arguments[j]) for j in (0, 1, 3, 5, 7))
    i, of_first, of_second = arguments[2], arguments[4], arguments[6]
    where = [write.at(i, LANES * j) for j in range(LANES)]
    parts = [[write.load(data, index) for index in where] for data in (x, y)]

    def turned(t: Value) -> list[list[Value]]:
        angle = write.spread(t)
        return [write.turn_numbers(write.turn_lanes(part, angle), angle) for part in parts]

    def pair(data: Value, index: Value, vector: int, apart: int = 1) -> tuple[Value, Value]:
        """cos and sin: vector number ``vector`` and the one ``apart`` after it."""
        cos, sin = (write.load(data, write.at(index, LANES * j)) for j in (vector, vector + apart))
        return cos, sin

    if len(arguments) > _PHASE_ARGUMENTS:
        parts = turned(arguments[_PHASE_ARGUMENTS])
    of_row = write.spread(arguments[8]), write.spread(arguments[9])
    lanes = write.product(pair(first, of_first, 0), pair(second, of_second, 0))
    numbers = write.product(write.product(pair(first, of_first, 2), pair(second, of_second, 2)), of_row)
    zero = ir.Constant(i.type, 0)
    for j in range(LANES):
        number = write.lane(numbers[0], j), write.lane(numbers[1], j)
        c, s = write.product(write.product(lanes, number), pair(base, zero, j, LANES))
        p, q = parts[0][j], parts[1][j]
        parts[0][j] = write.fused(p, c, write.times(q, s))
        parts[1][j] = write.fused(q, c, write.minus(write.times(p, s)))
    if len(arguments) > _PHASE_ARGUMENTS:
        parts = turned(arguments[_PHASE_ARGUMENTS + 1])
    for data, part in zip((x, y), parts, strict=True):
        for value, index in zip(part, where, strict=True):
            write.store(value, data, index)


_PHASE_ARGUMENTS = 10


def _phase_row(
    typing: Any, x: Any, y: Any, i: Any, first: Any, j: Any, second: Any, k: Any, base: Any, cos: Any, sin: Any
) -> Any:
    """Multiply the row of x + i y that begins at i by exp(-i phi), a product of phases.

    Args:
        typing: numba's.
        x, y: real and imaginary part.
        i: first entry of the row.
        first, j: table, and where its four vectors begin: cos and sin for each lane, cos and sin for each vector.
        second, k: the same, of another factor.
        base: (2 ROW,) cos and sin for each entry, which all rows share.
        cos, sin: of the row.
    """
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, real, real), _phases


def _turn_phase_row(
    typing: Any, x: Any, y: Any, i: Any, first: Any, j: Any, second: Any, k: Any, base: Any, cos: Any, sin: Any,
    before: Any, after: Any,
) -> Any:  # fmt: skip
    """The same between two turns of the row's bits, by the tangents ``before`` and ``after``."""
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, real, real, real, real), _phases


phase_row: Any = intrinsic(_phase_row)
turn_phase_row: Any = intrinsic(_turn_phase_row)
