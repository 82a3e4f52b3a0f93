"""Emits LLVM's operations on vectors, for :mod:`.vector_code`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types

from .sizes import LANES, VECTOR_BYTES

_CONTRACT = ("contract",)
INT, LONG = ir.IntType(32), ir.IntType(64)

Value = Any
"""A value of LLVM's intermediate representation, whose types mypy does not know."""

Turn = tuple[Value, Value]
"""tan and sin cos of a turn, in all lanes."""


def is_array(kind: Any) -> bool:
    """Whether a type of Numba's is an array."""
    return isinstance(kind, types.Array)


class Writer:
    """Emits operations on vectors of VECTOR_BYTES, of which ``pieces`` hold LANES numbers of one type."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self._context, self._builder = context, builder
        self._bytes = dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self._bytes
        self.pieces = range(LANES // self.lanes)
        self.vector = ir.VectorType(context.get_data_type(dtype), self.lanes)
        self._undefined = ir.Constant(self.vector, ir.Undefined)

    def array(self, array_type: Any, value: Value) -> Value:
        """Address of the first entry of an array."""
        return self._context.make_array(array_type)(self._context, self._builder, value).data

    def at(self, index: Value, steps: int, stride: Value | int = 1) -> Value:
        """index + steps * stride."""
        by = ir.Constant(index.type, steps * stride if isinstance(stride, int) else steps)
        return self._builder.add(index, by if isinstance(stride, int) else self._builder.mul(stride, by))

    def _address(self, data: Value, index: Value, piece: int) -> Value:
        place = self.at(index, piece, self.lanes)
        return self._builder.bitcast(self._builder.gep(data, [place]), self.vector.as_pointer())

    def load(self, data: Value, index: Value, piece: int) -> Value:
        loaded = self._builder.load(self._address(data, index, piece))
        loaded.align = self._bytes
        return loaded

    def store(self, value: Value, data: Value, index: Value, piece: int) -> None:
        self._builder.store(value, self._address(data, index, piece)).align = self._bytes

    def forget(self) -> None:
        """Let no value stay in registers from here on, where the compiler would hold too many and spill them."""
        self._builder.call(ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", side_effect=True), [])

    def shuffled(self, one: Value, two: Value, lanes: list[int]) -> Value:
        """Chosen lanes of two vectors, which are numbered through: the second follows the first."""
        return self._builder.shuffle_vector(one, two, ir.Constant(ir.VectorType(INT, self.lanes), lanes))

    def twice(self, data: Value, index: Value) -> Value:
        """The numbers of half a vector, in both halves."""
        n = self.lanes // 2
        half = ir.VectorType(self.vector.element, n)
        loaded = self._builder.load(self._builder.bitcast(self._builder.gep(data, [index]), half.as_pointer()))
        loaded.align = self._bytes
        return self._builder.shuffle_vector(loaded, loaded, ir.Constant(ir.VectorType(INT, 2 * n), [*range(n)] * 2))

    def lane(self, pieces: Sequence[Value], number: int) -> Value:
        """A vector with one of LANES numbers in all lanes."""
        piece, lane = divmod(number, self.lanes)
        return self.shuffled(pieces[piece], self._undefined, [lane] * self.lanes)

    def spread(self, scalar: Value) -> Value:
        """A vector with a number in all lanes."""
        return self.lane([self._builder.insert_element(self._undefined, scalar, ir.Constant(INT, 0))], 0)

    def transposed(self, values: list[Value]) -> list[Value]:
        """Four vectors of four numbers, rows as columns."""
        a, b, c, d = values
        low = [self.shuffled(one, two, [0, 4, 2, 6]) for one, two in ((a, b), (c, d))]
        high = [self.shuffled(one, two, [1, 5, 3, 7]) for one, two in ((a, b), (c, d))]
        return [self.shuffled(one, two, lanes) for lanes in ([0, 1, 4, 5], [2, 3, 6, 7]) for one, two in (low, high)]

    def plus(self, a: Value, b: Value) -> Value:
        return self._builder.fadd(a, b, flags=_CONTRACT)

    def less(self, a: Value, b: Value) -> Value:
        return self._builder.fsub(a, b, flags=_CONTRACT)

    def minus(self, a: Value) -> Value:
        return self._builder.fneg(a)

    def times(self, a: Value, b: Value) -> Value:
        return self._builder.fmul(a, b, flags=_CONTRACT)

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c."""
        return self.plus(self.times(a, b), c)

    def product(self, one: tuple[Value, Value], two: tuple[Value, Value]) -> tuple[Value, Value]:
        """(cos, sin) of the sum of two angles."""
        (c, s), (d, r) = one, two
        return self.fused(c, d, self.minus(self.times(s, r))), self.fused(s, d, self.times(c, r))

    def turn_lanes(self, values: list[Value], turn: Turn) -> list[Value]:
        """Turn the bits of the number of the lane."""
        for bit in range(self.lanes.bit_length() - 1):
            up = [lane + (self.lanes if lane >> bit & 1 else 0) for lane in range(self.lanes)]
            signed = self.shuffled(self.minus(turn[0]), turn[0], up)
            partners = [lane ^ (1 << bit) for lane in range(self.lanes)]
            values = [self.fused(signed, self.shuffled(v, self._undefined, partners), v) for v in values]
        return values

    def turn_one(self, a: Value, b: Value, turn: Turn) -> list[Value]:
        """Turn one spin."""
        return [self.fused(self.minus(turn[0]), b, a), self.fused(turn[0], a, b)]

    def turn_pair(self, a: Value, b: Value, c: Value, d: Value, turn: Turn) -> list[Value]:
        """Turn two spins."""
        t, f = turn
        apart, both = self.less(a, d), self.plus(b, c)
        g, h = self.fused(t, apart, both), self.fused(self.minus(t), both, apart)
        return [self.fused(self.minus(f), g, a), self.fused(f, h, b), self.fused(f, h, c), self.fused(f, g, d)]

    def turn_numbers(self, values: list[Value], turn: Turn) -> list[Value]:
        """Turn the bits of the number of the vector, two at a time."""
        values = list(values)
        bits = len(values).bit_length() - 1
        for bit in range(0, bits, 2):
            step, together = 1 << bit, min(2, bits - bit)
            for first in range(len(values)):
                if not first >> bit & ((1 << together) - 1):
                    where = [first + j * step for j in range(1 << together)]
                    write: Any = self.turn_pair if together == 2 else self.turn_one
                    for j, value in zip(where, write(*(values[k] for k in where), turn), strict=True):
                        values[j] = value
        return values

    def turn_pieces(self, data: Value, where: list[Value], turn: Turn) -> None:
        """Turn the bits of contiguous vectors that are within each piece, one piece after the other."""
        for piece in self.pieces:
            values = self.turn_lanes(self.turn_numbers([self.load(data, index, piece) for index in where], turn), turn)
            for value, index in zip(values, where, strict=True):
                self.store(value, data, index, piece)
            self.forget()

    def load_pieces(self, data: Value, index: Value) -> list[Value]:
        return [self.load(data, index, piece) for piece in self.pieces]

    def store_pieces(self, values: list[Value], data: Value, index: Value) -> None:
        for piece, value in zip(self.pieces, values, strict=True):
            self.store(value, data, index, piece)

    def turn_apart(self, vector: list[Value], turn: Turn) -> list[Value]:
        """Turn the bit of the number of the piece, where there are two."""
        return self.turn_one(vector[0], vector[1], turn) if len(vector) == 2 else vector
