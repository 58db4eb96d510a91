"""Eigenmodes of the Galaxy: the density of a burst at its centre at any later time.

The modes of -div(D grad v) = rate v that are even in height and turn with nothing are those of the
finite-volume matrix of `mcprop.galaxy.grid`. A burst of one particle at the centre is

    psi(r, z, t) = sum_k v_k(r, z) v_k(0, 0) exp(-rate_k t),    Int v_k^2 dV = 1

so a late burst is its slowest mode alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.interpolate import RectBivariateSpline
from scipy.sparse import diags_array
from scipy.sparse.linalg import LinearOperator, eigsh

from mcprop.errors import RangeError
from mcprop.galaxy.grid import Grid, factorised, operator
from mcprop.galaxy.halo import Galaxy
from mcprop.galaxy.steady import plain_places
from mcprop.units import has_unit, positive, strip

Array = np.ndarray

NEGLIGIBLE = 30.0
"""A mode counts while its exponent exceeds that of the slowest by less than this."""


class GridModes:
    """Slowest modes on one grid.

    Parameters
    ----------
    galaxy : Galaxy
    grid : Grid
    rigidity : float
        Rigidity [GV].
    count : int
        Number of modes.
    """

    def __init__(self, galaxy: Galaxy, grid: Grid, rigidity: float, count: int) -> None:
        self.galaxy, self.grid = galaxy, grid
        matrix = operator(galaxy, grid, rigidity, 0.0)
        volumes = np.outer(grid.areas[:-1], np.diff(grid.z_edges)[:-1]).ravel()
        root = np.sqrt(volumes)
        solve = factorised(matrix).solve
        inverse = LinearOperator(matrix.shape, matvec=lambda x: root * solve(root * x.ravel()))
        scaled = diags_array(1.0 / root) @ matrix @ diags_array(1.0 / root)
        start = root / np.linalg.norm(root)
        self.rates, vectors = eigsh(scaled, count, sigma=0.0, OPinv=inverse, v0=start)
        # whole circle, both sides of the plane
        modes = (vectors / root[:, None]).T / np.sqrt(4.0 * np.pi)
        self.modes = np.zeros((count, len(grid.r), len(grid.z)))
        self.modes[:, :-1, :-1] = modes.reshape(count, len(grid.r) - 1, len(grid.z) - 1)

    def summed(self, age: float) -> Array:
        """Density of a burst at the centre on the grid, times exp(slowest rate age) [pc^-3]."""
        decay = np.exp(-(self.rates - self.rates[0]) * age)
        return np.tensordot(decay * self.modes[:, 0, 0], self.modes, 1)

    def at(self, age: float, r: Array, z: Array) -> tuple[Array, Array, Array]:
        """Logarithm of the density [pc^-3] at points, and its derivatives by r and z [1/pc]."""
        grid, k, field = self.grid, self.grid.kink, self.summed(age)
        z = np.abs(z)
        orders = ((0, 0), (1, 0), (0, 1))
        answers = []
        for rows in (slice(None, k + 1), slice(k, None)):
            spline = RectBivariateSpline(grid.r, grid.z[rows], field[:, rows])
            answers.append([spline(r, z, dx=i, dy=j, grid=False) for i, j in orders])
        low = z < self.galaxy.disc_height
        value, by_r, by_z = (np.where(low, a, b) for a, b in zip(*answers, strict=True))
        return np.log(value) - self.rates[0] * age, by_r / value, by_z / value


@dataclass(frozen=True)
class CentralBurst:
    """A burst of one particle at the Galactic centre, extrapolated from two grids.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float
        Rigidity [GV].
    age : float
        Time since the burst [yr].
    modes : int
        Number of modes.

    Raises
    ------
    RangeError
        If the burst is so young that more modes than given count.

    Examples
    --------
    >>> burst = CentralBurst(Galaxy(), 1e3, 4e6)
    >>> per_kpc3, slope = burst.ln_density(8500.0) + 3 * np.log(1e3), burst.slope_r(8500.0)
    >>> print(f"{per_kpc3:.3f}, {1e3 * slope:.4f} /kpc")
    -9.631, -0.3669 /kpc
    """

    galaxy: Galaxy
    rigidity: float
    age: float
    modes: int = 40

    def __post_init__(self) -> None:
        """Strip units, and refuse what the modes do not hold."""
        if not (isinstance(self.modes, int) and 2 <= self.modes <= 1000):
            raise RangeError(f"modes = {self.modes} must be a whole number from 2 to 1000.")
        object.__setattr__(self, "rigidity", positive(self.rigidity, "rigidity"))
        if has_unit(self.age):
            object.__setattr__(self, "age", strip(self.age, "time", "age"))
        if not 0.0 < self.age < np.inf:
            raise RangeError(f"age = {self.age} yr must be positive and finite.")
        slow, fast = self.grids[0].rates[[0, -1]] * self.age
        if fast - slow < NEGLIGIBLE:
            raise RangeError(
                f"age = {self.age:g} yr is too young for {self.modes} modes at a rigidity of"
                f" {self.rigidity:g} GV; allowed: more than"
                f" {self.age * NEGLIGIBLE / (fast - slow):.3g} yr, or more modes."
            )

    @property
    def grids(self) -> tuple[GridModes, GridModes]:
        """Coarse and fine grid."""
        return _grids(self.galaxy, self.rigidity, self.modes)

    def ln_density(self, r: Any, z: Any = 0.0) -> Any:
        """Logarithm of the density [pc^-3] at distances from the axis and heights [pc]."""
        return self._extrapolated(0, r, z)

    def slope_r(self, r: Any, z: Any = 0.0) -> Any:
        """dlnpsi/dr [1/pc]."""
        return self._extrapolated(1, r, z)

    def slope_z(self, r: Any, z: Any = 0.0) -> Any:
        """dlnpsi/dz [1/pc]."""
        return np.sign(z) * self._extrapolated(2, r, z)

    def _extrapolated(self, which: int, r: Any, z: Any) -> Any:
        r, z = plain_places(self.galaxy, r, z)
        coarse, fine = (grid.at(self.age, r, z)[which] for grid in self.grids)
        return ((4.0 * fine - coarse) / 3.0)[()]


@lru_cache(maxsize=8)
def _grids(galaxy: Galaxy, rigidity: float, modes: int) -> tuple[GridModes, GridModes]:
    """Kept, because bursts that differ in their age alone share it."""
    coarse, fine = (GridModes(galaxy, Grid(galaxy, n), rigidity, modes) for n in (1, 2))
    return coarse, fine
