"""Synthetic turbulence: random plane waves with a given spectrum and geometry.

The spectrum is cut into cells of equal width in ln k. The waves of a cell carry exactly its share
of the variance, and the wavenumber of each is drawn from the spectrum within its part of the cell.
So the root mean square field is exact in every realisation, and the mean over realisations of the
correlation function is exactly that of the spectrum, for any number of waves.

Waves of a cell belong together: three whose wave vectors, and whose polarisations, are at right
angles to each other (isotropic), or two (the other geometries). Averaged over space the components
of a realisation have then exactly the variances that the geometry asks for, and no correlation.

References
----------
Giacalone, J. & Jokipii, J. R. 1999, ApJ 520, 204 (sums of plane waves; slab + 2-D composite).
Bieber, J. W., Wanner, W. & Matthaeus, W. H. 1996, JGR 101, 2511 (slab + 2-D composite).
Goldreich, P. & Sridhar, S. 1995, ApJ 438, 763 (critical balance).
Cho, J., Lazarian, A. & Vishniac, E. T. 2002, ApJ 564, 291 (exponential form of the cone).
Lazarian, A. & Vishniac, E. T. 1999, ApJ 517, 700 (sub-Alfvenic turbulence, weak and strong).
Cranley, R. & Patterson, T. N. L. 1976, SIAM J. Numer. Anal. 13, 904 (lattices, shifted at random).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mcprop.fields.plane_waves import PlaneWaves, plane_waves
from mcprop.fields.spectra import (
    PowerLaw,
    Spectrum,
    is_whole,
    request_options,
    require,
    require_number,
    require_seed,
    spectrum_of,
)
from mcprop.fields.total import Sum
from mcprop.fields.uniform import UniformField

Waves = tuple[np.ndarray, np.ndarray]
"""Wave vectors [rad/pc] and amplitudes for a variance of one, both of shape (waves, 3)."""


def turbulence(
    geometry: str,
    rms: float,
    longest: float,
    shortest: float,
    waves: int = 200,
    slope: float = 5.0 / 3.0,
    seed: Any = 0,
    *,
    spectrum: str = "power-law",
    slab_fraction: float | None = None,
    cone: float | None = None,
) -> PlaneWaves:
    """A realisation of turbulence about a mean field along z.

    Parameters
    ----------
    geometry : {"isotropic", "slab", "2d", "composite", "critically-balanced"}
        Where the wave vectors k and the field b of a wave point: isotropic (b across k), slab (k
        along z, b across z), two-dimensional (k across z, b across both), a composite of those two,
        or critically balanced (Alfven waves, b across k and z, inside a cone about the plane across
        z that narrows toward small scales).
    rms : float
        Root of the mean square of the whole vector [uG]; 0 is allowed.
    longest, shortest : float
        Longest and shortest wavelength [pc]. For a "bendover" spectrum `longest` is the wavelength
        where it bends, and there are longer waves. For critical balance both are measured across z.
    waves : int
        Number of plane waves, at least 3. With a multiple of 3 (isotropic), 2 (slab, 2-D, critical
        balance) or 4 (composite) the variances of the components are exact; otherwise they are off
        by the last one or two waves, the shortest and weakest.
    slope : float
        Index of the one-dimensional spectrum E(k) ~ k^-slope; 5/3 for Kolmogorov.
    seed : int or numpy.random.SeedSequence
        Whoever gives the same seed gets the same field.
    spectrum : {"power-law", "bendover"}
        Shape of the spectrum (`PowerLaw`, `Bendover`): "bendover" is for slab turbulence and for
        the slab part of a composite, whose field lines do not diffuse under a sharp outer scale.
    slab_fraction : float, optional
        Composite only: slab part of the variance, 0.2 if not given. Half of the waves are slab.
    cone : float, optional
        Critical balance only: width c of the cone, where the variance at a given k_perp goes as
        exp(-|k_par|/k_c) with k_c = c k_perp^(2/3) k0^(1/3), k0 = 2 pi / longest. 1 if not given:
        waves at `longest` are as long along z as across it, for any `rms`, although they are
        balanced only where that is the mean field. Of turbulence with M_A < 1, `strong_range`
        makes the part that is balanced.

    Returns
    -------
    PlaneWaves
        The field, without the mean field.

    Raises
    ------
    RangeError
        If an argument is not allowed.
    UnitsError
        If one is a Quantity.

    Notes
    -----
    The mean over seeds of the correlations is right for any number of waves; what few waves lack is
    the bell shape of the distribution of a component, and realisations differ more.

    Critical balance is a statement about the field that the waves of a scale see, that of all
    longer waves with the mean field. Here the cone stands about the mean field alone, so that it
    holds for displacements along the mean field; along the local field, waves are no longer than
    the wandering of that field lets them be.

    Examples
    --------
    >>> from mcprop.fields import turbulence
    >>> field = turbulence("isotropic", rms=3.0, longest=100.0, shortest=20.0, waves=60, seed=1)
    """
    part, width = request_options(geometry, spectrum, slab_fraction, cone)
    require_number("rms", rms, unit="uG")
    require("waves", waves, is_whole(waves, 3), "must be a whole number of at least 3")
    require_seed(seed)
    rng = np.random.default_rng(seed)
    given = spectrum_of(spectrum, longest, shortest, slope)
    law = PowerLaw(longest, shortest, slope)
    if geometry == "composite":
        k, amplitude = _composite(rng, given, law, waves, part)
    elif geometry == "critically-balanced":
        k, amplitude = _critically_balanced(rng, law, waves, width)
    else:
        k, amplitude = _SIMPLE[geometry](rng, given, waves)
    return plane_waves(k, rms * amplitude, rng.uniform(0.0, 2.0 * math.pi, len(k)))


def wandering_field(
    mean_field: float,
    mach: float,
    geometry: str,
    longest: float,
    shortest: float,
    waves: int = 200,
    slope: float = 5.0 / 3.0,
    seed: Any = 0,
    **options: Any,
) -> Sum:
    """A mean field along z and turbulence about it.

    Parameters
    ----------
    mean_field : float
        Mean field B0 [uG], along z.
    mach : float
        Alfven Mach number M_A = dB/B0, dB the root mean square of all three components together.
    geometry, longest, shortest, waves, slope, seed, **options
        As for `turbulence`.

    Returns
    -------
    Sum
        Of `UniformField(0, 0, mean_field)` and the turbulence.

    Raises
    ------
    RangeError
        If an argument is not allowed.
    UnitsError
        If one is a Quantity.

    Examples
    --------
    >>> from mcprop.fields import wandering_field
    >>> field = wandering_field(3.0, 0.1, "slab", 100.0, 20.0, waves=50, spectrum="bendover")
    >>> field.first
    UniformField(bx=0.0, by=0.0, bz=3.0)
    """
    require_number("mean_field", mean_field, above=True, unit="uG")
    require_number("mach", mach)
    rest = turbulence(geometry, mach * mean_field, longest, shortest, waves, slope, seed, **options)
    return Sum(UniformField(0.0, 0.0, float(mean_field)), rest)


def strong_range(
    mean_field: float,
    mach: float,
    injection: float,
    shortest: float,
    waves: int = 200,
    slope: float = 5.0 / 3.0,
    seed: Any = 0,
) -> Sum:
    """A mean field along z and the strong range of turbulence with an Alfven Mach number up to 1.

    Turbulence that is injected at a scale L with M_A < 1 is weak down to L M_A^2 across the field,
    and critically balanced below (Lazarian & Vishniac 1999): l_par = L (l_perp/L)^(2/3) M_A^(-4/3),
    which is L at the border, where dB = M_A^2 B0. The weak range is not modelled.

    Parameters
    ----------
    mean_field : float
        Mean field B0 [uG], along z.
    mach : float
        Alfven Mach number M_A at the injection scale, above 0 and at most 1.
    injection : float
        Injection scale L, as a wavelength [pc].
    shortest : float
        Shortest wavelength across z [pc], less than injection mach^2.
    waves, slope, seed
        As for `turbulence`.

    Returns
    -------
    Sum
        Of the mean field and `turbulence` "critically-balanced" with rms = M_A^2 B0,
        longest = L M_A^2 and cone = M_A^2.

    Raises
    ------
    RangeError
        If an argument is not allowed.
    UnitsError
        If one is a Quantity.

    Notes
    -----
    Waves at the border are balanced: (dB/B0) l_par/l_perp = 1 for any M_A. So along a line x/M_A^2
    is the same function of z for all M_A, if `shortest` goes as M_A^2, and lines diffuse with
    <dx^2>/2z = C L M_A^4, where quasi-linear theory has C = 1/16 if `shortest` is small, 0.076 if
    it is L M_A^2/10. Particles that diffuse along lines, and across them with epsilon times that,
    have D_perp/D_par = M_A^4 f(epsilon/M_A^4) while the slope of lines is small: M_A^4 where
    epsilon goes as M_A^4, or if f were constant.

    References
    ----------
    Lazarian, A. & Vishniac, E. T. 1999, ApJ 517, 700.

    Examples
    --------
    >>> from mcprop.fields import strong_range
    >>> field = strong_range(3.0, 0.5, 100.0, 1.0, waves=50)
    >>> field.first
    UniformField(bx=0.0, by=0.0, bz=3.0)
    """
    require_number("mach", mach, most=1.0, above=True)
    require_number("injection", injection, above=True, unit="pc")
    part, border = mach**2, injection * mach**2
    require_number("shortest", shortest, above=True, unit="pc")
    within = shortest < border
    require("shortest", shortest, within, f"must be less than injection mach^2 = {border!r}")
    geometry = "critically-balanced"
    return wandering_field(
        mean_field, part, geometry, border, shortest, waves, slope, seed, cone=part
    )


def _evenly(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    """Numbers in [0, 1), shape (count, dimensions): each row uniform, the rows spread evenly.

    A lattice n (1/g, 1/g^2, ...) of the root g of g^(d+1) = g + 1 (the golden ratio for d = 1),
    shifted at random: any stretch of consecutive rows is spread evenly as well.
    """
    root = 1.5
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1.0)
    return (rng.random(dimensions) + np.outer(np.arange(count), steps)) % 1.0


def _draw(
    rng: np.random.Generator, spectrum: Spectrum, waves: int, together: int
) -> tuple[np.ndarray, np.ndarray]:
    """Wavenumbers [rad/pc] and amplitudes of `waves` waves, `together` to a cell.

    The waves of a cell share its variance equally, each with a part of the cell of its own.
    """
    groups = -(-waves // together)
    shares = spectrum.below(spectrum.edges(groups))
    shares[0], shares[-1] = 0.0, 1.0
    cell = np.repeat(np.arange(groups), together)[:waves]
    members = np.bincount(cell)[cell]
    place = np.arange(waves) - cell * together
    share = np.diff(shares)[cell]
    k = spectrum.wavenumber(shares[cell] + share * (place + rng.random(waves)) / members)
    return k, np.sqrt(2.0 * share / members)


def _frames(rng: np.random.Generator, count: int) -> np.ndarray:
    """Frames turned every way, spread evenly over all rotations: axes as rows, (count, 3, 3)."""
    height, around, turn = _evenly(rng, count, 3).T
    cosine, around, turn = 2.0 * height - 1.0, 2.0 * math.pi * around, 2.0 * math.pi * turn
    sine, ca, sa = np.sqrt(1.0 - cosine * cosine), np.cos(around), np.sin(around)
    axis = np.stack([sine * ca, sine * sa, cosine], axis=-1)
    south = np.stack([cosine * ca, cosine * sa, -sine], axis=-1)
    east = np.stack([-sa, ca, np.zeros(count)], axis=-1)
    ct, st = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return np.stack([ct * south + st * east, ct * east - st * south, axis], axis=1)


def _across(angle: np.ndarray, waves: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of unit vectors across z, at right angles to each other, each in two lists.

    The first of pair m stands at `angle[m]`; the second list is the first, a right angle further.
    """
    pair, second = np.divmod(np.arange(waves), 2)
    turned = angle[pair] + 0.5 * math.pi * second
    c, s, zero = np.cos(turned), np.sin(turned), np.zeros(waves)
    return np.stack([c, s, zero], axis=-1), np.stack([-s, c, zero], axis=-1)


def _isotropic(rng: np.random.Generator, spectrum: Spectrum, waves: int) -> Waves:
    k, amplitude = _draw(rng, spectrum, waves, 3)
    frame, axis = np.divmod(np.arange(waves), 3)
    frames = _frames(rng, -(-waves // 3))
    towards, along = frames[frame, axis], frames[frame, (axis + 1) % 3]
    return k[:, None] * towards, amplitude[:, None] * along


def _slab(rng: np.random.Generator, spectrum: Spectrum, waves: int) -> Waves:
    k, amplitude = _draw(rng, spectrum, waves, 2)
    angle = 2.0 * math.pi * _evenly(rng, -(-waves // 2), 1)[:, 0]
    along, _ = _across(angle, waves)
    return k[:, None] * np.array([0.0, 0.0, 1.0]), amplitude[:, None] * along


def _two_dimensional(rng: np.random.Generator, spectrum: Spectrum, waves: int) -> Waves:
    k, amplitude = _draw(rng, spectrum, waves, 2)
    angle = 2.0 * math.pi * _evenly(rng, -(-waves // 2), 1)[:, 0]
    towards, along = _across(angle, waves)
    return k[:, None] * towards, amplitude[:, None] * along


_SIMPLE: dict[str, Callable[[np.random.Generator, Spectrum, int], Waves]] = {
    "isotropic": _isotropic,
    "slab": _slab,
    "2d": _two_dimensional,
}


def _composite(
    rng: np.random.Generator,
    slab: Spectrum,
    flat: PowerLaw,
    waves: int,
    part: float,
) -> Waves:
    """Half of the waves slab, half two-dimensional."""
    k1, a1 = _slab(rng, slab, waves // 2)
    k2, a2 = _two_dimensional(rng, flat, waves - waves // 2)
    amplitude = np.concatenate([math.sqrt(part) * a1, math.sqrt(1.0 - part) * a2])
    return np.concatenate([k1, k2]), amplitude


def _critically_balanced(rng: np.random.Generator, law: PowerLaw, waves: int, cone: float) -> Waves:
    """Alfven waves: k_perp from the spectrum, k_par from an exponential of width k_c(k_perp)."""
    k, amplitude = _draw(rng, law, waves, 2)
    angle, depth = _evenly(rng, -(-waves // 2), 2).T
    towards, along = _across(2.0 * math.pi * angle, waves)
    # the second of a pair stands half a turn of the lattice further
    depth = (np.repeat(depth, 2)[:waves] + 0.5 * (np.arange(waves) % 2)) % 1.0
    width = cone * k ** (2.0 / 3.0) * law.lowest ** (1.0 / 3.0)
    # one sign is enough: a wave and its opposite are the same wave
    parallel = -width * np.log1p(-depth)
    return k[:, None] * towards + parallel[:, None] * [0.0, 0.0, 1.0], amplitude[:, None] * along
