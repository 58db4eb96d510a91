"""A field as a user writes one: a single function of the place, and nothing beside it."""

import math
from typing import NamedTuple

from mcprop.protocol import b_vector, implements


class OwnWave(NamedTuple):
    """(0, 0, mean) + amplitude (1, 1, -1) cos(k (x + z) + phase), which has no sources."""

    mean: float
    amplitude: float
    k: float
    phase: float
    scale: float


@implements(b_vector, OwnWave)
def _(field, x, y, z):
    wave = field.amplitude * math.cos(field.k * (x + z) + field.phase)
    return wave, wave, field.mean - wave
