"""What a study will do: its cases, their steps and durations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mcprop.wander_study.config import AnyConfig, BurstConfig, ScanConfig, SkyConfig
from mcprop.wander_study.sections import KINETIC, Spectrum
from mcprop.wander_study.validity import gradient_text, validity_text

_LONGEST_STEP = 4.0
"""Longest steps, in weak fields, in units of those at M_A = 1."""
_SCALES_ALONG = 2.0
"""Outer scales that particles spread along the field within a window."""


class Walk(NamedTuple):
    """Walks in one spectrum at one Mach number and epsilon, in units of kappa_parallel.

    number : int; spectrum : Spectrum; mach : float; epsilon : float; step : float, time step times
    kappa_parallel [pc2]; window : float, the same for a window.
    """

    number: int
    spectrum: Spectrum
    mach: float
    epsilon: float
    step: float
    window: float


class Case(NamedTuple):
    """One row of the scan: rigidity : float [GV]; epsilon_from : str; walk : Walk."""

    rigidity: float
    epsilon_from: str
    kappa_parallel: float
    walk: Walk


def isotropic_law(epsilon: float, mach: float) -> float:
    """D_perp / kappa_parallel to be expected in isotropic turbulence, for the plan only.

    Parameters
    ----------
    epsilon : float
        kappa_perp / kappa_parallel.
    mach : float
        dB/B0.
    """
    from mcprop.analytic.wandering import isotropic_perpendicular

    return float(isotropic_perpendicular(1.0, epsilon, mach))


def window_of(config: ScanConfig, spectrum: Spectrum, mach: float, epsilon: float) -> float:
    """Length of a window times kappa_parallel [pc2].

    Within it, particles leave their neighbourhood across the field and several outer scales along
    it; from then on the displacements of one window and the next are independent.

    Parameters
    ----------
    config : ScanConfig
    spectrum : Spectrum
    mach, epsilon : float
        dB/B0, and kappa_perp / kappa_parallel.
    """
    across = config.monte_carlo.decorrelation**2 / (2.0 * isotropic_law(epsilon, mach))
    along = (_SCALES_ALONG * spectrum.longest) ** 2 / 2.0
    return max(across, along)


def step_of(config: ScanConfig, mach: float) -> float:
    """Time step times kappa_parallel [pc2]: lines that wander less may be followed farther.

    Parameters
    ----------
    config : ScanConfig
    mach : float
        dB/B0.
    """
    longer = min(1.0 / mach, _LONGEST_STEP)
    return (longer * config.monte_carlo.parallel_step) ** 2 / 2.0


def cases_of(config: ScanConfig) -> tuple[list[Case], list[Walk]]:
    """Rows of a scan, and the walks they take: one for every rigidity with the same epsilon.

    Diffusion along frozen lines knows no time but the one that kappa_parallel sets, so one walk
    serves each of them.

    Parameters
    ----------
    config : ScanConfig
    """
    walks: dict[tuple[Spectrum, float, float], Walk] = {}
    cases = []
    for spectrum in config.spectra:
        for epsilon in config.transport.epsilon:
            for rigidity in config.scan.rigidities:
                ratio = config.transport.ratio(epsilon, rigidity)
                kappa = config.transport.kappa_parallel(rigidity)
                for mach in config.scan.mach:
                    key = (spectrum, mach, ratio)
                    if key not in walks:
                        window = window_of(config, *key)
                        walks[key] = Walk(len(walks), *key, step_of(config, mach), window)
                    origin = KINETIC if epsilon == KINETIC else "number"
                    cases.append(Case(rigidity, origin, kappa, walks[key]))
    return cases, list(walks.values())


def steps_of(config: ScanConfig, walk: Walk) -> int:
    """Time steps of a walk."""
    return math.ceil(config.monte_carlo.windows * walk.window / walk.step)


def halved(walks: Sequence[Walk]) -> set[int]:
    """Walks where steps matter: the strongest field of each epsilon, and all of the largest.

    Parameters
    ----------
    walks : sequence of Walk
    """
    chosen = set()
    for spectrum in dict.fromkeys(walk.spectrum for walk in walks):
        mine = [walk for walk in walks if walk.spectrum == spectrum]
        mach, epsilon = max(walk.mach for walk in mine), max(walk.epsilon for walk in mine)
        chosen |= {walk.number for walk in mine if walk.mach == mach or walk.epsilon == epsilon}
    return chosen


def plan_text(config: AnyConfig) -> str:
    """Say in a few lines what a study will do.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    """
    if isinstance(config, SkyConfig):
        return _sky_text(config)
    run_of = config.monte_carlo
    each = f"{run_of.realisations} realisations of {run_of.particles} particles"
    if isinstance(config, BurstConfig):
        return _burst_text(config, each)
    cases, walks = cases_of(config)
    steps = sum(steps_of(config, walk) for walk in walks) * run_of.realisations * run_of.particles
    lines = [spectrum.label for spectrum in config.spectra]
    mach = ", ".join(f"{value:g}" for value in config.scan.mach)
    lines.append(f"M_A = {mach}")
    kappas = [(case.rigidity, case.kappa_parallel) for case in cases]
    lines.append(validity_text(kappas, min(config.field.shortest)))
    lines.append(f"{len(cases)} cases, {len(walks)} walks, {each}: {steps:.2g} steps")
    return "\n".join(lines)


def _sky_text(config: SkyConfig) -> str:
    sky = config.sky
    directions = 12 * sky.nside**2 * sky.per_pixel
    gradient = math.hypot(sky.gradient_along, sky.gradient_across)
    lines = [
        f"sky at {sky.rigidity:g} GV, orbits traced back for {sky.duration:g} yr, M_A ="
        f" {config.field.mach:g}, {config.spectrum.label}",
        gradient_text(gradient, sky.duration),
        f"{config.monte_carlo.realisations} realisations, {directions} directions each, for"
        " both charges",
    ]
    return "\n".join(line for line in lines if line)


def _burst_text(config: BurstConfig, each: str) -> str:
    source, field = config.source, config.field
    rigidities = ", ".join(f"{value:g}" for value in source.rigidities)
    kappas = [(one, config.transport.kappa_parallel(one)) for one in source.rigidities]
    return (
        f"burst of {source.age:g} yr at {source.r_parallel:g} pc along and {source.r_perp:g} pc"
        f" across the mean field, M_A = {field.mach:g}, {config.spectrum.label}\n"
        f"{validity_text(kappas, field.shortest)}\n"
        f"{len(source.rigidities) * len(config.transport.epsilon)} cases at {rigidities} GV,"
        f" {each}"
    )
