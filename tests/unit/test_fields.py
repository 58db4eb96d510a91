"""Every magnetic field: a vector in uG wherever it is asked for, without sources (div B = 0)."""

import math

import numpy as np
import pytest

import mcprop.fields as fields
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.protocol import b_vector

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
