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
the leg (`mcprop.wandering.burst_legs`) shows that it is good enough.

References
----------
Milstein, Schoenmakers & Spokoiny, Bernoulli 10 (2004) 281 (forward-reverse estimators).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.kernels.mirror import SIGNS
from mcprop.kernels.wander import FARTHEST
from mcprop.medium import Constant, FieldAligned
from mcprop.units import C_LIGHT, bare
from mcprop.wandering.burst_clouds import (
    FROM_OBSERVER,
    FROM_SOURCE,
    SHORT_STEPS,
    Cloud,
    Copies,
    Times,
    Vector,
    displaced,
    durations,
    steps_for,
)
from mcprop.wandering.burst_legs import (
    FACTORS,
    QUANTITIES,
    LegScan,
    Met,
    joint_covariance,
    leg_scan,
)
from mcprop.wandering.line_scores import (
    LineScores,
    frame_of,
    line_coordinates,
    line_scores,
    polynomials,
)
from mcprop.wandering.meeting import Meeting, crossings, meet
from mcprop.wandering.realisations import check_answer, check_field, positive, scale_of, whole
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
    late_perp : float
        What `growth_perp` is of the second half of its age alone: half the growth of the mean
        square displacement, over that time [pc^2/yr].
    width : float
        Root mean square displacement of the source's cloud across the mean field, of one component,
        at the end of its way [pc].
    sub_steps : int
        Sub-steps along field lines, the measure of the cost.
    legs : LegScan or None
        The same with half and twice the leg, where that was asked for.
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
    late_perp: float
    width: float
    sub_steps: int
    legs: LegScan | None = None

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
    legs: bool = False,
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
    legs : bool
        Whether to see it with half and with twice the leg (and the backward time) as well, which
        takes 1.6 times as long. The clouds stop more often then, so the bits are others.
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
    _check_counts(forward, backward, nodes, seed)
    scale = min(scale_of(field, place), FARTHEST)
    times = durations(medium, scale, age, parallel_step, leg, backward_time, meeting)
    ways = _ways(times, legs)
    times = ways[len(ways) // 2]  # the one that is used
    free_path = 3.0 * kappa_parallel / positive("speed", speed, "pc/yr")
    offset = float(np.random.default_rng((seed, 2)).random())
    last = Meeting(times.meeting, kappa_parallel, kappa_perp, offset, SHORT_STEPS * scale)

    out = Cloud(medium, seed, FROM_SOURCE, ways[0].step, start, forward)
    steps = steps_for(times.forward, ways[0].step)
    half = times.forward * (steps // 2) / steps  # after a whole step
    sources = out.visit({half, *(way.forward for way in ways)})
    early, grown = (_mean_square(sources[t], start) for t in (half, times.forward))

    copies = displaced(medium, scale, times, place, free_path, nodes)
    clouds = [Cloud(medium, seed, FROM_OBSERVER, ways[0].step, x, backward) for x in copies.places]
    reached = _go_back(clouds, ways, times)
    met = []
    for way in ways:
        there = copies if way is times else copies.without_nodes()
        found = _scores(there, reached, way.leg, medium, speed, place[2], last.longest)
        met.append(_met(sources[way.forward], reached[0][way.back], field, found, last))
    near, finite = met[len(ways) // 2]
    covariance = joint_covariance([near])
    return BurstSeen(
        density=float(near.values[0]),
        density_error=math.sqrt(covariance[0, 0]),
        dipole=near.values[1:],
        dipole_covariance=covariance[1:, 1:],
        density_dipole=covariance[0, 1:],
        b_hat=copies.frame[0],
        mean_free_path=free_path,
        finite_dipole=finite[0],
        finite_dipole_error=finite[1],
        line_distance=_line_distance(field, start, place, last.longest),
        growth_perp=float(grown[:2].mean() / (2.0 * times.forward)),
        growth_parallel=float(grown[2] / (2.0 * times.forward)),
        late_perp=float((grown - early)[:2].mean() / (2.0 * (times.forward - half))),
        width=math.sqrt(float(grown[:2].mean())),
        sub_steps=sum(cloud.sub_steps for cloud in (out, *clouds)),
        legs=leg_scan(ways, [one for one, _ in met]) if legs else None,
    )


def _check_counts(forward: int, backward: int, nodes: int, seed: int) -> None:
    whole("forward", forward, 2)
    if whole("backward", backward, 256) % len(SIGNS):
        raise RangeError(f"backward = {backward!r} must be a multiple of {len(SIGNS)}.")
    whole("seed", seed, 0)
    if whole("nodes", nodes, 0) % 2:
        raise RangeError(f"nodes = {nodes!r} must be even: directions come in opposite pairs.")


def _ways(times: Times, legs: bool) -> tuple[Times, ...]:
    """The way with each leg, by rising leg; all in steps of which the shortest has four."""
    if not legs:
        return (times,)
    times = times._replace(step=min(times.step, 0.25 * FACTORS[0] * times.leg))
    ways = tuple(times.part(factor) for factor in FACTORS)
    if not ways[-1].forward > 0.0:
        raise RangeError(
            f"backward_time = {times.back:g} yr must, with legs, be less than half of the age"
            " without the last step: it is doubled."
        )
    return ways


def _mean_square(places: Array, start: Vector) -> Array:
    """Mean square displacement along each axis [pc^2], shape (3,)."""
    return np.asarray(((places - np.array(start)[:, None]) ** 2).mean(axis=1))


def _go_back(
    clouds: Sequence[Cloud], ways: Sequence[Times], times: Times
) -> list[dict[float, Array]]:
    """Let the observer's cloud and those from displaced places go; where they are at each stop.

    All of them stop at the same times, so that they share their random numbers.
    """
    stops = {stop for way in ways for stop in (way.leg, way.back)}
    lasts = [max(stops), *[ways[-1].leg] * 4, *[times.leg] * (len(clouds) - 5)]
    return [
        cloud.visit(stop for stop in stops if stop <= last)
        for cloud, last in zip(clouds, lasts, strict=True)
    ]


def _scores(
    copies: Copies,
    reached: list[dict[float, Array]],
    leg: float,
    medium: FieldAligned,
    speed: float,
    height: float,
    longest: float,
) -> LineScores:
    """Weights of the observer's particles, from where displaced ones are at the end of the leg."""
    clouds = [one[leg] for one in reached[: len(copies.places)]]
    labels = [line_coordinates(medium.field, one, height, longest) for one in clouds]
    frame = frame_of(labels[0])
    basis = np.stack([polynomials(one, frame) for one in labels])
    return line_scores(basis[0], copies.moved(basis, medium, speed))


def _met(
    source: Array, observer: Array, field: Any, found: LineScores, last: Meeting
) -> tuple[Met, tuple[float, float]]:
    """What density and dipole come from; and the finite dipole with its error."""
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
    near = Met(rows[:QUANTITIES], columns[:QUANTITIES])
    if not rows[QUANTITIES].any():
        return near, (math.nan, math.nan)
    far = Met(rows[QUANTITIES:], columns[QUANTITIES:])
    return near, (float(far.values[1]), math.sqrt(joint_covariance([far])[1, 1]))


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
