"""Fields of a block of lanes: the arrays, and the field of models that know only single places."""

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.lanes import LANES
from mcprop.protocol import answers, b_block, b_vector, by_default, guards


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


@guards(b_block)
def _(places, out):
    """Refuse arrays that compiled answers would read or write beyond their ends."""
    for name, numbers in (("places", places), ("out", out)):
        fits = isinstance(numbers, np.ndarray) and numbers.dtype == float and numbers.ndim == 1
        if not (fits and numbers.size >= 3 * LANES and numbers.flags.c_contiguous):
            raise RangeError(f"b_block: {name} must be an array of {3 * LANES} floats in a row.")
