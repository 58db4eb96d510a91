"""Laws of wandering field lines, and of what moves along them.

Conventions, here and in what is compared with it: the mean field B0 points along z; the mean square
displacement is that of **one** component across it, <dx^2> = 2 D z, so that D of a field line is a
length. It is by height: `LineSpread.per_height` of `mcprop.wandering`, and not the smaller
coefficient by arc length, which `compound_msd` alone takes. `ratio` is dB_x^2/B0^2, the variance of
**one** component over the mean field squared; `mach` is dB/B0 with dB^2 = <|dB|^2>, **all**
components. A spectrum is one-sided, over the wavenumber k [rad/pc], and of any normalisation. A
negative Mach number, variance, length or time is refused with a `RangeError`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcprop import diffusion
from mcprop.analytic.spectral import (
    EVERYWHERE,
    Band,
    Spectrum,
    cosine_integral,
    integral,
    not_negative,
)
from mcprop.errors import RangeError


def slab_correlation_length(power: Spectrum, band: Band = EVERYWHERE) -> float:
    """Correlation length of slab turbulence, the integral of its normalised correlation.

    Parameters
    ----------
    power : callable
        Spectrum of one component over the wavenumber along the mean field [rad/pc].
    band : (float, float)
        Wavenumbers between which the spectrum is not zero.

    Returns
    -------
    float
        L_c = (pi/2) P(0)/Int P dk [pc]; zero if the band begins above zero.

    Raises
    ------
    RangeError
        As for `spectral_moment`.

    Examples
    --------
    >>> round(slab_correlation_length(lambda k: (1.0 + k * k) ** (-5.0 / 6.0)), 6)
    0.746834
    """
    total = integral(power, 0.0, band)
    return 0.5 * math.pi * float(power(0.0)) / total if band[0] == 0.0 else 0.0


def slab_diffusion(power: Spectrum, ratio: float, band: Band = EVERYWHERE) -> float:
    """Diffusion coefficient of the field lines of slab turbulence, far along them.

    Parameters
    ----------
    power : callable
        Spectrum of one component over the wavenumber along the mean field [rad/pc].
    ratio : float
        Variance of one component over the mean field squared.
    band : (float, float)
        Wavenumbers between which the spectrum is not zero.

    Returns
    -------
    float
        D = (dB_x^2/B0^2) L_c [pc], exact. `slab_running` says how slowly it is reached; it is zero
        where the spectrum has an outer scale.

    Raises
    ------
    RangeError
        As for `spectral_moment`.

    References
    ----------
    Jokipii & Parker 1969, ApJ 155, 777.
    """
    return float(not_negative("ratio", ratio, "1")) * slab_correlation_length(power, band)


def slab_running(z: Any, power: Spectrum, ratio: float, band: Band = EVERYWHERE) -> Any:
    """Running diffusion coefficient of the field lines of slab turbulence.

    Parameters
    ----------
    z : float or array_like
        Distance along the mean field [pc], positive.
    power : callable
        Spectrum of one component over the wavenumber along the mean field [rad/pc].
    ratio : float
        Variance of one component over the mean field squared.
    band : (float, float)
        Wavenumbers between which the spectrum is not zero.

    Returns
    -------
    float or ndarray
        D(z) = <dx^2>/(2 z) [pc].

    Raises
    ------
    RangeError
        As for `spectral_moment`, or if a distance is not positive.

    Notes
    -----
    The field of slab turbulence depends on z alone, so dx/dz = B_x(z)/B0 is an integral, and with
    the correlation R(z) = Int P cos(k z) dk of any such field, Gaussian or not,

        <dx^2> = (2/B0^2) Int P(k) (1 - cos(k z))/k^2 dk.

    Examples
    --------
    >>> bendover = lambda k: (1.0 + k * k) ** (-5.0 / 6.0)
    >>> reached = slab_running([10.0, 30.0, 100.0], bendover, 1.0) / slab_diffusion(bendover, 1.0)
    >>> reached.round(3).tolist()
    [0.911, 0.97, 0.991]
    """
    places = np.asarray(z, dtype=float)
    if not np.all(places > 0.0):
        raise RangeError(f"z = {z!s} must be positive [pc].")
    scale = not_negative("ratio", ratio, "1") / integral(power, 0.0, band)
    found = np.array([scale * cosine_integral(power, one, band) for one in places.ravel()])
    return found.reshape(places.shape)[()]


def running_of_waves(z: Any, wavenumber: Any, ratio: Any) -> Any:
    """Running diffusion coefficient of field lines in a sum of plane waves, to first order.

    It is exact for slab waves, averaged over where lines start; for waves in other directions it
    holds while lines stay within a fraction of a wavelength of where the mean field would take
    them.

    Parameters
    ----------
    z : float or array_like
        Distance along the mean field [pc], positive.
    wavenumber : array_like, shape (n,)
        Component of each wave vector along the mean field [rad/pc]; zero is allowed.
    ratio : array_like, shape (n,)
        Variance of one component of each wave over the mean field squared: for the average of the
        two components across, (a_x^2 + a_y^2)/(4 B0^2) for the amplitude (a_x, a_y, a_z).

    Returns
    -------
    float or ndarray
        D(z) = <dx^2>/(2 z) = sum_n ratio_n (1 - cos(k_n z))/(k_n^2 z) [pc].
    """
    places = np.asarray(z, dtype=float)
    half = 0.5 * places[..., None] * np.asarray(wavenumber, dtype=float)
    return (0.5 * places * (np.asarray(ratio) * np.sinc(half / np.pi) ** 2).sum(axis=-1))[()]


def quasilinear_diffusion(mean_inverse: float, mach: Any) -> Any:
    """Quasi-linear diffusion coefficient of field lines in isotropic turbulence.

    Parameters
    ----------
    mean_inverse : float
        <1/k> over the spectrum of |dB|^2 by the length of the wave vector [pc/rad]:
        ``spectral_moment(power, -1.0, band)``.
    mach : float or ndarray
        dB/B0 with all three components.

    Returns
    -------
    float or ndarray
        D = (pi/8) <1/k> M^2 [pc].

    Notes
    -----
    To first order D B0^2 is the integral of the correlation of B_x along the mean field,
    pi Int S_xx(k) delta(k_z) d^3k. With S_xx = E(k) (1 - k_x^2/k^2)/(8 pi k^2), which has no
    sources, the waves across the field give (pi/8) Int E/k dk.

    References
    ----------
    Jokipii & Parker 1969, ApJ 155, 777, for the method.
    """
    mean_inverse = not_negative("mean_inverse", mean_inverse, "pc/rad")
    mach = not_negative("mach", mach, "1")
    return 0.125 * math.pi * mean_inverse * mach**2


def matthaeus_2d(ultrascale: float, mach: Any) -> Any:
    """Diffusion coefficient of field lines from two-dimensional turbulence alone.

    Parameters
    ----------
    ultrascale : float
        lambda~ = <k^-2>^(1/2) over the spectrum of |dB|^2 by the wavenumber across the mean field
        [pc/rad]: ``spectral_moment(power, -2.0, band) ** 0.5``. It is the rms of the potential a
        over that of the field, dB = grad a x z.
    mach : float or ndarray
        dB_2D/B0 with both components.

    Returns
    -------
    float or ndarray
        D_2D = lambda~ dB_2D/(sqrt(2) B0) [pc].

    Notes
    -----
    If the place of a line is Gaussian with <dx^2> = 2 D z and independent of the field there
    (Corrsin), then D B0^2 = Int S_xx(k)/(k^2 D) d^2k, and Int S_xx/k^2 d^2k = <a^2>/2. It is meant
    for the combination with slab turbulence, `matthaeus_composite`: alone, lines keep their value
    of the potential, go round its hills for ever, and do not diffuse at all.

    References
    ----------
    Matthaeus, Gray, Pontius & Bieber 1995, Phys. Rev. Lett. 75, 2136.
    """
    ultrascale = not_negative("ultrascale", ultrascale, "pc/rad")
    mach = not_negative("mach", mach, "1")
    return ultrascale * mach / math.sqrt(2.0)


def matthaeus_composite(d_slab: Any, d_2d: Any) -> Any:
    """Diffusion coefficient of field lines in slab and two-dimensional turbulence together.

    Parameters
    ----------
    d_slab, d_2d : float or ndarray
        What `slab_diffusion` and `matthaeus_2d` give for the parts [pc].

    Returns
    -------
    float or ndarray
        D = D_slab/2 + sqrt(D_slab^2/4 + D_2D^2) [pc], which solves D = D_slab + D_2D^2/D.

    Notes
    -----
    It rests on Corrsin's hypothesis, good to about 15 per cent where half of the variance is slab
    and dB/B0 = 0.2. Lines that are nearly trapped in islands (little slab, small dB/B0) spread
    less, lines that a strong slab moves ballistically spread more.

    References
    ----------
    Matthaeus, Gray, Pontius & Bieber 1995, Phys. Rev. Lett. 75, 2136.
    """
    half = 0.5 * not_negative("d_slab", d_slab, "pc")
    return half + np.sqrt(half * half + not_negative("d_2d", d_2d, "pc") ** 2)


def mach_two(d_parallel: Any, mach: Any) -> Any:
    """Diffusion across the mean field as M^2 times that along it.

    Parameters
    ----------
    d_parallel : float or ndarray
        Coefficient along the mean field [pc^2/yr].
    mach : float or ndarray
        dB/B0 with all three components.

    Returns
    -------
    float or ndarray
        M^2 D_par [pc^2/yr], the share of a tensor whose axis leans by the angle of dB/B0.
    """
    return not_negative("mach", mach, "1") ** 2 * d_parallel


def mach_four(d_parallel: Any, mach: Any) -> Any:
    """Diffusion across the mean field as M^4 times that along it.

    Parameters
    ----------
    d_parallel : float or ndarray
        Coefficient along the mean field [pc^2/yr].
    mach : float or ndarray
        dB/B0 with all three components.

    Returns
    -------
    float or ndarray
        M^4 D_par [pc^2/yr].

    References
    ----------
    Yan & Lazarian 2008, ApJ 673, 942; Xue & Liu 2025 (arXiv:2507.07057), section II A.
    """
    return diffusion.wandering_tensor(d_parallel, 1.0, not_negative("mach", mach, "1"))[1]


def isotropic_perpendicular(kappa_parallel: Any, kappa_perp: Any, mach: Any) -> Any:
    """Diffusion across the mean field of particles that diffuse along and across wandering lines.

    Parameters
    ----------
    kappa_parallel, kappa_perp : float or ndarray
        Coefficients along and across the local field [pc^2/yr].
    mach : float or ndarray
        dB/B0 with all three components, isotropic turbulence.

    Returns
    -------
    float or ndarray
        kappa_perp + (pi/8) M^2 sqrt(kappa_perp kappa_par) [pc^2/yr].

    Notes
    -----
    The tensor kappa_perp + (kappa_par - kappa_perp) b b is homogenised to second order in dB: its
    mean, less the square of its fluctuations over the rate at which free diffusion leaves a wave,
    gives with S_xx of `quasilinear_diffusion`, for any ratio of the coefficients,

        D_perp = kappa_perp + (kappa_par - kappa_perp) kappa_perp
                 Int (S_xx/B0^2) k^2/(kappa_par k_z^2 + kappa_perp (k_x^2 + k_y^2)) d^3k,

    of which this is the limit kappa_perp << kappa_par. It needs M^2 << sqrt(kappa_perp/kappa_par).
    """
    perp = not_negative("kappa_perp", kappa_perp, "pc^2/yr")
    parallel = not_negative("kappa_parallel", kappa_parallel, "pc^2/yr")
    mach = not_negative("mach", mach, "1")
    return perp + 0.125 * math.pi * mach**2 * np.sqrt(perp * parallel)


def compound_msd(time: Any, kappa_perp: float, d_parallel: float, d_line: float) -> Any:
    """Mean square displacement across the mean field while particles stay on their lines.

    Parameters
    ----------
    time : float or ndarray
        Time [yr].
    kappa_perp : float
        Diffusion across the lines themselves [pc^2/yr].
    d_parallel : float
        Diffusion along the lines [pc^2/yr].
    d_line : float
        Diffusion coefficient of the lines by arc length, <dx^2> = 2 D_s s [pc], because it is along
        the lines that particles diffuse.

    Returns
    -------
    float or ndarray
        <dx^2> = 2 kappa_perp t + 2 D_s <|s|>, with <|s|> = sqrt(4 D_par t/pi) [pc^2].

    References
    ----------
    Kota & Jokipii 2000, ApJ 531, 1067; Webb, Zank, Kaghashvili & le Roux 2006, ApJ 651, 211.
    """
    time, perp = not_negative("time", time, "yr"), not_negative("kappa_perp", kappa_perp, "pc^2/yr")
    parallel = not_negative("d_parallel", d_parallel, "pc^2/yr")
    along = np.sqrt(4.0 * parallel * time / math.pi)
    return 2.0 * perp * time + 2.0 * d_line * along
