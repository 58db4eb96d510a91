"""The clouds of `mcprop.wandering.burst`: how long they go, from where, and how they are moved."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.flow import Still
from mcprop.kernels.mirror import SIGNS, Mirrored
from mcprop.kernels.trace import trace_fixed
from mcprop.kernels.wander import wander
from mcprop.medium import FieldAligned
from mcprop.protocol import b_vector
from mcprop.wandering.realisations import positive

Array = np.ndarray
Vector = tuple[float, float, float]

FROM_SOURCE, FROM_OBSERVER = np.uint64(0), np.uint64(1)
"""Streams of random numbers."""
KICK, STRIDE = 0.1, 4.0
"""Longest kick of a step, and longest way along the line, in units of the `step_scale`."""
MEETING = 0.1
"""Longest duration of the last step in units of the age."""
NUDGE_ALONG, NUDGE_ACROSS = 0.25, 0.005
"""Displacements along and across the line in units of the `step_scale`."""
NUDGE_OF_CLOUD = 0.02
"""Longest displacement in units of the width of the observer's cloud."""
EARLY = (8, 8), (4, 4), (2, 2)
"""The first steps of the observer's cloud: number, and how many make a full step."""
NOTHING = 1e-6
"""Time that is too short to be gone, in units of the step."""
SHORT_STEPS = 0.3
"""Longest Runge-Kutta step of lines that are only followed, in units of the `step_scale`."""


class Times(NamedTuple):
    """Durations [yr]: of a step, and of the four parts of the way."""

    step: float
    forward: float
    leg: float
    more: float
    meeting: float

    @property
    def back(self) -> float:
        """How long the observer's own cloud goes in all [yr]."""
        return self.leg + self.more

    def part(self, factor: float) -> Times:
        """The same way with so many times the leg, and as many times the whole way back."""
        if factor == 1.0:
            return self
        forward = self.forward + (1.0 - factor) * self.back
        return self._replace(forward=forward, leg=factor * self.leg, more=factor * self.more)


class Copies(NamedTuple):
    """Displaced observers: none, ahead and behind along the line, two across, and the nodes.

    frame : ndarray, shape (3, 3), b_hat and two directions across it; places : ndarray, shape
    (5 + nodes, 3) [pc]; along, across : float, displacements [pc]; mu, share : ndarray, shape
    (nodes,), places and weights of Gauss and Legendre.
    """

    frame: Array
    places: Array
    along: float
    across: float
    mu: Array
    share: Array

    def without_nodes(self) -> Copies:
        """The same without the nodes."""
        return self._replace(places=self.places[:5], mu=np.empty(0), share=np.empty(0))

    def moved(self, basis: Array, medium: FieldAligned, speed: float) -> Array:
        """What is to be averaged: (3/v) kappa . grad, and monopole and dipole over the nodes."""
        coefficients = np.array([medium.parallel.value, medium.perp.value, medium.perp.value])
        rate = (3.0 / speed * coefficients)[:, None] * self.frame
        middle, ahead, behind, one, other = basis[:5]
        along = (ahead - behind) / (2.0 * self.along)
        slopes = np.stack([along, (one - middle) / self.across, (other - middle) / self.across])
        weights = np.stack([0.5 * self.share, 1.5 * self.share * self.mu])
        far = np.einsum("sk,kpn->spn", weights, basis[5:])
        return np.concatenate([np.einsum("kx,kpn->xpn", rate, slopes), far])


def durations(
    medium: FieldAligned,
    scale: float,
    age: float,
    parallel_step: float | None,
    leg: float | None,
    backward_time: float | None,
    meeting: float | None,
) -> Times:
    """Durations as given, or by default.

    Parameters
    ----------
    medium : FieldAligned
        With constant coefficients.
    scale : float
        The `step_scale` of the field [pc].
    age, parallel_step, leg, backward_time, meeting
        As for `burst_through`.

    Returns
    -------
    Times

    Raises
    ------
    RangeError
        If one of them is not allowed, or all together are longer than the age.
    """
    age = positive("age", age, "yr")
    parallel, perp = medium.parallel.value, medium.perp.value
    longest_kick = (KICK * scale) ** 2 / (2.0 * perp)
    if parallel_step is None:
        step = min(longest_kick, (STRIDE * scale) ** 2 / (2.0 * parallel))
    else:
        step = positive("parallel_step", parallel_step, "pc") ** 2 / (2.0 * parallel)
    short = age / 16.0 if leg is None else positive("leg", leg, "yr")
    back = 4.0 * short
    if backward_time is not None:
        back = positive("backward_time", backward_time, "yr")
    if not short < back:
        raise RangeError(f"leg = {short:g} yr must be less than backward_time = {back:g} yr.")
    if meeting is None:
        last = min(longest_kick, MEETING * age)
    else:
        last = positive("meeting", meeting, "yr")
    if not back + last < age:
        raise RangeError(
            f"backward_time + meeting = {back + last:g} yr must be less than the age, {age:g} yr."
        )
    return Times(min(step, 0.25 * short), age - back - last, short, back - short, last)


def steps_for(duration: float, longest: float) -> int:
    """Number of equal steps into which a duration is cut."""
    return math.ceil(duration / longest * (1.0 - 1e-12))


def walk(
    medium: FieldAligned,
    seed: int,
    stream: np.uint64,
    block: int,
    longest: float,
    duration: float,
    places: Array,
) -> int:
    """Move a cloud in equal steps; returns the number of sub-steps.

    The observer's consists of as many groups as there are `SIGNS`, with the same random numbers.
    """
    steps = steps_for(duration, longest)
    numbers = np.uint64(seed), stream, np.uint64(0), np.uint64(block)
    groups = SIGNS if stream == FROM_OBSERVER else SIGNS[:1]
    spent, each = 0, places.shape[1] // len(groups)
    for number, (side, sign) in enumerate(groups):
        seen = medium._replace(field=Mirrored(medium.field, side, sign))
        part = slice(number * each, (number + 1) * each)
        turned = side * places[:, part]
        spent += int(wander(seen, Still(), *numbers, duration / steps, steps, turned))
        places[:, part] = side * turned
    return spent


class Cloud:
    """Particles from one place, and how far they have come.

    Two clouds that stop at the same times share their random numbers.

    Parameters
    ----------
    medium : FieldAligned
    seed : int
    stream : np.uint64
        The observer's has shorter steps first: there its bias counts most.
    step : float
        Longest step [yr].
    place : array_like, shape (3,)
        Where all of them begin [pc].
    number : int
        How many they are.
    """

    def __init__(
        self,
        medium: FieldAligned,
        seed: int,
        stream: np.uint64,
        step: float,
        place: Any,
        number: int,
    ) -> None:
        self._numbers, self._medium, self._step = (seed, stream), medium, step
        self._places = np.repeat(np.array(place, dtype=float)[:, None], number, axis=1)
        self._time, self._block, self.sub_steps = 0.0, 0, 0

    def visit(self, times: Iterable[float]) -> dict[float, Array]:
        """Go on to each of these times [yr], in their order; the places at each, (3, number)."""
        return {time: self._go(time) for time in sorted(times)}

    def _go(self, time: float) -> Array:
        duration = time - self._time
        if duration <= NOTHING * self._step:
            return self._places.copy()
        left, early = duration, EARLY if self._is_at_the_observer else ()
        for number, part in early:
            self._walk(self._step / part, self._step * number / part)
            left, self._block = left - self._step * number / part, self._block + number
        self._walk(self._step, left)
        self._block += steps_for(duration, self._step)  # at least as many as that were
        self._time = time
        return self._places.copy()

    @property
    def _is_at_the_observer(self) -> bool:
        return self._time == 0.0 and self._numbers[1] == FROM_OBSERVER

    def _walk(self, longest: float, duration: float) -> None:
        walked = walk(self._medium, *self._numbers, self._block, longest, duration, self._places)
        self.sub_steps += walked


def displaced(
    medium: FieldAligned, scale: float, times: Times, place: Vector, free_path: float, nodes: int
) -> Copies:
    """Observers at `place` and displaced: along the line, across, and by the mean free path."""
    field = np.array(b_vector(medium.field, *place))
    b_hat = field / np.linalg.norm(field)
    one = np.cross(np.eye(3)[int(np.argmin(np.abs(b_hat)))], b_hat)
    one /= np.linalg.norm(one)
    frame = np.stack([b_hat, one, np.cross(b_hat, one)])
    length, width = (
        NUDGE_OF_CLOUD * math.sqrt(2.0 * profile.value * times.leg)
        for profile in (medium.parallel, medium.perp)
    )
    along, across = min(NUDGE_ALONG * scale, length), min(NUDGE_ACROSS * scale, width)
    mu, share = np.polynomial.legendre.leggauss(nodes) if nodes else (np.empty(0), np.empty(0))
    here, ways = np.array(place), [along, -along, *(free_path * mu)]
    on_line = [along_line(medium.field, place, way, SHORT_STEPS * scale) for way in ways]
    beside = [here + across * frame[1], here + across * frame[2]]
    places = np.array([here, *on_line[:2], *beside, *on_line[2:]])
    return Copies(frame, places, along, across, mu, share)


def along_line(field: Any, place: Vector, way: float, longest: float) -> Array:
    """The place at the distance `way` [pc] along the line, against the field if negative."""
    steps, out = math.ceil(abs(way) / longest), np.empty((1, 3, 1))
    sense = math.copysign(1.0, way)
    trace_fixed(field, np.array(place)[:, None], sense, False, abs(way) / steps, steps, out)
    return np.asarray(out[0, :, 0])
