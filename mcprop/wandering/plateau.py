"""Whether a running coefficient has come to rest: tests of its last part, and its value there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError


@dataclass(frozen=True)
class Plateau:
    """The last part of a running coefficient.

    Attributes
    ----------
    mean, std_dev : float
        Time average over the last part and its standard error from the scatter of realisations; a
        coefficient only where `flat` is True.
    begin, end : float
        The last part [the unit of the edges].
    p_flat : float
        Probability of windows that differ as much or more, where the coefficient is constant:
        Hotelling's T^2, the chi-square test with errors and correlations that are measured.
    p_trend : float
        Probability of as steep a trend or a steeper one, up or down: Student's t.
    change : tuple of two floats
        95 per cent interval of the change over the last part by a straight line, relative to the
        mean. A factor by which realisations differ as a whole takes no part in it.
    level : float
        Share of constant coefficients that are wrongly called moving.
    tolerance : float
        Relative change that a flat coefficient may have.
    """

    mean: float
    std_dev: float
    begin: float
    end: float
    p_flat: float
    p_trend: float
    change: tuple[float, float]
    level: float
    tolerance: float

    def __repr__(self) -> str:
        low, high = self.change
        return (
            f"Plateau({self.verdict}: {self.mean:.4g} +- {self.std_dev:.2g} from {self.begin:g} to "
            f"{self.end:g}, change {100 * low:+.3g} to {100 * high:+.3g} %, p {self.p_value:.2g})"
        )

    @property
    def p_value(self) -> float:
        """Probability that one of the two tests is as bad or worse, at most."""
        return min(1.0, 2.0 * min(self.p_flat, self.p_trend))

    @property
    def verdict(self) -> str:
        """Whether the coefficient is "flat", "moving" or, for want of statistics, "undecided".

        It is moving where a test says so at the level, and else flat where the whole interval of
        its change lies within the tolerance.
        """
        if self.p_value <= self.level:
            return "moving"
        return "flat" if max(np.abs(self.change)) <= self.tolerance else "undecided"

    @property
    def flat(self) -> bool:
        """Whether the last part is shown to be flat: False where that is undecided."""
        return self.verdict == "flat"


def plateau(
    edges: Any,
    values: Any,
    part: float = 0.5,
    windows: int = 4,
    level: float = 0.01,
    tolerance: float = 0.2,
) -> Plateau:
    """Test whether the last part of a running coefficient is flat.

    Realisations are independent, times are not: the errors of the windows and their correlations
    are those that the realisations show.

    Parameters
    ----------
    edges : array_like, shape (n + 1,)
        Rising times or lengths.
    values : array_like, shape (realisations, n)
        Mean of the coefficient between edges, for each realisation.
    part : float
        Share of the whole time that is looked at, counted from its end.
    windows : int
        Windows into which it is cut; fewer where there are too few intervals or realisations.
    level : float
        Share of constant coefficients that are wrongly called moving.
    tolerance : float
        Relative change over the last part that a flat coefficient may have. Where <x^2> ~ t^(1/2)
        (compound diffusion), its slope falls by 0.35 of its mean over the last half.

    Returns
    -------
    Plateau
        Mean, error, p-values and the change with its error.

    Raises
    ------
    RangeError
        If shapes do not fit, or there are fewer than 3 realisations or 2 intervals to compare.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(30, 40))
    >>> plateau(np.arange(41.0), 5.0 + noise).flat
    True
    >>> plateau(np.arange(41.0), np.linspace(5.0, 7.0, 40) + noise).verdict
    'moving'
    >>> plateau(np.arange(41.0), 5.0 + noise[:3]).verdict
    'undecided'
    """
    edges, values = np.asarray(edges, dtype=float), np.asarray(values, dtype=float)
    if values.ndim != 2 or edges.shape != (values.shape[1] + 1,):
        raise RangeError(
            f"edges {edges.shape} and values {values.shape} must have the shapes (n + 1,) and "
            "(realisations, n)."
        )
    if not (np.all(np.diff(edges) > 0.0) and np.isfinite(values).all()):
        raise RangeError("edges must rise and values must be finite numbers.")
    if not 0.0 < part <= 1.0:
        raise RangeError(f"part = {part} must be above 0 and at most 1.")
    if not 0.0 < level < 1.0:
        raise RangeError(f"level = {level} must lie between 0 and 1.")
    if not tolerance > 0.0:
        raise RangeError(f"tolerance = {tolerance} must be above 0.")
    realisations = len(values)
    first = int(np.searchsorted(edges[:-1], edges[-1] - part * (edges[-1] - edges[0]) * (1 + 1e-9)))
    count = min(int(windows), realisations - 1, values.shape[1] - first)
    if count < 2:
        raise RangeError(
            f"a plateau needs 3 realisations, 2 windows and 2 intervals in the last part: there "
            f"are {realisations}, {windows} and {values.shape[1] - first}."
        )
    cuts = _cuts(edges[first:], count) + first
    means, middles = _windows(edges, values, cuts)
    whole = _windows(edges, values, np.array([first, values.shape[1]]))[0][:, 0]
    offsets = middles - middles.mean()
    rises = means @ offsets * (edges[-1] - edges[first]) / (offsets @ offsets)
    return Plateau(
        float(whole.mean()),
        float(whole.std(ddof=1) / np.sqrt(realisations)),
        float(edges[first]),
        float(edges[-1]),
        _hotelling(np.diff(means, axis=1)),
        _hotelling(rises[:, None]),
        _ratio(rises, whole),
        level,
        tolerance,
    )


def _cuts(edges: np.ndarray, count: int) -> np.ndarray:
    """Indices of edges that cut the last part into windows about as long as each other."""
    wanted = np.linspace(edges[0], edges[-1], count + 1)
    cuts = np.abs(edges[:, None] - wanted).argmin(axis=0)
    if np.all(np.diff(cuts) > 0):
        return cuts
    return np.linspace(0, len(edges) - 1, count + 1).round().astype(int)


def _windows(
    edges: np.ndarray, values: np.ndarray, cuts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Time averages between the cuts, (realisations, windows), and the middles of the windows."""
    widths = np.diff(edges)
    sums = np.add.reduceat((values * widths)[:, : cuts[-1]], cuts[:-1], axis=1)
    return sums / np.diff(edges[cuts]), 0.5 * (edges[cuts[1:]] + edges[cuts[:-1]])


def _ratio(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    """95 per cent interval of a ratio of means, of pairs (n,) that belong together.

    Its error is that of the differences above - ratio * below, as of a mean: a factor common to
    both numbers of a pair does not widen it. (To the first order in the error of the mean below.)
    """
    from scipy import stats

    if not np.any(above):
        return 0.0, 0.0
    if below.mean() == 0.0:
        return -np.inf, np.inf
    ratio, n = above.mean() / below.mean(), len(above)
    error = (above - ratio * below).std(ddof=1) / np.sqrt(n) / abs(below.mean())
    reach = stats.t.ppf(0.975, n - 1) * error
    return float(ratio - reach), float(ratio + reach)


def _hotelling(samples: np.ndarray) -> float:
    """P-value of a mean of zero, of samples (n, k) with any covariance."""
    from scipy import stats

    n, k = samples.shape
    mean = samples.mean(axis=0)
    if not np.any(samples):
        return 1.0
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    inverse = np.linalg.pinv(covariance, hermitian=True)
    if np.linalg.norm(covariance @ inverse @ mean - mean) > 1e-6 * np.linalg.norm(mean):
        return 0.0  # all realisations differ from zero by the same
    square = n * mean @ inverse @ mean
    return float(stats.f.sf(square * (n - k) / (k * (n - 1)), k, n - k))
