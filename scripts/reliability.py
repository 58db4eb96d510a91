"""Figures of reliability, in one table: what was tried, what came of it, where it comes from.

    scripts/reliability [--quick] [rows ...]

Every row is measured when it is printed; helpers are those of the tests.  The exit code is 1 if a
figure misses its target.  Times are compared within one run, so that what else the machine does
disturbs both alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import faults
import mutations
import planted
from planted_bugs import BUGS
from whole_result import CONFIG, ENERGIES, digest, run

from mcprop import runner
from mcprop.executors import open_executor
from mcprop.runner import Run
from mcprop.scenario import load
from mcprop.simulation import Simulation
from mcprop.store import Store

ROOT = Path(__file__).resolve().parent.parent
SMALL = CONFIG.replace(
    {
        "monte_carlo.seed": 5,
        "stop.histories": 2048,
        "energies": {"values": [f"{energy!r} GeV" for energy in ENERGIES]},
    }
)
"""A run of 16 batches that takes about a second."""


class Figure(NamedTuple):
    """A row of the table; `met` says whether the value is what it should be."""

    name: str
    value: str
    target: str
    met: bool
    source: str


def of_all(name: str, good: int, tried: int, source: str) -> Figure:
    """A figure that should hold every time."""
    return Figure(name, f"{good} of {tried}", "all", good == tried > 0, source)


def helper(path: str) -> ModuleType:
    """A test file as a module, for what it tries things out with."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kills(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Runs that are killed at random moments, each held against one that is left alone."""
    wanted, draw = 20 if quick else 300, random.Random("kills")
    source = "tests/runs/test_interruptions.py"
    Simulation(SMALL).run(directory=scratch / "compiling")
    begun = time.monotonic()
    Simulation(SMALL).run(directory=scratch / "whole")
    span, expected = time.monotonic() - begun, faults.written(scratch / "whole")
    suffered, survived, runs, same = 0, 0, 0, 0
    while suffered < wanted:
        directory, workers = scratch / f"killed-{runs}", draw.randint(1, 3)
        most = min(10, wanted - suffered)
        count = faults.run_with_kills(SMALL, directory, draw, most, 0.5 * span, workers=workers)
        whole = faults.written(directory) == expected
        suffered, survived = suffered + count, survived + count * whole
        runs, same = runs + 1, same + whole
    yield of_all("kills (SIGKILL) survived", survived, suffered, source)
    yield of_all("results of these runs, bit for bit the same", same, runs, source)


def results(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Distinct results of one configuration over threads, orders, processes and resumptions."""
    shuffled = helper("tests/runs/test_reproducibility.py").Shuffled
    orders = range(2 if quick else 20)
    digests = [digest(run(workers=n)) for n in (1, 2, 3, 8)]
    digests += [digest(run(executor=shuffled(order))) for order in orders]
    with open_executor("processes", 2) as pool:
        digests.append(digest(run(executor=pool)))
    if importlib.util.find_spec("distributed"):
        from distributed import Client

        with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
            digests.append(digest(run(executor=client.get_executor())))
    digests.append(digest(run(directory=scratch / "stored")))
    found, ways = len(set(digests)), len(digests)
    name = f"distinct results over {ways} executors, orders and threads"
    yield Figure(name, str(found), "1", found == 1, "tests/runs/test_reproducibility.py")


def damage(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Bits that flip and files that are cut in the directory of a run."""
    tries, draw, directory = 200 if quick else 5000, random.Random("damage"), scratch / "damaged"
    Simulation(SMALL).run(directory=directory)
    Store.opened(directory).decide(4)  # as a limit of time would
    files = faults.stored_files(directory)
    for name, fault in (("bit flips", faults.flipped), ("truncations", faults.cut)):
        found = 0
        for _ in range(tries):
            with faults.spoilt(draw.choice(files), fault, draw):
                found += faults.is_refused(directory)
        yield of_all(f"{name} detected", found, tries, "tests/runs/test_store.py")


def configurations(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Scenarios with random mutations: each is valid, or refused in lines."""
    tries = 1000 if quick else 20_000
    counts = mutations.try_many(tries, 2, scratch)
    name = f"tracebacks from {tries} mutated configurations"
    source = "tests/models/mutations.py"
    yield Figure(name, str(counts.tracebacks), "0", counts.tracebacks == 0, source)


def coverage(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Part of many small runs whose error bar of one standard deviation holds the truth."""
    source = "tests/statistics/test_coverage.py"
    tests = helper(source)
    runs = 200 if quick else tests.NIGHTLY
    for name in tests.SAMPLES:
        for quantity, share in tests.shares(name, runs).items():
            met = tests.is_covered(share, runs)
            error = math.sqrt(share * (1.0 - share) / runs)
            value = f"{100.0 * share:.1f} +- {100.0 * error:.1f} % of {runs}"
            label = f"error bars that hold the truth, {name}: {quantity}"
            yield Figure(label, value, "68.3 %", met, source)


def overhead(scratch: Path, quick: bool) -> Iterator[Figure]:
    """What keeping the batches takes: processor time within a run, time in pairs of runs."""
    config = load("xue-liu-2025").replace(
        {
            "monte_carlo.seed": 1,
            "energies": {"values": ["300 GeV", "3 TeV", "30 TeV", "300 TeV", "1 PeV"]},
        }
    )
    shares, ratios = [], []
    for i in range(4 if quick else 10):
        seconds = {}
        for kept in (True, False) if i % 2 else (False, True):
            store = Store.create(scratch / f"{i}", config) if kept else None
            todo = Run(config.model(), config, None, store)
            with timed(Store, "save") as keeping, timed(runner, "run_batch") as computing:
                start = time.perf_counter()
                with open_executor("threads") as pool:
                    todo.go(pool)
                seconds[kept] = time.perf_counter() - start
            if kept:
                shares.append(100.0 * sum(keeping) / sum(computing))
        ratios.append(100.0 * (seconds[True] / seconds[False] - 1.0))
    for name, found in (("processor time", shares[1:]), ("time", ratios[1:])):  # not the compiling
        middle = statistics.median(found)
        value = f"{middle:.1f} % ({min(found):.1f} to {max(found):.1f})"
        yield Figure(f"{name} that the store takes", value, "< 2 %", middle < 2.0, "xue-liu-2025")


@contextmanager
def timed(home: Any, name: str) -> Iterator[list[float]]:
    """The processor times that calls of a function take [s]."""
    function, seconds = getattr(home, name), []

    def measured(*args: Any) -> Any:
        start = time.thread_time()
        try:
            return function(*args)
        finally:
            seconds.append(time.thread_time() - start)

    setattr(home, name, measured)
    try:
        yield seconds
    finally:
        setattr(home, name, function)


def bugs(scratch: Path, quick: bool) -> Iterator[Figure]:
    """Bugs that are planted and caught."""
    chosen = [bug for bug in BUGS if not quick or bug.kind == "longitude and latitude"]
    tried = planted.try_all(ROOT, chosen, copies=2, tell=lambda *row: None)
    caught = sum(bool(found.failed) for _, found in tried)
    yield of_all("planted bugs caught", caught, len(tried), "scripts/planted")


ROWS: dict[str, Callable[[Path, bool], Iterator[Figure]]] = {
    "kills": kills,
    "results": results,
    "damage": damage,
    "configurations": configurations,
    "coverage": coverage,
    "overhead": overhead,
    "bugs": bugs,
}


def main() -> int:
    """Print the table; 1 if a figure misses its target."""
    parser = argparse.ArgumentParser(prog="scripts/reliability", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"of {', '.join(ROWS)}; all of them")
    parser.add_argument("--quick", action="store_true", help="small numbers")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    missed = 0
    print(f"{'':<56} {'found':<28} {'wanted':<8} {'':<7} from")
    for name in options.rows or ROWS:
        with tempfile.TemporaryDirectory(prefix="mcprop-reliability-") as scratch:
            for figure in ROWS[name](Path(scratch), options.quick):
                missed += not figure.met
                state = "" if figure.met else "MISSED"
                print(
                    f"{figure.name:<56} {figure.value:<28} {figure.target:<8} {state:<7} "
                    f"{figure.source}",
                    flush=True,
                )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
