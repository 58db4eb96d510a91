"""Steps per second of the kernels, against other ways to walk the same particles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks import rivals
from benchmarks.contest import Contestant, race
from benchmarks.measure import cores, cpu_seconds, interleaved, ratios, summary, wall_seconds
from benchmarks.problem import (
    ALONG_X,
    B_HAT,
    STEPS,
    lane_walk,
    nearby_job,
    slab_steps,
    variances,
)

OURS = "lanes"
BATCH = 16384
"""Particles of a batch that goes to a thread: the default of the scenarios."""


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about the kernels."""
    repeats = 2 if quick else 7
    raced = race(contestants(quick), OURS, STEPS, "relative_variance", repeats)
    raced["speed"].setdefault("diffrax", "not installed, or left out")
    return {
        "problem": f"uniform anisotropic tensor, {STEPS} steps per particle, float64",
        "clock": "CPU seconds; of the threads, wall seconds",
        **raced,
        "threads": threads(quick, repeats),
        "slab": slab(quick, repeats),
        "first_call": first_calls(["walk"] if quick else ["walk", "slab_walk"]),
    }


def contestants(quick: bool) -> dict[str, Contestant]:
    """All ways that this machine has, by name."""
    size = partial(lambda full: 8192 if quick else full)
    pcg, sfc = np.random.PCG64, np.random.SFC64
    crossing, turned = partial(variances, field=B_HAT), partial(variances, field=ALONG_X)
    best = "NumPy, best effort: blocks in the cache, in place, frame of the field, "
    found = {
        OURS: Contestant("this package, one core", lanes, size(262144), crossing),
        "numpy_best": Contestant(
            best + "PCG64", lambda n: rivals.numpy_best(n, pcg), size(65536), turned, 3.0
        ),
        "numpy_best_sfc64": Contestant(
            best + "SFC64", lambda n: rivals.numpy_best(n, sfc), size(65536), turned, 3.0
        ),
        "numpy_typical": Contestant(
            "NumPy, all particles at once", rivals.numpy_typical, size(65536), turned
        ),
        "numba_naive": Contestant(
            "plain Numba loop, np.random", rivals.numba_naive, size(32768), crossing, 5.0
        ),
        "numba_generator": Contestant(
            "plain Numba loop, a NumPy Generator handed in",
            rivals.numba_generator,
            size(131072),
            crossing,
            5.0,
        ),
    }
    solver = None if quick else rivals.diffrax_solver()
    if solver is not None:
        found["diffrax"] = Contestant("diffrax, Euler, vmap", solver, 16384, crossing)
    return found


def lanes(particles: int) -> np.ndarray:
    """The package's kernel; positions (3, n) in the axes of the problem."""
    out = np.empty((1, 3, particles))
    lane_walk(0, out)
    return out[0]


def threads(quick: bool, repeats: int) -> dict[str, Any]:
    """Two threads against one: wall-clock speed of the same batches in a pool."""
    batches = 4 if quick else 64
    out = np.empty((batches, 1, 3, BATCH // 16 if quick else BATCH))

    def walked(workers: int) -> float:
        with ThreadPoolExecutor(workers) as pool:
            jobs = range(batches)
            seconds = wall_seconds(
                lambda: list(pool.map(lambda i: lane_walk(i * out.shape[-1], out[i]), jobs))
            )
        return out.size / 3 * STEPS / seconds / 1e6

    speeds = interleaved({"one": lambda: walked(1), "two": lambda: walked(2)}, repeats)
    return {
        "one": summary(speeds["one"], "Msteps/s"),
        "two": summary(speeds["two"], "Msteps/s"),
        "two/one": summary(ratios(speeds["two"], speeds["one"]), "", above=1.8),
        "cores": cores(),
        # other programs that run on the cores show here, and lower the ratio
        "load_average": round(os.getloadavg()[0], 2),
    }


def slab(quick: bool, repeats: int) -> dict[str, Any]:
    """Speed in the cloud at 10 TeV; a step counts once for each of the six copies of a history."""
    particles = 512 if quick else 32768
    # this density outside needs neither time nor place of the exits, the burst needs both
    jobs = {"steady outside": nearby_job("xue-liu-2025", "walk")}
    if not quick:
        jobs["burst outside"] = nearby_job("xue-liu-2025-time-dependent", "assisted")

    def speed(job: Any) -> float:
        outside = getattr(job.outside, "burst", job.outside)
        job = type(job)(job.name, job.slab, outside, job.observer)
        steps = slab_steps(job, particles)
        return steps / cpu_seconds(lambda: slab_steps(job, particles)) / 1e6

    speeds = interleaved({name: partial(speed, job) for name, job in jobs.items()}, repeats)
    return {name: summary(values, "Mcopysteps/s") for name, values in speeds.items()}


def first_calls(kernels: list[str]) -> dict[str, Any]:
    """Wall seconds of the first call of each kernel in a fresh process: cold, then warm cache."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-m", "benchmarks.first_call", *kernels]
        return {
            state: json.loads(subprocess.check_output(command, env=environment, text=True))
            for state in ("cold", "warm")
        }
