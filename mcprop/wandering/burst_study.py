"""A burst seen through many realisations of a wandering field: what an observer may expect to see.

Each realisation is one place that we might live in. The figures are medians with the 16 and 84 per
cent quantiles over realisations, against a uniform medium with D_perp = M_A^4 D_parallel, and
against the dipole 3 r/(2 v T) of any uniform medium.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mcprop.analytic import green
from mcprop.analytic.wandering import mach_four
from mcprop.diffusion import tensor
from mcprop.units import C_LIGHT
from mcprop.wandering.burst import BurstSeen, burst_through
from mcprop.wandering.burst_legs import LegScan, LegTest, leg_test
from mcprop.wandering.realisations import (
    Estimate,
    each_realisation,
    estimate,
    field_seed,
    positive,
    seeded,
    whole,
)

__all__ = ["BurstStudy", "Spread", "burst_study"]

Array = np.ndarray


class Spread(NamedTuple):
    """Median of a quantity over realisations, and its 16 and 84 per cent quantiles.

    noise : float, median of the standard deviation that Monte Carlo adds to one realisation; NaN
    where it has none.
    """

    median: float
    low: float
    high: float
    noise: float = math.nan


@dataclass(frozen=True, eq=False)
class BurstStudy:
    """A burst seen through realisations of a field.

    Attributes
    ----------
    seen : tuple of BurstSeen
        One for each realisation.
    displacement : ndarray, shape (3,)
        From the observer to the source [pc]; the mean field is along z.
    age, kappa_parallel, kappa_perp, mach, speed, seed
        As they were given to `burst_study`.
    """

    seen: tuple[BurstSeen, ...]
    displacement: Array
    age: float
    kappa_parallel: float
    kappa_perp: float
    mach: float
    speed: float
    seed: int

    @property
    def formula_perp(self) -> float:
        """D_perp = M_A^4 D_parallel [pc^2/yr], as the formula assumes it."""
        return float(mach_four(self.kappa_parallel, self.mach))

    @property
    def formula_density(self) -> float:
        """Density of the uniform medium with that D_perp [pc^-3]."""
        uniform = tensor(self.kappa_parallel, self.formula_perp, (0.0, 0.0, 1.0))
        return float(green.density(self.displacement, uniform, self.age))

    @property
    def formula_dipole(self) -> Array:
        """3 r/(2 v T), the dipole of any uniform medium, shape (3,)."""
        return green.dipole(self.displacement, self.speed, self.age)

    @property
    def rows(self) -> dict[str, Array]:
        """What each realisation gave, by name.

        flux_ratio : density over that of the formula; dipole_x, dipole_y, dipole_z : components, z
        along the mean field; dipole_along : along the local field; amplitude_ratio : length of the
        dipole over that of a uniform medium; angle_to_local, angle_to_mean : between the dipole and
        the axis of the local and of the mean field [deg], 0 to 90; finite_ratio : component along
        the local field as seen over a whole mean free path, over `dipole_along`; local_lean : angle
        of the local field to the mean field [deg]; line_distance : distance across from the
        observer to the line of the source [pc]; effective_distance : distance across at which the
        formula gives the density that was found [pc], NaN where it is higher than the formula ever
        is; growth_perp : <dx^2>/(2 t) of the cloud across the mean field over kappa_parallel;
        growth_late : the same of the second half of its way alone.
        """
        dipole = np.array([one.dipole for one in self.seen])
        length = np.linalg.norm(dipole, axis=1)
        b_hat = np.array([one.b_hat for one in self.seen])
        along = (dipole * b_hat).sum(axis=1)
        ratio = np.array([one.density for one in self.seen]) / self.formula_density
        finite = np.array([one.finite_dipole for one in self.seen])
        return {
            "flux_ratio": ratio,
            "dipole_x": dipole[:, 0],
            "dipole_y": dipole[:, 1],
            "dipole_z": dipole[:, 2],
            "dipole_along": along,
            "amplitude_ratio": length / np.linalg.norm(self.formula_dipole),
            "angle_to_local": _axis_angle(along / length),
            "angle_to_mean": _axis_angle(dipole[:, 2] / length),
            "finite_ratio": finite / along,
            "local_lean": _axis_angle(b_hat[:, 2]),
            "line_distance": np.array([one.line_distance for one in self.seen]),
            "effective_distance": self._effective_distance(ratio),
            "growth_perp": np.array([one.growth_perp for one in self.seen]) / self.kappa_parallel,
            "growth_late": np.array([one.late_perp for one in self.seen]) / self.kappa_parallel,
        }

    @property
    def noise(self) -> dict[str, Array]:
        """Standard deviation that Monte Carlo adds to the rows, for those that have an error."""
        errors = np.array([one.dipole_error for one in self.seen])
        density = np.array([one.density_error for one in self.seen])
        along = np.array([one.along_error for one in self.seen])
        lengths = []
        for one in self.seen:
            unit = one.dipole / np.linalg.norm(one.dipole)
            lengths.append(math.sqrt(float(unit @ one.dipole_covariance @ unit)))
        return {
            "flux_ratio": density / self.formula_density,
            "dipole_x": errors[:, 0],
            "dipole_y": errors[:, 1],
            "dipole_z": errors[:, 2],
            "dipole_along": along,
            "amplitude_ratio": np.array(lengths) / np.linalg.norm(self.formula_dipole),
        }

    @property
    def summary(self) -> dict[str, Spread]:
        """Median and 16 to 84 per cent of every row, with the noise of one realisation."""
        noise = self.noise
        found = {}
        for name, values in self.rows.items():
            known = values[np.isfinite(values)]
            low, middle, high = (
                np.quantile(known, (0.16, 0.5, 0.84)) if len(known) else [math.nan] * 3
            )
            typical = float(np.median(noise[name])) if name in noise else math.nan
            found[name] = Spread(float(middle), float(low), float(high), typical)
        return found

    @property
    def mean_flux_ratio(self) -> Estimate:
        """Mean over realisations of the density over that of the formula."""
        return estimate(self.rows["flux_ratio"])

    @property
    def perpendicular(self) -> Estimate:
        """D_perp/kappa_parallel of the cloud of the source, averaged over realisations.

        It includes the wandering of the line of the source as a whole.
        """
        return estimate(self.rows["growth_perp"])

    @property
    def late(self) -> Estimate:
        """The same of the second half of the cloud's way alone: later, where it still changes."""
        return estimate(self.rows["growth_late"])

    @property
    def later(self) -> Estimate:
        """Growth of `perpendicular` to `late`; its error is from the realisations one by one."""
        return estimate(self.rows["growth_late"] - self.rows["growth_perp"])

    @property
    def width(self) -> float:
        """Root mean square displacement of the cloud across the mean field, of one axis [pc]."""
        return math.sqrt(float(np.mean([one.width**2 for one in self.seen])))

    @property
    def leg_scans(self) -> list[tuple[int, LegScan]]:
        """Realisations in which several legs were tried, by their number."""
        return [(n, one.legs) for n, one in enumerate(self.seen) if one.legs is not None]

    @property
    def leg_test(self) -> LegTest:
        """Whether density and dipole depend on the leg, from these."""
        numbers, scans = zip(*self.leg_scans, strict=True)
        return leg_test(scans, [self.seen[n].b_hat for n in numbers])

    @property
    def pull(self) -> float:
        """Difference of `perpendicular` and M_A^4, in standard deviations."""
        value, error = self.perpendicular
        return float((value - self.mach**4) / error)

    @property
    def holds(self) -> bool:
        """Whether D_perp = M_A^4 D_parallel is within 3 standard deviations of what was found."""
        return abs(self.pull) < 3.0

    @property
    def isotropic_scatter(self) -> float:
        """Standard deviation over realisations of `dipole_along` in isotropic turbulence, to M^2.

        A wave k of the field leans the line by b_x, and diffusion along it evens out all but the
        share eps k_perp^2/(k_par^2 + eps k_perp^2) of the gradient that the line then sees, with
        eps = kappa_perp/kappa_parallel. For isotropic waves the mean square of that is
        (M^2/4)(pi/4) sqrt(eps) of the squared gradient across, here r_perp/(2 D_perp T) with the
        D_perp that was found; the flux along the lines in the same picture adds
        (pi/8) M^2 sqrt(eps) kappa_parallel to D_perp.
        """
        epsilon = self.kappa_perp / self.kappa_parallel
        perp = self.perpendicular.value * self.kappa_parallel
        gradient = math.hypot(*self.displacement[:2]) / (2.0 * perp * self.age)
        lean = 0.25 * self.mach * math.sqrt(math.pi * math.sqrt(epsilon))
        return float(3.0 * self.kappa_parallel / self.speed * gradient * lean)

    def _effective_distance(self, ratio: Array) -> Array:
        across = float(self.displacement[0] ** 2 + self.displacement[1] ** 2)
        square = across - 4.0 * self.formula_perp * self.age * np.log(ratio)
        return np.sqrt(np.where(square >= 0.0, square, math.nan))


def _axis_angle(cosine: Array) -> Array:
    return np.degrees(np.arccos(np.minimum(np.abs(cosine), 1.0)))


def burst_study(
    field_of: Callable[[int], Any],
    source: Any,
    age: float,
    kappa_parallel: float,
    kappa_perp: float,
    mach: float,
    *,
    realisations: int = 24,
    legs: int = 0,
    seed: int = 0,
    observer: Any = (0.0, 0.0, 0.0),
    speed: float = C_LIGHT,
    workers: int | None = None,
    **options: Any,
) -> BurstStudy:
    """See a burst through many realisations of a field.

    Parameters
    ----------
    field_of : callable
        Makes the field of a realisation from its seed (int), mean field included, along +z.
    source, age, kappa_parallel, kappa_perp, observer, speed
        As for `burst_through`.
    mach : float
        M_A = dB/B0 of the field, for the formula D_perp = M_A^4 D_parallel to compare with.
    realisations : int
        Number of fields.
    legs : int
        In how many of them, from the first, the burst is also seen with half and twice the leg.
    seed : int
        Seed of the study: the same call with it gives the same bits.
    workers : int, optional
        Number of threads, by default as many as cores; no bit of the result depends on it.
    **options
        Further arguments of `burst_through`: `forward`, `backward`, `parallel_step`, `leg`,
        `meeting`, `nodes`.

    Returns
    -------
    BurstStudy

    Raises
    ------
    RangeError
        If an argument is not allowed, or a line turns back against the mean field.
    ModelError
        If `field_of` makes no model of a field.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), section II A: the burst, and D_perp = M_A^4 D_parallel.
    """
    positive("mach", mach, "1")
    whole("seed", seed, 0)
    whole("legs", legs, 0)
    maker = seeded(field_of)

    def one(realisation: int) -> BurstSeen:
        drawn = field_seed(seed, realisation)
        return burst_through(
            maker(drawn),
            source,
            age,
            kappa_parallel,
            kappa_perp,
            observer=observer,
            speed=speed,
            legs=realisation < legs,
            seed=drawn,
            **options,
        )

    seen = tuple(each_realisation(one, realisations, workers))
    displacement = np.asarray(source, dtype=float) - np.asarray(observer, dtype=float)
    return BurstStudy(seen, displacement, age, kappa_parallel, kappa_perp, mach, speed, seed)
