"""What any diffusion tensor allows: its square root, its norm, its divergence by differences.

These are the defaults for media that answer `kappa` alone.
"""

import math

from mcprop.protocol import (
    NUDGE,
    answers,
    by_default,
    drift,
    is_scalar,
    kappa,
    largest,
    noise,
    primitive,
    step_scale,
)

TINY = 1e-13
"""Pivot of a Cholesky root, in units of the trace, below which it is rounding of zero."""


@primitive
def about_axis(parallel, perp, ex, ey, ez):
    """Tensor (xx, xy, xz, yy, yz, zz) with two coefficients along and across the unit vector e."""
    excess = parallel - perp
    return (
        perp + excess * ex * ex,
        excess * ex * ey,
        excess * ex * ez,
        perp + excess * ey * ey,
        excess * ey * ez,
        perp + excess * ez * ez,
    )


@primitive
def pivot(square, floor):
    """Root of a diagonal element and its inverse; both zero if it is rounding of zero."""
    positive = square > floor
    root = math.sqrt(square if positive else 1.0)
    return (root, 1.0 / root) if positive else (0.0, 0.0)


@primitive
def cholesky(xx, xy, xz, yy, yz, zz):
    """Elements (00, 10, 11, 20, 21, 22) of the lower root of a positive semidefinite tensor."""
    floor = TINY * (xx + yy + zz)
    l00, inverse = pivot(xx, floor)
    l10, l20 = inverse * xy, inverse * xz
    l11, inverse = pivot(yy - l10 * l10, floor)
    l21 = inverse * (yz - l20 * l10)
    l22, _ = pivot(zz - l20 * l20 - l21 * l21, floor)
    return l00, l10, l11, l20, l21, l22


def cholesky_noise(medium, x, y, z, n0, n1, n2):
    """Lower root of the tensor applied to three numbers."""
    xx, xy, xz, yy, yz, zz = kappa(medium, x, y, z)
    if is_scalar(medium):
        root = math.sqrt(xx)
        return root * n0, root * n1, root * n2
    l00, l10, l11, l20, l21, l22 = cholesky(xx, xy, xz, yy, yz, zz)
    return l00 * n0, l10 * n0 + l11 * n1, l20 * n0 + l21 * n1 + l22 * n2


def squared_noise(medium, x, y, z):
    """Tensor (xx, xy, xz, yy, yz, zz) from its root."""
    ax, ay, az = noise(medium, x, y, z, 1.0, 0.0, 0.0)
    bx, by, bz = noise(medium, x, y, z, 0.0, 1.0, 0.0)
    cx, cy, cz = noise(medium, x, y, z, 0.0, 0.0, 1.0)
    return (
        ax * ax + bx * bx + cx * cx,
        ax * ay + bx * by + cx * cy,
        ax * az + bx * bz + cx * cz,
        ay * ay + by * by + cy * cy,
        ay * az + by * bz + cy * cz,
        az * az + bz * bz + cz * cz,
    )


def divergence(medium, x, y, z):
    """Divergence of the tensor by central differences over `NUDGE` times the step scale."""
    nudge = NUDGE * step_scale(medium, x, y, z)
    ahead, back = x + nudge, x - nudge
    over = 1.0 / (ahead - back)  # what remains of the step where x is far from the origin
    axx, axy, axz, _, _, _ = kappa(medium, ahead, y, z)
    bxx, bxy, bxz, _, _, _ = kappa(medium, back, y, z)
    ux, uy, uz = over * (axx - bxx), over * (axy - bxy), over * (axz - bxz)
    ahead, back = y + nudge, y - nudge
    over = 1.0 / (ahead - back)
    _, axy, _, ayy, ayz, _ = kappa(medium, x, ahead, z)
    _, bxy, _, byy, byz, _ = kappa(medium, x, back, z)
    ux, uy, uz = ux + over * (axy - bxy), uy + over * (ayy - byy), uz + over * (ayz - byz)
    ahead, back = z + nudge, z - nudge
    over = 1.0 / (ahead - back)
    _, _, axz, _, ayz, azz = kappa(medium, x, y, ahead)
    _, _, bxz, _, byz, bzz = kappa(medium, x, y, back)
    return ux + over * (axz - bxz), uy + over * (ayz - byz), uz + over * (azz - bzz)


def frobenius(medium, x, y, z):
    """Root of the sum of the squares of all nine elements."""
    xx, xy, xz, yy, yz, zz = kappa(medium, x, y, z)
    return math.sqrt(xx * xx + yy * yy + zz * zz + 2.0 * (xy * xy + xz * xz + yz * yz))


@by_default(noise)
def _(model):
    return cholesky_noise if answers(kappa, model) else None


@by_default(kappa)
def _(model):
    return squared_noise if answers(noise, model) else None


@by_default(drift)
def _(model):
    return divergence if answers(kappa, model) else None


@by_default(largest)
def _(model):
    return frobenius if answers(kappa, model) or answers(noise, model) else None
