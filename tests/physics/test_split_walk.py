"""The split step along wandering lines: what is uniform stays uniform, and exact laws.

Field, profile and flow have many parameters, so that the kernel is compiled once for all of them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from mcprop.kernels.flow import Backward, velocity
from mcprop.kernels.wander import wander
from mcprop.medium import FieldAligned
from mcprop.protocol import b_vector, coefficient, implements, step_scale

N = 10_000
SIDE = 2.0 * math.pi


class Ripple(NamedTuple):
    """Coefficient mean (1 + amplitude sin(x + iy y + iz z)) that tells `told` of its gradient."""

    mean: float
    amplitude: float
    iy: float
    iz: float
    told: float


class Lines(NamedTuple):
    """Straight, radial, circular or wandering lines, and a false strength if wanted.

    B = (bx, by, bz) + radial (x, y, z) + circular (-y, x, 0) + waves in the three directions.  Its
    strength, by which the drift knows div b, is changed to |B|^power dk^tilt: right are 1 and 0.
    With power = 0 the drift knows no div b, with 1/2 half of it; tilt = -1/2 adds another half of
    b . grad dk, tilt = 1/2 takes away the one that there is.  A trap makes it exp(trap z^2/2).
    """

    bx: float
    by: float
    bz: float
    radial: float
    circular: float
    waves: float
    power: float
    tilt: float
    trap: float
    parallel: Any
    perp: Any


class Breath(NamedTuple):
    """Plasma velocity (ux, 0, 0) + swell (sin x, 0, 0)."""

    ux: float
    swell: float


@implements(coefficient, Ripple)
def _(profile, x, y, z):
    phase = x + profile.iy * y + profile.iz * z
    slope = profile.told * profile.mean * profile.amplitude * np.cos(phase)
    value = profile.mean * (1.0 + profile.amplitude * np.sin(phase))
    return value, slope, profile.iy * slope, profile.iz * slope


@implements(step_scale, Ripple)
def _(profile, x, y, z):
    return 20.0


@implements(b_vector, Lines)
def _(field, x, y, z):
    wx, wy, wz = field.waves, 0.8 * field.waves, 0.7 * field.waves
    bx = field.bx + field.radial * x - field.circular * y + wx * np.sin(z) + wz * np.cos(y)
    by = field.by + field.radial * y + field.circular * x + wy * np.sin(x) + wx * np.cos(z)
    bz = field.bz + field.radial * z + wz * np.sin(y) + wy * np.cos(x)
    parallel, _, _, _ = coefficient(field.parallel, x, y, z)
    perp, _, _, _ = coefficient(field.perp, x, y, z)
    square = bx * bx + by * by + bz * bz
    factor = square ** (0.5 * field.power - 0.5) * (parallel - perp) ** field.tilt
    factor *= np.exp(0.5 * field.trap * z * z)
    return factor * bx, factor * by, factor * bz


@implements(step_scale, Lines)
def _(field, x, y, z):
    return SIDE if field.waves > 0.0 else 8.0


@implements(velocity, Breath)
def _(flow, x, y, z):
    return flow.ux + flow.swell * math.sin(x), 0.0, 0.0, flow.swell * math.cos(x)


STILL = Backward(Breath(0.0, 0.0))
BENT = (1.0, 0.9, -0.8, 0.0, 0.0, 0.6)
"""Wandering lines, about (1, 0.9, -0.8) in the mean; |B| varies between 0.34 and 2.8."""

ALONG, ACROSS = (1.0, -1.0), (-1.0, 0.0)
"""Waves of the coefficients, with the phases x + y - z and x - y."""

VARIED = {"parallel": Ripple(1.0, 0.5, *ALONG, 1.0), "perp": Ripple(0.15, 0.5, *ACROSS, 1.0)}
PLANTED = {
    "no div b": {"power": 0.0},
    "half of div b": {"power": 0.5},
    "the whole gradient of dk": {"tilt": -0.5},
    "no gradient of dk": {"tilt": 0.5},
    "a kick without gradient": {"perp": Ripple(0.15, 0.5, *ACROSS, 0.0)},
}


def constant(value):
    return Ripple(value, 0.0, 0.0, 0.0, 1.0)


def medium_of(shape, parallel, perp, power=1.0, tilt=0.0, trap=0.0):
    return FieldAligned(Lines(*shape, power, tilt, trap, parallel, perp), parallel, perp)


def log_strength(places):
    """ln|B| of the wandering lines at (3, ...) places."""
    field = medium_of(BENT, constant(1.0), constant(0.1)).field
    return np.log(np.linalg.norm(b_vector(field, *places), axis=0))


def moved(medium, starts, time, steps, flow=STILL, seed=7):
    """Places after `time` [yr] in that many steps; a fourth row holds the expansion met."""
    places, zero = np.vstack([starts, np.zeros(starts.shape[1])]), np.uint64(0)
    wander(medium, flow, np.uint64(seed), zero, zero, zero, time / steps, steps, places)
    return places


def evenly(n, seed=3):
    return np.random.default_rng(seed).uniform(0.0, SIDE, (3, n))


@pytest.fixture(scope="module")
def p_even(drift_test):
    """p-value of what fills a periodic box evenly and should go on doing so."""
    grid = log_strength(np.indices((48, 48, 48)) * (SIDE / 48))

    def p(step, n=16_000, time=5.0, **changes):
        medium = medium_of(BENT, **(VARIED | changes))
        places = moved(medium, evenly(n), time, round(time / step))[:3]
        phases = [(places[0] + iy * places[1] + iz * places[2]) for iy, iz in (ALONG, ACROSS)]
        found = [stats.kstest(phase % SIDE / SIDE, "uniform").pvalue for phase in phases]
        away = (log_strength(places).mean() - grid.mean()) * math.sqrt(n) / grid.std()
        found.append(2.0 * stats.norm.sf(abs(away)))
        return 4.0 * min(*found, drift_test.p_uniform(places % SIDE))

    return p


@pytest.mark.parametrize("step", [0.1, 0.3])
def test_what_is_even_stays_so(p_even, step):
    """kappa_perp/kappa_parallel is 0.05 to 0.45; a step goes 0.4 or 0.8 pc along, of 6.3 pc."""
    assert p_even(step) > 1e-4


@pytest.mark.parametrize("wrong", list(PLANTED))
def test_what_is_left_out_is_noticed(p_even, wrong):
    n = 16_000 if "half" in wrong else 8000
    assert p_even(0.3, n, **PLANTED[wrong]) < 1e-6


def test_a_flow_that_swells_stays_even_by_the_weights_of_its_backward_histories():
    """Int psi d^3x is kept forward in time, so weights average to 1 wherever histories end.

    Without the weights they crowd where the flow, seen backward, comes together.
    """
    swelling = Backward(Breath(0.4, 0.3))
    places = moved(medium_of(BENT, **VARIED), evenly(N), 2.0, 20, swelling)
    waves = np.array([np.ones(N), np.cos(places[0]), np.sin(places[0])])
    weighted = waves * np.exp(places[3])
    error = weighted.std(axis=1) / math.sqrt(N)
    assert np.all(np.abs(weighted.mean(axis=1) - [1.0, 0.0, 0.0]) < 4.0 * error)
    assert np.abs(waves.mean(axis=1))[1:].max() > 10.0 * error.max()


def test_a_steady_flow_carries_along():
    medium = medium_of((1.0, 2.0, 2.0, 0.0, 0.0, 0.0), constant(0.5), constant(0.05))
    starts = evenly(100)
    carried, still = (
        moved(medium, starts, 4.0, 8, flow) for flow in (Backward(Breath(-0.7, 0.0)), STILL)
    )
    np.testing.assert_allclose(carried[0] - still[0], 0.7 * 4.0, rtol=1e-12)
    np.testing.assert_allclose(carried[1:], still[1:], atol=1e-12)


def test_in_a_uniform_field_it_is_the_gaussian():
    """Whatever the step; two chi-squares a direction."""
    axis, parallel, perp, time = np.array([1.0, 2.0, 2.0]) / 3.0, 0.5, 0.05, 4.0
    medium = medium_of((1.0, 2.0, 2.0, 0.0, 0.0, 0.0), constant(parallel), constant(perp))
    places = moved(medium, np.zeros((3, N)), time, 3)[:3]
    turn = np.linalg.svd(axis[None])[2]  # its first row is along the axis
    squares = ((turn @ places) ** 2).sum(axis=1) / (2.0 * time)
    for square, kappa in zip(squares, (parallel, perp, perp), strict=True):
        assert 1e-4 < stats.chi2(N).cdf(square / kappa) < 1.0 - 1e-4
    assert np.abs(np.corrcoef(turn @ places) - np.eye(3)).max() < 4.0 / math.sqrt(N)


def radii(power):
    """Distances after 4 yr along radial lines with the strength r^power, from r = 6 pc."""
    medium = medium_of((0.0, 0.0, 0.0, 1.0, 0.0, 0.0), constant(0.5), constant(0.0), power)
    starts = np.tile(np.array([[2.0], [-4.0], [4.0]]), N)
    places = moved(medium, starts, 4.0, 8)[:3]
    assert np.abs(np.cross(places.T, starts[:, 0] / 6.0)).max() < 1e-9
    return np.linalg.norm(places, axis=0)


def test_along_radial_lines_the_radius_is_a_bessel_process():
    """dr = (2 kappa/r) dt + sqrt(2 kappa) dW where B ~ r^-2, which has no sources."""
    law, variance = stats.ncx2(3, 36.0 / 4.0), 4.0
    r = radii(-2.0)
    assert stats.kstest(r**2 / variance, law.cdf).pvalue > 1e-4
    assert stats.kstest(radii(0.0) ** 2 / variance, law.cdf).pvalue < 1e-10  # no div b


@pytest.mark.parametrize("perp", [0.05, 0.5])
def test_across_circular_lines_it_spreads_by_the_perpendicular_coefficient(perp):
    """<R^2> = R0^2 + 4 kappa_perp t whatever the parallel one; where they are equal, all <r^2>."""
    medium = medium_of((0.0, 0.0, 0.0, 0.0, 1.0, 0.0), constant(0.5), constant(perp), 0.0)
    places = moved(medium, np.tile(np.array([[6.0], [0.0], [1.0]]), N), 4.0, 20)
    square = places[0] ** 2 + places[1] ** 2
    assert abs(square.mean() - 36.0 - 16.0 * perp) < 4.0 * square.std() / math.sqrt(N)
    if perp == 0.5:
        free = moved(
            medium_of((0.0, 0.0, 1.0, 0.0, 0.0, 0.0), constant(0.5), constant(0.5)),
            np.tile(np.array([[6.0], [0.0], [1.0]]), N),
            4.0,
            20,
        )
        np.testing.assert_allclose(places, free, rtol=0.0, atol=1e-12)


def test_it_is_of_second_weak_order():
    """On straight lines with |B| = exp(z^2/2) the drift is -kappa z: Ornstein & Uhlenbeck.

    Its variance is 1 in the end, and x/sinh(x) of that with x = kappa h in a split step.
    """
    n, kappa, late = 1 << 15, 0.5, 6.0
    medium = medium_of(
        (0.0, 0.0, 1.0, 0.0, 0.0, 0.0), constant(kappa), constant(0.0), 1.0, 0.0, 1.0
    )
    missing = []
    for h in (1.5, 3.0):
        places = moved(medium, np.zeros((3, n)), late, round(late / h))
        decayed = -math.expm1(-2.0 * kappa * late)
        x, square = kappa * h, places[2] ** 2 / decayed
        assert abs(square.mean() - x / math.sinh(x)) < 4.0 * math.sqrt(2.0 / n)
        missing.append(1.0 - square.mean())
    assert 2.7 < missing[1] / missing[0] < 4.5


def test_particles_know_nothing_of_those_beside_them():
    """Bits do not depend on lanes, nor on the call in which a particle goes or a step is made."""
    medium, starts = medium_of(BENT, **VARIED), evenly(150)
    zero, h, key = np.uint64(0), 0.2, (STILL, np.uint64(5), np.uint64(9))
    whole, part = starts.copy(), starts[:, 70:].copy()
    wander(medium, *key, zero, zero, h, 4, whole)
    wander(medium, *key, np.uint64(70), zero, h, 4, part)
    assert np.array_equal(whole[:, 70:], part)
    uniform = medium_of((1.0, 2.0, 2.0, 0.0, 0.0, 0.0), constant(0.5), constant(0.05))
    once, twice = starts.copy(), starts.copy() + 1.0
    wander(uniform, *key, zero, zero, h, 4, once)
    wander(uniform, *key, zero, zero, h, 1, twice)
    wander(uniform, *key, zero, np.uint64(1), h, 3, twice)
    np.testing.assert_allclose(twice, once + 1.0, atol=1e-12)  # and other places: the same numbers


def test_a_place_that_is_no_number_comes_back_and_holds_up_nobody():
    places = evenly(70)
    places[1, 3] = np.nan
    after = moved(medium_of(BENT, **VARIED), places, 0.4, 2)
    assert np.isnan(after[:3, 3]).all()
    assert np.isfinite(np.delete(after, 3, axis=1)).all()
