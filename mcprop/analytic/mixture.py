"""Components of several nuclei, mixed at equal total energy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from mcprop import units
from mcprop.species import energy_jacobian, rigidity_of


@units.takes_quantities
class Mixture(ABC):
    """What follows from the intensity and the dipole of each component and species."""

    components: ClassVar[tuple[str, ...]]
    """Names of the components that carry particles."""
    species: tuple[str, ...]
    """Names of the nuclei."""

    @abstractmethod
    def intensity(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity of a component per rigidity [GV^-1 m^-2 s^-1 sr^-1]."""

    @abstractmethod
    def dipole(self, component: str, rigidity: Any, species: str) -> np.ndarray:
        """Dipole of a component, arrival convention, shape (..., 3)."""

    def intensity_energy(self, component: str, energy: Any, species: str) -> Any:
        """Intensity at Earth per total energy, J_R dR/dE.

        Parameters
        ----------
        component : str
            One of `components`.
        energy : float or ndarray
            Total energy of the nucleus [GeV].
        species : str
            Species, or "all" for their sum.

        Returns
        -------
        float or ndarray
            Intensity [GeV^-1 m^-2 s^-1 sr^-1].
        """
        if species == "all":
            return sum(self.intensity_energy(component, energy, name) for name in self.species)
        rigidity = rigidity_of(energy, species)
        return self.intensity(component, rigidity, species) * energy_jacobian(rigidity, species)

    def total_intensity_energy(self, energy: Any, species: str = "all") -> Any:
        """Summed intensity of the components per total energy.

        Parameters
        ----------
        energy : float or ndarray
            Total energy of the nucleus [GeV].
        species : str
            Species, or "all".

        Returns
        -------
        float or ndarray
            Intensity [GeV^-1 m^-2 s^-1 sr^-1].
        """
        return sum(
            self.intensity_energy(component, energy, species) for component in self.components
        )

    def share(self, component: str, energy: Any, species: str = "all") -> Any:
        """Part of the intensity of all species and components that one of them has.

        Parameters
        ----------
        component : str
            One of `components`.
        energy : float or ndarray
            Total energy [GeV].
        species : str
            Species, or "all".

        Returns
        -------
        float or ndarray
            J_zc/J; the shares add up to 1, and are NaN where nothing is left.
        """
        part = np.asarray(self.intensity_energy(component, energy, species))
        whole = np.asarray(self.total_intensity_energy(energy))
        known = (whole > 0.0) & np.isfinite(whole)
        return np.divide(part, whole, out=np.full_like(part, np.nan), where=known)[()]

    def _mean_dipole(self, components: tuple[str, ...], energy: Any, species: str) -> np.ndarray:
        """Mean over components and species, weighted by intensity at equal total energy."""
        weight, moment = np.zeros(np.shape(energy)), np.zeros((*np.shape(energy), 3))
        for name in self.species if species == "all" else (species,):
            rigidity = rigidity_of(energy, name)
            for component in components:
                part = np.asarray(self.intensity_energy(component, energy, name))
                weight = weight + part
                moment = moment + part[..., None] * self.dipole(component, rigidity, name)
        known = weight[..., None] > 0.0  # not so where nothing is left, or not yet arrived
        unknown = np.full_like(moment, np.nan)
        return np.divide(moment, weight[..., None], out=unknown, where=known)
