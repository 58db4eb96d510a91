"""Sky maps: planted dipoles, their errors, the angular power, FITS files."""

import math
from datetime import UTC, datetime, timedelta

import healpy
import numpy as np
import pytest
from astropy.io import fits

from mcprop import __version__
from mcprop.dipole import Dipole
from mcprop.errors import OutputError, RangeError
from mcprop.moments import Moments
from mcprop.sky import SkyMap, SkyTally

ONE_SIGMA = math.erf(1.0 / math.sqrt(2.0))
DELTA = np.array([1.2e-2, -8e-3, 9e-3])
DENSITY = 3e-7
RUNS = 500
BOUND = 4.0 * math.sqrt(ONE_SIGMA * (1.0 - ONE_SIGMA) / RUNS)


def directions(rng: np.random.Generator, n: int) -> np.ndarray:
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def swapped(vectors: np.ndarray) -> np.ndarray:
    """Directions whose longitude and latitude were exchanged."""
    lon, lat = np.arctan2(vectors[:, 1], vectors[:, 0]), np.arcsin(vectors[:, 2])
    return np.column_stack([np.cos(lon) * np.cos(lat), np.cos(lon) * np.sin(lat), np.sin(lon)])


def small_maps(change=lambda vectors: vectors) -> list[SkyMap]:
    """Maps of 2400 independent scores each, `change` being a bug between score and bin."""
    rng = np.random.default_rng(21)
    maps = []
    for _ in range(RUNS):
        n = directions(rng, 2400)
        tally = SkyTally(2)
        tally.add(change(n), DENSITY * (n @ DELTA + 0.1 * rng.normal(size=len(n))))
        maps.append(tally.to_map(DENSITY))
    return maps


def coverage(fits: list[Dipole]) -> np.ndarray:
    return np.mean([np.abs(fit.vector - DELTA) < fit.sigma for fit in fits], axis=0)


@pytest.fixture(scope="module")
def maps() -> list[SkyMap]:
    return small_maps()


def test_planted_dipole_is_recovered(maps):
    shares = coverage([sky.fit_dipole() for sky in maps])
    assert np.all(np.abs(shares - ONE_SIGMA) < BOUND)


def test_residuals_of_the_fit_are_chance(maps):
    fits = [sky.fit() for sky in maps]
    assert {fit.dof for fit in fits} == {44}
    # variances estimated from 50 scores a pixel widen the distribution of a pull to Student's
    wider = 49.0 / 47.0
    mean = np.mean([fit.chi2 for fit in fits]) / (44 * wider)
    assert abs(mean - 1.0) < 4.0 * math.sqrt(2.0 * 1.1 / 44 / RUNS)
    assert np.mean([fit.monopole for fit in fits]) == pytest.approx(1.0, abs=4 * 0.002 / RUNS**0.5)


@pytest.mark.parametrize("bug", [swapped, np.negative], ids=["lon-lat swapped", "flow for arrival"])
def test_directions_gone_wrong_are_caught(bug):
    shares = coverage([sky.fit_dipole() for sky in small_maps(bug)])
    assert np.any(np.abs(shares - ONE_SIGMA) > BOUND)


def test_nested_order_for_ring_is_caught(monkeypatch):
    ring = healpy.vec2pix
    monkeypatch.setattr(healpy, "vec2pix", lambda *args: ring(*args, nest=True))
    shares = coverage([sky.fit_dipole() for sky in small_maps()])
    assert np.any(np.abs(shares - ONE_SIGMA) > BOUND)


def run_of_histories(rng: np.random.Generator, with_moments: bool) -> SkyMap:
    """Histories that look both ways along three axes: six scores with one common cause."""
    axes = np.linalg.qr(rng.normal(size=(400, 3, 3)))[0]
    both = np.concatenate([axes, -axes], axis=1)
    gradient = DENSITY * (DELTA + 0.1 * rng.normal(size=(400, 1)) * np.array([1.0, 0.5, -0.3]))
    values = np.einsum("hki,hi->hk", both, gradient)
    tally = SkyTally(2)
    moments = Moments.of(np.full(400, DENSITY), gradient) if with_moments else None
    tally.add(both.reshape(-1, 3), values.ravel(), moments)
    return tally.to_map(DENSITY)


@pytest.mark.parametrize("with_moments", [True, False])
def test_scores_of_one_history_are_not_independent(with_moments):
    rng = np.random.default_rng(22)
    fits = [run_of_histories(rng, with_moments).fit_dipole() for _ in range(RUNS)]
    off = abs(coverage(fits)[0] - ONE_SIGMA)
    assert off < BOUND if with_moments else off > BOUND


def test_tallies_add_and_know_their_nside():
    rng = np.random.default_rng(23)
    n, values = directions(rng, 300), rng.normal(size=300)
    whole, first, second = SkyTally(4), SkyTally(4), SkyTally(4)
    whole.add(n, values)
    first.add(n[:100], values[:100])
    second.add(n[100:], values[100:])
    total = first + second
    assert np.array_equal(total.count, whole.count)
    assert total.sum == pytest.approx(whole.sum, abs=1e-13)
    assert total.sum2 == pytest.approx(whole.sum2, abs=1e-13)
    with pytest.raises(RangeError, match="nside 4 and 8"):
        total + SkyTally(8)
    with pytest.raises(RangeError, match="power of two"):
        SkyTally(12)
    with pytest.raises(RangeError, match="do not belong"):
        total.add(n, values[:-1])


def test_pixels_without_scores_are_unknown():
    tally = SkyTally(1)
    tally.add([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], [1.0, 3.0, 5.0])
    sky = tally.to_map(2.0)
    twice, once = healpy.vec2pix(1, 0.0, 0.0, 1.0), healpy.vec2pix(1, 1.0, 0.0, 0.0)
    assert (sky.relative_intensity[twice], sky.std_dev[twice]) == (2.0, 0.5)
    assert sky.relative_intensity[once] == 3.5
    assert np.isnan(sky.std_dev[once])
    assert np.isnan(sky.relative_intensity).sum() == 10
    with pytest.raises(RangeError, match="do not determine"):
        sky.fit()


def test_map_of_a_dipole_gives_it_back():
    fit = SkyMap.from_dipole(DELTA, 8).fit()
    assert fit.dipole.vector == pytest.approx(DELTA, rel=1e-12)
    assert not fit.dipole.covariance.any()
    assert fit.chi2 == 0.0


def test_power_of_a_planted_dipole():
    c_l = SkyMap.from_dipole(DELTA, 16).power_spectrum().c_l
    expected = 4.0 * math.pi * (DELTA @ DELTA) / 9.0
    assert c_l[1] == pytest.approx(expected, rel=1e-4)
    assert np.all(np.delete(c_l, 1) < 1e-6 * expected)


def test_power_of_noise_is_its_level():
    std_dev = np.full(3072, 2e-3)
    noise = std_dev * np.random.default_rng(24).normal(size=3072)
    power = SkyMap(1.0 + noise, std_dev).power_spectrum(30)
    modes = (2 * power.multipole + 1)[2:]
    mean = np.average(power.c_l[2:], weights=modes) / power.noise
    assert abs(mean - 1.0) < 4.0 * math.sqrt(2.0 / modes.sum())


def test_maps_combine_by_their_share_of_the_intensity():
    noise = np.full(192, 1e-3)
    covariance = np.diag([1.0, 2.0, 3.0])
    noisy = SkyMap(SkyMap.from_dipole(DELTA, 4).relative_intensity, noise, "nearby", 1e4, 3)
    known = SkyMap(noisy.relative_intensity, noise, dipole_covariance=covariance)
    exact = SkyMap.from_dipole([0.0, 0.0, 1e-2], 4)
    total = SkyMap.combine([(0.25, noisy), (0.75, exact)], component="total", energy=1e4, seed=3)
    expected = 0.25 * DELTA + np.array([0.0, 0.0, 0.75e-2])
    assert total.fit_dipole().vector == pytest.approx(expected, rel=1e-12)
    assert total.std_dev == pytest.approx(0.25e-3)
    assert (total.component, total.energy, total.seed) == ("total", 1e4, 3)
    assert total.dipole_covariance is None
    both = SkyMap.combine([(0.5, known), (0.25, known), (1.0, exact)])
    assert both.fit_dipole().covariance == pytest.approx((0.25 + 0.0625) * covariance)
    with pytest.raises(RangeError, match="one and the same nside"):
        SkyMap.combine([(1.0, exact), (1.0, SkyMap.from_dipole(DELTA, 2))])


@pytest.fixture
def sky() -> SkyMap:
    rng = np.random.default_rng(25)
    intensity = SkyMap.from_dipole(DELTA, 16).relative_intensity + 1e-3 * rng.normal(size=3072)
    intensity[7] = np.nan
    std_dev = np.full(3072, 1e-3)
    std_dev[7] = np.nan
    covariance = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 0.25], [0.5, 0.25, 1.0]]) * 1e-9
    return SkyMap(
        intensity, std_dev, "nearby", 215.44346900318845, 2**62 + 1, "Best fit", covariance
    )


def test_healpy_reads_the_file(sky, tmp_path):
    path = tmp_path / "map.fits"
    sky.write(path)
    (intensity, std_dev), header = healpy.read_map(path, field=(0, 1), h=True)
    cards = dict(header)
    assert intensity[7] == std_dev[7] == healpy.UNSEEN
    assert np.array_equal(np.delete(intensity, 7), np.delete(sky.relative_intensity, 7))
    assert np.array_equal(np.delete(std_dev, 7), np.delete(sky.std_dev, 7))
    assert (cards["ORDERING"], cards["COORDSYS"], cards["NSIDE"]) == ("RING", "C", 16)
    assert (cards["TTYPE1"], cards["TTYPE2"]) == ("RELATIVE_INTENSITY", "STD_DEV")
    assert (cards["TUNIT1"], cards["TUNIT2"]) == ("1", "1")
    assert (cards["SEED"], cards["ENERGY"]) == (2**62 + 1, sky.energy)


def test_header_holds_the_fitted_dipole_and_the_maker(sky, tmp_path):
    path = tmp_path / "map.fits"
    sky.write(path)
    header = fits.getheader(path, 1)
    fitted = sky.fit_dipole().vector
    for axis, value in zip("XYZ", fitted, strict=True):
        assert header[f"DELTA{axis}"] == pytest.approx(value, rel=1e-13)
        assert header.comments[f"DELTA{axis}"] == "fitted dipole, ICRS, arrival convention"
    assert header["CREATOR"] == f"mcprop {__version__}"
    age = datetime.now(UTC) - datetime.fromisoformat(header["DATE"] + "+00:00")
    assert timedelta(0) <= age + timedelta(seconds=1) < timedelta(minutes=5)


def test_map_without_a_dipole_and_with_a_title_of_any_letters(tmp_path):
    intensity = np.full(12, np.nan)
    intensity[3] = 1.0
    SkyMap(intensity, np.zeros(12), title="Modell \u03b1").write(tmp_path / "map.fits")
    header = fits.getheader(tmp_path / "map.fits", 1)
    assert "DELTAX" not in header
    assert header["SCENARIO"] == "Modell ?"


def test_noise_of_opposite_pairs_is_odd():
    rng = np.random.default_rng(26)
    half = directions(rng, 60_000)
    score = rng.normal(size=len(half))
    tally = SkyTally(4)
    tally.add(np.concatenate([half, -half]), np.concatenate([score, -score]))
    power = tally.to_map(1e3).power_spectrum(8)
    modes = 2 * power.multipole + 1
    odd, even = (np.arange(1, 9, 2), np.arange(0, 9, 2))
    mean_odd = np.average(power.c_l[odd], weights=modes[odd]) / power.noise
    assert abs(mean_odd / 2.0 - 1.0) < 4.0 * math.sqrt(2.0 / modes[odd].sum())
    assert np.all(power.c_l[even] < 0.05 * power.noise)


def test_file_round_trip(sky, tmp_path):
    path = tmp_path / "map.fits"
    sky.write(path)
    back = SkyMap.read(path)
    assert np.array_equal(back.relative_intensity, sky.relative_intensity, equal_nan=True)
    assert np.array_equal(back.std_dev, sky.std_dev, equal_nan=True)
    for name in ("component", "energy", "seed", "title", "nside"):
        assert getattr(back, name) == getattr(sky, name)
    assert back.fit_dipole().covariance == pytest.approx(sky.dipole_covariance, rel=1e-13)
    assert repr(back) == repr(sky)


def test_files_that_cannot_be_written_or_read(sky, tmp_path):
    path = tmp_path / "map.fits"
    sky.write(path)
    with pytest.raises(OutputError) as caught:
        sky.write(path)
    assert str(caught.value) == f"{path} exists already; overwrite=True replaces it."
    sky.write(path, overwrite=True)
    nowhere = tmp_path / "nowhere" / "map.fits"
    with pytest.raises(OutputError, match=r"Cannot write the map .*: No such file or directory\.$"):
        sky.write(nowhere)
    (tmp_path / "text.fits").write_text("no map")
    for name in ("text.fits", "missing.fits"):
        with pytest.raises(OutputError, match=r"Cannot read the map .*[^.]\.$"):
            SkyMap.read(tmp_path / name)


def test_values_that_are_no_map():
    with pytest.raises(RangeError, match="not a HEALPix map"):
        SkyMap(np.ones(13), np.ones(13))
