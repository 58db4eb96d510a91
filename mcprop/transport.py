"""Jobs: one transported quantity at one rigidity, in batches that any worker may take."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from mcprop.burst_walk import BurstWalk
from mcprop.cloud import Slab
from mcprop.kernels.analog import analog_walk
from mcprop.kernels.boost import boost_pairs
from mcprop.kernels.launch import directions, frames
from mcprop.kernels.score import score_directions, score_frames
from mcprop.kernels.slab import slab_walk
from mcprop.moments import Moments
from mcprop.observer import Observer
from mcprop.sky import SkyTally
from mcprop.source import SteadyDensity

FATES = ("escaped", "aged out", "arrived", "lost")


def stream(*name: Any) -> np.uint64:
    """Random stream of a job: 64 bits of what it computes, not of when or beside what it runs."""
    digest = hashlib.sha256(repr(name).encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "little"))


@dataclass
class Outcome:
    """What a batch of histories yields; outcomes add.

    Parameters
    ----------
    moments : Moments
        Of density and dipole.
    tally : SkyTally or None
        Scores by arrival direction.
    fates : ndarray, shape (4,)
        Histories by fate, in the order of `FATES`.
    steps : int
        Steps walked, all copies counted.
    cpu : float
        Processor time [s].
    parts : tuple of Moments
        Of slices of the batch in the order of the histories; a sum of outcomes has none.
    """

    moments: Moments = field(default_factory=Moments)
    tally: SkyTally | None = None
    fates: np.ndarray = field(default_factory=lambda: np.zeros(len(FATES), dtype=np.int64))
    steps: int = 0
    cpu: float = 0.0
    parts: tuple[Moments, ...] = ()

    @property
    def histories(self) -> int:
        """Number of histories, each of which has one fate."""
        return int(self.fates.sum())

    def __add__(self, other: Outcome) -> Outcome:
        if self.tally is None or other.tally is None:
            tally = self.tally or other.tally
        else:
            tally = self.tally + other.tally
        return Outcome(
            self.moments + other.moments,
            tally,
            self.fates + other.fates,
            self.steps + other.steps,
            self.cpu + other.cpu,
        )


class Job(Protocol):
    """Anything that can run a batch: histories `first` ... `first + n - 1` under `seed`."""

    @property
    def name(self) -> tuple[Any, ...]:
        """What the job computes; names its random stream."""

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run the batch; a tally of `nside` 0 is left out."""


class Task(NamedTuple):
    """What a job has to do in a batch: histories `first` ... `first + n - 1`, maps of `nside`.

    There is no job in a task without histories, so that none is sent to a worker in vain.
    """

    job: Job | None
    first: int
    n: int
    nside: int


def run_batch(tasks: Sequence[Task], seed: int) -> list[Outcome]:
    """Run a batch; any worker may, who needs nothing but this package.

    Parameters
    ----------
    tasks : sequence of Task
        One for each job of an energy.
    seed : int
        Seed of the run.

    Returns
    -------
    list of Outcome
        In the order of the tasks; the empty one for a task without histories.
    """
    return [
        Outcome() if job is None else run_job(job, seed, first, n, nside)
        for job, first, n, nside in tasks
    ]


def run_job(job: Job, seed: int, first: int, n: int, nside: int) -> Outcome:
    """Run histories `first` ... `first + n - 1` of a job, timed; each has exactly one fate.

    Raises
    ------
    RuntimeError
        If the fates do not add up to the histories launched.
    """
    start = time.thread_time()
    outcome = job.run(seed, first, n, nside)
    outcome.cpu = time.thread_time() - start
    if outcome.histories != n:
        raise RuntimeError(f"{n} histories were launched, {outcome.histories} have a fate.")
    return outcome


def from_frames(
    scores: np.ndarray, frames_: np.ndarray, share: float, nside: int
) -> tuple[Moments, SkyTally | None, tuple[Moments, ...]]:
    """Moments, tally and parts of histories that looked up and down three axes each.

    The tally takes half the difference, so that a map is first order in the mean free path.

    Parameters
    ----------
    scores : ndarray, shape (n, 6)
        Density seen along + and - each axis.
    frames_ : ndarray, shape (n, 9)
        The axes.
    share : float
        Part of the mean free path by which the histories were displaced.
    nside : int
        Resolution of the tally; 0 for none.
    """
    axes = frames_.reshape(-1, 3, 3)
    mean = scores.mean(axis=1)
    halves = (scores[:, 0::2] - scores[:, 1::2]) / (2.0 * share)
    moments, parts = Moments.split(mean, np.einsum("nk,nkj->nj", halves, axes))
    both = np.stack([axes, -axes], axis=2).reshape(-1, 3)
    tally = tallied(nside, both, np.stack([halves, -halves], axis=2).ravel(), moments)
    return moments, tally, parts


def from_directions(
    scores: np.ndarray, arrivals: np.ndarray, nside: int
) -> tuple[Moments, SkyTally | None, tuple[Moments, ...]]:
    """Moments, tally, parts of histories with one arrival direction (n, 3) and score (n,) each."""
    moments, parts = Moments.split(scores, 3.0 * scores[:, None] * arrivals)
    others = (scores.sum() - scores) / max(len(scores) - 1, 1)  # without bias by the score itself
    return moments, tallied(nside, arrivals, scores - others, moments), parts


def tallied(
    nside: int, arrivals: np.ndarray, values: np.ndarray, moments: Moments
) -> SkyTally | None:
    """Bin values (N,) by arrival direction (N, 3) [ICRS]; nothing for an `nside` of 0."""
    if not nside:
        return None
    tally = SkyTally(nside)
    tally.add(arrivals, values, moments)
    return tally


def finite(scores: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out histories whose score is not a number: they are lost, and counted as such."""
    good = np.isfinite(scores).reshape(len(scores), -1).all(axis=1)
    return (scores, where) if good.all() else (scores[good], where[good])


def all_arrived(scores: np.ndarray) -> np.ndarray:
    """Fates of histories that reach their source's kernel, unless their score is not a number."""
    lost = int((~np.isfinite(scores).reshape(len(scores), -1).all(axis=1)).sum())
    return np.array([0, 0, len(scores) - lost, lost])


@dataclass(frozen=True)
class CloudJob:
    """Histories from the Sun through the cloud, on common random numbers.

    Parameters
    ----------
    name : tuple
        What the job computes; names its random stream.
    slab : Slab
        The cloud.
    outside : SteadyDensity or BurstWalk
        What histories meet where they leave.
    observer : Observer
        The Sun.
    tilt_rate : float
        Rate [1/pc] of the exponential by which a tilted slab's scores are multiplied; 0 for an
        untilted one.
    """

    name: tuple[Any, ...]
    slab: Slab
    outside: SteadyDensity | BurstWalk
    observer: Observer
    tilt_rate: float = 0.0

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        density, walked = met_outside(self.outside, self.name, seed, first, n)
        scores, axes, fates = np.empty((n, 6)), np.empty((n, 9)), np.zeros(4, dtype=np.int64)
        key, start, reach = np.uint64(seed), np.uint64(first), self.observer.reach
        steps = slab_walk(
            self.slab, density, key, stream(*self.name), start, reach, scores, axes, fates
        )
        if self.tilt_rate:
            deeper = axes.reshape(n, 3, 3) @ reach[0]
            scores[:, 0::2] *= np.exp(-self.tilt_rate * (self.slab.depth + deeper))
            scores[:, 1::2] *= np.exp(-self.tilt_rate * (self.slab.depth - deeper))
        moments, tally, parts = from_frames(*finite(scores, axes), self.observer.share, nside)
        return Outcome(moments, tally, fates, steps + walked, parts=parts)

    def halved(self) -> CloudJob:
        """The same with half the step, on a random stream of its own."""
        slab, outside = self.slab._replace(step=self.slab.step / 2.0), self.outside
        finer = None if isinstance(outside, SteadyDensity) else outside.halved()
        return replace(self, name=(*self.name, "halved"), slab=slab, outside=finer or outside)

    def shortened(self) -> CloudJob | None:
        """The same with half the last leg, on a random stream of its own; None without a leg."""
        walk = None if isinstance(self.outside, SteadyDensity) else self.outside.shortened()
        if walk is None:
            return None
        return replace(self, name=(*self.name, "shortened"), outside=walk)


@dataclass(frozen=True)
class BurstJob:
    """Histories from the Sun through a uniform medium to a burst, on common random numbers.

    Parameters
    ----------
    name : tuple
        What the job computes; names its random stream.
    outside : BurstWalk
        The way to the source.
    observer : Observer
        The Sun.
    """

    name: tuple[Any, ...]
    outside: BurstWalk
    observer: Observer

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        density, walked = met_outside(self.outside, self.name, seed, first, n)
        scores, axes = np.empty((n, 6)), np.empty((n, 9))
        frames(np.uint64(seed), stream(*self.name), np.uint64(first), axes)
        score_frames(density, self.observer.reach, axes, scores)
        moments, tally, parts = from_frames(*finite(scores, axes), self.observer.share, nside)
        return Outcome(moments, tally, all_arrived(scores), walked, parts=parts)

    def halved(self) -> BurstJob | None:
        """The same with half the step, on a random stream of its own; None without a step."""
        finer = self.outside.halved()
        if finer is None:
            return None
        return replace(self, name=(*self.name, "halved"), outside=finer)

    def shortened(self) -> BurstJob | None:
        """The same with half the last leg, on a random stream of its own; None without a leg."""
        walk = self.outside.shortened()
        if walk is None:
            return None
        return replace(self, name=(*self.name, "shortened"), outside=walk)


@dataclass(frozen=True)
class AnalogCloudJob:
    """Analog histories through the cloud, one direction each; parameters as in `CloudJob`."""

    name: tuple[Any, ...]
    slab: Slab
    outside: SteadyDensity | BurstWalk
    observer: Observer

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        density, walked = met_outside(self.outside, self.name, seed, first, n)
        scores, arrivals, fates = np.empty(n), np.empty((n, 3)), np.zeros(4, dtype=np.int64)
        key, start, reach = np.uint64(seed), np.uint64(first), self.observer.reach
        steps = analog_walk(
            self.slab, density, key, stream(*self.name), start, reach, scores, arrivals, fates
        )
        moments, tally, parts = from_directions(*finite(scores, arrivals), nside)
        return Outcome(moments, tally, fates, steps + walked, parts=parts)


@dataclass(frozen=True)
class AnalogBurstJob:
    """Analog histories to a burst: one random direction each; parameters as in `BurstJob`."""

    name: tuple[Any, ...]
    outside: BurstWalk
    observer: Observer

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        density, walked = met_outside(self.outside, self.name, seed, first, n)
        scores, arrivals = np.empty(n), np.empty((n, 3))
        directions(np.uint64(seed), stream(*self.name), np.uint64(first), arrivals)
        score_directions(density, self.observer.reach, arrivals, scores)
        moments, tally, parts = from_directions(*finite(scores, arrivals), nside)
        return Outcome(moments, tally, all_arrived(scores), walked, parts=parts)


@dataclass(frozen=True)
class BoostJob:
    """Pairs of arrivals from an isotropic gas, boosted into the frame of a moving observer.

    Parameters
    ----------
    name : tuple
        What the job computes; names its random stream.
    energy, mass : float
        Of the particle, for the observer [GeV].
    index : float
        The intensity in the gas falls as momentum^-index.
    velocity : tuple of float
        Of the observer in the gas, in units of c, ICRS axes.
    """

    name: tuple[Any, ...]
    energy: float
    mass: float
    index: float
    velocity: tuple[float, float, float]

    def run(self, seed: int, first: int, n: int, nside: int) -> Outcome:
        """Run histories `first` ... `first + n - 1`."""
        arrivals, seen, weight = np.empty((n, 2, 3)), np.empty((n, 2)), np.empty((n, 2))
        key, start, velocity = np.uint64(seed), np.uint64(first), np.array(self.velocity)
        args = (self.energy, self.mass, self.index, velocity, key, stream(*self.name), start)
        boost_pairs(*args, arrivals, seen, weight)
        fates = all_arrived(weight)
        good = np.isfinite(weight).all(axis=1)
        arrivals, seen, weight = arrivals[good], seen[good], weight[good]
        vectors = 1.5 * np.einsum("nk,nkj->nj", weight, arrivals)
        moments, parts = Moments.split(weight.mean(axis=1), vectors)
        tally = tallied(nside, arrivals.reshape(-1, 3), seen.ravel() - 1.0, moments)
        return Outcome(moments, tally, fates, parts=parts)


def met_outside(
    outside: SteadyDensity | BurstWalk, name: tuple[Any, ...], seed: int, first: int, n: int
) -> tuple[Any, int]:
    """Density that a batch of histories meets outside the cloud, and the steps walked to it."""
    if isinstance(outside, SteadyDensity):
        return outside, 0
    density = outside.density(np.uint64(seed), stream(*name, "outside"), first, n)
    return density, n * outside.steps_walked
