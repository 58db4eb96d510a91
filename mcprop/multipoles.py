"""Angular power of sky maps: without the noise, with errors, and the chance that it is none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mcprop.errors import RangeError

Array = NDArray[np.float64]


class PowerSpectrum(NamedTuple):
    """Angular power of the deviation from isotropy.

    multipole : ndarray (lmax + 1,); c_l : ndarray (lmax + 1,) [sr], a dipole vector d has
    C_1 = 4 pi |d|^2 / 9; noise : float [sr], the level of the pixel noise, its mean over l (see
    `mcprop.sky.SkyMap.power_spectrum`).
    """

    multipole: NDArray[np.int64]
    c_l: Array
    noise: float

    @property
    def signal(self) -> Array:
        """C_l less the level of the noise [sr]: unbiased, so it may be negative."""
        return self.c_l - self.noise

    @property
    def error(self) -> Array:
        """Standard deviation of `signal` by white Gaussian noise on this one sky [sr].

        The sky is taken as it is: its variance over an ensemble of skies is not in it.
        """
        known = np.clip(self.signal, 0.0, None)
        variance = self.noise * (self.noise + 2.0 * known)
        return np.sqrt(2.0 * variance / (2.0 * self.multipole + 1.0))

    def chance(self, first: int = 2, last: int | None = None) -> float:
        """Chance that white noise alone has as much power or more.

        Parameters
        ----------
        first, last : int
            Multipoles that are looked at; by default all from 2 on.

        Returns
        -------
        float
            p-value of chi^2 = Sum_l (2 l + 1) C_l / noise with Sum_l (2 l + 1) degrees of freedom.

        Raises
        ------
        RangeError
            If there are no such multipoles, or no noise to compare with.
        """
        from scipy.stats import chi2

        last = int(self.multipole[-1]) if last is None else last
        if not 0 <= first <= last <= self.multipole[-1]:
            raise RangeError(
                f"first = {first} and last = {last} must be multipoles in order, from 0 to"
                f" {self.multipole[-1]}."
            )
        if not self.noise > 0.0:
            raise RangeError(f"noise = {self.noise} sr must be positive: there is nothing random.")
        modes = 2.0 * self.multipole[first : last + 1] + 1.0
        statistic = float(modes @ self.c_l[first : last + 1]) / self.noise
        return float(chi2.sf(statistic, modes.sum()))


def angular_power(vectors: Array, values: Array, lmax: int) -> Array:
    """C_l of values in pixels of equal area.

    Monopole and dipole are fitted by least squares and taken out, so that nothing of them leaks;
    what is left is summed over the pixels. White noise of variance s^2 in each of n pixels adds
    exactly 4 pi s^2 / n to the mean of C_l from l = 2 on.

    Parameters
    ----------
    vectors : ndarray, shape (npix, 3)
        Unit vectors of the pixels.
    values : ndarray, shape (npix,)
    lmax : int
        Largest multipole, at least 1.

    Returns
    -------
    ndarray, shape (lmax + 1,)
        [sr]
    """
    design = np.column_stack([np.ones(len(vectors)), vectors])
    fit = np.linalg.lstsq(design, values, rcond=None)[0]
    rest = values - design @ fit
    height, ring = np.unique(np.round(vectors[:, 2], 12), return_inverse=True)
    phase = np.exp(-1j * np.arctan2(vectors[:, 1], vectors[:, 0]))
    power, turned = np.zeros(lmax + 1), rest.astype(complex)
    top = np.full(len(height), math.sqrt(0.25 / math.pi))  # Y_mm, without its phase
    for m in range(lmax + 1):
        sums = np.bincount(ring, turned.real) + 1j * np.bincount(ring, turned.imag)
        weight = 1.0 if m == 0 else 2.0
        for degree, legendre in _degrees(height, top, m, lmax):
            power[degree] += weight * abs(legendre @ sums) ** 2
        turned *= phase
        top = top * np.sqrt((1.0 - height**2) * (2.0 * m + 3.0) / (2.0 * m + 2.0))
    area = 4.0 * math.pi / len(values)
    power *= area**2 / (2.0 * np.arange(lmax + 1) + 1.0)
    power[:2] = 4.0 * math.pi * fit[0] ** 2, 4.0 * math.pi / 9.0 * (fit[1:] @ fit[1:])
    return power


def _degrees(height: Array, top: Array, m: int, lmax: int) -> Iterator[tuple[int, Array]]:
    """Normalised Legendre functions of the order m, degree by degree, by the stable recursion."""
    before, here = np.zeros_like(top), top
    ratio = 0.0
    for degree in range(m, lmax + 1):
        yield degree, here
        after = degree + 1.0
        square = after**2 - m**2
        scale = math.sqrt((4.0 * after**2 - 1.0) / square)
        before, here = here, scale * (height * here - ratio * before)
        ratio = 1.0 / scale


class CommonPower(NamedTuple):
    """Power of what several independent skies have in common.

    multipole : ndarray (lmax + 1,); c_l : ndarray (lmax + 1,) [sr], without any bias by what is
    each sky's own; error : ndarray, the same, by the jackknife.
    """

    multipole: NDArray[np.int64]
    c_l: Array
    error: Array


def common_power(of_mean: Array, single: Sequence[Array], without: Sequence[Array]) -> CommonPower:
    """Power that skies have in common: the mean over all pairs of two different skies.

    Parameters
    ----------
    of_mean : ndarray, shape (lmax + 1,)
        C_l of the mean of the maps [sr].
    single : sequence of ndarray
        C_l of each map, noise included.
    without : sequence of ndarray
        C_l of the mean of all maps but one, for each in turn.

    Returns
    -------
    CommonPower

    Raises
    ------
    RangeError
        If there are less than three skies.
    """
    n = len(single)
    if n < 3 or len(without) != n:
        raise RangeError(f"{n} skies: to have something in common, with an error, takes 3.")
    total = np.sum(single, axis=0)
    pairs = _between(of_mean, total, n)
    left = np.array([_between(w, total - s, n - 1) for w, s in zip(without, single, strict=True)])
    error = math.sqrt((n - 1) / n) * np.sqrt(((left - left.mean(axis=0)) ** 2).sum(axis=0))
    return CommonPower(np.arange(len(pairs)), pairs, error)


def _between(of_mean: Array, total: Array, n: int) -> Array:
    """Mean cross power of two different maps out of `n`, whose own powers add to `total`."""
    return (n * n * of_mean - total) / (n * (n - 1))


def filled(std_dev: Array) -> Array:
    """Standard deviations with the median in place of unknown ones.

    Parameters
    ----------
    std_dev : ndarray
        NaN where unknown.

    Returns
    -------
    ndarray
        The median is 0 where nothing is known.
    """
    known = std_dev[np.isfinite(std_dev)]
    return np.where(np.isfinite(std_dev), std_dev, np.median(known) if len(known) else 0.0)
