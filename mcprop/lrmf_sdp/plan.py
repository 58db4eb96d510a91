"""What is transported in the LRMF/SDP model, and how its estimators are set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mcprop import diffusion, frames, plan
from mcprop.background import background
from mcprop.background_job import BackgroundJob
from mcprop.galaxy import Grid, GridSolution
from mcprop.plan import Planned, isotropic_burst
from mcprop.region import Region
from mcprop.region_job import RegionJob
from mcprop.species import beta_of, rigidity_of
from mcprop.units import C_LIGHT

REGION = "gradient inside"
"""What a job gives that changes the gradient of a component."""

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp
    from mcprop.lrmf_sdp.config import MonteCarlo


class Planner(plan.Planner):
    """Sets up the jobs of the LRMF/SDP model.

    Parameters
    ----------
    model : LrmfSdp
        Formulas and parameters.
    settings : MonteCarlo
        Section ``monte_carlo`` of the configuration.
    """

    model: LrmfSdp
    settings: MonteCarlo

    def jobs(self, energy: float) -> list[Planned]:
        """Everything that is transported at a total energy [GeV]."""
        planned = []
        for species in self.model.species:
            planned += [self._background(energy, species), self._geminga(energy, species)]
            if self.model.extent == "sphere":
                planned += [self._region(c, energy, species) for c in self.model.components]
        return planned

    def free_path(self, energy: float, species: str) -> float:
        """Mean free path along the field [pc]."""
        rigidity = float(rigidity_of(energy, species))
        parallel, _ = self.model.local_tensor(rigidity)
        return 3.0 * float(parallel) / (C_LIGHT * float(beta_of(rigidity, species)))

    def _tensor(self, rigidity: float) -> np.ndarray:
        """Diffusion tensor at the Sun [pc^2/yr], ICRS axes."""
        if self.model.extent == "none":
            return float(self.model.diffusion(rigidity)) * np.eye(3)
        return diffusion.tensor(*self.model.local_tensor(rigidity), self.model.b_hat)

    def _background(self, energy: float, species: str) -> Planned:
        model, settings = self.model, self.settings
        rigidity = float(rigidity_of(energy, species))
        galaxy, loss_rate = model.galaxy, model.loss_rate(species)
        guess = GridSolution(galaxy, Grid(galaxy), rigidity, loss_rate)
        setting = background(
            galaxy, rigidity, model.sun_height, loss_rate, settings.separation, guess
        )
        speed = C_LIGHT * float(beta_of(rigidity, species))
        inward, _, up = frames.galactic_axes()
        last = 3.0 / speed * self._tensor(rigidity) @ np.column_stack([-inward, up])
        name = self.name("background", "galaxy", species, energy)
        job = BackgroundJob(name, setting, last, settings.step)
        n = settings.background_histories
        return Planned(job, "background", species, "dipole", self.estimator, n)

    def _geminga(self, energy: float, species: str) -> Planned:
        model, rigidity = self.model, float(rigidity_of(energy, species))
        isotropic = float(model.diffusion(rigidity, species))
        burst = isotropic_burst(model.source_vector, model.geminga_age, isotropic)
        return self.seen_burst("geminga", species, energy, burst, self._tensor(rigidity))

    def _region(self, component: str, energy: float, species: str) -> Planned:
        """Gradients inside the sphere, by walks of its own for each component: then they add."""
        model, settings = self.model, self.settings
        rigidity = float(rigidity_of(energy, species))
        parallel, perp = map(float, model.local_tensor(rigidity))
        outside = float(model.diffusion(rigidity))
        region = Region(model.region_radius, parallel, perp, outside, settings.wall)
        name = self.name(component, "region", species, energy)
        n = settings.region_histories
        return Planned(RegionJob(name, region), component, species, REGION, self.estimator, n)
