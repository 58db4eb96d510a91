"""The loop of a run: batches of histories on any executor, added up in order, kept on disk."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.assembly import ALL, Assembly, formula_rows
from mcprop.batches import Batch
from mcprop.checks import lights
from mcprop.comparison import ComparisonRow
from mcprop.energy_run import EnergyRun, Yielded
from mcprop.errors import ExecutorError, OutputError, StoppedError
from mcprop.executors import Executor, died
from mcprop.halving import summary
from mcprop.health import Light
from mcprop.tables import Row
from mcprop.transport import FATES, Outcome, run_batch

if TYPE_CHECKING:
    from mcprop.models import Model
    from mcprop.scenario import Config
    from mcprop.sky import SkyMap
    from mcprop.store import Store
    from mcprop.study import Study

OnEnergy = Callable[[int, int, list[Row], list[ComparisonRow], float], None]
Halt = Callable[[], str | None]

IN_FLIGHT = 128
"""Batches that are submitted and not yet added up; enough to keep any pool of that size busy."""
TRIES = 3
"""How often a batch is begun whose worker dies."""
POLL = 0.2
"""Time between looks whether the run is to end [s]."""
GRACE = 10.0
"""Time that batches under way have to be finished when the run is to end [s]."""


@dataclass
class Counts:
    """What a run has used, summed over its batches."""

    histories: int = 0
    steps: int = 0
    cpu_seconds: float = 0.0
    fates: np.ndarray = field(default_factory=lambda: np.zeros(len(FATES), dtype=np.int64))

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a job."""
        self.histories += outcome.histories
        self.steps += outcome.steps
        self.cpu_seconds += outcome.cpu
        self.fates = self.fates + outcome.fates

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.histories + other.histories,
            self.steps + other.steps,
            self.cpu_seconds + other.cpu_seconds,
            self.fates + other.fates,
        )


@dataclass
class Answers:
    """What one energy has come to."""

    rows: list[Row]
    comparisons: list[ComparisonRow]
    lights: list[Light]
    skies: dict[tuple[str, float], SkyMap]
    notes: list[str]
    histories: int
    counts: Counts


class Run:
    """One run: batches on any executor, energies as they get done, whoever computes them.

    Parameters
    ----------
    model : Model
        Formulas, made by the configuration.
    config : Config
        Configuration, its seed drawn.
    on_energy : callable or None
        Called after each energy.
    store : Store, optional
        Keeps the batches, and knows those that are finished.
    halt : callable, optional
        Asked again and again; a text, why, ends the run.

    Raises
    ------
    RangeError
        If histories cannot be run at one of the energies.
    """

    def __init__(
        self,
        model: Model,
        config: Config,
        on_energy: OnEnergy | None = None,
        store: Store | None = None,
        halt: Halt | None = None,
    ) -> None:
        self.model, self.config, self.on_energy = model, config, on_energy
        self.store, self._halt = store, halt or (lambda: None)
        self.study: Study = config.study
        self.planner = self.study.planner(model, config.monte_carlo)
        self.seed = config.monte_carlo.seed or 0  # drawn by now
        ranges = config.batches()
        self.energies = [
            EnergyRun(config, place, self.planner.jobs(energy), ranges)
            for place, energy in enumerate(config.energies.grid)
        ]
        self.answers: dict[int, Answers] = {}
        self.computed = 0
        self._waiting: dict[Any, Batch] = {}
        self._again: list[Batch] = []
        self._deaths: Counter[str] = Counter()
        self._over = store.decided() if store else None
        self._start = time.monotonic()

    def go(self, executor: Executor) -> None:
        """Run all batches that are not finished yet.

        Parameters
        ----------
        executor : Executor
            Whoever computes them.

        Raises
        ------
        ExecutorError
            If a batch has lost its worker too often.
        OutputError
            If a batch cannot be read or kept.
        StoppedError
            If the run was halted.
        """
        try:
            while self._fill(executor) and not self._halt():
                self._collect(self._ended(POLL))
            if (why := self._halt()) and len(self.answers) < len(self.energies):
                self._wind_down(why)
        except (ExecutorError, OutputError) as error:
            error.can_go_on = self.store is not None
            raise
        finally:
            for future in self._waiting:
                future.cancel()

    def gather(self, store: Store, but: set[str]) -> None:
        """Add up what a store holds, without going on; `but` are files to leave alone."""
        for energy in self.energies:
            while (batch := energy.next_batch()) is not None and store.has(batch):
                if f"{batch.name}.npz" in but:
                    break
                energy.receive(batch, partial(store.load, batch))
                if energy.full.added == energy.look and energy.following_look is not None:
                    energy.go_on()

    def _fill(self, executor: Executor) -> bool:
        """Submit what may begin; whether there is anything to wait for."""
        while len(self._waiting) < IN_FLIGHT and not self._halt():
            if (batch := self._next()) is None:
                break
            if self.store and self.store.has(batch):
                self._receive(batch, partial(self.store.load, batch))
                continue
            tasks = self.energies[batch.energy].tasks(batch)
            try:
                future = executor.submit(run_batch, tasks, self.seed)
            except BrokenExecutor as error:
                raise ExecutorError(f"the executor has broken down ({error})") from error
            self._waiting[future] = batch
            if self.store and isinstance(future, Future):
                # by whoever has computed it, and none of those begins another batch before that
                future.add_done_callback(partial(_keep_if_done, self.store, batch))
        return bool(self._waiting)

    def _next(self) -> Batch | None:
        """The next batch to begin: energies in order, those that have lost their worker first."""
        if self._again:
            return self._again.pop()
        for energy in self.energies:
            if not energy.is_done and (batch := energy.next_batch()) is not None:
                return batch
        return None

    def _ended(self, timeout: float | None) -> list[Any]:
        """Futures that have ended; of an executor of another kind the oldest one, waited for."""
        if all(isinstance(future, Future) for future in self._waiting):
            return list(wait(self._waiting, timeout, FIRST_COMPLETED).done)
        return [next(iter(self._waiting))]

    def _collect(self, futures: Iterable[Any]) -> None:
        """Take the results of futures that have ended."""
        for future in futures:
            batch = self._waiting.pop(future)
            try:
                outcomes = future.result()
            except Exception as error:
                if not died(error):
                    raise
                self._lost(batch, error)
                continue
            if self.store:
                self.store.save(batch, outcomes)
            self.computed += 1
            self._receive(batch, partial(_same, outcomes))

    def _lost(self, batch: Batch, error: BaseException) -> None:
        """Have a batch run again whose worker has died, but not for ever."""
        self._deaths[batch.name] += 1
        if self._deaths[batch.name] >= TRIES:
            energy = self.energies[batch.energy].energy
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ExecutorError(
                f"batch {batch.name} ({energy:g} GeV): its worker has died {TRIES} times"
                f" ({reason[:200]})"
            ) from error
        self._again.append(batch)

    def _receive(self, batch: Batch, yielded: Yielded) -> None:
        energy = self.energies[batch.energy]
        energy.receive(batch, yielded)
        if energy.at_look:
            self._look(energy)
        if energy.is_done:
            self._keep(energy)

    def _look(self, energy: EnergyRun) -> None:
        """Let an energy go on, or not; with a limit of time all energies go on together."""
        if energy.following_look is None or energy.look == self._over or self._is_good(energy):
            energy.close()
        elif self.config.stop.seconds is None:
            energy.go_on()
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """When all energies wait, see whether there is time for as many histories again."""
        seconds, open_ = self.config.stop.seconds, [e for e in self.energies if not e.is_closing]
        if seconds is None or not open_ or not all(energy.at_look for energy in open_):
            return
        look, following = open_[0].look, open_[0].following_look or 0
        if self._has_gone_on(open_, look) or self._elapsed() * following / look <= seconds:
            for energy in open_:
                energy.go_on()
            return
        if self.store:
            self.store.decide(look)
        self._over = look
        for energy in open_:
            energy.close()
            if energy.is_done:
                self._keep(energy)

    def _has_gone_on(self, energies: Iterable[EnergyRun], look: int) -> bool:
        """Whether there was time when a look was taken before, as a decision or a batch tells."""
        if self._over is not None:
            return look < self._over
        return self.store is not None and any(self.store.has(e.batch(look)) for e in energies)

    def _elapsed(self) -> float:
        return self.store.elapsed if self.store else time.monotonic() - self._start

    def _is_good(self, energy: EnergyRun) -> bool:
        """Whether an energy may stop: its error is small, and can be trusted."""
        return self.config.stop.rel_err is not None and self._is_small(self.assembly(energy))

    def _is_small(self, assembly: Assembly) -> bool:
        limit = self.config.stop.rel_err
        small = limit is not None and assembly.relative_error() <= limit
        return small and assembly.trusted("total", ALL)

    def assembly(self, energy: EnergyRun) -> Assembly:
        """Put together what an energy has yielded so far."""
        sums = energy.full
        return self.study.assembly(self.model, energy.energy, sums.planned, sums.outcomes)

    def _keep(self, energy: EnergyRun) -> None:
        if energy.place in self.answers:
            return
        assembly = self.assembly(energy)
        counts = Counts()
        for outcome in (*energy.full.outcomes, *energy.half.outcomes):
            counts.add(outcome)
        halving, sums = energy.halving_rows(), energy.full
        self.answers[energy.place] = Answers(
            formula_rows(self.model, energy.energy) + assembly.rows(),
            assembly.comparisons() + halving,
            lights(assembly, sums.planned, sums.trends, halving, len(self.energies)),
            assembly.skies(self.seed, self.config.title),
            self._notes(energy, assembly),
            energy.histories,
            counts,
        )
        energy.forget()
        if self.on_energy is not None:
            found, done = self.answers[energy.place], len(self.answers)
            left = self.seconds_left()
            self.on_energy(done, len(self.energies), found.rows, found.comparisons, left)

    def _notes(self, energy: EnergyRun, assembly: Assembly) -> list[str]:
        notes = []
        lost = sum(int(outcome.fates[-1]) for outcome in energy.full.outcomes)
        if lost:
            notes.append(
                f"at {energy.energy:g} GeV {lost} histories were lost (their score is not a "
                "number) and left out"
            )
        error, limit = assembly.relative_error(), self.config.stop.rel_err
        if limit is not None and not self._is_small(assembly):
            notes.append(
                f"at {energy.energy:g} GeV the relative error of the total is {error:.2g}, not a "
                f"trusted {limit:g}, after all {energy.histories} histories; allow more"
            )
        return notes

    def _time_note(self) -> list[str]:
        if self._over is None:
            return []
        first, n = self.config.batches()[self._over - 1]
        return [
            f"the time was over after {first + n} of {self.config.stop.histories} histories; only"
            " energies that were good enough before have fewer"
        ]

    def seconds_left(self) -> float:
        """Estimated time to the end, if every energy takes all its batches [s]."""
        left = sum(energy.batches_left for energy in self.energies)
        each = (time.monotonic() - self._start) / self.computed if self.computed else math.nan
        limit = (self.config.stop.seconds or math.inf) - self._elapsed()
        return min(left * each, max(limit, 0.0)) if left else 0.0

    def _wind_down(self, why: str) -> None:
        """Let batches under way be finished for a while, keep them, and say how to go on."""
        for future in list(self._waiting):
            if future.cancel():
                del self._waiting[future]
        end = time.monotonic() + GRACE
        while self._waiting and time.monotonic() < end:
            self._collect(self._ended(POLL))
        raise StoppedError(f"Stopped by {why}", len(self._waiting))

    def record(self) -> dict[str, Any]:
        """What was used, for the provenance."""
        ordered = [self.answers[energy.place] for energy in self.energies]
        counts = sum((answers.counts for answers in ordered), Counts())
        comparisons = [row for answers in ordered for row in answers.comparisons]
        grid = self.config.energies.grid
        return {
            "seed": self.seed,
            "wall_seconds": self._elapsed(),
            "cpu_seconds": counts.cpu_seconds,
            "histories": counts.histories,
            "histories_per_job": {
                f"{energy.energy!r} GeV": self.answers[energy.place].histories
                for energy in self.energies
            },
            "steps": counts.steps,
            "fates": dict(zip(FATES, counts.fates.tolist(), strict=True)),
            "notes": [
                *self._time_note(),
                *(note for answers in ordered for note in answers.notes),
                *self.study.notes(self.planner, grid),
                *summary(comparisons),
            ],
        }


def _keep_if_done(store: Store, batch: Batch, future: Future[list[Outcome]]) -> None:
    """Keep a batch that has been computed; what goes wrong is told when it is collected."""
    if not future.cancelled() and future.exception() is None:
        with suppress(OutputError):
            store.save(batch, future.result())


def _same(outcomes: list[Outcome]) -> list[Outcome]:
    return outcomes
