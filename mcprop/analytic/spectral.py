"""Integrals over spectra of turbulence: moments, and what field lines make of them.

A spectrum is one-sided, a function of the wavenumber k [rad/pc], of any normalisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from mcprop.errors import RangeError

Spectrum = Callable[[float], float]
Band = tuple[float, float]

EVERYWHERE: Band = (0.0, math.inf)
"""All wavenumbers."""

DECADES = 15
"""Unbounded integrals over a spectrum end at 10^-15 and 10^15 rad/pc, if nothing lies there."""

SHARE_OF_A_DECADE = 1e-3
"""An unbounded integral converges whose first and last decade hold no more than this."""

CYCLES = 32
"""Cycles of the cosine that are integrated one by one, before the tail is."""


def spectral_moment(power: Spectrum, exponent: float, band: Band = EVERYWHERE) -> float:
    """Mean of a power of the wavenumber over a spectrum.

    Parameters
    ----------
    power : callable
        Spectrum at a wavenumber [rad/pc].
    exponent : float
        Power of the wavenumber.
    band : (float, float)
        Wavenumbers between which the spectrum is not zero.

    Returns
    -------
    float
        <k^exponent> = Int P k^exponent dk / Int P dk [(rad/pc)^exponent].

    Raises
    ------
    RangeError
        If the band is none, the spectrum is negative, or an integral does not converge.
    """
    return integral(power, exponent, band) / integral(power, 0.0, band)


def checked(band: Band) -> Band:
    """Refuse a band that is none.

    Raises
    ------
    RangeError
        If its ends do not rise, or it begins below 0.
    """
    low, high = band
    if not 0.0 <= low < high:
        raise RangeError(f"band = {band} must be two wavenumbers, rising and not below 0 [rad/pc].")
    return low, high


def not_negative(name: str, value: Any, unit: str) -> Any:
    """Check numbers that are finite and not below zero.

    Parameters
    ----------
    name, unit : str
        What they are called, and their unit for the message.
    value : float or array_like
        What was given.

    Returns
    -------
    float or ndarray

    Raises
    ------
    RangeError
        If one is not.
    """
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        numbers = np.array(math.nan)
    if not np.all((numbers >= 0.0) & (numbers < math.inf)):
        raise RangeError(f"{name} = {value!s} must be finite and not negative [{unit}].")
    return numbers[()]


def integral(power: Spectrum, exponent: float, band: Band) -> float:
    """Integral of P k^exponent over a band, decade by decade.

    Parameters
    ----------
    power, exponent, band
        As for `spectral_moment`.

    Returns
    -------
    float
        Int P k^exponent dk.

    Raises
    ------
    RangeError
        As for `spectral_moment`.
    """
    from scipy.integrate import quad

    low, high = checked(band)
    edges = 10.0 ** np.arange(-DECADES, DECADES + 1)
    ends = np.clip([low, high], edges[0], edges[-1])
    edges = np.unique([ends[0], *edges[(edges > ends[0]) & (edges < ends[1])], ends[1]])

    def by_logarithm(ln_k: float) -> float:
        k = math.exp(ln_k)
        return float(power(k)) * k ** (1.0 + exponent)

    logs = np.log(edges)
    parts = np.array([quad(by_logarithm, *ends, epsrel=1e-11)[0] for ends in pairwise(logs)])
    total = float(parts.sum())
    cut = ((parts[0], low < edges[0]), (parts[-1], high > edges[-1]))
    open_ends = [part for part, is_cut in cut if is_cut]
    if not (parts.min() >= 0.0 and 0.0 < total < math.inf):
        raise RangeError("power must be a spectrum: not negative, and not zero all over the band.")
    if max(open_ends, default=0.0) > SHARE_OF_A_DECADE * total:
        raise RangeError(
            f"The integral of power k^{exponent:g} does not converge: give the band in which the "
            "spectrum is not zero [rad/pc]."
        )
    return total


def cosine_integral(power: Spectrum, z: float, band: Band) -> float:
    """Integral of P (1 - cos(k z))/k^2 over a band, divided by z.

    In u = k z: half a cycle after the other, and from there on what is left of the cosine apart, by
    the rule for oscillating tails.

    Parameters
    ----------
    power, band
        As for `spectral_moment`.
    z : float
        Distance [pc].

    Returns
    -------
    float
        (1/z) Int P(k) (1 - cos(k z))/k^2 dk.

    Raises
    ------
    RangeError
        If the band is none.
    """
    from scipy.integrate import quad

    low, high = (end * z for end in checked(band))
    far = 2.0 * math.pi * CYCLES

    def whole(u: float) -> float:
        half = 0.5 * u
        return float(power(u / z)) * 0.5 * (math.sin(half) / half) ** 2 if u > 0.0 else 0.0

    edges = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 10), math.pi * np.arange(1, 2 * CYCLES)])
    ends = np.clip([low, high], 0.0, far)
    edges = np.unique([ends[0], *edges[(edges > ends[0]) & (edges < ends[1])], ends[1]])
    total = sum(quad(whole, *ends, epsrel=1e-10)[0] for ends in pairwise(edges))
    if high <= far:
        return float(total)
    begin = max(low, far)
    smooth = quad(lambda v: float(power(1.0 / (v * z))), 1.0 / high, 1.0 / begin, epsrel=1e-10)[0]
    tail = quad(lambda u: float(power(u / z)) / u**2, begin, high, weight="cos", wvar=1.0)[0]
    return float(total + smooth - tail)
