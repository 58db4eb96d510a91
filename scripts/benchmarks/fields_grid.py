"""Fields on a grid: evaluations per second at random places and along tracks, memory, errors."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import cpu_seconds, interleaved, summary, tidy
from mcprop.fields import turbulent_grid
from mcprop.fields.grid_store import INTERPOLATIONS
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_gradient, b_vector, kernel

TARGETS = {"trilinear": (9.0, 35.0), "potential": (2.3, 12.0)}
"""Million evaluations a second: at random places, along tracks."""

STEP = 0.1
"""Cells from one place of a track to the next."""

MEMORY = 300.0
"""Most megabytes of a grid of 256 points along each axis."""

SHAPES = ("random", "tracks")


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about fields on a grid.

    Parameters
    ----------
    quick : bool
        Small sizes, rough figures.

    Returns
    -------
    dict
        Ready for JSON.
    """
    n, blocks, repeats = (64, 500, 2) if quick else (256, 20000, 7)
    sites, resolutions = places(n, blocks), (4,) if quick else (4, 8)
    found: dict[str, Any] = {
        "problem": f"{n}^3 points, float32; {LANES} places a block; tracks of {STEP} cells a step",
        "clock": "CPU seconds of one thread",
    }
    for interpolation in INTERPOLATIONS:
        grid = made(n, interpolation)
        targets = dict(zip(SHAPES, TARGETS.get(interpolation, (None, None)), strict=True))
        speeds = interleaved({name: partial(speed, grid, sites[name]) for name in SHAPES}, repeats)
        found[interpolation] = {
            name: summary(speeds[name], "M/s", above=None if quick else targets[name])
            for name in SHAPES
        }
        found[interpolation]["memory"] = memory(n, interpolation)
        found[interpolation]["errors"] = {
            f"{cells} cells per shortest wave": errors(interpolation, cells)
            for cells in resolutions
        }
    return found


def made(n: int, interpolation: str) -> Any:
    """Kolmogorov turbulence between the period and four cells."""
    return turbulent_grid(n, 1.0, 3.0, float(n), 4.0, seed=1, interpolation=interpolation)


def places(n: int, blocks: int) -> dict[str, np.ndarray]:
    """Places in blocks, shape (blocks, 3 LANES): anywhere, or each lane along a line of its own."""
    rng = np.random.default_rng(1)
    random = rng.uniform(0.0, n, (blocks, 3 * LANES))
    towards = rng.standard_normal((3, LANES))
    towards /= np.linalg.norm(towards, axis=0)
    return {"random": random, "tracks": random[0] + STEP * np.outer(np.arange(blocks), towards)}


@kernel
def evaluate(field, sites, out):
    """Field of all blocks, one after the other; `out` keeps their sum."""
    for n in range(sites.shape[0]):
        b_block(field, sites[n], out)


def speed(grid: Any, sites: np.ndarray) -> float:
    """Million evaluations a second."""
    out = np.zeros(3 * LANES)
    evaluate(grid, sites[:1], out)
    return len(sites) * LANES / cpu_seconds(lambda: evaluate(grid, sites, out)) / 1e6


@kernel
def survey(field, points, vectors, gradients):
    """Field and its derivatives at points of shape (n, 3)."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        vectors[i, :] = np.array(b_vector(field, x, y, z))
        gradients[i, :] = np.array(b_gradient(field, x, y, z))


def errors(interpolation: str, cells: int) -> dict[str, float]:
    """Error and divergence of turbulence whose longest wave has twelve times as many cells.

    Both are root mean squares, in units of those of the field and of its gradient. What is taken
    for exact is the spline with half of the spacing, whose own error is sixteen times less.
    """
    n, points = 12 * cells, np.random.default_rng(1).uniform(0.0, 12.0, (100000, 3))
    request = {"rms": 1.0, "longest": 12.0, "shortest": 1.0, "seed": 1}
    vectors, gradients = np.empty((2, len(points), 3)), np.empty((2, len(points), 9))
    grid = turbulent_grid(n, 12.0 / n, interpolation=interpolation, **request)
    exact = turbulent_grid(2 * n, 6.0 / n, interpolation="spline", **request)
    survey(grid, points, vectors[0], gradients[0])
    survey(exact, points, vectors[1], gradients[1])
    divergence = gradients[0][:, [0, 4, 8]].sum(axis=1)
    return {
        "field": tidy(np.linalg.norm(vectors[0] - vectors[1]) / np.linalg.norm(vectors[1])),
        "divergence": tidy(np.linalg.norm(divergence) / np.linalg.norm(gradients[0])),
    }


def memory(n: int, interpolation: str) -> dict[str, Any]:
    """Megabytes of a process with a grid, over those before: while it is made, and from then on."""
    command = [sys.executable, "-m", "benchmarks.fields_grid", str(n), interpolation]
    most, kept = json.loads(subprocess.check_output(command, text=True))
    return {
        "most while it is made": summary([most], "MB", below=MEMORY if n == 256 else None),
        "afterwards": summary([kept], "MB", below=MEMORY if n == 256 else None),
    }


def report_memory(n: int, interpolation: str) -> None:
    """Print the memory of this process, as two numbers [MB]."""
    made(16, interpolation)  # what it imports is no part of the grid
    before = resident("VmRSS")
    grid = made(n, interpolation)
    print(json.dumps([resident("VmHWM") - before, resident("VmRSS") - before]))
    del grid


def resident(name: str) -> float:
    """Memory of this process that is resident, now (VmRSS) or at most (VmHWM) [MB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6


if __name__ == "__main__":
    report_memory(int(sys.argv[1]), sys.argv[2])
