"""What is uniform stays uniform, what is reciprocal stays so; without div kappa neither holds."""

import numpy as np
import pytest

from mcprop.errors import ModelError
from mcprop.kernels.boundary import PeriodicBox, ReflectingBox
from mcprop.kernels.step import Euler, Heun
from mcprop.medium import Isotropic
from mcprop.particles import walk

N = 10_000


@pytest.mark.parametrize("case", [0, 1, 2], ids=["scalar-euler", "scalar-heun", "tensor-euler"])
def test_uniform_stays_uniform_with_the_whole_drift_alone(drift_test, case):
    medium, stepper = list(drift_test.CASES.values())[case]
    found = drift_test.p_values(medium, stepper, PeriodicBox(drift_test.SIDE), N)
    assert found.pop("whole") > 1e-4
    assert max(found.values()) < 1e-10, found


@pytest.mark.parametrize("stepper", [Euler(), Heun()], ids=["euler", "heun"])
def test_uniform_stays_uniform_between_mirrors(drift_test, stepper):
    """The coefficient rises by 80 % from one face to the other.

    Heun's averages make up for half of a drift that is left out, and for all of half of it but a
    quarter: there the density is hardly uneven.
    """
    medium = Isotropic(drift_test.Wave(1.0, 0.8, 0.25, 0.0, 0.0))
    box = ReflectingBox(drift_test.SIDE)
    found = drift_test.p_values(medium, stepper, box, N, time=8.0, step=0.02)
    assert found.pop("whole") > 1e-4
    if isinstance(stepper, Heun):
        assert found.pop("half") < 1e-4
    assert max(found.values()) < 1e-10, found


def test_uniform_stays_uniform_with_steps_that_follow_the_medium(drift_test):
    """Records at given times cut the last step of each particle; that must not matter."""
    starts = np.random.default_rng(8).uniform(0.0, drift_test.SIDE, (N, 3))
    box, times = PeriodicBox(drift_test.SIDE), [0.3, 2.0, 4.0]
    made = walk(drift_test.SCALAR, starts, times, N, seed=8, boundary=box, fraction=0.15)
    assert all(drift_test.p_uniform(places.T) > 1e-4 for places in made.positions)
    assert made.steps > 100 * N


def crossings(drift_test, factor, n, origin, target, seed):
    """Number of particles from a cube of side 2 round `origin` that are in that of `target`."""
    rng = np.random.default_rng(seed)
    starts = np.array(origin)[:, None] + rng.uniform(-1.0, 1.0, (3, n))
    medium = drift_test.Scaled(drift_test.TENSOR, factor)
    box = PeriodicBox(drift_test.SIDE)
    places = drift_test.ends(medium, Euler(), box, n, time=1.0, step=0.02, seed=seed, starts=starts)
    return int((np.abs(places - np.array(target)[:, None]) < 1.0).all(axis=0).sum())


def test_the_way_there_is_as_likely_as_the_way_back(drift_test):
    """Counts between two boxes, of 30000 each way; the drift left out breaks the balance."""
    a, b = (1.5, 1.5, 1.5), (3.0, 1.5, 3.0)
    there, back = (
        crossings(drift_test, 1.0, 30_000, a, b, 3),
        crossings(drift_test, 1.0, 30_000, b, a, 4),
    )
    assert min(there, back) > 2000
    assert abs(there - back) < 4.0 * np.sqrt(there + back)
    there, back = (
        crossings(drift_test, 0.0, 30_000, a, b, 3),
        crossings(drift_test, 0.0, 30_000, b, a, 4),
    )
    assert abs(there - back) > 20.0 * np.sqrt(there + back)


def test_a_wrong_drift_is_refused_before_it_walks(drift_test):
    medium = drift_test.Scaled(drift_test.TENSOR, 0.5)
    said = (
        r"^drift of the Scaled at \(.*\) pc is \(.*\) pc/yr, but central differences of its kappa"
    )
    with pytest.raises(ModelError, match=said):
        walk(medium, (0.0, 0.0, 0.0), 1.0, 10, seed=1)
