"""Isotropic turbulence on a periodic grid: all the waves that fit into it.

References
----------
Kolmogorov, A. N. 1941, Dokl. Akad. Nauk SSSR 30, 301 (the slope 5/3).
Giacalone, J. & Jokipii, J. R. 1999, ApJ 520, 204 (fields made of waves with random phases).
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from mcprop.fields.grid import Grid
from mcprop.fields.grid_store import INTERPOLATIONS, Store
from mcprop.fields.grid_waves import RULES
from mcprop.fields.spectra import PowerLaw, choose, is_whole, require, require_number, require_seed
from mcprop.units import bare

CELLS_PER_WAVE = 4.0
"""Fewest cells that a wave may have: with fewer, its aliases are no longer small."""

CHUNK = 65536
"""Waves that are taken together, to need no memory for copies of all of them."""

BYTES = 17
"""Memory that a point takes while its field is made, of which 12 stay."""

ROUNDING = 1e-9
"""Relative tolerance of comparisons between lengths of waves and of the box."""


def turbulent_grid(
    n: int,
    spacing: float,
    rms: float,
    longest: float,
    shortest: float,
    slope: float = 5.0 / 3.0,
    seed: Any = 0,
    *,
    interpolation: str = "potential",
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Grid:
    """A realisation of Gaussian isotropic turbulence without mean field on a periodic grid.

    Parameters
    ----------
    n : int
        Points along each axis, at least 4.
    spacing : float
        Distance of neighbouring points [pc]; the field repeats itself after ``n * spacing``.
    rms : float
        Root of the mean square of the whole vector [uG], averaged over all space and as it is
        interpolated: exact in every realisation. 0 is allowed.
    longest, shortest : float
        Longest and shortest wavelength [pc]: at most the period, and at least 4 spacings.
    slope : float
        Index of the one-dimensional spectrum E(k) ~ k^-slope; 5/3 for Kolmogorov.
    seed : int or numpy.random.SeedSequence
        Whoever gives the same seed gets the same field. So does whoever takes more points for the
        same period: only the interpolation becomes finer.
    interpolation : {"potential", "spline", "trilinear"}
        How the field follows between the points, see `mcprop.fields.grid`.
    origin : three floats
        Place of the first point [pc].

    Returns
    -------
    PotentialGrid, SplineGrid or TrilinearGrid
        The field; 12 bytes a point: 208 MB for n = 256, 204 MB if trilinear.

    Raises
    ------
    RangeError
        If an argument is not allowed, the period holds no wave between the two lengths, or the
        points need more memory than there is.
    UnitsError
        If an argument is a Quantity.

    Examples
    --------
    >>> from mcprop.fields import turbulent_grid
    >>> field = turbulent_grid(32, 2.0, rms=3.0, longest=60.0, shortest=10.0, seed=1)
    >>> field.data.nbytes < 13 * 35**3
    True
    """
    _check(n, spacing, rms, longest, shortest)
    require_seed(seed)
    choose("interpolation", interpolation, INTERPOLATIONS)
    place = require_place("origin", origin)
    law = PowerLaw(longest, shortest, slope)
    modes = _modes(n * spacing / longest, n * spacing / shortest)
    fits = modes.shape[1] > 0
    require("longest", longest, fits, f"leaves no wave for a period of {n * spacing:g} pc")
    waves = _coefficients(np.random.default_rng(seed), modes, n, law.slope, rms, interpolation)
    store = Store(interpolation, (n, n, n))
    for axis in range(3):
        _add_up(store.period[..., axis], modes, waves[axis])
    mean = {"bx": 0.0, "by": 0.0, "bz": 0.0} if interpolation == "potential" else {}
    return store.model(place, float(spacing), scale=float(shortest), **mean)


def require_place(name: str, place: Any) -> tuple[float, float, float]:
    """Refuse what is not three finite numbers.

    Parameters
    ----------
    name : str
        What it is called.
    place : Any
        What was given.

    Returns
    -------
    tuple of float
        The numbers.

    Raises
    ------
    RangeError
        If it is not.
    """
    bare(name, place, "pc")
    try:
        numbers = np.array(place, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    holds = numbers.shape == (3,) and bool(np.isfinite(numbers).all())
    require(name, place, holds, "must be three finite numbers [pc]")
    x, y, z = numbers.tolist()
    return x, y, z


def _check(n: int, spacing: float, rms: float, longest: float, shortest: float) -> None:
    require("n", n, is_whole(n, 4), "must be a whole number of at least 4")
    have, need = memory(), BYTES * float(n) ** 3
    rule = f"takes {need / 1e9:.3g} GB, and this computer has {have / 1e9:.3g} GB"
    require("n", n, need <= have, rule)
    require_number("spacing", spacing, above=True, unit="pc")
    require_number("rms", rms, unit="uG")
    require_number("longest", longest, above=True, unit="pc")
    require_number("shortest", shortest, above=True, unit="pc")
    least, most = CELLS_PER_WAVE * spacing, n * spacing
    holds = shortest >= least * (1.0 - ROUNDING)
    rule = f"must be at least {CELLS_PER_WAVE:g} spacings, {least:g} pc, to be resolved"
    require("shortest", shortest, holds, rule)
    holds = longest <= most * (1.0 + ROUNDING)
    require("longest", longest, holds, f"must be at most the period of the grid, {most:g} pc")


def memory() -> float:
    """Memory of this computer [bytes]; infinite where it does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return math.inf


def _modes(least: float, most: float) -> np.ndarray:
    """Periods per box along each axis, shape (3, waves), of all waves between two wavenumbers.

    Of a wave and its opposite only one, in an order that depends on nothing but the two numbers.
    """
    top = int(most * (1.0 + ROUNDING))
    whole = np.arange(-top, top + 1)
    x, y = np.meshgrid(whole, whole, indexing="ij")
    found = []
    for z in range(top + 1):
        square = x * x + y * y + z * z
        inside = (square >= (least * (1.0 - ROUNDING)) ** 2) & (square > 0)
        inside &= square <= (most * (1.0 + ROUNDING)) ** 2
        if z == 0:
            inside &= (y > 0) | ((y == 0) & (x > 0))
        found.append(np.stack([x[inside], y[inside], np.full(inside.sum(), z)]).astype(np.int16))
    return np.concatenate(found, axis=1)


def _coefficients(
    rng: np.random.Generator, modes: np.ndarray, n: int, slope: float, rms: float, kind: str
) -> np.ndarray:
    """What the interpolation takes for random waves of a power law, shape (3, waves)."""
    make, square = RULES[kind]
    waves = rng.standard_normal((modes.shape[1], 6)).view(complex).T
    total = 0.0
    for start in range(0, modes.shape[1], CHUNK):
        some = slice(start, start + CHUNK)
        theta = 2.0 * math.pi / n * modes[:, some]
        made = make(theta, _across(theta, waves[:, some], slope))
        total += float(square(theta, made).sum())
        waves[:, some] = made
    # a wave and its opposite have the same amplitude, and only one of them is listed
    waves *= rms / math.sqrt(2.0 * total)
    return waves.astype(np.complex64)


def _across(k: np.ndarray, waves: np.ndarray, slope: float) -> np.ndarray:
    """Part of random vectors across each wave vector, with the power of a spectrum."""
    square = (k * k).sum(axis=0)
    # E(k) is spread over a sphere of 4 pi k^2
    return (waves - k * ((k * waves).sum(axis=0) / square)) * square ** (-0.25 * (slope + 2.0))


def _add_up(out: np.ndarray, modes: np.ndarray, waves: np.ndarray) -> None:
    """Sum of waves and their opposites at the points of a grid, written into `out` in place."""
    from scipy import fft

    n, (x, y, z) = out.shape[0], modes
    table = np.zeros((n, n, int(z.max()) + 1), np.complex64)
    table[x, y, z] = waves
    flat = z == 0
    table[-x[flat], -y[flat], 0] = waves[flat].conj()
    table = fft.ifft2(table, axes=(0, 1), norm="forward", overwrite_x=True)
    for plane, given in zip(out, table, strict=True):
        plane[:] = fft.irfft(given, n, axis=-1, norm="forward")
