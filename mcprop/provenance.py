"""Where a result comes from: versions, sources, machine, command."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mcprop import __version__
from mcprop._cache import source_hash

LIBRARIES = (
    "numpy",
    "numba",
    "scipy",
    "healpy",
    "matplotlib",
    "astropy",
    "pydantic",
    "click",
    "rich",
)


def provenance(title: str) -> dict[str, Any]:
    """Describe the software, the machine and the command.

    Parameters
    ----------
    title : str
        Title of the run.

    Returns
    -------
    dict
        Ready for JSON. "command" may be pasted into a shell; "evaluated" is the present time
        (UTC), whenever the result is written.
    """
    return {
        "title": title,
        "mcprop": __version__,
        "source_hash": source_hash(),
        "versions": {"python": platform.python_version(), **_versions()},
        "cpu": _processor(),
        "platform": platform.platform(),
        "command": shlex.join([_program(), *sys.argv[1:]]),
        "evaluated": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def origin(told: Mapping[str, Any]) -> dict[str, str]:
    """Say in few words where a file comes from, for the head of each.

    Parameters
    ----------
    told : mapping
        Provenance of the run, with "seed" and "config_hash" if it has these.

    Returns
    -------
    dict
        "mcprop" (version), "source_hash", "config_hash", "seed" and "versions" of the libraries,
        as far as they are told.
    """
    said = {key: str(told[key]) for key in ("mcprop", "source_hash", "config_hash") if key in told}
    if told.get("seed") is not None:
        said["seed"] = str(told["seed"])
    versions = told.get("versions")
    if isinstance(versions, Mapping):
        said["versions"] = ", ".join(f"{name} {number}" for name, number in versions.items())
    return said


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _program() -> str:
    """Name of the running program; "python -m mcprop" is mcprop."""
    path = Path(sys.argv[0])
    return path.parent.name if path.name == "__main__.py" else path.name


def _processor() -> str:
    """Name of the processor, as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
