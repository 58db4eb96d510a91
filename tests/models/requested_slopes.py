"""Mean square gradient of the turbulence that is asked for, from the request alone.

A wave k of the variance v has the mean square gradient v k^2. So that of a random field tells how
its variance is spread over wavenumbers: a spectrum that is too steep has too little of it.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
from scipy.integrate import quad

ALIASES = np.array(list(itertools.product(range(-2, 3), repeat=3)))
"""Waves that come with a wave on a grid, in whole turns per cell; the next add 1e-5."""


def mean_over(density: Callable[[float], float], value: Callable[[float], float], ends) -> float:
    """Mean of a function of k over a spectrum between two wavenumbers."""
    weighed, _ = quad(lambda k: density(k) * value(k), *ends, limit=200)
    return weighed / quad(density, *ends, limit=200)[0]


def of_waves(
    geometry: str,
    rms: float,
    longest: float,
    shortest: float,
    slope: float = 5.0 / 3.0,
    *,
    bends: bool = False,
    slab: float = 0.2,
    cone: float = 1.0,
) -> float:
    """Mean square gradient [uG^2/pc^2] of turbulence without a grid: rms^2 <k^2>."""
    ends = 2.0 * math.pi / longest, 2.0 * math.pi / shortest

    def law(k):
        return k**-slope

    def bent(k):
        return (1.0 + (k / ends[0]) ** 2) ** (-0.5 * slope)

    flat = mean_over(law, lambda k: k * k, ends)
    upright = mean_over(bent, lambda k: k * k, (0.0, ends[1])) if bends else flat
    if geometry == "slab":
        return rms**2 * upright
    if geometry == "composite":
        return rms**2 * (slab * upright + (1.0 - slab) * flat)
    if geometry == "critically-balanced":  # k along z: exponential, of twice its squared width
        width = cone**2 * ends[0] ** (2.0 / 3.0)
        return rms**2 * (flat + 2.0 * width * mean_over(law, lambda k: k ** (4.0 / 3.0), ends))
    return rms**2 * flat


def of_modes(
    interpolation: str,
    rms: float,
    points: int,
    spacing: float,
    longest: float,
    shortest: float,
    slope: float = 5.0 / 3.0,
    *,
    given: bool = False,
) -> float:
    """Mean square gradient [uG^2/pc^2] of Gaussian turbulence of all waves that fit into a box.

    Each realisation is scaled to its rms: as interpolated, or that of the `given` waves. Numbers c
    and d are what the interpolation makes of a wave of the variance one, so that a realisation has
    sum(c g)/sum(d g), where the squares g of two complex normals follow a gamma distribution. The
    mean of that is an integral, as 1/Y is one of exp(-t Y). (For a potential c and d are those of
    the mean polarisation, which leaves an error of 1e-5.)
    """
    modes = modes_between(points * spacing / longest, points * spacing / shortest)
    theta = 2.0 * math.pi / points * modes
    weight = np.sum(modes**2, axis=1) ** (-0.5 * (slope + 2.0))
    value, gradient = TRANSFERS[interpolation](theta)
    d = weight * (1.0 if given else value) / weight.sum()
    c = weight * gradient / weight.sum()

    def integrand(t):
        return 2.0 * np.sum(c / (1.0 + d * t)) * math.exp(-2.0 * np.sum(np.log1p(d * t)))

    return (rms / spacing) ** 2 * quad(integrand, 0.0, math.inf)[0]


def modes_between(least: float, most: float) -> np.ndarray:
    """Periods per box (waves, 3) of all waves between two wavenumbers, without their opposites."""
    whole = np.arange(-math.floor(most), math.floor(most) + 1)
    modes = np.array(list(itertools.product(whole, repeat=3)))
    length = np.linalg.norm(modes, axis=1)
    modes = modes[(length >= least * (1.0 - 1e-9)) & (length <= most * (1.0 + 1e-9))]
    return modes[: len(modes) // 2]  # in this order the opposite of the first is the last


def sinc_4(theta: np.ndarray) -> np.ndarray:
    """What a cubic spline makes of waves, all three axes together."""
    return np.prod(np.sinc(theta / (2.0 * math.pi)) ** 4, axis=-1)


def with_aliases(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves and aliases (waves, aliases, 3), their squared lengths, and squared amplitudes."""
    made = theta[:, None, :] + 2.0 * math.pi * ALIASES
    return made, np.sum(made**2, axis=-1), sinc_4(made) ** 2


def of_linear(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares of exp(i theta j) on straight lines between j, and of its slopes per cell."""
    value, slope = (2.0 + np.cos(theta)) / 3.0, 2.0 - 2.0 * np.cos(theta)
    all_three = np.prod(value, axis=1)
    return all_three, all_three * np.sum(slope / value, axis=1)


def of_spline(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of a spline that goes through the wave at the points."""
    _, squares, power = with_aliases(theta)
    over = np.prod((2.0 + np.cos(theta)) / 3.0, axis=1) ** -2
    return over * power.sum(axis=1), over * (power * squares).sum(axis=1)


def of_potential(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the curl of a spline potential that has the wave, over both polarisations."""
    made, squares, power = with_aliases(theta)
    own = np.sum(theta**2, axis=1)
    along = np.einsum("naj,nj->na", made, theta) ** 2 / own[:, None]
    field = 0.5 * (squares + along) * power / (own * sinc_4(theta) ** 2)[:, None]
    return field.sum(axis=1), (field * squares).sum(axis=1)


TRANSFERS = {"trilinear": of_linear, "spline": of_spline, "potential": of_potential}


def given_array(
    seed: int,
    rms: float,
    points: int,
    spacing: float,
    longest: float,
    shortest: float,
    slope: float = 5.0 / 3.0,
) -> np.ndarray:
    """Turbulence of all waves that fit, at the points of a grid: white noise, filtered."""
    noise = np.random.default_rng(seed).standard_normal((points, points, points, 3))
    waves = np.fft.fftn(noise, axes=(0, 1, 2))
    whole = np.fft.fftfreq(points, 1.0 / points)
    modes = np.stack(np.meshgrid(whole, whole, whole, indexing="ij"), axis=-1)
    square = np.sum(modes**2, axis=-1, keepdims=True)
    least, most = points * spacing / longest, points * spacing / shortest
    inside = (square >= least**2 * (1.0 - 1e-9)) & (square <= most**2 * (1.0 + 1e-9))
    square = np.where(inside, square, 1.0)
    waves -= modes * np.sum(modes * waves, axis=-1, keepdims=True) / square
    waves *= inside * square ** (-0.25 * (slope + 2.0))
    field = np.fft.ifftn(waves, axes=(0, 1, 2)).real
    return field * (rms / math.sqrt(np.sum(field**2) / points**3))
