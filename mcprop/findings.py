"""What a comparison finds out about references that are known to be approximations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Row = Any
"""A `mcprop.comparison.ComparisonRow`, which stands above this module."""
SIGNIFICANT = 3.0
"""Standard deviations from which a finding is told."""
TURNED = 1.0
"""Angle [deg] from which a finding says by how much a dipole is turned."""


def findings(rows: Iterable[Row]) -> list[str]:
    """Say how far references are off.

    Parameters
    ----------
    rows : iterable of ComparisonRow
        Rows with the verdict "finding".

    Returns
    -------
    list of str
        One sentence for each reference and quantity; empty where nothing is significant.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.reference, row.component, row.quantity), []).append(row)
    return [said for key, group in groups.items() if (said := _finding(*key, group))]


def _finding(reference: str, component: str, quantity: str, rows: list[Row]) -> str:
    """How far a reference is off where that is significant: once a decade if energies allow."""
    one = [row for row in rows if row.species == rows[0].species]
    decades = [row for row in one if abs(math.log10(row.energy) % 1.0 - 0.5) > 0.49] or one
    clear = [row for row in decades if _is_clear(row)]
    what = f"{reference} of the {component} {quantity} ({one[0].species})"
    if not clear:
        return ""
    return f"Finding: the {what} is off by {', '.join(map(_how_far, clear))}."


def _is_clear(row: Row) -> bool:
    """Whether an approximation is off by more than the errors, in amplitude or in direction."""
    return abs(row.offset) > SIGNIFICANT * row.offset_err or _is_turned(row)


def _is_turned(row: Row) -> bool:
    return row.separation > TURNED and row.sigma > SIGNIFICANT


def _how_far(row: Row) -> str:
    amplitude = f"{100.0 * row.offset:+.1f} +- {100.0 * row.offset_err:.1f} %"
    turned = f" and {row.separation:.1f} deg" if _is_turned(row) else ""
    return f"{amplitude}{turned} at {row.energy:.4g} GeV"
