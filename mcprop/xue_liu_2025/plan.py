"""What is transported in the model of Xue & Liu (2025), and how its estimators are set up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop import diffusion, plan
from mcprop.cloud import slab
from mcprop.errors import RangeError
from mcprop.fields import UniformField
from mcprop.observer import Observer, observer
from mcprop.plan import Planned, isotropic_burst
from mcprop.source import Burst, SteadyDensity
from mcprop.species import SPECIES, beta_of, rigidity_of
from mcprop.transport import AnalogBurstJob, AnalogCloudJob, BoostJob, BurstJob, CloudJob, Job
from mcprop.units import C_LIGHT

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025
    from mcprop.xue_liu_2025.config import MonteCarlo


class Planner(plan.Planner):
    """Sets up the jobs of the model of Xue & Liu (2025).

    Parameters
    ----------
    model : XueLiu2025
        Formulas and parameters.
    settings : MonteCarlo
        Section ``monte_carlo`` of the configuration.
    """

    model: XueLiu2025
    settings: MonteCarlo

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

    def _burst(self, rigidity: float, species: str, axes: np.ndarray) -> Burst:
        """Burst of the nearby source outside the cloud, in the given axes."""
        parallel, perp = self.model.outer_tensor(rigidity, species)
        field = UniformField(*(float(b) for b in axes @ self.model.b_hat))
        x, y, z = map(float, axes @ self.model.source_vector)
        return Burst(x, y, z, self.model.nearby_age, field, float(parallel), float(perp))

    def _nearby(self, energy: float, species: str) -> list[Planned]:
        steady = self.model.cloud_mode == "steady"
        rigidity = float(rigidity_of(energy, species))
        burst = self._burst(rigidity, species, self.model.cloud_axes)
        outside = SteadyDensity(1.0) if steady else self.walk(burst)
        cloud = self._cloud_job(energy, species, outside, burst)
        label = self.estimator
        if not steady:
            return [Planned(cloud, "nearby", species, "dipole", label)]
        kind = AnalogBurstJob if self.analog else BurstJob
        here = Observer(np.zeros((3, 3)), 1.0)
        name = self.name("nearby", "burst", species, energy)
        density = kind(name, self.walk(burst), here)
        label = "survival" if label == "walk" else label
        return [
            Planned(cloud, "nearby", species, "dipole", label),
            Planned(density, "nearby", species, "burst density", self.estimator),
        ]

    def _cloud_job(self, energy: float, species: str, outside: Any, burst: Burst) -> Job:
        model, steady = self.model, isinstance(outside, SteadyDensity)
        tensor, speed = self._at_the_sun(energy, species)
        rate = model.flow_speed / tensor[0, 0]
        form = np.diag([max(1.0 / model.cloud_depth, rate) ** 2, 0.0, 0.0])
        if not steady:
            form += self.form(burst)
        sun = observer(tensor, speed, model.cloud_axes, form, self.share())
        age = math.inf if steady else burst.age
        cloud = slab(
            tensor, model.flow_speed, model.cloud_depth, age, self.settings.step, self.assisted
        )
        name = self.name("nearby", "cloud", species, energy)
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
        burst = isotropic_burst(model.centre_vector, model.centre_age, isotropic)
        along_field = isotropic * np.outer(model.b_hat, model.b_hat)
        return self.seen_burst("centre", species, energy, burst, along_field)

    def _compton_getting(self, energy: float, species: str) -> Planned:
        x, y, z = map(float, -self.model.u_hc / C_LIGHT)
        name = self.name("compton-getting", "boost", species, energy)
        job = BoostJob(
            name, energy, SPECIES[species].mass, gas_index(self.model, energy), (x, y, z)
        )
        return Planned(job, "compton-getting", species, "dipole", "boost")


def gas_index(model: XueLiu2025, energy: float) -> float:
    """Index of the intensity that the Compton-Getting coefficient stands for, 3C - 2."""
    constant = model.compton_getting_coefficient
    coefficient = float(model.spectral_coefficient(energy)) if constant is None else constant
    return 3.0 * coefficient - 2.0
