"""A homogeneous magnetic field."""

from typing import NamedTuple

from mcprop.protocol import UNLIMITED, b_gradient, b_vector, implements, step_scale


class UniformField(NamedTuple):
    """Homogeneous magnetic field.

    Parameters
    ----------
    bx, by, bz : float
        Components [uG] along the axes in which it is used.
    """

    bx: float
    by: float
    bz: float


@implements(b_vector, UniformField)
def _(field, x, y, z):
    return field.bx, field.by, field.bz


@implements(b_gradient, UniformField)
def _(field, x, y, z):
    return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@implements(step_scale, UniformField)
def _(field, x, y, z):
    return UNLIMITED
