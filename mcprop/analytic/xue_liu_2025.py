"""The model of Xue & Liu 2025 (arXiv:2507.07057) in closed form.

Three components of cosmic rays (a background, a nearby burst, a burst at the Galactic centre) are
seen through the local interstellar cloud; their dipoles and the Compton-Getting dipole add up at
equal total energy. The paper writes dipoles in the flow convention; here every dipole points to
where more particles come from (arrival convention), delta = -xi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mcprop import diffusion as coefficients
from mcprop import frames, spectrum
from mcprop.analytic import cloud, green
from mcprop.analytic.mixture import Mixture
from mcprop.analytic.parameters import Parameters
from mcprop.errors import RangeError
from mcprop.species import beta_of, energy_of
from mcprop.units import C_LIGHT, takes_quantities

COMPONENTS = ("nearby", "centre", "background")
"""Components that carry particles."""
DIPOLES = (*COMPONENTS, "compton-getting")
"""What has a dipole."""


@takes_quantities
@dataclass(frozen=True)
class XueLiu2025(Parameters, Mixture):
    """Spectra and dipoles of Xue & Liu 2025, eqs. 1-17.

    The parameters, all of them attributes, are those of
    `mcprop.analytic.parameters.Parameters`; the defaults are the best fit of the paper. Vectors are
    in ICRS axes. Methods take a rigidity [GV] or a total energy [GeV] as a float or an array, and a
    species by name; intensities are in GV^-1 (or GeV^-1) m^-2 s^-1 sr^-1, densities are per
    injected particle in pc^-3, dipoles have the shape of the argument and a last axis of 3.

    Examples
    --------
    >>> model = XueLiu2025()
    >>> dx, dy, dz = model.total_dipole(1e4)
    >>> print(f"{np.hypot(dx, dy):.2e} at RA {np.degrees(np.arctan2(dy, dx)):.1f} deg")
    9.82e-04 at RA 38.4 deg
    """

    components: ClassVar[tuple[str, ...]] = COMPONENTS
    boost: ClassVar[str] = "compton-getting"

    # Intensities

    def injected(self, component: str, rigidity: Any, species: str) -> Any:
        """Injected spectrum Q(R) of a component [GV^-1] (eqs. 1, 8 and 10).

        Parameters
        ----------
        component : {"nearby", "centre", "background"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Q [GV^-1].
        """
        _known(component, COMPONENTS)
        return spectrum.injection(
            rigidity,
            getattr(self, f"{component}_source")[species],
            self.spectral_index[species],
            getattr(self, f"{component}_cutoff"),
        )

    def source_rate(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity per density, v/(4 pi) Q(R).

        Parameters
        ----------
        component : {"nearby", "centre", "background"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Factor [GV^-1 m^-2 s^-1 sr^-1 pc^3] from `density` to interstellar intensity.
        """
        speed_factor = spectrum.intensity_per_density(beta_of(rigidity, species))
        return speed_factor * self.injected(component, rigidity, species)

    def density(self, component: str, rigidity: Any, species: str) -> Any:
        """Density at the Sun per injected particle.

        Parameters
        ----------
        component : {"nearby", "centre", "background"}
            Component; the background's is that of the leaky box, not modulated.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Density [pc^-3]: with the time-dependent cloud the nearby one is the quadrature of
            `mcprop.analytic.cloud`, else it is `published_density`.
        """
        if component == "nearby" and self.cloud_mode == "time-dependent":
            with np.errstate(over="ignore"):  # infinite is an answer, though not one to run with
                return np.exp(self._quadrature(rigidity, species)[0])[()]
        return self.published_density(component, rigidity, species)

    def published_density(self, component: str, rigidity: Any, species: str) -> Any:
        """Density at the Sun per injected particle as the paper has it (eqs. 1, 6, 9, 16).

        Parameters
        ----------
        component : {"nearby", "centre", "background"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Density [pc^-3]; product of burst and slab factor in either mode of the cloud.
        """
        _known(component, COMPONENTS)
        if component == "nearby":
            slab = cloud.steady_density(
                self.cloud_depth, self.k_xx(rigidity, species), self.flow_speed
            )
            return slab * self._burst(rigidity, species)
        isotropic = self.diffusion(rigidity, species)
        if component == "centre":
            separation = self.centre_distance**2 / (4.0 * isotropic * self.centre_age)
            return np.exp(-separation) / (4.0 * np.pi * isotropic * self.centre_age) ** 1.5
        return spectrum.leaky_box_density(
            isotropic, self.background_height, self.background_rate, self.background_volume
        )

    def intensity(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity at Earth per rigidity (eqs. 1, 3, 6, 9, 16).

        Parameters
        ----------
        component : {"nearby", "centre", "background"}
            Component; only the background is modulated by the Sun.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        float or ndarray
            Intensity [GV^-1 m^-2 s^-1 sr^-1].
        """

        def interstellar(r: Any) -> Any:
            return self.source_rate(component, r, species) * self.density(component, r, species)

        if component != "background":
            return interstellar(rigidity)
        return spectrum.modulated(interstellar, rigidity, self.modulation_potential, species)

    # Dipoles, arrival convention

    def dipole(self, component: str, rigidity: Any, species: str) -> np.ndarray:
        """Dipole of one component, arrival convention (eqs. 11, 13, 14, 15 and 17).

        Parameters
        ----------
        component : {"nearby", "centre", "background", "compton-getting"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole; nearby with the time-dependent cloud (3/v) kappa . grad ln psi of the
            quadrature, else `published_dipole`.
        """
        if component == "nearby" and self.cloud_mode == "time-dependent":
            gradient = self._quadrature(rigidity, species)[1]
            return self._last_free_path(gradient, rigidity, species)
        return self.published_dipole(component, rigidity, species)

    def published_dipole(self, component: str, rigidity: Any, species: str) -> np.ndarray:
        """Dipole of one component as the paper has it, turned to the arrival convention.

        Parameters
        ----------
        component : {"nearby", "centre", "background", "compton-getting"}
            Component.
        rigidity : float or ndarray
            Rigidity [GV].
        species : str
            Species.

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole; eq. 11 for the nearby source in either mode of the cloud.
        """
        _known(component, DIPOLES)
        if component == "nearby":
            gradient = cloud.steady_grad_ln_density(self.k_xx(rigidity, species), self.flow_speed)
            return self._last_free_path(gradient @ self.cloud_axes, rigidity, species)
        if component == "compton-getting":
            return self.compton_getting(energy_of(rigidity, species))
        beta = np.asarray(beta_of(rigidity, species))[..., None]
        if component == "centre":
            free = green.dipole(self.centre_vector, C_LIGHT * beta[..., 0], self.centre_age)
            return (free @ self.b_hat)[..., None] * self.b_hat
        pole = self.background_dipole * frames.galactic_axes()[2]
        return np.broadcast_to(-(pole @ self.b_hat) * self.b_hat, (*beta.shape[:-1], 3)).copy()

    def component_dipole(self, component: str, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of one component at a total energy, weighted over species by their intensity.

        Parameters
        ----------
        component : {"nearby", "centre", "background", "compton-getting"}
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
        if component == "compton-getting":
            return self.compton_getting(energy)
        return self._mean_dipole((component,), energy, species)

    def total_dipole(self, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of the summed intensity at a total energy (eq. 15).

        Parameters
        ----------
        energy : float or ndarray
            Total energy [GeV].
        species : str
            Species, or "all".

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole, arrival convention, with the Compton-Getting dipole.
        """
        return self.compton_getting(energy) + self._mean_dipole(COMPONENTS, energy, species)

    def compton_getting(self, energy: Any) -> np.ndarray:
        """Compton-Getting dipole -(3 C/c) u_HC (eq. 15).

        Parameters
        ----------
        energy : float or ndarray
            Total energy [GeV].

        Returns
        -------
        ndarray, shape (..., 3)
            Dipole: the Sun moves against u_HC and meets more particles there.
        """
        constant = self.compton_getting_coefficient
        coefficient = self.spectral_coefficient(energy) if constant is None else constant
        factor = np.broadcast_to(-3.0 * coefficient / C_LIGHT, np.shape(energy))
        return factor[..., None] * self.u_hc

    def spectral_coefficient(self, energy: Any) -> Any:
        """Compton-Getting coefficient of the model's own spectrum, 3C = 2 - dlnJ/dlnE.

        Parameters
        ----------
        energy : float or ndarray
            Total energy [GeV].

        Returns
        -------
        float or ndarray
            C(E) of the intensity summed over components and species.
        """
        slope = spectrum.log_slope(self.total_intensity_energy, energy)
        return spectrum.compton_getting_coefficient(slope)

    def _burst(self, rigidity: Any, species: str) -> Any:
        """Density of the nearby burst without the cloud (the last factors of eq. 6)."""
        parallel, perp = self.outer_tensor(rigidity, species)
        quarter = self.nearby_r_parallel**2 / parallel + self.nearby_r_perp**2 / perp
        volume = (4.0 * np.pi * self.nearby_age) ** 1.5 * np.sqrt(parallel) * perp
        return np.exp(-quarter / (4.0 * self.nearby_age)) / volume

    def _last_free_path(self, gradient: Any, rigidity: Any, species: str) -> np.ndarray:
        """Dipole (3/v) kappa . grad ln psi with the tensor at the Sun; gradient in ICRS axes."""
        parallel, perp = self.local_tensor(rigidity, species)
        flux = coefficients.apply_tensor(parallel, perp, self.b_hat, gradient)
        return 3.0 * flux / (C_LIGHT * np.asarray(beta_of(rigidity, species)))[..., None]

    def _quadrature(self, rigidity: Any, species: str) -> tuple[np.ndarray, np.ndarray]:
        """The logarithm of psi and its gradient (ICRS axes) with the time-dependent cloud."""
        shape = np.shape(rigidity)
        answers = [self.solve_cloud(float(r), species) for r in np.ravel(rigidity)]
        ln_psi = np.array([answer[0] for answer in answers]).reshape(shape)
        gradient = np.array([answer[1] for answer in answers]).reshape((*shape, 3))
        return ln_psi, gradient @ self.cloud_axes


def _known(component: str, allowed: tuple[str, ...]) -> None:
    if component not in allowed:
        raise RangeError(f"component = {component!r} is not known: choose {', '.join(allowed)}.")
