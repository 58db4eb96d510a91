"""Field lines of isotropic turbulence by Corrsin's hypothesis, conventions as in `wandering`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcprop.analytic.spectral import EVERYWHERE, Band, Spectrum, checked, integral, not_negative
from mcprop.errors import RangeError

SERIES = 1e-2
"""Below this a difference that cancels is taken from its series."""


def isotropic_corrsin(power: Spectrum, mach: Any, band: Band = EVERYWHERE) -> Any:
    """Diffusion coefficient of field lines in isotropic turbulence, with their own wandering.

    Waves are met along lines that diffuse (Corrsin's hypothesis), so that waves somewhat oblique
    count as well, and those across no more for ever. For weak turbulence this is
    `quasilinear_diffusion`; B_z is taken to be B0 throughout, so that it is no law for `mach`
    near 1.

    Parameters
    ----------
    power : callable
        Spectrum of |dB|^2 over the length of the wave vector [rad/pc].
    mach : float or array_like
        dB/B0 with all three components.
    band : (float, float)
        Wavenumbers between which the spectrum is not zero; both have to be finite and positive.

    Returns
    -------
    float or ndarray
        The D [pc] that solves D = (1/B0^2) Int S_xx(k) g/(k_z^2 + g^2) d^3k, g = D (k_x^2 + k_y^2).

    Raises
    ------
    RangeError
        As for `spectral_moment`, if the band has no ends, or `mach` is negative.

    References
    ----------
    Matthaeus et al. 1995, Phys. Rev. Lett. 75, 2136, for the hypothesis.
    """
    from scipy.optimize import brentq

    low, high = checked(band)
    if not (low > 0.0 and high < math.inf):
        raise RangeError(f"band = {band} must have a positive beginning and a finite end [rad/pc].")
    machs = np.asarray(not_negative("mach", mach, "1"))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = 0.5 * math.log(high / low)
    k = low * np.exp(half * (nodes + 1.0))
    share = half * weights * k * np.array([power(float(one)) for one in k])
    share /= integral(power, 0.0, band)

    def given(d: float) -> float:
        """D/M^2 of lines that are taken to diffuse by `d`: it falls where `d` rises."""
        return 0.125 * math.pi * float(share @ (resonant_share(2.0 * k * d) / k))

    weak = given(0.0)

    def solve(square: float) -> float:
        """D, from its share of what it would be if lines were straight."""
        least = 0.99 * given(square * weak) / weak
        part = brentq(lambda u: given(u * square * weak) / weak / u - 1.0, least, 1.01, rtol=1e-12)
        return float(part * square * weak)

    solved = [solve(one**2) if one > 0.0 else 0.0 for one in machs.ravel()]
    return np.array(solved).reshape(machs.shape)[()]


def resonant_share(x: Any) -> Any:
    """Share of the resonance of isotropic waves that is left to lines which diffuse, 1 at x = 0.

    For waves of wavenumber k and lines of the coefficient D, with a = k D = x/2,

        (4/pi) a Int_0^1 (1 - c^4)/(c^2 + a^2 (1 - c^2)^2) dc/2

    over the cosine c. With t = c/(1 - c^2) the integrand is (1 - c^2)/(t^2 + a^2) dt/2, and
    1 - c^2 = (sqrt(1 + 4 t^2) - 1)/(2 t^2) leaves an integral that is elementary.

    Parameters
    ----------
    x : float or ndarray
        2 k D, not negative.

    Returns
    -------
    float or ndarray
    """
    x = np.asarray(x, dtype=float)
    low, high = np.minimum(x, 1.0), np.maximum(x, 1.0)
    root = np.sqrt(1.0 - low * low)
    small = np.minimum(low, SERIES)
    series = small * (1.0 / 6.0 + small**2 * (3.0 / 40.0 + small**2 * 15.0 / 336.0))
    divided = np.maximum(low, SERIES)
    excess = np.where(low < SERIES, series, (np.arcsin(divided) - divided) / divided**2)
    below = np.arccos(low) / (1.0 + root) + excess
    above = 0.5 * math.pi - high + np.arccosh(high) * np.sqrt(high * high - 1.0)
    return (4.0 / math.pi * np.where(x < 1.0, below, above / high**2))[()]
