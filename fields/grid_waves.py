"""Waves on a grid: what a spline makes of them, and the coefficients that it needs for them.

A wave exp(i theta . j), j counting cells, is made by spline coefficients c exp(i theta . j), and
with it come its aliases, waves of theta + 2 pi m.  Wave and aliases have the Fourier amplitudes of
the B-spline, sinc^4, so that whatever is asked of the interpolated field follows in closed form.

References
----------
Unser, M., Aldroubi, A. & Eden, M. 1993, IEEE Trans. Signal Process. 41, 821 (spline prefilters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Three = Sequence[np.ndarray] | np.ndarray
"""Something along each of the three axes: arrays of one shape, or that broadcast to one."""


def amplitude(theta: np.ndarray) -> np.ndarray:
    """Amplitude of the wave itself per coefficient: the Fourier transform of the B-spline.

    Parameters
    ----------
    theta : ndarray
        Phase per cell [rad].

    Returns
    -------
    ndarray
        sinc^4 of half of it.
    """
    return np.sinc(theta / (2.0 * math.pi)) ** 4


def at_points(theta: np.ndarray) -> np.ndarray:
    """Amplitude at the points of the grid per coefficient, aliases included.

    Parameters
    ----------
    theta : ndarray
        Phase per cell [rad].

    Returns
    -------
    ndarray
        From 1 for long waves to 1/3 for two cells per wave. It is also the mean square of a wave
        that is interpolated linearly.
    """
    return (2.0 + np.cos(theta)) / 3.0


def overlaps(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over the wave and its aliases of amplitude^2 times (theta + 2 pi m)^(0, 1, 2).

    Parameters
    ----------
    theta : ndarray
        Phase per cell [rad].

    Returns
    -------
    tuple of ndarray
        The three sums: from the B-spline of degree 7 at whole numbers and its derivatives.
    """
    c1, c2, c3 = np.cos(theta), np.cos(2.0 * theta), np.cos(3.0 * theta)
    s1, s2, s3 = np.sin(theta), np.sin(2.0 * theta), np.sin(3.0 * theta)
    none = (2416.0 + 2382.0 * c1 + 240.0 * c2 + 2.0 * c3) / 5040.0
    one = (245.0 * s1 + 56.0 * s2 + s3) / 360.0
    two = (80.0 - 30.0 * c1 - 48.0 * c2 - 2.0 * c3) / 120.0
    return none, one, two


def cross(a: Three, b: Three) -> list[np.ndarray]:
    """Vector product.

    Parameters
    ----------
    a, b : three ndarrays
        Components.

    Returns
    -------
    list of ndarray
        Components.
    """
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def potential_coefficients(theta: Three, b: Three) -> list[np.ndarray]:
    """Coefficients of a potential (over the spacing) whose curl has the waves `b`.

    The waves themselves are exact, their aliases are the error: that is next to the least error
    that a spline can have, averaged over space. (What is exact at the points of the grid is worse
    between them, and without bound for two cells per wave.) What is parallel to theta is left out.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad]; zero along all three is no wave, and gets zeros.
    b : three ndarrays of complex
        Amplitudes of the field.

    Returns
    -------
    list of ndarray
        i theta x b / theta^2, over the amplitude of the spline.
    """
    square = theta[0] ** 2 + theta[1] ** 2 + theta[2] ** 2
    square = np.where(square > 0.0, square, 1.0)
    over = 1j / (square * amplitude(theta[0]) * amplitude(theta[1]) * amplitude(theta[2]))
    return [over * part for part in cross(theta, b)]


def spline_coefficients(theta: Three, b: Three) -> list[np.ndarray]:
    """Coefficients of a spline that goes through waves at the points of the grid.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    b : three ndarrays of complex
        Amplitudes of the field.

    Returns
    -------
    list of ndarray
        `b` over the response at the points.
    """
    over = 1.0 / (at_points(theta[0]) * at_points(theta[1]) * at_points(theta[2]))
    return [over * part for part in b]


def values_at_points(theta: Three, b: Three) -> list[np.ndarray]:
    """Coefficients of the linear interpolation: the values themselves.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    b : three ndarrays of complex
        Amplitudes of the field.

    Returns
    -------
    list of ndarray
        `b`.
    """
    return list(b)


def curl_at_points(theta: Three, c: Three) -> list[np.ndarray]:
    """Curl of a spline potential at the points of the grid, aliases included.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    c : three ndarrays of complex
        Coefficients of the potential.

    Returns
    -------
    list of ndarray
        Amplitudes of the field.
    """
    x, y, z = map(at_points, theta)
    sx, sy, sz = map(np.sin, theta)
    return [1j * part for part in cross((sx * y * z, x * sy * z, x * y * sz), c)]


def potential_square(theta: Three, c: Three) -> np.ndarray:
    """Mean square over all space of the curl of waves of a spline potential.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    c : three ndarrays of complex
        Coefficients of the potential.

    Returns
    -------
    ndarray
        Of each wave, with its aliases.
    """
    (x0, x1, x2), (y0, y1, y2), (z0, z1, z2) = map(overlaps, theta)
    xx, yy, zz = x2 * y0 * z0, x0 * y2 * z0, x0 * y0 * z2
    squares = [np.abs(part) ** 2 for part in c]
    parallel = xx * squares[0] + yy * squares[1] + zz * squares[2]
    parallel += 2.0 * x1 * y1 * z0 * (c[0].conj() * c[1]).real
    parallel += 2.0 * x1 * y0 * z1 * (c[0].conj() * c[2]).real
    parallel += 2.0 * x0 * y1 * z1 * (c[1].conj() * c[2]).real
    return (xx + yy + zz) * (squares[0] + squares[1] + squares[2]) - parallel


def spline_square(theta: Three, c: Three) -> np.ndarray:
    """Mean square over all space of waves of a spline.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    c : three ndarrays of complex
        Coefficients.

    Returns
    -------
    ndarray
        Of each wave, with its aliases.
    """
    x, y, z = (overlaps(one)[0] for one in theta)
    return x * y * z * sum(np.abs(part) ** 2 for part in c)


def linear_square(theta: Three, c: Three) -> np.ndarray:
    """Mean square over all space of waves that are interpolated linearly.

    Parameters
    ----------
    theta : three ndarrays
        Phases per cell along each axis [rad].
    c : three ndarrays of complex
        Values at the points.

    Returns
    -------
    ndarray
        Of each wave, with its aliases.
    """
    x, y, z = map(at_points, theta)
    return x * y * z * sum(np.abs(part) ** 2 for part in c)


Coefficients = Callable[[Three, Three], list[np.ndarray]]
Square = Callable[[Three, Three], np.ndarray]

RULES: dict[str, tuple[Coefficients, Square]] = {
    "potential": (potential_coefficients, potential_square),
    "spline": (spline_coefficients, spline_square),
    "trilinear": (values_at_points, linear_square),
}
"""Coefficients for given waves, and the mean square that follows, of each interpolation."""
