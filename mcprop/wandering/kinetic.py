"""Kinetic theory in a uniform field: hard-sphere scattering with exact gyration between collisions.

The tensor of this theory is kappa_par = v^2 tau/3 along the field b, kappa_perp = kappa_par/(1 +
w^2) across, and an antisymmetric part kappa_A = w kappa_perp, with w = omega tau: the flux of a
positive charge has the part + kappa_A b x grad n.

>>> from mcprop.wandering.kinetic import flight_coefficients
>>> [round(float(k), 1) for k in flight_coefficients(speed=3.0, omega=1.0, tau=2.0, seed=1)]
[6.0, 1.2, 2.4]
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.lanes import LANES
from mcprop.kernels.launch import directions as random_directions
from mcprop.kernels.rng import words
from mcprop.kernels.scatter import flights, scattered
from mcprop.wandering.course import numbers
from mcprop.wandering.realisations import positive, whole

STREAM = 0x6B696E65
"""Stream of the random numbers."""

MOST, TOGETHER = 1e6, 1_000_000
"""Most flights of a particle, and those of all that are taken without looking up: a second."""


class Coefficients(NamedTuple):
    """Diffusion along and across a field, and the antisymmetric part.

    parallel, perp, hall : float, [pc^2/yr]; `hall` is positive for a positive charge.
    """

    parallel: float
    perp: float
    hall: float


class Scattered(NamedTuple):
    """Scattered orbits that start at the origin.

    times : ndarray (records,) [yr]; first : ndarray (particles, 3), directions at the start;
    positions : ndarray (records, particles, 3) [pc]; directions : the same shape.
    """

    times: np.ndarray
    first: np.ndarray
    positions: np.ndarray
    directions: np.ndarray

    def __repr__(self) -> str:
        records, particles, _ = self.positions.shape
        return f"Scattered({particles} particles, {records} times to {self.times[-1]:g} yr)"


class Flights(NamedTuple):
    """Single flights from given directions.

    displacements : ndarray (particles, 3) [pc]; directions : ndarray (particles, 3) at their other
    end; times : ndarray (particles,) [yr], negative for flights backward in time.
    """

    displacements: np.ndarray
    directions: np.ndarray
    times: np.ndarray


def flight_coefficients(
    speed: float, omega: float, tau: float, *, number: int = 256, seed: int = 0
) -> Coefficients:
    """Coefficients from the times T of single flights, drawn stratified: the cheapest estimate.

    kappa_par = v^2 E[T]/3; kappa_perp = v^2 E[sin(omega T)]/(3 omega) where w = omega tau is below
    1, and v^2 E[1 - cos(omega T)]/(3 omega^2 tau) from 1 on; kappa_A = w kappa_perp.

    Parameters
    ----------
    speed : float
        Speed [pc/yr].
    omega : float
        Angular frequency of gyration [rad/yr], negative for a negative charge.
    tau : float
        Mean time between collisions [yr].
    number : int
        Flights; with 256 the error is about 1 per cent, or more where w is above 25.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Coefficients
        The three estimates.

    Raises
    ------
    RangeError
        If a number is out of range.
    """
    _check(speed, omega, tau)
    out = np.empty((whole("number", number, 1), 2), np.uint64)
    words(np.uint64(whole("seed", seed, 0)), np.uint64(STREAM), np.uint64(0), np.uint64(0), out)
    strata = (np.arange(number) + (out[:, 0] >> np.uint64(11)) * 2.0**-53) / number
    times = -tau * np.log1p(-strata)
    unit = speed**2 / 3.0
    if abs(omega) * tau < 1.0:
        perp = unit * float(np.mean(times * np.sinc(omega * times / np.pi)))
    else:
        perp = unit * float(np.mean(1.0 - np.cos(omega * times))) / (omega**2 * tau)
    return Coefficients(unit * float(times.mean()), perp, omega * tau * perp)


def scattered_orbits(
    speed: float,
    omega: float,
    tau: float,
    times: Any,
    particles: int,
    seed: int,
    *,
    b_hat: Any = (0.0, 0.0, 1.0),
    first: int = 0,
) -> Scattered:
    """Scattered orbits from the origin, in directions uniform over the sphere.

    Parameters
    ----------
    speed, omega, tau : float
        As for `flight_coefficients`.
    times : array_like
        Times of the records [yr], positive and rising.
    particles, seed : int
        Number of particles, and seed of the study.
    b_hat : array_like, shape (3,)
        Unit vector of the field.
    first : int
        Number of the first particle: each has its own random numbers.

    Returns
    -------
    Scattered
        Places and directions.

    Raises
    ------
    RangeError
        If a number is out of range.
    """
    _check(speed, omega, tau)
    at = np.atleast_1d(numbers("times", times, "yr"))
    if not (at.ndim == 1 and at.size and np.all(np.diff(at, prepend=0.0) > 0.0)):
        raise RangeError(f"times = {times} must be positive and rising [yr].")
    if not at[-1] <= MOST * tau:
        raise RangeError(
            f"times = {times} take {at[-1] / tau:.3g} flights of tau = {tau} yr: {MOST:.0e} at "
            "most are allowed."
        )
    begin = np.empty((whole("particles", particles, 1), 3))
    key, stream = np.uint64(whole("seed", seed, 0)), np.uint64(STREAM)
    number = np.uint64(whole("first", first, 0, 2**62))
    random_directions(key, stream, number, begin)
    out = np.empty((len(at), 6, particles))
    starts = np.vstack([np.zeros((3, particles)), begin.T])
    theory = speed, omega, tau, _unit(b_hat), key, stream
    many = LANES * max(int(TOGETHER / (LANES * (len(at) + at[-1] / tau))), 1)
    for i in range(0, particles, many):  # Ctrl-C is heard in between
        some = starts[:, i : i + many].copy()
        ends = np.empty((len(at), *some.shape))
        scattered(*theory, number + np.uint64(i), at, some, ends)
        out[:, :, i : i + many] = ends
    return Scattered(at, begin, np.moveaxis(out[:, :3], 1, 2), np.moveaxis(out[:, 3:], 1, 2))


def single_flights(
    directions: Any,
    speed: float,
    omega: float,
    tau: float,
    seed: int,
    *,
    b_hat: Any = (0.0, 0.0, 1.0),
    first: int = 0,
    backward: bool = False,
) -> Flights:
    """One flight from each direction to its first collision, or back to the one before.

    The mean displacement is v tau [n_par + (n_perp - w b x n)/(1 + w^2)] from the direction n, and
    later flights add nothing to it. Traced back the term in b x n has the other sign, and the
    whole the opposite.

    Parameters
    ----------
    directions : array_like, shape (particles, 3)
        Unit vectors of the motion, forward in time.
    speed, omega, tau : float
        As for `flight_coefficients`.
    seed : int
        Seed of the study.
    b_hat : array_like, shape (3,)
        Unit vector of the field.
    first : int
        Number of the first particle: each has its own random numbers.
    backward : bool
        Whether to go back in time: the way that a particle came.

    Returns
    -------
    Flights
        Displacements, directions and times.

    Raises
    ------
    RangeError
        If a number is out of range, or shapes do not fit.
    """
    _check(speed, omega, tau)
    begin = np.atleast_2d(numbers("directions", directions))
    if begin.ndim != 2 or begin.shape[1:] != (3,) or not len(begin):
        raise RangeError(f"directions has the shape {begin.shape}; it must be (particles, 3).")
    if not np.abs(np.linalg.norm(begin, axis=1) - 1.0).max() < 1e-9:
        raise RangeError("directions must be unit vectors.")
    out = np.empty((7, len(begin)))
    flights(
        speed,
        omega,
        -tau if backward else tau,
        _unit(b_hat),
        np.uint64(whole("seed", seed, 0)),
        np.uint64(STREAM),
        np.uint64(whole("first", first, 0, 2**62)),
        np.ascontiguousarray(begin.T),
        out,
    )
    return Flights(out[:3].T, out[3:6].T, out[6])


def _check(speed: float, omega: float, tau: float) -> None:
    positive("speed", speed, "pc/yr")
    positive("tau", tau, "yr")
    if numbers("omega", omega, "rad/yr").ndim:
        raise RangeError(f"omega = {omega} must be one number [rad/yr].")


def _unit(b_hat: Any) -> np.ndarray:
    field = numbers("b_hat", b_hat)
    if field.shape != (3,) or not abs(np.linalg.norm(field) - 1.0) < 1e-9:
        raise RangeError(f"b_hat = {b_hat} must be a unit vector of three numbers.")
    return field
