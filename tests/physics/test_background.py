"""The Galactic background by pseudo-particles, against the grid and against closed forms."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from mcprop.background import background, layered, sdp_galaxy
from mcprop.errors import RangeError
from mcprop.galaxy import Galaxy, solve
from mcprop.kernels.boundary import Ball, Cylinder
from mcprop.kernels.residence import LayeredGuess, NoGuess, Sourced, residence_walk
from mcprop.protocol import coefficient, emission, implements, step_scale

SUN = 8500.0
FRACTION = 0.2
STEP_BIAS = 1.5e-3
"""Bias of psi by steps of a fifth of the scale: see `test_step_bias`."""


def walk(set_up, histories, fraction=FRACTION, seed=1, stream=1, guess=None):
    starts = set_up.starts
    scores, fates = np.empty((histories, len(starts))), np.zeros(4, dtype=np.int64)
    control = set_up.guess if guess is None else guess
    key = np.uint64(seed), np.uint64(stream), np.uint64(0)
    residence_walk(set_up.galaxy, set_up.boundary, control, *key, starts, fraction, scores, fates)
    assert fates[0] == histories
    return scores


def mean(scores):
    return scores.mean(), scores.std(ddof=1) / math.sqrt(len(scores))


@pytest.mark.parametrize("rigidity", [1e3, 1e5, 1e7])
def test_meets_the_grid(rigidity):
    galaxy, grid = Galaxy(), solve(Galaxy(), rigidity)
    set_up = background(galaxy, rigidity, guess=grid.fine)
    scores = walk(set_up, 512)
    psi, error = mean(scores[:, 0])
    expected = grid.density(SUN)
    assert error < 0.005 * expected
    assert abs(psi - expected) < 4.0 * error + STEP_BIAS * expected
    by_r = set_up.gradients(scores)[:, 0]
    slope = by_r.mean() / psi
    _, error = mean(by_r / psi - slope * scores[:, 0] / psi)
    assert error < 0.02 * abs(slope)
    assert abs(slope - grid.slope_r(SUN)) < 4.0 * error + 2e-3 * abs(slope)


def test_guess_does_not_matter():
    """Without the guess, with a wrong one, the same answer: only the noise differs."""
    galaxy, grid = Galaxy(), solve(Galaxy(), 1e4)
    set_up = background(galaxy, 1e4, guess=grid.fine)
    wrong = layered(galaxy, solve(galaxy, 1e5).coarse)
    wrong = wrong._replace(table=4.0 * wrong.table)
    answers = [mean(walk(set_up, 2048, 0.4, guess=g)[:, 0]) for g in (None, NoGuess(), wrong)]
    assert answers[1][1] > 5.0 * answers[0][1]
    for psi, error in answers[1:]:
        assert abs(psi - answers[0][0]) < 4.0 * math.hypot(error, answers[0][1])


def test_planted_bias_in_the_drift(drift_test):
    """Half the drift, none, or its opposite: seen at once; the same drift by this way: not."""
    for factor in (1.0, 0.5, 0.0, -1.0):
        ratio, error = drift_test.background_ratio(factor, histories=256)
        if factor == 1.0:
            assert abs(ratio - 1.0) < 4.0 * error + STEP_BIAS
        else:
            assert abs(ratio - 1.0) > 10.0 * error


def test_planted_bias_in_the_medium():
    """Other parameters than the grid's are seen, although its solution is the guess."""
    grid = solve(Galaxy(), 1e5)
    for changed in (Galaxy(contrast=0.7), Galaxy(source_height=250.0), Galaxy(disc_height=450.0)):
        set_up = background(changed, 1e5, guess=grid.fine)
        psi, error = mean(walk(set_up, 512)[:, 0])
        assert abs(psi - grid.density(SUN)) > 5.0 * error


def test_step_bias():
    """Halving the step moves psi by no more than what is stated; coarse steps are seen."""
    grid = solve(Galaxy(), 1e2)
    set_up = background(Galaxy(), 1e2, guess=grid.fine)
    set_up = set_up._replace(starts=set_up.starts[:1])
    for fraction, histories, low, high in ((0.5, 8192, 0.02, 0.2), (0.2, 4096, -STEP_BIAS, 4e-3)):
        psi, error = mean(walk(set_up, histories, fraction)[:, 0])
        off = abs(psi / grid.density(SUN) - 1.0)
        noise = 4.0 * error / psi
        assert low - noise < off < high + noise


def test_losses_kill_weights():
    rate = 1e-6
    grid = solve(Galaxy(), 1e3, rate)
    set_up = background(Galaxy(), 1e3, loss_rate=rate, guess=grid.fine)
    psi, error = mean(walk(set_up, 1024)[:, 0])
    assert abs(psi - grid.density(SUN)) < 4.0 * error + STEP_BIAS * psi
    assert psi < solve(Galaxy(), 1e3).density(SUN) - 40.0 * error


def test_sun_above_the_plane():
    """The vertical gradient, which vanishes in the plane."""
    grid = solve(Galaxy(), 1e5)
    set_up = background(Galaxy(), 1e5, height=100.0, guess=grid.fine)
    assert set_up.starts.shape == (5, 3)
    assert set_up.lift == 20.0
    scores = walk(set_up, 1024)
    up = set_up.gradients(scores)[:, 1]
    slope = up.mean() / scores[:, 0].mean()
    _, error = mean(up / scores[:, 0].mean() - slope * scores[:, 0] / scores[:, 0].mean())
    expected = grid.slope_z(SUN, 100.0)
    assert error < 0.05 * abs(expected)
    assert abs(slope - expected) < 4.0 * error + 0.01 * abs(expected)


class Bowl(NamedTuple):
    """kappa = a + b |x|^2, and the sources that make psi = 1 - |x|^2/R^2."""

    a: float
    b: float
    radius: float
    loss: float


@implements(coefficient, Bowl)
def _(bowl, x, y, z):
    return bowl.a + bowl.b * (x * x + y * y + z * z), 2 * bowl.b * x, 2 * bowl.b * y, 2 * bowl.b * z


@implements(emission, Bowl)
def _(bowl, x, y, z):
    square = x * x + y * y + z * z
    over = 1.0 / (bowl.radius * bowl.radius)
    made = over * (6.0 * bowl.a + 10.0 * bowl.b * square) + bowl.loss * (1.0 - over * square)
    return made, bowl.loss


@implements(step_scale, Bowl)
def _(bowl, x, y, z):
    return bowl.radius


@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_manufactured_solution(loss):
    """-div(kappa grad psi) + loss psi = f with psi = 1 - |x|^2/R^2, by hand."""
    bowl = Bowl(1.0, 0.05, 10.0, loss)
    starts = np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0], [-2.0, 1.0, 2.0]])
    scores, fates = np.empty((16384, 3)), np.zeros(4, dtype=np.int64)
    key = np.uint64(5), np.uint64(6), np.uint64(0)
    residence_walk(Sourced(bowl, bowl), Ball(10.0), NoGuess(), *key, starts, 0.05, scores, fates)
    for k, expected in enumerate((1.0, 0.75, 0.91)):
        psi, error = mean(scores[:, k])
        assert error < 0.012
        assert abs(psi - expected) < 4.0 * error + 2e-3


def test_table_of_the_guess():
    """The table holds the gradient of the grid solution, also above the kink of D."""
    galaxy, grid = Galaxy(), solve(Galaxy(), 1e4)
    guess = layered(galaxy, grid.fine)
    assert isinstance(guess, LayeredGuess)
    r = guess.column * (42 + 0.5)
    for row, height in ((7, 70.0), (62, 500.0 + 12 * guess.coarse)):
        step = 1.0
        by_r = (grid.fine.density(r + step, height) - grid.fine.density(r - step, height)) / 2.0
        by_z = (grid.fine.density(r, height + step) - grid.fine.density(r, height - step)) / 2.0
        assert guess.table[0, 42, row] == pytest.approx(float(by_r), rel=1e-3)
        assert guess.table[1, 42, row] == pytest.approx(float(by_z), rel=1e-3)


def test_truncation_of_the_differences():
    """What the guess says of its own differences: of second order, and small as set up."""
    grid = solve(Galaxy(), 1e5).fine
    fine = background(Galaxy(), 1e5, separation=100.0, guess=grid).truncation
    coarse = background(Galaxy(), 1e5, separation=800.0, guess=grid).truncation
    assert fine < 2e-4
    # of second order: 64 times as large over 8 times the distance, within the next order
    assert 20.0 * fine < coarse < 200.0 * fine
    for height in (5.0, 20.0, 100.0, 480.0):
        set_up = background(Galaxy(), 1e5, height=height, guess=grid)
        assert set_up.lift <= 0.25 * height
        assert set_up.truncation < 0.03


def test_kernel_and_grid_agree_on_the_medium():
    galaxy = Galaxy()
    model = sdp_galaxy(galaxy, 3e4)
    for x, y, z in ((8500.0, 0.0, 0.0), (3000.0, -4000.0, -230.0), (1e4, 1e3, 700.0)):
        value = coefficient(model.profile, x, y, z)[0]
        assert value == pytest.approx(galaxy.diffusion(math.hypot(x, y), z, 3e4), rel=1e-12)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"separation": 0.0}, "separation"),
        ({"separation": 9e3}, "separation"),
        ({"height": 4990.0}, "height"),
    ],
)
def test_refused(keys, word):
    with pytest.raises(RangeError, match=word):
        background(Galaxy(), 1e3, **keys)


def test_boundary_is_that_of_the_galaxy():
    assert background(Galaxy(radius=15e3), 1e3).boundary == Cylinder(15e3, 5e3)


@pytest.mark.parametrize("rigidity", [1e3, 1e7])
def test_extrapolated_step_meets_the_grid(rigidity):
    """Steps of full and half time, extrapolated to none: within 0.2 per cent of the grid."""
    grid = solve(Galaxy(), rigidity)
    set_up = background(Galaxy(), rigidity, guess=grid.fine)
    set_up = set_up._replace(starts=set_up.starts[:1])
    full, full_error = mean(walk(set_up, 8192)[:, 0])
    half, half_error = mean(walk(set_up, 8192, FRACTION / math.sqrt(2.0), seed=2)[:, 0])
    extrapolated, error = 2.0 * half - full, math.hypot(2.0 * half_error, full_error)
    expected = grid.density(SUN)
    assert error < 0.0015 * expected
    assert abs(extrapolated - expected) < max(0.002 * expected, 3.0 * error)


def test_what_never_ends_is_lost(monkeypatch):
    """A history that is cut off has no score, and is counted."""
    from mcprop.kernels import residence

    monkeypatch.setattr(residence, "MOST_DRAWS", 16)
    # not the kernel of the disk's cache, which knows the limit as it was
    compiled = njit(error_model="numpy")(residence.residence_walk.__wrapped__)
    set_up = background(Galaxy(), 1e4)
    scores, fates = np.empty((64, 3)), np.zeros(4, dtype=np.int64)
    key = np.uint64(1), np.uint64(1), np.uint64(0)
    args = (set_up.galaxy, set_up.boundary, set_up.guess, *key, set_up.starts, FRACTION)
    compiled(*args, scores, fates)
    assert fates[3] > 32
    assert fates.sum() == 64
    assert np.isnan(scores).all(axis=1).sum() == fates[3]
