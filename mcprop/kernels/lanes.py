"""Lanes: particles advance in blocks of `LANES`, kept as rows of one flat buffer so that loops over
them vectorise.
"""

from mcprop.protocol import primitive

LANES = 64
"""Particles in a block."""


@primitive
def block_width(total, start):
    """Number of lanes in use for the block that begins at particle `start` of `total`."""
    return min(LANES, total - start)
