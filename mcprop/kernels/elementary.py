"""exp, log, pow and sincos that vectorise over lanes, with the same bits on every machine.

Calls into the C library stop LLVM from vectorising a loop; these polynomials do not.  Multiply-adds
are explicit and fast-math is off, so the result does not depend on the width of the vector unit.

References
----------
Coefficients of log, sin and cos: Sun Microsystems' fdlibm (1993), e_log.c, k_sin.c, k_cos.c.
"""

import math
import struct
from fractions import Fraction

import numpy as np
from numba import config, types
from numba.extending import intrinsic

from mcprop.protocol import primitive

if config.DISABLE_JIT:
    SMALL, LARGE = 1e-280, 1e280
    """Between these the rounding error of a product is a float itself (Dekker 1971)."""

    def fma(a: float, b: float, c: float) -> np.float64:
        """a b + c, rounded once."""
        a, b = float(a), float(b)
        p = a * b
        if not (SMALL < abs(p) < LARGE and abs(a) < LARGE and abs(b) < LARGE and abs(c) < LARGE):
            return np.float64(_by_fractions(a, b, float(c)))
        high = 134217729.0 * a
        a1 = high - (high - a)  # halves of 26 bits, whose products are exact
        a2 = a - a1
        high = 134217729.0 * b
        b1 = high - (high - b)
        b2 = b - b1
        rest = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2
        return np.float64(math.fsum((p, rest, c)))  # which rounds once

    def _by_fractions(a: float, b: float, c: float) -> float:
        if math.isfinite(a) and math.isfinite(b) and not math.isfinite(c):
            return c
        if not (math.isfinite(a) and math.isfinite(b) and a and b):
            return a * b + c
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        try:
            return float(exact)
        except OverflowError:
            return math.inf if exact > 0 else -math.inf

    def to_bits(x: float) -> np.uint64:
        """The 64 bits of a float."""
        return np.uint64(struct.unpack("<Q", struct.pack("<d", x))[0])

    def from_bits(i: np.uint64) -> np.float64:
        """The float of 64 bits."""
        return np.float64(struct.unpack("<d", struct.pack("<Q", int(i)))[0])

else:

    @intrinsic
    def fma(typingctx, a, b, c):
        """a b + c, rounded once."""

        def build(context, builder, signature, args):
            return builder.fma(*args)

        return types.float64(types.float64, types.float64, types.float64), build

    @intrinsic
    def to_bits(typingctx, x):
        """The 64 bits of a float."""

        def build(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(types.uint64))

        return types.uint64(types.float64), build

    @intrinsic
    def from_bits(typingctx, i):
        """The float of 64 bits."""

        def build(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(types.float64))

        return types.float64(types.uint64), build


LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
INV_LN2 = 1.44269504088896338700
ROUND = 6755399441055744.0
"""1.5 x 2^52: adding it rounds to an integer and leaves that integer in the low bits."""

TWO52_BITS = np.uint64(0x4330000000000000)
SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
ONE_BITS = np.uint64(0x3FF0000000000000)
S52 = np.uint64(52)
MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)


@primitive
def exp(x):
    """exp(x), relative error below 5e-16 for -708 <= x <= 709; 0 below, clamped above."""
    clamped = min(max(x, -708.0), 709.0)
    shifted = fma(clamped, INV_LN2, ROUND)
    k = shifted - ROUND
    r = fma(k, -LN2_LOW, fma(k, -LN2_HIGH, clamped))
    p = 1.0 / 6227020800.0
    p = fma(p, r, 1.0 / 479001600.0)
    p = fma(p, r, 1.0 / 39916800.0)
    p = fma(p, r, 1.0 / 3628800.0)
    p = fma(p, r, 1.0 / 362880.0)
    p = fma(p, r, 1.0 / 40320.0)
    p = fma(p, r, 1.0 / 5040.0)
    p = fma(p, r, 1.0 / 720.0)
    p = fma(p, r, 1.0 / 120.0)
    p = fma(p, r, 1.0 / 24.0)
    p = fma(p, r, 1.0 / 6.0)
    p = fma(p, r, 0.5)
    p = fma(p, r * r, r) + 1.0
    scaled = from_bits(to_bits(p) + (to_bits(shifted) << S52))
    return scaled if x >= -708.0 else (0.0 if x < -708.0 else x)


@primitive
def log(x):
    """Natural logarithm of a positive normal float, relative error below 5e-16."""
    bits = to_bits(x)
    shifted = bits - SQRT_HALF_BITS + ONE_BITS  # exponent of x relative to [sqrt(1/2), sqrt(2))
    k = from_bits((shifted >> S52) | TWO52_BITS) - 4503599627371519.0  # 2^52 + 1023
    f = from_bits((shifted & MANTISSA) + SQRT_HALF_BITS) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * fma(
        w, fma(w, 1.531383769920937332e-01, 2.222219843214978396e-01), 3.999999999940941908e-01
    )
    even = fma(w, 1.479819860511658591e-01, 1.818357216161805012e-01)
    even = z * fma(w, fma(w, even, 2.857142874366239149e-01), 6.666666666666735130e-01)
    half = 0.5 * f * f
    return fma(k, LN2_HIGH, -((half - fma(s, half + odd + even, k * LN2_LOW)) - f))


@primitive
def power(x, y):
    """x^y for x > 0, relative error below (1 + |y ln x|) 5e-16."""
    return exp(y * log(x))


@primitive
def sincos_octants(theta):
    """(sin, cos) of an angle between -pi/4 and pi/4, error below 2e-16."""
    z = theta * theta
    s = fma(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08)
    s = fma(z, fma(z, s, 2.75573137070700676789e-06), -1.98412698298579493134e-04)
    s = fma(z, fma(z, s, 8.33333333332248946124e-03), -1.66666666666666324348e-01)
    c = fma(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09)
    c = fma(z, fma(z, c, -2.75573143513906633035e-07), 2.48015872894767294178e-05)
    c = fma(z, fma(z, c, -1.38888888888741095749e-03), 4.16666666666666019037e-02)
    return fma(theta * z, s, theta), fma(z * z, c, fma(z, -0.5, 1.0))
