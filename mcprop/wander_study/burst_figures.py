"""Figure of a burst that is seen through realisations of a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.skyplot import title_text
from mcprop.wander_study.figures import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mcprop.wandering.burst_study import BurstStudy

_TITLE_WIDTH = 110
_ROOM = 1.4
"""Height of the axes of shares, for the legend above them."""
_GRID: dict[str, Any] = {"which": "major", "lw": 0.4, "alpha": 0.6}
_POINTS: dict[str, Any] = {"fmt": "o", "ms": 5.0, "capsize": 2.5, "lw": 1.0, "color": COLOURS[0]}
_FORMULA: dict[str, Any] = {"color": "black", "lw": 1.5, "ls": "--"}


def draw_burst(study: BurstStudy, title: str = "") -> Figure:
    """Draw density, dipole and spread, a point for each realisation, against the formula.

    Parameters
    ----------
    study : BurstStudy
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.6, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _draw_density(left, study)
    _draw_dipole(middle, study)
    _draw_spread(right, study)
    for ax in (left, middle, right):
        ax.grid(True, **_GRID)
    figure.suptitle(title_text(title, _TITLE_WIDTH), fontsize=11)
    return figure


def _draw_density(ax: Axes, study: BurstStudy) -> None:
    """Density over the formula's against the distance to the line of the source."""
    rows, noise = study.rows, study.noise
    distance, ratio = rows["line_distance"], rows["flux_ratio"]
    ax.errorbar(distance, ratio, noise["flux_ratio"], label="realisations", **_POINTS)
    across = float(np.hypot(*study.displacement[:2]))
    fine = np.linspace(0.0, 1.15 * max(float(distance.max()), across), 120)
    width = 4.0 * study.formula_perp * study.age
    told = r"$D_\perp = M_A^4 D_\parallel$"
    ax.plot(fine, np.exp((across**2 - fine**2) / width), label=told, **_FORMULA)
    ax.set(yscale="log", xlabel="distance across to the line of the source [pc]")
    ax.set_ylabel("density / formula")
    ax.set_xlim(0.0, fine[-1])
    ax.set_ylim(0.3 * float(ratio.min()), 5.0 * max(float(ratio.max()), 1.0))
    ax.legend(fontsize=9)


def _draw_dipole(ax: Axes, study: BurstStudy) -> None:
    """Components of the dipole along the mean field and across it."""
    rows, noise = study.rows, study.noise
    ax.errorbar(
        rows["dipole_z"], rows["dipole_x"], noise["dipole_x"], noise["dipole_z"],
        label="realisations", **_POINTS,
    )  # fmt: skip
    formula = study.formula_dipole
    ax.plot(
        formula[2], formula[0], "*", ms=15, color=COLOURS[1], mec="black", mew=0.6,
        label=r"$3\,r / 2vT$, any uniform medium",
    )  # fmt: skip
    ax.axhline(0.0, color="0.4", lw=0.8)
    ax.axvline(0.0, color="0.4", lw=0.8)
    ax.locator_params(nbins=6)
    ax.ticklabel_format(scilimits=(-2, 2))
    ax.set_xlabel("dipole along the mean field")
    ax.set_ylabel("dipole across, toward the source")
    ax.margins(0.12, 0.3)
    ax.legend(fontsize=9, loc="upper left")


def _draw_spread(ax: Axes, study: BurstStudy) -> None:
    """D_perp/D_parallel of the source's cloud, in order of size."""
    found = np.sort(study.rows["growth_perp"])
    mean = study.perpendicular
    ax.plot(found, (np.arange(len(found)) + 0.5) / len(found), "o", ms=5.0, color=COLOURS[0])
    top = 1.0 / _ROOM  # the legend stands above
    band: dict[str, Any] = {"color": COLOURS[0], "alpha": 0.2, "lw": 0, "ymax": top}
    ax.axvspan(mean.value - mean.error, mean.value + mean.error, **band)
    ax.axvline(mean.value, color=COLOURS[0], lw=1.4, ymax=top, label="mean of the realisations")
    ratio = study.kappa_perp / study.kappa_parallel
    ax.axvline(
        ratio,
        color=COLOURS[1],
        lw=1.4,
        ls="-.",
        ymax=top,
        label=r"$\epsilon$: $\kappa_\perp$ alone",
    )
    ax.axvline(study.mach**4, ymax=top, label=r"$M_A^4$ (Xue & Liu 2025)", **_FORMULA)
    ends = [float(found.min()), float(found.max()), ratio, study.mach**4]
    ax.set(xlim=(0.0, 1.1 * max(ends)), ylim=(0.0, _ROOM))
    ax.ticklabel_format(axis="x", scilimits=(-2, 2))
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    ax.set_xlabel(r"$D_\perp / \kappa_\parallel$ of the cloud of the source")
    ax.set_ylabel("share of realisations below")
    ax.legend(fontsize=9, loc="upper left")
