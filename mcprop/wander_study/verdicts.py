"""Which law holds where: fits of powers, and the rule by which a law counts as followed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from mcprop.wander_study.tables import LAWS, ExponentRow, WanderRow

FOLLOWS, FAILS, UNDECIDED = "follows", "fails", "undecided"
UNSETTLED = "undecided (not yet diffusive)"
"""Verdict where the mean square does not grow evenly yet, so that there is no D_perp to judge."""
ENDLESS = ("slab", "2d")
"""Geometries of which no walk is long enough: particles or lines keep to what they started on."""
FEW = 8
"""Realisations below which error bars are little worth."""
BLUNT = 0.5
"""A law within reach of an error bar of more than this share of it is undecided, not followed."""
_SIGNIFICANT = 2.0
"""Standard deviations by which a fitted power must stand above zero."""


class Rule(NamedTuple):
    """When a law counts as followed: tolerance : float, share of it; sigma : float."""

    tolerance: float = 0.1
    sigma: float = 3.0

    def __str__(self) -> str:
        """Say the rule in words."""
        return (
            f"A law is followed where it is hit within {self.sigma:g} standard deviations plus"
            f" {100 * self.tolerance:g} % of it; undecided where {self.sigma:g} standard deviations"
            f" are more than {100 * BLUNT:g} % of it. Of the isotropic law it is what wandering"
            " adds, D_perp - kappa_perp, that must be hit. No law is judged where that still"
            " changes, by more than the same, when it is taken from two windows to four instead of"
            " one to two. Each law is judged by itself: a case may follow several."
        )

    def reach(self, error: float, realisations: int) -> float:
        """How far a mean may be off by chance.

        Parameters
        ----------
        error : float
            Its standard deviation, as the scatter of realisations has it.
        realisations : int
            How many there are, two at least.

        Returns
        -------
        float
            The error times as many as Student's t exceeds as seldom as a Gaussian exceeds sigma.
        """
        return error * _students(self.sigma, realisations - 1)

    def caveat(self, realisations: int) -> str:
        """Say what error bars are from, and what they are worth.

        Parameters
        ----------
        realisations : int
            How many they are from, two at least.
        """
        said = (
            f"Error bars come from the scatter of {realisations} realisations of the field; as many"
            f" as {self.sigma:g} of a Gaussian are {self.reach(1.0, realisations):.3g} of them"
            " (Student's t)."
        )
        few = f" Warning: with less than {FEW} realisations they are little worth."
        return said + few * (realisations < FEW)

    def judge(self, value: float, error: float, law: float, realisations: int) -> str:
        """Whether a measured value follows a law.

        Parameters
        ----------
        value, error : float
            Mean and its standard deviation.
        law : float
            What is expected, in the same unit.
        realisations : int
            How many the error is from.

        Returns
        -------
        str
            "follows", "fails" or "undecided".
        """
        if not (math.isfinite(value) and math.isfinite(error) and error >= 0.0):
            return UNDECIDED
        reach = self.reach(error, realisations)
        if abs(value - law) > reach + self.tolerance * abs(law):
            return FAILS
        return UNDECIDED if reach > BLUNT * abs(law) else FOLLOWS


@cache
def _students(sigma: float, freedom: int) -> float:
    """Student's t that is exceeded as seldom as sigma standard deviations of a Gaussian."""
    from scipy.stats import norm, t

    return float(t.isf(norm.sf(sigma), freedom))


class Power(NamedTuple):
    """A fitted power: exponent, exponent_err, chi2 : float; points : int."""

    exponent: float
    exponent_err: float
    chi2: float
    points: int


def fit_power(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> Power | None:
    """Fit y = c x^a to points with normal errors, by least squares in y itself.

    No point is left out because it is small or negative: that would favour those that noise has
    lifted.

    Parameters
    ----------
    x, y, error : array_like
        Points, all of x positive, and the standard deviations of y.

    Returns
    -------
    Power or None
        The error of the exponent is that of the error bars, widened by the root of chi-square per
        degree of freedom where the points scatter more. None with fewer than two different x,
        or if the points, all together, do not stand above zero.
    """
    from scipy.optimize import minimize_scalar

    x, y, error = (np.asarray(one, dtype=float) for one in (x, y, error))
    if len(set(x.tolist())) < 2 or not np.all(error > 0.0):
        return None
    u, weight = np.log(x) - np.log(x).mean(), error**-2.0

    def chi2_of(exponent: Any) -> Any:
        power = np.exp(np.multiply.outer(exponent, u))
        return np.sum(weight * (y - _scaled(power, weight, y)) ** 2, axis=-1)

    trials = np.linspace(*_EXPONENTS, 281)
    best = trials[np.argmin(chi2_of(trials))]
    around = (best - 0.05, best + 0.05)
    exponent = float(minimize_scalar(chi2_of, bounds=around, options={"xatol": 1e-9}).x)
    power = np.exp(exponent * u)
    fitted, error_of_one = _scaled(power, weight, y), np.sum(weight * power**2) ** -0.5
    at_an_end = min(abs(exponent - end) for end in _EXPONENTS) < 0.1
    if at_an_end or not fitted[0] / power[0] > _SIGNIFICANT * error_of_one:
        return None
    slope = np.average(u, weights=weight * fitted**2)
    # the curvature of chi-square along a, with c at its best (Fisher information)
    information = float(np.sum(weight * (fitted * (u - slope)) ** 2))
    free, chi2 = len(x) - 2, float(chi2_of(exponent))
    widen = max(1.0, chi2 / free) if free else 1.0
    return Power(exponent, math.sqrt(widen / information), chi2, len(x))


def _scaled(power: np.ndarray, weight: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Powers times the factor that fits them to y best."""
    factor = np.sum(weight * y * power, axis=-1) / np.sum(weight * power**2, axis=-1)
    return np.asarray(factor[..., None] * power)


_EXPONENTS = (-4.0, 10.0)
"""Powers that a fit can find."""


def judged(row: WanderRow, rule: Rule) -> dict[str, str]:
    """Verdict on each law at one case.

    Parameters
    ----------
    row : WanderRow
    rule : Rule

    Returns
    -------
    dict
        Law to "follows", "fails" or "undecided", or to `UNSETTLED`; of those alone that are meant
        for its turbulence. The isotropic law is judged by what it adds to kappa_perp.
    """
    verdicts, settled = {}, is_settled(row, rule)
    for law in laws_of(row):
        known = row.kappa_perp if law == "isotropic" else 0.0
        value, wanted = row.d_perp - known, float(getattr(row, law)) - known
        verdict = rule.judge(value, law_error(row, law), wanted, row.realisations)
        verdicts[law] = verdict if settled else UNSETTLED
    return verdicts


def laws_of(row: WanderRow) -> list[str]:
    """Laws that are meant for the turbulence of a row."""
    return [law for law in LAWS if math.isfinite(getattr(row, law))]


def is_settled(row: WanderRow, rule: Rule) -> bool:
    """Whether particles are seen to diffuse: what wandering adds is the same later on.

    Parameters
    ----------
    row : WanderRow
    rule : Rule
        Its tolerance is a share of what wandering adds.

    Returns
    -------
    bool
        False in slab and two-dimensional turbulence: in the one the mean square grows as the root
        of time for ever, in the other lines are trapped.
    """
    if row.geometry in ENDLESS or not (math.isfinite(row.drift) and math.isfinite(row.drift_err)):
        return False
    reach = rule.reach(row.drift_err, row.realisations)
    return abs(row.drift) <= reach + rule.tolerance * abs(row.excess)


def law_error(row: WanderRow, law: str) -> float:
    """Error of d_perp next to a law [pc2/yr], with that of d_parallel where the law is made of it.

    The ratio's error knows that both come from the same walks.
    """
    return row.d_perp_err if law == "isotropic" else row.ratio_err * row.d_parallel


class Group(NamedTuple):
    """Rows of one spectrum, rigidity and epsilon, by rising Mach number."""

    key: tuple[str, float, float, float, float, float]
    epsilon_from: str
    rows: tuple[WanderRow, ...]


def groups(rows: Iterable[WanderRow]) -> list[Group]:
    """Split rows by spectrum, rigidity and epsilon.

    Parameters
    ----------
    rows : iterable of WanderRow
    """
    found: dict[tuple[tuple[str, float, float, float, float, float], str], list[WanderRow]] = {}
    for row in rows:
        key = (*row.spectrum, row.rigidity, row.epsilon)
        found.setdefault((key, row.epsilon_from), []).append(row)
    return [
        Group(key, origin, tuple(sorted(members, key=lambda row: row.mach)))
        for (key, origin), members in found.items()
    ]


def distinct(found: Iterable[Group]) -> list[Group]:
    """One group for each walk: a rigidity more is the same in other units of time.

    Parameters
    ----------
    found : iterable of Group
    """
    kept: dict[tuple[int, ...], Group] = {}
    for group in found:
        kept.setdefault(tuple(row.walk for row in group.rows), group)
    return list(kept.values())


MACH_RANGES = {"weak": (0.0, 0.3), "strong": (0.3, 1.0), "all": (0.0, math.inf)}
"""Ranges of the Mach number in which a power is fitted; ends included."""


def mach_exponents(rows: Iterable[WanderRow]) -> list[ExponentRow]:
    """Fit d_perp - kappa_perp ~ mach^a for each spectrum, rigidity and epsilon, in three ranges.

    Parameters
    ----------
    rows : iterable of WanderRow

    Returns
    -------
    list of ExponentRow
        One range alone where the others hold the same points.
    """
    made = []
    for group in groups(rows):
        for regime, points in _in_ranges(group.rows, [row.mach for row in group.rows]):
            fit = _excess_fit([row.mach for row in points], points)
            if fit is not None:
                ends = points[0].mach, points[-1].mach
                fixed = (math.nan, group.key[-1])
                made.append(_exponent(group.rows[0], "mach", fixed, regime, ends, fit))
    return made


Point = TypeVar("Point")


def _in_ranges(
    points: Sequence[Point], machs: Sequence[float]
) -> Iterator[tuple[str, list[Point]]]:
    """Points of each range of the Mach number, but none that holds all of them by another name."""
    for regime, (low, high) in MACH_RANGES.items():
        inside = [point for point, mach in zip(points, machs, strict=True) if low <= mach <= high]
        if regime == "all" or len(inside) < len(points):
            yield regime, inside


LINES = "d_lines by height"
"""Quantity of the powers that field lines of their own follow."""


def line_exponents(
    spectrum: tuple[str, float, float, float], points: Iterable[tuple[float, float, float]]
) -> list[ExponentRow]:
    """Fit the diffusion of field lines by height ~ mach^a, in three ranges.

    Parameters
    ----------
    spectrum : tuple
        As `WanderRow.spectrum`.
    points : iterable of (float, float, float)
        Mach number, coefficient and its error [pc].

    Returns
    -------
    list of ExponentRow
        As `mach_exponents`; lines have no rigidity and no epsilon.
    """
    made, points = [], sorted(points)
    for regime, inside in _in_ranges(points, [mach for mach, *_ in points]):
        mach, value, error = np.reshape(inside, (-1, 3)).T
        fit = fit_power(mach, value, error)
        if fit is not None:
            ends = float(mach[0]), float(mach[-1])
            made.append(
                ExponentRow(
                    *spectrum, math.nan, LINES, "mach", math.nan, math.nan, regime, *ends,
                    *fit[:3], fit.points,
                )
            )  # fmt: skip
    return made


def epsilon_exponents(rows: Iterable[WanderRow]) -> list[ExponentRow]:
    """Fit d_perp - kappa_perp ~ epsilon^a for each spectrum, rigidity and Mach number.

    Parameters
    ----------
    rows : iterable of WanderRow
    """
    found: dict[tuple[object, ...], list[WanderRow]] = {}
    for row in rows:
        found.setdefault((*row.spectrum, row.rigidity, row.mach), []).append(row)
    made = []
    for members in found.values():
        points = sorted(members, key=lambda row: row.epsilon)
        fit = _excess_fit([row.epsilon for row in points], points)
        if fit is not None:
            ends = points[0].epsilon, points[-1].epsilon
            fixed = (points[0].mach, math.nan)
            made.append(_exponent(points[0], "epsilon", fixed, "all", ends, fit))
    return made


def _excess_fit(x: Sequence[float], points: Sequence[WanderRow]) -> Power | None:
    return fit_power(x, [row.excess for row in points], [row.d_perp_err for row in points])


def _exponent(
    row: WanderRow,
    against: str,
    fixed: tuple[float, float],
    regime: str,
    ends: tuple[float, float],
    fit: Power,
) -> ExponentRow:
    quantity = "d_perp - kappa_perp"
    home = (*row.spectrum, row.rigidity, quantity, against)
    return ExponentRow(*home, *fixed, regime, *ends, *fit[:3], fit.points)
