"""Values of a study that are fine one by one, and not together: lines that start with the key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mcprop.quantity_text import show
from mcprop.wander_study import sections

FORGOTTEN = 0.2
"""Longest wavelengths across after which particles have left their lines."""


def twice(path: str, values: tuple[Any, ...]) -> Iterator[str]:
    """What stands in a list more than once.

    Parameters
    ----------
    path : str
        Dotted key of the list.
    values : tuple
    """
    for place, value in enumerate(values):
        if value in values[:place]:
            yield f"{path}[{place}]: got {show(value)} twice; allowed: each value once"


def disordered(longest: float, shortest: float) -> Iterator[str]:
    """Wavelengths [pc] in the wrong order.

    Parameters
    ----------
    longest, shortest : float
        [pc]
    """
    if not shortest < longest:
        yield (
            f"field.shortest: got {shortest:g} pc; allowed: less than field.longest, {longest:g} pc"
        )


def kinetic_problems(transport: sections.Transport, rigidities: Iterable[float]) -> Iterator[str]:
    """Kinetic theory needs an epsilon that rises with rigidity, and is no smaller than numbers.

    Parameters
    ----------
    transport : Transport
    rigidities : iterable of float
        [GV]
    """
    if sections.KINETIC not in transport.epsilon:
        return
    if not transport.slope < 1.0:
        yield (
            f"transport.slope: got {transport.slope:g}; allowed next to epsilon = "
            '"kinetic": less than 1'
        )
        return
    for rigidity in rigidities:
        found = transport.ratio(sections.KINETIC, rigidity)
        if found < sections.SMALLEST_EPSILON:
            yield (
                f'transport.epsilon: got "kinetic", {found:.2g} at {rigidity:g} GV; allowed: at'
                f" least {sections.SMALLEST_EPSILON:g}, a higher rigidity or a lower"
                " transport.critical_rigidity"
            )


def mismatched(field: sections.FieldScan, run_of: sections.ScanMonteCarlo) -> Iterator[str]:
    """Windows and steps that do not suit every scale that is scanned: both are lengths.

    Parameters
    ----------
    field : FieldScan
    run_of : ScanMonteCarlo
    """
    longest, shortest = max(field.longest), min(field.shortest)
    least = FORGOTTEN * longest
    if run_of.decorrelation < least * (1.0 - 1e-9):
        yield (
            f"monte_carlo.decorrelation: got {run_of.decorrelation:g} pc; allowed next to"
            f" field.longest {longest:g} pc: at least {least:g} pc, before which particles"
            " remember their lines"
        )
    if run_of.parallel_step > shortest:
        yield (
            f"monte_carlo.parallel_step: got {run_of.parallel_step:g} pc; allowed next to"
            f" field.shortest {shortest:g} pc: at most as long, to follow the lines"
        )
