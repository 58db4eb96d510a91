"""Hard-sphere scattering in a uniform field: exact gyration between collisions at random times.

A collision sends a particle in a direction that is uniform over the sphere; the time to the next is
exponential with the mean tau. This is the kinetic theory behind the diffusion tensor

    kappa_par = v^2 tau/3,   kappa_perp = kappa_par/(1 + w^2),   kappa_A = w kappa_perp,

with w = omega tau, negative for a negative charge (du/dt = omega u x b).

References
----------
Chapman, S. & Cowling, T. G.: The Mathematical Theory of Non-uniform Gases (1970), chapter 19.
Xue & Liu 2025 (arXiv:2507.07057), section II A.
"""

import math

import numpy as np

from mcprop.kernels.elementary import fma, log, sincos_octants, to_bits
from mcprop.kernels.lanes import LANES, block_width
from mcprop.kernels.orbit import direction
from mcprop.kernels.rng import threefry, uniform
from mcprop.protocol import kernel, primitive

ROUND = 6755399441055744.0
"""1.5 x 2^52: adding it rounds to an integer and leaves that integer in the low bits."""

HALF_PI_HIGH, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17
"""Two floats whose sum is pi/2 to 107 bits."""

ONE, TWO = np.uint64(1), np.uint64(2)


@primitive
def sincos(theta):
    """(sin, cos) of any angle below 1e9 rad; the error is 2e-16, and 1e-16 of 1e-16 theta more."""
    shifted = fma(theta, 2.0 / math.pi, ROUND)
    quarters = shifted - ROUND
    rest = fma(quarters, -HALF_PI_LOW, fma(quarters, -HALF_PI_HIGH, theta))
    s, c = sincos_octants(rest)
    bits = to_bits(shifted)
    swap = (bits & ONE) != np.uint64(0)
    sine, cosine = (c if swap else s), (s if swap else c)
    sine = -sine if (bits & TWO) != np.uint64(0) else sine
    cosine = -cosine if ((bits + ONE) & TWO) != np.uint64(0) else cosine
    return sine, cosine


@primitive
def gyrate(ux, uy, uz, bx, by, bz, omega, time):
    """Mean direction and last direction of `time` [yr] round the unit vector b at `omega` [rad/yr].

    The mean direction times speed and time is the displacement. Exact for any time and omega.
    """
    angle = omega * time
    half_sine, half_cosine = sincos(0.5 * angle)
    sine, versine = 2.0 * half_sine * half_cosine, 2.0 * half_sine * half_sine
    cosine = 1.0 - versine
    over = 1.0 / (angle if angle != 0.0 else 1.0)
    mean_sine = sine * over if angle != 0.0 else 1.0
    mean_versine = versine * over
    along = ux * bx + uy * by + uz * bz
    px, py, pz = ux - along * bx, uy - along * by, uz - along * bz
    cx, cy, cz = uy * bz - uz * by, uz * bx - ux * bz, ux * by - uy * bx
    return (
        along * bx + mean_sine * px + mean_versine * cx,
        along * by + mean_sine * py + mean_versine * cy,
        along * bz + mean_sine * pz + mean_versine * cz,
        along * bx + cosine * px + sine * cx,
        along * by + cosine * py + sine * cy,
        along * bz + cosine * pz + sine * cz,
    )


@kernel
def flights(speed, omega, tau, field, seed, stream, first, directions, out):
    """One flight of particles first, ... from `directions` (3, n) to their first collision.

    `field` (3,) is the unit vector of the field, `omega` [rad/yr]. `out` (7, n) takes the
    displacement [pc], the direction before the collision and the time [yr]. With a negative `tau`
    [yr] the flights go backward in time, from the collision before.
    """
    bx, by, bz = field[0], field[1], field[2]
    for j in range(out.shape[1]):
        w0, _ = threefry(first + np.uint64(j), np.uint64(0), seed, stream)
        time = -tau * log(uniform(w0))
        mx, my, mz, ux, uy, uz = gyrate(
            directions[0, j], directions[1, j], directions[2, j], bx, by, bz, omega, time
        )
        length = speed * time
        out[0, j], out[1, j], out[2, j] = length * mx, length * my, length * mz
        out[3, j], out[4, j], out[5, j], out[6, j] = ux, uy, uz, time


X, Y, Z, UX, UY, UZ, TIME, ROWS = range(8)
"""Rows of the lane buffer: place [pc], direction, time [yr]."""


@primitive
def fly(particle, block, seed, stream, speed, omega, tau, bx, by, bz, target, i, lane):
    """Lane `i` to its next collision, or to the time `target` if that is earlier.

    Exponential times have no memory: from `target` on, the time to the next is drawn anew.
    """
    w0, w1 = threefry(particle, block, seed, stream)
    nx, ny, nz = direction(w1)
    left = target - lane[TIME * LANES + i]
    free = -tau * log(uniform(w0))
    hit = free < left
    time = free if hit else left
    ux, uy, uz = lane[UX * LANES + i], lane[UY * LANES + i], lane[UZ * LANES + i]
    mx, my, mz, ux, uy, uz = gyrate(ux, uy, uz, bx, by, bz, omega, time)
    length = speed * time
    lane[X * LANES + i] += length * mx
    lane[Y * LANES + i] += length * my
    lane[Z * LANES + i] += length * mz
    goes = left > 0.0  # the punctual keep every bit of their direction
    lane[UX * LANES + i] = nx if hit else (ux if goes else lane[UX * LANES + i])
    lane[UY * LANES + i] = ny if hit else (uy if goes else lane[UY * LANES + i])
    lane[UZ * LANES + i] = nz if hit else (uz if goes else lane[UZ * LANES + i])
    lane[TIME * LANES + i] = lane[TIME * LANES + i] + free if hit else target


@kernel
def scattered(speed, omega, tau, field, seed, stream, first, times, starts, out):
    """Scattered orbits of particles first, ... from `starts` (6, n) to the rising `times` [yr].

    `field` (3,) is the unit vector of the field, `omega` [rad/yr]. `out` (records, 6, n) takes
    places [pc] and directions. Returns the number of flights.
    """
    n = out.shape[2]
    bx, by, bz = field[0], field[1], field[2]
    lane, block = np.empty(ROWS * LANES), np.empty(LANES, np.uint64)
    count = 0
    for begin in range(0, n, LANES):
        width = block_width(n, begin)
        for i in range(LANES):
            for k in range(6):
                lane[k * LANES + i] = starts[k, min(begin + i, n - 1)]
            lane[TIME * LANES + i] = 0.0
            block[i] = np.uint64(0)
        particle = first + np.uint64(begin)
        for record in range(times.shape[0]):
            target = times[record]
            late = LANES
            while late > 0:
                late = 0
                for i in range(LANES):
                    goes = lane[TIME * LANES + i] < target
                    drawn = block[i]
                    block[i] += np.uint64(1) if goes else np.uint64(0)
                    number = particle + np.uint64(i)
                    fly(number, drawn, seed, stream, speed, omega, tau, bx, by, bz, target, i, lane)
                    count += 1 if goes and i < width else 0
                    late += 1 if lane[TIME * LANES + i] < target else 0
            for k in range(6):
                for i in range(width):
                    out[record, k, begin + i] = lane[k * LANES + i]
    return count
