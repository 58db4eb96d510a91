"""Sections and values that scenarios of any model have: what each may be, its internal unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mcprop.quantity_text import (
    SPECIES_NAME,
    Allowed,
    Amount,
    Bounds,
    Choice,
    Line,
    Number,
    Several,
    Whole,
)
from mcprop.units import YR_S

LANES = 64
"""Histories that a kernel advances together: batches are multiples of it."""
MOST_ENERGIES = 500
"""Energies that a scenario may hold, listed or on a grid."""
MOST_NSIDE = 256
"""Finest maps: a batch of each component and nucleus holds three of them, 6 MiB apiece."""

_ENERGIES = BeforeValidator(Several(MOST_ENERGIES).parse)
_NUCLEI = BeforeValidator(Several(100).parse)
Energy = Annotated[float, Amount("energy", "1 TeV", Bounds(above="0 GeV", most="1 EeV"))]
Rigidity = Annotated[float, Amount("rigidity", "3 PV", Bounds(least="1 MV", most="1e12 GV"))]
Distance = Annotated[float, Amount("length", "250 pc", Bounds(least="0 pc", most="100 kpc"))]
Age = Annotated[float, Amount("time", "3.4e5 yr", Bounds(least="1 yr", most="14 Gyr"))]
Longitude = Annotated[float, Amount("angle", "48.5 deg", Bounds(least="-360 deg", most="360 deg"))]
Latitude = Annotated[float, Amount("angle", "-21.2 deg", Bounds(least="-90 deg", most="90 deg"))]
Motion = Annotated[
    float, Amount("speed", "11.1 km/s", Bounds(least="-30000 km/s", most="30000 km/s"))
]
Nucleus = Annotated[str, SPECIES_NAME]
Emission = dict[
    Nucleus,
    Annotated[
        float, Amount("inverse rigidity", "4.7e52 GV-1", Bounds(least="1 GV-1", most="1e80 GV-1"))
    ],
]
GradientStep = Annotated[float, Number(Bounds(least=1e-4, most=0.02))]
KernelLeg = Annotated[float, Number(Bounds(least=1e-3, most=0.1))]
LegSteps = Annotated[int, Whole(1, 10**6)]


@dataclass(frozen=True)
class Duration(Allowed):
    """Wall-clock time: a plain number of seconds, or text such as "30 min"."""

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return 'a time from 1 s to 1e9 s, as a number of seconds or with its unit, such as "30 min"'

    def parse(self, value: Any) -> float:
        """Read the time [s]."""
        seconds = value
        if isinstance(value, str):
            try:
                # what the way over years does to the last digits is taken back
                seconds = float(f"{Amount('time', '30 min').parse(value) * YR_S:.12g}")
            except ValueError:
                raise self.refuse(value) from None
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise self.refuse(value)
        if not 1 <= seconds <= 10**9:
            raise self.refuse(value)
        return float(seconds)


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
    nside: Annotated[int, Whole(1, MOST_NSIDE, power_of_two=True)]
    seed: Annotated[int, Whole(0, 2**63 - 1)] | None = None
    halving: Annotated[str, Choice(("off", "on"))] = "off"


class Stop(Section):
    """When a run ends: histories at most, relative error, wall-clock time [s]."""

    histories: Annotated[int, Whole(LANES, 10**12)]
    rel_err: Annotated[float, Number(Bounds(above=0, below=1))] | None = None
    seconds: Annotated[float, Duration()] | None = None


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
