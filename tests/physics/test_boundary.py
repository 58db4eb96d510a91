"""Absorbing walls between two points of a walk, and boxes that fold: against exact laws."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from mcprop.fields import UniformField
from mcprop.kernels.boundary import (
    Ball,
    Cylinder,
    HalfSpace,
    PeriodicBox,
    ReflectingBox,
    Unbounded,
    confine,
    survival,
    tensor_survival,
    wall,
)
from mcprop.medium import Constant, FieldAligned, Isotropic
from mcprop.particles import walk
from mcprop.protocol import implements, step_scale

N = 1 << 14
KAPPA = 0.5
MEDIUM = Isotropic(Constant(KAPPA))
WALLS = [HalfSpace(0.6, 0.0, 0.8, 2.0), Cylinder(2.0, 1.5), Ball(2.0)]
OPEN = [Unbounded(), PeriodicBox(3.0), ReflectingBox(3.0)]


class Bare(NamedTuple):
    """A wall that is seen at the ends of steps only."""

    wall: Any


@implements(survival, Bare)
def _(bare, x0, y0, z0, x1, y1, z1, spread):
    alive = survival(bare.wall, x0, y0, z0, x1, y1, z1, spread)
    return 1.0 if alive > 0.0 else 0.0


@implements(tensor_survival, Bare)
def _(bare, x0, y0, z0, x1, y1, z1, sxx, sxy, sxz, syy, syz, szz):
    return survival(bare, x0, y0, z0, x1, y1, z1, sxx)


@implements(step_scale, Bare)
def _(bare, x, y, z):
    return step_scale(bare.wall, x, y, z)


def mean_exit(boundary, step, last, medium=MEDIUM, start=(0.0, 0.0, 0.0), n=N):
    """Mean time until absorption and its error: the integral of the surviving share."""
    times = step * np.arange(1, round(last / step) + 1)
    weights = walk(medium, start, times, n, seed=3, boundary=boundary, step=step).weights
    each = step * (0.5 + weights[:-1].sum(axis=0) + 0.5 * weights[-1])
    assert weights[-1].mean() < 1e-3
    return each.mean(), each.std() / math.sqrt(n)


def test_mean_exit_time_from_a_slab_is_exact_with_the_bridge_alone():
    """H^2/(2 kappa) with steps of 0.22 H; seen only at the ends, walls seem 0.58 steps farther."""
    slab = Cylinder(1e6, 1.0)
    exact = 1.0 / (2.0 * KAPPA)
    mean, error = mean_exit(slab, 0.05, 8.0)
    assert abs(mean - exact) < 4.0 * error
    mean, error = mean_exit(Bare(slab), 0.05, 8.0)
    assert mean - exact > 20.0 * error


def test_mean_exit_time_from_a_ball():
    """R^2/(6 kappa) with steps of 0.1 R; the tangent plane errs by less than 1 %."""
    exact = 1.0 / (6.0 * KAPPA)
    mean, error = mean_exit(Ball(1.0), 0.01, 2.0)
    assert abs(mean - exact) < 4.0 * error + 0.01 * exact


def test_survival_in_a_half_space_is_an_error_function():
    """P = erf(d/(2 sqrt(kappa t))), after one step and after eight, from 1 pc before the wall."""
    plane = HalfSpace(0.6, 0.0, 0.8, 1.0)
    for step in (2.0, 0.25):
        weights = walk(MEDIUM, (0.0, 0.0, 0.0), [2.0], N, seed=4, boundary=plane, step=step).weights
        error = weights[0].std() / math.sqrt(N)
        exact = math.erf(1.0 / (2.0 * math.sqrt(KAPPA * 2.0)))
        assert abs(weights[0].mean() - exact) < 4.0 * error


def test_survival_with_a_tensor_takes_the_coefficient_along_the_normal():
    """Slab across z, field in the plane of x and z: kappa_zz decides, and no step is too long."""
    field = UniformField(0.6, 0.0, 0.8)
    medium = FieldAligned(field, Constant(0.5), Constant(0.05))
    plane = HalfSpace(0.0, 0.0, 1.0, 1.0)
    kappa_zz = 0.05 + 0.45 * 0.64
    weights = walk(medium, (0.0, 0.0, 0.0), [2.0], N, seed=4, boundary=plane, step=1.0).weights[0]
    error = weights.std() / math.sqrt(N)
    exact = math.erf(1.0 / (2.0 * math.sqrt(kappa_zz * 2.0)))
    assert abs(weights.mean() - exact) < 4.0 * error
    planted = math.erf(1.0 / (2.0 * math.sqrt(0.5 * 2.0)))  # the parallel coefficient
    assert abs(weights.mean() - planted) > 20.0 * error


def test_adaptive_steps_know_the_boundary():
    """A uniform medium sets no length; a fifth of the radius does, and errs by less than 3 %."""
    times = np.linspace(0.01, 2.0, 200)
    made = walk(MEDIUM, (0.0, 0.0, 0.0), times, N, seed=3, boundary=Ball(1.0))
    n = np.arange(1, 40)
    terms = 2.0 * (-1.0) ** (n + 1) * np.exp(-((n * math.pi) ** 2) * KAPPA * times[39])
    found, error = made.weights[39].mean(), made.weights[39].std() / math.sqrt(N)
    assert abs(found - terms.sum()) < 4.0 * error + 0.03 * terms.sum()
    once = walk(MEDIUM, (0.0, 0.0, 0.0), 2.0, N, seed=3, boundary=Ball(1.0))
    assert once.steps > 10 * N


@pytest.mark.parametrize("edge", WALLS, ids=lambda edge: type(edge).__name__)
def test_survival_falls_from_one_to_zero(edge):
    rng = np.random.default_rng(1)
    for _ in range(200):
        a, b = rng.uniform(-1.4, 1.4, (2, 3))
        alive = survival(edge, *a, *b, 0.3)
        assert 0.0 <= alive <= 1.0
        assert survival(edge, *a, *b, 1e-9) == (1.0 if alive > 0.0 else 0.0)
        assert survival(edge, *b, *a, 0.3) == pytest.approx(alive, rel=1e-12)
        isotropic = (0.3, 0.0, 0.0, 0.3, 0.0, 0.3)
        assert tensor_survival(edge, *a, *b, *isotropic) == pytest.approx(alive, rel=1e-12)
        assert confine(edge, *b) == tuple(b)


def test_touching_probability_of_a_plane():
    plane = HalfSpace(1.0, 0.0, 0.0, 1.0)
    assert survival(plane, 0.4, 5.0, 0.0, 0.7, 0.0, 5.0, 0.2) == pytest.approx(1 - math.exp(-0.9))
    assert survival(plane, 0.4, 5.0, 0.0, 1.1, 0.0, 5.0, 0.2) == 0.0
    assert survival(plane, 1.1, 5.0, 0.0, 0.4, 0.0, 5.0, 0.2) == 0.0


@pytest.mark.parametrize("edge", OPEN, ids=lambda edge: type(edge).__name__)
def test_what_does_not_absorb_lets_live(edge):
    assert survival(edge, 1.0, 1.0, 1.0, 9.0, -9.0, 1.0, 0.1) == 1.0
    assert tensor_survival(edge, 1.0, 1.0, 1.0, 9.0, -9.0, 1.0, *[0.1] * 6) == 1.0


def test_folding():
    assert confine(PeriodicBox(3.0), 3.5, -0.5, 7.0) == pytest.approx((0.5, 2.5, 1.0))
    assert confine(ReflectingBox(3.0), 3.5, -0.5, 7.0) == pytest.approx((2.5, 0.5, 1.0))
    assert confine(Unbounded(), 3.5, -0.5, 7.0) == (3.5, -0.5, 7.0)


class Corner(NamedTuple):
    """A wall of a user's own: one function says where it is."""

    offset: float


@implements(wall, Corner)
def _(corner, x, y, z):
    return corner.offset - x, 1.0, 0.0, 0.0


def test_a_wall_of_ones_own_needs_one_function():
    same = HalfSpace(1.0, 0.0, 0.0, 0.7)
    assert survival(Corner(0.7), 0.1, 0.0, 0.0, 0.4, 0.0, 0.0, 0.2) == pytest.approx(
        1 - math.exp(-0.9)
    )
    walks = [
        walk(MEDIUM, (0.0, 0.0, 0.0), 2.0, 64, seed=1, boundary=boundary, step=0.5)
        for boundary in (Corner(0.7), same)
    ]
    assert np.array_equal(walks[0].weights, walks[1].weights)
    assert walks[0].weights.mean() < 0.9
