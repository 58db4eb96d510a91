"""A small model, to try that a second one plugs in: other sections, no boost, a job of its own."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from mcprop import assembly, plan, scenario, sections
from mcprop.assembly import Judge
from mcprop.cite import Reference
from mcprop.kernels.launch import frames
from mcprop.quantity_text import Amount, Bounds, Number
from mcprop.species import beta_of, energy_jacobian, rigidity_of
from mcprop.study import Study
from mcprop.transport import Outcome, all_arrived, from_frames, stream
from mcprop.units import C_LIGHT

ENERGIES = (1e3, 1e4)
BATCH, HISTORIES, DISC_HISTORIES = 1024, 4096, 1500
B_HAT = np.array([0.6, 0.0, 0.8])
TOWARD = np.array([2.0, -1.0, 2.0]) / 3.0
DISC_SLOPE = np.array([0.0, 3e-3, -1e-3])
DISC_DENSITY = 2.5
DEFAULTS = f"""
title = "A burst and a disc"
model = "toy"
[energies]
values = ["1 TeV", "10 TeV"]
[species]
names = ["p", "He"]
[medium]
coefficient = "1e29 cm2/s"
anisotropy = 0.1
[geminga]
age = "3.4e5 yr"
distance = "250 pc"
emission = {{p = 2.0, He = 1.0}}
[monte_carlo]
batch = {BATCH}
gradient_step = 0.01
kernel_leg = 0.1
leg_steps = 6
nside = 2
[stop]
histories = {HISTORIES}
"""


class Medium(sections.Section):
    coefficient: Annotated[float, Amount("diffusion", "1e29 cm2/s", Bounds(above="0 cm2/s"))]
    anisotropy: Annotated[float, Number(Bounds(above=0, most=1))]


class Geminga(sections.Section):
    age: sections.Age
    distance: sections.Distance
    emission: dict[sections.Nucleus, Annotated[float, Number(Bounds(above=0))]]


class MonteCarlo(sections.MonteCarlo):
    gradient_step: sections.GradientStep
    kernel_leg: sections.KernelLeg
    leg_steps: sections.LegSteps


class ToyConfig(scenario.Config):
    medium: Medium
    geminga: Geminga
    monte_carlo: MonteCarlo
    stop: sections.Stop

    def own_problems(self):
        if self.geminga.distance == 0.0:
            yield "geminga.distance: got 0 pc; allowed: a burst that is somewhere"

    def model(self):
        burst = self.geminga
        return Toy(
            self.species.names,
            self.medium.coefficient,
            self.medium.anisotropy,
            burst.age,
            burst.distance * TOWARD,
            dict(burst.emission),
        )


@dataclass(frozen=True)
class Toy:
    """A burst in a uniform medium seen through a local tensor, and a disc with a small dipole."""

    components: ClassVar[tuple[str, ...]] = ("background", "geminga")

    species: tuple[str, ...]
    coefficient: float
    anisotropy: float
    age: float
    vector: np.ndarray
    emission: dict[str, float]
    disc_slope: tuple[float, ...] = tuple(DISC_SLOPE)
    grid_error: float = 0.0

    @property
    def tensor(self):
        along = np.outer(B_HAT, B_HAT)
        return self.coefficient * (along + self.anisotropy * (np.eye(3) - along))

    def source_rate(self, component, rigidity, species):
        return self.emission[species] * (1.0 if component == "geminga" else 1e-9)

    def density(self, component, rigidity, species):
        if component == "background":
            return DISC_DENSITY * (1.0 + self.grid_error)
        spread = 4.0 * self.coefficient * self.age
        return math.exp(-(self.vector @ self.vector) / spread) / (math.pi * spread) ** 1.5

    def intensity(self, component, rigidity, species):
        return self.source_rate(component, rigidity, species) * self.density(
            component, rigidity, species
        )

    def intensity_energy(self, component, energy, species):
        if species == "all":
            return sum(self.intensity_energy(component, energy, name) for name in self.species)
        rigidity = rigidity_of(energy, species)
        return self.intensity(component, rigidity, species) * energy_jacobian(rigidity, species)

    def share(self, component, energy, species="all"):
        total = sum(self.intensity_energy(c, energy, "all") for c in self.components)
        return self.intensity_energy(component, energy, species) / total

    def component_dipole(self, component, energy, species="all"):
        names = self.species if species == "all" else (species,)
        return sum(
            self.intensity_energy(component, energy, name) * self.dipole(component, energy, name)
            for name in names
        ) / sum(self.intensity_energy(component, energy, name) for name in names)

    def dipole(self, component, energy, species):
        if component == "background":
            return np.array(self.disc_slope)
        speed = C_LIGHT * float(beta_of(rigidity_of(energy, species), species))
        return 3.0 / speed * self.tensor @ self.vector / (2.0 * self.coefficient * self.age)

    def total_dipole(self, energy, species="all"):
        weights = [self.intensity_energy(c, energy, species) for c in self.components]
        dipoles = [self.component_dipole(c, energy, species) for c in self.components]
        return np.average(dipoles, axis=0, weights=weights)


@dataclass(frozen=True)
class DiscJob:
    """A job that only this model has: an intensity given by direction, with a little noise."""

    name: tuple[Any, ...]

    def run(self, seed, first, n, nside):
        axes = np.empty((n, 9))
        frames(np.uint64(seed), stream(*self.name), np.uint64(first), axes)
        three = axes.reshape(n, 3, 3)
        slopes = three @ DISC_SLOPE
        seen = 1.0 + np.stack([slopes, -slopes], axis=2).reshape(n, 6) + 1e-2 * three[:, :1, 0]
        moments, tally, parts = from_frames(DISC_DENSITY * seen, axes, 1.0, nside)
        return Outcome(moments, tally, all_arrived(seen), parts=parts)


class ToyPlanner(plan.Planner):
    def jobs(self, energy):
        burst = plan.isotropic_burst(self.model.vector, self.model.age, self.model.coefficient)
        planned = []
        for species in self.model.species:
            job = DiscJob(self.name("background", "disc", species, energy))
            limits = {"histories": DISC_HISTORIES}
            planned.append(plan.Planned(job, "background", species, "dipole", "given", **limits))
            planned.append(self.seen_burst("geminga", species, energy, burst, self.model.tensor))
        return planned


class ToyAssembly(assembly.Assembly):
    def judge(self, component):
        return Judge("grid", 5e-3) if component == "background" else Judge()


class ToyStudy(Study):
    key = "toy"
    references = ("Nobody 2026",)
    papers = (Reference("the toy", ("formulas",), "@misc{Toy2026,\n  eprint = {none},\n}"),)

    def defaults(self):
        return DEFAULTS

    def configuration(self):
        return ToyConfig

    def planner(self, model, settings):
        return ToyPlanner(model, settings)

    def assembly(self, model, energy, planned, outcomes):
        return ToyAssembly(model, energy, planned, outcomes)

    def directions(self, model):
        return {"b_hat": B_HAT, "Geminga": model.vector}

    def summary(self, config, model):
        return [f"geminga: {model.age:g} yr ago"]

    def notes(self, planner, energies):
        return [f"{len(energies)} energies of a {type(planner).__name__}"]


STUDY = ToyStudy()
