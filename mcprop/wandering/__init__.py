"""Fields that wander: lines, orbits and pseudo-particles in turbulence, against the laws."""

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
