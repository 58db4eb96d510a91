"""Diffusing media as kernels see them: a tensor and a drift at every point."""

import math
from typing import Any, NamedTuple

from mcprop.protocol import b_vector, drift, implements, noise


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
    model has not.
    """

    field: Any
    kappa_parallel: float
    kappa_perp: float
    drift_x: float
    drift_y: float
    drift_z: float


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
