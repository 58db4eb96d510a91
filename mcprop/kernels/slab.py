"""Backward histories in a slab with flow, six copies on common random numbers, kept in by weights.

The plane depth = 0 absorbs. In a step of length h from depth x a free particle would reach
m + sigma N (m = x + flow h, sigma^2 = 2 k_xx h) and would have crossed the face with the
probability exp(-x x_free / (k_xx h)) of a Brownian bridge. A copy never leaves: its next depth is
the length of a 3-D Gaussian vector about m, and its weight takes the ratio of the killed to the
sampled transition density. What leaves is scored by expectation: time and place of the crossing
follow the bridge (its time change is inverse Gaussian), so nothing depends on the length of a step.

    score = c (1 - w_end) + sum_steps w p (density outside - c)

is unbiased for any constant c, because E[sum w p] = 1 - E[w_end]; c is a share of the density that
an instant exit would meet: all of it where most histories leave soon, little behind a thick slab.
Where exits are scored, a quarter of the steps go to the mirror image of the free one instead, and
weights are ratios to that mixture: with the 3-D length alone the weight of a copy close to the face
grows as 1/depth, and the variance of a dipole would not exist.
"""

import math

import numpy as np

from mcprop.kernels.elementary import exp
from mcprop.kernels.lanes import LANES
from mcprop.kernels.launch import displace, random_frame
from mcprop.kernels.rng import six_normals, threefry
from mcprop.protocol import is_uniform, kernel, outside, own_path, primitive

COPIES = 6
NEGLIGIBLE = 1e-13
"""A weight below which a history has left; its copies, close together, have nearly the same."""

FOLDED = 0.25
"""Probability of a step to the mirror image of the free one; it bounds weights near the face."""

SPARE = np.uint64(62)
"""The normal numbers leave the two random bits from here up; both zero means a folded step."""

STEPS_PER_HARVEST = 8
ESCAPED, AGED_OUT, ARRIVED, LOST = 0, 1, 2, 3

# Rows of the lane buffer: per copy ...
DEPTH, WEIGHT, SCORE, OFFSET2, OFFSET3, CENTRE = 0, 6, 12, 18, 24, 30
# ... and shared by the copies of a history.
BASE, TIME, SHIFT2, SHIFT3, STEP, KICK, AROUND, CHI, ETA2, ETA3 = range(36, 46)
PATH = 46  # four numbers of the history's way outside
ROWS = 50


@primitive
def stay(x, middle, free, around, spread, folded):
    """Next depth of a copy that may not leave, and the factor of its weight; `spread` is k_xx h.

    `folded` is the probability with which the step was sampled with `around` = 0.
    """
    depth = math.sqrt(free * free + around)
    b = middle * depth / spread
    mirror = exp(-b)
    shell = depth * depth / spread * ((1.0 - mirror) / b if abs(b) > 1e-9 else 1.0 - 0.5 * b)
    sampled = (1.0 - folded) * shell + folded * (1.0 + mirror)
    return depth, (1.0 - exp(-x * depth / spread)) / sampled


@primitive
def crossing(x, free, spread, chi):
    """Probability that a bridge from `x` to `free` met 0, and when.

    When: two fractions of the step, and the share of the first. The time t of the crossing has
    t/(h - t) inverse Gaussian (mean x/|free|, shape x^2/(2 k_xx h)); `chi` is the squared normal
    number of Michael, Schucany & Haas (1976), whose two roots are both kept, each with its
    probability.
    """
    probability = exp(-x * free / spread) if free > 0.0 else 1.0
    beta = abs(free) / x
    twice = x * x / spread
    root = beta + (chi + math.sqrt(2.0 * twice * chi * beta + chi * chi)) / twice
    return probability, 1.0 / (1.0 + root), root / (root + beta * beta), root / (root + beta)


@primitive
def launch(slab, reach, outer, j, i, lane, frame):
    """Put history `j` into lane `i`: its six copies at +- the axes of its frame."""
    p0, p1, p2, p3 = own_path(outer, j)
    for axis in range(3):
        dx, dy, dz = displace(reach, frame[3 * axis], frame[3 * axis + 1], frame[3 * axis + 2])
        for side in range(2):
            sign = 1.0 - 2.0 * side
            k = 2 * axis + side
            x = slab.depth + sign * dx
            lane[(DEPTH + k) * LANES + i] = x
            lane[(WEIGHT + k) * LANES + i] = 1.0
            lane[(SCORE + k) * LANES + i] = 0.0
            y, z = sign * dy - slab.ratio * x, sign * dz
            lane[(OFFSET2 + k) * LANES + i] = y
            lane[(OFFSET3 + k) * LANES + i] = z
            at_once = outside(outer, -slab.depth, y, z, 0.0, p0, p1, p2, p3)
            lane[(CENTRE + k) * LANES + i] = slab.centre * at_once
    lane[BASE * LANES + i] = slab.depth
    lane[TIME * LANES + i] = 0.0
    lane[SHIFT2 * LANES + i] = 0.0
    lane[SHIFT3 * LANES + i] = 0.0
    lane[PATH * LANES + i] = p0
    lane[(PATH + 1) * LANES + i] = p1
    lane[(PATH + 2) * LANES + i] = p2
    lane[(PATH + 3) * LANES + i] = p3


@primitive
def draw(slab, uniform_outside, seed, stream, particle, block, i, lane):
    """Length and noise of the next step of lane `i`; the base copy decides, and goes."""
    w0, w1 = threefry(particle, block, seed, stream)
    n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
    base, time = lane[BASE * LANES + i], lane[TIME * LANES + i]
    scale = min(max(base, 0.5 * slab.depth), slab.far)
    h = min(slab.step * scale * scale / slab.kappa_xx, slab.age - time)
    h = max(h, 1e-9 * slab.step * slab.depth * slab.depth / slab.kappa_xx)
    spread = slab.kappa_xx * h
    kick = math.sqrt(2.0 * spread) * n0
    around = 2.0 * spread * (n1 * n1 + n2 * n2)
    if not uniform_outside or slab.centre < 1.0:
        around = 0.0 if (w1 >> SPARE) == np.uint64(0) else around
    free = base + slab.flow * h + kick
    lane[STEP * LANES + i] = h
    lane[KICK * LANES + i] = kick
    lane[AROUND * LANES + i] = around
    lane[BASE * LANES + i] = math.sqrt(free * free + around)
    if not uniform_outside:
        lane[CHI * LANES + i] = n3 * n3
        lane[ETA2 * LANES + i] = math.sqrt(2.0 * slab.spread2 * h) * n4
        lane[ETA3 * LANES + i] = math.sqrt(2.0 * slab.spread3 * h) * n5


@primitive
def density_met(slab, outer, i, k, fraction, lane):
    """Density met by copy `k` if it leaves after `fraction` of this step."""
    spent, root = fraction * lane[STEP * LANES + i], math.sqrt(fraction)
    y = (
        lane[(OFFSET2 + k) * LANES + i]
        + lane[SHIFT2 * LANES + i]
        + slab.shear * spent
        + root * lane[ETA2 * LANES + i]
    )
    z = lane[(OFFSET3 + k) * LANES + i] + lane[SHIFT3 * LANES + i] + root * lane[ETA3 * LANES + i]
    p0, p1 = lane[PATH * LANES + i], lane[(PATH + 1) * LANES + i]
    p2, p3 = lane[(PATH + 2) * LANES + i], lane[(PATH + 3) * LANES + i]
    return outside(outer, -slab.depth, y, z, lane[TIME * LANES + i] + spent, p0, p1, p2, p3)


@primitive
def leave(slab, outer, i, k, lane, x, free, spread):
    """Expected score of copy `k` for leaving during this step, relative to leaving at once."""
    probability, early, late, share = crossing(x, free, spread, lane[CHI * LANES + i])
    met = share * density_met(slab, outer, i, k, early, lane)
    met += (1.0 - share) * density_met(slab, outer, i, k, late, lane)
    return probability * (met - lane[(CENTRE + k) * LANES + i])


@primitive
def fate(slab, i, lane):
    """Fate of the history in lane `i`, or -1 while it goes on."""
    if lane[BASE * LANES + i] > slab.far:
        return ESCAPED
    if lane[TIME * LANES + i] >= slab.age * (1.0 - 1e-12):
        return AGED_OUT
    if lane[WEIGHT * LANES + i] < NEGLIGIBLE and lane[(WEIGHT + 1) * LANES + i] < NEGLIGIBLE:
        return ARRIVED
    return -1 if lane[BASE * LANES + i] + lane[WEIGHT * LANES + i] >= 0.0 else LOST


@primitive
def advance(slab, outer, uniform_outside, i, k, lane):
    """Move copy `k` of lane `i` one step on."""
    h = lane[STEP * LANES + i]
    x, weight = lane[(DEPTH + k) * LANES + i], lane[(WEIGHT + k) * LANES + i]
    spread = slab.kappa_xx * h
    middle = x + slab.flow * h
    free = middle + lane[KICK * LANES + i]
    if not uniform_outside:
        lane[(SCORE + k) * LANES + i] += weight * leave(slab, outer, i, k, lane, x, free, spread)
    elif slab.centre < 1.0:
        chance = exp(-x * free / spread) if free > 0.0 else 1.0
        met = outside(outer, -slab.depth, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        lane[(SCORE + k) * LANES + i] += weight * chance * (met - lane[(CENTRE + k) * LANES + i])
    folded = 0.0 if uniform_outside and slab.centre == 1.0 else FOLDED
    depth, factor = stay(x, middle, free, lane[AROUND * LANES + i], spread, folded)
    lane[(DEPTH + k) * LANES + i] = depth
    lane[(WEIGHT + k) * LANES + i] = weight * factor


@kernel
def slab_walk(slab, outer, seed, stream, first, reach, scores, frames, fates):
    """Histories first, first + 1, ... from the Sun; returns the number of copy steps.

    `reach` (3, 3) [pc] takes an arrival direction (ICRS) to a displacement in cloud axes, `scores`
    (n, 6) the density seen along +- each of the axes in `frames` (n, 9), `fates` (4,) the counts of
    escaped, aged out, arrived, lost.
    """
    n = scores.shape[0]
    lane = np.ones(ROWS * LANES)
    member = np.full(LANES, -1)
    step = np.zeros(LANES, np.uint64)
    uniform_outside = is_uniform(outer)
    following, living, steps = 0, 0, 0
    while following < n or living > 0:
        for i in range(LANES):  # refill
            if member[i] < 0 and following < n:
                axes = random_frame(seed, stream, first + np.uint64(following))
                for k in range(9):
                    frames[following, k] = axes[k]
                launch(slab, reach, outer, following, i, lane, frames[following])
                member[i], step[i] = following, np.uint64(0)
                following += 1
                living += 1
        for _ in range(STEPS_PER_HARVEST):
            for i in range(LANES):
                particle = first + np.uint64(member[i])
                draw(slab, uniform_outside, seed, stream, particle, step[i], i, lane)
            for k in range(COPIES):
                for i in range(LANES):
                    advance(slab, outer, uniform_outside, i, k, lane)
            for i in range(LANES):
                h = lane[STEP * LANES + i]
                lane[TIME * LANES + i] += h
                lane[SHIFT2 * LANES + i] += slab.shear * h + lane[ETA2 * LANES + i]
                lane[SHIFT3 * LANES + i] += lane[ETA3 * LANES + i]
                step[i] += np.uint64(1)
        steps += STEPS_PER_HARVEST * COPIES * living
        for i in range(LANES):  # harvest
            end = fate(slab, i, lane) if member[i] >= 0 else -1
            if end >= 0:
                total = 0.0
                for k in range(COPIES):
                    left = 1.0 - lane[(WEIGHT + k) * LANES + i]
                    score = lane[(CENTRE + k) * LANES + i] * left + lane[(SCORE + k) * LANES + i]
                    scores[member[i], k] = score
                    total += score
                fates[end if math.isfinite(total) else LOST] += 1
                member[i] = -1
                living -= 1
    return steps
