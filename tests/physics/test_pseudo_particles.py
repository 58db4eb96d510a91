"""Pseudo-particles in turbulence: they leave their line only by kappa_perp, and spread faster."""

import math

import numpy as np
import pytest

from mcprop.analytic.wandering import isotropic_perpendicular
from mcprop.errors import ModelError, RangeError
from mcprop.fields import wandering_field
from mcprop.kernels.flow import Still
from mcprop.kernels.wander import wander
from mcprop.medium import Constant, FieldAligned
from mcprop.wandering.pseudo_particles import ParticleSpread, spread
from mcprop.wandering.realisations import field_seed

KAPPA = 2.138
"""kappa_parallel [pc^2/yr], 6.45e29 cm^2/s."""

B0, LONGEST, SHORTEST = 3.0, 100.0, 20.0


def field_of(mach, geometry="isotropic", waves=200):
    return lambda seed: wandering_field(B0, mach, geometry, LONGEST, SHORTEST, waves, seed=seed)


def step_of(stride):
    """Step [yr] in which particles go `stride` [pc] along their line."""
    return 0.5 * stride**2 / KAPPA


def test_in_slab_turbulence_without_kappa_perp_they_keep_to_their_lines():
    """There x - X(z) is the same all the way, with the sum X of the waves; and <dx^2> follows.

    A line is off by a_n/k_n sin(k_n z + phi_n)/B0 from each wave. Averaged over places and over a
    Gaussian z of variance s: <dx^2> = sum |a_n|^2/(2 k_n^2 B0^2) (1 - exp(-k_n^2 s/2)).
    """
    mach, particles = 0.2, 512
    made = spread(field_of(mach, "slab", 40), KAPPA, 0.0, [300.0, 3000.0], 12, particles, seed=3)
    laws = []
    for realisation, along in enumerate(made.along):
        waves = field_of(mach, "slab", 40)(field_seed(3, realisation)).second
        k2, a2 = waves.k[:, 2] ** 2, (waves.amplitude**2).sum(axis=1)
        laws.append((a2 / (2.0 * k2 * B0**2) * -np.expm1(-0.5 * np.outer(along, k2))).sum(axis=1))
    ratio = made.across / np.array(laws)
    error = ratio.std(axis=0, ddof=1) / math.sqrt(len(ratio))
    assert np.all(np.abs(ratio.mean(axis=0) - 1.0) < 4.0 * error)
    assert np.all(error < 0.03)


def test_in_slab_turbulence_they_are_slowed_by_the_length_of_their_lines():
    """D_par = kappa_parallel/(1 + M^2): along z they diffuse by kappa_parallel B0^2/|B|^2.

    That coefficient and no drift beside its gradient means an even density along z, so that its
    inverse is averaged: <|B|^2> = B0^2 + dB^2.
    """
    mach, count = 0.6, (12, 256, 4)
    made = spread(field_of(mach, "slab", 40), KAPPA, 0.0, [6000.0, 12000.0], *count, step=24.0)
    value, error = made.homogenised(6000.0).parallel
    law = KAPPA / (1.0 + mach**2)
    assert error < 0.05 * law
    assert abs(value - law) < 4.0 * error
    assert KAPPA - value > 5.0 * error


def test_the_scheme_does_not_leave_a_line():
    """In steps of 33 pc it diffuses across by less than 1e-6 kappa_parallel.

    By kappa_parallel^2 h <|b . grad b|^2> Euler's scheme would do so by a third of kappa_parallel.
    """
    field = field_of(0.3, "slab", 40)(7)
    waves = field.second
    k, turned = waves.k[:, 2:], waves.amplitude / (B0 * waves.k[:, 2:])

    def off(places):
        """Place across z less that of the line through the origin, (2, n)."""
        return places[:2] - (np.sin(k * places[2] + waves.phase[:, None]).T @ turned).T[:2]

    starts = np.random.default_rng(1).uniform(-1e3, 1e3, (3, 256))
    places, one, h = starts.copy(), np.uint64(1), step_of(33.0)
    medium = FieldAligned(field, Constant(KAPPA), Constant(0.0))
    wander(medium, Still(), one, one, one, one, h, 12, places)
    assert (places[2] - starts[2]).std() > 90.0
    false = ((off(places) - off(starts)) ** 2).mean() / (2.0 * 12.0 * h)
    assert false < 1e-6 * KAPPA
    curving = 0.5 * np.sum(k.T**2 * (waves.amplitude.T / B0) ** 2)
    assert KAPPA**2 * h * curving / 2.0 > 0.3 * KAPPA


def homogenised(mach, epsilon, window, realisations, stride=16.0, particles=64):
    """D_par and D_perp in units of kappa_parallel, each with its error."""
    times = 0.5 * window * np.arange(1, 13)
    count = (realisations, particles, 11)
    made = spread(field_of(mach), KAPPA, epsilon * KAPPA, times, *count, step=step_of(stride))
    found = made.homogenised(window)
    assert found.reach > 20.0
    return [np.array(one) / KAPPA for one in (found.parallel, found.perp)]


def test_wandering_lines_spread_particles_faster_than_kappa_perp():
    """By kappa_perp + (pi/8) M^2 sqrt(kappa_perp kappa_parallel), good to 5 %, not by M^4."""
    mach, epsilon = 0.6, 0.01
    (along, slip), (value, error) = homogenised(mach, epsilon, 4500.0, 16)
    law = isotropic_perpendicular(1.0, epsilon, mach)
    assert error < 0.04 * law
    assert abs(value - law) < 0.05 * law + 4.0 * error
    assert value - epsilon > 8.0 * error
    assert value < 0.3 * mach**4
    assert 0.6 < along < 1.0 - 2.0 * slip


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("mach", "epsilon", "window", "realisations", "value", "error"),
    [
        (0.3, 1e-3, 60e3, 64, 2.39e-3, 0.03e-3),
        (0.6, 1e-3, 25e3, 96, 7.95e-3, 0.12e-3),
        (0.3, 1e-4, 200e3, 72, 7.15e-4, 0.18e-4),
    ],
)
def test_examples_in_isotropic_turbulence(mach, epsilon, window, realisations, value, error):
    """Of an independent calculation with 64 waves, to 5 %; and half the step does not matter."""
    _, coarse = homogenised(mach, epsilon, window, realisations)
    assert coarse[1] < 0.03 * value
    assert abs(coarse[0] - value) < 0.05 * value + 2.0 * math.hypot(error, coarse[1])
    _, fine = homogenised(mach, epsilon, window, realisations // 2, stride=8.0)
    assert abs(fine[0] - coarse[0]) < 4.0 * math.hypot(fine[1], coarse[1])


def test_bits_do_not_depend_on_workers():
    arguments = (field_of(0.3, "slab", 40), KAPPA, 0.01, [100.0, 200.0], 3, 70)
    one, two = (spread(*arguments, seed=2, workers=workers) for workers in (1, 2))
    other = spread(*arguments, seed=3)
    assert np.array_equal(one.across, two.across)
    assert not np.array_equal(one.across, other.across)


def test_every_realisation_has_a_field_of_its_own():
    seeds = []

    def make(seed):
        seeds.append(seed)
        return field_of(0.0)(seed)

    spread(make, KAPPA, 0.01, [10.0], 3, 2, 1, step=10.0, workers=1)
    assert seeds == [field_seed(1, realisation) for realisation in range(3)]
    assert len(set(seeds)) == 3


def made_up(times, along, across):
    shape = (3, len(times))
    scatter = 1.0 + 0.01 * np.array([[-1.0], [0.0], [1.0]])
    squares = [np.broadcast_to(one, shape) * scatter for one in (along, across)]
    return ParticleSpread(np.asarray(times), *squares, 1.0, 0.1, 10, 1, 1.0)


def test_slopes_and_exponents_of_known_growth():
    times = np.arange(1.0, 9.0)
    made = made_up(times, 4.0 * times + 5.0, 3.0 * np.sqrt(times))
    found = made.homogenised(2.2)
    assert (found.window, found.until) == (2.0, 4.0)
    np.testing.assert_allclose(found.parallel, (2.0, 2.0 * 0.01 / math.sqrt(3.0)))
    perp = 0.75 * (2.0 - math.sqrt(2.0))
    np.testing.assert_allclose(found.perp, (perp, perp * 0.01 / math.sqrt(3.0)))
    np.testing.assert_allclose(found.reach, math.sqrt(3.0 * math.sqrt(2.0)))
    np.testing.assert_allclose(made.running_parallel.value, [4.5] + 7 * [2.0])
    np.testing.assert_allclose(made.exponent(2.0, 8.0), (0.5, 0.0), atol=1e-12)


def test_times_that_are_uneven_count_from_the_start():
    arguments = (field_of(0.0), KAPPA, 0.01)
    even = spread(*arguments, [10.0, 20.0, 30.0], 2, 64, 1, step=10.0)
    uneven = spread(*arguments, [10.0, 30.0], 2, 64, 1, step=10.0)
    np.testing.assert_allclose(even.along[:, 2], uneven.along[:, 1], rtol=1e-12)
    assert not np.any(even.along[:, 0] == uneven.along[:, 0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kappa_parallel": 0.0}, r"kappa_parallel = 0.0 must be a positive finite number"),
        ({"kappa_perp": 3.0}, r"kappa_perp = 3 pc\^2/yr must not exceed kappa_parallel = 2.138"),
        ({"kappa_perp": math.nan}, r"kappa_perp = nan must be a positive"),
        ({"times": [2.0, 1.0]}, r"times = \[2.0, 1.0\] must be positive, rising and finite"),
        ({"realisations": 0}, r"realisations = 0 must be a whole number"),
        ({"particles": 1.5}, r"particles = 1.5 must be a whole number"),
        ({"step": -1.0}, r"step = -1.0 must be a positive finite number \[yr\]"),
        ({"box": 0.0}, r"box = 0.0 must be a positive finite number \[pc\]"),
    ],
)
def test_what_is_not_allowed_is_said_in_a_sentence(change, said):
    arguments = {
        "field_of": field_of(0.3),
        "kappa_parallel": KAPPA,
        "kappa_perp": 0.01,
        "times": [1.0, 2.0],
        "realisations": 2,
        "particles": 2,
        "seed": 1,
    }
    with pytest.raises(RangeError, match=said):
        spread(**(arguments | change))


def test_what_cannot_be_evaluated_is_refused():
    with pytest.raises(ModelError, match="must be a model of a magnetic field"):
        spread(lambda seed: 3.0, KAPPA, 0.01, [1.0, 2.0], 2, 2, 1)
    times = np.arange(1.0, 5.0)
    made = made_up(times, times, times)
    with pytest.raises(RangeError, match="window = 4 yr must leave a record"):
        made.homogenised(4.0)
    with pytest.raises(RangeError, match="needs two records and two realisations: there are 1"):
        made.exponent(1.5, 2.5)
