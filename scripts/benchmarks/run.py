"""The whole jobs as a user runs them, ``mcprop run SCENARIO`` in a fresh process."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import summary, tidy

MINIMUM = 1.4e5
"""Energy [GeV] of the minimum of the amplitude; within a factor 2 of it, errors have no target."""

QUICK = ["--energies", "1e3,1e4", "--histories", "16384"]


class Finished(NamedTuple):
    """What a run took."""

    wall: float
    cpu: float
    memory: float


class Judged(NamedTuple):
    """How a scenario is measured: runs with a full cache, their target, errors in their tables."""

    runs: int
    seconds: float
    accuracy: Callable[[Path], dict[str, Any]]


def measure(quick: bool) -> dict[str, Any]:
    """Measure the built-in scenarios of both models."""
    return {name: scenario(name, judged, quick) for name, judged in SCENARIOS.items()}


def scenario(name: str, judged: Judged, quick: bool) -> dict[str, Any]:
    """Run once with an empty cache of compiled kernels, then again and again with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        cache, output = Path(folder, "cache"), Path(folder, "run")
        cold = run_once(name, cache, output, quick)
        compiled = files(cache)
        warm = [run_once(name, cache, output, quick) for _ in range(1 if quick else judged.runs)]
        added = {path for path, state in files(cache).items() if compiled.get(path) != state}
        accuracy = in_a_process(judged.accuracy, output)
    return {
        "command": " ".join([f"mcprop run {name} -o DIR --seed 1", *(QUICK if quick else [])]),
        "warm": {
            "wall": summary([run.wall for run in warm], "s", below=judged.seconds),
            "cpu": summary([run.cpu for run in warm], "s"),
        },
        "cold": {
            "wall": summary([cold.wall], "s"),
            "more_than_warm": summary(
                [cold.wall - sorted(warm)[len(warm) // 2].wall], "s", below=30
            ),
        },
        "memory": summary([run.memory for run in (cold, *warm)], "MB", below=1000),
        "compiled": {
            "files_after_the_first_run": len(compiled),
            **summary([len(added)], "files added or changed by later runs", below=0),
        },
        **accuracy,
    }


def in_a_process(read: Callable[[Path], dict[str, Any]], output: Path) -> dict[str, Any]:
    """Read the tables of a run apart.

    Libraries loaded here would count in the memory of the runs, which start as copies of this
    process.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(read, output).result()


def run_once(name: str, cache: Path, output: Path, quick: bool) -> Finished:
    """Run a scenario; the errors of its amplitudes depend on the seed, so that is fixed."""
    command = [sys.executable, "-m", "mcprop", "run", name, "-o", str(output)]
    command += ["--seed", "1", "--overwrite", *(QUICK if quick else [])]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    # what this very child used; getrusage would give the largest of all children so far
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return Finished(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file in a folder, by path."""
    states = ((path, path.stat()) for path in folder.rglob("*") if path.is_file())
    return {str(path): (state.st_size, state.st_mtime_ns) for path, state in states}


def total_amplitude(output: Path) -> dict[str, Any]:
    """How dense the energies are and how good the amplitude of the total is."""
    from astropy.table import Table

    rows = [
        row
        for row in Table.read(output / "dipole.ecsv")
        if (row["component"], row["species"], row["method"]) == ("total", "all", "monte-carlo")
    ]
    energies = [float(row["energy"]) for row in rows]
    errors = {float(row["energy"]): float(row["amplitude_err"] / row["amplitude"]) for row in rows}
    near = {energy for energy in energies if MINIMUM / 2 <= energy <= 2 * MINIMUM}
    worst = max(set(energies) - near, key=errors.__getitem__)
    decades = math.log10(max(energies) / min(energies))
    return {
        "energies_per_decade": summary(
            [(len(energies) - 1) / decades], "", above=3, span_gev=[min(energies), max(energies)]
        ),
        "worst_relative_error": summary([errors[worst]], "", below=0.01, energy_gev=tidy(worst)),
        "relative_error_near_the_minimum": {
            f"{energy:.4g} GeV": tidy(errors[energy]) for energy in sorted(near)
        },
    }


def background_errors(output: Path) -> dict[str, Any]:
    """Largest relative errors of density and dipole of the background, of all species."""
    from astropy.table import Table

    densities = {
        (float(row["energy"]), str(row["species"])): float(row["error"] / row["mc"])
        for row in Table.read(output / "comparison.ecsv")
        if (row["component"], row["quantity"]) == ("background", "density")
    }
    dipoles = {
        (float(row["energy"]), str(row["species"])): float(row["amplitude_err"] / row["amplitude"])
        for row in Table.read(output / "dipole.ecsv")
        if (row["component"], row["method"]) == ("background", "monte-carlo")
        and row["species"] != "all"
    }
    found = {}
    for name, errors, target in (("density", densities, 0.005), ("dipole", dipoles, 0.02)):
        worst = max(errors, key=errors.__getitem__)
        where = {"energy_gev": tidy(worst[0]), "species": worst[1], "jobs": len(errors)}
        found[f"worst_relative_error_of_the_background_{name}"] = summary(
            [errors[worst]], "", below=target, **where
        )
    return found


SCENARIOS = {
    "xue-liu-2025": Judged(3, 60, total_amplitude),
    "lrmf-sdp": Judged(2, 120, background_errors),
}
"""What is run. The errors of the density are those of the comparison."""
