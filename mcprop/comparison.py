"""Monte Carlo against formula: differences in standard deviations, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mcprop.dipole import Dipole
from mcprop.errors import RangeError
from mcprop.findings import findings

if TYPE_CHECKING:
    from astropy.table import Table

THRESHOLD = 4.0
"""Standard deviations beyond which a Monte Carlo result differs from its reference."""
FLOOR = 1e-4
"""Numerical floor relative to the reference, above the truncation of the finite differences."""
RANK = 1e-9
"""Eigenvalues of a covariance below this fraction of the largest carry no statistics."""

_APPROXIMATE = ("published product", "first order boost", "unbounded-field formula")
"""References that are known to be off; by how much is a finding, not a test."""
POWER = 0.5
"""An error above this share of the reference cannot tell it from its opposite."""
_UNITS = {"energy": "GeV", "separation": "deg"}


class Outcome(NamedTuple):
    """Outcome of one comparison.

    chi2 : float and dof : int, of the directions that the statistics determine; sigma : float,
    the two-sided Gaussian equivalent of their probability (NaN without statistics); verdict : str,
    "agrees", "differs" or "prescribed".
    """

    chi2: float
    dof: int
    sigma: float
    verdict: str


def gaussian_sigma(chi2: float, dof: int) -> float:
    """Two-sided Gaussian equivalent of a chi-square, also where the probability underflows.

    Parameters
    ----------
    chi2 : float
    dof : int
        1, 2 or 3.

    Returns
    -------
    float
        Standard deviations; sqrt(chi2) for one degree of freedom.
    """
    from scipy.special import log_ndtr, ndtri_exp

    if dof not in (1, 2, 3):
        raise RangeError(f"dof = {dof} must be 1, 2 or 3.")
    if dof == 1:
        return math.sqrt(chi2)
    log_p = -chi2 / 2.0
    if dof == 3 and chi2 > 0.0:
        one = math.log(2.0) + float(log_ndtr(-math.sqrt(chi2)))
        log_p = float(np.logaddexp(one, 0.5 * math.log(2.0 * chi2 / math.pi) - chi2 / 2.0))
    return abs(float(ndtri_exp(min(log_p, 0.0) - math.log(2.0))))


def compare(mc: Dipole, reference: Dipole, floor: float = FLOOR) -> Outcome:
    """Compare two independent dipoles as vectors.

    The covariance of the difference may be singular: a density that varies along one axis only
    gives every history a score along one and the same vector. Only eigen-directions with a
    variance enter chi2; along the others the difference must stay below the numerical floor (plus
    `THRESHOLD` times what little error they have).

    Parameters
    ----------
    mc : Dipole
        Monte Carlo result.
    reference : Dipole
        Usually a formula, with zero covariance.
    floor : float
        Largest harmless difference relative to the length of the reference.

    Returns
    -------
    Outcome
    """
    difference = mc.vector - reference.vector
    values, vectors = np.linalg.eigh(mc.covariance + reference.covariance)
    largest = max(float(values[-1]), 0.0)
    limit = floor * max(float(np.linalg.norm(reference.vector)), math.sqrt(largest))
    along = vectors.T @ difference
    # an error bar below the floor says nothing about a difference below the floor
    statistical = values > max(RANK * largest, limit**2)
    allowed = limit + THRESHOLD * np.sqrt(np.clip(values[~statistical], 0.0, None))
    exact_agrees = bool(np.all(np.abs(along[~statistical]) <= allowed))
    if largest == 0.0:
        return Outcome(0.0, 0, math.nan, "prescribed" if exact_agrees else "differs")
    dof = int(statistical.sum())
    chi2 = float(np.sum(along[statistical] ** 2 / values[statistical]))
    sigma = gaussian_sigma(chi2, dof) if dof else math.nan
    differs = sigma > THRESHOLD or not exact_agrees
    return Outcome(chi2, dof, sigma, "differs" if differs else "agrees")


def compare_density(ratio: float, err: float, floor: float = FLOOR) -> Outcome:
    """Compare a density with its reference.

    Parameters
    ----------
    ratio : float
        Monte Carlo over reference.
    err : float
        Standard deviation of the ratio.
    floor : float
        Largest harmless deviation of the ratio from 1.

    Returns
    -------
    Outcome
    """
    small = abs(ratio - 1.0) <= floor + THRESHOLD * err
    if err == 0.0:
        return Outcome(0.0, 0, math.nan, "prescribed" if small else "differs")
    if err < floor:
        return Outcome(0.0, 0, math.nan, "agrees" if small else "differs")
    sigma = abs(ratio - 1.0) / err
    return Outcome(sigma * sigma, 1, sigma, "differs" if sigma > THRESHOLD else "agrees")


@dataclass(frozen=True)
class ComparisonRow:
    """One line of the comparison table.

    Parameters
    ----------
    energy : float
        Total energy [GeV].
    component, species : str
    quantity : str
        "dipole" or "density"; "gradient across" a field that fills a sphere, per that far away.
    estimator : str
        Which Monte Carlo estimator the result rests on.
    reference : str
        What the result is held against: "formula", "quadrature", "exact boost", the first two
        "and exact boost" for the total, "grid", "full step", "longer leg"; approximations:
        "published product", "first order boost", "unbounded-field formula".
    mc, expected : float
        Equatorial amplitudes, or densities.
    difference, error : float
        Of these two numbers.
    separation : float
        Angle between the two dipoles [deg]; NaN for densities.
    chi2, dof, sigma, verdict
        See `Outcome`; for dipoles they judge the whole vector. Verdicts besides those of `Outcome`:
        "finding" (how far off a reference is that is known to be an approximation),
        "assisted" (agreement of an estimator that contains the formula, hence no proof) and
        "inconclusive" (agreement within an error of half the reference or more, or so few
        histories that the error bar cannot be trusted).
    """

    energy: float
    component: str
    species: str
    quantity: str
    estimator: str
    reference: str
    mc: float
    expected: float
    difference: float
    error: float
    separation: float
    chi2: float
    dof: int
    sigma: float
    verdict: str

    @property
    def offset(self) -> float:
        """By how much the reference is off, relative to the Monte Carlo result."""
        return self.expected / self.mc - 1.0 if self.mc else math.nan

    @property
    def offset_err(self) -> float:
        """Standard deviation of `offset`."""
        return abs(self.expected / self.mc) * self.error / abs(self.mc) if self.mc else math.inf

    @property
    def place(self) -> str:
        """Where in the table the row stands, in words."""
        return f"{self.component} {self.quantity}, {self.species}, {self.energy:.4g} GeV"


def _final_verdict(verdict: str, estimator: str, reference: str) -> str:
    if reference in _APPROXIMATE:
        return "finding"
    if verdict == "agrees" and estimator == "assisted":
        return "assisted"
    return verdict


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    """Angle between two vectors [deg], accurate near 0 and 180 as well."""
    cross = float(np.linalg.norm(np.cross(first, second)))
    return math.degrees(math.atan2(cross, float(first @ second)))


def dipole_row(
    energy: float,
    component: str,
    species: str,
    mc: Dipole,
    expected: Dipole,
    estimator: str,
    reference: str = "formula",
    floor: float = FLOOR,
) -> ComparisonRow:
    """Row that compares two dipoles; parameters as in `ComparisonRow` and `compare`."""
    test = compare(mc, expected, floor)
    error = math.hypot(mc.amplitude_err, expected.amplitude_err)
    verdict = _final_verdict(test.verdict, estimator, reference)
    largest = float(np.linalg.eigvalsh(mc.covariance + expected.covariance)[-1])
    if verdict == "agrees" and largest > (POWER * float(np.linalg.norm(expected.vector))) ** 2:
        verdict = "inconclusive"
    return ComparisonRow(
        energy, component, species, "dipole", estimator, reference,
        mc.amplitude, expected.amplitude, mc.amplitude - expected.amplitude, error,
        _angle(mc.vector, expected.vector), test.chi2, test.dof, test.sigma, verdict,
    )  # fmt: skip


def density_row(
    energy: float,
    component: str,
    species: str,
    mc: tuple[float, float],
    expected: float,
    estimator: str,
    reference: str = "formula",
    floor: float = FLOOR,
) -> ComparisonRow:
    """Row that compares a density and its standard deviation `mc` with an exact one."""
    if not expected:
        raise RangeError(f"The reference density of {component}, {species} is zero.")
    density, std_dev = mc
    test = compare_density(density / expected, std_dev / abs(expected), floor)
    verdict = _final_verdict(test.verdict, estimator, reference)
    if verdict == "agrees" and std_dev > POWER * abs(expected):
        verdict = "inconclusive"
    return ComparisonRow(
        energy, component, species, "density", estimator, reference, density, expected,
        density - expected, std_dev, math.nan, test.chi2, test.dof, test.sigma, verdict,
    )  # fmt: skip


@dataclass(repr=False)
class Comparison:
    """All comparisons of a run.

    Parameters
    ----------
    rows : list of ComparisonRow
    """

    rows: list[ComparisonRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[ComparisonRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, *verdicts: str) -> list[ComparisonRow]:
        """Rows with one of the verdicts."""
        return [row for row in self.rows if row.verdict in verdicts]

    @property
    def agrees(self) -> bool:
        """Whether no row differs."""
        return not self.of("differs")

    @property
    def worst(self) -> ComparisonRow | None:
        """Row of a test that is furthest from agreement; None without a test."""
        tests = self.of("agrees", "differs")
        return max(tests, key=_badness) if tests else None

    @property
    def verdict(self) -> str:
        """What the table says, in a few sentences."""
        said = [self._verdict_of_tests()]
        if assisted := len(self.of("assisted")):
            verb = "agrees" if assisted == 1 else "agree"
            said.append(f"{_count(assisted, 'assisted row')} {verb} as well, which proves nothing.")
        if open_ := len(self.of("inconclusive")):
            verb = "is" if open_ == 1 else "are"
            said.append(
                f"{_count(open_, 'row')} {verb} inconclusive: too few histories for an error bar "
                "that is small and can be trusted."
            )
        if prescribed := len(self.of("prescribed")):
            verb = "is" if prescribed == 1 else "are"
            said.append(f"{_count(prescribed, 'row')} {verb} prescribed, not transported.")
        return " ".join([*said, *findings(self.of("finding"))])

    def _verdict_of_tests(self) -> str:
        worst = self.worst
        if worst is None:
            return "Nothing was compared."
        differing, tests = len(self.of("differs")), len(self.of("agrees", "differs"))
        margin = (
            f"{worst.sigma:.1f} sigma"
            if worst.sigma > (THRESHOLD if worst.verdict == "differs" else 0.0)
            else f"{worst.offset:+.2g}, in a direction without an error bar"
        )
        tail = f"the largest deviation is {margin} ({worst.place}; threshold {THRESHOLD:g} sigma)."
        if differing:
            return f"Monte Carlo and reference DIFFER in {differing} of {tests} tests: {tail}"
        clear = "conclusive " if self.of("inconclusive") else ""
        number = f"all {tests} {clear}tests" if tests > 1 else f"the one {clear}test"
        return f"Monte Carlo and reference agree in {number}: {tail}"

    def table(self) -> Table:
        """Return the rows as an astropy Table; its columns are the fields of `ComparisonRow`."""
        from astropy.table import Table

        names = [item.name for item in fields(ComparisonRow)]
        if not self.rows:
            return Table(names=names, dtype=[_DTYPES.get(name, "f8") for name in names])
        table = Table(rows=[asdict(row) for row in self.rows], names=names)
        for name, unit in _UNITS.items():
            table[name].unit = unit
        return table

    @classmethod
    def from_table(cls, table: Table) -> Comparison:
        """Rebuild from what `table` returned."""
        return cls([ComparisonRow(**_plain(row)) for row in table])

    def __repr__(self) -> str:
        head = f"{'energy':>10}  {'component':<15} {'species':<7} {'quantity':<8} {'estimator':<9}"
        lines = [f"{head} {'mc':>10} {'reference':>10} {'sigma':>6}  verdict (reference)"]
        for row in self.rows:
            lines.append(
                f"{row.energy:10.4g}  {row.component:<15} {row.species:<7} {row.quantity:<8} "
                f"{row.estimator:<9} {row.mc:10.4g} {row.expected:10.4g} {row.sigma:6.2f}  "
                f"{row.verdict} ({row.reference})"
            )
        return "\n".join([*lines, self.verdict])


_DTYPES = dict.fromkeys(
    ["component", "species", "quantity", "estimator", "reference", "verdict"], "U1"
) | {"dof": "i8"}


def _plain(row: Any) -> dict[str, Any]:
    """Values of a table row as Python's own types."""
    return {name: row[name].item() for name in row.colnames}


def _badness(row: ComparisonRow) -> tuple[bool, float]:
    return row.verdict == "differs", row.sigma if row.sigma == row.sigma else 0.0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
