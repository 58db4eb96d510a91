"""What an orbit takes beside its field: speed, rate of turning, and steps that resolve it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from mcprop.diffusion import gyroradius
from mcprop.errors import RangeError
from mcprop.kernels.lanes import LANES
from mcprop.kernels.orbit import Part, boris, dormand_prince, under_way
from mcprop.units import C_LIGHT, bare
from mcprop.wandering.realisations import look_up, positive, scale_of

TURN = 0.2
"""Angle [rad] by which the strongest field that was looked at turns a particle in one step."""

REACH = 0.1
"""Length of a step in units of the shortest `step_scale` that was looked at."""

LOOKS, SCALES = 4096, 64
"""Starts at which the field is looked at, and its `step_scale`."""

WIDEST = 0.5 * np.pi
"""Widest turn in one step that passes for an orbit [rad]."""


PATIENCE = 10**8
"""Most adaptive steps of an orbit."""

MOST = 1e10
"""Most steps of an orbit: sixteen hours for `LANES` of them in 200 waves."""

TOGETHER, AT_ONCE = 200_000, 10_000
"""Steps of all particles, and adaptive steps of one, that are taken without looking up: a second.
"""


def numbers(name: str, given: Any, unit: str = "") -> np.ndarray:
    """Check finite numbers, and copy them.

    Arrays of other orders, and read-only ones, are other types to a kernel, which would be compiled
    once more.

    Parameters
    ----------
    name, unit : str
        What they are called, and their unit.
    given : array_like
        What was given.

    Returns
    -------
    ndarray

    Raises
    ------
    RangeError
        If they are none.
    UnitsError
        If they are a Quantity.
    """
    bare(name, given, unit)
    try:
        found = np.array(given, dtype=float, order="C")
    except (TypeError, ValueError):
        raise RangeError(f"{name} = {given!r} must be numbers.") from None
    if not np.isfinite(found).all():
        raise RangeError(f"{name} must be finite: {int((~np.isfinite(found)).sum())} are not.")
    return found


def turning_rate(rigidity: Any, beta: float = 1.0, charge: int = 1) -> float:
    """Angular frequency of gyration in a field of 1 uG.

    Parameters
    ----------
    rigidity : float
        Rigidity [GV].
    beta : float
        Speed in units of that of light.
    charge : int
        1 or -1, the sign of the charge.

    Returns
    -------
    float
        charge beta c / r_g(1 uG) [rad/(yr uG)]: du/dt is this times u x B.

    Raises
    ------
    RangeError
        If rigidity, speed or sign are impossible.

    Examples
    --------
    >>> round(2.0 * np.pi / turning_rate(3e6) / 3.0, 2)  # years round a field of 3 uG
    22.15
    """
    positive("rigidity", rigidity, "GV")
    if not 0.0 < positive("beta", beta, "c") <= 1.0:
        raise RangeError(f"beta = {beta} must be above 0 and at most 1.")
    if charge not in (1, -1):
        raise RangeError(f"charge = {charge} must be 1 or -1, its sign: the rigidity has its size.")
    return float(charge * beta * C_LIGHT / gyroradius(rigidity, 1.0))


class Course(NamedTuple):
    """What the kernel needs beside field and particles.

    Parameters
    ----------
    speed, turning : float
        Speed [pc/yr] and rate of turning [rad/(yr uG)].
    times : ndarray, shape (records,)
        Times of the records [yr].
    lengths, counts : ndarray, shape (records,)
        Length [yr] and number of the steps before each record.
    hits : ndarray, shape (records,)
        Chance of a collision in one of them.
    """

    speed: float
    turning: float
    times: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray
    hits: np.ndarray

    @property
    def step(self) -> float:
        """Longest step [yr]."""
        return float(np.abs(self.lengths).max())

    def run(
        self,
        field: Any,
        seed: int,
        stream: int,
        first: int,
        begin: np.ndarray,
        stop: Event | None = None,
    ) -> tuple[np.ndarray, float]:
        """Follow particles to all records.

        Parameters
        ----------
        field : model of a field
            The field [uG].
        seed, stream, first : int
            Random numbers of the collisions, and number of the first particle.
        begin : ndarray, shape (6, particles)
            Places [pc] and directions.
        stop : Event, optional
            Set when the orbits are not wanted any more.

        Returns
        -------
        out : ndarray, shape (records, 6, particles)
            Places [pc] and directions.
        widest : float
            Largest angle by which a particle turned in one step [rad].

        Raises
        ------
        RangeError
            If the step was too long, or the field is not finite.
        """
        out, half = np.empty((len(self.times), *begin.shape)), 0.0
        keys = np.uint64(seed), np.uint64(stream)
        for some in self._blocks(begin.shape[1]):
            now, number = begin[:, some].copy(), np.uint64(first + some.start)
            for records, part in self._parts(now.shape[1]):
                look_up(stop)
                steps = self.lengths[records], self.counts[records], self.hits[records]
                ends = np.empty((records.stop - records.start, *now.shape))
                pace = self.speed, self.turning
                turn = boris(field, *pace, *steps, part, *keys, number, now, ends)
                out[records, :, some], now, half = ends, ends[-1].copy(), max(half, turn)
        if not np.isfinite(out).all():
            raise RangeError("an orbit has left the numbers: the field must be finite everywhere.")
        if 2.0 * half > WIDEST:
            raise RangeError(
                f"step = {self.step:.6g} yr is too long: a particle turned by {2.0 * half:.3g} rad "
                f"in one, {WIDEST:.3g} rad at most are allowed."
            )
        return out, 2.0 * half

    def _blocks(self, particles: int) -> Iterator[slice]:
        """Particles of one call: whole blocks of lanes, as many as come to the end in time."""
        many = LANES * max(TOGETHER // (LANES * int(self.counts.sum())), 1)
        for first in range(0, particles, many):
            yield slice(first, min(first + many, particles))

    def _parts(self, particles: int) -> Iterator[tuple[slice, Part]]:
        """Records that are reached in one call, and the steps of the first and the last."""
        allowed = max(TOGETHER // (LANES * -(-particles // LANES)), 1)
        counts, first, done, drawn = self.counts.tolist(), 0, 0, 0
        while first < len(counts):
            last, taken = first, counts[first] - done
            while last + 1 < len(counts) and taken + counts[last + 1] <= allowed:
                last, taken = last + 1, taken + counts[last + 1]
            halt = min(counts[last], done + allowed) if last == first else counts[last]
            yield slice(first, last + 1), Part(done, halt, drawn)
            drawn += sum(counts[first:last]) + last - first
            first, done = last, halt
            if halt == counts[last]:
                drawn, first, done = drawn + halt + 1, last + 1, 0

    def run_adaptively(
        self, field: Any, tolerance: float, begin: np.ndarray, stop: Event | None = None
    ) -> tuple[np.ndarray, float]:
        """Follow particles to all records in steps of controlled error.

        Parameters
        ----------
        field : model of a field
            The field [uG].
        tolerance : float
            Largest error of a step [rad].
        begin : ndarray, shape (6, particles)
            Places [pc] and directions.
        stop : Event, optional
            Set when the orbits are not wanted any more.

        Returns
        -------
        out : ndarray, shape (records, 6, particles)
            Places [pc] and directions.
        widest : float
            NaN: turns are not looked at.

        Raises
        ------
        RangeError
            If the tolerance cannot be kept.
        """
        out = np.empty((len(self.times), *begin.shape))
        given = field, self.speed, self.turning, self.times, tolerance, AT_ONCE
        for j in range(begin.shape[1]):
            orbit = under_way(begin[:, j : j + 1], self.lengths[0])
            one = np.empty((len(self.times), 6, 1))
            for _ in range(0, PATIENCE, AT_ONCE):
                look_up(stop)
                dormand_prince(*given, orbit, one)
                if orbit[-1, 0] == len(self.times):
                    break
            out[:, :, j] = one[:, :, 0]
        if not np.isfinite(out).all():
            raise RangeError(
                f"tolerance = {tolerance} rad cannot be kept: an orbit takes more than "
                f"{PATIENCE} steps, or the field is not finite."
            )
        return out, np.nan


def make_course(
    field: Any,
    rigidity: float,
    beta: float,
    charge: int,
    places: np.ndarray,
    times: Any,
    step: float | None,
    tau: float | None,
) -> Course:
    """Choose the steps: of equal length between records, none longer than wanted.

    The chance h/(tau + h/2) of a collision a step makes kappa_par = v^2 tau/3 exact for any h.

    Parameters
    ----------
    field : model of a field
        The field [uG].
    rigidity, beta, charge
        As for `turning_rate`.
    places : ndarray, shape (3, particles)
        Where orbits start [pc].
    times : array_like
        Times of the records [yr].
    step : float, optional
        Longest step [yr]; by default a turn of `TURN` or `REACH` of the `step_scale`.
    tau : float, optional
        Mean time between collisions [yr].

    Returns
    -------
    Course
        Speed, rate of turning and steps.

    Raises
    ------
    RangeError
        If a number is out of range.
    ModelError
        If there is no step, and the field tells no scale to make one of.
    """
    turning = turning_rate(rigidity, beta, charge)
    speed = beta * C_LIGHT
    if step is None:
        wanted = _step(field, speed, turning, places)
    else:
        wanted = positive("step", step, "yr")
    rate = 0.0 if tau is None else 1.0 / positive("tau", tau, "yr")
    at = _moving_away(times)
    gaps = np.diff(at, prepend=0.0)
    wholes = np.ceil(np.abs(gaps) / wanted * (1.0 - 1e-12))
    if wholes.sum() > MOST:
        raise RangeError(
            f"times = {times} take {wholes.sum():.3g} steps of {wanted:.3g} yr: {MOST:.0e} at most "
            "are allowed."
        )
    counts = wholes.astype(np.int64)
    lengths = gaps / counts
    spans = np.abs(lengths) * rate
    if spans.max() > 1.0:
        raise RangeError(
            f"tau = {tau} yr must be at least the step, {np.abs(lengths).max():.6g} yr."
        )
    return Course(speed, turning, at, lengths, counts, spans / (1.0 + 0.5 * spans))


def _step(field: Any, speed: float, turning: float, places: np.ndarray) -> float:
    """Step [yr] by the strongest field and the shortest scale at the first of the places (3, n)."""
    looked = places[:, :LOOKS]
    scales = [scale_of(field, place, "step=") for place in looked[:, :SCALES].T.tolist()]
    instant = 1e-6 / abs(turning)
    directions = np.zeros(looked.shape)
    course = Course(speed, turning, *(np.array([n]) for n in (instant, instant, 1, 0.0)))
    _, turn = course.run(field, 0, 0, 0, np.concatenate([looked, directions]))
    return min(TURN * instant / max(turn, 1e-300), REACH * min(scales) / speed)


def _moving_away(times: Any) -> np.ndarray:
    """Times that move away from zero on one side of it."""
    at = np.atleast_1d(numbers("times", times, "yr"))
    away = np.abs(np.diff(at, prepend=0.0)).sum() if at.ndim == 1 and at.size else np.nan
    steady = np.all(np.diff(np.abs(at), prepend=0.0) > 0.0)
    if not (np.isfinite(away) and steady and away == np.abs(at).max()):
        raise RangeError(
            f"times = {times} must be positive and rising, or negative and falling [yr]."
        )
    return at
