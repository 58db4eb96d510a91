"""Walks that give the gradient inside a spherical region per uniform gradient far outside.

Along a principal axis x of the tensor, let u be the density in excess of its mean for a gradient of
one far away: div(kappa grad u) = 0, u -> x. It is odd in x, so it is written u = x g, and x is read
as the length of a vector with three components. Then, in five dimensions (three for x, two others),

    div(kappa grad g) + V g = 0,    V = kappa_x'(r) / r,    g -> 1 far away,

with the tensor diag(kappa_x, kappa_x, kappa_x, kappa_y, kappa_z) of the radius r alone, so that

    g(start) = E[ exp(Int V ds) ] over walks with the drift div kappa that leave to infinity.

At the centre g is the gradient itself; elsewhere it is u/x, the mean gradient between the plane
x = 0 and the place. No two densities are subtracted and nothing is displaced. The weight grows with
the time spent in the wall, and each excursion outside may end that time. So the chance to return is
tilted to that around a sphere with the gradient `tilt` inside, undone by a weight: any tilt gives
the same mean, and the right one nearly constant weights behind a thin wall.

Inside, up to the wall, a walk jumps to the ellipsoid on which it would leave, and outside to the
place of its return to the wall, both sampled exactly; only in the wall, and within a step of it,
does it take steps of finite length, by Heun's scheme. The noise of each axis is a number times the
unit vector of that axis, so half of the divergence is the drift in the sense of Stratonovich.

References
----------
Malmheden's theorem (1934): a walk inside a sphere ends as one along a chord of random direction
through its place would. (With s and t the distances to its ends, s t is the same for all chords,
and the harmonic measure at s over that of a random ray is 2 t/(s + t): both ends add up to two.)
"""

import math

import numpy as np

from mcprop.kernels.boundary import Ball, Unbounded
from mcprop.kernels.elementary import exp
from mcprop.kernels.lanes import LANES
from mcprop.kernels.rng import six_normals, threefry
from mcprop.protocol import implements, kernel, open_function, primitive, weight

STEPS_PER_HARVEST = 8
ESCAPED, LOST = 0, 3

# Rows of the lane buffer: the five coordinates from 0, then ...
LOG_WEIGHT, LAST, GONE, FACTOR = 5, 6, 7, 8
ROWS = 9

SHELL = 1e-4
"""Distance from an outer boundary, in units of its radius, at which a walk has arrived there."""

TINY = 1e-30


@primitive
def length(p):
    """Length of a vector of five components."""
    return math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2] + p[3] * p[3] + p[4] * p[4])


@primitive
def uniform_of(q):
    """Uniform number from the squared length of six normal numbers, whatever their direction."""
    return exp(-0.5 * q) * (1.0 + 0.5 * q + 0.125 * q * q)


@open_function
def excursion(exterior, edge, tilt, r, p, v, u):
    """Place next met by a walk at `p`, `r` > `edge` from the centre, and whether it ends there.

    Third comes the factor of its weight. `v` is a random unit vector and `u` an independent uniform
    number; nothing but the isotropic medium lies beyond `edge`, out to the `exterior` boundary.
    """


@implements(excursion, Unbounded)
def _(exterior, edge, tilt, r, p, v, u):
    """Return to the sphere with the probability (edge/r)^3 before the tilt, or leave to infinity.

    A place outside and its mirror image in the sphere share the distribution of hits.
    """
    ratio = edge / r
    share = ratio * ratio
    met = 1.0 + (tilt - 1.0) * share * ratio
    chance = share * ratio * tilt / met
    q0, q1, q2, q3, q4 = share * p[0], share * p[1], share * p[2], share * p[3], share * p[4]
    along = q0 * v[0] + q1 * v[1] + q2 * v[2] + q3 * v[3] + q4 * v[4]
    inside = edge * edge * (1.0 - share)
    half = math.sqrt(along * along + inside)
    ahead, behind = half - along, half + along
    s = ahead if 2.0 * half * u < behind * chance else -behind
    back = (q0 + s * v[0], q1 + s * v[1], q2 + s * v[2], q3 + s * v[3], q4 + s * v[4])
    return back, u > chance, met if u > chance else met / tilt


@implements(excursion, Ball)
def _(exterior, edge, tilt, r, p, v, u):
    """Walk on spheres between `edge` and the boundary, where the walk ends with a weight of one."""
    s = min(r - edge, exterior.radius - r)
    q = (p[0] + s * v[0], p[1] + s * v[1], p[2] + s * v[2], p[3] + s * v[3], p[4] + s * v[4])
    return q, length(q) > (1.0 - SHELL) * exterior.radius, 1.0


@primitive
def coefficients(axis, r):
    """Diffusion coefficients along the three axes, their derivatives over r, at the radius r."""
    inside, fall, _, _ = weight(axis.sphere, r, 0.0, 0.0)
    a, b, c = axis.lifted - axis.outside, axis.second - axis.outside, axis.third - axis.outside
    steep = fall / max(r, TINY)
    values = (axis.outside + inside * a, axis.outside + inside * b, axis.outside + inside * c)
    return values, (steep * a, steep * b, steep * c)


@primitive
def wall_step(axis, p, noise, roots, slopes, h):
    """Heun step of `h` [yr] from `p`; `noise` has the standard deviation sqrt(2 h).

    `roots` and `slopes` are the square roots of the coefficients and their derivatives over r at
    `p`. For h = 0 with equal coefficients it is a jump by the noise times the roots.
    """
    a, b, c = slopes
    ra, rb, rc = roots
    half = 0.5 * h
    fa, fb, fc = half * a, half * b, half * c
    q = (
        p[0] + fa * p[0] + ra * noise[0],
        p[1] + fa * p[1] + ra * noise[1],
        p[2] + fa * p[2] + ra * noise[2],
        p[3] + fb * p[3] + rb * noise[3],
        p[4] + fc * p[4] + rc * noise[4],
    )
    values, (a, b, c) = coefficients(axis, length(q))
    ra, rb, rc = (
        0.5 * (ra + math.sqrt(values[0])),
        0.5 * (rb + math.sqrt(values[1])),
        0.5 * (rc + math.sqrt(values[2])),
    )
    quarter = 0.5 * half
    ga, gb, gc = quarter * a, quarter * b, quarter * c
    fa, fb, fc = 0.5 * fa, 0.5 * fb, 0.5 * fc
    return (
        p[0] + fa * p[0] + ga * q[0] + ra * noise[0],
        p[1] + fa * p[1] + ga * q[1] + ra * noise[1],
        p[2] + fa * p[2] + ga * q[2] + ra * noise[2],
        p[3] + fb * p[3] + gb * q[3] + rb * noise[3],
        p[4] + fc * p[4] + gc * q[4] + rc * noise[4],
    )


@primitive
def advance(axis, exterior, w0, w1, i, lane):
    """Move the walk of lane `i` on by a jump or a step."""
    n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
    p = (lane[i], lane[LANES + i], lane[2 * LANES + i], lane[3 * LANES + i], lane[4 * LANES + i])
    r = length(p)
    values, slopes = coefficients(axis, r)
    roots = (math.sqrt(values[0]), math.sqrt(values[1]), math.sqrt(values[2]))
    free, beyond = axis.inner - r, r - axis.edge
    within, out = free > axis.margin, beyond > axis.margin
    h = 0.0 if within or out else axis.step
    square = n0 * n0 + n1 * n1 + n2 * n2 + n3 * n3 + n4 * n4
    over = 1.0 / math.sqrt(square)
    v = (over * n0, over * n1, over * n2, over * n3, over * n4)
    u = uniform_of(square + n5 * n5)
    s = free * over / axis.fastest if within else math.sqrt(2.0 * axis.step)
    kick = (s * n0, s * n1, s * n2, s * n3, s * n4)
    near = wall_step(axis, p, kick, roots, slopes, h)
    far, ended, factor = excursion(exterior, axis.edge, axis.tilt, max(r, axis.edge), p, v, u)
    gone = lane[GONE * LANES + i] > 0.5
    gain = 0.5 * slopes[0] * (h + lane[LAST * LANES + i])  # trapezoidal rule
    lane[LOG_WEIGHT * LANES + i] += 0.0 if gone else gain
    lane[LAST * LANES + i] = h
    lane[FACTOR * LANES + i] *= factor if out and not gone else 1.0
    for k in range(5):
        lane[k * LANES + i] = far[k] if out else near[k]
    lane[GONE * LANES + i] = 1.0 if gone or (out and ended) else 0.0


@primitive
def harvest(i, lane):
    """Score of lane `i`, and its fate or -1 while it goes on."""
    total = lane[LOG_WEIGHT * LANES + i]
    if lane[GONE * LANES + i] > 0.5:
        score = lane[FACTOR * LANES + i] * exp(total)
        return score, ESCAPED if math.isfinite(score) else LOST
    for k in range(5):
        total += lane[k * LANES + i]
    return math.nan, -1 if math.isfinite(total) else LOST


@kernel
def region_walk(axis, exterior, start, seed, stream, first, scores, fates):
    """Walk histories first, first + 1, ... from `start` (3,) [pc]; returns the number of steps.

    `start` lies along the lifted, second and third axis. `scores` (n,) takes the weights and
    `fates` (4,) the counts of those that escaped, first, and of those that were lost, last.
    """
    n = scores.shape[0]
    lane = np.zeros(ROWS * LANES)
    member = np.full(LANES, -1)
    step = np.zeros(LANES, np.uint64)
    following, living, steps = 0, 0, 0
    while following < n or living > 0:
        for i in range(LANES):  # refill
            if member[i] < 0 and following < n:
                for k in range(ROWS):
                    lane[k * LANES + i] = 0.0
                lane[i], lane[FACTOR * LANES + i] = start[0], 1.0
                lane[3 * LANES + i], lane[4 * LANES + i] = start[1], start[2]
                member[i], step[i] = following, np.uint64(0)
                following += 1
                living += 1
        for _ in range(STEPS_PER_HARVEST):
            for i in range(LANES):
                w0, w1 = threefry(first + np.uint64(member[i]), step[i], seed, stream)
                advance(axis, exterior, w0, w1, i, lane)
                step[i] += np.uint64(1)
        steps += STEPS_PER_HARVEST * living
        for i in range(LANES):
            score, end = harvest(i, lane) if member[i] >= 0 else (0.0, -1)
            if end >= 0:
                scores[member[i]] = score
                fates[end] += 1
                member[i] = -1
                living -= 1
    return steps
