"""The Galaxy with spatially dependent diffusion: steady density by finite volumes.

    (1/r) d_r (r D d_r psi) + d_z (D d_z psi) - loss psi + f = 0,    psi = 0 on the surface

in a cylinder, symmetric about its plane. The unknowns stand on grid lines that lie on the plane, on
the kink of D and on the distance of the Sun; fluxes along z take the integral of 1/D over an edge,
which is exact where they are constant. Two grids, one twice as fine, are solved and extrapolated;
their difference is the error that is stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from mcprop.errors import RangeError
from mcprop.units import CM2_PER_S, takes_quantities

Array = np.ndarray

COLUMNS, DISC_ROWS, HALO_ROWS = 80, 30, 30
"""Cells of the coarse grid: in r, and in height below and above the kink of D."""


@takes_quantities
@dataclass(frozen=True)
class Galaxy:
    """A cylinder of diffusing cosmic rays with slow diffusion where their sources are.

    With x = r/sun_radius and the sources f = x^source_slope exp(-source_decline (x - 1))
    exp(-|z|/source_height), which are 1 at the Sun::

        g = contrast/(1 + f),  F = g + (1 - g) min(|z|/disc_height, 1)^4
        D = d0 F (R/reference_rigidity)^(slope F)

    The defaults are those of the paper, whose R0 is a choice of our own: 4 GV makes B/C agree with
    AMS-02. All values are plain numbers in internal units (pc, pc^2/yr, GV).

    Attributes
    ----------
    radius, half_height : float
        The cylinder [pc].
    sun_radius : float
        Distance of the Sun from the Galactic centre [pc].
    source_slope, source_decline : float
        Rise and fall of the sources with r.
    source_height : float
        Scale height of the sources [pc].
    d0 : float
        Diffusion coefficient of the halo at the reference rigidity [pc^2/yr].
    slope : float
        Its slope in rigidity.
    reference_rigidity : float
        R0 [GV].
    contrast : float
        N_m.
    disc_height : float
        Half thickness of the disc, xi z_h [pc].
    gas_height : float
        Scale height of the gas on which particles are lost [pc].

    References
    ----------
    arXiv:2107.00313, eqs. 2.1 and 2.2, Table 1.
    """

    radius: float = 20e3
    half_height: float = 5e3
    sun_radius: float = 8.5e3
    source_slope: float = 1.69
    source_decline: float = 3.33
    source_height: float = 200.0
    d0: float = 4.87e28 * CM2_PER_S
    slope: float = 0.58
    reference_rigidity: float = 4.0
    contrast: float = 0.62
    disc_height: float = 500.0
    gas_height: float = 100.0

    def __post_init__(self) -> None:
        """Refuse what no grid can resolve."""
        for name, value in vars(self).items():
            free = name in ("slope", "source_slope", "source_decline")
            if not (np.isfinite(value) and (free or value > 0.0)):
                kind = "finite" if free else "positive and finite"
                raise RangeError(f"{name} = {value} of a Galaxy must be {kind}.")
        if not 0.0 < self.sun_radius < self.radius:
            raise RangeError(
                f"sun_radius = {self.sun_radius} pc must lie between 0 and the radius of the"
                f" Galaxy, {self.radius} pc."
            )
        if not 0.0 < self.disc_height < self.half_height:
            raise RangeError(
                f"disc_height = {self.disc_height} pc must lie between 0 and the half height of the"
                f" Galaxy, {self.half_height} pc."
            )

    def source(self, r: Any, z: Any) -> Any:
        """Density of the sources relative to that at the Sun.

        Parameters
        ----------
        r, z : float or ndarray
            Distance from the axis and height [pc].

        Returns
        -------
        float or ndarray
        """
        x = np.asarray(r, dtype=float) / self.sun_radius
        decline = self.source_decline * (x - 1.0) + np.abs(z) / self.source_height
        return (x**self.source_slope * np.exp(-decline))[()]

    def diffusion(self, r: Any, z: Any, rigidity: Any) -> Any:
        """Diffusion coefficient.

        Parameters
        ----------
        r, z : float or ndarray
            Distance from the axis and height [pc].
        rigidity : float or ndarray
            Rigidity [GV].

        Returns
        -------
        float or ndarray
            D [pc^2/yr].
        """
        g = self.contrast / (1.0 + self.source(r, z))
        shape = g + (1.0 - g) * np.minimum(np.abs(z) / self.disc_height, 1.0) ** 4
        ratio = np.asarray(rigidity, dtype=float) / self.reference_rigidity
        return (self.d0 * shape * ratio ** (self.slope * shape))[()]


class Grid:
    """Lines in r and in height, control volumes around their crossings.

    Parameters
    ----------
    galaxy : Galaxy
    refinement : int
        1 for the coarse grid, 2 for one with half the spacing everywhere.
    """

    def __init__(self, galaxy: Galaxy, refinement: int = 1) -> None:
        n = COLUMNS * refinement
        inner = min(max(round(COLUMNS * galaxy.sun_radius / galaxy.radius), 3), COLUMNS - 3)
        inner *= refinement
        within = np.linspace(0.0, galaxy.sun_radius, inner + 1)
        beyond = np.linspace(galaxy.sun_radius, galaxy.radius, n - inner + 1)
        self.r = np.concatenate([within, beyond[1:]])
        t = np.linspace(-1.0, 1.0, DISC_ROWS * refinement + 1)
        disc = 0.5 * galaxy.disc_height * (1.0 + np.tanh(t) / np.tanh(1.0))
        u = np.linspace(0.0, 1.0, HALO_ROWS * refinement + 1)
        above = galaxy.half_height - galaxy.disc_height
        halo = galaxy.disc_height + above * np.sinh(3.0 * u) / np.sinh(3.0)
        self.z = np.concatenate([disc, halo[1:]])
        self.kink = len(disc) - 1
        self.r_faces, self.z_faces = (
            0.5 * (self.r[1:] + self.r[:-1]),
            0.5 * (self.z[1:] + self.z[:-1]),
        )
        self.r_edges = np.concatenate([[0.0], self.r_faces, self.r[-1:]])
        self.z_edges = np.concatenate([[0.0], self.z_faces, self.z[-1:]])
        self.areas = 0.5 * np.diff(self.r_edges**2)

    def slabs(self, scale: float) -> Array:
        """Integral of exp(-z/scale) over the height of each control volume [pc]."""
        return -scale * np.diff(np.exp(-self.z_edges / scale))


def conductances(galaxy: Galaxy, grid: Grid, rigidity: float) -> tuple[Array, Array]:
    """Fluxes between neighbours per difference of their densities [pc^3/yr].

    Returns
    -------
    radial : ndarray, shape (columns, rows + 1)
    vertical : ndarray, shape (columns + 1, rows)
        Per radian, half domain.
    """
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = 0.5 * np.diff(grid.z)
    heights = grid.z_faces[:, None] + half[:, None] * nodes
    inverse = 1.0 / galaxy.diffusion(grid.r[:, None, None], heights[None], rigidity)
    vertical = grid.areas[:, None] / (inverse @ weights * half)
    below, above = grid.z_edges[:-1], grid.z_edges[1:]
    nodes, weights = np.polynomial.legendre.leggauss(2)
    total = np.zeros((len(grid.r_faces), len(grid.z)))
    for low, high in ((below, grid.z), (grid.z, above)):  # D may have its kink on the line
        for node, weight in zip(nodes, weights, strict=True):
            height = 0.5 * (low + high) + 0.5 * (high - low) * node
            local = galaxy.diffusion(grid.r_faces[:, None], height[None], rigidity)
            total += 0.5 * weight * (high - low) * local
    return total * (grid.r_faces / np.diff(grid.r))[:, None], vertical


def emission(galaxy: Galaxy, grid: Grid) -> Array:
    """Sources in each control volume [pc^3], shape (columns + 1, rows + 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(2)
    total = np.zeros(len(grid.r))
    for low, high in ((grid.r_edges[:-1], grid.r), (grid.r, grid.r_edges[1:])):
        for node, weight in zip(nodes, weights, strict=True):
            r = 0.5 * (low + high) + 0.5 * (high - low) * node
            total += 0.5 * weight * (high - low) * r * galaxy.source(r, 0.0)
    return np.outer(total, grid.slabs(galaxy.source_height))


def operator(galaxy: Galaxy, grid: Grid, rigidity: float, loss_rate: float) -> csc_matrix:
    """Outflow and loss of each inner control volume as a symmetric matrix."""
    radial, vertical = conductances(galaxy, grid, rigidity)
    n, m = len(grid.r) - 1, len(grid.z) - 1
    radial, vertical = radial[:, :m], vertical[:n]
    diagonal = (
        radial + vertical + loss_rate * np.outer(grid.areas[:n], grid.slabs(galaxy.gas_height)[:m])
    )
    diagonal[1:] += radial[:-1]
    diagonal[:, 1:] += vertical[:, :-1]
    index = np.arange(n * m).reshape(n, m)
    inner, up = index[:-1].ravel(), index[:, :-1].ravel()
    sideways, upward = -radial[:-1].ravel(), -vertical[:, :-1].ravel()
    rows = np.concatenate([index.ravel(), inner, inner + m, up, up + 1])
    columns = np.concatenate([index.ravel(), inner + m, inner, up + 1, up])
    values = np.concatenate([diagonal.ravel(), sideways, sideways, upward, upward])
    return csc_matrix((values, (rows, columns)))


def factorised(matrix: csc_matrix) -> Any:
    """Sparse factors of a symmetric, diagonally dominant matrix."""
    options = {"SymmetricMode": True}
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)


class GridSolution:
    """Steady density on one grid, and its slopes between the lines."""

    def __init__(self, galaxy: Galaxy, grid: Grid, rigidity: float, loss_rate: float) -> None:
        self.galaxy, self.grid, self.rigidity, self.loss_rate = galaxy, grid, rigidity, loss_rate
        self.psi = np.zeros((len(grid.r), len(grid.z)))
        inner = self.psi[:-1, :-1]
        matrix = operator(galaxy, grid, rigidity, loss_rate)
        made = emission(galaxy, grid)[:-1, :-1]
        inner[...] = factorised(matrix).solve(made.ravel()).reshape(inner.shape)

    @cached_property
    def _pieces(self) -> tuple[RectBivariateSpline, RectBivariateSpline]:
        """Bicubic splines of psi below and above the kink of D."""
        grid, k = self.grid, self.grid.kink
        below = RectBivariateSpline(grid.r, grid.z[: k + 1], self.psi[:, : k + 1])
        return below, RectBivariateSpline(grid.r, grid.z[k:], self.psi[:, k:])

    @cached_property
    def _outflow(self) -> RectBivariateSpline:
        """Spline of the upward flux; it vanishes on the plane."""
        _, vertical = conductances(self.galaxy, self.grid, self.rigidity)
        flux = vertical * (self.psi[:, :-1] - self.psi[:, 1:]) / self.grid.areas[:, None]
        flux = np.column_stack([np.zeros(len(self.grid.r)), flux])
        return RectBivariateSpline(self.grid.r, np.concatenate([[0.0], self.grid.z_faces]), flux)

    def table(self, r: Array, z: Array) -> Array:
        """Derivatives of psi by r and z on rising `r` and `z` >= 0, shape (2, len(r), len(z))."""
        low = z < self.galaxy.disc_height
        below, above = self._pieces

        def derivative(dr: int, dz: int) -> Array:
            parts = below(r, z[low], dx=dr, dy=dz), above(r, z[~low], dx=dr, dy=dz)
            return np.concatenate(parts, axis=1)

        return np.stack([derivative(1, 0), derivative(0, 1)])

    def density(self, r: Array, z: Array, dr: int = 0) -> Array:
        """Psi [yr] or its derivative by r at points."""
        below, above = self._pieces
        low = np.abs(z) < self.galaxy.disc_height
        answer = np.where(low, below(r, np.abs(z), dx=dr, grid=False), 0.0)
        return np.where(low, answer, above(r, np.abs(z), dx=dr, grid=False))

    def on_the_plane(self, r: float) -> tuple[float, float]:
        """Psi [yr] and dlnpsi/dr [1/pc] at z = 0."""
        spline = CubicSpline(self.grid.r, self.psi[:, 0])
        return float(spline(r)), float(spline(r, 1) / spline(r))

    def slope_r(self, r: Array, z: Array) -> Array:
        """dlnpsi/dr [1/pc]."""
        return self.density(r, z, dr=1) / self.density(r, z)

    def slope_z(self, r: Array, z: Array) -> Array:
        """dlnpsi/dz [1/pc] from the upward flux, -flux/(D psi)."""
        flux = self._outflow(r, np.abs(z), grid=False)
        local = self.galaxy.diffusion(r, z, self.rigidity)
        return -np.sign(z) * flux / (local * self.density(r, z))


@dataclass(frozen=True)
class Solution:
    """Steady density of the Galaxy at one rigidity, extrapolated from two grids.

    Made by `solve`. Arguments are distances from the axis `r` and heights `z` [pc], floats or
    arrays that broadcast.
    """

    coarse: GridSolution
    fine: GridSolution

    def density(self, r: Any, z: Any = 0.0) -> Any:
        """Psi [yr], for a source density of 1/yr per unit volume at the Sun."""
        return self._extrapolated("density", r, z)

    def slope_r(self, r: Any, z: Any = 0.0) -> Any:
        """dlnpsi/dr [1/pc]."""
        return self._extrapolated("slope_r", r, z)

    def slope_z(self, r: Any, z: Any = 0.0) -> Any:
        """dlnpsi/dz [1/pc]."""
        return self._extrapolated("slope_z", r, z)

    def error(self, r: Any, z: Any = 0.0) -> Any:
        """Difference of the two grids' densities relative to the finer one's, over 3.

        It is the error of the finer grid; the extrapolated density is better.
        """
        r, z = np.broadcast_arrays(r, z)
        fine = self.fine.density(r, z)
        return (np.abs(fine - self.coarse.density(r, z)) / (3.0 * fine))[()]

    def _extrapolated(self, what: str, r: Any, z: Any) -> Any:
        r, z = np.broadcast_arrays(np.asarray(r, dtype=float), np.asarray(z, dtype=float))
        fine, coarse = (getattr(grid, what)(r, z) for grid in (self.fine, self.coarse))
        return ((4.0 * fine - coarse) / 3.0)[()]


def solve(galaxy: Galaxy, rigidity: float, loss_rate: float = 0.0) -> Solution:
    """Solve for the steady density at one rigidity.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float
        Rigidity [GV].
    loss_rate : float
        Rate at which particles are lost in the plane [1/yr]; it falls with the gas, as
        exp(-|z|/gas_height).

    Returns
    -------
    Solution

    Raises
    ------
    RangeError
        If the rigidity is not positive or the loss rate is negative.

    Examples
    --------
    >>> solution = solve(Galaxy(), 1e3)
    >>> psi, slope = solution.density(8500.0), solution.slope_r(8500.0)
    >>> print(f"{psi / 1e6:.4f} Myr, {1e3 * slope:.4f} /kpc")
    0.3236 Myr, -0.2073 /kpc
    """
    if not rigidity > 0.0:
        raise RangeError(f"rigidity = {rigidity} GV must be positive.")
    if not loss_rate >= 0.0:
        raise RangeError(f"loss_rate = {loss_rate} /yr must not be negative.")
    grids = Grid(galaxy), Grid(galaxy, 2)
    return Solution(*(GridSolution(galaxy, grid, rigidity, loss_rate) for grid in grids))


class Table:
    """Density and slopes at the Sun over a range of rigidities.

    Parameters
    ----------
    galaxy : Galaxy
    low, high : float
        Range of rigidities [GV].
    height : float
        Height of the Sun over the plane [pc].
    loss_rate : float
        As in `solve`.
    points : int
        Rigidities that are solved for, spaced evenly in the logarithm; splines go between.

    Raises
    ------
    RangeError
        If the range is empty or holds no positive rigidities, or there are fewer than 4 points.
    """

    def __init__(
        self,
        galaxy: Galaxy,
        low: float,
        high: float,
        height: float = 0.0,
        loss_rate: float = 0.0,
        points: int = 40,
    ) -> None:
        if not 0.0 < low < high:
            raise RangeError(f"low = {low} GV must be positive and below high = {high} GV.")
        if points < 4:
            raise RangeError(f"points = {points} must be at least 4.")
        self.low, self.high = low, high
        self.rigidities = np.geomspace(low, high, points)
        rows = [_at_the_sun(galaxy, float(r), height, loss_rate) for r in self.rigidities]
        self.error = max(row[3] for row in rows)
        values = np.array([row[:3] for row in rows])
        values[:, 0] = np.log(values[:, 0])
        self._spline = CubicSpline(np.log(self.rigidities), values)

    def psi(self, rigidity: Any) -> Any:
        """Density at the Sun [yr]."""
        return np.exp(self._at(rigidity, 0))[()]

    def slope_r(self, rigidity: Any) -> Any:
        """dlnpsi/dr at the Sun [1/pc]."""
        return self._at(rigidity, 1)[()]

    def slope_z(self, rigidity: Any) -> Any:
        """dlnpsi/dz at the Sun [1/pc]; zero for a Sun in the plane."""
        return self._at(rigidity, 2)[()]

    def _at(self, rigidity: Any, column: int) -> Array:
        given = np.asarray(rigidity, dtype=float)
        inside = (given >= self.low * (1 - 1e-12)) & (given <= self.high * (1 + 1e-12))
        if not np.all(inside):
            raise RangeError(
                f"rigidity = {rigidity} GV is outside the table, {self.low:g} to {self.high:g} GV."
            )
        return self._spline(np.log(given))[..., column]


def _at_the_sun(
    galaxy: Galaxy, rigidity: float, height: float, loss_rate: float
) -> tuple[float, float, float, float]:
    """Psi [yr], its two logarithmic slopes [1/pc] and the relative error of psi at the Sun."""
    solution, r = solve(galaxy, rigidity, loss_rate), galaxy.sun_radius
    if height != 0.0:
        slopes = float(solution.slope_r(r, height)), float(solution.slope_z(r, height))
        return float(solution.density(r, height)), *slopes, float(solution.error(r, height))
    fine, coarse = solution.fine.on_the_plane(r), solution.coarse.on_the_plane(r)
    psi, slope = ((4.0 * a - b) / 3.0 for a, b in zip(fine, coarse, strict=True))
    return psi, slope, 0.0, abs(fine[0] - coarse[0]) / (3.0 * fine[0])
