"""A problem whose solution was chosen first: -div(kappa grad u) = f in a ball, u = 0 on it.

With u = 1 - r^2 and a tensor of polynomials that is nowhere a multiple of the identity but in the
centre, f is a polynomial, written out below; the walk must give back u = E[int f dt].
"""

import math
from typing import NamedTuple

import numpy as np
import pytest

from mcprop.kernels.boundary import Ball
from mcprop.kernels.step import Euler, FixedStep
from mcprop.kernels.walk import walk_to
from mcprop.particles import walk
from mcprop.protocol import drift, implements, kappa, step_scale

N, STEP, LAST = 8192, 1.0 / 512, 1.0
PLACES = [(0.3, 0.2, -0.1), (-0.5, 0.4, 0.3)]


class Polynomial(NamedTuple):
    """Tensor of second degree; it answers nothing but itself."""

    strength: float


@implements(kappa, Polynomial)
def _(medium, x, y, z):
    s = medium.strength
    return 1.0 + s * x * x, 0.5 * s * x * y, 0.0, 1.0 + s * (z + 1.0), 0.0, 1.0 + 0.5 * s * x


@implements(step_scale, Polynomial)
def _(medium, x, y, z):
    return 1.0


class Driftless(NamedTuple):
    """The same without its drift."""

    medium: Polynomial


@implements(kappa, Driftless)
def _(wrong, x, y, z):
    return kappa(wrong.medium, x, y, z)


@implements(drift, Driftless)
def _(wrong, x, y, z):
    return 0.0, 0.0, 0.0


def source(s, x, y, z):
    """f = 2 div(kappa (x, y, z)).

    kappa . (x, y, z) = (x + s x^3 + s x y^2/2, s x^2 y/2 + y + s (z + 1) y, z + s x z/2)
    """
    return 2.0 * (3.0 + s * (3.0 * x**2 + 0.5 * y**2 + 0.5 * x**2 + z + 1.0 + 0.5 * x))


def estimate(positions, weights, s, start):
    """Mean and error of the integral of the source over the life of each walk."""
    met = weights * source(s, *np.moveaxis(positions, -1, 0))
    each = STEP * (0.5 * source(s, *start) + met[:-1].sum(axis=0) + 0.5 * met[-1])
    return each.mean(), each.std() / math.sqrt(each.size)


@pytest.mark.parametrize("start", PLACES, ids=str)
def test_the_walk_gives_the_solution_back(start):
    """Error bar 0.8 %; step 0.06 to 0.1 of the radius, whose own error is allowed 1 %."""
    times = STEP * np.arange(1, round(LAST / STEP) + 1)
    made = walk(
        Polynomial(0.8), start, times, N, seed=2, boundary=Ball(1.0), step=STEP, stepper=Euler()
    )
    found, error = estimate(made.positions, made.weights, 0.8, start)
    exact = 1.0 - sum(x * x for x in start)
    print(found, error, exact)
    assert made.weights[-1].max() < 1e-3
    assert abs(found - exact) < 4.0 * error + 0.01 * exact


def test_without_the_drift_it_does_not():
    start, zero = PLACES[1], np.uint64(0)
    times = STEP * np.arange(1, round(LAST / STEP) + 1)
    starts = np.repeat(np.array(start)[:, None], N, axis=1)
    out, alive = np.empty((times.size, 3, N)), np.empty((times.size, N))
    wrong, pace = Driftless(Polynomial(0.8)), FixedStep(STEP)
    walk_to(wrong, Ball(1.0), Euler(), pace, np.uint64(2), zero, zero, starts, times, out, alive)
    found, error = estimate(np.moveaxis(out, 1, -1), alive, 0.8, start)
    exact = 1.0 - sum(x * x for x in start)
    print(found, error, exact)
    assert abs(found - exact) > 4.0 * error + 0.01 * exact
