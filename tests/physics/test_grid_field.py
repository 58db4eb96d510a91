"""Fields on a grid against what they stand for: waves, turbulence with a spectrum, no sources."""

import math

import numpy as np
import pytest
from grid_probe import PlaneWave, answers_at, lattice, size

from mcprop.fields import PotentialGrid, load_grid, turbulent_grid
from mcprop.fields.grid_store import INTERPOLATIONS

PLACES = np.random.default_rng(1).uniform(-400.0, 400.0, (2000, 3))
SOURCES = 2e-5
"""Largest divergence that passes for none, in units of the gradient; both root mean square."""

# an oblique wave with three different components, along none of the axes
WAVE = PlaneWave((2, 1, -1), (48.0, 48.0, 48.0), (1.0, -3.0, -1.0), 0.4)


def of_wave(n, interpolation, change=lambda array: array):
    spacing, origin = 48.0 / n, (5.0, -3.0, 1.0)
    array = WAVE.vector(lattice((n, n, n), spacing, origin))
    return load_grid(change(array), spacing, origin, interpolation=interpolation, tolerance=9.0)


def wave_errors(grid):
    vectors, gradients = answers_at(grid, PLACES)
    expected, slopes = WAVE.vector(PLACES), WAVE.gradient(PLACES)
    return size(vectors - expected) / size(expected), size(gradients - slopes) / size(slopes)


@pytest.mark.parametrize(
    ("interpolation", "error", "slope_error", "order"),
    [
        # at 16 cells per wave along x, 32 along y and z
        ("potential", 3e-4, 4e-3, 3),
        ("spline", 5e-5, 4e-4, 4),
        ("trilinear", 2.2e-2, 0.11, 2),
    ],
)
def test_a_wave_is_what_it_should_be(interpolation, error, slope_error, order):
    """With half of the spacing the field is nearer by 2^order, its derivatives by half of that."""
    coarse, fine = (wave_errors(of_wave(n, interpolation)) for n in (32, 64))
    assert 0.5 * error < coarse[0] < error
    assert 0.5 * slope_error < coarse[1] < slope_error
    assert math.log2(coarse[0] / fine[0]) == pytest.approx(order, abs=0.1)
    assert math.log2(coarse[1] / fine[1]) == pytest.approx(order - 1, abs=0.1)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_axes_that_are_swapped_are_noticed(interpolation):
    for change in (
        lambda array: array.swapaxes(0, 1),
        lambda array: array.swapaxes(1, 2),
        lambda array: array[..., [1, 0, 2]],
        lambda array: array[..., ::-1],
    ):
        assert wave_errors(of_wave(32, interpolation, change))[0] > 0.3


def turbulent(interpolation="potential", n=48, seed=3, **options):
    request = {"rms": 3.0, "longest": 90.0, "shortest": 8.0, "seed": seed} | options
    return turbulent_grid(n, 96.0 / n, interpolation=interpolation, **request)


def divergences(grid):
    """Of the gradient as it is stated and by differences, in units of the gradient."""
    step = 1e-3 * grid.spacing
    gradient = answers_at(grid, PLACES)[1]
    by_differences = sum(
        (answers_at(grid, PLACES + e)[0] - answers_at(grid, PLACES - e)[0])[:, i] / (2.0 * step)
        for i, e in enumerate(step * np.eye(3))
    )
    stated = np.trace(gradient, axis1=1, axis2=2)
    return size(stated[:, None]) / size(gradient), size(by_differences[:, None]) / size(gradient)


def test_curl_of_a_potential_has_no_sources():
    stated, by_differences = divergences(turbulent())
    assert stated < 1e-14
    assert by_differences < SOURCES


@pytest.mark.parametrize(("interpolation", "known"), [("spline", 3e-3), ("trilinear", 0.085)])
def test_the_sources_of_the_others_are_known_and_noticed(interpolation, known):
    for found in divergences(turbulent(interpolation)):
        assert found == pytest.approx(known, rel=0.2)
        assert found > SOURCES


def test_a_coarser_grid_is_an_approximation_of_the_same_field():
    """Errors at 4 cells per shortest wave, 11 of those per longest wave."""
    exact, _ = answers_at(turbulent(n=144), PLACES)
    for interpolation, error in (("potential", 4e-3), ("spline", 2e-3), ("trilinear", 0.06)):
        found, _ = answers_at(turbulent(interpolation), PLACES)
        assert 0.5 * error < size(found - exact) / size(exact) < error


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_strength_is_exact_as_interpolated(interpolation):
    """In each cell the square is a polynomial: four Gauss points along each axis are exact."""
    grid = turbulent(interpolation, n=16, longest=96.0, shortest=24.0)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    along = ((np.arange(16)[:, None] + 0.5 + 0.5 * nodes) * grid.spacing).ravel()
    weight = np.tile(0.5 * weights, 16)
    squares = 0.0
    for x, part in zip(along, weight, strict=True):
        y, z = np.meshgrid(along, along, indexing="ij")
        places = np.stack([np.full(y.size, x), y.ravel(), z.ravel()], axis=-1)
        vectors, _ = answers_at(grid, places)
        squares += part * ((vectors**2).sum(axis=1) * np.outer(weight, weight).ravel()).sum()
    assert math.sqrt(squares / 16**3) == pytest.approx(3.0, rel=1e-6)


def shells(grid, points):
    """Energy and number of waves by periods per box, rounded, as measured at `points` per axis."""
    places = lattice((points,) * 3, 96.0 / points).reshape(-1, 3)
    vectors = answers_at(grid, places)[0].reshape(points, points, points, 3)
    waves = np.fft.fftn(vectors, axes=(0, 1, 2), norm="forward")
    energy = (np.abs(waves) ** 2).sum(axis=-1)
    k = np.fft.fftfreq(points, 1.0 / points)
    length = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2)
    return length, energy


def spectrum_error(grid, slope):
    """Deviation of the measured slope from a given one, in standard deviations.

    The energy of a wave is k^-(slope + 2) times a chi square of four degrees of freedom (for it and
    its opposite): the logarithm of that has the variance 0.6449 and no dependence on k.
    """
    length, energy = shells(grid, 64)
    half = np.zeros(length.shape, bool)
    half[:, :, 1:32] = True  # one of each pair
    inside = half & (length > 96.0 / 90.0) & (length <= 12.0)
    x, y = np.log(length[inside]), np.log(energy[inside])
    x = x - x.mean()
    found = -(x * y).sum() / (x * x).sum()
    return (found - (slope + 2.0)) / math.sqrt((math.pi**2 / 6.0 - 1.0) / (x * x).sum())


@pytest.mark.parametrize("slope", [5.0 / 3.0, 3.0])
def test_spectrum_is_the_one_requested(slope):
    grid = turbulent(slope=slope)
    assert abs(spectrum_error(grid, slope)) < 4.0
    for wrong in (slope + 0.4, slope - 0.4):
        assert abs(spectrum_error(grid, wrong)) > 4.0


def test_there_are_no_waves_beyond_the_scales():
    """What lies outside of the scales are aliases of the spline: the square of its error."""
    length, energy = shells(turbulent(), 64)
    outside = (length < 96.0 / 90.0 * (1.0 - 1e-6)) | (length > 12.0 * (1.0 + 1e-6))
    assert energy[outside].sum() < (3e-3) ** 2 * energy.sum()
    narrow = length > 11.0
    assert energy[narrow].sum() > (3e-3) ** 2 * energy.sum()


def test_turbulence_is_isotropic():
    """Variances of the components over realisations: a third each."""
    parts = []
    for seed in range(40):
        grid = turbulent(n=16, seed=seed, longest=60.0, shortest=24.0)
        vectors, _ = answers_at(grid, lattice((16, 16, 16), 6.0).reshape(-1, 3))
        parts.append((vectors**2).mean(axis=0) / (vectors**2).sum(axis=1).mean())
    parts = np.array(parts)
    error = parts.std(axis=0, ddof=1) / math.sqrt(len(parts))
    assert (np.abs(parts.mean(axis=0) - 1.0 / 3.0) < 4.0 * error).all()
    assert error.max() < 0.02


def test_a_mean_field_is_kept_beside_the_potential():
    array = WAVE.vector(lattice((16, 16, 16), 3.0)) + np.array([1.0, 2.0, -5.0])
    grid = load_grid(array, 3.0)
    assert isinstance(grid, PotentialGrid)
    assert (grid.bx, grid.by, grid.bz) == pytest.approx((1.0, 2.0, -5.0), abs=1e-6)
