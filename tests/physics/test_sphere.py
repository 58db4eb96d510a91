"""A spherical region in a uniform gradient: the formula, finite elements and Monte Carlo agree."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import kstest

from mcprop.analytic.sphere import gradient_factor, polarisability
from mcprop.analytic.walled_sphere import gradient_factors
from mcprop.errors import RangeError
from mcprop.fields.uniform import UniformField
from mcprop.kernels.boundary import Unbounded
from mcprop.kernels.region import excursion, region_walk, uniform_of
from mcprop.kernels.rng import six_normals, threefry
from mcprop.kernels.step import euler
from mcprop.protocol import drift, implements, kappa, kernel, weight
from mcprop.region import Gradients, Region
from mcprop.region_job import RegionJob
from mcprop.transport import Outcome, run_job

RADIUS = 20.0
STEP_BIAS = 0.003
"""Largest relative bias by the length of a step that the tests allow for."""

TENSORS = [(1.0, 0.03), (1.0, 0.122), (1.0, 0.5), (3.0, 0.1), (0.5, 0.2)]  # parallel, perp


def simulated(region, n=8000, **options):
    outcome = run_job(RegionJob(("sphere", n), region, **options), 20, 0, n, 0)
    assert outcome.fates.tolist() == [n, 0, 0, 0]
    return Gradients.of(outcome.moments)


def assert_close(value, sigma, expected, bias):
    assert abs(value - expected) < 4.0 * sigma + bias * expected


# --- the formula ----------------------------------------------------------------------------------


def test_limits_of_the_formula():
    assert gradient_factor(3.0, 3.0) == 1.0
    assert gradient_factor(3.0, 0.0) == 1.5
    assert gradient_factor(2.0, 1e9) == pytest.approx(6e-9, rel=1e-8)
    assert gradient_factor(1.0, 0.2, 20.0, 1e6) == pytest.approx(gradient_factor(1.0, 0.2))
    assert polarisability(1.0, 0.0) == 0.5
    assert polarisability(1.0, 1e9) == pytest.approx(-1.0)


@pytest.mark.parametrize("inside", [0.0, 0.03, 0.5, 4.0])
@pytest.mark.parametrize("boundary", [30.0, 200.0])
def test_density_and_flux_are_continuous(inside, boundary):
    """The field that the two functions stand for solves the problem, its boundary included."""
    a, outside = RADIUS, 0.7
    within = gradient_factor(outside, inside, a, boundary)
    moment = polarisability(outside, inside) * a**3
    beyond = 1.0 / (1.0 + moment / boundary**3)

    def u(r):  # over cos(theta)
        return within * r if r < a else beyond * (r + moment / r**2)

    assert u(boundary) == pytest.approx(boundary, rel=1e-12)
    assert u(a * (1 + 1e-12)) == pytest.approx(u(a * (1 - 1e-12)), rel=1e-10)
    h = 1e-4
    flux_in = inside * (u(a - h) - u(a - 3 * h)) / (2 * h)
    flux_out = outside * (u(a + 3 * h) - u(a + h)) / (2 * h)
    assert flux_out == pytest.approx(flux_in, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0.0, 1.0), "outside the sphere, 0.0"),
        ((1.0, -1.0), "inside the sphere, -1.0"),
        ((1.0, 1.0, 20.0, 10.0), "radius 20.0 pc"),
    ],
)
def test_the_formula_refuses(arguments, complaint):
    with pytest.raises(RangeError, match=complaint):
        gradient_factor(*arguments)


# --- finite elements behind a smooth wall ---------------------------------------------------------


@pytest.mark.parametrize("inside", [0.05, 5.0])
def test_finite_elements_against_a_radial_equation(inside):
    """With an isotropic tensor only the first harmonic is left, an ordinary equation."""
    wall = 6.0

    def profile(r):
        t = min(max((r - RADIUS) / wall + 0.5, 0.0), 1.0)
        slope = 30.0 * t**2 * (1 - t) ** 2 / wall
        return inside + (1.0 - inside) * t**3 * (10 - 15 * t + 6 * t * t), (1.0 - inside) * slope

    def equation(r, state):
        u, flux = state  # flux = kappa u'
        value, _ = profile(r)
        return [flux / value, 2.0 * value * u / r**2 - 2.0 * flux / r]

    inner, outer = RADIUS - wall / 2, RADIUS + wall / 2
    u, flux = solve_ivp(
        equation, (inner, outer), [inner, inside], rtol=1e-10, atol=1e-12, method="DOP853"
    ).y[:, -1]
    far = (flux + 2.0 * u / outer) / 3.0  # u = far r + moment / r^2 beyond
    factors = gradient_factors(1.0, inside, inside, RADIUS, wall)
    np.testing.assert_allclose(factors, 1.0 / far, rtol=1e-6)


@pytest.mark.parametrize(("parallel", "perp"), TENSORS)
def test_a_thin_wall_is_the_formula(parallel, perp):
    sharp = np.array([gradient_factor(1.0, parallel), gradient_factor(1.0, perp)])
    off = [
        np.array(gradient_factors(1.0, parallel, perp, RADIUS, RADIUS / n)) / sharp - 1.0
        for n in (5, 10, 20, 40)
    ]
    assert np.all(np.abs(off[-1]) < 3.5e-3)
    extrapolated = 2.0 * off[-1] - off[-2]  # linear in the thickness
    np.testing.assert_allclose(extrapolated, 0.0, atol=3e-4)
    if parallel == 1.0:
        np.testing.assert_allclose([one[0] for one in off], 0.0, atol=1e-9)


def test_finite_elements_refuse():
    with pytest.raises(RangeError, match="all be positive"):
        gradient_factors(1.0, 1.0, 0.0, 20.0, 1.0)
    with pytest.raises(RangeError, match=r"wall 30\.0 pc"):
        gradient_factors(1.0, 1.0, 0.1, 20.0, 30.0)


# --- excursions outside ---------------------------------------------------------------------------


@pytest.mark.parametrize("tilt", [1.0, 1.4, 0.6])
def test_returns_have_the_means_of_harmonic_functions(tilt):
    """1, x and x^2 - y^2 on the sphere continue as r^-3, x r^-5 and (x^2 - y^2) r^-7 outside."""
    rng, n, edge = np.random.default_rng(3), 20000, 2.0
    place = np.array([1.5, 0.5, -0.4, 2.0, 1.0])
    r = float(np.linalg.norm(place))
    met, ended = np.zeros((n, 3)), 0.0
    for k, normals in enumerate(rng.normal(size=(n, 6))):
        v = normals[:5] / np.linalg.norm(normals[:5])
        u = uniform_of(float(normals @ normals))
        q, left, factor = excursion(Unbounded(), edge, tilt, r, place, v, u)
        if left:
            ended += factor
            continue
        assert np.linalg.norm(q) == pytest.approx(edge)
        met[k] = factor * np.array([1.0, q[3], q[3] ** 2 - q[1] ** 2])
    ratio, square = edge / r, place[3] ** 2 - place[1] ** 2
    expected = np.array([ratio**3, place[3] * ratio**5, square * ratio**7])
    sigma = met.std(axis=0) / math.sqrt(n)
    assert np.all(np.abs(met.mean(axis=0) - expected) < 4.0 * sigma)
    assert ended / n == pytest.approx(1.0 - ratio**3, abs=4.0 * tilt * sigma[0] / min(tilt, 1.0))


def test_uniform_numbers_from_the_length_of_normal_ones():
    normals = np.random.default_rng(5).normal(size=(5000, 6))
    numbers = [uniform_of(float(row @ row)) for row in normals]
    assert kstest(numbers, "uniform").pvalue > 1e-4


# --- Monte Carlo ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("parallel", "perp"), TENSORS)
def test_monte_carlo_against_finite_elements(parallel, perp):
    """At the same thick wall, so nothing but noise and the step may be between the two."""
    region = Region(RADIUS, parallel, perp, 1.0, RADIUS / 5)
    found = simulated(region)
    expected = gradient_factors(1.0, parallel, perp, RADIUS, RADIUS / 5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors[1] < 6e-3
    assert_close(found.perp, errors[1], expected[1], STEP_BIAS)
    assert_close(found.parallel, errors[0], expected[0], STEP_BIAS)


@pytest.mark.parametrize(("parallel", "perp"), TENSORS[:4])
def test_monte_carlo_against_the_formula(parallel, perp):
    """With the default wall, whose bias is stated."""
    found = simulated(Region(RADIUS, parallel, perp, 1.0), n=3000)
    errors = np.sqrt(np.diag(found.covariance))
    allowed = STEP_BIAS + 0.0035
    assert_close(found.perp, errors[1], gradient_factor(1.0, perp), allowed)
    assert_close(found.parallel, errors[0], gradient_factor(1.0, parallel), allowed)


def test_wall_scan_extrapolates_to_the_formula():
    thick, thin = (simulated(Region(RADIUS, 1.0, 0.122, 1.0, RADIUS / n), n=20000) for n in (5, 10))
    sigma = math.sqrt(4.0 * thin.covariance[1, 1] + thick.covariance[1, 1])
    expected = gradient_factor(1.0, 0.122)
    assert thick.perp - expected > 4.0 * math.sqrt(thick.covariance[1, 1])  # the wall shows
    assert_close(2.0 * thin.perp - thick.perp, sigma, expected, STEP_BIAS)


@pytest.mark.parametrize(("along", "across"), [(0.0, 12.0), (-9.0, 5.0), (15.0, 0.0)])
def test_the_gradient_is_uniform_inside(along, across):
    found = simulated(Region(RADIUS, 0.5, 0.122, 1.0), n=4000, along=along, across=across)
    errors = np.sqrt(np.diag(found.covariance))
    allowed = STEP_BIAS + 0.0035
    assert_close(found.perp, errors[1], gradient_factor(1.0, 0.122), allowed)
    assert_close(found.parallel, errors[0], gradient_factor(1.0, 0.5), allowed)


def test_a_boundary_at_a_finite_distance():
    found = simulated(Region(RADIUS, 1.0, 0.122, 1.0), n=15000, boundary=35.0)
    expected = gradient_factor(1.0, 0.122, RADIUS, 35.0)
    sigma = math.sqrt(found.covariance[1, 1])
    assert_close(found.perp, sigma, expected, STEP_BIAS + 0.0035)
    assert abs(gradient_factor(1.0, 0.122) - expected) > 10.0 * sigma  # it matters


def test_the_tilt_changes_the_noise_alone():
    axis, n = Region(RADIUS, 1.0, 0.122, 1.0).axis(along=False), 3000

    def weights(tilt, stream):
        scores, fates = np.empty(n), np.zeros(4, np.int64)
        axis_, key = axis._replace(tilt=tilt), np.uint64(4)
        first = np.uint64(0)
        region_walk(axis_, Unbounded(), np.zeros(3), key, np.uint64(stream), first, scores, fates)
        return scores

    plain, tilted = weights(1.0, 1), weights(axis.tilt, 2)
    assert plain.std() > 3.0 * tilted.std()
    assert abs(plain.mean() - tilted.mean()) < 4.0 * math.hypot(plain.std(), tilted.std()) / n**0.5


class Lame(NamedTuple):
    """The sphere, with the gradient of its weight multiplied by `share`: a drift that is wrong."""

    sphere: object
    share: float


@implements(weight, Lame)
def _(region, x, y, z):
    value, gx, gy, gz = weight(region.sphere, x, y, z)
    return value, region.share * gx, region.share * gy, region.share * gz


def test_a_planted_bias_is_caught():
    region = Region(RADIUS, 1.0, 0.122, 1.0, RADIUS / 5)
    expected = gradient_factors(1.0, 1.0, 0.122, RADIUS, RADIUS / 5)[1]
    n, off = 4000, {}
    for share in (1.0, 0.5, 0.0):
        axis = region.axis(along=False)
        axis = axis._replace(sphere=Lame(axis.sphere, share))
        scores, fates = np.empty(n), np.zeros(4, np.int64)
        key = np.uint64(11)
        region_walk(axis, Unbounded(), np.zeros(3), key, key, np.uint64(0), scores, fates)
        allowed = 4.0 * scores.std() / math.sqrt(n) + STEP_BIAS * expected
        off[share] = abs(scores.mean() - expected) / allowed
    assert off[1.0] < 1.0
    assert off[0.5] > 5.0
    assert off[0.0] > 5.0


# --- the same medium by other means ---------------------------------------------------------------

B_HAT = UniformField(0.6, 0.0, 0.8)


@kernel
def leave(medium, start, radius, h, seed, ends):
    """Walks by plain Euler steps from `start` until they are farther than `radius`."""
    for j in range(ends.shape[0]):
        x, y, z = start[0], start[1], start[2]
        block = np.uint64(0)
        while x * x + y * y + z * z < radius * radius:
            w0, w1 = threefry(np.uint64(j), block, seed, seed)
            n0, n1, n2, _, _, _ = six_normals(w0, w1)
            x, y, z = euler(medium, x, y, z, n0, n1, n2, h, math.sqrt(2.0 * h))
            block += np.uint64(1)
        ends[j, 0], ends[j, 1], ends[j, 2] = x, y, z


def test_an_ordinary_walk_through_the_same_medium():
    """Mean place of exit in three dimensions, in other axes, with the package's media."""
    region = Region(RADIUS, 1.0, 0.122, 1.0, 10.0)
    e_perp = np.array([0.8, 0.0, -0.6])
    ends, boundary, across = np.empty((80000, 3)), 60.0, 10.0
    leave(region.medium(B_HAT), across * e_perp, boundary, 3.0, np.uint64(7), ends)
    excess = ends @ e_perp / across
    sigma = excess.std() / math.sqrt(len(excess))
    lifted = simulated(region, n=20000, across=across, boundary=boundary)
    assert sigma < 0.015
    both = math.hypot(sigma, math.sqrt(lifted.covariance[1, 1]))
    assert_close(excess.mean(), both, lifted.perp, 0.01)


def test_the_walk_has_the_medium_of_the_package():
    """Coefficients and drift on the axes of the region are those of the blend."""
    region = Region(RADIUS, 2.0, 0.3, 1.0, 5.0)
    medium = region.medium(UniformField(0.0, 0.0, 1.0))
    for r in (5.0, 18.0, 20.0, 21.5, 30.0):
        value, slope, _, _ = weight(region.axis(along=True).sphere, r, 0.0, 0.0)
        xx, _, _, _, _, zz = kappa(medium, 0.0, r, 0.0)
        assert xx == pytest.approx(1.0 + value * (0.3 - 1.0))
        assert zz == pytest.approx(1.0 + value * (2.0 - 1.0))
        across, along = drift(medium, 0.0, r, 0.0)[1], drift(medium, 0.0, 0.0, r)[2]
        assert across == pytest.approx(slope * (0.3 - 1.0))
        assert along == pytest.approx(slope * (2.0 - 1.0))


# --- the job --------------------------------------------------------------------------------------


def test_batches_add_up_to_the_whole():
    job = RegionJob(("sum",), Region(RADIUS, 2.0, 0.3, 1.0, 5.0))
    parts = Outcome() + run_job(job, 5, 0, 130, 0) + run_job(job, 5, 130, 270, 0)
    whole = run_job(job, 5, 0, 400, 0)
    np.testing.assert_allclose(parts.moments.mean, whole.moments.mean, rtol=1e-12)
    np.testing.assert_allclose(parts.moments.scatter, whole.moments.scatter, rtol=1e-9, atol=1e-12)
    assert parts.fates.tolist() == whole.fates.tolist() == [400, 0, 0, 0]


def test_gradients_as_a_tensor():
    axis = np.array([0.6, 0.0, 0.8])
    found = Gradients(1.0, 1.4, np.diag([0.01, 0.04]))
    inside, covariance = found.inside(np.array([2.0, 3.0, 0.0]), axis)
    along = 1.2 * axis
    np.testing.assert_allclose(inside, along + 1.4 * (np.array([2.0, 3.0, 0.0]) - along))
    np.testing.assert_allclose(inside, found.tensor(axis) @ [2.0, 3.0, 0.0])
    assert axis @ covariance @ axis == pytest.approx(0.01 * 1.2**2)
    assert covariance[1, 1] == pytest.approx(0.04 * 9.0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0.0, 1.0, 1.0, 1.0), "radius = 0.0"),
        ((20.0, 1.0, 0.0, 1.0), "perp = 0.0"),
        ((20.0, 1.0, 1.0, math.nan), "outside = nan"),
        ((20.0, 1.0, 1.0, 1.0, 25.0), "wall = 25.0 pc"),
    ],
)
def test_a_region_refuses(arguments, complaint):
    with pytest.raises(RangeError, match=complaint):
        Region(*arguments)


def test_a_job_refuses_a_place_or_a_boundary_in_the_wall():
    region = Region(RADIUS, 1.0, 0.1, 1.0)
    with pytest.raises(RangeError, match=r"along = 19\.9"):
        RegionJob(("x",), region, along=19.9)
    with pytest.raises(RangeError, match=r"boundary = 20\.0"):
        RegionJob(("x",), region, boundary=20.0)
    with pytest.raises(RangeError, match=r"step = 0\.0"):
        RegionJob(("x",), region, step=0.0)
