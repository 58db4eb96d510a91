"""What judges the LRMF/SDP model: grid solution and formulas; and the field that has an end."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop import assembly
from mcprop.analytic.sphere import gradient_factor
from mcprop.assembly import ALL, Judge
from mcprop.background_job import BackgroundJob
from mcprop.comparison import ComparisonRow, density_row
from mcprop.dipole import Dipole, Part, combine
from mcprop.lrmf_sdp.plan import REGION
from mcprop.region import Gradients
from mcprop.region_job import RegionJob
from mcprop.sky import SkyMap
from mcprop.species import rigidity_of

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp

FINITE_STEPS = 1.2e-3
"""Relative bias of the background by steps of a fifth of the scale, at most."""
WALL = 0.1
"""Relative bias of the gradient inside a sphere by a wall of its radius, at most; it is linear."""

UNBOUNDED = Judge("unbounded-field formula")
"""The published formula, whose field has no end: refuted where it is a sphere."""


class Assembly(assembly.Assembly):
    """Monte Carlo answers at one energy; parameters as in `mcprop.assembly.Assembly`.

    Where the field fills a sphere, the dipoles found with its tensor in the gradient far away are
    turned into those with the gradient inside.
    """

    model: LrmfSdp

    def judge(self, component: str) -> Judge:
        """The grid for the background, the closed form for the remnant."""
        return Judge({"background": "grid", "total": "grid and formula"}.get(component, "formula"))

    def uncertainty(self, component: str) -> float:
        """Standard deviation for what finite steps, differences, grids and walls do."""
        return max(self._bound(component, species) for species in self.model.species)

    def _bound(self, component: str, species: str) -> float:
        parts = [0.0]
        if component == "background":
            job = self.found[component, species, "dipole"][0].job
            assert isinstance(job, BackgroundJob)
            step = job.step / 0.2
            parts += [FINITE_STEPS * max(step**2, step**5), job.background.truncation]
            parts.append(self.model.background_table(species).error)
        if self.is_bounded:
            parts.append(self._wall(component, species))
        # a bound, read as the half width of a uniform distribution
        return float(np.linalg.norm(parts)) / math.sqrt(3.0)

    @property
    def is_bounded(self) -> bool:
        """Whether the field has an end."""
        return self.model.extent == "sphere"

    def comparisons(self) -> list[ComparisonRow]:
        """Monte Carlo against formula; where the field has an end, its gradients too.

        How far off the published formula is then, whose field has no end, is a finding.
        """
        rows = super().comparisons()
        if self.is_bounded:
            published, energy = replace(self.model, extent="uniform"), self.energy
            expected = {c: published.component_dipole(c, energy) for c in self.carriers}
            rows += [
                self.dipole_row(c, ALL, vector, UNBOUNDED)
                for c, vector in expected.items()
                if np.isfinite(vector).all()
            ]
            rows.append(self.dipole_row("total", ALL, published.total_dipole(energy), UNBOUNDED))
            rows += [self._gradient_row(c, s) for c in self.carriers for s in self.model.species]
        return rows

    def gradients(self, component: str, species: str) -> Gradients:
        """Gradients inside the sphere per gradient far away, from the walks of a component."""
        return Gradients.of(self.found[component, species, REGION][1].moments)

    def _gradient_row(self, component: str, species: str) -> ComparisonRow:
        """The gradient across the field inside the sphere against the sharp sphere's."""
        rigidity = float(rigidity_of(self.energy, species))
        across = float(self.model.local_tensor(rigidity)[1])
        expected = float(gradient_factor(float(self.model.diffusion(rigidity)), across))
        found, job = self.gradients(component, species), self.found[component, species, REGION][0]
        error = math.hypot(
            math.sqrt(found.covariance[1, 1]), self._wall(component, species) * expected
        )
        names = (self.energy, component, species)
        row = density_row(*names, (found.perp, error), expected, job.estimator)
        return replace(row, quantity="gradient across")

    def _wall(self, component: str, species: str) -> float:
        job = self.found[component, species, REGION][0].job
        assert isinstance(job, RegionJob)
        return WALL * job.region.wall / job.region.radius

    def part(self, component: str, species: str) -> Part:
        """A component of one species; where the field has an end, with the gradient inside."""
        part = super().part(component, species)
        if not self.is_bounded or not part.intensity:
            return part
        found, b_hat = self.gradients(component, species), self.model.b_hat
        turn = found.tensor(b_hat)
        vector, noise = found.inside(part.dipole.vector, b_hat)
        dipole = Dipole(vector, turn @ part.dipole.covariance @ turn.T + noise)
        return replace(part, dipole=dipole, cov_ln=turn @ np.asarray(part.cov_ln))

    def _sky(self, component: str, meta: dict[str, Any]) -> SkyMap:
        """Map of one component; the end of the field adds a dipole to it."""
        sky = super()._sky(component, meta)
        if not self.is_bounded or not self._intensity(component):
            return sky
        here = self.dipole(component, ALL)
        unturned = [super(Assembly, self).part(component, s) for s in self.model.species]
        change = here.vector - combine(unturned).vector
        added = SkyMap.from_dipole(change, self.nside, component=component, **meta)
        both = SkyMap.combine([(1.0, sky), (1.0, added)], component=component, **meta)
        return replace(both, dipole_covariance=here.covariance)
