"""Every magnetic field: a vector in uG wherever it is asked for, without sources (div B = 0)."""

import math
from typing import NamedTuple

import numpy as np
import pytest

import mcprop.fields as fields
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.protocol import b_gradient, b_vector, implements, kernel

EXAMPLES = {
    "UniformField": [fields.UniformField(1.0, -2.0, 0.5), fields.UniformField(0.0, 0.0, 3.0)]
}
MODELS = [model for models in EXAMPLES.values() for model in models]
POINTS = np.random.default_rng(1).uniform(-300.0, 300.0, (20, 3))


def test_every_public_field_has_an_example_here():
    public = {name for name in fields.__all__ if hasattr(getattr(fields, name), "_fields")}
    assert set(EXAMPLES) == public


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_field_is_three_finite_numbers(model):
    for point in POINTS:
        vector = b_vector(model, *point)
        assert len(vector) == 3
        assert all(math.isfinite(component) for component in vector)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_field_has_no_sources(model):
    step = 1e-3
    for point in POINTS:
        slopes = [
            b_vector(model, *(point + step * e))[i] - b_vector(model, *(point - step * e))[i]
            for i, e in enumerate(np.eye(3))
        ]
        strength = np.linalg.norm(b_vector(model, *point))
        assert abs(sum(slopes)) / (2.0 * step) < 1e-6 * strength


def gradient_by_differences(model, point, step=1e-3):
    """Nine derivatives, row by row of the field's components."""
    return np.array(
        [
            (np.array(b_vector(model, *(point + step * e))) - b_vector(model, *(point - step * e)))
            / (2.0 * step)
            for e in np.eye(3)
        ]
    ).T.ravel()


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_gradient_is_that_of_the_field(model):
    for point in POINTS:
        gradient = b_gradient(model, *point)
        strength = np.linalg.norm(b_vector(model, *point))
        expected = gradient_by_differences(model, point)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9 * strength)


class Swirl(NamedTuple):
    """A field that states no gradient, with nine different derivatives."""

    strength: float


@implements(b_vector, Swirl)
def _(field, x, y, z):
    s = field.strength
    return s * (x * y + 2.0 * z), s * (math.sin(x) - y * z), s * (x * x + 3.0 * y + z * z)


@kernel
def gradients(field, points, out):
    for i in range(out.shape[0]):
        nine = b_gradient(field, points[i, 0], points[i, 1], points[i, 2])
        out[i] = np.array(nine)


def test_a_field_without_gradient_gets_differences_in_kernels_as_well():
    field, out = Swirl(0.7), np.empty((20, 9))
    gradients(field, POINTS, out)
    for point, found in zip(POINTS, out, strict=True):
        x, y, z = point
        exact = [y, x, 2.0, math.cos(x), -z, -y, 2.0 * x, 3.0, 2.0 * z]
        np.testing.assert_allclose(found, 0.7 * np.array(exact), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(b_gradient(field, *point), found, rtol=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_particles_of_a_kernel_follow_the_field(model):
    """Without diffusion across it, a particle moves along the field where it starts."""
    out = np.empty((1, 3, 64))
    medium = Aligned(model, 1.0, 0.0, 0.0, 0.0, 0.0)
    start = POINTS[0].copy()
    walk(medium, np.uint64(1), np.uint64(1), np.uint64(0), start, 1, 1e-6, out)
    moved = out[0].T - start
    along = np.array(b_vector(model, *start), dtype=float)
    assert np.linalg.norm(moved, axis=1).min() > 0.0
    across = np.linalg.norm(np.cross(moved, along), axis=1) / np.linalg.norm(along)
    assert across.max() < 1e-9


def test_uniform_field_is_the_same_everywhere():
    model = fields.UniformField(1.0, -2.0, 0.5)
    assert {b_vector(model, *point) for point in POINTS} == {(1.0, -2.0, 0.5)}
