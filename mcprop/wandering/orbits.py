"""Orbits of charged particles in static fields, and the running diffusion coefficients they have.

>>> from mcprop.fields import UniformField
>>> from mcprop.wandering import running_diffusion
>>> found = running_diffusion(
...     lambda seed: UniformField(0.0, 0.0, 3.0), 3e6, times=(10.0, 20.0), realisations=4,
...     particles=256, seed=1, tau=2.0)
>>> found.along.shape
(4, 2)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.launch import directions as random_directions
from mcprop.protocol import step_scale
from mcprop.wandering.course import Course, make_course, numbers
from mcprop.wandering.plateau import Plateau, plateau
from mcprop.wandering.realisations import (
    Estimate,
    check_answer,
    check_field,
    each_realisation,
    estimate,
    make_field,
    place_generator,
    positive,
    seeded,
    whole,
)

LEAST = 3
"""Fewest realisations: from two no plateau can be told."""

STREAM = 0x6F726269_00000000
"""Stream of the random numbers of the first realisation; the next follow."""

FINEST, COARSEST = 1e-15, 0.1
"""Tolerances of adaptive steps that rounding allows and an orbit needs [rad]."""

ROOM, FARTHEST = 1000.0, 1e6
"""Edge of the cube in which orbits start in units of `step_scale`, and its largest [pc]."""


@dataclass(frozen=True)
class Orbits:
    """Places and directions of particles along their orbits.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Times of the records [yr], negative for orbits backward in time.
    positions : ndarray, shape (n_times, particles, 3)
        Places [pc].
    directions : ndarray, shape (n_times, particles, 3)
        Unit vectors of the motion forward in time.
    step : float
        Longest step [yr]; of adaptive steps the first.
    widest_turn : float
        Largest angle by which a particle turned in one step [rad]; NaN if steps were adaptive.
    """

    times: np.ndarray
    positions: np.ndarray
    directions: np.ndarray
    step: float
    widest_turn: float

    def __repr__(self) -> str:
        records, particles, _ = self.positions.shape
        return (
            f"Orbits({particles} particles, {records} times to {self.times[-1]:g} yr, steps of "
            f"{self.step:.3g} yr, widest turn {self.widest_turn:.3g} rad)"
        )


def follow_orbits(
    field: Any,
    rigidity: float,
    starts: Any,
    directions: Any,
    times: Any,
    *,
    beta: float = 1.0,
    charge: int = 1,
    step: float | None = None,
    tau: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    first: int = 0,
) -> Orbits:
    """Follow charged particles through a static field, by Boris' scheme unless told otherwise.

    Parameters
    ----------
    field : model of a field
        It answers `b_vector` [uG]; one of your own has a field `scale`, its shortest wavelength
        [pc], unless there is a step.
    rigidity : float
        Rigidity [GV].
    starts : array_like, shape (3,) or (particles, 3)
        Where they start [pc].
    directions : array_like, shape (particles, 3)
        Unit vectors of their motion forward in time.
    times : array_like
        When to record [yr]: positive and rising, or negative and falling for the way that they
        came. An arrival direction points against the motion.
    beta : float
        Speed in units of that of light.
    charge : int
        1 or -1, the sign of the charge.
    step : float, optional
        Longest step [yr]; by default a turn of `TURN` or `REACH` of the `step_scale`, whichever is
        less, at the first starts.
    tau : float, optional
        Mean time between collisions that make the direction random [yr]; None for no collisions.
    tolerance : float, optional
        If given, steps adapt so that each errs by less than this [rad], by the scheme of Dormand
        and Prince: a check of the other, at several times its cost, without collisions.
    seed, first : int
        Seed of the collisions, and number of the first particle: a particle has its own.

    Returns
    -------
    Orbits
        Places and directions.

    Raises
    ------
    RangeError
        If a number is out of range, the step is too long for the field that was met, or the
        tolerance cannot be kept.
    ModelError
        If the field is no field, or tells no scale where there is no step.
    """
    check_field(field)
    begin = _begin(starts, directions)
    check_answer(field, begin[:3, 0])
    course = make_course(field, rigidity, beta, charge, begin[:3], times, step, tau)
    seed, first = whole("seed", seed, 0), whole("first", first, 0)
    if tolerance is None:
        out, widest = course.run(field, seed, STREAM, first, begin)
    elif tau is not None:
        raise RangeError(f"tau = {tau} yr must be None where there is a tolerance.")
    elif not FINEST <= positive("tolerance", tolerance, "rad") <= COARSEST:
        raise RangeError(f"tolerance = {tolerance} must lie between {FINEST} and {COARSEST} rad.")
    else:
        out, widest = course.run_adaptively(field, tolerance, begin)
    places, directed = np.moveaxis(out[:, :3], 1, 2), np.moveaxis(out[:, 3:], 1, 2)
    return Orbits(course.times, places.copy(), directed.copy(), course.step, widest)


def _begin(starts: Any, directions: Any) -> np.ndarray:
    """Places and directions as the kernel takes them, (6, n)."""
    given = np.atleast_2d(numbers("directions", directions))
    places = numbers("starts", starts, "pc")
    n = len(given)
    if given.shape != (n, 3) or places.shape not in ((3,), (n, 3)) or n == 0:
        raise RangeError(
            f"starts {places.shape} and directions {given.shape} must have the shapes (3,) or "
            "(particles, 3), and (particles, 3)."
        )
    lengths = np.linalg.norm(given, axis=1)
    worst = lengths[np.abs(lengths - 1.0).argmax()]
    if abs(worst - 1.0) > 1e-9:
        raise RangeError(f"directions must be unit vectors: one has the length {worst:.9g}.")
    return np.vstack([np.broadcast_to(places, (n, 3)).T, given.T])


@dataclass(frozen=True)
class RunningDiffusion:
    """Running diffusion coefficients of particles, about the mean field along +z.

    Attributes
    ----------
    times : ndarray, shape (records,)
        Times of the records [yr].
    along, across : ndarray, shape (realisations, records)
        Mean squares <dz^2> and <dx^2 + dy^2>/2 over the particles of a realisation [pc^2].
    hall : ndarray, shape (realisations, records)
        Running antisymmetric coefficient [pc^2/yr] by Green & Kubo, <v_y(0) dx - v_x(0) dy>/2
        averaged with the same of the way back, <v_x(t) dy - v_y(t) dx>/2: positive for a positive
        charge, v^2 tau w/(3 (1 + w^2)) in kinetic theory.
    particles, seed : int
        Particles of a realisation, and seed of the study.
    step : float
        Longest step of any realisation [yr].
    widest_turn : float
        Largest angle by which a particle turned in one step [rad].
    """

    times: np.ndarray
    along: np.ndarray
    across: np.ndarray
    hall: np.ndarray
    particles: int
    seed: int
    step: float
    widest_turn: float

    def __repr__(self) -> str:
        realisations, records = self.along.shape
        over = 0.5 / self.times[-1]
        last = {
            "parallel": over * self.along[:, -1],
            "perp": over * self.across[:, -1],
            "hall": self.hall[:, -1],
        }
        told = ", ".join(f"kappa_{name} {estimate(end)}" for name, end in last.items())
        return (
            f"RunningDiffusion({realisations} realisations of {self.particles} particles, seed "
            f"{self.seed},\n  at the last of {records} times, {self.times[-1]:g} yr: "
            f"{told} pc^2/yr)"
        )

    @property
    def kappa_parallel(self) -> Estimate:
        """Running coefficient <dz^2>/2t [pc^2/yr], and its error, at each record."""
        return estimate(self.along / (2.0 * self.times))

    @property
    def kappa_perp(self) -> Estimate:
        """Running coefficient <dx^2 + dy^2>/4t [pc^2/yr], and its error, at each record."""
        return estimate(self.across / (2.0 * self.times))

    @property
    def kappa_hall(self) -> Estimate:
        """Running antisymmetric coefficient kappa_A [pc^2/yr], and its error, at each record."""
        return estimate(self.hall)

    @property
    def edges(self) -> np.ndarray:
        """Begin of the orbits and the records [yr], between which the slopes are."""
        return np.concatenate([[0.0], self.times])

    @property
    def slope_parallel(self) -> Estimate:
        """d<dz^2>/2dt between records [pc^2/yr], and its error: free of what came before."""
        return estimate(self._slopes(self.along))

    @property
    def slope_perp(self) -> Estimate:
        """d<dx^2 + dy^2>/4dt between records [pc^2/yr], and its error."""
        return estimate(self._slopes(self.across))

    def _slopes(self, squares: np.ndarray) -> np.ndarray:
        return np.diff(squares, axis=1, prepend=0.0) / (2.0 * np.diff(self.edges))

    def plateau(self, component: str = "parallel", part: float = 0.5, **options: Any) -> Plateau:
        """Whether the last part of a coefficient is flat, and its value there.

        Parameters
        ----------
        component : str
            "parallel", "perp" or "hall". Of the first two the slopes are tested, of the last its
            running values.
        part : float
            Share of the time that is looked at, counted from its end.
        **options
            `windows`, `level` and `tolerance` of `mcprop.wandering.plateau.plateau`.

        Returns
        -------
        Plateau
            Mean [pc^2/yr], error, p-values and relative change.

        Raises
        ------
        RangeError
            If there is no such component, or there are too few realisations or records.
        """
        values = {
            "parallel": self._slopes(self.along),
            "perp": self._slopes(self.across),
            "hall": self.hall,
        }
        if component not in values:
            raise RangeError(f"component = {component!r} must be one of {', '.join(values)}.")
        return plateau(self.edges, values[component], part, **options)


def running_diffusion(
    field_of: Callable[[int], Any],
    rigidity: float,
    times: Any,
    realisations: int,
    particles: int,
    seed: int,
    *,
    beta: float = 1.0,
    charge: int = 1,
    tau: float | None = None,
    step: float | None = None,
    box: float | None = None,
    workers: int | None = None,
) -> RunningDiffusion:
    """Running diffusion coefficients from full orbits in realisations of a random field.

    Particles start at random places in random directions, which is the distribution that a static
    field preserves.

    Parameters
    ----------
    field_of : callable
        Makes the field of a realisation from its seed (int), mean field along +z included. Of
        waves it makes others of each seed; errors know only of the scatter that it brings.
    rigidity : float
        Rigidity [GV].
    times : array_like
        When to record [yr], positive and rising.
    realisations, particles : int
        Number of fields, 3 at least so that a plateau can be told, and of particles in each.
    seed : int
        Seed of the study.
    beta, charge, tau, step
        As for `follow_orbits`; collisions come on top of what the field does.
    box : float, optional
        Edge [pc] of the cube round the origin in which orbits start; by default `ROOM` times the
        `step_scale` at the origin, 10 pc of a field that tells none.
    workers : int, optional
        Number of threads; no bit of the result depends on it.

    Returns
    -------
    RunningDiffusion
        Mean squares of every realisation, from which coefficients and errors follow.

    Raises
    ------
    RangeError
        If a number is out of range, or the step is too long for a field that was met.
    ModelError
        If `field_of` makes no model of a field, one whose mean is not along +z, one that tells no
        scale where there is no step, or the same waves of two seeds.
    """
    whole("realisations", realisations, LEAST)
    whole("particles", particles, 1)
    whole("seed", seed, 0)
    if box is not None:
        positive("box", box, "pc")
    if np.min(numbers("times", times, "yr"), initial=np.inf) <= 0.0:
        raise RangeError(f"times = {times} must be positive and rising [yr].")
    maker, stop = seeded(field_of), Event()

    def one(realisation: int) -> tuple[np.ndarray, Course, float]:
        field = make_field(maker, seed, realisation)
        stream = STREAM + realisation
        begin = _scattered_start(field, box, particles, seed, realisation)
        course = make_course(field, rigidity, beta, charge, begin[:3], times, step, tau)
        out, widest = course.run(field, seed, stream, 0, begin, stop)
        return _moments(begin, out, course.speed), course, widest

    found = each_realisation(one, realisations, workers, stop)
    along, across, hall = np.stack([moments for moments, _, _ in found], axis=1)
    return RunningDiffusion(
        found[0][1].times,
        along,
        across,
        hall,
        particles,
        seed,
        max(course.step for _, course, _ in found),
        max(widest for _, _, widest in found),
    )


def _scattered_start(
    field: Any, box: float | None, particles: int, seed: int, realisation: int
) -> np.ndarray:
    """Random places in the box and random directions, (6, particles)."""
    if box is None:
        box = min(ROOM * float(step_scale(field, 0.0, 0.0, 0.0)), FARTHEST)
    places = place_generator(seed, realisation).uniform(-0.5 * box, 0.5 * box, (particles, 3))
    directed = np.empty((particles, 3))
    random_directions(np.uint64(seed), np.uint64(STREAM + realisation), np.uint64(0), directed)
    return np.vstack([places.T, directed.T])


def _moments(begin: np.ndarray, out: np.ndarray, speed: float) -> np.ndarray:
    """Mean squares along and across z, and the antisymmetric coefficient, (3, records)."""
    dx, dy, dz = np.moveaxis(out[:, :3] - begin[:3], 1, 0)
    ux, uy = begin[3] - out[:, 3], begin[4] - out[:, 4]
    hall = 0.25 * speed * (uy * dx - ux * dy)
    return np.array([(dz**2).mean(axis=1), 0.5 * (dx**2 + dy**2).mean(axis=1), hall.mean(axis=1)])
