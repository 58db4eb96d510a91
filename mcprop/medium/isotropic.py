"""A scalar medium: one coefficient that varies in space, the same in all directions."""

import math
from typing import Any, NamedTuple

from mcprop.protocol import (
    coefficient,
    drift,
    implements,
    is_scalar,
    kappa,
    largest,
    noise,
    step_scale,
)


class Isotropic(NamedTuple):
    """Diffusion that is the same in all directions.

    Parameters
    ----------
    profile : model that answers `coefficient`
        The diffusion coefficient [pc^2/yr].
    """

    profile: Any


@implements(is_scalar, Isotropic)
def _(medium):
    return True


@implements(kappa, Isotropic)
def _(medium, x, y, z):
    value, _, _, _ = coefficient(medium.profile, x, y, z)
    return value, 0.0, 0.0, value, 0.0, value


@implements(noise, Isotropic)
def _(medium, x, y, z, n0, n1, n2):
    value, _, _, _ = coefficient(medium.profile, x, y, z)
    root = math.sqrt(value)
    return root * n0, root * n1, root * n2


@implements(drift, Isotropic)
def _(medium, x, y, z):
    _, ux, uy, uz = coefficient(medium.profile, x, y, z)
    return ux, uy, uz


@implements(largest, Isotropic)
def _(medium, x, y, z):
    value, _, _, _ = coefficient(medium.profile, x, y, z)
    return value


@implements(step_scale, Isotropic)
def _(medium, x, y, z):
    return step_scale(medium.profile, x, y, z)
