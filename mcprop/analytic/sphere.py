"""A sphere of another diffusion tensor in a uniform gradient: the dielectric sphere."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop.errors import RangeError


def gradient_factor(outside: Any, inside: Any, radius: float = 0.0, boundary: float = 1.0) -> Any:
    """Gradient inside a sphere over the gradient far outside, along a principal axis.

    Parameters
    ----------
    outside : float or ndarray
        Isotropic diffusion coefficient around the sphere [pc^2/yr].
    inside : float or ndarray
        Diffusion coefficient in the sphere along the principal axis in question, in the same unit;
        the coefficients along the other two axes do not matter.
    radius, boundary : float
        Radius of the sphere, and of a concentric sphere on which the density is held at that of the
        undisturbed gradient [pc]. By default the medium is infinite.

    Returns
    -------
    float or ndarray
        3 D / (2 D + kappa + (a/b)^3 (D - kappa)). The field in the sphere is uniform, so this holds
        anywhere in it.

    Raises
    ------
    RangeError
        For a coefficient that is not positive (that inside may be zero), or a sphere that does not
        fit within its boundary.

    Notes
    -----
    Inside, the density is 1 + A x along an axis; outside, 1 + B x (1 + P a^3 / r^3) with the
    polarisability P of `polarisability`. Density and flux are continuous at r = a.

    References
    ----------
    Landau & Lifshitz, Electrodynamics of Continuous Media, section 8; Jackson, Classical
    Electrodynamics, section 4.4. A tensor inside keeps its principal axes apart, for the linear
    density solves div(kappa grad psi) = 0 with any constant tensor.
    """
    outside, inside = _checked(outside, inside)
    if not 0.0 <= radius < boundary:
        raise RangeError(
            f"The radius {radius!r} pc of the sphere must lie within its boundary {boundary!r} pc."
        )
    shadow = (radius / boundary) ** 3
    return (3.0 * outside / (2.0 * outside + inside + shadow * (outside - inside)))[()]


def polarisability(outside: Any, inside: Any) -> Any:
    """Dipole moment P of a sphere in an infinite medium, in units of its cubed radius.

    Parameters
    ----------
    outside, inside : float or ndarray
        Diffusion coefficients around and in the sphere along the axis in question [pc^2/yr].

    Returns
    -------
    float or ndarray
        (D - kappa) / (2 D + kappa): outside, the density is 1 + G x (1 + P a^3 / r^3).
    """
    outside, inside = _checked(outside, inside)
    return ((outside - inside) / (2.0 * outside + inside))[()]


def _checked(outside: Any, inside: Any) -> tuple[np.ndarray, np.ndarray]:
    outside, inside = np.asarray(outside, dtype=float), np.asarray(inside, dtype=float)
    if not np.all(outside > 0.0):
        raise RangeError(f"The coefficient outside the sphere, {outside!s}, must be positive.")
    if not np.all(inside >= 0.0):
        raise RangeError(f"The coefficient inside the sphere, {inside!s}, must not be negative.")
    return outside, inside
