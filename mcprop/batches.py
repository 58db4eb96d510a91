"""Batches: a range of histories at one energy, all jobs; the piece of work that is done as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcprop.plan import Planned
from mcprop.transport import Task


class Batch(NamedTuple):
    """A batch of a run.

    Parameters
    ----------
    energy : int
        Place of the energy in the grid.
    span : int
        Place of the range of histories among those of the energy.
    number : int
        Counted over all energies; of a batch with half the step, over these.
    half : bool
        Whether its jobs take half the step.
    """

    energy: int
    span: int
    number: int
    half: bool = False

    @property
    def name(self) -> str:
        """Name of its file, and in messages."""
        return f"{'half-' if self.half else ''}{self.number:06d}"


def tasks_of(planned: Sequence[Planned], span: tuple[int, int], nside_of_maps: int) -> list[Task]:
    """What the jobs of an energy have to do in a range of histories.

    Parameters
    ----------
    planned : sequence of Planned
        The jobs.
    span : (int, int)
        Number of the first history, and how many.
    nside_of_maps : int
        Resolution of the tallies of those that give a dipole.

    Returns
    -------
    list of Task
        One for each job; without histories for one that has had enough.
    """
    tasks = []
    for job in planned:
        first, n = next(iter(job.limited([span])), (span[0], 0))
        nside = nside_of_maps if job.gives == "dipole" else 0
        tasks.append(Task(job.job if n else None, first, n, nside))
    return tasks


def rounds(batches: int, stepwise: bool) -> Iterator[int]:
    """Numbers of batches at which a run looks whether it may stop.

    They are fixed beforehand: a look after each batch would stop at lucky moments.

    Parameters
    ----------
    batches : int
        How many there are at most.
    stepwise : bool
        Whether there is a rule to stop early at all.

    Yields
    ------
    int
        Rising numbers, the last one `batches`: 1, 2, 4, 8, ... or that one alone.
    """
    end = 1
    while stepwise and end < batches:
        yield end
        end *= 2
    yield batches
