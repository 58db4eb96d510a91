"""Free walks through a medium, recorded at equal intervals of time."""

import math

import numpy as np

from mcprop.kernels.lanes import LANES, block_width
from mcprop.kernels.rng import six_normals, threefry
from mcprop.protocol import drift, kernel, noise, primitive


@primitive
def advance(medium, x, y, z, n0, n1, n2, h, root):
    """One Euler-Maruyama step of `h` [yr]; exact for constant tensor and drift.

    `root` is sqrt(2 h).
    """
    sx, sy, sz = noise(medium, x, y, z, n0, n1, n2)
    ux, uy, uz = drift(medium, x, y, z)
    return x + (h * ux + root * sx), y + (h * uy + root * sy), z + (h * uz + root * sz)


@kernel
def walk(medium, seed, stream, first, start, pairs, h, out):
    """Walk particles first, ... from `start` (3,) [pc]; record every 2 `pairs` steps of `h` [yr].

    `out` (records, 3, n) takes the positions [pc].  Two steps share one block of random numbers.
    """
    records, n = out.shape[0], out.shape[2]
    root = math.sqrt(2.0 * h)
    lane = np.empty(3 * LANES)
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        for i in range(LANES):
            lane[i], lane[LANES + i], lane[2 * LANES + i] = start[0], start[1], start[2]
        particle = first + np.uint64(begin)
        block = np.uint64(0)
        for record in range(records):
            for _ in range(pairs):
                for i in range(LANES):
                    w0, w1 = threefry(particle + np.uint64(i), block, seed, stream)
                    n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
                    x, y, z = lane[i], lane[LANES + i], lane[2 * LANES + i]
                    x, y, z = advance(medium, x, y, z, n0, n1, n2, h, root)
                    x, y, z = advance(medium, x, y, z, n3, n4, n5, h, root)
                    lane[i], lane[LANES + i], lane[2 * LANES + i] = x, y, z
                block += np.uint64(1)
            for k in range(3):
                for i in range(width):
                    out[record, k, begin + i] = lane[k * LANES + i]
