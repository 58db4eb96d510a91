"""Lanes: particles in blocks, as rows of one flat buffer, so that loops vectorise."""

from mcprop.protocol import primitive

LANES = 64
"""Particles in a block."""


@primitive
def block_width(total, start):
    """Number of lanes in use for the block that begins at particle `start` of `total`."""
    return min(LANES, total - start)
