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
    level : float
        Share of constant coefficients that are wrongly called not flat.
    """

    mean: float
    std_dev: float
    begin: float
    end: float
    p_flat: float
    p_trend: float
    level: float

    @property
    def p_value(self) -> float:
        """Probability that one of the two tests is as bad or worse, at most."""
        return min(1.0, 2.0 * min(self.p_flat, self.p_trend))

    @property
    def flat(self) -> bool:
        """Whether the last part is flat within errors."""
        return self.p_value > self.level


def plateau(
    edges: Any, values: Any, part: float = 0.5, windows: int = 4, level: float = 0.01
) -> Plateau:
    """Test whether the last part of a running coefficient is flat within errors.

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
        Share of constant coefficients that are wrongly called not flat.

    Returns
    -------
    Plateau
        Mean, error and p-values.

    Raises
    ------
    RangeError
        If shapes do not fit, or there are fewer than 3 realisations or 2 intervals to compare.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(30, 40))
    >>> plateau(np.arange(41.0), 5.0 + noise).flat
    True
    >>> plateau(np.arange(41.0), np.linspace(5.0, 7.0, 40) + noise).flat
    False
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
    whole, _ = _windows(edges, values, np.array([first, values.shape[1]]))
    return Plateau(
        float(whole.mean()),
        float(whole.std(ddof=1) / np.sqrt(realisations)),
        float(edges[first]),
        float(edges[-1]),
        _hotelling(np.diff(means, axis=1)),
        _hotelling((means @ (middles - middles.mean()))[:, None]),
        level,
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
