"""A burst at the Galactic centre, seen from the Sun: a short backward leg, then eigenmodes.

    psi(x, T) = E[psi(X(leg; x), T - leg)]

Histories that start on either side of the Sun share their random numbers, so their difference gives
the gradient. The answer must not depend on the leg: two, one and half of it are the check.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mcprop.background import sdp_galaxy
from mcprop.errors import RangeError
from mcprop.galaxy.modes import CentralBurst
from mcprop.kernels.boundary import Cylinder
from mcprop.medium import Isotropic
from mcprop.particles import walk
from mcprop.units import has_unit, strip

LENGTH = 40.0
"""Rms length of a step of the leg along an axis [pc]."""


class BurstAtSun(NamedTuple):
    """A burst at the Galactic centre by Monte Carlo.

    Attributes
    ----------
    ln_density, ln_density_err : float
        Logarithm of the density at the Sun [pc^-3 per particle], and its standard deviation.
    slope_r, slope_r_err : float
        dlnpsi/dr there [1/pc], and its standard deviation.
    """

    ln_density: float
    ln_density_err: float
    slope_r: float
    slope_r_err: float


def central_burst(
    burst: CentralBurst,
    histories: int,
    seed: int,
    leg: float = 2e4,
    steps: int | None = None,
    separation: float = 150.0,
    threads: int | None = None,
) -> BurstAtSun:
    """Density and gradient of a burst at the Galactic centre, in the plane at the Sun.

    Parameters
    ----------
    burst : CentralBurst
        Eigenmodes: what histories meet at the end of the leg.
    histories : int
        Number of histories, of three copies each.
    seed : int
        Seed of the random numbers.
    leg : float
        Time that histories walk [yr]; less than the age of the burst.
    steps : int, optional
        Steps of the leg; by default of an rms length of `LENGTH` in the halo, where D is largest.
    separation : float
        Distance from the Sun, either way, of the places between which the slope is taken [pc];
        differences over 150 pc are off by 1e-4.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    BurstAtSun

    Raises
    ------
    RangeError
        If the leg is not positive and shorter than the age, or a number of steps or histories is
        not allowed.

    Examples
    --------
    >>> from mcprop.galaxy import Galaxy
    >>> burst = CentralBurst(Galaxy(), 1e5, 4e6, modes=10)
    >>> mc = central_burst(burst, histories=1024, seed=1)
    >>> bool(abs(mc.slope_r - burst.slope_r(8500.0)) < 4 * mc.slope_r_err)
    True
    """
    leg = strip(leg, "time", "leg") if has_unit(leg) else leg
    if not 0.0 < leg < burst.age:
        raise RangeError(f"leg = {leg} yr must be positive and below the age, {burst.age:g} yr.")
    galaxy = burst.galaxy
    if steps is None:
        fastest = float(galaxy.diffusion(galaxy.sun_radius, galaxy.half_height, burst.rigidity))
        steps = math.ceil(2.0 * fastest * leg / LENGTH**2)
    if histories < 2 or steps < 1:
        raise RangeError(f"histories = {histories} and steps = {steps} must be at least 2 and 1.")
    medium = Isotropic(sdp_galaxy(galaxy, burst.rigidity).profile)
    boundary = Cylinder(galaxy.radius, galaxy.half_height)
    earlier = replace(burst, age=burst.age - leg)
    scores = []
    for offset in (0.0, separation, -separation):
        start = (galaxy.sun_radius + offset, 0.0, 0.0)
        ends = walk(
            medium,
            start,
            leg,
            histories,
            seed,
            boundary=boundary,
            step=leg / steps,
            threads=threads,
        )
        x, y, z = ends.positions[0].T
        alive = ends.weights[0] > 0.0
        inside = np.where(alive, np.hypot(x, y), 0.0), np.where(alive, z, 0.0)
        scores.append(ends.weights[0] * np.exp(earlier.ln_density(*inside) - _scale(burst)))
    here, farther, nearer = scores
    mean = here.mean()
    difference = (farther - nearer) / (2.0 * separation)
    slope = difference.mean() / mean
    root = math.sqrt(histories)
    return BurstAtSun(
        float(math.log(mean) + _scale(burst)),
        float(here.std(ddof=1) / mean / root),
        float(slope),
        float((difference - slope * here).std(ddof=1) / mean / root),
    )


def _scale(burst: CentralBurst) -> float:
    """Logarithm that keeps scores near 1: densities of e^-50 and less are common."""
    return float(burst.ln_density(burst.galaxy.sun_radius))
