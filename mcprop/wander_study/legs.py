"""What the burst says of the leg of its estimator: rows of leg.ecsv, and a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mcprop.wandering.burst_legs import BASE
from mcprop.wandering.burst_study import BurstStudy
from mcprop.wandering.realisations import Estimate


class LegRow(NamedTuple):
    """The burst as seen through one realisation with one leg.

    rigidity : float [GV]; epsilon : float; epsilon_from : str; realisation : int; leg,
    backward_time : float [yr], of displaced observers' clouds, and of the observer's own in all;
    density : float, of one particle set free [pc-3]; dipole_... : as in `SourceRow`; change_... :
    float, less the value with the leg that is used, that of the density over it; chance : float,
    p-value of changes like these, NaN for the leg that is used; all with the error of Monte Carlo.
    """

    rigidity: float
    epsilon: float
    epsilon_from: str
    realisation: int
    leg: float
    backward_time: float
    density: float
    density_err: float
    dipole_x: float
    dipole_x_err: float
    dipole_y: float
    dipole_y_err: float
    dipole_z: float
    dipole_z_err: float
    change_density: float
    change_density_err: float
    change_x: float
    change_x_err: float
    change_y: float
    change_y_err: float
    change_z: float
    change_z_err: float
    chance: float


def leg_rows(head: tuple[float, float, str], study: BurstStudy) -> Iterator[LegRow]:
    """A row for each leg and realisation in which several were tried.

    Parameters
    ----------
    head : tuple
        Rigidity, epsilon and where that is from.
    study : BurstStudy
    """
    for number, scan in study.leg_scans:
        scale = np.array([scan.values[BASE, 0], 1.0, 1.0, 1.0])
        for leg in range(len(scan.legs)):
            values = _paired(scan.values[leg], scan.errors[leg])
            changes = _paired(scan.changes[leg] / scale, scan.change_errors[leg] / scale)
            chance = math.nan if leg == BASE else scan.chance(leg)
            times = [float(scan.legs[leg]), float(scan.backward_times[leg])]
            yield LegRow(*head, number, *(times + values + changes + [chance]))


def _paired(values: np.ndarray, errors: np.ndarray) -> list[float]:
    """Each value followed by its error."""
    return [float(x) for x in np.stack([values, errors], axis=1).ravel()]


def leg_text(study: BurstStudy) -> str:
    """Say whether density and dipole depend on the leg.

    Parameters
    ----------
    study : BurstStudy
        One in which several legs were tried.

    Returns
    -------
    str
        Empty if none were.
    """
    if not study.leg_scans:
        return ""
    test, length = study.leg_test, float(np.linalg.norm(study.formula_dipole))
    number, scan = len(study.leg_scans), study.leg_scans[0][1]
    half, base, twice = (f"{leg:.3g}" for leg in scan.legs)
    told = f"{half} and {twice} yr for {base} yr, in {number} realisations"
    density = _both(test.density, 100.0, ".2g")
    along = _both(test.along, 1.0 / length, ".2g")
    verdict = (
        "depends on the leg" if test.depends else "does not depend on the leg within its error"
    )
    return (
        f"  with half and twice the leg of the observer's clouds, {told}, the density"
        f" changes by {density} %, the dipole along the local field by {along} of 3 r/(2 v T). All"
        f" changes of both have a chi-square of {test.chi2:.3g}, {test.freedom} expected (p ="
        f" {test.chance:.2g}): what is seen {verdict}"
    )


def _both(changes: tuple[Estimate, ...], unit: float, pattern: str) -> str:
    """The mean change with half the leg and with twice of it."""
    said = [f"{unit * value:+{pattern}} +- {unit * error:{pattern}}" for value, error in changes]
    return " and ".join(said)
