"""Density of pairs: where a cloud that comes from a source meets one that comes from an observer.

Both clouds are carried on by one last step of the split scheme, of duration tau: half of its flow
along the lines belongs to one cloud, half to the other, with a kick of kappa_perp across the mean
field between them. Flow and kick are not drawn but summed over in closed form, on planes across the
mean field.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.planes import REACH, SCORES, cross_planes, meet_plane, sort_plane

SIDES = 4
"""Planes on either side of a particle, one standard deviation of its flow apart."""
MOST_CELLS = 512
"""Largest number of cells along an axis."""

Array = np.ndarray


class Meeting(NamedTuple):
    """The last step.

    duration : float, tau [yr]; kappa_parallel, kappa_perp : float [pc^2/yr]; offset : float, height
    of one of the planes in units of their distance; longest : float, longest Runge-Kutta step of
    the lines [pc].
    """

    duration: float
    kappa_parallel: float
    kappa_perp: float
    offset: float
    longest: float

    @property
    def flow_variance(self) -> float:
        """Variance of the way that each of both clouds flows along its lines [pc^2]."""
        return self.kappa_parallel * self.duration

    @property
    def kick_variance(self) -> float:
        """Variance of the kick between them along each axis across the mean field [pc^2]."""
        return 2.0 * self.kappa_perp * self.duration

    @property
    def spacing(self) -> float:
        """Distance of the planes [pc]."""
        return math.sqrt(self.flow_variance)


class Crossings(NamedTuple):
    """Where the lines of a cloud cross the planes: first (n,), crossing (planes, 2, n) [pc] and
    weight (planes, n) [1/pc], as `cross_planes` fills them."""

    first: Array
    crossing: Array
    weight: Array


def crossings(field: Any, places: Array, meeting: Meeting) -> Crossings:
    """Follow the lines of a cloud to the planes about it.

    Parameters
    ----------
    field : model of a magnetic field
        It points up, B_z > 0, all along these lines.
    places : ndarray, shape (3, n)
        The cloud [pc].
    meeting : Meeting

    Returns
    -------
    Crossings

    Raises
    ------
    RangeError
        If a line turns back.
    """
    n, planes = places.shape[1], 2 * SIDES
    found = Crossings(np.empty(n, np.int64), np.empty((planes, 2, n)), np.empty((planes, n)))
    steps = math.ceil(meeting.spacing / meeting.longest)
    cross_planes(
        field,
        places,
        meeting.flow_variance,
        meeting.spacing,
        meeting.offset * meeting.spacing,
        steps,
        *found,
    )
    if not np.isfinite(found.weight).all():
        raise RangeError(
            "field: a line turns back against the mean field; the turbulence must be weak enough "
            "for B_z > 0 all along the lines."
        )
    return found


def meet(
    sources: Crossings, observers: Crossings, scores: Array, meeting: Meeting
) -> tuple[Array, Array]:
    """Sum over the pairs of the cloud of the source with that of the observer.

    Parameters
    ----------
    sources, observers : Crossings
        Of M and of N particles.
    scores : ndarray, shape (SCORES, N)
        Factors of the observer's particles.
    meeting : Meeting

    Returns
    -------
    rows : ndarray, shape (N,)
        Density at each of the observer's particles: the mean over the source's [pc^-3].
    columns : ndarray, shape (SCORES, M)
        The same pairs, as the mean over the observer's particles, times each of the scores.
    """
    count, number = sources.weight.shape[1], observers.weight.shape[1]
    rows, columns = np.zeros(number), np.zeros((SCORES, count))
    order, points = np.empty(count, np.int64), np.empty((3, count))
    for plane in range(int(observers.first.min()), int(observers.first.max()) + 2 * SIDES):
        corner, size, cells = _cells(plane, observers, meeting)
        if not cells:
            continue
        begin = np.empty(cells * cells + 1, np.int64)
        there = sort_plane(plane, *sources, corner, size, cells, begin, order, points)
        shares = np.zeros((SCORES, there))
        meet_plane(
            plane,
            *observers,
            scores,
            meeting.kick_variance,
            meeting.spacing,
            corner,
            size,
            cells,
            begin,
            points,
            rows,
            shares,
        )
        columns[:, order[:there]] += shares
    return rows / count, columns / number


def _cells(plane: int, observers: Crossings, meeting: Meeting) -> tuple[Array, float, int]:
    """Corner [pc], size [pc] and number of cells along an axis that hold the observer's cloud.

    There is an empty cell at each margin, so that every particle has neighbours on all sides.
    """
    record = plane - observers.first
    here = np.flatnonzero((record >= 0) & (record < 2 * SIDES))
    if not len(here):
        return np.zeros(2), 0.0, 0
    places = observers.crossing[record[here], :, here]
    low, high = places.min(axis=0), places.max(axis=0)
    extent = float((high - low).max())
    size = max(REACH * math.sqrt(meeting.kick_variance), extent / MOST_CELLS)
    return low - size, size, int(extent / size) + 3
