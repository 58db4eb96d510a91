"""A burst in a uniform medium: density and dipole."""

from __future__ import annotations

from typing import Any

import numpy as np


def ln_density(displacement: Any, tensor: Any, age: Any) -> Any:
    """Logarithm of the density of one particle set free in a uniform medium.

    Parameters
    ----------
    displacement : array_like, shape (..., 3)
        Vector from the observer to the source [pc].
    tensor : array_like, shape (3, 3) or float
        Diffusion tensor in the same axes, or an isotropic coefficient [pc^2/yr].
    age : float or ndarray
        Time since the burst [yr].

    Returns
    -------
    float or ndarray
        ln of the density in pc^-3.
    """
    displacement = np.asarray(displacement, dtype=float)
    kappa = _matrix(tensor)
    solved = np.linalg.solve(kappa, displacement[..., None])[..., 0]
    exponent = np.sum(displacement * solved, axis=-1) / (4.0 * age)
    log_volume = 1.5 * np.log(4.0 * np.pi * age) + 0.5 * np.linalg.slogdet(kappa)[1]
    return (-log_volume - exponent)[()]


def density(displacement: Any, tensor: Any, age: Any) -> Any:
    """Density of one particle set free in a uniform medium.

    Parameters
    ----------
    displacement : array_like, shape (..., 3)
        Vector from the observer to the source [pc].
    tensor : array_like, shape (3, 3) or float
        Diffusion tensor in the same axes, or an isotropic coefficient [pc^2/yr].
    age : float or ndarray
        Time since the burst [yr].

    Returns
    -------
    float or ndarray
        (4 pi T)^-3/2 det(kappa)^-1/2 exp(-r kappa^-1 r/(4 T)) [pc^-3].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eqs. 6 and 9.
    """
    return np.exp(ln_density(displacement, tensor, age))


def grad_ln_density(displacement: Any, tensor: Any, age: Any) -> np.ndarray:
    """Gradient of ln density at the observer.

    Parameters
    ----------
    displacement : array_like, shape (..., 3)
        Vector from the observer to the source [pc].
    tensor : array_like, shape (3, 3) or float
        Diffusion tensor in the same axes, or an isotropic coefficient [pc^2/yr].
    age : float or ndarray
        Time since the burst [yr].

    Returns
    -------
    ndarray, shape (..., 3)
        kappa^-1 r/(2 T) [1/pc]; it points up, toward the source in an isotropic medium.
    """
    displacement = np.asarray(displacement, dtype=float)
    solved = np.linalg.solve(_matrix(tensor), displacement[..., None])[..., 0]
    return solved / (2.0 * np.asarray(age)[..., None])


def dipole(displacement: Any, speed: Any, age: Any) -> np.ndarray:
    """Dipole of a burst in a uniform medium, arrival convention.

    Parameters
    ----------
    displacement : array_like, shape (..., 3)
        Vector from the observer to the source [pc].
    speed : float or ndarray
        Speed of the particles [pc/yr].
    age : float or ndarray
        Time since the burst [yr].

    Returns
    -------
    ndarray, shape (..., 3)
        3 r/(2 v T): (3/v) kappa . grad ln psi, from which the tensor drops out.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 12.
    """
    displacement = np.asarray(displacement, dtype=float)
    return 3.0 * displacement / (2.0 * np.asarray(speed * np.asarray(age))[..., None])


def _matrix(tensor: Any) -> np.ndarray:
    tensor = np.asarray(tensor, dtype=float)
    return tensor if tensor.ndim >= 2 else tensor * np.eye(3)
