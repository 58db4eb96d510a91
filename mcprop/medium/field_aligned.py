"""Diffusion along and across a field that turns, with coefficients that vary."""

import math
from typing import Any, NamedTuple

import mcprop.fields.differences  # noqa: F401  (registers the default of b_gradient)
from mcprop.kernels.tensor import about_axis
from mcprop.protocol import (
    b_gradient,
    b_vector,
    coefficient,
    drift,
    implements,
    kappa,
    largest,
    noise,
    primitive,
    step_scale,
)


class FieldAligned(NamedTuple):
    """Diffusion along and across the local direction of a field, all of them varying.

    kappa_ij = perp delta_ij + (parallel - perp) b_i b_j with the unit vector b of the field. Where
    the field vanishes, kappa_ij = perp delta_ij.

    Parameters
    ----------
    field : model of a magnetic field
        Its direction is where particles diffuse fast; it answers `b_vector`, and `b_gradient` if a
        closed form is known.
    parallel, perp : models that answer `coefficient`
        Diffusion coefficients along and across the field [pc^2/yr].
    """

    field: Any
    parallel: Any
    perp: Any


@primitive
def direction(field, x, y, z):
    """Unit vector of the field and the inverse of its strength; zeros where it vanishes."""
    bx, by, bz = b_vector(field, x, y, z)
    square = bx * bx + by * by + bz * bz
    inverse = 1.0 / math.sqrt(square) if square > 0.0 else 0.0
    return inverse * bx, inverse * by, inverse * bz, inverse


@implements(kappa, FieldAligned)
def _(medium, x, y, z):
    bx, by, bz, _ = direction(medium.field, x, y, z)
    parallel, _, _, _ = coefficient(medium.parallel, x, y, z)
    perp, _, _, _ = coefficient(medium.perp, x, y, z)
    return about_axis(parallel, perp, bx, by, bz)


@implements(noise, FieldAligned)
def _(medium, x, y, z, n0, n1, n2):
    bx, by, bz, _ = direction(medium.field, x, y, z)
    parallel, _, _, _ = coefficient(medium.parallel, x, y, z)
    perp, _, _, _ = coefficient(medium.perp, x, y, z)
    root = math.sqrt(perp)
    along = (math.sqrt(parallel) - root) * (bx * n0 + by * n1 + bz * n2)
    return root * n0 + along * bx, root * n1 + along * by, root * n2 + along * bz


@implements(drift, FieldAligned)
def _(medium, x, y, z):
    """Grad perp + b (b . grad dk + dk div b) + dk (b . grad) b with dk = parallel - perp."""
    bx, by, bz, inverse = direction(medium.field, x, y, z)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = b_gradient(medium.field, x, y, z)
    parallel, ax, ay, az = coefficient(medium.parallel, x, y, z)
    perp, cx, cy, cz = coefficient(medium.perp, x, y, z)
    turned = (parallel - perp) * inverse
    sx, sy, sz = (
        xx * bx + xy * by + xz * bz,
        yx * bx + yy * by + yz * bz,
        zx * bx + zy * by + zz * bz,
    )
    stretch = bx * sx + by * sy + bz * sz
    along = (
        bx * (ax - cx) + by * (ay - cy) + bz * (az - cz) + turned * (xx + yy + zz - 2.0 * stretch)
    )
    return (
        cx + along * bx + turned * sx,
        cy + along * by + turned * sy,
        cz + along * bz + turned * sz,
    )


@implements(largest, FieldAligned)
def _(medium, x, y, z):
    parallel, _, _, _ = coefficient(medium.parallel, x, y, z)
    perp, _, _, _ = coefficient(medium.perp, x, y, z)
    return max(parallel, perp)


@implements(step_scale, FieldAligned)
def _(medium, x, y, z):
    inverse = 1.0 / step_scale(medium.field, x, y, z)
    inverse += 1.0 / step_scale(medium.parallel, x, y, z)
    return 1.0 / (inverse + 1.0 / step_scale(medium.perp, x, y, z))
