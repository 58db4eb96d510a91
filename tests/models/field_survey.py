"""All that a field answers; the kernel is one for all tests: it is long to compile."""

from typing import Any, NamedTuple

import numpy as np

from mcprop.fields import sample
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, kernel, step_scale


@kernel
def survey(field, points, out):
    """Scale at points, and their vectors by block, for whole blocks of them."""
    count = points.shape[0]
    for i in range(count):
        out[i, 0] = step_scale(field, points[i, 0], points[i, 1], points[i, 2])
    places, block = np.empty(3 * LANES), np.empty(3 * LANES)
    for start in range(0, count - LANES + 1, LANES):
        block[:] = 0.0
        for c in range(3):
            for i in range(LANES):
                places[c * LANES + i] = points[start + i, c]
        b_block(field, places, block)
        for c in range(3):
            for i in range(LANES):
                out[start + i, 1 + c] = block[c * LANES + i]


class Answers(NamedTuple):
    """What a field answers at points; `block` is NaN where no block is whole."""

    vector: np.ndarray  # (n, 3)
    gradient: np.ndarray  # (n, 3, 3): component, coordinate
    scale: np.ndarray  # (n,)
    block: np.ndarray  # (n, 3)


def survey_of(model: Any, points: Any) -> Answers:
    """Answers at points (n, 3)."""
    seen = sample(model, points)
    return Answers(seen.vectors, seen.gradients, *by_block(model, points))


def by_block(model: Any, points: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scales and vectors at points (n, 3), which may be no places at all."""
    points = np.ascontiguousarray(points, dtype=float)
    out = np.full((len(points), 4), np.nan)
    survey(model, points, out)
    return out[:, 0], out[:, 1:]
