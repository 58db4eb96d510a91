"""Skies side by side: one of them, the same without its dipole, the mean, kinetic theory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcprop.frames import lon_lat
from mcprop.sky import SkyMap
from mcprop.skyplot import DIPOLE, FRAME_NOTE, draw_sky, title_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mcprop.wandering.seen_sky import KineticSky
    from mcprop.wandering.sky_ensemble import SkyEnsemble

_TITLE_WIDTH = 110


def draw_panels(skies: SkyEnsemble, kinetic: KineticSky | None, title: str = "") -> Figure:
    """Draw the first sky, the same without its dipole, the mean sky, and that of kinetic theory.

    All are in ICRS axes.

    Parameters
    ----------
    skies : SkyEnsemble
    kinetic : KineticSky, optional
        In the mean field alone; without it there are three panels.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14.0, 9.6))
    places = [(0.04, 0.52), (0.53, 0.52), (0.04, 0.04), (0.53, 0.04)]
    axes = [
        figure.add_axes((x, y, 0.43, 0.40), projection="mollweide")
        for x, y in places[: 3 + bool(kinetic)]
    ]
    first = skies.skies[0]
    first.plot(axes[0], title="one realisation", note=FRAME_NOTE)
    told = "the same without its dipole"
    first.plot(axes[1], residual=True, title=told, note=FRAME_NOTE)
    _draw_mean(axes[2], skies)
    if kinetic:
        told = "collisions in the mean field, with the same diffusion along it"
        kinetic.plot(axes[3], title=told, note=FRAME_NOTE)
    figure.suptitle(title_text(title, _TITLE_WIDTH), fontsize=13, y=0.985)
    return figure


def _draw_mean(ax: Axes, skies: SkyEnsemble) -> None:
    mean = skies.map
    one = skies.skies[0]
    places = {"mean field": lon_lat(one.mean_field), DIPOLE: lon_lat(skies.dipole.vector)}
    at = SkyMap(mean.value, mean.error).at
    draw_sky(at, f"mean of {len(skies.skies)} realisations", places, ax, note=FRAME_NOTE)
