"""Sections and values that scenarios of any model have: what each may be, its internal unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mcprop.quantity_text import (
    SPECIES_NAME,
    Amount,
    Bounds,
    Choice,
    Line,
    Number,
    Several,
    Whole,
)

LANES = 64
"""Histories that a kernel advances together: batches are multiples of it."""
MOST_ENERGIES = 500
"""Energies that a scenario may hold, listed or on a grid."""

_ENERGIES = BeforeValidator(Several(MOST_ENERGIES).parse)
_NUCLEI = BeforeValidator(Several(100).parse)
Energy = Annotated[float, Amount("energy", "1 TeV", Bounds(above="0 GeV", most="1 EeV"))]
Rigidity = Annotated[float, Amount("rigidity", "3 PV", Bounds(above="0 GV", most="1e12 GV"))]
Distance = Annotated[float, Amount("length", "250 pc", Bounds(least="0 pc", most="100 kpc"))]
Age = Annotated[float, Amount("time", "3.4e5 yr", Bounds(above="0 yr", most="14 Gyr"))]
Longitude = Annotated[float, Amount("angle", "48.5 deg", Bounds(least="-360 deg", most="360 deg"))]
Latitude = Annotated[float, Amount("angle", "-21.2 deg", Bounds(least="-90 deg", most="90 deg"))]
Motion = Annotated[
    float, Amount("speed", "11.1 km/s", Bounds(least="-30000 km/s", most="30000 km/s"))
]
Nucleus = Annotated[str, SPECIES_NAME]
Emission = dict[
    Nucleus,
    Annotated[
        float, Amount("inverse rigidity", "4.7e52 GV-1", Bounds(above="0 GV-1", most="1e80 GV-1"))
    ],
]
GradientStep = Annotated[float, Number(Bounds(above=0, most=0.02))]
KernelLeg = Annotated[float, Number(Bounds(above=0, most=0.1))]
LegSteps = Annotated[int, Whole(1, 10**6)]


class Section(BaseModel):
    """Base of the sections: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Energies(Section):
    """Total energies [GeV]: either `values`, or `minimum`, `maximum` and `per_decade`."""

    minimum: Energy | None = None
    maximum: Energy | None = None
    per_decade: Annotated[int, Whole(1, 100)] | None = None
    values: Annotated[tuple[Energy, ...], _ENERGIES] | None = None

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

    names: Annotated[tuple[Nucleus, ...], _NUCLEI]


class MonteCarlo(Section):
    """How the pseudo-particles are run: what no model can do without."""

    batch: Annotated[int, Whole(LANES, 2**24, multiple_of=LANES)]
    nside: Annotated[int, Whole(1, 1024, power_of_two=True)]
    seed: Annotated[int, Whole(0, 2**63 - 1)] | None = None
    halving: Annotated[str, Choice(("off", "on"))] = "off"


class Stop(Section):
    """When a run ends: histories at most, relative error, wall-clock time [s]."""

    histories: Annotated[int, Whole(LANES, 10**12)]
    rel_err: Annotated[float, Number(Bounds(above=0, below=1))] | None = None
    seconds: Annotated[float, Number(Bounds(above=0, most=1e9))] | None = None


class Sections(Section):
    """What a scenario of any model holds; a model adds sections of its own."""

    title: Annotated[str, Line()]
    formulas: Annotated[str, Line(), Field(alias="model")]
    energies: Energies
    species: Nuclei
    if TYPE_CHECKING:
        # each model has a section of its own; these two stand last in its configuration
        monte_carlo: MonteCarlo
        stop: Stop

    def batches(self) -> list[tuple[int, int]]:
        """Split the histories of an energy, whatever will run them.

        Returns
        -------
        list of (int, int)
            Number of the first history, and how many; the last batch may be shorter.
        """
        size, end = self.monte_carlo.batch, self.stop.histories
        return [(first, min(size, end - first)) for first in range(0, end, size)]

    def own_problems(self) -> Iterable[str]:
        """Problems that only the model knows, once its values are fine one by one.

        Returns
        -------
        iterable of str
            Lines that start with the dotted key; empty if all is well.
        """
        return ()
