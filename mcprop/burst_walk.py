"""The way of histories through the uniform medium around a burst."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.source import Burst, WalkedBurst


@dataclass(frozen=True)
class BurstWalk:
    """The way of histories through the uniform medium around a burst.

    Parameters
    ----------
    burst : Burst
        The source, in the axes of the medium.
    last : float
        Time left to the closed form [yr]; equal to the age, nothing is walked.
    steps : int
        Steps of the walk.
    drift : tuple of float
        Drift toward the source by which histories are sampled, undone by their weights [pc/yr].
    mirrored : float
        0.5 for antithetic pairs of paths, 0 for single ones.
    """

    burst: Burst
    last: float
    steps: int
    drift: tuple[float, float, float]
    mirrored: float

    def density(
        self, seed: np.uint64, stream_: np.uint64, first: int, n: int
    ) -> WalkedBurst | Burst:
        """Walk histories `first` ... `first + n - 1`; the density that they meet."""
        burst = self.burst
        if self.last >= burst.age:
            return burst
        pairs = (self.steps + 1) // 2
        kicks = np.empty((1, 3, n))
        medium = Aligned(burst.field, burst.kappa_parallel, burst.kappa_perp, 0.0, 0.0, 0.0)
        step = (burst.age - self.last) / (2 * pairs)
        walk(medium, seed, stream_, np.uint64(first), np.zeros(3), pairs, step, kicks)
        return WalkedBurst(burst, kicks, self.last, *self.drift, self.mirrored)

    def halved(self) -> BurstWalk | None:
        """The same with twice as many steps; None if nothing is walked."""
        return replace(self, steps=2 * self.steps_walked) if self.steps_walked else None

    def shortened(self) -> BurstWalk | None:
        """The same with half the last leg, walked in steps as long; None if nothing is walked."""
        age, last = self.burst.age, 0.5 * self.last
        if self.last >= age:
            return None
        longer = (age - last) / (age - self.last)
        x, y, z = self.drift
        drift = (x / longer, y / longer, z / longer)
        return replace(self, last=last, steps=math.ceil(longer * self.steps), drift=drift)

    @property
    def steps_walked(self) -> int:
        """Steps per history."""
        return 0 if self.last >= self.burst.age else 2 * ((self.steps + 1) // 2)
