"""Backward histories in a scalar medium with sources everywhere, until they leave it.

The steady density of div(kappa grad psi) - loss psi + f = 0 that vanishes on a boundary is the
Feynman-Kac mean psi(x) = E[Int W f dt] over walks from x, W the weight that losses and the boundary
leave. What happens to a walk depends on the time it takes only through f and the losses, so it is
walked in the clock s of unit diffusion, ds = kappa dt:

    dX = grad ln kappa ds + sqrt(2) dB,    psi = E[Int W (f/kappa) ds]

The noise is then the same everywhere: Heun's scheme is of weak order 2 in ds where ln kappa is
smooth (at kinks of kappa it has no order: the error falls with a power between 1 and 2), and copies
of a history that share their lengths and random numbers stay parallel.

A guess of psi takes most of the noise out: Sum W grad(guess) . sqrt(2) dB has mean zero whatever
the guess, and nearly the fluctuation of Int W (f/kappa) ds when the guess is close. So has its term
of second order, (n_z^2 - 1) ds times the curvature, which in a layered medium is along z and is
given by the equation itself, -(f/kappa + grad ln kappa . grad guess).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mcprop.kernels.boundary import survival
from mcprop.kernels.lanes import LANES
from mcprop.kernels.rng import six_normals, threefry
from mcprop.kernels.step import unit_heun
from mcprop.protocol import (
    coefficient,
    emission,
    guess_gradient,
    implements,
    kernel,
    primitive,
    step_scale,
    surroundings,
)

FAR = 1e30
"""A length beyond all lengths [pc]."""
NEGLIGIBLE = 1e-9
"""A weight below which a copy has left."""
DRAWS_PER_HARVEST = 4
"""Blocks of random numbers, two steps each, between looks at what has ended."""
MOST_DRAWS = 1 << 22
"""Blocks after which a history is lost: no walk should get there."""
ESCAPED, LOST = 0, 3

# Rows of lanes that the copies of a history share: step, normal numbers, gradient of the guess ...
LENGTH, NORMALS, UX, UY, UZ, CURVED = 0, 1, 7, 8, 9, 10
SHARED = 11
# ... and that each has for itself.
X, Y, Z, WEIGHT, SCORE, SOURCE, LOSS, GX, GY, GZ = range(10)
OWN = 10


class Sourced(NamedTuple):
    """A scalar medium with sources.

    Parameters
    ----------
    profile : model of a coefficient
        kappa, by `coefficient`.
    sources : model of sources
        Their density and the losses, by `emission`.
    """

    profile: Any
    sources: Any


@implements(surroundings, Sourced)
def _(model, x, y, z):
    value, dx, dy, dz = coefficient(model.profile, x, y, z)
    made, lost = emission(model.sources, x, y, z)
    over = 1.0 / value
    return made * over, lost * over, dx * over, dy * over, dz * over


@implements(step_scale, Sourced)
def _(model, x, y, z):
    return step_scale(model.profile, x, y, z)


class NoGuess(NamedTuple):
    """No control variate."""


@implements(guess_gradient, NoGuess)
def _(guess, x, y, z):
    return 0.0, 0.0, 0.0, 0.0


class LayeredGuess(NamedTuple):
    """Table of a guess that depends on r and on the height over a plane.

    Parameters
    ----------
    table : ndarray, shape (2, columns, rows)
        Derivatives by r and by height, at the middle of each column and at each row.
    column : float
        Width of a column in r [pc].
    disc, fine, coarse : float
        Rows are `fine` apart below the height `disc`, `coarse` above [pc].
    """

    table: Any
    column: float
    disc: float
    fine: float
    coarse: float


@implements(guess_gradient, LayeredGuess)
def _(guess, x, y, z):
    table = guess.table
    height, r = abs(z), math.sqrt(x * x + y * y)
    place = height / guess.fine
    if height > guess.disc:
        place = guess.disc / guess.fine + (height - guess.disc) / guess.coarse
    # in this order, min is a place in the table even where r or the height is not a number
    i = np.uint32(min(table.shape[1] - 1.0, r / guess.column))
    j = np.uint32(min(table.shape[2] - 2.0, place))
    above = min(place - j, 1.0)
    outward = table[0, i, j] + above * (table[0, i, j + 1] - table[0, i, j])
    upward = table[1, i, j] + above * (table[1, i, j + 1] - table[1, i, j])
    outward = outward / r if r > 0.0 else 0.0
    return outward * x, outward * y, upward if z > 0.0 else -upward, 1.0


@primitive
def launch(model, start, i, own):
    """Put a copy that starts from `start` (3,) into lane `i`."""
    x, y, z = start[0], start[1], start[2]
    made, lost, gx, gy, gz = surroundings(model, x, y, z)
    own[X * LANES + i], own[Y * LANES + i] = x, y
    own[Z * LANES + i], own[WEIGHT * LANES + i] = z, 1.0
    own[SCORE * LANES + i], own[SOURCE * LANES + i] = 0.0, made
    own[LOSS * LANES + i], own[GX * LANES + i] = lost, gx
    own[GY * LANES + i], own[GZ * LANES + i] = gy, gz


@primitive
def shorten(model, i, own, shared):
    """Take the length of the next step down to what the scale at a living copy allows."""
    x, y, z = own[X * LANES + i], own[Y * LANES + i], own[Z * LANES + i]
    allowed = step_scale(model, x, y, z)
    allowed = allowed if own[WEIGHT * LANES + i] > NEGLIGIBLE else FAR
    shared[LENGTH * LANES + i] = min(shared[LENGTH * LANES + i], allowed)


@primitive
def look_up(guess, i, own, shared):
    """Gradient of the guess at a copy in lane `i`.

    Reading a table would keep the compiler from advancing several lanes at once, so it is a loop of
    its own.
    """
    x, y = own[X * LANES + i], own[Y * LANES + i]
    ux, uy, uz, curved = guess_gradient(guess, x, y, own[Z * LANES + i])
    shared[UX * LANES + i], shared[UY * LANES + i] = ux, uy
    shared[UZ * LANES + i], shared[CURVED * LANES + i] = uz, curved


@primitive
def advance(model, boundary, fraction, half, i, own, shared):
    """Move a copy in lane `i` by one step; `half` says which half of the normal numbers."""
    x, y = own[X * LANES + i], own[Y * LANES + i]
    z, weight = own[Z * LANES + i], own[WEIGHT * LANES + i]
    made, lost = own[SOURCE * LANES + i], own[LOSS * LANES + i]
    gx, gy = own[GX * LANES + i], own[GY * LANES + i]
    gz = own[GZ * LANES + i]
    length = shared[LENGTH * LANES + i]
    length = fraction * length if length < FAR else 0.0  # all copies have left
    h = 0.5 * length * length
    first = (NORMALS + 3 * half) * LANES
    n2 = shared[first + 2 * LANES + i]
    ax, ay, az = length * shared[first + i], length * shared[first + LANES + i], length * n2
    ux, uy, uz = shared[UX * LANES + i], shared[UY * LANES + i], shared[UZ * LANES + i]
    curvature = shared[CURVED * LANES + i] * (made + gx * ux + gy * uy + gz * uz)
    noise = ux * ax + uy * ay + uz * az - curvature * h * (n2 * n2 - 1.0)

    x1, y1, z1 = unit_heun(model, x, y, z, gx, gy, gz, ax, ay, az, h)
    made1, lost1, gx1, gy1, gz1 = surroundings(model, x1, y1, z1)

    stays = survival(boundary, x, y, z, x1, y1, z1, h)
    loss = 0.25 * h * (lost + lost1)
    left = weight * stays * (1.0 - loss) / (1.0 + loss)  # exp(-2 loss), to third order
    left = left if left > NEGLIGIBLE else 0.0
    own[SCORE * LANES + i] += 0.5 * h * (weight * made + left * made1) - weight * noise
    own[X * LANES + i], own[Y * LANES + i] = x1, y1
    own[Z * LANES + i], own[WEIGHT * LANES + i] = z1, left
    own[SOURCE * LANES + i], own[LOSS * LANES + i] = made1, lost1
    own[GX * LANES + i], own[GY * LANES + i] = gx1, gy1
    own[GZ * LANES + i] = gz1


@primitive
def draw(seed, stream, particle, block, i, shared):
    """Six normal numbers for the next two steps of lane `i`."""
    w0, w1 = threefry(particle, block, seed, stream)
    n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
    shared[NORMALS * LANES + i], shared[(NORMALS + 1) * LANES + i] = n0, n1
    shared[(NORMALS + 2) * LANES + i], shared[(NORMALS + 3) * LANES + i] = n2, n3
    shared[(NORMALS + 4) * LANES + i], shared[(NORMALS + 5) * LANES + i] = n4, n5


@primitive
def has_ended(i, own):
    """Whether no copy in lane `i` is still under way."""
    ended = True
    for k in range(own.shape[0]):
        ended = ended and not own[k, WEIGHT * LANES + i] > NEGLIGIBLE
    return ended


@kernel
def residence_walk(model, boundary, guess, seed, stream, first, starts, fraction, scores, fates):
    """Histories first, first + 1, ... of copies from `starts` (c, 3) [pc]; returns copy steps.

    A step has the rms length `fraction` times the scale of the medium. `scores` (n, c) takes the
    estimates of psi [yr], `fates` (4,) the counts of escaped, aged out, arrived, lost.
    """
    n, copies = scores.shape
    shared, own = np.ones(SHARED * LANES), np.ones((copies, OWN * LANES))
    member = np.full(LANES, -1)
    block = np.zeros(LANES, np.uint64)
    following, living, steps = 0, 0, 0
    while following < n or living > 0:
        for i in range(LANES):  # refill; lanes without a history run idle from the same place
            if member[i] < 0:
                for k in range(copies):
                    launch(model, starts[k], i, own[k])
                block[i] = np.uint64(0)
                if following < n:
                    member[i] = following
                    following += 1
                    living += 1
        for _ in range(DRAWS_PER_HARVEST):
            for i in range(LANES):
                draw(seed, stream, first + np.uint64(member[i]), block[i], i, shared)
            for i in range(LANES):
                block[i] += np.uint64(1)
            for half in range(2):
                for i in range(LANES):
                    shared[LENGTH * LANES + i] = FAR
                for k in range(copies):
                    for i in range(LANES):
                        shorten(model, i, own[k], shared)
                for k in range(copies):
                    for i in range(LANES):
                        look_up(guess, i, own[k], shared)
                    for i in range(LANES):
                        advance(model, boundary, fraction, half, i, own[k], shared)
        steps += 2 * DRAWS_PER_HARVEST * copies * living
        for i in range(LANES):  # harvest
            too_long = block[i] > np.uint64(MOST_DRAWS)
            if member[i] >= 0 and (too_long or has_ended(i, own)):
                total = 0.0
                for k in range(copies):
                    score = math.nan if too_long else own[k, SCORE * LANES + i]
                    scores[member[i], k] = score
                    total += score
                fates[ESCAPED if math.isfinite(total) else LOST] += 1
                member[i] = -1
                living -= 1
    return steps
