"""What a study costs, before it is run: evaluations of the field, and a rough time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from mcprop.errors import ConfigError
from mcprop.units import C_LIGHT
from mcprop.wander_study.config import AnyConfig, BurstConfig, ScanConfig, SkyConfig
from mcprop.wander_study.plan import cases_of, halved, plan_text, steps_of

MOST_EVALUATIONS = 1e13
"""More are refused: weeks on a core."""
_PER_SUB_STEP = 4
"""Evaluations of the field in a sub-step of a walk."""
_FIXED, _PER_WAVE = 2e-8, 6e-10
"""Time of an evaluation on one core [s], of which a part for each wave: with 96 waves 8e-8 s."""
_EARLY = 0.2
"""Windows of the walk from which the early displacements come."""
_BURST_CLOUDS = 9
"""Clouds of the observer, of the displaced ones and at the nodes of the mean free path."""
_DISPLACED = 4
"""Those of them that go on for as long again where the leg is tried."""


def evaluations(config: AnyConfig) -> float:
    """How often a study will take the field, to a factor of two or so.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    """
    if isinstance(config, ScanConfig):
        return sum(_of_walks(config)) * config.monte_carlo.realisations
    if isinstance(config, BurstConfig):
        return sum(_of_bursts(config))
    return _of_skies(config) * config.monte_carlo.realisations


def _sub_steps(stride: float, shortest: float, mach: float) -> float:
    """Sub-steps of a step of this length along the line: of the noise, and of the drift.

    The noise takes a quarter of the shortest wavelength at a time; the drift is of the order of
    stride^2 over the length on which |B| varies.
    """
    share = stride / shortest
    return 1.5 + 3.2 * share + 3.0 * mach * share**2


def _of_walks(config: ScanConfig) -> Iterator[float]:
    """Evaluations of each walk in one realisation; half the step, where it is tried, included."""
    run_of = config.monte_carlo
    _, walks = cases_of(config)
    again = halved(walks) if run_of.halving == "on" else set()
    longer = 1.0 + _EARLY / run_of.windows
    for walk in walks:
        for parts in (1, 2) if walk.number in again else (1,):
            stride = math.sqrt(2.0 * walk.step / parts)
            each = _sub_steps(stride, walk.spectrum.shortest, walk.mach)
            yield _PER_SUB_STEP * each * longer * parts * steps_of(config, walk) * run_of.particles


def _of_bursts(config: BurstConfig) -> Iterator[float]:
    """Evaluations of each burst in all realisations, in some of which the leg is tried."""
    from mcprop.fields import UniformField
    from mcprop.medium.constant import Constant
    from mcprop.medium.field_aligned import FieldAligned
    from mcprop.wandering.burst_clouds import durations

    run_of, field, age = config.monte_carlo, config.field, config.source.age
    tried = min(run_of.legs, run_of.realisations)
    for rigidity in config.source.rigidities:
        kappa = config.transport.kappa_parallel(rigidity)
        for epsilon in config.transport.epsilon:
            perp = config.transport.ratio(epsilon, rigidity) * kappa
            medium = FieldAligned(UniformField(0.0, 0.0, 1.0), Constant(kappa), Constant(perp))
            step = run_of.parallel_step
            times = durations(medium, field.shortest, age, step, None, None, None)
            each = _sub_steps(math.sqrt(2.0 * kappa * times.step), field.shortest, field.mach)
            way = times.forward + times.more + _BURST_CLOUDS * times.leg
            more = 1.5 * times.back + _DISPLACED * times.leg
            steps = (run_of.realisations * way + tried * more) / times.step
            yield _PER_SUB_STEP * each * steps * run_of.particles


def _of_skies(config: SkyConfig) -> float:
    """Evaluations of the skies of both charges in one realisation."""
    from mcprop.wandering.course import REACH, TURN, turning_rate

    sky, field = config.sky, config.field
    rate = turning_rate(sky.rigidity) * field.mean_field * (1.0 + field.mach)
    steps = sky.duration / min(TURN / rate, REACH * field.shortest / C_LIGHT)
    return 2.0 * 12.0 * sky.nside**2 * sky.per_pixel * steps


def seconds(config: AnyConfig, workers: int | None = None) -> float:
    """Time that a study will take [s], to a factor of two or so.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    workers : int, optional
        Number of threads, by default as many as cores.
    """
    cores = os.cpu_count() or 1
    each = _FIXED + _PER_WAVE * config.field.waves
    return evaluations(config) * each / min(workers or cores, cores)


def cost_text(config: AnyConfig, workers: int | None = None) -> str:
    """Say in a few words what a study will cost.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    workers : int, optional
        As for `seconds`.
    """
    return (
        f"about {evaluations(config):.1g} evaluations of the field,"
        f" {_rough(seconds(config, workers))}"
    )


def start_text(config: AnyConfig, workers: int | None = None) -> str:
    """Say in a line what a study is about to do, and with which seed.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
        With the seed.
    workers : int, optional
        As for `seconds`.
    """
    what = plan_text(config).splitlines()[-1]
    return f"{what}; {cost_text(config, workers)}; seed {config.monte_carlo.seed}"


def require_affordable(config: AnyConfig) -> None:
    """Refuse a study that would never end.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig

    Raises
    ------
    ConfigError
        If it takes the field more than `MOST_EVALUATIONS` times.
    """
    if evaluations(config) > MOST_EVALUATIONS:
        less = "realisations, directions or a shorter duration"
        if not isinstance(config, SkyConfig):
            less = "realisations, particles or cases, or a larger epsilon"
        raise ConfigError(
            f"monte_carlo: got {cost_text(config)}; allowed: at most {MOST_EVALUATIONS:g}"
            f" evaluations: fewer {less}"
        )


def _rough(time: float) -> str:
    """A time that is known to one digit or two."""
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("min", 60.0)):
        if time >= 2.0 * size:
            return f"{time / size:.0f} {unit}"
    return f"{max(math.ceil(time), 1)} s"
