"""Set-up of backward histories for the Galactic background: where they start, what they know."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.galaxy import Galaxy, GridSolution
from mcprop.kernels.boundary import Cylinder
from mcprop.kernels.residence import LayeredGuess, NoGuess
from mcprop.medium import Gas, NoGas, SdpCoefficient, SdpGalaxy

COLUMN, FINE, COARSE = 200.0, 10.0, 100.0
"""Cells of the table of the guess [pc]: in r, in height below and above the kink of D."""


class Background(NamedTuple):
    """What the kernel of the Galactic background takes.

    Parameters
    ----------
    galaxy : SdpGalaxy
        Medium with its sources.
    boundary : Cylinder
        Where particles escape.
    guess : LayeredGuess or NoGuess
        Control variate.
    starts : ndarray, shape (3, 3) or (5, 3)
        Sun, then pairs of places farther out and farther in, above and below [pc]; Galactocentric
        axes, x through the Sun, z along the axis of rotation.
    separation, lift : float
        Distance of the places of each pair from the Sun [pc]; `lift` is 0 without the second pair.
    truncation : float
        Relative error of the gradient by differences over these distances, from the guess; 0
        without a guess.
    """

    galaxy: SdpGalaxy
    boundary: Cylinder
    guess: Any
    starts: np.ndarray
    separation: float
    lift: float
    truncation: float

    def gradients(self, scores: np.ndarray) -> np.ndarray:
        """Derivatives of psi by r and z from the scores (n, 3 or 5) of copies, shape (n, 2)."""
        outward = (scores[:, 1] - scores[:, 2]) / (2.0 * self.separation)
        if not self.lift:
            return np.column_stack([outward, np.zeros(len(scores))])
        return np.column_stack([outward, (scores[:, 3] - scores[:, 4]) / (2.0 * self.lift)])


def sdp_galaxy(galaxy: Galaxy, rigidity: float, loss_rate: float = 0.0) -> SdpGalaxy:
    """The Galaxy at one rigidity as kernels see it.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float
        Rigidity [GV].
    loss_rate : float
        Rate of losses in the plane [1/yr].

    Returns
    -------
    SdpGalaxy
    """
    profile = SdpCoefficient(
        galaxy.d0,
        math.log(rigidity / galaxy.reference_rigidity),
        galaxy.slope,
        galaxy.contrast,
        galaxy.disc_height,
        galaxy.sun_radius,
        galaxy.source_slope,
        galaxy.source_decline,
        galaxy.source_height,
    )
    return SdpGalaxy(profile, Gas(loss_rate, galaxy.gas_height) if loss_rate else NoGas())


def background(
    galaxy: Galaxy,
    rigidity: float,
    height: float = 0.0,
    loss_rate: float = 0.0,
    separation: float = 300.0,
    guess: GridSolution | None = None,
) -> Background:
    """Set up histories that give psi and its gradient at the Sun.

    In the plane the vertical gradient vanishes by symmetry and is not simulated. Elsewhere it is a
    difference over a quarter of the height, 20 pc at most, either way.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float
        Rigidity [GV].
    height : float
        Height of the Sun over the plane [pc].
    loss_rate : float
        Rate of losses in the plane [1/yr].
    separation : float
        Distance in r from the Sun, either way, of the places between which the gradient is taken
        [pc].
    guess : GridSolution, optional
        Solution on any grid that takes the noise out; the result does not depend on it.

    Returns
    -------
    Background

    Raises
    ------
    RangeError
        If a place lies outside the Galaxy.
    """
    r = galaxy.sun_radius
    if not 0.0 < separation < min(r, galaxy.radius - r):
        raise RangeError(
            f"separation = {separation} pc must be positive and keep within the Galaxy, below"
            f" {min(r, galaxy.radius - r):g} pc."
        )
    lift = min(20.0, 0.25 * abs(height))
    if not abs(height) + lift < galaxy.half_height:
        raise RangeError(
            f"height = {height} pc must keep {lift:g} pc within the Galaxy, whose half height is"
            f" {galaxy.half_height:g} pc."
        )
    starts = [(r, 0.0, height), (r + separation, 0.0, height), (r - separation, 0.0, height)]
    if height:
        starts += [(r, 0.0, height + lift), (r, 0.0, height - lift)]
    return Background(
        sdp_galaxy(galaxy, rigidity, loss_rate),
        Cylinder(galaxy.radius, galaxy.half_height),
        NoGuess() if guess is None else layered(galaxy, guess),
        np.array(starts),
        separation,
        lift,
        0.0 if guess is None else _truncation(guess, r, height, separation, lift),
    )


def _truncation(
    guess: GridSolution, r: float, height: float, separation: float, lift: float
) -> float:
    """Relative error of the gradient that differences of the guess have."""

    def density(dr: float, dz: float) -> float:
        return float(guess.density(np.array(r + dr), np.array(height + dz)))

    here, at = density(0.0, 0.0), (np.array(r), np.array(height))
    exact = np.array([float(guess.slope_r(*at)), float(guess.slope_z(*at)) if lift else 0.0])
    outward = (density(separation, 0.0) - density(-separation, 0.0)) / (2.0 * separation)
    upward = (density(0.0, lift) - density(0.0, -lift)) / (2.0 * lift) if lift else 0.0
    found = np.array([outward, upward]) / here
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def layered(galaxy: Galaxy, solution: GridSolution) -> LayeredGuess:
    """Tabulate the gradient of a grid solution for the kernel."""
    columns = math.ceil(galaxy.radius / COLUMN)
    fine_rows = math.ceil(galaxy.disc_height / FINE)
    fine = galaxy.disc_height / fine_rows
    coarse_rows = math.ceil((galaxy.half_height - galaxy.disc_height) / COARSE)
    coarse = (galaxy.half_height - galaxy.disc_height) / coarse_rows
    heights = np.concatenate(
        [fine * np.arange(fine_rows), galaxy.disc_height + coarse * np.arange(coarse_rows + 1)]
    )
    column = galaxy.radius / columns
    r = column * (np.arange(columns) + 0.5)
    return LayeredGuess(solution.table(r, heights), column, galaxy.disc_height, fine, coarse)
