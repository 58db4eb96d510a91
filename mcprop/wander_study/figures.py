"""Figures of a study: ratios against the Mach number, displacements against time, field lines."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.skyplot import title_text
from mcprop.wander_study.sections import Spectrum
from mcprop.wander_study.tables import ExponentRow, MsdRow, WanderRow
from mcprop.wander_study.validity import diffusive_from
from mcprop.wander_study.verdicts import Group, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")
"""Colours that are told apart without red or green as well (Okabe & Ito)."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_GRID: dict[str, Any] = {"which": "major", "lw": 0.4, "alpha": 0.6}
_DPI = 130
_TITLE_WIDTH = 88
_PANEL_TITLE_WIDTH = 38
"""Characters of a title over a single panel of field lines."""
_FINE = 120
"""Points of a curve."""


def epsilon_text(epsilon: float, origin: str = "number") -> str:
    """Epsilon for a legend, in powers of ten where it is a round one.

    Examples
    --------
    >>> epsilon_text(1e-3)
    '$\\\\epsilon = 10^{-3}$'
    """
    power = math.log10(epsilon)
    exponent = math.floor(power + 1e-9)
    size = epsilon / 10.0**exponent
    factor = "" if abs(size - 1.0) < 1e-6 else f"{size:.2g} \\times "
    said = f"$\\epsilon = {factor}10^{{{exponent}}}$"
    return said if origin == "number" else f"{said} (kinetic)"


def _title(quantity: str, rows: Sequence[WanderRow]) -> str:
    """What is drawn, of which turbulence, and for which Mach numbers."""
    machs = sorted({row.mach for row in rows})
    ends = " to ".join(f"{mach:g}" for mach in dict.fromkeys((machs[0], machs[-1])))
    return f"{quantity}: {Spectrum(*rows[0].spectrum).label}, M_A = {ends}"


def draw_ratio(rows: Sequence[WanderRow], law: Callable[[float, float], float]) -> Figure:
    """Draw D_perp/D_parallel against the Mach number, with the laws, for one spectrum and rigidity.

    Parameters
    ----------
    rows : sequence of WanderRow
        Of one spectrum and rigidity.
    law : callable
        D_perp / kappa_parallel of the isotropic law, of epsilon and the Mach number.

    Returns
    -------
    matplotlib.figure.Figure
        Below, D_perp over the isotropic law, with a band of 10 %; in isotropic turbulence alone.
    """
    from matplotlib.figure import Figure

    isotropic = _is_isotropic(rows)
    figure = Figure(figsize=(8.6, 8.6 if isotropic else 6.2), layout="constrained")
    heights = [1.9, 1.0] if isotropic else [1.0]
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    upper, lower = panels[0, 0], panels[1, 0] if isotropic else None
    ends = _ends([row.mach for row in rows])
    mach = np.geomspace(*ends, _FINE)
    upper.plot(mach, mach**2, "-", color="black", lw=1.6, label=r"$M_A^2$")
    upper.plot(mach, mach**4, "--", color="black", lw=1.6, label=r"$M_A^4$ (Xue & Liu 2025)")
    for place, group in enumerate(groups(rows)):
        _draw_group(upper, lower, group, law, mach, place)
    if isotropic:
        told = r"isotropic law / measured $D_\parallel$"
        upper.plot([], [], ":", color="0.3", lw=1.4, label=told)
    smallest = min((row.ratio for row in rows if row.ratio > 0.0), default=1e-4)
    upper.set_ylim(0.2 * smallest, 3.0)
    upper.set(xscale="log", yscale="log", xlim=ends)
    upper.set_ylabel(r"$D_\perp / D_\parallel$")
    upper.legend(fontsize=9, loc="upper left", ncols=2)
    title = _title("D_perp/D_parallel", rows)
    upper.set_title(title_text(title, _TITLE_WIDTH), fontsize=11)
    if lower is not None:
        lower.axhspan(0.9, 1.1, color="0.88", lw=0, zorder=0)
        lower.axhline(1.0, color="0.3", lw=1.0, ls=":")
        lower.set_ylabel(r"$D_\perp$ / isotropic law")
        low, high = lower.get_ylim()
        lower.set_ylim(min(low, 0.75), max(high, 1.25))
    bottom = upper if lower is None else lower
    bottom.set_xlabel(r"$M_A = \delta B / B_0$")
    _plain_ticks(bottom, [row.mach for row in rows])
    for ax in panels.flat:
        ax.grid(True, **_GRID)
    return figure


def _is_isotropic(rows: Sequence[WanderRow]) -> bool:
    """Whether the isotropic law speaks of these cases: elsewhere the table holds none."""
    return any(math.isfinite(row.isotropic) for row in rows)


def _draw_group(
    upper: Axes,
    lower: Axes | None,
    group: Group,
    law: Callable[[float, float], float],
    mach: np.ndarray,
    place: int,
) -> None:
    style = _style(place)
    epsilon = group.key[-1]
    x = np.array([row.mach for row in group.rows]) * _aside(place)
    ratio = [row.ratio for row in group.rows]
    upper.errorbar(
        x, ratio, [row.ratio_err for row in group.rows],
        label=epsilon_text(epsilon, group.epsilon_from), **style,
    )  # fmt: skip
    if lower is None:
        return
    along = [row.d_parallel / row.kappa_parallel for row in group.rows]
    # the law is for D_perp / kappa_parallel, the points are over D_parallel as measured
    over = np.interp(np.log(mach), np.log([row.mach for row in group.rows]), along)
    ratios = np.array([law(epsilon, m) for m in mach]) / over
    upper.plot(mach, ratios, ":", color=style["color"], lw=1.4)
    unit = [row.kappa_parallel * law(epsilon, row.mach) for row in group.rows]
    share = [row.d_perp / one for row, one in zip(group.rows, unit, strict=True)]
    error = [row.d_perp_err / one for row, one in zip(group.rows, unit, strict=True)]
    lower.errorbar(x, share, error, **style)


def _style(place: int) -> dict[str, Any]:
    return {
        "fmt": _MARKERS[place % len(_MARKERS)],
        "color": COLOURS[place % len(COLOURS)],
        "ms": 5.0,
        "capsize": 2.5,
        "lw": 1.2,
    }


def _aside(place: int) -> float:
    """Factor that keeps error bars of different cases from covering each other."""
    return 1.0 + 0.012 * (place - 1.5)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    values = list(values)
    return min(values) / 1.25, max(values) * 1.25


def _plain_ticks(ax: Axes, values: Iterable[float]) -> None:
    """Ticks of a logarithmic axis as they are written by hand."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    wanted = sorted(set(values))
    shown = [v for i, v in enumerate(wanted) if i == 0 or v / wanted[i - 1] > 1.12]
    ax.xaxis.set_major_locator(FixedLocator(shown))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def draw_excess(rows: Sequence[WanderRow]) -> Figure:
    """Draw what wandering adds, (D_perp - kappa_perp) / kappa_parallel, against the Mach number.

    Parameters
    ----------
    rows : sequence of WanderRow
        Of one spectrum and rigidity.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 6.2), layout="constrained")
    ax = figure.subplots()
    ends = _ends([row.mach for row in rows])
    mach, isotropic = np.geomspace(*ends, _FINE), _is_isotropic(rows)
    for place, group in enumerate(groups(rows)):
        kept = [row for row in group.rows if row.excess > row.d_perp_err]
        x = np.array([row.mach for row in kept]) * _aside(place)
        y = [row.excess / row.kappa_parallel for row in kept]
        error = [row.d_perp_err / row.kappa_parallel for row in kept]
        name = epsilon_text(group.key[-1], group.epsilon_from)
        ax.errorbar(x, y, error, label=name, **_style(place))
        if isotropic:
            line = math.pi / 8.0 * mach**2 * math.sqrt(group.key[-1])
            ax.plot(mach, line, ":", color=_style(place)["color"], lw=1.4)
    ax.plot(mach, mach**4, "--", color="black", lw=1.6, label=r"$M_A^4$")
    if isotropic:
        ax.plot([], [], ":", color="0.3", lw=1.4, label=r"$(\pi/8)\, M_A^2 \sqrt{\epsilon}$")
    positive = [row.excess / row.kappa_parallel for row in rows if row.excess > row.d_perp_err]
    if positive:
        ax.set_ylim(0.3 * min(positive), 4.0 * max(positive))
    ax.set(xscale="log", yscale="log", xlim=ends, xlabel=r"$M_A = \delta B / B_0$")
    ax.set_ylabel(r"$(D_\perp - \kappa_\perp) / \kappa_\parallel$")
    ax.legend(fontsize=9, loc="upper left", ncols=2)
    title = _title("What wandering adds", rows)
    ax.set_title(title_text(title, _TITLE_WIDTH), fontsize=11)
    ax.grid(True, **_GRID)
    _plain_ticks(ax, [row.mach for row in rows])
    return figure


def draw_msd(
    msd: Sequence[MsdRow],
    case: WanderRow,
    exponents: Sequence[ExponentRow],
    compound: Callable[[WanderRow, np.ndarray], np.ndarray],
) -> Figure:
    """Draw the mean square displacement across the mean field against time, with its regimes.

    Parameters
    ----------
    msd : sequence of MsdRow
        Of one case.
    case : WanderRow
        The same case.
    exponents : sequence of ExponentRow
        Its powers of time, in the regimes that theory expects.
    compound : callable
        <x^2> [pc2] of particles that stay on their lines, from the case and times [yr].

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 6.2), layout="constrained")
    ax = figure.subplots()
    time = np.array([row.time for row in msd])
    ax.errorbar(
        time, [row.perp for row in msd], [row.perp_err for row in msd],
        label=r"$\langle x^2 \rangle$, Monte Carlo", **_style(0),
    )  # fmt: skip
    fine = np.geomspace(time.min(), time.max(), _FINE)
    curves = {
        r"$2 \kappa_\perp t$": (2.0 * case.kappa_perp * fine, COLOURS[6], "-."),
        r"$2 \kappa_\perp t + 2 D_\mathrm{FL} (4 \kappa_\parallel t / \pi)^{1/2}$": (
            compound(case, fine), COLOURS[1], "--",
        ),
        r"$2 D_\perp t$": (2.0 * case.d_perp * fine, COLOURS[2], "-"),
        r"$2 M_A^4 D_\parallel t$": (2.0 * case.mach_four * fine, "black", ":"),
    }  # fmt: skip
    for label, (curve, colour, style) in curves.items():
        ax.plot(fine, curve, style, color=colour, lw=1.5, label=label)
    _mark_regimes(ax, exponents)
    _mark_light(ax, diffusive_from(case.kappa_parallel), fine[0])
    low = min(row.perp for row in msd if row.perp > 0.0)
    ax.set_ylim(0.3 * low, 30.0 * max(row.perp for row in msd))
    ax.set(xscale="log", yscale="log", xlabel="time [yr]")
    ax.set_ylabel(r"$\langle x^2 \rangle$ across the mean field [pc$^2$]")
    ax.legend(fontsize=9, loc="lower right")
    ax.set_title(
        f"{Spectrum(*case.spectrum).label}, $M_A = {case.mach:g}$,"
        f" {epsilon_text(case.epsilon, case.epsilon_from)}, {case.rigidity:g} GV\n"
        "powers of time: of what wandering adds",
        fontsize=11,
    )
    ax.grid(True, **_GRID)
    return figure


def _mark_regimes(ax: Axes, exponents: Sequence[ExponentRow]) -> None:
    """Shade the regimes, and write the power of time on top of each."""
    transform = ax.get_xaxis_transform()
    for shade, row in zip(itertools.cycle(("0.94", "0.88")), exponents, strict=False):
        ax.axvspan(row.low, row.high, color=shade, lw=0, zorder=0)
        told = f"expected {row.regime}\n$t^{{\\,{row.exponent:.2f} \\pm {row.exponent_err:.2f}}}$"
        middle = math.sqrt(row.low * row.high)
        ax.text(middle, 0.97, told, transform=transform, ha="center", va="top", fontsize=9)


def _mark_light(ax: Axes, time: float, first: float) -> None:
    """A line where the root mean square along the field is c t, if anything is drawn before."""
    if time > first:
        ax.axvline(time, color="0.45", lw=1.0)
        ax.text(
            time * 0.93, 0.84, "diffusion model,\nfaster than light",
            transform=ax.get_xaxis_transform(), ha="right", va="top", fontsize=8, color="0.35",
        )  # fmt: skip


def draw_lines(lines: Mapping[float, np.ndarray], title: str = "") -> Figure:
    """Draw field lines in space, a panel for each Mach number, each with its own scale across.

    Parameters
    ----------
    lines : mapping
        Mach number to places [pc], shape (records, lines, 3).
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.7 * len(lines), 5.8))
    figure.subplots_adjust(
        left=0.0, right=1.0 - 0.12 / len(lines), bottom=0.06, top=0.98, wspace=0.0
    )
    for number, (mach, places) in enumerate(sorted(lines.items()), start=1):
        ax: Any = figure.add_subplot(1, len(lines), number, projection="3d")
        for line, colour in zip(range(places.shape[1]), itertools.cycle(COLOURS), strict=False):
            ax.plot(*places[:, line].T, color=colour, lw=0.8, alpha=0.85)
        half = float(np.abs(places[:, :, :2]).max())
        ax.set(xlim=(-half, half), ylim=(-half, half), zlim=(0.0, float(places[..., 2].max())))
        ax.set_box_aspect((1.0, 1.0, 1.75), zoom=1.28)
        ax.view_init(elev=12.0, azim=-60.0)
        ax.locator_params(nbins=4)
        ax.tick_params(labelsize=8, pad=0)
        ax.set_xlabel("x [pc]", fontsize=9)
        ax.set_ylabel("y [pc]", fontsize=9)
        if number == len(lines):
            ax.set_zlabel("z, along the mean field [pc]", fontsize=9, labelpad=6)
        ax.set_title(f"$M_A = {mach:g}$", fontsize=11, y=1.11)
    width = min(_PANEL_TITLE_WIDTH * len(lines), _TITLE_WIDTH)
    figure.suptitle(title_text(title, width), fontsize=11, y=0.975)
    return figure


def save(figure: Figure, path: Path, title: str, origin: Mapping[str, str]) -> None:
    """Write a figure as PNG that knows where it comes from.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : Path
    title : str
    origin : mapping
        As from `mcprop.provenance.origin`.
    """
    told = {"Title": title, "Comment": json.dumps(dict(origin))}
    figure.savefig(path, dpi=_DPI, metadata=told)
