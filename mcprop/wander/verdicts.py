"""Which law holds where: fits of powers, and the rule by which a law counts as followed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mcprop.wander.tables import LAWS, ExponentRow, WanderRow

FOLLOWS, FAILS, UNDECIDED = "follows", "fails", "undecided"
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
            f" are more than {100 * BLUNT:g} % of it."
        )

    def judge(self, value: float, error: float, law: float) -> str:
        """Whether a measured value follows a law.

        Parameters
        ----------
        value, error : float
            Mean and its standard deviation.
        law : float
            What is expected, in the same unit.

        Returns
        -------
        str
            "follows", "fails" or "undecided".
        """
        if not (math.isfinite(value) and math.isfinite(error) and error >= 0.0):
            return UNDECIDED
        reach = self.sigma * error
        if abs(value - law) > reach + self.tolerance * abs(law):
            return FAILS
        return UNDECIDED if reach > BLUNT * abs(law) else FOLLOWS


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
    """Verdict on each law at one case; law to "follows", "fails" or "undecided".

    Parameters
    ----------
    row : WanderRow
    rule : Rule
    """
    return {
        law: rule.judge(row.d_perp, law_error(row, law), float(getattr(row, law))) for law in LAWS
    }


def law_error(row: WanderRow, law: str) -> float:
    """Error of d_perp next to a law [pc2/yr], with that of d_parallel where the law is made of it.

    The ratio's error knows that both come from the same walks.
    """
    return row.d_perp_err if law == "isotropic" else row.ratio_err * row.d_parallel


def needed_epsilon(law: Callable[[float], float], wanted: float) -> float | None:
    """Epsilon at which a law of epsilon, growing with it, has a wanted value.

    Parameters
    ----------
    law : callable
        D_perp / kappa_parallel by epsilon.
    wanted : float
        Value of the law.

    Returns
    -------
    float or None
        None if even epsilon = 1e-30 gives more, or epsilon = 1 less.
    """
    low, high = -30.0, 0.0
    if not law(10.0**low) <= wanted <= law(1.0):
        return None
    for _ in range(200):
        middle = 0.5 * (low + high)
        if law(10.0**middle) < wanted:
            low = middle
        else:
            high = middle
    return float(10.0 ** (0.5 * (low + high)))


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


MACH_RANGES = {"weak": (0.0, 0.3), "strong": (0.3, 1.0), "all": (0.0, math.inf)}
"""Ranges of the Mach number in which a power is fitted; ends included."""


def mach_exponents(rows: Iterable[WanderRow]) -> list[ExponentRow]:
    """Fit d_perp - kappa_perp ~ mach^a for each spectrum, rigidity and epsilon, in three ranges.

    Parameters
    ----------
    rows : iterable of WanderRow
    """
    made = []
    for group in groups(rows):
        for regime, (low, high) in MACH_RANGES.items():
            points = [row for row in group.rows if low <= row.mach <= high]
            fit = _excess_fit([row.mach for row in points], points)
            if fit is not None:
                ends = points[0].mach, points[-1].mach
                fixed = (math.nan, group.key[-1])
                made.append(_exponent(group.rows[0], "mach", fixed, regime, ends, fit))
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
