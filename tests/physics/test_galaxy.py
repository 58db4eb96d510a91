"""Finite volumes against answers that do not come from them."""

import astropy.units as u
import numpy as np
import pytest
from scipy.integrate import cumulative_simpson
from scipy.special import j0, jn_zeros

from mcprop.errors import RangeError
from mcprop.galaxy import Galaxy, Grid, GridSolution, Table, solve
from mcprop.galaxy.grid import operator

SUN = 8500.0

# From a spectral-element solution of the same problem, R0 = 4 GV: rigidity [GV], D at the Sun
# [cm^2/s], psi [Myr], dlnpsi/dr [/kpc], dlnpsi/dz at 20 pc [/kpc].
REFERENCE = [
    (1e2, 2.6930e28, 1.001791, -0.175864, -0.1967),
    (1e3, 4.0742e28, 0.323597, -0.207328, -0.3957),
    (1e5, 9.3248e28, 0.0482925, -0.314973, -1.1215),
]


@pytest.mark.parametrize(("rigidity", "diffusion", "psi", "by_r", "by_z"), REFERENCE)
def test_second_method(rigidity, diffusion, psi, by_r, by_z):
    galaxy, solution = Galaxy(), solve(Galaxy(), rigidity)
    in_cm2_per_s = galaxy.diffusion(SUN, 0.0, rigidity) / 3.31438e-30  # 1 pc^2/yr = 1 kpc^2/Myr
    assert in_cm2_per_s == pytest.approx(diffusion, rel=1e-4)
    assert solution.density(SUN) == pytest.approx(1e6 * psi, rel=2e-5)
    assert 1e3 * solution.slope_r(SUN) == pytest.approx(by_r, rel=2e-5)
    assert 1e3 * solution.slope_z(SUN, 20.0) == pytest.approx(by_z, rel=3e-4)
    assert solution.slope_z(SUN, -20.0) == -solution.slope_z(SUN, 20.0)


@pytest.mark.parametrize("rigidity", [1e2, 1e5, 1e7])
def test_second_order_and_stated_error(rigidity):
    grids = [GridSolution(Galaxy(), Grid(Galaxy(), n), rigidity, 0.0) for n in (1, 2, 4)]
    psi = [grid.on_the_plane(SUN)[0] for grid in grids]
    order = np.log2((psi[0] - psi[1]) / (psi[1] - psi[2]))
    assert order == pytest.approx(2.0, abs=0.15)
    solution = solve(Galaxy(), rigidity)
    truth = (16.0 * psi[2] - 4.0 * psi[1]) / 12.0
    actual = abs(solution.fine.on_the_plane(SUN)[0] / truth - 1.0)
    assert actual == pytest.approx(solution.error(SUN), rel=0.2)
    assert abs(solution.density(SUN) / truth - 1.0) < 0.1 * solution.error(SUN)


# F is 1 everywhere but on the plane itself, where no flux is evaluated
UNIFORM = Galaxy(slope=0.0, contrast=1.0, source_height=1e-6)


def test_eigenfunction_of_a_uniform_medium():
    """J0(k r) cos(q z) is an eigenfunction with the rate D (k^2 + q^2) where D is constant."""
    errors = []
    for refinement in (1, 2):
        grid = Grid(UNIFORM, refinement)
        r, z = grid.r[:-1, None], grid.z[None, :-1]
        across, up = jn_zeros(0, 1)[0] / UNIFORM.radius, np.pi / (2.0 * UNIFORM.half_height)
        mode = j0(across * r) * np.cos(up * z)
        volumes = np.outer(grid.areas[:-1], np.diff(grid.z_edges)[:-1])
        outflow = (operator(UNIFORM, grid, 1e3, 0.0) @ mode.ravel()).reshape(mode.shape)
        rate = np.sum(mode * outflow) / np.sum(mode**2 * volumes)
        errors.append(rate / (UNIFORM.d0 * (across**2 + up**2)) - 1.0)
    assert abs(errors[1]) < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_one_dimension_by_quadrature():
    """Far from the edge of a wide disc with sources that hardly vary with r, psi is an integral."""
    wide = Galaxy(radius=2e6, sun_radius=1e5, source_slope=0.0, source_decline=0.0)
    z = np.linspace(0.0, wide.half_height, 200001)
    f, d = wide.source(1e5, z), wide.diffusion(1e5, z, 1e4)
    made = cumulative_simpson(f, x=z, initial=0.0)
    expected = np.trapezoid(made / d, z)
    solution = solve(wide, 1e4)
    assert solution.density(1e5) == pytest.approx(expected, rel=1e-4)
    i = 4000
    slope = -made[i] / d[i] / (expected - np.trapezoid((made / d)[: i + 1], z[: i + 1]))
    assert solution.slope_z(1e5, z[i]) == pytest.approx(slope, rel=1e-3)


def test_what_is_made_leaves_or_is_lost():
    """Everything that the sources make crosses the surface, or is lost in the gas."""
    galaxy = Galaxy()
    for loss_rate in (0.0, 1e-6):
        grid = Grid(galaxy, 2)
        solution = GridSolution(galaxy, grid, 1e3, loss_rate)
        made = 2.0 * np.pi * galaxy.source(grid.r, 0.0) * grid.r
        made = 2.0 * 200.0 * (1.0 - np.exp(-25.0)) * np.trapezoid(made, grid.r)
        top = -np.gradient(solution.psi, grid.z, axis=1, edge_order=2)[:, -1]
        side = -np.gradient(solution.psi, grid.r, axis=0, edge_order=2)[-1]
        d = galaxy.diffusion(grid.r, 5000.0, 1e3)
        out = 4.0 * np.pi * np.trapezoid(d * top * grid.r, grid.r)
        d = galaxy.diffusion(20e3, grid.z, 1e3)
        out += 4.0 * np.pi * 20e3 * np.trapezoid(d * side, grid.z)
        profile = np.trapezoid(solution.psi * np.exp(-grid.z / galaxy.gas_height), grid.z, axis=1)
        lost = loss_rate * 4.0 * np.pi * np.trapezoid(profile * grid.r, grid.r)
        assert lost > 0.1 * made or not loss_rate
        assert out + lost == pytest.approx(made, rel=3e-3)


def test_losses_that_are_the_same_everywhere():
    """They add their rate to that of each mode."""
    galaxy = Galaxy(gas_height=1e9)
    grid = Grid(galaxy)
    plain, lossy = (operator(galaxy, grid, 1e3, rate) for rate in (0.0, 2e-7))
    volumes = np.outer(grid.areas[:-1], np.diff(grid.z_edges)[:-1]).ravel()
    np.testing.assert_allclose((lossy - plain).diagonal(), 2e-7 * volumes, rtol=1e-5)


def test_table_meets_single_solutions():
    table = Table(Galaxy(), 2.0, 1.2e7)
    assert table.error < 5e-4
    for rigidity in (7.0, 333.0, 4.2e4, 3.3e6):
        one = solve(Galaxy(), rigidity)
        assert table.psi(rigidity) == pytest.approx(one.density(SUN), rel=1e-6)
        assert table.slope_r(rigidity) == pytest.approx(one.slope_r(SUN), rel=1e-5)
    above = Table(Galaxy(), 1e3, 1e5, height=20.0, points=5)
    assert 1e3 * above.slope_z(1e5) == pytest.approx(REFERENCE[2][4], rel=3e-4)
    assert table.slope_z(1e5) == 0.0
    with pytest.raises(RangeError, match=r"outside the table"):
        table.psi(1e9)


def test_units_are_stripped():
    galaxy = Galaxy(half_height=3.0 * u.kpc, d0="4.87e28 cm2/s")
    assert galaxy.half_height == 3000.0
    assert galaxy.d0 == pytest.approx(Galaxy().d0, rel=1e-9)
    solution = solve(galaxy, 10.0 * u.TV)
    assert solution.density(8.5 * u.kpc) == pytest.approx(solution.density(8500.0), rel=1e-12)
    assert solution.rigidity == 1e4


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Galaxy(sun_radius=3e4), "sun_radius"),
        (lambda: Galaxy(disc_height=6e3), "disc_height"),
        (lambda: Galaxy(d0=-1.0), "d0"),
        (lambda: Galaxy(contrast=0.0), "contrast"),
        (lambda: Galaxy(source_height=float("nan")), "source_height"),
        (lambda: solve(Galaxy(), 1e3).density(25e3), "r = 25000"),
        (lambda: solve(Galaxy(), 1e3).density(1e3, 6e3), "z = 6000"),
        (lambda: Table(Galaxy(), 1e3, 1e4, height=6e3, points=4), "height"),
        (lambda: solve(Galaxy(), 0.0), "rigidity"),
        (lambda: solve(Galaxy(), float("nan")), "rigidity"),
        (lambda: solve(Galaxy(), 1e3, -1.0), "loss_rate"),
        (lambda: Table(Galaxy(), 10.0, 1.0), "low"),
        (lambda: Table(Galaxy(), 1.0, 10.0, points=2), "points"),
    ],
)
def test_refused(make, word):
    with pytest.raises(RangeError, match=word):
        make()
