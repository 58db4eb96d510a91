"""What a kinetic observer sees: a map, its dipole, tensor and power, in the arrival convention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.dipole import Dipole
from mcprop.frames import angle_between, lon_lat
from mcprop.multipoles import PowerSpectrum, angular_power
from mcprop.sky import SkyMap, pixel_vectors
from mcprop.wandering.kinetic import Coefficients
from mcprop.wandering.realisations import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_APART = 1.0
"""Angle [deg] between two fields from which on both are marked."""


@dataclass(frozen=True, eq=False)
class KineticSky:
    """Sky of a kinetic observer, arrival convention; HEALPix, RING order.

    The axes are those of the map, see ``axes`` of `traced_sky`; without it those of the field.

    Attributes
    ----------
    map, error : ndarray, shape (npix,)
        Relative intensity, and its standard deviation from the scatter within the pixel. An orbit
        without collisions is determined by its direction: its error is that of structure finer
        than the pixel, seen in a few directions only.
    dipole : Dipole
        Fitted to the single directions, with the covariance from within pixels.
    tensor, tensor_error : ndarray, shape (3, 3)
        Dipole of each component of the displacement [pc], and its standard deviation: from the
        direction n the mean of x_i(-T) - x0_i holds tensor[i, j] n_j.
    spread : ndarray, shape (3, 3)
        Mean over the sky of (x(-T) - x0)_i (x(-T) - x0)_j [pc^2].
    memory : ndarray, shape (3, 3)
        Dipole of each component of the direction at the other end: from n the mean of n_i(-T) holds
        memory[i, j] n_j. A dipole `outer` there adds memory.T @ outer to the one that is seen.
    gradient : ndarray, shape (3,)
        Gradient of ln psi [1/pc].
    local_field : ndarray, shape (3,)
        Field at the observer [uG].
    mean_field : ndarray, shape (3,)
        Unit vector along the mean field.
    duration : float
        Length of the legs [yr]; the mean of it where they end in a collision.
    speed : float
        Speed [pc/yr].
    per_pixel, seed : int
        Directions in a pixel, and seed.
    widest_turn : float
        Largest angle by which a particle turned in one step [rad]; 0 for exact gyration.
    halfway : KineticSky or None
        The same orbits at half the duration, where they were kept: see `traced_sky`.
    """

    map: np.ndarray
    error: np.ndarray
    dipole: Dipole
    tensor: np.ndarray
    tensor_error: np.ndarray
    spread: np.ndarray
    memory: np.ndarray
    gradient: np.ndarray
    local_field: np.ndarray
    mean_field: np.ndarray
    duration: float
    speed: float
    per_pixel: int
    seed: int
    widest_turn: float
    halfway: KineticSky | None = None

    @property
    def kappa(self) -> np.ndarray:
        """Coefficients K [pc^2/yr] with delta = (3/v) K g, shape (3, 3), for no outer dipole.

        In a field along z the antisymmetric (Hall) part is K_xy = -K_yx = kappa_A, positive for a
        positive charge: delta holds -(3/v) kappa_A b x g.
        """
        return self.speed / 3.0 * self.tensor.T

    @property
    def coefficients(self) -> Coefficients:
        """Along the mean field, across it, and kappa_A [pc^2/yr], of `kappa`."""
        return coefficients_about(self.kappa, self.mean_field)

    @property
    def angle_to_local(self) -> float:
        """Angle between the dipole and the line of the field at the observer [deg], 0 to 90."""
        return _to_line(self.dipole.vector, self.local_field)

    @property
    def angle_to_mean(self) -> float:
        """Angle between the dipole and the line of the mean field [deg], 0 to 90."""
        return _to_line(self.dipole.vector, self.mean_field)

    @property
    def local_lean(self) -> float:
        """Angle between the field at the observer and the mean field [deg]."""
        if not self.local_field.any():
            return math.nan
        return math.degrees(angle_between(self.local_field, self.mean_field))

    def power(self, lmax: int | None = None) -> PowerSpectrum:
        """C_l, with the level of the noise, C_l without it, its error and a p-value.

        Parameters
        ----------
        lmax : int, optional
            Largest multipole; by default 2 nside.

        Returns
        -------
        PowerSpectrum
            Of the map, whose pixels smooth it: the power at l is low by about l (l + 1) / (36
            nside^2).

        Raises
        ------
        RangeError
            If the map has no such multipole.
        """
        lmax = 2 * self.nside if lmax is None else whole("lmax", lmax, 1, 4 * self.nside)
        c_l = angular_power(pixel_vectors(self.nside), self.map - 1.0, lmax)
        noise = 4.0 * math.pi / len(self.map) * float(np.mean(self.error**2))
        return PowerSpectrum(np.arange(lmax + 1), c_l, noise)

    @property
    def nside(self) -> int:
        """HEALPix resolution."""
        return math.isqrt(len(self.map) // 12)

    def residual(self) -> np.ndarray:
        """The map without its fitted dipole and monopole, 1 on average, shape (npix,)."""
        fit = self.sky_map().fit()
        shape = SkyMap.from_dipole(fit.dipole.vector, self.nside).relative_intensity
        return self.map - shape + (2.0 - fit.monopole)

    def sky_map(self, residual: bool = False, **meta: Any) -> SkyMap:
        """The map to draw and write; it says that its axes are ICRS: see ``axes``.

        Parameters
        ----------
        residual : bool
            Whether to take monopole and dipole out.
        **meta
            ``component``, ``title`` and so on, as for `SkyMap`.

        Returns
        -------
        SkyMap
        """
        shown = self.residual() if residual else self.map
        covariance = None if residual else self.dipole.covariance
        return SkyMap(shown, self.error, seed=self.seed, dipole_covariance=covariance, **meta)

    def plot(
        self, ax: Axes | None = None, residual: bool = False, title: str = "", note: str = ""
    ) -> Figure:
        """Draw the map, with the fields marked.

        Parameters
        ----------
        ax : matplotlib axes with the projection "mollweide", optional
            A new figure without it.
        residual : bool
            Whether to take monopole and dipole out.
        title : str
        note : str
            What longitudes and latitudes are, such as "RA, Dec (ICRS)"; by default that z is along
            the mean field where it is.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from mcprop.skyplot import DIPOLE, draw_sky

        shown = {"mean field": self.mean_field}
        if self.local_lean > _APART:
            shown["local field"] = self.local_field
        if not residual and self.dipole.vector.any():
            shown[DIPOLE] = self.dipole.vector
        places = {label: lon_lat(vector) for label, vector in shown.items()}
        along_z = self.mean_field[2] > 1.0 - 1e-12
        told = note or ("z along the mean field" if along_z else "in the axes of the map")
        return draw_sky(self.sky_map(residual).at, title, places, ax, note=told)


def coefficients_about(kappa: np.ndarray, b_hat: np.ndarray) -> Coefficients:
    """Coefficients of a tensor along a field, across it, and antisymmetric round it.

    Parameters
    ----------
    kappa : ndarray, shape (3, 3)
        Tensor K with delta = (3/v) K g.
    b_hat : ndarray, shape (3,)
        Unit vector of the field.

    Returns
    -------
    Coefficients
        In the unit of the tensor.
    """
    parallel = float(b_hat @ kappa @ b_hat)
    odd = kappa - kappa.T
    hall = 0.5 * float(np.array([odd[1, 2], odd[2, 0], odd[0, 1]]) @ b_hat)
    return Coefficients(parallel, 0.5 * (float(np.trace(kappa)) - parallel), hall)


def _to_line(vector: np.ndarray, line: np.ndarray) -> float:
    """Angle between a vector and a line [deg]; NaN where either has no direction."""
    if not (vector.any() and line.any()):
        return math.nan
    angle = math.degrees(angle_between(vector, line))
    return min(angle, 180.0 - angle)
