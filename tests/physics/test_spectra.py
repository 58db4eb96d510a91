"""Turbulence as it is measured back from samples of the field, against what was asked for.

The correlations <B_i(x) B_j(x + r)> are averaged over places of a realisation, then over
realisations, whose scatter is the error bar. They are compared with integrals over the requested
spectrum, which are written down here anew, all lags and components at once (Hotelling's T^2).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import j0, j1
from scipy.stats import f as f_distribution

from mcprop.fields import (
    PlaneWaves,
    correlation_lengths,
    plane_waves,
    strong_range,
    turbulence,
)
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, kernel
from mcprop.wandering import line_spread

LONGEST, SHORTEST, RMS = 100.0, 5.0, 2.0
LOWEST, HIGHEST = 2.0 * math.pi / LONGEST, 2.0 * math.pi / SHORTEST
LAGS = (1.5, 4.0, 10.0, 30.0)
REALISATIONS = 400
X, Y, Z, DIAGONAL = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [math.sqrt(0.5)] * 2 + [0]], float)

Answer = Callable[[float], float]  # of a lag


# ---- what the requests mean: integrals over the spectrum, for a mean square of one


def nodes(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre in ln k: wavenumbers and weights dk."""
    x, w = np.polynomial.legendre.leggauss(600)
    half = 0.5 * math.log(high / low)
    k = np.exp(0.5 * math.log(low * high) + half * x)
    return k, w * half * k


def power_law(kernel_of, slope: float = 5.0 / 3.0) -> Answer:
    """Mean of a function of k and the lag over k^-slope."""
    k, weights = nodes(LOWEST, HIGHEST)
    weights = weights * k**-slope
    weights /= weights.sum()
    return lambda lag: float(weights @ (kernel_of(k, lag) * np.ones_like(k)))


def bendover(kernel_of, bend: float = LONGEST) -> Answer:
    k, weights = nodes(1e-7, HIGHEST)
    weights = weights * (1.0 + (k * bend / (2.0 * math.pi)) ** 2) ** (-5.0 / 6.0)
    weights /= weights.sum()
    return lambda lag: float(weights @ (kernel_of(k, lag) * np.ones_like(k)))


def longitudinal(k, r):
    q = k * r
    return (np.sin(q) - q * np.cos(q)) / q**3


def lateral(k, r):
    return 0.5 * np.sin(k * r) / (k * r) - 0.5 * longitudinal(k, r)


def along_lag(k, r):
    return j1(k * r) / (k * r)


def across_lag(k, r):
    return j0(k * r) - along_lag(k, r)


def half_difference(first, second):
    return lambda k, r: 0.5 * (first(k, r) - second(k, r))


def slab_wave(k, r):
    return 0.5 * np.cos(k * r)


def in_cone(cone: float = 1.0):
    """The transform of exp(-k_par/k_c) / k_c, half of it for each component."""
    return lambda k, r: 0.5 / (1.0 + (cone * np.cbrt(k * k * LOWEST) * r) ** 2)


class Correlation(NamedTuple):
    """<B_i(x) B_j(x + lag axis)> / <B^2>, and what it is to be."""

    i: int
    j: int
    axis: np.ndarray
    answer: Answer


def isotropic(slope: float = 5.0 / 3.0) -> list[Correlation]:
    along, across = power_law(longitudinal, slope), power_law(lateral, slope)
    mixed = power_law(half_difference(longitudinal, lateral), slope)
    return [
        Correlation(0, 0, X, along),
        Correlation(1, 1, X, across),
        Correlation(2, 2, X, across),
        Correlation(2, 2, Z, along),
        Correlation(1, 1, Z, across),
        Correlation(0, 1, DIAGONAL, mixed),
    ]


def across_field(along: Answer, across: Answer, mixed: Answer) -> list[Correlation]:
    return [
        Correlation(0, 0, X, along),
        Correlation(1, 1, X, across),
        Correlation(0, 0, Y, across),
        Correlation(0, 1, DIAGONAL, mixed),
    ]


def along_field(both: Answer) -> list[Correlation]:
    return [Correlation(0, 0, Z, both), Correlation(1, 1, Z, both)]


FLAT = across_field(
    power_law(along_lag), power_law(across_lag), power_law(half_difference(along_lag, across_lag))
)


def composite(part: float) -> list[Correlation]:
    """A slab with a bent spectrum and what does not vary along z."""
    wave = bendover(slab_wave)
    flat = [
        one._replace(answer=lambda r, one=one: 0.5 * part * (one.i == one.j) + rest(one, r))
        for one in FLAT
    ]

    def rest(one: Correlation, r: float) -> float:
        return (1.0 - part) * one.answer(r)

    return flat + along_field(lambda r: part * wave(r) + 0.5 * (1.0 - part))


REQUESTS = {
    "isotropic": ({"geometry": "isotropic"}, isotropic()),
    "isotropic, slope 3/2": ({"geometry": "isotropic", "slope": 1.5}, isotropic(1.5)),
    "slab": ({"geometry": "slab"}, along_field(power_law(slab_wave))),
    "slab, bendover": (
        {"geometry": "slab", "spectrum": "bendover"},
        along_field(bendover(slab_wave)),
    ),
    "2d": ({"geometry": "2d"}, FLAT),
    "composite": (
        {"geometry": "composite", "slab_fraction": 0.3, "spectrum": "bendover"},
        composite(0.3),
    ),
    "critically balanced": (
        {"geometry": "critically-balanced"},
        FLAT + along_field(power_law(in_cone())),
    ),
    "critically balanced, narrow": (
        {"geometry": "critically-balanced", "cone": 0.5},
        FLAT + along_field(power_law(in_cone(0.5))),
    ),
}


# ---- what the samples say


@kernel
def sample(field, places, out):
    """Field of block after block of places."""
    for block in range(places.shape[0]):
        b_block(field, places[block], out[block])


def fields_at(model: PlaneWaves, places: np.ndarray) -> np.ndarray:
    """Field at places of shape (blocks, 3, LANES)."""
    out = np.zeros((len(places), 3 * LANES))
    sample(model, np.ascontiguousarray(places).reshape(len(places), -1), out)
    return out.reshape(places.shape)


def request(seed: int, waves: int = 30, **options) -> PlaneWaves:
    given = {"rms": RMS, "longest": LONGEST, "shortest": SHORTEST, "waves": waves} | options
    return turbulence(**given, seed=seed)


def measured(make: Callable[[int], PlaneWaves], wanted: list[Correlation]) -> np.ndarray:
    """Correlations of every realisation, shape (realisations, lags x correlations)."""
    rng = np.random.default_rng(77)
    shifts = [lag * one.axis for one in wanted for lag in LAGS]
    pairs = [(one.i, one.j) for one in wanted for _ in LAGS]
    first, second = np.transpose(pairs)
    found = np.empty((REALISATIONS, len(shifts)))
    for seed in range(REALISATIONS):
        base = rng.uniform(-1e4, 1e4, (3, LANES))
        places = np.array([base, *(base + shift[:, None] for shift in shifts)])
        here, *there = fields_at(make(seed), places)
        found[seed] = [
            np.mean(here[i] * b[j]) for i, j, b in zip(first, second, there, strict=True)
        ]
    return found / RMS**2


def chance(found: np.ndarray, wanted: list[Correlation]) -> float:
    """Probability of a mean at least that far from what is wanted (Hotelling's T^2)."""
    expected = np.array([one.answer(lag) for one in wanted for lag in LAGS])
    count, size = found.shape
    off = found.mean(axis=0) - expected
    squared = count * off @ np.linalg.solve(np.cov(found.T), off)
    return float(
        f_distribution.sf(squared * (count - size) / (size * (count - 1)), size, count - size)
    )


@pytest.mark.parametrize("name", REQUESTS)
def test_correlations_are_those_of_the_request(name):
    options, wanted = REQUESTS[name]
    assert chance(measured(lambda seed: request(seed, **options), wanted), wanted) > 1e-4


def test_another_slope_is_noticed():
    wanted = isotropic()
    found = measured(lambda seed: request(seed, geometry="isotropic", slope=1.5), wanted)
    assert chance(found, wanted) < 1e-6


def partly_polarised(seed: int) -> PlaneWaves:
    """Isotropic wave vectors; the amplitudes of every third wave are across z as well."""
    model = request(seed, geometry="isotropic")
    amplitude = model.amplitude.copy()
    across = np.cross(model.k, Z)[::3]
    lengths = np.linalg.norm(amplitude[::3], axis=1) / np.linalg.norm(across, axis=1)
    amplitude[::3] = lengths[:, None] * across
    return plane_waves(model.k, amplitude, model.phase)


def test_a_wrong_polarisation_is_noticed():
    assert chance(measured(partly_polarised, isotropic()), isotropic()) < 1e-6


def test_a_wrong_cone_is_noticed():
    options, wanted = REQUESTS["critically balanced"]
    found = measured(lambda seed: request(seed, **options, cone=1.15), wanted)
    assert chance(found, wanted) < 1e-6


def test_a_bend_at_another_place_is_noticed():
    options, wanted = REQUESTS["slab, bendover"]
    found = measured(lambda seed: request(seed, **options | {"longest": 1.2 * LONGEST}), wanted)
    assert chance(found, wanted) < 1e-6


# ---- what follows: no variation, and the lengths of the correlations


def test_slab_is_constant_across_the_mean_field_and_2d_along_it():
    rng = np.random.default_rng(5)
    here = rng.uniform(-500.0, 500.0, (1, 3, LANES))
    for geometry, moved in (("slab", [[300.0], [-70.0], [0.0]]), ("2d", [[0.0], [0.0], [300.0]])):
        model = request(1, geometry=geometry)
        there = here + np.array(moved)
        np.testing.assert_allclose(fields_at(model, here), fields_at(model, there), atol=1e-11)
        assert np.ptp(fields_at(model, here)[0, :2], axis=1).min() > RMS
        assert np.abs(fields_at(model, here)[0, 2]).max() == 0.0


def integrated(answer: Answer) -> float:
    """Integral over all lags; a wide bell damps what oscillates under a sharp outer scale.

    Sums over points in the middle of steps are exact up to the wavenumber 2 pi / step.
    """
    lags, step = np.arange(1.0, 8000.0, 2.0), 2.0
    return step * sum(answer(lag) * math.exp(-((lag / 2000.0) ** 2)) for lag in lags)


def traced(request_of: str, axis: np.ndarray) -> Answer:
    """<B(x) . B(x + lag axis)> / <B^2> in the plane of the components that do not vanish."""
    parts = [one for one in REQUESTS[request_of][1] if one.axis is axis and one.i == one.j]
    return lambda lag: sum(one.answer(lag) for one in parts)


@pytest.mark.parametrize(
    ("name", "axis", "index"),
    [
        ("isotropic", X, 1),
        ("slab, bendover", Z, 0),
        ("2d", X, 1),
        ("critically balanced", X, 1),
    ],
)
def test_correlation_lengths_are_integrals_of_the_correlation(name, axis, index):
    options = dict(REQUESTS[name][0])
    lengths = correlation_lengths(options.pop("geometry"), LONGEST, SHORTEST, **options)
    assert lengths[index] == pytest.approx(integrated(traced(name, axis)), rel=2e-3)


@pytest.mark.parametrize("cone", [1.0, 0.5])
def test_correlation_length_along_critically_balanced_turbulence(cone):
    """Its correlation along the field falls off slowly, and nowhere oscillates."""
    found = correlation_lengths("critically-balanced", LONGEST, SHORTEST, cone=cone)[0]
    name = {1.0: "critically balanced", 0.5: "critically balanced, narrow"}[cone]
    assert found == pytest.approx(quad(traced(name, Z), 0.0, math.inf)[0], rel=1e-6)


@pytest.mark.nightly
def test_lines_of_the_strong_range_diffuse_as_the_fourth_power_of_the_mach_number():
    """And slower than quasi-linear theory has it, as waves at the border are balanced.

    Its answer is (pi/4) M^4 <1/k_c>, which is L M^4 times 0.076 for one decade of wavelengths.
    """
    machs = np.array([0.3, 0.5, 0.8])
    found, errors = np.empty(3), np.empty(3)
    for seed, mach in enumerate(machs):
        shortest = 0.1 * LONGEST * mach**2
        spread = line_spread(
            lambda s, m=mach, short=shortest: strong_range(1.0, m, LONGEST, short, 48, seed=s),
            15.0 * LONGEST,
            realisations=300,
            lines=48,
            seed=seed,
            records=10,
            by="z",
            step=0.015 * LONGEST,
        )
        found[seed], errors[seed] = np.array(spread.late()) / LONGEST
    weights = np.log(machs) - np.log(machs).mean()
    weights /= weights @ np.log(machs)
    exponent, error = weights @ np.log(found), np.linalg.norm(weights * errors / found)
    assert error < 0.05
    assert abs(exponent - 4.0) < 4.0 * error
    # 1/k_c = (k/k0)^(-2/3) L/(2 pi), averaged over k^(-5/3) from k0 to 10 k0
    quasilinear = 0.125 * (0.75 * (1.0 - 10.0 ** (-4 / 3))) / (1.5 * (1.0 - 10.0 ** (-2 / 3)))
    assert quasilinear == pytest.approx(0.076, abs=5e-4)
    assert (found + 4.0 * errors < quasilinear * machs**4).all()
