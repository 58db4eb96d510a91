"""Figures of a run: amplitude and phase against energy, and skies."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop import measurements
from mcprop.skyplot import (
    COMPTON_GETTING,
    FIELD,
    GALACTIC_CENTRE,
    label_text,
    title_text,
    wrapped,
)
from mcprop.tables import ANALYTIC, MONTE_CARLO, Row, energy_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mcprop.sky import SkyMap

_COLOURS = {
    "nearby": "tab:blue",
    "centre": "tab:green",
    "background": "tab:orange",
    "compton-getting": "tab:purple",
}
"""Colours of components that mean the same in every model."""
_OTHERS = ("tab:blue", "tab:green", "tab:brown", "tab:cyan", "tab:olive", "tab:pink", "tab:gray")
"""Colours of other components, in the order in which they appear, where they are free."""
_TOTAL = "black"
_POINTS = "tab:red"
_PHASE_LINES = (FIELD, GALACTIC_CENTRE, COMPTON_GETTING)
_EXPERIMENTS = {
    "ARGO-YBJ": ("s", "#7a8fb5"),
    "Baksan Carpet": ("^", "#8f7a55"),
    "EAS-TOP": ("D", "#b5806e"),
    "HAWC": ("v", "#7fa36a"),
    "IceCube/IceTop": ("<", "#5f9a9a"),
    "KASCADE-Grande": (">", "#b07aa5"),
    "Kamiokande-I/II": ("p", "#a3a35f"),
    "LHAASO": ("P", "#8a78b0"),
    "MACRO": ("X", "#b58796"),
    "Milagro": ("h", "#5f8f72"),
    "Super-Kamiokande": ("*", "#888888"),
    "Tibet AS-gamma": ("d", "#ab8f4f"),
}
"""Symbol and muted colour of each experiment, the same in every figure."""
_NEW_EXPERIMENT = ("o", "0.5")
_TITLE_WIDTH = 96
_ROOT10 = math.sqrt(10.0)


def _series(rows: Iterable[Row], component: str, method: str) -> list[Row]:
    """Rows of a component for all species, by energy."""
    wanted = (component, "all", method)
    chosen = [row for row in rows if (row.component, row.species, row.method) == wanted]
    return sorted(chosen, key=lambda row: row.energy)


def _name(component: str) -> str:
    """Label of a component's line: the flow of the observer applies to all particles alike."""
    boost = component == COMPTON_GETTING.lower()
    return COMPTON_GETTING if boost else f"{component} \N{MULTIPLICATION SIGN} share"


def _components(rows: Iterable[Row]) -> list[str]:
    return [c for c in dict.fromkeys(row.component for row in rows) if c != "total"]


def _colours(components: Sequence[str]) -> dict[str, str]:
    """A colour for each component, which depends on nothing but the components there are."""
    taken = {_COLOURS[name] for name in components if name in _COLOURS}
    free = itertools.cycle([colour for colour in _OTHERS if colour not in taken])
    return {name: _COLOURS[name] if name in _COLOURS else next(free) for name in components}


def draw_dipole(
    rows: Sequence[Row],
    markers: Mapping[str, tuple[float, float]],
    title: str = "",
    curve: Sequence[Row] = (),
    axes: Sequence[Axes] | None = None,
) -> Figure:
    """Draw amplitude and phase of the equatorial dipole against energy.

    Parameters
    ----------
    rows : sequence of Row
        Formulas become lines, Monte Carlo results points with error bars. A component's line is
        its dipole times its share of the intensity; those below the view have no legend.
    markers : mapping of str to (float, float)
        Directions: label to (right ascension, declination) [deg]; "b_hat", "Galactic centre" and
        "Compton-Getting" are shown beside the phase.
    title : str
    curve : sequence of Row
        Formulas on a finer grid of energies, to be used for the lines instead.
    axes : two matplotlib axes, optional
        For amplitude and phase; a new figure without them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    if axes is None:
        figure = Figure(figsize=(8.6, 8.6), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.1)  # type: ignore[union-attr, call-arg]
        axes = list(figure.subplots(2, 1, sharex=True, height_ratios=[1.15, 1.0]))
    upper, lower = axes
    _draw_measurements(upper, lower, [row.energy for row in [*rows, *curve]])
    _draw_amplitude(upper, rows, curve)
    _draw_phase(lower, rows, markers, curve)
    upper.set_title(title_text(title, _TITLE_WIDTH), fontsize=11)
    return upper.get_figure(root=True)  # type: ignore[return-value]


def _lines_of(rows: Sequence[Row], curve: Sequence[Row], component: str) -> list[Row]:
    """Rows for the line of a component: fine grid, else formulas, else Monte Carlo."""
    return (
        _series(curve, component, ANALYTIC)
        or _series(rows, component, ANALYTIC)
        or _series(rows, component, MONTE_CARLO)
    )


def _draw_amplitude(ax: Axes, rows: Sequence[Row], curve: Sequence[Row]) -> None:
    for component, colour in _colours(_components(rows)).items():
        line = _lines_of(rows, curve, component)
        contribution = [row.weight * row.dipole.amplitude for row in line]
        style: dict[str, Any] = {"color": colour, "label": _name(component)}
        ax.plot([row.energy for row in line], contribution, "--", lw=1.0, **style)
    formula = _series(curve, "total", ANALYTIC) or _series(rows, "total", ANALYTIC)
    if formula:
        amplitude = [row.dipole.amplitude for row in formula]
        ax.plot(
            [r.energy for r in formula], amplitude, lw=1.8, color=_TOTAL, label="total, formula"
        )
    points = _series(rows, "total", MONTE_CARLO)
    if points:
        _errorbar(
            ax,
            points,
            [row.dipole.amplitude for row in points],
            [row.dipole.amplitude_err for row in points],
            label="total, Monte Carlo",
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    energies = {row.energy for row in [*rows, *curve]}
    if len(energies) == 1:  # a single energy has no range of its own
        ax.set_xlim(min(energies) / _ROOT10, min(energies) * _ROOT10)
    _amplitude_limits(ax, [row.dipole.amplitude for row in [*formula, *points]])
    ax.set_ylabel("equatorial amplitude")
    ax.grid(True, which="major", lw=0.4, alpha=0.6)
    _draw_legends(ax)


def _draw_legends(ax: Axes) -> None:
    """One legend for the model, inside; one for the measurements, to the right of the axes."""
    measured = {m.experiment for m in measurements.dipoles()}
    named = list(zip(*ax.get_legend_handles_labels(), strict=True))
    model = [(line, label) for line, label in named if label not in measured and _seen(ax, line)]
    data = [(line, label) for line, label in named if label in measured]
    inside = ax.legend(*zip(*model, strict=True), fontsize=9, ncols=2)
    if data:
        style: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
        ax.legend(*zip(*data, strict=True), fontsize=8, title="measured", frameon=False, **style)
        ax.add_artist(inside)


def _seen(ax: Axes, handle: Any) -> bool:
    """Whether some point of a line is in the view; error bars always are."""
    if not hasattr(handle, "get_ydata"):
        return True
    low, high = ax.get_ylim()
    y = np.asarray(handle.get_ydata(), dtype=float)
    return bool(np.any((y >= low) & (y <= high)))


def _draw_measurements(upper: Axes, lower: Axes, energies: Sequence[float]) -> None:
    """Published dipoles between the lowest and the highest energy, pale behind the rest."""
    inside = [m for m in measurements.dipoles() if min(energies) <= m.energy <= max(energies)]
    for name in dict.fromkeys(m.experiment for m in inside):
        marker, colour = _EXPERIMENTS.get(name, _NEW_EXPERIMENT)
        points = [m for m in inside if m.experiment == name]
        x = [m.energy for m in points]
        style: dict[str, Any] = {
            "fmt": marker, "ms": 4.0, "color": colour, "mfc": "white", "lw": 0.8, "zorder": 1,
        }  # fmt: skip
        amplitude, error = [m.amplitude for m in points], [m.amplitude_err for m in points]
        upper.errorbar(x, amplitude, error, label=name, **style)
        lower.errorbar(x, [m.ra for m in points], [m.ra_err for m in points], **style)


def _errorbar(
    ax: Axes, points: list[Row], values: list[float], errors: list[float], **kw: Any
) -> None:
    energies = [row.energy for row in points]
    ax.errorbar(energies, values, errors, fmt="o", ms=4.5, color=_POINTS, capsize=2.5, lw=1.2, **kw)


def _amplitude_limits(ax: Axes, amplitudes: list[float]) -> None:
    """Keep the totals in view, and contributions down to a tenth of the smallest of them."""
    positive = [value for value in amplitudes if value > 0.0 and math.isfinite(value)]
    if positive:
        low, high = ax.get_ylim()
        # room above for the legend
        ax.set_ylim(max(low, 0.1 * min(positive)), 3.0 * max(high, max(positive)))


def _unwrapped_line(energies: Sequence[float], angles: Sequence[float]) -> tuple[Any, Any]:
    """Line of angles [deg] that leaves on one side where it comes in on the other."""
    log_e, out_e, out_a = np.log(energies), [energies[0]], [angles[0]]
    for i in range(1, len(angles)):
        start, end = angles[i - 1], angles[i]
        if abs(end - start) > 180.0:
            edge = math.copysign(180.0, start)
            step = 360.0 - abs(end - start)
            part = (180.0 - abs(start)) / step if step else 0.5
            crossing = math.exp(log_e[i - 1] + part * (log_e[i] - log_e[i - 1]))
            out_e += [crossing, crossing, crossing]
            out_a += [edge, math.nan, -edge]
        out_e.append(energies[i])
        out_a.append(end)
    return out_e, out_a


def _draw_phase(
    ax: Axes,
    rows: Sequence[Row],
    markers: Mapping[str, tuple[float, float]],
    curve: Sequence[Row],
) -> None:
    formula = _series(curve, "total", ANALYTIC) or _series(rows, "total", ANALYTIC)
    if formula:
        line = _unwrapped_line([r.energy for r in formula], [r.dipole.ra for r in formula])
        ax.plot(*line, lw=1.8, color=_TOTAL)
    points = _series(rows, "total", MONTE_CARLO)
    if points:
        _errorbar(ax, points, [r.dipole.ra for r in points], [r.dipole.ra_err for r in points])
    ax.set_xscale("log")
    ax.set_xlabel("total energy [GeV]")
    ax.set_ylabel("phase: right ascension [deg]")
    ax.set_ylim(-180.0, 180.0)
    ax.set_yticks(range(-180, 181, 60))
    ax.grid(True, which="major", lw=0.4, alpha=0.6)
    lines = {label: float(wrapped(markers[label][0])) for label in _PHASE_LINES if label in markers}
    _label_lines(ax, lines)


def _label_lines(ax: Axes, lines: Mapping[str, float], gap: float = 16.0) -> None:
    """Horizontal lines, labelled beyond the right edge, `gap` [deg] apart at least."""
    transform = ax.get_yaxis_transform()
    place = -math.inf
    for label, value in sorted(lines.items(), key=lambda item: item[1]):
        place = max(value, place + gap)
        ax.axhline(value, color="0.45", lw=1.0, ls=":")
        style: dict[str, Any] = {"color": "0.45", "lw": 0.6, "clip_on": False}
        ax.plot([1.0, 1.025], [value, place], transform=transform, **style)
        ax.text(1.03, place, label_text(label), transform=transform, va="center", fontsize=9)


def one_per_decade(energies: Iterable[float]) -> list[float]:
    """Energies nearest to the powers of ten, one for each decade that they span.

    Parameters
    ----------
    energies : iterable of float
        [GeV]
    """
    chosen: dict[int, float] = {}
    for energy in sorted(set(energies)):
        decade = round(math.log10(energy))
        off = abs(math.log10(energy) - decade)
        if decade not in chosen or off < abs(math.log10(chosen[decade]) - decade):
            chosen[decade] = energy
    return list(chosen.values())


def on_the_sky(markers: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Those of the directions of a run that a sky shows: all but the Compton-Getting dipole."""
    return {label: at for label, at in markers.items() if label != COMPTON_GETTING}


def write_figures(
    folder: Path,
    rows: Sequence[Row],
    skies: Mapping[tuple[str, float], SkyMap],
    markers: Mapping[str, tuple[float, float]],
    title: str = "",
    curve: Sequence[Row] = (),
    dpi: int = 130,
    origin: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write dipole.png and one sky of the total per decade of energy.

    Parameters
    ----------
    folder : Path
        An existing directory.
    rows, markers, title, curve
        As for `draw_dipole`.
    skies : mapping
        (component, energy [GeV]) to SkyMap.
    dpi : int
        Dots per inch.
    origin : mapping, optional
        Where the figures come from, see `mcprop.provenance.origin`; goes into the files.

    Returns
    -------
    list of Path
        The files.
    """
    written = [folder / "dipole.png"]
    told = {"Title": title, "Comment": json.dumps(dict(origin or {}))}
    draw_dipole(rows, markers, title, curve).savefig(written[0], dpi=dpi, metadata=told)
    labels = energy_labels(energy for _, energy in skies)
    for energy in one_per_decade(e for component, e in skies if component == "total"):
        written.append(folder / f"sky_total_{labels[energy]}.png")
        figure = skies["total", energy].plot(markers=on_the_sky(markers))
        figure.savefig(written[-1], dpi=dpi, metadata=told)
    return written
