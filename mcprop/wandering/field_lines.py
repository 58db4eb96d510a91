"""Field lines: how they spread across the mean field.

The mean field points along +z, and mean square displacements are those of **one** component across
it, the average of x and y. There are two coefficients: by arc length, <dx^2> = 2 D_s s, and by
height, <dx^2> = 2 D_z z, with D_z = D_s/<dz/ds>. Lines that bend are longer than they are high, so
D_s is the smaller one. The laws of `mcprop.analytic.wandering` are for D_z; what diffuses along
lines, as in `compound_msd`, needs D_s.

Lines start evenly in space. Followed by length they meet strong fields more and more often, because
more length of line lies there, so that places along a line are not quite alike; of the coefficient
this changes less than one per cent.

>>> from mcprop.fields import UniformField
>>> from mcprop.wandering.field_lines import trace
>>> trace(UniformField(0.0, 3.0, 4.0), [(0.0, 0.0, 0.0)], 10.0)[-1, 0].round(9).tolist()
[0.0, 6.0, 8.0]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.wandering.given_field import warn_of_period
from mcprop.wandering.realisations import (
    Estimate,
    check_mean,
    each_realisation,
    estimate,
    positive,
    seeded,
)
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
    heights : ndarray, shape (realisations, records)
        Mean over the lines of a realisation of dz [pc].
    separations : ndarray, shape (realisations, records), or None
        Mean square distance [pc^2] of lines that started at a distance `apart` from each other, at
        equal s; None if there were no neighbours.
    seed : int
        Seed of the study: the same call with it gives the same bits.
    """

    s: np.ndarray
    squares: np.ndarray
    heights: np.ndarray
    separations: np.ndarray | None
    seed: int

    def __repr__(self) -> str:
        realisations, records = self.squares.shape
        found = f"{realisations} realisations, {records} records to {self.s[-1]:g} pc"
        try:
            found += f", late() {self.late()} pc, per_height() {self.per_height()} pc"
        except RangeError:  # too few records
            found += f", running {estimate(self.squares[:, -1] / (2.0 * self.s[-1]))} pc at the end"
        return f"LineSpread({found}, seed {self.seed})"

    @property
    def mean_square(self) -> Estimate:
        """Mean square displacement of one component [pc^2], and its error, at each record."""
        return estimate(self.squares)

    @property
    def running(self) -> Estimate:
        """Running diffusion coefficient D_s = <dx^2>/(2 s) [pc], and its error; D_z by "z"."""
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

    def late(self, after: float | None = None) -> Estimate:
        """Diffusion coefficient D_s by arc length, from the growth of <dx^2> between two places.

        It has left behind what <dx^2>/(2 s) still carries of the first correlation lengths; whether
        it has come to rest is not tested. Of lines followed by "z" it is D_z.

        Parameters
        ----------
        after : float, optional
            From the first record at this distance or beyond [pc], to the last; by default half of
            the length.

        Returns
        -------
        Estimate
            D_s [pc] and its error.

        Raises
        ------
        RangeError
            If fewer than two records are left.
        """
        first = self._first(after)
        growth = self.squares[:, -1] - self.squares[:, first]
        return estimate(growth / (2.0 * (self.s[-1] - self.s[first])))

    def per_height(self, after: float | None = None) -> Estimate:
        """Diffusion coefficient D_z by height, which the laws are for.

        Parameters
        ----------
        after : float, optional
            As for `late`.

        Returns
        -------
        Estimate
            D_z = D_s/<dz/ds> [pc], the growth of <dx^2>/2 over that of <dz>, and its error to first
            order.

        Raises
        ------
        RangeError
            If fewer than two records are left.
        """
        first = self._first(after)
        growth = 0.5 * (self.squares[:, -1] - self.squares[:, first])
        risen = self.heights[:, -1] - self.heights[:, first]
        value = growth.mean() / risen.mean()
        return Estimate(value, estimate(growth - value * risen).error / abs(risen.mean()))

    def _first(self, after: float | None) -> int:
        return first_after(self.s, 0.5 * self.s[-1] if after is None else after)


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
        Makes the field of a realisation from its seed (int), mean field along +z included. Of
        waves it makes others of each seed; errors know only of the scatter that it brings.
    length : float
        How far lines are followed [pc]. On a periodic grid it should not exceed the period along
        z: lines that meet the same waves again may spread twice as fast, and a warning tells.
    realisations, lines : int
        Number of fields, and of lines in each; they start at random places.
    seed : int
        Seed of the study.
    records, step, tolerance, by
        As for `trace`. Strong turbulence cannot be followed by "z", because lines turn back: see
        `LineSpread.per_height`.
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
        If `field_of` makes no model of a field, one whose mean is not along +z or cannot be told
        from zero, one that tells no scale where there is no step, or the same waves of two seeds.
    """
    stepping = make_stepping(step, tolerance, by)
    far = positive("length", length, "pc")
    edge = far if box is None else positive("box", box, "pc")
    gap = None if apart is None else positive("apart", apart, "pc")
    check_counts(lines, seed, records)
    maker, stop = seeded(field_of), Event()

    def one(realisation: int) -> tuple[np.ndarray, ...]:
        field, starts, across = begin(maker, seed, realisation, lines, edge)
        if realisation == 0:
            check_mean(field, seed)
            warn_of_period(field, far)
        if gap is None:
            return _moved(starts, whole_lines(field, starts, far, records, stepping, stop))
        both = np.hstack([starts, starts + gap * across])
        places = whole_lines(field, both, far, records, stepping, stop)
        distance = ((places[:, lines:] - places[:, :lines]) ** 2).sum(axis=2)
        return *_moved(starts, places[:, :lines]), distance.mean(axis=1)

    found = each_realisation(one, realisations, workers, stop)
    squares, heights, *parted = np.stack(found, axis=1)
    s = far * np.arange(1, records + 1) / records
    return LineSpread(s, squares, heights, parted[0] if parted else None, seed)


def _moved(starts: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean square displacement of one component across z, and mean dz, at each record."""
    moved = places - starts.T
    return (moved[:, :, :2] ** 2).mean(axis=(1, 2)), moved[:, :, 2].mean(axis=1)
