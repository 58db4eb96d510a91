"""A homogeneous magnetic field."""

from typing import Any, NamedTuple

from mcprop.fields.total import total
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

    def __add__(self, other: Any) -> Any:
        return total(self, other)


@implements(b_vector, UniformField)
def _(field, x, y, z):
    return field.bx, field.by, field.bz


@implements(b_gradient, UniformField)
def _(field, x, y, z):
    return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@implements(step_scale, UniformField)
def _(field, x, y, z):
    return UNLIMITED
