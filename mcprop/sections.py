"""The sections of a scenario: which keys there are, what each may be, its internal unit."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mcprop.quantity_text import SPECIES_NAME, Amount, Bounds, Choice, Line, Number, Several, Whole

MODELS = Choice(("xue-liu-2025",))
MODES = Choice(("steady", "time-dependent"))
TRANSPORTS = Choice(("kinetic", "wandering"))
ESTIMATORS = Choice(("walk", "assisted", "analog"))
LANES = 64
"""Histories that a kernel advances together: batches are multiples of it."""
MOST_ENERGIES = 500
"""Energies that a scenario may hold, listed or on a grid."""

_ENERGIES = BeforeValidator(Several(MOST_ENERGIES).parse)
_NUCLEI = BeforeValidator(Several(100).parse)
_Energy = Annotated[float, Amount("energy", "1 TeV", Bounds(above="0 GeV", most="1 EeV"))]
_Rigidity = Annotated[float, Amount("rigidity", "3 PV", Bounds(above="0 GV", most="1e12 GV"))]
_Distance = Annotated[float, Amount("length", "250 pc", Bounds(least="0 pc", most="100 kpc"))]
_Age = Annotated[float, Amount("time", "3.4e5 yr", Bounds(above="0 yr", most="14 Gyr"))]
_Longitude = Annotated[float, Amount("angle", "48.5 deg", Bounds(least="-360 deg", most="360 deg"))]
_Latitude = Annotated[float, Amount("angle", "-21.2 deg", Bounds(least="-90 deg", most="90 deg"))]
_Motion = Annotated[
    float, Amount("speed", "11.1 km/s", Bounds(least="-30000 km/s", most="30000 km/s"))
]
_Nucleus = Annotated[str, SPECIES_NAME]
_Emission = dict[
    _Nucleus,
    Annotated[
        float, Amount("inverse rigidity", "4.7e52 GV-1", Bounds(above="0 GV-1", most="1e80 GV-1"))
    ],
]


class Section(BaseModel):
    """Base of the sections: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Energies(Section):
    """Total energies [GeV]: either `values`, or `minimum`, `maximum` and `per_decade`."""

    minimum: _Energy | None = None
    maximum: _Energy | None = None
    per_decade: Annotated[int, Whole(1, 100)] | None = None
    values: Annotated[tuple[_Energy, ...], _ENERGIES] | None = None

    @property
    def grid(self) -> tuple[float, ...]:
        """The energies [GeV]: `values` as they stand, or the logarithmic grid from `minimum` on."""
        if self.values is not None:
            return self.values
        if self.minimum is None or self.maximum is None or self.per_decade is None:
            return ()
        decades = math.log10(self.maximum / self.minimum)
        count = int(decades * self.per_decade * (1 + 1e-12) + 1e-9) + 1
        # twelve digits, so that a round number in the middle of the grid is round
        return tuple(
            float(f"{self.minimum * 10 ** (step / self.per_decade):.12g}") for step in range(count)
        )


class Nuclei(Section):
    """Names of the nuclei that are followed."""

    names: Annotated[tuple[_Nucleus, ...], _NUCLEI]


class MagneticField(Section):
    """Direction [deg, ICRS] and strength [uG] of the regular field."""

    ra: _Longitude
    dec: _Latitude
    strength: Annotated[float, Amount("field", "3 uG", Bounds(above="0 uG", most="1 G"))]


class Velocity(Section):
    """Motion of the cloud as seen from the Sun, and of the Sun (U, V, W) [pc/yr; deg, ICRS]."""

    cloud_speed: Annotated[
        float, Amount("speed", "25.4 km/s", Bounds(least="0 km/s", most="30000 km/s"))
    ]
    cloud_ra: _Longitude
    cloud_dec: _Latitude
    solar_u: _Motion
    solar_v: _Motion
    solar_w: _Motion


class Cloud(Section):
    """The local interstellar cloud: depth [pc], critical rigidity [GV]."""

    mode: Annotated[str, MODES]
    transport: Annotated[str, TRANSPORTS]
    depth: Annotated[float, Amount("length", "1.6 pc", Bounds(above="0 pc", most="1 kpc"))]
    critical_rigidity: _Rigidity


class Diffusion(Section):
    """Large-scale diffusion: d0 [pc2/yr] at the reference rigidity [GV]."""

    d0: Annotated[
        float,
        Amount("diffusion", "2.15e28 cm2/s", Bounds(above="0 cm2/s", most="1e36 cm2/s")),
    ]
    reference_rigidity: _Rigidity
    slope: Annotated[float, Number(Bounds(least=-2, most=2))]
    parallel_factor: Annotated[float, Number(Bounds(above=0, most=1e6))]
    mach_alfven: Annotated[float, Number(Bounds(above=0, most=1))]


class Spectrum(Section):
    """Spectral index at the sources, by nucleus."""

    index: dict[_Nucleus, Annotated[float, Number(Bounds(above=0, most=10))]]


class Background(Section):
    """Leaky box: emission [GV-1], height [pc], rate [1/yr], volume [pc3], rigidities [GV]."""

    source: _Emission
    height: Annotated[float, Amount("length", "100 pc", Bounds(above="0 pc", most="100 kpc"))]
    rate: Annotated[float, Amount("rate", "0.03 yr-1", Bounds(above="0 yr-1", most="1e6 yr-1"))]
    volume: Annotated[float, Amount("volume", "10 kpc3", Bounds(above="0 kpc3", most="1e9 kpc3"))]
    cutoff: _Rigidity
    dipole: Annotated[float, Number(Bounds(least=0, below=1))]
    modulation: Annotated[float, Amount("rigidity", "0.97 GV", Bounds(least="0 GV", most="1 TV"))]


class Nearby(Section):
    """The nearby burst: emission [GV-1], age [yr], place round the field [pc], cutoff [GV]."""

    source: _Emission
    age: _Age
    r_parallel: _Distance
    r_perp: _Distance
    cutoff: _Rigidity


class Centre(Section):
    """The burst at the Galactic centre: emission [GV-1], age [yr], distance [pc], cutoff [GV]."""

    source: _Emission
    age: _Age
    distance: Annotated[float, Amount("length", "8.5 kpc", Bounds(above="0 kpc", most="100 kpc"))]
    cutoff: _Rigidity


class ComptonGetting(Section):
    """The coefficient C, or "spectrum" for the one that follows from the summed intensity."""

    coefficient: Annotated[float | str, Number(Bounds(least=0, most=10), ("spectrum",))]


class MonteCarlo(Section):
    """How the pseudo-particles are run."""

    histories: Annotated[int, Whole(LANES, 10**12)]
    batch: Annotated[int, Whole(LANES, 2**24, multiple_of=LANES)]
    estimator: Annotated[str, ESTIMATORS]
    gradient_step: Annotated[float, Number(Bounds(above=0, most=0.02))]
    step: Annotated[float, Number(Bounds(above=0, most=10))]
    kernel_leg: Annotated[float, Number(Bounds(above=0, most=0.1))]
    leg_steps: Annotated[int, Whole(1, 10**6)]
    nside: Annotated[int, Whole(1, 1024, power_of_two=True)]
    seed: Annotated[int, Whole(0, 2**63 - 1)] | None = None
    rel_err: Annotated[float, Number(Bounds(above=0, below=1))] | None = None

    def batches(self) -> list[tuple[int, int]]:
        """Split the histories into jobs, whatever will run them.

        Returns
        -------
        list of (int, int)
            Number of the first history, and how many; the last batch may be shorter.
        """
        starts = range(0, self.histories, self.batch)
        return [(first, min(self.batch, self.histories - first)) for first in starts]


class Sections(Section):
    """Everything that a scenario holds."""

    title: Annotated[str, Line()]
    formulas: Annotated[str, MODELS, Field(alias="model")]
    energies: Energies
    species: Nuclei
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
