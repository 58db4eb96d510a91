"""Walks along wandering lines: sub-steps and steps per second against the field alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.bare_field import evaluate
from benchmarks.measure import cpu_seconds, interleaved, ratios, summary
from mcprop.fields import UniformField, total, turbulence
from mcprop.kernels.flow import Still
from mcprop.kernels.lanes import LANES
from mcprop.kernels.wander import wander
from mcprop.medium import Constant, FieldAligned

WAVES = 200
KAPPA, EPSILON = 2.138, 1e-3
"""kappa_parallel [pc^2/yr], and kappa_perp in units of it."""

STRIDES = {"short": 2.0, "long": 16.0}
"""Root mean square of a step along the line [pc]; the shortest wavelength is 20 pc."""

SUB_STEPS = 2.5
"""Millions of sub-steps per second to reach: each takes the field at four places, as a step of
Runge & Kutta along a line does."""

ONE = np.uint64(1)


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about walks along wandering lines.

    Parameters
    ----------
    quick : bool
        Small sizes, rough figures.

    Returns
    -------
    dict
        Ready for JSON.
    """
    repeats, particles, count = (2, 2 * LANES, 20) if quick else (7, 8 * LANES, 200)
    field = total(
        UniformField(0.0, 0.0, 3.0), turbulence("isotropic", 0.9, 100.0, 20.0, WAVES, seed=1)
    )
    takers: dict[str, Any] = {"field": partial(bare, field, 20 * count)}
    for name, stride in STRIDES.items():
        takers[name] = partial(walk, field, particles, count, stride)
    for take in takers.values():
        take()  # compiles
    found = interleaved(takers, repeats)
    fields = found.pop("field")
    measured: dict[str, Any] = {"field": summary(fields, "Mevaluations/s")}
    for name, pairs in found.items():
        steps, sub_steps = [a for a, _ in pairs], [b for _, b in pairs]
        share = ratios([4.0 * rate for rate in sub_steps], fields)
        measured[name] = {
            "stride_pc": STRIDES[name],
            "sub_steps": summary(sub_steps, "Msub-steps/s", above=SUB_STEPS),
            "steps": summary(steps, "Msteps/s"),
            "share_of_the_field": summary(share, ""),
        }
    return {
        "problem": f"split steps along uniform field and {WAVES} plane waves, M = 0.3, float64",
        "clock": "CPU seconds, one core",
        "speed": measured,
    }


def bare(field: Any, count: int) -> float:
    """Millions of evaluations of the field per second of CPU time."""
    places = np.random.default_rng(1).uniform(-1e3, 1e3, 3 * LANES)
    return 1e-6 * count * LANES / cpu_seconds(partial(_evaluate, field, count, places))


def _evaluate(field: Any, count: int, places: np.ndarray) -> None:
    evaluate(field, count, places, np.empty(3 * LANES))


def walk(field: Any, particles: int, count: int, stride: float) -> tuple[float, float]:
    """Millions of steps and of sub-steps per second of CPU time."""
    medium = FieldAligned(field, Constant(KAPPA), Constant(EPSILON * KAPPA))
    places = np.random.default_rng(1).uniform(-1e3, 1e3, (3, particles))
    h, done = 0.5 * stride**2 / KAPPA, [0]

    def work() -> None:
        done[0] = wander(medium, Still(), ONE, ONE, ONE, ONE, h, count, places)

    seconds = cpu_seconds(work)
    return 1e-6 * particles * count / seconds, 1e-6 * done[0] / seconds
