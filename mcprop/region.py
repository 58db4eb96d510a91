"""A spherical region with its own diffusion tensor: what its walks and its medium need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mcprop.analytic.sphere import gradient_factor
from mcprop.errors import RangeError
from mcprop.medium import Aligned, Blend, Constant, Isotropic, Sphere
from mcprop.moments import Moments

THIN = 1.0 / 40.0
"""Thickness of the wall over the radius.

It moves the gradient across the axis by up to 0.23 % where the region is as fast along its axis as
the medium around it, and by up to 0.9 % else; in proportion to it.
"""

STEP = 0.2
"""Rms step along an axis in the wall over the thickness of the wall.

It moves the gradient by 0.1 % or less where the region is as fast along its axis as the medium
around it; by 0.6 % where it is 20 times slower along every axis, by 2 % where it is 10 times faster
across and by 13 % where it is 100 times faster. Half of it moves them by less than half as much.
"""


class Axis(NamedTuple):
    """What a walk for the gradient along one principal axis, the lifted one, has to know.

    Parameters
    ----------
    sphere : Sphere
        Where the medium is that of the region, about the origin.
    outside : float
        Isotropic diffusion coefficient outside [pc^2/yr].
    lifted, second, third : float
        Diffusion coefficients in the region along its three principal axes [pc^2/yr].
    inner, edge : float
        Radii at which the wall begins and ends [pc].
    margin : float
        Distance from the wall beyond which a walk jumps [pc].
    step : float
        Length of the steps of the walk [yr].
    fastest : float
        Square root of the largest diffusion coefficient in the region [pc yr^-1/2].
    tilt : float
        Expected gradient inside per one outside, positive. It changes the variance, not the mean.
    """

    sphere: Any
    outside: float
    lifted: float
    second: float
    third: float
    inner: float
    edge: float
    margin: float
    step: float
    fastest: float
    tilt: float


@dataclass(frozen=True)
class Region:
    """A sphere around which the medium is isotropic, and within which it has an axis.

    Parameters
    ----------
    radius : float
        Of the middle of its wall [pc].
    parallel, perp : float
        Diffusion coefficients inside, along and across the axis [pc^2/yr].
    outside : float
        Diffusion coefficient outside [pc^2/yr].
    wall : float, optional
        Thickness of the wall, across which the tensor turns smoothly into the other [pc].
        By default `THIN` times the radius.

    Raises
    ------
    RangeError
        For a length or a coefficient that is not positive and finite, or a wall too thick.
    """

    radius: float
    parallel: float
    perp: float
    outside: float
    wall: float = 0.0

    def __post_init__(self) -> None:
        if self.wall == 0.0:
            object.__setattr__(self, "wall", THIN * self.radius)
        for name in ("radius", "parallel", "perp", "outside", "wall"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise RangeError(f"{name} = {value!r} of a region must be positive and finite.")
        if self.wall > self.radius:
            raise RangeError(
                f"wall = {self.wall!r} pc must not exceed the radius {self.radius!r} pc."
            )

    @property
    def sphere(self) -> Sphere:
        """Where the medium is that of the region."""
        return Sphere(0.0, 0.0, 0.0, self.radius, self.wall)

    def medium(self, field: Any) -> Blend:
        """The same medium for walks of any other kind, with the axis along a uniform `field`."""
        inside = Aligned(field, self.parallel, self.perp, 0.0, 0.0, 0.0)
        return Blend(inside, Isotropic(Constant(self.outside)), self.sphere)

    def axis(self, along: bool, step: float = STEP) -> Axis:
        """What a walk needs for the gradient along the axis of the region, or across it.

        Parameters
        ----------
        along : bool
            Whether along the axis.
        step : float
            Rms step along an axis of space in and near the wall, over the wall's thickness.
        """
        inside = (self.parallel, self.perp, self.perp)
        if not along:
            inside = (self.perp, self.perp, self.parallel)
        margin = step * self.wall
        return Axis(
            self.sphere,
            self.outside,
            *inside,
            inner=self.radius - 0.5 * self.wall,
            edge=self.radius + 0.5 * self.wall,
            margin=margin,
            step=0.5 * margin * margin / max(self.outside, *inside),
            fastest=math.sqrt(max(inside)),
            tilt=float(gradient_factor(self.outside, inside[0])),
        )


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradient inside a region per uniform gradient far outside, along and across its axis.

    Parameters
    ----------
    parallel, perp : float
        The two factors.
    covariance : ndarray, shape (2, 2)
        Of the two.
    """

    parallel: float
    perp: float
    covariance: np.ndarray

    @classmethod
    def of(cls, moments: Moments) -> Gradients:
        """From the moments of a `RegionJob`."""
        dipole = moments.dipole()
        return cls(float(dipole.vector[0]), float(dipole.vector[1]), dipole.covariance[:2, :2])

    def tensor(self, axis: np.ndarray) -> np.ndarray:
        """Matrix that takes the gradient far outside to the one inside, shape (3, 3).

        Parameters
        ----------
        axis : ndarray, shape (3,)
            Unit vector of the region's axis.
        """
        along = np.outer(axis, axis)
        return self.parallel * along + self.perp * (np.eye(3) - along)

    def inside(self, outer: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient inside for an exactly known one far outside, and its covariance.

        Parameters
        ----------
        outer, axis : ndarray, shape (3,)
            Gradient far outside, and unit vector of the region's axis.
        """
        parts = np.column_stack([(outer @ axis) * axis, outer - (outer @ axis) * axis])
        return self.tensor(axis) @ outer, parts @ self.covariance @ parts.T
