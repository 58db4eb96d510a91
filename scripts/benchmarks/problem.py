"""The one problem that all engines solve: free walks in a uniform anisotropic medium."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

STEPS = 200
"""Steps of a particle."""

STEP = 0.5
"""Length of a step [yr]."""

KAPPA_PARALLEL, KAPPA_PERP = 1.0, 0.01
"""Diffusion coefficients along and across the field [pc^2/yr]."""

B_HAT = (0.6, 0.64, 0.48)
"""Direction of the field, along no axis."""

ALONG_X = (1.0, 0.0, 0.0)
"""The same for engines that work in the frame of the field."""


def root_tensor() -> np.ndarray:
    """Matrix that takes three normal numbers to the displacement of a step [pc], shape (3, 3)."""
    along = np.outer(B_HAT, B_HAT)
    root = math.sqrt(KAPPA_PARALLEL) * along + math.sqrt(KAPPA_PERP) * (np.eye(3) - along)
    return math.sqrt(2.0 * STEP) * root


def field_frame_scales() -> np.ndarray:
    """Displacements of a step per normal number in the frame of the field [pc], shape (3,)."""
    return np.sqrt(2.0 * STEP * np.array([KAPPA_PARALLEL, KAPPA_PERP, KAPPA_PERP]))


def variances(positions: np.ndarray, field: tuple[float, float, float]) -> dict[str, float]:
    """Compare the spread of the particles with what diffusion gives: all engines do the same work.

    Parameters
    ----------
    positions : ndarray, shape (3, n)
        At the end of the walk [pc].
    field : tuple of float
        Direction of the field in the axes of `positions`.

    Returns
    -------
    dict
        Variance along and across the field in units of 2 kappa t, both 1 within the noise.
    """
    time = STEPS * STEP
    along = np.array(field) @ positions
    across = np.mean(positions**2) * 3.0 - np.mean(along**2)
    return {
        "along": round(float(np.mean(along**2)) / (2.0 * KAPPA_PARALLEL * time), 4),
        "across": round(float(across) / (4.0 * KAPPA_PERP * time), 4),
    }


def lane_walk(first: int, out: np.ndarray) -> None:
    """Walk particles first, first + 1, ... with the package's kernel into `out` (1, 3, n)."""
    from mcprop.fields import UniformField
    from mcprop.kernels.walk import walk
    from mcprop.medium import Aligned

    medium = Aligned(UniformField(*B_HAT), KAPPA_PARALLEL, KAPPA_PERP, 0.0, 0.0, 0.0)
    seed, stream = np.uint64(1), np.uint64(2)
    # two steps share a block of random numbers
    walk(medium, seed, stream, np.uint64(first), np.zeros(3), STEPS // 2, STEP, out)


def nearby_job(scenario: str, estimator: str) -> Any:
    """Job that transports protons of the nearby source at 10 TeV.

    Parameters
    ----------
    scenario : str
        Name of a built-in scenario.
    estimator : {"walk", "assisted"}
        As in a configuration.
    """
    from mcprop.scenario import load
    from mcprop.xue_liu_2025.plan import Planner

    config = load(scenario).replace({"monte_carlo.estimator": estimator})
    planned = Planner(config.model(), config.monte_carlo).jobs(1e4)
    return next(
        item.job
        for item in planned
        if (item.component, item.species, item.gives) == ("nearby", "p", "dipole")
    )


def slab_steps(job: Any, particles: int) -> int:
    """Walk histories of a cloud job through its slab and nothing else; returns the steps."""
    from mcprop.kernels.slab import slab_walk

    scores, frames = np.empty((particles, 6)), np.empty((particles, 9))
    seed, first = np.uint64(1), np.uint64(0)
    fates, reach = np.zeros(4, dtype=np.int64), job.observer.reach
    return slab_walk(job.slab, job.outside, seed, first, first, reach, scores, frames, fates)
