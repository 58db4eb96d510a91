"""The result of a run: rows, sky maps, comparison; and the run directory on disk."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mcprop import plot
from mcprop.comparison import Comparison
from mcprop.dipole import Dipole
from mcprop.errors import OutputError, RangeError
from mcprop.skyplot import energy_text
from mcprop.tables import (
    ANALYTIC,
    MONTE_CARLO,
    Row,
    SpectrumRow,
    dipole_table,
    energy_labels,
    read_table,
    rows_from,
    spectrum_from,
    spectrum_table,
    write_table,
)
from mcprop.units import strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mcprop.sky import SkyMap

_MARK = "provenance.json"
_SAME = 1e-9


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
    provenance : dict
        Goes to provenance.json; "title" and "seed" are also used in heads and captions.
    markers : dict
        Directions for the figures: label to (right ascension, declination) [deg]. Labels with a
        meaning: "b_hat", "Galactic centre", "Compton-Getting", "u_LSR".
    references : sequence of str
        What to cite.
    curve : sequence of Row
        Total by formula on a fine grid of energies, for the line of the figure alone.
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
        energy : float or Quantity
            Total energy, a bare number in GeV.
        component, species : str
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
        method = method or self.method
        wanted = (component, species, method)
        rows = [row for row in self.rows if (row.component, row.species, row.method) == wanted]
        if not rows:
            known = ", ".join(sorted({f"{r.component}/{r.species}/{r.method}" for r in self.rows}))
            raise RangeError(f"There is no row {'/'.join(wanted)}; there are {known or 'none'}.")
        chosen = _nearest(_in_gev(energy), [row.energy for row in rows])
        return next(row.dipole for row in rows if row.energy == chosen)

    def sky(self, energy: Any, component: str = "total") -> SkyMap:
        """Sky map of a component.

        Parameters
        ----------
        energy : float or Quantity
            Total energy, a bare number in GeV.
        component : str

        Raises
        ------
        RangeError
            When there is no such map.
        """
        energies = [e for name, e in self.skies if name == component]
        if not energies:
            known = ", ".join(sorted({name for name, _ in self.skies}))
            raise RangeError(f"There is no map of '{component}'; there are {known or 'none'}.")
        return self.skies[component, _nearest(_in_gev(energy), energies)]

    def plot_dipole(self, ax: Sequence[Axes] | None = None) -> Figure:
        """Draw amplitude and phase against energy; `ax` may give the two axes to draw in."""
        return plot.draw_dipole(self.rows, self.markers, self.title, self.curve, ax)

    def __repr__(self) -> str:
        lines = [f"Result: {self.title or 'untitled'}, {len(self.energies)} energies"]
        lines.append(f"{'energy':>12}  {'formula':>22}  {'Monte Carlo':>36}")
        totals = [row for row in self.rows if (row.component, row.species) == ("total", "all")]
        for energy in dict.fromkeys(row.energy for row in totals):
            cells = {row.method: _cell(row.dipole) for row in totals if row.energy == energy}
            formula, mc = cells.get(ANALYTIC, ""), cells.get(MONTE_CARLO, "")
            lines.append(f"{energy_text(energy):>12}  {formula:>22}  {mc:>36}")
        return "\n".join([*lines, *([self.comparison.verdict] if self.comparison else [])])

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
            with _replacing(target) as folder:
                self._write_into(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"Cannot write the run to {target}: {reason}.") from error
        return target

    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {"title": self.title, "frame": "icrs", "convention": "arrival"}
        if self.provenance.get("seed") is not None:
            meta["seed"] = int(self.provenance["seed"])
        meta["references"] = [str(reference) for reference in self.references]
        meta["directions"] = {k: [float(ra), float(dec)] for k, (ra, dec) in self.markers.items()}
        return meta

    def _write_into(self, folder: Path) -> None:
        meta = self._meta()
        write_table(dipole_table(self.rows, meta), folder / "dipole.ecsv")
        write_table(spectrum_table(self.spectrum, meta), folder / "spectrum.ecsv")
        if self.comparison is not None:
            table = self.comparison.table()
            table.meta |= meta | {"verdict": self.comparison.verdict}
            write_table(table, folder / "comparison.ecsv")
        toml = self.config.to_toml() if self.config else ""
        (folder / "config.toml").write_text(toml, encoding="utf-8")
        text = json.dumps(self.provenance, indent=2, default=_plain)
        (folder / _MARK).write_text(text + "\n", encoding="utf-8")
        if self.skies:
            (folder / "sky").mkdir()
        labels = energy_labels(energy for _, energy in self.skies)
        for (component, energy), sky in self.skies.items():
            sky.write(folder / "sky" / f"{component}_{labels[energy]}.fits")
        (folder / "figures").mkdir()
        plot.write_figures(
            folder / "figures", self.rows, self.skies, self.markers, self.title, self.curve
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
            When it is not a run directory or cannot be read.
        """
        folder = Path(directory)
        if not (folder / _MARK).is_file():
            raise OutputError(f"{folder} is not a run directory: it has no {_MARK}.")
        try:
            provenance = json.loads((folder / _MARK).read_text(encoding="utf-8"))
            toml = (folder / "config.toml").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise OutputError(f"Cannot read the run in {folder}: {error}.") from error
        dipoles = read_table(folder / "dipole.ecsv")
        comparison = None
        if (folder / "comparison.ecsv").exists():
            comparison = Comparison.from_table(read_table(folder / "comparison.ecsv"))
        rows = rows_from(dipoles)
        return cls(
            rows,
            spectrum_from(read_table(folder / "spectrum.ecsv")),
            comparison,
            _read_skies(folder / "sky", [row.energy for row in rows]),
            SavedConfiguration(toml, str(dipoles.meta.get("title", ""))),
            provenance,
            {name: (ra, dec) for name, (ra, dec) in dipoles.meta.get("directions", {}).items()},
            tuple(dipoles.meta.get("references", ())),
        )


def check_directory(directory: str | Path, overwrite: bool = False) -> Path:
    """Find out, before a long run, whether its results may be written to a directory.

    Parameters
    ----------
    directory : str or Path
    overwrite : bool
        Whether an earlier run may be replaced.

    Returns
    -------
    Path
        Absolute path of the directory.

    Raises
    ------
    OutputError
        When it is a file, an earlier run (without `overwrite`), or holds anything but a run.
    """
    target = Path(directory).resolve()
    try:
        if not target.exists():
            return target
        if not target.is_dir():
            raise OutputError(f"{target} is a file; give a directory for the run.")
        if not any(target.iterdir()):
            return target
    except OSError as error:
        raise OutputError(f"Cannot look into {target}: {error.strerror or error}.") from error
    if not (target / _MARK).is_file():
        raise OutputError(f"{target} holds something that is not a run; it is left as it is.")
    if not overwrite:
        raise OutputError(f"{target} holds a run already; allow overwriting or choose another.")
    return target


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a new sibling directory that takes the place of `target` once it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    fresh = target.parent / f".{target.name}.{token}.part"
    old = target.parent / f".{target.name}.{token}.old"
    fresh.mkdir()
    try:
        yield fresh
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(fresh, target)
        except BaseException:
            if old.exists():
                os.replace(old, target)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _read_skies(folder: Path, energies: Sequence[float]) -> dict[tuple[str, float], SkyMap]:
    if not folder.is_dir():
        return {}
    from mcprop.sky import SkyMap

    skies = {}
    for path in sorted(folder.glob("*.fits")):
        sky = SkyMap.read(path)
        # a FITS card may lose the last digit of an energy; the table does not
        near = [e for e in energies if abs(e - sky.energy) <= _SAME * e]
        skies[sky.component, near[0] if near else sky.energy] = sky
    return dict(sorted(skies.items(), key=lambda item: item[0]))


def _in_gev(energy: Any) -> float:
    return strip(energy, "energy", "energy") if hasattr(energy, "unit") else float(energy)


def _nearest(energy: float, energies: Sequence[float]) -> float:
    """Pick the energy meant; refuse when it is not among those there are."""
    nearest = min(energies, key=lambda other: abs(other - energy))
    if abs(nearest - energy) > _SAME * abs(nearest):
        raise RangeError(f"There is no energy of {energy:.6g} GeV; the nearest is {nearest!r} GeV.")
    return nearest


def _cell(dipole: Dipole) -> str:
    if not dipole.covariance.any():
        return f"{dipole.amplitude:.3e} at {dipole.ra:7.2f} deg"
    amplitude = f"{dipole.amplitude:.3e} +- {dipole.amplitude_err:.1e}"
    return f"{amplitude} at {dipole.ra:7.2f} +- {dipole.ra_err:.1f} deg"


def _plain(value: Any) -> Any:
    """Make numpy's numbers and arrays, paths and mappings fit for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Path, set, frozenset)):
        return str(value) if isinstance(value, Path) else sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")
