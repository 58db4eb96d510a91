"""Step halving: a share of the histories once more with half the step, against the whole one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mcprop.assembly import MIN_EFFECTIVE
from mcprop.comparison import ComparisonRow, density_row, dipole_row
from mcprop.plan import Planned
from mcprop.transport import Outcome

SHARE = 0.01
"""Part of the histories that is run once more."""
LEAST = 256
"""Histories below which a difference would be of no use."""
FULL_STEP = "full step"
"""Name of the reference in the comparison table."""


def halved(planned: Planned, histories: int) -> Planned | None:
    """The job with half the step, for a share of its histories.

    Parameters
    ----------
    planned : Planned
        A job.
    histories : int
        How many it has run.

    Returns
    -------
    Planned or None
        None for a job without steps.
    """
    half = getattr(planned.job, "halved", None)
    if half is None:
        return None
    return replace(planned, job=half(), histories=max(LEAST, math.ceil(SHARE * histories)))


def halving_rows(
    energy: float, planned: Planned, full: Outcome, half: Outcome
) -> list[ComparisonRow]:
    """Rows that hold the result of half the step against that of the full one.

    Parameters
    ----------
    energy : float
        Total energy [GeV].
    planned : Planned
        The job.
    full, half : Outcome
        Its outcomes with the two steps, from independent histories.

    Returns
    -------
    list of ComparisonRow
        Density, and the vector that the job gives, such as the dipole.
    """
    names = (energy, planned.component, planned.species)
    label = f"{planned.estimator}, half step"
    (mean, error), (expected, own) = half.moments.density(), full.moments.density()
    if not (mean and expected):
        return []
    rows = []
    if error or own:
        rows.append(density_row(*names, (mean, math.hypot(error, own)), expected, label, FULL_STEP))
    if planned.gives != "burst density":
        dipoles = half.moments.dipole(), full.moments.dipole()
        row = dipole_row(*names, *dipoles, label, FULL_STEP)
        rows.append(replace(row, quantity=planned.gives))
    few = min(half.moments.effective, full.moments.effective) < MIN_EFFECTIVE
    return [replace(row, verdict="inconclusive") if few else row for row in rows]


def summary(rows: Sequence[ComparisonRow]) -> list[str]:
    """Say what half the step changes, a sentence for each component and quantity.

    Parameters
    ----------
    rows : sequence of ComparisonRow
        Comparison table.

    Returns
    -------
    list of str
        Sentences without a full stop: the mean change, weighted by its errors.
    """
    groups: dict[tuple[str, str], list[ComparisonRow]] = {}
    for row in rows:
        if row.reference == FULL_STEP and row.error > 0.0 and row.expected:
            groups.setdefault((row.component, row.quantity), []).append(row)
    said = []
    for (component, quantity), members in groups.items():
        change = np.array([row.difference / row.expected for row in members])
        weight = np.array([(row.expected / row.error) ** 2 for row in members])
        mean, error = float(change @ weight / weight.sum()), float(weight.sum() ** -0.5)
        said.append(
            f"half the step changes the {component} {quantity} by {100.0 * mean:+.2f} +-"
            f" {100.0 * error:.2f} % (mean over {len(members)} jobs)"
        )
    return said
