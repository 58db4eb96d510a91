"""What a run says while it goes and when it ends: a live table, plain lines, the final table."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mcprop import health
from mcprop.errors import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from mcprop.comparison import ComparisonRow
    from mcprop.result import Result, Row

_HEAD = ("E [GeV]", "component", "amplitude", "phase [deg]", "pull")
_SHORT = {"compton-getting": "Compton-G."}
"""Components whose names would make the live table wider than 80 columns."""
_LINES_AROUND = 5
"""Lines of a live table that are not rows: head, rule, time left, and the prompt."""
_NO_PULL = ("inconclusive", "prescribed")
"""Verdicts to be shown instead of a deviation that says nothing."""


def pull_of(comparisons: Iterable[ComparisonRow], energy: float, component: str) -> str:
    """Deviation of a component's dipole from the reference that judges it.

    Parameters
    ----------
    comparisons : iterable of ComparisonRow
        Rows of the comparison table.
    energy : float
        Total energy [GeV].
    component : str
        Name of the component.

    Returns
    -------
    str
        Standard deviations, for all species together where there is such a row; "inconclusive" or
        "prescribed" where that is the verdict; a dash without a row.
    """
    rows = [
        row
        for row in comparisons
        if row.quantity == "dipole"
        and row.component == component
        and row.energy == energy
        and row.verdict != "finding"
    ]
    together = [row for row in rows if row.species == "all"] or rows
    told = [row for row in together if row.verdict not in _NO_PULL]
    sigmas = [row.sigma for row in told if not math.isnan(row.sigma)]
    if sigmas:
        return f"{max(sigmas):.1f}"
    return next((word for word in _NO_PULL if any(row.verdict == word for row in together)), "-")


def amount(value: float, error: float, pattern: str, error_pattern: str) -> str:
    """Write a value with its error, if it has one.

    Parameters
    ----------
    value, error : float
        The value and its standard deviation.
    pattern, error_pattern : str
        Format of each, such as ``".3e"``.

    Returns
    -------
    str
        ``"9.821e-04 +- 1.2e-06"``.
    """
    return f"{value:{pattern}} +- {error:{error_pattern}}" if error > 0.0 else f"{value:{pattern}}"


def amplitude_text(row: Row) -> str:
    """Write the equatorial amplitude of a row."""
    return amount(row.dipole.amplitude, row.dipole.amplitude_err, ".3e", ".1e")


def phase_text(row: Row) -> str:
    """Write the right ascension [deg] of a row."""
    return amount(row.dipole.ra, row.dipole.ra_err, ".2f", ".2f")


def time_text(seconds: float) -> str:
    """Write a time to wait."""
    if not math.isfinite(seconds):
        return "-"
    whole = round(max(seconds, 0.0))
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


class Progress:
    """Context that shows each energy as it is done: live on a terminal, else a line each.

    Pass `on_energy` to ``Simulation.run``.
    """

    def __init__(self) -> None:
        self._done: list[tuple[list[Row], list[ComparisonRow]]] = []
        self._total = 0
        self._live: Any = None

    def __enter__(self) -> Self:
        """Start the live table, if there is a terminal to show it."""
        if sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(self._table(math.nan), transient=True, auto_refresh=False)
            self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the live table away."""
        if self._live is not None:
            self._live.stop()

    def on_energy(
        self,
        done: int,
        total: int,
        rows: Sequence[Row],
        comparisons: Sequence[ComparisonRow],
        seconds_left: float,
    ) -> None:
        """Show an energy that is done.

        Parameters
        ----------
        done, total : int
            Number of energies done, and of all.
        rows : sequence of Row
            Rows of this energy, of both methods.
        comparisons : sequence of ComparisonRow
            Comparisons of this energy.
        seconds_left : float
            Estimated time to the end of the run [s].
        """
        shown = [row for row in rows if row.method == "monte-carlo" and row.species == "all"]
        self._done.append((shown, list(comparisons)))
        self._total = total
        if self._live is not None:
            self._live.update(self._table(seconds_left), refresh=True)
        else:
            print(energy_line(done, total, rows, comparisons, seconds_left), flush=True)

    def _table(self, seconds_left: float) -> Table:
        """The total of each energy, all components of the latest one; 80 columns wide at most."""
        from rich import box
        from rich.table import Table

        counted = f"{len(self._done)} of {self._total} energies, " if self._done else ""
        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
            caption=f"{counted}time left: {time_text(seconds_left)}", caption_justify="left",
        )  # fmt: skip
        for head in _HEAD:
            table.add_column(head, no_wrap=True)
        lines = [
            (row, comparisons)
            for latest, (rows, comparisons) in enumerate(self._done, start=1 - len(self._done))
            for row in rows
            if row.component == "total" or not latest
        ]
        room = max(self._live.console.height - _LINES_AROUND, 3) if self._live else len(lines)
        for row, comparisons in lines[-room:]:
            name = _SHORT.get(row.component, row.component)
            pull = pull_of(comparisons, row.energy, row.component)
            table.add_row(f"{row.energy:.4g}", name, amplitude_text(row), phase_text(row), pull)
        return table


def energy_line(
    done: int,
    total: int,
    rows: Sequence[Row],
    comparisons: Sequence[ComparisonRow],
    seconds_left: float,
) -> str:
    """Say in one line how an energy came out.

    Parameters
    ----------
    done, total, rows, comparisons, seconds_left
        As in `Progress.on_energy`.

    Returns
    -------
    str
        The line.
    """
    totals = {row.method: row for row in rows if row.component == "total" and row.species == "all"}
    said = [f"{done}/{total}", f"{rows[0].energy:g} GeV"]
    if "monte-carlo" in totals:
        row = totals["monte-carlo"]
        pull = pull_of(comparisons, row.energy, "total")
        said += [f"total {amplitude_text(row)} at RA {phase_text(row)} deg", f"pull {pull}"]
    if "analytic" in totals:
        row = totals["analytic"]
        said.append(f"formula {amplitude_text(row)} at RA {phase_text(row)} deg")
    return "  ".join([*said, f"{time_text(seconds_left)} left"])


def totals_table(result: Result) -> str:
    """Write the total dipole at each energy: formula, Monte Carlo, deviation, worst light.

    Parameters
    ----------
    result : Result
        A finished run.

    Returns
    -------
    str
        Aligned lines; of formulas alone, without the columns of the Monte Carlo.
    """
    totals = [row for row in result.rows if row.component == "total" and row.species == "all"]
    formula = {row.energy: row for row in totals if row.method == "analytic"}
    sampled = {row.energy: row for row in totals if row.method == "monte-carlo"}
    head = ["energy [GeV]", "analytic", "RA [deg]"]
    lines = [[*head, "Monte Carlo", "RA [deg]", "pull", "health"] if sampled else head]
    for energy, row in formula.items():
        cells = [f"{energy:g}", amplitude_text(row), phase_text(row)]
        if energy in sampled:
            twin = sampled[energy]
            pull = pull_of(result.comparison or (), energy, "total")
            colour = health.worst(light for light in result.health if light.energy == energy)
            cells += [amplitude_text(twin), phase_text(twin), pull, colour]
        lines.append(cells)
    return aligned(lines)


def closing(result: Result, directory: Path) -> str:
    """Write what a run ends with: the table of totals, the verdict, the place of the output.

    Parameters
    ----------
    result : Result
        A finished run.
    directory : Path
        Where it was written.

    Returns
    -------
    str
        Several lines.
    """
    lines = [totals_table(result)]
    if result.comparison is not None:
        lines.append(result.comparison.verdict.replace(" Finding: ", "\nFinding: "))
    if result.health:
        lines += [health.summary(result.health), *health.sentences(result.health)]
    lines += [f"Note: {note}." for note in result.provenance.get("notes", ())]
    if "seed" in result.provenance:
        lines.append(f"Seed: {result.provenance['seed']}")
    return "\n".join([*lines, f"Output: {one_line(str(directory))}"])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Write rows of cells in columns, each cell to the right.

    Parameters
    ----------
    lines : sequence of sequence of str
        Cells by row.

    Returns
    -------
    str
        One line for each row.
    """
    columns = max(len(cells) for cells in lines)
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(columns)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=False))
        for line in lines
    )
