"""LLVM vector code of :mod:`.vectors`, which LLVM does not find in loops: butterflies and phases held in registers.

Loops over slices do one or two butterflies for each load and store, and none on the three lowest bits, whose partners
lie within one vector. The code here loads up to eight vectors, turns three bits of their number or of their lanes, and
stores them. A vector has as many bytes as a register of AVX2: eight vectors stay in registers, where twice as many
bytes would be kept in memory, and take twice the time.

Two spins are turned together. With d = b00 - b11, s = b01 + b10, g = t d + s, h = d - t s and f = sin cos,

    b00 - f g, b01 + f h, b10 + f h, b11 + f g:

six fused multiply-adds and two additions, which some processors do at the same time, for the eight multiply-adds of
two butterflies, and no factor 1/cos.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...core.jitted import jitted
from .sizes import LANES, ROW
from .writer import INT, LONG, Turn, Value, Writer, is_array

_SUMS = 4
"""Partial sums of :data:`flipped_sum`, since additions wait for one another."""


def _turn(bits: int) -> Any:
    """Turn of ``bits`` bits of the number of slices, LANES entries of each, from one array into another."""

    def turn(
        typing: Any, source: Any, i: Any, step: Any, target: Any, k: Any, stride: Any, tangent: Any, factor: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = Writer(context, builder, source.dtype)
            x, y = write.array(source, arguments[0]), write.array(target, arguments[3])
            by = write.spread(arguments[6]), write.spread(arguments[7])
            numbers = range(1 << bits)
            for piece in write.pieces:
                values = [write.load(x, write.at(arguments[1], j, arguments[2]), piece) for j in numbers]
                for j, value in zip(numbers, write.turn_numbers(values, by), strict=True):
                    write.store(value, y, write.at(arguments[4], j, arguments[5]), piece)

        n, real = types.intp, source.dtype
        return types.void(source, n, n, target, n, n, real, real), generate

    return intrinsic(turn)


turn_one, turn_two, turn_three = _turn(1), _turn(2), _turn(3)


def _turn_low(vectors: int) -> Any:
    """Turn of the lowest bits of a block of ``vectors`` contiguous vectors."""

    def turn(typing: Any, x: Any, i: Any, tangent: Any, factor: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            write = Writer(context, builder, x.dtype)
            data, by = write.array(x, arguments[0]), (write.spread(arguments[2]), write.spread(arguments[3]))
            where = [write.at(arguments[1], LANES * j) for j in range(vectors)]
            write.turn_pieces(data, where, by)
            for index in where:
                write.store_pieces(write.turn_apart(write.load_pieces(data, index), by), data, index)

        return types.void(x, types.intp, x.dtype, x.dtype), generate

    return intrinsic(turn)


turn_lanes, turn_row = _turn_low(1), _turn_low(LANES)


def _phases(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    """Code of :data:`phase_row` and, with four more arguments, of two turns, of :data:`turn_phase_row`."""
    write = Writer(context, builder, signature.args[0].dtype)
    x, y, first, second, base = (write.array(signature.args[j], arguments[j]) for j in (0, 1, 3, 5, 7))
    i, of_first, of_second = arguments[2], arguments[4], arguments[6]
    where = [write.at(i, LANES * j) for j in range(LANES)]

    def turn(argument: int) -> Turn:
        return write.spread(arguments[argument]), write.spread(arguments[argument + 1])

    def pair(data: Value, index: Value, vector: int, piece: int, apart: int = 1) -> tuple[Value, Value]:
        """(cos, sin): vector number ``vector`` of a table and the one ``apart`` after it."""
        cos, sin = (write.load(data, write.at(index, LANES * j), piece) for j in (vector, vector + apart))
        return cos, sin

    def both(vector: int, piece: int) -> tuple[Value, Value]:
        return write.product(pair(first, of_first, vector, piece), pair(second, of_second, vector, piece))

    turns = [turn(argument) for argument in range(_PHASE_ARGUMENTS, len(arguments), 2)]
    if turns:
        write.turn_pieces(x, where, turns[0])
        write.turn_pieces(y, where, turns[0])
    of_row = write.spread(arguments[8]), write.spread(arguments[9])
    numbers = list(zip(*(write.product(both(2, piece), of_row) for piece in write.pieces), strict=True))
    lanes = [both(0, piece) for piece in write.pieces]
    zero = ir.Constant(i.type, 0)
    for j, index in enumerate(where):
        number = write.lane(numbers[0], j), write.lane(numbers[1], j)
        one, two = (write.load_pieces(data, index) for data in (x, y))
        if turns:
            one, two = write.turn_apart(one, turns[0]), write.turn_apart(two, turns[0])
        for piece in write.pieces:
            c, s = write.product(write.product(lanes[piece], number), pair(base, zero, j, piece, LANES))
            p, q = one[piece], two[piece]
            one[piece] = write.fused(p, c, write.times(q, s))
            two[piece] = write.fused(q, c, write.minus(write.times(p, s)))
        if turns:
            one, two = write.turn_apart(one, turns[1]), write.turn_apart(two, turns[1])
        write.store_pieces(one, x, index)
        write.store_pieces(two, y, index)
    if turns:
        write.forget()
        write.turn_pieces(x, where, turns[1])
        write.turn_pieces(y, where, turns[1])


_PHASE_ARGUMENTS = 10


def _phase_row(
    typing: Any, x: Any, y: Any, i: Any, first: Any, j: Any, second: Any, k: Any, base: Any, cos: Any, sin: Any
) -> Any:
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, real, real), _phases


def _turn_phase_row(
    typing: Any, x: Any, y: Any, i: Any, first: Any, j: Any, second: Any, k: Any, base: Any, cos: Any, sin: Any,
    tan_before: Any, factor_before: Any, tan_after: Any, factor_after: Any,
) -> Any:  # fmt: skip
    n, real = types.intp, x.dtype
    return types.void(x, y, n, first, n, second, n, base, *[real] * 6), _phases


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
            place = builder.zext(builder.load(builder.gep(row, [k])), LONG)
            amplitude = builder.load(builder.gep(pairs, [place]))
            amplitude.align = 8
            builder.store(builder.fadd(builder.load(total), amplitude), total)

        rounds = builder.udiv(n_spins, ir.Constant(LONG, _SUMS))
        with cgutils.for_range(builder, rounds) as loop:
            first = builder.mul(loop.index, ir.Constant(LONG, _SUMS))
            for j, total in enumerate(sums):
                add(total, builder.add(first, ir.Constant(LONG, j)))
        done = builder.mul(rounds, ir.Constant(LONG, _SUMS))
        with cgutils.for_range(builder, builder.sub(n_spins, done)) as loop:
            add(sums[0], builder.add(done, loop.index))
        a, b, c, d = (builder.load(total) for total in sums)
        total = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
        parts = [builder.extract_element(total, ir.Constant(INT, part)) for part in range(2)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.float64, 2)(index, types.int64, amplitudes), generate


flipped_sum: Any = intrinsic(_flipped_sum)


def _sums_over_terms(context: Any, builder: Any, signature: Any, arguments: Any) -> Value:
    """Three sums over the terms in registers: for Sz, for ZZ, and for what Sx acts on next."""
    write = Writer(context, builder, types.float64)
    data = [write.array(kind, value) for kind, value in zip(signature.args, arguments, strict=True) if is_array(kind)]
    of_powers, terms, flipped, onward, diagonal, sizes, state = data
    shape = context.make_array(signature.args[5])(context, builder, arguments[5]).shape
    ring, length = cgutils.unpack_tuple(builder, shape)
    centre, factor, k, degree = arguments[1:5]
    one = ir.Constant(LONG, 1)
    here, there = builder.urem(k, ring), builder.urem(builder.add(k, one), ring)
    zero = ir.Constant(write.vector, [0.0] * write.lanes)
    sums = [[cgutils.alloca_once(builder, write.vector) for _ in range(3)] for _ in write.pieces]
    norm, slot = cgutils.alloca_once_value(builder, zero), cgutils.alloca_once(builder, LONG)
    turned = write.times(write.spread(factor), ir.Constant(write.vector, [1.0, -1.0] * (write.lanes // 2)))
    middle, at_once = write.minus(write.spread(centre)), write.spread(builder.load(of_powers))
    groups = builder.udiv(builder.sub(arguments[-1], arguments[-2]), ir.Constant(LONG, LANES))
    with cgutils.for_range(builder, groups) as group:
        entry = builder.add(arguments[-2], builder.mul(group.index, ir.Constant(LONG, LANES)))
        for total in (total for of_piece in sums for total in of_piece):
            builder.store(zero, total)
        builder.store(here, slot)
        with cgutils.for_range(builder, builder.add(degree, one)) as power:
            z, c, x = (
                write.spread(builder.load(builder.gep(of_powers, [write.at(power.index, row, ring)])))
                for row in (1, 2, 3)
            )
            now = builder.load(slot)
            place = builder.add(builder.mul(now, length), entry)
            for piece, of_piece in zip(write.pieces, sums, strict=True):
                term = write.load(terms, place, piece)
                for weight, total in zip((z, c, x), of_piece, strict=True):
                    builder.store(write.fused(weight, term, builder.load(total)), total)
            is_first = builder.icmp_unsigned("==", now, ir.Constant(LONG, 0))
            builder.store(builder.sub(builder.select(is_first, ring, now), one), slot)
        before, place = (builder.add(builder.mul(row, length), entry) for row in (here, there))
        for piece, (of_z, of_c, of_x) in zip(write.pieces, sums, strict=True):
            found = write.fused(middle, write.load(terms, before, piece), write.load(flipped, entry, piece))
            found = write.fused(write.load(diagonal, entry, piece), builder.load(of_z), found)
            of_ising = write.load(diagonal, builder.add(entry, length), piece)
            found = write.fused(of_ising, builder.load(of_c), found)
            term = write.times(write.shuffled(found, found, [lane ^ 1 for lane in range(write.lanes)]), turned)
            write.store(term, terms, place, piece)
            write.store(write.fused(at_once, term, builder.load(of_x)), onward, entry, piece)
            write.store(builder.fadd(write.load(state, entry, piece), term), state, entry, piece)
            weighted = write.times(write.load(sizes, entry, piece), term)
            builder.store(write.fused(weighted, term, builder.load(norm)), norm)
    in_lanes = builder.load(norm)
    lanes = [builder.extract_element(in_lanes, ir.Constant(INT, lane)) for lane in range(write.lanes)]
    return functools.reduce(builder.fadd, lanes)


def _next_entries(
    typing: Any, polynomial: Any, centre: Any, factor: Any, k: Any, degree: Any, rows: Any, flipped: Any, onward: Any,
    diagonals: Any, sizes: Any, psi: Any, first: Any, last: Any,
) -> Any:  # fmt: skip
    n, real = types.intp, types.float64
    arrays = polynomial, real, real, n, n, rows, flipped, onward, diagonals, sizes, psi, n, n
    return real(*arrays), _sums_over_terms


next_entries: Any = intrinsic(_next_entries)


@jitted()
def trial_of_rows(x, y, table):
    """Uses every function on rows once."""
    turn_lanes(x, LANES, 0.3, 0.2)
    turn_row(y, 0, 0.2, 0.1)
    turn_one(x, 0, 2 * LANES, y, LANES, 3 * LANES, 0.1, 0.3)
    turn_two(y, 0, LANES, x, 0, 2 * LANES, -0.2, 0.1)
    turn_three(x, 0, LANES, x, 0, LANES, -0.1, 0.2)
    phase_row(x, y, 0, table, LANES, table, 3, table, table[0], table[1])
    turn_phase_row(x, y, 0, table, 1, table, ROW, table, table[2], table[3], 0.2, 0.3, -0.3, -0.1)
    return x[0], y[0]


@jitted()
def trial_of_sums(index, amplitudes, polynomial, rows, flipped, onward, diagonals, sizes, psi):
    """Uses every function on sums once."""
    re, im = flipped_sum(index, 0, amplitudes)
    norm = next_entries(polynomial, 0.3, 0.1, 5, 1, rows, flipped, onward, diagonals, sizes, psi, LANES, 3 * LANES)
    return re, im, norm
