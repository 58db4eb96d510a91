"""The model of Li et al. (arXiv:2107.00313): Geminga, a local regular field, SDP in the Galaxy.

A background of many sources, from the solution of `mcprop.galaxy` with spatially dependent
propagation, and the remnant of Geminga, a burst in a medium with the coefficient at the Sun, reach
an observer in a regular magnetic field, along which the last steps of the particles are longer than
across. Gradients come from isotropic diffusion, the flux from the tensor of the field (eq. 2.9).
Reacceleration is left out: at v_A = 6 km/s it changes the rigidity of 100 GV by 0.002 in 10 Myr.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from mcprop import diffusion as coefficients
from mcprop import frames, spectrum, units
from mcprop.analytic import given, green, sphere
from mcprop.analytic.lrmf_parameters import FIT_FACTORS, LrmfParameters
from mcprop.analytic.mixture import Mixture
from mcprop.species import beta_of, energy_jacobian, energy_of, find, rigidity_of
from mcprop.units import C_LIGHT


@units.takes_quantities
@dataclass(frozen=True)
class LrmfSdp(LrmfParameters, Mixture):
    """Spectra and dipoles of arXiv:2107.00313, eqs. 2.1-2.9.

    The parameters, all of them attributes, are those of
    `mcprop.analytic.lrmf_parameters.LrmfParameters`; the defaults are Tables 1 and 2 of the paper
    with the background scaled to AMS-02 and DAMPE. Vectors are in ICRS axes. Methods take a
    rigidity [GV] or a total energy [GeV] as a float or an array, and a species by name; intensities
    are in GV^-1 (or GeV^-1) m^-2 s^-1 sr^-1, dipoles have the shape of the argument and a last axis
    of 3.

    Examples
    --------
    >>> model = LrmfSdp()
    >>> dx, dy, dz = model.total_dipole("10 TeV")
    >>> print(f"{np.hypot(dx, dy):.2e} at RA {np.degrees(np.arctan2(dy, dx)) / 15.0:.1f} h")
    1.63e-03 at RA 3.5 h
    """

    components: ClassVar[tuple[str, ...]] = ("background", "geminga")
    """What carries particles, and has a dipole."""

    # Intensities

    def source_rate(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity per density.

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Factor from `density` to intensity: [GV^-1 m^-2 s^-1 sr^-1 yr^-1] for the background,
            proportional to v R^-nu exp(-R/Rc); v/(4 pi) q(R) for the remnant
            [GV^-1 m^-2 s^-1 sr^-1 pc^3].
        """
        self._known(component)
        rigidity = np.asarray(rigidity, dtype=float)[()]
        if component == "background":
            reference, amount = self._normalisation(species)
            index, cutoff = self.background_index[species], self.background_cutoff
            shape = spectrum.relative_injection(rigidity, reference, index, cutoff)
            return amount * shape / energy_jacobian(rigidity, species)
        source, index = self.geminga_source[species], self.geminga_index[species]
        if self.local_cutoff == "rigidity":
            injected = spectrum.injection(rigidity, source, index, self.geminga_cutoff)
        else:
            falling = np.exp(-energy_of(rigidity, species) / self.geminga_cutoff_energy)
            injected = falling * spectrum.injection(rigidity, source, index, np.inf)
        return spectrum.intensity_per_density(beta_of(rigidity, species)) * injected

    def density(self, component: str, rigidity: Any, species: str) -> Any:
        """Density at the Sun.

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Residence-weighted time psi of the sources in the Galaxy [yr], or density per particle
            of the burst [pc^-3] (eq. 2.3).
        """
        self._known(component)
        if component == "background":
            return self.background_table(species).psi(rigidity)
        isotropic = np.asarray(self.diffusion(rigidity, species))[..., None, None] * np.eye(3)
        return green.density(self.source_vector, isotropic, self.geminga_age)

    def intensity(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity at the Sun per rigidity, not modulated.

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Intensity [GV^-1 m^-2 s^-1 sr^-1].
        """
        rate = self.source_rate(component, rigidity, species)
        return rate * self.density(component, rigidity, species)

    # Dipoles, arrival convention

    def gradient(self, component: str, rigidity: Any, species: str) -> np.ndarray:
        """Gradient of ln density at the Sun, without the change that a bounded field makes.

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        ndarray, shape (..., 3)
            Gradient [1/pc], ICRS axes; it points up.
        """
        self._known(component)
        if component == "background":
            table = self.background_table(species)
            outward, upward = table.slope_r(rigidity), table.slope_z(rigidity)
            galactic = np.stack([-outward, np.zeros_like(outward), upward], axis=-1)
            return galactic @ frames.galactic_axes()
        spread = 2.0 * np.asarray(self.diffusion(rigidity, species)) * self.geminga_age
        return self.source_vector / spread[..., None]

    def dipole(self, component: str, rigidity: Any, species: str) -> np.ndarray:
        """Dipole of one component, arrival convention (eq. 2.9).

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        ndarray, shape (..., 3)
            (3/v) kappa . grad ln psi, with the tensor and the gradient that `extent` says.
        """
        gradient = self.gradient(component, rigidity, species)
        isotropic = np.asarray(self.diffusion(rigidity, species))
        if self.extent == "none":
            flux = isotropic[..., None] * gradient
        else:
            parallel, perp = self.local_tensor(rigidity, species)
            if self.extent == "sphere":
                # the tensor of the interior takes the gradient there, which the surface changed
                parallel = parallel * sphere.gradient_factor(isotropic, parallel)
                perp = perp * sphere.gradient_factor(isotropic, perp)
            flux = coefficients.apply_tensor(parallel, perp, self.b_hat, gradient)
        return 3.0 * flux / (C_LIGHT * np.asarray(beta_of(rigidity, species)))[..., None]

    def component_dipole(self, component: str, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of one component at a total energy, weighted over species by their intensity.

        Parameters
        ----------
        component : {"background", "geminga"}
            Component.
        energy : float or ndarray
            Total energy [GeV].
        species : str
            Species, or "all".

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole, not weighted with the share of the component.
        """
        self._known(component)
        return self._mean_dipole((component,), energy, species)

    def total_dipole(self, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of the summed intensity at a total energy.

        Parameters
        ----------
        energy : float or ndarray
            Total energy [GeV].
        species : str
            Species, or "all".

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole, arrival convention. The model has no Compton-Getting dipole.
        """
        return self._mean_dipole(self.components, energy, species)

    # Inside

    def _normalisation(self, species: str) -> tuple[float, float]:
        """R_i, and the background at it per total energy and per psi."""
        if species not in self._normalisations:
            nucleons = find(species).nucleons if self.normalisation_per == "nucleon" else 1
            factor = FIT_FACTORS[species] if self.normalisation == "fit" else 1.0
            rigidity = rigidity_of(self.normalisation_energy * nucleons, species)
            flux = factor * self.background_flux[species] / nucleons
            psi = float(self.density("background", rigidity, species))
            self._normalisations[species] = rigidity, flux / psi
        return self._normalisations[species]

    @cached_property
    def _normalisations(self) -> dict[str, tuple[float, float]]:
        return {}

    def _known(self, component: str) -> None:
        given.choose("component", component, self.components)
