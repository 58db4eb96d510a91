"""A field at many places: what it answers there, what follows from that, what is refused."""

import math
import os
import subprocess
import sys
from typing import NamedTuple

import astropy.units as u
import numpy as np
import pytest

from mcprop.errors import ModelError, RangeError, UnitsError
from mcprop.fields import PlaneWaves, sample, turbulence
from mcprop.protocol import b_gradient, b_vector, implements

PLACES = np.random.default_rng(1).uniform(-50.0, 50.0, (4, 5, 3))
WAVES = turbulence("isotropic", 2.0, 100.0, 20.0, waves=36, seed=1)


class Corner(NamedTuple):
    """A field with sources of 3 uG/pc times `strength`, and zero at the origin."""

    strength: float


@implements(b_vector, Corner)
def _(field, x, y, z):
    return field.strength * (x + 2.0 * y), field.strength * (y - z), field.strength * z


class Lame(NamedTuple):
    """A field of two components."""

    bx: float


@implements(b_vector, Lame)
def _(field, x, y, z):
    return field.bx, 0.0


def test_vectors_and_gradients_are_those_of_the_open_functions():
    seen = sample(WAVES, PLACES)
    assert (seen.vectors.shape, seen.gradients.shape) == ((4, 5, 3), (4, 5, 3, 3))
    np.testing.assert_array_equal(seen.places, PLACES)
    for at in ((0, 0), (3, 2)):
        place = PLACES[at].tolist()
        assert tuple(seen.vectors[at]) == b_vector(WAVES, *place)
        assert tuple(seen.gradients[at].ravel()) == b_gradient(WAVES, *place)


def test_what_follows_has_the_shape_of_the_places():
    for shape in ((3,), (0, 3), (2, 1, 7, 3)):
        seen = sample(WAVES, np.zeros(shape))
        assert seen.vectors.shape == seen.directions.shape == shape
        assert seen.strength.shape == seen.divergence.shape == shape[:-1]
        assert seen.direction_divergence.shape == shape[:-1]


def test_strength_and_direction_are_the_field():
    seen = sample(WAVES, PLACES)
    np.testing.assert_allclose(seen.strength, np.linalg.norm(seen.vectors, axis=-1), rtol=1e-14)
    np.testing.assert_allclose(seen.strength[..., None] * seen.directions, seen.vectors, rtol=1e-14)


def differences(value, step):
    """Derivatives (..., 3) of a function of places, by differences of the fourth order."""
    columns = []
    for axis in np.eye(3):
        a, b, c, d = (value(PLACES + n * step * axis) for n in (-2, -1, 1, 2))
        columns.append((a - 8.0 * b + 8.0 * c - d) / (12.0 * step))
    return np.stack(columns, axis=-1)


MODELS = {"waves": WAVES, "of-ones-own": Corner(0.7)}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_divergences_are_those_of_field_and_direction(model):
    """The second field has sources, so that each term of the formula is needed."""
    seen = sample(model, PLACES)
    for found, name in ((seen.divergence, "vectors"), (seen.direction_divergence, "directions")):
        slopes = differences(lambda places, name=name: getattr(sample(model, places), name), 0.02)
        wanted = np.trace(slopes, axis1=-2, axis2=-1)
        size = np.sqrt(np.mean(slopes**2))
        np.testing.assert_allclose(found, wanted, atol=1e-4 * size)


def test_divergence_of_given_slopes():
    seen = sample(Corner(0.5), [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    np.testing.assert_allclose(seen.divergence, 1.5, rtol=1e-9)
    slopes = 0.5 * np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(seen.gradients, [slopes, slopes], atol=1e-9)
    # along x the direction is x, and slopes across it are all that turn it: of y by y, of z by z
    assert seen.direction_divergence[0] == pytest.approx(2.0 / 2.0, rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_a_zero_field_has_no_direction():
    seen = sample(Corner(1.0), [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert seen.strength.tolist() == [0.0, 1.0]
    assert np.isnan(seen.directions[0]).all()
    assert np.isnan(seen.direction_divergence[0])
    assert seen.divergence == pytest.approx([3.0, 3.0], rel=1e-9)
    assert np.isfinite(seen.directions[1]).all()
    assert np.isfinite(seen.direction_divergence[1])


def test_whole_numbers_are_places():
    whole = sample(WAVES, [[1, 2, 3]])
    np.testing.assert_array_equal(whole.vectors, sample(WAVES, [[1.0, 2.0, 3.0]]).vectors)


def test_what_was_given_may_change_afterwards():
    given = PLACES.copy()
    seen = sample(WAVES, given)
    given[:] = 0.0
    np.testing.assert_array_equal(seen.places, PLACES)


@pytest.mark.parametrize(
    ("field", "places", "kind", "message"),
    [
        (WAVES, [1.0, 2.0], RangeError, "places has the shape (2,); it must be (..., 3)."),
        (WAVES, 1.0, RangeError, "places has the shape (); it must be (..., 3)."),
        (WAVES, [[1.0, 2.0, 3.0], [1.0]], RangeError, "places = [[1.0, 2.0, 3.0], [1.0]] must be"),
        (WAVES, ["a", "b", "c"], RangeError, "places = ['a', 'b', 'c'] must be an array of real"),
        (WAVES, [1j, 0.0, 0.0], RangeError, "places = [1j, 0.0, 0.0] must be an array of real"),
        (WAVES, None, RangeError, "places = None must be an array of real numbers"),
        (WAVES, [[0, 0, 0], [0, math.nan, 0]], RangeError, "places[1, 1] = nan must be finite"),
        (WAVES, [math.inf, 0.0, 0.0], RangeError, "places[0] = inf must be finite"),
        (WAVES, [1.0, 2.0, 3.0] * u.kpc, UnitsError, "places is a Quantity [kpc] and must be pl"),
        (WAVES, [[1.0, 2.0, 3.0] * u.kpc], UnitsError, "places is a Quantity [kpc] and must be"),
        ("B", [0.0, 0.0, 0.0], ModelError, "b_vector is not defined for a str."),
        (PlaneWaves, [0.0, 0.0, 0.0], ModelError, "b_vector is not defined for a type."),
        (
            Lame(1.0),
            [0.0, 0.0, 0.0],
            ModelError,
            "b_vector of a Lame at (0, 0, 0) pc is (1.0, 0.0); it must be a tuple of three finite",
        ),
        (
            Corner(1.0),
            [[1.0, 2.0, 3.0], [0.0, 1e308, 0.0]],
            ModelError,
            "b_vector of a Corner at (0, 1e+308, 0) pc is not finite: [inf, 1e+308, 0.0].",
        ),
    ],
)
def test_bad_input_is_one_sentence(field, places, kind, message):
    with pytest.raises(kind) as refused:
        sample(field, places)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


SCRIPT = """
import math
from typing import NamedTuple

from mcprop.fields import UniformField, sample, total
from mcprop.protocol import b_vector, implements


class Fan(NamedTuple):
    strength: float


@implements(b_vector, Fan)
def _(field, x, y, z):
    return field.strength * math.sin(x / 5.0), y * y, 1


for field in (Fan(2.0), total(UniformField(0.0, 1.0, 0.0), Fan(2.0))):
    seen = sample(field, [[1.0, 2.0, 3.0]])
    print(*seen.vectors.ravel(), *seen.gradients.ravel())
"""


def test_a_field_of_a_script_is_sampled_alone_and_in_a_sum(tmp_path, repository):
    script = tmp_path / "fan.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(
        [sys.executable, script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    alone, added = np.reshape([float(number) for number in done.stdout.split()], (2, 12))
    assert alone[1:3].tolist() == [4.0, 1.0]
    assert added[1:3].tolist() == [5.0, 1.0]
    for found in (alone, added):
        np.testing.assert_allclose(found[[3, 7]], [0.4 * math.cos(0.2), 4.0], rtol=1e-9)
