"""Orbits of charged particles in a static magnetic field: by Boris' scheme, and by an accurate one.

A particle of constant speed is a place and a unit vector u, its direction::

    dx/dt = speed u,    du/dt = turning u x B(x)

with `turning` = q beta c^2/R [rad/(yr uG)], negative for a negative charge: on a field of 1 uG it
turns by that angle in a year, clockwise seen against the field. A negative time step follows the
same orbit backward in time; the direction stays that of the motion forward.

References
----------
Boris, J. P.: Proc. 4th Conf. Numerical Simulation of Plasmas (1970), 3.
Qin, H. et al.: Phys. Plasmas 20 (2013) 084503: the scheme preserves the phase-space volume.
"""

import math
from typing import NamedTuple

import numpy as np

from mcprop.kernels.dormand_prince import DIFFERENCE, STAGES, TABLEAU
from mcprop.kernels.elementary import ONE_BITS, from_bits, sincos_octants
from mcprop.kernels.lanes import LANES, block_width
from mcprop.kernels.rng import threefry, uniform
from mcprop.protocol import b_block, b_vector, kernel, primitive

X, Y, Z, UX, UY, UZ, WIDEST, ROWS = range(8)
"""Rows of the lane buffer: place [pc], direction, and half of the widest turn of a step [rad]."""

TINY = 1e-150
"""Half of an angle that stands for none at all, because it is divided by."""


class Part(NamedTuple):
    """Part of a long way, so that a kernel comes back in time to hear that it is to stop.

    Parameters
    ----------
    done : int
        Steps of the first record that were taken before.
    halt : int
        Steps of the last record after which to stop, counted from its begin.
    drawn : int
        Random numbers of collisions that the records before have had.
    """

    done: int
    halt: int
    drawn: int


WHOLE = Part(0, 1 << 62, 0)
"""All steps of all records."""

MASK30, BIT30, BIT31 = np.uint64((1 << 30) - 1), np.uint64(1 << 30), np.uint64(1 << 31)
S20, S32 = np.uint64(20), np.uint64(32)


@primitive
def rotate(ux, uy, uz, px, py, pz):
    """Turn a unit vector by the angle 2|p| about -p; also |p|, which stays below pi/2.

    Boris' rotation with t = p tan|p|/|p|: the angle is exact. For any t it keeps the length but for
    rounding, and one Newton step to length 1 keeps rounding from adding up.
    """
    half = max(math.sqrt(px * px + py * py + pz * pz), TINY)
    sine, cosine = sincos_octants(half)
    tangent = sine / cosine
    scale = tangent / half
    tx, ty, tz = scale * px, scale * py, scale * pz
    factor = 2.0 / (1.0 + tangent * tangent)
    ax = ux + (uy * tz - uz * ty)
    ay = uy + (uz * tx - ux * tz)
    az = uz + (ux * ty - uy * tx)
    ux += factor * (ay * tz - az * ty)
    uy += factor * (az * tx - ax * tz)
    uz += factor * (ax * ty - ay * tx)
    unit = 1.5 - 0.5 * (ux * ux + uy * uy + uz * uz)
    return unit * ux, unit * uy, unit * uz, half


@primitive
def turn(half, drift, i, b, lane):
    """Rotate lane `i` in its field, `half` a step long in rad/uG, and let it drift on [pc]."""
    ux, uy, uz, angle = rotate(
        lane[UX * LANES + i],
        lane[UY * LANES + i],
        lane[UZ * LANES + i],
        half * b[i],
        half * b[LANES + i],
        half * b[2 * LANES + i],
    )
    lane[X * LANES + i] += drift * ux
    lane[Y * LANES + i] += drift * uy
    lane[Z * LANES + i] += drift * uz
    lane[UX * LANES + i], lane[UY * LANES + i], lane[UZ * LANES + i] = ux, uy, uz
    widest = lane[WIDEST * LANES + i]
    lane[WIDEST * LANES + i] = angle if angle > widest else widest


@primitive
def direction(word):
    """Unit vector, uniform over the sphere, of 64 random bits: 32 for its z, 32 for its azimuth."""
    z = 2.0 * from_bits(((word >> S32) << S20) | ONE_BITS) - (3.0 - 2.0**-32)
    across = math.sqrt(1.0 - z * z)
    part = from_bits(((word & MASK30) << np.uint64(22)) | ONE_BITS) - (1.5 - 2.0**-31)
    s, c = sincos_octants(part * (0.5 * math.pi))
    c = -c if (word & BIT31) != np.uint64(0) else c
    swap = (word & BIT30) != np.uint64(0)
    x, y = (s if swap else c), (c if swap else s)
    return across * x, across * y, z


@primitive
def collide(particle, block, seed, stream, probability, drift, i, lane):
    """Send lane `i` with `probability` in a random direction, and let it drift on [pc]."""
    w0, w1 = threefry(particle, block, seed, stream)
    nx, ny, nz = direction(w1)
    hit = uniform(w0) < probability
    ux = nx if hit else lane[UX * LANES + i]
    uy = ny if hit else lane[UY * LANES + i]
    uz = nz if hit else lane[UZ * LANES + i]
    lane[X * LANES + i] += drift * ux
    lane[Y * LANES + i] += drift * uy
    lane[Z * LANES + i] += drift * uz
    lane[UX * LANES + i], lane[UY * LANES + i], lane[UZ * LANES + i] = ux, uy, uz


@primitive
def field_of_lanes(field, lane, b):
    """Put the field [uG] at the places of all lanes into `b`."""
    for i in range(3 * LANES):
        b[i] = 0.0
    b_block(field, lane, b)


@primitive
def boris_steps(
    field, turning, length, h, count, done, halt, hits, seed, stream, particle, block, lane, b
):
    """Of `count` steps of `h` [yr] and `length` [pc] those from `done` to `halt`.

    `hits` is the chance of a collision a step.

    Half a step straight on, the rotation in the field met there, half a step straight on: second
    order, and without collisions reversible and volume-preserving. The second half and the first of
    the next step are one. Collisions stand between steps, and half a chance at either end, so that
    what follows from a direction at the start is of second order as well.
    """
    half, end = 0.5 * turning * h, 1.0 - math.sqrt(1.0 - hits)
    first, last = 0.5 * length, count - 1
    colliding = hits > 0.0
    if done == 0:
        if colliding:
            for i in range(LANES):
                collide(particle + np.uint64(i), block, seed, stream, end, first, i, lane)
        else:
            for i in range(3 * LANES):
                lane[i] += first * lane[UX * LANES + i]
    for step in range(done, halt):
        field_of_lanes(field, lane, b)
        drift = first if colliding or step == last else length
        for i in range(LANES):
            turn(half, drift, i, b, lane)
        if colliding:
            counter = block + np.uint64(step + 1)
            drift = 0.0 if step == last else first
            chance = end if step == last else hits
            for i in range(LANES):
                collide(particle + np.uint64(i), counter, seed, stream, chance, drift, i, lane)


@kernel
def boris(field, speed, turning, lengths, counts, hits, part, seed, stream, first, starts, out):
    """Orbits of particles first, ... from `starts` (6, n): places [pc] and directions.

    Before record k they take `counts[k]` steps of `lengths[k]` [yr], negative to go backward, each
    with the chance `hits[k]` of a collision that sends them in a random direction; `out` (records,
    6, n)` takes places and directions. Of these steps only the `part` is taken, from where another
    one has ended: no bit depends on where they are parted. Returns half of the widest turn of any
    step [rad].
    """
    n, last = starts.shape[1], counts.shape[0] - 1
    lane, b = np.empty(ROWS * LANES), np.empty(3 * LANES)
    widest = 0.0
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        for i in range(LANES):
            origin = min(begin + i, n - 1)
            for k in range(6):
                lane[k * LANES + i] = starts[k, origin]
            lane[WIDEST * LANES + i] = 0.0
        particle = first + np.uint64(begin)
        block = np.uint64(part.drawn)
        for record in range(counts.shape[0]):
            h, count = lengths[record], counts[record]
            done = part.done if record == 0 else 0
            halt = min(part.halt, count) if record == last else count
            if halt > done:
                boris_steps(
                    field,
                    turning,
                    speed * h,
                    h,
                    count,
                    done,
                    halt,
                    hits[record],
                    seed,
                    stream,
                    particle,
                    block,
                    lane,
                    b,
                )
            block += np.uint64(count + 1)
            for k in range(6):
                for i in range(width):
                    out[record, k, begin + i] = lane[k * LANES + i]
        for i in range(LANES):
            widest = max(widest, lane[WIDEST * LANES + i])
    return widest


@primitive
def slope(field, speed, turning, state, out):
    """Put d(place, direction)/dt of `state` (6,) into `out` (6,); returns the field [uG]."""
    ux, uy, uz = state[3], state[4], state[5]
    bx, by, bz = b_vector(field, state[0], state[1], state[2])
    out[0], out[1], out[2] = speed * ux, speed * uy, speed * uz
    out[3] = turning * (uy * bz - uz * by)
    out[4] = turning * (uz * bx - ux * bz)
    out[5] = turning * (ux * by - uy * bx)
    return math.sqrt(bx * bx + by * by + bz * bz)


@primitive
def attempt(field, speed, turning, h, state, slopes, trial):
    """Put a step of `h` [yr] from `state` into `trial`; returns its error [rad].

    `slopes` (7, 6) begins with the slope at `state` and ends with that at `trial`. The error is
    that of the direction, or that of the place in units of the gyroradius.
    """
    strength = 0.0
    for stage in range(1, STAGES):
        for k in range(6):
            total = 0.0
            for earlier in range(stage):
                total += TABLEAU[stage, earlier] * slopes[earlier, k]
            trial[k] = state[k] + h * total
        strength = slope(field, speed, turning, trial, slopes[stage])
    error = 0.0
    for k in range(6):
        total = 0.0
        for stage in range(STAGES):
            total += DIFFERENCE[stage] * slopes[stage, k]
        scale = 1.0 if k >= 3 else abs(turning) * strength / speed
        error = max(error, abs(h * total) * scale)
    return error


HELD = 9
"""Rows of an orbit under way: place [pc], direction, time, next step [yr], number of its record."""


def under_way(starts, first_step):
    """Orbits (`HELD`, n) that are to set out from `starts` (6, n) with a step of that length."""
    orbits = np.zeros((HELD, starts.shape[1]))
    orbits[:6], orbits[7] = starts, first_step
    return orbits


@kernel
def dormand_prince(field, speed, turning, times, tolerance, most, orbits, out):
    """The `orbits` (`HELD`, n), which are `under_way`, to the `times` [yr] away from zero.

    Steps adapt so that each errs by less than `tolerance` [rad]. `out` (records, 6, n) takes places
    [pc] and directions, which are not numbers where an orbit has not come after `most` steps; from
    there another call goes on with the same `orbits` and `out`. Returns the number of steps tried.
    """
    state, trial, slopes = np.empty(6), np.empty(6), np.empty((STAGES, 6))
    tried = 0
    for j in range(orbits.shape[1]):
        for k in range(6):
            state[k] = orbits[k, j]
        slope(field, speed, turning, state, slopes[0])
        time, h, left = orbits[6, j], orbits[7, j], most
        for record in range(int(orbits[8, j]), times.shape[0]):
            target = times[record]
            while abs(time) < abs(target) and left > 0:
                last = abs(h) >= abs(target - time)
                taken = target - time if last else h
                error = attempt(field, speed, turning, taken, state, slopes, trial)
                left -= 1
                tried += 1
                # a fifth of the error's root to spare, and never more than a factor of 5 at once
                ratio = 0.9 * (tolerance / max(error, 1e-30)) ** 0.2
                if error <= tolerance:
                    time = target if last else time + taken
                    for k in range(6):
                        state[k], slopes[0, k] = trial[k], slopes[STAGES - 1, k]
                    h = h if last and ratio > 1.0 else taken * min(max(ratio, 0.2), 5.0)
                else:
                    h = taken * min(max(ratio, 0.2), 0.9)
            there = time == target
            orbits[8, j] += 1.0 if there else 0.0
            for k in range(6):
                out[record, k, j] = state[k] if there else math.nan
        for k in range(6):
            orbits[k, j] = state[k]
        orbits[6, j], orbits[7, j] = time, h
    return tried
