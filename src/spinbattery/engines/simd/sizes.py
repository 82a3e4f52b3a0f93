"""Sizes of the units that kernels work on, apart from the kernels, which are slow to import."""

LANE_BITS = 3
LANES = 1 << LANE_BITS

ROW_BITS = 2 * LANE_BITS
ROW = 1 << ROW_BITS
"""Entries of a row: they are turned and multiplied by phases in registers."""

ROW_LEFT_TO_SCALE = LANE_BITS + LANE_BITS % 2
"""Spins of a row that are not turned in pairs, and lack their factor cos(theta)."""

TILE_BITS = 13

VECTOR_BYTES = 32
"""Bytes of a register of AVX2."""

LINE_BYTES = 64
"""Bytes of a line of the cache."""
