"""Fields of a block of lanes that state only what they are at one place."""

from mcprop.kernels.lanes import LANES
from mcprop.protocol import answers, b_block, b_vector, by_default


def block_of_vectors(field, places, out):
    """Add the field of every lane to `out`, one lane after the other."""
    for i in range(LANES):
        bx, by, bz = b_vector(field, places[i], places[LANES + i], places[2 * LANES + i])
        out[i] += bx
        out[LANES + i] += by
        out[2 * LANES + i] += bz


@by_default(b_block)
def _(model):
    return block_of_vectors if answers(b_vector, model) else None
