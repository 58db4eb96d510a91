"""Averages over realisations of a random field, with errors from their scatter alone.

Lines and particles of one realisation feel the same field, so they are not independent: only its
mean counts, once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from threading import Event
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mcprop.errors import ModelError, RangeError
from mcprop.fields.answer import check_answer
from mcprop.kernels.lanes import LANES
from mcprop.protocol import answers, b_block, b_vector, step_scale
from mcprop.threads import in_order
from mcprop.wandering.given_field import check_field, check_maker, scale_of, seeded

__all__ = [
    "BLOCKS",
    "FARTHEST",
    "LEAN",
    "SIGMAS",
    "WIDE",
    "Estimate",
    "Halted",
    "check_answer",
    "check_field",
    "check_maker",
    "check_mean",
    "check_upright",
    "each_realisation",
    "estimate",
    "field_seed",
    "look_up",
    "make_field",
    "place_generator",
    "positive",
    "scale_of",
    "seeded",
    "whole",
]

Result = TypeVar("Result")


class Halted(Exception):
    """Ends work that nobody waits for any more; `each_realisation` keeps it to itself."""


BLOCKS, MANY = 4, 256
"""Blocks of places at which the direction of the mean field is looked at, and its strength."""

WIDE, FARTHEST = 1e5, 1e9
"""Edge of the cube in which they lie in units of `step_scale`, and its largest [pc]."""

LEAN, SIGMAS = 0.2, 4.0
"""Angle [rad] to +z and number of standard deviations up to which the mean field may be off."""


class Estimate(NamedTuple):
    """A mean over realisations.

    value : float or ndarray; error : the same, standard deviation of the mean, NaN from one
    realisation.

    Examples
    --------
    >>> print(Estimate(0.33291, 0.04943))
    0.3329 +- 0.049
    """

    value: Any
    error: Any

    def __str__(self) -> str:
        pairs = zip(np.ravel(self.value), np.ravel(self.error), strict=True)
        return ", ".join(f"{value:.4g} +- {error:.2g}" for value, error in pairs)


def estimate(values: Any) -> Estimate:
    """Mean over realisations, and its error from their scatter.

    Parameters
    ----------
    values : array_like, shape (realisations, ...)
        What each realisation gave.

    Returns
    -------
    Estimate
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    scatter = values.std(axis=0, ddof=1) if n > 1 else np.full(values.shape[1:], np.nan)
    return Estimate(values.mean(axis=0)[()], (scatter / np.sqrt(n))[()])


def field_seed(seed: int, realisation: int) -> int:
    """Seed of the field of one realisation of a study.

    Parameters
    ----------
    seed : int
        Seed of the study, from 0 to 2^63 - 1.
    realisation : int
        Number of the realisation, from 0.

    Returns
    -------
    int
        Between 0 and 2^63 - 1; realisations of one study or of several have nothing in common.
    """
    words = np.random.SeedSequence((seed, realisation)).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def place_generator(seed: int, realisation: int) -> np.random.Generator:
    """Generator of what a realisation needs beside its field, such as the places of its lines.

    Parameters
    ----------
    seed, realisation : int
        As for `field_seed`, from which it is independent.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng(np.random.SeedSequence((seed, realisation), spawn_key=(1,)))


def make_field(field_of: Callable[[int], Any], seed: int, realisation: int) -> Any:
    """Make the field of a realisation; of the first the mean is looked at.

    Parameters
    ----------
    field_of : callable
        Makes a field from its seed, mean field along +z included.
    seed, realisation : int
        Seed of the study, and number of the realisation.

    Returns
    -------
    model of a field

    Raises
    ------
    ModelError
        If `field_of` makes no model of a field, or one whose mean is not along +z.
    """
    check_maker(field_of)
    field = field_of(field_seed(seed, realisation))
    check_field(field)
    check_answer(field)
    if realisation == 0:
        check_upright(field, seed)
    return field


def each_realisation(
    work: Callable[[int], Result],
    realisations: int,
    workers: int | None = None,
    stop: Event | None = None,
) -> list[Result]:
    """Call `work` with the number of every realisation, in threads.

    Parameters
    ----------
    work : callable
        Takes the number of a realisation; what takes long in it is a kernel.
    realisations : int
        How many.
    workers : int, optional
        Number of threads; by default as many as cores. No result depends on it.
    stop : Event, optional
        Set when one call has failed or Ctrl-C has come: what the others return is not wanted.

    Returns
    -------
    list
        What the calls returned, in the order of the realisations.
    """
    whole("realisations", realisations, 1)
    if workers is not None:
        whole("workers", workers, 1)
    trouble = Event() if stop is None else stop

    def guarded(realisation: int) -> Any:
        try:
            return work(realisation)
        except Halted:  # what has brought it about comes with another number
            return None
        except BaseException:
            trouble.set()
            raise

    first = work(0)  # compiles, before threads could do so at once
    return [first, *in_order(guarded, range(1, realisations), workers, trouble)]


def look_up(stop: Event | None) -> None:
    """Between two calls of a kernel, end work that is not wanted any more.

    Parameters
    ----------
    stop : Event, optional
        That of `each_realisation`; Ctrl-C comes here without it, to the main thread.

    Raises
    ------
    Halted
        If it is set.
    """
    if stop is not None and stop.is_set():
        raise Halted


def whole(name: str, value: Any, least: int, most: int = 2**63 - 1) -> int:
    """Check a whole number.

    Parameters
    ----------
    name : str
        What it is called.
    value : int
        What was given.
    least, most : int
        What is allowed.

    Returns
    -------
    int

    Raises
    ------
    RangeError
        If it is none, or out of range.
    """
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        upper = f" to {most}" if most < 2**63 - 1 else " up"
        raise RangeError(f"{name} = {value!r} must be a whole number from {least}{upper}.")
    return number


def positive(name: str, value: Any, unit: str) -> float:
    """Check a finite positive number.

    Parameters
    ----------
    name, unit : str
        What it is called, and its unit for the message.
    value : float
        What was given.

    Returns
    -------
    float

    Raises
    ------
    RangeError
        If it is none.
    """
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not (is_number and np.isfinite(value) and value > 0.0):
        raise RangeError(f"{name} = {value!r} must be a positive finite number [{unit}].")
    return float(value)


def check_upright(field: Any, seed: int) -> None:
    """Refuse a field whose mean is not along +z, by more than chance allows.

    Every "along" and "across" of a study is about z. A field without a mean passes.

    Parameters
    ----------
    field : model of a field
        It is homogeneous, but for what is random in it.
    seed : int
        Seed of the places at which it is looked at.

    Raises
    ------
    ModelError
        If it is not.
    """
    mean, error = _mean(field, seed, BLOCKS)
    across = float(np.hypot(mean[0], mean[1]))
    off = across if mean[2] > 0.0 else float(np.linalg.norm(mean))  # to the half-axis
    if off > SIGMAS * error and np.arctan2(across, mean[2]) > LEAN:
        raise ModelError(_not_upright(mean, error))


def check_mean(field: Any, seed: int) -> None:
    """Refuse a field without a mean: nothing spreads across it, and nothing has a height.

    It needs a mean along z of more than `SIGMAS` times its error, the root mean square of what is
    random over the square root of `MANY` blocks of places: 1/32 of what is random is enough.

    Parameters
    ----------
    field, seed
        As for `check_upright`.

    Raises
    ------
    ModelError
        If it has none.
    """
    for blocks in (BLOCKS, MANY):  # a strong one shows at once
        mean, error = _mean(field, seed, blocks)
        if mean[2] > SIGMAS * error:
            return
    raise ModelError(_not_upright(mean, error))


def _not_upright(mean: np.ndarray, error: float) -> str:
    bx, by, bz = mean
    return (
        f"field_of makes a field with the mean ({bx:.3g}, {by:.3g}, {bz:.3g}) uG, each "
        f"+- {error:.2g} uG at most: it must point along +z."
    )


def _mean(field: Any, seed: int, blocks: int) -> tuple[np.ndarray, float]:
    """Mean field (3,) and the error of its length [uG], from random places."""
    found = _looked_at(field, seed, blocks)
    return found.mean(axis=1), float(np.sqrt(found.var(axis=1, ddof=1).sum() / found.shape[1]))


def _looked_at(field: Any, seed: int, blocks: int) -> np.ndarray:
    """The field at random places far from each other, (3, blocks * LANES) [uG]."""
    edge = min(WIDE * float(step_scale(field, 0.0, 0.0, 0.0)), FARTHEST)
    random = np.random.default_rng(np.random.SeedSequence((seed, 0), spawn_key=(2,)))
    places = edge * (random.random((blocks, 3 * LANES)) - 0.5)
    if answers(b_vector, field):
        columns = places.reshape(blocks, 3, LANES).swapaxes(1, 2).reshape(-1, 3)
        return np.array([b_vector(field, *place) for place in columns.tolist()]).T
    out = np.zeros((blocks, 3 * LANES))
    for block in range(blocks):
        b_block(field, places[block], out[block])
    return out.reshape(blocks, 3, LANES).swapaxes(0, 1).reshape(3, -1)
