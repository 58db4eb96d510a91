"""Orbits in turbulence: steps per second of Boris' scheme against the field alone, and NumPy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.bare_field import evaluate
from benchmarks.measure import cpu_seconds, interleaved, ratios, summary
from mcprop.fields import UniformField, total, turbulence
from mcprop.kernels.lanes import LANES
from mcprop.kernels.orbit import WHOLE, boris
from mcprop.kernels.scatter import scattered
from mcprop.units import C_LIGHT
from mcprop.wandering import turning_rate

WAVES = 200
RIGIDITY, STEP = 3e7, 1.0
"""Rigidity [GV] and time step [yr]: a gyroradius of 11 pc, 35 steps in a radian."""

TAU = 100.0
"""Mean time between collisions [yr]."""

OF_THE_FIELD = 0.85
"""Share of the rate of bare evaluations of the field that steps of an orbit should reach."""

ONE = np.uint64(1)


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about orbits.

    Parameters
    ----------
    quick : bool
        Small sizes, rough figures.

    Returns
    -------
    dict
        Ready for JSON.
    """
    repeats, blocks, count = (2, 1, 200) if quick else (7, 8, 4000)
    field = total(
        UniformField(0.0, 0.0, 3.0), turbulence("isotropic", 3.0, 100.0, 5.0, WAVES, seed=1)
    )
    steps = blocks * LANES * count
    ways = {
        "field": (partial(bare, field, blocks, count), steps),
        "boris": (partial(follow, field, blocks, count, 0.0), steps),
        "boris_collisions": (partial(follow, field, blocks, count, STEP / TAU), steps),
        "numpy": (partial(numpy_boris, field, 1024, 2 if quick else 8), 1024 * (2 if quick else 8)),
        "boris_uniform": (partial(follow, field.first, blocks, 20 * count, 0.0), 20 * steps),
    }
    for work, _ in ways.values():
        work()  # compiles
    flights(LANES, 1)
    speeds = interleaved({name: partial(speed, *way) for name, way in ways.items()}, repeats)
    flying = interleaved({"flights": partial(flights, blocks * LANES, 20 * count)}, repeats)
    shares = ratios(speeds["boris"], speeds["field"])
    return {
        "problem": f"orbits at {RIGIDITY:g} GV in 3 uG and {WAVES} plane waves, float64",
        "clock": "CPU seconds, one core",
        "speed": {name: summary(values, "Msteps/s") for name, values in speeds.items()},
        "boris/field": summary(shares, "", above=OF_THE_FIELD),
        "boris_collisions/field": summary(ratios(speeds["boris_collisions"], speeds["field"]), ""),
        "boris/numpy": summary(ratios(speeds["boris"], speeds["numpy"]), ""),
        "scattered_flights": summary(flying["flights"], "Mflights/s"),
    }


def speed(work: Any, steps: int) -> float:
    """Millions of steps per second of CPU time."""
    return steps / cpu_seconds(work) / 1e6


def begin(particles: int) -> np.ndarray:
    """Places [pc] and directions of particles far apart, (6, particles)."""
    random = np.random.default_rng(1)
    directions = random.normal(size=(3, particles))
    places = random.uniform(-1e3, 1e3, (3, particles))
    return np.concatenate([places, directions / np.linalg.norm(directions, axis=0)])


def bare(field: Any, blocks: int, count: int) -> None:
    """The field alone, as often as an orbit asks for it."""
    for block in range(blocks):
        places = begin(LANES)[:3].ravel() + 10.0 * block
        evaluate(field, count, places, np.empty(3 * LANES))


def follow(field: Any, blocks: int, count: int, hits: float) -> None:
    """Orbits by the package's kernel."""
    starts = begin(blocks * LANES)
    boris(
        field,
        C_LIGHT,
        turning_rate(RIGIDITY),
        np.array([STEP]),
        np.array([count]),
        np.array([hits]),
        WHOLE,
        ONE,
        ONE,
        ONE,
        starts,
        np.empty((1, *starts.shape)),
    )


def flights(particles: int, count: int) -> float:
    """Millions of exact flights between collisions in a uniform field, per second of CPU time."""
    starts = begin(particles)
    times, out = np.array([0.1 * count * TAU]), np.empty((1, *starts.shape))
    axis, done = np.array([0.0, 0.0, 1.0]), [0]

    def work() -> None:
        done[0] = scattered(C_LIGHT, 0.03, TAU, axis, ONE, ONE, ONE, times, starts, out)

    return 1e-6 / cpu_seconds(work) * done[0]


def numpy_boris(field: Any, particles: int, count: int) -> np.ndarray:
    """The same steps with NumPy, all particles at once; returns places and directions."""
    half, waves = 0.5 * turning_rate(RIGIDITY) * STEP, field.second
    k, phase, amplitude = waves.k, waves.phase, waves.amplitude
    start = begin(particles)
    x, u = start[:3].T.copy(), start[3:].T.copy()
    for _ in range(count):
        x += 0.5 * STEP * C_LIGHT * u
        # no matrix products: their threads would count as time of the processor
        turns = phase + x[:, :1] * k[:, 0] + x[:, 1:2] * k[:, 1] + x[:, 2:] * k[:, 2]
        b = np.einsum("nw,wi->ni", np.cos(turns, out=turns), amplitude) + np.array(field.first)
        angle = half * np.linalg.norm(b, axis=1)[:, None]
        t = half * b * np.tan(angle) / angle
        turned = u + np.cross(u, t)
        u += 2.0 / (1.0 + (t * t).sum(axis=1)[:, None]) * np.cross(turned, t)
        x += 0.5 * STEP * C_LIGHT * u
    return np.concatenate([x, u], axis=1).T
