"""Walks along field lines that turn, against exact laws."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy import special, stats

from mcprop.kernels.step import Euler
from mcprop.medium import Constant, FieldAligned, Isotropic
from mcprop.particles import walk
from mcprop.protocol import b_vector, implements, step_scale

N = 1 << 15
KAPPA, TIME = 0.5, 4.0


class Radial(NamedTuple):
    """Field lines away from the origin."""

    strength: float


class Circular(NamedTuple):
    """Field lines round the z axis."""

    strength: float


@implements(b_vector, Radial)
def _(field, x, y, z):
    return field.strength * x, field.strength * y, field.strength * z


@implements(step_scale, Radial)
def _(field, x, y, z):
    return math.sqrt(x * x + y * y + z * z)


@implements(b_vector, Circular)
def _(field, x, y, z):
    return -field.strength * y, field.strength * x, 0.0


def ends(field, parallel, perp, start, steps, times=TIME):
    medium = FieldAligned(field, Constant(parallel), Constant(perp))
    return walk(medium, start, times, N, seed=5, step=TIME / steps).positions[-1]


def mean_radius(r0, variance):
    """Mean of a 3-D Bessel process at r0: the distance of a Gaussian of this variance an axis."""
    spread = math.sqrt(variance)
    tail = spread * math.sqrt(2.0 / math.pi) * math.exp(-(r0**2) / (2.0 * variance))
    return tail + (r0 + variance / r0) * special.erf(r0 / (spread * math.sqrt(2.0)))


def test_along_radial_lines_the_radius_is_a_bessel_process():
    """dr = (2 kappa/r) dt + sqrt(2 kappa) dW: that of free diffusion in space, on a straight line.

    <r^2> = r0^2 + 6 kappa t. The drift is all of what moves the mean: without it <r> = r0.
    """
    start = np.array([2.0, -4.0, 4.0])
    r0, variance = 6.0, 2.0 * KAPPA * TIME
    places = ends(Radial(-3.0), KAPPA, 0.0, start, steps=200)
    r = np.linalg.norm(places, axis=1)
    assert np.abs(np.cross(places, start / r0)).max() < 1e-6
    mean, error = r.mean(), r.std() / math.sqrt(N)
    assert abs(mean - mean_radius(r0, variance)) < 4.0 * error
    assert abs(np.mean(r**2) - (r0**2 + 3.0 * variance)) < 4.0 * np.std(r**2) / math.sqrt(N)
    law = stats.ncx2(3, r0**2 / variance)
    assert stats.kstest(r**2 / variance, law.cdf).pvalue > 1e-4
    assert abs(mean - r0) > 20.0 * error


def test_on_circular_lines_the_radius_stays():
    """Without (b . grad) b the square of the radius would grow by 2 kappa t."""
    places = ends(Circular(1.0), KAPPA, 0.0, (6.0, 0.0, 1.0), steps=400)
    square = places[:, 0] ** 2 + places[:, 1] ** 2
    error = square.std() / math.sqrt(N)
    assert abs(square.mean() - 36.0) < 4.0 * error
    assert 20.0 * error < 2.0 * KAPPA * TIME
    assert np.all(places[:, 2] == 1.0)
    turned = np.unwrap(np.arctan2(places[:, 1], places[:, 0]))
    variance = 2.0 * KAPPA * TIME / 36.0
    assert abs(turned.var() / variance - 1.0) < 4.0 * math.sqrt(2.0 / N)


def test_equal_coefficients_know_no_field():
    start = (6.0, 0.0, 1.0)
    with_field = ends(Circular(1.0), KAPPA, KAPPA, start, steps=20)
    square = (with_field[:, 0] - 6.0) ** 2 + with_field[:, 1] ** 2
    assert abs(square.mean() - 4.0 * KAPPA * TIME) < 4.0 * square.std() / math.sqrt(N)
    without = walk(
        Isotropic(Constant(KAPPA)), start, TIME, N, seed=5, step=TIME / 20, stepper=Euler()
    )
    np.testing.assert_allclose(with_field, without.positions[-1], atol=1e-12)


@pytest.mark.parametrize("perp", [0.05, 0.2])
def test_across_circular_lines_it_spreads_by_the_perpendicular_coefficient(perp):
    """<R^2> = R0^2 + 4 kappa_perp t whatever the parallel one: div kappa keeps the plane's law."""
    places = ends(Circular(1.0), KAPPA, perp, (6.0, 0.0, 0.0), steps=400)
    square = places[:, 0] ** 2 + places[:, 1] ** 2
    assert abs(square.mean() - 36.0 - 4.0 * perp * TIME) < 4.0 * square.std() / math.sqrt(N)
