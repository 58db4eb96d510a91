"""What every magnetic field has to hold: a vector in uG wherever it is asked for, no sources, the
derivatives that belong to it, one answer for a place and for a block, its request (strength and
spectrum), its seed.

A new field needs an entry in `EXAMPLES`; whatever it approximates, it states there how well.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from field_survey import Answers, survey_of
from requested_slopes import given_array, of_modes, of_waves
from scipy import stats

import mcprop.fields as fields
from mcprop.kernels.lanes import LANES
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.protocol import b_block, b_gradient, b_vector, implements


class Example(NamedTuple):
    """A field and how well it does what it promises.

    Tolerances are in units of the root mean square of the field, or of its gradient.
    """

    name: str
    make: Callable[..., Any]  # from its seed; if random, with another slope if one is given
    rms: float | None = None  # root mean square that was asked for [uG]: of random fields only
    slopes: float = 0.0  # mean square gradient that was asked for [uG^2/pc^2]
    sources: float = 1e-12  # largest |div B| by its own gradient
    smooth: float = 1e-8  # largest difference between its gradient and differences of the field


def wandering(geometry: str, rms: float = 2.0, **options: Any) -> Example:
    request = {"longest": 100.0, "shortest": 20.0, "waves": 36} | options
    name = "-".join([geometry, *map(str, options.values())])
    bends = request.get("spectrum") == "bendover"
    slopes = of_waves(geometry, rms, request["longest"], request["shortest"], bends=bends)

    def make(seed: int, **slope: float) -> Any:
        return fields.turbulence(geometry, rms, seed=seed, **request, **slope)

    return Example(name, make, rms, slopes)


BOX = {"rms": 2.0, "points": 24, "spacing": 5.0, "longest": 100.0, "shortest": 20.0}


def grid(interpolation: str, **known: float) -> Example:
    """Turbulence on a grid; its derivatives bend (or jump, if linear) from cell to cell."""

    def make(seed: int, **slope: float) -> Any:
        request = {"longest": 100.0, "shortest": 20.0, "interpolation": interpolation} | slope
        return fields.turbulent_grid(24, 5.0, 2.0, seed=seed, **request)

    return Example(f"{interpolation}-grid", make, 2.0, of_modes(interpolation, **BOX), **known)


def loaded(seed: int, **slope: float) -> fields.PotentialGrid:
    """An array of somebody's; what the interpolation adds to its strength is below 1e-4."""
    return fields.load_grid(given_array(seed, **BOX, **slope), 5.0)


def waves_32_bits(seed: int, **slope: float) -> fields.FastPlaneWaves:
    request = {"longest": 100.0, "shortest": 20.0, "waves": 36} | slope
    return fields.fast_plane_waves(fields.turbulence("isotropic", 2.0, seed=seed, **request))


def mean_and_waves(seed: int, **slope: float) -> fields.Sum:
    return fields.wandering_field(3.0, 0.3, "isotropic", 100.0, 20.0, 30, seed=seed, **slope)


def strong(seed: int, **slope: float) -> fields.Sum:
    return fields.strong_range(3.0, 0.5, 100.0, 5.0, 36, seed=seed, **slope)


EXAMPLES: dict[str, list[Example]] = {
    "UniformField": [
        Example("uniform", lambda seed: fields.UniformField(1.0, -2.0, 0.5)),
        Example("along-z", lambda seed: fields.UniformField(0.0, 0.0, 3.0)),
    ],
    "PlaneWaves": [
        wandering("isotropic"),
        wandering("isotropic", waves=201, shortest=1.0),
        wandering("slab", spectrum="bendover"),
        wandering("slab"),
        wandering("2d"),
        wandering("composite"),
        wandering("critically-balanced"),
    ],
    "PotentialGrid": [
        grid("potential", smooth=1e-4),
        Example("array", loaded, 2.0, of_modes("potential", **BOX, given=True), smooth=1e-4),
    ],
    "SplineGrid": [grid("spline", sources=0.02, smooth=1e-6)],
    "TrilinearGrid": [grid("trilinear", sources=0.6, smooth=0.05)],
    "FastPlaneWaves": [
        Example(
            "32-bits",
            waves_32_bits,
            2.0,
            of_waves("isotropic", 2.0, 100.0, 20.0),
            smooth=1e-2,  # 5e-6 of the field, over a thousandth of a wavelength
        )
    ],
    "Sum": [
        Example(
            "mean-field-and-waves",
            mean_and_waves,
            math.hypot(3.0, 0.9),
            of_waves("isotropic", 0.9, 100.0, 20.0),
        ),
        Example(  # M_A = 1/2: a quarter of mean field, of scale and of cone
            "strong-range",
            strong,
            math.hypot(3.0, 0.75),
            of_waves("critically-balanced", 0.75, 25.0, 5.0, cone=0.25),
        ),
    ],
}
ALL = [example for examples in EXAMPLES.values() for example in examples]
RANDOM = [example for example in ALL if example.rms is not None]

every = pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
random = pytest.mark.parametrize("example", RANDOM, ids=lambda example: example.name)

PLACES = np.random.default_rng(1).uniform(-300.0, 300.0, (LANES, 3))
FAR = np.random.default_rng(2).uniform(-1e5, 1e5, (40 * LANES, 3))
SOME = FAR[: 5 * LANES]


@cache
def near(example: Example) -> tuple[Any, Answers]:
    """A realisation and its answers at the places."""
    model = example.make(1)
    return model, survey_of(model, PLACES)


def size(values: np.ndarray) -> float:
    """Root mean square length of vectors or matrices, one to a row."""
    return math.sqrt(float(np.mean(np.sum(values**2, axis=tuple(range(1, values.ndim))))))


def slopes(model: Any, points: np.ndarray, step: float) -> np.ndarray:
    """Derivatives from the field alone, by differences of the fourth order."""
    columns = []
    for axis in np.eye(3):
        out = [survey_of(model, points + n * step * axis).vector for n in (-2, -1, 1, 2)]
        columns.append((out[0] - 8.0 * out[1] + 8.0 * out[2] - out[3]) / (12.0 * step))
    return np.stack(columns, axis=-1)


# ---- the battery: each of these must hold, and is shown further down to notice what does not


def check_finite(seen: Answers) -> None:
    assert all(np.isfinite(part).all() for part in seen)


def check_sources(seen: Answers, tolerance: float) -> None:
    divergence = np.trace(seen.gradient, axis1=1, axis2=2)
    assert np.abs(divergence).max() <= tolerance * size(seen.gradient)


def check_gradient(model: Any, seen: Answers, tolerance: float) -> None:
    found = slopes(model, PLACES, 1e-3 * min(seen.scale.min(), 1e3))
    assert np.abs(found - seen.gradient).max() <= tolerance * size(seen.gradient)


def check_block(seen: Answers) -> None:
    np.testing.assert_array_equal(seen.block.view(np.uint64), seen.vector.view(np.uint64))


def check_rms(seen: Answers, rms: float) -> None:
    squares = np.sum(seen.vector**2, axis=1)
    error = squares.std(ddof=1) / math.sqrt(len(squares))
    assert abs(squares.mean() - rms**2) < 4.0 * error


def check_slopes(found: np.ndarray, wanted: float) -> None:
    """Mean square gradients of realisations have the mean of the spectrum that was asked for."""
    assert stats.ttest_1samp(found, wanted).pvalue > 1e-4


def check_scale(seen: Answers) -> None:
    """No field varies faster than a wave as long as its step scale."""
    assert seen.scale.min() > 0.0
    assert size(seen.gradient * seen.scale[:, None, None]) <= 2.0 * math.pi * size(seen.vector)


def test_every_public_field_has_an_example_here():
    public = {name: getattr(fields, name) for name in fields.__all__}
    models = {n for n, one in public.items() if isinstance(one, type) and hasattr(one, "_fields")}
    assert set(EXAMPLES) == models
    for name, examples in EXAMPLES.items():
        assert all(type(example.make(1)) is public[name] for example in examples)


def test_names_of_examples_differ():
    assert len({example.name for example in ALL}) == len(ALL)


@every
def test_field_is_finite(example):
    check_finite(near(example)[1])


@every
def test_field_has_no_sources(example):
    check_sources(near(example)[1], example.sources)


@every
def test_gradient_is_that_of_the_field(example):
    check_gradient(*near(example), example.smooth)


@every
def test_a_block_has_the_bits_of_its_places(example):
    check_block(near(example)[1])


@every
def test_field_varies_on_its_scale(example):
    check_scale(near(example)[1])


@random
def test_field_is_as_strong_as_requested(example):
    check_rms(survey_of(example.make(1), FAR), example.rms)


def mean_squares(example: Example, seeds: int, **slope: float) -> np.ndarray:
    """Mean square gradient [uG^2/pc^2] of each of many realisations."""
    found = [fields.sample(example.make(seed, **slope), SOME).gradients for seed in range(seeds)]
    return np.sum(np.square(found), axis=(2, 3)).mean(axis=1)


@pytest.mark.parametrize(
    ("seeds", "wrong"), [(32, 2.0), pytest.param(200, 1.8, marks=pytest.mark.nightly)]
)
@random
def test_field_has_the_spectrum_that_was_requested(example, seeds, wrong):
    """The scatter of 32 seeds leaves an error of 0.5 to 3 per cent, a slope of 2 takes away 13."""
    check_slopes(mean_squares(example, seeds), example.slopes)
    with pytest.raises(AssertionError):
        check_slopes(mean_squares(example, seeds, slope=wrong), example.slopes)


def numbers(model: Any) -> list[np.ndarray]:
    """All that a model holds."""
    if isinstance(model, tuple):
        return [part for field in model for part in numbers(field)]
    return [np.asarray(model)]


def equal(first: Any, second: Any) -> bool:
    pairs = zip(numbers(first), numbers(second), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@random
def test_field_follows_from_its_seed(example):
    assert equal(example.make(1), example.make(1))
    assert not equal(example.make(1), example.make(2))


def test_what_is_added_to_a_block_is_the_field():
    model = EXAMPLES["Sum"][0].make(1)
    seen = survey_of(model, PLACES)
    out = np.ones(3 * LANES + 5)
    b_block(model, np.append(PLACES.T.ravel(), [np.nan] * 5), out)
    np.testing.assert_allclose(out[: 3 * LANES].reshape(3, LANES), 1.0 + seen.vector.T, rtol=1e-12)
    assert out[3 * LANES :].tolist() == [1.0] * 5


# ---- what the battery notices


def waves(change: Callable[[np.ndarray], Any] = lambda table: None) -> fields.PlaneWaves:
    """Isotropic turbulence with something done to its table of waves."""
    table, scale = fields.turbulence("isotropic", 2.0, 100.0, 20.0, waves=36, seed=1)
    table = table.copy()
    change(table)
    return fields.PlaneWaves(table, scale)


def test_sources_are_noticed():
    def turn_one(table):
        k, amplitude = table[0, 0:3], table[0, 4:7]
        amplitude += 0.01 * np.linalg.norm(amplitude) / np.linalg.norm(k) * k

    check_sources(survey_of(waves(), PLACES), 1e-12)
    with pytest.raises(AssertionError):
        check_sources(survey_of(waves(turn_one), PLACES), 1e-12)


def test_a_wrong_strength_is_noticed():
    def strengthen(table):
        table[:, 4:7] *= 1.05

    check_rms(survey_of(waves(), FAR), 2.0)
    with pytest.raises(AssertionError):
        check_rms(survey_of(waves(strengthen), FAR), 2.0)


def test_a_wrong_gradient_is_noticed():
    model, seen = waves(), survey_of(waves(), PLACES)
    check_gradient(model, seen, 1e-8)
    with pytest.raises(AssertionError):
        check_gradient(model, seen._replace(gradient=seen.gradient.swapaxes(1, 2)), 1e-8)


def test_a_wrong_bit_is_noticed():
    seen = survey_of(waves(), PLACES)
    block = seen.block.copy()
    block[5, 1] = np.nextafter(block[5, 1], 9.0)
    check_block(seen)
    with pytest.raises(AssertionError):
        check_block(seen._replace(block=block))


def test_a_scale_that_is_too_long_is_noticed():
    seen = survey_of(waves(), PLACES)
    check_scale(seen)
    with pytest.raises(AssertionError):
        check_scale(seen._replace(scale=10.0 * seen.scale))


# ---- defaults, particles, a single field


class Swirl(NamedTuple):
    """A field that states no gradient, with nine different derivatives."""

    strength: float


@implements(b_vector, Swirl)
def _(field, x, y, z):
    s = field.strength
    return s * (x * y + 2.0 * z), s * (math.sin(x) - y * z), s * (x * x + 3.0 * y + z * z)


def test_a_field_without_gradient_gets_differences_in_kernels_as_well():
    field = Swirl(0.7)
    for point, found in zip(PLACES, survey_of(field, PLACES).gradient, strict=True):
        x, y, z = point
        exact = [y, x, 2.0, math.cos(x), -z, -y, 2.0 * x, 3.0, 2.0 * z]
        np.testing.assert_allclose(found.ravel(), 0.7 * np.array(exact), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(b_gradient(field, *point), found.ravel(), rtol=1e-9)


@pytest.mark.parametrize("example", EXAMPLES["UniformField"], ids=lambda example: example.name)
def test_particles_of_a_kernel_follow_the_field(example):
    """Without diffusion across it, a particle moves along the field where it starts."""
    model, out = example.make(1), np.empty((1, 3, 64))
    medium = Aligned(model, 1.0, 0.0, 0.0, 0.0, 0.0)
    start = PLACES[0].copy()
    walk(medium, np.uint64(1), np.uint64(1), np.uint64(0), start, 1, 1e-6, out)
    moved = out[0].T - start
    along = np.array(b_vector(model, *start), dtype=float)
    assert np.linalg.norm(moved, axis=1).min() > 0.0
    across = np.linalg.norm(np.cross(moved, along), axis=1) / np.linalg.norm(along)
    assert across.max() < 1e-9


def test_uniform_field_is_the_same_everywhere():
    model = fields.UniformField(1.0, -2.0, 0.5)
    assert {b_vector(model, *place) for place in PLACES} == {(1.0, -2.0, 0.5)}
