"""Analog histories through the slab: one random arrival direction each, and one exit or none."""

import math

import numpy as np

from mcprop.kernels.launch import displace, random_direction
from mcprop.kernels.rng import six_normals, threefry, uniform
from mcprop.kernels.slab import AGED_OUT, ARRIVED, ESCAPED, LOST, crossing
from mcprop.protocol import kernel, outside, own_path, primitive


@primitive
def analog_step(slab, seed, stream, particle, block, x, v, z, time):
    """Step of a history from the depth `x`: next depth, offsets and time, and whether it has left.

    Where it has left they are those of the crossing.
    """
    n0, chi, n1, n2, _, _ = six_normals(*threefry(particle, block, seed, stream))
    w0, w1 = threefry(particle, block + np.uint64(1), seed, stream)
    scale = min(max(x, 0.5 * slab.depth), slab.far)
    h = min(slab.step * scale * scale / slab.kappa_xx, slab.age - time)
    spread = slab.kappa_xx * h
    free = x + slab.flow * h + math.sqrt(2.0 * spread) * n0
    probability, early, late, share = crossing(x, free, spread, chi * chi)
    fraction = early if uniform(w1) < share else late
    left = uniform(w0) < probability
    spent = h * fraction if left else h
    v += slab.shear * spent + math.sqrt(2.0 * slab.spread2 * spent) * n1
    z += math.sqrt(2.0 * slab.spread3 * spent) * n2
    return 0.0 if left else free, v, z, time + spent, left


@primitive
def analog_history(slab, outer, seed, stream, particle, j, x, y, z):
    """Follow one history from (x, y, z): density met where it leaves (or 0), fate, blocks used."""
    p0, p1, p2, p3 = own_path(outer, j)
    v = y - slab.ratio * x
    time, block = 0.0, np.uint64(0)
    while x <= slab.far and time < slab.age * (1.0 - 1e-12):
        x, v, z, time, left = analog_step(slab, seed, stream, particle, block, x, v, z, time)
        block += np.uint64(2)
        if left:
            return outside(outer, -slab.depth, v, z, time, p0, p1, p2, p3), ARRIVED, block
        if not x >= 0.0:
            return math.nan, LOST, block
    return 0.0, (ESCAPED if x > slab.far else AGED_OUT), block


@kernel
def analog_walk(slab, outer, seed, stream, first, reach, scores, directions, fates):
    """Analog histories first, first + 1, ...; returns the number of steps.

    `directions` (n, 3) takes their arrival directions.

    `reach` (3, 3) [pc] takes a direction (ICRS) to the last mean free path in cloud axes, `scores`
    (n,) the density met, `fates` (4,) the counts of escaped, aged out, arrived, lost.
    """
    steps = 0
    for j in range(scores.shape[0]):
        particle = first + np.uint64(j)
        nx, ny, nz = random_direction(seed, stream, particle)
        directions[j, 0], directions[j, 1], directions[j, 2] = nx, ny, nz
        dx, dy, dz = displace(reach, nx, ny, nz)
        scores[j], fate, blocks = analog_history(
            slab, outer, seed, stream, particle, j, slab.depth + dx, dy, dz
        )
        fates[fate if math.isfinite(scores[j]) else LOST] += 1
        steps += int(blocks >> np.uint64(1))
    return steps
