"""What has to be transported for a model at one energy, and how its estimators are set up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop import diffusion, frames
from mcprop.cloud import slab
from mcprop.errors import RangeError
from mcprop.fields import UniformField
from mcprop.observer import Observer, observer
from mcprop.source import Burst, SteadyDensity
from mcprop.species import SPECIES, beta_of, rigidity_of
from mcprop.transport import (
    AnalogBurstJob,
    AnalogCloudJob,
    BoostJob,
    BurstJob,
    BurstWalk,
    CloudJob,
    Job,
)
from mcprop.units import C_LIGHT

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025
    from mcprop.sections import MonteCarlo


@dataclass(frozen=True)
class Planned:
    """A job and what its result is.

    Parameters
    ----------
    job : Job
        Runs the histories.
    component, species : str
        What is transported.
    gives : {"dipole", "burst density"}
        Whether the job yields the component's dipole, or only a factor of its density.
    estimator : str
        Name of the estimator, for the comparison table.
    """

    job: Job
    component: str
    species: str
    gives: str
    estimator: str


class Planner:
    """Sets up the jobs of the model of Xue & Liu (2025).

    Parameters
    ----------
    model : XueLiu2025
        Formulas and parameters.
    settings : MonteCarlo
        Section ``monte_carlo`` of the configuration.
    """

    def __init__(self, model: XueLiu2025, settings: MonteCarlo) -> None:
        self.model = model
        self.settings = settings
        self.analog = settings.estimator == "analog"
        self.assisted = settings.estimator == "assisted"

    def jobs(self, energy: float) -> list[Planned]:
        """Everything that is transported at a total energy [GeV].

        Raises
        ------
        RangeError
            If an analog history would start outside the cloud.
        """
        planned = []
        for species in self.model.species:
            planned += self._nearby(energy, species)
            planned.append(self._centre(energy, species))
            planned.append(self._compton_getting(energy, species))
        return planned

    def free_path_over_depth(self, energy: float, species: str) -> float:
        """Mean free path along the depth axis of the cloud, in units of the depth of the Sun."""
        tensor, speed = self._at_the_sun(energy, species)
        return float(3.0 / speed * np.linalg.norm(tensor[0]) / self.model.cloud_depth)

    def _at_the_sun(self, energy: float, species: str) -> tuple[np.ndarray, float]:
        """Tensor inside the cloud, in cloud axes [pc^2/yr], and speed of the particles [pc/yr]."""
        rigidity = float(rigidity_of(energy, species))
        field = self.model.cloud_axes @ self.model.b_hat
        tensor = diffusion.tensor(*self.model.local_tensor(rigidity, species), field)
        return tensor, C_LIGHT * float(beta_of(rigidity, species))

    def _share(self) -> float:
        return math.inf if self.analog else self.settings.gradient_step

    def _walk(self, burst: Burst) -> BurstWalk:
        """Way to a burst: by closed form if assisted, else walked but for the last leg.

        Walks are sampled with the drift that brings them to the source when the last leg begins, in
        antithetic pairs.
        """
        last = burst.age * (1.0 if self.assisted else self.settings.kernel_leg)
        if self.analog or self.assisted:
            return BurstWalk(burst, last, self.settings.leg_steps, (0.0, 0.0, 0.0), 0.0)
        walked = burst.age - last
        toward = (burst.x / walked, burst.y / walked, burst.z / walked)
        return BurstWalk(burst, last, self.settings.leg_steps, toward, 0.5)

    def _burst(self, rigidity: float, species: str, axes: np.ndarray) -> Burst:
        """Burst of the nearby source outside the cloud, in the given axes."""
        parallel, perp = self.model.outer_tensor(rigidity, species)
        field = UniformField(*(float(b) for b in axes @ self.model.b_hat))
        x, y, z = map(float, axes @ self.model.source_vector)
        return Burst(x, y, z, self.model.nearby_age, field, float(parallel), float(perp))

    def _name(self, component: str, what: str, species: str, energy: float) -> tuple[Any, ...]:
        return (component, what, self.settings.estimator, species, float(energy).hex())

    def _nearby(self, energy: float, species: str) -> list[Planned]:
        steady = self.model.cloud_mode == "steady"
        rigidity = float(rigidity_of(energy, species))
        burst = self._burst(rigidity, species, self.model.cloud_axes)
        outside = SteadyDensity(1.0) if steady else self._walk(burst)
        cloud = self._cloud_job(energy, species, outside, burst)
        label = self.settings.estimator
        if not steady:
            return [Planned(cloud, "nearby", species, "dipole", label)]
        kind = AnalogBurstJob if self.analog else BurstJob
        here = Observer(np.zeros((3, 3)), 1.0)
        name = self._name("nearby", "burst", species, energy)
        density = kind(name, self._walk(burst), here)
        label = "survival" if label == "walk" else label
        return [
            Planned(cloud, "nearby", species, "dipole", label),
            Planned(density, "nearby", species, "burst density", self.settings.estimator),
        ]

    def _cloud_job(self, energy: float, species: str, outside: Any, burst: Burst) -> Job:
        model, steady = self.model, isinstance(outside, SteadyDensity)
        tensor, speed = self._at_the_sun(energy, species)
        rate = model.flow_speed / tensor[0, 0]
        form = np.diag([max(1.0 / model.cloud_depth, rate) ** 2, 0.0, 0.0])
        if not steady:
            form += burst_form(burst, self.settings.kernel_leg * burst.age)
        sun = observer(tensor, speed, model.cloud_axes, form, self._share())
        age = math.inf if steady else burst.age
        cloud = slab(
            tensor, model.flow_speed, model.cloud_depth, age, self.settings.step, self.assisted
        )
        name = self._name("nearby", "cloud", species, energy)
        if not self.analog:
            return CloudJob(name, cloud, outside, sun, rate if self.assisted else 0.0)
        up = float(np.linalg.norm(sun.reach[0]))
        if up >= model.cloud_depth:
            raise RangeError(
                f"energy = {energy:g} GeV is too high for analog histories of {species}: their "
                f"mean free path reaches {up:.3g} pc up, beyond the face of the cloud at "
                f'{model.cloud_depth:g} pc; choose a lower one or estimator = "walk".'
            )
        return AnalogCloudJob(name, cloud, outside, sun)

    def _centre(self, energy: float, species: str) -> Planned:
        model, rigidity = self.model, float(rigidity_of(energy, species))
        isotropic = float(model.diffusion(rigidity, species))
        x, y, z = map(float, model.centre_vector)
        field = UniformField(0.0, 0.0, 1.0)  # any direction: the tensor is isotropic
        burst = Burst(x, y, z, model.centre_age, field, isotropic, isotropic)
        along_field = isotropic * np.outer(model.b_hat, model.b_hat)
        form = burst_form(burst, self.settings.kernel_leg * burst.age)
        speed = C_LIGHT * float(beta_of(rigidity, species))
        sun = observer(along_field, speed, np.eye(3), form, self._share())
        kind = AnalogBurstJob if self.analog else BurstJob
        job = kind(self._name("centre", "burst", species, energy), self._walk(burst), sun)
        return Planned(job, "centre", species, "dipole", self.settings.estimator)

    def _compton_getting(self, energy: float, species: str) -> Planned:
        x, y, z = map(float, -self.model.u_hc / C_LIGHT)
        name = self._name("compton-getting", "boost", species, energy)
        job = BoostJob(
            name, energy, SPECIES[species].mass, gas_index(self.model, energy), (x, y, z)
        )
        return Planned(job, "compton-getting", species, "dipole", "boost")


def gas_index(model: XueLiu2025, energy: float) -> float:
    """Index of the intensity that the Compton-Getting coefficient stands for, 3C - 2."""
    constant = model.compton_getting_coefficient
    coefficient = float(model.spectral_coefficient(energy)) if constant is None else constant
    return 3.0 * coefficient - 2.0


def burst_form(burst: Burst, leg: float) -> np.ndarray:
    """Quadratic form [pc^-2] of displacements by the scale of a burst's density and last leg."""
    field = frames.normalise(np.array(burst.field))
    inverse = np.linalg.inv(diffusion.tensor(burst.kappa_parallel, burst.kappa_perp, field))
    slope = inverse @ np.array([burst.x, burst.y, burst.z]) / (2.0 * burst.age)
    return inverse / (2.0 * leg) + np.outer(slope, slope)
