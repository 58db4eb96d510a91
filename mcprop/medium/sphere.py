"""A spherical region with a smooth wall."""

import math
from typing import NamedTuple

from mcprop.protocol import implements, step_scale, weight


class Sphere(NamedTuple):
    """Ball of a given centre and radius; the weight falls from 1 to 0 across its wall.

    The fall is the quintic step, whose first and second derivatives are continuous.

    Parameters
    ----------
    x, y, z : float
        Centre [pc].
    radius : float
        Distance at which the weight is one half [pc].
    wall : float
        Full thickness of the wall [pc], at most twice the radius.
    """

    x: float
    y: float
    z: float
    radius: float
    wall: float


@implements(weight, Sphere)
def _(region, x, y, z):
    dx, dy, dz = x - region.x, y - region.y, z - region.z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    t = min(max((distance - region.radius) / region.wall + 0.5, 0.0), 1.0)
    value = 1.0 - t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)
    fall = 30.0 * t * t * (1.0 - t) * (1.0 - t) / region.wall
    over = -fall / distance if fall > 0.0 else 0.0
    return value, over * dx, over * dy, over * dz


@implements(step_scale, Sphere)
def _(region, x, y, z):
    """Thickness of the wall, growing by half of the distance from it."""
    dx, dy, dz = x - region.x, y - region.y, z - region.z
    away = 0.5 * (math.sqrt(dx * dx + dy * dy + dz * dz) - region.radius)
    return math.sqrt(region.wall * region.wall + away * away)
