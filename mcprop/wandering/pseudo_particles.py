"""Pseudo-particles along field lines that wander, and the diffusion on large scales that results.

On the scale of the field particles diffuse by kappa_parallel along their line and by kappa_perp
across it; beyond that scale by D_par along the mean field and D_perp across it, and D_perp exceeds
kappa_perp by what the lines wander. Coefficients may vary, and plasma may carry particles along.

>>> from mcprop.fields import wandering_field
>>> from mcprop.wandering.pseudo_particles import spread
>>> found = spread(lambda seed: wandering_field(3.0, 0.6, "isotropic", 100.0, 20.0, seed=seed),
...                2.0, 0.1, [1500.0, 3000.0], realisations=8, particles=64, seed=1)
>>> D = found.homogenised(1000.0)
>>> print(f"D_par = {D.parallel.value:.1f} and D_perp = {D.perp.value:.2f} pc^2/yr")
D_par = 1.7 and D_perp = 0.15 pc^2/yr
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.flow import Still
from mcprop.kernels.lanes import LANES
from mcprop.kernels.wander import wander
from mcprop.medium.field_aligned import FieldAligned
from mcprop.protocol import step_scale
from mcprop.units import bare
from mcprop.wandering.given_transport import LOOKS, Transport, given_transport, plain
from mcprop.wandering.realisations import (
    Estimate,
    each_realisation,
    estimate,
    make_field,
    place_generator,
    positive,
    scale_of,
    seeded,
    whole,
)

STREAM = 0x77616E64_00000000
"""Stream of the random numbers of the first realisation; the next follow."""

ORIGIN = (0.0, 0.0, 0.0)

ROOM, FARTHEST = 1000.0, 1e6
"""Edge of the cube in which particles start in units of `step_scale`, and its largest [pc]."""

TOGETHER = 200_000
"""Steps of all particles that are taken without looking up: a second or so."""

AT_ONCE = 50_000
"""Steps of a particle that are taken without looking up; beyond, a drift is taken in two halves."""

EVEN = 1e-9
"""Relative differences of times that count as none."""


@dataclass(frozen=True)
class Homogenised:
    """Diffusion on large scales, from the growth of mean squares between two times.

    Attributes
    ----------
    parallel, perp : Estimate
        D_par and D_perp [pc^2/yr], along and across the mean field.
    window, until : float
        The two times [yr].
    reach : float
        Root mean square displacement of one component across the mean field at the first [pc]. It
        should be a good part of the longest wavelength, some 20 to 25 pc of 100 pc: before, a
        particle remembers its line.
    """

    parallel: Estimate
    perp: Estimate
    window: float
    until: float
    reach: float


@dataclass(frozen=True)
class ParticleSpread:
    """How far pseudo-particles have gone along the mean field, which is along +z, and across it.

    Attributes
    ----------
    times : ndarray, shape (records,)
        Times [yr] after which the displacement is taken.
    along, across : ndarray, shape (realisations, records)
        Mean squares <dz^2> and <dx^2 + dy^2>/2 over the particles of a realisation [pc^2]; of
        equally spaced times also over all records to start from, because the particles fill space
        evenly at any time. In a flow they are about the mean displacement of these particles.
    kappa_parallel, kappa_perp : float or model that answers `coefficient`
        Coefficients along and across the local field [pc^2/yr].
    particles, seed : int
        Particles of a realisation, and seed of the study.
    step : float
        Longest step of any realisation [yr].
    flow : model that answers `velocity`
        The plasma [pc/yr]; `Still` if none was given.
    moved : ndarray, shape (realisations, 3, records)
        Mean displacement of the particles of a realisation [pc].
    """

    times: np.ndarray
    along: np.ndarray
    across: np.ndarray
    kappa_parallel: Any
    kappa_perp: Any
    particles: int
    seed: int
    step: float
    flow: Any
    moved: np.ndarray

    @property
    def mean_displacement(self) -> Estimate:
        """<dx>, <dy> and <dz> [pc] and their errors, at each time, shape (3, records)."""
        return estimate(self.moved)

    @property
    def mean_square_parallel(self) -> Estimate:
        """<dz^2> [pc^2] and its error, at each time."""
        return estimate(self.along)

    @property
    def mean_square_perp(self) -> Estimate:
        """<dx^2 + dy^2>/2 [pc^2] and its error, at each time."""
        return estimate(self.across)

    @property
    def running_parallel(self) -> Estimate:
        """Running D_par [pc^2/yr] and its error: half the slope of <dz^2> between the times."""
        return estimate(self._slopes(self.along))

    @property
    def running_perp(self) -> Estimate:
        """Running D_perp [pc^2/yr] and its error: half the slope between the times."""
        return estimate(self._slopes(self.across))

    def _slopes(self, squares: np.ndarray) -> np.ndarray:
        return np.diff(squares, axis=1, prepend=0.0) / (2.0 * np.diff(self.times, prepend=0.0))

    def homogenised(self, window: float) -> Homogenised:
        """Diffusion on large scales, free of what came before `window`.

        Parameters
        ----------
        window : float
            Half the growth of the mean squares from this time to twice of it, or to the records
            next to these. The error is least where the last time is 4 to 8 windows.

        Returns
        -------
        Homogenised
            D_par and D_perp with errors from the scatter of realisations.

        Raises
        ------
        RangeError
            If there is no record at `window` or later, and another one beyond it.
        """
        wanted = positive("window", window, "yr")
        i = int(np.abs(self.times - wanted).argmin())
        j = int(np.abs(self.times - 2.0 * self.times[i]).argmin())
        if wanted > self.times[-1] or j <= i:
            raise RangeError(
                f"window = {window:g} yr must leave a record of up to twice of it: the last one is "
                f"at {self.times[-1]:g} yr."
            )
        over = 0.5 / (self.times[j] - self.times[i])
        parallel = estimate(over * (self.along[:, j] - self.along[:, i]))
        perp = estimate(over * (self.across[:, j] - self.across[:, i]))
        reach = math.sqrt(self.across[:, i].mean())
        return Homogenised(parallel, perp, float(self.times[i]), float(self.times[j]), reach)

    def exponent(self, begin: float, end: float) -> Estimate:
        """Exponent p of <dx^2> ~ t^p: 1/2 where particles keep to their lines, 1 in the end.

        Parameters
        ----------
        begin, end : float
            Records from the one to the other time [yr] are fitted in logarithms.

        Returns
        -------
        Estimate
            Exponent and its error, from leaving out one realisation at a time.

        Raises
        ------
        RangeError
            If there are fewer than two records in between, or fewer than two realisations.
        """
        inside = (self.times >= begin * (1.0 - EVEN)) & (self.times <= end * (1.0 + EVEN))
        n = len(self.across)
        if inside.sum() < 2 or n < 2:
            raise RangeError(
                f"exponent from {begin:g} to {end:g} yr needs two records and two realisations: "
                f"there are {inside.sum()} and {n}."
            )
        squares, logs = self.across[:, inside], np.log(self.times[inside])
        without = (squares.sum(axis=0) - squares) / (n - 1)
        slopes = np.polyfit(logs, np.log(without).T, 1)[0]
        value = np.polyfit(logs, np.log(squares.mean(axis=0)), 1)[0]
        return Estimate(float(value), float(math.sqrt((n - 1) * slopes.var())))


def spread(
    field_of: Callable[[int], Any],
    kappa_parallel: Any,
    kappa_perp: Any,
    times: Any,
    realisations: int,
    particles: int,
    seed: int,
    *,
    flow: Any = None,
    step: float | None = None,
    box: float | None = None,
    workers: int | None = None,
) -> ParticleSpread:
    """Spread of pseudo-particles in realisations of a random field.

    Particles start evenly in a large box, so those of one realisation are far apart, and so are
    their later places: a diffusion keeps what is even, and so does a flow without sources. What
    varies should do so in much the same way all over the box, else its corners are averaged too.

    Parameters
    ----------
    field_of : callable
        Makes the field of a realisation from its seed (int), mean field along +z included.
    kappa_parallel, kappa_perp : float or model that answers `coefficient`
        Coefficients along and across the local field [pc^2/yr], kappa_perp <= kappa_parallel
        everywhere; models are those of `mcprop.medium`, such as `Constant`, or your own.
    times : array_like
        When to record [yr], positive and rising. Where they are the multiples of the first, mean
        squares are taken over all starting records, with smaller errors.
    realisations, particles : int
        Number of fields, and of particles in each; lanes are full from 64 particles on. In a flow
        at least two particles.
    seed : int
        Seed of the study.
    flow : model that answers `mcprop.kernels.flow.velocity`, optional
        Velocity of the plasma [pc/yr], and its divergence; by default it is at rest. Mean squares
        are then about the mean displacement of the particles of each realisation, without bias.
        Where its divergence is not zero particles crowd, and all times count from the start.
    step : float, optional
        Longest step [yr]. By default the root mean square along the line is at most 1/2 of the
        `step_scale` of the field and 1/8 of those of coefficients and flow, and the plasma goes at
        most 1/8 of the least. The error is of second order in it, of first where kappa_perp varies;
        halve it to see.
    box : float, optional
        Edge [pc] of the cube round the origin; by default `ROOM` times the least `step_scale`.
    workers : int, optional
        Number of threads; no bit of the result depends on it.

    Returns
    -------
    ParticleSpread
        Mean squares of every realisation, from which coefficients and errors follow.

    Raises
    ------
    RangeError
        If a number is not allowed, nor a coefficient at one of `LOOKS` places of the box, or if
        particles get to where there is none.
    ModelError
        If `field_of` makes no model of a field, one whose mean is not along +z, one that tells no
        scale where there is no step, or the same waves of two seeds; or if a coefficient or the
        flow is no model, or answers what is not allowed.

    Examples
    --------
    >>> from mcprop.fields import UniformField
    >>> from mcprop.kernels.flow import Steady
    >>> found = spread(lambda seed: UniformField(0.0, 0.0, 3.0), 2.0, 0.1, [300.0, 600.0],
    ...                realisations=3, particles=64, seed=1, flow=Steady(0.0, 0.0, 1.0))
    >>> print(found.mean_displacement.value[2].round(-1))  # along z
    [300. 600.]
    """
    given = given_transport(kappa_parallel, kappa_perp, flow)
    at, is_still = _rising(times), isinstance(given.flow, Still)
    whole("particles", particles, 1 if is_still else 2)
    whole("seed", seed, 0)
    wanted = None if step is None else positive("step", step, "yr")
    edge = None if box is None else positive("box", box, "pc")

    maker, stop = seeded(field_of), Event()

    def one(realisation: int) -> tuple[np.ndarray, np.ndarray, float]:
        field = make_field(maker, seed, realisation)
        told = step_scale(field, *ORIGIN) if wanted else scale_of(field, ORIGIN, "step=")
        scale = min(float(told), FARTHEST / ROOM)
        wide = ROOM * min(scale, given.scale()) if edge is None else edge
        random = place_generator(seed, realisation)
        starts = wide * (random.random((3, particles)) - 0.5)
        seen = given.look(wide * (random.random((LOOKS, 3)) - 0.5))
        longest = seen.longest_step(scale) if wanted is None else wanted
        paths, taken = _follow(field, given, starts, at, longest, seed, STREAM + realisation, stop)
        _require_places(paths[-1])
        return *_moments(paths, _is_even(at) and not seen.swells, is_still), taken

    found = each_realisation(one, realisations, workers, stop)
    along, across = np.stack([squares for squares, _, _ in found], axis=1)
    moved, taken = np.stack([means for _, means, _ in found]), max(taken for *_, taken in found)
    kappas = plain(given.parallel), plain(given.perp)
    return ParticleSpread(at, along, across, *kappas, particles, seed, taken, given.flow, moved)


def _rising(times: Any) -> np.ndarray:
    at = np.atleast_1d(np.asarray(bare("times", times, "yr"), dtype=float))
    sound = at.ndim == 1 and at.size > 0 and np.isfinite(at).all()
    if not (sound and at[0] > 0.0 and (np.diff(at) > 0.0).all()):
        raise RangeError(f"times = {times} must be positive, rising and finite [yr].")
    return at


def _is_even(times: np.ndarray) -> bool:
    return bool(np.allclose(times, times[0] * np.arange(1, times.size + 1), rtol=EVEN, atol=0.0))


def _follow(
    field: Any,
    given: Transport,
    starts: np.ndarray,
    times: np.ndarray,
    longest: float,
    seed: int,
    stream: int,
    stop: Event,
) -> tuple[np.ndarray, float]:
    """Places (1 + records, 3, n) from the start on, and the longest step taken [yr].

    After `stop` the places that follow mean nothing.
    """
    paths = np.zeros((1 + times.size, *starts.shape))
    medium = FieldAligned(field, given.parallel, given.perp)
    places, block, taken = starts.copy(), 0, 0.0
    paths[0] = places
    for record, interval in enumerate(np.diff(times, prepend=0.0)):
        steps = max(math.ceil(interval / longest * (1.0 - EVEN)), 1)
        h, key = interval / steps, (np.uint64(seed), np.uint64(stream))
        together = LANES * max(TOGETHER // (LANES * steps), 1)
        for first in range(0, places.shape[1], together):
            some, number = places[:, first : first + together].copy(), np.uint64(first)
            for begin in range(0, steps, AT_ONCE):
                if stop.is_set():
                    return paths, taken
                begun, part = np.uint64(block + begin), min(AT_ONCE, steps - begin)
                wander(medium, given.flow, *key, number, begun, h, part, some)
            places[:, first : first + together] = some
        paths[record + 1] = places
        block, taken = block + steps, max(taken, h)
    return paths, taken


def _require_places(places: np.ndarray) -> None:
    lost = int((~np.isfinite(places).all(axis=0)).sum())
    if lost:
        raise RangeError(
            f"{lost} of {places.shape[1]} particles get to where the field, the flow or a "
            "coefficient is no number, or kappa_perp exceeds kappa_parallel."
        )


def _moments(paths: np.ndarray, even: bool, about_zero: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares along and across z at every record, (2, records); means, (3, records)."""
    records, n = len(paths) - 1, paths.shape[2]
    squares, means = np.empty((2, records)), np.empty((3, records))
    for lag in range(1, records + 1):
        moved = paths[lag:] - paths[:-lag] if even else paths[lag : lag + 1] - paths[:1]
        centre = moved.mean(axis=2, keepdims=True)
        if not about_zero:
            moved = math.sqrt(n / (n - 1)) * (moved - centre)
        means[:, lag - 1] = centre.mean(axis=(0, 2))
        squares[0, lag - 1] = (moved[:, 2] ** 2).mean()
        squares[1, lag - 1] = 0.5 * (moved[:, :2] ** 2).sum(axis=1).mean()
    return squares, means
