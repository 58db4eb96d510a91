"""The command line of ``scripts/bench``: one JSON document on standard output."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import import_module
from typing import Any

from benchmarks.measure import document

PARTS = {
    "engine": "steps per second of the kernels against NumPy, plain Numba and diffrax",
    "galaxy": "the Galaxy with D(r, z): steps per second, grid solutions, figures of merit",
    "fields": "evaluations per second of magnetic fields, steps per second through them",
    "fom": "figure of merit of the nearby dipole at 10 TeV",
    "run": "time, memory and errors of the whole jobs",
    "start": "time to import the package and to print its help",
}


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for name, text in {**PARTS, "all": "all of them, one after the other"}.items():
        part = parts.add_parser(name, help=text, description=text)
        part.add_argument("--quick", action="store_true", help="small sizes, rough figures")
    options = parser.parse_args()
    if options.part == "all":
        measured = {name: measure_apart(name, options.quick) for name in PARTS}
    else:
        measured = import_module(f"benchmarks.{options.part}").measure(options.quick)
    print(json.dumps(document(options.part, options.quick, measured), indent=2))


def measure_apart(part: str, quick: bool) -> Any:
    """Measure one part in a process of its own, so that no part sees what another has loaded."""
    command = [sys.executable, "-m", "benchmarks", part, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["measured"]


if __name__ == "__main__":
    main()
