"""How a density changes where its observer moves, from its values at the end of a short leg.

The observer's particles end their leg at places X, where the density of what goes on from there,
phi(X), is known with noise and only once: phi differs too little between places that began a small
distance apart. It is smooth, though, and smoothest in the coordinates of field lines: the place
where the line through X passes the observer's height, and the height of X. A polynomial in these is
fitted to phi, and E phi(X) for a displaced observer is the mean of the polynomial over his places.
That is linear in phi: a weight for each particle. Were X normal, a polynomial of the first degree
would give the derivative of the mean of any phi whatever (Stein's identity).
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.planes import to_height

DEGREE = 3
"""Degree of the polynomial."""
FARTHEST_LABEL = 3.0
"""Where coordinates level off, in half widths of the middle two thirds of the cloud."""

Array = np.ndarray


class Frame(NamedTuple):
    """Centre and half width of the coordinates of a cloud, both of shape (3, 1) [pc]."""

    centre: Array
    width: Array


def line_coordinates(field: Any, places: Array, height: float, longest: float) -> Array:
    """Coordinates of places that are almost constant along field lines, but for one.

    Parameters
    ----------
    field : model of a magnetic field
        It points up, B_z > 0, all along these lines.
    places : ndarray, shape (3, n)
        Places [pc].
    height : float
        z [pc] of the plane on which lines are told apart.
    longest : float
        Longest Runge-Kutta step [pc].

    Returns
    -------
    ndarray, shape (3, n)
        x and y [pc] of the line at that height, and z of the place [pc].

    Raises
    ------
    RangeError
        If a line turns back.
    """
    found = places.copy()
    to_height(field, height, longest, found)
    if not np.isfinite(found).all():
        raise RangeError(
            "field: a line turns back against the mean field; the turbulence must be weak enough "
            "for B_z > 0 all along the lines."
        )
    found[2] = places[2]
    return found


def frame_of(coordinates: Array) -> Frame:
    """Centre and width of a cloud.

    Parameters
    ----------
    coordinates : ndarray, shape (3, n)

    Returns
    -------
    Frame
    """
    low, middle, high = np.quantile(coordinates, (0.16, 0.5, 0.84), axis=1)
    return Frame(middle[:, None], 0.5 * (high - low)[:, None])


def polynomials(coordinates: Array, frame: Frame) -> Array:
    """All products of at most `DEGREE` coordinates, in units of the cloud's width.

    Parameters
    ----------
    coordinates : ndarray, shape (3, n)
    frame : Frame

    Returns
    -------
    ndarray, shape (20, n)
    """
    unit = (coordinates - frame.centre) / frame.width
    unit = FARTHEST_LABEL * np.tanh(unit / FARTHEST_LABEL)
    every = [np.ones(unit.shape[1])]
    for degree in range(1, DEGREE + 1):
        for chosen in combinations_with_replacement(range(3), degree):
            every.append(np.prod(unit[list(chosen)], axis=0))
    return np.stack(every)


class LineScores(NamedTuple):
    """Weights with which particles count, and what their own displacement adds.

    weights : ndarray, shape (k, n), of the value at each particle; basis : ndarray, shape (p, n),
    the polynomials there; moved : ndarray, shape (k, p, n), combination of polynomials of displaced
    particles whose mean is sought.
    """

    weights: Array
    basis: Array
    moved: Array

    def influence(self, values: Array) -> Array:
        """What each particle contributes to the k means, shape (k, n); their mean is the answer.

        Parameters
        ----------
        values : ndarray, shape (n,)
            phi at each particle.
        """
        fit = np.linalg.lstsq(self.basis.T, values, rcond=None)[0]
        rest = values - fit @ self.basis
        return np.asarray(self.weights * rest + np.einsum("p,kpn->kn", fit, self.moved))


def line_scores(basis: Array, moved: Array) -> LineScores:
    """Weights that give means of the fitted polynomial.

    Parameters
    ----------
    basis : ndarray, shape (p, n)
        `polynomials` at the particles whose values are known.
    moved : ndarray, shape (k, p, n)
        Combinations of polynomials of displaced particles.

    Returns
    -------
    LineScores
    """
    target = moved.mean(axis=2)
    normal = basis @ basis.T / basis.shape[1]
    return LineScores(np.linalg.solve(normal, target.T).T @ basis, basis, moved)
