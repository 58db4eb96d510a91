"""Figure of merit of the nearby dipole at 10 TeV: 1 / (relative variance x CPU seconds)."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import interleaved, summary
from benchmarks.problem import nearby_job

BATCH = 16384
"""Histories of a batch: the default of the scenarios."""

ESTIMATORS = {
    "steady, survival": ("xue-liu-2025", "walk"),
    "time-dependent, walk": ("xue-liu-2025-time-dependent", "walk"),
    "time-dependent, assisted": ("xue-liu-2025-time-dependent", "assisted"),
}
"""Scenario and estimator of each measurement."""

TARGET = 1e5


def measure(quick: bool) -> dict[str, Any]:
    """Measure each estimator with and without the sky map that a run fills besides."""
    found = {}
    for label, nside in (("dipole alone", 0), ("with the sky map, nside 16", 16)):
        found[label] = merits(nside, 1 if quick else 8, 2 if quick else 5)
    return {
        "quantity": "protons of the nearby source, 10 TeV",
        "clock": "CPU seconds, the walk outside the cloud included",
        **found,
    }


def merits(nside: int, batches: int, repeats: int) -> dict[str, Any]:
    """Figures of merit with a sky map of resolution `nside`, 0 for none."""
    jobs = {name: nearby_job(*which) for name, which in ESTIMATORS.items()}
    takes = {name: Merit(job, batches, nside) for name, job in jobs.items()}
    values = interleaved({name: take.once for name, take in takes.items()}, repeats)
    return {
        name: summary(values[name], "1/s", above=TARGET, histories=batches * BATCH)
        for name in ESTIMATORS
    }


class Merit:
    """Measures a job again and again, on other histories each time."""

    def __init__(self, job: Any, batches: int, nside: int) -> None:
        self.job, self.batches, self.nside = job, batches, nside
        self.begin = 0
        self._outcome(64)  # compiles

    def once(self) -> float:
        """Figure of merit of the next batches."""
        outcomes = [self._outcome(BATCH) for _ in range(self.batches)]
        total = sum(outcomes[1:], outcomes[0])
        return float(total.moments.figure_of_merit(total.cpu))

    def _outcome(self, histories: int) -> Any:
        from mcprop.transport import run_batch

        outcome = run_batch(self.job, 1, self.begin, histories, self.nside)
        self.begin += histories
        return outcome
