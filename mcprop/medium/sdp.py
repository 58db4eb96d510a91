"""Spatially dependent propagation: slow diffusion in a disc where the sources are."""

import math
from typing import Any, NamedTuple

from mcprop.kernels.elementary import exp, log
from mcprop.protocol import (
    UNLIMITED,
    coefficient,
    implements,
    open_function,
    primitive,
    step_scale,
    surroundings,
)


class SdpCoefficient(NamedTuple):
    """Diffusion coefficient D(r, z) of the SDP halo at one rigidity R, in Galactocentric axes.

    With the sources' f = (r/r_sun)^slope exp(-decline (r - r_sun)/r_sun) exp(-|z|/source_height),
    g = contrast/(1 + f) and u = min(|z|/disc, 1)::

        F = g + (1 - g) u^4,    D = d0 F (R/R0)^(delta0 F)

    Parameters
    ----------
    d0 : float
        Coefficient in the halo at R0 [pc^2/yr].
    ln_ratio : float
        ln(R/R0).
    delta0 : float
        Slope in rigidity of the halo.
    contrast : float
        N_m.
    disc : float
        Half thickness xi z_h of the disc [pc].
    r_sun : float
        Distance of the Sun from the Galactic centre [pc].
    slope, decline : float
        Rise and fall of the sources with r.
    source_height : float
        Scale height of the sources [pc].

    Notes
    -----
    The axis z is that of rotation and r = sqrt(x^2 + y^2). The gradient jumps at z = 0, where that
    of either side is left out, and at \\|z\\| = disc.

    References
    ----------
    arXiv:2107.00313.
    """

    d0: float
    ln_ratio: float
    delta0: float
    contrast: float
    disc: float
    r_sun: float
    slope: float
    decline: float
    source_height: float


NEAR_AXIS = 1e-12
"""Distance r in units of that of the Sun below which the sources are those at this distance."""


@primitive
def shape_of(profile, x, y, z):
    """Sources f and shape F with its gradient, at (x, y, z) [pc]."""
    # reciprocals of parameters are taken once by the compiler, divisions in every step
    over, over_disc = 1.0 / profile.r_sun, 1.0 / profile.disc
    over_height = 1.0 / profile.source_height
    r = over * math.sqrt(x * x + y * y)
    r = r if r > NEAR_AXIS else NEAR_AXIS
    height = abs(z)
    decline = profile.decline * (r - 1.0) + height * over_height
    f = exp(profile.slope * log(r) - decline)
    both = 1.0 / (r * (1.0 + f))  # one division for the two
    over_r, share = both * (1.0 + f), both * r
    g = profile.contrast * share
    inside = height < profile.disc
    u = height * over_disc if inside else 1.0
    cube = u * u * u
    by_f = -(1.0 - cube * u) * g * share * f  # dF/dln f
    radial = by_f * over * over * over_r * (profile.slope * over_r - profile.decline)
    wall = (1.0 - g) * 4.0 * cube * over_disc if inside else 0.0
    sign = 1.0 if z > 0.0 else (-1.0 if z < 0.0 else 0.0)
    upward = sign * (wall - by_f * over_height)
    return f, g + (1.0 - g) * cube * u, radial * x, radial * y, upward


@implements(coefficient, SdpCoefficient)
def _(profile, x, y, z):
    _, shape, dx, dy, dz = shape_of(profile, x, y, z)
    exponent = profile.delta0 * profile.ln_ratio
    boost = profile.d0 * exp(exponent * shape)
    steep = boost * (1.0 + exponent * shape)  # dD/dF
    return boost * shape, steep * dx, steep * dy, steep * dz


@implements(step_scale, SdpCoefficient)
def _(profile, x, y, z):
    thin = 0.2 * min(profile.disc, 2.5 * profile.source_height)
    above = abs(z) - profile.disc
    return thin + 0.5 * (above + math.sqrt(above * above + 0.25 * thin * thin))


class Gas(NamedTuple):
    """Gas in which particles are lost: rate exp(-|z|/height).

    Parameters
    ----------
    rate : float
        Rate of losses in the plane [1/yr].
    height : float
        Scale height [pc].
    """

    rate: float
    height: float


class NoGas(NamedTuple):
    """Nothing in which particles are lost."""


@open_function
def loss_rate(gas, z):
    """Rate of losses [1/yr] at the height z [pc]."""


@open_function
def gas_scale(gas):
    """Length on which the losses vary [pc]."""


@implements(gas_scale, Gas)
def _(gas):
    return gas.height


@implements(gas_scale, NoGas)
def _(gas):
    return UNLIMITED


@implements(loss_rate, Gas)
def _(gas, z):
    return gas.rate * exp(-abs(z) / gas.height)


@implements(loss_rate, NoGas)
def _(gas, z):
    return 0.0


class SdpGalaxy(NamedTuple):
    """The SDP halo with its own sources, whose density is 1 at the Sun, and gas.

    Parameters
    ----------
    profile : SdpCoefficient
        Diffusion, and the place of the sources.
    gas : Gas or NoGas
        Where particles are lost.
    """

    profile: SdpCoefficient
    gas: Any


@implements(surroundings, SdpGalaxy)
def _(galaxy, x, y, z):
    profile = galaxy.profile
    f, shape, dx, dy, dz = shape_of(profile, x, y, z)
    exponent = profile.delta0 * profile.ln_ratio
    over_shape = 1.0 / shape
    over_d = over_shape * exp(-exponent * shape) * (1.0 / profile.d0)
    steep = over_shape + exponent  # dlnD/dF
    return f * over_d, loss_rate(galaxy.gas, z) * over_d, steep * dx, steep * dy, steep * dz


@implements(step_scale, SdpGalaxy)
def _(galaxy, x, y, z):
    return min(step_scale(galaxy.profile, x, y, z), gas_scale(galaxy.gas) + 0.2 * abs(z))
