"""The walk through the Galaxy by NumPy at its best."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.galaxy_problem import GALAXY, RIGIDITY, STEP, STEPS

BLOCK = 16384
"""Particles of a block: about twenty arrays of them stay in the cache. Fewer pay more for calls."""

FAR = 40.0
"""Exponent of a bridge beyond which one minus its exponential is one to the last bit."""

# lengths are in units of the Sun's distance from the axis
UNIT = GALAXY.sun_radius
RADIUS, HALF_HEIGHT = GALAXY.radius / UNIT, GALAXY.half_height / UNIT
PER_DISC, PER_SOURCE = UNIT / GALAXY.disc_height, UNIT / GALAXY.source_height
SLOPE, DECLINE, CONTRAST = GALAXY.source_slope, GALAXY.source_decline, GALAXY.contrast
EXPONENT = GALAXY.slope * math.log(RIGIDITY / GALAXY.reference_rigidity)
LN_SPREAD = math.log(2.0 * STEP * GALAXY.d0 / UNIT**2)


class Block:
    """Particles that walk together, with all the room they need: a step allocates nothing.

    Parameters
    ----------
    size : int
        Number of particles.
    """

    def __init__(self, size: int) -> None:
        self.position, self.weight = np.zeros((3, size)), np.ones(size)
        self.position[0] = 1.0
        self.square, self.r, self.next_r = np.ones((3, size))
        self.height, self.next_height = np.zeros((2, size))
        self.kick, self.scratch = np.empty((3, size)), np.empty((8, size))
        self.flag = np.empty(size, dtype=bool)

    def step(self, normal: Callable[..., Any]) -> None:
        """One step of all."""
        normal(out=self.kick)
        spread = self._move()
        self._meet_walls(spread)
        self.r, self.next_r = self.next_r, self.r
        self.height, self.next_height = self.next_height, self.height

    def _move(self) -> np.ndarray:
        """Drift and noise; returns 2 D h. The power and both exponentials of f are one, so are
        those of D."""
        r, height, square = self.r, self.height, self.square
        f, g, quartic, cube, rest, shape, spread, t = self.scratch
        np.log(square, out=f)
        f *= 0.5 * SLOPE
        f -= np.multiply(r, DECLINE, out=t)
        f -= np.multiply(height, PER_SOURCE, out=t)
        f += DECLINE
        np.exp(f, out=f)
        np.add(f, 1.0, out=t)
        np.divide(1.0, t, out=t)
        np.multiply(t, CONTRAST, out=g)
        f *= t
        f *= g
        np.multiply(height, PER_DISC, out=quartic)
        np.less(quartic, 1.0, out=self.flag)
        np.minimum(quartic, 1.0, out=quartic)
        np.multiply(quartic, quartic, out=cube)
        cube *= quartic
        quartic *= cube
        f *= np.subtract(1.0, quartic, out=t)  # -dF/dln f
        np.subtract(1.0, g, out=rest)
        np.multiply(rest, quartic, out=shape)
        shape += g
        rest *= cube
        rest *= 4.0 * PER_DISC
        rest *= self.flag
        np.multiply(shape, EXPONENT, out=t)
        np.add(t, LN_SPREAD, out=spread)
        np.exp(spread, out=spread)
        t += 1.0
        t *= spread
        t *= 0.5  # h dD/dF
        spread *= shape
        x, y, z = self.position
        upward = rest
        upward += np.multiply(f, PER_SOURCE, out=g)
        upward *= t
        np.copysign(upward, z, out=upward)
        f *= t
        np.divide(SLOPE, square, out=g)
        g -= np.divide(DECLINE, r, out=t)
        f *= g
        inward = np.subtract(1.0, f, out=f)
        x *= inward
        y *= inward
        z += upward
        self.kick *= np.sqrt(spread, out=t)
        self.position += self.kick
        return spread

    def _meet_walls(self, spread: np.ndarray) -> None:
        """Bridges, for those alone that are near enough to a wall."""
        x, y, z = self.position
        side, end, t, limit = self.scratch[:4]
        np.multiply(x, x, out=self.square)
        self.square += np.multiply(y, y, out=t)
        np.sqrt(self.square, out=self.next_r)
        np.abs(z, out=self.next_height)
        np.subtract(RADIUS, self.r, out=side)
        side *= np.subtract(RADIUS, self.next_r, out=t)
        np.subtract(HALF_HEIGHT, self.height, out=end)
        end *= np.subtract(HALF_HEIGHT, self.next_height, out=t)
        np.minimum(side, end, out=t)
        np.less(t, np.multiply(spread, 0.5 * FAR, out=limit), out=self.flag)
        near = np.flatnonzero(self.flag)
        if near.size:
            over = -2.0 / spread[near]
            inside = (self.next_r[near] < RADIUS) & (self.next_height[near] < HALF_HEIGHT)
            alive = (1.0 - np.exp(side[near] * over)) * (1.0 - np.exp(end[near] * over))
            self.weight[near] *= np.where(inside, alive, 0.0)


def numpy_best(particles: int, bit_generator: Callable[[int], Any]) -> np.ndarray:
    """Walk blocks one after the other.

    The wall on the other side of the plane is left out: at these steps its factor is one.

    Parameters
    ----------
    particles : int
        Rounded down to whole blocks, one at least.
    bit_generator : callable
        Makes the source of random bits from a seed.

    Returns
    -------
    ndarray, shape (4, n)
        Positions [pc] and weights.
    """
    size = min(BLOCK, particles)
    normal = np.random.Generator(bit_generator(1)).standard_normal
    blocks = []
    for _ in range(particles // size):
        block = Block(size)
        for _ in range(STEPS):
            block.step(normal)
        blocks.append(np.concatenate([UNIT * block.position, block.weight[None]]))
    return np.concatenate(blocks, axis=1)
