"""Steady density of the Galaxy: two grids, one twice as fine, extrapolated.

Their difference is the error that is stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from mcprop.errors import RangeError
from mcprop.galaxy.grid import Grid, GridSolution
from mcprop.galaxy.halo import Galaxy
from mcprop.units import has_unit, positive, strip

Array = np.ndarray


@dataclass(frozen=True)
class Solution:
    """Steady density of the Galaxy at one rigidity, extrapolated from two grids.

    Made by `solve`. Arguments are distances from the axis `r` and heights `z`, numbers [pc] or
    Quantities, that broadcast; a `RangeError` says where they are not within the Galaxy.
    """

    coarse: GridSolution
    fine: GridSolution

    @property
    def rigidity(self) -> float:
        """Rigidity [GV]."""
        return self.fine.rigidity

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
        r, z = self._places(r, z)
        fine = self.fine.density(r, z)
        return (np.abs(fine - self.coarse.density(r, z)) / (3.0 * fine))[()]

    def _places(self, r: Any, z: Any) -> tuple[Array, Array]:
        return plain_places(self.fine.galaxy, r, z)

    def _extrapolated(self, what: str, r: Any, z: Any) -> Any:
        r, z = self._places(r, z)
        fine, coarse = (getattr(grid, what)(r, z) for grid in (self.fine, self.coarse))
        return ((4.0 * fine - coarse) / 3.0)[()]


def plain_places(galaxy: Galaxy, r: Any, z: Any) -> tuple[Array, Array]:
    """Distances from the axis and heights [pc] as arrays of one shape, all within the Galaxy."""
    given = {"r": (r, 0.0, galaxy.radius), "z": (z, -galaxy.half_height, galaxy.half_height)}
    arrays = []
    for name, (value, least, most) in given.items():
        number = strip(value, "length", name) if has_unit(value) else value
        array = np.asarray(number, dtype=float)
        if not np.all((array >= least) & (array <= most)):
            raise RangeError(
                f"{name} = {value} pc must lie within the Galaxy, {least:g} to {most:g} pc."
            )
        arrays.append(array)
    one, two = np.broadcast_arrays(*arrays)
    return one, two


def solve(galaxy: Galaxy, rigidity: float, loss_rate: float = 0.0) -> Solution:
    """Solve for the steady density at one rigidity.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float or Quantity
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
    rigidity = positive(rigidity, "rigidity")
    loss_rate = strip(loss_rate, "rate", "loss_rate") if has_unit(loss_rate) else loss_rate
    if not (np.isfinite(rigidity) and 0.0 <= loss_rate < np.inf):
        raise RangeError(
            f"rigidity = {rigidity} GV must be finite, and loss_rate = {loss_rate} /yr too, and not"
            " negative."
        )
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
        low, high = positive(low, "rigidity"), positive(high, "rigidity")
        if not abs(height) < galaxy.half_height:
            raise RangeError(
                f"height = {height} pc must lie within the Galaxy, {galaxy.half_height:g} pc from"
                " its plane."
            )
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
