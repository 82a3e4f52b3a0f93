"""The one thing all propagation in the sector is made of: the sum of the amplitudes one spin flip away."""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_SUMS = 4
"""At a time, since additions wait for one another."""

_INT = ir.IntType(64)


def _flipped_sum(typing: Any, index: Any, r: Any, amplitudes: Any) -> Any:
    """sum_k a[index[r, k]] as real and imaginary part: what Sx gives in row r.

    An amplitude is loaded and added as a whole, as a vector of two numbers: LLVM does not find that in a loop over
    complex numbers, which takes two to four times as long. Called from jitted code only; nothing is checked.

    Args:
        typing: numba's.
        index: (d, N) uint32, contiguous.
        r: row.
        amplitudes: (d,) complex128.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table = context.make_array(signature.args[0])(context, builder, arguments[0])
        data = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        pair = ir.VectorType(ir.DoubleType(), 2)
        pairs = builder.bitcast(data, pair.as_pointer())
        n_spins = cgutils.unpack_tuple(builder, table.shape)[1]
        row = builder.gep(table.data, [builder.mul(arguments[1], n_spins)])
        sums = [cgutils.alloca_once_value(builder, ir.Constant(pair, [0.0, 0.0])) for _ in range(_SUMS)]

        def add(total: Any, k: Any) -> None:
            place = builder.zext(builder.load(builder.gep(row, [k])), _INT)
            amplitude = builder.load(builder.gep(pairs, [place]))
            amplitude.align = 8
            builder.store(builder.fadd(builder.load(total), amplitude), total)

        rounds = builder.udiv(n_spins, ir.Constant(_INT, _SUMS))
        with cgutils.for_range(builder, rounds) as loop:
            first = builder.mul(loop.index, ir.Constant(_INT, _SUMS))
            for j, total in enumerate(sums):
                add(total, builder.add(first, ir.Constant(_INT, j)))
        done = builder.mul(rounds, ir.Constant(_INT, _SUMS))
        with cgutils.for_range(builder, builder.sub(n_spins, done)) as loop:
            add(sums[0], builder.add(done, loop.index))
        a, b, c, d = (builder.load(total) for total in sums)
        total = builder.fadd(builder.fadd(a, b), builder.fadd(c, d))
        parts = [builder.extract_element(total, ir.Constant(ir.IntType(32), part)) for part in range(2)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.float64, 2)(index, types.int64, amplitudes), generate


flipped_sum: Any = intrinsic(_flipped_sum)


@numba.njit(fastmath=True, cache=True, nogil=True)
def transverse_expectation(index, sizes, amplitudes):
    """<Sx>, not normalised."""
    total = 0.0
    for r in range(sizes.size):
        re, im = flipped_sum(index, r, amplitudes)
        total += sizes[r] * (amplitudes[r].real * re + amplitudes[r].imag * im)
    return total
