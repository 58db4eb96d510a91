"""What to cite for each study of fields that wander."""

from __future__ import annotations

from mcprop.cite import Reference
from mcprop.xue_liu_2025 import PAPER

WAVES = Reference(
    "the turbulence: plane waves of random phase and direction",
    ("wander",),
    r"""@article{Giacalone1999,
  title   = {The Transport of Cosmic Rays across a Turbulent Magnetic Field},
  author  = {Giacalone, J. and Jokipii, J. R.},
  journal = {The Astrophysical Journal},
  volume  = {520},
  pages   = {204--214},
  year    = {1999},
  doi     = {10.1086/307452},
}""",
)
LINES = Reference(
    "the wandering of field lines",
    ("wander",),
    r"""@article{Matthaeus1995,
  title   = {Spatial Structure and Field-Line Diffusion in Transverse Magnetic Turbulence},
  author  = {Matthaeus, W. H. and Gray, P. C. and Pontius, D. H. and Bieber, J. W.},
  journal = {Physical Review Letters},
  volume  = {75},
  pages   = {2136--2139},
  year    = {1995},
  doi     = {10.1103/PhysRevLett.75.2136},
}""",
)
SKY = Reference(
    "skies beyond the dipole from one realisation of the local turbulence",
    ("wander",),
    r"""@article{Ahlers2014,
  title   = {Anomalous Anisotropies of Cosmic Rays from Turbulent Magnetic Fields},
  author  = {Ahlers, Markus},
  journal = {Physical Review Letters},
  volume  = {112},
  pages   = {021101},
  year    = {2014},
  doi     = {10.1103/PhysRevLett.112.021101},
}""",
)
ASSUMED = Reference(
    "the diffusion across the field that is put to the test", ("wander",), PAPER.bibtex
)

PAPERS = {
    "wandering-scan": (ASSUMED, WAVES, LINES),
    "wandering-burst": (ASSUMED, WAVES),
    "wandering-sky": (ASSUMED, WAVES, SKY),
}
"""References by the model of a configuration."""
