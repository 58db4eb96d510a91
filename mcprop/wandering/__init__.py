"""Fields that wander: lines, orbits and pseudo-particles in turbulence, against the laws.

Numbers are plain ones in pc, yr, uG and GV, and so are answers; a Quantity is refused.  A study
that averages takes a function ``field_of(seed)`` that makes a field, its mean along +z.

What is here:

* `trace`: field lines from given places.
* `line_spread`, `LineSpread`: how far lines wander across the mean field.
* `line_divergence`, `LineDivergence`: how neighbouring lines part.
* `follow_orbits`, `Orbits`: orbits of charged particles; `turning_rate`: how fast they gyrate.
* `running_diffusion`, `RunningDiffusion`: diffusion coefficients of such orbits.
* `spread`, `ParticleSpread`: that of pseudo-particles along wandering lines.
* `Plateau`, `Homogenised`, `Estimate`: coefficients, what they become at large, means with errors.
* `flight_coefficients`, `scattered_orbits`, `single_flights`: gyration with scattering.
* `scattered_sky`, `traced_sky`, `KineticSky`: the sky of an observer amid such orbits.
* `sky_ensemble`, `SkyEnsemble`: such skies of many realisations.
* `burst_through`, `BurstSeen`: density and dipole of a burst through one field.
* `burst_study`, `BurstStudy`, `Spread`: the same over realisations.
"""

from mcprop.wandering.burst import BurstSeen, burst_through
from mcprop.wandering.burst_study import BurstStudy, Spread, burst_study
from mcprop.wandering.course import turning_rate
from mcprop.wandering.field_lines import LineSpread, line_spread, trace
from mcprop.wandering.kinetic import flight_coefficients, scattered_orbits, single_flights
from mcprop.wandering.kinetic_sky import scattered_sky, traced_sky
from mcprop.wandering.line_divergence import LineDivergence, line_divergence
from mcprop.wandering.orbits import Orbits, RunningDiffusion, follow_orbits, running_diffusion
from mcprop.wandering.plateau import Plateau
from mcprop.wandering.pseudo_particles import Homogenised, ParticleSpread, spread
from mcprop.wandering.realisations import Estimate
from mcprop.wandering.seen_sky import KineticSky
from mcprop.wandering.sky_ensemble import SkyEnsemble, sky_ensemble

__all__ = [
    "BurstSeen",
    "BurstStudy",
    "Estimate",
    "Homogenised",
    "KineticSky",
    "LineDivergence",
    "LineSpread",
    "Orbits",
    "ParticleSpread",
    "Plateau",
    "RunningDiffusion",
    "SkyEnsemble",
    "Spread",
    "burst_study",
    "burst_through",
    "flight_coefficients",
    "follow_orbits",
    "line_divergence",
    "line_spread",
    "running_diffusion",
    "scattered_orbits",
    "scattered_sky",
    "single_flights",
    "sky_ensemble",
    "spread",
    "trace",
    "traced_sky",
    "turning_rate",
]
