"""Pseudo-particles along field lines that wander: a split step that does not leave its line.

Diffusion with kappa_parallel >> kappa_perp along b(x) has the generator

    L = div(kappa_perp grad) + div(dk b b . grad),        dk = kappa_parallel - kappa_perp

A plain Euler step leaves the line where it curves, which fakes perpendicular diffusion of the order
of kappa_parallel^2 h <|b . grad b|^2>.  Here every part is a flow of its own.  With V = sigma b .
grad and sigma = sqrt(2 dk) the part along the line is

    V^2/2 + a b . grad,    a = (b . grad dk)/2 - dk b . grad ln|B|       (div b = -b . grad ln|B|)

so that one step of h [yr] is the palindrome

    drift along b at the speed a             for h/2
    plasma, then a kick of kappa_perp        for h/2
    dx/ds = sigma(x) b(x)                    from s = 0 to W, normal with variance h
    a kick of kappa_perp, then plasma        for h/2
    drift along b at the speed a             for h/2

of second weak order where kappa_perp is constant, of first where it varies.  Only half of b . grad
dk: that sigma varies along its own flow makes up for the other half.  The drifts of two steps that
follow each other are one.  With constant coefficients the drift is there all the same, wherever
|B| varies along its line.  The field must have no sources, div B = 0: |B| stands for div b.

Lanes are at different stages of different steps, and all of them take the field four times in a
sub-step: for Runge-Kutta's four stages (noise), or for the place, one probe to either side, and the
middle of the way (drift).  So none waits for another, and |B| needs no derivatives.

References
----------
G. Strang, SIAM J. Numer. Anal. 5 (1968) 506 (splitting); S. Ninomiya and N. Victoir, Appl. Math.
Finance 15 (2008) 107 (flows of Stratonovich parts).
"""

import math

import numpy as np

import mcprop.fields.blocks  # noqa: F401  (registers the default of b_block)
from mcprop.kernels.flow import velocity
from mcprop.kernels.lanes import LANES
from mcprop.kernels.rng import six_normals, threefry
from mcprop.protocol import b_block, coefficient, kernel, primitive, step_scale

SECOND = np.uint64(1 << 62)
"""Added to the block number of a step for the random numbers of its second kick."""

NOISE_SHARE, DRIFT_SHARE = 0.25, 0.125
"""Longest sub-steps along the line in units of the `step_scale`: of the noise, of the drift."""

PROBE = 0.01
"""Distance of the differences of |B| along the line in units of the `step_scale`."""

NEAREST, FARTHEST = 1e-6, 1e4
"""Smallest and largest `step_scale` [pc] that count: squares of their inverses are numbers."""

SHORTEST = 1.0 / 4096.0
"""Shortest sub-step of the drift in units of the step: a walk ends, even at a null of B."""

TINY = 1e-100

X, Y, Z, LEFT, DRIFTS, GATHERED, UNIT, STEP, STRENGTH, EXCESS, AHEAD, GAIN = range(12)
BX, BY, BZ, AX, AY, AZ, ROWS = range(12, 19)
"""Rows of the lane buffer: the place; what is left of the present flow, of time or of W, and
whether it is a drift; the expansion of the plasma so far; step scale, sub-step, |B| and dk where
the sub-step begins; |B| and dk at the probe ahead; b there, and the sum of Runge-Kutta's stages."""


@primitive
def advect(flow, x, y, z, t):
    """Carry (x, y, z) along with the plasma for `t` [yr]; also the expansion on the way [1]."""
    ux, uy, uz, _ = velocity(flow, x, y, z)
    half = 0.5 * t
    ux, uy, uz, expansion = velocity(flow, x + half * ux, y + half * uy, z + half * uz)
    return x + t * ux, y + t * uy, z + t * uz, t * expansion


@primitive
def kick(profile, x, y, z, n0, n1, n2, t):
    """Diffuse for `t` [yr] with the coefficient of `profile`: Heun, with half of its gradient."""
    value, gx, gy, gz = coefficient(profile, x, y, z)
    root, half = math.sqrt(2.0 * value * t), 0.5 * t
    ax, ay, az = half * gx + root * n0, half * gy + root * n1, half * gz + root * n2
    value, gx, gy, gz = coefficient(profile, x + ax, y + ay, z + az)
    root = math.sqrt(2.0 * value * t)
    bx, by, bz = half * gx + root * n0, half * gy + root * n1, half * gz + root * n2
    return x + 0.5 * (ax + bx), y + 0.5 * (ay + by), z + 0.5 * (az + bz)


@primitive
def excess(medium, x, y, z):
    """dk = kappa_parallel - kappa_perp [pc^2/yr]."""
    parallel, _, _, _ = coefficient(medium.parallel, x, y, z)
    perp, _, _, _ = coefficient(medium.perp, x, y, z)
    return parallel - perp


@primitive
def portion(left, most):
    """Length of the next sub-step: the `most`, or what is left in one or in two equal ones."""
    size = abs(left)
    part = most if size > 2.0 * most else (0.5 * size if size > most else size)
    return math.copysign(part, left)


@primitive
def speed_along(probe, s0, s1, s2, k0, k1, k2):
    """Drift a along the line and its derivative, from |B| and dk here, ahead and behind."""
    over, over_s = 1.0 / probe, 1.0 / s0 if s0 > 0.0 else 0.0
    ds, dds = 0.5 * over * over_s * (s1 - s2), over * over * over_s * (s1 + s2 - 2.0 * s0)
    dk, ddk = 0.5 * over * (k1 - k2), over * over * (k1 + k2 - 2.0 * k0)
    return 0.5 * dk - k0 * ds, 0.5 * ddk - dk * ds - k0 * (dds - ds * ds)


@primitive
def growth(y):
    """(exp(y) - 1)/y for -1 <= y <= 1, relative error below 4e-5."""
    inner = 1.0 + y * (1.0 / 5.0) * (1.0 + y * (1.0 / 6.0) * (1.0 + y * (1.0 / 7.0)))
    return 1.0 + y * 0.5 * (1.0 + y * (1.0 / 3.0) * (1.0 + y * 0.25 * inner))


@primitive
def field_at(medium, places, fields):
    """Fill `fields` with the field at `places`, of all lanes."""
    for i in range(3 * LANES):
        fields[i] = 0.0
    b_block(medium.field, places, fields)


@primitive
def unit_vector(i, fields):
    """Direction and strength of the field of lane `i`; zeros where it vanishes."""
    bx, by, bz = fields[i], fields[LANES + i], fields[2 * LANES + i]
    strength = math.sqrt(bx * bx + by * by + bz * bz)
    over = 1.0 / strength if strength > 0.0 else 0.0
    return over * bx, over * by, over * bz, strength


@primitive
def go(i, lane, length, bx, by, bz, places):
    """Look at the place that lies `length` along b from where the sub-step began."""
    places[i] = lane[X * LANES + i] + length * bx
    places[LANES + i] = lane[Y * LANES + i] + length * by
    places[2 * LANES + i] = lane[Z * LANES + i] + length * bz


@primitive
def add_stage(i, lane, share, bx, by, bz):
    """Add one stage to Runge-Kutta's sum."""
    lane[AX * LANES + i] += share * bx
    lane[AY * LANES + i] += share * by
    lane[AZ * LANES + i] += share * bz


@primitive
def begin(medium, i, lane, fields, places):
    """Where the sub-step begins; then half a step of the noise, or a probe ahead."""
    bx, by, bz, strength = unit_vector(i, fields)
    x, y, z = lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i]
    more = excess(medium, x, y, z)
    sigma = math.sqrt(2.0 * more)
    scale = step_scale(medium, x, y, z)
    unit = min(max(scale, NEAREST), FARTHEST)
    step = portion(lane[LEFT * LANES + i], NOISE_SHARE * unit / (sigma + TINY))
    lane[UNIT * LANES + i], lane[STEP * LANES + i] = unit, step
    lane[STRENGTH * LANES + i], lane[EXCESS * LANES + i] = strength, more
    lane[BX * LANES + i], lane[BY * LANES + i], lane[BZ * LANES + i] = bx, by, bz
    lane[AX * LANES + i], lane[AY * LANES + i], lane[AZ * LANES + i] = 0.0, 0.0, 0.0
    add_stage(i, lane, sigma, bx, by, bz)
    drifts = lane[DRIFTS * LANES + i] > 0.0
    go(i, lane, PROBE * unit if drifts else 0.5 * step * sigma, bx, by, bz, places)


@primitive
def second(medium, i, lane, fields, places):
    """The second stage of the noise, or what the probe ahead has found; then one behind."""
    bx, by, bz, strength = unit_vector(i, fields)
    more = excess(medium, places[i], places[LANES + i], places[2 * LANES + i])
    sigma = math.sqrt(2.0 * more)
    lane[AHEAD * LANES + i], lane[GAIN * LANES + i] = strength, more
    add_stage(i, lane, 2.0 * sigma, bx, by, bz)
    drifts = lane[DRIFTS * LANES + i] > 0.0
    bx = lane[BX * LANES + i] if drifts else bx
    by = lane[BY * LANES + i] if drifts else by
    bz = lane[BZ * LANES + i] if drifts else bz
    half = 0.5 * lane[STEP * LANES + i] * sigma
    go(i, lane, -PROBE * lane[UNIT * LANES + i] if drifts else half, bx, by, bz, places)


@primitive
def third(medium, h, i, lane, fields, places):
    """The third stage of the noise; or how far to drift, from both probes, and the middle of it.

    The drift is linear over a sub-step, t a (exp(t a') - 1)/(t a'), in which it goes DRIFT_SHARE of
    a step scale and changes by its own size at most.  Only near a null of B, where the sub-steps
    would be too many, it may do more.
    """
    bx, by, bz, strength = unit_vector(i, fields)
    more = excess(medium, places[i], places[LANES + i], places[2 * LANES + i])
    sigma = math.sqrt(2.0 * more)
    add_stage(i, lane, 2.0 * sigma, bx, by, bz)
    unit = lane[UNIT * LANES + i]
    here, ahead = lane[STRENGTH * LANES + i], lane[AHEAD * LANES + i]
    k0, k1 = lane[EXCESS * LANES + i], lane[GAIN * LANES + i]
    a, slope = speed_along(PROBE * unit, here, ahead, strength, k0, k1, more)
    rate = max(abs(a) / (DRIFT_SHARE * unit), abs(slope))
    t = portion(lane[LEFT * LANES + i], max(1.0 / (rate + TINY), SHORTEST * h))
    drifts = lane[DRIFTS * LANES + i] > 0.0
    step = t if drifts else lane[STEP * LANES + i]
    lane[STEP * LANES + i] = step
    bx = lane[BX * LANES + i] if drifts else bx
    by = lane[BY * LANES + i] if drifts else by
    bz = lane[BZ * LANES + i] if drifts else bz
    way = t * a * growth(min(max(t * slope, -1.0), 1.0))
    way = min(max(way, -NOISE_SHARE * unit), NOISE_SHARE * unit)
    lane[GAIN * LANES + i] = way
    go(i, lane, 0.5 * way if drifts else step * sigma, bx, by, bz, places)


@primitive
def end(medium, i, lane, fields, places):
    """The fourth stage of the noise, or the direction halfway of the drift; then the sub-step."""
    bx, by, bz, _ = unit_vector(i, fields)
    more = excess(medium, places[i], places[LANES + i], places[2 * LANES + i])
    add_stage(i, lane, math.sqrt(2.0 * more), bx, by, bz)
    step, way = lane[STEP * LANES + i], lane[GAIN * LANES + i]
    drifts = lane[DRIFTS * LANES + i] > 0.0
    sixth = step / 6.0
    lane[X * LANES + i] += way * bx if drifts else sixth * lane[AX * LANES + i]
    lane[Y * LANES + i] += way * by if drifts else sixth * lane[AY * LANES + i]
    lane[Z * LANES + i] += way * bz if drifts else sixth * lane[AZ * LANES + i]
    lane[LEFT * LANES + i] -= step


@primitive
def sub_steps(medium, h, lane, fields, places):
    """One sub-step of all lanes along their lines: four fields each."""
    for i in range(3 * LANES):
        places[i] = lane[i]
    for stage in range(4):  # so that the field is compiled once
        field_at(medium, places, fields)
        if stage == 0:
            for i in range(LANES):
                begin(medium, i, lane, fields, places)
        elif stage == 1:
            for i in range(LANES):
                second(medium, i, lane, fields, places)
        elif stage == 2:
            for i in range(LANES):
                third(medium, h, i, lane, fields, places)
        else:
            for i in range(LANES):
                end(medium, i, lane, fields, places)


@primitive
def kick_first(medium, flow, i, lane, particle, number, seed, stream, h):
    """Plasma and kick for h/2, and the noise along the line that follows."""
    w0, w1 = threefry(particle, number, seed, stream)
    n0, n1, n2, n3, _, _ = six_normals(w0, w1)
    x, y, z = lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i]
    x, y, z, expansion = advect(flow, x, y, z, 0.5 * h)
    x, y, z = kick(medium.perp, x, y, z, n0, n1, n2, 0.5 * h)
    lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i] = x, y, z
    lane[GATHERED * LANES + i] += expansion
    lane[LEFT * LANES + i], lane[DRIFTS * LANES + i] = math.sqrt(h) * n3, 0.0


@primitive
def kick_last(medium, flow, i, lane, particle, number, seed, stream, h, left):
    """Kick and plasma for h/2, and the drift along the line that follows, for `left` [yr]."""
    w0, w1 = threefry(particle, number + SECOND, seed, stream)
    n0, n1, n2, _, _, _ = six_normals(w0, w1)
    x, y, z = lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i]
    x, y, z = kick(medium.perp, x, y, z, n0, n1, n2, 0.5 * h)
    x, y, z, expansion = advect(flow, x, y, z, 0.5 * h)
    lane[X * LANES + i], lane[Y * LANES + i], lane[Z * LANES + i] = x, y, z
    lane[GATHERED * LANES + i] += expansion
    lane[LEFT * LANES + i], lane[DRIFTS * LANES + i] = left, 1.0


@primitive
def board(i, j, lane, positions, h):
    """Put particle `j` into lane `i`, with half a drift before it."""
    for k in range(3):
        lane[k * LANES + i] = positions[k, j]
    lane[GATHERED * LANES + i] = 0.0
    lane[LEFT * LANES + i], lane[DRIFTS * LANES + i] = 0.5 * h, 1.0


@primitive
def land(i, j, lane, positions):
    """Put lane `i` back to particle `j`."""
    for k in range(3):
        positions[k, j] = lane[k * LANES + i]
    if positions.shape[0] > 3:
        positions[3, j] += lane[GATHERED * LANES + i]


@kernel
def wander(medium, flow, seed, stream, first, block, h, steps, positions):
    """Move particles first, first + 1, ... by `steps` steps of `h` [yr]; return the sub-steps.

    `positions` (3, n) [pc] is changed in place.  A fourth row, if there is one, gathers the
    expansion Int div u dt of the plasma that each particle met: the weight of a particle in the
    flow `Backward` is its exponential.  `medium` has a `field`, which answers `b_block`, and the
    coefficients `parallel` >= `perp`, which answer `coefficient`; `flow` answers `velocity`.

    Random numbers are those of the blocks `block`, `block` + 1, ... of each particle, so two calls
    that differ in `positions` alone share them.  A particle's path depends on its own numbers and
    place, not on those beside it.  The motion of the plasma in a step must be short against the
    length on which it varies, and the kick against that of kappa_perp.
    """
    n = positions.shape[1]
    lane, places, fields = np.zeros(ROWS * LANES), np.zeros(3 * LANES), np.zeros(3 * LANES)
    who, taken = np.full(LANES, -1), np.zeros(LANES, np.int64)
    boarded, landed, counted = 0, 0, 0
    if steps < 1 or n < 1:
        return 0
    for i in range(LANES):
        board(i, min(i, n - 1), lane, positions, h)  # those left over go along, for nothing
        if i < n:
            who[i] = i
            boarded += 1
    while landed < n:
        sub_steps(medium, h, lane, fields, places)
        counted += boarded - landed
        for i in range(LANES):
            if who[i] < 0 or abs(lane[LEFT * LANES + i]) > 0.0:
                continue  # a place that is not a number has nothing left
            particle, number = first + np.uint64(who[i]), block + np.uint64(taken[i])
            if lane[DRIFTS * LANES + i] == 0.0:
                taken[i] += 1
                left = h if taken[i] < steps else 0.5 * h
                kick_last(medium, flow, i, lane, particle, number, seed, stream, h, left)
            elif taken[i] < steps:
                kick_first(medium, flow, i, lane, particle, number, seed, stream, h)
            else:
                land(i, who[i], lane, positions)
                landed += 1
                who[i] = -1
                if boarded < n:
                    board(i, boarded, lane, positions, h)
                    who[i], taken[i] = boarded, 0
                    boarded += 1
    return counted
