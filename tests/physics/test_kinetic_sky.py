"""The kinetic observer: dipole of kinetic theory, power without noise, skies of turbulent fields.

All fields that orbits are traced through are a uniform one plus plane waves, so that the kernel is
compiled once.
"""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from mcprop.errors import ModelError, RangeError
from mcprop.fields import UniformField, plane_waves, total, turbulence
from mcprop.multipoles import angular_power
from mcprop.sky import SkyMap, pixel_vectors
from mcprop.units import C_LIGHT
from mcprop.wandering import (
    kinetic_sky,
    running_diffusion,
    scattered_sky,
    sky_ensemble,
    traced_sky,
    turning_rate,
)
from mcprop.wandering.course import Course
from mcprop.wandering.realisations import estimate

RIGIDITY = 3e6
B = np.array([1.0, 2.0, -2.0])
STRENGTH = float(np.linalg.norm(B))
B_HAT = B / STRENGTH
GRADIENT = 1e-3 * np.array([1.0, -0.5, 0.7])
TAU = 5.0
P_LEAST = 1e-4


def uniform(b=B):
    """A uniform field, with a wave of no amplitude."""
    wave = plane_waves([[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]], [0.0])
    return total(UniformField(*map(float, b)), wave)


def parts(gradient, b_hat=B_HAT):
    """Along the field, across it, and b x g."""
    along = (gradient @ b_hat) * b_hat
    return along, gradient - along, np.cross(b_hat, gradient)


def theory(product, tau=TAU, hall=1.0):
    """(3/v) [kappa_par g_par + kappa_perp g_perp - kappa_A b x g] at w = omega tau = `product`."""
    kappa = C_LIGHT**2 * tau / 3.0
    across = kappa / (1.0 + product**2)
    along, perp, cross = parts(GRADIENT)
    return 3.0 / C_LIGHT * (kappa * along + across * perp - hall * product * across * cross)


def chance(dipole, expected):
    """p-value of chi^2 with three degrees of freedom."""
    gap = dipole.vector - expected
    return float(chi2.sf(gap @ np.linalg.solve(dipole.covariance, gap), 3))


def product_of(charge=1, tau=TAU):
    return turning_rate(RIGIDITY, charge=charge) * STRENGTH * tau


def scattered(charge=1, nside=8, seed=1, tau=TAU, **options):
    return scattered_sky(
        UniformField(*B), RIGIDITY, tau, GRADIENT, charge=charge, nside=nside, seed=seed, **options
    )


@pytest.mark.parametrize("tau", [0.5, TAU, 60.0])
@pytest.mark.parametrize("charge", [1, -1])
def test_scattered_sky_is_the_dipole_of_kinetic_theory_and_nothing_else(charge, tau):
    sky = scattered(charge, tau=tau)
    expected = theory(product_of(charge, tau), tau)
    assert chance(sky.dipole, expected) > P_LEAST
    assert sky.power().chance() > P_LEAST
    np.testing.assert_allclose(sky.kappa @ GRADIENT * 3.0 / C_LIGHT, sky.dipole.vector, rtol=1e-9)
    # the error map is right on the whole: squares of pixels add up to their variances
    squares, variances = (sky.residual() - 1.0) ** 2, sky.error**2
    scatter = math.sqrt(3.0 * (variances**2).sum())
    assert abs(squares.sum() - variances.sum()) < 4.0 * scatter


def test_charge_and_field_reverse_the_hall_term_alone():
    one, other = scattered(1), scattered(-1, seed=2)
    turned = scattered_sky(UniformField(*-B), RIGIDITY, TAU, GRADIENT, nside=8, seed=3)
    w = product_of()
    common, hall = 0.5 * (theory(w) + theory(-w)), 0.5 * (theory(w) - theory(-w))
    for flipped in (other, turned):
        assert chance((one.dipole + flipped.dipole).scaled(0.5), common) > P_LEAST
        assert chance((one.dipole + flipped.dipole.scaled(-1.0)).scaled(0.5), hall) > P_LEAST
    assert np.linalg.norm(hall) > 50.0 * one.dipole.sigma.max()


def test_a_hall_term_of_the_wrong_sign_is_caught():
    assert chance(scattered().dipole, theory(product_of(), hall=-1.0)) < 1e-12


def test_orbits_that_run_forward_are_caught(monkeypatch):
    """Planted: the way on from the motion n is taken for the way back that leads there."""

    def forward(motion, *rest, backward, **options):
        found = real(-motion, *rest, backward=False, **options)
        return found._replace(directions=-found.directions)

    real = kinetic_sky.single_flights
    monkeypatch.setattr(kinetic_sky, "single_flights", forward)
    assert chance(scattered().dipole, theory(product_of())) < 1e-12


def test_noise_that_is_not_subtracted_is_caught():
    """The noise is that of 8 flights in each of 3072 pixels; planted: it is counted as power."""
    power = scattered(seed=4, nside=16, per_pixel=8).power()
    modes = 2.0 * power.multipole[2:] + 1.0
    error = math.sqrt(2.0 * modes.sum()) * power.noise
    assert abs(modes @ power.signal[2:]) < 4.0 * error
    assert modes @ power.c_l[2:] > 10.0 * error
    assert power._replace(noise=0.75 * power.noise).chance() < P_LEAST
    assert power._replace(noise=1.35 * power.noise).chance() > 1.0 - P_LEAST


def test_error_of_a_pixel_is_unbiased_for_few_directions():
    """Squares of what is left in pixels add up to their variances, be they from two flights."""
    sky = scattered(nside=16, per_pixel=2, seed=6)
    squares, variances = (sky.residual() - 1.0) ** 2, sky.error**2
    gap = squares - variances
    assert abs(gap.sum()) < 4.0 * gap.std() * math.sqrt(len(gap))


def test_a_map_in_other_axes_is_the_same_sky():
    axes = np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3.0
    sky = scattered(axes=axes, mean_field=B)
    assert chance(sky.dipole, theory(product_of()) @ axes) > P_LEAST
    np.testing.assert_allclose(sky.local_field, B @ axes)
    assert sky.local_lean < 1e-6
    along = (theory(product_of()) @ B_HAT) / np.linalg.norm(theory(product_of()))
    assert abs(sky.angle_to_mean - math.degrees(math.acos(abs(along)))) < 1.0


def test_power_of_a_map_against_healpy():
    """Two ways of doing the sums: healpy iterates, so they differ by the error of the sums."""
    random = np.random.default_rng(1)
    vectors = pixel_vectors(8)
    x, y, z = vectors.T
    shape = 0.4 * x - 0.3 * z + 0.2 * x * y + 0.1 * z**3 + 0.3 * (x + 0.3 * y) ** 4
    for values, tolerance in ((shape, 5e-4), (random.normal(size=768), 0.1)):
        ours = angular_power(vectors, values, 16)
        theirs = SkyMap(1.0 + values, np.zeros(768)).power_spectrum(16).c_l
        np.testing.assert_allclose(ours[1], theirs[1], rtol=tolerance)
        np.testing.assert_allclose(ours[2:], theirs[2:], atol=tolerance * theirs[2:].max())
    # the mean level of white noise is that of the addition theorem
    levels = [angular_power(vectors, random.normal(size=768), 16)[2:] for _ in range(200)]
    expected = 4.0 * math.pi / 768.0
    mean = np.mean(levels, axis=0)
    error = expected * np.sqrt(2.0 / (2.0 * np.arange(2, 17) + 1.0) / 200.0)
    assert np.abs((mean - expected) / error).max() < 4.0


def finite(duration, outer, charge=1, tau=TAU):
    """Dipole after a finite leg with collisions: integrals of e^(-t/tau) times the gyration."""
    rate = 1.0 / tau - 1j * product_of(charge, tau) / tau
    whole = (1.0 - np.exp(-rate * duration)) / rate
    left = np.exp(-rate * duration)
    along, perp, cross = parts(GRADIENT)
    moved = tau * (1.0 - math.exp(-duration / tau)) * along + whole.real * perp
    moved = C_LIGHT * (moved - whole.imag * cross)
    along, perp, cross = parts(np.asarray(outer))
    return moved + math.exp(-duration / tau) * along + left.real * perp - left.imag * cross


def traced(duration, outer=(0.0, 0.0, 0.0), **options):
    return traced_sky(
        uniform(), RIGIDITY, duration, GRADIENT, tau=TAU, outer=outer, nside=8, per_pixel=8, seed=5,
        step=0.1, **options,
    )  # fmt: skip


@pytest.mark.parametrize("duration", [2.0, 40.0])
def test_orbits_with_collisions_in_a_uniform_field_are_the_same_observer(duration):
    outer = np.array([1e-3, 2e-3, -1e-3])
    sky = traced(duration, outer, charge=-1)
    assert chance(sky.dipole, finite(duration, outer, charge=-1)) > P_LEAST
    assert sky.power().chance() > P_LEAST
    # with the dipole of diffusion where they begin, legs may have any length
    assert chance(traced(duration, theory(product_of())).dipole, theory(product_of())) > P_LEAST


def test_orbits_traced_the_wrong_way_in_time_are_caught(monkeypatch):
    outer = theory(product_of())
    run = Course.run

    def onward(self, *rest):
        return run(self._replace(lengths=-self.lengths), *rest)

    monkeypatch.setattr(Course, "run", onward)
    assert chance(traced(2.0, outer).dipole, outer) < 1e-12


def test_halfway_is_the_sky_of_half_the_duration():
    """The same orbits, on the same steps; and what they remember carries the dipole beyond."""
    outer = np.array([1e-3, 2e-3, -1e-3])
    sky, plain = traced(4.0, outer, halfway=True), traced(4.0, halfway=True)
    alone = traced(2.0, outer)
    np.testing.assert_allclose(sky.halfway.map, alone.map, rtol=1e-12)
    assert (alone.halfway, sky.halfway.duration, sky.duration) == (None, 2.0, 4.0)
    assert chance(sky.dipole, finite(4.0, outer)) > P_LEAST
    assert chance(sky.halfway.dipole, finite(4.0, outer)) < P_LEAST
    added = sky.dipole.vector - plain.dipole.vector
    np.testing.assert_allclose(added, sky.memory.T @ outer, rtol=1e-9)


def test_without_collisions_a_uniform_field_maps_the_dipole_on_itself():
    """Gyration by Boris' scheme is exact but for the radius, a/tan a of it with a = half a turn."""
    duration, steps = 4.0, 400
    sky = traced_sky(uniform(), RIGIDITY, duration, GRADIENT, nside=4, step=duration / steps)
    omega = turning_rate(RIGIDITY) * STRENGTH
    half = 0.5 * omega * duration / steps
    radius = C_LIGHT / omega * half / math.tan(half)
    along, perp, cross = parts(GRADIENT)
    sine, versine = math.sin(omega * duration), 1.0 - math.cos(omega * duration)
    expected = C_LIGHT * duration * along + radius * (sine * perp - versine * cross)
    np.testing.assert_allclose(sky.dipole.vector, expected, atol=1e-13)
    # nothing is random but the choice of directions, among which a dipole varies within a pixel
    assert 0.0 < sky.power().noise < 1e-4 * sky.power().c_l[1]
    assert sky.power().chance() > P_LEAST


def isotropic(seed):
    """Turbulence without a mean field."""
    waves = turbulence("isotropic", 3.0, 10.0, 1.0, waves=48, seed=seed)
    return total(UniformField(0.0, 0.0, 0.0), waves)


DURATION, REALISATIONS = 40.0, 32
ALONG_Z = np.array([0.0, 0.0, 1e-3])


@pytest.fixture(scope="module")
def skies():
    return sky_ensemble(
        isotropic, RIGIDITY, DURATION, ALONG_Z, realisations=REALISATIONS, seed=5, nside=8,
        per_pixel=2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def diffusion():
    times = [0.9 * DURATION, DURATION, 1.1 * DURATION]
    return running_diffusion(isotropic, RIGIDITY, times, REALISATIONS, 256, seed=11)


def agree(one, other):
    pull = (one.value - other.value) / np.hypot(one.error, other.error)
    return float(np.abs(pull).max()) < 4.0


def combined(c_l, common):
    """Pulls of all multipoles from 2 on together: normal if they are independent."""
    pulls = c_l[2:] / common.error[2:]
    return pulls.sum() / math.sqrt(len(pulls))


def test_mean_sky_of_isotropic_turbulence_is_a_dipole_along_the_gradient(skies, diffusion):
    pulls = skies.dipole.vector / skies.dipole.sigma
    assert np.abs(pulls[:2]).max() < 4.0 < pulls[2]
    common = skies.common()
    assert abs(combined(common.c_l, common)) < 4.0
    # its length is the diffusion coefficient that the same orbits have at that time
    trace = estimate([np.trace(sky.kappa) / 3.0 for sky in skies.skies])
    growth = (diffusion.along + 2.0 * diffusion.across) / 3.0
    slope = estimate((growth[:, 2] - growth[:, 0]) / (2.0 * 0.2 * DURATION))
    assert agree(trace, slope)


def test_each_sky_has_small_scales_of_its_own(skies):
    single = skies.power(8)
    assert np.all(single.value[2:] > 5.0 * single.error[2:])
    for sky in skies.skies:
        assert sky.power().chance() < 1e-12


def test_power_of_single_skies_that_is_taken_for_common_is_caught(skies):
    """Planted: the power of the mean map holds that of the single skies over their number."""
    mean = angular_power(pixel_vectors(8), skies.map.value, 16)
    assert combined(mean, skies.common()) > 5.0


def test_orbits_over_the_whole_sky_diffuse_as_any_others_do(skies, diffusion):
    """Liouville: directions uniform on the sky stay so for ever in a field that is static."""
    spread = estimate([np.trace(sky.spread) / 3.0 for sky in skies.skies])
    growth = (diffusion.along + 2.0 * diffusion.across)[:, 1] / 3.0
    assert agree(spread, estimate(growth))
    rows = [sky.spread[[0, 0, 1], [1, 2, 2]] for sky in skies.skies]
    mixed = estimate(rows)
    assert np.abs(mixed.value / mixed.error).max() < 4.0


def with_mean(seed):
    waves = turbulence("isotropic", 1.0, 10.0, 1.0, waves=48, seed=seed)
    return total(UniformField(0.0, 0.0, 3.0), waves)


def test_hall_part_of_turbulence_follows_the_charge_and_green_and_kubo():
    def hall(charge):
        return sky_ensemble(
            with_mean, RIGIDITY, 10.0, ALONG_Z, realisations=16, seed=7, nside=4, charge=charge
        ).kappa_hall

    found = running_diffusion(with_mean, RIGIDITY, [10.0], 16, 512, seed=12)
    green_kubo = estimate(found.hall[:, 0])
    assert agree(hall(1), green_kubo)
    opposite = hall(-1)
    assert agree(opposite, green_kubo._replace(value=-green_kubo.value))
    assert opposite.value < -4.0 * opposite.error


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gradient": (1.0, 2.0)}, "gradient = (1.0, 2.0) must be three numbers"),
        ({"gradient": (0.0, np.nan, 0.0)}, "gradient must be finite"),
        ({"place": 3.0}, "place = 3.0 must be three numbers"),
        ({"mean_field": (0.0, 0.0, 0.0)}, "mean_field = (0.0, 0.0, 0.0) has no direction"),
        ({"axes": np.diag([1.0, 1.0, -1.0])}, "axes must be three orthogonal unit vectors"),
        ({"nside": 6}, "nside = 6 is not a power of two"),
        ({"nside": 2048}, "nside = 2048 must be a whole number from 1 to 1024"),
        ({"per_pixel": 1}, "per_pixel = 1 must be a whole number from 2"),
        ({"nside": 1024, "per_pixel": 4}, "50331648 directions; 10000000 at most are allowed"),
        ({"seed": -1}, "seed = -1 must be a whole number"),
        ({"duration": 0.0}, "duration = 0.0 must be a positive"),
        ({"tau": -1.0}, "tau = -1.0 must be a positive"),
        ({"workers": 0}, "workers = 0 must be a whole number from 1"),
    ],
)
def test_what_is_impossible_is_refused_by_name(changes, told):
    given = {"rigidity": RIGIDITY, "duration": 1.0, "gradient": GRADIENT, "nside": 1} | changes
    with pytest.raises(RangeError) as refusal:
        traced_sky(uniform(), **given)
    assert told in str(refusal.value)


def test_what_is_no_field_is_refused():
    with pytest.raises(ModelError, match="must be a model of a magnetic field"):
        scattered_sky(3.0, RIGIDITY, TAU, GRADIENT)
    with pytest.raises(ModelError, match="must be a function that makes a field"):
        sky_ensemble(uniform(), RIGIDITY, TAU, GRADIENT, realisations=2, seed=1)
    two = sky_ensemble(isotropic, RIGIDITY, 1.0, GRADIENT, realisations=2, seed=1, nside=1)
    with pytest.raises(RangeError, match="to have something in common"):
        two.common()


def test_no_bit_depends_on_threads(monkeypatch):
    """Nor on how many orbits a thread takes at a time, collisions included."""
    options = {"tau": TAU, "nside": 4, "per_pixel": 2, "seed": 3}
    one = traced_sky(isotropic(1), RIGIDITY, 20.0, GRADIENT, workers=1, **options)
    monkeypatch.setattr(kinetic_sky, "CHUNK", 64)
    two = traced_sky(isotropic(1), RIGIDITY, 20.0, GRADIENT, workers=2, **options)
    np.testing.assert_array_equal(one.map, two.map)
    np.testing.assert_array_equal(one.error, two.error)


def test_drawn_sky_and_fits(tmp_path):
    sky = scattered(nside=4, mean_field=B)
    for residual in (False, True):
        figure = sky.plot(residual=residual, title="A sky")
        assert figure.axes[0].get_title() == "A sky"
    sky.sky_map(title="A sky").write(tmp_path / "map.fits")
    read = SkyMap.read(tmp_path / "map.fits")
    np.testing.assert_array_equal(read.relative_intensity, sky.map)
    np.testing.assert_array_equal(read.std_dev, sky.error)
    assert np.linalg.norm(read.fit_dipole().vector - sky.dipole.vector) < 0.05 * np.linalg.norm(
        sky.dipole.vector
    )
    residual = sky.sky_map(residual=True).fit()
    assert np.abs(residual.dipole.vector).max() < 1e-12
    assert abs(residual.monopole - 1.0) < 1e-12
