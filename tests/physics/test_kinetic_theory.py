"""Hard-sphere scattering in a uniform field gives the tensor of kinetic theory."""

import cmath
import math

import numpy as np
import pytest

from mcprop.wandering.kinetic import flight_coefficients, scattered_orbits, single_flights

SPEED, TAU = 0.3, 2.0
N = 1 << 15
UNIT = SPEED**2 * TAU / 3.0
TIMES = np.array([0.7, 5.0, 40.0])
PRODUCTS = [0.0, 0.3, 1.0, 5.0, -2.0]
"""omega tau of the tests; negative for a negative charge."""

TILTED = np.array([2.0, -1.0, 2.0]) / 3.0


def axes(field):
    """Two unit vectors e1, e2 across the field, with e1 x e2 along it."""
    e1 = np.cross(field, (0.3, 0.8, -0.5))
    e1 /= np.linalg.norm(e1)
    return e1, np.cross(field, e1)


def pulls(sample, expected):
    """Mean of samples (..., n) less what is expected, in standard errors."""
    return (sample.mean(axis=-1) - expected) / (sample.std(axis=-1) / math.sqrt(N))


def theory(product, times):
    """Mean squares along and across, and the running antisymmetric coefficient, at any time.

    From the correlation <v_i(0) v_j(t)> = (v^2/3) exp(-t/tau) (rotation by omega t)_ij.
    """
    rate = 1.0 / TAU - 1j * product / TAU
    whole = np.array([1.0 - cmath.exp(-rate * t) for t in times]) / rate
    along = times * TAU - TAU**2 * (1.0 - np.exp(-times / TAU))
    across = ((times - whole) / rate).real
    return 2.0 * SPEED**2 / 3.0 * np.array([along, across]), SPEED**2 / 3.0 * whole.imag


def measured(product, charge=1.0):
    """Samples of both squares and of the antisymmetric coefficient, each (times, n)."""
    e1, e2 = axes(TILTED)
    omega = charge * product / TAU
    found = scattered_orbits(SPEED, omega, TAU, TIMES, N, 3, b_hat=TILTED)
    dx, dy, dz = (found.positions @ axis for axis in (e1, e2, TILTED))
    ux, uy = found.first @ e1, found.first @ e2
    return dz**2, 0.5 * (dx**2 + dy**2), 0.5 * SPEED * (uy * dx - ux * dy)


@pytest.mark.parametrize("product", PRODUCTS)
def test_mean_squares_and_hall_part_follow_the_exact_curves(product):
    squares, hall = theory(product, TIMES)
    samples = measured(product)
    for sample, expected in zip(samples, (*squares, hall), strict=True):
        assert np.abs(pulls(sample, expected)).max() < 4.0


@pytest.mark.parametrize("product", PRODUCTS)
def test_late_coefficients_are_those_of_kinetic_theory(product):
    """kappa_par, kappa_par/(1 + w^2) and w times that, from the growth of the squares."""
    along, across, hall = measured(product)
    perp = UNIT / (1.0 + product**2)
    late = (TIMES[2] - TIMES[1]) * 2.0
    # what the growth still lacks after five tau on a straight line and on a circle
    lack = math.exp(-TIMES[1] / TAU) * UNIT * TAU / (TIMES[2] - TIMES[1])
    for sample, expected in ((along, UNIT), (across, perp)):
        growth = (sample[2] - sample[1]) / late
        error = growth.std() / math.sqrt(N)
        assert abs(growth.mean() - expected) < 4.0 * error + lack
    assert abs(pulls(hall[2], product * perp)) < 4.0


def test_a_rotation_of_the_wrong_sign_is_seen_in_the_hall_part_alone():
    squares, hall = theory(1.0, TIMES)
    along, across, turned = measured(1.0, charge=-1.0)
    assert np.abs(pulls(along, squares[0])).max() < 4.0
    assert np.abs(pulls(across, squares[1])).max() < 4.0
    assert np.abs(pulls(turned, hall)).min() > 15.0
    assert np.abs(pulls(turned, -hall)).max() < 4.0


def mean_flight(n, product):
    """v tau [n_par + (n_perp - w b x n)/(1 + w^2)] for b = TILTED."""
    along = np.outer(n @ TILTED, TILTED) if n.ndim == 2 else (n @ TILTED) * TILTED
    turned = (n - along - product * np.cross(TILTED, n)) / (1.0 + product**2)
    return SPEED * TAU * (along + turned)


@pytest.mark.parametrize("product", [0.5, 3.0, -1.0])
@pytest.mark.parametrize("backward", [False, True])
def test_mean_displacement_from_a_direction(product, backward):
    """Forward E[x|n]; traced back it is - E[x|n] with the sign of w reversed."""
    n = np.array([0.6, 0.0, 0.8])
    found = single_flights(
        np.tile(n, (N, 1)), SPEED, product / TAU, TAU, 7, b_hat=TILTED, backward=backward
    )
    expected = -mean_flight(n, -product) if backward else mean_flight(n, product)
    assert np.abs(pulls(found.displacements.T, expected)).max() < 4.0
    # the wrong sign of the term in b x n is far away
    wrong = -mean_flight(n, product) if backward else mean_flight(n, -product)
    assert np.abs(pulls(found.displacements.T, wrong)).max() > 20.0
    assert abs(pulls(found.times, -TAU if backward else TAU)) < 4.0


def test_later_flights_add_nothing_to_the_mean_displacement():
    """<x v(0)> of whole orbits is that of first flights: collisions are isotropic."""
    found = scattered_orbits(SPEED, 1.0 / TAU, TAU, [40.0], N, 11, b_hat=TILTED)
    expected = mean_flight(found.first, 1.0) * found.first
    sample = (found.positions[0] * found.first - expected).T
    assert np.abs(pulls(sample, 0.0)).max() < 4.0


def test_a_flight_is_a_helix():
    """Every displacement has the speed along the field, and the radius across it."""
    product = 3.0
    omega = product / TAU
    n = np.array([0.6, 0.0, 0.8])
    found = single_flights(np.tile(n, (500, 1)), SPEED, omega, TAU, 7, b_hat=TILTED)
    along = n @ TILTED
    np.testing.assert_allclose(
        found.displacements @ TILTED, SPEED * along * found.times, rtol=1e-12, atol=1e-15
    )
    e1 = (n - along * TILTED) / math.sqrt(1.0 - along**2)
    e2 = np.cross(e1, TILTED)  # to which a positive charge turns
    radius, angle = SPEED * math.sqrt(1.0 - along**2) / omega, omega * found.times
    np.testing.assert_allclose(found.displacements @ e1, radius * np.sin(angle), atol=1e-14)
    np.testing.assert_allclose(found.displacements @ e2, radius * (1 - np.cos(angle)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-14)
    back = single_flights(found.directions, SPEED, omega, TAU, 7, b_hat=TILTED, backward=True)
    np.testing.assert_allclose(back.displacements, -found.displacements, atol=1e-14)
    np.testing.assert_allclose(back.directions, np.tile(n, (500, 1)), atol=1e-14)


@pytest.mark.parametrize("product", [0.0, 0.1, 0.9, 1.1, 10.0, -2.0, 25.0])
def test_256_single_flights_give_the_coefficients(product):
    """Within one per cent, as the root mean square over seeds and at most 4 sigma in each."""
    exact = np.array([UNIT, UNIT / (1 + product**2), UNIT * product / (1 + product**2)])
    found = np.array(
        [flight_coefficients(SPEED, product / TAU, TAU, seed=seed) for seed in range(64)]
    )
    off = (found - exact) / np.abs(np.where(exact == 0.0, 1.0, exact))
    assert np.sqrt((off**2).mean(axis=0)).max() < 0.01
    # strata of equal weight: the mean over seeds has no bias
    error = off.std(axis=0) / 8.0
    assert np.all(np.abs(off.mean(axis=0)) <= 4.0 * error)


def test_particles_do_not_depend_on_the_others():
    whole = scattered_orbits(SPEED, 1.0, TAU, TIMES, 200, 3)
    part = scattered_orbits(SPEED, 1.0, TAU, TIMES, 70, 3, first=130)
    assert np.array_equal(part.positions, whole.positions[:, 130:])
    assert np.array_equal(part.directions, whole.directions[:, 130:])
