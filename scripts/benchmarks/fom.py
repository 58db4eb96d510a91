"""Figure of merit of the nearby dipole at 10 TeV: 1 / (relative variance x CPU seconds)."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.measure import interleaved, summary, tidy
from benchmarks.problem import nearby_job

BATCH = 16384
"""Histories of a batch: the default of the scenarios, as is their number below."""

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
        found[label] = merits(nside, 1 if quick else 16, 2 if quick else 5)
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
    return {name: judged(values[name], take) for name, take in takes.items()}


def judged(
    values: list[float], merit: Merit, target: float | None = TARGET, **more: Any
) -> dict[str, Any]:
    """Put the repeats beside the figure of all of them together, which is held against the target.

    Where a few histories carry much of the variance, most repeats miss them, take their error for
    too small and their merit for too large: the median flatters.
    """
    pooled = merit.pooled()
    if target is not None:
        more = {"target": f"pooled >= {target:g}", "met": pooled >= target} | more
    histories = merit.batches * merit.batch
    return summary(values, "1/s", pooled=tidy(pooled), histories=histories, **more)


class Merit:
    """Measures a job again and again, on other histories each time.

    Parameters
    ----------
    job : Job
        What is run.
    batches : int
        Batches of a measurement.
    nside : int
        Resolution of the sky map; 0 for none.
    batch : int
        Histories of a batch.
    """

    def __init__(self, job: Any, batches: int, nside: int, batch: int = BATCH) -> None:
        self.job, self.batches, self.nside, self.batch = job, batches, nside, batch
        self._outcomes: list[Any] = []
        self._outcome(0, 64)  # compiles

    def once(self) -> float:
        """Figure of merit of the next batches."""
        begin = len(self._outcomes)
        for batch in range(begin, begin + self.batches):
            self._outcomes.append(self._outcome(batch * self.batch, self.batch))
        return self.figure(self.total(begin))

    def pooled(self) -> float:
        """Figure of merit of all batches so far."""
        return self.figure(self.total())

    def error(self) -> float:
        """Relative error of a single measurement, from all batches."""
        everything = self.total()
        share = self.batches / len(self._outcomes)
        return math.sqrt(1.0 / (self.figure(everything) * everything.cpu * share))

    def total(self, begin: int = 0) -> Any:
        """Outcome of the batches from number `begin` on."""
        return sum(self._outcomes[begin + 1 :], self._outcomes[begin])

    def figure(self, outcome: Any) -> float:
        """Figure of merit of an outcome [1/s]."""
        return float(outcome.moments.figure_of_merit(outcome.cpu))

    def _outcome(self, begin: int, histories: int) -> Any:
        from mcprop.transport import run_job

        return run_job(self.job, 1, begin, histories, self.nside)
