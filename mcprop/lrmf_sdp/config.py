"""Configuration of the LRMF/SDP model: its sections, and the formulas made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from mcprop import sections
from mcprop.config_checks import FADED, faded, missing_nuclei
from mcprop.quantity_text import Amount, Bounds, Choice, Number, Whole
from mcprop.scenario import Config
from mcprop.sections import (
    Age,
    Emission,
    GradientStep,
    KernelLeg,
    Latitude,
    LegSteps,
    Longitude,
    Nucleus,
    Rigidity,
    Section,
    Stop,
)
from mcprop.species import SPECIES, energy_of, rigidity_of

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp

_Length = Annotated[float, Amount("length", "5 kpc", Bounds(least="1 pc", most="100 kpc"))]
_Height = Annotated[float, Amount("length", "20 pc", Bounds(least="-100 kpc", most="100 kpc"))]
_Energy = Annotated[float, Amount("energy", "25 TeV", Bounds(least="1 MeV", most="1e12 GeV"))]
_Index = dict[Nucleus, Annotated[float, Number(Bounds(above=0, most=10))]]
_Flux = dict[
    Nucleus,
    Annotated[
        float,
        Amount(
            "intensity per energy",
            "1.91e-2 GeV-1 m-2 s-1 sr-1",
            Bounds(least="1e-30 GeV-1 m-2 s-1 sr-1", most="1e30 GeV-1 m-2 s-1 sr-1"),
        ),
    ],
]


_SLOWEST, _FASTEST = 0.02, 1e12
"""Diffusion of the halo over d0: the steps that a history needs grow as the former falls."""
LOWEST, HIGHEST = 0.1, 1e10
"""Rigidities between which the background is known [GV]."""


class Galaxy(Section):
    """The cylinder, the Sun in it, and the density of sources [pc]."""

    radius: _Length
    half_height: _Length
    sun_radius: Annotated[float, Amount("length", "8.5 kpc", Bounds(least="1 kpc", most="100 kpc"))]
    sun_height: _Height
    source_slope: Annotated[float, Number(Bounds(least=0, most=20))]
    source_decline: Annotated[float, Number(Bounds(least=0, most=50))]
    source_height: _Length


class Diffusion(Section):
    """D(r, z, R) of the Galaxy: d0 [pc2/yr] at r0 [GV], the disc of slow diffusion [pc]."""

    d0: Annotated[
        float, Amount("diffusion", "4.87e28 cm2/s", Bounds(least="1e20 cm2/s", most="1e36 cm2/s"))
    ]
    slope: Annotated[float, Number(Bounds(least=-2, most=2))]
    r0: Rigidity
    contrast: Annotated[float, Number(Bounds(least=0.01, most=1))]
    disc_height: _Length


class LocalField(Section):
    """Direction [deg, Galactic], D_perp/D_par, and where the regular field is [pc]."""

    extent: Annotated[str, Choice(("uniform", "none", "sphere"))]
    lon: Longitude
    lat: Latitude
    epsilon: Annotated[float, Number(Bounds(least=1e-6, most=1))]
    epsilon_slope: Annotated[float, Number(Bounds(least=-5, most=5))]
    ratio_cap: Annotated[float | str, Number(Bounds(least=1e-6, most=1e6), ("none",))]
    parallel: Annotated[str, Choice(("sun", "halo"))]
    radius: Annotated[float, Amount("length", "20 pc", Bounds(least="0.01 pc", most="1 kpc"))]


class Background(Section):
    """Spectra of the background: intensity at an energy [GeV], index, cut-off [GV]."""

    normalisation: Annotated[str, Choice(("fit", "table"))]
    energy: _Energy
    per: Annotated[str, Choice(("nucleon", "nucleus"))]
    flux: _Flux
    index: _Index
    cutoff: Rigidity


class Geminga(Section):
    """The remnant: place [pc; deg, Galactic], age [yr], emission [GV-1], cut-offs [GV, GeV]."""

    distance: _Length
    lon: Longitude
    lat: Latitude
    age: Age
    source: Emission
    index: _Index
    local_cutoff: Annotated[str, Choice(("rigidity", "energy"))]
    cutoff_rigidity: Rigidity
    cutoff_energy: _Energy


class Spallation(Section):
    """Loss of nuclei in collisions with the gas: its density [pc-3] and scale height [pc]."""

    losses: Annotated[str, Choice(("off", "on"))]
    gas_density: Annotated[
        float, Amount("density", "1 cm-3", Bounds(least="1e-9 cm-3", most="10 cm-3"))
    ]
    gas_height: _Length


class MonteCarlo(sections.MonteCarlo):
    """How the pseudo-particles are run."""

    background_histories: Annotated[int, Whole(sections.LANES, 10**9)]
    step: Annotated[float, Number(Bounds(least=0.02, most=0.3))]
    separation: Annotated[float, Amount("length", "300 pc", Bounds(least="1 pc", most="1 kpc"))]
    region_histories: Annotated[int, Whole(sections.LANES, 10**9)]
    wall: Annotated[float, Amount("length", "0.5 pc", Bounds(least="1e-4 pc", most="1 kpc"))]
    gradient_step: GradientStep
    kernel_leg: KernelLeg
    leg_steps: LegSteps


class LrmfSdpConfig(Config):
    """A checked scenario of the LRMF/SDP model."""

    galaxy: Galaxy
    diffusion: Diffusion
    field: LocalField
    background: Background
    geminga: Geminga
    spallation: Spallation
    monte_carlo: MonteCarlo
    stop: Stop

    def own_problems(self) -> Iterable[str]:
        """Every nucleus needs its spectra; the Sun and the disc must fit into the Galaxy."""
        tables = {
            "background.flux": self.background.flux,
            "background.index": self.background.index,
            "geminga.source": self.geminga.source,
            "geminga.index": self.geminga.index,
        }
        yield from missing_nuclei(self.species.names, tables)
        yield from self._misfits()
        yield from self._trapped()
        yield from self._cut()

    def _misfits(self) -> Iterable[str]:
        galaxy, run, r = self.galaxy, self.monte_carlo, self.galaxy.sun_radius
        top, disc = galaxy.half_height, self.diffusion.disc_height
        if r >= galaxy.radius:
            yield (
                f"galaxy.sun_radius: got {r:g} pc; allowed: below galaxy.radius,"
                f" {galaxy.radius:g} pc"
            )
        elif run.separation >= min(r, galaxy.radius - r):
            room = min(r, galaxy.radius - r)
            yield (
                f"monte_carlo.separation: got {run.separation:g} pc; allowed: less than lies"
                f" between the Sun and the edge or the centre of the Galaxy, {room:g} pc"
            )
        if abs(galaxy.sun_height) > 0.5 * top:
            yield (
                f"galaxy.sun_height: got {galaxy.sun_height:g} pc; allowed: at most half of"
                f" galaxy.half_height, {0.5 * top:g} pc, either way"
            )
        if disc >= top:
            yield (
                f"diffusion.disc_height: got {disc:g} pc; allowed: below galaxy.half_height,"
                f" {top:g} pc"
            )
        thin = {
            "galaxy.source_height": galaxy.source_height,
            "diffusion.disc_height": disc,
            "spallation.gas_height": self.spallation.gas_height,
        }
        for key, height in thin.items():
            if height < 0.008 * top:
                yield (
                    f"{key}: got {height:g} pc; allowed: at least {0.008 * top:g} pc, 0.008 of"
                    " galaxy.half_height, which histories have to cross in steps of its size"
                )
        if self.field.extent == "sphere":
            yield from self._sphere()
        yield from self._unknown()

    def _exponents(self, energy: float, name: str) -> tuple[float, float]:
        """The x of exp(-x) of background and remnant, the former relative to its normalisation."""
        rigidity, background, geminga = (
            float(rigidity_of(energy, name)), self.background, self.geminga
        )  # fmt: skip
        nucleons = SPECIES[name].nucleons if background.per == "nucleon" else 1
        own = max(background.energy * nucleons, 1.0001 * SPECIES[name].mass)
        local = rigidity / geminga.cutoff_rigidity
        if geminga.local_cutoff == "energy":
            local = energy / geminga.cutoff_energy
        return (rigidity - float(rigidity_of(own, name))) / background.cutoff, local

    def _cut(self) -> Iterable[str]:
        """Cut-offs must leave something, and may not lie far below the normalisation."""
        grid = [energy for energy in self.energies.grid if energy > 1.0001 * self._heaviest]
        steep = [self._exponents(min(grid), name)[0] for name in self.species.names if grid]
        if steep and min(steep) < -FADED:
            yield (
                f"background.cutoff: got {self.background.cutoff:g} GV; allowed: at least"
                f" {self.background.cutoff * min(steep) / -FADED:.3g} GV, 1/{FADED:g} of what lies"
                " between the lowest energy and background.energy"
            )
        yield from faded(self, self._exponents)

    def _trapped(self) -> Iterable[str]:
        """Where the halo is far slower than the disc, histories take ages to leave it."""
        grid, outer = self.energies.grid or (1e3,), self.diffusion
        for name in self.species.names if min(grid) > 1.01 * self._heaviest else ():
            for energy in (min(grid), max(grid)):
                ratio = float(rigidity_of(energy, name)) / outer.r0
                if not _SLOWEST <= ratio**outer.slope <= _FASTEST:
                    yield (
                        f"diffusion.r0: got {outer.r0:g} GV with diffusion.slope {outer.slope:g};"
                        f" allowed: (R/r0)^slope from {_SLOWEST:g} to {_FASTEST:g}, where {name} at"
                        f" {energy:g} GeV has {ratio**outer.slope:.3g}"
                    )
                    return

    @property
    def _heaviest(self) -> float:
        """Largest rest energy of the nuclei [GeV]."""
        return max(SPECIES[name].mass for name in self.species.names)

    def _sphere(self) -> Iterable[str]:
        """What a sphere needs: small, with a thin wall, and no faster than what is around it."""
        field, wall = self.field, self.monte_carlo.wall
        room = 0.2 * min(self.geminga.distance, self.diffusion.disc_height)
        if field.radius > room:
            yield (
                f"field.radius: got {field.radius:g} pc; allowed: at most {room:g} pc, a fifth of"
                " geminga.distance and diffusion.disc_height"
            )
        thin, thick = field.radius / 400.0, field.radius / 4.0
        if not thin <= wall <= thick:
            yield (
                f"monte_carlo.wall: got {wall:g} pc; allowed: {thin:g} to {thick:g} pc, at least"
                " 1/400 and at most a quarter of field.radius"
            )
        if field.parallel != "sun":
            yield (
                f'field.parallel: got "{field.parallel}"; allowed: "sun" with field.extent ='
                ' "sphere", whose surroundings have the coefficient at the Sun'
            )
        if not isinstance(field.ratio_cap, float) or field.ratio_cap > 1.0:
            yield (
                f"field.ratio_cap: got {field.ratio_cap}; allowed: at most 1 with field.extent ="
                ' "sphere", where diffusion may not be faster than around it'
            )

    def _unknown(self) -> Iterable[str]:
        """The background is known over a range of rigidities."""
        grid = self.energies.grid or (1e3,)  # what is wrong with an empty one is said elsewhere
        per_nucleon = self.background.per == "nucleon"
        for name in self.species.names:
            nucleus = SPECIES[name]
            least, most = (float(energy_of(limit, name)) for limit in (LOWEST, HIGHEST))
            own = self.background.energy * (nucleus.nucleons if per_nucleon else 1)
            wanted = {
                f"energies of {min(grid):g} GeV": min(grid),
                f"energies of {max(grid):g} GeV": max(grid),
                f"background.energy of {self.background.energy:g} GeV": own,
            }
            for what, total in wanted.items():
                if not least <= total <= most:
                    yield (
                        f"species.names: got {name} at {what}; allowed: rigidities from {LOWEST:g}"
                        f" to {HIGHEST:g} GV, {least:.4g} to {most:.4g} GeV of the nucleus"
                    )

    def model(self) -> LrmfSdp:
        """Build the formulas of the published model from these values.

        Returns
        -------
        LrmfSdp
            The model with every parameter in internal units.
        """
        from mcprop import galaxy
        from mcprop.analytic.lrmf_sdp import LrmfSdp

        place, outer, field, gas = self.galaxy, self.diffusion, self.field, self.spallation
        background, geminga = self.background, self.geminga
        halo = galaxy.Galaxy(
            radius=place.radius,
            half_height=place.half_height,
            sun_radius=place.sun_radius,
            source_slope=place.source_slope,
            source_decline=place.source_decline,
            source_height=place.source_height,
            d0=outer.d0,
            slope=outer.slope,
            reference_rigidity=outer.r0,
            contrast=outer.contrast,
            disc_height=outer.disc_height,
            gas_height=gas.gas_height,
        )
        return LrmfSdp(
            species=self.species.names,
            galaxy=halo,
            sun_height=place.sun_height,
            normalisation=background.normalisation,
            normalisation_energy=background.energy,
            normalisation_per=background.per,
            background_flux=dict(background.flux),
            background_index=dict(background.index),
            background_cutoff=background.cutoff,
            geminga_distance=geminga.distance,
            geminga_age=geminga.age,
            geminga_lon=geminga.lon,
            geminga_lat=geminga.lat,
            geminga_source=dict(geminga.source),
            geminga_index=dict(geminga.index),
            geminga_cutoff=geminga.cutoff_rigidity,
            geminga_cutoff_energy=geminga.cutoff_energy,
            local_cutoff=geminga.local_cutoff,
            field_lon=field.lon,
            field_lat=field.lat,
            epsilon=field.epsilon,
            epsilon_slope=field.epsilon_slope,
            ratio_cap=field.ratio_cap if isinstance(field.ratio_cap, float) else None,
            parallel_diffusion=field.parallel,
            extent=field.extent,
            region_radius=field.radius,
            spallation=gas.losses == "on",
            gas_density=gas.gas_density,
        )
