"""Cosmic-ray arrival directions by backward Monte Carlo, compared with the published formulas.

>>> import mcprop as mp
>>> simulation = mp.Simulation.from_scenario("xue-liu-2025")

Everything below is loaded when it is first used, so that the import itself takes next to no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcprop import (
        analytic,
        central_burst,
        cite,
        errors,
        fields,
        frames,
        galaxy,
        medium,
        particles,
        plot,
        scenario,
        species,
        units,
        wandering,
    )
    from mcprop.analytic.lrmf_sdp import LrmfSdp
    from mcprop.analytic.xue_liu_2025 import XueLiu2025
    from mcprop.comparison import Comparison
    from mcprop.dipole import Dipole
    from mcprop.errors import McpropError
    from mcprop.result import Result
    from mcprop.scenario import Config, load, names
    from mcprop.simulation import Simulation
    from mcprop.sky import SkyMap

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Config",
    "Dipole",
    "LrmfSdp",
    "McpropError",
    "Result",
    "Simulation",
    "SkyMap",
    "XueLiu2025",
    "__version__",
    "analytic",
    "central_burst",
    "cite",
    "errors",
    "fields",
    "frames",
    "galaxy",
    "load",
    "medium",
    "names",
    "particles",
    "plot",
    "scenario",
    "species",
    "units",
    "wandering",
]

_HOME = {
    "Comparison": "mcprop.comparison",
    "Config": "mcprop.scenario",
    "Dipole": "mcprop.dipole",
    "LrmfSdp": "mcprop.analytic.lrmf_sdp",
    "McpropError": "mcprop.errors",
    "Result": "mcprop.result",
    "Simulation": "mcprop.simulation",
    "SkyMap": "mcprop.sky",
    "XueLiu2025": "mcprop.analytic.xue_liu_2025",
    "load": "mcprop.scenario",
    "names": "mcprop.scenario",
}
"""Module in which each exported name stands; the other names of `__all__` are modules."""


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value  # found without this function from now on
        return value
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return list(__all__)
