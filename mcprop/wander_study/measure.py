"""What is measured of one kind of turbulence: walks of pseudo-particles, and its field lines.

Everything here is in units of kappa_parallel: times are kappa_parallel t [pc2], coefficients are
D / kappa_parallel. Along frozen lines nothing else has a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mcprop.wander_study.estimates import controlled, ratio_of
from mcprop.wander_study.plan import Walk
from mcprop.wander_study.sections import STRONG_RANGE
from mcprop.wandering.realisations import Estimate, estimate

if TYPE_CHECKING:
    from mcprop.wander_study.config import AnyConfig, ScanConfig
    from mcprop.wander_study.sections import Spectrum

_WITH_A_BEND = ("slab", "composite")
"""Geometries whose field lines do not diffuse under a sharp outer scale."""


class LineDiffusion(NamedTuple):
    """Diffusion of field lines [pc]: by_length, by_height : Estimate, <dx^2> = 2 D_FL s, or z."""

    by_length: Estimate
    by_height: Estimate


class Measured(NamedTuple):
    """Displacements of one walk, per realisation of the field.

    times : ndarray, shape (records,), kappa_parallel t [pc2]; perp, parallel : ndarray, shape
    (realisations, records), mean square displacement of one axis across, and of that along the mean
    field [pc2]; d_perp, d_parallel : ndarray, shape (realisations,), coefficients over
    kappa_parallel, from the growth of both between one window and two; drift : ndarray, shape
    (realisations,), what d_perp would gain by growth between two windows and four, NaN of walks
    that end before three.
    """

    times: np.ndarray
    perp: np.ndarray
    parallel: np.ndarray
    d_perp: np.ndarray
    d_parallel: np.ndarray
    drift: np.ndarray

    @property
    def ratio(self) -> Estimate:
        """D_perp / D_parallel."""
        return ratio_of(self.d_perp, self.d_parallel)


def seed_of(seed: int, spectrum: Spectrum, *numbers: float) -> int:
    """Seed of a part of a study, by what it is: the same whatever else the study holds.

    Parameters
    ----------
    seed : int
        Seed of the study.
    spectrum : Spectrum
    *numbers : float
        What tells the part from others.

    Returns
    -------
    int
        Between 0 and 2^63 - 1.
    """
    bits = np.array([*spectrum[1:], *numbers], dtype=float).view(np.uint32)
    words = (seed, zlib.crc32(spectrum.geometry.encode()), *map(int, bits))
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def field_maker(config: AnyConfig, spectrum: Spectrum, mach: float) -> Callable[[int], Any]:
    """Make the function that makes a realisation of the field from its seed.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    spectrum : Spectrum
    mach : float
        dB/B0; of a strong range, that at the injection scale.
    """
    from mcprop.fields import strong_range, wandering_field

    field = config.field
    options: dict[str, Any] = {}
    if spectrum.geometry in _WITH_A_BEND:
        options["spectrum"] = "bendover"
    if spectrum.geometry == "composite":
        options["slab_fraction"] = field.slab_fraction

    def field_of(seed: int) -> Any:
        if spectrum.geometry == STRONG_RANGE:
            return strong_range(
                field.mean_field, mach, spectrum.longest, spectrum.shortest,
                field.waves, spectrum.slope, seed,
            )  # fmt: skip
        return wandering_field(
            field.mean_field, mach, spectrum.geometry, spectrum.longest, spectrum.shortest,
            waves=field.waves, slope=spectrum.slope, seed=seed, **options,
        )  # fmt: skip

    return field_of


def walk_in(config: ScanConfig, walk: Walk, seed: int, workers: int | None) -> Measured:
    """Walk pseudo-particles in realisations of the field.

    Coefficients come from the growth of the mean squares from one window to two, over all windows
    of the walk. Earlier displacements are from a short walk of their own, in the same fields. Each
    particle has a twin that takes the same random numbers through the mean field alone, where its
    spread is known: what the two have in common is taken out.

    Parameters
    ----------
    config : ScanConfig
    walk : Walk
    seed : int
        Seed of the study.
    workers : int, optional
        Number of threads; no bit of the result depends on it.

    Returns
    -------
    Measured
    """
    spacing = walk.window / _RECORDS
    late = spacing * np.arange(1, round(config.monte_carlo.windows * _RECORDS) + 1)
    early = np.geomspace(min(_EARLIEST, 0.1 * spacing), 0.8 * spacing, _EARLY_RECORDS)
    first, last = (_spread(config, walk, times, seed, workers) for times in (early, late))
    grown = [growth(one, walk.window, 1.0, 2.0) for one in last]
    later = [growth(one, walk.window, 2.0, 4.0) for one in last]
    times = np.concatenate([early, late])
    squares, twins = (np.concatenate(pair, axis=2) for pair in zip(first, last, strict=True))
    known = 2.0 * walk.epsilon, 2.0  # <x^2>/t of the twins: across, along
    perp, parallel = (controlled(squares[i], twins[i], known[i] * times) for i in (0, 1))
    d_perp, d_parallel = (controlled(grown[0][i], grown[1][i], 0.5 * known[i]) for i in (0, 1))
    drift = controlled(later[0][0] - grown[0][0], later[1][0] - grown[1][0], 0.0)
    return Measured(times, perp, parallel, d_perp, d_parallel, drift)


def growth(squares: np.ndarray, window: float, begin: float, end: float) -> np.ndarray:
    """Half the slope of mean squares between two times.

    Parameters
    ----------
    squares : ndarray, shape (..., records)
        Four records to a window [pc2].
    window : float
        Its length times kappa_parallel [pc2].
    begin, end : float
        Times in windows; the last record if that is before the end.

    Returns
    -------
    ndarray, shape (...)
        Coefficient over kappa_parallel, NaN if less than a window is left.
    """
    end = min(end, squares.shape[-1] / _RECORDS)
    if end < begin + 1.0:
        return np.full(squares.shape[:-1], np.nan)
    i, j = round(begin * _RECORDS) - 1, round(end * _RECORDS) - 1
    return np.asarray(squares[..., j] - squares[..., i]) / (2.0 * window * (end - begin))


def _spread(
    config: ScanConfig, walk: Walk, times: np.ndarray, seed: int, workers: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares (across and along, realisations, times) in the field, and of the twins."""
    from mcprop.fields import UniformField
    from mcprop.wandering.pseudo_particles import spread

    run_of, own = config.monte_carlo, seed_of(seed, walk.spectrum, walk.mach, walk.epsilon)
    mean_field = UniformField(0.0, 0.0, config.field.mean_field)
    found = [
        spread(
            field_of, 1.0, walk.epsilon, times, run_of.realisations, run_of.particles, own,
            step=walk.step, workers=workers,
        )
        for field_of in (field_maker(config, walk.spectrum, walk.mach), lambda _: mean_field)
    ]  # fmt: skip
    return np.stack([found[0].across, found[0].along]), np.stack([found[1].across, found[1].along])


_RECORDS = 4
"""Records to a window."""
_EARLY_RECORDS = 14
"""Records of the short walk."""
_EARLIEST = 2.0
"""The first of them: kappa_parallel t [pc2]."""


def line_diffusion(
    config: ScanConfig, spectrum: Spectrum, mach: float, seed: int, workers: int | None
) -> LineDiffusion:
    """Diffusion coefficients of the field lines, one axis across the mean field.

    Compound diffusion takes the one by arc length; the laws of field lines are by height.

    Parameters
    ----------
    config : ScanConfig
    spectrum : Spectrum
    mach : float
        dB/B0.
    seed : int
        Seed of the study.
    workers : int, optional
        Number of threads.
    """
    from mcprop.wandering.field_lines import line_spread

    spread = line_spread(
        field_maker(config, spectrum, mach),
        config.lines.length,
        config.monte_carlo.realisations,
        config.lines.count,
        seed_of(seed, spectrum, mach),
        workers=workers,
    )
    return LineDiffusion(spread.late(), spread.per_height())


def sample_lines(
    config: ScanConfig, spectrum: Spectrum, mach: float, seed: int, count: int = 24
) -> np.ndarray:
    """Lines of one realisation that start near each other, for a figure.

    Parameters
    ----------
    config : ScanConfig
    spectrum : Spectrum
    mach : float
        dB/B0.
    seed : int
        Seed of the study.
    count : int
        Number of lines.

    Returns
    -------
    ndarray, shape (records, lines, 3)
        Places [pc], the start among them.
    """
    from mcprop.wandering.field_lines import trace

    spread = 0.5 * spectrum.shortest
    angles = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)  # Vogel's spiral: evenly over a disc
    radii = spread * np.sqrt((np.arange(count) + 0.5) / count)
    starts = np.stack([radii * np.cos(angles), radii * np.sin(angles), np.zeros(count)], axis=1)
    field = field_maker(config, spectrum, mach)(seed_of(seed, spectrum))
    places = trace(field, starts, 5.0 * spectrum.longest, records=250)
    return np.concatenate([starts[None], places])


def estimates_of(measured: Measured) -> tuple[Estimate, Estimate, Estimate]:
    """D_perp and D_parallel over kappa_parallel, and their ratio.

    Parameters
    ----------
    measured : Measured
    """
    return estimate(measured.d_perp), estimate(measured.d_parallel), measured.ratio
