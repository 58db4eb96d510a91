"""Finite volumes on one grid, in r and in height.

The unknowns stand on grid lines that lie on the plane, on the kink of D and on the distance of the
Sun; fluxes along z take the integral of 1/D over an edge, which is exact where they are constant.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from mcprop.galaxy.halo import Galaxy

Array = np.ndarray

COLUMNS, DISC_ROWS, HALO_ROWS = 80, 30, 30
"""Cells of the coarse grid: in r, and in height below and above the kink of D."""


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
