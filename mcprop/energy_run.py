"""One energy of a run: what its batches have yielded, added up in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mcprop.batches import Batch, rounds, tasks_of
from mcprop.halving import halving_rows, variants
from mcprop.plan import Planned
from mcprop.transport import Outcome, Task
from mcprop.trend import Trend

if TYPE_CHECKING:
    from mcprop.comparison import ComparisonRow
    from mcprop.scenario import Config


Yielded = Callable[[], list[Outcome]]
"""Gives the outcomes of a batch when they are wanted: one that waits on disk takes no memory."""


class Sums:
    """Outcomes of jobs, added up in the order of the batches, however they come in.

    Parameters
    ----------
    planned : sequence of Planned
        The jobs.
    """

    def __init__(self, planned: Sequence[Planned]) -> None:
        self.planned = list(planned)
        self.outcomes = [Outcome() for _ in planned]
        self.trends = [Trend() for _ in planned]
        self.added = 0
        self._early: dict[int, Yielded] = {}

    def receive(self, index: int, yielded: Yielded) -> None:
        """Take what a batch has yielded; it waits until those before it have come."""
        self._early[index] = yielded
        while (following := self._early.pop(self.added, None)) is not None:
            for i, outcome in enumerate(following()):
                self.outcomes[i] = self.outcomes[i] + outcome
                self.trends[i].add(outcome)
            self.added += 1


class EnergyRun:
    """One energy of a run: its jobs, their batches, and how far it has got.

    It runs to a look, a number of batches fixed beforehand, and waits there until it is told to go
    on or to finish. Finishing takes batches with half the step where these are wanted.

    Parameters
    ----------
    config : Config
        Configuration.
    place : int
        Place of the energy in the grid.
    planned : sequence of Planned
        The jobs.
    ranges : sequence of (int, int)
        Those of all batches of an energy, ``config.batches()``.
    """

    def __init__(
        self,
        config: Config,
        place: int,
        planned: Sequence[Planned],
        ranges: Sequence[tuple[int, int]],
    ) -> None:
        self.energy, self.place = config.energies.grid[place], place
        self.full, self.half = Sums(planned), Sums([])
        self._ranges, self._nside = ranges, config.monte_carlo.nside
        self._halving = config.monte_carlo.halving == "on"
        stop = config.stop
        self._looks = list(rounds(len(self._ranges), bool(stop.rel_err or stop.seconds)))
        self._begun = self._half_begun = self._half_look = 0
        self._held_against: list[Outcome] = []
        self.is_closing = self.is_done = False

    @property
    def look(self) -> int:
        """Number of batches after which the run looks whether to go on."""
        return self._looks[0]

    @property
    def following_look(self) -> int | None:
        """Number of batches of the next look; None after the last one."""
        return self._looks[1] if len(self._looks) > 1 else None

    @property
    def at_look(self) -> bool:
        """Whether all batches up to the look are in, and nobody has said how to go on."""
        return self.full.added == self.look and not self.is_closing

    @property
    def batches_in(self) -> int:
        """Number of batches that are in."""
        return self.full.added + self.half.added

    @property
    def batches_left(self) -> int:
        """Number of batches that are still to come at most, as far as can be seen."""
        end = self.look if self.is_closing else self._looks[-1]
        return end - self.full.added + self._half_look - self.half.added

    @property
    def histories(self) -> int:
        """Histories of the job that has run most of them."""
        return max(outcome.histories for outcome in self.full.outcomes)

    def next_batch(self) -> Batch | None:
        """The next batch that may begin, if there is one."""
        if self._begun < self.look:
            self._begun += 1
            return self.batch(self._begun - 1)
        if self._half_begun < self._half_look:
            self._half_begun += 1
            return self.batch(self._half_begun - 1, half=True)
        return None

    def batch(self, span: int, half: bool = False) -> Batch:
        """The batch of a range."""
        return Batch(self.place, span, self.place * len(self._ranges) + span, half)

    def tasks(self, batch: Batch) -> list[Task]:
        """What the jobs have to do in a batch."""
        sums = self.half if batch.half else self.full
        return tasks_of(sums.planned, self._ranges[batch.span], self._nside)

    def receive(self, batch: Batch, yielded: Yielded) -> None:
        """Take what a batch has yielded."""
        sums = self.half if batch.half else self.full
        sums.receive(batch.span, yielded)
        self.is_done = self.is_closing and self.half.added == self._half_look

    def go_on(self) -> None:
        """Run to the following look."""
        del self._looks[0]

    def close(self) -> None:
        """Run no more batches but those with half the step."""
        self.is_closing = True
        if self._halving:
            full = zip(self.full.planned, self.full.outcomes, strict=True)
            pairs = [(again, ran) for job, ran in full for again in variants(job, ran.histories)]
            self.half = Sums([job for job, _ in pairs])
            self._held_against = [outcome for _, outcome in pairs]
            most = max((job.histories or 0 for job, _ in pairs), default=0)
            self._half_look = sum(first < most for first, _ in self._ranges)
        self.is_done = not self._half_look

    def halving_rows(self) -> list[ComparisonRow]:
        """Rows that hold half the step against the full one."""
        sums, against = self.half, self._held_against
        return [
            row
            for job, outcome, full in zip(sums.planned, sums.outcomes, against, strict=True)
            for row in halving_rows(self.energy, job, full, outcome)
        ]

    def forget(self) -> None:
        """Let go of what its answers have been made of."""
        self.full.outcomes, self.full.trends = [], []
        self.half.outcomes, self._held_against = [], []
