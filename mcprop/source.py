"""Sources as histories meet them: the density found where a history leaves the cloud."""

import math
from typing import Any, NamedTuple

from mcprop.kernels.elementary import exp
from mcprop.protocol import b_vector, implements, is_uniform, outside, own_path, primitive


class SteadyDensity(NamedTuple):
    """A density that is constant in space and time.

    Parameters
    ----------
    density : float
        Its value, in any unit.
    """

    density: float


class Burst(NamedTuple):
    """An instantaneous point source in a uniform anisotropic medium.

    Parameters
    ----------
    x, y, z : float
        Vector from the observer to the source [pc].
    age : float
        Time since the burst [yr].
    field : model of a uniform magnetic field
        Its direction is where `kappa_parallel` acts.
    kappa_parallel, kappa_perp : float
        Diffusion coefficients [pc^2/yr].
    """

    x: float
    y: float
    z: float
    age: float
    field: Any
    kappa_parallel: float
    kappa_perp: float


class WalkedBurst(NamedTuple):
    """A burst met by walking on: the closed form is only the kernel of the last step.

    A history that leaves the cloud walks until only `last` of the age remains.  All its exits use
    the same random numbers; in a uniform medium a walk of other length is then the same path, its
    kicks scaled by the root of the time.

    Parameters
    ----------
    burst : Burst
        The source.
    kicks : ndarray, shape (1, 3, n)
        Random displacement [pc] of each history by a driftless walk over ``burst.age - last``.
    last : float
        Time left to the closed form [yr].
    drift_x, drift_y, drift_z : float
        Drift of the walk [pc/yr], undone by its Girsanov weight; zero for an analog walk.
    mirrored : float
        Share of the score that the path with opposite kicks has: 0.5 for antithetic pairs, 0 for
        single paths.
    """

    burst: Burst
    kicks: Any
    last: float
    drift_x: float
    drift_y: float
    drift_z: float
    mirrored: float


@primitive
def inverse_form(burst, ax, ay, az, cx, cy, cz):
    """a . kappa^-1 . c for the tensor of the medium."""
    bx, by, bz = b_vector(burst.field, 0.0, 0.0, 0.0)
    along = (
        (ax * bx + ay * by + az * bz)
        * (cx * bx + cy * by + cz * bz)
        / (bx * bx + by * by + bz * bz)
    )
    dot = ax * cx + ay * cy + az * cz
    return along / burst.kappa_parallel + (dot - along) / burst.kappa_perp


@primitive
def gaussian(burst, dx, dy, dz, time, log_weight):
    """Diffusive density [pc^-3] at a separation after `time`, times exp(log_weight).

    Zero before the burst.
    """
    t = max(time, 1e-9 * burst.age)
    spread = 4.0 * math.pi * t
    norm = spread * math.sqrt(spread * burst.kappa_parallel) * burst.kappa_perp
    value = exp(log_weight - inverse_form(burst, dx, dy, dz, dx, dy, dz) / (4.0 * t)) / norm
    return value if time > 0.0 else 0.0


@implements(own_path, SteadyDensity)
def _(density, j):
    return 0.0, 0.0, 0.0, 0.0


@implements(outside, SteadyDensity)
def _(density, x, y, z, elapsed, p0, p1, p2, p3):
    return density.density


@implements(is_uniform, SteadyDensity)
def _(density):
    return True


@implements(own_path, Burst)
def _(burst, j):
    return 0.0, 0.0, 0.0, 0.0


@implements(outside, Burst)
def _(burst, x, y, z, elapsed, p0, p1, p2, p3):
    return gaussian(burst, burst.x - x, burst.y - y, burst.z - z, burst.age - elapsed, 0.0)


@implements(is_uniform, Burst)
def _(burst):
    return False


@implements(own_path, WalkedBurst)
def _(walked, j):
    kicks = walked.kicks
    kx, ky, kz = kicks[0, 0, j], kicks[0, 1, j], kicks[0, 2, j]
    return (
        kx,
        ky,
        kz,
        inverse_form(walked.burst, walked.drift_x, walked.drift_y, walked.drift_z, kx, ky, kz),
    )


@implements(outside, WalkedBurst)
def _(walked, x, y, z, elapsed, kx, ky, kz, work):
    burst = walked.burst
    ux, uy, uz = walked.drift_x, walked.drift_y, walked.drift_z
    left = burst.age - elapsed
    time = max(left - walked.last, 0.0)
    root = math.sqrt(time / (burst.age - walked.last))
    drifted = -0.25 * time * inverse_form(burst, ux, uy, uz, ux, uy, uz)
    dx, dy, dz = burst.x - x - time * ux, burst.y - y - time * uy, burst.z - z - time * uz
    kx, ky, kz, work = root * kx, root * ky, root * kz, 0.5 * root * work
    there = gaussian(burst, dx - kx, dy - ky, dz - kz, left - time, drifted - work)
    mirror = gaussian(burst, dx + kx, dy + ky, dz + kz, left - time, drifted + work)
    return there + walked.mirrored * (mirror - there)


@implements(is_uniform, WalkedBurst)
def _(walked):
    return False
