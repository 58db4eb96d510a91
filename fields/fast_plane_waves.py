"""The same sum of plane waves as good as 32 bits can be: for statistics, at almost twice the speed.

Phases are added as doubles so large that their last bit counts 2^-23 turns: the last 23 bits are
the phase without its whole turns, and as good as floats of 32 bits, of which cosines and sums are.
"""

from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.fields.blocks import block_of_vectors
from mcprop.fields.plane_waves import PlaneWaves, sum_of_slopes, sum_of_waves
from mcprop.fields.total import total
from mcprop.kernels.lanes import LANES
from mcprop.kernels.vectors import WIDTH, add_to, doubles, fma, folded, load, spread
from mcprop.protocol import b_block, b_gradient, b_vector, implements, primitive

COUNTER = 1.5 * 2.0**30
"""Added to half-turns, it leaves 2^-23 turns in the last bit, up to `MOST` to either side."""

MOST = 2.0**29
"""Half-turns that can be counted."""

# The polynomial c0 + c1 s^2 + c2 s^4 + c3 s^6 times s that is nearest to sin(2 pi s) for
# abs(s) <= 1/4 (Remez), within 5.9e-7; divided by c3, which is in the amplitudes.
LEADING = -70.993433268921329
C0 = np.float32(6.2831640443038709 / LEADING)
C1 = np.float32(-41.337142371214251 / LEADING)
C2 = np.float32(81.340768889004578 / LEADING)
ZERO = np.float32(0.0)


class FastPlaneWaves(NamedTuple):
    """Sum of plane waves in 32 bits; `fast_plane_waves` makes it.

    Parameters
    ----------
    waves : PlaneWaves
        The sum in doubles, which answers where this one cannot, and for the derivatives.
    phases : ndarray, shape (n + 1, 4)
        Wave vector and phase of each wave in half-turns, `COUNTER` added to the phase; a row of
        zeros.
    amplitudes : ndarray of float32, shape (n + 1, 4)
        Three components in units of `gain`, times `LEADING`, and a zero; a row of zeros.
    gain : float
        Largest component of an amplitude [uG].
    reach : float
        Sum of the magnitudes of x, y and z [pc] from which on phases cannot be counted any more.
    scale : float
        Shortest wavelength [pc].
    """

    waves: PlaneWaves
    phases: np.ndarray
    amplitudes: np.ndarray
    gain: float
    reach: float
    scale: float

    def __add__(self, other: Any) -> Any:
        return total(self, other)


def fast_plane_waves(waves: PlaneWaves) -> FastPlaneWaves:
    """A sum of plane waves in floats of 32 bits.

    Parameters
    ----------
    waves : PlaneWaves
        The sum in doubles.

    Returns
    -------
    FastPlaneWaves
        The model. Its error is below 5e-6 of the root mean square of the field: enough for averages
        over many particles, too much for derivatives by differences. Farther from the origin than
        its `reach`, some 2^28 of the shortest wavelengths, it gives the field in doubles instead,
        as slowly as one lane after the other takes.

    Raises
    ------
    RangeError
        If the waves are not `PlaneWaves`.
    """
    if not isinstance(waves, PlaneWaves):
        raise RangeError(f"waves = {waves!r} must be PlaneWaves, as plane_waves makes them.")
    amplitude = waves.amplitude
    gain = float(np.abs(amplitude).max()) or 1.0
    phases, amplitudes = np.zeros((len(waves.table), 4)), np.zeros((len(waves.table), 4), "f4")
    phases[:-1] = waves.table[:-1, :4]
    phases[:-1, 3] += COUNTER
    amplitudes[:-1, :3] = LEADING * (amplitude / gain)
    fastest = float(np.abs(phases[:-1, :3]).max())
    # the phase comes on top, one half-turn at most, and the rounding of these sums
    return FastPlaneWaves(waves, phases, amplitudes, gain, (MOST - 4.0) / fastest, waves.scale)


@primitive
def triangle(phases, n, x, y, z):
    """Phase of wave n as a triangle wave, between -1/4 and 1/4 where the cosine is -1 and 1."""
    turns = fma(phases[n, 0], x, fma(phases[n, 1], y, fma(phases[n, 2], z, phases[n, 3])))
    return folded(turns)


@primitive
def sine(s):
    """sin(2 pi s) over `LEADING`, for abs(s) <= 1/4."""
    x = s * s
    return fma(fma(x + C2, x, C1), x, C0) * s


@primitive
def is_near(field, x, y, z):
    """Whether the phases at a place can be counted: not if it is no number either."""
    return abs(x) + abs(y) + abs(z) < field.reach


@primitive
def fast_sum(field, x, y, z):
    """Field [uG] of all waves at one place, added in their order."""
    if not is_near(field, x, y, z):
        return sum_of_waves(field.waves.table, x, y, z)
    phases, amplitudes = field.phases, field.amplitudes
    bx, by, bz = ZERO, ZERO, ZERO
    for n in range(phases.shape[0] - 1):
        c = sine(triangle(phases, n, x, y, z))
        bx = fma(amplitudes[n, 0], c, bx)
        by = fma(amplitudes[n, 1], c, by)
        bz = fma(amplitudes[n, 2], c, bz)
    gain = field.gain
    return gain * doubles(bx), gain * doubles(by), gain * doubles(bz)


@primitive
def fast_block(field, places, out):
    """Add the field [uG] of all waves in a block of lanes to `out`, where all are near."""
    phases, amplitudes, gain = field.phases, field.amplitudes, field.gain
    for i in range(0, LANES, WIDTH):
        x, y, z = load(places, i), load(places, LANES + i), load(places, 2 * LANES + i)
        bx, by, bz = spread(ZERO), spread(ZERO), spread(ZERO)
        s = triangle(phases, 0, x, y, z)
        for n in range(phases.shape[0] - 1):
            # beside the cosine of this wave the phase of the next, on which nothing here waits
            c, s = sine(s), triangle(phases, n + 1, x, y, z)
            bx = fma(amplitudes[n, 0], c, bx)
            by = fma(amplitudes[n, 1], c, by)
            bz = fma(amplitudes[n, 2], c, bz)
        add_to(out, i, gain * doubles(bx))
        add_to(out, LANES + i, gain * doubles(by))
        add_to(out, 2 * LANES + i, gain * doubles(bz))


one_by_one = primitive(block_of_vectors)


@implements(b_vector, FastPlaneWaves)
def _(field, x, y, z):
    return fast_sum(field, x, y, z)


@implements(b_block, FastPlaneWaves)
def _(field, places, out):
    near = 0
    for i in range(LANES):
        near += is_near(field, places[i], places[LANES + i], places[2 * LANES + i])
    if near == LANES:
        fast_block(field, places, out)
    else:
        one_by_one(field, places, out)


@implements(b_gradient, FastPlaneWaves)
def _(field, x, y, z):
    return sum_of_slopes(field.waves.table, x, y, z)
