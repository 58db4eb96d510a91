"""What every realisation of turbulence holds exactly, what spectra imply, what is refused."""

import math

import numpy as np
import pytest
from astropy import units as u
from scipy.integrate import quad

from mcprop.errors import RangeError, UnitsError
from mcprop.fields import (
    Bendover,
    PlaneWaves,
    PowerLaw,
    correlation_lengths,
    mean_inverse_wavenumber,
    strong_range,
    turbulence,
    wandering_field,
)

LONGEST, SHORTEST, RMS = 100.0, 5.0, 2.0
LOWEST, HIGHEST = 2.0 * math.pi / LONGEST, 2.0 * math.pi / SHORTEST


def request(seed: int | np.random.SeedSequence, waves: int = 30, **options) -> PlaneWaves:
    given = {"rms": RMS, "longest": LONGEST, "shortest": SHORTEST, "waves": waves} | options
    return turbulence(**given, seed=seed)


def spread(model: PlaneWaves) -> np.ndarray:
    """<B_i B_j> over all space [uG^2]."""
    return 0.5 * model.amplitude.T @ model.amplitude


SHARES = {
    "isotropic": (1 / 3, 1 / 3, 1 / 3),
    "slab": (0.5, 0.5, 0.0),
    "2d": (0.5, 0.5, 0.0),
    "composite": (0.5, 0.5, 0.0),
    "critically-balanced": (0.5, 0.5, 0.0),
}


@pytest.mark.parametrize("geometry", SHARES)
@pytest.mark.parametrize("waves", [12, 60])
def test_variances_of_each_realisation_are_exact(geometry, waves):
    for seed in range(10):
        found = spread(request(seed, waves, geometry=geometry))
        wanted = RMS**2 * np.diag(SHARES[geometry])
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * RMS**2)


@pytest.mark.parametrize("waves", [3, 13, 50, 200])
def test_odd_numbers_of_waves_keep_the_rms_and_tilt_by_the_last_waves_alone(waves):
    for seed in range(10):
        model = request(seed, waves, geometry="isotropic")
        found, last = spread(model), 0.5 * np.sum(model.amplitude[-2:] ** 2)
        assert np.trace(found) == pytest.approx(RMS**2, rel=1e-12)
        assert np.abs(found - RMS**2 / 3.0 * np.eye(3)).max() <= last
        assert len(model.k) == waves


def test_a_composite_is_as_much_slab_as_requested():
    for part in (0.0, 0.3, 1.0):
        model = request(1, geometry="composite", slab_fraction=part)
        is_slab = np.linalg.norm(model.k[:, :2], axis=1) == 0.0
        assert 0.5 * np.sum(model.amplitude[is_slab] ** 2) == pytest.approx(part * RMS**2)
        assert is_slab.sum() == 15


def test_waves_lie_between_the_scales_that_were_asked_for():
    for geometry in ("isotropic", "slab", "2d"):
        lengths = np.linalg.norm(request(3, 300, geometry=geometry).k, axis=1)
        assert LOWEST <= lengths.min() < 1.05 * LOWEST
        assert 0.95 * HIGHEST < lengths.max() <= HIGHEST * (1.0 + 1e-12)
    across = np.linalg.norm(request(3, 300, geometry="critically-balanced").k[:, :2], axis=1)
    assert across.min() * (1.0 + 1e-12) >= LOWEST
    assert across.max() <= HIGHEST * (1.0 + 1e-12)
    bent = np.abs(request(3, 300, geometry="slab", spectrum="bendover").k[:, 2])
    assert bent.min() < 0.01 * LOWEST


@pytest.mark.parametrize("slope", [5 / 3, 1.5, 3.0])
def test_waves_carry_the_variance_of_their_part_of_the_spectrum(slope):
    """The variance below a wave, by E(k) ~ k^-slope, ends within what it adds to the others."""

    def below(k, index=slope):
        low, high = LOWEST ** (1.0 - index), HIGHEST ** (1.0 - index)
        return (k ** (1.0 - index) - low) / (high - low)

    def lies_within(part, ends):
        return ((ends[:-1] - 1e-12 <= part) & (part <= ends[1:] + 1e-12)).all()

    for geometry in ("isotropic", "slab", "2d"):
        model = request(5, 120, geometry=geometry, slope=slope)
        k = np.linalg.norm(model.k, axis=1)
        variance = 0.5 * (model.amplitude**2).sum(axis=1) / RMS**2
        ends = np.append(0.0, np.cumsum(variance))
        assert lies_within(below(k), ends)
        assert not lies_within(below(k, slope - 0.05), ends)


def test_the_mach_number_is_the_strength_of_the_turbulence_over_that_of_the_mean_field():
    field = wandering_field(3.0, 0.3, "slab", LONGEST, SHORTEST, waves=24, seed=9)
    assert tuple(field.first) == (0.0, 0.0, 3.0)
    assert math.sqrt(np.trace(spread(field.second))) == pytest.approx(0.9, rel=1e-12)
    alone = turbulence("slab", 0.9, LONGEST, SHORTEST, waves=24, seed=9)
    np.testing.assert_allclose(field.second.table, alone.table, rtol=1e-14)
    assert not wandering_field(3.0, 0.0, "2d", LONGEST, SHORTEST, 6).second.amplitude.any()


def balance(field: PlaneWaves, mach: float) -> tuple[float, float]:
    """Mean of k_par over that of Lazarian & Vishniac (1999), l_par = L (l_perp/L)^(2/3) M^(-4/3).

    With its error: over an exponential distribution the mean is one, and the scatter as well.
    """
    across = np.linalg.norm(field.k[:, :2], axis=1)
    along = (
        2.0 * math.pi / (LONGEST * (2.0 * math.pi / across / LONGEST) ** (2 / 3) * mach ** (-4 / 3))
    )
    return float(np.mean(np.abs(field.k[:, 2]) / along)), len(across) ** -0.5


def test_the_strong_range_is_balanced_below_the_weak_one():
    for mach in (0.3, 0.8, 1.0):
        field = strong_range(3.0, mach, LONGEST, 0.5, 900, seed=4)
        assert tuple(field.first) == (0.0, 0.0, 3.0)
        assert math.sqrt(np.trace(spread(field.second))) == pytest.approx(3.0 * mach**2)
        across = np.linalg.norm(field.second.k[:, :2], axis=1)
        assert 1.0 <= across.min() / (2.0 * math.pi / (LONGEST * mach**2)) < 1.01
        mean, error = balance(field.second, mach)
        assert abs(mean - 1.0) < 4.0 * error
    # noticed: the power of the Mach number that belongs to waves as long as the injection scale
    wide = request(4, 900, geometry="critically-balanced", longest=9.0, shortest=0.5, cone=0.2)
    mean, error = balance(wide, 0.3)
    assert abs(mean - 1.0) > 4.0 * error


def test_the_strong_range_looks_the_same_for_all_mach_numbers():
    """B_x/B0 M^-2 is the same function of x M^-2 and z, so that lines diffuse as M^4 exactly."""
    weak, strong = (
        strong_range(1.0, m, LONGEST, 4.0 * m**2, 60, seed=2).second for m in (0.2, 1.0)
    )
    np.testing.assert_allclose(weak.k * [0.04, 0.04, 1.0], strong.k, rtol=1e-12)
    np.testing.assert_allclose(weak.amplitude / 0.04, strong.amplitude, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(weak.phase, strong.phase)


@pytest.mark.parametrize(
    ("mach", "injection", "shortest", "message"),
    [
        (1.1, 100.0, 1.0, "mach = 1.1 must be a finite number above 0 and at most 1."),
        (0.5, -1.0, 1.0, "injection = -1.0 must be a finite number above 0 [pc]."),
        (0.5, 100.0, 25.0, "shortest = 25.0 must be less than injection mach^2 = 25.0."),
    ],
)
def test_what_is_no_strong_range_is_refused_in_one_sentence(mach, injection, shortest, message):
    with pytest.raises(RangeError) as refused:
        strong_range(3.0, mach, injection, shortest)
    assert str(refused.value) == message


def test_a_seed_sequence_is_a_seed():
    one = request(np.random.SeedSequence((4, 2)), geometry="2d")
    same = request(np.random.SeedSequence((4, 2)), geometry="2d")
    assert np.array_equal(one.table, same.table)
    assert not np.array_equal(one.table, request(4, geometry="2d").table)


# ---- spectra and what follows from them alone

LAWS = [
    PowerLaw(LONGEST, SHORTEST),
    PowerLaw(LONGEST, SHORTEST, 1.0),
    PowerLaw(LONGEST, SHORTEST, -2.0),
    Bendover(LONGEST, SHORTEST),
    Bendover(LONGEST, SHORTEST, 3.0),
]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_spectrum_is_its_own_distribution(law):
    least = getattr(law, "lowest", 0.0)
    for k in np.linspace(least, law.highest, 7):
        assert law.below(k) == pytest.approx(quad(law.density, least, k)[0], abs=1e-9)
    parts = np.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(law.below(law.wavenumber(parts)), parts, atol=1e-12)
    assert law.wavenumber(0.0) == pytest.approx(least)
    assert law.wavenumber(1.0) == pytest.approx(law.highest)
    assert law.density(1.01 * law.highest) == law.density(-0.1) == 0.0
    edges = law.edges(8)
    assert len(edges) == 9
    assert (np.diff(edges) > 0.0).all()


def test_spectra_have_the_slope_that_was_asked_for():
    k = np.array([0.1, 0.8])
    for law in LAWS[:3]:
        assert np.diff(np.log(law.density(k)))[0] == pytest.approx(-law.slope * math.log(8.0))
    far = Bendover(1e6, SHORTEST)
    steep = np.diff(np.log(far.density(k)))[0] / math.log(8.0)
    assert steep == pytest.approx(-5.0 / 3.0, rel=1e-6)


@pytest.mark.parametrize("slope", [5 / 3, 1.5, 1.0, 0.0, 8 / 3])
def test_mean_inverse_wavenumber_is_the_integral(slope):
    def integral(power):
        return quad(lambda k: k**power, LOWEST, HIGHEST, epsabs=0.0)[0]

    wanted = integral(-slope - 1.0) / integral(-slope)
    assert mean_inverse_wavenumber(LONGEST, SHORTEST, slope) == pytest.approx(wanted, rel=1e-8)


def test_coherence_length_is_that_of_the_published_formula():
    """Harari et al. 2002, for a three-dimensional index of 5/3: both signs of the distance."""
    s, ratio = 5.0 / 3.0, SHORTEST / LONGEST
    published = 0.5 * LONGEST * (s - 1.0) / s * (1.0 - ratio**s) / (1.0 - ratio ** (s - 1.0))
    assert 2.0 * correlation_lengths("isotropic", LONGEST, SHORTEST)[0] == pytest.approx(published)


def test_bendover_length_is_that_of_the_full_spectrum():
    """0.746834 l where the spectrum does not end."""
    assert Bendover(2.0 * math.pi, 1e-8).correlation_length == pytest.approx(0.746834, abs=1e-5)


def test_what_does_not_vary_has_no_correlation_length():
    scales = (LONGEST, SHORTEST)
    bent = Bendover(*scales).correlation_length
    assert correlation_lengths("slab", *scales) == (0.0, math.inf)
    assert correlation_lengths("slab", *scales, spectrum="bendover") == (bent, math.inf)
    assert correlation_lengths("2d", *scales)[0] == math.inf
    assert correlation_lengths("composite", *scales) == (math.inf, math.inf)
    ends = [
        correlation_lengths("composite", *scales, slab_fraction=part, spectrum="bendover")
        for part in (0.0, 1.0)
    ]
    assert ends == [correlation_lengths("2d", *scales), (bent, math.inf)]


GIVEN = {"geometry": "isotropic", "rms": 1.0, "longest": 100.0, "shortest": 10.0}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"geometry": "cubic"}, "geometry = 'cubic' is not known: choose one of 'isotropic', 's"),
        ({"rms": -1.0}, "rms = -1.0 must be a finite number of at least 0 [uG]."),
        ({"rms": math.nan}, "rms = nan must be a finite number of at least 0 [uG]."),
        ({"longest": 0}, "longest = 0 must be a finite number above 0 [pc]."),
        ({"shortest": "10 pc"}, "shortest = '10 pc' must be a finite number above 0 [pc]."),
        ({"shortest": 100.0}, "shortest = 100.0 must be less than longest = 100.0."),
        ({"waves": 2}, "waves = 2 must be a whole number of at least 3."),
        ({"waves": 30.0}, "waves = 30.0 must be a whole number of at least 3."),
        ({"slope": math.inf}, "slope = inf must be a finite number."),
        ({"seed": -1}, "seed = -1 must be a whole number of at least 0 or a SeedSequence."),
        ({"spectrum": "flat"}, "spectrum = 'flat' is not known: choose one of 'power-law', 'be"),
        (
            {"spectrum": "bendover"},
            "spectrum = 'bendover' is for the geometries 'slab' and 'composite' only, not for",
        ),
        ({"slab_fraction": 0.3}, "slab_fraction = 0.3 is for the geometry 'composite' only, not"),
        ({"cone": 1.0}, "cone = 1.0 is for the geometry 'critically-balanced' only, not for 'iso"),
        (
            {"geometry": "slab", "spectrum": "bendover", "slope": 1.0},
            "slope = 1.0 must be a finite number above 1.",
        ),
        (
            {"geometry": "composite", "slab_fraction": 1.2},
            "slab_fraction = 1.2 must be a finite number of at least 0 and at most 1.",
        ),
        ({"geometry": "critically-balanced", "cone": 0.0}, "cone = 0.0 must be a finite number ab"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(changed, message):
    with pytest.raises(RangeError) as refused:
        turbulence(**GIVEN | changed)
    assert str(refused.value).startswith(message)
    assert str(refused.value).count("\n") == 0
    if changed.keys() - {"rms", "waves", "seed"}:
        known = {name: value for name, value in (GIVEN | changed).items() if name != "rms"}
        with pytest.raises(RangeError) as refused:
            correlation_lengths(**known)
        assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("mean_field", "mach", "message"),
    [
        (0.0, 0.1, "mean_field = 0.0 must be a finite number above 0 [uG]."),
        (3.0, -0.1, "mach = -0.1 must be a finite number of at least 0."),
    ],
)
def test_bad_mean_fields_are_refused_in_one_sentence(mean_field, mach, message):
    with pytest.raises(RangeError) as refused:
        wandering_field(mean_field, mach, "2d", 100.0, 10.0)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("name", "unit"), [("rms", "uG"), ("longest", "pc"), ("shortest", "pc"), ("slope", "")]
)
def test_quantities_are_refused_with_the_way_out(name, unit):
    given = {"rms": RMS, "longest": LONGEST, "shortest": SHORTEST, "slope": 1.6}
    given[name] = given[name] * u.Unit(unit)
    with pytest.raises(UnitsError, match=rf'^{name} is a Quantity .*`\.to_value\("{unit}"\)`'):
        turbulence("isotropic", **given, waves=30, seed=1)
