"""The kinetic observer: a sky map from the last leg of each particle, simulated and not expanded.

The density of particles has a gradient on large scales, psi(x) = 1 + g . (x - x0) round the
observer at x0. The phase-space density is constant along orbits (Liouville), so the relative
intensity from the direction n is that at the other end of the leg which ends there::

    I(n) = 1 + g . E[x(-T) - x0 | n] + outer . E[n(-T) | n]

n(-T) is the arrival direction that the particle had at the beginning of its leg, and `outer` the
dipole there. A leg begins at the last collision that made the direction random, after exact
gyration in the local field (`scattered_sky`), or a given time ago, on an orbit traced back through
the field (`traced_sky`). All maps are in the arrival convention: n points to where particles come
from, and the motion along -n is traced backward in time.

Orbits that part slowly see much the same density, others do not: a turbulent field writes its
structure on the sky, at multipoles that no diffusion tensor has. Power spectra come without the
noise that a finite number of orbits makes, and this noise is measured, within pixels.

>>> from mcprop.fields import UniformField
>>> from mcprop.wandering.kinetic_sky import scattered_sky
>>> sky = scattered_sky(UniformField(0.0, 0.0, 3.0), 3e6, 3.5, (1e-3, 0.0, 1e-3), nside=4, seed=1)
>>> print(sky.dipole.vector.round(5))  # along x and z; the Hall part is along -y
[ 0.00054 -0.00053  0.00106]

References
----------
Giacinti, G. & Sigl, G. 2012, PRL 109, 071101 (small scales from the local field).
Ahlers, M. 2014, PRL 112, 021101; Ahlers, M. & Mertsch, P. 2015, ApJL 815, L2 (Liouville's theorem
and relative diffusion; noise of finitely many orbits).
Lopez-Barquero, V. et al. 2016, ApJ 830, 19 (orbits traced back).
Giacinti, G. & Kirk, J. G. 2017, ApJ 835, 258 (the mean of many skies is no pure dipole).
"""

from __future__ import annotations

from threading import Event
from typing import Any, NamedTuple

import numpy as np

from mcprop.dipole import Dipole
from mcprop.errors import RangeError
from mcprop.frames import normalise
from mcprop.kernels.rng import words
from mcprop.protocol import b_vector, step_scale
from mcprop.sky import directions_in_pixels
from mcprop.threads import in_order
from mcprop.units import C_LIGHT
from mcprop.wandering.course import Course, make_course, numbers, turning_rate
from mcprop.wandering.kinetic import single_flights
from mcprop.wandering.orbits import ROOM
from mcprop.wandering.realisations import (
    check_answer,
    check_field,
    place_generator,
    positive,
    whole,
)
from mcprop.wandering.seen_sky import KineticSky

STREAM = 0x6B736B79_00000000
"""Stream of the random numbers of directions; the next is that of collisions."""

CHUNK = 4096
"""Orbits that a thread follows at a time."""
_LOOKS = 2048
"""Places near the observer at which the field is looked at to choose the step."""
_FINEST = 1024
"""Largest `nside`."""
_TOGETHER = 10_000_000
"""Most directions of a sky."""


class _Legs(NamedTuple):
    """Legs traced back: displacements (n, 3) [pc], directions where they came from (n, 3)."""

    displacements: np.ndarray
    origins: np.ndarray
    widest_turn: float


class _Observer(NamedTuple):
    """What both kinds of sky take, checked; vectors in the axes of the field."""

    field: Any
    gradient: np.ndarray
    outer: np.ndarray
    place: np.ndarray
    mean_field: np.ndarray
    axes: np.ndarray
    nside: int
    per_pixel: int
    seed: int

    @property
    def local(self) -> np.ndarray:
        """Field at the observer [uG]."""
        found = np.array(b_vector(self.field, *map(float, self.place)), dtype=float)
        if not np.isfinite(found).all():
            raise RangeError(f"the field at {self.place.tolist()} pc is not finite: {found}.")
        return found

    def directions(self) -> np.ndarray:
        """Arrival directions in the axes of the map, random in their pixels, (npix, n, 3)."""
        pixels = 12 * self.nside**2
        drawn = np.empty((pixels * self.per_pixel, 2), np.uint64)
        words(np.uint64(self.seed), np.uint64(STREAM), np.uint64(0), np.uint64(0), drawn)
        shares = (drawn[:, 0] >> np.uint64(11)) * 2.0**-53
        return directions_in_pixels(self.nside, shares.reshape(pixels, self.per_pixel))

    def sky(
        self,
        seen: np.ndarray,
        legs: _Legs,
        duration: float,
        speed: float,
        halfway: KineticSky | None = None,
    ) -> KineticSky:
        """Make the sky of what is found from directions (npix, n, 3) of the map."""
        shape = seen.shape
        moved = (legs.displacements @ self.axes).reshape(shape)
        gradient = self.gradient @ self.axes
        came = (legs.origins @ self.axes).reshape(shape)
        excess = moved @ gradient + came @ (self.outer @ self.axes)
        mean = excess.mean(axis=1)
        error = np.sqrt(excess.var(axis=1, ddof=1) / self.per_pixel)
        dipole, covariance = _fit(seen, excess)
        rows = [_fit(seen, moved[..., i]) for i in range(3)]
        memory = np.array([_fit(seen, came[..., i])[0] for i in range(3)])
        flat = moved.reshape(-1, 3)
        return KineticSky(
            1.0 + mean,
            error,
            Dipole(dipole, covariance),
            np.array([row for row, _ in rows]),
            np.sqrt([np.diag(square) for _, square in rows]),
            flat.T @ flat / len(flat),
            memory,
            gradient,
            self.local @ self.axes,
            self.mean_field @ self.axes,
            duration,
            speed,
            self.per_pixel,
            self.seed,
            legs.widest_turn,
            halfway,
        )


def _fit(seen: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dipole of values (npix, n) seen in directions (npix, n, 3), and its covariance.

    Least squares with a monopole. The variance is that within pixels alone: structure on the sky
    is no noise.
    """
    design = np.concatenate([np.ones((*values.shape, 1)), seen], axis=2)
    flat = design.reshape(-1, 4)
    inverse = np.linalg.inv(flat.T @ flat)
    dipole = (inverse @ (flat.T @ values.ravel()))[1:]
    weighted = np.einsum("pni,pnj,p->ij", design, design, values.var(axis=1, ddof=1))
    return dipole, (inverse @ weighted @ inverse)[1:, 1:]


def _observer(
    field: Any,
    gradient: Any,
    outer: Any,
    place: Any,
    mean_field: Any,
    axes: Any,
    nside: int,
    per_pixel: int,
    seed: int,
) -> _Observer:
    """Check what both kinds of sky take."""
    check_field(field)
    here = _three("place", place, "pc")
    check_answer(field, here)
    mean = _three("mean_field", mean_field)
    if not mean.any():
        raise RangeError(f"mean_field = {mean_field!r} has no direction.")
    turned = numbers("axes", np.eye(3) if axes is None else axes)
    square = turned.shape == (3, 3)
    orthogonal = square and np.abs(turned @ turned.T - np.eye(3)).max() < 1e-9
    if not (orthogonal and np.linalg.det(turned) > 0.0):
        raise RangeError("axes must be three orthogonal unit vectors, right-handed, shape (3, 3).")
    whole("nside", nside, 1, _FINEST)
    if nside & (nside - 1):
        raise RangeError(f"nside = {nside} is not a power of two.")
    whole("per_pixel", per_pixel, 2)
    if 12 * nside * nside * per_pixel > _TOGETHER:
        raise RangeError(
            f"per_pixel = {per_pixel} with nside = {nside} makes"
            f" {12 * nside * nside * per_pixel} directions; {_TOGETHER} at most are allowed."
        )
    key = whole("seed", seed, 0)
    slope, beyond = _three("gradient", gradient, "1/pc"), _three("outer", outer)
    return _Observer(field, slope, beyond, here, normalise(mean), turned, nside, per_pixel, key)


def _three(name: str, value: Any, unit: str = "") -> np.ndarray:
    """Check a vector."""
    found = numbers(name, value, unit)
    if found.shape != (3,):
        raise RangeError(f"{name} = {value!r} must be three numbers.")
    return found


def scattered_sky(
    field: Any,
    rigidity: float,
    tau: float,
    gradient: Any,
    *,
    nside: int = 16,
    per_pixel: int = 64,
    seed: int = 0,
    beta: float = 1.0,
    charge: int = 1,
    place: Any = (0.0, 0.0, 0.0),
    mean_field: Any = (0.0, 0.0, 1.0),
    axes: Any = None,
) -> KineticSky:
    """Sky after collisions that make directions random, with exact gyration in the local field.

    Each direction is traced back to the collision before, in the field at the observer. The
    dipole is (3/v) [kappa_par g_par + kappa_perp g_perp - kappa_A b x g], and there is no power at
    higher multipoles.

    Parameters
    ----------
    field : model of a field
        Only its value [uG] at the observer counts.
    rigidity : float
        Rigidity [GV].
    tau : float
        Mean time between collisions [yr].
    gradient : array_like, shape (3,)
        Gradient of ln psi [1/pc], in the axes of the field.
    nside, per_pixel : int
        HEALPix resolution, and number of random directions in each pixel, at least 2.
    seed : int
        Seed of the random numbers.
    beta : float
        Speed in units of that of light.
    charge : int
        1 or -1, the sign of the charge. The opposite flips the Hall term -kappa_A b x g only.
    place : array_like, shape (3,)
        The observer [pc].
    mean_field : array_like, shape (3,)
        Direction of the mean field, to compare with.
    axes : array_like, shape (3, 3), optional
        Axes of the field's frame, as rows, in those of the map, such as
        ``mcprop.frames.field_frame(b_hat)`` for a map in ICRS axes; by default they are the same.

    Returns
    -------
    KineticSky

    Raises
    ------
    RangeError
        If a number is out of range.
    ModelError
        If the field is no field.
    """
    nothing = (0.0, 0.0, 0.0)
    observer = _observer(field, gradient, nothing, place, mean_field, axes, nside, per_pixel, seed)
    turning, speed = turning_rate(rigidity, beta, charge), beta * C_LIGHT
    strength = float(np.linalg.norm(observer.local))
    b_hat = observer.local / strength if strength > 0.0 else observer.mean_field
    seen = observer.directions()
    motion = -seen.reshape(-1, 3) @ observer.axes.T
    found = single_flights(motion, speed, turning * strength, tau, seed, b_hat=b_hat, backward=True)
    legs = _Legs(found.displacements, -found.directions, 0.0)
    return observer.sky(seen, legs, tau, speed)


def traced_sky(
    field: Any,
    rigidity: float,
    duration: float,
    gradient: Any,
    *,
    nside: int = 16,
    per_pixel: int = 4,
    seed: int = 0,
    tau: float | None = None,
    outer: Any = (0.0, 0.0, 0.0),
    beta: float = 1.0,
    charge: int = 1,
    place: Any = (0.0, 0.0, 0.0),
    mean_field: Any = (0.0, 0.0, 1.0),
    axes: Any = None,
    step: float | None = None,
    halfway: bool = False,
    workers: int | None = None,
    stop: Event | None = None,
) -> KineticSky:
    """Sky of orbits traced back through a field, for a given time.

    Without collisions the map is exact for its directions, by Liouville's theorem, and power at
    small scales is real. It grows with the duration, ever finer: what pixels no longer resolve is
    noise to them, and is measured and subtracted as such.

    Parameters
    ----------
    field : model of a field
        The field [uG], mean field included.
    rigidity : float
        Rigidity [GV].
    duration : float
        For how long orbits are traced back [yr].
    gradient : array_like, shape (3,)
        Gradient of ln psi [1/pc], in the axes of the field.
    nside, per_pixel, seed, beta, charge, place, mean_field, axes
        As for `scattered_sky`.
    tau : float, optional
        Mean time [yr] between collisions that make the direction random, on top of what the field
        does; None for none.
    outer : array_like, shape (3,)
        Dipole where the orbits come from, in the arrival convention. With that of diffusion,
        (3/v) kappa . g, the mean sky does not depend on the duration.
    step : float, optional
        Longest step [yr]; by default as for `follow_orbits`, from the field round the observer.
    halfway : bool
        Whether to keep the sky of the same orbits at half the duration as well, with `outer`
        there, to see what still depends on the duration.
    workers : int, optional
        Number of threads; no bit of the result depends on it.
    stop : Event, optional
        Set when the sky is not wanted any more.

    Returns
    -------
    KineticSky

    Raises
    ------
    RangeError
        If a number is out of range, or the step is too long for the field that was met.
    ModelError
        If the field is no field.
    """
    observer = _observer(field, gradient, outer, place, mean_field, axes, nside, per_pixel, seed)
    if workers is not None:
        whole("workers", workers, 1)
    time = -positive("duration", duration, "yr")
    near = _places_near(observer, beta * C_LIGHT * -time)
    times = [0.5 * time, time] if halfway else [time]
    course = make_course(field, rigidity, beta, charge, near, times, step, tau)
    seen = observer.directions()
    halt = Event() if stop is None else stop
    legs = _trace_back(observer, course, seen.reshape(-1, 3), workers, halt)
    half = observer.sky(seen, legs[0], -0.5 * time, course.speed) if halfway else None
    return observer.sky(seen, legs[-1], -time, course.speed, half)


def _places_near(observer: _Observer, reach: float) -> np.ndarray:
    """The observer and random places about it, where orbits may come to, (3, n)."""
    scale = float(step_scale(observer.field, *map(float, observer.place)))
    edge = min(2.0 * reach, ROOM * scale)
    shifts = place_generator(observer.seed, 0).uniform(-0.5 * edge, 0.5 * edge, (3, _LOOKS))
    shifts[:, 0] = 0.0
    return observer.place[:, None] + shifts


def _trace_back(
    observer: _Observer, course: Course, seen: np.ndarray, workers: int | None, stop: Event
) -> list[_Legs]:
    """Trace orbits that arrive from `seen` (n, 3) in the axes of the map, to all records."""
    motion = -seen @ observer.axes.T

    def one(first: int) -> tuple[np.ndarray, float]:
        part = motion[first : first + CHUNK].T
        places = np.broadcast_to(observer.place[:, None], part.shape)
        starts = np.concatenate([places, part])
        return course.run(observer.field, observer.seed, STREAM + 1, first, starts, stop)

    starts = range(0, len(seen), CHUNK)
    found = [one(starts[0])]  # compiles, before threads could do so at once
    found += in_order(one, starts[1:], workers, stop)
    widest = max(turn for _, turn in found)
    legs = []
    for ends in np.concatenate([out for out, _ in found], axis=2):
        moved = ends[:3].T - observer.place
        legs.append(_Legs(moved, -ends[3:].T, widest))
    return legs
