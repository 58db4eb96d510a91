"""What has to be transported for a model at one energy, and how histories to a burst are set up."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcprop import diffusion, frames
from mcprop.burst_walk import BurstWalk
from mcprop.errors import RangeError
from mcprop.fields import UniformField
from mcprop.observer import observer
from mcprop.source import Burst
from mcprop.species import beta_of, rigidity_of
from mcprop.transport import AnalogBurstJob, BurstJob, Job
from mcprop.units import C_LIGHT


@dataclass(frozen=True)
class Planned:
    """A job and what its result is.

    Parameters
    ----------
    job : Job
        Runs the histories.
    component, species : str
        What is transported.
    gives : str
        "dipole" for a job that yields the component's dipole, "burst density" for one that yields
        but a factor of its density; a model may have others.
    estimator : str
        Name of the estimator, for the comparison table.
    histories : int, optional
        Histories after which the job is good enough; by default it runs all that are configured.
    """

    job: Job
    component: str
    species: str
    gives: str
    estimator: str
    histories: int | None = None

    def __post_init__(self) -> None:
        """Refuse a job without a history."""
        if self.histories is not None and self.histories < 1:
            raise RangeError(f"histories = {self.histories} must be at least 1.")

    def limited(self, batches: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Batches of a run that this job takes part in.

        Parameters
        ----------
        batches : list of (int, int)
            Number of the first history, and how many.

        Returns
        -------
        list of (int, int)
            Those that start below the job's own number of histories, the last one cut there.
        """
        if self.histories is None:
            return batches
        end = self.histories
        return [(first, min(n, end - first)) for first, n in batches if first < end]


class Planner(ABC):
    """Sets up the jobs of a model.

    Parameters
    ----------
    model : Model
        Formulas and parameters.
    settings : MonteCarlo
        Section ``monte_carlo`` of the configuration. Histories to a burst need ``gradient_step``,
        ``kernel_leg`` and ``leg_steps`` in it; the estimator is "walk" where it has no
        ``estimator``.
    """

    def __init__(self, model: Any, settings: Any) -> None:
        self.model = model
        self.settings = settings
        self.estimator: str = getattr(settings, "estimator", "walk")
        self.analog = self.estimator == "analog"
        self.assisted = self.estimator == "assisted"

    @abstractmethod
    def jobs(self, energy: float) -> list[Planned]:
        """Everything that is transported at a total energy [GeV].

        Raises
        ------
        RangeError
            If histories cannot be run at this energy.
        """

    def name(self, component: str, what: str, species: str, energy: float) -> tuple[Any, ...]:
        """Name of a job, from which its random stream follows.

        Parameters
        ----------
        component, what, species : str
            What is transported, and which of the jobs for it.
        energy : float
            Total energy [GeV].

        Returns
        -------
        tuple
            Holds nothing that depends on when or beside what the job runs.
        """
        return (component, what, self.estimator, species, float(energy).hex())

    def share(self) -> float:
        """Reach of the differences in scales of the density; no limit for analog histories."""
        return math.inf if self.analog else self.settings.gradient_step

    def form(self, burst: Burst) -> np.ndarray:
        """Quadratic form of `burst_form` for the last leg to a burst that is configured."""
        return burst_form(burst, self.settings.kernel_leg * burst.age)

    def walk(self, burst: Burst) -> BurstWalk:
        """Way to a burst: by closed form if assisted, else walked but for the last leg.

        Walks are sampled with the drift that brings them to the source when the last leg begins, in
        antithetic pairs.

        Parameters
        ----------
        burst : Burst
            The source.

        Returns
        -------
        BurstWalk
        """
        last = burst.age * (1.0 if self.assisted else self.settings.kernel_leg)
        if self.analog or self.assisted:
            return BurstWalk(burst, last, self.settings.leg_steps, (0.0, 0.0, 0.0), 0.0)
        walked = burst.age - last
        toward = (burst.x / walked, burst.y / walked, burst.z / walked)
        return BurstWalk(burst, last, self.settings.leg_steps, toward, 0.5)

    def seen_burst(
        self, component: str, species: str, energy: float, burst: Burst, tensor: np.ndarray
    ) -> Planned:
        """Plan the dipole of a burst in a uniform medium, seen through a local tensor.

        Parameters
        ----------
        component, species : str
            What is transported.
        energy : float
            Total energy [GeV].
        burst : Burst
            The source, in ICRS axes.
        tensor : ndarray, shape (3, 3)
            Diffusion tensor at the Sun [pc^2/yr], ICRS axes: it turns the gradient of the density
            into the dipole, and does not act on the density itself.

        Returns
        -------
        Planned
        """
        speed = C_LIGHT * float(beta_of(float(rigidity_of(energy, species)), species))
        sun = observer(tensor, speed, np.eye(3), self.form(burst), self.share())
        kind = AnalogBurstJob if self.analog else BurstJob
        job = kind(self.name(component, "burst", species, energy), self.walk(burst), sun)
        return Planned(job, component, species, "dipole", self.estimator)


def isotropic_burst(vector: np.ndarray, age: float, coefficient: float) -> Burst:
    """Burst in a uniform medium without a preferred direction.

    Parameters
    ----------
    vector : ndarray, shape (3,)
        From the observer to the source [pc].
    age : float
        Time since the burst [yr].
    coefficient : float
        Diffusion coefficient [pc^2/yr].

    Returns
    -------
    Burst
        In the axes of `vector`.
    """
    x, y, z = map(float, vector)
    field = UniformField(0.0, 0.0, 1.0)  # any direction: the tensor is isotropic
    return Burst(x, y, z, age, field, coefficient, coefficient)


def burst_form(burst: Burst, leg: float) -> np.ndarray:
    """Quadratic form [pc^-2] of displacements by the scale of a burst's density and last leg."""
    field = frames.normalise(np.array(burst.field))
    inverse = np.linalg.inv(diffusion.tensor(burst.kappa_parallel, burst.kappa_perp, field))
    slope = inverse @ np.array([burst.x, burst.y, burst.z]) / (2.0 * burst.age)
    return inverse / (2.0 * leg) + np.outer(slope, slope)
