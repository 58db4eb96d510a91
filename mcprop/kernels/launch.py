"""The arrival directions of a history: six, along the axes of a frame of random orientation."""

import math

import numpy as np

from mcprop.kernels.rng import LAUNCH, six_normals, threefry
from mcprop.protocol import kernel, primitive


@primitive
def random_frame(seed, stream, particle):
    """Nine components of three orthonormal axes, uniform over all orientations."""
    w0, w1 = threefry(particle, LAUNCH, seed, stream)
    a, b, c, d, _, _ = six_normals(w0, w1)
    norm = 2.0 / (a * a + b * b + c * c + d * d)
    bb, cc, dd = norm * b * b, norm * c * c, norm * d * d
    bc, bd, cd = norm * b * c, norm * b * d, norm * c * d
    ab, ac, ad = norm * a * b, norm * a * c, norm * a * d
    return (
        1.0 - cc - dd,
        bc + ad,
        bd - ac,
        bc - ad,
        1.0 - bb - dd,
        cd + ab,
        bd + ac,
        cd - ab,
        1.0 - bb - cc,
    )


@primitive
def random_direction(seed, stream, particle):
    """One unit vector, uniform over the sphere."""
    w0, w1 = threefry(particle, LAUNCH, seed, stream)
    x, y, z, _, _, _ = six_normals(w0, w1)
    norm = 1.0 / math.sqrt(x * x + y * y + z * z)
    return norm * x, norm * y, norm * z


@primitive
def displace(matrix, x, y, z):
    """The last mean free path: `matrix` (3, 3) [pc] applied to the direction (x, y, z)."""
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@kernel
def frames(seed, stream, first, out):
    """Fill `out` (n, 9) with the frames of particles first, first + 1, ..."""
    for j in range(out.shape[0]):
        axes = random_frame(seed, stream, first + np.uint64(j))
        for k in range(9):
            out[j, k] = axes[k]


@kernel
def directions(seed, stream, first, out):
    """Fill `out` (n, 3) with the single directions of particles first, first + 1, ..."""
    for j in range(out.shape[0]):
        out[j, 0], out[j, 1], out[j, 2] = random_direction(seed, stream, first + np.uint64(j))
