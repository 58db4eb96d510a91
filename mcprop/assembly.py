"""From the outcomes of the jobs of one energy to its dipoles, sky maps and comparisons."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.analytic import boost
from mcprop.analytic.xue_liu_2025 import COMPONENTS as CARRIERS
from mcprop.comparison import ComparisonRow, density_row, dipole_row
from mcprop.dipole import Dipole, Part, combine
from mcprop.plan import gas_index
from mcprop.sky import SkyMap
from mcprop.species import SPECIES, energy_jacobian, rigidity_of
from mcprop.tables import ANALYTIC, MONTE_CARLO, Row, SpectrumRow
from mcprop.units import C_LIGHT

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025
    from mcprop.plan import Planned
    from mcprop.transport import Outcome

MIN_EFFECTIVE = 100.0
"""Effective histories below which an error bar is not trusted."""

MIN_SHARE = 1e-4
"""Share of the intensity from which a component counts in the total."""

BOOST = "compton-getting"
ALL = "all"


def formula_rows(
    model: XueLiu2025, energy: float, species_wanted: tuple[str, ...] | None = None
) -> list[Row]:
    """Rows of method "analytic" at a total energy [GeV]; by default of every species and of all."""
    rows = []
    for species in species_wanted or (*model.species, ALL):
        for component in CARRIERS:
            vector = model.component_dipole(component, energy, species)
            share = float(model.share(component, energy, species))
            rows.append(Row(energy, component, species, ANALYTIC, Dipole(vector), share))
        share = sum(float(model.share(component, energy, species)) for component in CARRIERS)
        boost = Dipole(model.compton_getting(energy))
        rows.append(Row(energy, BOOST, species, ANALYTIC, boost, share))
        total = Dipole(model.total_dipole(energy, species))
        rows.append(Row(energy, "total", species, ANALYTIC, total, share))
    return rows


def spectrum_rows(model: XueLiu2025, energy: float) -> list[SpectrumRow]:
    """Intensity by formula of every species and component at a total energy [GeV]."""
    rows = []
    for species in model.species:
        rigidity = float(rigidity_of(energy, species))
        for component in CARRIERS:
            per_rigidity = float(model.intensity(component, rigidity, species))
            per_energy = float(model.intensity_energy(component, energy, species))
            rows.append(SpectrumRow(energy, rigidity, species, component, per_rigidity, per_energy))
    return rows


class Assembly:
    """Monte Carlo answers at one energy.

    Parameters
    ----------
    model : XueLiu2025
        Formulas: the references, and what is not transported.
    energy : float
        Total energy [GeV].
    planned : list of Planned
        The jobs.
    outcomes : list of Outcome
        Their outcomes, in the same order.
    """

    def __init__(
        self, model: XueLiu2025, energy: float, planned: list[Planned], outcomes: list[Outcome]
    ) -> None:
        self.model, self.energy = model, energy
        self.found = {
            (p.component, p.species, p.gives): (p, outcome)
            for p, outcome in zip(planned, outcomes, strict=True)
        }
        self.parts = {
            (component, species): self._part(component, species)
            for component in CARRIERS
            for species in model.species
        }
        self.intensity = sum(part.intensity for part in self.parts.values())

    def dipole(self, component: str, species: str) -> Dipole:
        """Dipole of a component or of the total, of one species or of all."""
        if component == "total":
            return combine(self._parts(CARRIERS, species)) + self.dipole(BOOST, species)
        if component == BOOST:
            return combine([self._boost_part(name) for name in self._names(species)])
        parts = self._parts((component,), species)
        if not any(part.intensity for part in parts):  # no history has met the source
            return Dipole(np.full(3, math.nan))
        return combine(parts)

    def rows(self) -> list[Row]:
        """Rows of method "monte-carlo"."""
        rows = []
        for species in (*self.model.species, ALL):
            for component in (*CARRIERS, BOOST, "total"):
                members = (component,) if component in CARRIERS else CARRIERS
                share = (
                    sum(part.intensity for part in self._parts(members, species)) / self.intensity
                )
                dipole, label = self.dipole(component, species), self.estimator(component)
                rows.append(Row(self.energy, component, species, MONTE_CARLO, dipole, share, label))
        return rows

    def estimator(self, component: str) -> str:
        """Name of the estimator behind a component's dipole."""
        if component == "background":
            return "prescribed"
        if component == "total":
            kinds = {p.estimator for p, _ in self.found.values()} - {"boost"}
            return "assisted" if "assisted" in kinds else "+".join([*sorted(kinds), "prescribed"])
        return self.found[component, self.model.species[0], "dipole"][0].estimator

    def comparisons(self) -> list[ComparisonRow]:
        """Monte Carlo against formula: the dipoles, and the densities that were transported.

        Compton-Getting is judged by the exact boost, alone and in the total; how far its first
        order is off is a finding.
        """
        nearby = "quadrature" if self.model.cloud_mode == "time-dependent" else "formula"
        rows = [
            self._dipole_row(c, ALL, self.model.component_dipole(c, self.energy), reference)
            for c, reference in zip(CARRIERS, (nearby, "formula", "formula"), strict=True)
        ]
        exact, first = self._exact_boost(), self.model.compton_getting(self.energy)
        total = self.model.total_dipole(self.energy) - first + exact
        rows.append(self._dipole_row(BOOST, ALL, exact, "exact boost"))
        rows.append(self._dipole_row(BOOST, ALL, first, "first order boost"))
        rows.append(self._dipole_row("total", ALL, total, f"{nearby} and exact boost"))
        for species in self.model.species:
            rows += self._density_rows("nearby", species, nearby)
            rows += self._density_rows("centre", species, "formula")
            if nearby == "quadrature":
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

    def skies(self, seed: int, title: str) -> dict[tuple[str, float], SkyMap]:
        """Sky maps of the components, all species together, and of the total."""
        meta = {"energy": self.energy, "seed": seed, "title": title}
        maps = {c: self._sky(c, meta) for c in (*CARRIERS, BOOST)}
        intensity = {c: sum(part.intensity for part in self._parts((c,), ALL)) for c in CARRIERS}
        shares = [(j / self.intensity, maps[c]) for c, j in intensity.items() if j > 0.0]
        total = SkyMap.combine([*shares, (1.0, maps[BOOST])], component="total", **meta)
        covariance = self.dipole("total", ALL).covariance
        maps["total"] = replace(total, dipole_covariance=covariance)
        return {(component, self.energy): sky for component, sky in maps.items()}

    def relative_error(self) -> float:
        """Largest standard deviation of the total's equatorial projection, relative to it."""
        total = self.dipole("total", ALL)
        largest = math.sqrt(float(np.linalg.eigvalsh(total.covariance[:2, :2])[-1]))
        return largest / total.amplitude if total.amplitude > 0.0 else math.inf

    def density(self, component: str, species: str) -> tuple[float, float]:
        """Density at the Sun by Monte Carlo [pc^-3], and its standard deviation."""
        mean, variance = 1.0, 0.0
        for gives in ("dipole", "burst density"):
            if (component, species, gives) in self.found:
                moments = self.found[component, species, gives][1].moments
                mean *= moments.density()[0]
                variance += moments.log_density_variance() if moments.mean[0] > 0.0 else 0.0
        return mean, abs(mean) * math.sqrt(variance)

    def trusted(self, component: str, species: str) -> bool:
        """Whether enough histories contribute to a component, or to what matters in the total."""
        if component in ("background", BOOST):
            return True
        if component == "total":
            members = [c for c in CARRIERS if float(self.model.share(c, self.energy)) > MIN_SHARE]
            return all(self.trusted(member, species) for member in members)
        wanted = {(component, name) for name in self._names(species)}
        return all(
            outcome.moments.effective >= MIN_EFFECTIVE
            for key, (_, outcome) in self.found.items()
            if key[:2] in wanted
        )

    def _names(self, species: str) -> tuple[str, ...]:
        return self.model.species if species == ALL else (species,)

    def _parts(self, components: tuple[str, ...], species: str) -> list[Part]:
        return [self.parts[c, name] for name in self._names(species) for c in components]

    def _part(self, component: str, species: str) -> Part:
        if component == "background":
            vector = self.model.component_dipole(component, self.energy, species)
            intensity = float(self.model.intensity_energy(component, self.energy, species))
            return Part(Dipole(vector), intensity)
        rigidity = float(rigidity_of(self.energy, species))
        per_density = float(
            self.model.source_rate(component, rigidity, species)
            * energy_jacobian(rigidity, species)
        )
        density, std_dev = self.density(component, species)
        moments = self.found[component, species, "dipole"][1].moments
        if density <= 0.0:  # nothing has been met, or less than noise
            return Part(Dipole(np.zeros(3)), 0.0)
        return Part(
            moments.dipole(),
            per_density * density,
            (std_dev / density) ** 2,
            moments.covariance_with_log_density(),
        )

    def _boost_part(self, species: str) -> Part:
        dipole = self.found[BOOST, species, "dipole"][1].moments.dipole()
        return Part(dipole, sum(part.intensity for part in self._parts(CARRIERS, species)))

    def _dipole_row(
        self, component: str, species: str, expected: np.ndarray, reference: str
    ) -> ComparisonRow:
        dipole, label = self.dipole(component, species), self.estimator(component)
        row = dipole_row(
            self.energy, component, species, dipole, Dipole(expected), label, reference
        )
        return self._judged(row)

    def _density_rows(self, component: str, species: str, reference: str) -> list[ComparisonRow]:
        """Row of a density; none where the reference is too small for a number."""
        rigidity = float(rigidity_of(self.energy, species))
        label = self.found[component, species, "dipole"][0].estimator
        if (component, species, "burst density") in self.found and label == "survival":
            label = "survival+walk"
        published = reference == "published product"
        formula = self.model.published_density if published else self.model.density
        expected = float(formula(component, rigidity, species))
        if expected == 0.0:
            return []
        density = self.density(component, species)
        row = density_row(self.energy, component, species, density, expected, label, reference)
        return [self._judged(row)]

    def _judged(self, row: ComparisonRow) -> ComparisonRow:
        """Withdraw the verdict where the error bar is not to be trusted."""
        if row.verdict == "prescribed" or self.trusted(row.component, row.species):
            return row
        return replace(row, verdict="inconclusive")

    def _published(self, species: str) -> list[ComparisonRow]:
        """The published product formula, against the time-dependent cloud."""
        rigidity = float(rigidity_of(self.energy, species))
        expected = self.model.published_dipole("nearby", rigidity, species)
        return [
            self._dipole_row("nearby", species, expected, "published product"),
            *self._density_rows("nearby", species, "published product"),
        ]

    def _sky(self, component: str, meta: dict[str, Any]) -> SkyMap:
        """Map of one component, its species weighted by intensity."""
        vector = self.dipole(component, ALL)
        if component == "background":
            return SkyMap.from_dipole(vector.vector, self.nside, component=component, **meta)
        members = CARRIERS if component == BOOST else (component,)
        skies = []
        for species in self.model.species:
            outcome = self.found[component, species, "dipole"][1]
            weight = sum(part.intensity for part in self._parts(members, species))
            if outcome.tally is not None and weight > 0.0:
                density = outcome.moments.density()[0]
                skies.append((weight, outcome.tally.to_map(density, component=component, **meta)))
        if not skies:  # nothing has been met: the map is unknown everywhere
            unknown = np.full(12 * self.nside**2, math.nan)
            return SkyMap(unknown, unknown, component=component, **meta)
        whole = sum(weight for weight, _ in skies)
        combined = SkyMap.combine([(w / whole, m) for w, m in skies], component=component, **meta)
        return replace(combined, dipole_covariance=vector.covariance)

    @property
    def nside(self) -> int:
        """Resolution of the maps."""
        return next(o.tally.nside for _, o in self.found.values() if o.tally is not None)
