"""What a scan says of M_A = 0.1, where Xue & Liu (2025) take D_perp = M_A^4 D_parallel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mcprop.report import aligned
from mcprop.wander_study.sections import Spectrum
from mcprop.wander_study.tables import WanderRow
from mcprop.wander_study.verdicts import (
    FAILS,
    FOLLOWS,
    UNDECIDED,
    UNSETTLED,
    Rule,
    distinct,
    groups,
    is_settled,
    judged,
)

XL25_MACH = 0.1
"""M_A of Xue & Liu (2025), who take D_perp = M_A^4 D_parallel."""
_WORDS = {FOLLOWS: "met", FAILS: "missed", UNDECIDED: "undecided", UNSETTLED: UNSETTLED}
_MOST = 0.5
"""Part of D_perp from which on kappa_perp is most of it."""

Law = Callable[[float, float], float]


def xue_liu_text(rows: Sequence[WanderRow], rule: Rule, law: Law) -> str:
    """Say what M_A = 0.1 means for D_perp = M_A^4 D_parallel.

    Parameters
    ----------
    rows : sequence of WanderRow
    rule : Rule
        When a law counts as followed.
    law : callable
        D_perp / kappa_parallel of the isotropic law, of epsilon and the Mach number.

    Returns
    -------
    str
        A table and a line or two for each spectrum; empty without a Mach number near it.
    """
    if not rows:
        return ""
    mach = min((row.mach for row in rows), key=lambda m: abs(math.log(m / XL25_MACH)))
    if abs(math.log(mach / XL25_MACH)) > math.log(1.5):
        return ""
    wanted, here = mach**4, [row for row in rows if row.mach == mach]
    parts = [
        f"Xue & Liu (2025) take D_perp = M_A^4 D_parallel with M_A = {XL25_MACH:g}. At M_A ="
        f" {mach:g}, M_A^4 = {wanted:.3g}:"
    ]
    for spectrum in dict.fromkeys(row.spectrum for row in here):
        found = distinct(groups(row for row in here if row.spectrum == spectrum))
        mine = sorted((group.rows[0] for group in found), key=lambda row: row.epsilon)
        parts += [Spectrum(*spectrum).label, _table(mine, wanted, rule)]
        crossing = crossing_of([row for row in mine if is_settled(row, rule)], wanted)
        parts.append(_measured_text(mine, crossing, wanted, rule))
        if crossing is None and _law_is_met(mine, rule):
            parts += _law_text(lambda epsilon: law(epsilon, mach), wanted)
    return "\n".join(part for part in parts if part)


def _table(rows: Sequence[WanderRow], wanted: float, rule: Rule) -> str:
    lines = [["epsilon", "D_perp/D_parallel", "over M_A^4", "M_A^4 is", "part of kappa_perp"]]
    for row in rows:
        kinetic = f"kinetic at {row.rigidity:g} GV: " if row.epsilon_from == "kinetic" else ""
        lines.append(
            [
                f"{kinetic}{row.epsilon:.3g}",
                f"{row.ratio:.3e} +- {row.ratio_err:.1e}",
                f"{row.ratio / wanted:.3g} +- {row.ratio_err / wanted:.2g}",
                _WORDS[judged(row, rule)["mach_four"]],
                f"{100 * row.kappa_perp / row.d_perp:.0f} %",
            ]
        )
    return aligned(lines)


class Crossing(NamedTuple):
    """Where the measured ratio is as wanted, between two cases.

    epsilon, epsilon_err : float; part, part_err : float, of D_perp that is kappa_perp there.
    """

    epsilon: float
    epsilon_err: float
    part: float
    part_err: float


def crossing_of(points: Sequence[WanderRow], wanted: float) -> Crossing | None:
    """Interpolate the epsilon at which D_perp/D_parallel is as wanted, in logarithms.

    Parameters
    ----------
    points : sequence of WanderRow
        Of one spectrum and Mach number, by rising epsilon.
    wanted : float
        Value of the ratio.

    Returns
    -------
    Crossing or None
        None where no two neighbours have it between them.
    """
    for low, high in itertools.pairwise(points):
        ends = min(low.ratio, high.ratio), max(low.ratio, high.ratio)
        if not 0.0 < ends[0] <= wanted <= ends[1] or ends[0] == ends[1]:
            continue
        rise, step = math.log(high.ratio / low.ratio), math.log(high.epsilon / low.epsilon)
        share = math.log(wanted / low.ratio) / rise
        epsilon = low.epsilon * math.exp(share * step)
        errors = (1.0 - share) * low.ratio_err / low.ratio, share * high.ratio_err / high.ratio
        error = math.hypot(*errors) * abs(step / rise)
        along = [row.d_parallel / row.kappa_parallel for row in (low, high)]
        part = epsilon / (wanted * along[0] ** (1.0 - share) * along[1] ** share)
        shift = [row.d_parallel_err / row.d_parallel for row in (low, high)]
        part_error = math.hypot(error, (1.0 - share) * shift[0], share * shift[1])
        return Crossing(epsilon, error * epsilon, part, part_error * part)
    return None


def _measured_text(
    points: Sequence[WanderRow], crossing: Crossing | None, wanted: float, rule: Rule
) -> str:
    if crossing is not None:
        return (
            f"as measured, epsilon = {crossing.epsilon:.2e} +- {crossing.epsilon_err:.0e} would"
            " give M_A^4 (between the points of the scan), where kappa_perp itself is"
            f" {100 * crossing.part:.0f} +- {100 * crossing.part_err:.0f} % of D_perp"
            + _remark(crossing.part - crossing.part_err)
        )
    for end, which, way in ((points[0], "more", "less"), (points[-1], "less", "more")):
        if all((row.ratio > wanted) == (which == "more") for row in points):
            said = f"every epsilon that was run gives {which}"
            if judged(end, rule)["mach_four"] == FAILS:
                return f"{said}: {way} than {end.epsilon:.3g} is needed"
            return f"{said}, but {end.epsilon:.3g} not clearly: it may be what is needed"
    return "which epsilon would give M_A^4 cannot be told: particles do not diffuse yet"


def _remark(part: float) -> str:
    most = ": the fourth power is then the size of kappa_perp, not a law of wandering"
    return most if part > _MOST else ""


def _law_is_met(points: Sequence[WanderRow], rule: Rule) -> bool:
    """Whether the isotropic law is followed by some of the cases, and missed by none."""
    found = {judged(row, rule).get("isotropic", FAILS) for row in points}
    return FOLLOWS in found and not found & {FAILS, UNSETTLED}


def _law_text(law: Callable[[float], float], wanted: float) -> list[str]:
    needed = needed_epsilon(law, wanted)
    if needed is None:
        return []
    part = needed / wanted
    return [
        f"the isotropic law, met at this M_A, gives M_A^4 at epsilon = {needed:.3g}, where"
        f" kappa_perp itself is {100 * part:.0f} % of D_perp{_remark(part)}"
    ]


def needed_epsilon(law: Callable[[float], float], wanted: float) -> float | None:
    """Epsilon at which a law of epsilon, growing with it, has a wanted value.

    Parameters
    ----------
    law : callable
        D_perp / kappa_parallel by epsilon.
    wanted : float
        Value of the law.

    Returns
    -------
    float or None
        None if even epsilon = 1e-30 gives more, or epsilon = 1 less.
    """
    low, high = -30.0, 0.0
    if not law(10.0**low) <= wanted <= law(1.0):
        return None
    for _ in range(200):
        middle = 0.5 * (low + high)
        if law(10.0**middle) < wanted:
            low = middle
        else:
            high = middle
    return float(10.0 ** (0.5 * (low + high)))
