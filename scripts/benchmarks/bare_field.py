"""Nothing but evaluations of a field, which the rates of what moves through it are held against."""

from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, kernel


@kernel
def evaluate(field, count, places, out):
    """Evaluate the field of a block `count` times, each time a little further on."""
    for _ in range(count):
        for i in range(3 * LANES):
            out[i] = 0.0
        b_block(field, places, out)
        for i in range(LANES):
            places[i] += 1e-3 * out[i]
