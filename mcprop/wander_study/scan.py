"""The scan: walks in every kind of turbulence, rows, fits, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.analytic.wandering import compound_msd, isotropic_perpendicular, mach_four, mach_two
from mcprop.wander_study import figures
from mcprop.wander_study.config import ScanConfig
from mcprop.wander_study.estimates import exponent_between, jackknife
from mcprop.wander_study.measure import (
    LineDiffusion,
    Measured,
    estimates_of,
    line_diffusion,
    sample_lines,
    walk_in,
)
from mcprop.wander_study.outcome import OnPart, Outcome
from mcprop.wander_study.plan import Case, Walk, cases_of, halved, isotropic_law, steps_of
from mcprop.wander_study.sections import Spectrum
from mcprop.wander_study.summary import summary_text
from mcprop.wander_study.tables import ExponentRow, HalvingRow, MsdRow, WanderRow
from mcprop.wander_study.validity import mean_free_path
from mcprop.wander_study.verdicts import Rule, epsilon_exponents, line_exponents, mach_exponents
from mcprop.wandering.realisations import estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN_MACH = 0.3
"""Displacements are drawn for the Mach number nearest to this one."""
_PANELS = 3
"""Panels of field lines."""
_MARGIN = 2.0
"""Factor by which a fit of powers of time keeps away from the border of its regime."""


def run_scan(config: ScanConfig, seed: int, workers: int | None, on_part: OnPart) -> Outcome:
    """Run a scan.

    Parameters
    ----------
    config : ScanConfig
    seed : int
    workers : int, optional
        Number of threads.
    on_part : callable
        Told of each walk that is done.

    Returns
    -------
    Outcome
    """
    cases, walks = cases_of(config)
    lines = _lines_of(config, walks, seed, workers)
    measured, halving = _measure_all(config, walks, seed, workers, on_part)
    rows = [_row(case, measured[case.walk.number], lines, config) for case in cases]
    msd = [row for case in cases for row in _msd_rows(case, measured[case.walk.number])]
    powers = mach_exponents(rows) + epsilon_exponents(rows)
    for spectrum in config.spectra:
        found = ((kind[1], lines[kind].by_height) for kind in lines if kind[0] == spectrum)
        powers += line_exponents(spectrum, [(mach, *height) for mach, height in found])
    for case, row in zip(cases, rows, strict=True):
        powers += _time_exponents(case, row, measured[case.walk.number])
    shown_powers = [one for one in powers if one.against != "time" or _is_shown(one.mach, config)]
    rule = Rule(config.scan.tolerance, config.scan.sigma)
    text = summary_text(rows, _once(shown_powers), halving, rule, isotropic_law)
    return Outcome(
        {
            "wander.ecsv": (rows, WanderRow),
            "exponents.ecsv": (powers, ExponentRow),
            "msd.ecsv": (msd, MsdRow),
            "halving.ecsv": (halving, HalvingRow),
        },
        dict(_figures(config, rows, msd, powers, seed)),
        text,
    )


def _lines_of(
    config: ScanConfig, walks: Iterable[Walk], seed: int, workers: int | None
) -> dict[tuple[Spectrum, float], LineDiffusion]:
    """Diffusion of the field lines, by spectrum and Mach number."""
    kinds = dict.fromkeys((walk.spectrum, walk.mach) for walk in walks)
    return {kind: line_diffusion(config, *kind, seed, workers) for kind in kinds}


def _measure_all(
    config: ScanConfig, walks: list[Walk], seed: int, workers: int | None, on_part: OnPart
) -> tuple[list[Measured], list[HalvingRow]]:
    """Every walk, some of them with half the step as well."""
    again = halved(walks) if config.monte_carlo.halving == "on" else set()
    work = [steps_of(config, walk) * (3 if walk.number in again else 1) for walk in walks]
    measured: list[Measured] = []
    halving: list[HalvingRow] = []
    for walk in walks:
        found = walk_in(config, walk, seed, workers)
        measured.append(found)
        if walk.number in again:
            half = walk_in(config, walk._replace(step=0.5 * walk.step), seed, workers)
            halving += _halving_rows(walk, found, half)
        _, _, ratio = estimates_of(found)
        said = (
            f"{walk.spectrum.label}  M_A {walk.mach:g}  epsilon {walk.epsilon:.3g}  "
            f"D_perp/D_parallel {ratio.value:.3e} +- {ratio.error:.1e}"
        )
        done = walk.number + 1
        on_part(done, len(walks), sum(work[:done]) / sum(work), said)
    return measured, halving


def _halving_rows(walk: Walk, whole: Measured, half: Measured) -> Iterator[HalvingRow]:
    for name in ("d_perp", "d_parallel"):
        before, after = getattr(whole, name), getattr(half, name)
        change = estimate(after - before)
        pull = float(change.value / change.error) if change.error > 0.0 else 0.0
        yield HalvingRow(
            *walk.spectrum, walk.mach, walk.epsilon, name, float(before.mean()),
            float(after.mean()), float(change.value), float(change.error), pull,
        )  # fmt: skip


def _row(
    case: Case,
    measured: Measured,
    lines: dict[tuple[Spectrum, float], LineDiffusion],
    config: ScanConfig,
) -> WanderRow:
    walk, kappa = case.walk, case.kappa_parallel
    perp, parallel, ratio = estimates_of(measured)
    d_perp, error = kappa * float(perp.value), kappa * float(perp.error)
    d_parallel = kappa * float(parallel.value)
    (line, height), drift = lines[walk.spectrum, walk.mach], estimate(measured.drift)
    two, four = float(mach_two(d_parallel, walk.mach)), float(mach_four(d_parallel, walk.mach))
    isotropic = math.nan
    if walk.spectrum.geometry == "isotropic":
        isotropic = float(isotropic_perpendicular(kappa, walk.epsilon * kappa, walk.mach))
    with_ratio = float(ratio.error) * d_parallel
    steps = steps_of(config, walk)
    return WanderRow(
        *walk.spectrum,
        rigidity=case.rigidity,
        mach=walk.mach,
        epsilon=walk.epsilon,
        epsilon_from=case.epsilon_from,
        kappa_parallel=kappa,
        kappa_perp=walk.epsilon * kappa,
        mean_free_path=mean_free_path(kappa),
        d_parallel=d_parallel,
        d_parallel_err=kappa * float(parallel.error),
        d_perp=d_perp,
        d_perp_err=error,
        drift=kappa * float(drift.value),
        drift_err=kappa * float(drift.error),
        ratio=float(ratio.value),
        ratio_err=float(ratio.error),
        d_lines=float(line.value),
        d_lines_err=float(line.error),
        d_lines_height=float(height.value),
        d_lines_height_err=float(height.error),
        mach_two=two,
        mach_four=four,
        isotropic=isotropic,
        pull_mach_two=(d_perp - two) / with_ratio,
        pull_mach_four=(d_perp - four) / with_ratio,
        pull_isotropic=(d_perp - isotropic) / error,
        time_step=walk.step / kappa,
        duration=steps * walk.step / kappa,
        realisations=len(measured.d_perp),
        walk=walk.number,
    )


def _msd_rows(case: Case, measured: Measured) -> Iterator[MsdRow]:
    perp, parallel = estimate(measured.perp), estimate(measured.parallel)
    walk = case.walk
    for i, time in enumerate(measured.times):
        yield MsdRow(
            *walk.spectrum, case.rigidity, walk.mach, walk.epsilon,
            float(time / case.kappa_parallel), float(perp.value[i]), float(perp.error[i]),
            float(parallel.value[i]), float(parallel.error[i]),
        )  # fmt: skip


def borders(row: WanderRow) -> tuple[float, float]:
    """Times [yr] between which particles stay on lines that wander: the compound regime.

    It begins when they have spread along the line over the distance 6 D_FL/M^2, from which on lines
    diffuse instead of running straight, and ends where 2 (D_perp - kappa_perp) t overtakes what the
    lines do, 2 D_FL sqrt(4 kappa_parallel t/pi).

    Parameters
    ----------
    row : WanderRow
    """
    start = (6.0 * row.d_lines / row.mach**2) ** 2 / (2.0 * row.kappa_parallel)
    if row.excess <= 0.0:
        return start, math.inf
    end = (row.d_lines / row.excess) ** 2 * 4.0 * row.kappa_parallel / math.pi
    return start, end


def _time_exponents(case: Case, row: WanderRow, measured: Measured) -> Iterator[ExponentRow]:
    """Powers of time of what wandering adds, <x^2> - 2 kappa_perp t, regime by regime."""
    times = measured.times / case.kappa_parallel
    added = measured.perp - 2.0 * case.walk.epsilon * measured.times
    start, end = borders(row)
    ranges = {
        "early": (0.0, start / _MARGIN),
        "compound": (start * _MARGIN, end / _MARGIN),
        "late": (end * _MARGIN, math.inf),
    }
    for regime, (low, high) in ranges.items():
        inside = times[(times >= low) & (times <= high)]
        if len(inside) < 2 or inside[-1] < _MARGIN * inside[0]:
            continue
        fit = jackknife(exponent_between(times, inside[0], inside[-1]), added)
        if math.isfinite(fit.error):
            yield ExponentRow(
                *row.spectrum, row.rigidity, "msd across - 2 kappa_perp t", "time", row.mach,
                row.epsilon, regime, float(inside[0]), float(inside[-1]), float(fit.value),
                float(fit.error), math.nan, len(inside),
            )  # fmt: skip


def _nearest(values: Iterable[float], wanted: float) -> float:
    return min(values, key=lambda value: abs(math.log(value / wanted)))


def _is_shown(mach: float, config: ScanConfig) -> bool:
    return mach == _nearest(config.scan.mach, _SHOWN_MACH)


def _once(powers: list[ExponentRow]) -> list[ExponentRow]:
    """Powers of time of one rigidity only: in others they are the same."""
    first: dict[tuple[Any, ...], float] = {}
    return [
        row
        for row in powers
        if row.against != "time"
        or first.setdefault((*row[:4], row.mach, row.epsilon), row.rigidity) == row.rigidity
    ]


def _figures(
    config: ScanConfig,
    rows: list[WanderRow],
    msd: list[MsdRow],
    powers: list[ExponentRow],
    seed: int,
) -> Iterator[tuple[str, partial[Figure]]]:
    """Names of the figures, and functions that draw them."""
    several = len(config.spectra) > 1
    for number, spectrum in enumerate(config.spectra):
        ending = f"_{number + 1}" if several else ""
        first = config.scan.rigidities[0]
        mine = [row for row in rows if row.spectrum == tuple(spectrum) and _is_one(row, first)]
        yield f"ratio{ending}.png", partial(figures.draw_ratio, mine, isotropic_law)
        yield f"excess{ending}.png", partial(figures.draw_excess, mine)
        chosen = sorted({_nearest(config.scan.mach, m) for m in (0.1, 0.3, 1.0)})[:_PANELS]
        yield f"lines{ending}.png", partial(_draw_lines, config, spectrum, chosen, seed)
        for row in mine:
            if _is_shown(row.mach, config) and row.epsilon == min(r.epsilon for r in mine):
                yield f"msd{ending}.png", partial(_draw_msd, row, msd, powers)


def _is_one(row: WanderRow, rigidity: float) -> bool:
    """Rows of one rigidity, and those of others whose epsilon is their own."""
    return row.rigidity == rigidity or row.epsilon_from == "kinetic"


def _draw_lines(config: ScanConfig, spectrum: Spectrum, machs: list[float], seed: int) -> Figure:
    lines = {mach: sample_lines(config, spectrum, mach, seed) for mach in machs}
    return figures.draw_lines(lines, f"Field lines: {spectrum.label}")


def _draw_msd(row: WanderRow, msd: list[MsdRow], powers: list[ExponentRow]) -> Figure:
    key = (*row.spectrum, row.rigidity, row.mach, row.epsilon)
    mine = [one for one in msd if one[:7] == key]
    fits = [
        one for one in powers if one.against == "time" and (*one[:5], one.mach, one.epsilon) == key
    ]
    return figures.draw_msd(mine, row, fits, _compound)


def _compound(row: WanderRow, times: np.ndarray) -> np.ndarray:
    return np.asarray(compound_msd(times, row.kappa_perp, row.kappa_parallel, row.d_lines))
