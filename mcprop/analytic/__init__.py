"""Closed forms and quadratures that the Monte Carlo is compared with.

The functions exported here take and return astropy Quantities; the modules `green`, `cloud` and
`xue_liu_2025` hold the same in plain numbers and internal units.
"""

from __future__ import annotations

from mcprop.analytic.quantities import (
    burst_density,
    burst_dipole,
    cloud_density,
    dipole,
    intensity,
    intensity_energy,
    kinetic_tensor,
    slab_density,
)
from mcprop.analytic.xue_liu_2025 import XueLiu2025

__all__ = [
    "XueLiu2025",
    "burst_density",
    "burst_dipole",
    "cloud_density",
    "dipole",
    "intensity",
    "intensity_energy",
    "kinetic_tensor",
    "slab_density",
]
