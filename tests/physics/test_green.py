"""The burst in a uniform medium: normalisation, moments, equation, and the reference numbers."""

import numpy as np
import pytest

from mcprop.analytic import green
from mcprop.units import C_LIGHT, CM2_PER_S

KAPPA = np.array([[3.0, 0.8, -0.3], [0.8, 1.5, 0.4], [-0.3, 0.4, 0.7]])
AGE = 2.5


@pytest.fixture(scope="module")
def grid():
    """Points, densities and the volume of a cell; the trapezium rule is exact for a Gaussian."""
    axis = np.linspace(-30.0, 30.0, 121)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    return points, green.density(points, KAPPA, AGE), (axis[1] - axis[0]) ** 3


def test_one_particle_stays_one_particle(grid):
    _, density, cell = grid
    assert np.sum(density) * cell == pytest.approx(1.0, abs=1e-9)


def test_covariance_is_twice_the_tensor_times_the_age(grid):
    points, density, cell = grid
    covariance = (points * density[:, None]).T @ points * cell
    assert covariance == pytest.approx(2.0 * KAPPA * AGE, abs=1e-7)


def test_gradient_is_the_derivative_with_the_observer():
    displacement, step = np.array([1.0, -2.0, 0.5]), 1e-5
    slopes = [
        (
            green.ln_density(displacement - shift, KAPPA, AGE)
            - green.ln_density(displacement + shift, KAPPA, AGE)
        )
        / (2.0 * step)
        for shift in step * np.eye(3)
    ]
    assert green.grad_ln_density(displacement, KAPPA, AGE) == pytest.approx(slopes, abs=1e-9)


def test_dipole_does_not_know_the_tensor():
    displacement = np.array([1.0, -2.0, 0.5])
    by_gradient = 3.0 * KAPPA @ green.grad_ln_density(displacement, KAPPA, AGE) / 0.3
    assert green.dipole(displacement, 0.3, AGE) == pytest.approx(by_gradient, rel=1e-12)


def test_diffusion_equation_holds():
    displacement, step = np.array([1.0, -2.0, 0.5]), 1e-3

    def density(shift, age=AGE):
        return green.density(displacement + shift, KAPPA, age)

    rate = (density(0.0, AGE + step) - density(0.0, AGE - step)) / (2.0 * step)
    spread = 0.0
    for i in range(3):
        for j in range(3):
            a, b = step * np.eye(3)[i], step * np.eye(3)[j]
            mixed = density(a + b) - density(a - b) - density(b - a) + density(-a - b)
            spread += KAPPA[i, j] * mixed / (4.0 * step**2)
    assert rate == pytest.approx(spread, rel=1e-5)


def test_reference_burst():
    along, across = 6.45e29 * CM2_PER_S, 6.45e25 * CM2_PER_S
    kappa, displacement = np.diag([along, across, across]), np.array([250.0, 18.5, 0.0])
    assert green.density(displacement, kappa, 3.4e5) == pytest.approx(1.092560e-7, rel=1e-6)
    dipole = green.dipole(displacement, C_LIGHT, 3.4e5)
    assert dipole[:2] == pytest.approx([3.597313e-3, 2.662012e-4], rel=1e-6)


def test_isotropic_coefficient_stands_for_its_matrix():
    displacement = np.random.default_rng(1).normal(size=(7, 3))
    full = green.density(displacement, 1.7 * np.eye(3), AGE)
    radius = np.linalg.norm(displacement, axis=1)
    closed = np.exp(-(radius**2) / (4 * 1.7 * AGE)) / (4 * np.pi * 1.7 * AGE) ** 1.5
    assert green.density(displacement, 1.7, AGE) == pytest.approx(full, rel=1e-14)
    assert full == pytest.approx(closed, rel=1e-12)
    assert green.grad_ln_density(displacement, 1.7, AGE) == pytest.approx(
        displacement / (2 * 1.7 * AGE)
    )


def test_one_answer_per_age():
    ages = np.array([1.0, 2.0, 4.0])
    assert green.density([1.0, 0.0, 0.0], KAPPA, ages).shape == (3,)
    assert green.dipole([1.0, 0.0, 0.0], 0.3, ages)[:, 0] == pytest.approx(5.0 / ages)
    assert green.grad_ln_density([1.0, 0.0, 0.0], KAPPA, ages).shape == (3, 3)


def test_far_tail_does_not_underflow_in_the_logarithm():
    value = green.ln_density([1e4, 0.0, 0.0], 1.0, 1.0)
    assert value == pytest.approx(-2.5e7 - 1.5 * np.log(4 * np.pi), rel=1e-12)
