"""What judges the model of Xue & Liu (2025): formula, quadrature, exact boost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mcprop import assembly
from mcprop.analytic import boost
from mcprop.assembly import ALL, Judge
from mcprop.comparison import ComparisonRow
from mcprop.species import SPECIES, rigidity_of
from mcprop.units import C_LIGHT
from mcprop.xue_liu_2025.plan import gas_index

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025

PUBLISHED = Judge("published product")
"""The product of burst and slab factor, which the time-dependent cloud refutes."""


class Assembly(assembly.Assembly):
    """Monte Carlo answers at one energy; parameters as in `mcprop.assembly.Assembly`.

    The background has no job: the model prescribes it.
    """

    model: XueLiu2025

    @property
    def timed(self) -> bool:
        """Whether the burst evolves outside the cloud, so that there is a quadrature."""
        return self.model.cloud_mode == "time-dependent"

    def judge(self, component: str) -> Judge:
        """The quadrature for what passes a time-dependent cloud, else the formula."""
        nearby = "quadrature" if self.timed else "formula"
        names = {"nearby": nearby, "total": f"{nearby} and exact boost"}
        return Judge(names.get(component, "formula"))

    def density_estimator(self, component: str, species: str) -> str:
        """Name of the estimator behind a component's density."""
        label = super().density_estimator(component, species)
        walked = (component, species, "burst density") in self.found
        return "survival+walk" if walked and label == "survival" else label

    def comparisons(self) -> list[ComparisonRow]:
        """Monte Carlo against formula: the dipoles, and the densities that were transported.

        Compton-Getting is judged by the exact boost, alone and in the total; how far its first
        order is off is a finding.
        """
        rows = self.carrier_rows()
        exact, first = self._exact_boost(), self.model.compton_getting(self.energy)
        total = self.model.total_dipole(self.energy) - first + exact
        rows.append(self.dipole_row(self.boost, ALL, exact, Judge("exact boost")))
        rows.append(self.dipole_row(self.boost, ALL, first, Judge("first order boost")))
        rows.append(self.dipole_row("total", ALL, total, self.judge("total")))
        for species in self.model.species:
            for component in self.transported:
                rows += self.density_rows(component, species, self.judge(component))
            if self.timed:
                rows += self._published(species)
        return rows

    def _exact_boost(self) -> np.ndarray:
        """Compton-Getting dipole without approximation, species weighted by intensity."""
        velocity, index = -self.model.u_hc / C_LIGHT, gas_index(self.model, self.energy)
        seen = [
            boost.dipole(self.energy, SPECIES[name].mass, index, velocity)
            for name in self.model.species
        ]
        weights = [
            float(self.model.total_intensity_energy(self.energy, name))
            for name in self.model.species
        ]
        return np.average(seen, axis=0, weights=weights)

    def _published(self, species: str) -> list[ComparisonRow]:
        """The published product formula, against the time-dependent cloud."""
        rigidity = float(rigidity_of(self.energy, species))
        dipole = self.model.published_dipole("nearby", rigidity, species)
        density = float(self.model.published_density("nearby", rigidity, species))
        return [
            self.dipole_row("nearby", species, dipole, PUBLISHED),
            *self.density_rows("nearby", species, PUBLISHED, density),
        ]
