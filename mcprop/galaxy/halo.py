"""The halo of the Galaxy: its shape, sources and spatially dependent diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.errors import RangeError
from mcprop.units import CM2_PER_S, has_unit, strip, takes_quantities

_KINDS = {
    "d0": "diffusion",
    "reference_rigidity": "rigidity",
    "slope": "dimensionless",
    "source_slope": "dimensionless",
    "source_decline": "dimensionless",
    "contrast": "dimensionless",
}
"""Kind of quantity of each parameter that is no length."""


@takes_quantities
@dataclass(frozen=True)
class Galaxy:
    """A cylinder of diffusing cosmic rays with slow diffusion where their sources are.

    With x = r/sun_radius and the sources f = x^source_slope exp(-source_decline (x - 1))
    exp(-|z|/source_height), which are 1 at the Sun::

        g = contrast/(1 + f),  F = g + (1 - g) min(|z|/disc_height, 1)^4
        D = d0 F (R/reference_rigidity)^(slope F)

    The defaults are those of the paper, whose R0 is a choice of our own: 4 GV makes B/C agree with
    AMS-02. Values are given with their unit, as a Quantity or a text, or as plain numbers in
    internal units (pc, pc^2/yr, GV), which all attributes are.

    Attributes
    ----------
    radius, half_height : float
        The cylinder [pc].
    sun_radius : float
        Distance of the Sun from the Galactic centre [pc].
    source_slope, source_decline : float
        Rise and fall of the sources with r.
    source_height : float
        Scale height of the sources [pc].
    d0 : float
        Diffusion coefficient of the halo at the reference rigidity [pc^2/yr].
    slope : float
        Its slope in rigidity.
    reference_rigidity : float
        R0 [GV].
    contrast : float
        N_m.
    disc_height : float
        Half thickness of the disc, xi z_h [pc].
    gas_height : float
        Scale height of the gas on which particles are lost [pc].

    References
    ----------
    arXiv:2107.00313, eqs. 2.1 and 2.2, Table 1.
    """

    radius: float = 20e3
    half_height: float = 5e3
    sun_radius: float = 8.5e3
    source_slope: float = 1.69
    source_decline: float = 3.33
    source_height: float = 200.0
    d0: float = 4.87e28 * CM2_PER_S
    slope: float = 0.58
    reference_rigidity: float = 4.0
    contrast: float = 0.62
    disc_height: float = 500.0
    gas_height: float = 100.0

    def __post_init__(self) -> None:
        """Strip units, and refuse what no grid can resolve."""
        for name, value in list(vars(self).items()):
            if has_unit(value):
                value = strip(value, _KINDS.get(name, "length"), name)
                object.__setattr__(self, name, value)
            try:
                value = float(value)
            except (TypeError, ValueError):
                raise RangeError(f"{name} = {value!r} of a Galaxy must be a number.") from None
            object.__setattr__(self, name, value)
            least = -np.inf if name == "slope" else 0.0
            may_vanish = name in ("slope", "source_slope", "source_decline")
            if not (np.isfinite(value) and (value > least or (may_vanish and value == least))):
                kind = {True: "not negative", False: "positive"}[may_vanish]
                kind = "finite" if name == "slope" else f"{kind} and finite"
                raise RangeError(f"{name} = {value} of a Galaxy must be {kind}.")
        if not 0.0 < self.sun_radius < self.radius:
            raise RangeError(
                f"sun_radius = {self.sun_radius} pc must lie between 0 and the radius of the"
                f" Galaxy, {self.radius} pc."
            )
        if not 0.0 < self.disc_height < self.half_height:
            raise RangeError(
                f"disc_height = {self.disc_height} pc must lie between 0 and the half height of the"
                f" Galaxy, {self.half_height} pc."
            )

    def source(self, r: Any, z: Any) -> Any:
        """Density of the sources relative to that at the Sun.

        Parameters
        ----------
        r, z : float or ndarray
            Distance from the axis and height [pc].

        Returns
        -------
        float or ndarray
        """
        x = np.asarray(r, dtype=float) / self.sun_radius
        decline = self.source_decline * (x - 1.0) + np.abs(z) / self.source_height
        return (x**self.source_slope * np.exp(-decline))[()]

    def diffusion(self, r: Any, z: Any, rigidity: Any) -> Any:
        """Diffusion coefficient.

        Parameters
        ----------
        r, z : float or ndarray
            Distance from the axis and height [pc].
        rigidity : float or ndarray
            Rigidity [GV].

        Returns
        -------
        float or ndarray
            D [pc^2/yr].
        """
        g = self.contrast / (1.0 + self.source(r, z))
        shape = g + (1.0 - g) * np.minimum(np.abs(z) / self.disc_height, 1.0) ** 4
        ratio = np.asarray(rigidity, dtype=float) / self.reference_rigidity
        return (self.d0 * shape * ratio ** (self.slope * shape))[()]
