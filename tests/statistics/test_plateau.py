"""The plateau test: right rates for what is flat, and nothing let pass that is not."""

import math

import numpy as np
import pytest
from scipy import stats

from mcprop.errors import RangeError
from mcprop.wandering.plateau import plateau

EDGES = np.linspace(0.0, 10.0, 21)
REALISATIONS, FEW = 16, 6
"""Realisations of a study, and so few that wrong degrees of freedom show."""


def white(random, mean=1.0, realisations=FEW):
    """Independent errors that grow with time, as those of mean squares do."""
    return mean + 0.2 * np.sqrt(EDGES[1:]) * random.normal(size=(realisations, 20))


GROWTH = np.diff(np.sqrt(EDGES)) / np.diff(EDGES)
"""Slope of t^(1/2)."""


def noisy(random, realisations, noise, common):
    """Independent relative noise, and a factor of mean 1 for each realisation."""
    factor = random.gamma(common**-2, common**2, (realisations, 1)) if common else 1.0
    return factor * (1.0 + noise * random.normal(size=(realisations, 20)))


def shared(random):
    """Realisations that differ as a whole, and errors that remember the last one."""
    noise = white(random, 0.0)
    return 1.0 + noise + 0.5 * np.roll(noise, 1, axis=1) + random.normal(size=(FEW, 1))


@pytest.mark.parametrize("make", [white, shared])
def test_constants_are_called_moving_at_the_right_rate(make):
    random = np.random.default_rng(5)
    found = [plateau(EDGES, make(random), level=0.1) for _ in range(600)]
    for name in ("p_flat", "p_trend"):
        values = [getattr(one, name) for one in found]
        assert stats.kstest(values, "uniform").pvalue > 1e-4
    # two tests share the level: the rate is between a half of it and all
    wrong = sum(one.verdict == "moving" for one in found)
    assert stats.binomtest(wrong, 600, 0.1, alternative="greater").pvalue > 1e-4
    assert stats.binomtest(wrong, 600, 0.05, alternative="less").pvalue > 1e-4
    pulls = [(one.mean - 1.0) / one.std_dev for one in found]
    assert stats.kstest(pulls, stats.t(FEW - 1).cdf).pvalue > 1e-4


def test_a_sub_diffusive_series_is_caught():
    """<x^2> ~ t^(1/2), compound diffusion: the slope falls by a third over the last half."""
    random = np.random.default_rng(6)
    assert plateau(EDGES, np.tile(GROWTH, (5, 1))).change == pytest.approx([-0.351] * 2, abs=1e-4)
    found = [
        plateau(EDGES, GROWTH * (1.0 + 0.1 * random.normal(size=(REALISATIONS, 20)))).verdict
        for _ in range(100)
    ]
    assert found.count("moving") >= 95
    assert found.count("flat") == 0


@pytest.mark.parametrize("common", [0.0, 0.66])
@pytest.mark.parametrize("realisations", [3, 6, 8])
def test_without_power_nothing_is_called_flat(realisations, common):
    """Noise of 30 per cent: far too little to see a fall, and still no excuse to deny it."""
    random = np.random.default_rng(8)
    growing = [GROWTH * noisy(random, realisations, 0.3, common) for _ in range(200)]
    found = [plateau(EDGES, values).verdict for values in growing]
    assert found.count("flat") <= 6
    assert found.count("undecided") > 100
    # the tests alone, without the interval, see nothing in most of them
    tolerant = [plateau(EDGES, values, tolerance=math.inf).flat for values in growing]
    assert sum(tolerant) > 100


def test_with_power_a_constant_is_called_flat_and_common_factors_do_not_matter():
    random = np.random.default_rng(9)
    for count, common, least in ((8, 0.0, 90), (64, 0.66, 90)):
        scatter = 0.1 if count == 8 else 0.3
        series = [noisy(random, count, scatter, common) for _ in range(100)]
        assert sum(plateau(EDGES, values).flat for values in series) >= least
    factor = random.gamma(2.3, 1.0, (6, 1))
    low, high = plateau(EDGES, GROWTH * factor).change
    assert (low, high) == pytest.approx([-0.351] * 2, abs=1e-4)


@pytest.mark.parametrize("truth", [0.0, 0.2])
def test_the_interval_of_the_change_covers_the_truth_at_its_rate(truth):
    random = np.random.default_rng(10)
    line = 1.0 + truth * (EDGES[1:] - 7.75) / 5.0  # of unit mean over the last half
    hits = 0
    for _ in range(600):
        low, high = plateau(EDGES, line * noisy(random, 8, 0.2, 0.3)).change
        hits += low <= truth <= high
    assert abs(hits / 600 - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / 600)


def test_a_step_that_no_straight_line_sees_is_caught():
    random = np.random.default_rng(7)
    found = plateau(
        EDGES, white(random, 1.0, REALISATIONS) + 3.0 * ((EDGES[1:] > 6.5) & (EDGES[1:] < 9.0))
    )
    assert found.p_flat < 1e-4 < found.p_trend
    assert found.verdict == "moving"


def test_the_mean_is_that_over_time():
    edges = np.array([0.0, 5.0, 6.0, 10.0])
    found = plateau(edges, [[9.0, 1.0, 2.0], [9.0, 3.0, 2.0], [9.0, 2.0, 3.0]], part=0.5)
    means = np.array([(1.0 + 8.0) / 5.0, (3.0 + 8.0) / 5.0, (2.0 + 12.0) / 5.0])
    assert math.isclose(found.mean, means.mean())
    assert math.isclose(found.std_dev, means.std(ddof=1) / math.sqrt(3.0))
    assert (found.begin, found.end) == (5.0, 10.0)


def test_without_scatter_only_what_is_constant_is_flat():
    assert plateau(EDGES, np.ones((3, 20))).flat
    assert plateau(EDGES, np.tile(np.linspace(1.0, 2.0, 20), (3, 1))).verdict == "moving"
    assert plateau(EDGES, np.outer([-1.0, 0.0, 1.0], np.linspace(1.0, 2.0, 20))).change == (
        -math.inf,
        math.inf,
    )


@pytest.mark.parametrize(
    ("edges", "values", "options", "sentence"),
    [
        (EDGES, np.ones((3, 21)), {}, "must have the shapes"),
        (EDGES[::-1], np.ones((3, 20)), {}, "edges must rise"),
        (EDGES, np.full((3, 20), np.nan), {}, "values must be finite"),
        (EDGES, np.ones((3, 20)), {"part": 0.0}, "part = 0.0 must be above 0 and at most 1."),
        (EDGES, np.ones((3, 20)), {"level": 1.0}, "level = 1.0 must lie between 0 and 1."),
        (EDGES, np.ones((3, 20)), {"tolerance": 0.0}, "tolerance = 0.0 must be above 0."),
        (EDGES, np.ones((2, 20)), {}, "there are 2, 4 and 10."),
        (EDGES, np.ones((3, 20)), {"windows": 1}, "there are 3, 1 and 10."),
        (EDGES, np.ones((3, 20)), {"part": 0.05}, "there are 3, 4 and 1."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(edges, values, options, sentence):
    with pytest.raises(RangeError) as refused:
        plateau(edges, values, **options)
    assert sentence in str(refused.value)
