"""Orbits and scattering: what is refused, steps and records, and bits that depend on nothing."""

import os
import subprocess
import sys
from typing import NamedTuple

import astropy.units as u
import numpy as np
import pytest

from mcprop.errors import ModelError, RangeError, UnitsError
from mcprop.fields import UniformField, load_grid, plane_waves, total
from mcprop.kernels.lanes import LANES
from mcprop.protocol import WITNESS, b_vector, implements
from mcprop.units import C_LIGHT
from mcprop.wandering import (
    Orbits,
    Plateau,
    RunningDiffusion,
    burst_through,
    course,
    follow_orbits,
    kinetic,
    line_spread,
    running_diffusion,
    scattered_sky,
    sky_ensemble,
    spread,
    trace,
    turning_rate,
)
from mcprop.wandering.course import REACH, TURN, make_course
from mcprop.wandering.kinetic import flight_coefficients, scattered_orbits, single_flights

FIELD = total(UniformField(0.0, 0.0, 3.0), plane_waves([[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]], [0.0]))
EAST = np.array([[1.0, 0.0, 0.0]])
ORIGIN = np.zeros(3)


def one(seed):
    return FIELD


def follow(**changed):
    given = {"field": FIELD, "rigidity": 3e6, "starts": ORIGIN, "directions": EAST, "times": 1.0}
    return follow_orbits(**{**given, **changed})


def run(**changed):
    given = {"field_of": one, "rigidity": 3e6, "times": [1.0, 2.0], "realisations": 3}
    return running_diffusion(**{**given, "particles": 3, "seed": 1, **changed})


@pytest.mark.parametrize(
    ("call", "changed", "sentence"),
    [
        (follow, {"rigidity": 0.0}, "rigidity = 0.0 must be a positive finite number [GV]."),
        (follow, {"beta": 1.5}, "beta = 1.5 must be above 0 and at most 1."),
        (follow, {"charge": 2}, "charge = 2 must be 1 or -1, its sign: the rigidity has its size."),
        (follow, {"step": -1.0}, "step = -1.0 must be a positive finite number [yr]."),
        (follow, {"tau": 0.0}, "tau = 0.0 must be a positive finite number [yr]."),
        (follow, {"step": 1e-300}, "times = 1.0 take 1e+300 steps of 1e-300 yr: 1e+10 at most are"),
        (follow, {"tau": 0.1, "step": 1.0}, "tau = 0.1 yr must be at least the step, 1 yr."),
        (follow, {"tolerance": 0.0}, "tolerance = 0.0 must be a positive finite number [rad]."),
        (follow, {"tolerance": 1e-20}, "tolerance = 1e-20 must lie between 1e-15 and 0.1 rad."),
        (
            follow,
            {"tolerance": 1e-9, "tau": 5.0},
            "tau = 5.0 yr must be None where there is a tolerance.",
        ),
        (follow, {"seed": -1}, "seed = -1 must be a whole number from 0 up."),
        (follow, {"first": 0.5}, "first = 0.5 must be a whole number from 0 up."),
        (
            follow,
            {"times": [2.0, 1.0]},
            "times = [2.0, 1.0] must be positive and rising, or negative and falling [yr].",
        ),
        (
            follow,
            {"times": [1.0, -2.0]},
            "times = [1.0, -2.0] must be positive and rising, or negative and falling [yr].",
        ),
        (follow, {"times": []}, "times = [] must be positive"),
        (follow, {"times": [1.0, np.inf]}, "times must be finite: 1 are not."),
        (follow, {"directions": 2.0 * EAST}, "directions must be unit vectors: one has the length"),
        (follow, {"directions": [[1.0, 0.0]]}, "must have the shapes (3,) or (particles, 3)"),
        (follow, {"starts": np.zeros((2, 3))}, "must have the shapes (3,) or (particles, 3)"),
        (follow, {"starts": [np.nan, 0.0, 0.0]}, "starts must be finite: 1 are not."),
        (
            follow,
            {"step": 6.0, "times": 60.0},
            "step = 6 yr is too long: a particle turned by 2.27 rad in one, 1.57 rad at most",
        ),
        (run, {"realisations": 2}, "realisations = 2 must be a whole number from 3 up."),
        (run, {"particles": 0}, "particles = 0 must be a whole number from 1 up."),
        (run, {"seed": 1.5}, "seed = 1.5 must be a whole number from 0 up."),
        (run, {"workers": 0}, "workers = 0 must be a whole number from 1 up."),
        (run, {"box": -1.0}, "box = -1.0 must be a positive finite number [pc]."),
        (run, {"times": [-1.0, -2.0]}, "times = [-1.0, -2.0] must be positive and rising [yr]."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, changed, sentence):
    with pytest.raises(RangeError) as refused:
        call(**changed)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("field_of", [lambda seed: 3.0, None])
def test_what_makes_no_field_is_refused(field_of):
    with pytest.raises(ModelError):
        run(field_of=field_of)
    with pytest.raises(ModelError, match="must be a model of a magnetic field"):
        follow(field=3.0)
    with pytest.raises(ModelError, match=r"must point along \+z"):
        run(field_of=lambda seed: UniformField(3.0, 0.0, 0.0))


KPC = [(1.0, 0.0, 0.0)] * u.kpc


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: follow(times=[1.0] * u.kyr),
            "times is a Quantity [kyr] and must be plain numbers",
        ),
        (lambda: follow(starts=KPC), '[pc]: `.to_value("pc")` makes them of it.'),
        (lambda: run(times=[1.0, 2.0] * u.kyr), '[yr]: `.to_value("yr")` makes them of it.'),
        (lambda: trace(FIELD, KPC, 1.0), "starts is a Quantity [kpc]"),
        (lambda: scattered_sky(FIELD, 1e6, 1.0, KPC[0]), "gradient is a Quantity [kpc]"),
        (lambda: burst_through(FIELD, KPC[0], 1.0, 1.0, 0.1), "source is a Quantity [kpc]"),
        (
            lambda: spread(one, 1.0, 0.1, [1.0] * u.kyr, realisations=3, particles=2, seed=1),
            "times is a Quantity [kyr]",
        ),
        (lambda: load_grid(np.ones((4, 4, 4, 3)) * u.nT, 1.0), "source is a Quantity [nT]"),
        (lambda: load_grid(np.ones((4, 4, 4, 3)), 1.0, KPC[0]), "origin is a Quantity [kpc]"),
        (lambda: plane_waves(1.0 / KPC, KPC, [0.0]), "k is a Quantity [1 / kpc]"),
    ],
)
def test_units_are_not_dropped_in_silence(call, sentence):
    with np.errstate(divide="ignore"), pytest.raises(UnitsError) as refused:
        call()
    assert sentence in str(refused.value)


class Given(NamedTuple):
    """Somebody's field, which answers whatever it is told to."""

    answer: object


@implements(b_vector, Given)
def _(field, x, y, z):
    return field.answer() if callable(field.answer) else field.answer


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (Given((0.0, 1.0)), "b_vector of a Given at (0, 0, 0) pc is (0.0, 1.0); it must be"),
        (Given(lambda: 1.0 / 0.0), "at (0, 0, 0) pc fails: ZeroDivisionError: float division"),
        (total(FIELD, Given((0.0, 0.0, np.inf))), "is (0.0, 0.0, inf); it must be a tuple of"),
        (UniformField("0", "0", "3 uG"), "is ('0', '0', '3 uG'); it must be a tuple of three"),
        (UniformField(0.0, 0.0, 3.0 * u.uG), "it must be a tuple of three finite numbers [uG]."),
    ],
)
def test_a_field_that_answers_nonsense_is_refused_before_it_is_compiled(field, sentence):
    calls = [
        lambda: follow(field=field),
        lambda: run(field_of=lambda seed: field),
        lambda: trace(field, [ORIGIN], 1.0),
        lambda: scattered_sky(field, 1e6, 1.0, ORIGIN),
        lambda: burst_through(field, EAST[0], 1.0, 1.0, 0.1, observer=ORIGIN),
        lambda: line_spread(lambda seed: field, 1.0, realisations=3, lines=2, seed=1),
        lambda: spread(lambda seed: field, 1.0, 0.1, [1.0], realisations=3, particles=2, seed=1),
    ]
    for call in calls:
        with pytest.raises(ModelError) as refused:
            call()
        assert sentence in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_field_that_tells_no_scale_is_refused_where_no_step_is_given():
    mute = Given((0.0, 0.0, 3.0))
    calls = (
        lambda **how: follow(field=total(FIELD, mute), **how),
        lambda **how: run(field_of=lambda seed: mute, **how),
    )
    for call in calls:
        with pytest.raises(ModelError) as refused:
            call()
        assert str(refused.value) == (
            "field = Given tells no length on which it varies: give it a field `scale` [pc] (its "
            "shortest wavelength), or give step=."
        )


def test_a_field_in_place_of_its_maker_is_named_by_its_type_alone():
    for call in (
        run,
        lambda field_of: sky_ensemble(field_of, 1e6, 1.0, ORIGIN, realisations=2, seed=1),
    ):
        with pytest.raises(ModelError, match=r"^field_of is a Sum and must be a function .{,40}$"):
            call(field_of=FIELD)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"speed": 0.0}, "speed = 0.0 must be a positive finite number [pc/yr]."),
        ({"tau": -1.0}, "tau = -1.0 must be a positive finite number [yr]."),
        ({"omega": np.nan}, "omega must be finite: 1 are not."),
        ({"number": 0}, "number = 0 must be a whole number from 1 up."),
        ({"times": [0.0]}, "times = [0.0] must be positive and rising [yr]."),
        ({"times": "soon"}, "times = 'soon' must be numbers."),
        ({"times": 1e9}, "times = 1000000000.0 take 5e+08 flights of tau = 2.0 yr: 1e+06 at most"),
        ({"b_hat": (0.0, 0.0, 2.0)}, "b_hat = (0.0, 0.0, 2.0) must be a unit vector of three"),
        ({"directions": [[2.0, 0.0, 0.0]]}, "directions must be unit vectors."),
        ({"directions": [1.0, 0.0]}, "directions has the shape (1, 2); it must be (particles, 3)."),
    ],
)
def test_kinetic_theory_refuses_in_one_sentence(changed, sentence):
    given = {"speed": 0.3, "omega": 1.0, "tau": 2.0, **changed}
    if "times" in changed or "b_hat" in changed:
        call, given = scattered_orbits, {"times": 1.0, "particles": 2, "seed": 1, **given}
    elif "directions" in changed:
        call, given = single_flights, {"seed": 1, **given}
    else:
        call = flight_coefficients
    with pytest.raises(RangeError) as refused:
        call(**given)
    assert sentence in str(refused.value)


def test_default_step_resolves_gyration_and_waves():
    places = np.zeros((3, 1))
    rate = turning_rate(3e6)
    course = make_course(FIELD, 3e6, 1.0, 1, places, 1000.0, None, None)
    assert 0.99 < course.step / min(TURN / (rate * 4.0), REACH * 2.0 * np.pi / C_LIGHT) <= 1.0
    slow = make_course(FIELD, 3e2, 1.0, 1, places, 1.0, None, None)
    assert 0.99 < slow.step / (TURN / (rate * 1e4 * 4.0)) <= 1.0


def test_steps_end_at_the_records():
    course = make_course(FIELD, 3e6, 1.0, 1, np.zeros((3, 1)), [1.0, 1.5, 4.0], 0.4, 10.0)
    assert course.counts.tolist() == [3, 2, 7]
    np.testing.assert_allclose(np.cumsum(course.lengths * course.counts), [1.0, 1.5, 4.0])
    np.testing.assert_allclose(course.hits, course.lengths / (10.0 + 0.5 * course.lengths))
    whole = make_course(FIELD, 3e6, 1.0, 1, np.zeros((3, 1)), [-0.3, -0.6], 0.1, None)
    assert whole.counts.tolist() == [3, 3]
    assert not whole.hits.any()


def test_records_do_not_change_the_orbit():
    few, many = follow(times=3.0, step=0.1), follow(times=[1.0, 2.0, 3.0], step=0.1)
    np.testing.assert_allclose(few.positions[0], many.positions[2], rtol=1e-12, atol=1e-14)


def isotropic(n):
    directions = np.random.default_rng(1).normal(size=(n, 3))
    return directions / np.linalg.norm(directions, axis=1)[:, None]


def test_a_particle_does_not_depend_on_the_others():
    directions = isotropic(100)
    whole = follow(directions=directions, times=[5.0, 9.0], tau=3.0, seed=4, step=0.5)
    part = follow(directions=directions[70:], times=[5.0, 9.0], tau=3.0, seed=4, step=0.5, first=70)
    assert np.array_equal(part.positions, whole.positions[:, 70:])
    other = follow(directions=directions, times=[5.0, 9.0], tau=3.0, seed=5, step=0.5)
    assert not np.array_equal(other.positions, whole.positions)


@pytest.mark.parametrize("steps", [1, 3, 40])
@pytest.mark.parametrize("tau", [None, 3.0])
def test_looking_up_changes_no_bit(monkeypatch, steps, tau):
    """A call of the kernel ends within a record, at its end, or after several."""
    given = {"directions": isotropic(100), "times": [5.0, 9.0, 9.5], "tau": tau, "step": 0.5}
    whole = follow(**given)
    monkeypatch.setattr(course, "TOGETHER", steps * LANES)
    parted = follow(**given)
    assert np.array_equal(parted.positions, whole.positions)
    assert np.array_equal(parted.directions, whole.directions)
    assert parted.widest_turn == whole.widest_turn


@pytest.mark.parametrize("steps", [1, 5])
def test_looking_up_changes_no_bit_of_adaptive_steps(monkeypatch, steps):
    given = {"directions": isotropic(3), "times": [5.0, 9.0, 9.5], "tolerance": 1e-6}
    whole = follow(**given)
    monkeypatch.setattr(course, "AT_ONCE", steps)
    assert np.array_equal(follow(**given).positions, whole.positions)


def test_looking_up_changes_no_bit_of_scattered_orbits(monkeypatch):
    whole = scattered_orbits(0.3, 1.0, 2.0, [1.0, 3.0], 150, 1, first=7)
    monkeypatch.setattr(kinetic, "TOGETHER", 1)
    parted = scattered_orbits(0.3, 1.0, 2.0, [1.0, 3.0], 150, 1, first=7)
    assert np.array_equal(parted.positions, whole.positions)
    assert np.array_equal(parted.directions, whole.directions)


def test_no_bit_depends_on_the_number_of_threads():
    def field_of(seed):
        strength = 1.0 + seed % 7
        return total(UniformField(0.0, 0.0, strength), FIELD.second)

    alone, together = (
        run(field_of=field_of, realisations=5, particles=70, tau=5.0, workers=workers)
        for workers in (1, 3)
    )
    for name in ("along", "across", "hall"):
        assert np.array_equal(getattr(alone, name), getattr(together, name))
    assert len(set(alone.along[:, 1])) == 5
    assert alone.step == together.step


def test_arrays_of_any_kind_are_taken_by_the_same_code():
    """A kernel tells read-only and strided arrays from others, and would be compiled anew."""
    taken = []

    def witness(_, chosen, args):
        arrays = [one for one in args if isinstance(one, np.ndarray)]
        taken.extend(one.flags.writeable and one.flags.c_contiguous for one in arrays)
        return chosen(*args)

    def frozen(values):
        strided = np.repeat(np.array(values, dtype=float), 2, axis=0)[::2]
        strided.flags.writeable = False
        return strided

    z, times, east = frozen([0.0, 0.0, 1.0]), frozen([1.0, 2.0]), frozen(EAST)
    before = WITNESS.set(witness)
    try:
        follow(starts=frozen(ORIGIN), directions=east, times=times, step=0.5)
        scattered_orbits(0.3, 1.0, 2.0, times, 3, 1, b_hat=z)
        single_flights(east, 0.3, 1.0, 2.0, 1, b_hat=z)
    finally:
        WITNESS.reset(before)
    assert len(taken) > 8
    assert all(taken)


def test_answers_of_a_running_diffusion():
    found = run(realisations=4, particles=64, times=[1.0, 2.0, 4.0, 6.0, 8.0], tau=2.0)
    assert found.along.shape == found.across.shape == found.hall.shape == (4, 5)
    value, error = found.kappa_parallel
    np.testing.assert_allclose(value, found.along.mean(axis=0) / (2.0 * found.times))
    assert (error > 0.0).all()
    assert found.edges.tolist() == [0.0, *found.times]
    widths = np.diff(found.edges)
    for slope, running in (
        (found.slope_parallel, found.kappa_parallel),
        (found.slope_perp, found.kappa_perp),
    ):
        average = np.cumsum(slope.value * widths) / found.times
        np.testing.assert_allclose(average, running.value)
    for component in ("parallel", "perp", "hall"):
        assert found.plateau(component).begin == 4.0
    with pytest.raises(RangeError, match="component = 'x' must be one of parallel, perp, hall"):
        found.plateau("x")


def test_what_a_notebook_shows_is_short():
    squares = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 8.0], [1.0, 2.0, 6.0]])
    found = RunningDiffusion(np.array([1.0, 2.0, 3.0]), squares, squares, squares, 5, 7, 0.1, 0.2)
    assert repr(found) == (
        "RunningDiffusion(3 realisations of 5 particles, seed 7,\n  at the last of 3 times, 3 yr: "
        "kappa_parallel 1 +- 0.19, kappa_perp 1 +- 0.19, kappa_hall 6 +- 1.2 pc^2/yr)"
    )
    orbits = Orbits(found.times, np.zeros((3, 4, 3)), np.zeros((3, 4, 3)), 0.1, 0.2)
    assert repr(orbits) == (
        "Orbits(4 particles, 3 times to 3 yr, steps of 0.1 yr, widest turn 0.2 rad)"
    )
    for change, verdict in (((-0.1, 0.05), "flat"), ((-0.1, 0.5), "undecided")):
        told = Plateau(5.0, 0.1, 4.0, 8.0, 0.3, 0.4, change, 0.01, 0.2)
        assert str(told).startswith(f"Plateau({verdict}: 5 +- 0.1 from 4 to 8, change -10 to ")
    assert len(repr(scattered_orbits(0.3, 1.0, 2.0, [1.0, 3.0], 3, 1))) < 60


PLAIN = """
import numpy as np
from mcprop.fields import UniformField, plane_waves, total
from mcprop.kernels.orbit import dormand_prince, under_way
from mcprop.wandering import follow_orbits
from mcprop.wandering.kinetic import scattered_orbits, single_flights
waves = plane_waves([[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]], [0.0])
field = total(UniformField(0.0, 0.0, 3.0), waves)
n = np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]])
orbits = follow_orbits(field, 3e6, np.zeros(3), n, [1.0, 2.0], step=0.5, tau=3.0)
scattered = scattered_orbits(0.3, 1.0, 2.0, [1.0, 3.0], 3, 1)
flights = single_flights(n, 0.3, 1.0, 2.0, 1)
begin, out = under_way(np.vstack([np.zeros((3, 2)), n.T]), 0.1), np.empty((1, 6, 2))
dormand_prince(field, 0.3, 0.1, np.array([3.0]), 1e-8, 1000, begin, out)
found = (orbits.positions, orbits.directions, scattered.positions, flights.directions, out)
for array in found:
    print(array.tobytes().hex())
"""


def test_plain_python_gives_the_same_bits(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(PLAIN)
    printed = []
    for disabled in ("0", "1"):
        env = {**os.environ, "NUMBA_DISABLE_JIT": disabled, "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, str(script)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert len(printed[0]) > 900
