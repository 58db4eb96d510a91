"""Counter-based random numbers: each is a pure function of (seed, stream, particle, block).

References
----------
Threefry2x64-20: Salmon et al., Proc. SC'11 (2011), doi:10.1145/2063384.2063405.
"""

import math

import numpy as np

from mcprop.kernels.elementary import ONE_BITS, from_bits, log, sincos_octants
from mcprop.protocol import kernel, primitive

PARITY = np.uint64(0x1BD11BDAA9FC1A22)
U64 = np.uint64(64)
LAUNCH = np.uint64(1 << 63)
"""Block number of the random numbers that launch a history; its steps count from zero."""

MASK42, MASK27 = np.uint64((1 << 42) - 1), np.uint64((1 << 27) - 1)
MASK20, MASK13 = np.uint64((1 << 20) - 1), np.uint64((1 << 13) - 1)


@primitive
def mix(a, b, r):
    """One round of Threefry: add, rotate by `r`, exclusive-or."""
    a = a + b
    return a, ((b << r) | (b >> (U64 - r))) ^ a


@primitive
def threefry(c0, c1, k0, k1):
    """Threefry2x64-20: two random 64-bit words of the counter (c0, c1) under the key (k0, k1)."""
    k2 = PARITY ^ k0 ^ k1
    a, b = c0 + k0, c1 + k1
    a, b = mix(a, b, np.uint64(16))
    a, b = mix(a, b, np.uint64(42))
    a, b = mix(a, b, np.uint64(12))
    a, b = mix(a, b, np.uint64(31))
    a, b = a + k1, b + k2 + np.uint64(1)
    a, b = mix(a, b, np.uint64(16))
    a, b = mix(a, b, np.uint64(32))
    a, b = mix(a, b, np.uint64(24))
    a, b = mix(a, b, np.uint64(21))
    a, b = a + k2, b + k0 + np.uint64(2)
    a, b = mix(a, b, np.uint64(16))
    a, b = mix(a, b, np.uint64(42))
    a, b = mix(a, b, np.uint64(12))
    a, b = mix(a, b, np.uint64(31))
    a, b = a + k0, b + k1 + np.uint64(3)
    a, b = mix(a, b, np.uint64(16))
    a, b = mix(a, b, np.uint64(32))
    a, b = mix(a, b, np.uint64(24))
    a, b = mix(a, b, np.uint64(21))
    a, b = a + k1, b + k2 + np.uint64(4)
    a, b = mix(a, b, np.uint64(16))
    a, b = mix(a, b, np.uint64(42))
    a, b = mix(a, b, np.uint64(12))
    a, b = mix(a, b, np.uint64(31))
    return a + k2, b + k0 + np.uint64(5)


@primitive
def uniform(word):
    """A uniform number strictly between 0 and 1 from the upper 52 bits of a random word."""
    return from_bits((word >> np.uint64(12)) | ONE_BITS) - (1.0 - 2.0**-53)


@primitive
def box_muller(bits):
    """Two normal numbers from 42 bits: 27 for the radius (up to 6.1 sigma), 15 for the angle."""
    u = from_bits(((bits & MASK27) << np.uint64(25)) | ONE_BITS) - (1.0 - 2.0**-28)
    radius = math.sqrt(-2.0 * log(u))
    fraction = from_bits((((bits >> np.uint64(27)) & MASK13) << np.uint64(39)) | ONE_BITS)
    s, c = sincos_octants((fraction - (1.5 - 2.0**-14)) * (0.5 * math.pi))
    c = -c if (bits >> np.uint64(41)) != np.uint64(0) else c
    swap = ((bits >> np.uint64(40)) & np.uint64(1)) != np.uint64(0)
    return radius * (s if swap else c), radius * (c if swap else s)


@primitive
def six_normals(w0, w1):
    """Six independent standard normal numbers from two random words."""
    n0, n1 = box_muller(w0 & MASK42)
    n2, n3 = box_muller((w0 >> np.uint64(42)) | ((w1 & MASK20) << np.uint64(22)))
    n4, n5 = box_muller((w1 >> np.uint64(20)) & MASK42)
    return n0, n1, n2, n3, n4, n5


@kernel
def words(seed, stream, first, block, out):
    """Fill `out` (n, 2) with the random words of particles first, ... in block `block`."""
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1] = threefry(first + np.uint64(i), block, seed, stream)


@kernel
def normals(seed, stream, first, block, out):
    """Fill `out` (n, 6) with the normal numbers of particles first, ... in block `block`."""
    for i in range(out.shape[0]):
        w0, w1 = threefry(first + np.uint64(i), block, seed, stream)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4], out[i, 5] = six_normals(w0, w1)
