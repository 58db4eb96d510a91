"""What a scan says in the end: which law holds where, with error bars, and what that means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from mcprop.report import aligned
from mcprop.wander.tables import LAWS, ExponentRow, HalvingRow, WanderRow
from mcprop.wander.verdicts import (
    FAILS,
    FOLLOWS,
    MACH_RANGES,
    UNDECIDED,
    Group,
    Rule,
    groups,
    judged,
    needed_epsilon,
)

XL25_MACH = 0.1
"""M_A of Xue & Liu (2025), who take D_perp = M_A^4 D_parallel."""
NAMES = {
    "mach_two": "M^2 D_parallel",
    "mach_four": "M^4 D_parallel",
    "isotropic": "kappa_perp + (pi/8) M^2 sqrt(kappa_perp kappa_parallel)",
}
"""How the laws for D_perp are written."""
_LETTERS = {FOLLOWS: "yes", FAILS: "no", UNDECIDED: "?"}

Law = Callable[[float, float], float]


def summary_text(
    rows: Sequence[WanderRow],
    exponents: Sequence[ExponentRow],
    halving: Sequence[HalvingRow],
    rule: Rule,
    law: Law,
) -> str:
    """Say which law D_perp follows, at which Mach number, epsilon and time.

    Parameters
    ----------
    rows : sequence of WanderRow
    exponents : sequence of ExponentRow
    halving : sequence of HalvingRow
    rule : Rule
        When a law counts as followed.
    law : callable
        D_perp / kappa_parallel of the isotropic law, of epsilon and the Mach number.

    Returns
    -------
    str
        Several paragraphs.
    """
    parts = [str(rule)]
    for group in _distinct(groups(rows)):
        mine = [row for row in exponents if _is_of(row, group)]
        parts.append(_group_text(group, mine, rule))
    parts += [_times_text(exponents), _halving_text(halving), _xue_liu_text(rows, rule, law)]
    parts.append("\n".join([_verdict_text(rows, rule), *_powers_texts(exponents)]))
    return "\n\n".join(part for part in parts if part)


def _distinct(found: Sequence[Group]) -> list[Group]:
    """One group for each walk: a rigidity more is the same in other units of time."""
    kept: dict[tuple[int, ...], Group] = {}
    for group in found:
        kept.setdefault(tuple(row.walk for row in group.rows), group)
    return list(kept.values())


def _is_of(row: ExponentRow, group: Group) -> bool:
    same = (row.geometry, row.slope, row.longest, row.shortest, row.rigidity) == group.key[:5]
    return same and row.against == "mach" and row.epsilon == group.key[-1]


def group_name(row: WanderRow) -> str:
    """Spectrum and epsilon of a row, such as "isotropic 1.67 20-100 pc, epsilon = 0.0001"."""
    spectrum = f"{row.geometry} {row.slope:.3g} {row.shortest:g}-{row.longest:g} pc"
    kinetic = f" (kinetic at {row.rigidity:g} GV)" if row.epsilon_from == "kinetic" else ""
    return f"{spectrum}, epsilon = {row.epsilon:.3g}{kinetic}"


def _group_text(group: Group, exponents: Sequence[ExponentRow], rule: Rule) -> str:
    verdicts = [judged(row, rule) for row in group.rows]
    lines = [["M_A", "D_perp/D_parallel", "D_parallel/kappa", "M^2", "M^4", "isotropic law"]]
    for row, verdict in zip(group.rows, verdicts, strict=True):
        ratio = f"{row.ratio:.3e} +- {row.ratio_err:.1e}"
        along = row.d_parallel / row.kappa_parallel
        lines.append(
            [
                f"{row.mach:g}",
                ratio,
                f"{along:.3f} +- {row.d_parallel_err / row.kappa_parallel:.3f}",
            ]
            + [_cell(row, law, verdict[law]) for law in LAWS]
        )
    said = [group_name(group.rows[0]), aligned(lines)]
    machs = [row.mach for row in group.rows]
    followed = {law: [v[law] == FOLLOWS for v in verdicts] for law in LAWS}
    for law in LAWS:
        said.append(f"D_perp = {NAMES[law]}: {_where(machs, followed[law])}")
    open_cases = [m for m, v in zip(machs, verdicts, strict=True) if UNDECIDED in v.values()]
    if open_cases:
        said.append(f"undecided for some law at M_A = {_listed(open_cases)}")
    if not any(map(any, followed.values())):
        said.append("none of the three laws is followed anywhere in this range")
    said += [_power_text(row) for row in exponents if row.regime in MACH_RANGES]
    return "\n".join(said)


def _cell(row: WanderRow, law: str, verdict: str) -> str:
    """Verdict, and how far off: measured over law."""
    value = float(getattr(row, law))
    return f"{_LETTERS[verdict]} ({row.d_perp / value:.3g}x)" if value else _LETTERS[verdict]


def _where(machs: Sequence[float], holds: Sequence[bool]) -> str:
    """Where a law is followed; a single hit between misses is no more than a crossing."""
    runs: list[list[float]] = []
    before = False
    for mach, hit in zip(machs, holds, strict=True):
        if hit and before:
            runs[-1].append(mach)
        elif hit:
            runs.append([mach])
        before = hit
    if not runs:
        return "nowhere"
    whole = len(machs) == 1
    told = []
    for run in runs:
        if len(run) > 1:
            told.append(f"followed from M_A = {run[0]:g} to {run[-1]:g}")
        else:
            told.append(f"{'followed' if whole else 'crossed'} at M_A = {run[0]:g}")
    return ", ".join(told)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _power_text(row: ExponentRow) -> str:
    if row.points == 2:
        scatter = "through 2 points"
    else:
        scatter = f"through {row.points} points, chi2 = {row.chi2:.1f}"
    return (
        f"{row.quantity} ~ {row.against}^({row.exponent:.2f} +- {row.exponent_err:.2f})"
        f" from {row.low:g} to {row.high:g}, {scatter}"
    )


def _times_text(exponents: Sequence[ExponentRow]) -> str:
    rows = [row for row in exponents if row.against == "time"]
    lines = [["M_A", "epsilon", "R [GV]", "regime", "from [yr]", "to [yr]", "exponent"]]
    for row in rows:
        ends = (f"{row.low:.3g}", f"{row.high:.3g}")
        power = f"{row.exponent:.2f} +- {row.exponent_err:.2f}"
        case = (f"{row.mach:g}", f"{row.epsilon:.3g}", f"{row.rigidity:g}")
        lines.append([*case, row.regime, *ends, power])
    head = "Powers of time of <x^2> - 2 kappa_perp t, which is what wandering adds:"
    return f"{head}\n{aligned(lines)}" if rows else ""


def _xue_liu_text(rows: Sequence[WanderRow], rule: Rule, law: Law) -> str:
    """What M_A = 0.1 means for D_perp = M_A^4 D_parallel."""
    if not rows:
        return ""
    mach = min((row.mach for row in rows), key=lambda m: abs(math.log(m / XL25_MACH)))
    if abs(math.log(mach / XL25_MACH)) > math.log(1.5):
        return ""
    wanted = mach**4
    chosen = _distinct(groups(row for row in rows if row.mach == mach))
    lines = [["epsilon", "D_perp/D_parallel", "over M_A^4", "M_A^4 is", "part of kappa_perp"]]
    for group in sorted(chosen, key=lambda g: (g.key[:4], g.key[-1])):
        row = group.rows[0]
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
    head = (
        f"Xue & Liu (2025) take D_perp = M_A^4 D_parallel with M_A = {XL25_MACH:g}. At M_A ="
        f" {mach:g}, M_A^4 = {wanted:.3g}:"
    )
    return "\n".join([head, aligned(lines), *_needed_texts(rows, mach, wanted, law)])


_WORDS = {FOLLOWS: "met", FAILS: "missed", UNDECIDED: "undecided"}


def _needed_texts(rows: Sequence[WanderRow], mach: float, wanted: float, law: Law) -> list[str]:
    """Which epsilon would give M_A^4, by the points of the scan and by the isotropic law."""
    said = []
    spectra = dict.fromkeys(row.spectrum for row in rows)
    for spectrum in spectra:
        mine = [row for row in rows if row.spectrum == spectrum and row.mach == mach]
        by_epsilon = {row.epsilon: row for row in mine}
        points = [by_epsilon[epsilon] for epsilon in sorted(by_epsilon)]
        name = f"{spectrum[0]} {spectrum[1]:.3g} {spectrum[3]:g}-{spectrum[2]:g} pc"
        said.append(f"{name}: {_crossing_text(points, wanted)}")
    needed = needed_epsilon(lambda epsilon: law(epsilon, mach), wanted)
    if needed is not None:
        said.append(
            f"The isotropic law gives M_A^4 at epsilon = {needed:.3g}, where kappa_perp itself is"
            f" {100 * needed / wanted:.0f} % of D_perp:"
        )
        said.append("the fourth power is then the size of kappa_perp, not a law of wandering.")
    return said


def _crossing_text(points: Sequence[WanderRow], wanted: float) -> str:
    """Epsilon at which the measured ratio is as wanted, between the points of the scan."""
    x = np.log([row.epsilon for row in points])
    y = np.log([max(row.ratio, 1e-300) for row in points])
    target = math.log(wanted)
    for i in range(len(points) - 1):
        if (y[i] - target) * (y[i + 1] - target) <= 0.0 and y[i] != y[i + 1]:
            slope = (y[i + 1] - y[i]) / (x[i + 1] - x[i])
            share = (target - y[i]) / (y[i + 1] - y[i])
            errors = [p.ratio_err / p.ratio for p in (points[i], points[i + 1])]
            error = math.hypot((1.0 - share) * errors[0], share * errors[1]) / abs(slope)
            needed = math.exp(x[i] + share * (x[i + 1] - x[i]))
            return (
                f"as measured, epsilon = {needed:.2e} +- {error * needed:.0e} would give M_A^4"
                " (between the points of the scan)"
            )
    if all(row.ratio > wanted for row in points):
        return f"every epsilon that was run gives more: less than {points[0].epsilon:.3g} is needed"
    return f"every epsilon that was run gives less: more than {points[-1].epsilon:.3g} is needed"


def _halving_text(halving: Sequence[HalvingRow]) -> str:
    if not halving:
        return ""
    said = [f"Half the time step, in the same fields, {len(halving)} differences:"]
    for quantity in dict.fromkeys(row.quantity for row in halving):
        mine = [row for row in halving if row.quantity == quantity]
        largest = max(mine, key=lambda row: abs(row.difference / row.whole))
        pull = max((row.pull for row in mine), key=abs)
        size, error = (
            100 * x / largest.whole for x in (largest.difference, largest.difference_err)
        )
        said.append(
            f"{quantity} changes by {size:+.1f} +- {error:.1f} % at most (M_A = {largest.mach:g},"
            f" epsilon = {largest.epsilon:.3g}), by {pull:+.1f} standard deviations at most"
        )
    return "\n".join(said)


def _verdict_text(rows: Sequence[WanderRow], rule: Rule) -> str:
    """All cases together: how often each law holds, and how far the isotropic one goes."""
    distinct = list({row.walk: row for row in rows}.values())
    verdicts = [judged(row, rule) for row in distinct]
    said = [f"In all, of {len(distinct)} cases:"]
    for law in LAWS:
        found = [verdict[law] for verdict in verdicts]
        said.append(
            f"D_perp = {NAMES[law]}: met in {found.count(FOLLOWS)}, missed in"
            f" {found.count(FAILS)}, undecided in {found.count(UNDECIDED)}"
        )
    strength = [
        (row.mach**2 / math.sqrt(row.epsilon), v) for row, v in zip(distinct, verdicts, strict=True)
    ]
    misses = [x for x, verdict in strength if verdict["isotropic"] == FAILS]
    first = min(misses, default=math.inf)
    below = [x for x, v in strength if x < first and v["isotropic"] == FOLLOWS]
    if below:
        said.append(
            f"The isotropic law is met wherever M_A^2/sqrt(epsilon) is {max(below):.3g} or less"
            + (f", and missed first at {first:.3g}" if misses else ", all that was run")
        )
    return "\n".join(said)


def _powers_texts(exponents: Sequence[ExponentRow]) -> list[str]:
    """Between which powers what wandering adds grows with the Mach number and with epsilon."""
    said = []
    for against, name in (("mach", "M_A"), ("epsilon", "epsilon")):
        found = [row for row in exponents if row.against == against and row.regime == "all"]
        if found:
            low, high = (f(found, key=lambda row: row.exponent) for f in (min, max))
            said.append(
                f"What wandering adds, D_perp - kappa_perp, grows as a power of {name} from"
                f" {low.exponent:.2f} +- {low.exponent_err:.2f} to {high.exponent:.2f} +-"
                f" {high.exponent_err:.2f}"
            )
    return said
