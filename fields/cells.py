"""Cells of a periodic grid of vectors: where a place stands, and sums over the points around it.

The vectors stand one after the other, z fastest, three float32 each.  Planes that follow from the
period are stored beyond the end of each axis, so that the points that a place asks for are always
rows of neighbours: nothing is wrapped but the place itself.

Sums are taken along z first, then along y, then along x, in float64 and with multiply-adds that are
written out: the same bits on every machine.

References
----------
de Boor, C. 1978, A Practical Guide to Splines (the cubic B-spline).
"""

import numpy as np

from mcprop.kernels.elementary import fma
from mcprop.kernels.lanes import LANES
from mcprop.kernels.quads import fetch, load, plus, times
from mcprop.protocol import primitive


@primitive
def cell(u, n):
    """Cell of a coordinate in an axis of `n` cells that goes on periodically, and the place in it.

    Whatever the coordinate is, infinite or no number, the cell is one of the axis.
    """
    left = fma(-n, np.floor(u * (1.0 / n)), u)
    i = np.floor(left)
    f = left - i
    i = i + n if i < 0.0 else i  # the inverse of n is rounded
    i = i - n if i >= n else i
    return np.int64(i if 0.0 <= i < n else 0.0), f


@primitive
def strides(grid, beyond):
    """Numbers from one point to the next along y, and along x."""
    row = 3 * (grid.nz + beyond)
    return row, row * (grid.ny + beyond)


@primitive
def corner(grid, beyond, x, y, z):
    """First number of the points around (x, y, z) [pc], and the place in the cell.

    `beyond` is the number of planes that are stored beyond the end of each axis.
    """
    per = 1.0 / grid.spacing
    i, fx = cell((x - grid.x0) * per, float(grid.nx))
    j, fy = cell((y - grid.y0) * per, float(grid.ny))
    k, fz = cell((z - grid.z0) * per, float(grid.nz))
    row, sheet = strides(grid, beyond)
    return i * sheet + j * row + 3 * k, fx, fy, fz


@primitive
def fetch_rows(grid, beyond, at):
    """Ask for the points from a corner on, which one of the next lanes is to read."""
    row, sheet = strides(grid, beyond)
    for i in range(beyond + 1):
        for j in range(beyond + 1):
            fetch(grid.data, at + i * sheet + j * row)
            fetch(grid.data, at + i * sheet + j * row + 3 * beyond + 3)


@primitive
def keep(table, first, i, w):
    """Write four weights of lane `i` to the rows of a table from `first` on."""
    for k in range(4):
        table[(first + k) * LANES + i] = w[k]


@primitive
def kept(table, first, i):
    """Four weights of lane `i`, as `keep` has written them."""
    at = first * LANES + i
    return table[at], table[at + LANES], table[at + 2 * LANES], table[at + 3 * LANES]


@primitive
def between(data, at, f):
    """Linear interpolation between two neighbours along z."""
    return plus(f, load(data, at + 3), times(1.0 - f, load(data, at)))


@primitive
def blend(f, a, b):
    """Linear interpolation between two vectors."""
    return plus(f, b, times(1.0 - f, a))


@primitive
def values(f):
    """Weights of the four points round a place in a cell: the cubic B-spline."""
    g = 1.0 - f
    first, last = g * g * g * (1.0 / 6.0), f * f * f * (1.0 / 6.0)
    second = fma(f * f, fma(0.5, f, -1.0), 2.0 / 3.0)
    return first, second, 1.0 - (first + second + last), last


@primitive
def slopes(f):
    """Derivatives of `values`, per cell."""
    g = 1.0 - f
    first, last = -0.5 * g * g, 0.5 * f * f
    second = f * fma(1.5, f, -2.0)
    return first, second, -(first + second + last), last


@primitive
def bends(f):
    """Second derivatives of `values`, per cell squared."""
    return 1.0 - f, fma(3.0, f, -2.0), fma(-3.0, f, 1.0), f


@primitive
def four(w, a, b, c, d):
    """Sum of four vectors with four weights."""
    return plus(w[3], d, plus(w[2], c, plus(w[1], b, times(w[0], a))))


@primitive
def along(data, at, w):
    """Sum over four neighbours along z."""
    a, b, c, d = load(data, at), load(data, at + 3), load(data, at + 6), load(data, at + 9)
    return four(w, a, b, c, d)


@primitive
def along_two(data, at, w, v):
    """Sums over four neighbours along z with two sets of weights."""
    a, b, c, d = load(data, at), load(data, at + 3), load(data, at + 6), load(data, at + 9)
    return four(w, a, b, c, d), four(v, a, b, c, d)


@primitive
def along_three(data, at, w, v, u):
    """Sums over four neighbours along z with three sets of weights."""
    a, b, c, d = load(data, at), load(data, at + 3), load(data, at + 6), load(data, at + 9)
    return four(w, a, b, c, d), four(v, a, b, c, d), four(u, a, b, c, d)


@primitive
def plane(data, at, row, wy, wz):
    """Sum over the four times four points of a plane across x."""
    a = along(data, at, wz)
    b = along(data, at + row, wz)
    c = along(data, at + 2 * row, wz)
    d = along(data, at + 3 * row, wz)
    return four(wy, a, b, c, d)


@primitive
def plane_slopes(data, at, row, wy, vy, wz, vz):
    """Value of a plane across x, and its derivatives by y and z."""
    a, e = along_two(data, at, wz, vz)
    b, f = along_two(data, at + row, wz, vz)
    c, g = along_two(data, at + 2 * row, wz, vz)
    d, h = along_two(data, at + 3 * row, wz, vz)
    return four(wy, a, b, c, d), four(vy, a, b, c, d), four(wy, e, f, g, h)


@primitive
def plane_bends(data, at, row, fy, fz):
    """Value of a plane across x, its derivatives by y and z, and those by yy, yz, zz."""
    wy, vy, uy = values(fy), slopes(fy), bends(fy)
    wz, vz, uz = values(fz), slopes(fz), bends(fz)
    a, e, p = along_three(data, at, wz, vz, uz)
    b, f, q = along_three(data, at + row, wz, vz, uz)
    c, g, r = along_three(data, at + 2 * row, wz, vz, uz)
    d, h, s = along_three(data, at + 3 * row, wz, vz, uz)
    return (
        four(wy, a, b, c, d),
        four(vy, a, b, c, d),
        four(wy, e, f, g, h),
        four(uy, a, b, c, d),
        four(vy, e, f, g, h),
        four(wy, p, q, r, s),
    )
