"""Field lines against closed forms: the order of the scheme, and errors that are kept in bounds."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from mcprop.errors import ModelError, RangeError
from mcprop.fields import Sum, UniformField, plane_waves, total
from mcprop.kernels.lanes import LANES
from mcprop.kernels.trace import trace_controlled, under_way
from mcprop.protocol import WITNESS, b_vector, implements
from mcprop.wandering import trace, tracing
from mcprop.wandering.realisations import scale_of
from mcprop.wandering.tracing import PATIENCE

STARTS = np.array([[2.0, 0.0, 0.0], [0.0, -3.0, 1.0], [1.5, 1.0, -2.0]])


class Helices(NamedTuple):
    """Lines that turn round the z axis, and rise; circles if `rise` is zero."""

    turn: float
    rise: float


@implements(b_vector, Helices)
def _(field, x, y, z):
    return -field.turn * y, field.turn * x, field.rise


def exact(field, starts, length, by="length"):
    radius = np.hypot(starts[:, 0], starts[:, 1])
    speed = np.hypot(field.turn * radius, field.rise) if by == "length" else field.rise
    time = length / speed
    c, s = np.cos(field.turn * time), np.sin(field.turn * time)
    x, y, z = starts.T
    return np.stack([c * x - s * y, s * x + c * y, z + field.rise * time], axis=1)


CIRCLES, HELICES = Helices(0.7, 0.0), Helices(0.7, 1.1)


def orders(errors):
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize(
    ("field", "by", "length"),
    [
        (CIRCLES, "length", 12.0),
        (HELICES, "length", 12.0),
        (HELICES, "length", -12.0),
        (HELICES, "z", 6.0),
    ],
)
def test_error_is_of_fourth_order(field, by, length):
    truth = exact(field, STARTS, length, by)
    errors = [
        np.abs(trace(field, STARTS, length, step=12.0 / steps, by=by)[0] - truth).max()
        for steps in (100, 200, 400, 800)
    ]
    assert errors[-1] < 1e-8
    assert np.all(np.diff(errors) < 0.0)
    assert abs(orders(errors)[-1] - 4.0) < 0.1


@pytest.mark.parametrize(
    ("weights", "order"), [((1 / 6, 1 / 3, 1 / 3, 1 / 6), 4), ((1 / 4, 1 / 4, 1 / 4, 1 / 4), 2)]
)
def test_wrong_weights_would_show(weights, order):
    """The same measure tells the scheme from one whose weights are wrong, and sum to one."""

    def slope(places):
        b = np.stack([-0.7 * places[:, 1], 0.7 * places[:, 0], np.full(3, 1.1)], axis=1)
        return b / np.linalg.norm(b, axis=1)[:, None]

    def end(steps):
        places, h = STARTS, 12.0 / steps
        for _ in range(steps):
            k1 = slope(places)
            k2 = slope(places + 0.5 * h * k1)
            k3 = slope(places + 0.5 * h * k2)
            k4 = slope(places + h * k3)
            places = places + h * np.einsum("i,ijk->jk", weights, np.array([k1, k2, k3, k4]))
        return places

    truth = exact(HELICES, STARTS, 12.0)
    errors = [np.abs(end(steps) - truth).max() for steps in (100, 200, 400, 800)]
    assert abs(orders(errors)[-1] - order) < 0.15
    if order == 4:  # and it is the scheme, bit for bit but for the order of sums
        ours = trace(HELICES, STARTS, 12.0, step=12.0 / 100)[0]
        np.testing.assert_allclose(ours, end(100), atol=1e-13)


def controlled(field, starts, length, tolerance, by_height=False, most=PATIENCE):
    out = np.empty((1, 3, len(starts)))
    lines = under_way(np.array(starts).T, length)
    taken, tried = trace_controlled(field, lines, 1.0, by_height, length, tolerance, most, out)
    return out[0].T, taken, tried


def test_error_of_every_step_is_within_the_tolerance():
    """By height all lines turn alike, so errors add up and do not grow: that of the end tells."""
    length = 40.0
    truth = exact(HELICES, STARTS, length, "z")
    errors, steps = [], []
    for tolerance in (1e-4, 1e-6, 1e-8, 1e-10):
        places, taken, tried = controlled(HELICES, STARTS, length, tolerance, True)
        errors.append(np.linalg.norm(places - truth, axis=1).max())
        steps.append(taken)
        assert errors[-1] < taken / len(STARTS) * tolerance
        assert taken <= tried < 1.3 * taken + 10
    assert errors[-1] < 1e-3 * errors[0]
    # an error of order 5 of one step: a tolerance 100 times smaller takes 100^(1/5) as many steps
    growth = np.array(steps[1:]) / np.array(steps[:-1])
    assert np.all(np.abs(growth / 100.0**0.2 - 1.0) < 0.15)


def test_order_of_the_adaptive_scheme():
    """The places have order 5: steps twice as short leave a 32nd of the error."""
    length = 40.0
    truth = exact(HELICES, STARTS[:1], length)
    found = [controlled(HELICES, STARTS[:1], length, t) for t in (1e-5, 1e-7, 1e-9)]
    errors = [np.abs(places - truth).max() for places, _, _ in found]
    steps = [taken for _, taken, _ in found]
    order = math.log(errors[0] / errors[2]) / math.log(steps[2] / steps[0])
    assert 4.6 < order < 5.8


def test_each_line_has_its_own_steps():
    """Where a line turns sharply it takes more steps; one far out does not pay for it."""
    sharp, wide = [0.05, 0.0, 0.0], [20.0, 0.0, 0.0]
    alone = [controlled(HELICES, [start], 20.0, 1e-9) for start in (sharp, wide)]
    together, taken, _ = controlled(HELICES, [sharp, wide], 20.0, 1e-9)
    assert taken == alone[0][1] + alone[1][1]
    assert alone[0][1] > 2 * alone[1][1]
    assert np.array_equal(together, np.vstack([places for places, _, _ in alone]))


@pytest.mark.parametrize("how", [{"step": 0.1}, {"tolerance": 1e-7}])
def test_records_and_blocks(how):
    """Records lie at equal distances on the line, and no line depends on those beside it."""
    random = np.random.default_rng(3)
    starts = random.uniform(-4.0, 4.0, (130, 3))
    lines = trace(HELICES, starts, 6.0, records=4, **how)
    assert lines.shape == (4, 130, 3)
    for record in range(4):
        np.testing.assert_allclose(
            lines[record], exact(HELICES, starts, 1.5 * (record + 1)), atol=2e-5
        )
    assert np.array_equal(lines[:, 70:72], trace(HELICES, starts[70:72], 6.0, records=4, **how))
    back = trace(HELICES, lines[-1], -6.0, **how)[0]
    np.testing.assert_allclose(back, starts, atol=2e-5)


def test_straight_lines():
    still = plane_waves([[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]], [0.0])
    field, along = Sum(UniformField(1.0, -2.0, 2.0), still), np.array([1.0, -2.0, 2.0]) / 3.0
    np.testing.assert_allclose(
        trace(field, STARTS, 30.0, step=1.0)[0], STARTS + 30.0 * along, atol=1e-12
    )
    risen = trace(field, STARTS, 30.0, step=1.0, by="z")[0]
    np.testing.assert_allclose(risen, STARTS + 45.0 * along, atol=1e-12)
    against = trace(field, STARTS, -30.0, tolerance=1e-6)[0]
    np.testing.assert_allclose(against, STARTS - 30.0 * along, atol=1e-12)


@pytest.mark.parametrize("how", [{"step": 0.1}, {"tolerance": 1e-6}])
def test_a_line_that_ends_is_not_a_number_from_there_on(how):
    starts = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    lines = trace(CIRCLES, starts, 6.0, records=3, **how)
    assert np.isnan(lines[:, 0]).all()
    assert np.isfinite(lines[:, 1]).all()
    assert np.isnan(trace(CIRCLES, starts, 6.0, by="z", **how)).all()


def test_a_line_that_takes_too_many_steps_ends():
    """A block gives up in time, and what it has reached by then is kept."""
    out, line = np.empty((2, 3, 1)), under_way(STARTS[:1].T, 6.0)
    _, tried = trace_controlled(HELICES, line, 1.0, False, 6.0, 1e-9, PATIENCE, out)
    assert np.isfinite(out).all()
    again, line = np.empty((2, 3, 1)), under_way(STARTS[:1].T, 6.0)
    few = trace_controlled(HELICES, line, 1.0, False, 6.0, 1e-9, tried - 2, again)
    assert few[1] == tried - 2
    assert np.array_equal(again[0], out[0])
    assert np.isnan(again[1]).all()
    assert trace_controlled(HELICES, line, 1.0, False, 6.0, 1e-9, PATIENCE, again)[1] == 2
    assert np.array_equal(again, out)


def test_arrays_of_any_kind_are_traced_by_the_same_code():
    """A kernel tells read-only and strided arrays from others, and would be compiled anew."""
    taken = []

    def witness(_, chosen, args):
        arrays = [one for one in args if isinstance(one, np.ndarray)]
        taken.extend(one.flags.writeable and one.flags.c_contiguous for one in arrays)
        return chosen(*args)

    frozen = STARTS[:1].copy()
    frozen.flags.writeable = False
    before = WITNESS.set(witness)
    try:
        for starts in (frozen, np.asfortranarray(STARTS), STARTS[::-2], STARTS.tolist()):
            trace(HELICES, starts, 6.0, step=0.1)
    finally:
        WITNESS.reset(before)
    assert len(taken) == 8
    assert all(taken)


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"field": 3.0}, ModelError, "field = float must be a model"),
        ({"starts": [1.0, 2.0, 3.0]}, RangeError, "it must be (n, 3)"),
        ({"starts": [[1.0, 2.0, math.nan]]}, RangeError, "starts must be finite"),
        ({"starts": "here"}, RangeError, "starts = 'here' must be numbers"),
        ({"length": 0.0}, RangeError, "length = 0.0 must be"),
        ({"length": math.inf}, RangeError, "length = inf must be"),
        ({"records": 0}, RangeError, "records = 0 must be a whole number"),
        ({"step": -1.0}, RangeError, "step = -1.0 must be a positive"),
        ({"tolerance": 0.0}, RangeError, "tolerance = 0.0 must be a positive"),
        ({"step": 1.0, "tolerance": 1.0}, RangeError, "exclude each other"),
        ({"tolerance": 1e-18}, RangeError, "tolerance = 1e-18 pc must be at least 1e-15 of"),
        ({"step": 1e-300}, RangeError, "length = 1 pc takes 1e+300 steps of 1e-300 pc: 1e+09 at"),
        ({"step": 5e-324, "length": 1e300}, RangeError, "takes inf steps"),
        ({"by": "x"}, RangeError, "by = 'x' is not known"),
    ],
)
def test_bad_arguments_are_named(change, error, complaint):
    given = {"field": HELICES, "starts": STARTS, "length": 1.0} | change
    with pytest.raises(error) as caught:
        trace(**given)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("how", [{"step": 0.1}, {"tolerance": 1e-7}])
@pytest.mark.parametrize("steps", [1, 7, 45])
def test_looking_up_changes_no_bit(monkeypatch, how, steps):
    """A call of the kernel ends within a record, at its end, or after several."""
    starts = np.random.default_rng(4).uniform(-4.0, 4.0, (130, 3))
    whole = trace(HELICES, starts, 6.0, records=4, **how)
    monkeypatch.setattr(tracing, "TOGETHER", steps * LANES)
    np.testing.assert_array_equal(trace(HELICES, starts, 6.0, records=4, **how), whole)


class Told(NamedTuple):
    """The same lines, with the length on which they vary."""

    turn: float
    rise: float
    scale: float


@implements(b_vector, Told)
def _(field, x, y, z):
    return -field.turn * y, field.turn * x, field.rise


def test_a_field_that_tells_no_scale_is_refused_where_no_step_is_given():
    """The steps of a default of 10 pc would follow lines of shorter waves wrongly, in silence."""
    up, told = UniformField(0.0, 0.0, 1.0), Told(0.7, 1.1, 0.5)
    for field in (HELICES, total(up, HELICES), total(up, HELICES, up), total(up, up, HELICES)):
        with pytest.raises(ModelError) as refused:
            trace(field, STARTS, 1.0)
        assert str(refused.value) == (
            "field = Helices tells no length on which it varies: give it a field `scale` [pc] (its "
            "shortest wavelength), or give step= or tolerance=."
        )
    for field in (told, total(up, told)):
        assert scale_of(field, STARTS[0], "step=") == 0.5
    by_default, by_hand = (trace(told, STARTS, 12.0, **how) for how in ({}, {"step": 0.0625}))
    np.testing.assert_array_equal(by_default, by_hand)
