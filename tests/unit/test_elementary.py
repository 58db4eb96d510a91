"""exp, log, pow, sin, cos by polynomials: as accurate as they say, the same bits in any lane.

The reference is NumPy's long double (64 or more bits of mantissa), good to 1e-19; the bounds are
those that the docstrings of the functions state.
"""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from mcprop.kernels import elementary
from mcprop.protocol import kernel

LONG = np.longdouble
pytestmark = pytest.mark.skipif(
    np.finfo(LONG).eps > 2e-19, reason="no extended precision on this machine"
)
RNG = np.random.default_rng(1)


@kernel
def exps(x, out):
    """Fill `out` with exp(x)."""
    for i in range(x.shape[0]):
        out[i] = elementary.exp(x[i])


@kernel
def logs(x, out):
    """Fill `out` with log(x)."""
    for i in range(x.shape[0]):
        out[i] = elementary.log(x[i])


@kernel
def powers(x, y, out):
    """Fill `out` with x^y."""
    for i in range(x.shape[0]):
        out[i] = elementary.power(x[i], y[i])


@kernel
def octants(x, out):
    """Fill `out` (2, n) with sin and cos of angles up to pi/4."""
    for i in range(x.shape[0]):
        out[0, i], out[1, i] = elementary.sincos_octants(x[i])


@kernel
def multiply_add(a, b, c, out):
    """Fill `out` with a b + c."""
    for i in range(a.shape[0]):
        out[i] = elementary.fma(a[i], b[i], c[i])


def evaluated(function, *args, rows=()):
    out = np.empty((*rows, len(args[0])))
    function(*(np.asarray(a, dtype=float) for a in args), out)
    return out


def relative(found, exact):
    """Largest relative error."""
    return float(np.max(np.abs((found.astype(LONG) - exact) / exact)))


def test_exp_is_accurate_over_its_whole_range():
    x = np.concatenate(
        [
            RNG.uniform(-708.0, 709.0, 200_000),
            RNG.uniform(-1.0, 1.0, 100_000),
            np.geomspace(1e-300, 1.0, 5_000),
            -np.geomspace(1e-300, 1.0, 5_000),
            np.arange(-1021, 1022) * math.log(2.0) / 2.0,  # where the octave changes
            [-708.0, 709.0],
        ]
    )
    assert relative(evaluated(exps, x), np.exp(x.astype(LONG))) < 5e-16


def test_exp_at_the_edges():
    x = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, -708.0000001, -1e6, -math.inf]
    assert evaluated(exps, x).tolist() == [1.0] * 5 + [0.0] * 3
    top = evaluated(exps, [709.0, 709.0000001, 1e6, math.inf])
    assert (top == top[0]).all()
    assert evaluated(exps, [-708.0])[0] > sys.float_info.min
    assert math.isnan(evaluated(exps, [math.nan])[0])


def test_log_is_accurate_for_every_normal_number():
    x = np.concatenate(
        [
            np.exp(RNG.uniform(-708.0, 709.0, 200_000)),
            RNG.uniform(0.5, 2.0, 200_000),
            1.0 + RNG.uniform(-1e-3, 1e-3, 50_000),
            1.0 + RNG.uniform(-1e-12, 1e-12, 10_000),
            np.nextafter(math.sqrt(0.5), [0.0, 1.0]),
            [sys.float_info.min, sys.float_info.max, 2.0**-28, 1.0 - 2.0**-53],
        ]
    )
    x = x[x != 1.0]
    assert relative(evaluated(logs, x), np.log(x.astype(LONG))) < 5e-16
    assert evaluated(logs, [1.0])[0] == 0.0


def test_power_is_accurate_to_the_bound_that_grows_with_the_exponent():
    x = np.exp(RNG.uniform(-30.0, 30.0, 200_000))
    y = RNG.uniform(-20.0, 20.0, 200_000)
    exact = np.exp(y.astype(LONG) * np.log(x.astype(LONG)))
    error = np.abs((evaluated(powers, x, y).astype(LONG) - exact) / exact)
    assert float(np.max(error / (1.0 + np.abs(y * np.log(x))))) < 5e-16
    assert evaluated(powers, [1.0, 3.7, 2.0], [123.4, 0.0, 1.0]) == pytest.approx([1.0, 1.0, 2.0])


def test_sine_and_cosine_of_small_angles_are_accurate():
    x = np.concatenate([RNG.uniform(-1.0, 1.0, 200_000) * math.pi / 4, [0.0, 1e-300, math.pi / 4]])
    out = evaluated(octants, x, rows=(2,)).astype(LONG)
    exact = np.stack([np.sin(x.astype(LONG)), np.cos(x.astype(LONG))])
    assert float(np.max(np.abs(out - exact))) < 2e-16


def test_multiply_add_rounds_once():
    """(1 + e)^2 - 1 - 2 e = e^2 exactly, which two roundings lose."""
    a, b, c = RNG.normal(size=(3, 1000))
    a, b, c = np.append(a, 1 + 2.0**-30), np.append(b, 1 + 2.0**-30), np.append(c, -1 - 2.0**-29)
    exact = [
        float(Fraction(p) * Fraction(q) + Fraction(r)) for p, q, r in zip(a, b, c, strict=True)
    ]
    found = evaluated(multiply_add, a, b, c)
    assert found.tolist() == exact
    assert found[-1] == 2.0**-60
    assert (a * b + c)[-1] == 0.0


@pytest.mark.parametrize("function", [exps, logs])
def test_the_lane_does_not_matter(function):
    """A vectorised loop and its scalar rest must give the same bits."""
    x = np.exp(RNG.normal(size=1003))
    whole = evaluated(function, x)
    assert evaluated(function, x[::-1].copy())[::-1].tolist() == whole.tolist()
    alone = [evaluated(function, x[i : i + 1])[0] for i in range(0, len(x), 17)]
    assert alone == whole[::17].tolist()


def test_the_bounds_would_catch_a_wrong_coefficient():
    """A relative error of 1e-15, five units in the last place, exceeds every bound above."""
    x = RNG.uniform(-700.0, 700.0, 1000)
    exact = np.exp(x.astype(LONG))
    assert relative(evaluated(exps, x) * (1.0 + 1e-15), exact) > 5e-16
