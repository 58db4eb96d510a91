"""A slab-like cloud with flow: the steady solution, and the exact quadrature for a burst outside.

The cloud fills the half-space of positive depth behind its leading face and moves, face first,
through the outer medium. All vectors are in the cloud frame: first axis the depth, second and third
along the face (see `mcprop.frames.cloud_frame`). A backward history from the Sun at depth x drifts
deeper at the flow speed u, diffuses with the local tensor kappa, and leaves through the face after
a time tau. The density of that time is

    f(tau; x) = x/sqrt(4 pi k_xx tau^3) exp(-(x + u tau)^2/(4 k_xx tau)),

and given tau the place of exit is Gaussian, because the noise along the face is correlated with the
noise in depth, which must add up to -(x + u tau).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError

NODES = 600
"""Gauss-Legendre nodes in the time of exit."""
LATEST = 1e-6
"""Exits within this part of the age after the burst are left out."""


def steady_density(depth: Any, k_xx: Any, flow_speed: float) -> Any:
    """Density behind the face for an outside density of 1 that does not change with time.

    Parameters
    ----------
    depth : float or ndarray
        Depth behind the face [pc].
    k_xx : float or ndarray
        Diffusion coefficient along the depth [pc^2/yr].
    flow_speed : float
        Speed of the cloud [pc/yr].

    Returns
    -------
    float or ndarray
        exp(-u x/k_xx).

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 6.
    """
    return np.exp(-flow_speed * np.asarray(depth)[()] / k_xx)


def steady_grad_ln_density(k_xx: Any, flow_speed: float) -> np.ndarray:
    """Gradient of ln density behind the face in the steady state.

    Parameters
    ----------
    k_xx : float or ndarray
        Diffusion coefficient along the depth [pc^2/yr].
    flow_speed : float
        Speed of the cloud [pc/yr].

    Returns
    -------
    ndarray, shape (..., 3)
        (-u/k_xx, 0, 0) [1/pc], cloud frame.
    """
    slope = -flow_speed / np.asarray(k_xx, dtype=float)
    return slope[..., None] * np.array([1.0, 0.0, 0.0])


def exit_time_density(time: Any, depth: float, k_xx: float, flow_speed: float) -> Any:
    """Density of the time after which a backward history leaves through the face.

    Parameters
    ----------
    time : float or ndarray
        Time since the start [yr].
    depth : float
        Depth of the start [pc].
    k_xx : float
        Diffusion coefficient along the depth [pc^2/yr].
    flow_speed : float
        Speed of the cloud [pc/yr].

    Returns
    -------
    float or ndarray
        f(tau; x) [1/yr]; its integral is exp(-u x/k_xx), the rest never leaves.
    """
    return np.exp(_ln_exit_time_density(time, depth, k_xx, flow_speed))


def density(
    depth: float,
    kappa: Any,
    flow_speed: float,
    outer: Any,
    source: Any,
    age: float,
    offset: tuple[float, float] = (0.0, 0.0),
    nodes: int = NODES,
) -> float:
    """Density at the Sun of one particle set free outside the cloud.

    Parameters
    ----------
    depth : float
        Depth of the Sun behind the face [pc].
    kappa : array_like, shape (3, 3)
        Diffusion tensor inside the cloud, cloud frame [pc^2/yr].
    flow_speed : float
        Speed of the cloud [pc/yr].
    outer : array_like, shape (3, 3)
        Diffusion tensor outside, cloud frame [pc^2/yr].
    source : array_like, shape (3,)
        Vector from the Sun to the source, cloud frame [pc].
    age : float
        Time since the burst [yr].
    offset : tuple of float
        Displacement of the observer along the face, the source staying where it is [pc].
    nodes : int
        Number of quadrature nodes.

    Returns
    -------
    float
        Density [pc^-3].

    Raises
    ------
    RangeError
        If the depth or the age is not positive.
    """
    return float(np.exp(solve(depth, kappa, flow_speed, outer, source, age, offset, nodes)[0]))


def grad_ln_density(
    depth: float,
    kappa: Any,
    flow_speed: float,
    outer: Any,
    source: Any,
    age: float,
    offset: tuple[float, float] = (0.0, 0.0),
    nodes: int = NODES,
) -> np.ndarray:
    """Gradient of ln density with respect to the place of the observer.

    Parameters
    ----------
    depth, kappa, flow_speed, outer, source, age, offset, nodes
        As in `density`.

    Returns
    -------
    ndarray, shape (3,)
        Gradient [1/pc], cloud frame; face and source stay where they are.

    Raises
    ------
    RangeError
        If the depth or the age is not positive.
    """
    return solve(depth, kappa, flow_speed, outer, source, age, offset, nodes)[1]


def solve(
    depth: float,
    kappa: Any,
    flow_speed: float,
    outer: Any,
    source: Any,
    age: float,
    offset: tuple[float, float] = (0.0, 0.0),
    nodes: int = NODES,
) -> tuple[float, np.ndarray]:
    """Logarithm of the density and its gradient from one quadrature.

    Parameters
    ----------
    depth, kappa, flow_speed, outer, source, age, offset, nodes
        As in `density`.

    Returns
    -------
    ln_density : float
        ln of the density in pc^-3.
    gradient : ndarray, shape (3,)
        Gradient of ln density [1/pc], cloud frame.

    Raises
    ------
    RangeError
        If the depth or the age is not positive.
    """
    if not (depth > 0.0 and age > 0.0):
        raise RangeError(f"depth = {depth} pc and age = {age} yr must both be positive.")
    local = _local(kappa)
    time, ln_weight = _time_nodes(depth, local.k_xx, age, nodes)
    travel = depth + flow_speed * time
    separation = _separation(depth, travel, local, source, offset)
    pull, ln_gauss = _gaussian(separation, time, local, np.asarray(outer, dtype=float), age)
    ln_f = _ln_exit_time_density(time, depth, local.k_xx, flow_speed)
    ln_terms = ln_weight + ln_f + ln_gauss
    peak = np.max(ln_terms)
    terms = np.exp(ln_terms - peak)
    total = np.sum(terms)
    slopes = _slopes(depth, time, travel, local, pull)
    return float(peak + np.log(total)), terms @ slopes / total


class _Local(NamedTuple):
    """The local tensor seen by an exit at a given time."""

    k_xx: float
    drag: np.ndarray
    along_face: np.ndarray


def _local(kappa: Any) -> _Local:
    """Split the tensor: k_xx, k_yx/k_xx, and the variance along the face that depth leaves over."""
    kappa = np.asarray(kappa, dtype=float)
    k_xx = float(kappa[0, 0])
    drag = kappa[1:, 0] / k_xx
    return _Local(k_xx, drag, kappa[1:, 1:] - np.outer(drag, kappa[0, 1:]))


@lru_cache(maxsize=8)
def _legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(nodes)


def _time_nodes(depth: float, k_xx: float, age: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in time and ln of their weights, uniform in ln(tau/(T - tau)).

    Below depth^2/(400 k_xx) the exit-time density is smaller than exp(-100) of its scale; where
    that bound comes close to the age, the last decades before the age hold all there is. The
    logarithm of the time that is left resolves the young burst of late exits.
    """
    lowest = min(depth**2 / (400.0 * k_xx), 1e-3 * age)
    bounds = np.log(lowest / (age - lowest)), np.log(1.0 / LATEST)
    abscissa, weight = _legendre(nodes)
    half = 0.5 * (bounds[1] - bounds[0])
    odds = np.exp(bounds[0] + half * (abscissa + 1.0))
    time = age * odds / (1.0 + odds)
    return time, np.log(half * weight * time / (1.0 + odds))


def _ln_exit_time_density(time: Any, depth: float, k_xx: float, flow_speed: float) -> Any:
    front = np.log(depth) - 0.5 * np.log(4.0 * np.pi * k_xx * time**3)
    return front - (depth + flow_speed * time) ** 2 / (4.0 * k_xx * time)


def _separation(
    depth: float, travel: np.ndarray, local: _Local, source: Any, offset: tuple[float, float]
) -> np.ndarray:
    """Vectors from the mean place of exit to the source, shape (nodes, 3)."""
    source = np.asarray(source, dtype=float)
    across = source[1:] - np.asarray(offset) + np.outer(travel, local.drag)
    return np.column_stack([np.full(len(travel), source[0] + depth), across])


def _gaussian(
    separation: np.ndarray, time: np.ndarray, local: _Local, outer: np.ndarray, age: float
) -> tuple[np.ndarray, np.ndarray]:
    """C^-1 d and ln of the Gaussian for the covariance C of outer diffusion plus exit spread."""
    covariance = 2.0 * outer * (age - time)[:, None, None]
    covariance[:, 1:, 1:] += 2.0 * local.along_face * time[:, None, None]
    pull = np.linalg.solve(covariance, separation[..., None])[..., 0]
    log_det = np.linalg.slogdet(covariance)[1]
    exponent = np.sum(separation * pull, axis=1)
    return pull, -0.5 * (3.0 * np.log(2.0 * np.pi) + log_det + exponent)


def _slopes(
    depth: float, time: np.ndarray, travel: np.ndarray, local: _Local, pull: np.ndarray
) -> np.ndarray:
    """Derivatives of the ln integrand with the observer's place, shape (nodes, 3)."""
    # A deeper start lengthens the way to the face (f) and drags the place of exit along (d).
    deeper = 1.0 / depth - travel / (2.0 * local.k_xx * time) - pull[:, 1:] @ local.drag
    return np.column_stack([deeper, pull[:, 1:]])
