"""The split step along wandering lines: what is uniform stays uniform, and exact laws.

Field, profile and flow have many parameters, so that the kernel is compiled once for all of them.
"""

import math

import numpy as np
import pytest
from scipy import stats
from split_models import SIDE, Altered, Breath, Ripple, constant, lines_of

from mcprop.fields import UniformField, plane_waves, sample, turbulent_grid
from mcprop.kernels.flow import Backward
from mcprop.kernels.wander import wander
from mcprop.medium import FieldAligned

N = 10_000
LATTICE = np.indices((48, 48, 48)) * (SIDE / 48)


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


def medium_of(shape, parallel, perp, *changes, **named):
    return FieldAligned(lines_of(shape, parallel, perp, *changes, **named), parallel, perp)


def log_strength(places):
    """ln|B| of the wandering lines at (3, ...) places."""
    field = lines_of(BENT, constant(1.0), constant(0.1))
    return np.log(sample(field, np.moveaxis(places, 0, -1)).strength)


def moved(medium, starts, time, steps, flow=STILL, seed=7):
    """Places after `time` [yr] in that many steps; a fourth row holds the expansion met."""
    places, zero = np.vstack([starts, np.zeros(starts.shape[1])]), np.uint64(0)
    wander(medium, flow, np.uint64(seed), zero, zero, zero, time / steps, steps, places)
    return places


def evenly(n, seed=3):
    return np.random.default_rng(seed).uniform(0.0, SIDE, (3, n))


@pytest.fixture(scope="module")
def p_of(drift_test):
    """p-value of places (3, n) that fill a periodic box evenly, by all that could tell.

    `log_strength` is a function of places, `everywhere` what it is at those of a lattice.
    """

    def p(places, log_strength, everywhere):
        phases = [(places[0] + iy * places[1] + iz * places[2]) for iy, iz in (ALONG, ACROSS)]
        found = [stats.kstest(phase % SIDE / SIDE, "uniform").pvalue for phase in phases]
        away = log_strength(places).mean() - everywhere.mean()
        away *= math.sqrt(places.shape[1]) / everywhere.std()
        found.append(2.0 * stats.norm.sf(abs(away)))
        return 4.0 * min(*found, drift_test.p_uniform(places % SIDE))

    return p


@pytest.fixture(scope="module")
def p_even(p_of):
    """p-value of what fills a periodic box evenly and should go on doing so."""
    everywhere = log_strength(LATTICE)

    def p(step, n=16_000, time=5.0, **changes):
        medium = medium_of(BENT, **(VARIED | changes))
        places = moved(medium, evenly(n), time, round(time / step))[:3]
        return p_of(places, log_strength, everywhere)

    return p


@pytest.mark.parametrize("step", [0.1, 0.3])
def test_what_is_even_stays_so(p_even, step):
    """kappa_perp/kappa_parallel is 0.05 to 0.45; a step goes 0.4 or 0.8 pc along, of 6.3 pc."""
    assert p_even(step) > 1e-4


@pytest.mark.parametrize("wrong", list(PLANTED))
def test_what_is_left_out_is_noticed(p_even, wrong):
    n = 16_000 if "half" in wrong else 8000
    assert p_even(0.3, n, **PLANTED[wrong]) < 1e-6


MEAN = UniformField(0.9, -0.8, 1.0)
WAVES = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, -1], [0, 1, 2]]
TURNED = [[1, 0, 0], [0, 0, 1], [1, 0, 1], [1, -1, 0], [0, 1, 0], [1, 2, -1]]
STIRRED = Backward(Breath(0.3, 0.0, 0.5, 0.5))
"""A flow without sources that carries particles by half a pc in a step of 0.3 yr."""
NOTICED = {
    "no div b": {"power": 0.0},
    "the whole gradient of dk": {"tilt": -0.5},
    "a kick without gradient": {"perp": PLANTED["a kick without gradient"]["perp"]},
    "a flow with sources": {"flow": Backward(Breath(0.3, 0.3, 0.5, 0.5))},
}


def made_field(kind):
    """Turbulence that repeats itself in the box; of the waves |B| varies between 0.29 and 3.9."""
    if kind == "waves":
        return MEAN + plane_waves(WAVES, 0.45 * np.array(TURNED), [0.3, 1.2, 2.0, 3.1, 4.5, 5.2])
    return MEAN + turbulent_grid(16, SIDE / 16.0, 1.0, SIDE, SIDE / 4.0, seed=2)


@pytest.fixture(scope="module", params=["waves", pytest.param("grid", marks=pytest.mark.nightly)])
def p_stirred(p_of, request):
    """The same of particles in a field of the package, with all of it that can vary."""
    field = made_field(request.param)

    def log_strength(places):
        return np.log(sample(field, np.moveaxis(places, 0, -1)).strength)

    everywhere = log_strength(LATTICE)

    def p(step, n=16_000, time=5.0, power=1.0, tilt=0.0, flow=STIRRED, **changes):
        coefficients = VARIED | changes
        medium = FieldAligned(Altered(field, power, tilt, **coefficients), **coefficients)
        places = moved(medium, evenly(n), time, round(time / step), flow)[:3]
        return p_of(places, log_strength, everywhere)

    return p


@pytest.mark.parametrize("step", [pytest.param(0.1, marks=pytest.mark.nightly), 0.3])
def test_what_is_even_stays_so_in_a_field_and_a_flow(p_stirred, step):
    """Noise, drift, kicks and plasma, each with a coefficient of its own that varies."""
    assert p_stirred(step) > 1e-4


@pytest.mark.parametrize("wrong", list(NOTICED))
def test_what_is_wrong_in_a_field_and_a_flow_is_noticed(p_stirred, wrong):
    assert p_stirred(0.3, **NOTICED[wrong]) < 1e-6


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
