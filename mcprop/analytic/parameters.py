"""Parameters of the model of Xue & Liu 2025, with the geometry and the tensors they imply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mcprop import diffusion as coefficients
from mcprop import frames, units
from mcprop.analytic import cloud, given
from mcprop.species import beta_of
from mcprop.units import CM2_PER_S, KM_PER_S


def _amounts(proton: float, helium: float) -> Callable[[], dict[str, float]]:
    """Make a factory, because a dict cannot be the default of a field."""
    return lambda: {"p": proton, "He": helium}


@units.takes_quantities
@dataclass(frozen=True)
class Parameters:
    """What the model is given, and what follows from it without particles.

    The defaults are the best fit of the paper (its Table I). Values are given with their unit, as
    a Quantity or a text such as ``"10 km/s"``, or as plain numbers in internal units (pc, yr, GV,
    GeV, uG, deg), which all attributes are. Vectors are in ICRS axes. Methods take a rigidity or
    an energy as a number [GV, GeV] or a Quantity, or an array of them, and a species by name.

    Attributes
    ----------
    field_ra, field_dec : float
        Direction of the magnetic field [deg].
    field_strength : float
        Field inside the cloud [uG].
    cloud_speed, cloud_ra, cloud_dec : float
        Velocity of the cloud relative to the Sun [pc/yr], and where it points [deg].
    solar_u, solar_v, solar_w : float
        Solar motion toward the Galactic centre, along rotation, to the north pole [pc/yr].
    cloud_mode : {"steady", "time-dependent"}
        Whether the density outside the cloud is constant in time or follows the burst.
    cloud_transport : {"kinetic", "wandering"}
        Diffusion inside the cloud: kinetic theory, or the same as outside.
    cloud_depth : float
        Depth of the Sun behind the leading face [pc].
    critical_rigidity : float
        Rigidity at which diffusion inside the cloud is of Bohm's kind [GV].
    diffusion_d0, diffusion_reference_rigidity, diffusion_slope : float
        D = D0 beta (R/R0)^slope [pc^2/yr, GV].
    parallel_factor, mach_alfven : float
        D_par = factor D, D_perp = M_A^4 D_par.
    background_source, nearby_source, centre_source : dict of str to float
        Normalisation of the injected spectrum of each species [GV^-1].
    background_height, background_rate, background_volume : float
        Leaky box [pc, 1/yr, pc^3].
    background_cutoff, nearby_cutoff, centre_cutoff : float
        Cut-off rigidities [GV].
    background_dipole : float
        Dipole amplitude of the background before it is projected on the field.
    modulation_potential : float
        Solar modulation of the background [GV].
    nearby_age, nearby_r_parallel, nearby_r_perp : float
        Nearby burst: age [yr], distance along and across the field [pc].
    centre_age, centre_distance : float
        Burst at the Galactic centre [yr, pc].
    spectral_index : dict of str to float
        Injection index of each species.
    compton_getting_coefficient : float or None
        The coefficient C; None takes it from the spectrum at each energy.
    species : tuple of str
        The species that make up the intensity.
    """

    field_ra: float = frames.LIC_FIELD[0]
    field_dec: float = frames.LIC_FIELD[1]
    field_strength: float = 3.0
    cloud_speed: float = 25.4 * KM_PER_S
    cloud_ra: float = 74.9
    cloud_dec: float = 17.6
    solar_u: float = 11.1 * KM_PER_S
    solar_v: float = 15.5 * KM_PER_S
    solar_w: float = 7.25 * KM_PER_S
    cloud_mode: str = "steady"
    cloud_transport: str = "kinetic"
    cloud_depth: float = 1.6
    critical_rigidity: float = 3e6
    diffusion_d0: float = 2.15e28 * CM2_PER_S
    diffusion_reference_rigidity: float = 10.0
    diffusion_slope: float = 1.0 / 3.0
    parallel_factor: float = 3.0
    mach_alfven: float = 0.1
    background_source: dict[str, float] = field(default_factory=_amounts(4.6e52, 6.9e51))
    background_height: float = 100.0
    background_rate: float = 0.03
    background_volume: float = 1e10
    background_cutoff: float = 4e6
    background_dipole: float = 6e-4
    modulation_potential: float = 0.97
    nearby_source: dict[str, float] = field(default_factory=_amounts(4.7e52, 7.05e51))
    nearby_age: float = 3.4e5
    nearby_r_parallel: float = 250.0
    nearby_r_perp: float = 18.5
    nearby_cutoff: float = 4e6
    centre_source: dict[str, float] = field(default_factory=_amounts(5e57, 8e56))
    centre_age: float = 4e6
    centre_distance: float = 8500.0
    centre_cutoff: float = 1e8
    spectral_index: dict[str, float] = field(default_factory=_amounts(2.6, 2.523))
    compton_getting_coefficient: float | None = 1.6
    species: tuple[str, ...] = ("p", "He")

    def __post_init__(self) -> None:
        """Strip units, and refuse what no formula below can take."""
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if name in _TABLES:
                example = "must be a table of species, such as {'p': ...}"
                given.require(name, isinstance(value, dict), value, example)
            object.__setattr__(self, name, given.plain(name, value, kind))
        for name in _KINDS:
            if isinstance(table := getattr(self, name), dict):
                missing = [species for species in self.species if species not in table]
                given.require(name, not missing, table, f"lacks {', '.join(missing)}")
            elif table is not None:
                given.require(name, bool(np.isfinite(table)), table, "is not a finite number")
        given.choose("cloud_mode", self.cloud_mode, ("steady", "time-dependent"))
        given.choose("cloud_transport", self.cloud_transport, ("kinetic", "wandering"))
        for name in _POSITIVE:
            given.require(name, getattr(self, name) > 0.0, getattr(self, name), "must be positive")
        depth = self.cloud_depth
        given.require("cloud_depth", depth >= 0.0, depth, "must not be negative")
        for name in ("cloud_speed", "solar_u", "solar_v", "solar_w"):
            speed = getattr(self, name)
            slow = "pc/yr is not below the speed of light: give a quantity such as '10 km/s'"
            given.require(name, abs(speed) < units.C_LIGHT, speed, slow)

    # Geometry

    @cached_property
    def b_hat(self) -> np.ndarray:
        """Direction of the magnetic field, shape (3,)."""
        return given.fixed(frames.unit_vector(self.field_ra, self.field_dec))

    @cached_property
    def u_hc(self) -> np.ndarray:
        """Velocity of the cloud relative to the Sun [pc/yr], shape (3,)."""
        return given.fixed(self.cloud_speed * frames.unit_vector(self.cloud_ra, self.cloud_dec))

    @cached_property
    def u_lsr(self) -> np.ndarray:
        """Velocity of the cloud in the local standard of rest [pc/yr], shape (3,)."""
        solar = (self.solar_u, self.solar_v, self.solar_w)
        return given.fixed(frames.lsr_velocity(self.u_hc, solar))

    @cached_property
    def flow_speed(self) -> float:
        """Speed of the cloud in the local standard of rest [pc/yr]."""
        return float(np.linalg.norm(self.u_lsr))

    @cached_property
    def theta(self) -> float:
        """Angle between the motion of the cloud and the field [rad]."""
        return frames.angle_between(self.u_lsr, self.b_hat)

    @cached_property
    def cloud_axes(self) -> np.ndarray:
        """Rows: depth axis, field across it, third axis; shape (3, 3)."""
        return given.fixed(frames.cloud_frame(self.u_lsr, self.b_hat))

    @cached_property
    def source_vector(self) -> np.ndarray:
        """Vector from the Sun to the nearby source [pc], shape (3,)."""
        across = frames.normalise(np.cross(self.b_hat, self.u_lsr))
        return given.fixed(self.nearby_r_parallel * self.b_hat + self.nearby_r_perp * across)

    @cached_property
    def centre_vector(self) -> np.ndarray:
        """Vector from the Sun to the Galactic centre [pc], shape (3,)."""
        return given.fixed(self.centre_distance * frames.galactic_axes()[0])

    # Diffusion

    def diffusion(self, rigidity: Any, species: str) -> Any:
        """Isotropic coefficient D(R) [pc^2/yr] (eq. 2)."""
        return coefficients.power_law(
            np.asarray(rigidity, dtype=float)[()],
            beta_of(rigidity, species),
            self.diffusion_d0,
            self.diffusion_reference_rigidity,
            self.diffusion_slope,
        )

    def outer_tensor(self, rigidity: Any, species: str) -> tuple[Any, Any]:
        """D_par and D_perp outside the cloud [pc^2/yr]."""
        isotropic = self.diffusion(rigidity, species)
        return coefficients.wandering_tensor(isotropic, self.parallel_factor, self.mach_alfven)

    def local_tensor(self, rigidity: Any, species: str) -> tuple[Any, Any]:
        """kappa_par and kappa_perp inside the cloud [pc^2/yr]."""
        if self.cloud_transport == "wandering":
            return self.outer_tensor(rigidity, species)
        return coefficients.kinetic_tensor(
            np.asarray(rigidity, dtype=float)[()],
            beta_of(rigidity, species),
            self.field_strength,
            self.critical_rigidity,
            self.diffusion_reference_rigidity,
            self.diffusion_slope,
        )

    def k_xx(self, rigidity: Any, species: str) -> Any:
        """Coefficient inside the cloud along its motion [pc^2/yr] (eq. 7)."""
        parallel, perp = self.local_tensor(rigidity, species)
        return coefficients.normal_coefficient(parallel, perp, float(np.cos(self.theta)))

    def solve_cloud(self, r: float, species: str) -> tuple[float, np.ndarray]:
        """Time-dependent cloud at the rigidity `r` [GV]: ln psi and its gradient in cloud axes.

        Kept once computed, because intensities, shares and dipoles all need it.
        """
        if (r, species) not in self._solved:
            field, source = self.cloud_axes @ self.b_hat, self.cloud_axes @ self.source_vector
            local = coefficients.tensor(*self.local_tensor(r, species), field)
            outer = coefficients.tensor(*self.outer_tensor(r, species), field)
            self._solved[r, species] = cloud.solve(
                self.cloud_depth, local, self.flow_speed, outer, source, self.nearby_age
            )
        return self._solved[r, species]

    @cached_property
    def _solved(self) -> dict[tuple[float, str], tuple[float, np.ndarray]]:
        return {}


_KINDS = {
    "field_ra": "angle",
    "field_dec": "angle",
    "field_strength": "field",
    "cloud_speed": "speed",
    "cloud_ra": "angle",
    "cloud_dec": "angle",
    "solar_u": "speed",
    "solar_v": "speed",
    "solar_w": "speed",
    "cloud_depth": "length",
    "critical_rigidity": "rigidity",
    "diffusion_d0": "diffusion",
    "diffusion_reference_rigidity": "rigidity",
    "diffusion_slope": "dimensionless",
    "parallel_factor": "dimensionless",
    "mach_alfven": "dimensionless",
    "background_source": "inverse rigidity",
    "background_height": "length",
    "background_rate": "rate",
    "background_volume": "volume",
    "background_cutoff": "rigidity",
    "background_dipole": "dimensionless",
    "modulation_potential": "rigidity",
    "nearby_source": "inverse rigidity",
    "nearby_age": "time",
    "nearby_r_parallel": "length",
    "nearby_r_perp": "length",
    "nearby_cutoff": "rigidity",
    "centre_source": "inverse rigidity",
    "centre_age": "time",
    "centre_distance": "length",
    "centre_cutoff": "rigidity",
    "spectral_index": "dimensionless",
    "compton_getting_coefficient": "dimensionless",
}
"""Kind of quantity of each parameter that is a number."""


_TABLES = ("background_source", "nearby_source", "centre_source", "spectral_index")


_POSITIVE = [
    *("field_strength", "critical_rigidity", "diffusion_d0"),
    *("diffusion_reference_rigidity", "parallel_factor", "mach_alfven", "background_height"),
    *("background_rate", "background_volume", "background_cutoff", "nearby_age", "nearby_cutoff"),
    *("centre_age", "centre_distance", "centre_cutoff"),
]
