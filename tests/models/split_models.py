"""Coefficients, lines and plasma that vary with many parameters, right and wrong ones.

Tests that share them share the kernel that is compiled for them.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mcprop.kernels.flow import velocity
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_vector, coefficient, implements, step_scale

SIDE = 2.0 * math.pi
"""Period of the waves [pc]."""


class Ripple(NamedTuple):
    """Coefficient mean (1 + amplitude sin(x + iy y + iz z)) that tells `told` of its gradient."""

    mean: float
    amplitude: float
    iy: float
    iz: float
    told: float
    scale: float = 20.0


class Lines(NamedTuple):
    """Straight, radial, circular or wandering lines, and a false strength if wanted.

    B = (bx, by, bz) + radial (x, y, z) + circular (-y, x, 0) + waves in the three directions.  Its
    strength, by which the drift knows div b, is changed to |B|^power dk^tilt: right are 1 and 0.
    With power = 0 the drift knows no div b, with 1/2 half of it; tilt = -1/2 adds another half of
    b . grad dk, tilt = 1/2 takes away the one that there is.  A trap makes it exp(trap z^2/2).
    """

    bx: float
    by: float
    bz: float
    radial: float
    circular: float
    waves: float
    power: float
    tilt: float
    trap: float
    parallel: Any
    perp: Any


class Breath(NamedTuple):
    """Plasma velocity (ux, 0, 0) + swell (sin x, 0, 0) + shear (sin z, 0, 0) + twist (0, sin x,
    sin y); it has sources by the swell alone."""

    ux: float
    swell: float
    shear: float = 0.0
    twist: float = 0.0
    scale: float = SIDE


class Altered(NamedTuple):
    """A field whose strength, by which the drift knows div b, is changed as that of `Lines`."""

    field: Any
    power: float
    tilt: float
    parallel: Any
    perp: Any


@implements(coefficient, Ripple)
def _(profile, x, y, z):
    phase = x + profile.iy * y + profile.iz * z
    slope = profile.told * profile.mean * profile.amplitude * np.cos(phase)
    value = profile.mean * (1.0 + profile.amplitude * np.sin(phase))
    return value, slope, profile.iy * slope, profile.iz * slope


@implements(b_vector, Lines)
def _(field, x, y, z):
    wx, wy, wz = field.waves, 0.8 * field.waves, 0.7 * field.waves
    bx = field.bx + field.radial * x - field.circular * y + wx * np.sin(z) + wz * np.cos(y)
    by = field.by + field.radial * y + field.circular * x + wy * np.sin(x) + wx * np.cos(z)
    bz = field.bz + field.radial * z + wz * np.sin(y) + wy * np.cos(x)
    parallel, _, _, _ = coefficient(field.parallel, x, y, z)
    perp, _, _, _ = coefficient(field.perp, x, y, z)
    square = bx * bx + by * by + bz * bz
    factor = square ** (0.5 * field.power - 0.5) * (parallel - perp) ** field.tilt
    factor *= np.exp(0.5 * field.trap * z * z)
    return factor * bx, factor * by, factor * bz


@implements(step_scale, Lines)
def _(field, x, y, z):
    return SIDE if field.waves > 0.0 else 8.0


@implements(velocity, Breath)
def _(flow, x, y, z):
    ux = flow.ux + flow.swell * math.sin(x) + flow.shear * math.sin(z)
    return ux, flow.twist * math.sin(x), flow.twist * math.sin(y), flow.swell * math.cos(x)


@implements(b_block, Altered)
def _(field, places, out):
    own = np.zeros(3 * LANES)
    b_block(field.field, places, own)
    for i in range(LANES):
        x, y, z = places[i], places[LANES + i], places[2 * LANES + i]
        square = own[i] ** 2 + own[LANES + i] ** 2 + own[2 * LANES + i] ** 2
        parallel, _, _, _ = coefficient(field.parallel, x, y, z)
        perp, _, _, _ = coefficient(field.perp, x, y, z)
        factor = square ** (0.5 * field.power - 0.5) * (parallel - perp) ** field.tilt
        for k in range(3):
            out[k * LANES + i] += factor * own[k * LANES + i]


@implements(step_scale, Altered)
def _(field, x, y, z):
    return step_scale(field.field, x, y, z)


def constant(value):
    """Coefficient that is the same everywhere, of the type of those that vary."""
    return Ripple(value, 0.0, 0.0, 0.0, 1.0)


def lines_of(shape, parallel, perp, power=1.0, tilt=0.0, trap=0.0):
    """Lines of six numbers; with a false strength if wanted."""
    return Lines(*shape, power, tilt, trap, parallel, perp)
