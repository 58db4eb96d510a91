"""The Galaxy with D(r, z): steps per second, time of the grid solutions, figures of merit."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import galaxy_rivals
from benchmarks.contest import Contestant, race
from benchmarks.fom import Merit, judged
from benchmarks.galaxy_numpy import numpy_best
from benchmarks.galaxy_problem import (
    GALAXY,
    RIGIDITY,
    STEP,
    STEPS,
    background_job,
    spread,
    walk_to_end,
)
from benchmarks.measure import cpu_seconds, interleaved, ratios, summary, tidy, wall_seconds

OURS = "euler"
ABOVE_NUMPY, ABOVE_NUMBA = 7.0, 3.0
"""How many times faster the walk should be."""

RIGIDITIES = (1e3, 1e5, 1e7)
"""Rigidities of the figures of merit [GV]."""

HISTORIES = 1024
"""Histories of a batch of the background: the default of its scenario."""


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything about the Galaxy."""
    repeats = 2 if quick else 7
    return {
        "problem": f"D(r, z) at {RIGIDITY:g} GV from the Sun's place, {STEPS} steps of {STEP:g} yr"
        " per particle, drift, absorbing cylinder met by a bridge, float64",
        "clock": "CPU seconds; of the table, wall seconds besides",
        **race(contestants(quick), OURS, STEPS, "ends", repeats),
        "residence": residence(quick, repeats),
        "table": table(quick),
        "merit": merit(quick),
    }


def contestants(quick: bool) -> dict[str, Contestant]:
    """All ways to walk, by name; the rivals all take Euler's method."""
    from mcprop.kernels.step import Euler, Heun

    size = partial(lambda full: 2048 if quick else full)
    pcg, sfc = np.random.PCG64, np.random.SFC64
    entries = {
        OURS: ("this package, one core", partial(walk_to_end, Euler(), 0), size(65536), None),
        "heun": ("this package, Heun's method", partial(walk_to_end, Heun(), 0), size(32768), None),
        "numpy_typical": (
            "NumPy, 1e5 particles at once",
            galaxy_rivals.numpy_typical,
            size(100_000),
            ABOVE_NUMPY,
        ),
        "numpy_typical_1e4": (
            "NumPy, 1e4 particles at once",
            galaxy_rivals.numpy_typical,
            size(10_000),
            ABOVE_NUMPY,
        ),
        "numpy_best": (
            "NumPy, best effort: in place, blocks in the cache, fused powers and exponentials, "
            "bridges near the walls alone, SFC64",
            partial(numpy_best, bit_generator=sfc),
            size(32768),
            ABOVE_NUMPY,
        ),
        "numpy_best_pcg64": (
            "the same with PCG64",
            partial(numpy_best, bit_generator=pcg),
            size(32768),
            ABOVE_NUMPY,
        ),
        "numba_naive": (
            "plain Numba loop, np.random",
            galaxy_rivals.numba_naive,
            size(10_000),
            ABOVE_NUMBA,
        ),
        "numba_generator": (
            "plain Numba loop, a NumPy Generator handed in",
            galaxy_rivals.numba_generator,
            size(10_000),
            ABOVE_NUMBA,
        ),
    }
    return {
        name: Contestant(about, run, particles, spread, target)
        for name, (about, run, particles, target) in entries.items()
    }


def residence(quick: bool, repeats: int) -> dict[str, Any]:
    """Speed of the histories of the background; each step of a copy asks twice for the medium."""
    job, histories = background_job(RIGIDITY, True), 64 if quick else HISTORIES
    job.run(1, 0, 1, 0)  # compiles

    def speed() -> float:
        found = []
        seconds = cpu_seconds(lambda: found.append(job.run(1, 0, histories, 0).steps))
        return found[0] / seconds / 1e6

    values = [speed() for _ in range(repeats)]
    return summary(values, "Mcopysteps/s", copies=len(job.background.starts), histories=histories)


def table(quick: bool) -> dict[str, Any]:
    """Seconds for psi and its slope at 40 rigidities."""
    from mcprop.galaxy import Table

    points = 4 if quick else 40
    cpu: list[float] = []

    def once() -> None:
        Table(GALAXY, 1e1, 1e7, points=points)

    wall = [wall_seconds(lambda: cpu.append(cpu_seconds(once))) for _ in range(1 if quick else 5)]
    return {
        "rigidities": points,
        "wall": summary(wall, "s", below=3.0),
        "cpu": summary(cpu, "s"),
    }


def merit(quick: bool) -> dict[str, Any]:
    """Figures of merit of psi and of dlnpsi/dr, with the control variate and without."""
    found: dict[str, Any] = {
        "quantity": "1/(relative variance x CPU s); the grid solution that is the control variate"
        " is made once for all histories, its CPU seconds stand apart"
    }
    for rigidity in RIGIDITIES[:1] if quick else RIGIDITIES:
        found[f"{rigidity:g} GV"] = merits(rigidity, 2 if quick else 5, 64 if quick else HISTORIES)
    return found


def merits(rigidity: float, repeats: int, histories: int) -> dict[str, Any]:
    """Figures of merit at one rigidity."""
    seconds = cpu_seconds(lambda: background_job(rigidity, True))
    takes = {
        "psi": DensityMerit(background_job(rigidity, True), 1, 0, histories),
        "gradient": Merit(background_job(rigidity, True), 1, 0, histories),
        "psi, no control variate": DensityMerit(background_job(rigidity, False), 1, 0, histories),
    }
    values = interleaved({name: take.once for name, take in takes.items()}, repeats)
    found = {
        name: judged(values[name], take, None, relative_error=tidy(take.error()))
        for name, take in takes.items()
    }
    found["psi, gain"] = summary(ratios(values["psi"], values["psi, no control variate"]), "")
    return found | {"control_variate": summary([seconds], "s")}


class DensityMerit(Merit):
    """Figure of merit of the density instead of the vector."""

    def figure(self, outcome: Any) -> float:
        """Figure of merit of psi [1/s]."""
        return 1.0 / (outcome.moments.log_density_variance() * outcome.cpu)
