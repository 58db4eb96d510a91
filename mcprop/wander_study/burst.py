"""The burst: what an observer sees of it through realisations of the field, and the formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from mcprop.wander_study import burst_figures
from mcprop.wander_study.config import BurstConfig
from mcprop.wander_study.legs import LegRow, leg_rows, leg_text
from mcprop.wander_study.measure import field_maker, seed_of
from mcprop.wander_study.outcome import OnPart, Outcome
from mcprop.wander_study.sections import KINETIC
from mcprop.wander_study.tables import SourceRow
from mcprop.wander_study.validity import validity_text
from mcprop.wander_study.verdicts import FAILS, FEW, FOLLOWS, UNDECIDED, Rule
from mcprop.wandering.burst_study import BurstStudy, burst_study


class Seen(NamedTuple):
    """A case: rigidity : float [GV]; epsilon : float; epsilon_from : str; study : BurstStudy."""

    rigidity: float
    epsilon: float
    epsilon_from: str
    study: BurstStudy


def run_burst(config: BurstConfig, seed: int, workers: int | None, on_part: OnPart) -> Outcome:
    """Run the burst at every rigidity and epsilon.

    Parameters
    ----------
    config : BurstConfig
    seed : int
    workers : int, optional
        Number of threads.
    on_part : callable
        Told of each realisation that begins.

    Returns
    -------
    Outcome
    """
    cases = [(r, e) for r in config.source.rigidities for e in config.transport.epsilon]
    told = _Told(on_part, len(cases) * config.monte_carlo.realisations)
    seen = [_see(config, *case, seed, workers, told) for case in cases]
    rows = [row for case in seen for row in _rows(case)]
    legs = [row for case in seen for row in leg_rows(case[:3], case.study)]
    names = [
        f"burst_{number + 1}.png" if len(seen) > 1 else "burst.png" for number in range(len(seen))
    ]
    return Outcome(
        {"source.ecsv": (rows, SourceRow), "leg.ecsv": (legs, LegRow)},
        {
            name: partial(burst_figures.draw_burst, case.study, case_name(case))
            for name, case in zip(names, seen, strict=True)
        },
        summary_text(config, seen),
    )


class _Told:
    """Tells of realisations as they begin, from any thread."""

    def __init__(self, on_part: OnPart, total: int) -> None:
        self._on_part, self._total, self._begun = on_part, total, 0
        self._one = Lock()

    def wrap(self, field_of: Callable[[int], Any], case: str) -> Callable[[int], Any]:
        """Make `field_of` tell that one more realisation of a case begins."""

        def told(seed: int) -> Any:
            with self._one:
                before, self._begun = self._begun, self._begun + 1
                share = before / self._total
                self._on_part(self._begun, self._total, share, f"{case}: a realisation begins")
            return field_of(seed)

        return told


def _see(
    config: BurstConfig,
    rigidity: float,
    epsilon: float | str,
    seed: int,
    workers: int | None,
    told: _Told,
) -> Seen:
    source, run_of = config.source, config.monte_carlo
    kappa = config.transport.kappa_parallel(rigidity)
    ratio = config.transport.ratio(epsilon, rigidity)
    origin = KINETIC if epsilon == KINETIC else "number"
    field_of = field_maker(config, config.spectrum, config.field.mach)
    study = burst_study(
        told.wrap(field_of, f"{rigidity:g} GV, epsilon = {ratio:.3g}"),
        (source.r_perp, 0.0, source.r_parallel),
        source.age,
        kappa,
        ratio * kappa,
        config.field.mach,
        realisations=run_of.realisations,
        legs=run_of.legs,
        seed=seed_of(seed, config.spectrum, config.field.mach),
        workers=workers,
        forward=run_of.particles,
        backward=run_of.particles,
        parallel_step=run_of.parallel_step,
    )
    return Seen(rigidity, ratio, origin, study)


def _rows(case: Seen) -> Iterator[SourceRow]:
    """One row for each realisation."""
    values, noise = case.study.rows, case.study.noise
    head = (case.rigidity, case.epsilon, case.epsilon_from)
    for number, one in enumerate(case.study.seen):
        named: dict[str, Any] = {name: float(column[number]) for name, column in values.items()}
        named |= {f"{name}_err": float(column[number]) for name, column in noise.items()}
        yield SourceRow(*head, number, one.density, one.density_error, **named)


def case_name(case: Seen) -> str:
    """Rigidity and epsilon of a case."""
    kinetic = " (kinetic)" if case.epsilon_from == KINETIC else ""
    return f"{case.rigidity:g} GV, epsilon = {case.epsilon:.3g}{kinetic}"


_SAID = {
    "flux_ratio": ("density over the formula's", "{:.3g}"),
    "amplitude_ratio": ("length of the dipole over 3 r/(2 v T)", "{:.3g}"),
    "angle_to_local": ("angle between dipole and local field [deg]", "{:.3g}"),
    "angle_to_mean": ("angle between dipole and mean field [deg]", "{:.3g}"),
    "local_lean": ("angle between local and mean field [deg]", "{:.3g}"),
    "line_distance": ("distance across to the line of the source [pc]", "{:.3g}"),
    "effective_distance": ("distance across by which the formula would be right [pc]", "{:.3g}"),
    "finite_ratio": ("dipole over a whole mean free path, over the gradient's", "{:.3g}"),
}
"""What is told of the rows: in words, and how numbers are written."""
_RULE = Rule(tolerance=0.0)
"""When D_perp agrees with the formula's."""
_VERDICTS = {FOLLOWS: "agrees with", FAILS: "is not", UNDECIDED: "is undecided next to"}


def summary_text(config: BurstConfig, seen: Sequence[Seen]) -> str:
    """Say what an observer may expect to see, and whether the formula's D_perp is found.

    Parameters
    ----------
    config : BurstConfig
    seen : sequence of Seen

    Returns
    -------
    str
        Several paragraphs.
    """
    mach, source = config.field.mach, config.source
    head = (
        f"A burst of {source.age:g} yr at {source.r_parallel:g} pc along and {source.r_perp:g} pc"
        f" across the mean field, through {config.monte_carlo.realisations} realisations of"
        f" {config.spectrum.label} with M_A = {mach:g}: medians, 16 to 84 % of the realisations"
    )
    kappas = [(case.rigidity, case.study.kappa_parallel) for case in seen]
    valid = validity_text(kappas, config.field.shortest)
    caveat = _RULE.caveat(config.monte_carlo.realisations)
    longest = config.field.longest
    return "\n\n".join([head, caveat, valid, *(_case_text(case, mach, longest) for case in seen)])


def _case_text(case: Seen, mach: float, longest: float) -> str:
    study = case.study
    said = [case_name(case)]
    for name, (words, pattern) in _SAID.items():
        spread = study.summary[name]
        known = np.isfinite(study.rows[name])
        if not known.any():
            continue
        low, middle, high = (pattern.format(x) for x in (spread.low, spread.median, spread.high))
        noise = "" if math.isnan(spread.noise) else f", noise of one {spread.noise:.2g}"
        part = "" if known.all() else f", in {known.sum()} of {len(known)} realisations"
        said.append(f"  {words}: {middle}, {low} to {high}{noise}{part}")
    perp = study.perpendicular
    said.append(
        f"  D_perp/kappa_parallel of the cloud, from <dx^2>/2t: {perp.value:.3e} +-"
        f" {perp.error:.1e} {verdict_of(study)} M_A^4 = {mach**4:.3g} ({study.pull:+.1f} standard"
        f" deviations); kappa_perp alone is {100 * case.epsilon / perp.value:.0f} % of it"
    )
    said += [settling_text(study, longest), leg_text(study)]
    return "\n".join(line for line in said if line)


def settling_text(study: BurstStudy, longest: float) -> str:
    """Say how wide the cloud is, and whether its D_perp may be that of large scales.

    Parameters
    ----------
    study : BurstStudy
    longest : float
        Longest wavelength of the turbulence [pc].

    Returns
    -------
    str
    """
    late, (change, error) = study.late, study.later
    if abs(change) > _RULE.reach(error, len(study.seen)):
        verdict = f"it still {'falls' if change < 0.0 else 'rises'}, and is not yet"
    elif study.width < longest:
        verdict = "no significant change, but so narrow a cloud need not have"
    else:
        verdict = "no significant change: it may be taken for"
    return (
        f"  in the second half of its way {late.value:.3e} +- {late.error:.1e}, a change of"
        f" {change:+.1e} +- {error:.1e}; at its end the cloud is {study.width:.3g} pc wide (rms of"
        f" one axis across the mean field), {study.width / longest:.2g} of the longest wavelength:"
        f" {verdict} the coefficient of large scales"
    )


def verdict_of(study: BurstStudy) -> str:
    """Whether D_perp is M_A^4 D_parallel; a few realisations do not refute it.

    Parameters
    ----------
    study : BurstStudy

    Returns
    -------
    str
        "agrees with", "is not" or "is undecided next to".
    """
    count, (value, error) = len(study.seen), study.perpendicular
    found = _RULE.judge(value, error, study.mach**4, count)
    return _VERDICTS[UNDECIDED if found == FAILS and count < FEW else found]
