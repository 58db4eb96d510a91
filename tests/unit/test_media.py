"""Every medium, profile, region and field: tensor, root, drift and units agree."""

import math
from collections.abc import Callable

import numpy as np
import pytest

import mcprop.medium as media
from mcprop.fields import UniformField
from mcprop.kernels.step import Euler, Heun, default_stepper, time_step
from mcprop.kernels.tensor import cholesky
from mcprop.medium.check import divergence_by_differences, matrix
from mcprop.protocol import (
    UNLIMITED,
    coefficient,
    drift,
    is_scalar,
    kappa,
    kernel,
    largest,
    noise,
    step_scale,
    weight,
)

# Each takes the units of length and of time in which its numbers are to be written.
Medium = Callable[[float, float], tuple]


def sdp(pc, yr):
    d0 = 1.614e-1 * pc**2 / yr
    return media.SdpCoefficient(
        d0, math.log(250.0), 0.58, 0.62, 500.0 * pc, 8500.0 * pc, 1.69, 3.33, 200.0 * pc
    )


def constant(value, pc, yr):
    return media.Constant(value * pc**2 / yr)


def aligned(pc, yr):
    parallel, perp = 0.7 * pc**2 / yr, 7e-3 * pc**2 / yr
    return media.Aligned(UniformField(1.0, -2.0, 0.5), parallel, perp, 0.0, 0.0, 0.0)


def along_field(pc, yr):
    field = UniformField(1.0, 2.0, -0.5)
    return media.FieldAligned(field, sdp(pc, yr), constant(0.02, pc, yr))


def slow_ball(pc, yr):
    region = media.Sphere(100.0 * pc, -50.0 * pc, 20.0 * pc, 600.0 * pc, 200.0 * pc)
    inside = media.Isotropic(constant(0.01, pc, yr))
    return media.Blend(inside, media.Isotropic(sdp(pc, yr)), region)


def everything(pc, yr):
    region = media.Sphere(0.0, 300.0 * pc, 0.0, 900.0 * pc, 300.0 * pc)
    total = media.Sum(slow_ball(pc, yr), aligned(pc, yr))
    return media.Blend(total, along_field(pc, yr), region)


MEDIA: dict[str, Medium] = {
    "constant": lambda pc, yr: media.Isotropic(constant(0.3, pc, yr)),
    "sdp": lambda pc, yr: media.Isotropic(sdp(pc, yr)),
    "aligned": aligned,
    "along field": along_field,
    "slow ball": slow_ball,
    "sum": lambda pc, yr: media.Sum(slow_ball(pc, yr), along_field(pc, yr)),
    "everything": everything,
}
PLACES = np.random.default_rng(4).uniform(-900.0, 900.0, (40, 3))
NORMALS = np.random.default_rng(5).normal(size=(40, 3))


def types_in(model):
    """Types of a model and of its parts."""
    if not hasattr(model, "_fields"):
        return set()
    return {type(model)}.union(*map(types_in, model))


def test_every_model_of_the_package_stands_in_an_example():
    answering = set().union(*(f.answers for f in (kappa, noise, drift, coefficient, weight)))
    ours = {model for model in answering if model.__module__.startswith("mcprop.medium.")}
    public = {getattr(media, name) for name in media.__all__}
    used = set().union(*(types_in(make(1.0, 1.0)) for make in MEDIA.values()))
    assert ours <= public
    assert ours <= used
    assert len(ours) >= 8


@pytest.mark.parametrize("name", MEDIA)
def test_tensor_is_positive_and_its_root_gives_it_back(name):
    medium = MEDIA[name](1.0, 1.0)
    for place in PLACES:
        tensor = matrix(medium, place)
        assert np.linalg.eigvalsh(tensor).min() > 0.0
        root = np.array([noise(medium, *place, *unit) for unit in np.eye(3)]).T
        np.testing.assert_allclose(root @ root.T, tensor, atol=1e-13 * np.trace(tensor))
        bound = largest(medium, *place)
        top = np.linalg.eigvalsh(tensor).max()
        assert top * (1.0 - 1e-12) <= bound <= 3.0 * top


@pytest.mark.parametrize("name", MEDIA)
def test_drift_is_the_divergence_by_differences(name):
    medium = MEDIA[name](1.0, 1.0)
    for place in PLACES:
        expected = divergence_by_differences(medium, place, 1e-3)
        size = np.trace(matrix(medium, place)) / 200.0
        np.testing.assert_allclose(drift(medium, *place), expected, rtol=1e-6, atol=1e-8 * size)


@pytest.mark.parametrize("name", MEDIA)
def test_units_go_round(name):
    """The same medium in units of 1/3 pc and 1/7 yr gives the same tensor, drift and lengths."""
    pc, yr = 3.0, 7.0
    one, other = MEDIA[name](1.0, 1.0), MEDIA[name](pc, yr)
    for place, normal in zip(PLACES, NORMALS, strict=True):
        there = pc * place
        for function, unit in ((kappa, pc**2 / yr), (drift, pc / yr)):
            expected = unit * np.array(function(one, *place))
            np.testing.assert_allclose(
                function(other, *there), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max()
            )
        expected = pc / math.sqrt(yr) * np.array(noise(one, *place, *normal))
        np.testing.assert_allclose(noise(other, *there, *normal), expected, rtol=1e-9)
        if step_scale(one, *place) < 0.1 * UNLIMITED:
            scale = step_scale(one, *place)
            assert step_scale(other, *there) == pytest.approx(pc * scale, rel=1e-5)
            h = time_step(one, *place, 0.2)
            assert time_step(other, *there, 0.2) == pytest.approx(yr * h, rel=1e-5)
            assert 2.0 * largest(one, *place) * h == pytest.approx((0.2 * scale) ** 2)


@pytest.mark.parametrize("name", MEDIA)
def test_steps_vary_slowly(name):
    """By about the way between two places at most, so that a step of a fifth varies by a fifth."""
    medium = MEDIA[name](1.0, 1.0)
    for place, normal in zip(PLACES, NORMALS, strict=True):
        ahead = place + 1e-2 * normal / np.linalg.norm(normal)
        change = abs(step_scale(medium, *ahead) - step_scale(medium, *place))
        assert change <= 1.2e-2


@kernel
def all_answers(medium, places, normals, out):
    for i in range(out.shape[0]):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        out[i, :6] = np.array(kappa(medium, x, y, z))
        out[i, 6:9] = np.array(drift(medium, x, y, z))
        n0, n1, n2 = normals[i, 0], normals[i, 1], normals[i, 2]
        out[i, 9:] = np.array(noise(medium, x, y, z, n0, n1, n2))


@pytest.mark.parametrize("name", ["sdp", "everything"])
def test_kernels_get_the_same_answers(name):
    medium = MEDIA[name](1.0, 1.0)
    out = np.empty((len(PLACES), 12))
    all_answers(medium, PLACES, NORMALS, out)
    for row, place, normal in zip(out, PLACES, NORMALS, strict=True):
        plain = (*kappa(medium, *place), *drift(medium, *place), *noise(medium, *place, *normal))
        np.testing.assert_allclose(row, plain, rtol=1e-12, atol=1e-16)


def test_scalar_media_are_known_and_take_heun():
    scalar = {name for name, make in MEDIA.items() if is_scalar(make(1.0, 1.0))}
    assert scalar == {"constant", "sdp", "slow ball"}
    for name, make in MEDIA.items():
        assert type(default_stepper(make(1.0, 1.0))) is (Heun if name in scalar else Euler)


def halo(x, y, z, n_m=0.62, disc=500.0, r_sun=8500.0, height=200.0, d0=0.1614, slope=0.58):
    """D(r, z) as it is printed, at 1 TV over 4 GV."""
    r = math.hypot(x, y)
    f = (r / r_sun) ** 1.69 * math.exp(-3.33 * (r - r_sun) / r_sun) * math.exp(-abs(z) / height)
    g = n_m / (1.0 + f)
    shape = g + (1.0 - g) * (abs(z) / disc) ** 4 if abs(z) <= disc else 1.0
    return d0 * shape * 250.0 ** (slope * shape)


@pytest.mark.parametrize("z", [0.0, 20.0, -130.0, 499.0, -501.0, 3000.0])
@pytest.mark.parametrize("r", [1.0, 3000.0, 8500.0, 19000.0])
def test_sdp_coefficient_is_the_printed_formula(r, z):
    x, y = 0.6 * r, -0.8 * r
    value, ux, uy, uz = coefficient(sdp(1.0, 1.0), x, y, z)
    assert value == pytest.approx(halo(x, y, z), rel=1e-13)
    step = 1e-3
    along_x = (halo(x + step, y, z) - halo(x - step, y, z)) / (2.0 * step)
    along_z = (halo(x, y, z + step) - halo(x, y, z - step)) / (2.0 * step)
    assert ux == pytest.approx(along_x, rel=1e-5, abs=1e-11)
    assert uy == pytest.approx(-along_x * 4.0 / 3.0, rel=1e-5, abs=1e-11)
    assert uz == pytest.approx(along_z, rel=1e-5, abs=1e-11)


def test_sdp_coefficient_is_finite_on_the_axis():
    for z in (0.0, 100.0, -700.0):
        found = coefficient(sdp(1.0, 1.0), 0.0, 0.0, z)
        assert all(map(math.isfinite, found))
        assert found[1:3] == (0.0, 0.0)
        assert found[0] == pytest.approx(halo(0.0, 0.0, z), rel=1e-12)
        near = coefficient(sdp(1.0, 1.0), 1e-3, 0.0, z)
        assert found == pytest.approx(near, rel=1e-6, abs=1e-6)


def test_weight_of_a_sphere_is_twice_smooth():
    region = media.Sphere(1.0, 2.0, 3.0, 10.0, 4.0)
    assert weight(region, 1.0, 2.0, 3.0) == (1.0, 0.0, 0.0, 0.0)
    assert weight(region, 1.0, 2.0 + 7.9, 3.0) == (1.0, 0.0, 0.0, 0.0)
    assert weight(region, 1.0 - 12.1, 2.0, 3.0) == (0.0, 0.0, 0.0, 0.0)
    assert weight(region, 11.0, 2.0, 3.0)[0] == pytest.approx(0.5)
    x = np.linspace(7.0, 13.0, 6001)
    w = np.array([weight(region, 1.0 + d, 2.0, 3.0) for d in x])
    np.testing.assert_allclose(np.gradient(w[:, 0], x)[1:-1], w[1:-1, 1], atol=1e-5)
    second = np.gradient(w[:, 1], x)
    assert np.abs(np.diff(second)).max() < 1e-2 * np.abs(second).max()


def test_field_that_vanishes_leaves_the_perpendicular_coefficient():
    nothing = UniformField(0.0, 0.0, 0.0)
    medium = media.FieldAligned(nothing, media.Constant(1.0), media.Constant(0.1))
    assert kappa(medium, 1.0, 2.0, 3.0) == (0.1, 0.0, 0.0, 0.1, 0.0, 0.1)
    assert drift(medium, 1.0, 2.0, 3.0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "make", [lambda unit: np.outer(unit, unit), lambda unit: np.diag(unit == unit.max()) * 2.0]
)
def test_cholesky_root_of_a_singular_tensor(make):
    """Without diffusion across, the root is that of the one direction, without noise beside it."""
    for unit in np.vstack([NORMALS, np.eye(3), [[1.0, 1e-9, 0.0]]]):
        t = make(unit)
        l00, l10, l11, l20, l21, l22 = cholesky(*t[np.triu_indices(3)])
        root = np.array([[l00, 0.0, 0.0], [l10, l11, 0.0], [l20, l21, l22]])
        np.testing.assert_allclose(root @ root.T, t, atol=1e-12 * np.trace(t))


def test_a_wrong_sign_would_be_seen():
    """A planted reversal is far beyond the tolerance of the comparison with differences."""
    medium = everything(1.0, 1.0)
    for place in PLACES:
        given = np.array(drift(medium, *place))
        if np.abs(given).max() > 0.0:
            expected = divergence_by_differences(medium, place, 1e-3)
            assert np.abs(given + expected).max() > 0.1 * np.abs(given).max()
