"""Does a uniform density stay uniform?  The test of the divergence of a diffusion tensor.

    scripts/drift_test [particles]

Particles that fill a periodic box evenly must go on doing so, whatever the tensor, if the drift is
its divergence; without that drift they gather where diffusion is slow.  Printed are p-values with
the drift whole, left out, halved and reversed: the smallest of Kolmogorov-Smirnov tests of the
three coordinates and a chi-square test of 64 boxes, times four.  Then comes what the same does to
the density of the Galactic background at the Sun, relative to the solution by finite volumes.
"""

import math
import sys
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from mcprop.background import background
from mcprop.galaxy import Galaxy, solve
from mcprop.kernels.boundary import PeriodicBox
from mcprop.kernels.residence import residence_walk
from mcprop.kernels.step import Euler, FixedStep, Heun
from mcprop.kernels.walk import walk_to
from mcprop.medium import FieldAligned, Isotropic
from mcprop.protocol import (
    b_gradient,
    b_vector,
    coefficient,
    drift,
    implements,
    is_scalar,
    kappa,
    largest,
    noise,
    step_scale,
    surroundings,
)

SIDE = 2.0 * math.pi
"""Side of the box [pc]."""

FACTORS = {"whole": 1.0, "none": 0.0, "half": 0.5, "reversed": -1.0}


class Wave(NamedTuple):
    """Coefficient mean (1 + amplitude sin(ix x + iy y + iz z)); whole i are periodic in the box."""

    mean: float
    amplitude: float
    ix: float
    iy: float
    iz: float


class Turning(NamedTuple):
    """Field of three circular waves, one along each axis, on a uniform field (bx, by, bz).

    It has no sources, and it has no zeros where the uniform field is strong enough; the divergence
    of its unit vector is not zero.
    """

    a: float
    b: float
    c: float
    bx: float
    by: float
    bz: float


class ScaledGalaxy(NamedTuple):
    """The Galaxy with a drift that is `factor` times the right one."""

    galaxy: Any
    factor: float


class Scaled(NamedTuple):
    """A medium whose drift is `factor` times the right one."""

    medium: Any
    factor: float


@implements(coefficient, Wave)
def _(wave, x, y, z):
    phase = wave.ix * x + wave.iy * y + wave.iz * z
    slope = wave.mean * wave.amplitude * math.cos(phase)
    value = wave.mean * (1.0 + wave.amplitude * math.sin(phase))
    return value, wave.ix * slope, wave.iy * slope, wave.iz * slope


@implements(step_scale, Wave)
def _(wave, x, y, z):
    return 1.0


@implements(b_vector, Turning)
def _(field, x, y, z):
    return (
        field.bx + field.a * math.sin(z) + field.c * math.cos(y),
        field.by + field.b * math.sin(x) + field.a * math.cos(z),
        field.bz + field.c * math.sin(y) + field.b * math.cos(x),
    )


@implements(b_gradient, Turning)
def _(field, x, y, z):
    return (
        0.0,
        -field.c * math.sin(y),
        field.a * math.cos(z),
        field.b * math.cos(x),
        0.0,
        -field.a * math.sin(z),
        -field.b * math.sin(x),
        field.c * math.cos(y),
        0.0,
    )


@implements(step_scale, Turning)
def _(field, x, y, z):
    return 1.0


@implements(surroundings, ScaledGalaxy)
def _(scaled, x, y, z):
    made, lost, gx, gy, gz = surroundings(scaled.galaxy, x, y, z)
    return made, lost, scaled.factor * gx, scaled.factor * gy, scaled.factor * gz


@implements(step_scale, ScaledGalaxy)
def _(scaled, x, y, z):
    return step_scale(scaled.galaxy, x, y, z)


@implements(kappa, Scaled)
def _(scaled, x, y, z):
    return kappa(scaled.medium, x, y, z)


@implements(noise, Scaled)
def _(scaled, x, y, z, n0, n1, n2):
    return noise(scaled.medium, x, y, z, n0, n1, n2)


@implements(drift, Scaled)
def _(scaled, x, y, z):
    ux, uy, uz = drift(scaled.medium, x, y, z)
    return scaled.factor * ux, scaled.factor * uy, scaled.factor * uz


@implements(largest, Scaled)
def _(scaled, x, y, z):
    return largest(scaled.medium, x, y, z)


@implements(step_scale, Scaled)
def _(scaled, x, y, z):
    return step_scale(scaled.medium, x, y, z)


@implements(is_scalar, Scaled)
def _(scaled):
    return is_scalar(scaled.medium)


SCALAR = Isotropic(Wave(1.0, 0.5, 1.0, 0.0, 0.0))
TENSOR = FieldAligned(
    Turning(1.2, 1.0, 0.8, 2.0, -1.5, 1.0),
    Wave(1.0, 0.5, 1.0, 1.0, 0.0),
    Wave(0.1, 0.5, 0.0, 1.0, -1.0),
)
CASES = {
    "kappa = 1 + sin(x)/2, Euler": (SCALAR, Euler()),
    "kappa = 1 + sin(x)/2, Heun": (SCALAR, Heun()),
    "turning field, varying coefficients, Euler": (TENSOR, Euler()),
}


def ends(medium, stepper, boundary, particles, time=4.0, step=0.01, seed=1, starts=None):
    """Places (3, particles) after `time` [yr] of particles that began uniform, or at `starts`."""
    if starts is None:
        starts = np.random.default_rng(seed).uniform(0.0, SIDE, (3, particles))
    out, alive = np.empty((1, 3, particles)), np.empty((1, particles))
    zero = np.uint64(0)
    times = np.array([time])
    pace = FixedStep(step)
    walk_to(medium, boundary, stepper, pace, np.uint64(seed), zero, zero, starts, times, out, alive)
    return out[0]


def p_uniform(places):
    """Probability of a density at least as uneven, if it is uniform."""
    p_axes = [stats.kstest(axis / SIDE, "uniform").pvalue for axis in places]
    counts, _ = np.histogramdd(places.T, bins=4, range=[(0.0, SIDE)] * 3)
    return min(1.0, 4.0 * min(*p_axes, stats.chisquare(counts.ravel()).pvalue))


def p_values(medium, stepper, boundary, particles, **options):
    """p-values with the drift whole, left out, halved and reversed."""
    return {
        name: p_uniform(ends(Scaled(medium, factor), stepper, boundary, particles, **options))
        for name, factor in FACTORS.items()
    }


def background_ratio(factor, rigidity=1e4, histories=1024):
    """Density of the background over that of the grid, and its error."""
    solution = solve(Galaxy(), rigidity)
    setting = background(Galaxy(), rigidity, guess=solution.fine)
    model = ScaledGalaxy(setting.galaxy, factor)
    scores, fates = np.empty((histories, 1)), np.zeros(4, dtype=np.int64)
    key = np.uint64(1), np.uint64(0), np.uint64(0)
    start = setting.starts[:1]
    residence_walk(model, setting.boundary, setting.guess, *key, start, 0.2, scores, fates)
    ratio = scores[:, 0] / solution.density(Galaxy().sun_radius)
    return ratio.mean(), ratio.std() / math.sqrt(histories)


def main():
    """Print the table."""
    particles = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{particles} particles; p-values, drift " + ", ".join(FACTORS))
    for name, (medium, stepper) in CASES.items():
        found = p_values(medium, stepper, PeriodicBox(SIDE), particles)
        print(f"{name}: " + ", ".join(f"{p:.2g}" for p in found.values()))
    print("Galactic background at 10 TV over that of the grid:")
    for name, factor in FACTORS.items():
        ratio, error = background_ratio(factor)
        print(f"  drift {name}: {ratio:.4f} +- {error:.4f}")


if __name__ == "__main__":
    main()
