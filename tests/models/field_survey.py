"""All that a field answers, from one kernel for all tests: it is long to compile."""

from typing import Any, NamedTuple

import numpy as np

from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_gradient, b_vector, kernel, step_scale


@kernel
def survey(field, points, out):
    """Vector, gradient and scale at points; vector by block as well, for whole blocks of them."""
    count = points.shape[0]
    for i in range(count):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        bx, by, bz = b_vector(field, x, y, z)
        out[i, 0], out[i, 1], out[i, 2] = bx, by, bz
        out[i, 3:12] = np.array(b_gradient(field, x, y, z))
        out[i, 12] = step_scale(field, x, y, z)
    places, block = np.empty(3 * LANES), np.empty(3 * LANES)
    for start in range(0, count - LANES + 1, LANES):
        block[:] = 0.0
        for c in range(3):
            for i in range(LANES):
                places[c * LANES + i] = points[start + i, c]
        b_block(field, places, block)
        for c in range(3):
            for i in range(LANES):
                out[start + i, 13 + c] = block[c * LANES + i]


class Answers(NamedTuple):
    """What a field answers at points; `block` is NaN where no block is whole."""

    vector: np.ndarray  # (n, 3)
    gradient: np.ndarray  # (n, 3, 3): component, coordinate
    scale: np.ndarray  # (n,)
    block: np.ndarray  # (n, 3)


def survey_of(model: Any, points: Any) -> Answers:
    """Answers at points (n, 3)."""
    points = np.ascontiguousarray(points, dtype=float)
    out = np.full((len(points), 16), np.nan)
    survey(model, points, out)
    return Answers(out[:, :3], out[:, 3:12].reshape(-1, 3, 3), out[:, 12], out[:, 13:])
