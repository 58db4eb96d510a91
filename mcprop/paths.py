"""The path of a history: what its kernels do, step by step, seen in plain Python.

Without its compiler Numba leaves kernels as the Python functions that they are. Here the functions
that a kernel calls once per step are wrapped for the time of a call, and what they leave in the
buffer of lanes is kept; the kernels know nothing of it. The arithmetic is made that of compiled
code: a division by zero or the root of a negative number is not an exception.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from numba import config

from mcprop.errors import ModelError
from mcprop.kernels import analog, lanes, region, residence, slab, walk
from mcprop.protocol import WITNESS, coefficient

Row = tuple[float, ...]
Step = Callable[..., Any]


class Call(NamedTuple):
    """A kernel that was called.

    Parameters
    ----------
    kernel : str
        Its name.
    values : dict
        What it was given, by name, and what it had filled in at its end; also "returned".
    columns : tuple of str
        What stands in the rows, with units. Empty for a kernel without a path.
    rows : list of tuple of float
        One for the start and one for each step.
    """

    kernel: str
    values: dict[str, Any]
    columns: tuple[str, ...]
    rows: list[Row]


@contextmanager
def witnessed() -> Iterator[list[Call]]:
    """See the kernels that are called in this thread, compiled or not.

    Yields
    ------
    list of Call
        Grows by one with each kernel that ends; without paths.
    """
    seen: list[Call] = []

    def witness(function: Step, chosen: Step, args: tuple[Any, ...]) -> Any:
        returned = chosen(*args)
        seen.append(_call(function, args, returned, (), []))
        return returned

    token = WITNESS.set(witness)
    try:
        yield seen
    finally:
        WITNESS.reset(token)


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """See the kernels that are called in this thread in plain Python, with the path of a history.

    Only for batches of one history, in a process where ``NUMBA_DISABLE_JIT`` is set and that does
    nothing else meanwhile.

    Yields
    ------
    list of Call
        Grows by one with each kernel that ends.

    Raises
    ------
    ModelError
        In a process that compiles.
    """
    if not config.DISABLE_JIT:
        raise ModelError("NUMBA_DISABLE_JIT is not set; a path is seen in plain Python alone.")
    seen: list[Call] = []

    def witness(function: Step, chosen: Step, args: tuple[Any, ...]) -> Any:
        rows: list[Row] = []
        with _arithmetic(), _one_lane():
            plain = tuple(map(_plain, args))
            if recorder := RECORDERS.get(function.__name__):
                module, columns, wrappers = recorder(rows, *plain)
                with _replaced(module, wrappers):
                    returned = function(*plain)
            else:
                columns, returned = (), function(*plain)
        seen.append(_call(function, args, returned, columns, rows))
        return returned

    for module in _kernel_modules():
        for function in list(vars(module).values()):
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                _use_numpy_floats(inspect.unwrap(function))
    token = WITNESS.set(witness)
    try:
        yield seen
    finally:
        WITNESS.reset(token)


def _kernel_modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith("mcprop.kernels.")]


def _use_numpy_floats(function: Any) -> None:
    """Make the floats that stand in a function ones of NumPy."""
    code = function.__code__
    function.__code__ = code.replace(co_consts=_plain(code.co_consts))


def _call(
    function: Step, args: tuple[Any, ...], returned: Any, columns: tuple[str, ...], rows: list[Row]
) -> Call:
    given = inspect.signature(function).bind(*args).arguments
    values = {name: _copied(value) for name, value in given.items()}
    return Call(function.__name__, values | {"returned": returned}, columns, rows)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _plain(value: Any) -> Any:
    """The same with every float one of NumPy's, which divides by zero as compiled code does."""
    if isinstance(value, tuple):
        make: Callable[..., Any] = getattr(type(value), "_make", tuple)
        return make(map(_plain, value))
    return np.float64(value) if isinstance(value, float) else value


LOOSE = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "atanh": np.arctanh,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "expm1": np.expm1,
    "fmod": np.fmod,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "pow": np.power,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
}
"""What to ask where a function of ``math`` raises an error and compiled code answers inf or NaN."""


@contextmanager
def _arithmetic() -> Iterator[None]:
    """Arithmetic of compiled code: no exception, no warning."""
    functions = {name: _forgiving(getattr(math, name), loose) for name, loose in LOOSE.items()}
    with _replaced(math, functions), np.errstate(all="ignore"):
        yield


def _forgiving(strict: Step, loose: Step) -> Step:
    def answer(*args: float) -> np.float64:
        try:
            return np.float64(strict(*args))
        except (ValueError, OverflowError):
            return np.float64(loose(*args))

    return answer


@contextmanager
def _one_lane() -> Iterator[None]:
    """Give every walk a single lane; lanes do not depend on each other."""
    with ExitStack() as stack:
        for module in (lanes, region, residence, slab, walk):
            stack.enter_context(_replaced(module, {"LANES": 1}))
        yield


@contextmanager
def _replaced(module: ModuleType, others: dict[str, Any]) -> Iterator[None]:
    """Put others in the place of what a module holds, for a while."""
    before = {name: getattr(module, name) for name in others}
    vars(module).update(others)
    try:
        yield
    finally:
        vars(module).update(before)


Recorder = tuple[ModuleType, tuple[str, ...], dict[str, Step]]
"""Module of a kernel, columns of its rows, and what stands in for functions of the module."""

SIDES = "+1", "-1", "+2", "-2", "+3", "-3"
"""The six copies: up and down the three axes of the frame."""


def _lane(lane: np.ndarray, numbers: list[int], i: int, width: int) -> Row:
    """Some rows of a buffer, of lane `i`."""
    return tuple(float(lane[number * width + i]) for number in numbers)


def _slab_walk(rows: list[Row], cloud: Any, outer: Any, *args: Any) -> Recorder:
    """The base copy, what moves all along the face, and the copies up and down the three axes."""
    draw, fate = slab.draw, slab.fate
    shared = [("time [yr]", slab.TIME), ("base [pc]", slab.BASE)]
    if not slab.is_uniform(outer):  # else nothing moves them
        shared += [("y shift [pc]", slab.SHIFT2), ("z shift [pc]", slab.SHIFT3)]
    own = [("depth{} [pc]", slab.DEPTH), ("weight{}", slab.WEIGHT), ("score{}", slab.SCORE)]
    named = shared + [(what.format(k), row + n) for what, row in own for n, k in enumerate(SIDES)]
    numbers = [row for _, row in named]

    def drawing(cloud, uniform, seed, stream, particle, block, i, lane):
        rows.append(_lane(lane, numbers, i, slab.LANES))
        draw(cloud, uniform, seed, stream, particle, block, i, lane)

    def judging(cloud, i, lane):
        end = fate(cloud, i, lane)
        if end >= 0:
            rows.append(_lane(lane, numbers, i, slab.LANES))
        return end

    return slab, tuple(name for name, _ in named), {"draw": drawing, "fate": judging}


def _analog_walk(rows: list[Row], *args: Any) -> Recorder:
    """Where the history is; y shift is y - (kappa_yx / kappa_xx) depth."""
    step = analog.analog_step

    def stepping(cloud, seed, stream, particle, block, x, v, z, time):
        if not rows:
            rows.append((float(time), float(x), float(v), float(z)))
        x, v, z, time, left = step(cloud, seed, stream, particle, block, x, v, z, time)
        rows.append((float(time), float(x), float(v), float(z)))
        return x, v, z, time, left

    columns = "time [yr]", "depth [pc]", "y shift [pc]", "z [pc]"
    return analog, columns, {"analog_step": stepping}


def _walk(rows: list[Row], *args: Any) -> Recorder:
    """Where a walk from the observer is without drift, which is added where its end is met."""
    euler = walk.euler

    def moving(medium, x, y, z, n0, n1, n2, h, root):
        if not rows:
            rows.append((0.0, float(x), float(y), float(z)))
        x, y, z = euler(medium, x, y, z, n0, n1, n2, h, root)
        rows.append((len(rows) * float(h), float(x), float(y), float(z)))
        return x, y, z

    return walk, ("time [yr]", "x [pc]", "y [pc]", "z [pc]"), {"euler": moving}


def _residence_walk(rows: list[Row], medium: Any, *args: Any) -> Recorder:
    """Where the first copy is, and weight and score of each, in the clock ds = kappa dt.

    The time is the trapezoidal rule over ds / kappa at the first copy, which the kernel itself has
    no use for; NaN in a medium that does not tell its kappa.
    """
    launch, advance = residence.launch, residence.advance
    copies, width = len(args[5]), residence.LANES
    owners: list[np.ndarray] = []
    state = {"moved": 0, "clock": 0.0, "time": 0.0, "slowness": math.nan}

    def keep(h, i):
        place = _lane(owners[0], [residence.X, residence.Y, residence.Z], i, width)
        profile, before = getattr(medium, "profile", None), state["slowness"]
        slowness = math.nan if profile is None else 1.0 / float(coefficient(profile, *place)[0])
        state["slowness"], state["clock"] = slowness, state["clock"] + h
        state["time"] += 0.5 * h * (before + slowness) if rows else 0.0
        weights = [_lane(own, [residence.WEIGHT], i, width)[0] for own in owners]
        scores = [_lane(own, [residence.SCORE], i, width)[0] for own in owners]
        rows.append((state["clock"], state["time"], *place, *weights, *scores))

    def launching(medium, start, i, own):
        launch(medium, start, i, own)
        owners.append(own)
        if len(owners) == copies:
            keep(0.0, i)

    def advancing(medium, boundary, fraction, half, i, own, shared):
        advance(medium, boundary, fraction, half, i, own, shared)
        state["moved"] += 1
        if state["moved"] % copies == 0:
            length = float(shared[residence.LENGTH * width + i])
            length = float(fraction) * length if length < residence.FAR else 0.0
            keep(0.5 * length * length, i)

    columns = ["clock [pc2]", "time [yr]", "x [pc]", "y [pc]", "z [pc]"]
    columns += [f"{what} {k}" for what in ("weight", "score") for k in range(copies)]
    return residence, tuple(columns), {"launch": launching, "advance": advancing}


def _region_walk(rows: list[Row], axis: Any, exterior: Any, start: Any, *args: Any) -> Recorder:
    """Three coordinates along the lifted axis and two across; a step of 0 yr is a jump."""
    advance = region.advance
    numbers = [region.LAST, *range(5), region.LOG_WEIGHT, region.FACTOR, region.GONE]

    def advancing(axis, exterior, w0, w1, i, lane):
        if not rows:
            rows.append(_lane(lane, numbers, i, region.LANES))
        advance(axis, exterior, w0, w1, i, lane)
        if rows[-1][-1] == 0.0:  # once gone, what is left until the lane is looked at is no path
            rows.append(_lane(lane, numbers, i, region.LANES))

    names = "x1 [pc]", "x2 [pc]", "x3 [pc]", "y [pc]", "z [pc]", "ln weight", "factor", "gone"
    return region, ("step [yr]", *names), {"advance": advancing}


def note(kernel: str) -> str:
    """What the columns of a kernel's path are, in one line; empty without a path.

    Parameters
    ----------
    kernel : str
        Its name.
    """
    recorder = RECORDERS.get(kernel)
    return ((recorder and recorder.__doc__) or "").partition("\n")[0]


RECORDERS: dict[str, Callable[..., Recorder]] = {
    "slab_walk": _slab_walk,
    "analog_walk": _analog_walk,
    "walk": _walk,
    "residence_walk": _residence_walk,
    "region_walk": _region_walk,
}
