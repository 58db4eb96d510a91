"""How field lines are followed: steps, starts, and lines that have to reach their end."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.lanes import LANES
from mcprop.kernels.trace import trace_controlled, trace_fixed, under_way
from mcprop.units import bare
from mcprop.wandering.realisations import (
    check_answer,
    check_field,
    look_up,
    make_field,
    place_generator,
    positive,
    scale_of,
    whole,
)

STEPS_PER_SCALE = 8
"""Steps to the `step_scale` (the shortest wavelength) unless a step or a tolerance is given."""

FINEST = 1e-15
"""Least tolerance in units of the length: what rounding leaves of a place there."""

MOST = 10**9
"""Most steps of a line: six hours for `LANES` of them in 200 waves."""

PATIENCE = 10**8
"""Most adaptive steps that are tried for a block of lines."""

TOGETHER = 200_000
"""Steps of all lines that are taken without looking up: a second at most."""


class Stepping(NamedTuple):
    """How lines are followed.

    step : float or None, length of a step of RK4 [pc]; tolerance : float or None, error of a step
    of Dormand-Prince 5(4) [pc]; by : "length" or "z".
    """

    step: float | None = None
    tolerance: float | None = None
    by: str = "length"


def trace(
    field: Any,
    starts: Any,
    length: float,
    *,
    records: int = 1,
    step: float | None = None,
    tolerance: float | None = None,
    by: str = "length",
) -> np.ndarray:
    """Follow field lines.

    Parameters
    ----------
    field : model of a field
        One of `mcprop.fields`, or your own that answers `mcprop.protocol.b_vector`; it has a field
        `scale`, its shortest wavelength [pc], unless there is a step or a tolerance.
    starts : array_like, shape (n, 3)
        Where they start [pc].
    length : float
        How far they are followed [pc]; against the field if it is negative.
    records : int
        Number of places recorded, at equal distances; the start is not one of them.
    step : float, optional
        Longest step [pc] of the classical Runge-Kutta scheme, whose error is of fourth order in it.
        By default, if there is no tolerance either, an eighth of the `step_scale` at the first
        start, which is the shortest wavelength in turbulence.
    tolerance : float, optional
        Error [pc] of a step at most, in the adaptive scheme of Dormand and Prince; it replaces
        `step`, and is at least `FINEST` times the length. Steps are no longer than the
        `step_scale`.
    by : {"length", "z"}
        Whether `length` is arc length or a difference of z. By "z" a line ends where the field does
        not point toward +z.

    Returns
    -------
    ndarray, shape (records, n, 3)
        Places [pc]; NaN from where a line has ended: at a null of the field, by "z" where it
        turns back, or where its block has taken `PATIENCE` adaptive steps.

    Raises
    ------
    RangeError
        If a number is not allowed, or steps would be more than `MOST`.
    ModelError
        If `field` is no model of a field, or tells no scale where there is no step.
    """
    check_field(field)
    given = _places(starts)
    check_answer(field, given[0])
    whole("records", records, 1)
    if not (_is_number(length) and length != 0.0):
        raise RangeError(f"length = {length!r} must be a finite number other than zero [pc].")
    stepping = make_stepping(step, tolerance, by)
    return follow(field, np.array(given.T, order="C"), float(length), records, stepping)


def follow(
    field: Any,
    starts: np.ndarray,
    length: float,
    records: int,
    stepping: Stepping,
    stop: Event | None = None,
) -> np.ndarray:
    """Follow lines whose arguments are checked.

    Parameters
    ----------
    field : model of a field
        As for `trace`.
    starts : ndarray, shape (3, n)
        Where they start [pc].
    length, records
        As for `trace`.
    stepping : Stepping
        How they are followed.
    stop : Event, optional
        Set when the lines are not wanted any more.

    Returns
    -------
    ndarray, shape (records, n, 3)
        Places [pc].

    Raises
    ------
    RangeError
        If the tolerance is too small for the length, or the steps are too many.
    """
    out = np.empty((records, *starts.shape))
    sense, spacing = math.copysign(1.0, length), abs(length) / records
    by_height, tolerance = stepping.by == "z", stepping.tolerance
    if tolerance is None:
        steps = _steps(field, starts, spacing, records, stepping.step)
        _in_steps((field, sense, by_height, spacing / steps), starts, steps, out, stop)
    elif tolerance < FINEST * abs(length):
        raise RangeError(
            f"tolerance = {tolerance!r} pc must be at least {FINEST:g} of the length, "
            f"{FINEST * abs(length):g} pc."
        )
    else:
        _controlled((field, sense, by_height, spacing, tolerance), starts, out, stop)
    return out.transpose(0, 2, 1)


def _in_steps(
    given: tuple[Any, float, bool, float],
    starts: np.ndarray,
    steps: int,
    out: np.ndarray,
    stop: Event | None,
) -> None:
    """`trace_fixed` in parts, which change no bit: whole blocks of lanes, records, then steps."""
    field, *how = given
    records, _, n = out.shape
    many = LANES * max(TOGETHER // (LANES * steps * records), 1)
    for first in range(0, n, many):
        now, record, done = starts[:, first : first + many].copy(), 0, 0
        most = max(TOGETHER // (LANES * -(-now.shape[1] // LANES)), 1)
        while record < records:
            look_up(stop)
            taken = min(most, steps - done)
            last = min(record + max(most // steps, 1), records)
            ends = np.empty((last - record, *now.shape))
            trace_fixed(field, now, *how, taken, ends)
            out[record:last, :, first : first + many] = ends
            now, done = ends[-1].copy(), (done + taken) % steps
            record = last if done == 0 else record


def _controlled(
    given: tuple[Any, float, bool, float, float],
    starts: np.ndarray,
    out: np.ndarray,
    stop: Event | None,
) -> None:
    """`trace_controlled` a block of lanes after the other, and so many steps at a time."""
    field, *how = given
    records, _, n = out.shape
    for first in range(0, n, LANES):
        lines = under_way(starts[:, first : first + LANES], how[2])
        ends, at_once = np.empty((records, 3, lines.shape[1])), max(TOGETHER // LANES, 1)
        for _ in range(0, PATIENCE, at_once):
            look_up(stop)
            trace_controlled(field, lines, *how, at_once, ends)
            if lines[-1].min() == records:
                break
        out[:, :, first : first + LANES] = ends


def _steps(field: Any, starts: np.ndarray, spacing: float, records: int, step: float | None) -> int:
    """Number of equal steps to a record."""
    longest = step
    if longest is None:
        longest = scale_of(field, starts[:, 0], "step= or tolerance=") / STEPS_PER_SCALE
    wanted = spacing / longest * (1.0 - 1e-12)
    if not wanted * records <= MOST:
        raise RangeError(
            f"length = {spacing * records:g} pc takes {wanted * records:.3g} steps of "
            f"{longest:.3g} pc: {MOST:.0e} at most are allowed."
        )
    return max(math.ceil(wanted), 1)


def begin(
    field_of: Callable[[int], Any], seed: int, realisation: int, lines: int, edge: float
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Make the field of a realisation, and choose where its lines start.

    Parameters
    ----------
    field_of : callable
        Makes a field from its seed.
    seed, realisation : int
        Seed of the study, and number of the realisation.
    lines : int
        Number of lines.
    edge : float
        Edge [pc] of the cube round the origin in which they start.

    Returns
    -------
    field : model of a field
        That of the realisation.
    starts : ndarray, shape (3, lines)
        Places [pc].
    across : ndarray, shape (3, lines)
        Unit vectors across z.

    Raises
    ------
    ModelError
        If `field_of` makes no model of a field, or one whose mean is not along +z.
    """
    field = make_field(field_of, seed, realisation)
    random = place_generator(seed, realisation)
    starts = edge * (random.random((3, lines)) - 0.5)
    angle = 2.0 * math.pi * random.random(lines)
    return field, starts, np.array([np.cos(angle), np.sin(angle), np.zeros(lines)])


def whole_lines(
    field: Any,
    starts: np.ndarray,
    length: float,
    records: int,
    stepping: Stepping,
    stop: Event | None = None,
) -> np.ndarray:
    """Follow lines that all have to reach their end.

    Parameters
    ----------
    field, starts, length, records, stepping, stop
        As for `follow`.

    Returns
    -------
    ndarray, shape (records, n, 3)
        Places [pc].

    Raises
    ------
    RangeError
        If one ends on the way.
    """
    places = follow(field, starts, length, records, stepping, stop)
    ended = int((~np.isfinite(places[-1]).all(axis=1)).sum())
    if ended:
        raise RangeError(
            f"{ended} of {starts.shape[1]} field lines end within {length:g} pc, at a null of the "
            f"field or where they turn back: follow them by = 'length', not {stepping.by!r}."
            if stepping.by == "z"
            else f"{ended} of {starts.shape[1]} field lines end within {length:g} pc, at a null of "
            "the field or because they take too many steps."
        )
    return places


def first_after(s: np.ndarray, start: float) -> int:
    """First record at a distance or beyond, with one more to follow.

    Parameters
    ----------
    s : ndarray, shape (records,)
        Where the records are [pc].
    start : float
        The distance [pc].

    Returns
    -------
    int
        Its index.

    Raises
    ------
    RangeError
        If fewer than two records are left.
    """
    first = int(np.searchsorted(s, start * (1.0 - 1e-12)))
    if not first < len(s) - 1:
        raise RangeError(
            f"after = {start!r} pc must leave two of the {len(s)} records up to {s[-1]:g} pc."
        )
    return first


def check_counts(lines: int, seed: int, records: int) -> None:
    """Refuse a number of lines below 1, a seed below 0, fewer than 2 records."""
    whole("lines", lines, 1)
    whole("seed", seed, 0)
    whole("records", records, 2)


def make_stepping(step: float | None, tolerance: float | None, by: str) -> Stepping:
    """Check how lines are to be followed.

    Parameters
    ----------
    step, tolerance, by
        As for `trace`.

    Returns
    -------
    Stepping

    Raises
    ------
    RangeError
        If a number is not allowed, or step and tolerance are both given.
    """
    if by not in ("length", "z"):
        raise RangeError(f"by = {by!r} is not known: choose 'length' or 'z'.")
    if step is not None and tolerance is not None:
        raise RangeError(
            f"step = {step!r} and tolerance = {tolerance!r} exclude each other: give one of them."
        )
    return Stepping(
        None if step is None else positive("step", step, "pc"),
        None if tolerance is None else positive("tolerance", tolerance, "pc"),
        by,
    )


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return is_real and bool(np.isfinite(value))


def _places(starts: Any) -> np.ndarray:
    bare("starts", starts, "pc")
    try:
        places = np.array(starts, dtype=float, order="C")
    except (TypeError, ValueError):
        raise RangeError(f"starts = {starts!r} must be numbers [pc].") from None
    if places.ndim != 2 or places.shape[1] != 3 or len(places) == 0:
        raise RangeError(f"starts has the shape {places.shape}; it must be (n, 3).")
    if not np.isfinite(places).all():
        raise RangeError("starts must be finite [pc].")
    return places
