"""Additive moments of the scores of many histories, up to the fourth order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mcprop.dipole import Dipole
from mcprop.errors import RangeError
from mcprop.symmetric import PAIRS, QUADS, TIMES, TRIPLES, UPPER, power, product

Array = NDArray[np.float64]

SLICES, SLICE = 8, 64
"""Slices of a batch whose own moments are kept, and histories in each if there are enough."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Additive moments of the scores of many histories.

    A history scores y = (m, d): a density m and a vector d with E[d]/E[m] the dipole. Means and
    centred sums are kept rather than plain sums, so that a nearly noise-free estimator does not
    lose its variance to rounding. ``Moments()`` is the empty sum.

    Parameters
    ----------
    n : int
        Histories.
    mean : ndarray, shape (4,)
        Mean of (m, d_x, d_y, d_z).
    scatter : ndarray, shape (4, 4)
        Sum over the histories of (y - mean)(y - mean)^T.
    third : ndarray, shape (20,)
    fourth : ndarray, shape (35,)
        Sums of the products of three and of four components of y - mean: the different entries of
        the symmetric tensors, in the order of `mcprop.symmetric`.
    largest : ndarray, shape (2, 4)
        Score y of the history with the largest density, and of that with the longest vector; of
        equals the first.
    """

    n: int = 0
    mean: Array = field(default_factory=lambda: np.zeros(4))
    scatter: Array = field(default_factory=lambda: np.zeros((4, 4)))
    third: Array = field(default_factory=lambda: np.zeros(len(TRIPLES)))
    fourth: Array = field(default_factory=lambda: np.zeros(len(QUADS)))
    largest: Array = field(default_factory=lambda: np.zeros((2, 4)))

    @classmethod
    def of(cls, m: ArrayLike, d: ArrayLike) -> Moments:
        """Moments of a batch.

        Parameters
        ----------
        m : ndarray, shape (N,)
            Density score of each history.
        d : ndarray, shape (N, 3)
            Vector score of each history, ICRS axes, arrival convention.
        """
        return cls.split(m, d)[0]

    @classmethod
    def split(cls, m: ArrayLike, d: ArrayLike) -> tuple[Moments, tuple[Moments, ...]]:
        """Moments of a batch, and of a few slices of it in the order of the histories.

        Parameters
        ----------
        m, d : ndarray
            As for `of`.

        Returns
        -------
        whole : Moments
        parts : tuple of Moments
            Of `SLICES` slices as equal as can be; of fewer where they would have less than `SLICE`
            histories, but of two if there are two histories.
        """
        from mcprop.kernels.power_sums import centre, largest, power_sums

        y = np.column_stack([np.asarray(m, dtype=np.float64), np.asarray(d, dtype=np.float64)])
        n = len(y)
        if not n:
            return cls(), ()
        count = min(max(n // SLICE, 2), SLICES, n)
        edges = n * np.arange(count + 1) // count
        mean, centred = np.empty(4), np.empty_like(y)
        sums, most = np.empty((count, 14 + len(TRIPLES) + len(QUADS))), np.empty((count, 2, 4))
        centre(y, mean, centred)
        power_sums(centred, edges, sums)
        largest(y, edges, most)
        parts = _parts(mean, np.diff(edges), sums, most)
        longest = np.einsum("pi,pi->p", most[:, 1, 1:], most[:, 1, 1:]).argmax()
        top = np.array([most[np.abs(most[:, 0, 0]).argmax(), 0], most[longest, 1]])
        high = sums[:, 14:].sum(axis=0)
        third, fourth = high[: len(TRIPLES)], high[len(TRIPLES) :]
        return cls(n, mean, centred.T @ centred, third, fourth, top), parts

    def __add__(self, other: Moments) -> Moments:
        """Moments of both sets of histories (Chan et al. 1983; Pebay 2008)."""
        n = self.n + other.n
        if not self.n or not other.n:
            return other if not self.n else self
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.n / n)
        between = np.outer(gap, gap) * (self.n * (other.n / n))
        a, b = self.n / n, other.n / n
        second, more = self.scatter[UPPER], other.scatter[UPPER]
        third = self.third + other.third + product(a * more - b * second, gap, 3, 2)
        third += n * a * b * (a - b) * power(gap, 3)
        fourth = self.fourth + other.fourth + product(a * other.third - b * self.third, gap, 4, 3)
        fourth += product(a * a * more + b * b * second, gap, 4, 2)
        fourth += n * a * b * (a**3 + b**3) * power(gap, 4)
        scatter = self.scatter + other.scatter + between
        return Moments(n, mean, scatter, third, fourth, _larger(self.largest, other.largest))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moments):
            return NotImplemented
        names = [item.name for item in fields(self)]
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]

    def to_array(self) -> Array:
        """All numbers in one array of fixed length, float64."""
        arrays = (getattr(self, item.name) for item in fields(self))
        return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)

    @classmethod
    def from_array(cls, array: Array) -> Moments:
        """The moments that `to_array` has written, bit for bit.

        Raises
        ------
        RangeError
            For an array of another length.
        """
        shapes = [np.shape(getattr(_EMPTY, item.name)) for item in fields(cls)]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        if np.shape(array) != (ends[-1],):
            raise RangeError(f"Moments are {ends[-1]} numbers, not an array {np.shape(array)}.")
        values = np.split(np.array(array, dtype=np.float64), ends[:-1])
        rest = (value.reshape(shape) for value, shape in zip(values[1:], shapes[1:], strict=True))
        return cls(int(values[0][0]), *rest)

    def covariance_of_mean(self) -> Array:
        """Covariance of the mean of (m, d), shape (4, 4).

        Raises
        ------
        RangeError
            With fewer than two histories.
        """
        if self.n < 2:
            raise RangeError(f"A variance needs at least 2 histories, not {self.n}.")
        return self.scatter / (self.n * (self.n - 1.0))

    def variance_of_variance(self, weights: ArrayLike) -> float:
        """Relative variance of the variance of the mean of a linear combination of the scores.

        Parameters
        ----------
        weights : array_like, shape (4,)
            What (m, d_x, d_y, d_z) are multiplied by.

        Returns
        -------
        float
            sum x^4 / (sum x^2)^2 - 1/n of the centred combination x; 0 if it does not vary, NaN
            where its fourth power is too small for a number.
        """
        a = np.asarray(weights, dtype=np.float64)
        a = a / max(float(np.abs(a).max()), 1e-300)
        square = float(a @ self.scatter @ a)
        if square <= 0.0:
            return 0.0
        ratio = float(self.fourth @ (TIMES * power(a, 4))) / square / square
        return ratio - 1.0 / self.n if ratio > 0.5 / self.n else math.nan

    @property
    def effective(self) -> float:
        """Number of equally weighted histories with the same relative variance of the density."""
        square = self.mean[0] ** 2
        spread = float(self.scatter[0, 0]) / self.n if self.n else 0.0
        return self.n * float(square) / (square + spread) if square + spread > 0.0 else 0.0

    def density(self) -> tuple[float, float]:
        """Mean density and the standard deviation of that mean."""
        return float(self.mean[0]), math.sqrt(float(self.covariance_of_mean()[0, 0]))

    def _propagated(self) -> tuple[Array, Array]:
        """Ratio d/m, and the covariance of (ln m, ratio) by the delta method, shape (4, 4)."""
        if self.mean[0] == 0.0:
            raise RangeError("The mean density is zero, so the dipole is undefined.")
        ratio = self.mean[1:] / self.mean[0]
        jacobian = np.eye(4)
        jacobian[1:, 0] = -ratio
        jacobian /= self.mean[0]
        return ratio, jacobian @ self.covariance_of_mean() @ jacobian.T

    def dipole(self) -> Dipole:
        """Ratio estimate <d>/<m> with its covariance by the delta method."""
        ratio, covariance = self._propagated()
        return Dipole(ratio, covariance[1:, 1:])

    def log_density_variance(self) -> float:
        """Variance of the logarithm of the mean density."""
        return float(self._propagated()[1][0, 0])

    def covariance_with_log_density(self) -> Array:
        """Covariance of ln(density) with the three components of the dipole, shape (3,)."""
        return self._propagated()[1][0, 1:]

    def figure_of_merit(self, cpu_seconds: float) -> float:
        """1 / (relative variance of the length of the dipole x CPU seconds) [1/s]."""
        dipole = self.dipole()
        square = float(dipole.vector @ dipole.vector)
        along = float(dipole.vector @ dipole.covariance @ dipole.vector)
        if along <= 0.0 or cpu_seconds <= 0.0:
            return math.inf
        return square * square / (along * cpu_seconds)


_EMPTY = Moments()


def _larger(first: Array, second: Array) -> Array:
    """Of two records (2, 4) the larger density and the longer vector; of equals the first."""
    density = second if abs(second[0, 0]) > abs(first[0, 0]) else first
    vector = second if second[1, 1:] @ second[1, 1:] > first[1, 1:] @ first[1, 1:] else first
    return density if density is vector else np.array([density[0], vector[1]])


def _parts(mean: Array, counts: Array, sums: Array, most: Array) -> tuple[Moments, ...]:
    """Moments of slices from their power sums about the common mean."""
    n = counts[:, None].astype(np.float64)
    second, third, fourth = np.split(sums[:, 4:], [len(PAIRS), len(PAIRS) + len(TRIPLES)], axis=1)
    gap = sums[:, :4] / n
    fourth = fourth - product(third, gap, 4, 3) + product(second, gap, 4, 2)
    fourth -= 3.0 * n * power(gap, 4)
    third = third - product(second, gap, 3, 2) + 2.0 * n * power(gap, 3)
    scatter = np.empty((len(n), 4, 4))
    rows, columns = UPPER
    scatter[:, rows, columns] = scatter[:, columns, rows] = second - n * power(gap, 2)
    own = np.arange(4)
    scatter[:, own, own] = np.maximum(scatter[:, own, own], 0.0)  # rounding knows no sign
    return tuple(
        Moments(int(count), *rest)
        for count, *rest in zip(counts, mean + gap, scatter, third, fourth, most, strict=True)
    )
