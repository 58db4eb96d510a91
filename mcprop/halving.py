"""A share of the histories once more, with half the step and with half the last leg.

No result may depend on the length of the steps, nor on the share of a burst's age that is left to
the closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mcprop.assembly import MIN_EFFECTIVE
from mcprop.comparison import ComparisonRow, density_row, dipole_row
from mcprop.moments import Moments
from mcprop.plan import Planned
from mcprop.transport import Outcome

SHARE, LEG_SHARE = 0.01, 0.04
"""Parts of the histories that are run once more with half the step, and with half the last leg.

Histories vary more the shorter the leg is, by a factor of two and more in what is built in.
"""
LEAST = 256
"""Histories below which a difference would be of no use."""
MOST_VOV = 0.1
"""Variance of the variance up to which an error bar is known well enough, to 16 %."""
FULL_STEP, LONGER_LEG = "full step", "longer leg"
"""Names of the references in the comparison table."""

_WAYS = {
    FULL_STEP: ("halved", "half step", SHARE),
    LONGER_LEG: ("shortened", "half leg", LEG_SHARE),
}
"""Method of a job that makes the other one, its mark in the name of the estimator, its share."""
_SAID = {FULL_STEP: "half the step", LONGER_LEG: "half the last leg"}


def variants(planned: Planned, histories: int) -> list[Planned]:
    """The job with half the step, and with half the last leg, for a share of its histories.

    Parameters
    ----------
    planned : Planned
        A job.
    histories : int
        How many it has run.

    Returns
    -------
    list of Planned
        Named after what is different by their estimators; without those that a job cannot have.
    """
    found = []
    for method, mark, share in _WAYS.values():
        make = getattr(planned.job, method, None)
        if (job := make and make()) is not None:
            label, n = f"{planned.estimator}, {mark}", max(LEAST, math.ceil(share * histories))
            found.append(replace(planned, job=job, histories=n, estimator=label))
    return found


def halving_rows(
    energy: float, planned: Planned, full: Outcome, half: Outcome
) -> list[ComparisonRow]:
    """Rows that hold the result of half the step, or leg, against that of the full one.

    Parameters
    ----------
    energy : float
        Total energy [GeV].
    planned : Planned
        One of `variants`.
    full, half : Outcome
        Outcomes of the job that it is made of and of its own, from independent histories.

    Returns
    -------
    list of ComparisonRow
        Density, and the vector that the job gives, such as the dipole.
    """
    names = (energy, planned.component, planned.species)
    label = planned.estimator
    reference = next(name for name, (_, mark, _) in _WAYS.items() if label.endswith(f", {mark}"))
    (mean, error), (expected, own) = half.moments.density(), full.moments.density()
    if not (mean and expected):
        return []
    rows = []
    if error or own:
        rows.append(density_row(*names, (mean, math.hypot(error, own)), expected, label, reference))
    if planned.gives != "burst density":
        dipoles = half.moments.dipole(), full.moments.dipole()
        row = dipole_row(*names, *dipoles, label, reference)
        rows.append(replace(row, quantity=planned.gives))
    known = _has_error_bar(half.moments) and _has_error_bar(full.moments)
    return [row if known else replace(row, verdict="inconclusive") for row in rows]


def _has_error_bar(moments: Moments) -> bool:
    """Whether the error bars of the density and of the dipole are themselves known."""
    if moments.effective < MIN_EFFECTIVE:
        return False
    influences = np.eye(4)
    influences[1:, 0] = -moments.mean[1:] / moments.mean[0]
    return all(moments.variance_of_variance(weights) <= MOST_VOV for weights in influences)


def summary(rows: Sequence[ComparisonRow]) -> list[str]:
    """Say what half the step and half the leg change, a sentence for each component and quantity.

    Parameters
    ----------
    rows : sequence of ComparisonRow
        Comparison table.

    Returns
    -------
    list of str
        Sentences without a full stop: the mean change, weighted by its errors.
    """
    groups: dict[tuple[str, str, str], list[ComparisonRow]] = {}
    for row in rows:
        if row.reference in _SAID and row.error > 0.0 and row.expected:
            key = (row.reference, row.component, row.quantity)
            groups.setdefault(key, []).append(row)
    said = []
    for (reference, component, quantity), members in groups.items():
        change = np.array([row.difference / row.expected for row in members])
        weight = np.array([(row.expected / row.error) ** 2 for row in members])
        mean, error = float(change @ weight / weight.sum()), float(weight.sum() ** -0.5)
        said.append(
            f"{_SAID[reference]} changes the {component} {quantity} by {100.0 * mean:+.2f} +-"
            f" {100.0 * error:.2f} % (mean over {len(members)} jobs)"
        )
    return said
