"""Field lines in turbulence: Runge-Kutta steps per second against the field alone, and NumPy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.bare_field import evaluate
from benchmarks.measure import cpu_seconds, interleaved, ratios, summary
from mcprop.fields import wandering_field
from mcprop.kernels.lanes import LANES
from mcprop.kernels.trace import trace_controlled, trace_fixed, under_way
from mcprop.wandering.tracing import PATIENCE

WAVES = 200
STEP = 2.5
"""Length of a step [pc], an eighth of the shortest wavelength."""

OF_THE_FIELD = 0.23
"""Steps of four evaluations over bare evaluations of the field: a quarter, less the rest."""

TOLERANCE = 1e-4
"""Error of an adaptive step [pc]."""


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about field lines.

    Parameters
    ----------
    quick : bool
        Small sizes, rough figures.

    Returns
    -------
    dict
        Ready for JSON.
    """
    repeats, count = (2, 500) if quick else (7, 4000)
    field = wandering_field(3.0, 0.3, "isotropic", 100.0, 20.0, WAVES, seed=1)
    steps = LANES * count
    few = 2 if quick else 8
    ways = {
        "field": (partial(bare, field, count), steps),
        "runge_kutta_4": (partial(follow, field, count), steps),
        "numpy": (partial(numpy_lines, field, 1024, few), 1024 * few),
        "runge_kutta_4_uniform": (partial(follow, field.first, 20 * count), 20 * steps),
    }
    for work, _ in ways.values():
        work()  # compiles
    controlled(field, 1)
    speeds = interleaved({name: partial(speed, *way) for name, way in ways.items()}, repeats)
    adaptive = interleaved({"adaptive": partial(controlled, field, count)}, repeats)["adaptive"]
    return {
        "problem": f"lines in a uniform field and {WAVES} plane waves, dB/B0 = 0.3, float64",
        "clock": "CPU seconds, one core",
        "speed": {name: summary(values, "Msteps/s") for name, values in speeds.items()}
        | {f"adaptive, {TOLERANCE:g} pc a step": summary(adaptive, "Mpc/s")},
        "runge_kutta_4/field": summary(
            ratios(speeds["runge_kutta_4"], speeds["field"]), "", above=OF_THE_FIELD
        ),
        "runge_kutta_4/numpy": summary(ratios(speeds["runge_kutta_4"], speeds["numpy"]), ""),
    }


def speed(work: Any, steps: int) -> float:
    """Millions of steps per second of CPU time."""
    return steps / cpu_seconds(work) / 1e6


def begin(lines: int) -> np.ndarray:
    """Places [pc] far apart, (3, lines)."""
    return np.random.default_rng(1).uniform(-1e3, 1e3, (3, lines))


def bare(field: Any, count: int) -> None:
    """The field alone."""
    evaluate(field, count, begin(LANES).ravel(), np.empty(3 * LANES))


def follow(field: Any, count: int) -> np.ndarray:
    """Lines by the package's kernel; returns their ends."""
    out = np.empty((1, 3, LANES))
    trace_fixed(field, begin(LANES), 1.0, False, STEP, count, out)
    return out[0]


def controlled(field: Any, count: int) -> float:
    """Millions of parsecs of lines of controlled error per second of CPU time."""
    out = np.empty((1, 3, LANES))
    length = STEP * count

    def work() -> None:
        lines = under_way(begin(LANES), length)
        trace_controlled(field, lines, 1.0, False, length, TOLERANCE, PATIENCE, out)

    return LANES * length / cpu_seconds(work) / 1e6


def numpy_lines(field: Any, lines: int, count: int) -> np.ndarray:
    """The same steps with NumPy, all lines at once; returns their ends."""
    k, phase, amplitude = field.second.k, field.second.phase, field.second.amplitude

    def slope(places: np.ndarray) -> np.ndarray:
        b = np.cos(places @ k.T + phase) @ amplitude + np.array(field.first)
        return b / np.linalg.norm(b, axis=1)[:, None]

    places = begin(lines).T.copy()
    for _ in range(count):
        k1 = slope(places)
        k2 = slope(places + 0.5 * STEP * k1)
        k3 = slope(places + 0.5 * STEP * k2)
        k4 = slope(places + STEP * k3)
        places += STEP / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
    return places.T
