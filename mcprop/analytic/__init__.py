"""Closed forms and quadratures that the Monte Carlo is compared with.

The functions exported here take and return astropy Quantities; the modules `green`, `cloud` and
`xue_liu_2025` hold the same in plain numbers and internal units. `XueLiu2025` and `LrmfSdp` are the
published models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp

__all__ = [
    "LrmfSdp",
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


def __getattr__(name: str) -> Any:
    # its solver needs the sparse matrices of SciPy, which take as long to import as all the rest
    if name == "LrmfSdp":
        from mcprop.analytic.lrmf_sdp import LrmfSdp

        return LrmfSdp
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
