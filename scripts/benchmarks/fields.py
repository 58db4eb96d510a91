"""Fields: evaluations per second of sums of plane waves, and whatever else evaluates fields.

Modules ``fields_NAME`` beside this one measure what belongs to them: each has ``measure(quick)``,
which returns a dictionary ready for JSON, and is found by its name.
"""

from __future__ import annotations

import math
import pkgutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

import benchmarks
from benchmarks.measure import cpu_seconds, interleaved, machine, ratios, summary, tidy
from mcprop.fields import PlaneWaves, UniformField, fast_plane_waves, total, turbulence
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_vector, kernel

WAVES = 200

ABOVE_COSINES, ABOVE_DOUBLES, SUM = 25.0, 1.7, 1.1
"""How many times faster than a loop of math.cos, and than doubles; what a sum may cost."""

WITH_AVX512 = 11.0
"""Million evaluations a second where registers hold eight doubles."""


def measure(quick: bool) -> dict[str, Any]:
    """Measure sums of plane waves, and what the modules ``fields_NAME`` measure.

    Parameters
    ----------
    quick : bool
        Small sizes, rough figures.

    Returns
    -------
    dict
        Ready for JSON.
    """
    folder = str(Path(benchmarks.__file__).parent)
    names = sorted(module.name for module in pkgutil.iter_modules([folder]))
    parts = {name.removeprefix("fields_"): name for name in names if name.startswith("fields_")}
    found = {"plane_waves": plane_waves(quick)}
    for part, name in parts.items():
        found[part] = import_module(f"benchmarks.{name}").measure(quick)
    return found


def plane_waves(quick: bool) -> dict[str, Any]:
    """Speeds and errors of sums of plane waves, against a loop of cosines."""
    blocks, repeats = (64, 2) if quick else (2048, 9)
    waves = turbulence("isotropic", 3.0, 100.0, 5.0, WAVES, seed=1)
    fast, mean = fast_plane_waves(waves), UniformField(0.0, 0.0, 3.0)
    few = max(blocks // 16, 1)
    sites = np.random.default_rng(1).uniform(-1e3, 1e3, (blocks, 3 * LANES))
    ways = {
        "blocks": partial(speed, evaluate, waves, sites),
        "blocks, 32 bits": partial(speed, evaluate, fast, sites),
        "blocks, with a uniform field": partial(speed, evaluate, total(mean, waves), sites),
        "one by one": partial(speed, evaluate_one_by_one, waves, sites[:few]),
        "loop of math.cos": partial(speed, cosines, plain(waves), sites[:few]),
        # where angles are small the C library is faster
        "loop of math.cos, near the origin": partial(
            speed, cosines, plain(waves), 1e-3 * sites[:few]
        ),
    }
    for take in ways.values():
        take()  # compiles
    speeds = interleaved(ways, repeats)
    wide = "avx512f" in machine()["vector_features"]
    targets = {"blocks": WITH_AVX512} if wide and not quick else {}
    doubles = speeds["blocks"]
    return {
        "problem": f"{WAVES} plane waves, blocks of {LANES} places anywhere",
        "clock": "CPU seconds, one core",
        "speed": {
            name: summary(values, "Mevaluations/s", above=targets.get(name))
            for name, values in speeds.items()
        },
        **{
            f"blocks/{name}": summary(ratios(doubles, speeds[name]), "", above=ABOVE_COSINES)
            for name in speeds
            if name.startswith("loop of math.cos")
        },
        "32 bits/blocks": summary(
            ratios(speeds["blocks, 32 bits"], doubles), "", above=ABOVE_DOUBLES
        ),
        "time with a uniform field/time of the waves alone": summary(
            ratios(doubles, speeds["blocks, with a uniform field"]), "", below=SUM
        ),
        "error over root mean square": {
            "doubles": summary([error(waves, waves, sites)], "", below=5e-12),
            "32 bits": summary([error(fast, waves, sites)], "", below=5e-6),
        },
    }


def speed(way: Any, field: Any, sites: np.ndarray) -> float:
    """Million evaluations a second."""
    out = np.empty_like(sites)
    return len(sites) * LANES / cpu_seconds(lambda: way(field, sites, out)) / 1e6


@kernel
def evaluate(field, sites, out):
    """Field of all blocks, shape (blocks, 3 LANES)."""
    for n in range(sites.shape[0]):
        out[n] = 0.0
        b_block(field, sites[n], out[n])


@kernel
def evaluate_one_by_one(field, sites, out):
    """The same, each place for itself."""
    for n in range(sites.shape[0]):
        for i in range(LANES):
            place = sites[n, i], sites[n, LANES + i], sites[n, 2 * LANES + i]
            bx, by, bz = b_vector(field, *place)
            out[n, i], out[n, LANES + i], out[n, 2 * LANES + i] = bx, by, bz


def plain(waves: PlaneWaves) -> tuple[np.ndarray, ...]:
    """Wave vectors, phases and amplitudes as everybody would write them."""
    return waves.k.copy(), waves.phase.copy(), waves.amplitude.copy()


@njit(error_model="numpy")
def cosines(waves, sites, out):
    """The same as a loop of cosines from the C library."""
    k, phase, amplitude = waves
    for n in range(sites.shape[0]):
        for i in range(LANES):
            x, y, z = sites[n, i], sites[n, LANES + i], sites[n, 2 * LANES + i]
            bx, by, bz = 0.0, 0.0, 0.0
            for m in range(k.shape[0]):
                c = math.cos(k[m, 0] * x + k[m, 1] * y + k[m, 2] * z + phase[m])
                bx += amplitude[m, 0] * c
                by += amplitude[m, 1] * c
                bz += amplitude[m, 2] * c
            out[n, i], out[n, LANES + i], out[n, 2 * LANES + i] = bx, by, bz


def error(field: Any, waves: PlaneWaves, sites: np.ndarray) -> float:
    """Root mean square of the error at some places over that of the field."""
    found, few = np.empty((4, 3 * LANES)), sites[:4]
    evaluate(field, few, found)
    k, phase, amplitude = (numbers.astype(np.longdouble) for numbers in plain(waves))
    places = few.reshape(-1, 3, LANES).transpose(0, 2, 1).astype(np.longdouble)
    exact = (np.cos(places @ k.T + phase) @ amplitude).transpose(0, 2, 1).reshape(len(few), -1)
    off = np.sqrt(((found - exact) ** 2).mean() / (exact**2).mean())
    return tidy(float(off))
