"""Pseudo-particles in turbulence: they leave their line only by kappa_perp, and spread faster."""

import math

import numpy as np
import pytest
from split_models import SIDE, Breath, Ripple, constant, lines_of

from mcprop.analytic.wandering import isotropic_perpendicular
from mcprop.errors import ModelError, RangeError
from mcprop.fields import UniformField, wandering_field
from mcprop.kernels.flow import Backward, Still
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
    assert coarse[1] < 0.025 * value
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
    still = Still(), np.zeros((3, *shape))
    return ParticleSpread(np.asarray(times), *squares, 1.0, 0.1, 10, 1, 1.0, *still)


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


def varied(value, amplitude, iz):
    """Coefficient value (1 + amplitude sin(x + iz z))."""
    return Ripple(value, amplitude, 0.0, iz, 1.0, SIDE)


def spread_in(kappa_parallel, kappa_perp, times, realisations=16, particles=256, **options):
    """Spread along straight lines, in kernels that the tests of the split step compile too."""
    uniform = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    field = lines_of(uniform, kappa_parallel, kappa_perp)
    count = realisations, particles, 5
    options = {"flow": Backward(Breath(0.0, 0.0)), "box": 1e3, **options}
    return spread(lambda seed: field, kappa_parallel, kappa_perp, times, *count, **options)


EVEN = 10.0 * np.arange(1, 4)


def test_along_a_line_a_coefficient_that_varies_is_averaged_by_its_inverse():
    """1/<1/kappa> = (1 - a^2)^(1/2) <kappa>, which an even density means."""
    value, error = spread_in(varied(1.0, 0.8, 1.0), constant(0.0), EVEN).homogenised(10.0).parallel
    assert error < 0.03
    assert abs(value - 0.6) < 4.0 * error
    assert 1.0 - value > 8.0 * error


def test_across_the_lines_as_well_and_along_waves_nothing_happens():
    value, error = spread_in(constant(1.0), varied(0.5, 0.8, 0.0), EVEN).homogenised(10.0).perp
    assert error < 0.012
    assert abs(value - 0.5 * (0.5 + 0.3)) < 4.0 * error
    assert 0.5 - value > 6.0 * error


def test_plasma_that_is_sheared_along_the_lines_spreads_what_it_carries():
    """<dx^2> = 2 kappa_perp t + A^2 (t/r - (1 - exp(-r t))/r^2) about ux t, with r = kappa_par.

    The plasma moves by A sin z, which a particle forgets in 1/r (Taylor 1953).
    """
    flow = Backward(Breath(-0.7, 0.0, -1.5))
    found = spread_in(constant(1.0), constant(0.1), EVEN, flow=flow)
    for i, time in enumerate(EVEN):
        sheared = 1.5**2 * (time + math.expm1(-time))
        moved, squares = found.mean_displacement, found.mean_square_perp
        assert abs(squares.value[i] - 0.2 * time - 0.5 * sheared) < 4.0 * squares.error[i]
        assert np.all(np.abs(moved.value[:, i] - [0.7 * time, 0.0, 0.0]) < 4.0 * moved.error[:, i])
        assert squares.error[i] < 0.05 * sheared
    assert found.flow == flow
    assert "Breath" in repr(found)


def test_in_a_flow_with_sources_all_times_count_from_the_start():
    flow = Backward(Breath(0.0, 0.5))
    even, uneven = (
        spread_in(constant(1.0), constant(0.1), times, 2, 64, flow=flow, step=0.5)
        for times in ([1.0, 2.0, 3.0], [1.0, 3.0])
    )
    np.testing.assert_allclose(even.across[:, 2], uneven.across[:, 1], rtol=1e-12)
    np.testing.assert_allclose(even.across[:, 0], uneven.across[:, 0], rtol=1e-12)


def test_few_particles_are_no_less_far_from_their_mean():
    """Of two particles in a realisation as of many: <dz^2> = 2 kappa_par t."""
    flow = Backward(Breath(1.0, 0.0))
    made = spread_in(constant(1.0), constant(0.1), [2.0], 200, 2, flow=flow, step=2.0)
    value, error = made.mean_square_parallel
    assert abs(value[0] - 4.0) < 4.0 * error[0]
    assert value[0] - 4.0 * error[0] > 2.0


def test_a_model_that_is_constant_is_the_number():
    by_number, by_model = (
        spread(field_of(0.0), *kappas, [10.0, 20.0], 2, 64, 1, flow=flow)
        for kappas, flow in (((KAPPA, 0.01), None), ((Constant(KAPPA), Constant(0.01)), Still()))
    )
    assert np.array_equal(by_number.across, by_model.across)
    assert (by_model.kappa_parallel, by_model.kappa_perp) == (KAPPA, 0.01)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((varied(1.0, 1.5, 1.0), 0.0), r"^kappa_parallel = -\S+ pc\^2/yr at \(.*\) pc must be pos"),
        ((2.0, varied(0.1, 1.5, 1.0)), r"^kappa_perp = -\S+ pc\^2/yr at \(.*\) pc must not be neg"),
        ((0.5, varied(0.4, 0.5, 1.0)), r"must not exceed kappa_parallel = 0.5 pc\^2/yr, but does"),
        (
            (Constant(1.0), Constant(2.0)),
            r"^kappa_perp = 2 pc\^2/yr must not exceed kappa_parallel",
        ),
    ],
)
def test_coefficients_that_are_not_allowed_are_found_where_they_are(change, said):
    with pytest.raises(RangeError, match=said):
        spread(field_of(0.0), *change, [1.0], 2, 2, 1)


def test_models_that_do_not_answer_are_refused():
    given = field_of(0.0), 1.0
    with pytest.raises(ModelError, match="kappa_perp is a UniformField and must be a number"):
        spread(*given, UniformField(0.0, 0.0, 1.0), [1.0], 2, 2, 1)
    with pytest.raises(ModelError, match="flow is a float and must be a model of a velocity"):
        spread(*given, 0.1, [1.0], 2, 2, 1, flow=3.0)
    with pytest.raises(ModelError, match=r"but central differences of its kappa give"):
        spread(*given, Ripple(0.1, 0.5, 0.0, 1.0, 0.5, SIDE), [1.0], 2, 2, 1)
    with pytest.raises(ModelError, match=r"velocity of the Breath at .* pc is .*nan.*; it must be"):
        spread(*given, 0.1, [1.0], 2, 2, 1, flow=Breath(math.nan, 0.0))
    with pytest.raises(RangeError, match="particles = 1 must be a whole number from 2"):
        spread(*given, 0.1, [1.0], 2, 1, 1, flow=Breath(1.0, 0.0))


def test_particles_that_leave_for_where_there_is_no_coefficient_are_counted():
    with pytest.raises(RangeError, match="of 64 particles get to where the field, the flow or a"):
        spread_in(varied(1.0, 1.5, 1.0), constant(0.0), [5.0], 1, 64, box=0.2, step=0.5)


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
