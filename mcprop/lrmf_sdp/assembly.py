"""What judges the LRMF/SDP model: grid solution and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mcprop import assembly
from mcprop.assembly import Judge
from mcprop.background_job import BackgroundJob

if TYPE_CHECKING:
    from mcprop.analytic.lrmf_sdp import LrmfSdp

FINITE_STEPS = 1.2e-3
"""Relative bias of the background by steps of a fifth of the scale, at most."""
FINITE_DIFFERENCE = 8e-4
"""Relative bias of its gradient by differences over 300 pc, at most."""


class Assembly(assembly.Assembly):
    """Monte Carlo answers at one energy; parameters as in `mcprop.assembly.Assembly`."""

    model: LrmfSdp

    def judge(self, component: str) -> Judge:
        """The grid for the background, the closed form for the remnant."""
        return Judge({"background": "grid", "total": "grid and formula"}.get(component, "formula"))

    def uncertainty(self, component: str) -> float:
        """Bounds of what finite steps and differences do to the background, as configured."""
        if component != "background":
            return 0.0
        job = self.found[component, self.model.species[0], "dipole"][0].job
        assert isinstance(job, BackgroundJob)
        step, separation = job.step / 0.2, job.background.separation / 300.0
        return float(
            np.hypot(FINITE_STEPS * max(step**2, step**4), FINITE_DIFFERENCE * separation**2)
        )
