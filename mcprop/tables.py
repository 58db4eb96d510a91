"""Rows of a result and the tables of a run directory: dipole.ecsv and spectrum.ecsv."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mcprop.dipole import Dipole
from mcprop.errors import OutputError

if TYPE_CHECKING:
    from astropy.table import Table

ANALYTIC = "analytic"
"""Method of a row that is a formula."""
MONTE_CARLO = "monte-carlo"
"""Method of a row that comes from pseudo-particles."""

_OFF_DIAGONAL = {"cov_xy": (0, 1), "cov_xz": (0, 2), "cov_yz": (1, 2)}
_DIPOLE_UNITS = {"energy": "GeV", "ra": "deg", "ra_err": "deg", "dec": "deg"}
_SPECTRUM_UNITS = {
    "energy": "GeV",
    "rigidity": "GV",
    "intensity": "GV-1 m-2 s-1 sr-1",
    "intensity_energy": "GeV-1 m-2 s-1 sr-1",
}


@dataclass(frozen=True)
class Row:
    """Dipole of one component at one energy.

    Parameters
    ----------
    energy : float
        Total energy of the nucleus [GeV].
    component : str
        A component of the model, the name of its boost, such as "compton-getting", or "total".
    species : str
        Name of the nucleus, or "all" (weighted by intensity).
    method : str
        "analytic" or "monte-carlo".
    dipole : Dipole
        The component's own, before it is weighted with its share.
    weight : float
        Its share of the intensity at that energy.
    estimator : str
        What a Monte Carlo result rests on; "formula" for a formula.
    """

    energy: float
    component: str
    species: str
    method: str
    dipole: Dipole
    weight: float = 1.0
    estimator: str = "formula"


class SpectrumRow(NamedTuple):
    """Intensity of one component and species.

    energy : float, total energy [GeV]; rigidity : float [GV]; species, component : str;
    intensity : float [GV^-1 m^-2 s^-1 sr^-1]; intensity_energy : float
    [GeV^-1 m^-2 s^-1 sr^-1].
    """

    energy: float
    rigidity: float
    species: str
    component: str
    intensity: float
    intensity_energy: float


def _flat(row: Row) -> dict[str, Any]:
    """Columns of the dipole table for one row, in their order."""
    dipole = row.dipole
    columns: dict[str, Any] = {
        "energy": row.energy,
        "component": row.component,
        "species": row.species,
        "method": row.method,
    }
    columns |= {f"delta_{axis}": v for axis, v in zip("xyz", dipole.vector, strict=True)}
    columns |= {f"sigma_{axis}": v for axis, v in zip("xyz", dipole.sigma, strict=True)}
    for name in ("amplitude", "amplitude_err", "ra", "ra_err", "dec", "amplitude_3d"):
        columns[name] = getattr(dipole, name)
    columns |= {"weight": row.weight, "estimator": row.estimator}
    return columns | {name: dipole.covariance[at] for name, at in _OFF_DIAGONAL.items()}


def dipole_table(rows: Sequence[Row], meta: Mapping[str, Any]) -> Table:
    """Table with one line for each row.

    Parameters
    ----------
    rows : sequence of Row
    meta : mapping
        Goes into the head of the file.

    Returns
    -------
    astropy.table.Table
        Last come three covariances, so that the table holds the whole covariance.
    """
    return _table([_flat(row) for row in rows], list(_flat(_EXAMPLE)), _DIPOLE_UNITS, meta)


_EXAMPLE = Row(1.0, "", "", "", Dipole(np.zeros(3)))


def spectrum_table(rows: Iterable[Sequence[Any]], meta: Mapping[str, Any]) -> Table:
    """Table with one line for each row; any tuples in the order of `SpectrumRow` will do."""
    named = [SpectrumRow(*row)._asdict() for row in rows]
    return _table(named, list(SpectrumRow._fields), _SPECTRUM_UNITS, meta)


def _table(
    rows: list[dict[str, Any]], names: list[str], units: Mapping[str, str], meta: Mapping[str, Any]
) -> Table:
    from astropy.table import Table

    table = Table(rows=rows or None, names=names, meta=dict(meta))
    for name, unit in units.items():
        table[name].unit = unit
    return table


def rows_from(table: Table) -> list[Row]:
    """Rows that `dipole_table` was made of."""
    return [_row_from(line) for line in table]


def _row_from(line: Any) -> Row:
    covariance = np.diag([float(line[f"sigma_{axis}"]) ** 2 for axis in "xyz"])
    for name, (i, j) in _OFF_DIAGONAL.items():
        covariance[i, j] = covariance[j, i] = float(line[name])
    dipole = Dipole(np.array([float(line[f"delta_{axis}"]) for axis in "xyz"]), covariance)
    component, species, method, estimator = (
        str(line[name]) for name in ("component", "species", "method", "estimator")
    )
    weight = float(line["weight"])
    return Row(float(line["energy"]), component, species, method, dipole, weight, estimator)


def spectrum_from(table: Table) -> list[SpectrumRow]:
    """Rows that `spectrum_table` was made of."""
    return [SpectrumRow(*(line[name].item() for name in SpectrumRow._fields)) for line in table]


def write_table(table: Table, path: Path) -> None:
    """Write as ECSV; every number keeps all its digits."""
    table.write(path, format="ascii.ecsv")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every complaint about the contents of a file into an `OutputError` that names it."""
    try:
        yield
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or (str(error).strip() or "?").splitlines()[0]
        raise OutputError(f"Cannot read {path}: {reason.rstrip('.')}.") from error


def read_like(path: Path, template: Table) -> Table:
    """Read an ECSV table that must have the columns of another.

    Parameters
    ----------
    path : Path
    template : astropy.table.Table
        Its columns are wanted, in its order; numbers where it has numbers, text where text.

    Returns
    -------
    astropy.table.Table
        Those columns, with the head of the file.

    Raises
    ------
    OutputError
        When the file cannot be read, or a column is missing, incomplete or of another type.
    """
    from astropy.table import Table

    with reading(path):
        table = Table.read(path, format="ascii.ecsv")
    for name in template.colnames:
        if name not in table.colnames:
            raise OutputError(f"The table {path} has no column {name!r}.")
        column, is_text = table[name], template[name].dtype.kind == "U"
        # of a table without lines the types are not known
        if len(table) and (column.ndim != 1 or column.dtype.kind not in ("U" if is_text else "fi")):
            what = "text" if is_text else "numbers"
            raise OutputError(f"The column {name!r} of the table {path} must hold {what}.")
        if is_text and hasattr(column, "filled"):
            table[name] = column.filled("")  # astropy takes an empty text for a gap
        elif np.any(getattr(column, "mask", False)):
            raise OutputError(f"The column {name!r} of the table {path} has gaps.")
    return table[template.colnames]


def read_dipoles(path: Path) -> Table:
    """Read what `dipole_table` made, by `read_like`."""
    return read_like(path, dipole_table([_EXAMPLE], {}))


def read_spectrum(path: Path) -> Table:
    """Read what `spectrum_table` made, by `read_like`."""
    return read_like(path, spectrum_table([SpectrumRow(1.0, 1.0, "", "", 1.0, 1.0)], {}))


def energy_labels(energies: Iterable[float]) -> dict[float, str]:
    """Names of energies for files: as short as they can be and still differ.

    Parameters
    ----------
    energies : iterable of float
        [GeV]

    Returns
    -------
    dict
        Energy to text: an energy of up to four digits is written exactly, others with four or as
        many more as it takes to tell them apart.

    Examples
    --------
    >>> energy_labels([1e4, 2154.43469])
    {10000.0: '1e+04GeV', 2154.43469: '2.154e+03GeV'}
    """
    distinct = list(dict.fromkeys(energies))
    labels = {}
    for energy in distinct:
        others = [other for other in distinct if other != energy]
        labels[energy] = f"{_shortest(energy, others)}GeV"
    return labels


def _shortest(energy: float, others: Sequence[float]) -> str:
    for digits in range(17):
        text = f"{energy:.{digits}e}"
        unique = all(f"{other:.{digits}e}" != text for other in others)
        if float(text) == energy or (digits >= 3 and unique):
            return text
    return repr(energy)
