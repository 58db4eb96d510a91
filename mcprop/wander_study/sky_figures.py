"""Figure of the angular power of skies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcprop.skyplot import title_text
from mcprop.wander_study.figures import COLOURS
from mcprop.wander_study.tables import PowerRow, SkyRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE_WIDTH = 88
_SEEN = 2.0
"""Standard deviations from which on the power of the mean sky is a point and no limit."""


def draw_power(
    power: Sequence[PowerRow],
    before: Sequence[PowerRow],
    rows: Sequence[SkyRow],
    title: str = "",
) -> Figure:
    """Draw C_l over that of the dipole, noise taken out, with the level of the noise.

    Parameters
    ----------
    power, before : sequence of PowerRow
        Of the whole duration, and of half of it.
    rows : sequence of SkyRow
        The skies that it is the mean of.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 5.6), layout="constrained")
    ax = figure.subplots()
    shown = _draw_relative(ax, power, 1.0, f"of one sky, mean of {len(rows)}", mfc=COLOURS[0])
    shown += _draw_relative(ax, before, 0.97, "of the same at half the duration", mfc="white")
    limits = _draw_common(ax, power)
    noise = power[0].noise / power[0].c_l
    ax.axhline(noise, color=COLOURS[1], lw=1.5, ls="--", label="noise that was taken out")
    lowest = min([*shown, noise, *limits])
    ax.set(xscale="log", yscale="log", ylim=(0.2 * lowest, 5.0))
    ax.set_xticks([1, 2, 3, 5, 10, 20, 30], labels=["1", "2", "3", "5", "10", "20", "30"])
    ax.set_xlim(0.85, 1.15 * power[-1].multipole)
    ax.set_xlabel(r"multipole $\ell$")
    ax.set_ylabel(r"$C_\ell / C_1$, noise taken out")
    ax.grid(True, which="major", lw=0.4, alpha=0.6)
    handles, labels = ax.get_legend_handles_labels()
    # bars come last by themselves: first what is seen, then what is not
    order = sorted(range(len(labels)), key=lambda i: not labels[i].startswith("of "))
    ax.legend([handles[i] for i in order], [labels[i] for i in order], fontsize=9)
    ax.set_title(title_text(title, _TITLE_WIDTH), fontsize=11)
    return figure


def _draw_relative(
    ax: Axes, power: Sequence[PowerRow], shift: float, label: str, **style: Any
) -> list[float]:
    """Points of C_l/C_1 where they are above 0, which it returns."""
    shown = [row for row in power if row.relative > 0.0]
    ax.errorbar(
        [shift * row.multipole for row in shown], [row.relative for row in shown],
        [row.relative_err for row in shown], fmt="o", ms=5.0, capsize=2.5, lw=1.2,
        color=COLOURS[0], label=label, **style,
    )  # fmt: skip
    return [row.relative for row in shown]


def _draw_common(ax: Axes, power: Sequence[PowerRow]) -> list[float]:
    """Power of the mean over all fields, over the mean of C_1: points, or limits where none.

    Returns the limits.
    """
    unit = power[0].c_l
    known = [row for row in power if row.common_err > 0.0]
    there = [row for row in known if row.common > _SEEN * row.common_err]
    absent = [row for row in known if row.common <= _SEEN * row.common_err]
    colour = COLOURS[2]
    if there:
        ax.errorbar(
            [1.03 * row.multipole for row in there], [row.common / unit for row in there],
            [row.common_err / unit for row in there], fmt="s", ms=5.0, capsize=2.5, lw=1.2,
            color=colour, label="of the mean over all fields",
        )  # fmt: skip
    limits = [(max(row.common, 0.0) + _SEEN * row.common_err) / unit for row in absent]
    if absent:
        ax.plot(
            [1.03 * row.multipole for row in absent], limits, "v", ms=5.0, mfc="none", mec=colour,
            label=f"the same, limit of {_SEEN:g} standard deviations",
        )  # fmt: skip
    return limits
