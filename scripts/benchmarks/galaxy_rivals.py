"""The walk through the Galaxy by other means: Euler's method, drift, walls with their bridge."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.galaxy_problem import GALAXY, RIGIDITY, STEP, STEPS

# numbers of the model, as a script would have them
RADIUS, HALF_HEIGHT, R_SUN = GALAXY.radius, GALAXY.half_height, GALAXY.sun_radius
SLOPE, DECLINE, SOURCE_HEIGHT = GALAXY.source_slope, GALAXY.source_decline, GALAXY.source_height
D0, DELTA, RATIO = GALAXY.d0, GALAXY.slope, RIGIDITY / GALAXY.reference_rigidity
CONTRAST, DISC = GALAXY.contrast, GALAXY.disc_height


@njit
def coefficient(r, z):
    """D [pc^2/yr] and its derivatives by r and z, written as it stands on paper."""
    f = (r / R_SUN) ** SLOPE * math.exp(-DECLINE * (r - R_SUN) / R_SUN)
    f *= math.exp(-abs(z) / SOURCE_HEIGHT)
    g = CONTRAST / (1 + f)
    shape, by_g, by_z = 1.0, 0.0, 0.0
    if abs(z) < DISC:
        u = abs(z) / DISC
        shape = g + (1 - g) * u**4
        by_g = 1 - u**4
        by_z = 4 * (1 - g) * u**3 / DISC
    d = D0 * shape * RATIO ** (DELTA * shape)
    steep = d * (1 / shape + DELTA * math.log(RATIO))
    slope = -g * f / (1 + f)
    outward = steep * by_g * slope * (SLOPE / r - DECLINE / R_SUN)
    upward = steep * (by_z - by_g * slope / SOURCE_HEIGHT)
    if z < 0:
        upward = -upward
    elif z == 0:
        upward = 0.0
    return d, outward, upward


@njit
def survived(r0, z0, r1, z1, spread):
    """Probability of a step not to have touched the cylinder."""
    if r1 >= RADIUS or abs(z1) >= HALF_HEIGHT:
        return 0.0
    side = 1 - math.exp(-(RADIUS - r0) * (RADIUS - r1) / spread)
    top = 1 - math.exp(-(HALF_HEIGHT - z0) * (HALF_HEIGHT - z1) / spread)
    return side * top * (1 - math.exp(-(HALF_HEIGHT + z0) * (HALF_HEIGHT + z1) / spread))


@njit
def naive_loop(steps, h, out):
    """A particle after the other, with Numba's own global random state."""
    np.random.seed(1)  # noqa: NPY002
    for j in range(out.shape[1]):
        x, y, z, weight = R_SUN, 0.0, 0.0, 1.0
        for _ in range(steps):
            r = math.sqrt(x * x + y * y)
            d, outward, upward = coefficient(r, z)
            root = math.sqrt(2 * d * h)
            # the generator that compiled code knows without being handed one
            x += h * outward * x / r + root * np.random.standard_normal()  # noqa: NPY002
            y += h * outward * y / r + root * np.random.standard_normal()  # noqa: NPY002
            before, z = z, z + h * upward + root * np.random.standard_normal()  # noqa: NPY002
            weight *= survived(r, before, math.sqrt(x * x + y * y), z, d * h)
            if weight == 0:
                break
        out[0, j], out[1, j], out[2, j], out[3, j] = x, y, z, weight


@njit
def generator_loop(generator, steps, h, out):
    """A particle after the other, with a NumPy generator that is handed in."""
    for j in range(out.shape[1]):
        x, y, z, weight = R_SUN, 0.0, 0.0, 1.0
        for _ in range(steps):
            r = math.sqrt(x * x + y * y)
            d, outward, upward = coefficient(r, z)
            root = math.sqrt(2 * d * h)
            x += h * outward * x / r + root * generator.standard_normal()
            y += h * outward * y / r + root * generator.standard_normal()
            before, z = z, z + h * upward + root * generator.standard_normal()
            weight *= survived(r, before, math.sqrt(x * x + y * y), z, d * h)
            if weight == 0:
                break
        out[0, j], out[1, j], out[2, j], out[3, j] = x, y, z, weight


def numba_naive(particles: int) -> np.ndarray:
    """Plain Numba with ``np.random``; positions and weights (4, n)."""
    out = np.empty((4, particles))
    naive_loop(STEPS, STEP, out)
    return out


def numba_generator(particles: int) -> np.ndarray:
    """Plain Numba with a NumPy generator; positions and weights (4, n)."""
    out = np.empty((4, particles))
    generator_loop(np.random.default_rng(1), STEPS, STEP, out)
    return out


def numpy_typical(particles: int) -> np.ndarray:
    """NumPy as it is usually written: all particles at once; positions and weights (4, n)."""
    generator = np.random.default_rng(1)
    x, y = np.full(particles, R_SUN), np.zeros(particles)
    z, weight = np.zeros(particles), np.ones(particles)
    for _ in range(STEPS):
        r = np.sqrt(x**2 + y**2)
        f = np.power(r / R_SUN, SLOPE) * np.exp(-DECLINE * (r - R_SUN) / R_SUN)
        f *= np.exp(-np.abs(z) / SOURCE_HEIGHT)
        g = CONTRAST / (1 + f)
        u = np.abs(z) / DISC
        shape = np.where(u < 1, g + (1 - g) * np.power(u, 4), 1.0)
        by_g = np.where(u < 1, 1 - np.power(u, 4), 0.0)
        by_z = np.where(u < 1, 4 * (1 - g) * np.power(u, 3) / DISC, 0.0)
        d = D0 * shape * np.power(RATIO, DELTA * shape)
        steep = d * (1 / shape + DELTA * np.log(RATIO))
        slope = -g * f / (1 + f)
        outward = steep * by_g * slope * (SLOPE / r - DECLINE / R_SUN)
        upward = np.sign(z) * steep * (by_z - by_g * slope / SOURCE_HEIGHT)
        kick = np.sqrt(2 * d * STEP) * generator.standard_normal((3, particles))
        x = x + STEP * outward * x / r + kick[0]
        y = y + STEP * outward * y / r + kick[1]
        before, z = z, z + STEP * upward + kick[2]
        r1, spread = np.sqrt(x**2 + y**2), d * STEP
        side = 1 - np.exp(-(RADIUS - r) * (RADIUS - r1) / spread)
        top = 1 - np.exp(-(HALF_HEIGHT - before) * (HALF_HEIGHT - z) / spread)
        bottom = 1 - np.exp(-(HALF_HEIGHT + before) * (HALF_HEIGHT + z) / spread)
        inside = (r1 < RADIUS) & (np.abs(z) < HALF_HEIGHT)
        weight = np.where(inside, weight * side * top * bottom, 0.0)
    return np.stack([x, y, z, weight])
