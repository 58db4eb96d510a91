"""The job of the Galactic background: its density and gradient at one rigidity."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcprop.background import Background
from mcprop.kernels.launch import frames
from mcprop.kernels.residence import residence_walk
from mcprop.moments import Moments
from mcprop.transport import Outcome, finite, stream, tallied

PER_PIXEL = 32.0
"""Directions in a pixel of a map for each `TYPICAL` histories."""
TYPICAL = 1024
MOST_FRAMES = 64
"""Frames of a history, lest a fine map fill the memory."""


@dataclass(frozen=True)
class BackgroundJob:
    """Histories from the Sun until they escape from the Galaxy, on common random numbers.

    A history scores the density and its gradient. What it sees is linear in the direction, so it is
    looked at from many directions at no cost, for the map alone.

    Parameters
    ----------
    name : tuple
        What the job computes; names its random stream.
    background : Background
        The Galaxy, and the places from which copies start.
    last : ndarray, shape (3, 2)
        Takes the derivatives of the density by r and z [1/pc] to the vector 3 kappa grad / v of
        the dipole, ICRS axes.
    step : float
        Rms length of a step in units of the scale of the medium.
    """

    name: tuple[Any, ...]
    background: Background
    last: np.ndarray
    step: float

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        setting = self.background
        scores, fates = np.empty((n, len(setting.starts))), np.zeros(4, dtype=np.int64)
        key = np.uint64(seed), stream(*self.name), np.uint64(first)
        args = (setting.galaxy, setting.boundary, setting.guess, *key, setting.starts, self.step)
        steps = residence_walk(*args, scores, fates)
        axes = self.axes(seed, first, n, nside)
        scores, axes = finite(scores, axes)
        vectors = setting.gradients(scores) @ self.last.T
        moments, parts = Moments.split(scores[:, 0], vectors)
        seen = np.einsum("nj,nkj->nk", vectors, axes)
        both = np.stack([axes, -axes], axis=2).reshape(-1, 3)
        tally = tallied(nside, both, np.stack([seen, -seen], axis=2).ravel(), moments)
        return Outcome(moments, tally, fates, steps, parts=parts)

    def axes(self, seed: int, first: int, n: int, nside: int) -> np.ndarray:
        """Axes of random frames, as many as a map of `nside` needs, shape (n, axes, 3)."""
        count = min(math.ceil(PER_PIXEL * 12.0 * nside * nside / (6.0 * TYPICAL)), MOST_FRAMES)
        turned = np.empty((n * count, 9))
        frames(np.uint64(seed), stream(*self.name, "axes"), np.uint64(first * count), turned)
        return turned.reshape(n, 3 * count, 3)

    def halved(self) -> BackgroundJob:
        """The same with steps of half the time, on a random stream of its own."""
        return replace(self, name=(*self.name, "halved"), step=self.step / math.sqrt(2.0))
