"""A coefficient that is the same everywhere."""

from typing import NamedTuple

from mcprop.protocol import UNLIMITED, coefficient, implements, step_scale


class Constant(NamedTuple):
    """Profile of a coefficient that is the same everywhere.

    Parameters
    ----------
    value : float
        The coefficient [pc^2/yr].
    """

    value: float


@implements(coefficient, Constant)
def _(profile, x, y, z):
    return profile.value, 0.0, 0.0, 0.0


@implements(step_scale, Constant)
def _(profile, x, y, z):
    return UNLIMITED
