"""Sums of products of the scores of histories, up to the fourth order, slice by slice."""

import numpy as np

from mcprop.protocol import kernel
from mcprop.symmetric import PAIRS, QUADS, TRIPLES, UPPER

LANES = 64
FIRST, LAST = UPPER
COLUMNS = 4 + len(PAIRS)
"""Rows of the buffer: scores, then their products of two."""
_place = {pair: 4 + row for row, pair in enumerate(PAIRS)}
LEFT = np.array([t[0] for t in TRIPLES] + [_place[q[:2]] for q in QUADS])
RIGHT = np.array([_place[t[1:]] for t in TRIPLES] + [_place[q[2:]] for q in QUADS])
"""Rows of the buffer whose product is one of three or of four scores."""


@kernel
def centre(y, mean, centred):
    """Fill `mean` (4,) and `centred` (n, 4) from the scores `y` (n, 4), added up in their order."""
    mean[:] = 0.0
    for i in range(y.shape[0]):
        for k in range(4):
            mean[k] += y[i, k]
    for k in range(4):
        mean[k] /= y.shape[0]
    for i in range(y.shape[0]):
        for k in range(4):
            centred[i, k] = y[i, k] - mean[k]


@kernel
def largest(y, edges, out):
    """Fill `out` (slices, 2, 4): the scores with the largest density and with the longest vector.

    Of equals it is the first.
    """
    for part in range(out.shape[0]):
        most, longest = -1.0, -1.0
        for i in range(edges[part], edges[part + 1]):
            density = abs(y[i, 0])
            square = y[i, 1] * y[i, 1] + y[i, 2] * y[i, 2] + y[i, 3] * y[i, 3]
            if density > most:
                most = density
                out[part, 0] = y[i]
            if square > longest:
                longest = square
                out[part, 1] = y[i]


@kernel
def power_sums(centred, edges, out):
    """Fill `out` (slices, 69): sums of scores, and of products of two, three and four of them.

    Slices of `centred` (n, 4) begin and end at `edges`. Lanes are added up in their order, so that
    the sums do not depend on the machine.
    """
    rows = LEFT.shape[0]
    z, total = np.empty((COLUMNS, LANES)), np.empty((COLUMNS + rows, LANES))
    for part in range(out.shape[0]):
        total[:] = 0.0
        for begin in range(edges[part], edges[part + 1], LANES):
            n = min(LANES, edges[part + 1] - begin)
            if n < LANES:
                z[:4] = 0.0
            for lane in range(n):
                for k in range(4):
                    z[k, lane] = centred[begin + lane, k]
            for k in range(COLUMNS - 4):
                first, last = FIRST[k], LAST[k]
                for lane in range(LANES):
                    z[4 + k, lane] = z[first, lane] * z[last, lane]
            for k in range(COLUMNS):
                for lane in range(LANES):
                    total[k, lane] += z[k, lane]
            for k in range(rows):
                left, right = LEFT[k], RIGHT[k]
                for lane in range(LANES):
                    total[COLUMNS + k, lane] += z[left, lane] * z[right, lane]
        for k in range(COLUMNS + rows):
            add = 0.0
            for lane in range(LANES):
                add += total[k, lane]
            out[part, k] = add
