"""Walks through a medium: free and in equal steps, or between boundaries to given times."""

import math

import numpy as np

from mcprop.kernels.boundary import confine, survival, tensor_survival
from mcprop.kernels.lanes import LANES, block_width
from mcprop.kernels.rng import six_normals, threefry
from mcprop.kernels.step import advance, euler, pace
from mcprop.protocol import is_scalar, kappa, kernel, primitive


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
                    x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)
                    x, y, z = euler(medium, x, y, z, n3, n4, n5, h, root)
                    lane[i], lane[LANES + i], lane[2 * LANES + i] = x, y, z
                block += np.uint64(1)
            for k in range(3):
                for i in range(width):
                    out[record, k, begin + i] = lane[k * LANES + i]


X, Y, Z, TIME, ALIVE, ROWS = range(6)
"""Rows of the lane buffer of `walk_to`."""


@primitive
def survives(medium, boundary, x0, y0, z0, x1, y1, z1, h):
    """Probability of not having touched the boundary, with the tensor where the step began."""
    xx, xy, xz, yy, yz, zz = kappa(medium, x0, y0, z0)
    if is_scalar(medium):
        return survival(boundary, x0, y0, z0, x1, y1, z1, h * xx)
    return tensor_survival(
        boundary, x0, y0, z0, x1, y1, z1, h * xx, h * xy, h * xz, h * yy, h * yz, h * zz
    )


@primitive
def draw(particle, block, seed, stream, i, kicks):
    """Put six normal numbers, for two steps, into lane `i` of `kicks`.

    Apart from `move`, because a medium that calls the C library keeps a loop from vectorising.
    """
    w0, w1 = threefry(particle, block, seed, stream)
    n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
    kicks[i], kicks[LANES + i], kicks[2 * LANES + i] = n0, n1, n2
    kicks[3 * LANES + i], kicks[4 * LANES + i], kicks[5 * LANES + i] = n3, n4, n5


@primitive
def move(medium, boundary, stepper, choice, target, k, i, kicks, lane):
    """One step of lane `i` with the numbers from row `k` on, but not beyond the time `target`.

    The dead and the punctual stay where they are.
    """
    x, y, z = lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i]
    time, alive = lane[TIME * LANES + i], lane[ALIVE * LANES + i]
    n0, n1, n2 = kicks[k * LANES + i], kicks[(k + 1) * LANES + i], kicks[(k + 2) * LANES + i]
    left = target - time
    h = pace(choice, medium, boundary, x, y, z)
    goes = left > 0.0 and alive > 0.0
    short = goes and h < left  # a length that is not a number is not short
    h = h if short else left
    px, py, pz = advance(stepper, medium, x, y, z, n0, n1, n2, h, math.sqrt(2.0 * h))
    survived = alive * survives(medium, boundary, x, y, z, px, py, pz, h)
    px, py, pz = confine(boundary, px, py, pz)
    lane[X * LANES + i] = px if goes else x
    lane[Y * LANES + i] = py if goes else y
    lane[Z * LANES + i] = pz if goes else z
    lane[TIME * LANES + i] = time + h if short else target
    lane[ALIVE * LANES + i] = survived if goes else alive


@kernel
def walk_to(medium, boundary, stepper, choice, seed, stream, first, starts, times, out, alive):
    """Walk particles first, ... from `starts` (3, n) [pc]; record them at the rising `times` [yr].

    `out` (records, 3, n) takes the positions [pc], `alive` (records, n) the probability that the
    walk has met no absorbing wall until then.  Every particle has its own time and its own count
    of random numbers, so that it does not depend on the others.  Returns the number of steps.
    """
    n = out.shape[2]
    lane, kicks = np.empty(ROWS * LANES), np.empty(6 * LANES)
    block = np.empty(LANES, np.uint64)
    steps = 0
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        for i in range(LANES):
            origin = min(begin + i, n - 1)
            for k in range(3):
                lane[k * LANES + i] = starts[k, origin]
            lane[TIME * LANES + i] = 0.0
            lane[ALIVE * LANES + i] = 1.0 if i < width else 0.0
            block[i] = np.uint64(0)
        particle = first + np.uint64(begin)
        for record in range(times.shape[0]):
            target = times[record]
            late = LANES
            while late > 0:
                for i in range(LANES):
                    draw(particle + np.uint64(i), block[i], seed, stream, i, kicks)
                    block[i] += np.uint64(1) if lane[TIME * LANES + i] < target else np.uint64(0)
                for half in range(2):
                    late = 0
                    for i in range(LANES):
                        goes = lane[TIME * LANES + i] < target and lane[ALIVE * LANES + i] > 0.0
                        steps += 1 if goes else 0
                        move(medium, boundary, stepper, choice, target, 3 * half, i, kicks, lane)
                        late += 1 if lane[TIME * LANES + i] < target else 0
            for i in range(width):
                for k in range(3):
                    out[record, k, begin + i] = lane[k * LANES + i]
                alive[record, begin + i] = lane[ALIVE * LANES + i]
    return steps
