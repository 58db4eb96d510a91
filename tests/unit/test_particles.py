"""Walks for users: media of their own, arguments that are checked, bits that do not change."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from astropy import units as u

from mcprop.errors import ModelError, RangeError, UnitsError
from mcprop.kernels.boundary import Ball, PeriodicBox
from mcprop.kernels.step import Euler, Heun
from mcprop.medium import Constant, FieldAligned, Isotropic, check_medium
from mcprop.particles import walk
from mcprop.protocol import coefficient, drift, implements, kappa, noise

MEDIUM = Isotropic(Constant(0.5))
ORIGIN = (0.0, 0.0, 0.0)


class Tilted(NamedTuple):
    """A user's medium: a full tensor, and nothing else."""

    strength: float
    scale: float


@implements(kappa, Tilted)
def _(m, x, y, z):
    wave = 0.3 * m.strength * math.sin(x / m.scale)
    return (
        m.strength + wave,
        0.2 * wave,
        0.1 * wave,
        0.7 * m.strength,
        0.05 * wave,
        0.5 * m.strength,
    )


def test_a_medium_of_ones_own_needs_one_function():
    """One step is Gaussian: mean h div kappa, covariance 2 h kappa; 4 sigma of 65536 walks."""
    medium, start, h, n = Tilted(0.4, 2.0), (0.5, 1.0, -1.0), 3.0, 1 << 16
    ends = walk(medium, start, h, n, seed=1, step=h).positions[0]
    slope = 0.3 * 0.4 * math.cos(0.5 / 2.0) / 2.0
    mean = np.array(start) + h * slope * np.array([1.0, 0.2, 0.1])
    wave = 0.3 * 0.4 * math.sin(0.5 / 2.0)
    tensor = np.array([[0.4 + wave, 0.2 * wave, 0.1 * wave], [0, 0.28, 0.05 * wave], [0, 0, 0.2]])
    covariance = 2.0 * h * (np.triu(tensor) + np.triu(tensor, 1).T)
    white = np.linalg.solve(np.linalg.cholesky(covariance), (ends - mean).T)
    assert np.abs(white.mean(axis=1)).max() < 4.0 / math.sqrt(n)
    assert np.abs(white @ white.T / n - np.eye(3)).max() < 4.0 * math.sqrt(2.0 / n)
    assert np.abs(mean - start).max() > 0.1  # a drift left out would be seen


def with_drift(factor):
    class Told(NamedTuple):
        strength: float

    implements(kappa, Told)(lambda m, x, y, z: (m.strength + x * x, 0.0, 0.0, 1.0, 0.0, 1.0))
    implements(drift, Told)(lambda m, x, y, z: (factor * 2.0 * x, 0.0, 0.0))
    return Told(1.0)


def test_a_right_drift_walks():
    assert walk(with_drift(1.0), ORIGIN, 1.0, 10, seed=1).lost == 0


@pytest.mark.parametrize("factor", [0.0, 0.5, -1.0, 1.01])
def test_a_wrong_drift_is_told_with_place_and_both_values(factor):
    said = (
        r"^drift of the Told at \(\S+, \S+, \S+\) pc is \(\S+, \S+, \S+\) pc/yr, "
        r"but central differences of its kappa give \(\S+, \S+, \S+\)$"
    )
    with pytest.raises(ModelError, match=said):
        walk(with_drift(factor), ORIGIN, 1.0, 10, seed=1)


def test_a_wrong_gradient_of_a_coefficient_is_told():
    class Slope(NamedTuple):
        value: float

    implements(coefficient, Slope)(lambda p, x, y, z: (p.value * math.exp(0.01 * x), 0.0, 0.0, 0.0))
    with pytest.raises(ModelError, match=r"^drift of the Isotropic at "):
        walk(Isotropic(Slope(1.0)), ORIGIN, 1.0, 10, seed=1)


def test_a_wrong_root_is_told():
    class Rooted(NamedTuple):
        strength: float

    implements(kappa, Rooted)(lambda m, x, y, z: (4.0, 0.0, 0.0, 1.0, 0.0, 1.0))
    implements(noise, Rooted)(lambda m, x, y, z, n0, n1, n2: (4.0 * n0, n1, n2))
    with pytest.raises(ModelError, match=r"^noise of the Rooted at .* has the square"):
        check_medium(Rooted(1.0))


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (lambda m, x, y, z: (1.0, 2.0, 0.0, 1.0, 0.0, 1.0), "has the negative eigenvalue -1 pc"),
        (lambda m, x, y, z: (math.nan, 0.0, 0.0, 1.0, 0.0, 1.0), "is not finite"),
    ],
)
def test_a_tensor_that_is_none_is_told(tensor, said):
    class Wrong(NamedTuple):
        strength: float

    implements(kappa, Wrong)(tensor)
    with pytest.raises(ModelError, match=said):
        walk(Wrong(1.0), ORIGIN, 1.0, 10, seed=1)


def test_a_medium_that_answers_nothing_is_named():
    class Mute(NamedTuple):
        strength: float

    with pytest.raises(ModelError, match=r"^kappa is not defined for a Mute$"):
        walk(Mute(1.0), ORIGIN, 1.0, 10, seed=1)
    with pytest.raises(ModelError, match=r"^medium = 3.0 must be a NamedTuple that answers kappa"):
        walk(3.0, ORIGIN, 1.0, 10, seed=1)


def test_the_lost_are_counted_and_stay():
    class Holed(NamedTuple):
        scale: float

    implements(kappa, Holed)(
        lambda m, x, y, z: (1.0 if x < 50.0 else math.nan, 0.0, 0.0, 1.0, 0.0, 1.0)
    )
    made = walk(Holed(1.0), ORIGIN, [1e-3, 5000.0], 200, seed=1, step=100.0)
    assert 0 < made.lost < 200
    assert np.isnan(made.positions[1]).any(axis=1).sum() == made.lost
    assert np.isfinite(made.positions[0]).all()
    assert "lost" in repr(made)


def test_threads_and_company_do_not_change_a_bit():
    """3000 particles in three batches, of which the first, alone, walk as they do together."""
    medium, times = Tilted(0.4, 2.0), [5.0, 20.0]
    one = walk(medium, ORIGIN, times, 3000, seed=9, boundary=Ball(8.0), threads=1)
    two = walk(medium, ORIGIN, times, 3000, seed=9, boundary=Ball(8.0), threads=3)
    few = walk(medium, ORIGIN, times, 1030, seed=9, boundary=Ball(8.0))
    for name in ("positions", "weights"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
        assert np.array_equal(getattr(one, name)[:, :1030], getattr(few, name))
    assert one.steps == two.steps > few.steps
    other = walk(medium, ORIGIN, times, 64, seed=10, boundary=Ball(8.0))
    assert not np.array_equal(one.positions[:, :64], other.positions)


def test_every_particle_starts_where_it_is_told():
    starts = np.arange(30.0).reshape(10, 3)
    made = walk(MEDIUM, starts, [1e-12], 10, seed=1)
    np.testing.assert_allclose(made.positions[0], starts, atol=1e-4)
    assert made.positions.shape == (1, 10, 3)
    assert np.all(made.weights == 1.0)


def test_records_are_those_of_one_path():
    """More records do not change the law: covariance of two times is that of the earlier one."""
    made = walk(MEDIUM, ORIGIN, [10.0, 40.0], 1 << 14, seed=2, step=7.0)
    first, last = made.positions[0][:, 0], made.positions[1][:, 0]
    assert abs(first.var() / 10.0 - 1.0) < 4.0 * math.sqrt(2.0 / (1 << 14))
    assert abs(last.var() / 40.0 - 1.0) < 4.0 * math.sqrt(2.0 / (1 << 14))
    assert abs((last - first) @ first) < 4.0 * math.sqrt((1 << 14) * 10.0 * 30.0)
    assert made.steps == (1 << 14) * (2 + 5)


def test_units_may_be_given_and_a_drawn_seed_is_kept():
    bare = walk(MEDIUM, (1.0, 0.0, 0.0), [1e3, 2e3], 8, seed=3, step=100.0)
    united = walk(MEDIUM, [1e-3, 0.0, 0.0] * u.kpc, [1.0, 2.0] * u.kyr, 8, seed=3, step="0.1 kyr")
    assert np.array_equal(bare.positions, united.positions)
    drawn = walk(MEDIUM, ORIGIN, 1.0, 8)
    again = walk(MEDIUM, ORIGIN, 1.0, 8, seed=drawn.seed)
    assert np.array_equal(drawn.positions, again.positions)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"histories": 0}, RangeError, "histories = 0 must be a whole number from 1"),
        ({"histories": 2.5}, RangeError, "histories = 2.5 must be a whole number"),
        ({"seed": -1}, RangeError, "seed = -1 must be a whole number from 0"),
        ({"times": []}, RangeError, "must be positive and rising"),
        ({"times": [2.0, 1.0]}, RangeError, "must be positive and rising"),
        ({"times": [0.0, 1.0]}, RangeError, "must be positive and rising"),
        ({"times": math.nan}, RangeError, "times = nan must be finite"),
        ({"times": "3 pc"}, UnitsError, "times = 3 pc has unit 'pc'"),
        ({"times": "later"}, UnitsError, "times = 'later' cannot be read"),
        ({"start": (1.0, 2.0)}, RangeError, "start has the shape (2,), it must be (3,) or (10, 3)"),
        ({"start": (math.inf, 0.0, 0.0)}, RangeError, "must be finite"),
        ({"start": "here"}, UnitsError, "start = 'here' cannot be read"),
        ({"start": (None, 1.0, 2.0)}, RangeError, "must be"),
        ({"boundary": Ball(2.0), "start": (3.0, 0.0, 0.0)}, RangeError, "must lie inside the Ball"),
        ({"boundary": PeriodicBox(2.0), "start": (3.0, 0.0, 0.0)}, RangeError, "must lie inside"),
        ({"step": 0.0}, RangeError, "step = 0.0 must be one positive time"),
        ({"step": [1.0, 2.0]}, RangeError, "must be one positive time"),
        ({"fraction": 0.0}, RangeError, "fraction = 0.0 must be above 0 and at most 1"),
        ({"threads": 0}, RangeError, "threads = 0 must be a whole number from 1"),
    ],
)
def test_what_is_not_allowed_is_said(change, error, said):
    given = {"start": ORIGIN, "times": 1.0, "histories": 10, "seed": 1} | change
    with pytest.raises(error) as caught:
        walk(MEDIUM, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_heun_is_for_scalar_media():
    tensor = FieldAligned(Constant(1.0), Constant(1.0), Constant(1.0))
    with pytest.raises(ModelError, match=r"^stepper = Heun\(\) is for scalar media only"):
        walk(tensor, ORIGIN, 1.0, 10, seed=1, stepper=Heun())
    euler = walk(MEDIUM, ORIGIN, 1.0, 10, seed=1, stepper=Euler())
    assert np.array_equal(euler.positions, walk(MEDIUM, ORIGIN, 1.0, 10, seed=1).positions)


def redefined(value):
    """A class of the same name and the same fields each time, as from a cell that is run again."""

    class Again(NamedTuple):
        anything: float

    implements(kappa, Again)(lambda medium, x, y, z: (value, 0.0, 0.0, value, 0.0, value))
    return Again(1.0)


def test_a_medium_that_is_defined_anew_is_walked_anew():
    spreads = [
        walk(redefined(value), (0.0, 0.0, 0.0), 100.0, 4096, 1).positions[0].std()
        for value in (1.0, 9.0, 1.0)
    ]
    for spread, value in zip(spreads, (1.0, 9.0, 1.0), strict=True):
        assert spread == pytest.approx(math.sqrt(200.0 * value), rel=0.03)


class Five(NamedTuple):
    """A tensor of five numbers."""

    value: float


@implements(kappa, Five)
def _(medium, x, y, z):
    return 1.0, 0.0, 0.0, 1.0, 0.0


@pytest.mark.parametrize(
    ("medium", "options", "said"),
    [
        (Five(1.0), {}, "it must be six numbers"),
        (redefined("x"), {}, "cannot be evaluated"),
        (Isotropic(Constant(1.0)), {"boundary": 100.0}, "boundary = 100.0 must be one of"),
        (Isotropic(Constant(1.0)), {"boundary": Ball}, "must be one of"),
        (Isotropic(Constant(1.0)), {"stepper": "Heun"}, "stepper = 'Heun' must be"),
    ],
)
def test_what_is_no_medium_boundary_or_stepper_is_said(medium, options, said):
    with pytest.raises(ModelError, match=said):
        walk(medium, (0.0, 0.0, 0.0), 1.0, 64, 1, **options)


def test_only_named_tuples_are_models():
    with pytest.raises(ModelError, match="must be a NamedTuple"):
        implements(kappa, int)
