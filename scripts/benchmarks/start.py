"""Wall seconds until the package is imported, and until the command line has said its help."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.measure import interleaved, summary, wall_seconds

COMMANDS = {
    "interpreter alone": ["-c", "pass"],
    "import mcprop": ["-c", "import mcprop"],
    "mcprop --help": ["-m", "mcprop", "--help"],
}
TARGETS = {"import mcprop": 0.5, "mcprop --help": 1.0}


def measure(quick: bool) -> dict[str, Any]:
    """Start each command again and again, in fresh processes; the first round is not counted."""
    takes = {name: partial(started, arguments) for name, arguments in COMMANDS.items()}
    interleaved(takes, 1)
    found = interleaved(takes, 2 if quick else 7)
    return {name: summary(seconds, "s", below=TARGETS.get(name)) for name, seconds in found.items()}


def started(arguments: list[str]) -> float:
    """Start Python with the arguments; wall seconds, those of the interpreter included."""
    command = [sys.executable, *arguments]
    return wall_seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))
