"""A sphere of another tensor behind a smooth wall, in a uniform gradient: finite elements.

The density is expanded in spherical harmonics about the axis of the tensor, whose degrees a tensor
couples in steps of two; each has piecewise cubic radial parts. Beyond the wall it is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from mcprop.errors import RangeError

DEGREES = 8
"""Odd degrees of spherical harmonics, from one."""

CORE, WALL = 12, 60
"""Radial elements within the wall and in it."""

Profile = Callable[[np.ndarray], np.ndarray]


def gradient_factors(
    outside: float, parallel: float, perp: float, radius: float, wall: float
) -> tuple[float, float]:
    """Gradient at the centre over the gradient far outside, along and across the axis.

    Parameters
    ----------
    outside : float
        Isotropic diffusion coefficient around the sphere [pc^2/yr].
    parallel, perp : float
        Coefficients in the sphere along and across its axis [pc^2/yr].
    radius, wall : float
        Radius of the middle of the wall, and its thickness [pc]. Across it each coefficient goes
        over into the other by the quintic step.

    Returns
    -------
    tuple of float
        Converged to 1e-4 for coefficients within a factor of 50 of the one outside.

    Raises
    ------
    RangeError
        For a coefficient that is not positive, or a wall that is not within the sphere.
    """
    if not (outside > 0.0 and parallel > 0.0 and perp > 0.0):
        raise RangeError(f"The coefficients {outside}, {parallel}, {perp} must all be positive.")
    if not 0.0 < wall <= radius:
        raise RangeError(f"The wall {wall!r} pc must lie between 0 and the radius {radius!r} pc.")
    inner, outer = radius - 0.5 * wall, radius + 0.5 * wall

    def blended(inside: float) -> Profile:
        def profile(r: np.ndarray) -> np.ndarray:
            t = np.clip((r - inner) / wall, 0.0, 1.0)
            return inside + (outside - inside) * t**3 * (10.0 - 15.0 * t + 6.0 * t**2)

        return profile

    core, shell = np.linspace(0.0, inner, CORE + 1), np.linspace(inner, outer, WALL + 1)
    edges = np.concatenate([core, shell[1:]])
    along, across = blended(parallel), blended(perp)
    return _centre(along, across, edges, outside, 0), _centre(along, across, edges, outside, 1)


def _centre(along: Profile, across: Profile, edges: np.ndarray, outside: float, m: int) -> float:
    """Gradient at the centre for a far gradient along (m = 0) or across (m = 1) the axis."""
    degrees = np.arange(1, 2 * DEGREES, 2)
    points = 3 * (len(edges) - 1) + 1
    rows, columns, values = [], [], []
    for element in range(len(edges) - 1):
        nodes = 3 * element + np.arange(4)
        block = _element(along, across, edges[element : element + 2], degrees, m)
        place = (np.arange(DEGREES)[:, None] * points + nodes).ravel()
        rows.append(np.repeat(place, len(place)))
        columns.append(np.tile(place, len(place)))
        values.append(block.ravel())
    size, last = DEGREES * points, np.arange(1, DEGREES + 1) * points - 1
    rows.append(last)  # beyond the last node each degree decays as r^-(l + 1)
    columns.append(last)
    values.append(outside * edges[-1] * (degrees + 1.0))
    where = (np.concatenate(rows), np.concatenate(columns))
    matrix = coo_matrix((np.concatenate(values), where), shape=(size, size)).tocsr()
    pull = np.zeros(size)
    pull[points - 1] = 3.0 * outside * edges[-1] ** 2
    free = np.ones(size, dtype=bool)
    free[np.arange(DEGREES) * points] = False  # zero at the centre
    solution = np.zeros(size)
    solution[free] = spsolve(matrix[free][:, free].tocsc(), pull[free])
    slope = _basis(np.array([-1.0]))[1][0] @ solution[:4]
    return float(slope) * 2.0 / float(edges[1])


def _element(
    along: Profile, across: Profile, ends: np.ndarray, degrees: np.ndarray, m: int
) -> np.ndarray:
    """Stiffness of one radial element, all degrees: Int grad u . kappa . grad v dV."""
    half = 0.5 * (ends[1] - ends[0])
    abscissae, weights = np.polynomial.legendre.leggauss(5)
    r, weights = ends[0] + half * (1.0 + abscissae), half * weights
    shape, slope = _basis(abscissae)
    slope = slope / half
    block = np.zeros((len(degrees), 4, len(degrees), 4))
    upward: dict[int, list[tuple[int, np.ndarray]]] = {}
    for i, degree in enumerate(degrees):
        radial = (slope * (across(r) * r**2 * weights)[:, None]).T @ slope
        turning = (shape * (across(r) * weights)[:, None]).T @ shape
        block[i, :, i, :] += radial + degree * (degree + 1) * turning
        over = shape / r[:, None]  # d/dz raises and lowers the degree by one
        up = _ladder(degree + 1, m) * (slope - degree * over)
        down = _ladder(degree, m) * (slope + (degree + 1) * over)
        upward.setdefault(degree + 1, []).append((i, up))
        upward.setdefault(degree - 1, []).append((i, down))
    excess = ((along(r) - across(r)) * r**2 * weights)[:, None]
    for terms in upward.values():
        for i, one in terms:
            for j, other in terms:
                block[i, :, j, :] += (one * excess).T @ other
    return block.reshape(4 * len(degrees), 4 * len(degrees))


def _ladder(degree: int, m: int) -> float:
    """Coefficient of Y_(l-1) in cos(theta) Y_l, and of Y_l in cos(theta) Y_(l-1)."""
    return math.sqrt(max(degree**2 - m**2, 0) / (4.0 * degree**2 - 1.0))


def _basis(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four cubics through Chebyshev's points of (-1, 1), and their slopes, at `x`: (len(x), 4)."""
    nodes = -np.cos(np.pi * np.arange(4) / 3.0)
    fit = np.linalg.inv(np.vander(nodes, 4, increasing=True))
    powers = np.vander(x, 4, increasing=True)
    slopes = np.zeros_like(powers)
    slopes[:, 1:] = powers[:, :3] * np.arange(1, 4)
    return powers @ fit, slopes @ fit
