"""One step of a random walk in any medium, and how long it may be."""

from typing import Any, NamedTuple

import mcprop.kernels.tensor  # noqa: F401  (registers the defaults of kappa, noise and drift)
from mcprop.protocol import (
    drift,
    implements,
    is_scalar,
    largest,
    noise,
    open_function,
    primitive,
    step_scale,
    surroundings,
)


class Euler(NamedTuple):
    """Choice of `euler` for a kernel."""


class Heun(NamedTuple):
    """Choice of `heun` for a kernel: for scalar media only."""


@primitive
def euler(medium, x, y, z, n0, n1, n2, h, root):
    """One Euler-Maruyama step of `h` [yr]; `root` is sqrt(2 h).

    Ito: the noise is taken where the step begins, so the drift is the whole divergence of the
    tensor. Weak order 1; exact where tensor and drift are constant.
    """
    sx, sy, sz = noise(medium, x, y, z, n0, n1, n2)
    ux, uy, uz = drift(medium, x, y, z)
    return x + (h * ux + root * sx), y + (h * uy + root * sy), z + (h * uz + root * sz)


@primitive
def heun(medium, x, y, z, n0, n1, n2, h, root):
    """One Heun step of `h` [yr] in a scalar medium; `root` is sqrt(2 h).

    Stratonovich: noise and drift are averaged over both ends of a predicted step, and the drift is
    half of the divergence; averaging the noise makes up the other half. Weak order 1 (the noise
    does not commute), with a third of the error of `euler` in its test. In a tensor the other half
    is not what the averaging makes: only for media with `is_scalar`.
    """
    sx, sy, sz = noise(medium, x, y, z, n0, n1, n2)
    ux, uy, uz = drift(medium, x, y, z)
    ax, ay, az = 0.5 * h * ux + root * sx, 0.5 * h * uy + root * sy, 0.5 * h * uz + root * sz
    px, py, pz = x + ax, y + ay, z + az
    sx, sy, sz = noise(medium, px, py, pz, n0, n1, n2)
    ux, uy, uz = drift(medium, px, py, pz)
    bx, by, bz = 0.5 * h * ux + root * sx, 0.5 * h * uy + root * sy, 0.5 * h * uz + root * sz
    return x + 0.5 * (ax + bx), y + 0.5 * (ay + by), z + 0.5 * (az + bz)


@primitive
def unit_heun(model, x, y, z, gx, gy, gz, ax, ay, az, h):
    """One Heun step of a scalar medium in the clock of unit diffusion, ds = kappa dt.

    There the noise (ax, ay, az), of variance 2 h along each axis, is the same everywhere, so Ito
    and Stratonovich are the same; the drift is grad ln kappa, (gx, gy, gz) where the step begins,
    and is averaged over both ends of a predicted step. Weak order 2 in h where ln kappa is smooth;
    at a kink of kappa there is no order, the error falls with a power between 1 and 2. `model`
    answers `surroundings`.
    """
    px, py, pz = x + h * gx + ax, y + h * gy + ay, z + h * gz + az
    _, _, hx, hy, hz = surroundings(model, px, py, pz)
    half = 0.5 * h
    return x + half * (gx + hx) + ax, y + half * (gy + hy) + ay, z + half * (gz + hz) + az


@open_function
def advance(stepper, medium, x, y, z, n0, n1, n2, h, root):
    """One step of `h` [yr] by the scheme of `stepper`; `root` is sqrt(2 h)."""


@implements(advance, Euler)
def _(stepper, medium, x, y, z, n0, n1, n2, h, root):
    return euler(medium, x, y, z, n0, n1, n2, h, root)


@implements(advance, Heun)
def _(stepper, medium, x, y, z, n0, n1, n2, h, root):
    return heun(medium, x, y, z, n0, n1, n2, h, root)


def default_stepper(medium: Any) -> Euler | Heun:
    """Heun for scalar media, Euler for tensors."""
    return Heun() if is_scalar(medium) else Euler()


@primitive
def time_step(medium, x, y, z, fraction):
    """Time [yr] in which the largest rms step along an axis is `fraction` of the `step_scale`."""
    length = fraction * step_scale(medium, x, y, z)
    return 0.5 * length * length / largest(medium, x, y, z)


class FixedStep(NamedTuple):
    """Steps of one length.

    Parameters
    ----------
    step : float
        Length of a step [yr].
    """

    step: float


class AdaptiveStep(NamedTuple):
    """Steps that follow the medium and the boundary.

    Parameters
    ----------
    fraction : float
        Largest rms step along an axis in units of the `step_scale`.
    shortest : float
        Lower bound of a step [yr], so that a walk ends whatever the medium answers.
    """

    fraction: float
    shortest: float


@open_function
def pace(choice, medium, boundary, x, y, z):
    """Length of the step [yr] that begins at (x, y, z)."""


@implements(pace, FixedStep)
def _(choice, medium, boundary, x, y, z):
    return choice.step


@implements(pace, AdaptiveStep)
def _(choice, medium, boundary, x, y, z):
    inverse = 1.0 / step_scale(medium, x, y, z) + 1.0 / step_scale(boundary, x, y, z)
    length = choice.fraction / inverse
    return max(0.5 * length * length / largest(medium, x, y, z), choice.shortest)
