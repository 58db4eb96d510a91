"""Configuration of the model of Xue & Liu (2025): its sections, and the formulas made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import numpy as np

from mcprop import sections
from mcprop.config_checks import faded, missing_nuclei
from mcprop.errors import ConfigError
from mcprop.quantity_text import Amount, Bounds, Choice, Number
from mcprop.scenario import Config
from mcprop.sections import (
    Age,
    Distance,
    Emission,
    GradientStep,
    KernelLeg,
    Latitude,
    LegSteps,
    Longitude,
    Motion,
    Nucleus,
    Rigidity,
    Section,
    Stop,
)
from mcprop.species import rigidity_of
from mcprop.units import KM_PER_S

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025

MODES = Choice(("steady", "time-dependent"))
TRANSPORTS = Choice(("kinetic", "wandering"))
ESTIMATORS = Choice(("walk", "assisted", "analog"))


class MagneticField(Section):
    """Direction [deg, ICRS] and strength [uG] of the regular field."""

    ra: Longitude
    dec: Latitude
    strength: Annotated[float, Amount("field", "3 uG", Bounds(least="1e-3 uG", most="1 G"))]


class Velocity(Section):
    """Motion of the cloud as seen from the Sun, and of the Sun (U, V, W) [pc/yr; deg, ICRS]."""

    cloud_speed: Annotated[
        float, Amount("speed", "25.4 km/s", Bounds(least="0 km/s", most="30000 km/s"))
    ]
    cloud_ra: Longitude
    cloud_dec: Latitude
    solar_u: Motion
    solar_v: Motion
    solar_w: Motion


class Cloud(Section):
    """The local interstellar cloud: depth [pc], critical rigidity [GV]."""

    mode: Annotated[str, MODES]
    transport: Annotated[str, TRANSPORTS]
    depth: Annotated[float, Amount("length", "1.6 pc", Bounds(least="1e-4 pc", most="1 kpc"))]
    critical_rigidity: Rigidity


class Diffusion(Section):
    """Large-scale diffusion: d0 [pc2/yr] at the reference rigidity [GV]."""

    d0: Annotated[
        float,
        Amount("diffusion", "2.15e28 cm2/s", Bounds(least="1e20 cm2/s", most="1e36 cm2/s")),
    ]
    reference_rigidity: Rigidity
    slope: Annotated[float, Number(Bounds(least=-2, most=2))]
    parallel_factor: Annotated[float, Number(Bounds(least=1e-3, most=1e6))]
    mach_alfven: Annotated[float, Number(Bounds(least=0.01, most=1))]


class Spectrum(Section):
    """Spectral index at the sources, by nucleus."""

    index: dict[Nucleus, Annotated[float, Number(Bounds(above=0, most=10))]]


class Background(Section):
    """Leaky box: emission [GV-1], height [pc], rate [1/yr], volume [pc3], rigidities [GV]."""

    source: Emission
    height: Annotated[float, Amount("length", "100 pc", Bounds(least="1 pc", most="100 kpc"))]
    rate: Annotated[float, Amount("rate", "0.03 yr-1", Bounds(least="1e-9 yr-1", most="1e6 yr-1"))]
    volume: Annotated[
        float, Amount("volume", "10 kpc3", Bounds(least="1e-9 kpc3", most="1e9 kpc3"))
    ]
    cutoff: Rigidity
    dipole: Annotated[float, Number(Bounds(least=0, below=1))]
    modulation: Annotated[float, Amount("rigidity", "0.97 GV", Bounds(least="0 GV", most="1 TV"))]


class Nearby(Section):
    """The nearby burst: emission [GV-1], age [yr], place round the field [pc], cutoff [GV]."""

    source: Emission
    age: Age
    r_parallel: Distance
    r_perp: Distance
    cutoff: Rigidity


class Centre(Section):
    """The burst at the Galactic centre: emission [GV-1], age [yr], distance [pc], cutoff [GV]."""

    source: Emission
    age: Age
    distance: Annotated[float, Amount("length", "8.5 kpc", Bounds(least="1 pc", most="100 kpc"))]
    cutoff: Rigidity


class ComptonGetting(Section):
    """The coefficient C, or "spectrum" for the one that follows from the summed intensity."""

    coefficient: Annotated[float | str, Number(Bounds(least=0, most=10), ("spectrum",))]


class MonteCarlo(sections.MonteCarlo):
    """How the pseudo-particles are run."""

    estimator: Annotated[str, ESTIMATORS]
    gradient_step: GradientStep
    step: Annotated[float, Number(Bounds(least=1e-3, most=10))]
    kernel_leg: KernelLeg
    leg_steps: LegSteps


class XueLiu2025Config(Config):
    """A checked scenario of the model of Xue & Liu (2025)."""

    field: MagneticField
    velocity: Velocity
    cloud: Cloud
    diffusion: Diffusion
    spectrum: Spectrum
    background: Background
    nearby: Nearby
    centre: Centre
    compton_getting: ComptonGetting
    monte_carlo: MonteCarlo
    stop: Stop

    def own_problems(self) -> Iterable[str]:
        """Every nucleus needs its index and its sources; the burst must be somewhere."""
        tables = {
            "spectrum.index": self.spectrum.index,
            "background.source": self.background.source,
            "nearby.source": self.nearby.source,
            "centre.source": self.centre.source,
        }
        yield from missing_nuclei(self.species.names, tables)
        yield from self._misfits()

    def _misfits(self) -> Iterable[str]:
        along, across = self.nearby.r_parallel, self.nearby.r_perp
        if along**2 + across**2 < 1.0:
            yield (
                f"nearby.r_parallel: got {along:g} pc with nearby.r_perp {across:g} pc, a burst at"
                " the observer; allowed: a distance of 1 pc at least"
            )
        cutoffs = (self.nearby.cutoff, self.centre.cutoff, self.background.cutoff)
        highest = max(cutoffs)
        yield from faded(self, lambda energy, name: [float(rigidity_of(energy, name)) / highest])

    def model(self) -> XueLiu2025:
        """Build the formulas of the published model from these values.

        Returns
        -------
        XueLiu2025
            The model with every parameter in internal units.

        Raises
        ------
        ConfigError
            If the velocities leave the direction of the cloud undefined.
        """
        from mcprop.analytic.xue_liu_2025 import XueLiu2025

        place, velocity, cloud, outer = self.field, self.velocity, self.cloud, self.diffusion
        background, nearby, centre = self.background, self.nearby, self.centre
        coefficient = self.compton_getting.coefficient
        model = XueLiu2025(
            field_ra=place.ra,
            field_dec=place.dec,
            field_strength=place.strength,
            **velocity.model_dump(),
            cloud_mode=cloud.mode,
            cloud_transport=cloud.transport,
            cloud_depth=cloud.depth,
            critical_rigidity=cloud.critical_rigidity,
            diffusion_d0=outer.d0,
            diffusion_reference_rigidity=outer.reference_rigidity,
            diffusion_slope=outer.slope,
            parallel_factor=outer.parallel_factor,
            mach_alfven=outer.mach_alfven,
            background_source=dict(background.source),
            background_height=background.height,
            background_rate=background.rate,
            background_volume=background.volume,
            background_cutoff=background.cutoff,
            background_dipole=background.dipole,
            modulation_potential=background.modulation,
            nearby_source=dict(nearby.source),
            nearby_age=nearby.age,
            nearby_r_parallel=nearby.r_parallel,
            nearby_r_perp=nearby.r_perp,
            nearby_cutoff=nearby.cutoff,
            centre_source=dict(centre.source),
            centre_age=centre.age,
            centre_distance=centre.distance,
            centre_cutoff=centre.cutoff,
            spectral_index=dict(self.spectrum.index),
            compton_getting_coefficient=coefficient if isinstance(coefficient, float) else None,
            species=self.species.names,
        )
        return _with_direction(model)


def _with_direction(model: XueLiu2025) -> XueLiu2025:
    """Pass a model on whose cloud moves, and not along the field."""
    speed = model.flow_speed
    if speed < 1e-6 * KM_PER_S:
        raise ConfigError(
            "velocity: got a cloud at rest in the local standard of rest;"
            " allowed: cloud velocity plus solar motion greater than 1e-6 km/s"
        )
    across = np.linalg.norm(np.cross(model.u_lsr / speed, model.b_hat))
    if across < 1e-6:
        raise ConfigError(
            "velocity: got a cloud that moves along the field, where the plane of the two is"
            " undefined; allowed: any other direction of cloud velocity plus solar motion"
        )
    return model
