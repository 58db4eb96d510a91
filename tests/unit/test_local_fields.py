"""The local fields: where they point, how far that is uncertain, what they refuse."""

import math

import numpy as np
import pytest

import mcprop.fields as fields
from mcprop import frames
from mcprop.errors import RangeError, UnitsError


def test_local_fields_point_where_the_papers_say():
    assert frames.lon_lat(fields.lrmf(), "galactic") == pytest.approx((210.5, -57.1), abs=1e-9)
    assert frames.lon_lat(fields.lic("0.5 nT")) == pytest.approx((48.5, -21.2), abs=1e-9)
    assert math.hypot(*fields.lic("0.5 nT")) == pytest.approx(5.0)
    native = np.array(fields.lrmf(2.0, frame="galactic"))
    np.testing.assert_allclose(native @ frames.galactic_axes(), fields.lrmf(2.0), rtol=1e-12)
    assert math.degrees(frames.angle_between(fields.lrmf(), fields.lic())) < 0.1


def test_drawn_directions_fill_the_cap_of_the_uncertainty():
    drawn = np.array([fields.lrmf(1.0, seed=seed) for seed in range(2000)])
    angles = [frames.angle_between(one, fields.lrmf()) for one in drawn]
    cap = math.radians(fields.LRMF.uncertainty)
    assert max(angles) <= cap * (1.0 + 1e-12)
    # the squared angle is uniform, its mean 1/2 with a deviation of 1/sqrt(12)
    squares = np.square(angles) / cap**2
    assert abs(squares.mean() - 0.5) < 4.0 / math.sqrt(12.0 * 2000)
    across = drawn @ frames.field_frame(fields.lrmf())[:2].T / cap
    # each component across has a mean square of 1/4, a deviation of 1/4 at most
    assert np.abs(across.mean(axis=0)).max() < 4.0 * 0.5 / math.sqrt(2000)
    assert np.abs((across**2).mean(axis=0) - 0.25).max() < 4.0 * 0.25 / math.sqrt(2000)
    assert np.array_equal(drawn[7], fields.lrmf(1.0, seed=7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fields.lrmf("3 pc"), "strength = 3 pc has unit 'pc': give a field"),
        (lambda: fields.lic(0.0), "strength = 0.0 must be a finite number above 0"),
        (lambda: fields.lic(frame="fk5"), "frame = 'fk5' is not known: choose one of 'icrs', 'ga"),
        (lambda: fields.lrmf(seed=1.5), "seed = 1.5 must be a whole number of at least 0"),
    ],
)
def test_bad_input_of_local_fields_is_one_sentence(call, message):
    with pytest.raises((RangeError, UnitsError)) as refused:
        call()
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
