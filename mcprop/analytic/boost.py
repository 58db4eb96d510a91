"""Compton-Getting effect without approximation: the dipole of a boosted isotropic gas."""

from __future__ import annotations

import numpy as np


def dipole(
    energy: float, mass: float, index: float, velocity: np.ndarray, nodes: int = 64
) -> np.ndarray:
    """Dipole seen by an observer who moves through an isotropic gas of particles.

    The phase-space density is invariant, so the intensity from a direction is that of the gas at
    the momentum which the boost turns into the observed one, times the ratio of the momenta
    squared. Its first moment over the sky is integrated by Gauss-Legendre quadrature; to first
    order in the velocity it is (2 + index) velocity / v.

    Parameters
    ----------
    energy, mass : float
        Total energy for the observer, and mass [GeV].
    index : float
        The intensity in the gas falls as momentum^-index.
    velocity : ndarray, shape (3,)
        Of the observer in the gas, in units of the speed of light.
    nodes : int
        Nodes of the quadrature.

    Returns
    -------
    ndarray, shape (3,)
        Dipole, arrival convention, axes of `velocity`.

    References
    ----------
    Compton & Getting 1935, Phys. Rev. 47, 817; Xue & Liu 2025 (arXiv:2507.07057), eq. 15, is its
    first order.
    """
    speed = float(np.linalg.norm(velocity))
    if speed == 0.0:
        return np.zeros(3)
    cosine, weight = np.polynomial.legendre.leggauss(nodes)
    momentum = np.sqrt(energy**2 - mass**2)
    in_gas = (energy - speed * momentum * cosine) / np.sqrt(1.0 - speed**2)
    intensity = (momentum / np.sqrt(in_gas**2 - mass**2)) ** (2.0 + index)
    # subtracting the isotropic part keeps the digits of a small dipole
    moment = weight @ (cosine * (intensity - 1.0)) / (weight @ intensity)
    return 3.0 * moment * np.asarray(velocity) / speed
