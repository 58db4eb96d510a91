"""A field seen in a mirror: pseudo-particles in it use their random numbers with other signs.

A particle at -x' in the field b moves as one at x' in the field -b(-x') whose kicks have the other
sign; and with the field reversed the noise along its line has the other sign. Four particles with
all combinations of signs share their random numbers, and what is odd in these cancels in the mean
(antithetic variates).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import mcprop.fields.blocks  # noqa: F401  (registers the default of b_block)
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_vector, implements, step_scale

SIGNS = ((1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0))
"""Signs of the place and of the field: of kicks and noise they are (+, +), (-, +), (-, -), (+, -).
"""


class Mirrored(NamedTuple):
    """The field `sign` b(`side` x) of a field b.

    Parameters
    ----------
    field : model of a magnetic field
    side, sign : float
        1 or -1.
    """

    field: Any
    side: float
    sign: float


@implements(b_vector, Mirrored)
def _(field, x, y, z):
    bx, by, bz = b_vector(field.field, field.side * x, field.side * y, field.side * z)
    return field.sign * bx, field.sign * by, field.sign * bz


@implements(b_block, Mirrored)
def _(field, places, out):
    turned, there = np.empty(3 * LANES), np.zeros(3 * LANES)
    for i in range(3 * LANES):
        turned[i] = field.side * places[i]
    b_block(field.field, turned, there)
    for i in range(3 * LANES):
        out[i] += field.sign * there[i]


@implements(step_scale, Mirrored)
def _(field, x, y, z):
    return step_scale(field.field, field.side * x, field.side * y, field.side * z)
