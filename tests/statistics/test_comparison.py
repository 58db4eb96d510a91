"""Verdicts: full and singular covariances, tiny probabilities, findings."""

import math

import numpy as np
import pytest
from scipy import stats

from mcprop.comparison import (
    FLOOR,
    THRESHOLD,
    Comparison,
    ComparisonRow,
    compare,
    compare_density,
    density_row,
    dipole_row,
    gaussian_sigma,
)
from mcprop.dipole import Dipole
from mcprop.errors import RangeError
from mcprop.moments import Moments

REFERENCE = Dipole([1e-3, -5e-4, 2e-4])
LENGTH = float(np.linalg.norm(REFERENCE.vector))


def rank_covariance(rank: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(3, rank)) * 3e-5
    return root @ root.T


@pytest.mark.parametrize("dof", [1, 2, 3])
@pytest.mark.parametrize("chi2", [1e-6, 0.1, 1.0, 5.0, 30.0, 200.0])
def test_sigma_has_the_probability_of_chi2(chi2, dof):
    expected = stats.norm.isf(stats.chi2.sf(chi2, dof) / 2.0)
    assert gaussian_sigma(chi2, dof) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("dof", [1, 2, 3])
def test_sigma_beyond_the_smallest_probability(dof):
    sigmas = [gaussian_sigma(chi2, dof) for chi2 in (1e3, 1e4, 1e6)]
    assert sigmas == pytest.approx([1e3**0.5, 1e2, 1e3], rel=0.01)
    assert gaussian_sigma(0.0, dof) == 0.0


def test_sigma_of_too_many_degrees_of_freedom():
    with pytest.raises(RangeError, match="dof = 4"):
        gaussian_sigma(1.0, 4)


def sample(rng: np.random.Generator, rank: int, shift: float = 0.0) -> Dipole:
    """A run whose histories scatter along `rank` directions; `shift` in standard deviations."""
    directions = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.3, 0.0, 1.0]])[:rank]
    noise = rng.normal(size=(200, rank)) @ directions
    biased = REFERENCE.vector + shift * 0.05 * LENGTH / math.sqrt(200) * directions[0]
    return Moments.of(np.ones(200), biased + 0.05 * LENGTH * noise).dipole()


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_sigmas_are_distributed_as_they_should(rank):
    rng = np.random.default_rng(31)
    outcomes = [compare(sample(rng, rank), REFERENCE) for _ in range(500)]
    assert {outcome.dof for outcome in outcomes} == {rank}
    assert {outcome.verdict for outcome in outcomes} == {"agrees"}
    inside = np.mean([outcome.sigma < 1.0 for outcome in outcomes])
    assert abs(inside - 0.6827) < 4.0 * math.sqrt(0.6827 * 0.3173 / 500)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_planted_bias_is_caught(rank):
    rng = np.random.default_rng(32)
    outcomes = [compare(sample(rng, rank, shift=8.0), REFERENCE) for _ in range(50)]
    assert np.mean([outcome.verdict == "differs" for outcome in outcomes]) > 0.9


@pytest.mark.parametrize("rank", [1, 2])
def test_directions_without_statistics_must_agree_to_the_floor(rank):
    covariance = rank_covariance(rank, seed=33)
    null = np.linalg.eigh(covariance)[1][:, 0]
    for share, verdict in ((0.9, "agrees"), (1.1, "differs")):
        mc = Dipole(REFERENCE.vector + share * FLOOR * LENGTH * null, covariance)
        outcome = compare(mc, REFERENCE)
        assert (outcome.verdict, outcome.dof) == (verdict, rank)
        assert outcome.sigma < 0.1


def test_error_bars_below_the_floor_are_no_statistics():
    covariance = np.eye(3) * (0.1 * FLOOR * LENGTH) ** 2
    near = Dipole(REFERENCE.vector * (1.0 + 0.9 * FLOOR), covariance)
    far = Dipole(REFERENCE.vector * (1.0 + 2.0 * FLOOR), covariance)
    assert compare(near, REFERENCE).verdict == "agrees"
    assert compare(far, REFERENCE).verdict == "differs"
    assert compare(far, REFERENCE, floor=1e-6).sigma > THRESHOLD


@pytest.mark.parametrize(("off", "verdict"), [(1.3, "agrees"), (3.9, "agrees"), (9.0, "differs")])
def test_small_error_bars_count_beside_the_floor(off, verdict):
    """A direction whose error bar is just below the floor may differ by floor and error bar."""
    size = 0.9e-4 * 1e-3  # of the error, where the floor is 1e-4 of the reference
    covariance = np.diag([1e-12, 1e-12, size**2])
    measured = Dipole([1e-3, 0.0, off * size], covariance)
    assert compare(measured, Dipole([1e-3, 0.0, 0.0])).verdict == verdict


def test_what_has_no_error_is_prescribed():
    outcome = compare(REFERENCE, REFERENCE)
    assert (outcome.verdict, outcome.dof) == ("prescribed", 0)
    assert math.isnan(outcome.sigma)
    assert compare(REFERENCE.scaled(1.001), REFERENCE).verdict == "differs"


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("degrees", [30.0, 171.0])
def test_rotation_changes_nothing(rank, degrees):
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    covariance = rank_covariance(rank, seed=34)
    kick = np.linalg.eigh(covariance)[1][:, -1] * 4e-5
    mc = Dipole(REFERENCE.vector + kick, covariance)
    turned = Dipole(turn @ mc.vector, turn @ covariance @ turn.T)
    plain, other = compare(mc, REFERENCE), compare(turned, Dipole(turn @ REFERENCE.vector))
    assert other.chi2 == pytest.approx(plain.chi2, rel=1e-6)
    assert (other.dof, other.verdict) == (plain.dof, plain.verdict)


@pytest.mark.parametrize(
    ("ratio", "err", "verdict", "sigma"),
    [
        (1.02, 0.01, "agrees", 2.0),
        (0.95, 0.01, "differs", 5.0),
        (1.0 + 5e-5, 0.0, "prescribed", math.nan),
        (1.001, 0.0, "differs", math.nan),
        (1.0 + 5e-5, 1e-9, "agrees", math.nan),
        (1.001, 1e-9, "differs", math.nan),
    ],
)
def test_densities(ratio, err, verdict, sigma):
    outcome = compare_density(ratio, err)
    assert outcome.verdict == verdict
    assert outcome.sigma == pytest.approx(sigma, rel=1e-9, nan_ok=True)


def shifted(sigmas: float) -> Dipole:
    """Estimate whose 3-D difference from the reference is `sigmas` along x alone."""
    error = 0.01 * LENGTH
    return Dipole(REFERENCE.vector + sigmas * error * np.eye(3)[0], np.diag([error**2, 0, 0]))


def rows() -> list[ComparisonRow]:
    return [
        dipole_row(1e4, "nearby", "p", shifted(1.0), REFERENCE, "walk"),
        dipole_row(1e5, "nearby", "p", shifted(2.5), REFERENCE, "walk"),
        dipole_row(1e4, "nearby", "He", shifted(0.1), REFERENCE, "assisted"),
        dipole_row(1e4, "background", "p", REFERENCE, REFERENCE, "prescribed"),
        density_row(1e4, "nearby", "p", (1.01, 0.01), 1.0, "walk", "quadrature"),
        density_row(1e3, "nearby", "p", (1.0, 0.01), 0.72, "walk", "published product"),
        density_row(1e5, "nearby", "p", (1.0, 0.01), 1.25, "walk", "published product"),
        density_row(1e6, "nearby", "p", (1.0, 0.01), 1.01, "walk", "published product"),
    ]


def test_verdicts_of_rows():
    verdicts = [row.verdict for row in rows()]
    assert verdicts == ["agrees", "agrees", "assisted", "prescribed", "agrees", "finding",
                        "finding", "finding"]  # fmt: skip


@pytest.mark.parametrize(("share", "verdict"), [(0.45, "agrees"), (0.55, "inconclusive")])
def test_agreement_without_power_is_inconclusive(share, verdict):
    """An error of half the reference cannot tell it from its opposite at 4 sigma."""
    along = np.outer(REFERENCE.vector, REFERENCE.vector) * share**2
    noisy = Dipole(REFERENCE.vector, along)
    assert dipole_row(1e4, "nearby", "p", noisy, REFERENCE, "analog").verdict == verdict
    opposite = dipole_row(1e4, "nearby", "p", Dipole(-noisy.vector, along), REFERENCE, "analog")
    assert opposite.sigma == pytest.approx(2.0 / share)
    assert (opposite.verdict == "differs") == (verdict == "agrees")


def test_an_assisted_estimator_may_still_differ():
    row = dipole_row(1e4, "nearby", "p", shifted(9.0), REFERENCE, "assisted")
    assert row.verdict == "differs"
    assert row.sigma == pytest.approx(9.0)


def test_row_of_dipoles_says_how_far_apart_they_are():
    row = rows()[1]
    assert row.difference == pytest.approx(row.mc - row.expected)
    cosine = shifted(2.5).vector @ REFERENCE.vector
    cosine /= np.linalg.norm(shifted(2.5).vector) * LENGTH
    assert row.separation == pytest.approx(math.degrees(math.acos(cosine)), rel=1e-9)
    assert math.isnan(rows()[4].separation)


def test_sentence_of_verdict():
    comparison = Comparison(rows())
    assert comparison.agrees
    assert comparison.worst == rows()[1]
    assert comparison.verdict == (
        "Monte Carlo and reference agree in all 3 tests: the largest deviation is 2.5 sigma "
        "(nearby dipole, p, 1e+05 GeV; threshold 4 sigma). "
        "1 assisted row agrees as well, which proves nothing. "
        "1 row is prescribed, not transported. "
        "Finding: the published product of the nearby density (p) is off by "
        "-28.0 +- 0.7 % at 1000 GeV, +25.0 +- 1.2 % at 1e+05 GeV."
    )


def test_sentence_when_something_differs():
    differing = dipole_row(1e6, "centre", "p", shifted(7.0), REFERENCE, "walk")
    comparison = Comparison([*rows(), differing])
    assert not comparison.agrees
    assert "DIFFER in 1 of 4 tests: the largest deviation is 7.0 sigma (centre" in (
        comparison.verdict
    )
    exact = density_row(1e6, "centre", "p", (1.1, 0.0), 1.0, "walk")
    assert "-0.091, in a direction without an error bar" in Comparison([exact]).verdict
    assert Comparison().verdict == "Nothing was compared."
    assert Comparison().worst is None


def test_table_round_trip():
    comparison = Comparison(rows())
    table = comparison.table()
    assert (str(table["energy"].unit), str(table["separation"].unit)) == ("GeV", "deg")
    back = Comparison.from_table(table)
    assert repr(back) == repr(comparison)
    assert back.rows[1] == comparison.rows[1]
    assert len(Comparison.from_table(Comparison().table())) == 0


def test_table_in_text_has_a_line_for_each_row():
    lines = repr(Comparison(rows())).splitlines()
    assert len(lines) == len(rows()) + 2
    assert "finding (published product)" in lines[6]


def test_density_needs_a_reference():
    with pytest.raises(RangeError, match="is zero"):
        density_row(1e4, "nearby", "p", (1.0, 0.1), 0.0, "walk")
