"""The time-dependent cloud: the quadrature against equations and methods that do not contain it."""

import numpy as np
import pytest
from scipy.integrate import quad

from mcprop.analytic import cloud, green
from mcprop.errors import RangeError

LOCAL = np.array([[0.9, -0.5, 0.3], [-0.5, 1.4, 0.2], [0.3, 0.2, 0.6]])
OUTER = np.array([[2.0, 0.6, -0.4], [0.6, 1.1, 0.5], [-0.4, 0.5, 3.0]])
SOURCE = np.array([-4.0, 1.5, -0.7])
DEPTH, SPEED, AGE = 1.3, 0.4, 3.0


def at(point, age=AGE, speed=SPEED, local=LOCAL, outer=OUTER, **kwargs):
    """Solve for an observer displaced by `point`, face and source staying where they are."""
    depth = DEPTH + point[0]
    source = SOURCE - np.array([point[0], 0.0, 0.0])
    return cloud.solve(depth, local, speed, outer, source, age, offset=point[1:], **kwargs)


def equation_residual(age, speed, speed_of_equation):
    """Relative residual of d psi/dT = kappa : grad grad psi + u d psi/dx."""
    step, unit = 2e-3, np.eye(3)

    def density(point, later=0.0):
        return np.exp(at(point, age + later, speed)[0])

    rate = (density(np.zeros(3), step) - density(np.zeros(3), -step)) / (2.0 * step)
    right = speed_of_equation * (density(step * unit[0]) - density(-step * unit[0])) / (2.0 * step)
    for i in range(3):
        for j in range(3):
            a, b = step * unit[i], step * unit[j]
            mixed = density(a + b) - density(a - b) - density(b - a) + density(-a - b)
            right += LOCAL[i, j] * mixed / (4.0 * step**2)
    return (rate - right) / rate


@pytest.mark.parametrize("speed", [0.0, 0.4, 3.0])
@pytest.mark.parametrize("depth", [0.05, 1.3])
def test_exit_times_integrate_to_the_steady_density(depth, speed):
    def in_log_time(s):
        return np.exp(s) * cloud.exit_time_density(np.exp(s), depth, 0.9, speed)

    integral = quad(in_log_time, -25.0, 45.0, points=[0.0], limit=300, epsabs=1e-10)[0]
    assert integral == pytest.approx(cloud.steady_density(depth, 0.9, speed), rel=1e-7)


def test_steady_solution_obeys_its_equation():
    depth = np.linspace(0.0, 3.0, 3001)
    psi = cloud.steady_density(depth, 0.9, SPEED)
    slope = np.gradient(psi, depth, edge_order=2)
    flux = 0.9 * slope + SPEED * psi
    assert psi[0] == 1.0
    assert flux == pytest.approx(np.zeros(3001), abs=1e-6)
    gradient = cloud.steady_grad_ln_density(np.array([0.9, 0.3]), SPEED)
    assert gradient[0, 0] == pytest.approx((slope / psi)[1500], rel=1e-6)
    assert gradient[:, 1:] == pytest.approx(np.zeros((2, 2)))


@pytest.mark.parametrize("age", [0.05, 0.5, 3.0, 100.0])
def test_a_cloud_like_its_surroundings_is_not_there(age):
    # Without flow, and with one tensor, the way through the face is only a way of counting.
    ln_psi, gradient = at(np.zeros(3), age, 0.0, LOCAL, LOCAL)
    assert ln_psi == pytest.approx(green.ln_density(SOURCE, LOCAL, age), abs=1e-10)
    assert gradient == pytest.approx(green.grad_ln_density(SOURCE, LOCAL, age), rel=1e-9)


@pytest.mark.parametrize("axis", [1, 2])
def test_exit_dragged_the_wrong_way_is_noticed(axis):
    wrong = LOCAL.copy()
    wrong[0, axis] = wrong[axis, 0] = -LOCAL[0, axis]
    ln_psi, _ = at(np.zeros(3), AGE, 0.0, wrong, LOCAL)
    assert abs(ln_psi - green.ln_density(SOURCE, LOCAL, AGE)) > 0.02


@pytest.mark.parametrize("speed", [0.0, 0.4, 1.5])
@pytest.mark.parametrize("age", [1.0, 3.0])
def test_backward_equation_holds(age, speed):
    assert equation_residual(age, speed, speed) == pytest.approx(0.0, abs=2e-4)


@pytest.mark.parametrize("wrong", [-0.4, 0.0])
def test_wrong_direction_of_the_flow_is_noticed(wrong):
    assert abs(equation_residual(AGE, SPEED, wrong)) > 0.05


def test_at_the_face_the_density_is_the_one_outside():
    near = np.array([1e-6 - DEPTH, 0.7, -0.2])
    to_source = SOURCE + np.array([DEPTH, -0.7, 0.2])
    assert at(near)[0] == pytest.approx(green.ln_density(to_source, OUTER, AGE), abs=1e-5)


def test_far_behind_the_face_there_is_nothing():
    deep = at(np.array([60.0, 0.0, 0.0]))[0]
    assert deep < at(np.zeros(3))[0] - 100.0


def test_explicit_integral_over_the_place_of_exit():
    """One adaptive integral over the time, one sum over the place, outside density as it is."""
    source = np.array([-8.0, 1.5, -0.7])  # far, or the sum would have to resolve the young burst
    k_xx, drag = LOCAL[0, 0], LOCAL[1:, 0] / LOCAL[0, 0]
    spread = np.linalg.cholesky(LOCAL[1:, 1:] - np.outer(drag, LOCAL[0, 1:]))
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    places = np.stack(np.meshgrid(node, node, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = np.outer(weight, weight).ravel() / (2.0 * np.pi)

    def integrand(time):
        mean = -drag * (DEPTH + SPEED * time)
        exits = mean + np.sqrt(2.0 * time) * places @ spread.T
        to_source = np.column_stack([np.full(len(exits), source[0] + DEPTH), source[1:] - exits])
        outside = weights @ green.density(to_source, OUTER, AGE - time)
        return cloud.exit_time_density(time, DEPTH, k_xx, SPEED) * outside

    explicit = quad(integrand, 1e-3, AGE * (1 - 1e-3), epsabs=0.0, epsrel=1e-9, limit=200)[0]
    quadrature = cloud.density(DEPTH, LOCAL, SPEED, OUTER, source, AGE)
    assert quadrature == pytest.approx(explicit, rel=1e-8)


@pytest.mark.parametrize("speed", [0.0, 0.4, 1.5])
def test_gradient_is_the_derivative(speed):
    step = 1e-4
    point = np.array([0.2, 0.5, -0.3])
    slopes = [
        (at(point + shift, speed=speed)[0] - at(point - shift, speed=speed)[0]) / (2.0 * step)
        for shift in step * np.eye(3)
    ]
    assert at(point, speed=speed)[1] == pytest.approx(slopes, rel=1e-6)


def test_old_and_distant_burst_gives_the_steady_slab():
    # Exits take x/u = 0.26 of the time unit, the burst changes over 1e6 of them.
    speed, age = 5.0, 1e6
    ln_psi, gradient = at(np.zeros(3), age, speed)
    outside = green.ln_density(SOURCE, OUTER, age)
    assert ln_psi - outside == pytest.approx(-speed * DEPTH / LOCAL[0, 0], abs=1e-5)
    assert gradient == pytest.approx([-speed / LOCAL[0, 0], 0.0, 0.0], abs=1e-5)


def test_only_the_frame_of_the_face_matters():
    angle = 0.7
    turn = np.eye(3)
    turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ln_psi, gradient = cloud.solve(DEPTH, LOCAL, SPEED, OUTER, SOURCE, AGE)
    turned = cloud.solve(
        DEPTH, turn @ LOCAL @ turn.T, SPEED, turn @ OUTER @ turn.T, turn @ SOURCE, AGE
    )
    assert turned[0] == pytest.approx(ln_psi, abs=1e-12)
    assert turned[1] == pytest.approx(turn @ gradient, abs=1e-11)


def test_units_of_length_and_time_scale_out():
    length, time = 7.0, 300.0
    spread = length**2 / time
    ln_psi, gradient = cloud.solve(
        DEPTH * length, LOCAL * spread, SPEED * length / time, OUTER * spread, SOURCE * length,
        AGE * time,
    )  # fmt: skip
    assert ln_psi == pytest.approx(at(np.zeros(3))[0] - 3.0 * np.log(length), abs=1e-11)
    assert gradient * length == pytest.approx(at(np.zeros(3))[1], rel=1e-10)


def test_far_tail_is_found_in_the_logarithm():
    coarse = cloud.solve(20.0, LOCAL, SPEED, OUTER, SOURCE - [20.0, 0.0, 0.0], 0.05)
    fine = cloud.solve(20.0, LOCAL, SPEED, OUTER, SOURCE - [20.0, 0.0, 0.0], 0.05, nodes=1800)
    assert fine[0] < -3000.0
    assert coarse[0] == pytest.approx(fine[0], rel=1e-8)
    assert coarse[1] == pytest.approx(fine[1], rel=1e-5)


@pytest.mark.parametrize("depth", [1e-3, 0.1, 1.3, 20.0])
@pytest.mark.parametrize("age", [0.5, 3.0, 1e4])
def test_quadrature_has_converged(depth, age):
    coarse = cloud.solve(depth, LOCAL, SPEED, OUTER, SOURCE - [depth, 0, 0], age)
    fine = cloud.solve(depth, LOCAL, SPEED, OUTER, SOURCE - [depth, 0, 0], age, nodes=2000)
    assert coarse[0] == pytest.approx(fine[0], abs=1e-9)
    assert coarse[1] == pytest.approx(fine[1], rel=1e-8, abs=1e-10)


def test_density_and_gradient_are_the_two_halves_of_the_solution():
    ln_psi, gradient = cloud.solve(DEPTH, LOCAL, SPEED, OUTER, SOURCE, AGE, (0.3, 0.1))
    arguments = (DEPTH, LOCAL, SPEED, OUTER, SOURCE, AGE, (0.3, 0.1))
    assert cloud.density(*arguments) == pytest.approx(np.exp(ln_psi), rel=1e-14)
    assert np.array_equal(cloud.grad_ln_density(*arguments), gradient)


@pytest.mark.parametrize(("depth", "age"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (np.nan, 1.0)])
def test_impossible_depth_or_age_is_refused(depth, age):
    with pytest.raises(RangeError, match="must both be positive"):
        cloud.density(depth, LOCAL, SPEED, OUTER, SOURCE, age)
