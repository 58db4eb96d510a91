"""Where a walk ends: absorbing walls met between two points, and boxes that fold it back.

A step shows only its two ends. Between them the path is a Brownian bridge, which has touched a
plane at the distances d0 and d1 with the probability exp(-d0 d1/(kappa h)), kappa being the
diffusion coefficient along its normal. That is exact for a plane and constant coefficients. A
curved wall is replaced by a plane at the distances of the two ends: the error of the probability is
of the order of the step over the radius of curvature, and so is that of a mean exit time times the
step. Where a step may touch several walls the probabilities of surviving each are multiplied; the
error is about the smaller of the probabilities of touching.
"""

import math
from typing import NamedTuple

import numpy as np

from mcprop.kernels.elementary import exp
from mcprop.protocol import (
    UNLIMITED,
    answers,
    by_default,
    implements,
    open_function,
    primitive,
    step_scale,
)


class Unbounded(NamedTuple):
    """No boundary."""


class HalfSpace(NamedTuple):
    """Absorbing plane; inside is where (x, y, z) . (nx, ny, nz) < offset.

    Parameters
    ----------
    nx, ny, nz : float
        Unit vector that points outside.
    offset : float
        Distance of the plane from the origin along it [pc].
    """

    nx: float
    ny: float
    nz: float
    offset: float


class Cylinder(NamedTuple):
    """Absorbing surface of a cylinder round the z axis, centred on the origin.

    Parameters
    ----------
    radius, half_height : float
        Radius and half of the height [pc].
    """

    radius: float
    half_height: float


class Ball(NamedTuple):
    """Absorbing sphere round the origin.

    Parameters
    ----------
    radius : float
        Radius [pc].
    """

    radius: float


class PeriodicBox(NamedTuple):
    """Cube between 0 and `length` along each axis, whose opposite faces are the same.

    Parameters
    ----------
    length : float
        Side [pc].
    """

    length: float


class ReflectingBox(NamedTuple):
    """Cube between 0 and `length` along each axis that reflects.

    Reflection folds the step at the face. That is right where the tensor has no elements that
    couple the normal of the face with other directions.

    Parameters
    ----------
    length : float
        Side [pc].
    """

    length: float


@open_function
def wall(boundary, x, y, z):
    """Distance [pc] from an absorbing wall, positive inside, and the unit vector (nx, ny, nz) out.

    A boundary with one wall need not answer more.
    """


@open_function
def survival(boundary, x0, y0, z0, x1, y1, z1, spread):
    """Probability that a walk between two points has not touched an absorbing wall.

    `spread` [pc^2] is kappa h of the scalar medium. Zero when a point is outside. By default from
    `wall`.
    """


@open_function
def tensor_survival(boundary, x0, y0, z0, x1, y1, z1, sxx, sxy, sxz, syy, syz, szz):
    """As `survival`, with the six elements of the tensor times h [pc^2]. By default from `wall`."""


@open_function
def confine(boundary, x, y, z):
    """Place to which the boundary brings a walk that would have gone to (x, y, z).

    By default that very place.
    """


@primitive
def bridge(before, after, over):
    """Probability of not touching a plane, for the distances [pc] before and after a step.

    `over` [1/pc^2] is the reciprocal of kappa h: several walls share one division.
    """
    inside = before > 0.0 and after > 0.0
    return 1.0 - exp(-before * after * over) if inside else 0.0


def _from_wall(boundary, x0, y0, z0, x1, y1, z1, spread):
    before, _, _, _ = wall(boundary, x0, y0, z0)
    after, _, _, _ = wall(boundary, x1, y1, z1)
    return bridge(before, after, 1.0 / spread)


def _from_wall_with_tensor(boundary, x0, y0, z0, x1, y1, z1, sxx, sxy, sxz, syy, syz, szz):
    before, _, _, _ = wall(boundary, x0, y0, z0)
    after, nx, ny, nz = wall(boundary, x1, y1, z1)
    return bridge(before, after, 1.0 / along(nx, ny, nz, sxx, sxy, sxz, syy, syz, szz))


def _same(boundary, x, y, z):
    return x, y, z


by_default(survival)(lambda model: _from_wall if answers(wall, model) else None)
by_default(tensor_survival)(lambda model: _from_wall_with_tensor if answers(wall, model) else None)
by_default(confine)(lambda model: _same)


def _one(boundary, x0, y0, z0, x1, y1, z1, spread):
    return 1.0


def _one_with_tensor(boundary, x0, y0, z0, x1, y1, z1, sxx, sxy, sxz, syy, syz, szz):
    return 1.0


for _open in (Unbounded, PeriodicBox, ReflectingBox):
    implements(survival, _open)(_one)
    implements(tensor_survival, _open)(_one_with_tensor)


@implements(wall, HalfSpace)
def _(plane, x, y, z):
    distance = plane.offset - (plane.nx * x + plane.ny * y + plane.nz * z)
    return distance, plane.nx, plane.ny, plane.nz


@implements(wall, Ball)
def _(ball, x, y, z):
    r = math.sqrt(x * x + y * y + z * z)
    over = 1.0 / r if r > 0.0 else 0.0
    return ball.radius - r, over * x, over * y, over * z


@implements(survival, Cylinder)
def _(tube, x0, y0, z0, x1, y1, z1, spread):
    before = tube.radius - math.sqrt(x0 * x0 + y0 * y0)
    after = tube.radius - math.sqrt(x1 * x1 + y1 * y1)
    over = 1.0 / spread
    alive = bridge(before, after, over)
    alive *= bridge(tube.half_height - z0, tube.half_height - z1, over)
    return alive * bridge(tube.half_height + z0, tube.half_height + z1, over)


@implements(tensor_survival, Cylinder)
def _(tube, x0, y0, z0, x1, y1, z1, sxx, sxy, sxz, syy, syz, szz):
    before, after = math.sqrt(x0 * x0 + y0 * y0), math.sqrt(x1 * x1 + y1 * y1)
    over = 1.0 / after if after > 0.0 else 0.0
    spread = along(over * x1, over * y1, 0.0, sxx, sxy, sxz, syy, syz, szz)
    alive = bridge(tube.radius - before, tube.radius - after, 1.0 / spread)
    upward = 1.0 / szz
    alive *= bridge(tube.half_height - z0, tube.half_height - z1, upward)
    return alive * bridge(tube.half_height + z0, tube.half_height + z1, upward)


@primitive
def along(nx, ny, nz, xx, xy, xz, yy, yz, zz):
    """n . tensor . n for a unit vector n."""
    mixed = nx * ny * xy + nx * nz * xz + ny * nz * yz
    return nx * nx * xx + ny * ny * yy + nz * nz * zz + 2.0 * mixed


@primitive
def wrap(x, length):
    """The coordinate between 0 and `length` that differs from x by a multiple of it."""
    return x - length * np.floor(x / length)


@primitive
def fold(x, length):
    """The coordinate between 0 and `length` to which reflections at both ends bring x."""
    inside = wrap(x, 2.0 * length)
    return min(inside, 2.0 * length - inside)


@implements(confine, PeriodicBox)
def _(box, x, y, z):
    return wrap(x, box.length), wrap(y, box.length), wrap(z, box.length)


@implements(confine, ReflectingBox)
def _(box, x, y, z):
    return fold(x, box.length), fold(y, box.length), fold(z, box.length)


@implements(step_scale, Unbounded)
def _(boundary, x, y, z):
    return UNLIMITED


@implements(step_scale, HalfSpace)
def _(plane, x, y, z):
    return UNLIMITED


@implements(step_scale, Cylinder)
def _(tube, x, y, z):
    return min(tube.radius, tube.half_height)


@implements(step_scale, Ball)
def _(ball, x, y, z):
    return ball.radius


@implements(step_scale, PeriodicBox)
def _(box, x, y, z):
    return box.length


@implements(step_scale, ReflectingBox)
def _(box, x, y, z):
    return box.length
