"""A field of one's own goes through all that takes a field, and does what a built-in one does."""

import dataclasses
import math

import numpy as np
import pytest
from own_field import OwnWave

from mcprop.fields import UniformField, load_grid, plane_waves, total
from mcprop.protocol import b_vector
from mcprop.wandering import (
    burst_through,
    follow_orbits,
    line_divergence,
    line_spread,
    running_diffusion,
    scattered_sky,
    sky_ensemble,
    spread,
    trace,
    traced_sky,
)

MEAN, AMPLITUDE, K, PHASE = 3.0, 0.8, 2.0 * math.pi / 40.0, 0.4
LENGTH = 40.0 / math.sqrt(2.0)
"""Of the wave [pc]."""

OWN = OwnWave(MEAN, AMPLITUDE, K, PHASE, LENGTH)
PARTS = OwnWave(2.0, AMPLITUDE, K, PHASE, LENGTH), UniformField(0.0, 0.0, 1.0)
WAVE = plane_waves([[K, 0.0, K]], [[AMPLITUDE, AMPLITUDE, -AMPLITUDE]], [PHASE])
BUILT_IN = UniformField(0.0, 0.0, MEAN) + WAVE

STARTS = np.random.default_rng(1).uniform(-30.0, 30.0, (8, 3))
DIRECTIONS = [(0.6, 0.0, 0.8), (0.0, -1.0, 0.0), (0.0, 0.6, -0.8), (1.0, 0.0, 0.0)]
GRADIENT = (1e-3, 2e-3, 1e-3)


def sampled(field):
    """The field on a grid, 16 points to a period."""
    points = 2.5 * np.indices((16, 4, 16)).reshape(3, -1).T
    found = np.array([b_vector(field, *point) for point in points.tolist()])
    return load_grid(found.reshape(16, 4, 16, 3), 2.5)


WAYS = {
    "lines": lambda one: trace(one, STARTS, 60.0, records=3),
    "lines backward, by height": lambda one: trace(one, STARTS, -60.0, by="z", tolerance=1e-9),
    "spread of lines": lambda one: line_spread(lambda _: one, 60.0, 2, 8, 1, records=5),
    "line divergence": lambda one: line_divergence(lambda _: one, 60.0, 2, 8, 1, records=5),
    "orbits": lambda one: follow_orbits(one, 3e6, STARTS[:4], DIRECTIONS, [20.0, 60.0]),
    "adaptive orbits": lambda one: follow_orbits(
        one, 3e6, STARTS[:4], DIRECTIONS, [-60.0], tolerance=1e-9
    ),
    "running diffusion": lambda one: running_diffusion(
        lambda _: one, 3e6, [20.0, 60.0], 3, 64, 1, tau=30.0
    ),
    "pseudo-particles": lambda one: spread(lambda _: one, 2.0, 0.1, [200.0, 400.0], 2, 64, 1),
    "a burst": lambda one: burst_through(
        one, (5.0, 0.0, 40.0), 2000.0, 2.0, 0.1, forward=512, backward=256, nodes=2
    ),
    "a sky of collisions": lambda one: scattered_sky(one, 3e6, 3.0, GRADIENT, nside=2),
    "a sky traced back": lambda one: traced_sky(one, 3e6, 10.0, GRADIENT, nside=2, tau=20.0),
    "skies": lambda one: sky_ensemble(
        lambda _: one, 3e6, 10.0, GRADIENT, realisations=2, seed=1, nside=2
    ),
    "a grid": lambda one: sampled(one).data,
}


def numbers_in(found):
    """All numbers of a result, however deep."""
    if dataclasses.is_dataclass(found):
        parts = [getattr(found, field.name) for field in dataclasses.fields(found)]
    elif isinstance(found, (tuple, list)):
        parts = found
    else:
        is_number = isinstance(found, (float, np.ndarray))
        return [np.ravel(found)] if is_number else []
    return [part for one in parts for part in numbers_in(one)]


@pytest.mark.nightly
@pytest.mark.parametrize("way", list(WAYS))
def test_it_does_what_the_built_in_field_does(way):
    """To what rounding leaves of it; a wave half a thousandth stronger is another one."""
    own, built_in = (np.concatenate(numbers_in(WAYS[way](one))) for one in (OWN, BUILT_IN))
    assert np.isfinite(own).any()
    np.testing.assert_allclose(own, built_in, rtol=1e-5, atol=1e-7 * np.nanmax(np.abs(own)))
    other = np.concatenate(numbers_in(WAYS[way](OWN._replace(amplitude=1.0005 * AMPLITUDE))))
    assert not np.allclose(
        own, other, rtol=1e-5, atol=1e-7 * np.nanmax(np.abs(own)), equal_nan=True
    )


@pytest.mark.nightly
def test_it_is_part_of_a_sum_and_stands_on_a_grid():
    lines = trace(BUILT_IN, STARTS, 60.0)
    np.testing.assert_allclose(trace(total(*PARTS), STARTS, 60.0), lines, atol=1e-6)
    off = np.abs(trace(sampled(OWN), STARTS, 60.0) - lines).max()
    assert 1e-6 < off < 5e-3
