"""Walks of pseudo-particles through any medium, with NumPy arrays in and out.

>>> from mcprop.medium import Constant, Isotropic
>>> from mcprop.particles import walk
>>> ends = walk(Isotropic(Constant(0.5)), (0.0, 0.0, 0.0), 100.0, histories=65536, seed=1)
>>> print(f"{ends.positions[0].var(axis=0).mean():.0f} pc^2, 2 kappa t = 100")
100 pc^2, 2 kappa t = 100
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from mcprop.errors import ModelError, RangeError
from mcprop.kernels.boundary import Unbounded, confine, survival, wall
from mcprop.kernels.step import AdaptiveStep, Euler, FixedStep, Heun, default_stepper
from mcprop.kernels.walk import walk_to
from mcprop.medium.check import check_medium
from mcprop.protocol import answers, is_ours, is_scalar, plain_name
from mcprop.threads import in_order
from mcprop.units import has_unit, strip

BATCH = 1024
"""Histories in one call of the kernel; no result depends on it."""

STREAM = np.uint64(0x77616C6B)
"""Stream of the random numbers of these walks."""

SHORTEST = 1e-7
"""Shortest adaptive step in units of the last time."""


@dataclass(frozen=True)
class Walk:
    """Where the particles of a walk were.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Times of the records [yr].
    positions : ndarray, shape (n_times, histories, 3)
        Places [pc]; of those whose weight is zero the last one.
    weights : ndarray, shape (n_times, histories)
        Probability that the particle has met no absorbing wall until then; 1 without walls.
    seed : int
        Seed of the random numbers: the same call with it gives the same bits.
    steps : int
        Steps that were taken, of all particles together.
    lost : int
        Histories whose place or weight is not a finite number at the end; they stay in the arrays.
    """

    times: np.ndarray
    positions: np.ndarray
    weights: np.ndarray
    seed: int
    steps: int
    lost: int

    def __repr__(self) -> str:
        records, histories = self.weights.shape
        return (
            f"Walk({histories} histories, {records} times, {self.steps} steps, seed {self.seed}, "
            f"{self.lost} lost)"
        )


def walk(
    medium: Any,
    start: Any,
    times: Any,
    histories: int,
    seed: int | None = None,
    *,
    boundary: Any = None,
    stepper: Any = None,
    step: Any = None,
    fraction: float = 0.2,
    threads: int | None = None,
) -> Walk:
    """Walk particles through a medium, from given places to given times.

    Parameters
    ----------
    medium : model of a medium
        One of `mcprop.medium`, or your own: a ``NamedTuple`` that answers `mcprop.protocol.kappa`.
    start : array_like, shape (3,) or (histories, 3)
        Where they start: numbers in pc, or a Quantity.
    times : array_like
        When they are recorded, rising and positive: numbers in yr, or a Quantity.
    histories : int
        Number of particles.
    seed : int, optional
        Between 0 and 2^63 - 1; by default a drawn one, which the result keeps.
    boundary : model of a boundary, optional
        One of `mcprop.kernels.boundary`; by default there is none.
    stepper : Euler or Heun, optional
        Scheme of `mcprop.kernels.step`; by default Heun for scalar media, Euler for tensors.
    step : float or Quantity, optional
        Length of a step [yr]; by default the steps follow medium and boundary.
    fraction : float
        Then the largest rms step along an axis is this fraction of the length on which medium and
        boundary vary. The error of the law is of first order in a step, the square of it.
    threads : int, optional
        Number of threads; the result does not depend on it, bit for bit.

    Returns
    -------
    Walk
        Times, positions, weights.

    Raises
    ------
    RangeError, UnitsError
        If a number is not allowed.
    ModelError
        If the medium does not answer what is asked, or contradicts itself (see
        `mcprop.medium.check_medium`, which looks at every new type of a medium of yours once).
    """
    _check_models(medium, stepper)
    n = _whole(histories, "histories", 1, 2**40)
    key = secrets.randbits(63) if seed is None else _whole(seed, "seed", 0, 2**63 - 1)
    at = _rising(times)
    edge = Unbounded() if boundary is None else boundary
    known = any(answers(asked, edge) for asked in (survival, confine, wall))
    if not (isinstance(edge, Unbounded) or (isinstance(edge, tuple) and known)):
        raise ModelError(
            f"boundary = {boundary!r} must be one of mcprop.kernels.boundary, such as Ball(100.0)."
        )
    places = _starts(start, n, edge)
    scheme = default_stepper(medium) if stepper is None else stepper
    if not isinstance(scheme, (Euler, Heun)):
        raise ModelError(f"stepper = {stepper!r} must be Euler() or Heun().")
    pace = _pace(step, fraction, float(at[-1]))
    _check_once(medium, places[:, 0])
    return _run(_Task(medium, edge, scheme, pace, key, places, at), n, threads)


@dataclass(frozen=True)
class _Task:
    """All that the batches of a walk share."""

    medium: Any
    boundary: Any
    stepper: Any
    pace: Any
    seed: int
    starts: np.ndarray
    times: np.ndarray

    def batch(self, first: int, places: np.ndarray, alive: np.ndarray) -> int:
        """Walk the particles from `first` on that fit into the arrays."""
        n = alive.shape[1]
        starts = np.ascontiguousarray(self.starts[:, first : first + n])
        out, weights = np.empty((self.times.size, 3, n)), np.empty(alive.shape)
        steps = walk_to(
            self.medium,
            self.boundary,
            self.stepper,
            self.pace,
            np.uint64(self.seed),
            STREAM,
            np.uint64(first),
            starts,
            self.times,
            out,
            weights,
        )
        places[...], alive[...] = out.transpose(0, 2, 1), weights
        return int(steps)


def _run(task: _Task, n: int, threads: int | None) -> Walk:
    if threads is not None:
        _whole(threads, "threads", 1, 2**16)
    places, alive = np.empty((task.times.size, n, 3)), np.empty((task.times.size, n))

    def batch(first: int) -> int:
        last = min(first + BATCH, n)
        return task.batch(first, places[:, first:last], alive[:, first:last])

    begins = range(0, n, BATCH)
    steps = batch(0)  # compiles
    steps += sum(in_order(batch, begins[1:], threads))
    sound = np.isfinite(places[-1]).all(axis=1) & np.isfinite(alive[-1])
    return Walk(task.times, places, alive, task.seed, steps, int(n - sound.sum()))


def _whole(number: Any, name: str, low: int, high: int) -> int:
    try:
        value = index(number)
    except TypeError:
        value = low - 1
    if not low <= value <= high or isinstance(number, bool):
        raise RangeError(f"{name} = {number!r} must be a whole number from {low} to {high}.")
    return value


def _bare(value: Any, kind: str, name: str) -> np.ndarray:
    """Numbers in internal units, from bare ones or a Quantity."""
    try:
        numbers = np.asarray(strip(value, kind, name) if has_unit(value) else value, dtype=float)
    except (TypeError, ValueError) as error:
        if has_unit(value):
            raise
        raise RangeError(f"{name} = {value!r} must be numbers.") from error
    if not np.isfinite(numbers).all():
        raise RangeError(f"{name} = {value} must be finite.")
    return numbers


def _check_models(medium: Any, stepper: Any) -> None:
    if not isinstance(medium, tuple) or not hasattr(medium, "_fields"):
        raise ModelError(f"medium = {medium!r} must be a NamedTuple that answers kappa.")
    if isinstance(stepper, Heun) and not is_scalar(medium):
        raise ModelError(
            f"stepper = Heun() is for scalar media only, and a {plain_name(type(medium))} is not "
            "one (is_scalar): take Euler()."
        )


def _rising(times: Any) -> np.ndarray:
    """Times of the records [yr]."""
    at = np.atleast_1d(_bare(times, "time", "times"))
    if at.ndim != 1 or at.size == 0 or not at[0] > 0.0 or not (np.diff(at) > 0.0).all():
        raise RangeError(f"times = {times} must be positive and rising [yr].")
    return at


def _starts(start: Any, n: int, boundary: Any) -> np.ndarray:
    """Places of all particles, shape (3, n), inside the boundary."""
    given = _bare(start, "length", "start")
    if given.shape not in ((3,), (n, 3)):
        raise RangeError(f"start has the shape {given.shape}, it must be (3,) or ({n}, 3).")
    for place in np.atleast_2d(given):
        if tuple(confine(boundary, *place)) != tuple(place) or not _is_alive(boundary, place):
            raise RangeError(f"start = {place.tolist()} pc must lie inside the {boundary!r}.")
    return np.ascontiguousarray(np.broadcast_to(given, (n, 3)).T)


def _is_alive(boundary: Any, place: np.ndarray) -> bool:
    return bool(survival(boundary, *place, *place, 1.0) > 0.0)


def _pace(step: Any, fraction: float, last: float) -> FixedStep | AdaptiveStep:
    if step is not None:
        length = _bare(step, "time", "step")
        if length.ndim or not length > 0.0:
            raise RangeError(f"step = {step} must be one positive time [yr].")
        if length < SHORTEST * last:
            raise RangeError(
                f"step = {step} must be at least {SHORTEST:g} of the last time, {last:g} yr."
            )
        return FixedStep(float(length))
    if not 0.0 < fraction <= 1.0:
        raise RangeError(f"fraction = {fraction} must be above 0 and at most 1.")
    return AdaptiveStep(float(fraction), SHORTEST * last)


_CHECKED: set[Any] = set()


def _check_once(medium: Any, place: np.ndarray) -> None:
    """Look at the first medium of every type that is not the package's."""
    kind = _kind(medium)
    if not is_ours(medium) and kind not in _CHECKED:
        check_medium(medium, place)
        _CHECKED.add(kind)


def _kind(model: Any) -> Any:
    """Type of a model with the types of its parts."""
    if not isinstance(model, tuple):
        return type(model)
    return (type(model), *map(_kind, model))
