"""The model of Xue & Liu (2025, arXiv:2507.07057), ready to be run.

A background, a nearby burst and a burst at the Galactic centre, seen through the local
interstellar cloud by an observer who moves. The formulas are `mcprop.analytic.xue_liu_2025`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcprop import frames
from mcprop.cite import Reference
from mcprop.study import Study
from mcprop.units import KM_PER_S
from mcprop.xue_liu_2025.config import XueLiu2025Config

if TYPE_CHECKING:
    import numpy as np

    from mcprop.analytic.xue_liu_2025 import XueLiu2025
    from mcprop.plan import Planned
    from mcprop.transport import Outcome
    from mcprop.xue_liu_2025.assembly import Assembly
    from mcprop.xue_liu_2025.plan import Planner

GEMINGA = (98.4756, 17.7703)
"""PSR J0633+1746 today, (right ascension, declination) [deg]; Manchester et al. 2005, AJ 129, 1993.

The remnant that the model has in mind lies elsewhere, where its distances along and across the
field put it: the mark "source"."""

LONG_FREE_PATH = 0.1
"""Mean free path over depth beyond which the diffusion approximation of the cloud is doubtful."""

PAPER = Reference(
    "the model and its parameters",
    ("formulas", "monte-carlo"),
    r"""@article{XueLiu2025,
  title         = {Influence of interstellar environment near the solar system on cosmic ray
                   spectra and dipole anisotropy},
  author        = {Xue, Zhangxi and Liu, Siming},
  year          = {2025},
  journal       = {arXiv e-prints},
  eprint        = {2507.07057},
  archiveprefix = {arXiv},
}""",
)


class XueLiu2025Study(Study):
    """Binds together what belongs to the model of Xue & Liu (2025)."""

    key = "xue-liu-2025"
    references = ("Xue & Liu 2025, arXiv:2507.07057",)
    papers = (PAPER,)
    has_analog = True

    def configuration(self) -> type[XueLiu2025Config]:
        """Class of the model's configurations."""
        return XueLiu2025Config

    def planner(self, model: XueLiu2025, settings: Any) -> Planner:
        """Set up what plans the jobs; parameters as in `Study.planner`."""
        from mcprop.xue_liu_2025.plan import Planner

        return Planner(model, settings)

    def assembly(
        self,
        model: XueLiu2025,
        energy: float,
        planned: Sequence[Planned],
        outcomes: Sequence[Outcome],
    ) -> Assembly:
        """Assemble the outcomes of the jobs of one energy; parameters as in `Assembly`."""
        from mcprop.xue_liu_2025.assembly import Assembly

        return Assembly(model, energy, planned, outcomes)

    def directions(self, model: XueLiu2025) -> Mapping[str, np.ndarray]:
        """Field, sources, motions; parameters as in `Study.directions`."""
        return {
            "b_hat": model.b_hat,
            "Galactic centre": model.centre_vector,
            "Geminga": frames.unit_vector(*GEMINGA),
            "source": model.source_vector,
            "u_LSR": model.u_lsr,
            "Compton-Getting": -model.u_hc,
        }

    def summary(self, config: XueLiu2025Config, model: XueLiu2025) -> list[str]:
        """Say how the cloud moves; parameters as in `Study.summary`."""
        ra, dec = frames.lon_lat(model.u_lsr)
        return [
            f"cloud: {config.cloud.mode}, {config.cloud.transport}; moves at"
            f" {model.flow_speed / KM_PER_S:.3f} km/s toward RA {ra:.2f}, Dec {dec:.2f} deg,"
            f" at {math.degrees(model.theta):.2f} deg to the field"
        ]

    def notes(self, planner: Planner, energies: Sequence[float]) -> list[str]:
        """Say from which energy on the diffusion approximation inside the cloud is doubtful."""
        first: dict[float, list[str]] = {}
        for species in planner.model.species:
            paths = [planner.free_path_over_depth(energy, species) for energy in energies]
            long = [e for e, path in zip(energies, paths, strict=True) if path > LONG_FREE_PATH]
            if long:
                first.setdefault(min(long), []).append(species)
        return [
            f"{' and '.join(species_there)} at {energy:g} GeV and above: the mean free path "
            f"inside the cloud exceeds {LONG_FREE_PATH:g} of the depth of the Sun; diffusion "
            "itself is doubtful there"
            for energy, species_there in first.items()
        ]


STUDY = XueLiu2025Study()
