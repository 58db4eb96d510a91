"""The local interstellar cloud: a slab behind a leading face, with flow toward the face."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Slab(NamedTuple):
    """What a backward history needs to know of the cloud.

    Cloud axes are depth, tangential along b_hat, and the third.

    Parameters
    ----------
    depth : float
        Depth of the Sun behind the face [pc].
    kappa_xx : float
        Diffusion along the depth axis [pc^2/yr].
    flow : float
        Backward drift along the depth axis, positive deeper [pc/yr].
    ratio : float
        kappa_yx / kappa_xx: what depth noise moves sideways.
    shear : float
        Drift of y - ratio x [pc/yr].
    spread2, spread3 : float
        Diffusion of y - ratio x, and of z [pc^2/yr].
    age : float
        Longest time a history may take [yr]; infinite for a steady outside.
    far : float
        Depth from which the return probability is below exp(-30) [pc].
    step : float
        Step of a history, in units of depth^2 / kappa_xx.
    centre : float
        Constant about which exits are scored, as a share of the density that an instant exit meets.
    """

    depth: float
    kappa_xx: float
    flow: float
    ratio: float
    shear: float
    spread2: float
    spread3: float
    age: float
    far: float
    step: float
    centre: float


def slab(
    tensor: np.ndarray, speed: float, depth: float, age: float, step: float, tilt: bool = False
) -> Slab:
    """Describe the cloud to the kernel.

    Parameters
    ----------
    tensor : ndarray, shape (3, 3)
        Local diffusion tensor in cloud axes [pc^2/yr]; its third axis must be a principal one.
    speed : float
        Speed of the plasma toward the face [pc/yr].
    depth : float
        Depth of the Sun behind the face [pc].
    age : float
        Longest time a history may take [yr]; ``math.inf`` where the outside is steady.
    step : float
        Step in units of depth^2 / kappa_xx.
    tilt : bool
        Whether histories follow Doob's transform by exp(-speed depth / kappa_xx).  The score then
        has to be multiplied by that factor, which is the published density of the slab itself.

    Returns
    -------
    Slab
    """
    kappa_xx, ratio = tensor[0, 0], tensor[1, 0] / tensor[0, 0]
    optical = speed * depth / kappa_xx  # drift against diffusion over the depth of the Sun
    far = 1e6 * depth if tilt or speed <= 0.0 else 30.0 * kappa_xx / speed + depth
    return Slab(
        depth=float(depth),
        kappa_xx=float(kappa_xx),
        flow=float(-speed if tilt else speed),
        ratio=float(ratio),
        shear=float(-ratio * speed),
        spread2=float(tensor[1, 1] - ratio * tensor[0, 1]),
        spread3=float(tensor[2, 2]),
        age=float(age),
        far=float(far),
        step=float(step),
        centre=1.0 if tilt and math.isinf(age) else centre_share(optical),
    )


def centre_share(optical: float) -> float:
    """Constant about which exits are scored, by the variance it was seen to save.

    Behind a thin slab nearly all histories leave soon, and the deviation from an instant exit is
    the quiet estimator; behind a thick one few leave, and counting them is. Any share is unbiased.

    Parameters
    ----------
    optical : float
        Flow speed times depth over diffusion.

    Returns
    -------
    float
        Between 0 and 1.
    """
    return 1.0 if optical < 0.5 else 1.0 / (1.0 + optical**4)
