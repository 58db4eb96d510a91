"""Magnetic fields on a periodic grid.

Between the points of the grid a field follows from one of three interpolations:

* `PotentialGrid`: the curl of a vector potential that is a cubic B-spline.  Its divergence is zero
  but for rounding, and its derivatives are continuous: what to take.
* `SplineGrid`: a cubic B-spline of the field itself, with a divergence of its own.
* `TrilinearGrid`: about three times as fast, for a first look.  It has the divergence of its kinks,
  and field lines that are traced in it converge to second order only.

Kolmogorov turbulence whose shortest wave has 4 or 8 cells, and the longest twelve times as many,
differs from the exact sum of its waves by these parts of its root mean square, and has a divergence
of these parts of that of its gradient (both from ``scripts/benchmarks/fields_grid.py``)::

               error at 4, 8 cells    divergence at 4, 8 cells
    potential  2.7e-3    2.6e-4       2e-17     2e-17
    spline     1.2e-3    5.4e-5       2.8e-3    2.4e-4
    trilinear  3.7e-2    9.6e-3       8.5e-2    4.2e-2

`turbulent_grid` and `load_grid` make them.

References
----------
Alves Batista, R. et al. 2016, JCAP 05, 038 (grids of turbulent fields, interpolated trilinearly).
Schlegel, L., Frie, A., Eichmann, B., Reichherzer, P. & Becker Tjus, J. 2020, ApJ 889, 123 (what
interpolation does to turbulent fields and to particles in them).
Beznosov, O., Bonilla, J., Tang, X. & Wimmer, G. 2025, Comput. Phys. Commun. 316, 109770 (fields
without divergence from an interpolated potential).
"""

from typing import Any, NamedTuple

import numpy as np

from mcprop.fields.cells import (
    bends,
    between,
    blend,
    corner,
    fetch_rows,
    four,
    keep,
    kept,
    plane,
    plane_bends,
    plane_slopes,
    slopes,
    strides,
    values,
)
from mcprop.fields.total import total
from mcprop.kernels.lanes import LANES
from mcprop.kernels.quads import load, plus, three, times
from mcprop.protocol import b_block, b_gradient, b_vector, implements, primitive

AHEAD = 4
"""Lanes by which asking for points runs ahead of reading them: the memory answers meanwhile."""


class PotentialGrid(NamedTuple):
    """Curl of a cubic B-spline vector potential on a periodic grid, plus a mean field.

    Parameters
    ----------
    data : ndarray of float32
        Coefficients of the potential over the spacing [uG], as `mcprop.fields.grid_store` lays them
        out.
    nx, ny, nz : int
        Points of a period along each axis.
    x0, y0, z0 : float
        Place of the first point [pc].
    spacing : float
        Distance of neighbouring points [pc].
    bx, by, bz : float
        Mean field [uG], which no periodic potential has.
    scale : float
        Length on which the field varies [pc]: its shortest wavelength.
    removed : float
        Part of the root mean square of the given field that was divergence, and is gone.
    misfit : float
        Root mean square difference from the given field at the points, over that of the field.
    """

    data: np.ndarray
    nx: int
    ny: int
    nz: int
    x0: float
    y0: float
    z0: float
    spacing: float
    bx: float
    by: float
    bz: float
    scale: float
    removed: float = 0.0
    misfit: float = 0.0

    def __add__(self, other: Any) -> Any:
        return total(self, other)


class SplineGrid(NamedTuple):
    """Cubic B-spline through the field at the points of a periodic grid.

    Parameters
    ----------
    data : ndarray of float32
        Coefficients of the field [uG], as `mcprop.fields.grid_store` lays them out.
    nx, ny, nz : int
        Points of a period along each axis.
    x0, y0, z0 : float
        Place of the first point [pc].
    spacing : float
        Distance of neighbouring points [pc].
    scale : float
        Length on which the field varies [pc]: its shortest wavelength.
    """

    data: np.ndarray
    nx: int
    ny: int
    nz: int
    x0: float
    y0: float
    z0: float
    spacing: float
    scale: float

    def __add__(self, other: Any) -> Any:
        return total(self, other)


class TrilinearGrid(NamedTuple):
    """Trilinear interpolation of the field at the points of a periodic grid: fast, not clean.

    Parameters
    ----------
    data : ndarray of float32
        The field at the points [uG], as `mcprop.fields.grid_store` lays it out.
    nx, ny, nz : int
        Points of a period along each axis.
    x0, y0, z0 : float
        Place of the first point [pc].
    spacing : float
        Distance of neighbouring points [pc].
    scale : float
        Length on which the field varies [pc]: its shortest wavelength.
    """

    data: np.ndarray
    nx: int
    ny: int
    nz: int
    x0: float
    y0: float
    z0: float
    spacing: float
    scale: float

    def __add__(self, other: Any) -> Any:
        return total(self, other)


Grid = PotentialGrid | SplineGrid | TrilinearGrid

BEYOND: dict[Any, int] = {PotentialGrid: 3, SplineGrid: 3, TrilinearGrid: 1}
"""Planes that each kind stores beyond the end of each axis."""

CUBIC, LINEAR = 3, 1


@implements(b_vector, PotentialGrid)
def _(field, x, y, z):
    return potential_vector(field, x, y, z)


@implements(b_gradient, PotentialGrid)
def _(field, x, y, z):
    return potential_gradient(field, x, y, z)


@implements(b_vector, SplineGrid)
def _(field, x, y, z):
    return spline_vector(field, x, y, z)


@implements(b_gradient, SplineGrid)
def _(field, x, y, z):
    return spline_gradient(field, x, y, z)


@implements(b_vector, TrilinearGrid)
def _(field, x, y, z):
    return trilinear_vector(field, x, y, z)


@implements(b_gradient, TrilinearGrid)
def _(field, x, y, z):
    return trilinear_gradient(field, x, y, z)


@implements(b_block, PotentialGrid)
def _(field, places, out):
    corners, table = np.empty(LANES, np.int64), np.empty(24 * LANES)
    for i in range(LANES):  # which vectorises
        x, y, z = places[i], places[LANES + i], places[2 * LANES + i]
        corners[i], fx, fy, fz = corner(field, CUBIC, x, y, z)
        keep(table, 0, i, values(fx))
        keep(table, 4, i, values(fy))
        keep(table, 8, i, values(fz))
        keep(table, 12, i, slopes(fx))
        keep(table, 16, i, slopes(fy))
        keep(table, 20, i, slopes(fz))
    for i in range(LANES):
        fetch_rows(field, CUBIC, corners[(i + AHEAD) % LANES])
        w = kept(table, 0, i), kept(table, 4, i), kept(table, 8, i)
        v = kept(table, 12, i), kept(table, 16, i), kept(table, 20, i)
        add(out, i, curl(field, corners[i], w, v))


@implements(b_block, SplineGrid)
def _(field, places, out):
    corners, table = np.empty(LANES, np.int64), np.empty(12 * LANES)
    for i in range(LANES):
        x, y, z = places[i], places[LANES + i], places[2 * LANES + i]
        corners[i], fx, fy, fz = corner(field, CUBIC, x, y, z)
        keep(table, 0, i, values(fx))
        keep(table, 4, i, values(fy))
        keep(table, 8, i, values(fz))
    for i in range(LANES):
        fetch_rows(field, CUBIC, corners[(i + AHEAD) % LANES])
        w = kept(table, 0, i), kept(table, 4, i), kept(table, 8, i)
        add(out, i, cubic(field, corners[i], w))


@implements(b_block, TrilinearGrid)
def _(field, places, out):
    corners, table = np.empty(LANES, np.int64), np.empty(3 * LANES)
    for i in range(LANES):
        x, y, z = places[i], places[LANES + i], places[2 * LANES + i]
        corners[i], fx, fy, fz = corner(field, LINEAR, x, y, z)
        table[i], table[LANES + i], table[2 * LANES + i] = fx, fy, fz
    for i in range(LANES):
        fetch_rows(field, LINEAR, corners[(i + AHEAD) % LANES])
        fx, fy, fz = table[i], table[LANES + i], table[2 * LANES + i]
        add(out, i, linear(field, corners[i], fx, fy, fz))


@primitive
def add(out, i, vector):
    """Add a vector to lane `i`."""
    out[i] += vector[0]
    out[LANES + i] += vector[1]
    out[2 * LANES + i] += vector[2]


@primitive
def curl(field, at, w, v):
    """Mean field plus curl of the potential at a corner, with values and slopes along each axis."""
    row, sheet = strides(field, CUBIC)
    a, e, p = plane_slopes(field.data, at, row, w[1], v[1], w[2], v[2])
    b, f, q = plane_slopes(field.data, at + sheet, row, w[1], v[1], w[2], v[2])
    c, g, r = plane_slopes(field.data, at + 2 * sheet, row, w[1], v[1], w[2], v[2])
    d, h, s = plane_slopes(field.data, at + 3 * sheet, row, w[1], v[1], w[2], v[2])
    _, ay_x, az_x = three(four(v[0], a, b, c, d))
    ax_y, _, az_y = three(four(w[0], e, f, g, h))
    ax_z, ay_z, _ = three(four(w[0], p, q, r, s))
    return field.bx + (az_y - ay_z), field.by + (ax_z - az_x), field.bz + (ay_x - ax_y)


@primitive
def cubic(field, at, w):
    """Sum of a spline at a corner, with values along each axis."""
    row, sheet = strides(field, CUBIC)
    a = plane(field.data, at, row, w[1], w[2])
    b = plane(field.data, at + sheet, row, w[1], w[2])
    c = plane(field.data, at + 2 * sheet, row, w[1], w[2])
    d = plane(field.data, at + 3 * sheet, row, w[1], w[2])
    return three(four(w[0], a, b, c, d))


@primitive
def linear(field, at, fx, fy, fz):
    """Linear interpolation in the cell of a corner."""
    row, sheet = strides(field, LINEAR)
    near = blend(fy, between(field.data, at, fz), between(field.data, at + row, fz))
    at += sheet
    far = blend(fy, between(field.data, at, fz), between(field.data, at + row, fz))
    return three(blend(fx, near, far))


@primitive
def potential_vector(field, x, y, z):
    """Field of a `PotentialGrid`."""
    at, fx, fy, fz = corner(field, CUBIC, x, y, z)
    w = values(fx), values(fy), values(fz)
    return curl(field, at, w, (slopes(fx), slopes(fy), slopes(fz)))


@primitive
def spline_vector(field, x, y, z):
    """Field of a `SplineGrid`."""
    at, fx, fy, fz = corner(field, CUBIC, x, y, z)
    return cubic(field, at, (values(fx), values(fy), values(fz)))


@primitive
def trilinear_vector(field, x, y, z):
    """Field of a `TrilinearGrid`."""
    at, fx, fy, fz = corner(field, LINEAR, x, y, z)
    return linear(field, at, fx, fy, fz)


@primitive
def potential_gradient(field, x, y, z):
    """Derivatives of a `PotentialGrid`: second derivatives of the potential."""
    at, fx, fy, fz = corner(field, CUBIC, x, y, z)
    row, sheet = strides(field, CUBIC)
    wx, vx, ux = values(fx), slopes(fx), bends(fx)
    a, ay, az, ayy, ayz, azz = plane_bends(field.data, at, row, fy, fz)
    b, by, bz, byy, byz, bzz = plane_bends(field.data, at + sheet, row, fy, fz)
    c, cy, cz, cyy, cyz, czz = plane_bends(field.data, at + 2 * sheet, row, fy, fz)
    d, dy, dz, dyy, dyz, dzz = plane_bends(field.data, at + 3 * sheet, row, fy, fz)
    _, y_xx, z_xx = three(four(ux, a, b, c, d))
    x_xy, y_xy, z_xy = three(four(vx, ay, by, cy, dy))
    x_xz, y_xz, z_xz = three(four(vx, az, bz, cz, dz))
    x_yy, _, z_yy = three(four(wx, ayy, byy, cyy, dyy))
    x_yz, y_yz, z_yz = three(four(wx, ayz, byz, cyz, dyz))
    x_zz, y_zz, _ = three(four(wx, azz, bzz, czz, dzz))
    per = 1.0 / field.spacing
    return (
        per * (z_xy - y_xz),
        per * (z_yy - y_yz),
        per * (z_yz - y_zz),
        per * (x_xz - z_xx),
        per * (x_yz - z_xy),
        per * (x_zz - z_xz),
        per * (y_xx - x_xy),
        per * (y_xy - x_yy),
        per * (y_xz - x_yz),
    )


@primitive
def spline_gradient(field, x, y, z):
    """Derivatives of a `SplineGrid`."""
    at, fx, fy, fz = corner(field, CUBIC, x, y, z)
    row, sheet = strides(field, CUBIC)
    wx, wy, wz = values(fx), values(fy), values(fz)
    vy, vz = slopes(fy), slopes(fz)
    a, e, p = plane_slopes(field.data, at, row, wy, vy, wz, vz)
    b, f, q = plane_slopes(field.data, at + sheet, row, wy, vy, wz, vz)
    c, g, r = plane_slopes(field.data, at + 2 * sheet, row, wy, vy, wz, vz)
    d, h, s = plane_slopes(field.data, at + 3 * sheet, row, wy, vy, wz, vz)
    by_x = four(slopes(fx), a, b, c, d)
    by_y, by_z = four(wx, e, f, g, h), four(wx, p, q, r, s)
    return row_by_row(1.0 / field.spacing, three(by_x), three(by_y), three(by_z))


@primitive
def trilinear_gradient(field, x, y, z):
    """Derivatives of a `TrilinearGrid` within its cell."""
    at, fx, fy, fz = corner(field, LINEAR, x, y, z)
    row, sheet = strides(field, LINEAR)
    a, b = between(field.data, at, fz), between(field.data, at + row, fz)
    c, d = between(field.data, at + sheet, fz), between(field.data, at + sheet + row, fz)
    by_x = plus(-1.0, blend(fy, a, b), blend(fy, c, d))
    by_y = plus(-1.0, blend(fx, a, c), blend(fx, b, d))
    e, f = step_along(field.data, at), step_along(field.data, at + row)
    g, h = step_along(field.data, at + sheet), step_along(field.data, at + sheet + row)
    by_z = blend(fx, blend(fy, e, f), blend(fy, g, h))
    return row_by_row(1.0 / field.spacing, three(by_x), three(by_y), three(by_z))


@primitive
def step_along(data, at):
    """Difference of two neighbours along z."""
    return plus(-1.0, load(data, at), times(1.0, load(data, at + 3)))


@primitive
def row_by_row(per, by_x, by_y, by_z):
    """Nine derivatives in the order of `b_gradient`, from those of the vector along each axis."""
    return (
        per * by_x[0],
        per * by_y[0],
        per * by_z[0],
        per * by_x[1],
        per * by_y[1],
        per * by_z[1],
        per * by_x[2],
        per * by_y[2],
        per * by_z[2],
    )
