"""A burst seen through one realisation of a wandering field: density and dipole at an observer.

A cloud of pseudo-particles goes forward from the source, another goes backward from the observer,
and they meet in one last step that is summed over in closed form (`mcprop.wandering.meeting`). By
Chapman and Kolmogorov the mean over all pairs is the density, whatever time each of them has: no
diffusion coefficient of a homogenised medium enters.

The dipole (3/v) kappa . grad ln psi takes the gradient along the line of the field on which the
observer stands, and across it. Clouds from displaced observers share their random numbers for a
short `leg`. They are a small distance apart at its end, and what that distance is worth is told by
a polynomial in the coordinates of field lines (`mcprop.wandering.line_scores`), fitted to the
density that the cloud meets later. Only that fit is no identity; that the dipole does not depend on
the leg shows that it is good enough.

References
----------
Milstein, Schoenmakers & Spokoiny, Bernoulli 10 (2004) 281 (forward-reverse estimators).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.mirror import SIGNS
from mcprop.kernels.wander import FARTHEST
from mcprop.medium import Constant, FieldAligned
from mcprop.protocol import step_scale
from mcprop.units import C_LIGHT, bare
from mcprop.wandering.burst_clouds import (
    FROM_SOURCE,
    SHORT_STEPS,
    Copies,
    Vector,
    displaced,
    durations,
    walk,
    walk_back,
    walk_on,
)
from mcprop.wandering.line_scores import (
    LineScores,
    frame_of,
    line_coordinates,
    line_scores,
    polynomials,
)
from mcprop.wandering.meeting import Meeting, crossings, meet
from mcprop.wandering.realisations import check_answer, check_field, positive, whole
from mcprop.wandering.tracing import trace

__all__ = ["BurstSeen", "burst_through"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class BurstSeen:
    """A burst as an observer sees it through one realisation of a field.

    Every error is a standard deviation over both clouds; it does not say how realisations differ.

    Attributes
    ----------
    density, density_error : float
        Density of one particle set free at the source [pc^-3].
    dipole : ndarray, shape (3,)
        (3/v) kappa . grad ln density, arrival convention, in the axes of the field.
    dipole_covariance : ndarray, shape (3, 3)
        Of its estimate.
    density_dipole : ndarray, shape (3,)
        Covariance of the density with the dipole [pc^-3].
    b_hat : ndarray, shape (3,)
        Direction of the field at the observer.
    mean_free_path : float
        Lambda = 3 kappa_parallel/v [pc].
    finite_dipole, finite_dipole_error : float
        Component along b_hat of the dipole of an observer who looks a whole mean free path far, to
        places mu Lambda along the line (Gauss-Legendre in mu); NaN without `nodes`. Where it
        differs from `dipole @ b_hat`, diffusion is doubtful.
    line_distance : float
        Distance, across the mean field, from the observer to the line of the source where that line
        passes the observer's height [pc].
    growth_perp, growth_parallel : float
        Mean square displacement of the source's cloud over twice its age, across the mean field
        (mean of two components) and along it [pc^2/yr].
    sub_steps : int
        Sub-steps along field lines, the measure of the cost.
    """

    density: float
    density_error: float
    dipole: Array
    dipole_covariance: Array
    density_dipole: Array
    b_hat: Array
    mean_free_path: float
    finite_dipole: float
    finite_dipole_error: float
    line_distance: float
    growth_perp: float
    growth_parallel: float
    sub_steps: int

    @property
    def dipole_error(self) -> Array:
        """Standard deviations of the components of the dipole, shape (3,)."""
        return np.sqrt(np.diag(self.dipole_covariance))

    @property
    def along(self) -> float:
        """Component of the dipole along the local field."""
        return float(self.dipole @ self.b_hat)

    @property
    def along_error(self) -> float:
        """Its standard deviation."""
        return math.sqrt(float(self.b_hat @ self.dipole_covariance @ self.b_hat))


def burst_through(
    field: Any,
    source: Any,
    age: float,
    kappa_parallel: float,
    kappa_perp: float,
    *,
    observer: Any = (0.0, 0.0, 0.0),
    speed: float = C_LIGHT,
    forward: int = 16384,
    backward: int = 16384,
    parallel_step: float | None = None,
    leg: float | None = None,
    backward_time: float | None = None,
    meeting: float | None = None,
    nodes: int = 4,
    seed: int = 0,
) -> BurstSeen:
    """Density and dipole of a burst at an observer, through a given field.

    Particles diffuse with kappa_parallel along the lines of the field and with kappa_perp across.

    Parameters
    ----------
    field : model of a magnetic field
        Mean field along +z, with B_z > 0 wherever particles go.
    source, observer : array_like, shape (3,)
        Places [pc], in the axes of the field.
    age : float
        Time since the burst [yr].
    kappa_parallel, kappa_perp : float
        Microscopic coefficients [pc^2/yr], kappa_parallel > kappa_perp.
    speed : float
        Speed of the particles [pc/yr].
    forward, backward : int
        Particles of the source's cloud, and of each of the observer's.
    parallel_step : float, optional
        Root mean square way along the line in a step [pc]; it sets the time step. By default the
        longest for which it is at most `STRIDE` times, and the kick across `KICK` times the
        `step_scale` (the shortest wavelength).
    leg : float, optional
        How long displaced observers' clouds go [yr]; by default a sixteenth of the age.
    backward_time : float, optional
        How long the observer's own cloud goes in all [yr]; by default four times the leg.
    meeting : float, optional
        Duration of the last step [yr]; by default the longest, up to `MEETING` times the age, whose
        kick is at most `KICK` times the `step_scale`.
    nodes : int
        Even number of directions along the line for `BurstSeen.finite_dipole`, or 0 to leave it
        out.
    seed : int
        The same seed gives the same bits.

    Returns
    -------
    BurstSeen

    Raises
    ------
    RangeError
        If an argument is not allowed, or a line turns back against the mean field.
    ModelError
        If `field` is no model of a field.
    """
    check_field(field)
    start, place = _place("source", source), _place("observer", observer)
    check_answer(field, place)
    medium = _medium(field, kappa_parallel, kappa_perp)
    whole("forward", forward, 2)
    if whole("backward", backward, 256) % len(SIGNS):
        raise RangeError(f"backward = {backward!r} must be a multiple of {len(SIGNS)}.")
    whole("seed", seed, 0)
    if whole("nodes", nodes, 0) % 2:
        raise RangeError(f"nodes = {nodes!r} must be even: directions come in opposite pairs.")
    scale = min(float(step_scale(field, *place)), FARTHEST)
    times = durations(medium, scale, age, parallel_step, leg, backward_time, meeting)
    free_path = 3.0 * kappa_parallel / positive("speed", speed, "pc/yr")
    offset = float(np.random.default_rng((seed, 2)).random())
    last = Meeting(times.meeting, kappa_parallel, kappa_perp, offset, SHORT_STEPS * scale)

    cloud = np.repeat(np.array(start)[:, None], forward, axis=1)
    spent = walk(medium, seed, FROM_SOURCE, 0, times.step, times.forward, cloud)
    growth = ((cloud - np.array(start)[:, None]) ** 2).mean(axis=1) / (2.0 * times.forward)

    copies = displaced(medium, scale, times, place, free_path, nodes)
    clouds = [np.repeat(spot[:, None], backward, axis=1) for spot in copies.places]
    spent += sum(walk_back(medium, seed, times, one) for one in clouds)
    found = _scores(copies, clouds, medium, speed, place[2], last.longest)
    spent += walk_on(medium, seed, times, clouds[0])
    (density, dipole, covariance), finite = _met(cloud, clouds[0], field, found, last)
    return BurstSeen(
        density=density,
        density_error=math.sqrt(covariance[0, 0]),
        dipole=dipole,
        dipole_covariance=covariance[1:, 1:],
        density_dipole=covariance[0, 1:],
        b_hat=copies.frame[0],
        mean_free_path=free_path,
        finite_dipole=finite[0],
        finite_dipole_error=finite[1],
        line_distance=_line_distance(field, start, place, last.longest),
        growth_perp=float(growth[:2].mean()),
        growth_parallel=float(growth[2]),
        sub_steps=spent,
    )


def _scores(
    copies: Copies,
    clouds: list[Array],
    medium: FieldAligned,
    speed: float,
    height: float,
    longest: float,
) -> LineScores:
    """Weights of the observer's particles, from where displaced ones are at the end of the leg."""
    labels = [line_coordinates(medium.field, one, height, longest) for one in clouds]
    frame = frame_of(labels[0])
    basis = np.stack([polynomials(one, frame) for one in labels])
    return line_scores(basis[0], copies.moved(basis, medium, speed))


def _met(
    source: Array, observer: Array, field: Any, found: LineScores, last: Meeting
) -> tuple[tuple[float, Array, Array], tuple[float, float]]:
    """Density, dipole and covariance; and the finite dipole with its error."""
    scores = np.vstack([np.ones(observer.shape[1]), found.weights])
    crossed = [crossings(field, cloud, last) for cloud in (source, observer)]
    rows, columns = meet(crossed[0], crossed[1], scores, last)
    if not rows.any():
        raise RangeError(
            "source: no particle that comes from it meets one of the observer's; it is too far, or "
            "there are too few."
        )
    rows = np.vstack([rows, found.influence(rows)])
    rows = rows.reshape(len(rows), len(SIGNS), -1).mean(axis=1)  # what shares its random numbers
    near = _ratio(rows[:4], columns[:4])
    if not rows[4].any():
        return near, (math.nan, math.nan)
    _, finite, spread = _ratio(rows[4:], columns[4:])
    return near, (float(finite[0]), math.sqrt(spread[1, 1]))


def _ratio(by_observer: Array, by_source: Array) -> tuple[float, Array, Array]:
    """Mean of the first score, the others over it, and their covariance, from both samples.

    The variance of a mean over pairs is the sum of those of its two partial means (that of the pair
    itself stands in both, so this errs on the safe side).
    """
    mean = by_observer.mean(axis=1)
    ratio = mean[1:] / mean[0]
    covariance = np.zeros((len(mean), len(mean)))
    for scores in (by_observer, by_source):
        influence = scores - mean[:, None]
        influence[1:] = (scores[1:] - ratio[:, None] * scores[0]) / mean[0]
        covariance += np.cov(influence) / scores.shape[1]
    return float(mean[0]), ratio, covariance


def _place(name: str, given: Any) -> Vector:
    bare(name, given, "pc")
    try:
        place = np.array(given, dtype=float)
    except (TypeError, ValueError):
        place = np.empty(0)
    if place.shape != (3,) or not np.isfinite(place).all():
        raise RangeError(f"{name} = {given!r} must be three finite numbers [pc].")
    x, y, z = place.tolist()
    return x, y, z


def _medium(field: Any, kappa_parallel: float, kappa_perp: float) -> FieldAligned:
    parallel = positive("kappa_parallel", kappa_parallel, "pc^2/yr")
    perp = positive("kappa_perp", kappa_perp, "pc^2/yr")
    if not perp < parallel:
        raise RangeError(
            f"kappa_perp = {perp!r} pc^2/yr must be less than kappa_parallel = {parallel!r}."
        )
    return FieldAligned(field, Constant(parallel), Constant(perp))


def _line_distance(field: Any, source: Vector, observer: Vector, longest: float) -> float:
    """Distance across z from the observer to the line of the source, at the observer's height."""
    climb, passing = observer[2] - source[2], np.array(source)
    if climb != 0.0:
        passing = trace(field, [source], climb, step=longest, by="z")[0, 0]
    return float(math.hypot(passing[0] - observer[0], passing[1] - observer[1]))
