"""The magnetic field near the Sun, as the papers of the two models take it.

Both take the direction from the ribbon of energetic neutral atoms that the Interstellar Boundary
Explorer (IBEX) has found. It is given here as a homogeneous field on the axes of the sky. The z
axis of turbulence, and of the studies in `mcprop.wandering`, is another one: it is the mean field.

References
----------
Li, A. et al., arXiv:2107.00313, section 1 (the local regular field: direction and uncertainty).
Xue & Liu 2025, arXiv:2507.07057, section II A (the field of the local interstellar cloud).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop.fields.spectra import choose, require_number, require_seed
from mcprop.fields.uniform import UniformField
from mcprop.frames import (
    FIELD_UNCERTAINTY,
    LIC_FIELD,
    LRMF_FIELD,
    field_frame,
    galactic_axes,
    unit_vector,
)
from mcprop.units import has_unit, strip

FRAMES = ("icrs", "galactic")


@dataclass(frozen=True)
class LocalDirection:
    """A published direction of the field near the Sun.

    Parameters
    ----------
    lon, lat : float
        Where the field points on the sky [deg].
    frame : {"icrs", "galactic"}
        The frame of `lon` and `lat`.
    uncertainty : float
        Angle within which the direction is known [deg].
    extent : float
        Distance from the Sun over which it is taken to hold [pc].
    """

    lon: float
    lat: float
    frame: str
    uncertainty: float
    extent: float

    def unit_vector(self, seed: int | None = None) -> np.ndarray:
        """Unit vector along the field, ICRS axes, shape (3,).

        Parameters
        ----------
        seed : int, optional
            Draws a direction within the uncertainty, all of them equally likely; without it the
            direction is the published one.
        """
        centre = unit_vector(self.lon, self.lat, self.frame)
        if seed is None:
            return centre
        require_seed(seed)
        height, around = np.random.default_rng(seed).random(2)
        # 1 - cos grows in proportion to the area of the cap
        half = math.sin(0.5 * math.radians(self.uncertainty)) * math.sqrt(height)
        sine, turn = 2.0 * half * math.sqrt(1.0 - half * half), 2.0 * math.pi * around
        turned = [sine * math.cos(turn), sine * math.sin(turn), 1.0 - 2.0 * half * half]
        return np.array(turned) @ field_frame(centre)


LRMF = LocalDirection(*LRMF_FIELD, "galactic", FIELD_UNCERTAINTY, 20.0)
"""The local regular magnetic field: within 20 pc, known to 1.5 deg (arXiv:2107.00313)."""

LIC = LocalDirection(*LIC_FIELD, "icrs", FIELD_UNCERTAINTY, 1.6)
"""The field of the local interstellar cloud (arXiv:2507.07057), which is the same direction.

The paper states no uncertainty: it is that of the same measurement by IBEX. The cloud's face is
1.6 pc away.
"""


def lrmf(strength: Any = "3 uG", frame: str = "icrs", seed: int | None = None) -> UniformField:
    """The local regular magnetic field, toward Galactic (l, b) = (210.5, -57.1) deg.

    Parameters
    ----------
    strength : float, str or Quantity
        Field strength [uG if without a unit]; the paper gives none, 3 uG is that of the cloud.
    frame : {"icrs", "galactic"}
        Axes of the components: those of the sky, where z is a pole and not along the field.
    seed : int, optional
        Draws a direction within `LRMF.uncertainty`; without it the direction is the published one.

    Returns
    -------
    UniformField
        The field.

    Raises
    ------
    UnitsError
        If the unit of the strength is not that of a magnetic field.
    RangeError
        If the strength is not positive, the frame not known, or the seed no whole number.

    Examples
    --------
    >>> bx, by, bz = lrmf("3 uG", frame="galactic")
    >>> round(bz, 3)  # south of the Galactic plane
    -2.519
    """
    return _local(LRMF, strength, frame, seed)


def lic(strength: Any = "3 uG", frame: str = "icrs", seed: int | None = None) -> UniformField:
    """The field of the local interstellar cloud, toward (RA, Dec) = (48.5, -21.2) deg.

    Parameters
    ----------
    strength : float, str or Quantity
        Field strength [uG if without a unit]; 3 uG in the paper.
    frame : {"icrs", "galactic"}
        Axes of the components: those of the sky, where z is a pole and not along the field.
    seed : int, optional
        Draws a direction within `LIC.uncertainty`; without it the direction is the published one.

    Returns
    -------
    UniformField
        The field.

    Raises
    ------
    UnitsError
        If the unit of the strength is not that of a magnetic field.
    RangeError
        If the strength is not positive, the frame not known, or the seed no whole number.

    Examples
    --------
    >>> bx, by, bz = lic()
    >>> round(bz, 3)  # south of the celestial equator
    -1.085
    """
    return _local(LIC, strength, frame, seed)


def _local(direction: LocalDirection, strength: Any, frame: str, seed: Any) -> UniformField:
    number = strip(strength, "field", "strength") if has_unit(strength) else strength
    require_number("strength", number, above=True, unit="uG")
    choose("frame", frame, FRAMES)
    vector = number * direction.unit_vector(seed)
    if frame == "galactic":
        vector = galactic_axes() @ vector
    return UniformField(*(float(component) for component in vector))
