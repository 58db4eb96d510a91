"""Job of the runs: the gradient inside a spherical region per uniform gradient far outside."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.boundary import Ball, Unbounded
from mcprop.kernels.region import region_walk
from mcprop.moments import Moments
from mcprop.region import STEP, Region
from mcprop.transport import Outcome, finite, stream


@dataclass(frozen=True)
class RegionJob:
    """Backward histories from an observer in a spherical region to the medium around it.

    A history scores the density 1 and the vector (parallel, perp, perp): the gradient that it meets
    for one of unit components far outside. `mcprop.region.Gradients.of` reads its moments. The two
    come from separate walks, so they are independent.

    Parameters
    ----------
    name : tuple
        What the job computes; names its random stream.
    region : Region
        The sphere.
    along, across : float
        Place of the observer along and across the region's axis, from the centre [pc]. Off the
        centre a factor is the mean one between the plane of symmetry and the observer; across the
        axis, the one in the direction of the observer.
    step : float
        Rms step along an axis of space over the thickness of the wall.
    boundary : float
        Radius at which the density is that of the undisturbed gradient [pc]; by default infinite.

    Raises
    ------
    RangeError
        For an observer in the wall or outside, a boundary too close to the wall, or a step that is
        not between 0 and 1.
    """

    name: tuple[Any, ...]
    region: Region
    along: float = 0.0
    across: float = 0.0
    step: float = STEP
    boundary: float = np.inf

    def __post_init__(self) -> None:
        region = self.region
        inner, outer = region.radius - 0.5 * region.wall, region.radius + 1.5 * region.wall
        if not math.hypot(self.along, self.across) <= inner:
            raise RangeError(
                f"along = {self.along!r} pc and across = {self.across!r} pc must lie within the "
                f"wall, {inner:g} pc from the centre."
            )
        if not self.boundary > outer:
            raise RangeError(f"boundary = {self.boundary!r} pc must lie beyond {outer:g} pc.")
        if not 0.0 < self.step <= 1.0:
            raise RangeError(f"step = {self.step!r} must lie between 0 and 1.")

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`; there is no tally."""
        parallel, some = self.weights(True, seed, first, n)
        perp, more = self.weights(False, seed, first, n)
        scores = np.column_stack([parallel, perp, perp])
        good, _ = finite(scores, scores)
        fates = np.array([len(good), 0, 0, n - len(good)])
        moments, parts = Moments.split(np.ones(len(good)), good)
        return Outcome(moments, None, fates, some + more, parts=parts)

    def halved(self) -> RegionJob:
        """The same with steps of half the time, on a random stream of its own."""
        return replace(self, name=(*self.name, "halved"), step=self.step / math.sqrt(2.0))

    def weights(self, along: bool, seed: int, first: int, n: int) -> tuple[np.ndarray, int]:
        """Weights of the walks along or across the axis, and the number of their steps."""
        axis, scores = self.region.axis(along, self.step), np.ones(n)
        if axis.lifted == axis.outside:  # no wall for this axis: each weight is one
            return scores, 0
        place = (self.along, self.across, 0.0) if along else (self.across, 0.0, self.along)
        exterior = Ball(self.boundary) if np.isfinite(self.boundary) else Unbounded()
        steps = region_walk(
            axis,
            exterior,
            np.array(place, dtype=np.float64),
            np.uint64(seed),
            stream(*self.name, "parallel" if along else "perp"),
            np.uint64(first),
            scores,
            np.zeros(4, dtype=np.int64),
        )
        return scores, steps
