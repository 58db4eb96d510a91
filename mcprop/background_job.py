"""The job of the Galactic background: its density and gradient at one rigidity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from mcprop.background import Background
from mcprop.dipole import Moments
from mcprop.kernels.launch import frames
from mcprop.kernels.residence import residence_walk
from mcprop.transport import Outcome, stream, tallied


class Vectors(NamedTuple):
    """Scores of a batch of histories: density and vector, and how the batch went.

    density : ndarray, shape (n,); vector : ndarray, shape (n, 3), ICRS, its mean over that of the
    density is the dipole; axes : ndarray, shape (n, 3, 3), three random axes of each history;
    fates : ndarray, shape (4,); steps : int.
    """

    density: np.ndarray
    vector: np.ndarray
    axes: np.ndarray
    fates: np.ndarray
    steps: int

    def outcome(self, nside: int) -> Outcome:
        """Moments, and a tally of the vectors along the axes; what is no number is left out."""
        good = np.isfinite(self.density) & np.isfinite(self.vector).all(axis=1)
        density, vector, axes = self.density[good], self.vector[good], self.axes[good]
        moments = Moments.of(density, vector)
        seen = np.einsum("nj,nkj->nk", vector, axes)
        both = np.stack([axes, -axes], axis=2).reshape(-1, 3)
        tally = tallied(nside, both, np.stack([seen, -seen], axis=2).ravel(), moments)
        return Outcome(moments, tally, self.fates, self.steps)


@dataclass(frozen=True)
class BackgroundJob:
    """Histories from the Sun until they escape from the Galaxy, on common random numbers.

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

    def vectors(self, seed: int, first: int, n: int) -> Vectors:
        """Scores of histories `first` ... `first + n - 1`."""
        setting = self.background
        scores, fates = np.empty((n, len(setting.starts))), np.zeros(4, dtype=np.int64)
        axes = np.empty((n, 9))
        key = np.uint64(seed), stream(*self.name), np.uint64(first)
        args = (setting.galaxy, setting.boundary, setting.guess, *key, setting.starts, self.step)
        steps = residence_walk(*args, scores, fates)
        frames(*key, axes)
        vector = setting.gradients(scores) @ self.last.T
        return Vectors(scores[:, 0], vector, axes.reshape(n, 3, 3), fates, steps)

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        return self.vectors(seed, first, n).outcome(nside)

    def halved(self) -> BackgroundJob:
        """The same with steps of half the time, on a random stream of its own."""
        return replace(self, name=(*self.name, "halved"), step=self.step / 2.0**0.5)
