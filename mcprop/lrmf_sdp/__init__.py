"""The LRMF/SDP model (Li et al., arXiv:2107.00313), ready to be run.

A Galactic background with spatially dependent propagation and the remnant of Geminga, seen through
the local regular magnetic field. The formulas are `mcprop.analytic.lrmf_sdp`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.cite import Reference
from mcprop.lrmf_sdp.config import LrmfSdpConfig
from mcprop.study import Study
from mcprop.units import CM2_PER_S

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp
    from mcprop.lrmf_sdp.assembly import Assembly
    from mcprop.lrmf_sdp.plan import Planner
    from mcprop.plan import Planned
    from mcprop.transport import Outcome

LONG = 0.1
"""Mean free path over the radius of a sphere beyond which diffusion in it is doubtful."""

LARGE = 0.1
"""Dipole beyond which the same holds everywhere."""

PAPER = Reference(
    "the model and its parameters",
    ("formulas", "monte-carlo"),
    r"""@article{Li2021,
  title         = {Large-scale anisotropy of {Galactic} cosmic rays as a probe of local cosmic-ray
                   propagation},
  author        = {Li, Ai-feng and Yuan, Qiang and Liu, Wei and Guo, Yi-qing},
  year          = {2021},
  journal       = {arXiv e-prints},
  eprint        = {2107.00313},
  archiveprefix = {arXiv},
}""",
)


class LrmfSdpStudy(Study):
    """Binds together what belongs to the LRMF/SDP model."""

    key = "lrmf-sdp"
    references = ("Li et al. 2021, arXiv:2107.00313",)
    papers = (PAPER,)

    def configuration(self) -> type[LrmfSdpConfig]:
        """Class of the model's configurations."""
        return LrmfSdpConfig

    def planner(self, model: LrmfSdp, settings: Any) -> Planner:
        """Set up what plans the jobs; parameters as in `Study.planner`."""
        from mcprop.lrmf_sdp.plan import Planner

        return Planner(model, settings)

    def assembly(
        self,
        model: LrmfSdp,
        energy: float,
        planned: Sequence[Planned],
        outcomes: Sequence[Outcome],
    ) -> Assembly:
        """Assemble the outcomes of the jobs of one energy; parameters as in `Assembly`."""
        from mcprop.lrmf_sdp.assembly import Assembly

        return Assembly(model, energy, planned, outcomes)

    def directions(self, model: LrmfSdp) -> Mapping[str, np.ndarray]:
        """Field, centre and remnant; parameters as in `Study.directions`."""
        return {
            "b_hat": model.b_hat,
            "Galactic centre": model.centre_vector,
            "Geminga": model.source_vector,
        }

    def summary(self, config: LrmfSdpConfig, model: LrmfSdp) -> list[str]:
        """Say how fast particles diffuse; parameters as in `Study.summary`."""
        at = 1e4
        parallel, perp = (float(value) / CM2_PER_S for value in model.local_tensor(at))
        field = {
            "uniform": f"D_par {parallel:.3g}, D_perp {perp:.3g} cm2/s",
            "none": "no regular field",
            "sphere": f"D_perp {perp:.3g} cm2/s within {config.field.radius:g} pc",
        }
        return [
            f"diffusion at the Sun at 10 TV: D {float(model.diffusion(at)) / CM2_PER_S:.3g} cm2/s;"
            f" {field[config.field.extent]}",
            f"background: normalisation {config.background.normalisation}, losses"
            f" {config.spallation.losses}",
        ]

    def notes(self, planner: Planner, energies: Sequence[float]) -> list[str]:
        """Say where diffusion is doubtful; parameters as in `Study.notes`."""
        model = planner.model
        said = []
        large = [e for e in energies if np.linalg.norm(model.total_dipole(e)) > LARGE]
        if large:
            said.append(
                f"the dipole exceeds {LARGE:g} at {min(large):g} GeV: diffusion, which is of first"
                " order in it, is no approximation there"
            )
        if model.extent != "sphere":
            return said
        first: dict[float, list[str]] = {}
        for species in model.species:
            long = [
                e for e in energies if planner.free_path(e, species) > LONG * model.region_radius
            ]
            if long:
                first.setdefault(min(long), []).append(species)
        return said + [
            f"{', '.join(nuclei)} at {energy:g} GeV and above: the mean free path along the field"
            f" exceeds {LONG:g} of the radius of the sphere; diffusion itself is doubtful there"
            for energy, nuclei in first.items()
        ]


STUDY = LrmfSdpStudy()
