"""Errors of dipoles: coverage, the bias of amplitudes, phases near zero, totals."""

import math

import numpy as np
import pytest

from mcprop.dipole import UNIFORM_ANGLE_ERR, Dipole, Part, combine
from mcprop.errors import RangeError
from mcprop.moments import Moments

ONE_SIGMA = math.erf(1.0 / math.sqrt(2.0))
DELTA = np.array([2e-3, -1e-3, 5e-4])


def binomial_bound(runs: int, sigmas: float = 4.0) -> float:
    """Deviation of an observed share from 68.3 % that chance reaches once in 16000."""
    return sigmas * math.sqrt(ONE_SIGMA * (1.0 - ONE_SIGMA) / runs)


def coverage(pulls: np.ndarray) -> np.ndarray:
    """Share of each column of pulls (runs, 3) inside one standard deviation."""
    return np.mean(np.abs(pulls) < 1.0, axis=0)


def scores(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Densities with a wide spread, and vectors that share most of it."""
    m = 3e-7 * np.exp(0.4 * rng.normal(size=n) - 0.08)
    return m, m[:, None] * (DELTA + 3e-3 * rng.normal(size=(n, 3)))


def rotation_about_pole(degrees: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def rotated(dipole: Dipole, degrees: float) -> Dipole:
    turn = rotation_about_pole(degrees)
    return Dipole(turn @ dipole.vector, turn @ dipole.covariance @ turn.T)


@pytest.fixture(scope="module")
def small_runs() -> list[Moments]:
    rng = np.random.default_rng(11)
    return [Moments.of(*scores(rng, 400)) for _ in range(800)]


def pulls(dipoles: list[Dipole], error: float = 1.0) -> np.ndarray:
    return np.array([(d.vector - DELTA) / (error * d.sigma) for d in dipoles])


@pytest.mark.parametrize(("along", "across"), [(0.01, 0.3), (0.1, 0.1), (0.02, 0.5)])
def test_amplitude_error_where_the_noise_is_transverse(along, across):
    """The error covers: of 20000 amplitudes as many lie within 1 and 3 errors as of a normal."""
    rng = np.random.default_rng(7)
    sigma = np.array([along, across, 0.0])
    vectors = np.array([1.0, 0.0, 0.0]) + rng.normal(size=(20000, 3)) * sigma
    dipoles = [Dipole(vector, np.diag(sigma**2)) for vector in vectors]
    off = np.array([abs(dipole.amplitude - 1.0) for dipole in dipoles])
    error = np.array([dipole.amplitude_err for dipole in dipoles])
    assert np.mean(off < error) > 0.683 - 4.0 * math.sqrt(0.683 * 0.317 / 20000)
    assert np.mean(off > 3.0 * error) < 0.0027 + 4.0 * math.sqrt(0.0027 / 20000)
    # the variance along the measured direction alone would leave many far outside
    first_order = np.sqrt([(v @ (sigma**2 * v)) / (v @ v) for v in vectors])
    assert np.mean(off > 3.0 * first_order) > (0.05 if across > 10.0 * along else 0.0)


def test_ratio_estimator_covers_the_truth(small_runs):
    shares = coverage(pulls([run.dipole() for run in small_runs]))
    assert np.all(np.abs(shares - ONE_SIGMA) < binomial_bound(len(small_runs)))


@pytest.mark.parametrize("error", [math.sqrt(2.0), 1.0 / math.sqrt(2.0)])
def test_wrong_errors_are_caught(small_runs, error):
    shares = coverage(pulls([run.dipole() for run in small_runs], error))
    assert np.all(np.abs(shares - ONE_SIGMA) > binomial_bound(len(small_runs)))


def test_error_without_the_shared_density_noise_is_caught():
    rng = np.random.default_rng(12)
    naive = []
    for _ in range(800):
        m = np.exp(0.8 * rng.normal(size=400) - 0.32)
        run = Moments.of(m, m[:, None] * (0.1 * DELTA / 1e-3 + 0.05 * rng.normal(size=(400, 3))))
        error = np.sqrt(np.diag(run.covariance_of_mean())[1:]) / run.mean[0]
        naive.append((run.dipole().vector - 0.1 * DELTA / 1e-3) / error)
    assert abs(coverage(np.array(naive))[0] - ONE_SIGMA) > binomial_bound(800)


def test_covariance_with_the_density_matches_the_scatter_between_runs(small_runs):
    log_density = np.log([run.density()[0] for run in small_runs])
    vectors = np.array([run.dipole().vector for run in small_runs])
    stacked = np.cov(np.column_stack([log_density, vectors]).T)
    variance = np.mean([run.log_density_variance() for run in small_runs])
    assert abs(stacked[0, 0] / variance - 1.0) < 4.0 * math.sqrt(2.0 / len(small_runs))
    # here d - delta m is independent of m, so nothing but chance is left
    cross = np.mean([run.covariance_with_log_density() for run in small_runs], axis=0)
    bound = 4.0 * np.sqrt(variance * np.diag(stacked)[1:] / len(small_runs))
    assert np.all(np.abs(stacked[0, 1:] - cross) < bound)


def test_moments_of_batches_add_to_the_moments_of_all():
    m, d = scores(np.random.default_rng(13), 1000)
    whole = Moments.of(m, d)
    parts = [Moments.of(m[i : i + 128], d[i : i + 128]) for i in range(0, 1000, 128)]
    total = sum(parts, Moments())
    assert total.n == whole.n
    assert total.mean == pytest.approx(whole.mean, rel=1e-13)
    assert total.scatter == pytest.approx(whole.scatter, rel=1e-11, abs=1e-24)
    assert total == sum(parts, Moments())
    assert Moments() + whole == whole == whole + Moments()


def test_nearly_noise_free_scores_keep_their_variance():
    noise = np.random.default_rng(14).normal(size=(4000, 3))
    batches = [Moments.of(np.ones(400), DELTA + 1e-12 * part) for part in np.split(noise, 10)]
    moments = sum(batches, Moments())
    assert moments.dipole().sigma == pytest.approx(1e-12 * noise.std(0) / 4000**0.5, rel=1e-3)


def test_error_of_two_histories_is_half_their_distance():
    """s^2/n with s^2 = (a - b)^2/2 for n = 2; dividing by n there would give 71 % of it."""
    a, b = np.array([1.0, 0.3, -0.2, 0.5]), np.array([1.4, -0.1, 0.2, 0.1])
    two = Moments.of([a[0], b[0]], [a[1:], b[1:]])
    assert two.density() == pytest.approx((1.2, 0.2), rel=1e-12)
    gap = (a - b) / 2.0
    np.testing.assert_allclose(two.covariance_of_mean(), np.outer(gap, gap), rtol=1e-12)


def test_one_history_has_no_variance():
    with pytest.raises(RangeError, match="at least 2 histories, not 1"):
        Moments.of([1.0], [[0.0, 0.0, 0.0]]).dipole()


def test_figure_of_merit():
    noise = 0.1 * np.random.default_rng(15).normal(size=10000)
    d = (1.0 + noise)[:, None] * DELTA
    merit = Moments.of(np.ones(10000), d).figure_of_merit(2.0)
    assert merit == pytest.approx(10000 / 0.1**2 / 2.0, rel=0.1)


def amplitudes(signal_to_noise: float, runs: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and naive lengths for a true amplitude of 1, with unequal errors."""
    rng = np.random.default_rng(16)
    covariance = np.array([[1.0, 0.3, 0.0], [0.3, 1.2, 0.1], [0.0, 0.1, 0.7]]) / signal_to_noise**2
    truth = np.array([math.cos(1.0), math.sin(1.0), 0.4])
    vectors = rng.multivariate_normal(truth, covariance, size=runs)
    estimates = np.array([Dipole(v, covariance).amplitude for v in vectors])
    return estimates, np.hypot(vectors[:, 0], vectors[:, 1])


def test_rice_bias_is_removed_and_the_naive_amplitude_has_it():
    estimates, naive = amplitudes(3.5)
    bound = 4.0 * np.std(naive) / math.sqrt(len(naive))
    assert abs(np.mean(estimates) - 1.0) < bound
    assert abs(np.mean(naive) - 1.0) > bound


def test_amplitude_error_covers_the_truth():
    estimates, _ = amplitudes(8.0, runs=1500)
    covariance = np.array([[1.0, 0.3, 0.0], [0.3, 1.2, 0.1], [0.0, 0.1, 0.7]]) / 64.0
    error = Dipole([math.cos(1.0), math.sin(1.0), 0.4], covariance).amplitude_err
    share = np.mean(np.abs(estimates - 1.0) < error)
    assert abs(share - ONE_SIGMA) < binomial_bound(1500)


def test_noise_along_the_amplitude_alone_brings_no_bias():
    along = Dipole([3.0, 4.0, 0.0], np.outer([3.0, 4.0, 0.0], [3.0, 4.0, 0.0]) / 100.0)
    assert along.amplitude == pytest.approx(5.0, rel=1e-12)
    assert along.amplitude_err == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("amplitude", [0.0, 0.3, 1.0, 3.0, 30.0])
def test_phase_error_is_that_of_the_distribution(amplitude):
    covariance = np.array([[1.0, 0.2], [0.2, 0.6]])
    full = np.zeros((3, 3))
    full[:2, :2] = covariance
    dipole = Dipole([amplitude, 0.0, 0.0], full)
    rng = np.random.default_rng(17)
    points = rng.multivariate_normal([dipole.amplitude, 0.0], covariance, size=100_000)
    phases = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    assert dipole.ra_err == pytest.approx(math.sqrt(np.mean(phases**2)), rel=0.02)


@pytest.mark.parametrize("noise", [1e-6, 1e-3, 1.0, 1e3])
def test_phase_error_stays_below_that_of_a_uniform_angle(noise):
    for covariance in (np.eye(3), np.diag([1.0, 0.0, 0.0]), np.diag([0.0, 1.0, 0.0])):
        assert 0.0 <= Dipole([1.0, 0.0, 0.0], noise * covariance).ra_err <= UNIFORM_ANGLE_ERR
    assert Dipole([1e-9, 0.0, 0.0], np.eye(3)).ra_err == pytest.approx(UNIFORM_ANGLE_ERR, rel=1e-3)


@pytest.mark.parametrize("degrees", [17.0, 90.0, 123.4, -179.0])
@pytest.mark.parametrize("noise", [1e-4, 0.4, 3.0])
def test_rotation_about_the_pole_changes_the_phase_alone(degrees, noise):
    root = np.array([[1.0, 0.2, 0.1], [0.0, 0.5, 0.3], [0.0, 0.0, 0.8]]) * noise
    dipole = Dipole([1.0, 0.3, -0.4], root @ root.T)
    turned = rotated(dipole, degrees)
    for name in ("amplitude", "amplitude_err", "ra_err", "dec", "amplitude_3d"):
        assert getattr(turned, name) == pytest.approx(getattr(dipole, name), rel=1e-9)
    shift = (turned.ra - dipole.ra - degrees + 180.0) % 360.0 - 180.0
    assert shift == pytest.approx(0.0, abs=1e-9)
    assert -180.0 <= turned.ra <= 180.0


def test_a_formula_has_no_errors():
    dipole = Dipole([0.0, -2e-3, 1e-3])
    assert (dipole.amplitude, dipole.amplitude_err, dipole.ra, dipole.ra_err) == (2e-3, 0, -90, 0)
    assert dipole.amplitude_3d == pytest.approx(math.sqrt(5.0) * 1e-3)
    assert "+-" not in repr(dipole)
    assert "\n" not in repr(dipole)
    assert Dipole([0.0, 0.0, 0.0]).amplitude_3d == 0.0


def test_a_dipole_cannot_be_changed_or_misshapen():
    with pytest.raises(ValueError, match="read-only"):
        Dipole([1.0, 0.0, 0.0]).vector[0] = 2.0
    with pytest.raises(RangeError, match="shape"):
        Dipole([1.0, 0.0])


def joint_covariance() -> np.ndarray:
    """Of (ln J, d): errors of the intensity that pull the dipole along."""
    root = np.array([[6e-2, 0, 0, 0], [8e-5, 6e-5, 0, 0], [-6e-5, 0, 9e-5, 0], [0, 0, 2e-5, 4e-5]])
    return root @ root.T


def parts_and_draws(draws: int) -> tuple[list[Part], np.ndarray]:
    """Two random parts and a fixed one, and the totals of as many random realisations of them."""
    rng = np.random.default_rng(18)
    covariance = joint_covariance()
    vectors = [np.array([3e-3, 1e-3, 0.0]), np.array([-2e-3, 1e-3, 1e-3]), np.array([0, 5e-4, 0])]
    intensities = [2.0, 1.0, 0.5]
    parts, top, bottom = [], np.zeros((draws, 3)), np.zeros(draws)
    for vector, intensity, noisy in zip(vectors, intensities, (1.0, 1.0, 0.0), strict=True):
        c = noisy * covariance
        parts.append(Part(Dipole(vector, c[1:, 1:]), intensity, c[0, 0], c[0, 1:]))
        error = noisy * rng.multivariate_normal(np.zeros(4), covariance, size=draws)
        weight = intensity * np.exp(error[:, 0])
        top += weight[:, None] * (vector + error[:, 1:])
        bottom += weight
    return parts, top / bottom[:, None]


def test_total_matches_brute_force():
    draws = 40_000
    parts, totals = parts_and_draws(draws)
    expected, measured = combine(parts), np.cov(totals.T)
    error = expected.sigma / math.sqrt(draws)
    # curvature of the ratio: half of Var(ln J) times the distance of the parts
    curvature = 0.5 * joint_covariance()[0, 0] * 5e-3 * 0.3
    assert np.all(np.abs(totals.mean(axis=0) - expected.vector) < 4.0 * error + curvature)
    diagonal = np.diag(expected.covariance)
    spread = np.sqrt((np.outer(diagonal, diagonal) + expected.covariance**2) / draws)
    assert np.all(np.abs(measured - expected.covariance) < 4.0 * spread + 0.01 * spread.max())


@pytest.mark.parametrize("left_out", ["cross", "intensity"])
def test_total_without_errors_of_the_intensity_is_caught(left_out):
    draws = 40_000
    parts, totals = parts_and_draws(draws)
    variance = 0.0 if left_out == "intensity" else 1.0
    poor = [Part(p.dipole, p.intensity, variance * p.intensity_var_ln) for p in parts]
    expected, measured = np.diag(combine(poor).covariance), np.diag(np.cov(totals.T))
    assert np.any(np.abs(measured / expected - 1.0) > 4.0 * math.sqrt(2.0 / draws) + 0.01)


def test_total_of_equal_parts_is_the_part():
    part = Part(Dipole(DELTA), 3.0, 0.5)
    total = combine([part, part])
    assert total.vector == pytest.approx(DELTA, rel=1e-14)
    assert np.all(np.abs(total.covariance) < 1e-30)


def test_total_needs_intensity():
    with pytest.raises(RangeError, match="must be positive"):
        combine([Part(Dipole(DELTA), 0.0)])


def test_independent_dipoles_add():
    a, b = Dipole(DELTA, np.eye(3)), Dipole(2.0 * DELTA, 2.0 * np.eye(3))
    assert a + b == Dipole(3.0 * DELTA, 3.0 * np.eye(3))
    assert a.scaled(2.0) == Dipole(2.0 * DELTA, 4.0 * np.eye(3))
