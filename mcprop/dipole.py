"""Dipoles with covariance: amplitude and phase, sums, fits to maps.

Every vector has ICRS axes and points to where more particles come from (arrival convention).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mcprop.errors import RangeError

Array = NDArray[np.float64]

UNIFORM_ANGLE_ERR = 180.0 / math.sqrt(3.0)
"""Standard deviation [deg] of an angle about which nothing is known."""


def _frozen(values: ArrayLike, shape: tuple[int, ...], name: str) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise RangeError(f"{name} has the shape {array.shape}; it must be {shape}.")
    array.setflags(write=False)
    return array


def debiased_norm(norm: float, transverse_variance: float) -> float:
    """Length of a vector with the bias that noise across it brings taken out.

    Parameters
    ----------
    norm : float
        Length of the measured vector.
    transverse_variance : float
        Variance summed over the directions across the vector, in the unit of ``norm`` squared.

    Returns
    -------
    float
        The modified asymptotic estimate: never negative, ``norm`` where there is no noise.

    References
    ----------
    Plaszczynski et al. 2014, MNRAS 439, 4048 (the estimator called MAS).
    """
    if norm == 0.0 or transverse_variance <= 0.0:
        return norm
    signal_to_noise = norm * norm / transverse_variance
    return norm + transverse_variance * math.expm1(-signal_to_noise) / (2.0 * norm)


@cache
def _unit_disc(radii: int = 160, angles: int = 64) -> Array:
    """Equally likely points of a standard normal in the plane, shape (2, radii * angles)."""
    quantile = (np.arange(radii) + 0.5) / radii
    radius = np.sqrt(-2.0 * np.log1p(-quantile))
    radius *= math.sqrt(2.0 / np.mean(radius**2))
    angle = 2.0 * np.pi * (np.arange(angles) + 0.5) / angles
    return np.stack([np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle))]).reshape(
        2, -1
    )


def _phase_error(amplitude: float, covariance: Array) -> float:
    """Standard deviation [deg] of the phase of a vector in the plane that lies along axis 0.

    The whole distribution is followed round the circle, so the value stays sensible (and below
    that of a uniform angle) where the amplitude is not larger than its error.
    """
    values, vectors = np.linalg.eigh(covariance)
    points = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ _unit_disc()
    phase = np.arctan2(points[1], amplitude + points[0])
    return min(math.degrees(math.sqrt(float(np.mean(phase**2)))), UNIFORM_ANGLE_ERR)


@dataclass(frozen=True, eq=False, repr=False)
class Dipole:
    """A dipole of the arrival directions and its covariance.

    Parameters
    ----------
    vector : ndarray, shape (3,)
        ICRS axes, arrival convention, dimensionless.
    covariance : ndarray, shape (3, 3)
        Of the estimate (not of one history); zeros for a formula, the default.
    """

    vector: Array
    covariance: Array = field(default_factory=lambda: np.zeros((3, 3)))

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", _frozen(self.vector, (3,), "A dipole vector"))
        covariance = _frozen(self.covariance, (3, 3), "A dipole covariance")
        object.__setattr__(self, "covariance", covariance)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dipole):
            return NotImplemented
        pairs = ((self.vector, other.vector), (self.covariance, other.covariance))
        return all(np.array_equal(a, b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Dipole) -> Dipole:
        """Sum of two independent dipoles."""
        return Dipole(self.vector + other.vector, self.covariance + other.covariance)

    def scaled(self, factor: float) -> Dipole:
        """The dipole times an exactly known factor."""
        return Dipole(factor * self.vector, factor * factor * self.covariance)

    @property
    def sigma(self) -> Array:
        """Standard deviations of the three components, shape (3,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @cached_property
    def _equatorial(self) -> tuple[float, Array]:
        """Naive equatorial amplitude, and the covariance along and across it, shape (2, 2)."""
        norm = math.hypot(self.vector[0], self.vector[1])
        cos, sin = (self.vector[:2] / norm) if norm > 0.0 else (1.0, 0.0)
        turn = np.array([[cos, sin], [-sin, cos]])
        return norm, turn @ self.covariance[:2, :2] @ turn.T

    @property
    def amplitude(self) -> float:
        """Equatorial amplitude sqrt(x^2 + y^2), the bias by noise taken out."""
        norm, covariance = self._equatorial
        return debiased_norm(norm, float(covariance[1, 1]))

    @property
    def amplitude_err(self) -> float:
        """Standard deviation of the equatorial amplitude, to second order in the noise across."""
        norm, covariance = self._equatorial
        along, across = np.clip(np.diag(covariance), 0.0, None)
        second = min(across**2 / (2.0 * norm**2), across) if norm > 0.0 else across
        return math.sqrt(float(along + second))

    @property
    def ra(self) -> float:
        """Right ascension of the dipole, the phase [deg], -180 to 180."""
        return math.degrees(math.atan2(self.vector[1], self.vector[0]))

    @cached_property
    def ra_err(self) -> float:
        """Standard deviation of the phase [deg]; at most that of a uniform angle, 103.9."""
        covariance = self._equatorial[1]
        return _phase_error(self.amplitude, covariance) if covariance.any() else 0.0

    @property
    def dec(self) -> float:
        """Declination of the dipole [deg]."""
        return math.degrees(math.atan2(self.vector[2], math.hypot(*self.vector[:2])))

    @property
    def amplitude_3d(self) -> float:
        """Length of the vector, the bias by noise taken out."""
        norm = float(np.linalg.norm(self.vector))
        if norm == 0.0:
            return 0.0
        along = float(self.vector @ self.covariance @ self.vector) / norm**2
        return debiased_norm(norm, float(np.trace(self.covariance)) - along)

    def __repr__(self) -> str:
        error = f" +- {self.amplitude_err:.2g}" if self.covariance.any() else ""
        phase = f" +- {self.ra_err:.2g}" if self.covariance.any() else ""
        return (
            f"Dipole(amplitude {self.amplitude:.4g}{error}, RA {self.ra:.2f}{phase} deg, "
            f"Dec {self.dec:.2f} deg, |delta| {self.amplitude_3d:.4g})"
        )


@dataclass(frozen=True, eq=False)
class Part:
    """One component of one species, as it enters the total at equal energy.

    Parameters
    ----------
    dipole : Dipole
        The component's own dipole.
    intensity : float
        At the energy in question [GeV^-1 m^-2 s^-1 sr^-1]; any common unit does.
    intensity_var_ln : float
    cov_ln : array_like, shape (3,)
        Variance of the logarithm of the intensity, and its covariance with the dipole.
    """

    dipole: Dipole
    intensity: float
    intensity_var_ln: float = 0.0
    cov_ln: Any = (0.0, 0.0, 0.0)


def combine(parts: Iterable[Part]) -> Dipole:
    """Mean dipole of independent parts, weighted by intensity.

    Errors of intensities count too: a part far from the mean moves it when its share changes.

    Parameters
    ----------
    parts : iterable of Part

    Returns
    -------
    Dipole

    Raises
    ------
    RangeError
        When the intensities do not add to a positive number.
    """
    parts = list(parts)
    intensity = sum(part.intensity for part in parts)
    if not intensity > 0.0:
        raise RangeError(f"The intensities add to {intensity!r}; the sum must be positive.")
    shares = [part.intensity / intensity for part in parts]
    zero = np.zeros(3)
    total = sum((w * p.dipole.vector for w, p in zip(shares, parts, strict=True)), zero)
    covariance = np.zeros((3, 3))
    for share, part in zip(shares, parts, strict=True):
        gap = part.dipole.vector - total
        cross = np.outer(gap, np.asarray(part.cov_ln, dtype=np.float64))
        spread = np.outer(gap, gap) * part.intensity_var_ln
        covariance += share**2 * (part.dipole.covariance + spread + cross + cross.T)
    return Dipole(total, covariance)


class MapFit(NamedTuple):
    """Result of fitting monopole + dipole . n to a map.

    monopole : float; dipole : Dipole; chi2 : float, over the pixels with a variance; dof : int.
    """

    monopole: float
    dipole: Dipole
    chi2: float
    dof: int


def fit_map(
    vectors: Array, intensity: Array, std_dev: Array, covariance: Array | None = None
) -> MapFit:
    """Least-squares fit of a monopole and a dipole to values on the sky.

    All pixels weigh alike: weights from the scatter of the same scores would favour pixels that
    fluctuate low together with their scatter, and so bias the amplitude.

    Parameters
    ----------
    vectors : ndarray, shape (N, 3)
        Directions of the pixels.
    intensity, std_dev : ndarray, shape (N,)
        Values (NaN where unknown) and their standard deviations.
    covariance : ndarray, shape (3, 3), optional
        Covariance of the dipole where it is known from elsewhere; without it the pixels count as
        independent.

    Returns
    -------
    MapFit

    Raises
    ------
    RangeError
        When the known pixels do not determine a dipole.
    """
    good = np.isfinite(intensity)
    design = np.column_stack([np.ones(len(vectors)), vectors])[good]
    normal = design.T @ design
    if len(design) < 4 or np.linalg.cond(normal) > 1e12:
        raise RangeError(f"{len(design)} known pixels do not determine a dipole.")
    inverse = np.linalg.inv(normal)
    deviation, sigma = intensity[good] - 1.0, std_dev[good]  # from 1: to keep a dipole's digits
    solution = inverse @ (design.T @ deviation)
    if covariance is None:
        covariance = (inverse @ (design.T * sigma**2) @ design @ inverse)[1:, 1:]
    noisy = sigma > 0.0
    pulls = (deviation - design @ solution)[noisy] / sigma[noisy]
    dipole, chi2 = Dipole(solution[1:], covariance), float(pulls @ pulls)
    return MapFit(1.0 + float(solution[0]), dipole, chi2, len(pulls) - 4)
