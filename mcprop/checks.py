"""Checks of the statistics of one energy, in the spirit of the ten checks of MCNP.

A light is made for each check of the total and of each component that is transported, all species
together: of its density and of its dipole, whichever is worse. Differences count in standard
deviations; because many energies and components are looked at, the bounds are those at which one
false alarm comes in as many *runs* as a single test of 3 (amber) or 4 (red) standard deviations has
one in, by Bonferroni's inequality.

References
----------
X-5 Monte Carlo Team 2003, LA-UR-03-1987, chapter 2 VI (relative error, variance of the variance,
figure of merit).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mcprop.assembly import ALL, Assembly
from mcprop.comparison import RANK, ComparisonRow, compare, gaussian_sigma
from mcprop.halving import FULL_STEP, LONGER_LEG
from mcprop.health import Light
from mcprop.influence import Answer, answers
from mcprop.moments import Moments
from mcprop.transport import Outcome
from mcprop.trend import Trend

if TYPE_CHECKING:
    from mcprop.plan import Planned

RELATIVE_ERROR = (0.05, 0.2)
"""Green and amber up to. A score by a kernel is one of a point detector, which MCNP holds reliable
below 0.05; from 0.2 on it calls a result good to a factor."""
VOV = (0.1, 0.4)
"""The same. At 0.1 (MCNP) the error bar is known to 16 %, at 0.4 to no better than 32 %."""
SHARE = (0.05, 0.25)
"""The same, of the largest history in a result."""
LOST = (0.0, 1e-3)
"""The same, of the histories that were lost."""
SIGMAS = (3.0, 4.0)
"""The same, for one test; see `bounds`."""
PRECISION = 0.1
"""Relative error of a change by half the step from which the check is inconclusive."""
ROUNDING = 1e-9
"""Relative difference of halves that is due to rounding at most."""

QUANTITIES = ("density", "dipole")
_AGAIN = {FULL_STEP: "step halving", LONGER_LEG: "last leg"}
"""Name of the check by the reference of its rows."""
_HALF = {
    "step halving": ("half the step", "the step"),
    "last leg": ("half the last leg", "kernel_leg"),
}
"""What is tried, and the key of the scenario that is behind it."""


def bounds(tests: int) -> tuple[float, float]:
    """Standard deviations beyond which the worst of many tests is amber, and red.

    Parameters
    ----------
    tests : int
        Number of tests in a run.

    Returns
    -------
    tuple of float
        One of them fails by chance as often as a single test of 3, or of 4, standard deviations.
    """
    from scipy.special import ndtr, ndtri

    amber, red = (-float(ndtri(ndtr(-sigma) / max(tests, 1))) for sigma in SIGMAS)
    return amber, red


def sigma_of(chi2: float, dof: int, freedom: float) -> float:
    """Two-sided Gaussian equivalent of a chi-square whose covariance is itself estimated.

    Parameters
    ----------
    chi2 : float
    dof : int
        Components of the vector, 1 to 3.
    freedom : float
        Degrees of freedom of the covariance; infinite for one that is known.

    Returns
    -------
    float
        Standard deviations, by the distribution of Hotelling's T^2.
    """
    from scipy.special import fdtrc, ndtri

    left = max(freedom - dof + 1.0, 1.0)
    if math.isfinite(freedom):
        p = float(fdtrc(dof, left, chi2 * left / (dof * max(freedom, 1.0))))
        if p > 0.0:
            return max(-float(ndtri(0.5 * p)), 0.0)
    return gaussian_sigma(chi2, dof)


def lights(
    assembly: Assembly,
    planned: Sequence[Planned],
    trends: Sequence[Trend],
    comparisons: Sequence[ComparisonRow] = (),
    energies: int = 1,
) -> list[Light]:
    """Lights of one energy.

    Parameters
    ----------
    assembly : Assembly
        Answers from all histories.
    planned : sequence of Planned
        The jobs.
    trends : sequence of Trend
        What their batches have added up to, in the same order.
    comparisons : sequence of ComparisonRow
        Rows of `mcprop.halving.halving_rows`, if there are; others are not looked at.
    energies : int
        Number of energies of the run.

    Returns
    -------
    list of Light
    """
    found = answers(assembly, planned)
    counted = [trend.halves() for trend in trends]
    sides = [
        type(assembly)(assembly.model, assembly.energy, planned, [Outcome(m) for m in side])
        for side in zip(*counted, strict=True)
        if min(moments.n for moments in side) > 1
    ]
    limits = bounds(energies * len(found) * len(QUANTITIES))
    made = []
    for answer in found:
        mine = [
            trend.fates
            for job, trend in zip(planned, trends, strict=True)
            if answer.component in ("total", job.component)
        ]
        view = _View(assembly.energy, answer, np.sum(mine, axis=0), counted, limits)
        made += [view.relative_error(), view.vov(), view.largest(), view.lost()]
        made += [view.merit(sides), view.halves(sides)]
    here = [row for row in comparisons if row.energy == assembly.energy]
    for reference, check in _AGAIN.items():
        rows = [row for row in here if row.reference == reference]
        if rows:
            made += _changes(check, rows, energies)
        elif _could(planned, reference):
            made.append(_off(assembly.energy, check))
    return made


class _View:
    """One result and what it is made of."""

    def __init__(
        self,
        energy: float,
        answer: Answer,
        fates: np.ndarray,
        halves: Sequence[tuple[Moments, Moments]],
        limits: tuple[float, float],
    ) -> None:
        self.energy, self.answer, self.fates, self.limits = energy, answer, fates, limits
        self.sides = list(zip(*halves, strict=True))
        self.wholes = [first + second for first, second in halves]
        # by how much more the ratio of the variances of halves varies than that of the whole: 4
        self.unequal = max((a.n + b.n) ** 2 / max(a.n * b.n, 1) for a, b in halves)

    def light(self, check: str, value: float, limits: tuple[float, float], advice: str) -> Light:
        """A light by two limits; amber where the value is not a number."""
        colour = "green" if value <= limits[0] else "red" if value > limits[1] else "amber"
        names = (self.energy, self.answer.component, ALL, check)
        return Light(*names, value, limits[0], colour, "" if colour == "green" else advice)

    def relative_error(self) -> Light:
        """Largest standard deviation of the dipole in the plane of the equator, relative to it."""
        dipole = self.answer.dipole
        variance = dipole.covariance[:2, :2]
        known = bool(np.isfinite(variance).all()) and dipole.amplitude > 0.0
        largest = math.sqrt(max(float(np.linalg.eigvalsh(variance)[-1]), 0.0)) if known else 0.0
        value = largest / dipole.amplitude if known else math.inf
        more = f"{_more(value, RELATIVE_ERROR[0], 2)} to reach {100 * RELATIVE_ERROR[0]:g} %"
        advice = more if known else "no history has met the source, or the amplitude is zero"
        return self.light("relative error", value, RELATIVE_ERROR, advice)

    def vov(self) -> Light:
        """Relative variance of the variance."""
        value, what = max(
            ((self._spread(self.answer.weights(q), self.wholes)[1], q) for q in QUANTITIES),
            key=lambda item: _rank(item[0]),
        )
        more = _more(value, VOV[0], 1)
        advice = f"few histories make the error of the {what}, so it may be too small; {more}"
        return self.light("variance of the variance", value, VOV, advice)

    def merit(self, sides: Sequence[Assembly]) -> Light:
        """Change of the figure of merit, 1 / (relative variance x histories), between halves.

        Steps per history are the same in both, processor time is not asked.
        """
        if not self._have_halves(sides):
            return self._too_few("figure of merit")
        value, change, what = 0.0, 0.0, QUANTITIES[0]
        for quantity in QUANTITIES:
            weights = self.answer.weights(quantity)
            early, late = (self._spread(weights, side, True)[0] for side in self.sides)
            if early > 0.0 and late > 0.0:
                # from all histories: the half that lacks the large ones does not know its error
                noise = math.sqrt(self.unequal * self._spread(weights, self.wholes)[1])
                ratio = math.log(late / early)
                sigma = abs(ratio) / noise if noise > 0.0 else math.nan
                if _rank(sigma) > _rank(value):
                    value, change, what = sigma, math.expm1(ratio), quantity
        advice = (
            f"the variance of the {what} per history changes by {100.0 * change:+.0f} % from the "
            "first to the second half of the histories; its error bar is not settled, take 4 times "
            "more histories"
        )
        return self.light("figure of merit", value, self.limits, advice)

    def largest(self) -> Light:
        """Share of the largest history in a result."""
        value, what = 0.0, QUANTITIES[0]
        for job, slope in self.answer.slopes.items():
            whole = self.wholes[job]
            gaps = (whole.largest - whole.mean) / max(whole.n, 1) @ slope.T
            shares = np.abs(gaps[:, 0]).max(), np.linalg.norm(gaps[:, 1:], axis=1).max()
            for quantity, share in zip(QUANTITIES, shares, strict=True):
                scale = self.answer.scale(quantity)
                relative = float(share) / scale if scale > 0.0 else math.inf
                if _rank(relative) > _rank(value):
                    value, what = relative, quantity
        more = _more(value, SHARE[0], 1)
        advice = f"one history makes {100.0 * value:.0f} % of the {what}; {more}"
        return self.light("largest history", value, SHARE, advice)

    def lost(self) -> Light:
        """Share of the histories whose score is not a number."""
        lost, every = int(self.fates[-1]), int(self.fates.sum())
        advice = (
            f"{lost} of {every} histories have a score that is not a number and are left out, "
            "which is a bias; look for the parameter or the medium that makes them"
        )
        return self.light("lost histories", lost / max(every, 1), LOST, advice)

    def halves(self, sides: Sequence[Assembly]) -> Light:
        """Deviation of the first half of the histories from the second."""
        if not self._have_halves(sides):
            return self._too_few("halves")
        component = self.answer.component
        first, second = (side.dipole(component, ALL) for side in sides)
        test = compare(first, second, ROUNDING)
        value = math.inf if test.verdict == "differs" and not test.sigma > SIGMAS[1] else 0.0
        if test.dof:
            inverse = np.linalg.pinv(first.covariance + second.covariance, RANK, hermitian=True)
            worst = inverse @ (first.vector - second.vector)
            weights = {job: worst @ slope[1:] for job, slope in self.answer.slopes.items()}
            value = max(value, sigma_of(test.chi2, test.dof, self._freedom(weights)))
        (a, a_err), (b, b_err) = (_log_intensity(side, component) for side in sides)
        if (noise := a_err**2 + b_err**2) > ROUNDING**2:
            freedom = self._freedom(self.answer.weights("density"))
            value = max(value, sigma_of((a - b) ** 2 / noise, 1, freedom))
        advice = (
            f"the two halves of the histories differ by {value:.1f} standard deviations: the error "
            "bar is too small or the histories are not alike; do not use the result, run it with "
            "another seed"
        )
        return self.light("halves", value, self.limits, advice)

    def _have_halves(self, sides: Sequence[Assembly]) -> bool:
        """Whether enough histories contribute to either half."""
        component = self.answer.component
        return len(sides) == 2 and all(side.trusted(component, ALL) for side in sides)

    def _too_few(self, check: str) -> Light:
        """A check that needs either half, where there are too few histories for that."""
        few = "too few histories contribute to compare halves of them; take 4 times more"
        return self.light(check, math.nan, self.limits, few)

    def _freedom(self, weights: dict[int, np.ndarray]) -> float:
        """Degrees of freedom of the variance of the difference of the halves (Satterthwaite)."""
        both = [self._spread(weights, side) for side in self.sides]
        variance = sum(v for v, _ in both)
        noise = sum(v * v * vov for v, vov in both)
        return 2.0 * variance**2 / noise if noise > 0.0 else math.inf

    def _spread(
        self, weights: dict[int, np.ndarray], moments: Sequence[Moments], single: bool = False
    ) -> tuple[float, float]:
        """Variance of a number, of one history or of the mean, and its variance of the variance."""
        variance = noise = 0.0
        for job, row in weights.items():
            of = moments[job]
            if of.n < 2:
                continue
            mine = float(row @ of.covariance_of_mean() @ row)
            if single:  # so many histories weigh as they do in the whole
                mine *= of.n / self.wholes[job].n
            variance += mine
            noise += mine * mine * of.variance_of_variance(row)
        return variance, noise / variance**2 if variance > 0.0 else 0.0


def _rank(value: float) -> float:
    """Order in which not a number comes last."""
    return math.inf if value != value else value


def _more(value: float, limit: float, power: int) -> str:
    """By how many times there must be more histories."""
    factor = (value / limit) ** power
    return (
        f"take {factor:.2g} times more histories"
        if math.isfinite(factor)
        else "take more histories"
    )


def _log_intensity(assembly: Assembly, component: str) -> tuple[float, float]:
    """Logarithm of an intensity, all species together, and its standard deviation."""
    if component == assembly.boost:
        return 0.0, 0.0
    carriers = assembly.carriers if component == "total" else (component,)
    members = [part for (c, _), part in assembly.parts.items() if c in carriers]
    intensity = sum(part.intensity for part in members)
    if not intensity:
        return 0.0, 0.0
    variance = sum(part.intensity**2 * part.intensity_var_ln for part in members)
    return math.log(intensity), math.sqrt(variance) / intensity


def _could(planned: Sequence[Planned], reference: str) -> bool:
    """Whether any job has steps, or a last leg."""
    method = {FULL_STEP: "halved", LONGER_LEG: "shortened"}[reference]
    made = (getattr(job.job, method, None) for job in planned)
    return any(make is not None and make() is not None for make in made)


def _off(energy: float, check: str) -> Light:
    advice = "not asked for; --halving runs a share of the histories for it"
    return Light(energy, "total", ALL, check, math.nan, math.nan, "off", advice)


def _changes(check: str, rows: Sequence[ComparisonRow], energies: int) -> list[Light]:
    """Worst change of each component by half the step or leg."""
    limits = bounds(energies * len(rows))
    half, key = _HALF[check]
    made = []
    for component in dict.fromkeys(row.component for row in rows):
        judged = []
        mine = [row for row in rows if row.component == component]
        for row in mine:
            sigma = _significance(row)
            colour = "green" if sigma <= limits[0] else "red" if sigma > limits[1] else "amber"
            advice = (
                f"{half} changes the {row.quantity} of {row.species} by {sigma:.1f} standard "
                f"deviations; make {key} smaller until it does not"
            )
            names = (row.energy, component, row.species, check)
            judged.append(Light(*names, sigma, limits[0], colour, advice * (colour != "green")))
        for quantity in dict.fromkeys(row.quantity for row in mine):
            error = _precision([row for row in mine if row.quantity == quantity])
            if error > PRECISION:
                known = f"known to {100.0 * error:.0f} % only"
                if not math.isfinite(error):
                    known = "not known, as too few histories contribute"
                advice = f"what {half} changes in the {quantity} is {known}; "
                advice += _more(error, PRECISION, 2)
                names = (mine[0].energy, component, ALL, check)
                judged.append(Light(*names, error, PRECISION, "amber", advice))
        made.append(max(judged, key=lambda light: light.badness))
    return made


def _significance(row: ComparisonRow) -> float:
    """Standard deviations of a row, none if it is inconclusive; infinite where it has no error."""
    if row.verdict == "inconclusive":
        return 0.0
    if row.sigma == row.sigma and (row.verdict != "differs" or row.sigma > SIGMAS[1]):
        return row.sigma
    return math.inf if row.verdict == "differs" else 0.0


def _precision(rows: Sequence[ComparisonRow]) -> float:
    """Relative error of the mean change of several species."""
    known = [row for row in rows if row.verdict != "inconclusive" and row.expected]
    if any(row.error == 0.0 for row in known):
        return 0.0
    weight = sum((row.expected / row.error) ** 2 for row in known)
    return weight**-0.5 if weight else math.inf
