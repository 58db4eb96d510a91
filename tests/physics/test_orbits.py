"""Full orbits: helices, drifts, mirrors, convergence, reversal, collisions and turbulence.

All fields are a uniform one plus plane waves, so that the kernels are compiled once.
"""

import math

import numpy as np
import pytest

from mcprop.fields import UniformField, plane_waves, total
from mcprop.kernels.orbit import WHOLE, boris, dormand_prince, under_way
from mcprop.protocol import b_vector
from mcprop.units import C_LIGHT
from mcprop.wandering import follow_orbits, running_diffusion, turning_rate

RIGIDITY = 3e6
RATE = turning_rate(RIGIDITY)
B = np.array([0.5, -1.0, 3.0])
STRENGTH = float(np.linalg.norm(B))
B_HAT = B / STRENGTH
GYRO = STRENGTH * RATE
"""Angular frequency of gyration [rad/yr]."""

N0 = np.array([0.6, 0.0, 0.8])


def with_waves(uniform, k, amplitude, phase):
    return total(UniformField(*map(float, uniform)), plane_waves(k, amplitude, phase))


def uniform(b=B):
    """A uniform field, with a wave of no amplitude."""
    return with_waves(b, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]], [0.0])


def few_waves(rms=2.0, count=12, seed=1, shortest=2.0):
    """Plane waves of random directions, wavelengths of 1 to 5 `shortest`, and phases."""
    random = np.random.default_rng(seed)
    k, other = random.normal(size=(2, count, 3))
    lengths = shortest * random.uniform(1.0, 5.0, (count, 1))
    k *= 2.0 * math.pi / lengths / np.linalg.norm(k, axis=1)[:, None]
    across = np.cross(k, other)
    across *= rms * math.sqrt(2.0 / count) / np.linalg.norm(across, axis=1)[:, None]
    return with_waves((0.0, 0.0, 3.0), k, across, random.uniform(0.0, 7.0, count))


def accurate(field, times, start, n, tolerance=1e-13, charge=1):
    """Place and direction at the times, shape (times, 6), by Dormand & Prince's scheme; steps."""
    times = np.atleast_1d(np.asarray(times, dtype=float))
    begin, out = np.concatenate([start, n])[:, None], np.empty((len(times), 6, 1))
    orbit = under_way(begin, math.copysign(1e-2 / GYRO, times[0]))
    tried = dormand_prince(field, C_LIGHT, charge * RATE, times, tolerance, 10**6, orbit, out)
    return out[:, :, 0], tried


def by_boris(field, times, start, n, **options):
    found = follow_orbits(field, RIGIDITY, start, n, times, **options)
    return np.concatenate([found.positions[:, 0], found.directions[:, 0]], axis=1)


def helix(time, charge=1, gyro=GYRO, radius=1.0):
    """Closed form from the origin in the direction N0: place and direction."""
    along = (N0 @ B_HAT) * B_HAT
    e1 = N0 - along
    e2 = charge * np.cross(e1, B_HAT)
    sine, cosine = math.sin(gyro * time), math.cos(gyro * time)
    turned = (e1 * sine + e2 * (1.0 - cosine)) * radius / gyro
    return np.concatenate([C_LIGHT * (along * time + turned), along + e1 * cosine + e2 * sine])


def test_a_positive_charge_turns_clockwise_seen_against_the_field():
    rate = turning_rate(RIGIDITY, beta=0.5)
    assert rate == 0.5 * RATE == -turning_rate(RIGIDITY, beta=0.5, charge=-1)
    # the radius of a circle across 3 uG is r_g = R/(B c): 1.081 pc at 3 PV, at any speed
    assert abs(C_LIGHT / RATE / 3.0 - 1.0811) < 1e-4
    quarter = 0.5 * math.pi / (3.0 * RATE)
    field, start = uniform((0.0, 0.0, 3.0)), np.zeros(3)
    end = by_boris(field, quarter, start, (1.0, 0.0, 0.0), step=quarter / 500.0)[0]
    radius = C_LIGHT / (3.0 * RATE)
    np.testing.assert_allclose(end, [radius, -radius, 0.0, 0.0, -1.0, 0.0], atol=1e-5)


@pytest.mark.parametrize("charge", [1, -1])
@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_helix_in_a_uniform_field(charge, sense):
    """The phase is exact for any step; the radius is smaller by (a/tan a), a half of the turn."""
    time = sense * 200.0 / GYRO
    exact = helix(time, charge)
    adaptive, _ = accurate(uniform(), time, np.zeros(3), N0, charge=charge)
    np.testing.assert_allclose(adaptive[0], exact, atol=2e-9)
    for steps in (1000, 500):
        end = by_boris(uniform(), time, np.zeros(3), N0, step=abs(time) / steps, charge=charge)[0]
        np.testing.assert_allclose(end[3:], exact[3:], atol=1e-11)
        half = 100.0 / steps
        radius = half / math.tan(half)
        np.testing.assert_allclose(end, helix(time, charge, radius=radius), atol=1e-10)


def test_without_the_correction_by_the_tangent_the_phase_is_off():
    """Plain Boris turns by 2 atan(a) for 2 a: planted by a rate of turning that does just that."""
    steps, half = 1000, 0.1
    time = steps * 2.0 * half / GYRO
    lengths, counts, hits = np.array([time / steps]), np.array([steps]), np.zeros(1)
    one, out = np.uint64(1), np.empty((1, 6, 1))
    start = np.concatenate([np.zeros(3), N0])[:, None]
    errors = []
    for rate in (RATE, RATE * math.atan(half) / half):
        given = (lengths, counts, hits, WHOLE, one, one, one, start, out)
        boris(uniform(), C_LIGHT, rate, *given)
        errors.append(np.linalg.norm(out[0, 3:, 0] - helix(time)[3:]))
    assert errors[0] < 1e-11
    lag = steps * 2.0 * (half - math.atan(half))
    assert errors[1] > 0.9 * 2.0 * math.sin(0.5 * lag) * np.linalg.norm(np.cross(N0, B_HAT))


def test_speed_is_kept_to_rounding_over_100000_steps():
    random = np.random.default_rng(2)
    n = random.normal(size=(64, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    step = 0.3 / GYRO
    found = follow_orbits(few_waves(count=3), RIGIDITY, np.zeros(3), n, 1e5 * step, step=step)
    assert np.abs(np.linalg.norm(found.directions, axis=2) - 1.0).max() < 4e-16
    assert 0.2 < found.widest_turn < 1.0


def test_orders_of_convergence():
    """Boris: halving the step quarters the error. Dormand & Prince: fifth order in the steps."""
    field, time = few_waves(), 30.0 / GYRO
    start = np.array([3.0, -1.0, 2.0])
    exact, _ = accurate(field, time, start, N0, 1e-14)
    errors = []
    for steps in (800, 1600, 3200):
        end = by_boris(field, time, start, N0, step=time / steps)
        errors.append(np.linalg.norm(end - exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.abs(orders - 2.0).max() < 0.05
    assert errors[-1] < 1e-2
    found = [accurate(field, time, start, N0, tolerance) for tolerance in (1e-6, 1e-9, 1e-12)]
    off = np.log([np.linalg.norm(end - exact) for end, _ in found])
    order = -np.diff(off) / np.diff(np.log([tried for _, tried in found]))
    assert np.all((order > 4.3) & (order < 6.0))
    assert off[2] < math.log(1e-9)
    checked = by_boris(field, time, start, N0, tolerance=1e-12)
    np.testing.assert_allclose(checked[0], exact[0], atol=1e-9)


def test_the_way_back_is_the_way_forward_reversed():
    """For tracing back along orbits; and -B, -n is the same orbit run backward."""
    field, time = few_waves(), 60.0 / GYRO
    start, times = np.array([3.0, -1.0, 2.0]), time * np.array([0.5, 1.0])
    there = by_boris(field, times, start, N0, step=time / 1200.0)
    back = by_boris(field, -times, there[1, :3], there[1, 3:], step=time / 1200.0)
    np.testing.assert_allclose(back[0], there[0], atol=1e-8)
    np.testing.assert_allclose(back[1], np.concatenate([start, N0]), atol=1e-8)
    mirrored = by_boris(field, times, start, -N0, step=time / 1200.0, charge=-1)
    backward = by_boris(field, -times, start, N0, step=time / 1200.0)
    np.testing.assert_allclose(mirrored[:, :3], backward[:, :3], atol=1e-8)
    np.testing.assert_allclose(mirrored[:, 3:], -backward[:, 3:], atol=1e-8)


@pytest.mark.parametrize("charge", [1, -1])
def test_gradient_drift(charge):
    """v = charge (v_perp r_g/2) B x grad B/B^2, where B_z grows along x.

    Reference: Northrop, The Adiabatic Motion of Charged Particles (1963).
    """
    wavelength, part = 2000.0, 0.3
    k = 2.0 * math.pi / wavelength
    field = with_waves((0.0, 0.0, 3.0), [[k, 0, 0]], [[0, 0, 3.0 * part]], [-0.5 * math.pi])
    radius = C_LIGHT / (3.0 * RATE)
    gradient = 3.0 * part * k  # at x = 0
    expected = charge * 0.5 * C_LIGHT * radius * gradient / 3.0
    time = 100 * 2.0 * math.pi / (3.0 * RATE)
    start, n = np.array([0.0, charge * radius, 0.0]), np.array([1.0, 0.0, 0.0])
    end = by_boris(field, time, start, n, charge=charge, step=0.1 / (3.0 * RATE))[0]
    moved = centre(field, end[:3], end[3:], charge) - centre(field, start, n, charge)
    assert abs(moved[1] / time - expected) < 0.005 * abs(expected)
    assert abs(moved[0]) < 0.005 * abs(moved[1])
    assert moved[2] == 0.0


def centre(field, place, n, charge):
    """Guiding centre, with the field at the particle."""
    there = np.array(b_vector(field, *place))
    return place + C_LIGHT / (charge * RATE * (there @ there)) * np.cross(n, there)


def test_magnetic_mirror():
    """The particle turns where B = B(0)/sin^2 alpha, and its moment v_perp^2/B is kept.

    B_z = B0 (1 - m cos(k x) cos(k z)) needs B_x = - B0 m sin(k x) sin(k z): two plane waves.
    """
    wavelength, part, base = 400.0, 0.4, 3.0
    k = 2.0 * math.pi / wavelength
    strength = 0.5 * part * base
    field = with_waves(
        (0.0, 0.0, base),
        [[k, 0.0, k], [-k, 0.0, k]],
        [[strength, 0.0, -strength], [-strength, 0.0, -strength]],
        [0.0, 0.0],
    )
    assert b_vector(field, 0.0, 0.0, 0.0) == pytest.approx((0.0, 0.0, base * (1.0 - part)))
    sine = 0.8
    radius = sine * C_LIGHT / (RATE * base * (1.0 - part))
    start, n = np.array([0.0, radius, 0.0]), np.array([sine, 0.0, 0.6])
    times = np.linspace(1.0, 2500.0, 2500)
    path = by_boris(field, times, start, n)
    there = np.array([b_vector(field, *place) for place in path[:, :3]])
    size = np.linalg.norm(there, axis=1)
    along = (path[:, 3:] * there).sum(axis=1) / size
    moment = (1.0 - along**2) / size
    small = radius * k
    assert np.abs(moment / moment[0] - 1.0).max() < 2.0 * small
    # B = B(0)/sin^2 alpha where the particle turns: 1 - m cos(k z) = (1 - m)/sin^2
    turning = math.acos((1.0 - (1.0 - part) / sine**2) / part) / k
    assert abs(path[:, 2].max() / turning - 1.0) < small
    assert abs(path[:, 2].min() / turning + 1.0) < small
    assert small < 0.05


def theory(product, times, tau):
    """Mean squares along and across z, and antisymmetric part, of kinetic theory at any time."""
    rate = (1.0 - 1j * product) / tau
    whole = (1.0 - np.exp(-rate * times)) / rate
    along = times * tau - tau**2 * (1.0 - np.exp(-times / tau))
    across = ((times - whole) / rate).real
    unit = C_LIGHT**2 / 3.0
    return 2.0 * unit * along, 2.0 * unit * across, unit * whole.imag


@pytest.mark.parametrize("charge", [1, -1])
def test_collisions_on_orbits_in_a_uniform_field_give_kinetic_theory(charge):
    product = 2.0
    tau = product / (3.0 * RATE)
    times = tau * np.array([1.0, 4.0, 12.0])
    found = running_diffusion(
        lambda seed: uniform((0.0, 0.0, 3.0)),
        RIGIDITY,
        times,
        realisations=16,
        particles=640,
        seed=4,
        tau=tau,
        step=tau / 20.0,
        charge=charge,
    )
    expected = theory(charge * product, times, tau)
    for sample, exact in zip((found.along, found.across, found.hall), expected, strict=True):
        # realisations are as good as normal: 15 degrees of freedom
        error = sample.std(axis=0, ddof=1) / 4.0
        assert np.abs((sample.mean(axis=0) - exact) / error).max() < 4.5
    turned = theory(-charge * product, times, tau)[2]
    assert (np.abs(found.hall.mean(axis=0) - turned) > 10.0 * found.kappa_hall.error).all()


@pytest.mark.parametrize("product", [0.2, 1.2])
def test_coefficients_of_collisions_are_exact_for_any_step(product):
    """Even with steps of tau: kappa_par of kinetic theory, and kappa_perp of a known turn.

    With the chance h/(tau + h/2) of a collision a step, the sum over the correlations of steps is
    v^2 tau/3 along the field, and across it that over 1 + (2 (tau/h) tan(omega h/2))^2. The chance
    1 - exp(-h/tau) would make them 8 per cent larger, h/tau a half.
    """
    tau = product / (3.0 * RATE)
    times = tau * np.array([12.0, 24.0])
    field = uniform((0.0, 0.0, 3.0))
    found = running_diffusion(lambda _: field, RIGIDITY, times, 16, 4096, 6, tau=tau, step=tau)
    parallel = C_LIGHT**2 * tau / 3.0
    perp = parallel / (1.0 + (2.0 * math.tan(0.5 * product)) ** 2)
    for slope, exact in ((found.slope_parallel, parallel), (found.slope_perp, perp)):
        assert abs(slope.value[1] - exact) < 4.0 * slope.error[1]
        assert slope.error[1] < 0.015 * exact


@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_mean_displacement_from_a_direction_with_collisions(sense):
    """E[x|n] = v tau [n_par + (n_perp - w b x n)/(1 + w^2)]; the way back has w and sign reversed.

    A whole chance of a collision after the first step, none before it, would add a half of h/tau.
    """
    product, count = 2.0, 1 << 17
    tau = product / (3.0 * RATE)
    found = follow_orbits(
        uniform((0.0, 0.0, 3.0)),
        RIGIDITY,
        np.zeros(3),
        np.tile(N0, (count, 1)),
        sense * 8.0 * tau,
        tau=tau,
        step=tau / 10.0,
        seed=9,
    )
    x, z = N0[0] / (1.0 + product**2), N0[2]
    expected = C_LIGHT * tau * np.array([sense * x, -product * x, sense * z])
    places = found.positions[0]
    error = places.std(axis=0) / math.sqrt(count)
    # what is left of the direction after 8 tau, and the second order of steps of tau/10
    assert np.all(np.abs(places.mean(axis=0) - expected) < 4.0 * error + 0.004 * C_LIGHT * tau)
    assert 0.05 * abs(expected[2]) > 5.0 * error[2] + 0.004 * C_LIGHT * tau


def test_before_it_turns_a_particle_flies_straight():
    """Ballistic at first: <dz^2> = v^2 t^2/3, so that the slope of half of it is v^2 t/3."""
    times = np.array([0.01, 0.02]) / GYRO
    found = running_diffusion(
        lambda seed: few_waves(rms=0.3, seed=seed), RIGIDITY, times, 16, 640, 5, step=times[0]
    )
    exact = C_LIGHT**2 * times**2 / 3.0
    for sample in (found.along, found.across):
        pulls = (sample.mean(axis=0) - exact) / (sample.std(axis=0, ddof=1) / 4.0)
        assert np.abs(pulls).max() < 4.5
    middle = C_LIGHT**2 * 0.5 * (times[0] + times[1]) / 3.0
    assert abs(found.slope_parallel.value[1] - middle) < 4.5 * found.slope_parallel.error[1]
    # each orbit is straight to second order in the turn
    ends = follow_orbits(few_waves(), RIGIDITY, np.zeros(3), N0, times[1], step=times[0])
    np.testing.assert_allclose(
        ends.positions[0, 0], C_LIGHT * times[1] * N0, atol=0.05 * C_LIGHT * times[1]
    )


def test_pitch_angles_scatter_as_first_order_theory_has_it():
    """Slab waves of 0.1 % turn the pitch angle: <dmu^2> is a sum of resonances over the waves.

    <dmu^2> = (q/p)^2 (1 - mu^2) sum of a_n^2/8 [S(Omega + k v mu) + S(Omega - k v mu)], with
    S(w) = (sin(w t/2)/(w/2))^2, averaged over place and phase: quasi-linear theory, before the
    limit of long times turns S into a delta function.

    Reference: Jokipii, ApJ 146 (1966) 480.
    """
    base, count, mu, n = 3.0, 30, 0.5, 4096
    random = np.random.default_rng(8)
    gyro = base * RATE
    k = gyro / (C_LIGHT * mu) * np.geomspace(0.4, 2.5, count)  # round the resonance
    azimuth = random.uniform(0.0, 2.0 * math.pi, count)
    a = 1e-3 * base / math.sqrt(count) * np.ones(count)
    field = with_waves(
        (0.0, 0.0, base),
        np.outer(k, (0.0, 0.0, 1.0)),
        a[:, None] * np.column_stack([np.cos(azimuth), np.sin(azimuth), 0.0 * azimuth]),
        random.uniform(0.0, 2.0 * math.pi, count),
    )
    sine = math.sqrt(1.0 - mu**2)
    turned = random.uniform(0.0, 2.0 * math.pi, n)
    directions = np.column_stack([sine * np.cos(turned), sine * np.sin(turned), np.full(n, mu)])
    starts = random.uniform(-1e6, 1e6, (n, 3))
    times = np.array([2.0, 12.0, 40.0]) / gyro
    found = follow_orbits(field, RIGIDITY, starts, directions, times, step=0.1 / gyro)
    for time, now in zip(times, found.directions[:, :, 2], strict=True):
        half = 0.5 * (gyro + np.outer([1.0, -1.0], k * C_LIGHT * mu))
        resonances = (time * np.sinc(half * time / math.pi)) ** 2
        expected = RATE**2 * sine**2 * np.sum(a**2 / 8.0 * resonances)
        square = (now - mu) ** 2
        assert abs(square.mean() - expected) < 4.0 * square.std() / math.sqrt(n) + 0.003 * expected
        assert square.std() / math.sqrt(n) < 0.04 * expected
