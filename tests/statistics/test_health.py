"""Health lights: green on sound samples, amber or red on planted faults, false alarms as stated."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from scipy import stats

from mcprop import health
from mcprop.assembly import ALL, Assembly
from mcprop.checks import LOST, QUANTITIES, SHARE, SIGMAS, VOV, bounds, lights
from mcprop.comparison import density_row, dipole_row
from mcprop.dipole import Dipole
from mcprop.errors import RangeError
from mcprop.halving import FULL_STEP, LONGER_LEG
from mcprop.health import Light
from mcprop.influence import answers
from mcprop.moments import SLICES, Moments
from mcprop.plan import Planned
from mcprop.scenario import load
from mcprop.species import energy_jacobian, rigidity_of
from mcprop.symmetric import QUADS, TRIPLES
from mcprop.transport import Outcome
from mcprop.trend import GROUPS, Trend

ENERGY = 1e4
DELTA = np.array([2e-3, -1e-3, 5e-4])
CHECKS = ("relative error", "variance of the variance", "largest history", "lost histories")
CHECKS += ("figure of merit", "halves")


class Model:
    """Two components of one species and as strong; what is asked of the formulas is nothing."""

    components, species = ("near", "far"), ("p",)

    def source_rate(self, component, rigidity, species):
        return 1.0 / float(energy_jacobian(rigidity_of(ENERGY, species), species))

    def share(self, component, energy, species="all"):
        return 0.5


PLANNED = [Planned(SimpleNamespace(name=(c,)), c, "p", "dipole", "walk") for c in Model.components]


def normal(rng, n):
    """Densities and vectors with a scatter of a fifth; errors of 0.5 % with 4096 histories."""
    m = 1.0 + 0.2 * rng.normal(size=n)
    return m, m[:, None] * (DELTA + 3e-4 * rng.normal(size=(n, 3)))


def skewed(rng, n):
    """Weights with a tail like those of walks that are aimed and reweighted."""
    m = np.exp(rng.normal(size=n) - 0.5)
    return m, m[:, None] * (DELTA + 3e-4 * rng.normal(size=(n, 3)))


def outcome(m, d, lost=0):
    moments, parts = Moments.split(m, d)
    return Outcome(moments, None, np.array([0, 0, len(m), lost]), parts=parts)


def run(batches, *others):
    """Trends and the assembly of runs: lists of the outcomes of batches, one for each component."""
    trends, sums = [], []
    for each in (batches, *others):
        trend, total = Trend(), Outcome()
        for batch in each:
            trend.add(batch)
            total = total + batch
        trends.append(trend)
        sums.append(total)
    return Assembly(Model(), ENERGY, PLANNED, sums), trends


def lit(batches, rng, comparisons=(), energies=1):
    """Lights of a component and of the total, the other component being sound."""
    assembly, trends = run(batches, [outcome(*normal(rng, 4096))])
    return lights(assembly, PLANNED, trends, comparisons, energies)


def of(found, check, component="near"):
    return next(x for x in found if (x.check, x.component) == (check, component))


# --- moments --------------------------------------------------------------------------------------


def direct(m, d):
    """Sums of products of three and of four centred scores, one after the other."""
    y = np.column_stack([m, d])
    centred = y - y.mean(axis=0)
    return [
        np.array([np.prod(centred[:, list(index)], axis=1).sum() for index in entries])
        for entries in (TRIPLES, QUADS)
    ]


def scales(m, d):
    """Sizes that rounding errors of these sums are to be compared with."""
    y = np.abs(np.column_stack([m, d]) - np.append(m.mean(), d.mean(axis=0)))
    return [
        np.array([np.prod(y[:, list(index)], axis=1).sum() for index in entries])
        for entries in (TRIPLES, QUADS)
    ]


def assert_close(found, m, d, offset=0.0):
    for sums, exact, scale in zip(
        (found.third, found.fourth), direct(m, d), scales(m, d), strict=True
    ):
        assert np.all(np.abs(sums - exact) <= (1e-12 + offset) * scale)


@pytest.mark.parametrize("n", [1, 2, 3, 63, 64, 65, 130, 1000])
def test_higher_moments_of_a_batch_and_of_its_slices(n):
    m, d = skewed(np.random.default_rng(1), n)
    whole, parts = Moments.split(m, d)
    assert_close(whole, m, d)
    assert whole == Moments.of(m, d)
    edges = np.cumsum([0, *(part.n for part in parts)])
    assert edges[-1] == n
    assert len(parts) == min(max(n // 64, 2), SLICES, n)
    for part, first, last in zip(parts, edges[:-1], edges[1:], strict=True):
        own = Moments.of(m[first:last], d[first:last])
        assert part.mean == pytest.approx(own.mean, rel=1e-13)
        assert np.allclose(part.scatter, own.scatter, rtol=0.0, atol=1e-13 * whole.scatter.max())
        assert np.array_equal(part.largest, own.largest)
        if part.n > 2:
            assert_close(part, m[first:last], d[first:last], offset=1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_moments_add_in_any_split_and_order(seed):
    rng = np.random.default_rng(seed)
    m, d = skewed(rng, 700)
    d += np.linspace(0.0, 5.0, 700)[:, None]  # means of the pieces lie far apart
    cuts = np.sort(rng.choice(np.arange(1, 700), size=rng.integers(1, 9), replace=False))
    pieces = [Moments.of(a, b) for a, b in zip(np.split(m, cuts), np.split(d, cuts), strict=True)]
    for order in (np.arange(len(pieces)), rng.permutation(len(pieces))):
        total = sum((pieces[i] for i in order), Moments())
        assert_close(total, m, d)
        assert np.array_equal(total.largest, Moments.of(m, d).largest)


def test_sums_without_one_of_the_cross_terms_are_caught(monkeypatch):
    m, d = skewed(np.random.default_rng(9), 400)
    pieces = [Moments.of(m[:100], d[:100]), Moments.of(m[100:] + 1.0, d[100:])]
    m[100:] += 1.0
    assert_close(pieces[0] + pieces[1], m, d)
    monkeypatch.setattr("mcprop.moments.product", lambda tensor, *rest: 0.0)
    with pytest.raises(AssertionError):
        assert_close(pieces[0] + pieces[1], m, d)


def test_the_empty_sum_and_the_way_through_an_array():
    whole, parts = Moments.split(*skewed(np.random.default_rng(2), 1000))
    for moments in (whole, *parts, Moments(), sum(parts, Moments())):
        array = moments.to_array()
        assert (array.dtype, array.shape) == (np.float64, (84,))
        again = Moments.from_array(array)
        assert again == moments
        assert isinstance(again.n, int)
        assert moments + Moments() == moments == Moments() + moments
    assert Moments.split([], np.empty((0, 3))) == (Moments(), ())
    with pytest.raises(RangeError, match="84 numbers"):
        Moments.from_array(np.zeros(83))


def test_largest_histories_are_those():
    m, d = skewed(np.random.default_rng(3), 300)
    d[17] *= 50.0
    record = Moments.of(m, d).largest
    assert np.array_equal(record[0], [m.max(), *d[np.argmax(m)]])
    assert np.array_equal(record[1], [m[17], *d[17]])


def spreads(draw, runs, n, weights=(1.0, 0.0, 0.0, 0.0)):
    found = []
    for _ in range(runs):
        m, d = draw(n)
        found.append(Moments.of(m, d).variance_of_variance(weights))
    return np.array(found)


def test_variance_of_the_variance_of_a_normal_sample():
    """Its expectation is 2 / n up to terms of 1 / n^2."""
    rng = np.random.default_rng(4)
    found = spreads(lambda n: normal(rng, n), 400, 1024)
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() - 2.0 / 1024) < 4.0 * error + 20.0 / 1024**2
    assert abs(found.mean() - 3.0 / 1024) > 4.0 * error + 20.0 / 1024**2  # without the -1/n


def test_variance_of_the_variance_of_a_lognormal_sample():
    """(kurtosis - 1) / n, with the kurtosis of exp(sigma x) in closed form; sigma = 0.3."""
    rng, n = np.random.default_rng(5), 20_000
    w = math.exp(0.3**2)
    expected = (w**4 + 2.0 * w**3 + 3.0 * w**2 - 3.0 - 1.0) / n
    found = spreads(lambda n: (np.exp(0.3 * rng.normal(size=n)), np.zeros((n, 3))), 200, n)
    assert abs(found.mean() - expected) < 4.0 * found.std() / math.sqrt(200) + 0.01 * expected
    assert abs(found.mean() - 2.0 / n) > 20.0 * found.std() / math.sqrt(200)


def test_variance_of_the_variance_of_any_combination():
    m, d = skewed(np.random.default_rng(6), 500)
    y, moments = np.column_stack([m, d]), Moments.of(m, d)
    for weights in np.random.default_rng(7).normal(size=(20, 4)) * [1e-3, 1e7, 1.0, 1.0]:
        x = (y - y.mean(axis=0)) @ weights
        expected = np.sum(x**4) / np.sum(x**2) ** 2 - 1.0 / 500
        assert moments.variance_of_variance(weights) == pytest.approx(expected, rel=1e-9)
    assert moments.variance_of_variance([0.0, 0.0, 0.0, 0.0]) == 0.0


def test_variance_of_the_variance_predicts_the_scatter_of_variances():
    rng = np.random.default_rng(8)
    runs = [Moments.of(*skewed(rng, 4096)) for _ in range(300)]
    variances = np.array([np.log(run.scatter[1, 1]) for run in runs])
    predicted = math.sqrt(np.median([run.variance_of_variance([0, 1, 0, 0]) for run in runs]))
    assert 0.5 * variances.std() < predicted < 1.5 * variances.std()


def test_too_small_for_a_fourth_power_is_not_a_number():
    m, d = normal(np.random.default_rng(10), 100)
    assert math.isnan(Moments.of(1e-90 * m, d).variance_of_variance([1.0, 0.0, 0.0, 0.0]))


# --- trend ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", [1, 2, 8, 9, 100, 333])
@pytest.mark.parametrize("size", [1, 100, 512])
def test_a_trend_is_bounded_and_adds_up(batches, size):
    rng, trend, total = np.random.default_rng(11), Trend(), Outcome()
    for _ in range(batches):
        batch = outcome(*normal(rng, size))
        trend.add(batch)
        total = total + batch
    assert 1 <= len(trend.groups) <= GROUPS
    assert total.parts == ()
    assert trend.whole.n == total.moments.n
    assert trend.whole.mean == pytest.approx(total.moments.mean, rel=1e-12)
    assert trend.whole.fourth == pytest.approx(total.moments.fourth, rel=1e-9, abs=1e-20)
    assert trend.fates.tolist() == total.fates.tolist()
    early, late = trend.halves()
    assert early.n + late.n == total.moments.n
    assert abs(early.n - late.n) <= max(group.n for group in trend.groups)


def test_halves_are_the_histories_in_their_order():
    batches = [outcome(np.full(512, float(i)), np.zeros((512, 3))) for i in range(200)]
    trend = Trend()
    for batch in batches:
        trend.add(batch)
    early, late = trend.halves()
    assert (early.largest[0, 0] + 1.0, late.largest[0, 0]) == (early.n / 512, 199.0)
    assert np.all(np.diff([group.mean[0] for group in trend.groups]) > 0.0)


def test_a_trend_of_nothing():
    trend = Trend()
    trend.add(Outcome())
    assert (trend.groups, trend.whole) == ([], Moments())


# --- lights ---------------------------------------------------------------------------------------


def test_a_sound_sample_is_green():
    rng = np.random.default_rng(20)
    found = lit([outcome(*normal(rng, 1024)) for _ in range(4)], rng)
    assert {light.colour for light in found} == {"green"}
    assert [light.check for light in found if light.component == "total"] == list(CHECKS)
    assert all(light.advice == "" for light in found)


def of_amplitude(moments):
    return moments.dipole().amplitude


@pytest.mark.parametrize(
    ("noise", "colour"), [(0.5, "green"), (5.0, "amber"), (9.0, "amber"), (30.0, "red")]
)
def test_relative_error(noise, colour):
    rng = np.random.default_rng(21)
    m, d = normal(rng, 4096)
    d += noise * np.linalg.norm(DELTA) * rng.normal(size=(4096, 3))
    light = of(lit([outcome(m, d)], rng), "relative error")
    assert light.colour == colour
    expected = noise * np.linalg.norm(DELTA) / 64.0 / of_amplitude(Moments.of(m, d))
    assert light.value == pytest.approx(expected, rel=0.1)
    if colour == "amber":
        factor = float(light.advice.split("take ")[1].split(" times")[0])
        assert factor == pytest.approx((light.value / 0.05) ** 2, rel=0.02)


@pytest.mark.parametrize(("weight", "colour"), [(0.0, "green"), (60.0, "amber"), (4000.0, "red")])
def test_heavy_tails_show_in_the_variance_of_the_variance(weight, colour):
    """A single history outweighs: variance of the variance towards one."""
    rng = np.random.default_rng(22)
    m, d = normal(rng, 4096)
    m[::1000] += weight * (0.5 if weight < 100.0 else 0.0)
    m[777] += weight
    light = of(lit([outcome(m, d)], rng), "variance of the variance")
    assert light.colour == colour
    assert (light.value > VOV[0]) == (colour != "green")


@pytest.mark.parametrize(("share", "colour"), [(0.04, "green"), (0.06, "amber"), (0.3, "red")])
def test_a_history_with_a_large_share(share, colour):
    rng = np.random.default_rng(23)
    m, d = normal(rng, 4096)
    m[99] = share / (1.0 - share) * (m.sum() - m[99])
    d[99] = DELTA * m[99]
    light = of(lit([outcome(m, d)], rng), "largest history")
    assert light.colour == colour
    assert light.value == pytest.approx(share, rel=0.02)
    assert light.limit == SHARE[0]


def test_a_history_that_turns_the_dipole():
    rng = np.random.default_rng(24)
    m, d = normal(rng, 4096)
    d[5] = [0.0, 0.0, 0.1 * 4096 * np.linalg.norm(DELTA)]
    light = of(lit([outcome(m, d)], rng), "largest history")
    assert light.colour == "amber"
    assert light.value == pytest.approx(0.1, rel=0.05)
    assert "dipole" in light.advice


@pytest.mark.parametrize("growth", [1.0, 1.3, 2.0])
def test_a_drifting_variance_shows_in_the_figure_of_merit(growth):
    rng = np.random.default_rng(25)
    batches = []
    for step in range(8):
        m, d = normal(rng, 1024)
        d += DELTA * (m - 1.0)[:, None] * 3.0 * (growth - 1.0) * (step >= 4)
        batches.append(outcome(m, DELTA * m[:, None] + (d - DELTA * m[:, None]) * growth**step))
    light = of(lit(batches, rng), "figure of merit")
    assert light.colour == ("green" if growth == 1.0 else "red")


@pytest.mark.parametrize(("lost", "colour"), [(0, "green"), (1, "amber"), (200, "red")])
def test_lost_histories(lost, colour):
    rng = np.random.default_rng(26)
    found = lit([outcome(*normal(rng, 4096), lost=lost)], rng)
    assert of(found, "lost histories").colour == colour
    assert of(found, "lost histories", "far").colour == "green"
    assert of(found, "lost histories", "total").value == pytest.approx(lost / (8192 + lost))
    assert of(found, "lost histories").limit == LOST[0]


@pytest.mark.parametrize("where", ["dipole", "density"])
@pytest.mark.parametrize(("sigmas", "colours"), [(0.0, {"green"}), (12.0, {"red"})])
def test_a_bias_in_the_second_half(where, sigmas, colours):
    """A shift of the second half by so many of its standard deviations."""
    rng, n = np.random.default_rng(27), 2048
    early, late = normal(rng, n), normal(rng, n)
    if where == "dipole":
        late[1][:, 2] += sigmas * 3e-4 / math.sqrt(n)
    else:
        shift = 1.0 + sigmas * 0.2 / math.sqrt(n)
        late = late[0] * shift, late[1] * shift
    found = lit([outcome(*early), outcome(*late)], rng)
    assert {of(found, "halves").colour} == colours
    # inside one batch as well
    both = outcome(np.append(early[0], late[0]), np.concatenate([early[1], late[1]]))
    assert {of(lit([both], rng), "halves").colour} == colours


def test_too_few_histories_for_halves():
    rng = np.random.default_rng(28)
    for n in (2, 3, 150):
        m, d = normal(rng, 4096)
        assembly, trends = run([outcome(m[:n], d[:n])], [outcome(m, d)])
        made = lights(assembly, PLANNED, trends)
        for light in (of(made, "halves"), of(made, "figure of merit")):
            assert light.colour == "amber"
            assert "too few" in light.advice


def false_alarms(draw, runs, n):
    """Number of runs with a light beyond its limit, by check."""
    rng = np.random.default_rng(29)
    counts = dict.fromkeys(("figure of merit", "halves"), 0)
    for _ in range(runs):
        assembly, trends = run([outcome(*draw(rng, n))], [outcome(*draw(rng, n))])
        found = lights(assembly, PLANNED, trends)
        for check in counts:
            counts[check] += any(x.value > x.limit for x in found if x.check == check)
    return counts


@pytest.mark.parametrize("draw", [normal, skewed])
def test_false_alarms_are_as_rare_as_stated(draw):
    """One run in 370 at most is amber in a test; the binomial bound of 400 of them is at 1e-4."""
    runs = 400
    most = stats.binom.isf(1e-4, runs, 2.0 * stats.norm.sf(SIGMAS[0]))
    for check, count in false_alarms(draw, runs, 2048).items():
        assert count <= most, check


def test_many_tests_make_the_bounds_wider():
    assert bounds(1) == pytest.approx(SIGMAS)
    for tests in (10, 128, 10_000):
        for limit, sigma in zip(bounds(tests), SIGMAS, strict=True):
            assert stats.norm.sf(limit) * tests == pytest.approx(stats.norm.sf(sigma))
    rng = np.random.default_rng(30)
    batches = [outcome(*normal(rng, 512))]
    limits = [of(lit(batches, rng, energies=n), "halves").limit for n in (1, 16)]
    assert limits == pytest.approx([bounds(3 * n * len(QUANTITIES))[0] for n in (1, 16)])


# --- the total ------------------------------------------------------------------------------------


def test_influences_make_up_the_covariance_of_the_total():
    """Variances that follow from the slopes are those of the assembly, component by component."""
    rng = np.random.default_rng(31)
    m, d = skewed(rng, 2000)
    assembly, trends = run([outcome(3.0 * m, d)], [outcome(*normal(rng, 1000))])
    for answer in answers(assembly, PLANNED):
        covariance = sum(
            slope @ trends[job].whole.covariance_of_mean() @ slope.T
            for job, slope in answer.slopes.items()
        )
        expected = assembly.dipole(answer.component, ALL).covariance
        assert np.allclose(covariance[1:, 1:], expected, rtol=1e-5, atol=1e-6 * expected.max())


@pytest.mark.parametrize("scenario", ["xue-liu-2025", "lrmf-sdp-region"])
def test_influences_of_real_jobs(scenario):
    """The same for a boost, for a density in two factors, for a gradient that a sphere turns."""
    config = load(scenario).replace({"species": {"names": ["p", "He"]}})
    model, study = config.model(), config.study
    planned = study.planner(model, config.monte_carlo).jobs(ENERGY)
    batches = [job.job.run(1, 0, 256, 0) for job in planned]
    assembly, trends = study.assembly(model, ENERGY, planned, batches), []
    for batch in batches:
        trends.append(Trend())
        trends[-1].add(batch)
    found = answers(assembly, planned)
    assert [answer.component for answer in found][-1] == "total"
    for answer in found:
        covariance = sum(
            slope @ batches[job].moments.covariance_of_mean() @ slope.T
            for job, slope in answer.slopes.items()
        )
        expected = assembly.dipole(answer.component, ALL).covariance
        assert np.allclose(covariance[1:, 1:], expected, rtol=1e-3, atol=1e-3 * expected.max())
    made = lights(assembly, planned, trends)
    assert {light.component for light in made} == {answer.component for answer in found}
    assert [x.colour for x in made if x.check in ("step halving", "last leg")] == ["off", "off"]


# --- halving --------------------------------------------------------------------------------------


def changed(reference, change, error, few=False):
    """Rows of a job whose result changes by so much, with a relative error."""
    label = {FULL_STEP: "walk, half step", LONGER_LEG: "walk, half leg"}[reference]
    vector = (error * np.linalg.norm(DELTA)) ** 2 * np.eye(3)
    moved = Dipole(DELTA * (1.0 + change), vector)
    rows = [
        density_row(ENERGY, "near", "p", (1.0 + change, error), 1.0, label, reference),
        dipole_row(ENERGY, "near", "p", moved, Dipole(DELTA), label, reference),
    ]
    return [replace(row, verdict="inconclusive") for row in rows] if few else rows


@pytest.mark.parametrize(
    ("reference", "check"), [(FULL_STEP, "step halving"), (LONGER_LEG, "last leg")]
)
@pytest.mark.parametrize(
    ("change", "error", "colour"),
    [
        (0.0, 0.01, "green"),
        (0.02, 0.01, "green"),  # small and not significant
        (0.04, 0.01, "amber"),
        (0.06, 0.01, "red"),
        (-0.5, 0.05, "red"),
        (0.1, 0.2, "amber"),  # not known well enough
    ],
)
def test_coarse_steps_and_long_legs(reference, check, change, error, colour):
    rng = np.random.default_rng(32)
    rows = changed(reference, change, error)
    found = lit([outcome(*normal(rng, 4096))], rng, rows)
    assert of(found, check).colour == colour
    assert [light.check for light in found].count(check) == 1
    elsewhere = [replace(row, energy=1.0) for row in rows]
    assert check not in {x.check for x in lit([outcome(*normal(rng, 64))], rng, elsewhere)}


def test_too_few_histories_to_judge_a_change():
    rng = np.random.default_rng(33)
    rows = changed(LONGER_LEG, 0.0, 0.01, few=True)
    light = of(lit([outcome(*normal(rng, 4096))], rng, rows), "last leg")
    assert (light.colour, light.value) == ("amber", math.inf)
    assert "too few" in light.advice


def test_species_are_taken_together_for_the_precision_alone():
    rng = np.random.default_rng(34)
    rows = [replace(row, species=s) for s in ("p", "He") for row in changed(FULL_STEP, 0.0, 0.13)]
    light = of(lit([outcome(*normal(rng, 4096))], rng, rows), "step halving")
    assert light.colour == "green"
    rows += [replace(row, species="Fe") for row in changed(FULL_STEP, 0.9, 0.13)]
    light = of(lit([outcome(*normal(rng, 4096))], rng, rows), "step halving")
    assert (light.colour, light.species) == ("red", "Fe")


def test_what_was_not_asked_for_is_off():
    job = SimpleNamespace(name=("near",), halved=lambda: job, shortened=lambda: None)
    planned = [replace(PLANNED[0], job=job), PLANNED[1]]
    rng = np.random.default_rng(35)
    batches = [[outcome(*normal(rng, 4096))] for _ in planned]
    found = lights(*run(*batches)[:1], planned, run(*batches)[1])
    assert [(x.check, x.component) for x in found if x.colour == "off"] == [
        ("step halving", "total")
    ]
    assert "--halving" in of(found, "step halving", "total").advice


# --- what is said ---------------------------------------------------------------------------------


def several():
    """Lights of four energies, some of which are not green."""
    names = ("relative error", "halves")
    found = [
        Light(e, "near", ALL, c, 0.01, 0.05, "green") for e in (1.0, 2.0, 3.0, 4.0) for c in names
    ]
    found[0] = found[0]._replace(value=0.08, colour="amber", advice="take 2.6 times more histories")
    found[2] = found[2]._replace(value=0.12, colour="amber", advice="take 5.8 times more histories")
    return found


def test_worst_colour():
    assert health.worst([]) == "off"
    assert health.worst(several()) == "amber"
    assert health.worst([*several(), several()[0]._replace(colour="red")]) == "red"


def test_energies_are_told_together():
    assert health.sentences(several()) == [
        "amber: relative error of the near (0.12, limit 0.05) at 2 of 4 energies, most at 2 GeV: "
        "take 5.8 times more histories"
    ]
    red = several()[1]._replace(colour="red", value=7.0, limit=4.0, advice="do not use it")
    assert health.sentences([*several()[:1], red])[0].startswith("red: halves of the near (7, ")
    assert health.sentences([light for light in several() if light.colour == "green"]) == []


def test_one_line():
    assert health.summary(several()) == "Health: amber (relative error at 2 of 4 energies)"
    assert health.summary(several()[4:]) == "Health: green"
    assert health.summary([]) == "Health: off"


def test_a_table_and_back(tmp_path):
    odd = Light(5.0, "total", ALL, "last leg", math.nan, math.inf, "off", "not asked for")
    for found in (several(), [odd, *several()], []):
        path = tmp_path / f"{len(found)}.ecsv"
        health.table(found).write(path)
        table = Table.read(path)
        assert table["energy"].unit == "GeV"
        assert str(health.from_table(table)) == str(found)
    broken = health.table(several())
    broken["colour"] = "pink"
    with pytest.raises(RangeError, match="'pink' of a light must be one of off, green, amber, red"):
        health.from_table(broken)


def test_a_notebook_shows_the_colours():
    red = Light(1.0, "<b>", ALL, "halves", 9.0, 4.0, "red", "do not use it")
    shown = health.html([*several(), red])
    assert shown.count("<tr>") == 3
    assert "<b>" not in shown
    assert shown.count("red</td>") == 1
    assert shown.count("amber</td>") == 1
