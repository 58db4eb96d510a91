"""A uniform tensor: diffusion along and across one direction, with a constant drift."""

import math
from typing import Any, NamedTuple

from mcprop.kernels.tensor import about_axis
from mcprop.protocol import (
    UNLIMITED,
    b_vector,
    drift,
    implements,
    kappa,
    largest,
    noise,
    step_scale,
)


class Aligned(NamedTuple):
    """Constant diffusion along and across the direction of a field, with a constant drift.

    Parameters
    ----------
    field : model of a magnetic field
        Its direction b_hat is where particles diffuse fast; its strength does not matter here.
    kappa_parallel, kappa_perp : float
        Diffusion coefficients along and across b_hat [pc^2/yr].
    drift_x, drift_y, drift_z : float
        Mean displacement per unit time [pc/yr].

    Notes
    -----
    Only for a uniform field: where b_hat varies, the divergence of the tensor is a drift that this
    model has not; `FieldAligned` has it.
    """

    field: Any
    kappa_parallel: float
    kappa_perp: float
    drift_x: float
    drift_y: float
    drift_z: float


@implements(kappa, Aligned)
def _(medium, x, y, z):
    bx, by, bz = b_vector(medium.field, x, y, z)
    norm = 1.0 / math.sqrt(bx * bx + by * by + bz * bz)
    parallel, perp = medium.kappa_parallel, medium.kappa_perp
    return about_axis(parallel, perp, norm * bx, norm * by, norm * bz)


@implements(noise, Aligned)
def _(medium, x, y, z, n0, n1, n2):
    bx, by, bz = b_vector(medium.field, x, y, z)
    root = math.sqrt(medium.kappa_perp)
    along = (math.sqrt(medium.kappa_parallel) - root) * (bx * n0 + by * n1 + bz * n2)
    along = along / (bx * bx + by * by + bz * bz)
    return root * n0 + along * bx, root * n1 + along * by, root * n2 + along * bz


@implements(drift, Aligned)
def _(medium, x, y, z):
    return medium.drift_x, medium.drift_y, medium.drift_z


@implements(largest, Aligned)
def _(medium, x, y, z):
    return max(medium.kappa_parallel, medium.kappa_perp)


@implements(step_scale, Aligned)
def _(medium, x, y, z):
    return UNLIMITED
