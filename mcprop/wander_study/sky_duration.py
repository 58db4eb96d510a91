"""Whether orbits were traced back for long enough: the same ones at half of the duration.

What an observer sees depends on the duration until orbits have forgotten their direction: of the
flux from beyond their far ends, nothing is in the sky. It would add to the dipole what orbits
remember of their direction, times the dipole there, which for diffusion along the field is the same
(`KineticSky.memory`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from mcprop.wander_study.tables import DurationRow, PowerRow
from mcprop.wander_study.verdicts import FAILS, FOLLOWS, UNDECIDED, Rule
from mcprop.wandering.realisations import Estimate, estimate
from mcprop.wandering.seen_sky import KineticSky
from mcprop.wandering.sky_ensemble import SkyEnsemble

CONVERGED, NOT_YET = "converged", "not yet"
NOISE, UNJUDGED = "noise", "not judged"
"""In place of a verdict: power that is not seen; memory, which says how much is still to come."""
_RULE = Rule(tolerance=0.0)
"""No change that is seen is small enough."""
_VERDICTS = {FOLLOWS: CONVERGED, FAILS: NOT_YET, UNDECIDED: UNDECIDED}
_UNITS = {"kappa_parallel": "pc2/yr", "kappa_perp": "pc2/yr", "kappa_hall": "pc2/yr", "memory": "1"}

Powers = tuple[Sequence[PowerRow], Sequence[PowerRow]]
"""Angular power at half of the duration, and at the whole."""


def above_noise(power: Sequence[PowerRow], realisations: int) -> list[PowerRow]:
    """Multipoles from 2 on whose mean C_l/C_1 is above 0.

    Parameters
    ----------
    power : sequence of PowerRow
    realisations : int
        How many skies it is the mean of.
    """
    return [
        row for row in power[1:] if row.relative > _RULE.reach(row.relative_err, realisations) > 0.0
    ]


def duration_rows(orbits: tuple[SkyEnsemble, SkyEnsemble], powers: Powers) -> list[DurationRow]:
    """Rows of the coefficients of diffusion, of memory, and of every multipole from 2 on.

    Parameters
    ----------
    orbits : tuple of SkyEnsemble
        Of a positive and a negative charge, through the same fields, with their skies halfway.
    powers : tuple of sequences of PowerRow
        Of the positive charge, at half of the duration and at the whole.
    """
    early = orbits[0].halfway, orbits[1].halfway
    count = len(orbits[0].skies)
    rows = list(_rows_of_legs(_numbers(early), _numbers(orbits)))
    growth = estimate(_relative(orbits[0]) - _relative(early[0]))
    seen = {row.multipole for power in powers for row in above_noise(power, count)}
    for half, whole in zip(powers[0][1:], powers[1][1:], strict=True):
        before, after = (Estimate(row.relative, row.relative_err) for row in (half, whole))
        change = Estimate(*(float(one[half.multipole]) for one in growth))
        found = _row(f"C_{half.multipole}/C_1", "1", before, after, change, count)
        rows.append(found if half.multipole in seen else found._replace(verdict=NOISE))
    return rows


def _numbers(orbits: tuple[SkyEnsemble, SkyEnsemble]) -> np.ndarray:
    """Coefficients and memory, mean of both charges; kappa_A as of a positive one, (skies, 4)."""
    one, other = (
        np.array([[*sky.coefficients, _memory(sky)] for sky in each.skies]) for each in orbits
    )
    return 0.5 * (one + other * [1.0, 1.0, -1.0, 1.0])


def _memory(sky: KineticSky) -> float:
    """Of the direction along the mean field: 1 for an orbit that goes straight on."""
    return float(sky.mean_field @ sky.memory @ sky.mean_field)


def _relative(skies: SkyEnsemble) -> np.ndarray:
    """C_l/C_1 of each sky, noise taken out, (skies, lmax + 1)."""
    signal = np.array([sky.power().signal for sky in skies.skies])
    return signal / signal[:, 1:2]


def _rows_of_legs(half: np.ndarray, whole: np.ndarray) -> Iterator[DurationRow]:
    """Rows of numbers (skies, 4)."""
    for i, (name, unit) in enumerate(_UNITS.items()):
        before, after, change = (estimate(one[:, i]) for one in (half, whole, whole - half))
        row = _row(name, unit, before, after, change, len(half))
        yield row._replace(verdict=UNJUDGED) if name == "memory" else row


def _row(
    name: str, unit: str, half: Estimate, whole: Estimate, growth: Estimate, count: int
) -> DurationRow:
    verdict = _VERDICTS[_RULE.judge(half.value, growth.error, whole.value, count)]
    numbers = [float(one) for pair in (half, whole, growth) for one in pair]
    return DurationRow._make([name, unit, *numbers, verdict])


def duration_text(
    duration: float, rows: Sequence[DurationRow], powers: Powers, realisations: int
) -> list[str]:
    """Say what half of the duration gives, and whether the whole is enough.

    Parameters
    ----------
    duration : float
        How long orbits were traced back [yr].
    rows : sequence of DurationRow
    powers : tuple of sequences of PowerRow
        At half of the duration, and at the whole.
    realisations : int

    Returns
    -------
    list of str
        Lines.
    """
    along, memory = rows[0], rows[3]
    seen = [
        _ranges([row.multipole for row in above_noise(power, realisations)]) for power in powers
    ]
    lines = [
        f"  the same orbits after {0.5 * duration:g} and {duration:g} yr: kappa_parallel"
        f" {along.half:.3g} +- {along.half_err:.1g} and {along.whole:.3g} +- {along.whole_err:.1g}"
        f" pc2/yr, of both charges; {_change(along)}",
        f"  of their direction along the mean field they remember {memory.half:.2g} +-"
        f" {memory.half_err:.1g} and {memory.whole:.2g} +- {memory.whole_err:.1g}: a flux from"
        " beyond would add that share of kappa_parallel",
        f"  multipoles from 2 on with C_l/C_1 above the noise after {0.5 * duration:g} yr:"
        f" {seen[0]}; after {duration:g} yr: {seen[1]}",
    ]
    there = [row for row in rows[len(_UNITS) :] if row.verdict != NOISE]
    if there:
        most = max(there, key=_sigmas)
        lines[-1] += f"; {most.quantity} differs most, {_change(most)}"
    return [*lines, f"  sky.duration = {duration:g} yr: {verdict_on(rows)}"]


def verdict_on(rows: Sequence[DurationRow]) -> str:
    """Say whether the duration is enough.

    Parameters
    ----------
    rows : sequence of DurationRow
    """
    changing = [row.quantity for row in rows if row.verdict == NOT_YET]
    if changing:
        return f"not yet converged ({', '.join(changing)}): make sky.duration longer"
    if rows[0].verdict == UNDECIDED:
        return "whether it is converged cannot be told: make monte_carlo.realisations larger"
    return f"converged within {_RULE.sigma:g} standard deviations"


def _sigmas(row: DurationRow) -> float:
    return abs(row.growth) / row.growth_err if row.growth_err > 0.0 else math.inf


def _change(row: DurationRow) -> str:
    return (
        f"change {row.growth:+.2g} +- {row.growth_err:.1g} ({_sigmas(row):.1f} standard deviations)"
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Rising numbers in words, such as "3, 5 to 9".

    >>> _ranges([3, 5, 6, 7])
    '3, 5 to 7'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    told = [f"{one[0]} to {one[-1]}" if len(one) > 1 else f"{one[0]}" for one in parts]
    return ", ".join(told) or "none"
