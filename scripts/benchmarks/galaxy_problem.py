"""The problem of the Galaxy: slow diffusion in the disc, fast in the halo, absorbing walls."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop.galaxy import Galaxy

GALAXY = Galaxy()
"""The Galaxy of the LRMF paper."""

RIGIDITY = 1e3
"""Rigidity [GV]."""

STEPS = 500
"""Steps of a particle."""

STEP = 2000.0
"""Length of a step [yr]: in the plane an rms of 23 pc along each axis, in the halo of 120 pc."""


def walk_to_end(stepper: Any, first: int, particles: int) -> np.ndarray:
    """Walk particles first, first + 1, ... from the Sun with the package's kernel.

    Returns
    -------
    ndarray, shape (4, n)
        Positions [pc], and the probability not to have met a wall.
    """
    from mcprop.background import sdp_galaxy
    from mcprop.kernels.boundary import Cylinder
    from mcprop.kernels.step import FixedStep
    from mcprop.kernels.walk import walk_to
    from mcprop.medium import Isotropic

    medium = Isotropic(sdp_galaxy(GALAXY, RIGIDITY).profile)
    boundary = Cylinder(GALAXY.radius, GALAXY.half_height)
    starts = np.zeros((3, particles))
    starts[0] = GALAXY.sun_radius
    ends, alive = np.empty((1, 3, particles)), np.empty((1, particles))
    key = np.uint64(1), np.uint64(2), np.uint64(first)
    times = np.array([STEPS * STEP])
    walk_to(medium, boundary, stepper, FixedStep(STEP), *key, starts, times, ends, alive)
    return np.concatenate([ends[0], alive])


def spread(ends: np.ndarray) -> dict[str, float]:
    """Where the particles are that have met no wall, the same for all within the noise.

    Parameters
    ----------
    ends : ndarray, shape (4, n)
        Positions [pc] and weights.

    Returns
    -------
    dict
        Share that is left; of these, root mean square height and mean distance from the axis [pc].
    """
    x, y, z, weight = ends
    total = float(weight.sum())
    return {
        "left": round(total / weight.size, 4),
        "rms_height": round(float(np.sqrt((weight * z * z).sum() / total)), 1),
        "mean_r": round(float((weight * np.hypot(x, y)).sum() / total), 1),
    }


def background_job(rigidity: float, control: bool) -> Any:
    """Job of the background, whose vector is the gradient by r and z, set up as a run does it.

    Parameters
    ----------
    rigidity : float
        Rigidity [GV].
    control : bool
        Whether a grid solution takes the noise out.
    """
    from mcprop.background import background
    from mcprop.background_job import BackgroundJob
    from mcprop.galaxy import Grid, GridSolution

    guess = GridSolution(GALAXY, Grid(GALAXY), rigidity, 0.0) if control else None
    setting = background(GALAXY, rigidity, guess=guess)
    name = ("benchmark", "galaxy", f"{rigidity:g} GV", control)
    return BackgroundJob(name, setting, np.eye(3, 2), 0.2)
