"""Parameters of the model with a local regular field, with the geometry and tensors they imply.

Where arXiv:2107.00313 is silent or contradicts itself a parameter holds the choice, and its
description says what the other choices do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from mcprop import diffusion as coefficients
from mcprop import frames, units
from mcprop.analytic import given
from mcprop.analytic.lrmf_losses import loss_rate
from mcprop.galaxy import Galaxy, Table
from mcprop.species import SPECIES
from mcprop.units import PC_CM

ELEMENTS = ("p", "He", "C", "N", "O", "Ne", "Mg", "Si", "Fe")
"""The nuclei of the paper."""
FIT_FACTORS = dict(
    zip(ELEMENTS, (2.03, 1.48, 1.25, 1.78, 0.905, 1.75, 1.02, 1.14, 0.69), strict=True)
)
"""Not of the paper: what its background must be multiplied with to meet AMS-02 and DAMPE."""


def _table(*values: float) -> Callable[[], dict[str, float]]:
    """Make a factory, because a dict cannot be the default of a field."""
    return lambda: dict(zip(ELEMENTS, values, strict=True))


@units.takes_quantities
@dataclass(frozen=True)
class LrmfParameters:
    """What the model is given, and what follows from it without spectra.

    The defaults are Tables 1 and 2 of the paper. Values are given with their unit, as a Quantity
    or a text such as ``"330 pc"``, or as plain numbers in internal units (pc, yr, GV, GeV, deg),
    which all attributes are. Vectors are in ICRS axes.

    Attributes
    ----------
    species : tuple of str
        The nuclei that make up the intensity. With all nine the dipole turns to the Galactic centre
        at several 100 TeV, with p and He near 150 TeV, with p alone near 75 TeV.
    galaxy : Galaxy
        Sources and diffusion in the Galaxy; its reference rigidity of 4 GV (the paper gives none)
        also is that of the ratio D_perp/D_par.
    sun_height : float
        Height of the Sun over the plane [pc]. Already 10 pc turn the background's gradient away
        from the Galactic centre, to the plane.
    normalisation : {"fit", "table"}
        Background as printed in Table 2, or times `FIT_FACTORS`, with which the spectra of protons
        below 1 TV and of helium below 0.6 TV are within 12 per cent of those of AMS-02. Above, the
        shape decides: what is measured is 1.5 times the model for protons at 50 TeV, and twice the
        model for all particles at 1 PeV.
    normalisation_energy : float
        Energy at which the background has the intensity `background_flux` [GeV].
    normalisation_per : {"nucleon", "nucleus"}
        Whose energy this is, and whose energy `background_flux` is per. The paper says total
        energy, with which helium would be 23 times, oxygen 125 times below what is measured.
    background_flux : dict of str to float
        Intensity of the background of each species [GeV^-1 m^-2 s^-1 sr^-1].
    background_index : dict of str to float
        Injection index of each species.
    background_cutoff : float
        Cut-off rigidity of the background [GV].
    geminga_distance, geminga_age, geminga_lon, geminga_lat : float
        The remnant of Geminga: distance [pc], age [yr], Galactic longitude and latitude [deg].
    geminga_source : dict of str to float
        Normalisation of its injected spectrum at 1 GV [GV^-1]. The paper prints GeV^-1; per total
        energy there would be Z times more of it, and of iron more than of all elements together.
    geminga_index : dict of str to float
        Injection index of each species.
    geminga_cutoff, geminga_cutoff_energy : float
        Cut-off rigidity [GV], and cut-off in total energy [GeV].
    local_cutoff : {"rigidity", "energy"}
        Which of the two cut-offs the remnant has.
    field_lon, field_lat : float
        Galactic direction of the local regular magnetic field [deg].
    epsilon, epsilon_slope : float
        D_perp/D_par = epsilon (R/R0)^epsilon_slope (eqs. 2.6-2.7).
    ratio_cap : float or None
        Largest D_perp/D_par; None for the formula as printed, in which D_perp exceeds D_par at high
        rigidity.
    parallel_diffusion : {"sun", "halo"}
        D_par is the coefficient at the Sun, or D0 (R/R0)^delta0 as eq. 2.6 has it, which is that
        of the outer halo and makes dipoles 30 to 200 times larger between 1 and 100 TV.
    extent : {"uniform", "none", "sphere"}
        Where the regular field is: everywhere that matters for the gradient (the paper), nowhere
        (isotropic diffusion), or in a sphere around the Sun, whose interior sees a gradient that
        its surface has changed.
    region_radius : float
        Radius of that sphere [pc]. Dipoles do not depend on it while it is much smaller than the
        scales of the densities.
    spallation : bool
        Whether nuclei of the background are lost in collisions with gas. No secondaries are made,
        and the burst has no losses. Normalised at 100 GeV per nucleon, the background at 10 TeV per
        nucleon grows by 2 per cent (p), 3.5 (He), 11 (O) and 25 (Fe), and about 1.6 times as much
        in gas of twice the height.
    gas_density : float
        Hydrogen atoms per volume in the plane at the Sun [pc^-3].
    """

    species: tuple[str, ...] = ELEMENTS
    galaxy: Galaxy = field(default_factory=Galaxy)
    sun_height: float = 0.0
    normalisation: str = "fit"
    normalisation_energy: float = 100.0
    normalisation_per: str = "nucleon"
    background_flux: dict[str, float] = field(
        default_factory=_table(
            *(1.91e-2, 1.43e-3, 6.15e-5, 7.67e-6, 8.20e-5, 8.05e-6, 1.62e-5, 1.28e-5, 1.23e-5)
        )
    )
    background_index: dict[str, float] = field(
        default_factory=_table(2.34, 2.27, 2.31, 2.34, 2.36, 2.28, 2.39, 2.37, 2.29)
    )
    background_cutoff: float = 7e6
    geminga_distance: float = 330.0
    geminga_age: float = 3.4e5
    geminga_lon: float = 194.3
    geminga_lat: float = -13.0
    geminga_source: dict[str, float] = field(
        default_factory=_table(
            *(8.28e52, 2.35e52, 7.2e50, 1.13e50, 1.11e51, 1.13e50, 1.08e50, 1.05e50, 2.20e50)
        )
    )
    geminga_index: dict[str, float] = field(
        default_factory=_table(2.16, 2.08, 2.13, 2.13, 2.13, 2.13, 2.13, 2.13, 2.13)
    )
    geminga_cutoff: float = 25e3
    geminga_cutoff_energy: float = 25e3
    local_cutoff: str = "rigidity"
    field_lon: float = frames.LRMF_FIELD[0]
    field_lat: float = frames.LRMF_FIELD[1]
    epsilon: float = 0.01
    epsilon_slope: float = 0.32
    ratio_cap: float | None = 1.0
    parallel_diffusion: str = "sun"
    extent: str = "uniform"
    region_radius: float = 20.0
    spallation: bool = False
    gas_density: float = PC_CM**3

    def __post_init__(self) -> None:
        """Strip units, and refuse what no formula below can take."""
        names, galaxy = self.species, self.galaxy
        is_list = isinstance(names, tuple) and len(names) > 0
        given.require("species", is_list, repr(names), "must be a tuple of names")
        for name in names:
            given.choose("species", name, tuple(SPECIES))
        given.require("species", len(set(names)) == len(names), names, "holds a nucleus twice")
        given.require(
            "galaxy", isinstance(galaxy, Galaxy), galaxy, "must be a mcprop.galaxy.Galaxy"
        )
        flag = self.spallation
        given.require("spallation", isinstance(flag, bool), repr(flag), "must be True or False")
        for name, kind in _KINDS.items():
            value = given.plain(name, getattr(self, name), kind)
            object.__setattr__(self, name, value)
            if name in _TABLES:
                given.require(name, isinstance(value, dict), value, "must be a table of species")
            if value is not None or name != "ratio_cap":
                given.finite(name, value, self.species)
        for name, allowed in _CHOICES.items():
            given.choose(name, getattr(self, name), allowed)
        for name in _POSITIVE:
            value = getattr(self, name)
            given.require(name, value is None or value > 0.0, value, "must be positive")
        height, top = self.sun_height, galaxy.half_height
        given.require(
            "sun_height", abs(height) < top, height, f"pc must be less than {top:g} pc from 0"
        )

    # Geometry

    @cached_property
    def b_hat(self) -> np.ndarray:
        """Direction of the magnetic field, shape (3,)."""
        return given.fixed(frames.unit_vector(self.field_lon, self.field_lat, "galactic"))

    @cached_property
    def source_vector(self) -> np.ndarray:
        """Vector from the Sun to the remnant of Geminga [pc], shape (3,)."""
        direction = frames.unit_vector(self.geminga_lon, self.geminga_lat, "galactic")
        return given.fixed(self.geminga_distance * direction)

    @cached_property
    def centre_vector(self) -> np.ndarray:
        """Vector from the Sun to the Galactic centre [pc], shape (3,)."""
        return given.fixed(self.galaxy.sun_radius * frames.galactic_axes()[0])

    # Diffusion and losses

    def diffusion(self, rigidity: Any, species: str = "p") -> Any:
        """Isotropic coefficient D at the Sun [pc^2/yr] (eq. 2.1), the same for all species."""
        return self.galaxy.diffusion(self.galaxy.sun_radius, self.sun_height, rigidity)

    def ratio(self, rigidity: Any) -> Any:
        """D_perp/D_par, epsilon (R/R0)^Delta or the cap (eqs. 2.6-2.7)."""
        relative = np.asarray(rigidity, dtype=float) / self.galaxy.reference_rigidity
        growing = self.epsilon * relative**self.epsilon_slope
        return (growing if self.ratio_cap is None else np.minimum(growing, self.ratio_cap))[()]

    def local_tensor(self, rigidity: Any, species: str = "p") -> tuple[Any, Any]:
        """D_par and D_perp of the local regular field [pc^2/yr], the same for all species."""
        rigidity = np.asarray(rigidity, dtype=float)[()]
        parallel = self.diffusion(rigidity, species)
        if self.parallel_diffusion == "halo":
            galaxy = self.galaxy
            reference, slope = galaxy.reference_rigidity, galaxy.slope
            parallel = coefficients.power_law(rigidity, 1.0, galaxy.d0, reference, slope)
        return parallel, self.ratio(rigidity) * parallel

    def loss_rate(self, species: str) -> float:
        """Rate of inelastic collisions in the plane at the Sun [1/yr]; 0 without spallation."""
        return loss_rate(species, self.gas_density) if self.spallation else 0.0

    def background_table(self, species: str) -> Table:
        """The solution for the background of a species at the Sun, as a function of rigidity."""
        return _solved(self.galaxy, self.sun_height, self.loss_rate(species))


@lru_cache(maxsize=64)
def _solved(galaxy: Galaxy, height: float, rate: float) -> Table:
    """Kept, because models that differ in their spectra or local tensors share it."""
    return Table(galaxy, LOWEST, HIGHEST, height=height, loss_rate=rate, points=50)


LOWEST, HIGHEST = 0.1, 1e10
"""Rigidities between which the background is known [GV]."""

_KINDS = {
    "sun_height": "length",
    "normalisation_energy": "energy",
    "background_flux": "intensity per energy",
    "background_index": "dimensionless",
    "background_cutoff": "rigidity",
    "geminga_distance": "length",
    "geminga_age": "time",
    "geminga_lon": "angle",
    "geminga_lat": "angle",
    "geminga_source": "inverse rigidity",
    "geminga_index": "dimensionless",
    "geminga_cutoff": "rigidity",
    "geminga_cutoff_energy": "energy",
    "field_lon": "angle",
    "field_lat": "angle",
    "epsilon": "dimensionless",
    "epsilon_slope": "dimensionless",
    "ratio_cap": "dimensionless",
    "region_radius": "length",
    "gas_density": "density",
}
"""Kind of quantity of each parameter that is a number."""
_TABLES = ("background_flux", "background_index", "geminga_source", "geminga_index")
_CHOICES = {
    "normalisation": ("fit", "table"),
    "normalisation_per": ("nucleon", "nucleus"),
    "local_cutoff": ("rigidity", "energy"),
    "parallel_diffusion": ("sun", "halo"),
    "extent": ("uniform", "none", "sphere"),
}
_POSITIVE = [
    *("normalisation_energy", "background_cutoff", "geminga_distance", "geminga_age"),
    *("geminga_cutoff", "geminga_cutoff_energy", "epsilon", "ratio_cap", "region_radius"),
    "gas_density",
]
