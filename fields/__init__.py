"""Magnetic fields: where b points.  One model per file; nothing here knows about particles.

Numbers are plain ones, lengths in pc and fields in uG; a Quantity is refused (`lrmf` and `lic`
alone take one).  Fields add up with ``+``, those of your own with `total`.

What is here:

* `UniformField`: the same everywhere; `lrmf`, `lic`: those measured about the Sun (`LRMF`, `LIC`:
  their directions).
* `turbulence`: a realisation of turbulence as a sum of waves; `wandering_field`: with a mean field.
* `strong_range`: a mean field and the critically balanced turbulence of a Mach number up to 1.
* `plane_waves`, `PlaneWaves`: a sum of given waves.
* `fast_plane_waves`, `FastPlaneWaves`: the same in 32 bits, almost twice as fast.
* `turbulent_grid`: isotropic turbulence on a periodic grid; `load_grid`: a given field on one.
* `PotentialGrid`, `SplineGrid`, `TrilinearGrid`: what these two make.
* `total`, `Sum`: the sum of fields.
* `sample`: any field at many places, with its gradients and the divergence of its direction.
* `PowerLaw`, `Bendover`: spectra of turbulence.
* `correlation_lengths`, `mean_inverse_wavenumber`: lengths that follow from a spectrum.
"""

import mcprop.fields.blocks  # (registers the default of b_block)
import mcprop.fields.differences  # noqa: F401  (registers the default of b_gradient)
from mcprop.fields.fast_plane_waves import FastPlaneWaves, fast_plane_waves
from mcprop.fields.grid import PotentialGrid, SplineGrid, TrilinearGrid
from mcprop.fields.grid_file import load_grid
from mcprop.fields.grid_turbulence import turbulent_grid
from mcprop.fields.local import LIC, LRMF, lic, lrmf
from mcprop.fields.plane_waves import PlaneWaves, plane_waves
from mcprop.fields.sample import FieldSample, sample
from mcprop.fields.spectra import (
    Bendover,
    PowerLaw,
    correlation_lengths,
    mean_inverse_wavenumber,
)
from mcprop.fields.total import Sum, total
from mcprop.fields.turbulence import strong_range, turbulence, wandering_field
from mcprop.fields.uniform import UniformField

__all__ = [
    "LIC",
    "LRMF",
    "Bendover",
    "FastPlaneWaves",
    "FieldSample",
    "PlaneWaves",
    "PotentialGrid",
    "PowerLaw",
    "SplineGrid",
    "Sum",
    "TrilinearGrid",
    "UniformField",
    "correlation_lengths",
    "fast_plane_waves",
    "lic",
    "load_grid",
    "lrmf",
    "mean_inverse_wavenumber",
    "plane_waves",
    "sample",
    "strong_range",
    "total",
    "turbulence",
    "turbulent_grid",
    "wandering_field",
]
