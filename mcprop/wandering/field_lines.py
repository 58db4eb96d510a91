"""Field lines: how they spread across the mean field.

The mean field points along +z, and <dx^2> = 2 D_FL s for **one** component across it: the mean
square displacements here are the average of those along x and y.

>>> from mcprop.fields import UniformField
>>> from mcprop.wandering.field_lines import trace
>>> trace(UniformField(0.0, 3.0, 4.0), [(0.0, 0.0, 0.0)], 10.0)[-1, 0].round(9).tolist()
[0.0, 6.0, 8.0]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.wandering.realisations import Estimate, each_realisation, estimate, positive
from mcprop.wandering.tracing import (
    begin,
    check_counts,
    first_after,
    make_stepping,
    trace,
    whole_lines,
)

__all__ = ["LineSpread", "line_spread", "trace"]


@dataclass(frozen=True)
class LineSpread:
    """How far field lines have gone across the mean field.

    Attributes
    ----------
    s : ndarray, shape (records,)
        Arc length, or difference of z, at the records [pc].
    squares : ndarray, shape (realisations, records)
        Mean over the lines of a realisation of (dx^2 + dy^2)/2 [pc^2].
    separations : ndarray, shape (realisations, records), or None
        Mean square distance [pc^2] of lines that started at a distance `apart` from each other, at
        equal s; None if there were no neighbours.
    seed : int
        Seed of the study: the same call with it gives the same bits.
    """

    s: np.ndarray
    squares: np.ndarray
    separations: np.ndarray | None
    seed: int

    @property
    def mean_square(self) -> Estimate:
        """Mean square displacement of one component [pc^2], and its error, at each record."""
        return estimate(self.squares)

    @property
    def running(self) -> Estimate:
        """Running diffusion coefficient D_FL(s) = <dx^2>/(2 s) [pc], and its error."""
        return estimate(self.squares / (2.0 * self.s))

    @property
    def separation(self) -> Estimate:
        """Mean square distance of neighbours [pc^2], and its error.

        Raises
        ------
        RangeError
            If there were no neighbours.
        """
        if self.separations is None:
            raise RangeError("apart = None: give a distance [pc] to follow neighbours as well.")
        return estimate(self.separations)

    def plateau(self, after: float | None = None) -> Estimate:
        """Diffusion coefficient from the growth of <dx^2> between two places.

        It has left behind what <dx^2>/(2 s) still carries of the first correlation lengths.

        Parameters
        ----------
        after : float, optional
            From the first record at this distance or beyond [pc], to the last; by default half of
            the length.

        Returns
        -------
        Estimate
            D_FL [pc] and its error.

        Raises
        ------
        RangeError
            If fewer than two records are left.
        """
        first = first_after(self.s, 0.5 * self.s[-1] if after is None else after)
        growth = self.squares[:, -1] - self.squares[:, first]
        return estimate(growth / (2.0 * (self.s[-1] - self.s[first])))


def line_spread(
    field_of: Callable[[int], Any],
    length: float,
    realisations: int,
    lines: int,
    seed: int,
    *,
    records: int = 50,
    step: float | None = None,
    tolerance: float | None = None,
    by: str = "length",
    box: float | None = None,
    apart: float | None = None,
    workers: int | None = None,
) -> LineSpread:
    """Spread of field lines across the mean field, averaged over realisations of a random field.

    Parameters
    ----------
    field_of : callable
        Makes the field of a realisation from its seed (int), mean field along +z included.
    length : float
        How far lines are followed [pc].
    realisations, lines : int
        Number of fields, and of lines in each; they start at random places.
    seed : int
        Seed of the study.
    records, step, tolerance, by
        As for `trace`.
    box : float, optional
        Edge [pc] of the cube round the origin in which lines start; by default `length`.
    apart : float, optional
        If given, each line has a neighbour that starts at this distance [pc] in a random direction
        across z, and `LineSpread.separations` tells how they part.
    workers : int, optional
        Number of threads; no bit of the result depends on it.

    Returns
    -------
    LineSpread

    Raises
    ------
    RangeError
        If a number is not allowed, or a line ends on the way (see `trace`): what is left would be
        no fair sample.
    ModelError
        If `field_of` makes no model of a field.
    """
    stepping = make_stepping(step, tolerance, by)
    far = positive("length", length, "pc")
    edge = far if box is None else positive("box", box, "pc")
    gap = None if apart is None else positive("apart", apart, "pc")
    check_counts(lines, seed, records)

    def one(realisation: int) -> tuple[np.ndarray, np.ndarray | None]:
        field, starts, across = begin(field_of, seed, realisation, lines, edge)
        if gap is None:
            return _squares(starts, whole_lines(field, starts, far, records, stepping)), None
        both = np.hstack([starts, starts + gap * across])
        places = whole_lines(field, both, far, records, stepping)
        square = _squares(starts, places[:, :lines])
        distance = ((places[:, lines:] - places[:, :lines]) ** 2).sum(axis=2)
        return square, distance.mean(axis=1)

    found = each_realisation(one, realisations, workers)
    parted = None if gap is None else np.array([distance for _, distance in found])
    s = far * np.arange(1, records + 1) / records
    return LineSpread(s, np.array([square for square, _ in found]), parted, seed)


def _squares(starts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Mean square displacement of one component across z, at each record."""
    moved = places[:, :, :2] - starts[:2].T
    return np.asarray((moved**2).mean(axis=(1, 2)))
