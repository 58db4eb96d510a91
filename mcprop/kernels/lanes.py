"""Lanes: particles advance in blocks of `LANES`, kept as rows of one flat buffer so that loops over
them vectorise.
"""

import numpy as np

from mcprop.protocol import primitive

LANES = 64
"""Particles in a block."""


@primitive
def block_width(total, start):
    """Number of lanes in use for the block that begins at particle `start` of `total`."""
    return min(LANES, total - start)


def split(seed: int) -> np.uint64:
    """A non-negative Python integer below 2^64 as the 64-bit word that kernels take."""
    return np.uint64(seed)
