"""An isotropic gas as a moving observer sees it: an exact Lorentz boost of each arrival."""

import math

import numpy as np

from mcprop.kernels.elementary import power
from mcprop.kernels.launch import random_direction
from mcprop.protocol import kernel, primitive


@primitive
def momentum_in_gas(energy, mass, speed, cosine):
    """Momentum in the gas frame of a particle that the observer meets with `energy` [GeV].

    `cosine` is that of the angle, in the gas frame, between its arrival direction and the
    observer's velocity `speed` [c]; solves energy = gamma (E' + p' speed cosine) for p'.
    """
    along = speed * cosine
    reduced = energy * math.sqrt(1.0 - speed * speed)
    root = math.sqrt(
        along * along * reduced * reduced
        + (1.0 - along * along) * (reduced * reduced - mass * mass)
    )
    return (root - along * reduced) / (1.0 - along * along)


@primitive
def boost(energy, mass, index, speed, cosine):
    """Cosine, relative intensity and d(cosine)/d(cosine in the gas) that the observer sees."""
    gamma = 1.0 / math.sqrt(1.0 - speed * speed)
    momentum = math.sqrt(energy * energy - mass * mass)
    p = momentum_in_gas(energy, mass, speed, cosine)
    v = p / math.sqrt(p * p + mass * mass)
    observed = gamma * p * (cosine + speed / v) / momentum
    change = -speed * p / (v + speed * cosine)  # of p with the cosine, at fixed observed energy
    slope = gamma * (p + (cosine + speed * v) * change) / momentum
    return observed, power(momentum / p, 2.0 + index), slope


@kernel
def boost_pairs(energy, mass, index, velocity, seed, stream, first, arrivals, intensity, weight):
    """Boost pairs of opposite directions into the frame of an observer of `velocity` (3,) [c].

    The gas is isotropic with the intensity ~ momentum^-index.  Fills, per history and member of the
    pair, the arrival direction `arrivals` (n, 2, 3), the relative `intensity` (n, 2) seen there at
    the observed `energy` [GeV], and `weight` (n, 2), that intensity times the solid angle that the
    pair member stands for.
    """
    vx, vy, vz = velocity[0], velocity[1], velocity[2]
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    ux, uy, uz = 0.0, 0.0, 1.0
    if speed > 0.0:
        ux, uy, uz = vx / speed, vy / speed, vz / speed
    for j in range(arrivals.shape[0]):
        nx, ny, nz = random_direction(seed, stream, first + np.uint64(j))
        cosine = nx * ux + ny * uy + nz * uz
        sine = math.sqrt(max(1.0 - cosine * cosine, 1e-300))
        px, py, pz = (nx - cosine * ux) / sine, (ny - cosine * uy) / sine, (nz - cosine * uz) / sine
        for side in range(2):
            sign = 1.0 - 2.0 * side
            observed, seen, slope = boost(energy, mass, index, speed, sign * cosine)
            across = sign * math.sqrt(max(1.0 - observed * observed, 0.0))
            arrivals[j, side, 0] = observed * ux + across * px
            arrivals[j, side, 1] = observed * uy + across * py
            arrivals[j, side, 2] = observed * uz + across * pz
            intensity[j, side] = seen
            weight[j, side] = seen * slope
