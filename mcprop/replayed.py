"""One history of one job, replayed: as data, as text, and against another of it bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.paths import Call, note
from mcprop.plan import Planned
from mcprop.transport import FATES

FILLED = ("out", "scores", "frames", "directions", "arrivals", "intensity", "weight")
"""Names of what kernels fill in, to be shown."""
SHORT = 64
"""Numbers in an array that is compared one by one, not by its hash."""


@dataclass(frozen=True)
class Replayed:
    """One history of one job.

    Parameters
    ----------
    component, species, gives : str
        What is transported, as in `mcprop.plan.Planned`.
    job : str
        Kind of job.
    calls : tuple of Call
        The kernels that made the history, with its path. Arrays are lists here, long ones hashes.
    density : float
    vector : tuple of float
        Score of the history; NaN if it was lost.
    fate : str
        One of `mcprop.transport.FATES`.
    steps : int
        Steps walked, all copies counted.
    differences : tuple of str
        Where plain Python and the compiled kernels do not agree bit for bit. A NaN equals any.
    """

    component: str
    species: str
    gives: str
    job: str
    calls: tuple[Call, ...]
    density: float
    vector: tuple[float, ...]
    fate: str
    steps: int
    differences: tuple[str, ...]


def replayed(planned: Planned, plain: dict[str, Any], compiled: dict[str, Any]) -> Replayed:
    """Make a history out of the answers of plain Python and of compiled kernels.

    Parameters
    ----------
    planned : Planned
        The job.
    plain, compiled : dict
        "calls", "score", "fates" and "steps" of either, as data; or only "stopped", why plain
        Python did not get to the end.

    Returns
    -------
    Replayed
        What plain Python has found; what the compiled kernels have, if it stopped.
    """
    name = f"{planned.component} of {planned.species}, {planned.gives}"
    if "stopped" in plain:
        differences = [f"{name}: plain Python stopped with {plain['stopped']}"]
        plain = compiled
    else:
        differences = [f"{name}: {line}" for line in _differences(plain, compiled)]
    density, *vector = plain["score"]
    return Replayed(
        planned.component,
        planned.species,
        planned.gives,
        type(planned.job).__name__,
        tuple(Call(*call) for call in plain["calls"]),
        density,
        tuple(vector),
        FATES[int(np.argmax(plain["fates"]))],
        plain["steps"],
        tuple(differences),
    )


def as_data(value: Any) -> Any:
    """Numbers, lists and tables in place of arrays, models and what NumPy has of its own.

    Parameters
    ----------
    value : any
        What a kernel takes or returns.

    Returns
    -------
    any
        For ``json.dump``, which keeps every bit of a float. A long array becomes its hash.
    """
    if isinstance(value, np.ndarray):
        if value.size <= SHORT:
            return value.tolist()
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {name: as_data(item) for name, item in value.items()}
    if hasattr(value, "_fields"):
        return as_data(value._asdict())
    return [as_data(item) for item in value] if isinstance(value, tuple | list) else value


def _differences(plain: dict[str, Any], compiled: dict[str, Any]) -> list[str]:
    """What differs between two answers, the first few of each kernel."""
    ours, theirs = ([Call(*c) for c in answer["calls"]] for answer in (plain, compiled))
    names = [[call.kernel for call in calls] for calls in (ours, theirs)]
    if names[0] != names[1]:
        return [f"kernels {' '.join(names[0])}, compiled {' '.join(names[1])}"]
    pairs = [(a.kernel, a.values, b.values) for a, b in zip(ours, theirs, strict=True)]
    pairs += [(key, plain[key], compiled[key]) for key in ("score", "fates", "steps")]
    return [line for name, a, b in pairs for line in list(_unequal(name, a, b))[:6]]


def _unequal(name: str, ours: Any, theirs: Any) -> Iterator[str]:
    """Lines about numbers that have other bits; text keeps every bit, and the sign of a zero."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from _unequal(f"{name} {key}", ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from _unequal(f"{name}[{k}]", a, b)
    elif repr(ours) != repr(theirs):
        yield f"{name} = {ours!r}, compiled {theirs!r}"


def written(one: Replayed) -> list[str]:
    """Write down a history: a line for each step, and heads that begin with ``#``.

    Parameters
    ----------
    one : Replayed
        The history.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [f"# {one.component} of {one.species}, {one.gives} ({one.job})"]
    for call in one.calls:
        shown = {name: list(_numbers(call.values.get(name))) for name in FILLED}
        filled = [
            f"#   {k} = {' '.join(map(repr, numbers))}" for k, numbers in shown.items() if numbers
        ]
        if call.rows:
            lines.append(f"# {call.kernel}, {len(call.rows) - 1} steps. {note(call.kernel)}")
            lines += [*_table(call), *filled]
        elif filled:
            lines += [f"# {call.kernel}", *filled]
    lines.append(f"# density = {one.density!r}")
    lines.append(f"# vector = {' '.join(map(repr, one.vector))}")
    return [*lines, f"# {one.fate} after {one.steps} steps of all copies"]


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in lists of lists; a hash has none."""
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, float):
        yield value


def _table(call: Call) -> list[str]:
    """Columns of a path under their names, aligned."""
    cells = [["step", *call.columns]]
    cells += [[str(k), *(f"{x:.9g}" for x in row)] for k, row in enumerate(call.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ("  ".join(map(str.rjust, row, widths)) for row in cells)
    return [("# " if k == 0 else "  ") + line for k, line in enumerate(padded)]
