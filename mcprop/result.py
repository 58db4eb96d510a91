"""The result of a run: rows, sky maps, comparison; and the run directory on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mcprop import health, plot
from mcprop.comparison import Comparison
from mcprop.dipole import Dipole
from mcprop.errors import OutputError, RangeError
from mcprop.health import Light
from mcprop.lookup import in_gev, nearest, pick
from mcprop.provenance import origin
from mcprop.result_files import read_meta, read_provenance, read_skies
from mcprop.rundir import MARK, check_directory, completing, is_run, path_given, plain, replacing
from mcprop.skyplot import energy_text
from mcprop.tables import (
    ANALYTIC,
    MONTE_CARLO,
    Row,
    SpectrumRow,
    dipole_table,
    energy_labels,
    read_dipoles,
    read_like,
    read_spectrum,
    reading,
    rows_from,
    spectrum_from,
    spectrum_table,
    write_table,
)

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mcprop.sky import SkyMap

_CURVE = Path("figures", "curve.ecsv")
_HEALTH = "health.ecsv"


class Configuration(Protocol):
    """What a result needs of a configuration: its text."""

    def to_toml(self) -> str:
        """Return the resolved configuration as TOML."""


class SavedConfiguration(NamedTuple):
    """Configuration as it was found in a run directory."""

    text: str
    title: str = ""

    def to_toml(self) -> str:
        """Return the resolved configuration as TOML."""
        return self.text


@dataclass(repr=False)
class Result:
    """Everything that a run has found.

    Parameters
    ----------
    rows : sequence of Row
        Dipoles by energy, component, species and method.
    spectrum : sequence of SpectrumRow
    comparison : Comparison, optional
        None where only formulas were evaluated.
    skies : dict
        (component, energy [GeV]) to SkyMap.
    config : object with a method ``to_toml()``
        Of a result that was `read`, that method is all it has; ``mcprop.scenario.load`` makes a
        configuration of the file ``config.toml``.
    provenance : dict
        Goes to provenance.json; "title" and "seed" are also used in heads and captions.
    markers : dict
        Directions for the figures: label to (right ascension, declination) [deg]. Labels with a
        meaning: "b_hat", "Galactic centre", "Compton-Getting", "u_LSR".
    references : sequence of str
        What to cite.
    curve : sequence of Row
        Formulas on a fine grid of energies, for the lines of the figure alone.
    health : sequence of Light
        What the checks of the statistics say; empty where only formulas were evaluated.
    """

    rows: Sequence[Row]
    spectrum: Sequence[SpectrumRow] = ()
    comparison: Comparison | None = None
    skies: dict[tuple[str, float], SkyMap] = field(default_factory=dict)
    config: Configuration | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    markers: dict[str, tuple[float, float]] = field(default_factory=dict)
    references: Sequence[str] = ()
    curve: Sequence[Row] = ()
    health: Sequence[Light] = ()

    @property
    def title(self) -> str:
        """Title of the run."""
        return str(self.provenance.get("title") or getattr(self.config, "title", ""))

    @property
    def energies(self) -> list[float]:
        """Total energies [GeV] in the order of the rows."""
        return list(dict.fromkeys(row.energy for row in self.rows))

    @property
    def method(self) -> str:
        """Best method there is: "monte-carlo", or "analytic" where only formulas were evaluated."""
        return MONTE_CARLO if any(row.method == MONTE_CARLO for row in self.rows) else ANALYTIC

    def dipole(
        self,
        energy: Any,
        component: str = "total",
        species: str = "all",
        method: str | None = None,
    ) -> Dipole:
        """Dipole of one row.

        Parameters
        ----------
        energy : float, str or Quantity
            Total energy, within 0.1 % of one of the table; a bare number in GeV, or "10 TeV".
        component, species : str
            Capital letters do not matter.
        method : str, optional
            "monte-carlo" or "analytic"; by default the former where there is one.

        Returns
        -------
        Dipole

        Raises
        ------
        RangeError
            When there is no such row.
        """
        wanted = (
            pick(component, (row.component for row in self.rows), "component"),
            pick(species, (row.species for row in self.rows), "species"),
            pick(method or self.method, (row.method for row in self.rows), "method"),
        )
        rows = [row for row in self.rows if (row.component, row.species, row.method) == wanted]
        if not rows:
            raise RangeError(f"There is no {wanted[2]} row of {wanted[0]}, species {wanted[1]}.")
        chosen = nearest(in_gev(energy), [row.energy for row in rows])
        return next(row.dipole for row in rows if row.energy == chosen)

    def sky(self, energy: Any, component: str = "total") -> SkyMap:
        """Sky map of a component.

        Parameters
        ----------
        energy : float, str or Quantity
            Total energy, within 0.1 % of one of the table; a bare number in GeV, or "10 TeV".
        component : str
            Capital letters do not matter.

        Returns
        -------
        SkyMap

        Raises
        ------
        RangeError
            When there is no such map.
        """
        component = pick(component, (name for name, _ in self.skies), "map of")
        energies = [e for name, e in self.skies if name == component]
        return self.skies[component, nearest(in_gev(energy), energies)]

    def table(self) -> Table:
        """All dipoles in one table, that of ``dipole.ecsv``.

        Returns
        -------
        astropy.table.Table
            A line for each energy, component, species and method.
        """
        return dipole_table(self.rows, self._meta())

    def plot_dipole(self, ax: Sequence[Axes] | None = None) -> Figure:
        """Draw amplitude and phase against energy; `ax` may give the two axes to draw in."""
        return plot.draw_dipole(self.rows, self.markers, self.title, self.curve, ax)

    def plot_sky(self, energy: Any, component: str = "total", ax: Axes | None = None) -> Figure:
        """Draw a sky map with the marked directions.

        Parameters
        ----------
        energy, component
            As for `sky`.
        ax : matplotlib axes with the projection "mollweide", optional
            A new figure without it.

        Returns
        -------
        matplotlib.figure.Figure
        """
        return self.sky(energy, component).plot(ax, plot.on_the_sky(self.markers))

    def __repr__(self) -> str:
        lines = [f"Result: {self.title or 'untitled'}, {len(self.energies)} energies"]
        lines.append(f"{'energy':>12}  {'formula':>22}  {'Monte Carlo':>36}")
        totals = [row for row in self.rows if (row.component, row.species) == ("total", "all")]
        for energy in dict.fromkeys(row.energy for row in totals):
            cells = {row.method: _cell(row.dipole) for row in totals if row.energy == energy}
            formula, mc = cells.get(ANALYTIC, ""), cells.get(MONTE_CARLO, "")
            lines.append(f"{energy_text(energy):>12}  {formula:>22}  {mc:>36}")
        if self.comparison:
            lines.append(self.comparison.verdict)
        if self.health:
            lines += [health.summary(self.health), *health.sentences(self.health)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows: the same, the lights in their colours."""
        bare = repr(replace(self, health=()))
        return f"<pre>{escape(bare)}</pre>" + (health.html(self.health) if self.health else "")

    def write(self, directory: str | Path, overwrite: bool = False) -> Path:
        """Write the run directory, whole or not at all.

        Parameters
        ----------
        directory : str or Path
        overwrite : bool
            Replace an earlier run, which is kept until the new one is complete.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        OutputError
            When something stands there that must not be replaced, or the disk refuses.
        """
        target = check_directory(directory, overwrite)
        try:
            with replacing(target) as folder:
                self._write_into(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"Cannot write the run to {target}: {reason}.") from error
        return target

    def complete(self, directory: str | Path) -> Path:
        """Write the results into the directory of a run whose batches are all there.

        Parameters
        ----------
        directory : str or Path

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        OutputError
            When the disk refuses; the batches stay as they are.
        """
        target = Path(directory)
        try:
            with completing(target) as folder:
                self._write_into(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"{target}: the results cannot be written ({reason}).") from error
        return target

    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {"title": self.title, "frame": "icrs", "convention": "arrival"}
        if self.provenance.get("seed") is not None:
            meta["seed"] = int(self.provenance["seed"])
        meta["origin"] = origin(self.provenance)
        meta["references"] = [str(reference) for reference in self.references]
        meta["directions"] = {k: [float(ra), float(dec)] for k, (ra, dec) in self.markers.items()}
        return meta

    def _write_into(self, folder: Path) -> None:
        meta = self._meta()
        write_table(self.table(), folder / "dipole.ecsv")
        write_table(spectrum_table(self.spectrum, meta), folder / "spectrum.ecsv")
        if self.comparison is not None:
            table = self.comparison.table()
            table.meta |= meta | {"verdict": self.comparison.verdict}
            write_table(table, folder / "comparison.ecsv")
        if self.health:
            lights = health.table(self.health)
            lights.meta |= meta
            write_table(lights, folder / _HEALTH)
        head = "".join(f"# {key}: {value}\n" for key, value in meta["origin"].items())
        toml = self.config.to_toml() if self.config else ""
        (folder / "config.toml").write_text(head + toml, encoding="utf-8")
        text = json.dumps(self.provenance, indent=2, default=plain)
        (folder / MARK).write_text(text + "\n", encoding="utf-8")
        if self.skies:
            (folder / "sky").mkdir()
        labels = energy_labels(energy for _, energy in self.skies)
        for (component, energy), sky in self.skies.items():
            sky.write(folder / "sky" / f"{component}_{labels[energy]}.fits", origin=meta["origin"])
        (folder / _CURVE).parent.mkdir()
        if self.curve:
            write_table(dipole_table(self.curve, meta), folder / _CURVE)
        plot.write_figures(
            folder / "figures",
            self.rows,
            self.skies,
            self.markers,
            self.title,
            self.curve,
            origin=meta["origin"],
        )

    @classmethod
    def read(cls, directory: str | Path) -> Result:
        """Read a run directory back.

        Parameters
        ----------
        directory : str or Path

        Raises
        ------
        OutputError
            When it is not a run directory, or a file of it is not what a run writes.
        """
        folder = path_given(directory)
        if not (folder / MARK).is_file():
            if is_run(folder):
                raise OutputError(f"{folder}: its run is not finished; mcprop resume continues it.")
            raise OutputError(f"{folder} is not a run directory: it has no {MARK}.")
        provenance = read_provenance(folder / MARK)
        with reading(folder / "config.toml"):
            toml = (folder / "config.toml").read_text(encoding="utf-8")
            toml = re.sub(r"\A(#.*\n)*", "", toml)  # where the file comes from, in its head
        dipoles = read_dipoles(folder / "dipole.ecsv")
        with reading(folder / "dipole.ecsv"):
            rows, (title, markers, references) = rows_from(dipoles), read_meta(dipoles.meta)
        curve: Sequence[Row] = ()
        if (folder / _CURVE).exists():
            curve = rows_from(read_dipoles(folder / _CURVE))
        comparison = None
        if (path := folder / "comparison.ecsv").exists():
            comparison = Comparison.from_table(read_like(path, Comparison([]).table()))
        lights: list[Light] = []
        if (path := folder / _HEALTH).exists():
            with reading(path):
                lights = health.from_table(read_like(path, health.table([])))
        return cls(
            rows,
            spectrum_from(read_spectrum(folder / "spectrum.ecsv")),
            comparison,
            read_skies(folder / "sky", [row.energy for row in rows]),
            SavedConfiguration(toml, title),
            provenance,
            markers,
            references,
            curve,
            lights,
        )


def _cell(dipole: Dipole) -> str:
    if not dipole.covariance.any():
        return f"{dipole.amplitude:.3e} at {dipole.ra:7.2f} deg"
    amplitude = f"{dipole.amplitude:.3e} +- {dipole.amplitude_err:.1e}"
    return f"{amplitude} at {dipole.ra:7.2f} +- {dipole.ra_err:.2f} deg"
