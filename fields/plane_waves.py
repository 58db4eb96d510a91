"""Turbulence as a sum of plane waves.

Such a field of some hundred waves is evaluated billions of times, so a block of lanes goes through
the waves in vectors: the waves are the inner loop, and the sums stay in registers.  Phases are
counted in half-turns, so that whole ones are taken off by rounding, and a polynomial gives the
cosine of the rest.

References
----------
Giacalone & Jokipii, ApJ 520 (1999) 204.
Knuth, The Art of Computer Programming 2 (1997), section 4.6.4: a polynomial of degree six with
three multiplications, beside that by its leading coefficient.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError
from mcprop.fields.total import total
from mcprop.kernels.elementary import ROUND
from mcprop.kernels.lanes import LANES
from mcprop.kernels.vectors import WIDTH, add_to, fma, load, negated_if_odd, spread
from mcprop.protocol import b_block, b_gradient, b_vector, implements, primitive
from mcprop.units import bare

PARALLEL = 1e-9
"""Largest cosine between a wave vector and its amplitude that is taken for rounding."""

LEADING = 0.0018400218592575736
"""Leading coefficient of the polynomial of `wave`, by which the table's amplitudes are multiplied.

It is the polynomial of degree 6 in r^2 that is nearest to cos(pi r) for abs(r) <= 1/2 (Remez),
within 7.5e-13.
"""


class PlaneWaves(NamedTuple):
    """Sum of plane waves; `plane_waves` makes it.

    Parameters
    ----------
    table : ndarray, shape (n + 1, 8)
        A row for each wave: three components of the wave vector and the phase, all in half-turns
        (over pi), three of the amplitude [uG] times `LEADING`, and a zero. The last row is zero:
        the phase of a wave is prepared while that before it is added.
    scale : float
        Shortest wavelength [pc].
    """

    table: np.ndarray
    scale: float

    def __add__(self, other: Any) -> Any:
        return total(self, other)

    @property
    def k(self) -> np.ndarray:
        """Wave vectors [rad/pc], shape (n, 3)."""
        return np.pi * self.table[:-1, :3]

    @property
    def amplitude(self) -> np.ndarray:
        """Amplitudes [uG], shape (n, 3)."""
        return self.table[:-1, 4:7] / LEADING

    @property
    def phase(self) -> np.ndarray:
        """Phases [rad] between -pi and pi, shape (n,)."""
        return np.pi * self.table[:-1, 3]


def plane_waves(k: Any, amplitude: Any, phase: Any) -> PlaneWaves:
    """Field B(x) = sum over n of amplitude_n cos(k_n . x + phase_n).

    Parameters
    ----------
    k : array_like, shape (n, 3)
        Wave vectors [rad/pc].
    amplitude : array_like, shape (n, 3)
        Amplitudes [uG], each perpendicular to its wave vector: else the field would have sources.
    phase : array_like, shape (n,)
        Phases [rad].

    Returns
    -------
    PlaneWaves
        The model. Its error is below 5e-12 of the root mean square beside that of the phase itself,
        which a double holds to 2e-16 of k . x. Its `step_scale` is the shortest wavelength.

    Raises
    ------
    RangeError
        If shapes do not fit, a number is not finite, a wave vector is zero, or an amplitude is not
        perpendicular to it.
    UnitsError
        If an array is a Quantity.

    Examples
    --------
    >>> from mcprop.protocol import b_vector
    >>> wave = plane_waves(k=[[0.0, 0.0, 1.0]], amplitude=[[2.0, 0.0, 0.0]], phase=[0.0])
    >>> bx, by, bz = b_vector(wave, 0.0, 0.0, 3.141592653589793)
    >>> round(bx, 9), by, bz
    (-2.0, 0.0, 0.0)
    """
    k = _numbers("k", k, "1/pc", (None, 3))
    amplitude = _numbers("amplitude", amplitude, "uG", k.shape)
    phase = _numbers("phase", phase, "rad", k.shape[:1])
    lengths = np.hypot(np.hypot(k[:, 0], k[:, 1]), k[:, 2])
    if not lengths.min() > 0.0:
        wave = int(np.argmin(lengths))
        raise RangeError(f"k[{wave}] = {k[wave].tolist()} rad/pc must not be zero.")
    strengths = np.linalg.norm(amplitude, axis=1)
    along = np.abs((k / lengths[:, None] * amplitude).sum(axis=1)) - PARALLEL * strengths
    if along.max() > 0.0:
        wave = int(np.argmax(along))
        raise RangeError(
            f"amplitude[{wave}] = {amplitude[wave].tolist()} uG must be perpendicular to "
            f"k[{wave}] = {k[wave].tolist()} rad/pc."
        )
    table = np.zeros((len(k) + 1, 8))
    turns = phase / np.pi
    table[:-1, :3], table[:-1, 3] = k / np.pi, turns - 2.0 * np.round(0.5 * turns)
    table[:-1, 4:7] = LEADING * amplitude
    return PlaneWaves(table, float(2.0 * np.pi / lengths.max()))


def _numbers(name: str, given: Any, unit: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """The argument as finite floats of a shape, where None stands for any length but zero."""
    bare(name, given, unit)
    try:
        numbers = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise RangeError(f"{name} = {given!r} must be an array of numbers.") from None
    fits = len(numbers.shape) == len(shape) and all(
        have == want if want is not None else have > 0
        for have, want in zip(numbers.shape, shape, strict=True)
    )
    if not fits:
        wanted = str(shape).replace("None", "n")
        raise RangeError(f"{name} has the shape {numbers.shape}; it must be {wanted}.")
    finite = np.isfinite(numbers)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise RangeError(f"{name}{where} = {numbers[tuple(where)]} must be finite.")
    return numbers


@primitive
def half_turns(table, n, x, y, z):
    """Phase of wave n in half-turns."""
    return fma(table[n, 0], x, fma(table[n, 1], y, fma(table[n, 2], z, table[n, 3])))


@primitive
def split(turns):
    """What half-turns are more than a whole number, and a double whose last bit says if it is odd.

    The number is the nearest one up to 2^51 half-turns, beyond which a double knows no phase.
    """
    counted = turns + ROUND
    return turns - (counted - ROUND), counted


@primitive
def wave(rest, counted):
    """cos(pi turns) of the half-turns that were split, over `LEADING`; the cosine within 1e-12."""
    x = rest * rest
    z = fma(x - 7.4287516051458643, x, 42.693582293225184)
    w = fma(x - 0.075605602746442225, z, -657.48794659664634)
    return negated_if_odd(fma(w + (z + 1103.2629026057877), w, 321149.65550182653), counted)


@primitive
def sum_of_waves(table, x, y, z):
    """Field [uG] of all waves at one place, added in their order."""
    bx, by, bz = 0.0, 0.0, 0.0
    for n in range(table.shape[0] - 1):
        rest, counted = split(half_turns(table, n, x, y, z))
        c = wave(rest, counted)
        bx, by, bz = fma(table[n, 4], c, bx), fma(table[n, 5], c, by), fma(table[n, 6], c, bz)
    return bx, by, bz


@primitive
def block_of_waves(table, places, out):
    """Add the field [uG] of all waves in a block of lanes to `out`."""
    for i in range(0, LANES, WIDTH):
        x, y, z = load(places, i), load(places, LANES + i), load(places, 2 * LANES + i)
        bx, by, bz = spread(0.0), spread(0.0), spread(0.0)
        rest, counted = split(half_turns(table, 0, x, y, z))
        for n in range(table.shape[0] - 1):
            # beside the cosine of this wave the phase of the next, on which nothing here waits
            rest_now, counted_now = rest, counted
            rest, counted = split(half_turns(table, n + 1, x, y, z))
            c = wave(rest_now, counted_now)
            bx, by, bz = fma(table[n, 4], c, bx), fma(table[n, 5], c, by), fma(table[n, 6], c, bz)
        add_to(out, i, bx)
        add_to(out, LANES + i, by)
        add_to(out, 2 * LANES + i, bz)


@primitive
def sum_of_slopes(table, x, y, z):
    """Derivatives [uG/pc] of all waves at one place, row by row of the field's components."""
    xx, xy, xz, yx, yy, yz, zx, zy, zz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(table.shape[0] - 1):
        # -sin(a) = cos(a + pi/2)
        rest, counted = split(half_turns(table, n, x, y, z) + 0.5)
        s = math.pi * wave(rest, counted)
        kx, ky, kz = table[n, 0], table[n, 1], table[n, 2]
        ax, ay, az = s * table[n, 4], s * table[n, 5], s * table[n, 6]
        xx, xy, xz = fma(ax, kx, xx), fma(ax, ky, xy), fma(ax, kz, xz)
        yx, yy, yz = fma(ay, kx, yx), fma(ay, ky, yy), fma(ay, kz, yz)
        zx, zy, zz = fma(az, kx, zx), fma(az, ky, zy), fma(az, kz, zz)
    return xx, xy, xz, yx, yy, yz, zx, zy, zz


@implements(b_vector, PlaneWaves)
def _(field, x, y, z):
    return sum_of_waves(field.table, x, y, z)


@implements(b_block, PlaneWaves)
def _(field, places, out):
    block_of_waves(field.table, places, out)


@implements(b_gradient, PlaneWaves)
def _(field, x, y, z):
    return sum_of_slopes(field.table, x, y, z)
