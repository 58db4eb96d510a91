"""What there is to say of a run that is under way, or has ended early: how far, how good."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mcprop.errors import OutputError
from mcprop.lock import holder
from mcprop.report import aligned, amplitude_text, phase_text, time_text
from mcprop.rundir import is_finished, is_run
from mcprop.runner import Run
from mcprop.store import Store

if TYPE_CHECKING:
    from mcprop.energy_run import EnergyRun


def kept(directory: Path) -> str:
    """Say how many batches of a run are kept.

    Parameters
    ----------
    directory : Path
        Perhaps a run directory.

    Returns
    -------
    str
        Part of a sentence; empty where no run has begun.
    """
    with suppress(OutputError, OSError):
        if is_run(directory):
            count = len(Store.opened(directory).finished())
            return f"{count} finished {'batch is' if count == 1 else 'batches are'} kept"
    return ""


def status_text(directory: Path) -> str:
    """Say of a run how far it is, how good, and how long it will take.

    Parameters
    ----------
    directory : Path
        A run directory. Nothing is written to it.

    Returns
    -------
    str
        Several lines.

    Raises
    ------
    OutputError
        When it is no run directory, or its manifest is damaged.
    """
    store = Store.opened(directory)
    config, damaged = store.config, store.damaged()
    done = len(store.finished()) - len(damaged)
    run = Run(config.model(), config)
    run.gather(store, set(damaged))
    most = max(sum(e.batches_in + e.batches_left for e in run.energies), done)
    lines = [
        f"{store.manifest['title']}, seed {store.manifest['seed']}, begun {store.manifest['begun']}"
        f" with mcprop {store.manifest['mcprop']}",
        f"{done} of at most {most} batches are finished",
    ]
    if damaged:
        lines.append(f"damaged: {', '.join(damaged)}; mcprop resume --repair runs them again")
    lines.append(_time_line(store, directory, done, most))
    rows = [row for energy in run.energies if (row := _energy_row(run, energy))]
    head = ["energy [GeV]", "batches", "histories", "total", "RA [deg]", "rel. error"]
    return "\n".join([*lines, *([aligned([head, *rows])] if rows else [])])


def _time_line(store: Store, directory: Path, done: int, most: int) -> str:
    if is_finished(store.directory):
        return f"finished; its results are in {directory}"
    if writer := holder(store.directory):
        left = f", about {time_text(store.before / done * (most - done))} left" if done else ""
        return f"{time_text(store.before)} so far{left}; {writer} is at it"
    spent = f"{time_text(store.before)} so far; " if done else ""
    return f"{spent}nobody is at it: mcprop resume {directory} goes on"


def _energy_row(run: Run, energy: EnergyRun) -> list[str] | None:
    """Total of an energy as far as it is; nothing without a batch."""
    if not energy.full.added:
        return None
    assembly = run.assembly(energy)
    row = next(r for r in assembly.rows() if (r.component, r.species) == ("total", "all"))
    error = f"{assembly.relative_error():.2g}"
    first, last = (energy.batch(span).number for span in (0, energy.full.added - 1))
    counts = [f"{first} to {last}", f"{energy.histories}"]
    return [f"{energy.energy:g}", *counts, amplitude_text(row), phase_text(row), error]
