"""What a scan says in the end: which law holds where, with error bars, and what that means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mcprop.report import aligned
from mcprop.wander_study.sections import STRONG_RANGE, Spectrum
from mcprop.wander_study.tables import ExponentRow, HalvingRow, WanderRow
from mcprop.wander_study.validity import validity_text
from mcprop.wander_study.verdicts import (
    BLUNT,
    ENDLESS,
    FAILS,
    FEW,
    FOLLOWS,
    LINES,
    MACH_RANGES,
    UNDECIDED,
    UNSETTLED,
    Group,
    Rule,
    distinct,
    groups,
    judged,
    laws_of,
)
from mcprop.wander_study.xue_liu import xue_liu_text

NAMES = {
    "mach_two": "M^2 D_parallel",
    "mach_four": "M^4 D_parallel",
    "isotropic": "kappa_perp + (pi/8) M^2 sqrt(kappa_perp kappa_parallel)",
}
"""How the laws for D_perp are written."""
_LETTERS = {FOLLOWS: "yes", FAILS: "no", UNDECIDED: "?", UNSETTLED: "not yet"}

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
    kappas = [(row.rigidity, row.kappa_parallel) for row in rows]
    shortest = min((row.shortest for row in rows), default=math.inf)
    parts = [str(rule), *_caveats(rows, rule), validity_text(kappas, shortest)]
    for group in distinct(groups(rows)):
        mine = [row for row in exponents if _is_of(row, group)]
        parts.append(_group_text(group, mine, rule))
    several = len({row.spectrum for row in rows}) > 1
    parts += [_lines_text(exponents, rows, rule), _times_text(exponents, several)]
    parts += [_halving_text(halving, rows, rule), xue_liu_text(rows, rule, law)]
    parts.append("\n".join([_verdict_text(rows, rule), *_powers_texts(exponents)]))
    return "\n\n".join(part for part in parts if part)


def _caveats(rows: Sequence[WanderRow], rule: Rule) -> Iterator[str]:
    """What the error bars are from, and what M_A and the verdicts do not mean."""
    count = min((row.realisations for row in rows), default=FEW)
    yield rule.caveat(count)
    if any(math.isnan(row.drift) for row in rows):
        yield (
            "Walks of less than three windows do not show whether particles diffuse, and nothing is"
            " decided: monte_carlo.windows = 4 or more does."
        )
    if any(row.geometry == STRONG_RANGE for row in rows):
        yield (
            f'M_A of "{STRONG_RANGE}" is that of the injection: the waves below have dB/B0 ='
            " M_A^2, while M^2 and M^4 are those of M_A."
        )


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
    laws = laws_of(group.rows[0])
    lines = [["M_A", "D_perp/D_parallel", "D_parallel/kappa", *(_SHORT[law] for law in laws)]]
    for row, verdict in zip(group.rows, verdicts, strict=True):
        along, error = (x / row.kappa_parallel for x in (row.d_parallel, row.d_parallel_err))
        measured = f"{row.ratio:.3e} +- {row.ratio_err:.1e}", f"{along:.3f} +- {error:.3f}"
        lines.append([f"{row.mach:g}", *measured, *(_cell(row, x, verdict[x]) for x in laws)])
    said = [group_name(group.rows[0]), aligned(lines)]
    machs = [row.mach for row in group.rows]
    for law in laws:
        said.append(f"D_perp = {NAMES[law]}: {_where(machs, [v[law] for v in verdicts])}")
    if all(verdict == FAILS for found in verdicts for verdict in found.values()):
        said.append(f"none of the {_NUMBERS[len(laws)]} laws is followed anywhere in this range")
    if group.rows[0].geometry in ENDLESS:
        said.append(
            "there is no diffusive limit: D_perp is the growth from one window to two alone"
        )
    said += [_power_text(row) for row in exponents if row.regime in MACH_RANGES]
    return "\n".join(said)


_SHORT = {"mach_two": "M^2", "mach_four": "M^4", "isotropic": "isotropic law"}
_NUMBERS = {2: "two", 3: "three"}


def _cell(row: WanderRow, law: str, verdict: str) -> str:
    """Verdict, and how far off: measured over law."""
    value = float(getattr(row, law))
    return f"{_LETTERS[verdict]} ({row.d_perp / value:.3g}x)" if value else _LETTERS[verdict]


def _where(machs: Sequence[float], verdicts: Sequence[str]) -> str:
    """Where a law is followed; a single hit next to misses alone is no more than a crossing."""
    told, place = [], 0
    for verdict, run in itertools.groupby(verdicts):
        begin, place = place, place + len(list(run))
        beside = {*verdicts[max(begin - 1, 0) : begin], *verdicts[place : place + 1]}
        if verdict != FOLLOWS:
            continue
        if place - begin > 1:
            told.append(f"followed from M_A = {machs[begin]:g} to {machs[place - 1]:g}")
        else:
            told.append(
                f"{'crossed' if beside == {FAILS} else 'followed'} at M_A = {machs[begin]:g}"
            )
    told = told or ["nowhere" if set(verdicts) == {FAILS} else "nowhere as far as can be told"]
    for verdict in (UNDECIDED, UNSETTLED):
        cases = [mach for mach, one in zip(machs, verdicts, strict=True) if one == verdict]
        if cases:
            told.append(f"{verdict} at M_A = {_listed(cases)}")
    return ", ".join(told)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _power_text(row: ExponentRow) -> str:
    if row.points == 2:
        scatter = "through 2 points"
    else:
        scatter = f"through {row.points} points, chi2 = {row.chi2:.1f}"
    return (
        f"{row.quantity} ~ {row.against}^({row.exponent:.2f} +- {row.exponent_err:.2f})"
        f" from {row.low:g} to {row.high:g}, {scatter}"
    )


def _lines_text(exponents: Sequence[ExponentRow], rows: Sequence[WanderRow], rule: Rule) -> str:
    """Which powers of the Mach number the field lines of their own follow."""
    said = []
    count = min((row.realisations for row in rows), default=FEW)
    for row in exponents:
        if row.quantity != LINES:
            continue
        like = _like_text(row, rule, count)
        said.append(f"{Spectrum(*row[:4]).label}: {_power_text(row)}, {like}")
    head = "Field lines alone, <x^2> = 2 D z:"
    return "\n".join([head, *said]) if said else ""


_LINE_POWERS = (2, 4)
"""Powers of the Mach number that theory has for field lines: in general, and in a strong range."""


def _like_text(row: ExponentRow, rule: Rule, count: int) -> str:
    """Which power it is: the one that is followed, if the others fail."""
    verdicts = {
        f"M_A^{power}": rule.judge(row.exponent, row.exponent_err, power, count)
        for power in _LINE_POWERS
    }
    left = [name for name, verdict in verdicts.items() if verdict != FAILS]
    if not left:
        return f"neither {' nor '.join(verdicts)}"
    if len(left) > 1:
        return f"too uncertain to tell {' from '.join(left)}"
    if verdicts[left[0]] == FOLLOWS:
        return f"as {left[0]}"
    others = " nor ".join(name for name in verdicts if name not in left)
    return f"not {others}, but too uncertain to be called {left[0]}"


def _times_text(exponents: Sequence[ExponentRow], several: bool) -> str:
    rows = [row for row in exponents if row.against == "time"]
    lines = [["M_A", "epsilon", "R [GV]", "regime", "from [yr]", "to [yr]", "exponent"]]
    for row in rows:
        ends = (f"{row.low:.3g}", f"{row.high:.3g}")
        power = f"{row.exponent:.2f} +- {row.exponent_err:.2f}"
        case = (f"{row.mach:g}", f"{row.epsilon:.3g}", f"{row.rigidity:g}")
        lines.append([*case, row.regime, *ends, power])
    if several:
        names = ["spectrum", *(Spectrum(*row[:4]).label for row in rows)]
        lines = [[name, *line] for name, line in zip(names, lines, strict=True)]
    head = "Powers of time of <x^2> - 2 kappa_perp t, which is what wandering adds:"
    return f"{head}\n{aligned(lines)}" if rows else ""


def _halving_text(halving: Sequence[HalvingRow], rows: Sequence[WanderRow], rule: Rule) -> str:
    """Largest and most significant change of each quantity, and whether the step will do."""
    if not halving:
        return ""
    count = min((row.realisations for row in rows), default=FEW)
    said = [
        f"Half the time step, in the same fields, {len(halving)} differences; a change is"
        f" significant from {rule.reach(1.0, count):.3g} standard deviations on (Student's t):"
    ]
    several = len({row.spectrum for row in rows}) > 1
    for quantity in dict.fromkeys(row.quantity for row in halving):
        mine = [row for row in halving if row.quantity == quantity]
        largest = max(mine, key=lambda row: abs(row.difference / row.whole))
        clearest = max(mine, key=lambda row: abs(row.pull))
        changes = f"the largest change, {_change_text(largest, several)}"
        if clearest is not largest:
            changes += f"; the most significant one, {_change_text(clearest, several)}"
        said.append(f"{quantity}: {changes}: {_step_text(mine, rule, count)}")
    return "\n".join(said)


def _change_text(row: HalvingRow, several: bool) -> str:
    """A change in per cent and in standard deviations, and where it is."""
    size, error = (100 * x / abs(row.whole) for x in (row.difference, row.difference_err))
    where = f"{Spectrum(*row[:4]).label}, " * several
    return (
        f"{size:+.1f} +- {error:.1f} %, {row.pull:+.1f} standard deviations"
        f" ({where}M_A = {row.mach:g}, epsilon = {row.epsilon:.3g})"
    )


def _step_text(halving: Sequence[HalvingRow], rule: Rule, count: int) -> str:
    """Whether the step will do: only a change that is large and significant says no."""
    large = [row for row in halving if abs(row.difference) > rule.tolerance * abs(row.whole)]
    tolerance = f"{100 * rule.tolerance:g} %"
    if any(abs(row.difference) > rule.reach(row.difference_err, count) for row in large):
        return f"take a smaller parallel_step, a change is significant and more than {tolerance}"
    if large:
        return f"undecided, no change of more than {tolerance} is significant: more realisations"
    if any(rule.reach(row.difference_err, count) > BLUNT * abs(row.whole) for row in halving):
        return f"undecided, a change of {100 * BLUNT:g} % might not be seen: more realisations"
    return f"fine, no change is more than {tolerance}"


def _verdict_text(rows: Sequence[WanderRow], rule: Rule) -> str:
    """How often each law holds, and how far the isotropic one goes, spectrum by spectrum."""
    kept = {row.walk: row for row in rows}.values()
    said = []
    for spectrum in dict.fromkeys(row.spectrum for row in kept):
        mine = [row for row in kept if row.spectrum == spectrum]
        verdicts = [judged(row, rule) for row in mine]
        said.append(f"In all, of {len(mine)} walks of {Spectrum(*spectrum).label}:")
        for law in laws_of(mine[0]):
            found = [verdict[law] for verdict in verdicts]
            said.append(
                f"D_perp = {NAMES[law]}: met in {found.count(FOLLOWS)}, missed in"
                f" {found.count(FAILS)}, undecided in {found.count(UNDECIDED)}"
                + f", not yet diffusive in {found.count(UNSETTLED)}"
                * (UNSETTLED in found)
            )
        if "isotropic" in laws_of(mine[0]):
            said += _reach_text(
                [(r.mach**2 / math.sqrt(r.epsilon), v["isotropic"]) for r, v in
                 zip(mine, verdicts, strict=True)]
            )  # fmt: skip
    return "\n".join(said)


def _reach_text(cases: Sequence[tuple[float, str]]) -> list[str]:
    """How strong wandering may be for the isotropic law, and what is beyond."""
    met, missed, unknown = (
        sorted(strength for strength, verdict in cases if verdict in wanted)
        for wanted in ({FOLLOWS}, {FAILS}, {UNDECIDED, UNSETTLED})
    )
    end = missed[0] if missed else math.inf
    weak = [strength for strength in met if strength < end]
    if not weak:
        return []
    said = f"The isotropic law is met up to M_A^2/sqrt(epsilon) = {weak[-1]:.3g}"
    if missed:
        beyond = sum(strength >= end for strength, _ in cases)
        said += f", missed first at {end:.3g}, and from there on in {len(missed)} of {beyond} walks"
    else:
        said += ", missed nowhere"
    return [f"{said}; undecided at {_listed(unknown)}" if unknown else said]


def _powers_texts(exponents: Sequence[ExponentRow]) -> Iterator[str]:
    """With which power what wandering adds grows with the Mach number and with epsilon."""
    kept: dict[tuple[object, ...], ExponentRow] = {}
    for row in exponents:
        if row.quantity == LINES or row.geometry in ENDLESS:
            continue
        if row.regime == "all" and row.against in _AXES:
            # a rigidity more is the same walks
            fixed = row.epsilon if row.against == "mach" else row.mach
            kept.setdefault((row[:4], row.against, fixed), row)
    for spectrum, against in dict.fromkeys(key[:2] for key in kept):
        found = [row for key, row in kept.items() if key[:2] == (spectrum, against)]
        value = np.array([row.exponent for row in found])
        weight = np.array([row.exponent_err for row in found]) ** -2.0
        mean, chi2 = np.average(value, weights=weight), 0.0
        if len(found) > 1:
            chi2 = float(np.sum(weight * (value - mean) ** 2))
        error = math.sqrt(max(1.0, chi2 / max(len(found) - 1, 1)) / weight.sum())
        yield (
            f"{Spectrum(*spectrum).label}: what wandering adds, D_perp - kappa_perp, grows as"  # type: ignore[misc]
            f" {_AXES[str(against)]}^({mean:.2f} +- {error:.2f})"
            + f", the mean of {len(found)} fits, chi2 = {chi2:.1f}"
            * (len(found) > 1)
        )


_AXES = {"mach": "M_A", "epsilon": "epsilon"}
