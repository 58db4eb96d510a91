"""A walk in a uniform medium is Gaussian: mean u t, covariance 2 kappa t, whatever the steps.

With N walks the elements of the covariance of whitened ends have the standard deviations
sqrt(2/N) on the diagonal and 1/sqrt(N) off it, the kurtosis sqrt(24/N); bounds are 4 sigma.
"""

import numpy as np
import pytest
from scipy import stats

from mcprop.diffusion import tensor
from mcprop.fields import UniformField
from mcprop.kernels.boundary import Unbounded
from mcprop.kernels.step import Euler, FixedStep
from mcprop.kernels.walk import walk, walk_to
from mcprop.medium import Aligned

N = 1 << 16
PARALLEL, PERP = 0.7, 7e-4
STEP, PAIRS = 500.0, 3
DRIFT = (0.02, -0.01, 0.03)
START = np.array([3.0, -2.0, 1.0])
FIELDS = [(0.0, 0.0, 1.0), (2.0, 0.0, 0.0), (1.0, -2.0, 0.5), (-0.3, -0.3, -0.3)]


def kappa_of(field, parallel=PARALLEL, perp=PERP):
    return tensor(parallel, perp, np.array(field) / np.linalg.norm(field))


def ends(field, parallel=PARALLEL, perp=PERP, drift=DRIFT, h=STEP, n=N, first=0, records=2, seed=7):
    """Places of the walks after each of the records, shape (records, 3, n)."""
    out = np.empty((records, 3, n))
    medium = Aligned(UniformField(*field), parallel, perp, *drift)
    walk(medium, np.uint64(seed), np.uint64(5), np.uint64(first), START, PAIRS, h, out)
    return out


def pulls(out, field, time, parallel=PARALLEL, perp=PERP, drift=DRIFT):
    """Mean, covariance, kurtosis of walks against theory, in standard deviations."""
    kappa = kappa_of(field, parallel, perp)
    whiten = np.linalg.inv(np.linalg.cholesky(2.0 * time * kappa))
    x = whiten @ (out - (START + time * np.array(drift))[:, None])
    n = x.shape[1]
    scale = np.sqrt(n / np.where(np.eye(3) > 0.0, 2.0, 1.0))
    return {
        "mean": np.sqrt(n) * x.mean(axis=1),
        "covariance": scale * (x @ x.T / n - np.eye(3)),
        "kurtosis": np.sqrt(n / 24.0)
        * (np.mean(x**4, axis=1) - 3.0 - 6.0 * (np.var(x, axis=1) - 1)),
        "skewness": np.sqrt(n / 15.0) * np.mean(x**3, axis=1),
    }


def worst(found):
    return {name: float(np.max(np.abs(values))) for name, values in found.items()}


@pytest.mark.parametrize("field", FIELDS)
def test_mean_covariance_and_kurtosis_after_one_and_two_records(field):
    """Six and twelve steps: errors 0.4 % of a variance, 1.9 % of the kurtosis."""
    out = ends(field)
    for record in range(2):
        found = worst(pulls(out[record], field, 2 * PAIRS * STEP * (record + 1)))
        assert max(found.values()) < 4.0, found


@pytest.mark.parametrize("field", FIELDS)
def test_ends_are_gaussian(field):
    kappa = kappa_of(field)
    time = 2 * PAIRS * STEP
    whiten = np.linalg.inv(np.linalg.cholesky(2.0 * time * kappa))
    x = whiten @ (ends(field)[0] - (START + time * np.array(DRIFT))[:, None])
    assert stats.kstest(np.sum(x**2, axis=0), stats.chi2(3).cdf).pvalue > 1e-4
    for component in x:
        assert stats.kstest(component, "norm").pvalue > 1e-4


PLANTED = {
    "sqrt 2 missing": ({"parallel": PARALLEL / 2, "perp": PERP / 2}, "covariance"),
    "parallel and perpendicular swapped": ({"parallel": PERP, "perp": PARALLEL}, "covariance"),
    "step 2 % short": ({"h": 0.98 * STEP}, "covariance"),
    "field 1 degree off": ({"field": (1.0, -2.0, 0.5 + 0.04)}, "covariance"),
    "drift reversed": ({"drift": tuple(-u for u in DRIFT)}, "mean"),
    "drift left out": ({"drift": (0.0, 0.0, 0.0)}, "mean"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_biases_are_caught(bug):
    change, quantity = PLANTED[bug]
    out = ends(**({"field": FIELDS[2]} | change))
    assert worst(pulls(out[0], FIELDS[2], 2 * PAIRS * STEP))[quantity] > 4.0


def test_increments_are_independent():
    """Second record minus first: the covariance of one record, and none with the first."""
    field = FIELDS[2]
    out = ends(field, drift=(0.0, 0.0, 0.0)) - START[None, :, None]
    time = 2 * PAIRS * STEP
    whiten = np.linalg.inv(np.linalg.cholesky(2.0 * time * kappa_of(field)))
    first, second = whiten @ out[0], whiten @ (out[1] - out[0])
    assert np.abs(first @ second.T / np.sqrt(N)).max() < 4.0
    assert np.abs(second @ second.T / N - np.eye(3)).max() < 4.0 * np.sqrt(2.0 / N)
    planted = whiten @ out[1]  # the first record left in
    assert np.abs(first @ planted.T / np.sqrt(N)).max() > 4.0


def test_heavy_tails_would_be_caught():
    """A step in a hundred with twice the noise: kurtosis 3.26 with the variance put right."""
    x = np.random.default_rng(1).normal(size=(3, N))
    x[:, ::100] *= 2.0
    x /= x.std(axis=1)[:, None]
    out = np.linalg.cholesky(2.0 * kappa_of(FIELDS[2])) @ x
    shifted = out + (START + np.array(DRIFT))[:, None]
    assert worst(pulls(shifted, FIELDS[2], 1.0))["kurtosis"] > 4.0


def test_isotropic_medium_does_not_know_the_field():
    """Equal coefficients: the same walk, bit by bit, for every direction of the field."""
    walks = [ends(field, perp=PARALLEL, n=256) for field in FIELDS]
    assert all(np.array_equal(walks[0], other) for other in walks[1:])
    anisotropic = [ends(field, n=256) for field in FIELDS]
    assert not np.array_equal(anisotropic[0], anisotropic[2])


def test_reversing_the_field_or_its_strength_changes_nothing():
    base = ends((1.0, -2.0, 0.5), n=256)
    for factor in (-1.0, 3.0):
        np.testing.assert_allclose(ends((factor, -2 * factor, factor / 2), n=256), base, rtol=1e-12)


def test_a_walk_depends_on_its_number_alone():
    """Any split into calls, and any number of lanes in use, gives the same walks."""
    whole = ends(FIELDS[2], n=200)
    for first, n in ((0, 1), (0, 64), (64, 64), (63, 5), (137, 63)):
        assert np.array_equal(ends(FIELDS[2], n=n, first=first), whole[:, :, first : first + n])
    assert not np.array_equal(ends(FIELDS[2], n=64, seed=8), whole[:, :, :64])


def test_steps_of_other_length_give_the_same_law():
    """One record of six steps of 500 yr against six of one pair each of 250 yr, and theory."""
    out = np.empty((1, 3, N))
    medium = Aligned(UniformField(*FIELDS[2]), PARALLEL, PERP, *DRIFT)
    walk(medium, np.uint64(7), np.uint64(6), np.uint64(0), START, 1, 2 * PAIRS * STEP / 2, out)
    found = worst(pulls(out[0], FIELDS[2], 2 * PAIRS * STEP))
    assert max(found.values()) < 4.0, found


def reciprocal(start, target, drift, seed, width=6.0):
    """Mean and error of a Gaussian of `width` [pc] round `target`, met by walks from `start`."""
    out = np.empty((1, 3, N))
    medium = Aligned(UniformField(*FIELDS[2]), 0.5, 0.05, *drift)
    walk(medium, np.uint64(seed), np.uint64(9), np.uint64(0), start, 2, 25.0, out)
    score = np.exp(-np.sum((out[0] - target[:, None]) ** 2, axis=0) / (2.0 * width**2))
    return score.mean(), score.std() / np.sqrt(N)


def test_forward_and_backward_walks_see_the_same_density():
    """p(a -> b; u) = p(b -> a; -u), both against the Gaussian; without reversing u it is not."""
    a, b, drift = (
        np.array([1.0, 2.0, 0.0]),
        np.array([6.0, -4.0, 5.0]),
        np.array((0.04, -0.06, 0.02)),
    )
    time, width = 100.0, 6.0
    covariance = 2.0 * time * kappa_of(FIELDS[2], 0.5, 0.05) + width**2 * np.eye(3)
    gap = b - a - time * drift
    exact = np.exp(-gap @ np.linalg.solve(covariance, gap) / 2.0)
    exact *= width**3 / np.sqrt(np.linalg.det(covariance))
    forward, forward_err = reciprocal(a, b, drift, 1)
    backward, backward_err = reciprocal(b, a, -drift, 2)
    assert abs(forward - exact) < 4.0 * forward_err
    assert abs(backward - exact) < 4.0 * backward_err
    assert abs(forward - backward) < 4.0 * np.hypot(forward_err, backward_err)
    wrong, wrong_err = reciprocal(b, a, drift, 2)
    assert abs(wrong - exact) > 4.0 * wrong_err


def test_walks_to_given_times_are_the_same_walks():
    """Bit by bit, when the times are whole numbers of pairs of steps that add up exactly."""
    medium = Aligned(UniformField(*FIELDS[2]), PARALLEL, PERP, *DRIFT)
    places, alive = np.empty((2, 3, 100)), np.empty((2, 100))
    starts = np.repeat(START[:, None], 100, axis=1)
    times = 2.0 * PAIRS * STEP * np.array([1.0, 2.0])
    numbers = (np.uint64(7), np.uint64(5), np.uint64(3))
    steps = walk_to(
        medium, Unbounded(), Euler(), FixedStep(STEP), *numbers, starts, times, places, alive
    )
    assert np.array_equal(places, ends(FIELDS[2], n=100, first=3))
    assert steps == 100 * 4 * PAIRS
    assert np.all(alive == 1.0)
