"""Sky maps of the arrival directions: tally, combination, dipole fit, C_l, FITS.

This is the only file that imports healpy, and it does so inside functions: formulas alone never
need it. Maps are HEALPix, RING order, ICRS axes; a direction points to where particles come from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mcprop.dipole import Dipole, MapFit, fit_map
from mcprop.errors import OutputError, RangeError
from mcprop.moments import Moments
from mcprop.multipoles import PowerSpectrum, filled
from mcprop.skyfits import COLUMNS, header_cards, meta_from
from mcprop.skyplot import DIPOLE, draw_sky, energy_text, title_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def pixel_vectors(nside: int) -> Array:
    """Unit vectors of the pixel centres, RING order, shape (npix, 3)."""
    import healpy

    return np.stack(healpy.pix2vec(nside, np.arange(healpy.nside2npix(nside))), axis=-1)


def directions_in_pixels(nside: int, parts: ArrayLike) -> Array:
    """Directions inside every pixel of a map.

    Parameters
    ----------
    nside : int
    parts : array_like, shape (npix, n)
        Numbers from 0 to 1 (exclusive): uniform ones give directions uniform over the pixel.

    Returns
    -------
    ndarray, shape (npix, n, 3)
    """
    import healpy

    inner = (2**29 // nside) ** 2  # pixels of the finest map inside one of this one
    pixel = healpy.ring2nest(nside, np.arange(12 * nside * nside))[:, None]
    fine = inner * pixel + (np.asarray(parts) * inner).astype(np.int64)
    return np.stack(healpy.pix2vec(2**29, fine, nest=True), axis=-1)


class SkyTally:
    """Sums of the scores of arrival directions, pixel by pixel; tallies add.

    nside : int, HEALPix resolution, a power of two.
    """

    def __init__(self, nside: int) -> None:
        if nside < 1 or nside & (nside - 1):
            raise RangeError(f"nside = {nside} is not a power of two.")
        npix = 12 * nside * nside
        self.nside = nside
        self.count = np.zeros(npix, dtype=np.int64)
        self.sum = np.zeros(npix)
        self.sum2 = np.zeros(npix)
        self.histories = Moments()

    def add(
        self, directions: ArrayLike, values: ArrayLike, histories: Moments | None = None
    ) -> None:
        """Bin scores by their direction.

        Parameters
        ----------
        directions : ndarray, shape (N, 3)
            Arrival directions (unit vectors, ICRS).
        values : ndarray, shape (N,)
            Scores whose expectation at a direction n is density x (delta . n).
        histories : Moments, optional
            Of the histories that the scores belong to. The scores of one history are not
            independent: with this the fitted dipole gets its error from between histories.
        """
        import healpy

        n = np.asarray(directions, dtype=np.float64)
        scores = np.asarray(values, dtype=np.float64)
        if scores.ndim != 1 or n.shape != (len(scores), 3):
            raise RangeError(f"Directions {n.shape} do not belong to values {scores.shape}.")
        pixel = healpy.vec2pix(self.nside, n[:, 0], n[:, 1], n[:, 2])
        npix = len(self.count)
        self.count += np.bincount(pixel, minlength=npix)
        self.sum += np.bincount(pixel, scores, minlength=npix)
        self.sum2 += np.bincount(pixel, scores * scores, minlength=npix)
        if histories is not None:
            self.histories += histories

    def __add__(self, other: SkyTally) -> SkyTally:
        if self.nside != other.nside:
            raise RangeError(f"Tallies of nside {self.nside} and {other.nside} do not add.")
        total = SkyTally(self.nside)
        total.count = self.count + other.count
        total.sum = self.sum + other.sum
        total.sum2 = self.sum2 + other.sum2
        total.histories = self.histories + other.histories
        return total

    def to_map(self, density: float, **meta: Any) -> SkyMap:
        """Map of the relative intensity 1 + (mean score) / density.

        Parameters
        ----------
        density : float
            Mean density, in the unit of the scores.
        **meta
            ``component``, ``energy`` [GeV], ``seed``, ``title`` of the map.

        Returns
        -------
        SkyMap
            NaN in empty pixels; the standard deviation, from the scatter inside a pixel, is NaN
            also where one score alone fell.
        """
        empty = np.full(len(self.count), np.nan)
        mean = np.divide(self.sum, self.count, out=empty.copy(), where=self.count > 0)
        several = self.count > 1
        scatter = np.clip(self.sum2 - self.count * mean * mean, 0.0, None)
        variance = np.divide(
            scatter, self.count * (self.count - 1.0), out=empty.copy(), where=several
        )
        covariance = None
        if self.histories.n > 1:
            covariance = self.histories.dipole().covariance
        return SkyMap(
            1.0 + mean / density, np.sqrt(variance) / density, dipole_covariance=covariance, **meta
        )


@dataclass(frozen=True, eq=False, repr=False)
class SkyMap:
    """Relative intensity on the sky, HEALPix RING order, ICRS.

    A pixel holds the mean over the arrival directions that fell into it, whose centroid is not
    exactly the centre of the pixel. Maps are of first order in the mean free path: the intensity
    from a direction is the density one mean free path up that direction.

    Parameters
    ----------
    relative_intensity : ndarray, shape (npix,)
        I(n), 1 on average; NaN where nothing is known.
    std_dev : ndarray, shape (npix,)
        Its standard deviation; 0 for a formula.
    component : str
    energy : float
        Total energy [GeV].
    seed : int, optional
    title : str
    dipole_covariance : ndarray, shape (3, 3), optional
        Covariance of the fitted dipole measured between histories. Without it the pixels count
        as independent.
    """

    relative_intensity: Array
    std_dev: Array
    component: str = "total"
    energy: float = math.nan
    seed: int | None = None
    title: str = ""
    dipole_covariance: Array | None = field(default=None)

    order = "ring"
    frame = "icrs"

    def __post_init__(self) -> None:
        npix = len(self.relative_intensity)
        nside = math.isqrt(npix // 12) if npix else 0
        if nside < 1 or 12 * nside * nside != npix or len(self.std_dev) != npix:
            raise RangeError(f"{npix} and {len(self.std_dev)} values are not a HEALPix map.")

    @property
    def nside(self) -> int:
        """HEALPix resolution."""
        return math.isqrt(len(self.relative_intensity) // 12)

    @property
    def noise(self) -> float:
        """Median standard deviation of a pixel; 0 for a formula."""
        known = self.std_dev[np.isfinite(self.std_dev)]
        return float(np.median(known)) if len(known) else math.nan

    def __repr__(self) -> str:
        return (
            f"SkyMap({self.component}, {self.energy:g} GeV, nside {self.nside}, "
            f"std_dev {self.noise:.2g} per pixel)"
        )

    @classmethod
    def from_dipole(cls, vector: ArrayLike, nside: int, **meta: Any) -> SkyMap:
        """Noise-free map 1 + vector . n at the centres of the pixels.

        Parameters
        ----------
        vector : array_like, shape (3,)
            ICRS axes, arrival convention.
        nside : int
        **meta
            ``component``, ``energy`` [GeV], ``seed``, ``title``.
        """
        intensity = 1.0 + pixel_vectors(nside) @ np.asarray(vector, dtype=np.float64)
        return cls(intensity, np.zeros(len(intensity)), **meta)

    @classmethod
    def combine(cls, parts: Iterable[tuple[float, SkyMap]], **meta: Any) -> SkyMap:
        """Sum of weight x (I - 1) over independent maps of one nside.

        Parameters
        ----------
        parts : iterable of (float, SkyMap)
            Share of the intensity, taken as exact, and map.
        **meta
            ``component``, ``energy`` [GeV], ``seed``, ``title``.
        """
        parts = list(parts)
        if len({sky.nside for _, sky in parts}) != 1:
            raise RangeError("Maps that are combined must have one and the same nside.")
        deviation = np.sum([w * (sky.relative_intensity - 1.0) for w, sky in parts], axis=0)
        variance = np.sum([(w * sky.std_dev) ** 2 for w, sky in parts], axis=0)
        covariance = None
        if all(sky.dipole_covariance is not None or not sky.std_dev.any() for _, sky in parts):
            known = [(w, s.dipole_covariance) for w, s in parts if s.dipole_covariance is not None]
            covariance = sum((w * w * c for w, c in known), np.zeros((3, 3))) if known else None
        return cls(1.0 + deviation, np.sqrt(variance), dipole_covariance=covariance, **meta)

    def fit(self) -> MapFit:
        """Least-squares fit of a monopole and a dipole to the known pixels; see `fit_map`.

        Returns
        -------
        MapFit

        Raises
        ------
        RangeError
            When the known pixels do not determine a dipole.
        """
        std_dev = filled(self.std_dev)
        vectors = pixel_vectors(self.nside)
        return fit_map(vectors, self.relative_intensity, std_dev, self.dipole_covariance)

    def fit_dipole(self) -> Dipole:
        """Dipole of the map with its covariance; see `fit`."""
        return self.fit().dipole

    def power_spectrum(self, lmax: int | None = None) -> PowerSpectrum:
        """Angular power spectrum C_l of I - 1, and the level of the pixel noise.

        Parameters
        ----------
        lmax : int, optional
            Largest multipole; by default 2 nside.

        Returns
        -------
        PowerSpectrum
            Unknown pixels count as isotropic.

        Notes
        -----
        Histories look in opposite pairs of directions that share their random numbers, so the
        noise of a map is odd: `noise` is the white level of the pixels, which is the mean over l;
        expect twice that at odd l and none at even l. Analog histories look one way each, and
        their noise is white.
        """
        import healpy

        lmax = 2 * self.nside if lmax is None else lmax
        deviation = np.nan_to_num(self.relative_intensity - 1.0, nan=0.0)
        c_l = healpy.anafast(deviation, lmax=lmax)
        noise = healpy.nside2pixarea(self.nside) * float(np.mean(filled(self.std_dev) ** 2))
        return PowerSpectrum(np.arange(lmax + 1), c_l, noise)

    def at(self, vectors: ArrayLike) -> Array:
        """Relative intensity at directions.

        Parameters
        ----------
        vectors : array_like, shape (..., 3)
            ICRS directions, any length.

        Returns
        -------
        ndarray, shape (...)
        """
        import healpy

        pixel = healpy.vec2pix(self.nside, *np.moveaxis(np.asarray(vectors, dtype=float), -1, 0))
        return self.relative_intensity[pixel]

    def plot(
        self, ax: Axes | None = None, markers: Mapping[str, tuple[float, float]] | None = None
    ) -> Figure:
        """Draw the map, with a star at its fitted dipole.

        Parameters
        ----------
        ax : matplotlib axes with the projection "mollweide", optional
            A new figure without it.
        markers : mapping of str to (float, float), optional
            Directions to mark: label to (right ascension, declination) [deg].

        Returns
        -------
        matplotlib.figure.Figure
        """
        parts = [self.component, f"nside {self.nside}"]
        if math.isfinite(self.energy):
            parts.insert(1, energy_text(self.energy))
        if self.seed is not None:
            parts.insert(-1, f"seed {self.seed}")
        if self.noise > 0.0:
            parts.append(f"median error per pixel {self.noise:.1e}")
        title = "\n".join(filter(None, [title_text(self.title), ", ".join(parts)]))
        shown, fitted = dict(markers or {}), self._fitted()
        if fitted is not None and fitted.vector.any():
            shown[DIPOLE] = (fitted.ra, fitted.dec)
        return draw_sky(self.at, title, shown, ax)

    def _fitted(self) -> Dipole | None:
        """The fitted dipole, or None where too few pixels are known."""
        try:
            return self.fit_dipole()
        except RangeError:
            return None

    def write(
        self, path: str | Path, overwrite: bool = False, origin: Mapping[str, str] | None = None
    ) -> None:
        """Write a FITS file that healpy reads back.

        Parameters
        ----------
        path : str or Path
        overwrite : bool
            Replace an existing file.
        origin : mapping, optional
            For the header, see `mcprop.provenance.origin`.

        Raises
        ------
        OutputError
            When the file exists or cannot be written.
        """
        import healpy

        if not overwrite and Path(path).exists():
            raise OutputError(f"{path} exists already; overwrite=True replaces it.")
        meta = {name: getattr(self, name) for name in ("component", "energy", "seed", "title")}
        columns = [self.relative_intensity, self.std_dev]
        try:
            healpy.write_map(
                str(path),
                [np.where(np.isfinite(c), c, healpy.UNSEEN) for c in columns],
                coord="C",
                column_names=COLUMNS,
                column_units=["1", "1"],
                extra_header=header_cards(meta, self._fitted(), self.dipole_covariance, origin),
                dtype=np.float64,
                overwrite=overwrite,
            )
        except OSError as error:
            reason = error.strerror or str(error).rstrip(".")
            raise OutputError(f"Cannot write the map {path}: {reason}.") from error

    @classmethod
    def read(cls, path: str | Path) -> SkyMap:
        """Read a map written by `write`.

        Raises
        ------
        OutputError
            When the file cannot be read or is not such a map.
        """
        import healpy

        try:
            columns, cards = healpy.read_map(str(path), field=(0, 1), h=True, dtype=np.float64)
        except (OSError, IndexError, ValueError, TypeError) as error:
            reason = getattr(error, "strerror", None) or str(error).rstrip(".")
            raise OutputError(f"Cannot read the map {path}: {reason}.") from error
        intensity, std_dev = (np.where(c == healpy.UNSEEN, np.nan, c) for c in columns)
        return cls(intensity, std_dev, **meta_from(dict(cards)))
