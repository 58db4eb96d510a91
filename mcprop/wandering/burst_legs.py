"""Whether what is seen of a burst depends on the leg of the observer's clouds: it must not.

The same burst is seen with half the leg and with twice as long a one. Clouds meet earlier or later
then, and the polynomial of `mcprop.wandering.line_scores` is fitted to a narrower or a wider cloud.
All of it comes from the same particles on their way, so that most of the noise is common to all
legs: the changes are known better than each of the values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mcprop.wandering.burst_clouds import Times
from mcprop.wandering.realisations import Estimate

__all__ = ["LegScan", "LegTest", "leg_test"]

Array = np.ndarray

FACTORS = (0.5, 1.0, 2.0)
"""Legs that are tried, in units of the one that is used."""
BASE = FACTORS.index(1.0)
QUANTITIES = 4
"""Density, and three components of the dipole."""
SIGMAS = 4.0
"""A chi-square that chance exceeds as seldom as a Gaussian exceeds this is due to the leg."""


@dataclass(frozen=True, eq=False)
class LegScan:
    """A burst seen through one realisation with several legs, from the same clouds.

    Attributes
    ----------
    legs, backward_times : ndarray, shape (3,)
        How long displaced observers' clouds go, and the observer's own in all [yr]: half of what
        else is used, the same, twice of it.
    values : ndarray, shape (3, 4)
        Density [pc^-3] and components of the dipole, by leg.
    covariance : ndarray, shape (12, 12)
        Of their estimates, by leg and within it by quantity.
    """

    legs: Array
    backward_times: Array
    values: Array
    covariance: Array

    @property
    def errors(self) -> Array:
        """Standard deviations of the values, shape (3, 4)."""
        return np.sqrt(np.diag(self.covariance)).reshape(self.values.shape)

    @property
    def changes(self) -> Array:
        """Values less those of the leg that is used, shape (3, 4)."""
        return self.values - self.values[BASE]

    @property
    def change_covariance(self) -> Array:
        """Covariance of the changes, shape (12, 12); zero for the leg that is used."""
        less = np.eye(len(FACTORS))
        less[:, BASE] -= 1.0
        whole = np.kron(less, np.eye(QUANTITIES))
        return np.asarray(whole @ self.covariance @ whole.T)

    @property
    def change_errors(self) -> Array:
        """Standard deviations of the changes, shape (3, 4)."""
        square = np.diag(self.change_covariance).reshape(self.values.shape)
        return np.sqrt(np.maximum(square, 0.0))

    def chi2(self, *which: int) -> float:
        """Chi-square of the changes of some of the legs, four degrees of freedom for each."""
        chosen = [QUANTITIES * leg + q for leg in which for q in range(QUANTITIES)]
        changed = self.changes.ravel()[chosen]
        covariance = self.change_covariance[np.ix_(chosen, chosen)]
        scale = np.sqrt(np.diag(covariance))  # density and dipole differ by many powers of ten
        unit = changed / scale
        return float(unit @ np.linalg.solve(covariance / np.outer(scale, scale), unit))

    def chance(self, *which: int) -> float:
        """Share of chi-squares that would be larger by chance."""
        return _chance(self.chi2(*which), QUANTITIES * len(which))


def _chance(chi2: float, freedom: int) -> float:
    from scipy.stats import chi2 as distribution

    return float(distribution.sf(chi2, freedom))


class LegTest(NamedTuple):
    """Whether bursts depend on the leg.

    chi2 : float, of all changes; freedom : int; chance : float, p-value; density : tuple of
    Estimate, mean change of the density over the density, with half and twice the leg; along : the
    same of the dipole's component along the local field, not over anything.
    """

    chi2: float
    freedom: int
    chance: float
    density: tuple[Estimate, ...]
    along: tuple[Estimate, ...]

    @property
    def depends(self) -> bool:
        """Whether the changes are more than errors, by `SIGMAS` standard deviations."""
        return self.chance < math.erfc(SIGMAS / math.sqrt(2.0))


def leg_test(scans: Sequence[LegScan], b_hats: Sequence[Array]) -> LegTest:
    """Ask whether bursts seen through several realisations depend on the leg.

    Parameters
    ----------
    scans : sequence of LegScan
        One at least.
    b_hats : sequence of ndarray, shape (3,)
        Direction of the local field in each of these realisations.

    Returns
    -------
    LegTest
    """
    others = [leg for leg in range(len(FACTORS)) if leg != BASE]
    found = sum(scan.chi2(*others) for scan in scans)
    freedom = QUANTITIES * len(others) * len(scans)
    share = [np.array([1.0 / scan.values[BASE, 0], 0.0, 0.0, 0.0]) for scan in scans]
    along = [np.array([0.0, *b_hat]) for b_hat in b_hats]
    return LegTest(
        found,
        freedom,
        _chance(found, freedom),
        tuple(_mean_change(scans, leg, share) for leg in others),
        tuple(_mean_change(scans, leg, along) for leg in others),
    )


def _mean_change(scans: Sequence[LegScan], leg: int, weights: Sequence[Array]) -> Estimate:
    """Mean over realisations of a combination of changes, with the error of Monte Carlo."""
    part, total, square = slice(QUANTITIES * leg, QUANTITIES * (leg + 1)), 0.0, 0.0
    for scan, weight in zip(scans, weights, strict=True):
        total += float(weight @ scan.changes[leg])
        square += float(weight @ scan.change_covariance[part, part] @ weight)
    return Estimate(total / len(scans), math.sqrt(square) / len(scans))


class Met(NamedTuple):
    """What the particles of both clouds contribute to a mean over pairs, scores in the first axis.

    rows, columns : ndarray, shape (k, n) and (k, m), from the observer's and the source's side.
    """

    rows: Array
    columns: Array

    @property
    def values(self) -> Array:
        """Mean of the first score, and the others over it, shape (k,)."""
        mean = self.rows.mean(axis=1)
        mean[1:] /= mean[0]
        return np.asarray(mean)

    def influences(self) -> tuple[Array, Array]:
        """How the values depend on each particle of the observer's and of the source's cloud."""
        values = self.values
        found = []
        for scores in (self.rows, self.columns):
            influence = scores - values[0]
            influence[1:] = (scores[1:] - values[1:, None] * scores[0]) / values[0]
            found.append(influence)
        return found[0], found[1]


def joint_covariance(met: Sequence[Met]) -> Array:
    """Covariance of the values of several means, from the same particles of both clouds.

    The variance of a mean over pairs is the sum of those of its two partial means (that of the pair
    itself stands in both, so this errs on the safe side).

    Parameters
    ----------
    met : sequence of Met

    Returns
    -------
    ndarray, shape (sum of k, sum of k)
    """
    sides = zip(*(one.influences() for one in met), strict=True)
    return np.asarray(sum(np.cov(np.vstack(side)) / side[0].shape[1] for side in sides))


def leg_scan(ways: Sequence[Times], met: Sequence[Met]) -> LegScan:
    """Put together what was seen with each leg.

    Parameters
    ----------
    ways : sequence of Times
        One for each of the `FACTORS`.
    met : sequence of Met
        Four scores for each of the ways, from the same particles.

    Returns
    -------
    LegScan
    """
    return LegScan(
        np.array([way.leg for way in ways]),
        np.array([way.back for way in ways]),
        np.stack([one.values for one in met]),
        joint_covariance(met),
    )
