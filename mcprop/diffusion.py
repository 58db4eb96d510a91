"""Diffusion coefficients as plain functions: power law, kinetic theory, wandering field lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop.units import C_CM_S, C_LIGHT, PC_CM


def power_law(rigidity: Any, beta: Any, d0: float, reference: float, slope: float) -> Any:
    """Diffusion coefficient D = D0 beta (R/R0)^slope.

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    beta : float or ndarray
        Speed in units of that of light.
    d0 : float
        Coefficient at the reference rigidity for beta = 1 [pc^2/yr].
    reference : float
        Reference rigidity [GV].
    slope : float
        Exponent.

    Returns
    -------
    float or ndarray
        Diffusion coefficient [pc^2/yr].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 2.
    """
    return d0 * beta * (rigidity / reference) ** slope


def gyroradius(rigidity: Any, field_strength: float) -> Any:
    """Gyroradius r_g = R/(B c).

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    field_strength : float
        Magnetic field [uG].

    Returns
    -------
    float or ndarray
        Gyroradius [pc].

    Examples
    --------
    >>> round(gyroradius(3e6, 3.0), 3)
    1.081
    """
    metres = rigidity * 1e9 / (field_strength * 1e-10 * C_CM_S * 1e-2)
    return metres * 100.0 / PC_CM


def bohm_normalisation(
    field_strength: float, critical_rigidity: float, reference: float, slope: float
) -> float:
    """Coefficient k0 for which kappa_par is the Bohm value r_g c/3 at the critical rigidity.

    Parameters
    ----------
    field_strength : float
        Magnetic field [uG].
    critical_rigidity : float
        Rigidity at which the mean free path equals the gyroradius [GV].
    reference : float
        Rigidity at which k0 is stated [GV].
    slope : float
        Exponent of the power law.

    Returns
    -------
    float
        k0 for beta = 1 [pc^2/yr].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), section II A.
    """
    bohm = gyroradius(critical_rigidity, field_strength) * C_LIGHT / 3.0
    return float(bohm * (reference / critical_rigidity) ** slope)


def kinetic_tensor(
    rigidity: Any,
    beta: Any,
    field_strength: float,
    critical_rigidity: float,
    reference: float,
    slope: float,
) -> tuple[Any, Any]:
    """Diffusion along and across the field from kinetic theory.

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    beta : float or ndarray
        Speed in units of that of light.
    field_strength : float
        Magnetic field [uG].
    critical_rigidity : float
        Rigidity at which diffusion is of Bohm's kind [GV].
    reference : float
        Reference rigidity of the power law [GV].
    slope : float
        Exponent of the power law.

    Returns
    -------
    kappa_parallel, kappa_perp : float or ndarray
        Coefficients [pc^2/yr]; kappa_perp = kappa_parallel/(1 + (lambda/r_g)^2) with the mean free
        path lambda = 3 kappa_parallel/v.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), section II A.
    """
    k0 = bohm_normalisation(field_strength, critical_rigidity, reference, slope)
    parallel = power_law(rigidity, beta, k0, reference, slope)
    omega_tau = 3.0 * parallel / (beta * C_LIGHT) / gyroradius(rigidity, field_strength)
    return parallel, parallel / (1.0 + omega_tau**2)


def wandering_tensor(
    coefficient: Any, parallel_factor: float, mach_alfven: float
) -> tuple[Any, Any]:
    """Diffusion along and across a field whose lines wander.

    Parameters
    ----------
    coefficient : float or ndarray
        Isotropic coefficient D(R) [pc^2/yr].
    parallel_factor : float
        D_par/D(R).
    mach_alfven : float
        Alfven Mach number of the turbulence.

    Returns
    -------
    d_parallel, d_perp : float or ndarray
        Coefficients [pc^2/yr]; D_perp = M_A^4 D_par.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), section II A.
    """
    parallel = parallel_factor * coefficient
    return parallel, mach_alfven**4 * parallel


def normal_coefficient(kappa_parallel: Any, kappa_perp: Any, cos_angle: float) -> Any:
    """Diffusion coefficient along a direction at an angle to the field.

    Parameters
    ----------
    kappa_parallel, kappa_perp : float or ndarray
        Coefficients along and across the field [pc^2/yr].
    cos_angle : float
        Cosine of the angle between the direction and the field.

    Returns
    -------
    float or ndarray
        k_xx = kappa_par cos^2 + kappa_perp sin^2 [pc^2/yr].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 7.
    """
    return kappa_parallel * cos_angle**2 + kappa_perp * (1.0 - cos_angle**2)


def tensor(kappa_parallel: float, kappa_perp: float, b_hat: Any) -> np.ndarray:
    """Symmetric diffusion tensor of a uniform field.

    Parameters
    ----------
    kappa_parallel, kappa_perp : float
        Coefficients along and across the field [pc^2/yr].
    b_hat : array_like, shape (3,)
        Unit vector of the field; its axes are those of the answer.

    Returns
    -------
    ndarray, shape (3, 3)
        Tensor [pc^2/yr].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 5.
    """
    field = np.asarray(b_hat, dtype=float)
    return kappa_perp * np.eye(3) + (kappa_parallel - kappa_perp) * np.outer(field, field)


def apply_tensor(kappa_parallel: Any, kappa_perp: Any, b_hat: Any, vector: Any) -> np.ndarray:
    """Product of the diffusion tensor of a uniform field and a vector.

    Parameters
    ----------
    kappa_parallel, kappa_perp : float or ndarray, shape (...)
        Coefficients along and across the field [pc^2/yr].
    b_hat : array_like, shape (3,)
        Unit vector of the field.
    vector : array_like, shape (..., 3)
        Vector, for instance a gradient, in the axes of `b_hat`.

    Returns
    -------
    ndarray, shape (..., 3)
        kappa . vector.
    """
    field, vector = np.asarray(b_hat, dtype=float), np.asarray(vector, dtype=float)
    excess = (np.asarray(kappa_parallel) - kappa_perp) * (vector @ field)
    return np.asarray(kappa_perp)[..., None] * vector + excess[..., None] * field
