"""How much each job, and each history, moves the results of one energy."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mcprop.assembly import ALL, Assembly
from mcprop.dipole import Dipole, Part
from mcprop.moments import Moments
from mcprop.transport import Outcome

if TYPE_CHECKING:
    from mcprop.plan import Planned

Array = np.ndarray
STEP = 1e-3
"""Relative step of the central differences by which mean scores are moved."""


@dataclass(frozen=True)
class Answer:
    """A result, and the derivatives of it by the mean scores of the jobs.

    Parameters
    ----------
    component : str
        Whose it is: a component, or "total".
    dipole : Dipole
        All species together.
    slopes : dict of int to ndarray, shape (4, 4)
        By the number of the job: derivatives of the logarithm of the intensity (row 0) and of the
        three components of the dipole, by the means of (m, d_x, d_y, d_z).
    """

    component: str
    dipole: Dipole
    slopes: dict[int, Array]

    def weights(self, quantity: str) -> dict[int, Array]:
        """Derivatives of a number by the mean scores of the jobs, shape (4,) each.

        Parameters
        ----------
        quantity : str
            "density", relative to itself, or "dipole", along its own direction.
        """
        length = float(np.linalg.norm(self.dipole.vector))
        if quantity == "density":
            return {job: slope[0] for job, slope in self.slopes.items()}
        along = self.dipole.vector / length if length > 0.0 else np.zeros(3)
        return {job: along @ slope[1:] for job, slope in self.slopes.items()}

    def scale(self, quantity: str) -> float:
        """What a change of that number is to be compared with."""
        return 1.0 if quantity == "density" else float(np.linalg.norm(self.dipole.vector))


def answers(assembly: Assembly, planned: Sequence[Planned]) -> list[Answer]:
    """Results of one energy that rest on Monte Carlo: the components, then the total.

    A component that is not emitted at this energy is none.

    Parameters
    ----------
    assembly : Assembly
        Of all histories.
    planned : sequence of Planned
        Its jobs, in order.

    Returns
    -------
    list of Answer
    """
    shares = {c: float(assembly.model.share(c, assembly.energy)) for c in assembly.transported}
    found = [Answer(c, assembly.dipole(c, ALL), {}) for c in shares if shares[c] > 0.0]
    boost = assembly.boost
    if any(job.component == boost for job in planned):
        found.append(Answer(boost, assembly.dipole(boost, ALL), {}))
    total = Answer("total", assembly.dipole("total", ALL), {})
    of = {answer.component: answer for answer in found}
    for number, job in enumerate(planned):
        if job.component == boost:
            slope = _boost_slope(assembly, job)
            of[boost].slopes[number] = total.slopes[number] = slope
        elif job.component in of and assembly.parts[job.component, job.species].intensity > 0.0:
            own, whole = _carrier_slopes(assembly, job)
            of[job.component].slopes[number], total.slopes[number] = own, whole
    return [*found, total]


def _carrier_slopes(assembly: Assembly, job: Planned) -> tuple[Array, Array]:
    """Of a component and of the total, by the mean scores of a job."""
    part = assembly.parts[job.component, job.species]
    slope = _part_slope(assembly, job)
    moved = np.zeros(3)
    if assembly.boost:  # its species weigh by the intensities of the carriers
        boost, own = (assembly.dipole(assembly.boost, s) for s in (ALL, job.species))
        moved = own.vector - boost.vector
    slopes = []
    for members, turned in (((job.component,), np.zeros(3)), (assembly.carriers, moved)):
        names = [(c, s) for c, s in assembly.parts if c in members]
        intensity = sum(assembly.parts[name].intensity for name in names)
        mean = sum(assembly.parts[n].intensity * assembly.parts[n].dipole.vector for n in names)
        here = slope.copy()
        here[1:] += np.outer(part.dipole.vector - mean / intensity + turned, slope[0])
        slopes.append(part.intensity / intensity * here)
    return slopes[0], slopes[1]


def _part_slope(assembly: Assembly, job: Planned) -> Array:
    """Derivatives of the logarithm of the intensity and of the dipole of one species."""
    key = (job.component, job.species, job.gives)
    moments = assembly.found[key][1].moments
    slope = np.zeros((4, 4))
    length = float(np.linalg.norm(moments.mean[1:]))
    for k, size in enumerate((abs(float(moments.mean[0])), length, length, length)):
        if size == 0.0:
            continue
        sides = []
        for sign in (1.0, -1.0):
            mean = moments.mean.copy()
            mean[k] += sign * STEP * size
            sides.append(_with_mean(assembly, job, key, replace(moments, mean=mean)))
        up, down = sides
        slope[0, k] = math.log(up.intensity / down.intensity)
        slope[1:, k] = up.dipole.vector - down.dipole.vector
        slope[:, k] /= 2.0 * STEP * size
    return slope


def _with_mean(
    assembly: Assembly, job: Planned, key: tuple[str, str, str], moments: Moments
) -> Part:
    """The part of a species with other moments of one of its jobs."""
    other = copy.copy(assembly)
    other.found = assembly.found | {key: (job, Outcome(moments))}
    return other.part(job.component, job.species)


def _boost_slope(assembly: Assembly, job: Planned) -> Array:
    """Of the boost, and of the total, by the mean scores of a species' job."""
    moments = assembly.found[job.component, job.species, "dipole"][1].moments
    of_species = sum(assembly.parts[c, job.species].intensity for c in assembly.carriers)
    slope = np.zeros((4, 4))
    if assembly.intensity > 0.0 and moments.mean[0]:
        slope[1:, 1:] = np.eye(3)
        slope[1:, 0] = -moments.mean[1:] / moments.mean[0]
        slope *= of_species / assembly.intensity / moments.mean[0]
    return slope
