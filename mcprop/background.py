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
    """

    galaxy: SdpGalaxy
    boundary: Cylinder
    guess: Any
    starts: np.ndarray
    separation: float
    lift: float

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
    lift: float = 20.0,
    guess: GridSolution | None = None,
) -> Background:
    """Set up histories that give psi and its gradient at the Sun.

    In the plane the vertical gradient vanishes by symmetry and is not simulated.

    Parameters
    ----------
    galaxy : Galaxy
    rigidity : float
        Rigidity [GV].
    height : float
        Height of the Sun over the plane [pc].
    loss_rate : float
        Rate of losses in the plane [1/yr].
    separation, lift : float
        Distance from the Sun of the places between which the gradients are taken, in r and in
        height [pc]. Differences over 300 pc in r are off by less than 0.1 %.
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
    if not (lift > 0.0 and abs(height) + lift < galaxy.half_height):
        raise RangeError(
            f"height = {height} pc and lift = {lift} pc must keep within the Galaxy, whose half"
            f" height is {galaxy.half_height:g} pc."
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
        lift if height else 0.0,
    )


def layered(galaxy: Galaxy, solution: GridSolution) -> LayeredGuess:
    """Tabulate the gradient of a grid solution for the kernel."""
    columns = math.ceil(galaxy.radius / COLUMN)
    fine_rows = round(galaxy.disc_height / FINE)
    fine = galaxy.disc_height / fine_rows
    coarse_rows = math.ceil((galaxy.half_height - galaxy.disc_height) / COARSE)
    coarse = (galaxy.half_height - galaxy.disc_height) / coarse_rows
    heights = np.concatenate(
        [fine * np.arange(fine_rows), galaxy.disc_height + coarse * np.arange(coarse_rows + 1)]
    )
    column = galaxy.radius / columns
    r = column * (np.arange(columns) + 0.5)
    return LayeredGuess(solution.table(r, heights), column, galaxy.disc_height, fine, coarse)
