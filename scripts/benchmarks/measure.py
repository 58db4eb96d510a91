"""Clocks, medians, targets, and the description of the machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

VECTOR_FLAGS = ("sse2", "avx", "fma", "avx2", "avx512f", "avx512dq", "avx512vl", "asimd", "sve")


def summary(
    values: Sequence[float],
    unit: str,
    *,
    above: float | None = None,
    below: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Median, least and largest of repeated measurements, beside their target.

    Parameters
    ----------
    values : sequence of float
        One for each repeat.
    unit : str
        Their unit; "" for ratios.
    above, below : float, optional
        The target: at least this, or at most this.
    **more
        Whatever else belongs to the measurement.

    Returns
    -------
    dict
        Ready for JSON; "met" says whether the median meets the target.
    """
    middle = statistics.median(values)
    found: dict[str, Any] = {
        "median": tidy(middle),
        "min": tidy(min(values)),
        "max": tidy(max(values)),
        "repeats": len(values),
        "unit": unit,
    }
    if above is not None:
        found |= {"target": f">= {above:g}", "met": middle >= above}
    if below is not None:
        found |= {"target": f"<= {below:g}", "met": middle <= below}
    return found | more


def tidy(value: float) -> float:
    """Round to four digits: no measurement here is better."""
    return float(f"{value:.4g}")


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Processor time of `work`, all threads of the process together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def wall_seconds(work: Callable[[], Any]) -> float:
    """Wall-clock time of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(
    measurements: Mapping[str, Callable[[], float]], repeats: int
) -> dict[str, list[float]]:
    """Take all measurements in turn, A B C A B C ..., so that a slow spell of the machine hits all.

    Parameters
    ----------
    measurements : mapping
        Functions that measure once, by name.
    repeats : int
        Number of rounds.

    Returns
    -------
    dict
        Values by name, one for each round.
    """
    found: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(repeats):
        for name, take in measurements.items():
            found[name].append(take())
    return found


def ratios(dividends: Sequence[float], divisors: Sequence[float]) -> list[float]:
    """Quotients of two interleaved series, round by round."""
    return [a / b for a, b in zip(dividends, divisors, strict=True)]


def document(part: str, quick: bool, measured: Any) -> dict[str, Any]:
    """Put what was measured together with when and where."""
    return {
        "benchmark": part,
        "quick": quick,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "measured": measured,
    }


def machine() -> dict[str, Any]:
    """Describe processor, cores in use, load and the versions that matter for speed."""
    names, flags = _cpuinfo("model name"), _cpuinfo("flags") or _cpuinfo("Features")
    return {
        "cpu": names or platform.processor() or platform.machine(),
        "cores": cores(),
        "vector_features": [flag for flag in VECTOR_FLAGS if flag in flags.split()],
        "numba_cpu_name": os.environ.get("NUMBA_CPU_NAME", "host"),
        "numba_cpu_features": os.environ.get("NUMBA_CPU_FEATURES", "host"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        **{name: installed(name) for name in ("numba", "llvmlite", "numpy", "diffrax")},
    }


def _cpuinfo(key: str) -> str:
    """First value of a key in what the operating system says of the processor; "" if none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in found if name.strip() == key), "")


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def installed(library: str) -> str:
    """Version of a library, without importing it."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
