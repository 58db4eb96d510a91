"""Which law holds where: the rule, the fits and the text, on tables whose law is known."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from mcprop.wander_study import figures, tables
from mcprop.wander_study.estimates import controlled, exponent_between, jackknife, ratio_of
from mcprop.wander_study.measure import growth
from mcprop.wander_study.plan import isotropic_law
from mcprop.wander_study.summary import summary_text
from mcprop.wander_study.tables import ExponentRow, HalvingRow, WanderRow
from mcprop.wander_study.verdicts import (
    LINES,
    UNSETTLED,
    Rule,
    epsilon_exponents,
    fit_power,
    is_settled,
    judged,
    law_error,
    line_exponents,
    mach_exponents,
)
from mcprop.wander_study.xue_liu import crossing_of, needed_epsilon
from mcprop.wandering.realisations import estimate

MACH = (0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0)
EPSILON = (1e-4, 1e-3, 1e-2)
KAPPA = 2.1  # pc2/yr
MANY = 10**6
"""Realisations from which Student's t is a Gaussian."""


def planted(law, rel_err=0.02, seed=3, along=0.97, drift=0.0, geometry="isotropic", count=MANY):
    """Rows of a scan in which D_perp is law(epsilon, mach, D_parallel) within the error bars.

    Later on what wandering adds is 1 + drift of it.
    """
    noise, later_noise = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    rows = []
    for epsilon in EPSILON:
        for mach in MACH:
            d_parallel = along * KAPPA
            true = law(epsilon, mach, d_parallel)
            error = rel_err * true
            d_perp = true + error * noise.normal()
            ratio, ratio_err = d_perp / d_parallel, error / d_parallel
            later = drift * (true - epsilon * KAPPA) + error * later_noise.normal()
            known = {
                "geometry": geometry, "slope": 5 / 3, "longest": 100.0, "shortest": 20.0,
                "rigidity": 1e4, "mach": mach, "epsilon": epsilon, "epsilon_from": "number",
                "kappa_parallel": KAPPA, "kappa_perp": epsilon * KAPPA, "d_parallel": d_parallel,
                "d_parallel_err": 0.01 * d_parallel, "d_perp": d_perp, "d_perp_err": error,
                "drift": later, "drift_err": error, "ratio": ratio, "ratio_err": ratio_err,
                "mach_two": mach**2 * d_parallel, "mach_four": mach**4 * d_parallel,
                "isotropic": KAPPA * isotropic_law(epsilon, mach),
                "realisations": count, "walk": len(rows),
            }  # fmt: skip
            if geometry != "isotropic":
                known["isotropic"] = math.nan
            rows.append(WanderRow(**(dict.fromkeys(WanderRow._fields, 1.0) | known)))
    return rows


def said(rows, rule=None):
    powers = mach_exponents(rows) + epsilon_exponents(rows)
    return summary_text(rows, powers, [], rule or Rule(), isotropic_law)


def isotropic(epsilon, mach, d_parallel):
    return KAPPA * isotropic_law(epsilon, mach)


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (1.0, 0.01, "follows"),
        (1.09, 0.0, "follows"),  # the tolerance alone
        (1.11, 0.0, "fails"),
        (1.12, 0.01, "follows"),  # tolerance and 3 standard deviations
        (1.14, 0.01, "fails"),
        (0.86, 0.01, "fails"),
        (1.0, 0.16, "follows"),
        (1.0, 0.17, "undecided"),  # too blunt to say so
        (3.0, 0.5, "fails"),
        (1.0, math.nan, "undecided"),
        (math.nan, 0.1, "undecided"),
    ],
)
def test_the_rule(value, error, verdict):
    assert Rule(0.1, 3.0).judge(value, error, 1.0, MANY) == verdict
    assert Rule(0.1, 3.0).judge(7.0 * value, 7.0 * error, 7.0, MANY) == verdict


def test_error_bars_of_few_realisations_reach_as_far_as_they_must():
    """How often means of Gaussian numbers are off by chance."""
    rule, noise = Rule(0.0, 2.0), np.random.default_rng(12)
    wanted, trials = 2.0 * stats.norm.sf(2.0), 20_000
    for count in (3, 5, 20):
        found = estimate(noise.normal(size=(count, trials)))
        off = np.sum(np.abs(found.value) > rule.reach(1.0, count) * found.error)
        assert stats.binomtest(int(off), trials, wanted).pvalue > 1e-4
        # as many standard deviations of a Gaussian would be noticed
        off = np.sum(np.abs(found.value) > 2.0 * found.error)
        assert stats.binomtest(int(off), trials, wanted).pvalue < 1e-4
    row = planted(isotropic, count=3)[1]
    assert judged(row, Rule())["isotropic"] == "undecided"
    assert judged(row._replace(realisations=MANY), Rule())["isotropic"] == "follows"
    assert "scatter of 3 realisations" in said([row])
    assert "as many as 3 of a Gaussian are 19.2 of them" in said([row])
    assert "Warning: with less than 8 realisations" in said([row])
    assert "Warning" not in said([row._replace(realisations=8)])


def msd_rows(squares, windows=6.0):
    """Cases whose mean square is squares(time), as a walk in windows measures it."""
    times = np.arange(1, round(4 * windows) + 1) / 4.0
    exact = np.broadcast_to(squares(times), (1, len(times)))
    d_perp = float(growth(exact, 1.0, 1.0, 2.0)[0])
    drift = float(growth(exact, 1.0, 2.0, 4.0)[0]) - d_perp
    changes = {"d_perp": d_perp, "drift": drift, "d_perp_err": 0.02 * d_perp}
    changes |= {"isotropic": d_perp, "mach_two": d_perp, "ratio_err": 0.02 * d_perp / KAPPA}
    changes |= {"drift_err": 0.03 * d_perp, "kappa_perp": 0.0}
    return [row._replace(**changes) for row in planted(isotropic)[:7]]


def test_what_does_not_diffuse_follows_no_law():
    """Mean squares of slab turbulence, by whatever name: they grow as the root of time."""
    slab = msd_rows(lambda t: 2.0 * np.sqrt(t))
    ratio = (2.0 - math.sqrt(2.0)) / 2.0 / (math.sqrt(2.0) - 1.0)
    assert slab[0].drift / slab[0].d_perp == pytest.approx(ratio - 1.0)
    for row in slab:
        assert not is_settled(row, Rule())
        assert set(judged(row, Rule()).values()) == {UNSETTLED}
    text = said(slab)
    assert "followed" not in text.split("\n\n", 2)[2]
    assert f"{UNSETTLED} at M_A = 0.05, 0.1" in text
    assert "not yet diffusive in 7" in text
    # the same growth on top of a diffusion, however strong, and one that is faster
    for added in (100.0, 1e4):
        mixed = msd_rows(lambda t, a=added: 2.0 * np.sqrt(t) + 2.0 * a * t)[0]
        mixed = mixed._replace(kappa_perp=added, d_perp_err=0.01, drift_err=0.01)
        assert not is_settled(mixed, Rule())
    assert not is_settled(msd_rows(lambda t: t**1.5)[0], Rule())
    # what diffuses is judged, whatever it started with; not if no one looked
    diffusive = msd_rows(lambda t: 2.0 * t + 3.0)
    assert all(judged(row, Rule())["isotropic"] == "follows" for row in diffusive)
    short = msd_rows(lambda t: 2.0 * t, 2.0)[0]
    assert math.isnan(short.drift)
    assert not is_settled(short, Rule())
    assert "monte_carlo.windows = 4 or more does" in said([short])


@pytest.mark.parametrize("geometry", ["slab", "2d"])
def test_turbulence_without_a_diffusive_limit_is_never_judged(geometry):
    def second(epsilon, mach, d_parallel):
        return mach**2 * d_parallel

    rows = planted(second, geometry=geometry)
    verdicts = [judged(row, Rule()) for row in rows]
    assert all(found == dict.fromkeys(("mach_two", "mach_four"), UNSETTLED) for found in verdicts)
    text = said(rows)
    assert text.count("there is no diffusive limit") == len(EPSILON)
    assert "grows as M_A" not in text
    # while others with such numbers are, by the laws that are meant for them
    other = judged(planted(second, geometry="composite")[0], Rule())
    assert other == {"mach_two": "follows", "mach_four": "fails"}


def test_the_isotropic_law_is_of_isotropic_turbulence():
    rows = planted(isotropic, geometry="strong-range")
    text = said(rows)
    assert "kappa_perp + (pi/8)" not in text
    assert "nan" not in text
    assert 'M_A of "strong-range" is that of the injection' in text
    assert 'M_A of "strong-range"' not in said(planted(isotropic))


def test_the_isotropic_law_is_not_met_where_nothing_wanders():
    rows = planted(lambda epsilon, mach, d_parallel: epsilon * KAPPA)
    found = [judged(row, Rule())["isotropic"] for row in rows]
    assert found.count("follows") == 0
    assert found.count("fails") > 5
    text = said(rows)
    assert "kappa_parallel): met in 0" in text
    assert "The isotropic law is met up to" not in text
    # D_perp itself would be hit in many cases
    close = [abs(row.d_perp - row.isotropic) < 0.16 * row.isotropic for row in rows]
    assert sum(close) > 5


def test_a_law_made_of_d_parallel_is_judged_by_the_error_of_the_ratio():
    """Where the ratio is known ten times worse than d_perp, and ten times better."""
    row = planted(lambda epsilon, mach, d_parallel: 1.15 * mach**2 * d_parallel)[3]
    for ratio_err, verdict in ((0.1 * row.ratio, "follows"), (0.001 * row.ratio, "fails")):
        other = row._replace(ratio_err=ratio_err, isotropic=row.mach_two, d_perp_err=0.01)
        assert law_error(other, "mach_two") == pytest.approx(ratio_err * row.d_parallel)
        assert law_error(other, "mach_four") == pytest.approx(ratio_err * row.d_parallel)
        assert law_error(other, "isotropic") == 0.01
        assert judged(other, Rule())["mach_two"] == verdict


def test_a_planted_fourth_power_is_found_and_no_other():
    rows = planted(lambda epsilon, mach, d_parallel: mach**4 * d_parallel)
    verdicts = [judged(row, Rule()) for row in rows]
    assert all(verdict["mach_four"] == "follows" for verdict in verdicts)
    # at M_A = 1 the two powers meet
    assert all(
        verdict["mach_two"] == "fails"
        for row, verdict in zip(rows, verdicts, strict=True)
        if row.mach < 1.0
    )
    text = said(rows)
    assert text.count("D_perp = M^4 D_parallel: followed from M_A = 0.05 to 1") == len(EPSILON)
    assert text.count("D_perp = M^2 D_parallel: crossed at M_A = 1") == len(EPSILON)
    assert "D_perp = M^4 D_parallel: met in 21, missed in 0, undecided in 0" in text
    at_xue_liu = text[text.index("Xue & Liu") : text.index("In all")]
    assert "isotropic law" not in at_xue_liu
    assert at_xue_liu.count(" met ") == len(EPSILON)
    assert " missed " not in at_xue_liu
    # kappa_perp is no part of this law, so the excess is the fourth power at small epsilon alone
    fit = next(p for p in mach_exponents(rows) if p.epsilon == 1e-4 and p.regime == "strong")
    assert abs(fit.exponent - 4.0) < 4.0 * fit.exponent_err + 0.05


def test_a_planted_second_power_is_found_and_no_other():
    text = said(planted(lambda epsilon, mach, d_parallel: mach**2 * d_parallel))
    assert text.count("D_perp = M^2 D_parallel: followed from M_A = 0.05 to 1") == len(EPSILON)
    assert "D_perp = M^2 D_parallel: met in 21, missed in 0, undecided in 0" in text
    assert "D_perp = M^4 D_parallel: met in 3, missed in 18" in text


def test_the_isotropic_law_is_found_with_its_powers():
    rows = planted(isotropic)
    text = said(rows)
    told = "D_perp = kappa_perp + (pi/8) M^2 sqrt(kappa_perp kappa_parallel): followed from M_A"
    # what weak fields add is too little to be seen
    assert text.count(f"{told} = 0.1 to 1, undecided at M_A = 0.05\n") == 1
    assert text.count(f"{told} = 0.2 to 1, undecided at M_A = 0.05, 0.1\n") == 2
    assert text.count("D_perp = M^2 D_parallel: followed") == 0
    assert text.count("D_perp = M^4 D_parallel: followed") == 0
    assert "sqrt(epsilon) = 100, missed nowhere; undecided at 0.025, 0.0791, 0.1, " in text
    assert re.search(r"kappa_perp, grows as M_A\^\((1.9[5-9]|2.0[0-5]) .* 3 fits, chi2", text)
    assert re.search(r"kappa_perp, grows as epsilon\^\(0.(4[5-9]|5[0-5]) .* 7 fits, chi2", text)
    for power in mach_exponents(rows):
        assert abs(power.exponent - 2.0) < 4.0 * power.exponent_err
    for power in epsilon_exponents(rows):
        assert abs(power.exponent - 0.5) < 4.0 * power.exponent_err


def test_a_law_of_none_of_them_is_told_as_such():
    rows = planted(lambda epsilon, mach, d_parallel: 0.3 * d_parallel * mach**0.5)
    text = said([row for row in rows if row.mach <= 0.2])
    assert text.count("none of the three laws is followed anywhere in this range") == len(EPSILON)


def test_blunt_error_bars_decide_nothing():
    text = said(planted(isotropic, rel_err=0.5))
    assert "followed from" not in text
    assert "nowhere as far as can be told, undecided at M_A = 0.05, 0.1" in text
    assert "is followed anywhere" not in text
    assert "The isotropic law is met up to" not in text


def test_where_the_isotropic_law_ends_is_told():
    def grows(epsilon, mach, d_parallel):
        strength = mach**2 / math.sqrt(epsilon)
        return isotropic(epsilon, mach, d_parallel) * (1.0 if strength < 5.0 else 2.0)

    text = said(planted(grows))
    # of the cases, 0.2^2/sqrt(1e-4) = 4 is the strongest below 5, 0.7^2/sqrt(1e-2) = 4.9 too
    strong = sum(row.mach**2 / math.sqrt(row.epsilon) > 5.0 for row in planted(grows))
    beyond = f"missed first at 6.4, and from there on in {strong} of {strong} walks"
    assert f"M_A^2/sqrt(epsilon) = 4.9, {beyond}" in text
    # a case met by chance beyond, an undecided one, another spectrum
    lucky = [
        row._replace(d_perp=row.isotropic) if (row.mach, row.epsilon) == (1.0, 1e-4) else row
        for row in planted(grows)
    ]
    assert f"from there on in {strong - 1} of {strong} walks" in said(lucky)
    rows = planted(isotropic)
    blunt = [
        row._replace(d_perp_err=row.d_perp) if (row.mach, row.epsilon) == (0.2, 1e-4) else row
        for row in rows
    ]
    assert re.search(r"= 100, missed nowhere; undecided at .*, 4\n", said(blunt))
    other = [row._replace(slope=1.5, walk=row.walk + 100, d_perp=2.0 * row.d_perp) for row in rows]
    text = said(rows + other)
    assert "walks of isotropic 1.67 20-100 pc" in text
    assert "sqrt(epsilon) = 100, missed nowhere" in text
    assert text.count("The isotropic law is met up to") == 1


def test_the_epsilon_that_would_be_needed():
    # x^2 + (pi/8) M^2 x = M^4 for x = sqrt(epsilon)
    half = math.pi / 16 * 0.01
    expected = (math.sqrt(half**2 + 1e-4) - half) ** 2
    found = needed_epsilon(lambda epsilon: isotropic_law(epsilon, 0.1), 1e-4)
    assert found == pytest.approx(expected, rel=1e-9)
    assert needed_epsilon(lambda epsilon: 1.0 + epsilon, 1e-4) is None
    text, law = said(planted(isotropic)), f"gives M_A^4 at epsilon = {expected:.3g}"
    assert law in text
    assert "kappa_perp itself is 68 % of D_perp: the fourth power is then" in text
    assert law not in said(planted(lambda *case: 2.0 * isotropic(*case)))
    assert law not in said(planted(isotropic, geometry="composite"))

    # measured: between the points of the scan, where D_perp = 0.5 epsilon D_parallel
    rows = planted(lambda epsilon, mach, d_parallel: 0.5 * epsilon * d_parallel, rel_err=1e-3)
    assert "epsilon = 2.00e-04 +- 2e-07 would give M_A^4" in said(rows)
    low = [row for row in planted(isotropic) if row.epsilon > 1e-4]
    assert "every epsilon that was run gives more: less than 0.001 is needed" in said(low)
    unsure = [row._replace(ratio_err=row.ratio) for row in low]
    assert "run gives more, but 0.001 not clearly: it may be what is needed" in said(unsure)
    # and so is the part of kappa_perp there
    rows = planted(lambda epsilon, mach, d_parallel: 4.0 * epsilon * d_parallel, along=0.8)
    rows = [
        row._replace(epsilon=0.1 * row.epsilon, kappa_perp=0.1 * row.kappa_perp) for row in rows
    ]
    at_tenth = [row._replace(drift=0.0) for row in rows if row.mach == 0.1]
    found = crossing_of(at_tenth, 4e-4)
    assert abs(found.epsilon - 1e-5) < 4.0 * found.epsilon_err
    assert abs(found.part - 1.0 / 32.0) < 4.0 * found.part_err
    assert crossing_of(at_tenth, 1.0) is None


def test_field_lines_have_powers_of_their_own():
    spectrum = ("strong-range", 5 / 3, 100.0, 0.5)
    points = [(mach, 4.7 * mach**4, 0.05 * mach**4) for mach in (0.5, 0.1, 0.2)]
    rows = line_exponents(spectrum, points)
    assert [(row.quantity, row.regime, row.low, row.high) for row in rows] == [
        (LINES, "weak", 0.1, 0.2), (LINES, "all", 0.1, 0.5),
    ]  # fmt: skip
    for row in rows:
        assert row.exponent == pytest.approx(4.0, abs=1e-6)
    scan = planted(isotropic, geometry="strong-range")
    text = summary_text(scan, rows, [], Rule(), isotropic_law)
    assert "d_lines by height ~ mach^(4.00 +- 0.01) from 0.1 to 0.5, through 3 points" in text
    assert text.count(", as M_A^4") == 2
    assert "grows as M_A" not in text
    # ranges that hold the same points are one
    assert len(line_exponents(spectrum, points[1:])) == 1


@pytest.mark.parametrize(
    ("exponent", "error", "realisations", "like"),
    [
        (1.94, 0.04, 20, "as M_A^2"),
        (3.98, 0.03, 20, "as M_A^4"),
        (3.0, 0.1, 20, "neither M_A^2 nor M_A^4"),
        # both are within reach: the fourth power alone is not blunt, both are not, both are
        (2.02, 0.36, 8, "too uncertain to tell M_A^2 from M_A^4"),
        (3.0, 0.6, MANY, "too uncertain to tell M_A^2 from M_A^4"),
        (3.0, 0.3, MANY, "too uncertain to tell M_A^2 from M_A^4"),
        (3.0, 2.0, MANY, "too uncertain to tell M_A^2 from M_A^4"),
        # one of them is, but so is much else
        (1.0, 0.4, MANY, "not M_A^4, but too uncertain to be called M_A^2"),
        (5.9, 0.7, MANY, "not M_A^2, but too uncertain to be called M_A^4"),
    ],
)
def test_one_power_is_named_only_if_the_others_are_ruled_out(exponent, error, realisations, like):
    rows = planted(isotropic, count=realisations)
    ends, held = (0.1, 0.3), (math.nan, LINES, "mach", math.nan, math.nan)
    power = ExponentRow(*rows[0].spectrum, *held, "all", *ends, exponent, error, 0.0, 2)
    text = summary_text(rows, [power], [], Rule(), isotropic_law)
    line = next(line for line in text.splitlines() if "d_lines by height" in line)
    assert line.endswith(f"from 0.1 to 0.3, through 2 points, {like}")


def test_titles_say_what_is_drawn_and_fit():
    rows = [row for row in planted(isotropic) if row.mach in (0.1, 0.3)]
    one = [row for row in rows if row.mach == 0.3]
    title = figures.draw_ratio(rows, isotropic_law).axes[0].get_title()
    assert title == "D_perp/D_parallel: isotropic 1.67 20-100 pc, M_A = 0.1 to 0.3"
    title = figures.draw_excess(one).axes[0].get_title()
    assert title == "What wandering adds: isotropic 1.67 20-100 pc, M_A = 0.3"
    lines = np.random.default_rng(4).normal(size=(5, 2, 3))
    for machs in ((0.3,), (0.1, 0.3, 1.0)):
        longest = "Field lines: critically-balanced 1.67 0.000123457-1234.57 pc"
        figure = figures.draw_lines(dict.fromkeys(machs, lines), longest)
        figure.draw_without_rendering()
        (told,) = figure.texts
        assert told.get_text().replace("\n", " ") == longest
        box = told.get_window_extent()
        assert 0.0 < box.x0 < box.x1 < figure.bbox.width
        assert box.y1 < figure.bbox.height


def test_half_steps_are_told():
    rows = planted(isotropic)
    half = [
        HalvingRow("isotropic", 5 / 3, 100.0, 20.0, 0.3, 1e-3, "d_perp", 2.0, 2.2, 0.2, 0.1, 2.0),
        HalvingRow("isotropic", 5 / 3, 100.0, 20.0, 1.0, 1e-3, "d_perp", 2.0, 1.9, -0.1, 0.02, -5),
    ]
    text = summary_text(rows, [], half, Rule(), isotropic_law)
    largest = "+10.0 +- 5.0 %, +2.0 standard deviations (M_A = 0.3, epsilon = 0.001)"
    clearest = "-5.0 +- 1.0 %, -5.0 standard deviations (M_A = 1, epsilon = 0.001)"
    assert f"the largest change, {largest}; the most significant one, {clearest}: fine" in text


@pytest.mark.parametrize(
    ("error", "realisations", "said"),
    [(0.05, 20, ": take a smaller"), (0.04, 3, ": undecided, no"), (0.2, 20, ": undecided, no")],
)
def test_a_change_that_is_large_and_significant_asks_for_smaller_steps(error, realisations, said):
    rows = [row._replace(realisations=realisations) for row in planted(isotropic)]
    changed = ("d_perp", 2.0, 2.4, 0.4, error, 0.4 / error)
    half = [HalvingRow("isotropic", 5 / 3, 100.0, 20.0, 0.3, 1e-3, *changed)]
    text = summary_text(rows, [], half, Rule(), isotropic_law)
    assert said in text
    assert text.count("parallel_step") == (said == ": take a smaller")


def test_a_small_change_is_fine_only_if_a_large_one_would_be_seen():
    changed = ("d_perp", 2.0, 2.1, 0.1, 0.1, 1.0)
    half = [HalvingRow("isotropic", 5 / 3, 100.0, 20.0, 0.3, 1e-3, *changed)]
    for realisations, told in (
        (20, "fine, no change is more than 10 %"),  # 3.4 x 5 % might be hidden
        (3, "undecided, a change of 50 % might not be seen: more realisations"),  # 19 x 5 %
    ):
        rows = planted(isotropic, count=realisations)
        text = summary_text(rows, [], half, Rule(), isotropic_law)
        assert f"(M_A = 0.3, epsilon = 0.001): {told}\n" in text


def pulls_of_fits(planted_power, against, trials=400, seed=11):
    """Pulls of fitted powers; some points lie below zero by chance."""
    noise, x = np.random.default_rng(seed), np.array([0.05, 0.1, 0.2, 0.4, 0.8])
    error = np.array([0.02, 0.02, 0.02, 0.03, 0.05])
    fits = [
        fit_power(x, x**planted_power + error * noise.normal(size=5), error) for _ in range(trials)
    ]
    # the scatter about a fit through 5 points widens some of the errors: take those as given
    widen = [math.sqrt(max(1.0, fit.chi2 / 3)) for fit in fits]
    return np.array(
        [w * (f.exponent - against) / f.exponent_err for f, w in zip(fits, widen, strict=True)]
    )


def test_fitted_powers_have_the_right_error_bars():
    pulls = pulls_of_fits(2.0, 2.0)
    assert stats.kstest(pulls, "norm").pvalue > 1e-4
    # an error of three quarters of the error bar would be noticed, and so would other error bars
    assert stats.kstest(pulls + 0.75, "norm").pvalue < 1e-6
    assert stats.kstest(1.4 * pulls, "norm").pvalue < 1e-4


def test_fits_of_what_is_no_power():
    x = np.array([0.1, 0.2, 0.4])
    assert fit_power(x, -x, 0.1 * x) is None
    assert fit_power(x, [1e-3, -1e-3, 1e-3], np.ones(3)) is None
    assert fit_power([0.1], [1.0], [0.1]) is None
    assert fit_power([0.1, 0.1], [1.0, 1.1], [0.1, 0.1]) is None
    exact = fit_power(x, 3.0 * x**1.7, 0.1 * x**1.7)
    assert exact.exponent == pytest.approx(1.7, abs=1e-6)
    # relative error over the root of the sum of (u - mean u)^2, u the logarithms
    expected = 0.1 / 3.0 / (math.sqrt(2.0) * math.log(2.0))
    assert exact.exponent_err == pytest.approx(expected, rel=1e-6)
    two = fit_power(x[:2], x[:2] ** 4, 0.1 * x[:2] ** 4)
    assert two.points == 2
    assert two.exponent == pytest.approx(4.0, abs=1e-6)


def test_a_ratio_knows_what_its_parts_have_in_common():
    noise = np.random.default_rng(5)
    below = 5.0 + noise.normal(size=400)
    exact = ratio_of(3.0 * below, below)
    assert exact.value == pytest.approx(3.0)
    assert exact.error < 1e-12
    apart = ratio_of(3.0 + 0.1 * noise.normal(size=400), below)
    by_jackknife = jackknife(
        lambda mean: float(mean[0] / mean[1]),
        np.stack([3.0 * below + noise.normal(size=400), below], axis=1),
    )
    assert abs(apart.value - 0.6) < 4.0 * apart.error
    assert apart.error == pytest.approx(0.6 / 5.0 / 20.0, rel=0.2)
    assert abs(by_jackknife.value - 3.0) < 4.0 * by_jackknife.error
    assert by_jackknife.error == pytest.approx(1.0 / 5.0 / 20.0, rel=0.2)


def test_the_jackknife_of_a_mean_is_the_error_of_the_mean():
    values = np.random.default_rng(6).normal(size=30)
    found, plain = jackknife(float, values), estimate(values)
    assert found.value == pytest.approx(plain.value)
    assert found.error == pytest.approx(plain.error)


def test_powers_of_time_in_a_range():
    times = np.geomspace(1.0, 1e4, 40)
    msd = np.where(times < 100.0, times**0.5, 0.1 * times)
    assert exponent_between(times, 1.0, 90.0)(msd) == pytest.approx(0.5)
    assert exponent_between(times, 110.0, 1e4)(msd) == pytest.approx(1.0)
    assert math.isnan(exponent_between(times, 1.0, 1.1)(msd))
    assert math.isnan(exponent_between(times, 1.0, 90.0)(-msd))


def controlled_means(share, trials=4000, count=8, bias=0.0):
    """Means over realisations of a quantity of mean 1, with and without its twin of mean 2."""
    noise = np.random.default_rng(7)
    twins = 2.0 + bias + noise.normal(size=(count, trials))
    own = math.sqrt(1.0 - share**2) * noise.normal(size=(count, trials))
    values = 1.0 + share * (twins - 2.0 - bias) + own
    return values, controlled(values, twins, 2.0)


def test_twins_take_noise_out_and_nothing_else():
    values, better = controlled_means(0.95)
    means = better.mean(axis=0)
    assert abs(means.mean() - 1.0) < 4.0 * means.std() / math.sqrt(means.size)
    assert means.std() < 0.5 * values.mean(axis=0).std()
    # their scatter gives the error: the mean of its square is the variance of the mean
    told = (better.std(axis=0, ddof=1) ** 2 / len(better)).mean()
    assert told == pytest.approx(means.var(), rel=0.15)
    # a twin whose mean is told wrong would be noticed
    _, wrong = controlled_means(0.95, bias=0.1)
    means = wrong.mean(axis=0)
    assert abs(means.mean() - 1.0) > 4.0 * means.std() / math.sqrt(means.size)
    # in whatever unit the twins are
    twins, own = np.random.default_rng(9).normal(size=(2, 12, 3))
    values = twins + 0.3 * own
    scaled = controlled(values, 3.0 * twins, 3.0)
    np.testing.assert_allclose(scaled, controlled(values, twins, 1.0), rtol=1e-12)
    assert not np.any(scaled == values)
    # too few realisations: nothing is done
    few = np.random.default_rng(8).normal(size=(4, 3))
    assert np.array_equal(controlled(few, few, 0.0), few)


@pytest.mark.parametrize("count", [3, 5, 6, 8, 20])
def test_twins_of_their_own_do_not_hurt(count):
    """Nothing in common, and few realisations to see it from."""
    values, better = controlled_means(0.0, count=count)
    ratio = better.mean(axis=0).var() / values.mean(axis=0).var()
    assert ratio < 1.15
    # what a regression through all the others, whatever they have in common, would do
    assert count != 5 or regressed(values, count).var() > 1.5 * values.mean(axis=0).var()


def regressed(values, count):
    """Means with the regression of each realisation on twins that are noise."""
    twins = np.random.default_rng(10).normal(size=values.shape)
    found = np.empty_like(values)
    for i in range(count):
        v, t = np.delete(values, i, axis=0), np.delete(twins, i, axis=0)
        spread = t - t.mean(axis=0)
        found[i] = values[i] - (v * spread).sum(axis=0) / (spread**2).sum(axis=0) * twins[i]
    return found.mean(axis=0)


def test_tables_read_back_as_they_were(tmp_path):
    rows = planted(isotropic)
    powers = mach_exponents(rows) + epsilon_exponents(rows)
    for kind, made in ((WanderRow, rows), (tables.ExponentRow, powers)):
        path = tmp_path / f"{kind.__name__}.ecsv"
        tables.write(made, kind, path, {"title": "t"})
        found = tables.read(path, kind)
        assert len(found) == len(made)
        for one, other in zip(made, found, strict=True):
            for a, b in zip(one, other, strict=True):
                assert a == b or (math.isnan(a) and math.isnan(b))
    tables.write([], HalvingRow, tmp_path / "none.ecsv", {})
    assert tables.read(tmp_path / "none.ecsv", HalvingRow) == []
