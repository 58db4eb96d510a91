"""Rows of a study and its tables: wander.ecsv, msd.ecsv, halving.ecsv, exponents.ecsv, source.ecsv.

Every table reads back to the rows that it was made of, so that whoever has a run directory can ask
the same questions again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

from mcprop.tables import read_like, write_table
from mcprop.wander_study.columns import description
from mcprop.wander_study.sky_rows import DurationRow, HallRow, PowerRow, SkyRow

if TYPE_CHECKING:
    from astropy.table import Table

LAWS = ("mach_two", "mach_four", "isotropic")
"""Laws that D_perp is compared with; a column of `WanderRow` each, and one of pulls."""
_DIFFUSION = "pc2 / yr"
_UNITS = {
    "longest": "pc",
    "shortest": "pc",
    "rigidity": "GV",
    "d_lines": "pc",
    "d_lines_err": "pc",
    "d_lines_height": "pc",
    "d_lines_height_err": "pc",
    "time": "yr",
    "perp": "pc2",
    "perp_err": "pc2",
    "parallel": "pc2",
    "parallel_err": "pc2",
    "time_step": "yr",
    "leg": "yr",
    "backward_time": "yr",
    "duration": "yr",
    "density": "pc-3",
    "c_l": "sr",
    "c_l_err": "sr",
    "noise": "sr",
    "common": "sr",
    "common_err": "sr",
    "density_err": "pc-3",
    "ra": "deg",
    "dec": "deg",
    "angle_to_local": "deg",
    "angle_to_mean": "deg",
    "local_lean": "deg",
    "line_distance": "pc",
    "mean_free_path": "pc",
    "effective_distance": "pc",
} | dict.fromkeys(
    (
        "kappa_parallel",
        "kappa_parallel_err",
        "kappa_perp",
        "kappa_perp_err",
        "kappa_hall",
        "kappa_hall_err",
        "d_parallel",
        "d_parallel_err",
        "d_perp",
        "d_perp_err",
        "drift",
        "drift_err",
        "mach_two",
        "mach_four",
        "isotropic",
    ),
    _DIFFUSION,
)


class WanderRow(NamedTuple):
    """Homogenised diffusion of one case; coefficients [pc2/yr].

    geometry : str; slope : float; longest, shortest : float [pc]; rigidity : float [GV];
    mach : float, dB/B0; epsilon : float, kappa_perp / kappa_parallel; epsilon_from : str, "number"
    or "kinetic"; kappa_parallel, kappa_perp : what the walks are given; mean_free_path :
    float [pc]; d_parallel, d_perp and
    their errors: what comes out; drift, drift_err : what d_perp gains when it is taken from two
    windows to four instead of one to two, NaN of walks of less than three; ratio, ratio_err :
    d_perp / d_parallel; d_lines, d_lines_height and their errors : diffusion of the field lines by
    arc length, and by height along the mean field [pc]; mach_two, mach_four, isotropic : the laws
    for d_perp, the first two with d_parallel as measured, the third NaN but in isotropic
    turbulence; pull_... : (d_perp - law) / error; time_step, duration : of the walks [yr];
    realisations : int; walk : int, rows with the same number are one walk in other units of time.
    """

    geometry: str
    slope: float
    longest: float
    shortest: float
    rigidity: float
    mach: float
    epsilon: float
    epsilon_from: str
    kappa_parallel: float
    kappa_perp: float
    mean_free_path: float
    d_parallel: float
    d_parallel_err: float
    d_perp: float
    d_perp_err: float
    drift: float
    drift_err: float
    ratio: float
    ratio_err: float
    d_lines: float
    d_lines_err: float
    d_lines_height: float
    d_lines_height_err: float
    mach_two: float
    mach_four: float
    isotropic: float
    pull_mach_two: float
    pull_mach_four: float
    pull_isotropic: float
    time_step: float
    duration: float
    realisations: int
    walk: int

    @property
    def spectrum(self) -> tuple[str, float, float, float]:
        """Geometry, slope, longest and shortest wavelength [pc]."""
        return self.geometry, self.slope, self.longest, self.shortest

    @property
    def excess(self) -> float:
        """What the wandering adds, d_perp - kappa_perp [pc2/yr]."""
        return self.d_perp - self.kappa_perp


class MsdRow(NamedTuple):
    """Mean square displacement of one case at one time, per axis; means over realisations.

    geometry ... epsilon : as in `WanderRow`; time : float [yr]; perp, parallel and their errors :
    float [pc2]; across the mean field it is half of that in the plane.
    """

    geometry: str
    slope: float
    longest: float
    shortest: float
    rigidity: float
    mach: float
    epsilon: float
    time: float
    perp: float
    perp_err: float
    parallel: float
    parallel_err: float


class HalvingRow(NamedTuple):
    """The same case with half the time step, in the same realisations of the field.

    geometry ... epsilon : as in `WanderRow`; quantity : str, "d_perp" or "d_parallel"; whole,
    half : float, in units of kappa_parallel; difference, difference_err : float, half - whole, its
    error from the realisations one by one; pull : float.
    """

    geometry: str
    slope: float
    longest: float
    shortest: float
    mach: float
    epsilon: float
    quantity: str
    whole: float
    half: float
    difference: float
    difference_err: float
    pull: float


class ExponentRow(NamedTuple):
    """A power law fitted to a range.

    geometry ... shortest, rigidity : as in `WanderRow`; quantity : str, such as
    "d_perp - kappa_perp"; against : str, "mach", "epsilon" or "time"; mach, epsilon : float, what
    is held fixed, nan for what is not; regime : str; low, high : float, ends of the range;
    exponent, exponent_err : float; chi2 : float; points : int.
    """

    geometry: str
    slope: float
    longest: float
    shortest: float
    rigidity: float
    quantity: str
    against: str
    mach: float
    epsilon: float
    regime: str
    low: float
    high: float
    exponent: float
    exponent_err: float
    chi2: float
    points: int


class SourceRow(NamedTuple):
    """The burst as seen through one realisation of the field.

    rigidity : float [GV]; epsilon : float; epsilon_from : str; realisation : int; density : float,
    of one particle set free [pc-3]; the others as in `mcprop.wandering.BurstStudy.rows`, those
    that end on _err are what Monte Carlo adds.
    """

    rigidity: float
    epsilon: float
    epsilon_from: str
    realisation: int
    density: float
    density_err: float
    flux_ratio: float
    flux_ratio_err: float
    dipole_x: float
    dipole_x_err: float
    dipole_y: float
    dipole_y_err: float
    dipole_z: float
    dipole_z_err: float
    dipole_along: float
    dipole_along_err: float
    amplitude_ratio: float
    amplitude_ratio_err: float
    angle_to_local: float
    angle_to_mean: float
    finite_ratio: float
    local_lean: float
    line_distance: float
    effective_distance: float
    growth_perp: float
    growth_late: float


AnyRow = TypeVar(
    "AnyRow",
    WanderRow, MsdRow, HalvingRow, ExponentRow, SourceRow, SkyRow, HallRow, PowerRow, DurationRow,
)  # fmt: skip


def table(rows: Sequence[NamedTuple], kind: Any, meta: Mapping[str, Any]) -> Table:
    """Table with one line for each row.

    Parameters
    ----------
    rows : sequence of named tuples
        All of one kind, possibly none.
    kind : type
        Their class.
    meta : mapping
        Goes into the head of the file.

    Returns
    -------
    astropy.table.Table
    """
    from astropy.table import Table

    types = [_TYPES[hint] for hint in get_type_hints(kind).values()]
    made = Table(rows=list(rows) or None, names=kind._fields, dtype=types, meta=dict(meta))
    for name in kind._fields:
        if _UNITS.get(name):
            made[name].unit = _UNITS[name]
        made[name].description = description(kind.__name__, name) or None
    return made


_TYPES = {str: "U32", float: "f8", int: "i8"}


def rows_from(made: Table, kind: type[AnyRow]) -> list[AnyRow]:
    """Rows that `table` was made of.

    Parameters
    ----------
    made : astropy.table.Table
    kind : type
        Class of the rows.
    """
    convert = get_type_hints(kind).values()
    return [
        kind(*(to(line[name]) for to, name in zip(convert, kind._fields, strict=True)))
        for line in made
    ]


def write(rows: Sequence[NamedTuple], kind: Any, path: Path, meta: Mapping[str, Any]) -> None:
    """Write as ECSV; every number keeps all its digits.

    Parameters
    ----------
    rows, kind, meta
        As for `table`.
    path : Path
    """
    write_table(table(rows, kind, meta), path)


def read(path: Path, kind: type[AnyRow]) -> list[AnyRow]:
    """Read what `write` wrote.

    Parameters
    ----------
    path : Path
    kind : type
        Class of the rows.

    Raises
    ------
    OutputError
        When the file cannot be read, or is not of this kind.
    """
    return rows_from(read_like(path, table([], kind, {})), kind)
