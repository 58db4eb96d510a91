"""Drawing of a sky in the Mollweide projection, with marked directions that keep clear of others.

Knows neither maps nor healpy: whatever gives an intensity for a direction can be drawn.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

FIELD = "b_hat"
"""Key of the direction of the magnetic field among the markers."""
COMPTON_GETTING = "Compton-Getting"
"""Key of the direction of the Compton-Getting dipole."""
GALACTIC_CENTRE = "Galactic centre"
"""Key of the direction of the Galactic centre."""
DIPOLE = "dipole"
"""Key of the direction of the map's own dipole, which gets a star."""
FRAME_NOTE = "RA, Dec (ICRS)"
"""What the longitudes and latitudes of a drawn sky are."""

_MATH = {FIELD: r"$\hat{b}$", "-" + FIELD: r"$-\hat{b}$", "u_LSR": r"$u_\mathrm{LSR}$"}
_MATH_LETTERS = {r"$\hat{b}$": 1.0, r"$-\hat{b}$": 2.2, r"$u_\mathrm{LSR}$": 3.2}
_FONT = 9.0
_MARKER, _STAR = 7.0, 14.0
_TITLE_WIDTH = 92
"""Characters on a line of a title."""


class _Box(NamedTuple):
    """Rectangle in points: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: _Box) -> float:
        """Common area."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)


def energy_text(energy: float) -> str:
    """Energy in the unit that suits it.

    Parameters
    ----------
    energy : float
        [GeV]

    Examples
    --------
    >>> energy_text(2154.4347)
    '2.154 TeV'
    """
    for unit, size in (("PeV", 1e6), ("TeV", 1e3)):
        if energy >= 0.9995 * size:
            return f"{energy / size:.4g} {unit}"
    return f"{energy:.4g} GeV"


def title_text(title: str, width: int = _TITLE_WIDTH) -> str:
    """Free text as a title of at most two lines that matplotlib shows letter by letter.

    Parameters
    ----------
    title : str
    width : int
        Characters that fit on a line.

    Examples
    --------
    >>> title_text("A run for $100")
    'A run for \\\\$100'
    """
    lines = textwrap.wrap(title, width, max_lines=2, placeholder=" ...")
    return "\n".join(lines).replace("$", r"\$")


def label_text(label: str) -> str:
    """Label of a direction as matplotlib shows it."""
    return _MATH.get(label, label)


def wrapped(angle: Any) -> Any:
    """Angle [deg] brought to -180..180 (exclusive of 180)."""
    return (np.asarray(angle) + 180.0) % 360.0 - 180.0


def with_antipode(markers: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Markers, and the direction opposite to that of the field where it is among them."""
    result = dict(markers)
    if FIELD in result:
        ra, dec = result[FIELD]
        result["-" + FIELD] = (float(wrapped(ra + 180.0)), -dec)
    return result


def _raster(at: Callable[[Array], Array], columns: int = 720) -> tuple[Array, Array, Array]:
    """Edges in plot longitude and latitude [rad], and (I - 1) x 1000 on the grid between."""
    lon = np.linspace(-np.pi, np.pi, columns + 1)
    lat = np.linspace(-np.pi / 2, np.pi / 2, columns // 2 + 1)
    mid_lat, mid_lon = np.meshgrid(
        (lat[1:] + lat[:-1]) / 2, (lon[1:] + lon[:-1]) / 2, indexing="ij"
    )
    # right ascension grows to the left
    ra, cos = -mid_lon, np.cos(mid_lat)
    vectors = np.stack([cos * np.cos(ra), cos * np.sin(ra), np.sin(mid_lat)], axis=-1)
    return lon, lat, 1e3 * (at(vectors) - 1.0)


def _limit(values: Array) -> float:
    known = np.abs(values[np.isfinite(values)])
    largest = float(np.percentile(known, 99.5)) if len(known) else 0.0
    return largest if largest > 0.0 else 1.0


def draw_sky(
    at: Callable[[Array], Array],
    title: str,
    markers: Mapping[str, tuple[float, float]],
    ax: Axes | None = None,
    note: str = FRAME_NOTE,
) -> Figure:
    """Draw a sky, right ascension growing to the left, with a colour bar in units of 1e-3.

    Parameters
    ----------
    at : callable
        Relative intensity at ICRS directions of the shape (..., 3).
    title : str
    markers : mapping of str to (float, float)
        Directions to mark: label to (right ascension, declination) [deg], ICRS. The antipode of
        "b_hat" is marked too, and "dipole" with a star.
    ax : matplotlib axes with the projection "mollweide", optional
        A new figure without it.
    note : str
        What longitudes and latitudes are.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    if ax is None:
        height = 5.33 + 0.2 * title.count("\n")  # inches; the sky keeps its size
        figure = Figure(figsize=(9.0, height + 0.2))
        sky = (0.06, 0.94 / height, 0.9, 4.05 / height)
        ax = figure.add_axes(sky, projection="mollweide")
        place: dict[str, Any] = {"cax": figure.add_axes((0.26, 0.63 / height, 0.5, 0.14 / height))}
    else:
        figure = ax.get_figure(root=True)  # type: ignore[assignment]
        place = {"ax": ax, "shrink": 0.6, "pad": 0.08, "aspect": 35}
    lon, lat, values = _raster(at)
    limit = _limit(values)
    mesh = ax.pcolormesh(
        lon, lat, values, cmap="RdBu_r", vmin=-limit, vmax=limit, rasterized=True, shading="flat"
    )
    ax.set_facecolor("0.8")
    bar = figure.colorbar(mesh, orientation="horizontal", **place)
    bar.set_label(r"relative intensity $-$ 1  [$10^{-3}$]")
    ax.set_title(title, fontsize=11, pad=12)
    ax.text(0.0, 0.0, note, transform=ax.transAxes, fontsize=8, va="bottom")
    ax.apply_aspect()  # as drawing does: labels keep clear of each other where they will stand
    obstacles = _graticule(ax)
    _draw_markers(ax, with_antipode(markers), obstacles)
    return figure


def _points(ax: Axes, lon: float, lat: float) -> tuple[float, float]:
    """Place of a plot longitude and latitude [rad] in points from the corner of the figure."""
    x, y = ax.transData.transform((lon, lat))
    scale = 72.0 / ax.figure.dpi
    return float(x) * scale, float(y) * scale


def _text_box(text: str, x: float, y: float, size: float) -> _Box:
    """Box around a text centred at (x, y); its width is estimated, no renderer is needed."""
    letters = _MATH_LETTERS.get(text, len(text))
    width, height = 0.57 * size * letters, 1.6 * size
    return _Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _outline() -> Any:
    """White rim that keeps a text readable on any colour."""
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=2.5, foreground="white")


def _graticule(ax: Axes) -> list[_Box]:
    """Grid with labels along the equator and the rim; returns the boxes of the inner labels."""
    ax.set_xticks(np.radians(np.arange(-150.0, 151.0, 30.0)), labels=[])
    ax.set_yticks(np.radians([-60.0, -30.0, 0.0, 30.0, 60.0]))
    ax.tick_params(labelsize=8)
    ax.grid(True, color="0.4", linewidth=0.4, alpha=0.6)
    boxes = []
    for ra in range(-120, 121, 60):
        lon, text = math.radians(-ra), f"{ra}\N{DEGREE SIGN}"
        ax.text(
            lon, math.radians(-4.0), text, fontsize=8, ha="center", va="center",
            path_effects=[_outline()],
        )  # fmt: skip
        boxes.append(_text_box(text, *_points(ax, lon, math.radians(-4.0)), 8.0))
    return boxes


def _draw_markers(
    ax: Axes, markers: Mapping[str, tuple[float, float]], obstacles: list[_Box]
) -> None:
    """Mark the directions and put each label where it covers least."""
    places = {
        label: (-math.radians(float(wrapped(ra))), math.radians(dec))
        for label, (ra, dec) in markers.items()
    }
    taken = list(obstacles)
    for label, (lon, lat) in places.items():
        x, y = _points(ax, lon, lat)
        size = _size(label)
        half = size / 2 + 1.0
        taken.append(_Box(x - half, y - half, x + half, y + half))
        shape, fill = ("*", "white") if label == DIPOLE else ("o", "gold")
        ax.plot(lon, lat, shape, ms=size, mfc=fill, mec="black", mew=1.0, zorder=5)
    for label, (lon, lat) in places.items():
        text = label_text(label)
        offset, box = _free_place(text, _points(ax, lon, lat), taken, _size(label))
        taken.append(box)
        ax.annotate(
            text, (lon, lat), xytext=offset, textcoords="offset points", fontsize=_FONT,
            ha="center", va="center", zorder=6,
            path_effects=[_outline()],
        )  # fmt: skip


def _size(label: str) -> float:
    """Diameter of the marker [points]."""
    return _STAR if label == DIPOLE else _MARKER


def _free_place(
    text: str, point: tuple[float, float], taken: list[_Box], size: float
) -> tuple[tuple[float, float], _Box]:
    """Offset [points] of the label from its marker, and the box it then fills."""
    width = _text_box(text, 0.0, 0.0, _FONT).right
    best: tuple[float, tuple[float, float], _Box] | None = None
    for distance in (5.0, 10.0, 18.0):
        side, above = width + size / 2 + distance, 0.7 * _FONT + size / 2 + distance / 2
        for dx, dy in (
            (side, 0.0), (-side, 0.0), (0.0, above), (0.0, -above),
            (side, above), (-side, above), (side, -above), (-side, -above),
        ):  # fmt: skip
            box = _text_box(text, point[0] + dx, point[1] + dy, _FONT)
            covered = sum(box.overlap(other) for other in taken) + 0.01 * distance
            if best is None or covered < best[0]:
                best = covered, (dx, dy), box
    assert best is not None
    return best[1], best[2]
