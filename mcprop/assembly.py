"""From the outcomes of the jobs of one energy to its dipoles, sky maps and comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mcprop.comparison import FLOOR, ComparisonRow, density_row, dipole_row
from mcprop.dipole import Dipole, Part, combine
from mcprop.models import Model, boost_of
from mcprop.sky import SkyMap
from mcprop.species import energy_jacobian, rigidity_of
from mcprop.tables import ANALYTIC, MONTE_CARLO, Row, SpectrumRow

if TYPE_CHECKING:
    from mcprop.plan import Planned
    from mcprop.transport import Outcome

MIN_EFFECTIVE = 100.0
"""Effective histories below which an error bar is not trusted."""

MIN_SHARE = 1e-4
"""Share of the intensity from which a component counts in the total."""

ALL = "all"
PRESCRIBED = "prescribed"


class Judge(NamedTuple):
    """What a Monte Carlo result is held against.

    Parameters
    ----------
    name : str
        Stands in the comparison table.
    floor : float
        Numerical error of the reference or of the estimator, relative to the reference.
    """

    name: str = "formula"
    floor: float = FLOOR


def formula_rows(
    model: Model, energy: float, species_wanted: tuple[str, ...] | None = None
) -> list[Row]:
    """Rows of method "analytic" at a total energy [GeV]; by default of every species and of all."""
    rows, boost = [], boost_of(model)
    for species in species_wanted or (*model.species, ALL):
        shares = [float(model.share(c, energy, species)) for c in model.components]
        for component, share in zip(model.components, shares, strict=True):
            dipole = Dipole(model.component_dipole(component, energy, species))
            rows.append(Row(energy, component, species, ANALYTIC, dipole, share))
        if boost:
            dipole = Dipole(model.component_dipole(boost, energy, species))
            rows.append(Row(energy, boost, species, ANALYTIC, dipole, sum(shares)))
        total = Dipole(model.total_dipole(energy, species))
        rows.append(Row(energy, "total", species, ANALYTIC, total, sum(shares)))
    return rows


def spectrum_rows(model: Model, energy: float) -> list[SpectrumRow]:
    """Intensity by formula of every species and component at a total energy [GeV]."""
    rows = []
    for species in model.species:
        rigidity = float(rigidity_of(energy, species))
        for component in model.components:
            per_rigidity = float(model.intensity(component, rigidity, species))
            per_energy = float(model.intensity_energy(component, energy, species))
            rows.append(SpectrumRow(energy, rigidity, species, component, per_rigidity, per_energy))
    return rows


class Assembly:
    """Monte Carlo answers at one energy; a component without a job is prescribed by its formula.

    Parameters
    ----------
    model : Model
        Formulas: the references, and what is not transported.
    energy : float
        Total energy [GeV].
    planned : sequence of Planned
        The jobs.
    outcomes : sequence of Outcome
        Their outcomes, in the same order.
    """

    def __init__(
        self, model: Any, energy: float, planned: Sequence[Planned], outcomes: Sequence[Outcome]
    ) -> None:
        self.model, self.energy = model, energy
        self.carriers: tuple[str, ...] = model.components
        self.boost = boost_of(model)
        self.found = {
            (p.component, p.species, p.gives): (p, outcome)
            for p, outcome in zip(planned, outcomes, strict=True)
        }
        transported = {p.component for p in planned}
        self.transported = tuple(c for c in self.carriers if c in transported)
        self.parts = {
            (component, species): self.part(component, species)
            for component in self.carriers
            for species in model.species
        }
        self.intensity = sum(part.intensity for part in self.parts.values())

    @property
    def shown(self) -> tuple[str, ...]:
        """Everything that has a dipole but the total: the carriers, and the boost if any."""
        return (*self.carriers, self.boost) if self.boost else self.carriers

    def dipole(self, component: str, species: str) -> Dipole:
        """Dipole of a component or of the total, of one species or of all."""
        if component == "total":
            carried = combine(self._parts(self.carriers, species))
            return carried + self.dipole(self.boost, species) if self.boost else carried
        if component == self.boost:
            return combine([self._boost_part(name) for name in self._names(species)])
        parts = self._parts((component,), species)
        if not any(part.intensity for part in parts):  # no history has met the source
            return Dipole(np.full(3, math.nan))
        return combine(parts)

    def rows(self) -> list[Row]:
        """Rows of method "monte-carlo"."""
        rows = []
        for species in (*self.model.species, ALL):
            for component in (*self.shown, "total"):
                members = (component,) if component in self.carriers else self.carriers
                share = (
                    sum(part.intensity for part in self._parts(members, species)) / self.intensity
                )
                dipole, label = self.dipole(component, species), self.estimator(component)
                rows.append(Row(self.energy, component, species, MONTE_CARLO, dipole, share, label))
        return rows

    def estimator(self, component: str) -> str:
        """Name of the estimator behind a component's dipole."""
        if component == "total":
            planned = (p for (c, _, _), (p, _) in self.found.items() if c != self.boost)
            kinds = sorted({p.estimator for p in planned})
            if self.transported != self.carriers:
                kinds.append(PRESCRIBED)
            return "assisted" if "assisted" in kinds else "+".join(kinds)
        if component in self.carriers and component not in self.transported:
            return PRESCRIBED
        return self.found[component, self.model.species[0], "dipole"][0].estimator

    def density_estimator(self, component: str, species: str) -> str:
        """Name of the estimator behind a component's density."""
        return self.found[component, species, "dipole"][0].estimator

    def judge(self, component: str) -> Judge:
        """What a component, or the total, is held against."""
        return Judge()

    def uncertainty(self, component: str) -> float:
        """Relative error of a component's estimator beside its noise, such as by finite steps."""
        return 0.0

    def comparisons(self) -> list[ComparisonRow]:
        """Monte Carlo against formula: the dipoles, and the densities that were transported."""
        rows = self.carrier_rows()
        expected = self.model.total_dipole(self.energy)
        rows.append(self.dipole_row("total", ALL, expected, self.judge("total")))
        for species in self.model.species:
            for component in self.transported:
                rows += self.density_rows(component, species, self.judge(component))
        return rows

    def carrier_rows(self) -> list[ComparisonRow]:
        """The dipole of each component, all species together, against the formula if it has one."""
        expected = {c: self.model.component_dipole(c, self.energy) for c in self.carriers}
        return [
            self.dipole_row(c, ALL, vector, self.judge(c))
            for c, vector in expected.items()
            if np.isfinite(vector).all()
        ]

    def dipole_row(
        self, component: str, species: str, expected: np.ndarray, judge: Judge
    ) -> ComparisonRow:
        """Row that holds a dipole against the one expected."""
        dipole, label = self.dipole(component, species), self.estimator(component)
        names = (self.energy, component, species)
        reference = Dipole(expected, self._systematic(component, species) ** 2 * np.eye(3))
        return self._judged(dipole_row(*names, dipole, reference, label, *judge))

    def _systematic(self, component: str, species: str) -> float:
        """Error of a dipole by the `uncertainty` of the components in it, in any direction."""
        square = 0.0
        for c in (component,) if component in self.carriers else self.carriers:
            share = float(self.model.share(c, self.energy, species)) if c != component else 1.0
            if share and (relative := self.uncertainty(c)):
                vector = self.model.component_dipole(c, self.energy, species)
                square += (relative * share * float(np.linalg.norm(vector))) ** 2
        return math.sqrt(square)

    def density_rows(
        self, component: str, species: str, judge: Judge, expected: float | None = None
    ) -> list[ComparisonRow]:
        """Row of a density against the model's, unless another is expected; none against zero."""
        if expected is None:
            rigidity = float(rigidity_of(self.energy, species))
            expected = float(self.model.density(component, rigidity, species))
        if expected == 0.0:
            return []
        label, names = self.density_estimator(component, species), (self.energy, component, species)
        mean, noise = self.density(component, species)
        error = math.hypot(noise, self.uncertainty(component) * expected)
        return [self._judged(density_row(*names, (mean, error), expected, label, *judge))]

    def skies(self, seed: int, title: str) -> dict[tuple[str, float], SkyMap]:
        """Sky maps of the components, all species together, and of the total."""
        meta = {"energy": self.energy, "seed": seed, "title": title}
        maps = {c: self._sky(c, meta) for c in self.shown}
        intensity = {c: self._intensity(c) for c in self.carriers}
        shares = [(j / self.intensity, maps[c]) for c, j in intensity.items() if j > 0.0]
        if self.boost:
            shares.append((1.0, maps[self.boost]))
        total = SkyMap.combine(shares, component="total", **meta)
        covariance = self.dipole("total", ALL).covariance
        maps["total"] = replace(total, dipole_covariance=covariance)
        return {(component, self.energy): sky for component, sky in maps.items()}

    def relative_error(self) -> float:
        """Largest standard deviation of the total's equatorial projection, relative to it."""
        total = self.dipole("total", ALL)
        largest = math.sqrt(float(np.linalg.eigvalsh(total.covariance[:2, :2])[-1]))
        return largest / total.amplitude if total.amplitude > 0.0 else math.inf

    def density(self, component: str, species: str) -> tuple[float, float]:
        """Density at the Sun by Monte Carlo, in the unit of the model's, and its error bar."""
        mean, variance = 1.0, 0.0
        for gives in ("dipole", "burst density"):
            if (component, species, gives) in self.found:
                moments = self.found[component, species, gives][1].moments
                mean *= moments.density()[0]
                variance += moments.log_density_variance() if moments.mean[0] > 0.0 else 0.0
        return mean, abs(mean) * math.sqrt(variance)

    def trusted(self, component: str, species: str) -> bool:
        """Whether enough histories contribute to a component, or to what matters in the total."""
        if component == "total":
            share = self.model.share
            members = [c for c in self.carriers if float(share(c, self.energy)) > MIN_SHARE]
            return all(self.trusted(member, species) for member in members)
        if component not in self.transported:  # prescribed, or the boost
            return True
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

    def _intensity(self, component: str) -> float:
        return sum(part.intensity for part in self._parts((component,), ALL))

    def part(self, component: str, species: str) -> Part:
        """A component of one species as it enters the total, from the outcomes of its jobs."""
        if component not in self.transported:
            intensity = float(self.model.intensity_energy(component, self.energy, species))
            if intensity <= 0.0:  # what is not there has no direction either
                return Part(Dipole(np.zeros(3)), 0.0)
            vector = self.model.component_dipole(component, self.energy, species)
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
        dipole = self.found[self.boost, species, "dipole"][1].moments.dipole()
        return Part(dipole, sum(part.intensity for part in self._parts(self.carriers, species)))

    def _judged(self, row: ComparisonRow) -> ComparisonRow:
        """Withdraw the verdict where the error bar is not to be trusted."""
        if row.verdict == PRESCRIBED or self.trusted(row.component, row.species):
            return row
        return replace(row, verdict="inconclusive")

    def _sky(self, component: str, meta: dict[str, Any]) -> SkyMap:
        """Map of one component, its species weighted by intensity."""
        vector = self.dipole(component, ALL)
        if self.estimator(component) == PRESCRIBED:
            return SkyMap.from_dipole(vector.vector, self.nside, component=component, **meta)
        members = self.carriers if component == self.boost else (component,)
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
