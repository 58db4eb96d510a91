"""The loop of a run: batches of histories on any executor, added up in order."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mcprop.assembly import ALL, Assembly, formula_rows
from mcprop.comparison import ComparisonRow
from mcprop.errors import RangeError
from mcprop.halving import halved, halving_rows, summary
from mcprop.plan import Planned
from mcprop.tables import Row
from mcprop.transport import FATES, Outcome, run_batch

if TYPE_CHECKING:
    from mcprop.models import Model
    from mcprop.scenario import Config
    from mcprop.sky import SkyMap
    from mcprop.study import Study

OnEnergy = Callable[[int, int, list[Row], list[ComparisonRow], float], None]

IN_FLIGHT = 128
"""Batches that are submitted and not yet added up; enough to keep any pool of that size busy."""


class Executor(Protocol):
    """Anything with ``submit``: a pool of threads or processes, of Dask, of MPI."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Start a call; its result has a method ``result()``."""


@dataclass
class Counts:
    """What a run has used, summed over its batches."""

    histories: int = 0
    steps: int = 0
    cpu_seconds: float = 0.0
    fates: np.ndarray | None = None

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a job."""
        self.histories += int(outcome.fates.sum())
        self.steps += outcome.steps
        self.cpu_seconds += outcome.cpu
        self.fates = outcome.fates if self.fates is None else self.fates + outcome.fates


class Run:
    """One run: energy by energy, batches in order, whoever computes them.

    Parameters
    ----------
    model : Model
        Formulas, made by the configuration.
    config : Config
        Configuration, its seed drawn.
    on_energy : callable or None
        Called after each energy.
    halving : bool
        Whether a share of the histories is run once more with half the step.
    """

    def __init__(
        self, model: Model, config: Config, on_energy: OnEnergy | None, halving: bool = False
    ) -> None:
        self.model, self.config, self.on_energy = model, config, on_energy
        self.settings, self.halving = config.monte_carlo, halving
        self.study: Study = config.study
        self.planner = self.study.planner(self.model, self.settings)
        self.seed = self.settings.seed or 0  # drawn by now
        self.rows: list[Row] = []
        self.comparisons: list[ComparisonRow] = []
        self.skies: dict[tuple[str, float], SkyMap] = {}
        self.counts = Counts()
        self.per_energy: dict[float, int] = {}
        self.notes: list[str] = []
        self.wall = 0.0

    def go(self, executor: Executor | None, threads: int | None) -> None:
        """Run all energies, in order."""
        energies, start = self.config.energies.grid, time.monotonic()
        plans = {energy: self.planner.jobs(energy) for energy in energies}
        with _pool(executor, threads) as pool:
            for done, energy in enumerate(energies, 1):
                self._energy(energy, plans[energy], pool)
                if self.on_energy is not None:
                    left = (time.monotonic() - start) / done * (len(energies) - done)
                    self._report(done, energy, left)
        self.notes += self.study.notes(self.planner, energies) + summary(self.comparisons)
        self.wall = time.monotonic() - start

    def _energy(self, energy: float, planned: list[Planned], pool: Executor) -> None:
        outcomes = [Outcome() for _ in planned]
        for batches in self._rounds():
            self._add(outcomes, planned, batches, pool)
            assembly = self.study.assembly(self.model, energy, planned, outcomes)
            if self._is_good(assembly):
                break
        self._keep(assembly, outcomes)
        if self.halving:
            self._halve(energy, planned, outcomes, pool)

    def _halve(
        self, energy: float, planned: list[Planned], outcomes: list[Outcome], pool: Executor
    ) -> None:
        """Run a share of the histories with half the step, and compare."""
        pairs = [
            (half, outcome)
            for job, outcome in zip(planned, outcomes, strict=True)
            if (half := halved(job, int(outcome.fates.sum()))) is not None
        ]
        again = [Outcome() for _ in pairs]
        self._add(again, [half for half, _ in pairs], self.config.batches(), pool)
        for (half, full), other in zip(pairs, again, strict=True):
            self.comparisons += halving_rows(energy, half, full, other)
            self.counts.add(other)

    def _is_good(self, assembly: Assembly) -> bool:
        """Whether an energy may stop: its error is small, and can be trusted."""
        limit = self.config.stop.rel_err
        small = limit is not None and assembly.relative_error() <= limit
        return small and assembly.trusted("total", ALL)

    def _add(
        self,
        outcomes: list[Outcome],
        planned: list[Planned],
        batches: list[tuple[int, int]],
        pool: Executor,
    ) -> None:
        """Run batches and add them up in order; no more than `IN_FLIGHT` are held at a time."""
        waiting: deque[tuple[int, Any]] = deque()
        try:
            for i, job in enumerate(planned):
                for batch in job.limited(batches):
                    waiting.append((i, self._submit(pool, job, batch)))
                    if len(waiting) >= IN_FLIGHT:
                        _collect(waiting, outcomes)
            while waiting:
                _collect(waiting, outcomes)
        finally:
            for _, future in waiting:
                future.cancel()

    def _rounds(self) -> Iterator[list[tuple[int, int]]]:
        """All batches at once, or rounds fixed beforehand that double the histories."""
        batches = self.config.batches()
        if self.config.stop.rel_err is None:
            yield batches
            return
        begin = 0
        while begin < len(batches):
            end = max(1, 2 * begin)
            yield batches[begin:end]
            begin = end

    def _submit(self, pool: Executor, planned: Planned, batch: tuple[int, int]) -> Any:
        nside = self.settings.nside if planned.gives == "dipole" else 0
        return pool.submit(run_batch, planned.job, self.seed, *batch, nside)

    def _keep(self, assembly: Assembly, outcomes: list[Outcome]) -> None:
        self.rows += formula_rows(self.model, assembly.energy) + assembly.rows()
        self.comparisons += assembly.comparisons()
        self.skies |= assembly.skies(self.seed, self.config.title)
        for outcome in outcomes:
            self.counts.add(outcome)
        lost = sum(int(outcome.fates[-1]) for outcome in outcomes)
        if lost:
            self.notes.append(
                f"at {assembly.energy:g} GeV {lost} histories were lost (their score is not a "
                "number) and left out"
            )
        error, limit = assembly.relative_error(), self.config.stop.rel_err
        self.per_energy[assembly.energy] = max(int(outcome.fates.sum()) for outcome in outcomes)
        if limit is not None and not self._is_good(assembly):
            self.notes.append(
                f"at {assembly.energy:g} GeV the relative error of the total is {error:.2g}, not a "
                f"trusted {limit:g}, after all {self.config.stop.histories} histories; allow more"
            )

    def _report(self, done: int, energy: float, seconds_left: float) -> None:
        rows = [row for row in self.rows if row.energy == energy]
        comparisons = [row for row in self.comparisons if row.energy == energy]
        assert self.on_energy is not None
        self.on_energy(done, len(self.config.energies.grid), rows, comparisons, seconds_left)

    def record(self) -> dict[str, Any]:
        """What was used, for the provenance."""
        counts = self.counts
        fates = [0] * len(FATES) if counts.fates is None else counts.fates.tolist()
        return {
            "seed": self.seed,
            "wall_seconds": self.wall,
            "cpu_seconds": counts.cpu_seconds,
            "histories": counts.histories,
            "histories_per_job": {f"{energy!r} GeV": n for energy, n in self.per_energy.items()},
            "steps": counts.steps,
            "fates": dict(zip(FATES, fates, strict=True)),
            "notes": self.notes,
        }


def _collect(waiting: deque[tuple[int, Any]], outcomes: list[Outcome]) -> None:
    """Take the batch that was submitted first."""
    i, future = waiting.popleft()
    outcomes[i] = outcomes[i] + future.result()


@contextmanager
def _pool(executor: Executor | None, threads: int | None) -> Iterator[Executor]:
    """The executor given, or a pool of threads that ends with the run and drops what waits."""
    if executor is not None:
        yield executor
        return
    if threads is not None and threads < 1:
        raise RangeError(f"threads = {threads} must be at least 1.")
    pool = ThreadPoolExecutor(threads or cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
