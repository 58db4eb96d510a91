"""From displacements in each realisation of the field to coefficients with error bars.

The realisation is the unit of every error bar: particles of one realisation share its field, and
are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mcprop.wandering.realisations import Estimate, estimate

Array = NDArray[np.float64]


def ratio_of(above: Array, below: Array) -> Estimate:
    """Ratio of two means over the same realisations.

    Parameters
    ----------
    above, below : ndarray
        A value of each realisation.

    Returns
    -------
    Estimate
        The error is that of the linearised ratio, with the correlation of the two.
    """
    ratio = above.mean() / below.mean()
    residual = (above - ratio * below) / below.mean()
    return Estimate(float(ratio), float(estimate(residual).error))


def controlled(values: Array, twins: Array, known: float | Array) -> Array:
    """Take out of a measured quantity what it has in common with one whose mean is known.

    Parameters
    ----------
    values, twins : ndarray, shape (realisations, ...)
        The quantity, and another one from the same random numbers.
    known : float or ndarray
        Mean of the other one.

    Returns
    -------
    ndarray
        values - beta (twins - known), of the same mean. The beta of a realisation is the regression
        through all others, so that the mean is not biased; where their correlation is not clear
        it would be noise, and the value stays as it is.
    """
    count = len(values)
    if count < 3:
        return values
    sum_v, sum_t = values.sum(axis=0), twins.sum(axis=0)
    mean_v, mean_t = (sum_v - values) / (count - 1), (sum_t - twins) / (count - 1)
    common = ((values * twins).sum(axis=0) - values * twins) / (count - 1) - mean_v * mean_t
    spread = ((twins**2).sum(axis=0) - twins**2) / (count - 1) - mean_t**2
    scatter = ((values**2).sum(axis=0) - values**2) / (count - 1) - mean_v**2
    clear = (count - 1) * common**2 > _CLEAR * np.maximum(spread * scatter, 0.0)
    beta = np.divide(common, spread, out=np.zeros_like(values), where=clear & (spread > 0.0))
    return np.asarray(values - beta * (twins - known))


_CLEAR = 4.0
"""Squared correlation, times the points it is from, from which on a regression is worth it."""


def jackknife(estimator: Callable[[Array], float], values: Array) -> Estimate:
    """Anything that is made of the mean over realisations, with its error.

    Parameters
    ----------
    estimator : callable
        Makes a number of the mean.
    values : ndarray, shape (realisations, ...)

    Returns
    -------
    Estimate
        Of the whole, with the jackknife's error of leaving out one realisation after another; nan
        where the estimator gives none.

    References
    ----------
    B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans, SIAM 1982, chapter 3.
    """
    count, total = len(values), values.sum(axis=0)
    left_out = np.array([estimator((total - one) / (count - 1)) for one in values])
    spread = np.sum((left_out - left_out.mean()) ** 2)
    error = math.sqrt((count - 1) / count * float(spread))
    return Estimate(float(estimator(total / count)), error)


def exponent_between(times: Array, low: float, high: float) -> Callable[[Array], float]:
    """Make the estimator of a power of time.

    Parameters
    ----------
    times : ndarray
        [yr]
    low, high : float
        Range of times [yr], ends included.

    Returns
    -------
    callable
        From mean square displacements at all times to the slope of the straight line through their
        logarithms in the range; nan with fewer than two times in it.
    """
    inside = (times >= low * (1 - 1e-9)) & (times <= high * (1 + 1e-9)) & (times > 0.0)
    u = np.log(times[inside])

    def slope(msd: Array) -> float:
        chosen = msd[inside]
        if len(u) < 2 or not np.all(chosen > 0.0):
            return math.nan
        return float(np.polynomial.polynomial.polyfit(u, np.log(chosen), 1)[1])

    return slope
