"""Two media in one place: their tensors add up."""

from typing import Any, NamedTuple

from mcprop.protocol import drift, implements, is_scalar, kappa, largest, step_scale


class Sum(NamedTuple):
    """Sum of two tensors, for instance of two independent causes of diffusion.

    Parameters
    ----------
    first, second : models of media
        They may be sums themselves.
    """

    first: Any
    second: Any


@implements(kappa, Sum)
def _(medium, x, y, z):
    axx, axy, axz, ayy, ayz, azz = kappa(medium.first, x, y, z)
    bxx, bxy, bxz, byy, byz, bzz = kappa(medium.second, x, y, z)
    return axx + bxx, axy + bxy, axz + bxz, ayy + byy, ayz + byz, azz + bzz


@implements(drift, Sum)
def _(medium, x, y, z):
    ax, ay, az = drift(medium.first, x, y, z)
    bx, by, bz = drift(medium.second, x, y, z)
    return ax + bx, ay + by, az + bz


@implements(largest, Sum)
def _(medium, x, y, z):
    return largest(medium.first, x, y, z) + largest(medium.second, x, y, z)


@implements(is_scalar, Sum)
def _(medium):
    return is_scalar(medium.first) and is_scalar(medium.second)


@implements(step_scale, Sum)
def _(medium, x, y, z):
    inverse = 1.0 / step_scale(medium.first, x, y, z)
    return 1.0 / (inverse + 1.0 / step_scale(medium.second, x, y, z))
