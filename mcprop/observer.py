"""The observer: how an arrival direction becomes the last mean free path of a history."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Observer(NamedTuple):
    """The last mean free path of an observer at rest in a diffusing medium.

    Parameters
    ----------
    mean_free_path : ndarray, shape (3, 3)
        Matrix that takes an arrival direction (ICRS) to the displacement 3 kappa n / v in the axes
        of the medium [pc].
    share : float
        Part of the mean free path that histories are displaced by, at most 1.
    """

    mean_free_path: np.ndarray
    share: float

    @property
    def reach(self) -> np.ndarray:
        """Displacement of a history per arrival direction [pc], shape (3, 3)."""
        return np.ascontiguousarray(self.share * self.mean_free_path)


def observer(
    tensor: np.ndarray, speed: float, axes: np.ndarray, form: np.ndarray, step: float
) -> Observer:
    """Describe an observer whose histories start within the linear range of the density.

    The intensity from n is the density one mean free path up n, to first order in it.  Histories
    are displaced by a share of it, small enough for the density to be linear over the displacement
    (up to `step` squared over six).

    Parameters
    ----------
    tensor : ndarray, shape (3, 3)
        Local diffusion tensor in the axes of the medium [pc^2/yr].
    speed : float
        Particle speed [pc/yr].
    axes : ndarray, shape (3, 3)
        Axes of the medium as rows (ICRS).
    form : ndarray, shape (3, 3)
        Quadratic form whose value for a displacement is its squared length in units of the scale on
        which the density varies [pc^-2].
    step : float
        Largest displacement, in units of that scale; infinite for the whole mean free path.

    Returns
    -------
    Observer

    References
    ----------
    Ahlers & Mertsch 2017, Prog. Part. Nucl. Phys. 94, 184 (diffusion approximation of the dipole).
    """
    mean_free_path = 3.0 / speed * tensor @ axes
    longest = math.sqrt(float(np.linalg.eigvalsh(mean_free_path.T @ form @ mean_free_path)[-1]))
    return Observer(mean_free_path, min(1.0, step / longest))
