"""Laws of wandering lines against sums over waves, limits, and integrals done by other means."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special

from mcprop.analytic.corrsin import isotropic_corrsin, resonant_share
from mcprop.analytic.spectral import spectral_moment
from mcprop.analytic.wandering import (
    compound_msd,
    isotropic_perpendicular,
    mach_four,
    mach_two,
    matthaeus_2d,
    matthaeus_composite,
    quasilinear_diffusion,
    running_of_waves,
    slab_correlation_length,
    slab_diffusion,
    slab_running,
)
from mcprop.errors import RangeError

BAND = (2.0 * math.pi / 100.0, 2.0 * math.pi / 20.0)


def kolmogorov(k):
    return k ** (-5.0 / 3.0)


def bendover(length):
    return lambda k: (1.0 + (k * length) ** 2) ** (-5.0 / 6.0)


@pytest.mark.parametrize("length", [0.02, 1.0, 300.0])
def test_slab_correlation_length_of_the_bendover_spectrum(length):
    area = special.gamma(1 / 3) * math.sqrt(math.pi) / (2.0 * special.gamma(5 / 6))
    found = slab_correlation_length(bendover(length))
    assert found == pytest.approx(0.5 * math.pi / area * length, rel=1e-7)
    assert round(found / length, 6) == 0.746834
    assert slab_diffusion(bendover(length), 0.25) == pytest.approx(0.25 * found)


@pytest.mark.parametrize("length", [0.02, 1.0, 300.0])
def test_slab_running_of_the_bendover_spectrum(length):
    z = np.array([10.0, 30.0, 100.0]) * length
    reached = slab_running(z, bendover(length), 0.3) / slab_diffusion(bendover(length), 0.3)
    assert reached.round(3).tolist() == [0.911, 0.970, 0.991]


def test_slab_running_of_an_exponential_correlation():
    """R = exp(-z/l), that is P ~ 1/(1 + (k l)^2): <dx^2> = 2 l^2 (z/l - 1 + exp(-z/l))."""
    z = np.array([0.001, 0.3, 1.0, 7.0, 150.0, 1e4]) * 4.0
    exact = 4.0 * (1.0 - (1.0 - np.exp(-z / 4.0)) / (z / 4.0))
    found = slab_running(z, lambda k: 1.0 / (1.0 + (4.0 * k) ** 2), 1.0)
    np.testing.assert_allclose(found, exact, rtol=1e-7)
    assert slab_diffusion(lambda k: 1.0 / (1.0 + (4.0 * k) ** 2), 1.0) == pytest.approx(4.0)


@pytest.mark.parametrize("band", [BAND, (0.0, 0.3), (0.02, 5.0)])
def test_slab_running_is_the_limit_of_many_waves(band):
    edges = np.linspace(*band, 200001)
    k = 0.5 * (edges[1:] + edges[:-1])
    share = 1.0 / (1.0 + (10.0 * k) ** 2)
    share /= share.sum()
    z = np.array([1.0, 20.0, 300.0, 2000.0])
    found = slab_running(z, lambda k: 1.0 / (1.0 + (10.0 * k) ** 2), 0.5, band)
    np.testing.assert_allclose(found, running_of_waves(z, k, 0.5 * share), rtol=2e-5)
    assert slab_running(20.0, lambda k: 1.0 / (1.0 + (10.0 * k) ** 2), 0.5, band) == found[1]


def test_a_sharp_outer_scale_stops_slab_lines():
    assert slab_diffusion(kolmogorov, 1.0, BAND) == 0.0
    near, far = slab_running([1e3, 1e5], kolmogorov, 1.0, BAND)
    assert far == pytest.approx(0.01 * near, rel=0.1)


def test_running_of_one_wave():
    """x = (a/k B0)(sin(k z + phase) - sin(phase)), averaged over the phase."""
    k, z = 0.3, np.array([0.5, 4.0, 40.0])
    phases = 2.0 * math.pi * np.arange(64) / 64.0
    x = 0.2 / k * (np.sin(k * z[:, None] + phases) - np.sin(phases))
    found = running_of_waves(z, [k], [0.2**2 / 2.0])
    np.testing.assert_allclose(found, (x**2).mean(axis=1) / (2.0 * z), rtol=1e-12)
    level = running_of_waves(z, [0.0], [0.02])  # the mean field leans
    np.testing.assert_allclose(level, 0.01 * z, rtol=1e-12)


def test_quasilinear_diffusion_is_that_of_many_isotropic_waves():
    """The first-order sum over random waves, far along the field, whatever it was derived from."""
    random = np.random.default_rng(4)
    count, z = 400000, 400.0
    low, high = (end ** (-2.0 / 3.0) for end in BAND)
    k = (low + (high - low) * random.random(count)) ** -1.5
    along, across = random.normal(size=(2, count, 3))
    along /= np.linalg.norm(along, axis=1)[:, None]
    across = np.cross(along, across)
    across *= math.sqrt(2.0 / count) / np.linalg.norm(across, axis=1)[:, None]
    share = 0.25 * (across[:, :2] ** 2).sum(axis=1)
    each = count * share * 0.5 * z * np.sinc(0.5 * z * k * along[:, 2] / np.pi) ** 2
    error = each.std() / math.sqrt(count)
    mean = running_of_waves(z, k * along[:, 2], share)
    expected = quasilinear_diffusion(spectral_moment(kolmogorov, -1.0, BAND), 1.0)
    assert error < 0.01 * expected
    # 1 - D(z)/D is the average of 1 - mu^2 over a cosine of order 1/(k z): below 1 per cent here
    assert abs(mean - expected) < 4.0 * error + 0.01 * expected
    assert abs(mean - 3.0 * expected) > 40.0 * error  # all components for one


def test_moments():
    assert spectral_moment(kolmogorov, -1.0, BAND) == pytest.approx(
        (2.0 / 5.0)
        * (BAND[0] ** (-5 / 3) - BAND[1] ** (-5 / 3))
        / (BAND[0] ** (-2 / 3) - BAND[1] ** (-2 / 3))
    )
    assert spectral_moment(lambda k: math.exp(-k / 0.03), 1.0) == pytest.approx(0.03)
    with pytest.raises(RangeError, match=r"k\^-1 does not converge"):
        spectral_moment(bendover(1.0), -1.0)
    with pytest.raises(RangeError, match=r"k\^0 does not converge"):
        slab_correlation_length(lambda k: 1.0 / (1.0 + k))
    with pytest.raises(RangeError, match="band = "):
        slab_running(1.0, kolmogorov, 1.0, (2.0, 1.0))
    with pytest.raises(RangeError, match="power must be a spectrum"):
        slab_diffusion(lambda k: -1.0, 1.0, (0.0, 1.0))
    with pytest.raises(RangeError, match=r"z = 0\.0 must be positive"):
        slab_running(0.0, kolmogorov, 1.0, BAND)


def test_corrsin_is_quasilinear_where_turbulence_is_weak_and_less_where_not():
    inverse = spectral_moment(kolmogorov, -1.0, BAND)
    mach = np.array([[1e-8, 1e-4, 1e-3], [0.05, 0.3, 0.7]])
    found = isotropic_corrsin(kolmogorov, mach, BAND)
    assert found.shape == mach.shape
    assert found[1, 1] == isotropic_corrsin(kolmogorov, 0.3, BAND)
    ratios = (found / quasilinear_diffusion(inverse, mach)).ravel()
    assert np.all(np.abs(ratios[:3] - 1.0) < [1e-12, 1e-8, 1e-6])
    assert np.all(np.diff(ratios[1:]) < 0.0)
    assert isotropic_corrsin(kolmogorov, 0.0, BAND) == 0.0
    with pytest.raises(RangeError, match="must have a positive beginning"):
        isotropic_corrsin(kolmogorov, 0.1, (0.0, 1.0))


@pytest.mark.parametrize("mach", [0.1, 0.5, 3.0, 30.0])
def test_corrsin_solves_its_equation(mach):
    """At one wavenumber, by quadrature over the cosine: weak enough for it, and far too strong."""
    k = 0.2
    d = isotropic_corrsin(lambda k: 1.0, mach, (k * (1.0 - 1e-6), k * (1.0 + 1e-6)))

    def met(cosine):
        g = d * k * k * (1.0 - cosine**2)
        return 0.25 * (1.0 + cosine**2) * g / ((k * cosine) ** 2 + g * g)

    narrow = min(5.0 * k * d, 0.5)  # the resonance
    parts = [integrate.quad(met, *ends, limit=200)[0] for ends in ((0.0, narrow), (narrow, 1.0))]
    assert mach**2 * sum(parts) == pytest.approx(d, rel=1e-6)


@pytest.mark.parametrize("x", [1e-3, 0.0099, 0.0101, 0.3, 0.999999, 1.0, 1.000001, 5.0, 1e4])
def test_resonant_share_is_its_integral(x):
    a = 0.5 * x

    def met(cosine):
        return 2.0 / math.pi * a * (1.0 - cosine**4) / (cosine**2 + (a * (1.0 - cosine**2)) ** 2)

    ends = [0.0, *np.geomspace(min(a, 0.1), 1.0, 12)]
    expected = sum(integrate.quad(met, *pair, epsrel=1e-12)[0] for pair in pairwise(ends))
    assert resonant_share(x) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("law", "given", "complaint"),
    [
        (isotropic_corrsin, (kolmogorov, -1.0, BAND), "mach = -1.0 must be finite and not neg"),
        (isotropic_corrsin, (kolmogorov, [0.1, math.nan], BAND), "mach = [0.1, nan] must be"),
        (isotropic_corrsin, (lambda k: -1.0, 0.1, BAND), "power must be a spectrum"),
        (quasilinear_diffusion, (1.0, -1.0), "mach = -1.0 must be finite and not negative [1]."),
        (quasilinear_diffusion, (-1.0, 1.0), "mean_inverse = -1.0 must be finite"),
        (matthaeus_2d, (1.0, "strong"), "mach = strong must be finite"),
        (matthaeus_composite, (-1.0, 1.0), "d_slab = -1.0 must be finite and not negative [pc]."),
        (compound_msd, (-1.0, 1.0, 1.0, 1.0), "time = -1.0 must be finite and not negative [yr]."),
        (isotropic_perpendicular, (1.0, -1.0, 0.1), "kappa_perp = -1.0 must be finite"),
        (mach_two, (1.0, -0.1), "mach = -0.1 must be finite"),
        (mach_four, (1.0, -0.1), "mach = -0.1 must be finite"),
        (slab_diffusion, (kolmogorov, -0.1, BAND), "ratio = -0.1 must be finite"),
    ],
)
def test_what_no_law_is_for_is_refused(law, given, complaint):
    with pytest.raises(RangeError) as caught:
        law(*given)
    assert complaint in str(caught.value)


def test_two_dimensional_and_composite():
    """D_2D^2 is half the variance of the potential, and D solves D = D_slab + D_2D^2/D."""
    random = np.random.default_rng(1)
    k, a = random.uniform(0.05, 0.3, 50), random.random(50)
    potential, field = (a**2).sum() / 2.0, (a**2 * k**2).sum() / 2.0
    ultrascale = math.sqrt(potential / field)
    assert matthaeus_2d(ultrascale, math.sqrt(field)) == pytest.approx(math.sqrt(potential / 2.0))
    slab, flat = np.array([0.0, 0.3, 2.0]), 0.7
    d = matthaeus_composite(slab, flat)
    np.testing.assert_allclose(d, slab + flat**2 / d)
    assert matthaeus_composite(0.0, 0.7) == pytest.approx(0.7)
    assert matthaeus_composite(0.4, 0.0) == pytest.approx(0.4)


@pytest.mark.parametrize(("epsilon", "accuracy"), [(1e-2, 0.15), (1e-4, 0.02), (1e-6, 0.002)])
def test_isotropic_perpendicular_is_the_limit_of_the_homogenised_tensor(epsilon, accuracy):
    """Int S_xx k^2/(kappa_par k_z^2 + kappa_perp k_perp^2) d^3k over angles, by quadrature."""

    def met(cosine):
        rate = cosine**2 + epsilon * (1.0 - cosine**2)
        return 0.25 * (1.0 + cosine**2) / rate

    integral = integrate.quad(met, 0.0, 1.0, points=[math.sqrt(epsilon)], limit=200)[0]
    excess = (1.0 - epsilon) * epsilon * 0.1**2 * integral
    law = isotropic_perpendicular(5.0, 5.0 * epsilon, 0.1) - 5.0 * epsilon
    assert law == pytest.approx(5.0 * excess, rel=accuracy)


def test_powers_of_the_mach_number():
    mach = np.array([0.1, 0.5])
    np.testing.assert_allclose(mach_two(3.0, mach), [0.03, 0.75])
    np.testing.assert_allclose(mach_four(3.0, mach), [3e-4, 0.1875])


def test_compound_diffusion_of_gaussian_walks_on_random_lines():
    """Lines that are walks with <dx^2> = 2 D_FL |s|, and particles with <s^2> = 2 D_par t."""
    random = np.random.default_rng(6)
    n, time, along, line, perp = 200000, 30.0, 0.7, 0.04, 0.003
    s = random.normal(size=n) * math.sqrt(2.0 * along * time)
    x = random.normal(size=n) * np.sqrt(2.0 * line * np.abs(s))
    x += random.normal(size=n) * math.sqrt(2.0 * perp * time)
    found, error = (x**2).mean(), (x**2).std() / math.sqrt(n)
    assert abs(found - compound_msd(time, perp, along, line)) < 4.0 * error
    assert abs(found - compound_msd(time, perp, 2.0 * along, line)) > 10.0 * error
    late, later = compound_msd(np.array([1.0, 4.0]), 0.0, along, line)
    assert later == pytest.approx(2.0 * late)
