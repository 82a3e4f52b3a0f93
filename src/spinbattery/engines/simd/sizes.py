"""Sizes of the units that kernels work on, apart from the kernels, which are slow to import."""

LANE_BITS = 3
LANES = 1 << LANE_BITS

ROW_BITS = 2 * LANE_BITS
ROW = 1 << ROW_BITS
"""Entries of a row: they are turned and multiplied by phases in registers."""

TILE_BITS = 13
