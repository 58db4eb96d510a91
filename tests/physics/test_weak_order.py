"""Order of the error of the law in the length of a step, for Euler and Heun.

The same Brownian path is walked with 8, 16, 32 and 64 steps: the mean difference of a smooth
function at the ends of two neighbours falls as the step to the weak order, with little noise.
"""

import math
from functools import lru_cache

import numpy as np
import pytest

from mcprop.kernels.rng import six_normals, threefry
from mcprop.kernels.step import Euler, Heun, advance
from mcprop.medium import Isotropic, Sum
from mcprop.protocol import kernel

COARSEST, LEVELS = 8, 4
FINEST = COARSEST * 2 ** (LEVELS - 1)
TIME = 0.5
PATHS = 200_000


@kernel
def coupled(medium, stepper, seed, place, kicks, out):
    """Values at the ends of paths with 8, 16, ... steps (paths, levels), on common kicks."""
    for path in range(out.shape[0]):
        for block in range(FINEST // 2):
            w0, w1 = threefry(np.uint64(path), np.uint64(block), seed, seed)
            n0, n1, n2, n3, n4, n5 = six_normals(w0, w1)
            kicks[2 * block, 0], kicks[2 * block, 1], kicks[2 * block, 2] = n0, n1, n2
            kicks[2 * block + 1, 0], kicks[2 * block + 1, 1] = n3, n4
            kicks[2 * block + 1, 2] = n5
        for level in range(LEVELS):
            number = COARSEST * 2**level
            share = FINEST // number
            h = TIME / number
            x, y, z = place[0], place[1], place[2]
            for step in range(number):
                a, b, c = 0.0, 0.0, 0.0
                for k in range(step * share, (step + 1) * share):
                    a, b, c = a + kicks[k, 0], b + kicks[k, 1], c + kicks[k, 2]
                root = math.sqrt(1.0 / share)
                x, y, z = advance(
                    stepper,
                    medium,
                    x,
                    y,
                    z,
                    root * a,
                    root * b,
                    root * c,
                    h,
                    math.sqrt(2.0 * h),
                )
            out[path, level] = math.sin(x + 0.3) * math.cos(y - 0.2) + 0.5 * math.sin(z + y)


@lru_cache(None, typed=True)  # all steppers are equal as tuples
def ends(medium, stepper):
    out = np.empty((PATHS, LEVELS))
    place = np.array([0.4, -0.3, 0.2])
    coupled(medium, stepper, np.uint64(1), place, np.empty((FINEST, 3)), out)
    return out


def order(medium, stepper):
    """Slope of the error over the step, and its standard deviation."""
    differences = np.diff(ends(medium, stepper), axis=1)
    mean = differences.mean(axis=0)
    relative = differences.std(axis=0) / math.sqrt(PATHS) / np.abs(mean)
    steps = -np.log(2.0) * np.arange(LEVELS - 1)
    fit, covariance = np.polyfit(steps, np.log(np.abs(mean)), 1, w=1.0 / relative, cov="unscaled")
    return fit[0], math.sqrt(covariance[0, 0])


def limit_apart(one, other):
    """Difference of two schemes, extrapolated to steps of no length, in standard deviations."""
    apart = (2.0 * one[:, -1] - one[:, -2]) - (2.0 * other[:, -1] - other[:, -2])
    return apart.mean() / apart.std() * math.sqrt(PATHS)


def scalar(drift_test):
    along_x = Isotropic(drift_test.Wave(0.5, 0.5, 1.0, 0.0, 0.0))
    return Sum(along_x, Isotropic(drift_test.Wave(0.5, 0.5, 0.0, 1.0, 1.0)))


def tensor(drift_test):
    return drift_test.TENSOR


@pytest.mark.parametrize(
    ("medium", "stepper"),
    [(scalar, Euler()), (scalar, Heun()), (tensor, Euler())],
    ids=["scalar-euler", "scalar-heun", "tensor-euler"],
)
def test_weak_order_is_one(drift_test, medium, stepper):
    """The fitted slope has an error of 0.04 to 0.06."""
    slope, error = order(medium(drift_test), stepper)
    assert error < 0.06
    assert abs(slope - 1.0) < 0.15


def test_heun_errs_less_than_euler(drift_test):
    errors = [
        np.abs(np.diff(ends(scalar(drift_test), stepper), axis=1).mean(axis=0)[0])
        for stepper in (Euler(), Heun())
    ]
    assert errors[1] < 0.5 * errors[0]


def test_both_schemes_have_the_same_limit(drift_test):
    """Heun with half of the drift; with all of it its limit is another."""
    medium = scalar(drift_test)
    euler = ends(medium, Euler())
    assert abs(limit_apart(ends(medium, Heun()), euler)) < 4.0
    planted = ends(drift_test.Scaled(medium, 2.0), Heun())
    assert abs(limit_apart(planted, euler)) > 20.0
