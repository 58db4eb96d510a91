"""Sums of plane waves: right, the same bits however they are asked, and as good as they say.

The reference is a sum of long doubles (64 or more bits of mantissa) by NumPy, good to 1e-16 here.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from mcprop.errors import ModelError, RangeError
from mcprop.fields import Sum, UniformField, fast_plane_waves, plane_waves, total
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_gradient, b_vector, kernel, step_scale

LONG = np.longdouble
pytestmark = pytest.mark.skipif(
    np.finfo(LONG).eps > 2e-19, reason="no extended precision on this machine"
)
DOUBLES, SINGLES = 5e-12, 5e-6
"""Errors over the root mean square that the two models allow themselves."""


def drawn(waves, seed=1):
    """Wave vectors [rad/pc] over two decades, amplitudes [uG] across them, phases [rad]."""
    rng = np.random.default_rng(seed)
    k = rng.standard_normal((waves, 3)) * 10.0 ** rng.uniform(-1.0, 1.0, (waves, 1))
    amplitude = np.cross(k, rng.standard_normal((waves, 3))) / np.linalg.norm(k, axis=1)[:, None]
    return k, amplitude, rng.uniform(-10.0, 10.0, waves)


GIVEN = drawn(37)
WAVES = plane_waves(*GIVEN)
FAST = fast_plane_waves(WAVES)
MEAN = UniformField(1.0, -2.0, 3.0)
RMS = float(np.sqrt((GIVEN[1] ** 2).sum() / 6.0))
"""Root mean square of a component [uG]."""

PLACES = np.random.default_rng(2).uniform(-50.0, 50.0, 3 * LANES)


@kernel
def blocks(field, places, out):
    """Add the field of a block to `out`."""
    b_block(field, places, out)


@kernel
def vectors(field, places, out):
    """Fill `out` with the field of each lane, asked for alone."""
    for i in range(LANES):
        bx, by, bz = b_vector(field, places[i], places[LANES + i], places[2 * LANES + i])
        out[i], out[LANES + i], out[2 * LANES + i] = bx, by, bz


def in_a_block(field, places=PLACES):
    out = np.zeros(3 * LANES)
    blocks(field, places, out)
    return out


def one_by_one(field, places=PLACES):
    out = np.empty(3 * LANES)
    vectors(field, places, out)
    return out


def exactly(given, places=PLACES):
    """The sum in long doubles, in the order of a block."""
    k, amplitude, phase = (np.asarray(numbers, dtype=LONG) for numbers in given)
    return (amplitude.T @ np.cos(k @ places.reshape(3, LANES) + phase[:, None])).ravel()


def error(found, exact):
    """Root mean square and largest error over the root mean square of the field."""
    off = np.abs(found - exact)
    return float(np.sqrt((off**2).mean())) / RMS, float(off.max()) / RMS


def test_doubles_are_as_good_as_they_say():
    assert error(in_a_block(WAVES), exactly(GIVEN))[1] < DOUBLES


def test_floats_of_32_bits_are_as_good_as_they_say():
    mean, largest = error(in_a_block(FAST), exactly(GIVEN))
    assert mean < 0.5 * SINGLES
    assert largest < SINGLES


def test_floats_of_32_bits_stay_good_far_away():
    """Where phases are as large as can be counted the places themselves are still sharp."""
    rng = np.random.default_rng(3)
    places = np.round(rng.uniform(-0.3, 0.3, 3 * LANES) * FAST.reach * 1024.0) / 1024.0
    assert np.abs(places).max() > 0.25 * FAST.reach
    rows = FAST.phases[:-1].astype(
        LONG
    )  # as rounded: a rounded wave vector is a slightly other one
    turns = rows[:, :3] @ places.reshape(3, LANES) + WAVES.table[:-1, 3:4].astype(LONG)
    exact = GIVEN[1].T @ np.cos(LONG(np.pi) * np.remainder(turns, 2.0))
    assert error(in_a_block(FAST, places), exact.ravel())[0] < SINGLES


@pytest.mark.parametrize("change", ["period", "phase", "amplitude", "wave vector"])
def test_a_wrong_number_shows(change):
    """A relative change of 1e-10 of one wave exceeds the error that is allowed."""
    k, amplitude, phase = (numbers.copy() for numbers in GIVEN)
    if change == "period":
        phase[5] += 2.0 * np.pi * (1.0 + 1e-10)
    elif change == "phase":
        phase[5] += 1e-10
    elif change == "amplitude":
        amplitude[5] *= 1.0 + 1e-10
    else:
        k[5] *= 1.0 + 1e-10
    assert error(in_a_block(plane_waves(k, amplitude, phase)), exactly(GIVEN))[1] > DOUBLES


def test_a_wrong_coefficient_shows():
    """The cosine of the model at all angles against that of NumPy, and with one digit wrong."""
    places = np.zeros(3 * LANES)
    places[:LANES] = np.linspace(-3.0, 3.0, LANES)
    wave = [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]], [0.25]
    exact, model = exactly(wave, places), plane_waves(*wave)
    assert np.abs(in_a_block(model, places) - exact).max() < 2e-12
    wrong = model._replace(table=model.table * np.array([1, 1, 1, 1, 1 + 1e-11, 1 + 1e-11, 1, 1]))
    assert np.abs(in_a_block(wrong, places) - exact).max() > 2e-12


SUM = total(MEAN, WAVES)


@pytest.mark.parametrize("field", [WAVES, FAST, SUM], ids=["doubles", "32 bits", "sum"])
def test_a_block_has_the_bits_of_its_vectors(field):
    found = in_a_block(field)
    assert found.tobytes() == one_by_one(field).tobytes()
    lane = [float(number) for number in PLACES[5::LANES]]
    assert b_vector(field, *lane) == tuple(found[5::LANES])


def test_a_block_is_added_to_what_is_there_and_longer_buffers_will_do():
    places, out = np.append(PLACES, 7.0), np.full(3 * LANES + 1, 0.5)
    blocks(WAVES, places, out)
    assert out[-1] == 0.5
    np.testing.assert_array_equal(out[:-1], 0.5 + in_a_block(WAVES))


def test_a_block_that_is_no_row_of_doubles_is_refused():
    with pytest.raises(ModelError, match="contiguous array of float64, no"):
        blocks(WAVES, PLACES.astype(np.float32), np.zeros(3 * LANES))


def test_gradient_is_that_of_the_cosines():
    k, amplitude, phase = (numbers.astype(LONG) for numbers in GIVEN)
    place = PLACES[7::LANES]
    slopes = -amplitude.T @ (np.sin(k @ place + phase)[:, None] * k)
    size = float(np.sqrt((GIVEN[1] ** 2 * (k**2).sum(axis=1)[:, None]).sum() / 6.0))
    for field in (WAVES, FAST, total(MEAN, WAVES)):
        found = np.array(b_gradient(field, *(float(x) for x in place))).reshape(3, 3)
        assert np.abs(found - slopes).max() < DOUBLES * size


def test_sums_do_not_depend_on_how_they_are_nested():
    parts = MEAN, WAVES, UniformField(0.1, 0.2, 0.3)
    left, right = total(*parts), Sum(parts[0], Sum(*parts[1:]))
    assert left == Sum(Sum(*parts[:2]), parts[2])
    place = [float(x) for x in PLACES[3::LANES]]
    assert b_vector(left, *place) == b_vector(right, *place) == tuple(in_a_block(right)[3::LANES])
    mean, waves, other = (np.array(b_vector(part, *place)) for part in parts)
    assert b_vector(left, *place) == tuple(mean + waves + other)


def test_fields_add_up_by_the_sign_as_well():
    wave = plane_waves([[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]], [0.0])
    for field in (MEAN, wave, fast_plane_waves(wave), total(MEAN, wave)):
        assert field + wave == total(field, wave)
    with pytest.raises(ModelError, match="b_vector is not defined for a tuple"):
        MEAN + tuple(MEAN)


def test_a_sum_varies_as_fast_as_the_faster_of_its_parts():
    shortest = 2.0 * np.pi / np.linalg.norm(GIVEN[0], axis=1).max()
    for field in (WAVES, FAST, SUM, total(WAVES, MEAN), total(MEAN, FAST)):
        assert step_scale(field, 0.0, 0.0, 0.0) == pytest.approx(shortest, rel=1e-12)
    assert total(WAVES) is WAVES


def test_what_was_given_can_be_read_again():
    for read, given in zip((WAVES.k, WAVES.amplitude), GIVEN[:2], strict=True):
        np.testing.assert_allclose(read, given, rtol=1e-15)
    turns = (WAVES.phase - GIVEN[2]) / (2.0 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-14)


@pytest.mark.parametrize("beyond", [1.0, 1e3, 1e200, -3.0, np.nan])
def test_beyond_its_reach_the_fast_one_gives_doubles(beyond):
    """Only the lanes that are beyond; the others keep their bits."""
    places = PLACES.copy()
    places[2 * LANES + 9] = beyond * FAST.reach
    found, near, doubles = in_a_block(FAST, places), in_a_block(FAST), in_a_block(WAVES, places)
    far = np.arange(3 * LANES) % LANES == 9
    assert found[far].tobytes() == doubles[far].tobytes()
    assert found[~far].tobytes() == near[~far].tobytes()
    assert found.tobytes() == one_by_one(FAST, places).tobytes()


def test_without_that_guard_it_would_be_wrong():
    places = PLACES.copy()
    places[2 * LANES + 9] = 16.0 * FAST.reach
    far = np.arange(3 * LANES) % LANES == 9
    unguarded = in_a_block(FAST._replace(reach=np.inf), places)[far]
    assert np.abs(unguarded - in_a_block(WAVES, places)[far]).max() > 0.1 * RMS


ASKED = """
import sys
import numpy as np
from mcprop.fields import UniformField, fast_plane_waves, plane_waves, total
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_gradient, kernel

@kernel
def ask(field, places, out):
    b_block(field, places, out)

given = np.load(sys.argv[1])
waves = plane_waves(given["k"], given["amplitude"], given["phase"])
for field in (total(UniformField(1.0, -2.0, 3.0), waves), fast_plane_waves(waves)):
    out = np.zeros(3 * LANES)
    ask(field, given["places"], out)
    print(out.tobytes().hex())
print(np.array(b_gradient(waves, 1.0, 2.0, 3.0)).tobytes().hex())
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Ask a fresh process for the bits of two fields, and for the files of its cache."""
    folder = tmp_path_factory.mktemp("asked")
    script, numbers, cache = folder / "asked.py", folder / "given.npz", folder / "cache"
    script.write_text(ASKED)
    few = dict(zip(("k", "amplitude", "phase"), drawn(5), strict=True))
    np.savez(numbers, **few, places=PLACES)

    def ask(**environment):
        ways = {"NUMBA_CACHE_DIR": str(cache), **environment}
        done = subprocess.run(
            [sys.executable, script, numbers],
            env={**os.environ, **ways},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")}
        return done.stdout, files

    return ask


def test_compiled_code_is_found_again_and_has_the_bits_of_plain_python(asked):
    bits, compiled = asked()
    assert len(bits.split()) == 3
    assert compiled
    assert asked() == (bits, compiled)
    assert asked(NUMBA_DISABLE_JIT="1") == (bits, compiled)


@pytest.mark.nightly
@pytest.mark.parametrize("features", ["+avx,+avx2,+fma", ""], ids=["avx2", "no multiply-add"])
def test_other_processors_give_the_same_bits(asked, features):
    """Where no instruction multiplies and adds, the C library does."""
    there = {"NUMBA_CPU_NAME": "haswell" if features else "generic"}
    found = asked(**there, NUMBA_CPU_FEATURES=features)[0]
    assert found == asked()[0]


def changed(**change):
    given = dict(zip(("k", "amplitude", "phase"), drawn(3), strict=True)) | change
    return given["k"], given["amplitude"], given["phase"]


def with_number(array, where, number):
    array = array.copy()
    array[where] = number
    return array


K, AMPLITUDE, PHASE = drawn(3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"k": K[0]}, r"k has the shape \(3,\); it must be \(n, 3\)\."),
        ({"k": np.empty((0, 3))}, r"k has the shape \(0, 3\); it must be \(n, 3\)\."),
        ({"amplitude": AMPLITUDE[:2]}, r"amplitude has the shape \(2, 3\); it must be \(3, 3\)"),
        ({"phase": PHASE[:, None]}, r"phase has the shape \(3, 1\); it must be \(3,\)\."),
        ({"phase": "none"}, r"phase = 'none' must be an array of numbers\."),
        ({"k": with_number(K, (1, 2), np.nan)}, r"k\[1, 2\] = nan must be finite\."),
        ({"phase": with_number(PHASE, 2, np.inf)}, r"phase\[2\] = inf must be finite\."),
        ({"k": with_number(K, 1, 0.0)}, r"k\[1\] = \[0\.0, 0\.0, 0\.0\] rad/pc must not be zero\."),
        (
            {"amplitude": AMPLITUDE + with_number(0.0 * K, 2, 1e-6 * K[2])},
            r"amplitude\[2\] = .* uG "
            r"must be perpendicular to k\[2\] = .* rad/pc\.",
        ),
    ],
)
def test_waves_that_make_no_field_are_refused(change, complaint):
    with pytest.raises(RangeError, match=complaint) as caught:
        plane_waves(*changed(**change))
    assert "\n" not in str(caught.value)


def test_what_is_no_field_is_refused():
    with pytest.raises(ModelError, match="no fields"):
        total()
    with pytest.raises(ModelError, match="b_vector is not defined for a float"):
        total(MEAN, 3.0)
    with pytest.raises(RangeError, match=r"waves = UniformField.* must be PlaneWaves"):
        fast_plane_waves(MEAN)
