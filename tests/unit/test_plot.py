"""Figures: what is drawn, and that labels stay clear of one another."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from mcprop import measurements, plot
from mcprop.dipole import Dipole
from mcprop.plot import _unwrapped_line, draw_dipole, one_per_decade, write_figures
from mcprop.sky import SkyMap
from mcprop.skyplot import energy_text, with_antipode, wrapped
from mcprop.tables import Row

MARKERS = {
    "b_hat": (48.5, -21.2),
    "Galactic centre": (-93.6, -28.9),
    "Geminga": (98.5, 17.8),
    "u_LSR": (37.1, 62.7),
    "Compton-Getting": (-105.1, -17.6),
}
ENERGIES = np.geomspace(1e2, 1e7, 6)
NEARBY = "nearby \N{MULTIPLICATION SIGN} share"


def at(ra: float, amplitude: float) -> Dipole:
    angle = math.radians(ra)
    return Dipole([amplitude * math.cos(angle), amplitude * math.sin(angle), 0.0])


def rows() -> list[Row]:
    """Phases that pass from +150 over 180 to -150 and on."""
    result = []
    for i, energy in enumerate(ENERGIES):
        total = at(90.0 + 40.0 * i, 1e-3 * (1 + i))
        noisy = Dipole(total.vector, np.eye(3) * 1e-9)
        result += [
            Row(energy, "nearby", "all", "analytic", total, 0.5),
            Row(energy, "nearby", "p", "analytic", total.scaled(7.0), 0.5),
            Row(energy, "compton-getting", "all", "analytic", at(75.0, 4e-4)),
            Row(energy, "total", "all", "analytic", total),
            Row(energy, "total", "all", "monte-carlo", noisy, 1.0, "walk"),
        ]
    return result


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of visible texts that cover one another."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text.get_figure() is not None
    ]
    # matplotlib keeps labels of ticks beyond the limits, and does not draw them
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    ticks = [(axis, t) for axis in axes for t in [*axis.majorTicks, *axis.minorTicks]]
    beyond = {
        label
        for axis, tick in ticks
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        for label in (tick.label1, tick.label2)
    }
    texts = [text for text in texts if text not in beyond]
    boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in texts]
    boxes = [(name, box) for name, box in boxes if box.width > 1 and box.height > 1]
    return [
        (a, b)
        for (a, first), (b, second) in itertools.combinations(boxes, 2)
        if first.shrunk(0.9, 0.7).overlaps(second.shrunk(0.9, 0.7))
    ]


def test_overlapping_texts_are_noticed():
    figure = Figure()
    figure.text(0.5, 0.5, "one label")
    figure.text(0.52, 0.5, "another")
    assert overlapping(figure) == [("one label", "another")]


def test_amplitude_panel():
    upper, _ = draw_dipole(rows(), MARKERS, "A title").axes
    lines = {line.get_label(): line for line in upper.get_lines()}
    contribution = [0.5 * 1e-3 * (1 + i) for i in range(6)]
    assert lines[NEARBY].get_ydata() == pytest.approx(contribution)
    assert lines[NEARBY].get_linestyle() == "--"
    assert lines["Compton-Getting"].get_ydata() == pytest.approx(np.full(6, 4e-4))
    assert lines["total, formula"].get_ydata() == pytest.approx([1e-3 * (1 + i) for i in range(6)])
    assert upper.get_xscale() == upper.get_yscale() == "log"
    legends = [child for child in upper.get_children() if isinstance(child, Legend)]
    labels = {legend.get_title().get_text(): legend.get_texts() for legend in legends}
    model = [text.get_text() for text in labels[""]]
    assert "ARGO-YBJ" in {text.get_text() for text in labels["measured"]}
    assert model == [NEARBY, "Compton-Getting", "total, formula", "total, Monte Carlo"]


def legend_of_the_model(ax) -> list[str]:
    (legend,) = [
        child
        for child in ax.get_children()
        if isinstance(child, Legend) and not child.get_title().get_text()
    ]
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("size", "listed"), [(1e-9, False), (1e-3, True)])
def test_a_component_below_the_view_has_no_legend(size, listed):
    faint = [Row(e, "centre", "all", "analytic", at(0.0, size), 1.0) for e in ENERGIES]
    upper, _ = draw_dipole([*rows(), *faint], MARKERS).axes
    assert (min(upper.get_ylim()) < size) == listed
    names = legend_of_the_model(upper)
    assert ("centre \N{MULTIPLICATION SIGN} share" in names) == listed
    assert NEARBY in names


def looks(figure: Figure) -> dict[str, tuple[str, str]]:
    """Symbol and colour of each experiment in a figure."""
    upper = figure.axes[0]
    lines = {c.get_label(): c.lines[0] for c in upper.containers}
    return {name: (line.get_marker(), line.get_color()) for name, line in lines.items()}


def test_an_experiment_looks_the_same_in_every_figure():
    whole = looks(draw_dipole(rows(), MARKERS))
    high = looks(draw_dipole([row for row in rows() if row.energy > 5e4], MARKERS))
    assert len(high) < len(whole)
    assert high.items() <= whole.items()


def test_every_experiment_has_a_look_of_its_own():
    names = {m.experiment for m in measurements.dipoles()}
    assert names == set(plot._EXPERIMENTS)
    symbols, colours = zip(*plot._EXPERIMENTS.values(), strict=True)
    assert len(set(symbols)) == len(set(colours)) == len(names)


def test_measurements_stand_behind_the_model_within_its_energies():
    upper, lower = draw_dipole(rows(), MARKERS).axes
    energies = [row.energy for row in rows()]
    inside = [m for m in measurements.dipoles() if min(energies) <= m.energy <= max(energies)]
    drawn = [c.lines[0] for c in upper.containers if c.get_label() != "total, Monte Carlo"]
    assert sum(len(line.get_xdata()) for line in drawn) == len(inside) > 0
    assert len(lower.containers) == len(upper.containers)


def test_phase_panel_breaks_the_line_at_180_degrees():
    _, lower = draw_dipole(rows(), MARKERS).axes
    line = max(lower.get_lines(), key=lambda line: line.get_linewidth())
    phases = line.get_ydata()
    assert np.isnan(phases).sum() == 1
    assert np.nanmax(np.abs(np.diff(phases))) <= 40.0 + 1e-9
    assert lower.get_ylim() == (-180.0, 180.0)


def test_broken_line_meets_the_rim_where_it_should():
    energies, angles = _unwrapped_line([1.0, 100.0], [150.0, -150.0])
    assert energies == pytest.approx([1.0, 10.0, 10.0, 10.0, 100.0])
    assert angles == pytest.approx([150.0, 180.0, math.nan, -180.0, -150.0], nan_ok=True)
    back = _unwrapped_line([1.0, 100.0], [-150.0, 150.0])[1]
    assert back == pytest.approx([-150.0, -180.0, math.nan, 180.0, 150.0], nan_ok=True)


def test_finer_curve_replaces_the_formulas():
    curve = [Row(float(e), "total", "all", "analytic", at(0.0, 1.0)) for e in range(1, 30)]
    upper, _ = draw_dipole(rows(), MARKERS, curve=curve).axes
    line = next(x for x in upper.get_lines() if x.get_label() == "total, formula")
    assert len(line.get_xdata()) == 29


def test_labels_of_the_dipole_figure_keep_clear():
    figure = draw_dipole(rows(), MARKERS, "A title of some length")
    assert overlapping(figure) == []
    shown = [text.get_text() for text in figure.axes[1].texts]
    assert shown == ["Compton-Getting", "Galactic centre", r"$\hat{b}$"]


@pytest.mark.parametrize("nearby", [(98.5, 17.8), (60.0, -20.0), (-95.0, -30.0), (179.0, 5.0)])
def test_labels_of_a_sky_keep_clear(nearby):
    figure = SkyMap.from_dipole([1e-3, 0.0, 0.0], 4, energy=1e4).plot(
        markers={**MARKERS, "Geminga": nearby}
    )
    assert overlapping(figure) == []
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert {"Geminga", "Galactic centre", r"$\hat{b}$", r"$-\hat{b}$"} <= set(labels)


def test_right_ascension_grows_to_the_left():
    figure = SkyMap.from_dipole([0.0, 1e-3, 0.0], 8).plot(markers={"here": (90.0, 0.0)})
    ax = figure.axes[0]
    values = ax.collections[0].get_array().reshape(360, 720)
    assert values[180, 180] == pytest.approx(1.0, abs=0.01)  # RA 90 in the left half, in 1e-3
    assert values[180, 540] == pytest.approx(-1.0, abs=0.01)
    marker = next(line for line in ax.get_lines() if line.get_marker() == "o")
    assert marker.get_xdata()[0] == pytest.approx(-math.pi / 2)


def test_title_of_a_sky_says_what_it_is():
    sky = SkyMap(np.ones(48), np.full(48, 2e-4), "total", 2154.4347, 12)
    title = sky.plot().axes[0].get_title()
    assert title == "total, 2.154 TeV, seed 12, nside 2, median error per pixel 2.0e-04"
    assert SkyMap.from_dipole([0, 0, 1e-3], 1).plot().axes[0].get_title() == "total, nside 1"


def test_a_sky_names_its_run_above_the_rest():
    sky = SkyMap(np.ones(48), np.full(48, 2e-4), "total", 1e4, 12, "A run of $5")
    assert sky.plot().axes[0].get_title().splitlines() == [
        r"A run of \$5",
        "total, 10 TeV, seed 12, nside 2, median error per pixel 2.0e-04",
    ]


@pytest.mark.parametrize("title", ["", "A title", "a long title " * 15])
def test_titles_keep_clear_and_stay_inside(title):
    sky = SkyMap.from_dipole([1e-3, 0.0, 0.0], 4, energy=1e4, title=title)
    for figure in (sky.plot(markers=MARKERS), draw_dipole(rows(), MARKERS, title)):
        assert overlapping(figure) == []
        box = figure.axes[0].title.get_window_extent(figure.canvas.get_renderer())
        assert box.x0 >= 0.0
        assert box.y1 <= figure.bbox.y1
        assert box.x1 <= figure.bbox.x1


def test_a_sky_says_what_its_coordinates_are():
    texts = [text.get_text() for text in SkyMap.from_dipole([1e-3, 0, 0], 2).plot().axes[0].texts]
    assert "RA, Dec (ICRS)" in texts


def test_the_dipole_of_a_map_is_a_star():
    ax = SkyMap.from_dipole([0.0, 1e-3, 1e-3], 4).plot(markers=MARKERS).axes[0]
    (star,) = [line for line in ax.get_lines() if line.get_marker() == "*"]
    assert star.get_xdata()[0] == pytest.approx(-math.pi / 2)
    assert star.get_ydata()[0] == pytest.approx(math.pi / 4)
    assert "dipole" in [text.get_text() for text in ax.texts]


def test_a_map_without_a_dipole_has_no_star():
    unknown = np.full(12, np.nan)
    unknown[0] = 1.0
    for sky in (SkyMap(np.ones(48), np.zeros(48)), SkyMap(unknown, np.zeros(12))):
        assert "dipole" not in [text.get_text() for text in sky.plot().axes[0].texts]


def test_drawing_into_given_axes():
    figure = Figure()
    upper, lower = figure.subplots(2)
    assert draw_dipole(rows(), MARKERS, axes=(upper, lower)) is figure
    assert upper.get_lines()
    assert lower.get_lines()
    sky_axes = Figure().add_subplot(projection="mollweide")
    assert SkyMap.from_dipole([1e-3, 0, 0], 2).plot(sky_axes) is sky_axes.figure


def test_files_of_the_figures(tmp_path):
    energies = [*ENERGIES, 2154.4347]
    skies = {("total", e): SkyMap.from_dipole([1e-3, 0, 0], 1, energy=e) for e in energies}
    skies["nearby", 1e3] = SkyMap.from_dipole([1e-3, 0, 0], 1)
    written = write_figures(tmp_path, rows(), skies, MARKERS, dpi=40)
    assert [path.name for path in written] == ["dipole.png"] + [
        f"sky_total_1e+0{decade}GeV.png" for decade in range(2, 8)
    ]
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert plt.get_fignums() == []


def test_one_energy_per_decade():
    assert one_per_decade([1e2, 2e2, 5e2, 1e3, 9e5, 2e6]) == [1e2, 1e3, 9e5]
    assert one_per_decade([]) == []


def test_angles_and_texts():
    assert wrapped([190.0, -190.0, 540.0]) == pytest.approx([-170.0, 170.0, -180.0])
    assert with_antipode({"b_hat": (48.5, -21.2)})["-b_hat"] == pytest.approx((-131.5, 21.2))
    assert [energy_text(e) for e in (100.0, 1e4, 1e6, 999.99)] == [
        "100 GeV", "10 TeV", "1 PeV", "1 TeV"]  # fmt: skip
