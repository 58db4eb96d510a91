"""How a grid lies in memory: vectors one after the other, with planes beyond the end of each axis.

A cubic interpolation reads four points along each axis, from the one before the cell to the second
after it; a linear one reads two.  Point 0 of the store is the first that is read for cell 0, and
the planes beyond the period repeat what is read for the last cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop.fields.grid import BEYOND, Grid, PotentialGrid, SplineGrid, TrilinearGrid

KINDS: dict[str, type[Grid]] = {
    "potential": PotentialGrid,
    "spline": SplineGrid,
    "trilinear": TrilinearGrid,
}
"""Model of each interpolation, by the name that the user gives."""

INTERPOLATIONS = tuple(KINDS)

SPARE = 4
"""Numbers after the last vector: whole quads are read."""


class Store:
    """Numbers of a grid while they are filled in.

    Parameters
    ----------
    interpolation : {"potential", "spline", "trilinear"}
        What they are for.
    shape : three ints
        Points of a period along each axis.

    Attributes
    ----------
    data : ndarray of float32
        All numbers, as the models take them.
    period : ndarray, shape (nx, ny, nz, 3)
        View of one period: what is to be filled in.
    """

    def __init__(self, interpolation: str, shape: tuple[int, int, int]) -> None:
        self.kind = KINDS[interpolation]
        beyond = BEYOND[self.kind]
        padded = tuple(n + beyond for n in shape)
        count = 3 * padded[0] * padded[1] * padded[2]
        self.data = np.empty(count + SPARE, np.float32)
        self.data[count:] = 0.0
        self._all = self.data[:count].reshape(*padded, 3)
        self._shape, self._first = shape, beyond // 2
        self.period = self._all[tuple(slice(self._first, self._first + n) for n in shape)]

    def model(self, origin: tuple[float, float, float], spacing: float, **rest: Any) -> Grid:
        """Fill in what repeats, and make the model.

        Parameters
        ----------
        origin : three floats
            Place of the first point [pc].
        spacing : float
            Distance of neighbouring points [pc].
        **rest
            What else the model takes.

        Returns
        -------
        PotentialGrid, SplineGrid or TrilinearGrid
            On these numbers.
        """
        for axis, n in enumerate(self._shape):
            planes = np.moveaxis(self._all, axis, 0)
            planes[: self._first] = planes[n : n + self._first]
            planes[n + self._first :] = planes[self._first : len(planes) - n]
        nx, ny, nz = self._shape
        x0, y0, z0 = origin
        rest |= {"nx": nx, "ny": ny, "nz": nz, "x0": x0, "y0": y0, "z0": z0, "spacing": spacing}
        return self.kind(data=self.data, **rest)


def one_period(grid: Grid) -> np.ndarray:
    """Numbers of one period of a grid, without what repeats.

    Parameters
    ----------
    grid : PotentialGrid, SplineGrid or TrilinearGrid
        Model.

    Returns
    -------
    ndarray of float32, shape (nx, ny, nz, 3)
        A view: coefficients of a spline, or values if it is interpolated linearly.
    """
    beyond, shape = BEYOND[type(grid)], (grid.nx, grid.ny, grid.nz)
    padded = [n + beyond for n in shape]
    vectors = grid.data[: 3 * padded[0] * padded[1] * padded[2]].reshape(*padded, 3)
    return vectors[tuple(slice(beyond // 2, beyond // 2 + n) for n in shape)]
