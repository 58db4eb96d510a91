"""Fields that add up, such as a mean field and its turbulence."""

from typing import Any, NamedTuple

from mcprop.errors import ModelError
from mcprop.protocol import (
    answers,
    b_block,
    b_gradient,
    b_vector,
    by_default,
    implements,
    open_function,
    plain_name,
    step_scale,
)


def total(*fields: Any) -> Any:
    """Sum of any number of fields; of two also as ``field + other``, if `field` is of this package.

    Parameters
    ----------
    *fields : models of fields
        At least one.

    Returns
    -------
    model of a field
        The field itself if there is one only, else a `Sum`, which adds them from left to right.

    Raises
    ------
    ModelError
        If there is none, or if one of them is no model of a field.
    """
    if not fields:
        raise ModelError("total of no fields is not defined: give at least one.")
    for field in fields:
        if not answers(b_vector, field):
            raise ModelError(f"b_vector is not defined for a {plain_name(type(field))}.")
    added = fields[0]
    for field in fields[1:]:
        added = Sum(added, field)
    return added


class Sum(NamedTuple):
    """Sum of two fields.

    Parameters
    ----------
    first, second : models of fields
        They may be sums themselves, and hold whatever a model holds.

    See Also
    --------
    total : the sum of any number of fields.
    """

    first: Any
    second: Any

    def __add__(self, other: Any) -> Any:
        return total(self, other)


@open_function
def added(field, bx, by, bz, x, y, z):
    """Field at (x, y, z) [pc] on top of (bx, by, bz) [uG].

    However sums are nested, their parts are added from left to right, as `b_block` adds them.
    """


@by_default(added)
def _(model):
    return _plus_vector if answers(b_vector, model) else None


def _plus_vector(field, bx, by, bz, x, y, z):
    cx, cy, cz = b_vector(field, x, y, z)
    return bx + cx, by + cy, bz + cz


@implements(added, Sum)
def _(field, bx, by, bz, x, y, z):
    ax, ay, az = added(field.first, bx, by, bz, x, y, z)
    return added(field.second, ax, ay, az, x, y, z)


@implements(b_vector, Sum)
def _(field, x, y, z):
    return added(field, 0.0, 0.0, 0.0, x, y, z)


@implements(b_block, Sum)
def _(field, places, out):
    b_block(field.first, places, out)
    b_block(field.second, places, out)


@implements(b_gradient, Sum)
def _(field, x, y, z):
    axx, axy, axz, ayx, ayy, ayz, azx, azy, azz = b_gradient(field.first, x, y, z)
    bxx, bxy, bxz, byx, byy, byz, bzx, bzy, bzz = b_gradient(field.second, x, y, z)
    return (
        axx + bxx,
        axy + bxy,
        axz + bxz,
        ayx + byx,
        ayy + byy,
        ayz + byz,
        azx + bzx,
        azy + bzy,
        azz + bzz,
    )


@implements(step_scale, Sum)
def _(field, x, y, z):
    return min(step_scale(field.first, x, y, z), step_scale(field.second, x, y, z))
