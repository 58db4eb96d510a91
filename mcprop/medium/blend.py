"""Two media with a smooth wall between them."""

from typing import Any, NamedTuple

from mcprop.protocol import drift, implements, is_scalar, kappa, largest, step_scale, weight


class Blend(NamedTuple):
    """One medium inside a region and another outside: w inside + (1 - w) outside.

    Parameters
    ----------
    inside, outside : models of media
        They may be blends themselves.
    region : model that answers `weight`
        Where the medium is `inside`, and how thick the wall is.
    """

    inside: Any
    outside: Any
    region: Any


@implements(kappa, Blend)
def _(medium, x, y, z):
    axx, axy, axz, ayy, ayz, azz = kappa(medium.inside, x, y, z)
    bxx, bxy, bxz, byy, byz, bzz = kappa(medium.outside, x, y, z)
    a, _, _, _ = weight(medium.region, x, y, z)
    b = 1.0 - a
    return (
        a * axx + b * bxx,
        a * axy + b * bxy,
        a * axz + b * bxz,
        a * ayy + b * byy,
        a * ayz + b * byz,
        a * azz + b * bzz,
    )


@implements(drift, Blend)
def _(medium, x, y, z):
    """Mean of both drifts, and the difference of the tensors times the gradient of the weight."""
    axx, axy, axz, ayy, ayz, azz = kappa(medium.inside, x, y, z)
    bxx, bxy, bxz, byy, byz, bzz = kappa(medium.outside, x, y, z)
    ax, ay, az = drift(medium.inside, x, y, z)
    bx, by, bz = drift(medium.outside, x, y, z)
    a, gx, gy, gz = weight(medium.region, x, y, z)
    b = 1.0 - a
    return (
        a * ax + b * bx + (axx - bxx) * gx + (axy - bxy) * gy + (axz - bxz) * gz,
        a * ay + b * by + (axy - bxy) * gx + (ayy - byy) * gy + (ayz - byz) * gz,
        a * az + b * bz + (axz - bxz) * gx + (ayz - byz) * gy + (azz - bzz) * gz,
    )


@implements(largest, Blend)
def _(medium, x, y, z):
    a, _, _, _ = weight(medium.region, x, y, z)
    return a * largest(medium.inside, x, y, z) + (1.0 - a) * largest(medium.outside, x, y, z)


@implements(is_scalar, Blend)
def _(medium):
    return is_scalar(medium.inside) and is_scalar(medium.outside)


@implements(step_scale, Blend)
def _(medium, x, y, z):
    a, _, _, _ = weight(medium.region, x, y, z)
    inverse = a / step_scale(medium.inside, x, y, z)
    inverse += (1.0 - a) / step_scale(medium.outside, x, y, z)
    return 1.0 / (inverse + 1.0 / step_scale(medium.region, x, y, z))
