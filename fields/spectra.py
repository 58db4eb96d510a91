"""Spectra of turbulence: how its variance is spread over wavenumbers, and what follows from that.

A spectrum E(k) is one-dimensional and one-sided: E(k) dk is the part of the variance that lies
between the wavenumbers k and k + dk [rad/pc], whatever their directions, and its integral is one.
For isotropic turbulence k is the length of the wave vector, for slab turbulence its component along
the mean field, for two-dimensional and critically balanced turbulence the component across it.

References
----------
Kolmogorov, A. N. 1941, Dokl. Akad. Nauk SSSR 30, 301 (the slope 5/3).
Batchelor, G. K. 1953, The Theory of Homogeneous Turbulence, chapter 3 (integral scales).
Harari, D., Mollerach, S., Roulet, E. & Sanchez, F. 2002, JHEP 03, 045 (coherence length).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.units import bare

GEOMETRIES = ("isotropic", "slab", "2d", "composite", "critically-balanced")
"""How the wave vectors lie about the mean field."""

SPECTRA = ("power-law", "bendover")
"""Shapes of the spectrum."""

SLAB_FRACTION = 0.2
"""Part of the variance that is slab: commonly used for the solar wind."""


def require(name: str, value: Any, holds: bool, allowed: str) -> None:
    """Refuse an argument in one sentence.

    Raises
    ------
    RangeError
        If it does not hold.
    """
    if not holds:
        raise RangeError(f"{name} = {value!r} {allowed}.")


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, (int, float, np.integer, np.floating))
    return is_real and not isinstance(value, bool) and math.isfinite(value)


def require_number(
    name: str,
    value: Any,
    least: float = 0.0,
    most: float = math.inf,
    *,
    above: bool = False,
    unit: str = "",
) -> None:
    """Refuse what is no finite number from `least` (or above it, if so asked) to `most`.

    Raises
    ------
    RangeError
        If it is not.
    UnitsError
        If it is a Quantity.
    """
    bare(name, value, unit)
    holds = _is_number(value) and (value > least if above else value >= least) and value <= most
    lower = f" {'above' if above else 'of at least'} {least:g}" if least > -math.inf else ""
    upper = f" and at most {most:g}" if most < math.inf else ""
    told = f" [{unit}]" if unit else ""
    require(name, value, holds, f"must be a finite number{lower}{upper}{told}")


def choose(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of the choices.

    Raises
    ------
    RangeError
        If it is not.
    """
    listed = ", ".join(repr(choice) for choice in choices)
    is_known = isinstance(value, str) and value in choices
    require(name, value, is_known, f"is not known: choose one of {listed}")


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number of at least `least`."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and value >= least


def require_seed(seed: Any) -> None:
    """Refuse what is neither a whole number of at least 0 nor a `numpy.random.SeedSequence`.

    Raises
    ------
    RangeError
        If it is not.
    """
    holds = is_whole(seed, 0) or isinstance(seed, np.random.SeedSequence)
    require("seed", seed, holds, "must be a whole number of at least 0 or a SeedSequence")


def request_options(
    geometry: str, spectrum: str, slab_fraction: float | None, cone: float | None
) -> tuple[float, float]:
    """Check what only some geometries know; return slab fraction and cone, as given or as meant.

    Raises
    ------
    RangeError
        If a name is not known, a number is not allowed, or the geometry knows nothing about it.
    """
    choose("geometry", geometry, GEOMETRIES)
    choose("spectrum", spectrum, SPECTRA)
    _require_fitting("spectrum", spectrum, geometry, ("slab", "composite"), "power-law")
    _require_fitting("slab_fraction", slab_fraction, geometry, ("composite",), None)
    _require_fitting("cone", cone, geometry, ("critically-balanced",), None)
    part = SLAB_FRACTION if slab_fraction is None else slab_fraction
    width = 1.0 if cone is None else cone
    require_number("slab_fraction", part, most=1.0)
    require_number("cone", width, above=True)
    return part, width


def _require_fitting(
    name: str, value: Any, geometry: str, geometries: tuple[str, ...], neutral: Any
) -> None:
    """Refuse an option that the geometry knows nothing about."""
    named = " and ".join(repr(one) for one in geometries)
    noun = "geometry" if len(geometries) == 1 else "geometries"
    fits = value == neutral or geometry in geometries
    require(name, value, fits, f"is for the {noun} {named} only, not for {geometry!r}")


def _require_range(longest: float, shortest: float) -> None:
    require_number("shortest", shortest, above=True, unit="pc")
    require_number("longest", longest, above=True, unit="pc")
    require("shortest", shortest, shortest < longest, f"must be less than longest = {longest!r}")


@dataclass(frozen=True)
class PowerLaw:
    """E(k) ~ k^-slope between an outer and an inner scale, and nothing beyond them.

    Parameters
    ----------
    longest, shortest : float
        Longest and shortest wavelength [pc].
    slope : float
        5/3 for Kolmogorov, 3/2 for Kraichnan; any number.

    Raises
    ------
    RangeError
        If the wavelengths are not positive and in order, or an argument is not finite.
    """

    longest: float
    shortest: float
    slope: float = 5.0 / 3.0

    def __post_init__(self) -> None:
        _require_range(self.longest, self.shortest)
        require_number("slope", self.slope, -math.inf)

    @property
    def lowest(self) -> float:
        """Smallest wavenumber [rad/pc]."""
        return 2.0 * math.pi / self.longest

    @property
    def highest(self) -> float:
        """Largest wavenumber [rad/pc]."""
        return 2.0 * math.pi / self.shortest

    def _integral(self, power: float) -> float:
        """Integral of (k/lowest)^power d(k/lowest) over the range."""
        decades, s = math.log(self.longest / self.shortest), power + 1.0
        return math.expm1(s * decades) / s if s else decades

    def density(self, k: Any) -> Any:
        """E(k) at wavenumbers [rad/pc]: part of the variance per wavenumber [pc/rad]."""
        k = np.asarray(k, dtype=float)
        inside = (k >= self.lowest) & (k <= self.highest)
        shape = np.where(inside, k / self.lowest, 1.0) ** -self.slope
        return np.where(inside, shape, 0.0)[()] / (self.lowest * self._integral(-self.slope))

    def below(self, k: Any) -> Any:
        """Part of the variance below wavenumbers [rad/pc]."""
        s = 1.0 - self.slope
        decades = np.log(np.clip(k, self.lowest, self.highest) / self.lowest)
        part = np.expm1(s * decades) / s if s else decades
        return part / self._integral(-self.slope)

    def wavenumber(self, part: Any) -> Any:
        """Wavenumbers [rad/pc] below which a given part of the variance lies."""
        s = 1.0 - self.slope
        area = np.asarray(part, dtype=float) * self._integral(-self.slope)
        decades = np.log1p(s * area) / s if s else area
        return np.clip(self.lowest * np.exp(decades), self.lowest, self.highest)[()]

    def mean_power(self, power: float) -> float:
        """Mean of k^power over the variance [(rad/pc)^power]."""
        ratio = self._integral(power - self.slope) / self._integral(-self.slope)
        return ratio * self.lowest**power

    def edges(self, cells: int) -> np.ndarray:
        """Borders of cells of equal width in ln k [rad/pc], shape (cells + 1,)."""
        return np.geomspace(self.lowest, self.highest, cells + 1)


@dataclass(frozen=True)
class Bendover:
    """E(k) ~ (1 + (k l)^2)^(-slope/2) from k = 0 on, with l = longest / 2 pi.

    It is flat at the small wavenumbers, so that the correlation length of slab turbulence does not
    vanish, as it does under a sharp outer scale (where field lines of a slab never diffuse).

    Parameters
    ----------
    longest : float
        Wavelength at which the spectrum bends [pc]; there are longer waves.
    shortest : float
        Shortest wavelength [pc].
    slope : float
        At large wavenumbers; above 1.

    Raises
    ------
    RangeError
        If the wavelengths are not positive and in order, or the slope is not above 1.

    References
    ----------
    Bieber, J. W. et al. 1994, ApJ 420, 294 (the form, for the slab of the solar wind).
    Shalchi, A. & Kourakis, I. 2007, A&A 470, 405 (transport across the field with this spectrum).
    """

    longest: float
    shortest: float
    slope: float = 5.0 / 3.0

    def __post_init__(self) -> None:
        _require_range(self.longest, self.shortest)
        require_number("slope", self.slope, 1.0, above=True)

    @property
    def length(self) -> float:
        """The bendover length l [pc]."""
        return self.longest / (2.0 * math.pi)

    @property
    def highest(self) -> float:
        """Largest wavenumber [rad/pc]."""
        return 2.0 * math.pi / self.shortest

    @property
    def correlation_length(self) -> float:
        """Integral of the correlation function [pc]: (pi/2) E(0), which is 0.747 l for 5/3."""
        return 0.5 * math.pi * float(self.density(0.0))

    def _beta(self) -> tuple[float, float]:
        return 0.5, 0.5 * (self.slope - 1.0)

    def _area(self) -> float:
        """Integral of (1 + q^2)^(-slope/2) from 0 to where the spectrum ends."""
        from scipy.special import beta, betainc

        return float(0.5 * beta(*self._beta()) * betainc(*self._beta(), self._folded(self.highest)))

    def _folded(self, k: Any) -> Any:
        """q^2 / (1 + q^2) with q = k l: the area below q is an incomplete beta function of it."""
        squared = np.square(np.asarray(k, dtype=float) * self.length)
        return squared / (1.0 + squared)

    def density(self, k: Any) -> Any:
        """E(k) at wavenumbers [rad/pc]: part of the variance per wavenumber [pc/rad]."""
        k = np.asarray(k, dtype=float)
        shape = (1.0 + np.square(k * self.length)) ** (-0.5 * self.slope)
        return np.where((k >= 0.0) & (k <= self.highest), shape, 0.0)[()] * (
            self.length / self._area()
        )

    def below(self, k: Any) -> Any:
        """Part of the variance below wavenumbers [rad/pc]."""
        from scipy.special import betainc

        end = betainc(*self._beta(), self._folded(self.highest))
        return betainc(*self._beta(), self._folded(np.clip(k, 0.0, self.highest))) / end

    def wavenumber(self, part: Any) -> Any:
        """Wavenumbers [rad/pc] below which a given part of the variance lies."""
        from scipy.special import betainc, betaincinv

        end = betainc(*self._beta(), self._folded(self.highest))
        folded = betaincinv(*self._beta(), np.asarray(part, dtype=float) * end)
        return np.minimum(np.sqrt(folded / (1.0 - folded)) / self.length, self.highest)[()]

    def edges(self, cells: int) -> np.ndarray:
        """Borders of a cell [0, 0.01/l] and of cells of equal width in ln k [rad/pc]."""
        if cells == 1:
            return np.array([0.0, self.highest])
        return np.append(0.0, np.geomspace(0.01 / self.length, self.highest, cells))


Spectrum = PowerLaw | Bendover


def spectrum_of(shape: str, longest: float, shortest: float, slope: float) -> Spectrum:
    """The spectrum of a name in `SPECTRA`.

    Raises
    ------
    RangeError
        If the name is not known, or the spectrum refuses its arguments.
    """
    choose("spectrum", shape, SPECTRA)
    return (PowerLaw if shape == "power-law" else Bendover)(longest, shortest, slope)


def mean_inverse_wavenumber(longest: float, shortest: float, slope: float = 5.0 / 3.0) -> float:
    """Mean <1/k> of a power law over its variance.

    Field lines of isotropic turbulence diffuse with (pi/8) <1/k> (dB/B0)^2 while dB is small.

    Parameters
    ----------
    longest, shortest : float
        Longest and shortest wavelength [pc].
    slope : float
        Of the spectrum E(k) ~ k^-slope.

    Returns
    -------
    float
        <1/k> [pc].

    Raises
    ------
    RangeError
        If the wavelengths are not positive and in order, or an argument is not finite.

    Examples
    --------
    >>> round(mean_inverse_wavenumber(100.0, 20.0), 3)
    9.013
    """
    return PowerLaw(longest, shortest, slope).mean_power(-1.0)


def correlation_lengths(
    geometry: str,
    longest: float,
    shortest: float,
    slope: float = 5.0 / 3.0,
    *,
    spectrum: str = "power-law",
    slab_fraction: float | None = None,
    cone: float | None = None,
) -> tuple[float, float]:
    """Correlation lengths along and across the mean field that `turbulence` is asked for.

    They are integrals of <B(x) . B(x + r)> / <B^2> over r from 0 to infinity.

    Parameters
    ----------
    geometry, longest, shortest, slope, spectrum, slab_fraction, cone
        As for `mcprop.fields.turbulence`.

    Returns
    -------
    parallel, perpendicular : float
        Lengths [pc]; infinite where the field, or a part of it, does not vary.

    Raises
    ------
    RangeError
        If an argument is not allowed.

    Notes
    -----
    With means over the variance: isotropic (pi/2) <1/k> both ways (Harari et al. 2002 count both
    signs of r: twice that); slab (pi/2) E(0), which is 0 for a power law; two-dimensional <1/k>
    across; critically balanced (pi/2) <1/k_c> along, with the cone k_c = cone k^(2/3) k0^(1/3),
    k0 = 2 pi / longest, and <1/k> across.
    """
    part, width = request_options(geometry, spectrum, slab_fraction, cone)
    given = spectrum_of(spectrum, longest, shortest, slope)
    law = PowerLaw(longest, shortest, slope)
    if geometry == "isotropic":
        return (0.5 * math.pi * law.mean_power(-1.0),) * 2
    if geometry == "slab" or (geometry == "composite" and part == 1.0):
        return (given.correlation_length if isinstance(given, Bendover) else 0.0), math.inf
    if geometry == "critically-balanced":
        inverse_cone = law.mean_power(-2.0 / 3.0) * law.lowest ** (-1.0 / 3.0) / width
        return 0.5 * math.pi * inverse_cone, law.mean_power(-1.0)
    if geometry == "2d" or part == 0.0:
        return math.inf, law.mean_power(-1.0)
    return math.inf, math.inf
