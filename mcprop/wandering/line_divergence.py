"""Lines that begin close to each other, and part exponentially."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.protocol import step_scale
from mcprop.wandering.given_field import warn_of_period
from mcprop.wandering.realisations import Estimate, each_realisation, estimate, positive, seeded
from mcprop.wandering.tracing import (
    begin,
    check_counts,
    first_after,
    make_stepping,
    whole_lines,
)

CLOSE = 1e-6
"""Distance of the lines of a pair, in units of the `step_scale`."""

LARGEST_SCALE = 1e6
"""Bound [pc] of the scale that is taken for this, where a field hardly varies."""


@dataclass(frozen=True)
class LineDivergence:
    """How fast lines part that are infinitely close.

    Attributes
    ----------
    s : ndarray, shape (records,)
        Arc length [pc].
    logarithms : ndarray, shape (realisations, records)
        Mean over the pairs of a realisation of ln(distance/first distance).
    seed : int
        Seed of the study.
    """

    s: np.ndarray
    logarithms: np.ndarray
    seed: int

    def __repr__(self) -> str:
        realisations, records = self.logarithms.shape
        found = f"{realisations} realisations, {records} records to {self.s[-1]:g} pc"
        try:
            found += f", rate() {self.rate()} /pc"
        except RangeError:  # too few records
            found += f", rate {estimate(self.logarithms[:, -1] / self.s[-1])} /pc from the start"
        return f"LineDivergence({found}, seed {self.seed})"

    def rate(self, after: float | None = None) -> Estimate:
        """Exponential growth rate, the largest Lyapunov exponent of the lines.

        Parameters
        ----------
        after : float, optional
            From the first record at this distance or beyond [pc]: pairs have to turn into the
            direction that grows fastest. By default a quarter of the length.

        Returns
        -------
        Estimate
            Rate [1/pc] and its error.

        Raises
        ------
        RangeError
            If fewer than two records are left.
        """
        first = first_after(self.s, 0.25 * self.s[-1] if after is None else after)
        growth = self.logarithms[:, -1] - self.logarithms[:, first]
        return estimate(growth / (self.s[-1] - self.s[first]))

    def lyapunov_length(self, after: float | None = None) -> Estimate:
        """Length over which the distance of close lines grows by a factor e.

        Parameters
        ----------
        after : float, optional
            As for `rate`.

        Returns
        -------
        Estimate
            Length [pc] and its error, to first order; infinite where nothing grows.
        """
        value, error = self.rate(after)
        if not value > 0.0:
            return Estimate(math.inf, math.inf)
        return Estimate(1.0 / value, error / value**2)


def line_divergence(
    field_of: Callable[[int], Any],
    length: float,
    realisations: int,
    pairs: int,
    seed: int,
    *,
    records: int = 100,
    step: float | None = None,
    tolerance: float | None = None,
    box: float | None = None,
    workers: int | None = None,
) -> LineDivergence:
    """Growth of the distance of close lines, averaged over realisations of a random field.

    Pairs start at a distance of 1e-6 `step_scale` across z. At each record the second line is moved
    back to that distance from the first, in the direction in which it lies. Both are taken at equal
    arc length: the part of the distance along the line grows with the part across, not faster.

    Parameters
    ----------
    field_of, length, realisations, seed, step, tolerance, box, workers
        As for `line_spread`; the field needs no mean.
    pairs : int
        Pairs of lines in each realisation.
    records : int
        How often distances are recorded and reset; between two records they should not grow by more
        than a few factors of e.

    Returns
    -------
    LineDivergence

    Raises
    ------
    RangeError, ModelError
        As for `line_spread`.

    References
    ----------
    Benettin, Galgani & Strelcyn 1976, Phys. Rev. A 14, 2338.
    """
    stepping = make_stepping(step, tolerance, "length")
    far = positive("length", length, "pc")
    edge = far if box is None else positive("box", box, "pc")
    check_counts(pairs, seed, records)
    maker, stop = seeded(field_of), Event()

    def one(realisation: int) -> np.ndarray:
        field, starts, across = begin(maker, seed, realisation, pairs, edge)
        if realisation == 0:
            warn_of_period(field, far)
        close = CLOSE * min(float(step_scale(field, *starts[:, 0].tolist())), LARGEST_SCALE)
        logarithms, offset = np.empty(records), close * across
        total = np.zeros(pairs)
        for record in range(records):
            both = np.hstack([starts, starts + offset])
            ends = whole_lines(field, both, far / records, 1, stepping, stop)[0].T
            starts, apart = np.ascontiguousarray(ends[:, :pairs]), ends[:, pairs:] - ends[:, :pairs]
            growth = np.sqrt((apart**2).sum(axis=0)) / close
            total += np.log(growth)
            offset = apart / growth
            logarithms[record] = total.mean()
        return logarithms

    found = each_realisation(one, realisations, workers, stop)
    s = far * np.arange(1, records + 1) / records
    return LineDivergence(s, np.array(found), seed)
