"""What a run says: the live table fits a narrow terminal, and says why there is no pull."""

import io
import math
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from mcprop.comparison import ComparisonRow
from mcprop.dipole import Dipole
from mcprop.report import Progress, energy_line, pull_of
from mcprop.tables import Row

COMPONENTS = ("nearby", "centre", "background", "compton-getting", "total")
WIDEST = Dipole([-1.234e-4, -1.8e-4, 1e-4], np.eye(3) * 1e-6)
"""Far inside its error: the phase is open by a hundred degrees."""


def judged(
    component: str, verdict: str, sigma: float = math.nan, species: str = "all", energy: float = 1e3
) -> ComparisonRow:
    return ComparisonRow(
        energy, component, species, "dipole", "walk", "formula", 1e-3, 1e-3, 0.0, 1e-5, 0.0,
        1.0, 3, sigma, verdict,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([], "-"),
        ([judged("total", "agrees", 1.25, energy=2e3)], "-"),
        ([judged("total", "agrees", 1.26)], "1.3"),
        ([judged("total", "inconclusive", 1.26)], "inconclusive"),
        ([judged("total", "prescribed")], "prescribed"),
        ([judged("total", "finding", 9.0)], "-"),
        ([judged("total", "finding", 9.0), judged("total", "agrees", 0.5)], "0.5"),
        ([judged("total", "differs", 7.0, "p"), judged("total", "agrees", 0.5)], "0.5"),
        ([judged("total", "differs", 7.0, "p"), judged("total", "inconclusive", 1, "He")], "7.0"),
        ([judged("nearby", "agrees", 2.0)], "-"),
    ],
)
def test_pull(rows, shown):
    assert pull_of(rows, 1e3, "total") == shown


def energy(at: float) -> tuple[list[Row], list[ComparisonRow]]:
    rows = [Row(at, c, "all", "monte-carlo", WIDEST, 1.0, "walk") for c in COMPONENTS]
    verdicts = ["inconclusive", "inconclusive", "prescribed", "inconclusive", "inconclusive"]
    pairs = zip(COMPONENTS, verdicts, strict=True)
    return rows, [judged(c, verdict, 1.0, energy=at) for c, verdict in pairs]


def live_table(width: int) -> list[str]:
    progress = Progress()
    for done, at in enumerate((2.1544346900318843e12, 4.641588833612779e12), 1):
        rows, comparisons = energy(at)
        progress._done.append((rows, comparisons))
        progress._total = done + 10
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=40, force_terminal=False)
    console.print(progress._table(3725.0))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_live_table_fits_80_columns():
    narrow, wide = live_table(80), live_table(200)
    assert max(map(len, narrow)) <= 80
    # nothing is broken or cut off for want of room
    assert [line.split() for line in narrow] == [line.split() for line in wide]
    assert narrow[-1].strip() == "2 of 12 energies, time left: 62 min 05 s"
    assert len(narrow) == 2 + 1 + 5 + 1
    assert sum("inconclusive" in line for line in narrow) == 5
    assert sum("prescribed" in line for line in narrow) == 1
    assert sum("Compton-G." in line for line in narrow) == 1


def test_a_terminal_too_narrow_is_noticed():
    assert [line.split() for line in live_table(60)] != [line.split() for line in live_table(200)]


def test_live_table_shows_only_what_the_terminal_holds():
    progress = Progress()
    for at in np.geomspace(1e3, 1e6, 30):
        progress._done.append(energy(float(at)))
    progress._live = SimpleNamespace(console=SimpleNamespace(height=24))
    assert progress._table(1.0).row_count < 24


def test_plain_line_says_the_verdict():
    rows, comparisons = energy(1e3)
    line = energy_line(1, 3, rows, comparisons, 5.0)
    assert line.startswith("1/3  1000 GeV  total ")
    assert "  pull inconclusive  " in line
    assert line.endswith("  5 s left")
