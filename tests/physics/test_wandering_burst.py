"""A burst through a field: exact where the field is uniform, a histogram where it wanders."""

import numpy as np
import pytest
from scipy import stats

from mcprop.analytic import green
from mcprop.diffusion import tensor
from mcprop.errors import ModelError, RangeError
from mcprop.fields import UniformField
from mcprop.fields.total import total
from mcprop.fields.turbulence import turbulence
from mcprop.kernels.flow import Still
from mcprop.kernels.mirror import Mirrored
from mcprop.kernels.planes import cross_planes
from mcprop.kernels.wander import wander
from mcprop.medium import Constant, FieldAligned
from mcprop.protocol import b_vector
from mcprop.units import C_LIGHT, CM2_PER_S
from mcprop.wandering import burst
from mcprop.wandering import burst_clouds as clouds
from mcprop.wandering.burst import burst_through
from mcprop.wandering.burst_clouds import Cloud, Times
from mcprop.wandering.burst_legs import leg_test
from mcprop.wandering.burst_study import burst_study
from mcprop.wandering.line_scores import line_scores
from mcprop.wandering.meeting import Meeting
from mcprop.wandering.tracing import trace

AGE, PARALLEL = 3.4e5, 6.45e29 * CM2_PER_S
PERP = 1e-4 * PARALLEL
SOURCE = (18.5, 0.0, 250.0)
SMALL = {"forward": 512, "backward": 512, "nodes": 0}


def field_of(rms, shortest=20.0, longest=100.0, waves=6):
    """Makers of fields of one type, so that one compiled kernel serves all tests."""

    def make(seed):
        waves_there = turbulence("isotropic", rms, longest, shortest, waves, seed=seed)
        return total(UniformField(0.0, 0.0, 3.0), waves_there)

    return make


STRAIGHT = field_of(0.0, 200.0, 400.0)(0)


def density_of(source, perp=PERP):
    return float(green.density(source, tensor(PARALLEL, perp, (0, 0, 1)), AGE))


def pulls(seen, source):
    """Density and dipole against the closed form, in their own errors."""
    truth = green.dipole(source, C_LIGHT, AGE)
    first = (seen.density - density_of(source)) / seen.density_error
    return np.array([first, *((seen.dipole - truth) / seen.dipole_error)])


@pytest.fixture(scope="module")
def straight():
    """Twenty-four independent runs in a field that does not wander, with all legs."""
    return straight_runs(24)


def straight_runs(number, source=SOURCE):
    options = SMALL | {"legs": True}
    return [
        burst_through(STRAIGHT, source, AGE, PARALLEL, PERP, seed=s, **options)
        for s in range(number)
    ]


def leg_test_of(seen):
    return leg_test([one.legs for one in seen], [one.b_hat for one in seen])


def test_the_closed_form_is_that_of_the_published_case():
    assert density_of(SOURCE) == pytest.approx(1.092560e-7, rel=1e-6)
    dipole = green.dipole(SOURCE, C_LIGHT, AGE)
    np.testing.assert_allclose(dipole, [2.662012e-4, 0.0, 3.597313e-3], rtol=1e-6)


def test_a_straight_field_gives_the_closed_form_and_honest_errors(straight):
    found = np.array([pulls(seen, SOURCE) for seen in straight])
    mean = found.mean(axis=0) * np.sqrt(len(found))
    assert np.abs(mean).max() < 4.0
    chi2 = (found**2).sum(axis=0)
    assert stats.chi2.sf(chi2, len(found)).min() > 1e-4  # errors are not too small
    assert stats.chi2.cdf(chi2, len(found)).min() > 1e-4  # nor too large


def test_nothing_depends_on_the_leg_and_what_changes_by_chance_is_known(straight):
    scans = [seen.legs for seen in straight]
    np.testing.assert_allclose(scans[0].legs, [AGE / 32.0, AGE / 16.0, AGE / 8.0])
    np.testing.assert_allclose(scans[0].backward_times, [AGE / 8.0, AGE / 4.0, AGE / 2.0])
    truth = np.array([density_of(SOURCE), *green.dipole(SOURCE, C_LIGHT, AGE)])
    for leg in range(3):
        found = np.array([(scan.values[leg] - truth) / scan.errors[leg] for scan in scans])
        assert np.abs(found.mean(axis=0)).max() * np.sqrt(len(found)) < 4.0
    # chi-square of each run, of all changes together: neither too large nor too small
    tested = leg_test_of(straight)
    assert tested.freedom == 8 * len(straight)
    assert 1e-4 < tested.chance < 1.0 - 1e-4
    assert not tested.depends
    for value, error in (*tested.density, *tested.along):
        assert abs(value) < 4.0 * error
    # from the same clouds: the changes are known better than by their two errors
    for scan in scans:
        apart = np.hypot(scan.errors[2], scan.errors[1])
        assert (scan.change_errors[2] < apart)[[0, 1, 3]].all()
        assert (scan.change_errors[1] == 0.0).all()
    assert [seen.legs.values[1, 0] for seen in straight] == [seen.density for seen in straight]


def source_does_not_wait(monkeypatch):
    """The source's cloud goes as long whatever the leg is: the burst is older with a long one."""

    def part(self, factor):
        return self._replace(leg=factor * self.leg, more=factor * self.more)

    monkeypatch.setattr(Times, "part", part)


def drift_of(which, speed, monkeypatch):
    """Some clouds of the observer drift across [pc/yr], for no reason."""
    made, go = [], Cloud._go

    def drifting(self, time):
        if self._numbers[1] == clouds.FROM_OBSERVER and self not in made:
            made.append(self)
        if self in made and made.index(self) % 5 in which:
            self._places[0] += speed * (time - self._time)
        return go(self, time)

    monkeypatch.setattr(Cloud, "_go", drifting)


@pytest.mark.parametrize(
    "plant",
    [
        source_does_not_wait,
        lambda patch: drift_of(range(5), 40.0 / AGE, patch),
        lambda patch: drift_of(range(1, 5), 8.0 / AGE, patch),
    ],
    ids=["age", "drift of all", "drift of the displaced"],
)
def test_what_makes_it_depend_on_the_leg_is_told(plant, monkeypatch):
    plant(monkeypatch)
    # the density on the line of the source falls with its age, and beside it with the drift
    source = (0.0 if plant is source_does_not_wait else 18.5, 0.0, 250.0)
    assert leg_test_of(straight_runs(2, source)).depends


def test_the_parts_of_the_way_do_not_matter():
    leg, more = AGE / 32.0, AGE / 3.0
    seen = burst_through(
        STRAIGHT,
        SOURCE,
        AGE,
        PARALLEL,
        PERP,
        leg=leg,
        backward_time=more,
        meeting=AGE / 4.0,
        nodes=4,
        forward=1024,
        backward=1024,
    )
    assert np.abs(pulls(seen, SOURCE)).max() < 4.0
    assert seen.line_distance == pytest.approx(18.5)
    assert seen.mean_free_path == pytest.approx(3.0 * PARALLEL / C_LIGHT)
    assert abs(seen.finite_dipole - 3.597313e-3) < 4.0 * seen.finite_dipole_error
    assert seen.growth_perp == pytest.approx(PERP, rel=0.1)


def test_a_kick_too_wide_by_sqrt_2_is_caught(monkeypatch):
    source, meeting = (0.0, 0.0, 250.0), AGE / 3.0
    options = {"meeting": meeting, "forward": 4096, "backward": 2048, "nodes": 0}
    seen = burst_through(STRAIGHT, source, AGE, PARALLEL, PERP, **options)
    assert abs(pulls(seen, source)[0]) < 4.0
    wide = property(lambda self: 4.0 * self.kappa_perp * self.duration)
    monkeypatch.setattr(Meeting, "kick_variance", wide)
    seen = burst_through(STRAIGHT, source, AGE, PARALLEL, PERP, **options)
    assert abs(pulls(seen, source)[0]) > 6.0


def test_scores_of_the_other_sign_are_caught(monkeypatch):
    def backwards(basis, moved):
        return line_scores(basis, -moved)

    monkeypatch.setattr(burst, "line_scores", backwards)
    options = {"forward": 1024, "backward": 1024, "nodes": 0}
    seen = burst_through(STRAIGHT, SOURCE, AGE, PARALLEL, PERP, **options)
    assert np.abs(pulls(seen, SOURCE)[1:]).max() > 6.0


# a field that wanders, and diffusion across it that is not small: a histogram is possible
STRONG = {"age": 2000.0, "kappa_parallel": 2.0, "kappa_perp": 0.1}
NEAR = (10.0, 0.0, 40.0)
WEAK = np.array([26.0, -3.0, 7.0])
"""Where the field of `test_a_wandering_field_gives_what_a_histogram_gives` has 1.2 of 3 uG."""


def histogram(field, particles, box, seed):
    """Density at WEAK of what comes from NEAR it, from particles that fell into a box round it."""
    medium = FieldAligned(
        Mirrored(field, 1.0, 1.0),
        Constant(STRONG["kappa_parallel"]),
        Constant(STRONG["kappa_perp"]),
    )
    places = np.repeat((WEAK + NEAR)[:, None], particles, axis=1)
    steps, numbers = 100, (np.uint64(seed), np.uint64(7), np.uint64(0), np.uint64(0))
    wander(medium, Still(), *numbers, STRONG["age"] / steps, steps, places)
    away = np.abs(places - WEAK[:, None])
    inside = int((away < 0.5 * np.array(box)[:, None]).all(axis=0).sum())
    volume = particles * np.prod(box)
    return inside / volume, np.sqrt(inside) / volume


def test_a_wandering_field_gives_what_a_histogram_gives():
    """At a place of weak field: there a drift of the wrong sign shows, even if both have it.

    Particles then leave weak fields, so that the way from the source, of which the histogram is
    made, differs from the way back, which the observer's cloud goes: by 8 sigma here.
    """
    field = field_of(1.2, 30.0, 60.0)(2)
    binned, error = histogram(field, 100_000, (14.0, 14.0, 30.0), 5)
    options = {"meeting": 20.0, "parallel_step": 9.0, "forward": 4096, "backward": 2048, "nodes": 0}
    seen = burst_through(field, WEAK + NEAR, observer=WEAK, **STRONG, **options)
    assert abs(seen.density - binned) < 4.0 * np.hypot(error, seen.density_error)
    # the field matters here: a straight one would give something else
    uniform = tensor(STRONG["kappa_parallel"], STRONG["kappa_perp"], (0, 0, 1))
    assert (
        abs(green.density(NEAR, uniform, STRONG["age"]) - seen.density) > 6.0 * seen.density_error
    )


def test_the_flow_of_the_last_step_fills_volume_evenly():
    """Weights on the planes go as the width of the tube, 1/B_z."""
    field = field_of(0.6)(1)
    planes, n = 8, 3
    first, crossing, weight = np.empty(n, np.int64), np.empty((planes, 2, n)), np.empty((planes, n))
    starts = np.array([[0.0, 5.0, -3.0], [1.0, 0.0, 2.0], [0.3, 4.0, -7.0]])
    cross_planes(field, starts, 400.0, 10.0, 2.0, 8, first, crossing, weight)
    np.testing.assert_allclose(10.0 * weight.sum(axis=0), 1.0, rtol=1e-12)
    for j in range(n):
        heights = 2.0 + 10.0 * (first[j] + np.arange(planes))
        assert heights[planes // 2 - 1] < starts[2, j] <= heights[planes // 2]
        expected = []
        for k, height in enumerate(heights):
            climb = height - starts[2, j]
            path = trace(field, [starts[:, j]], climb, records=50, by="z")[:, 0]
            np.testing.assert_allclose(crossing[k, :, j], path[-1, :2], atol=1e-3)
            whole = np.vstack([starts[:, j], path])
            arc = np.linalg.norm(np.diff(whole, axis=0), axis=1).sum()
            expected.append(np.exp(-(arc**2) / 800.0) / upward(field, path[-1]))
        expected = np.array(expected)
        np.testing.assert_allclose(10.0 * weight[:, j], expected / expected.sum(), rtol=1e-3)


def upward(field, place):
    return b_vector(field, *place)[2]


def test_a_study_is_the_same_for_any_number_of_threads_and_says_what_it_found():
    options = {"forward": 256, "backward": 256, "nodes": 2, "realisations": 3, "seed": 4}
    make = field_of(0.3, 100.0, 300.0)
    one = burst_study(make, SOURCE, AGE, PARALLEL, PERP, 0.1, workers=1, **options)
    two = burst_study(make, SOURCE, AGE, PARALLEL, PERP, 0.1, workers=2, **options)
    assert {k: v.tolist() for k, v in one.rows.items() if k != "effective_distance"} == {
        k: v.tolist() for k, v in two.rows.items() if k != "effective_distance"
    }
    assert len({seen.density for seen in one.seen}) == 3
    assert one.formula_density == pytest.approx(1.092560e-7, rel=1e-6)
    rows, summary = one.rows, one.summary
    assert summary["flux_ratio"].median == np.median(rows["flux_ratio"])
    known = rows["effective_distance"][np.isfinite(rows["effective_distance"])]
    for ratio, distance in zip(rows["flux_ratio"], rows["effective_distance"], strict=True):
        if np.isfinite(distance):
            assert density_of((distance, 0.0, 250.0)) / one.formula_density == pytest.approx(ratio)
    assert len(known) > 0
    assert one.perpendicular.value == pytest.approx(np.mean(rows["growth_perp"]))
    assert one.late.value == pytest.approx(np.mean(rows["growth_late"]))
    assert one.later.value == pytest.approx(one.late.value - one.perpendicular.value)
    assert one.leg_scans == []
    assert one.holds == (abs(one.perpendicular.value - 1e-4) < 3.0 * one.perpendicular.error)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": (1.0, 2.0)}, "source = .* must be three finite numbers"),
        ({"age": -1.0}, "age = -1.0 must be a positive finite number"),
        ({"kappa_perp": 3.0}, "kappa_perp = 3.0 pc.2/yr must be less than kappa_parallel"),
        ({"nodes": 3}, "nodes = 3 must be even"),
        ({"backward": 258}, "backward = 258 must be a multiple of 4"),
        ({"leg": 1e5, "backward_time": 1e5}, "leg = 100000 yr must be less than backward_time"),
        ({"backward_time": 4e5}, "must be less than the age"),
        ({"backward_time": 2e5, "legs": True}, "with legs, be less than half of the age"),
    ],
)
def test_what_is_not_allowed_is_said_in_a_sentence(change, sentence):
    arguments = {"source": SOURCE, "age": AGE, "kappa_parallel": PARALLEL, "kappa_perp": PERP}
    with pytest.raises(RangeError, match=sentence):
        burst_through(STRAIGHT, **(arguments | change))


def test_no_field_and_a_field_that_turns_back_are_refused():
    with pytest.raises(ModelError, match="must be a model of a magnetic field"):
        burst_through("uniform", SOURCE, AGE, PARALLEL, PERP)
    with pytest.raises(RangeError, match="no particle that comes from it meets"):
        burst_through(STRAIGHT, (4e4, 0.0, 0.0), AGE, PARALLEL, PERP, **SMALL)
    with pytest.raises(RangeError, match="turns back"):
        burst_through(field_of(9.0)(1), NEAR, 400.0, 2.0, 0.1, **SMALL)


@pytest.mark.nightly
def test_the_dipole_does_not_depend_on_leg_step_or_last_step():
    """Clouds are drawn anew for each, so that any two differ by their errors alone."""
    field, perp = field_of(0.3, waves=30)(1), 5e-4 * PARALLEL
    changes = [
        {"leg": AGE / 32.0},
        {},
        {"leg": AGE / 8.0},
        {"meeting": 935.0},
        {"parallel_step": 40.0},
    ]
    found = [
        burst_through(field, SOURCE, AGE, PARALLEL, perp, seed=k, nodes=0, **change)
        for k, change in enumerate(changes)
    ]
    for values, errors in (
        ([one.density for one in found], [one.density_error for one in found]),
        ([one.along for one in found], [one.along_error for one in found]),
    ):
        weights = np.array(errors) ** -2.0
        mean = np.average(values, weights=weights)
        chi2 = (weights * (np.array(values) - mean) ** 2).sum()
        assert stats.chi2.sf(chi2, len(found) - 1) > 1e-4


@pytest.mark.nightly
def test_realisations_scatter_as_waves_of_long_parallel_wavelength_say():
    """Density and D_perp of the homogenised medium in the mean, and the dipole's scatter."""
    make, epsilon = field_of(0.3, waves=60), 5e-4
    options = {"realisations": 20, "seed": 1, "nodes": 0}
    study = burst_study(make, SOURCE, AGE, PARALLEL, epsilon * PARALLEL, 0.1, **options)
    law = epsilon + np.pi / 8.0 * 0.1**2 * np.sqrt(epsilon)
    assert abs(study.perpendicular.value - law) < 4.0 * study.perpendicular.error
    assert not study.holds
    expected = density_of(SOURCE, law * PARALLEL) / study.formula_density
    assert abs(study.mean_flux_ratio.value - expected) < 4.0 * study.mean_flux_ratio.error
    along = study.rows["dipole_along"]
    square = along.var(ddof=1) - (study.noise["dipole_along"] ** 2).mean()
    ratio = square / study.isotropic_scatter**2
    assert abs(ratio - 1.0) < 4.0 * np.sqrt(2.0 / (len(along) - 1))
    assert abs(along.mean() - 3.597e-3) < 4.0 * along.std(ddof=1) / np.sqrt(len(along))
