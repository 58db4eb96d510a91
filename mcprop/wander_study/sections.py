"""Sections of the studies of wandering fields: what each value may be, its internal unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from mcprop.quantity_text import Amount, Bounds, Choice, Line, Number, Several, Whole
from mcprop.sections import Age, Distance, Latitude, Longitude, Rigidity, Section

STRONG_RANGE = "strong-range"
"""That of `mcprop.fields.strong_range`: M_A and the longest wavelength are of the injection."""
GEOMETRIES = Choice(("isotropic", "slab", "2d", "composite", "critically-balanced", STRONG_RANGE))
"""Turbulence that can be studied, else as `mcprop.fields.turbulence` names it.

Waves of "critically-balanced" are at the longest wavelength as long along the mean field as across
it, whatever M_A is.
"""
KINETIC = "kinetic"
"""In place of a number: epsilon as kinetic theory has it, Bohm's at the critical rigidity."""
_LIST = BeforeValidator(Several(50).parse)

Length = Annotated[float, Amount("length", "100 pc", Bounds(least="1e-4 pc", most="10 kpc"))]
Step = Annotated[float, Amount("length", "16 pc", Bounds(least="1e-4 pc", most="10 kpc"))]
Gradient = Annotated[
    float, Amount("inverse length", "1e-3 pc-1", Bounds(least="-1 pc-1", most="1 pc-1"))
]
Mach = Annotated[float, Number(Bounds(least=1e-3, most=10))]
SMALLEST_EPSILON = 1e-7
"""Of numbers, and of what kinetic theory gives."""
Epsilon = Annotated[float | str, Number(Bounds(least=SMALLEST_EPSILON, most=1), (KINETIC,))]
Slope = Annotated[float, Number(Bounds(above=1, most=4))]
Realisations = Annotated[int, Whole(2, 100_000)]
Particles = Annotated[int, Whole(1, 1_000_000)]
Seed = Annotated[int, Whole(0, 2**63 - 1)]
Switch = Annotated[str, Choice(("off", "on"))]


def _not_strong(
    section: str, mach: tuple[float, ...], longest: float, shortest: float
) -> Iterator[str]:
    """The strong range is that of turbulence with M_A up to 1, below longest M_A^2."""
    told, border = f'allowed next to geometry "{STRONG_RANGE}"', longest * min(mach) ** 2
    if max(mach) > 1.0:
        yield f"{section}.mach: got {max(mach):g}; {told}: at most 1"
    elif not shortest < border:
        yield f"field.shortest: got {shortest:g} pc; {told}: less than longest M_A^2, {border:g} pc"


class _FieldBase(Section):
    """Waves of a realisation, and the mean field [uG]."""

    waves: Annotated[int, Whole(8, 100_000)]
    mean_field: Annotated[float, Amount("field", "3 uG", Bounds(least="1e-3 uG", most="1 G"))]
    slab_fraction: Annotated[float, Number(Bounds(above=0, below=1))]


class FieldScan(_FieldBase):
    """Turbulence of a scan: every combination of geometry, slope and scales [pc] is run."""

    geometry: Annotated[tuple[Annotated[str, GEOMETRIES], ...], _LIST]
    slope: Annotated[tuple[Slope, ...], _LIST]
    longest: Annotated[tuple[Length, ...], _LIST]
    shortest: Annotated[tuple[Length, ...], _LIST]

    def strong_problems(self, mach: tuple[float, ...]) -> Iterator[str]:
        """What Mach numbers or wavelengths a strong range cannot have."""
        if STRONG_RANGE in self.geometry:
            yield from _not_strong("scan", mach, min(self.longest), max(self.shortest))


class Field(_FieldBase):
    """Turbulence of a single kind: wavelengths [pc], strength in units of the mean field."""

    geometry: Annotated[str, GEOMETRIES]
    slope: Slope
    longest: Length
    shortest: Length
    mach: Mach

    def strong_problems(self) -> Iterator[str]:
        """What Mach number or wavelengths a strong range cannot have."""
        if self.geometry == STRONG_RANGE:
            yield from _not_strong("field", (self.mach,), self.longest, self.shortest)


class Transport(Section):
    """Diffusion along the lines: d0 [pc2/yr] at the reference rigidity [GV], times a factor."""

    d0: Annotated[
        float,
        Amount("diffusion", "2.15e28 cm2/s", Bounds(least="1e20 cm2/s", most="1e36 cm2/s")),
    ]
    reference_rigidity: Rigidity
    slope: Annotated[float, Number(Bounds(least=-2, most=2))]
    parallel_factor: Annotated[float, Number(Bounds(least=1e-3, most=1e6))]
    critical_rigidity: Rigidity
    epsilon: Annotated[tuple[Epsilon, ...], _LIST]

    def kappa_parallel(self, rigidity: float) -> float:
        """Diffusion along a line of the field [pc2/yr] at a rigidity [GV].

        Particles as fast as light; from 10 GV on that is good to 0.5 %.
        """
        power = (rigidity / self.reference_rigidity) ** self.slope
        return float(self.parallel_factor * self.d0 * power)

    def ratio(self, epsilon: float | str, rigidity: float) -> float:
        """kappa_perp / kappa_parallel: the number itself, or kinetic theory at a rigidity [GV].

        Kinetic theory has 1 / (1 + (omega tau)^2), with omega tau = 1 at the critical rigidity
        and falling with the rigidity as the mean free path over the gyroradius does.
        """
        if not isinstance(epsilon, str):
            return float(epsilon)
        omega_tau = (rigidity / self.critical_rigidity) ** (self.slope - 1.0)
        return float(1.0 / (1.0 + omega_tau**2))


class Scan(Section):
    """What is scanned besides the field and epsilon, and when a law counts as followed."""

    mach: Annotated[tuple[Mach, ...], _LIST]
    rigidities: Annotated[tuple[Rigidity, ...], _LIST]
    tolerance: Annotated[float, Number(Bounds(least=0, below=1))]
    sigma: Annotated[float, Number(Bounds(above=0, most=10))]


class Lines(Section):
    """Field lines: how many of a realisation are followed, how far [pc], over what steps."""

    count: Annotated[int, Whole(1, 1_000_000)]
    length: Annotated[float, Amount("length", "2 kpc", Bounds(least="1 pc", most="100 kpc"))]


class ScanMonteCarlo(Section):
    """How the pseudo-particles of a scan are run.

    parallel_step [pc] sets the time step, decorrelation [pc] the window, windows the whole walk.
    """

    realisations: Realisations
    particles: Particles
    parallel_step: Step
    decorrelation: Step
    windows: Annotated[float, Number(Bounds(least=2, most=1000))]
    seed: Seed | None = None
    halving: Switch


class Source(Section):
    """The burst that shines through the field: age [yr], place along and across it [pc]."""

    rigidities: Annotated[tuple[Rigidity, ...], _LIST]
    age: Age
    r_parallel: Distance
    r_perp: Distance


class BurstMonteCarlo(Section):
    """How the burst is run; parallel_step [pc] sets the time step, which is chosen without it.

    particles is the number in the cloud of the source, and in each of the observer's; legs is in
    how many realisations, or in all, nothing must depend on the leg.
    """

    realisations: Realisations
    particles: Annotated[int, Whole(256, 1_000_000)]
    legs: Annotated[int, Whole(2, 100_000)]
    parallel_step: Step | None = None
    seed: Seed | None = None


class Sky(Section):
    """The observer: rigidity [GV], how long orbits are traced back [yr], gradient [1/pc], pixels.

    The gradient is that of ln(density), along the mean field and across it; tau [yr] is the mean
    time between collisions on top of what the field does. The mean field points to ra, dec [deg].
    """

    rigidity: Rigidity
    duration: Age
    gradient_along: Gradient
    gradient_across: Gradient
    tau: Age | None = None
    ra: Longitude
    dec: Latitude
    nside: Annotated[int, Whole(2, 64, power_of_two=True)]
    per_pixel: Annotated[int, Whole(2, 10_000)]


class SkyMonteCarlo(Section):
    """Realisations of the field, a sky each."""

    realisations: Realisations
    seed: Seed | None = None


Title = Annotated[str, Line()]


class Spectrum(NamedTuple):
    """One kind of turbulence: geometry, slope, longest and shortest wavelength [pc]."""

    geometry: str
    slope: float
    longest: float
    shortest: float

    @property
    def label(self) -> str:
        """The spectrum in a few words, such as "isotropic 1.67 20-100 pc"."""
        return f"{self.geometry} {self.slope:.3g} {self.shortest:g}-{self.longest:g} pc"
