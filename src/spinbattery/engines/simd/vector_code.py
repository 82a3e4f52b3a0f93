"""LLVM vector code of :mod:`.vectors`, which LLVM does not find in loops: butterflies and phases held in registers.

Loops over slices do one or two butterflies for each load and store, and none on the three lowest bits, whose partners
lie within one vector. The code here loads up to eight vectors of LANES entries, turns three bits of their number and
three of their lanes, and stores them: one pass over memory for six bits.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .sizes import LANE_BITS, LANES, ROW

_CONTRACT = ("contract",)
_INT, _LONG = ir.IntType(32), ir.IntType(64)
_SUMS = 4
"""Partial sums of :data:`flipped_sum`, since additions wait for one another."""

Value = Any
"""A value of LLVM's intermediate representation, whose types mypy does not know."""


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
        """Chosen lanes of two vectors; lanes of the second are numbered from LANES."""
        return self._builder.shuffle_vector(one, two, ir.Constant(ir.VectorType(_INT, LANES), lanes))

    def lane(self, vector: Value, number: int) -> Value:
        """A vector with one lane in all lanes."""
        return self.shuffled(vector, self._undefined, [number] * LANES)

    def spread(self, scalar: Value) -> Value:
        """A vector with a number in all lanes."""
        return self.lane(self._builder.insert_element(self._undefined, scalar, ir.Constant(_INT, 0)), 0)

    def minus(self, a: Value) -> Value:
        return self._builder.fneg(a)

    def times(self, a: Value, b: Value) -> Value:
        return self._builder.fmul(a, b, flags=_CONTRACT)

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c."""
        return self._builder.fadd(self.times(a, b), c, flags=_CONTRACT)

    def product(self, one: tuple[Value, Value], two: tuple[Value, Value]) -> tuple[Value, Value]:
        """(cos, sin) of the sum of two angles."""
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


def _phases(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    """Code of :data:`phase_row` and, with two more arguments, the tangents of two turns, of :data:`turn_phase_row`."""
    write = _Writer(context, builder, signature.args[0].dtype)
    x, y, first, second, base = (write.array(signature.args[j], arguments[j]) for j in (0, 1, 3, 5, 7))
    i, of_first, of_second = arguments[2], arguments[4], arguments[6]
    where = [write.at(i, LANES * j) for j in range(LANES)]
    parts = [[write.load(data, index) for index in where] for data in (x, y)]

    def turned(t: Value) -> list[list[Value]]:
        angle = write.spread(t)
        return [write.turn_numbers(write.turn_lanes(part, angle), angle) for part in parts]

    def pair(data: Value, index: Value, vector: int, apart: int = 1) -> tuple[Value, Value]:
        """(cos, sin): vector number ``vector`` of a table and the one ``apart`` after it."""
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
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, real, real), _phases


def _turn_phase_row(
    typing: Any, x: Any, y: Any, i: Any, first: Any, j: Any, second: Any, k: Any, base: Any, cos: Any, sin: Any,
    before: Any, after: Any,
) -> Any:  # fmt: skip
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, real, real, real, real), _phases


phase_row: Any = intrinsic(_phase_row)
turn_phase_row: Any = intrinsic(_turn_phase_row)


def _flipped_sum(typing: Any, index: Any, r: Any, amplitudes: Any) -> Any:
    """Loads and adds an amplitude as a vector of two numbers, in a half to a quarter of the time of a plain loop."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table = context.make_array(signature.args[0])(context, builder, arguments[0])
        data = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        pair = ir.VectorType(ir.DoubleType(), 2)
        pairs = builder.bitcast(data, pair.as_pointer())
        n_spins = cgutils.unpack_tuple(builder, table.shape)[1]
        row = builder.gep(table.data, [builder.mul(arguments[1], n_spins)])
        sums = [cgutils.alloca_once_value(builder, ir.Constant(pair, [0.0, 0.0])) for _ in range(_SUMS)]

        def add(total: Any, k: Any) -> None:
            place = builder.zext(builder.load(builder.gep(row, [k])), _LONG)
            amplitude = builder.load(builder.gep(pairs, [place]))
            amplitude.align = 8
            builder.store(builder.fadd(builder.load(total), amplitude), total)

        rounds = builder.udiv(n_spins, ir.Constant(_LONG, _SUMS))
        with cgutils.for_range(builder, rounds) as loop:
            first = builder.mul(loop.index, ir.Constant(_LONG, _SUMS))
            for j, total in enumerate(sums):
                add(total, builder.add(first, ir.Constant(_LONG, j)))
        done = builder.mul(rounds, ir.Constant(_LONG, _SUMS))
        with cgutils.for_range(builder, builder.sub(n_spins, done)) as loop:
            add(sums[0], builder.add(done, loop.index))
        a, b, c, d = (builder.load(total) for total in sums)
        total = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
        parts = [builder.extract_element(total, ir.Constant(_INT, part)) for part in range(2)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.float64, 2)(index, types.int64, amplitudes), generate


flipped_sum: Any = intrinsic(_flipped_sum)


@numba.njit(cache=True)
def trial_of_rows(x, y, table, amplitudes, index):
    """Uses every function on rows once."""
    turn_lanes(x, LANES, 0.3)
    turn_row(y, 0, 0.2)
    turn_one(x, 0, 2 * LANES, y, LANES, 3 * LANES, 0.1)
    turn_two(y, 0, LANES, x, 0, 2 * LANES, -0.2)
    turn_three(x, 0, LANES, x, 0, LANES, -0.1)
    phase_row(x, y, 0, table, LANES, table, 3, table, table[0], table[1])
    turn_phase_row(x, y, 0, table, 1, table, ROW, table, table[2], table[3], 0.2, -0.3)
    return x[0], y[0]


@numba.njit(cache=True)
def trial_of_sums(x, y, table, amplitudes, index):
    """Uses the sum once."""
    return flipped_sum(index, 0, amplitudes)
