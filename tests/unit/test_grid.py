"""Fields on a grid: they repeat themselves, agree with SciPy, and refuse what they cannot hold."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from field_survey import by_block
from grid_probe import PlaneWave, answers_at, lattice
from scipy.ndimage import map_coordinates

from mcprop.errors import OutputError, RangeError
from mcprop.fields import PotentialGrid, SplineGrid, load_grid, turbulent_grid
from mcprop.fields.grid_store import INTERPOLATIONS, Store, one_period
from mcprop.kernels.lanes import LANES
from mcprop.protocol import b_block, b_vector, step_scale

SHAPE, SPACING, ORIGIN = (12, 14, 16), 2.0, (1.0, -2.0, 3.5)
BOX = SPACING * np.array(SHAPE)
PLACES = np.random.default_rng(1).uniform(-200.0, 200.0, (500, 3))
NOISE = np.random.default_rng(2).standard_normal((*SHAPE, 3))
WAVE = PlaneWave((1, -2, 1), BOX, (2.0, 1.0 + 1.0 / 6.0, 8.0 / 3.0 - 2.0), 0.3)


def wave(shape=SHAPE):
    """A wave across its wave vector, at the points of the grid."""
    k = WAVE.k
    across = WAVE.strength - k * (WAVE.strength @ k) / (k @ k)
    made = PlaneWave((1, -2, 1), BOX, across, 0.3)
    return made, made.vector(lattice(shape, SPACING, ORIGIN))


def turbulent(interpolation="potential", seed=1):
    request = {"longest": 30.0, "shortest": 8.0, "interpolation": interpolation}
    return turbulent_grid(16, 2.0, 3.0, seed=seed, **request)


def by_scipy(array, order):
    cells = ((PLACES - ORIGIN) / SPACING).T
    parts = [map_coordinates(array[..., c], cells, order=order, mode="grid-wrap") for c in range(3)]
    return np.stack(parts, axis=-1)


@pytest.mark.parametrize(("interpolation", "order"), [("trilinear", 1), ("spline", 3)])
def test_interpolation_is_that_of_scipy(interpolation, order):
    """The spline to the rounding of its float32 coefficients."""
    array = NOISE.astype(np.float32).astype(float)
    grid = load_grid(array, SPACING, ORIGIN, interpolation=interpolation)
    found = answers_at(grid, PLACES)[0]
    expected = by_scipy(array, order)
    tolerance = 1e-12 if order == 1 else 4e-6
    assert np.abs(found - expected).max() < tolerance
    for wrong in (array[::-1], array.transpose(1, 0, 2, 3)[:12, :12].repeat(2, axis=1)[:, :14]):
        assert np.abs(found - by_scipy(wrong, order)).max() > 1.0


def test_a_spline_without_its_prefilter_is_noticed():
    store = Store("spline", SHAPE)
    store.period[:] = NOISE
    plain = store.model(ORIGIN, SPACING, scale=8.0)
    expected = by_scipy(NOISE, 3)
    assert np.abs(answers_at(plain, PLACES)[0] - expected).max() > 0.5


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_field_repeats_itself(interpolation):
    made, array = wave()
    grid = load_grid(array, SPACING, ORIGIN, interpolation=interpolation)
    here, slopes = answers_at(grid, PLACES)
    for periods, tolerance in (
        ((1, 0, 0), 1e-12),
        ((-3, 2, -1), 1e-12),
        ((10**9, -7, 10**9), 1e-5),
    ):
        there, turned = answers_at(grid, PLACES + periods * BOX)
        np.testing.assert_allclose(there, here, atol=tolerance * np.abs(made.strength).max())
        if interpolation == "potential":  # whose derivatives have no jumps
            np.testing.assert_allclose(turned, slopes, atol=10.0 * tolerance)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_field_is_continuous_where_the_period_ends(interpolation):
    grid = turbulent(interpolation)
    edges = np.array([[0.0, 5.0, 7.0], [32.0, 1.0, 2.0], [3.0, 0.0, 1.0], [-32.0, 64.0, 96.0]])
    for axis in np.eye(3):
        ahead, _ = answers_at(grid, edges + 1e-9 * axis)
        back, _ = answers_at(grid, edges - 1e-9 * axis)
        np.testing.assert_allclose(ahead, back, atol=1e-7)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_places_that_are_none_do_no_harm(interpolation):
    odd = [[math.nan, 0.0, 0.0], [0.0, math.inf, 0.0], [0.0, 0.0, -math.inf], [1e308, -1e300, 1e19]]
    _, found = by_block(turbulent(interpolation), np.resize(odd, (LANES, 3)))
    assert np.isnan(found[0]).any()
    assert np.isnan(found[1]).any()
    assert np.isnan(found[2]).any()
    assert np.isfinite(found[3]).all()


def test_field_of_a_seed_has_the_same_bits_each_time():
    for interpolation in INTERPOLATIONS:
        first, again = turbulent(interpolation), turbulent(interpolation)
        assert first.data.tobytes() == again.data.tobytes()
        assert first[1:] == again[1:]
    assert turbulent().data.tobytes() != turbulent(seed=2).data.tobytes()
    drawn = turbulent(seed=np.random.SeedSequence(1))
    assert drawn.data.tobytes() == turbulent(seed=1).data.tobytes()


def test_plain_python_gives_the_same_bits():
    """Multiply-adds are the same wherever they are made: no bit depends on the compiler."""
    program = (
        "import mcprop.fields as f, numpy as np\n"
        "from mcprop.protocol import b_vector, b_gradient, b_block\n"
        "for kind in ('potential', 'spline', 'trilinear'):\n"
        "    g = f.turbulent_grid(8, 2.0, 3.0, 16.0, 8.0, seed=1, interpolation=kind)\n"
        "    places, out = np.linspace(-40.0, 90.0, 192), np.zeros(192)\n"
        "    b_block(g, places, out)\n"
        "    at = places[5], places[69], places[133]\n"
        "    here = b_vector(g, *at)\n"
        "    assert [out[5], out[69], out[133]] == list(here)\n"
        "    print([float(n).hex() for n in (*here, *b_gradient(g, *at))])\n"
    )
    for_plain = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", program]
    plain = subprocess.check_output(command, env=for_plain, text=True).splitlines()
    for kind, line in zip(INTERPOLATIONS, plain, strict=True):
        grid = turbulent_grid(8, 2.0, 3.0, 16.0, 8.0, seed=1, interpolation=kind)
        places = np.linspace(-40.0, 90.0, 192)
        vectors, gradients = answers_at(grid, [[places[5], places[69], places[133]]])
        numbers = [*vectors[0], *gradients[0].ravel()]
        assert str([float(n).hex() for n in numbers]) == line


def test_numbers_of_a_grid_are_few():
    grid = turbulent()
    assert grid.data.dtype == np.float32
    assert grid.data.nbytes == 12 * 19**3 + 16
    assert one_period(grid).shape == (16, 16, 16, 3)
    assert step_scale(grid, 0.0, 0.0, 0.0) == 8.0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"n": 3}, r"^n = 3 must be a whole number of at least 4"),
        ({"n": 10**6, "spacing": 3e-5}, r"^n = 1000000 takes 1\.7e\+10 GB, and this computer has"),
        ({"n": 8.0}, r"^n = 8.0 must be a whole number"),
        ({"spacing": 0.0}, r"^spacing = 0.0 must be a finite number above 0"),
        ({"rms": -1.0}, r"^rms = -1.0 must be a finite number of at least 0"),
        ({"longest": math.nan}, r"^longest = nan must be a finite number"),
        ({"longest": 33.0}, r"^longest = 33.0 must be at most the period of the grid, 32 pc"),
        ({"shortest": 7.9}, r"^shortest = 7.9 must be at least 4 spacings, 8 pc, to be resolved"),
        ({"longest": 8.0}, r"^shortest = 8.0 must be less than longest = 8.0"),
        ({"longest": 15.9, "shortest": 15.8}, r"^longest = 15.9 leaves no wave for a period of 32"),
        ({"slope": math.inf}, r"^slope = inf must be a finite number"),
        ({"seed": -1}, r"^seed = -1 must be a whole number of at least 0"),
        ({"interpolation": "cubic"}, r"^interpolation = 'cubic' is not known: choose one of 'pot"),
        ({"origin": (0.0, 1.0)}, r"^origin = \(0.0, 1.0\) must be three finite numbers \[pc\]"),
        ({"origin": "here"}, r"^origin = 'here' must be three finite numbers \[pc\]"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(change, complaint):
    request = {"n": 16, "spacing": 2.0, "rms": 3.0, "longest": 30.0, "shortest": 8.0, "seed": 1}
    with pytest.raises(RangeError, match=complaint):
        turbulent_grid(**request | change)


def test_a_file_is_as_good_as_an_array(tmp_path):
    _, array = wave()
    np.save(tmp_path / "field.npy", array)
    np.savez(tmp_path / "one.npz", b=array)
    np.savez_compressed(tmp_path / "two.npz", field=array, other=np.zeros(3))
    expected = load_grid(array, SPACING, ORIGIN)
    for source, key in (
        ("field.npy", None),
        ("one.npz", None),
        ("one.npz", "b"),
        ("two.npz", "field"),
    ):
        grid = load_grid(tmp_path / source, SPACING, ORIGIN, key=key)
        assert grid.data.tobytes() == expected.data.tobytes()
        assert grid[1:] == expected[1:]
    listed = load_grid(str(tmp_path / "field.npy"), SPACING, ORIGIN, shortest=5.0)
    assert step_scale(listed, 0.0, 0.0, 0.0) == 5.0
    assert step_scale(expected, 0.0, 0.0, 0.0) == 8.0


@pytest.mark.parametrize(
    ("source", "options", "complaint"),
    [
        ("absent.npy", {}, r"absent\.npy: there is no such file\.$"),
        ("text.npy", {}, r"text\.npy: not an NPY or NPZ file of numbers"),
        ("cut.npy", {}, r"cut\.npy: not an NPY or NPZ file of numbers"),
        ("cut.npz", {}, r"cut\.npz: not an NPY or NPZ file of numbers"),
        ("objects.npy", {}, r"objects\.npy: not an NPY or NPZ file of numbers"),
        ("two.npz", {}, r"two\.npz: give the key of the field, one array .* holds b, c\.$"),
        ("", {}, r"is a folder, not an NPY or NPZ file\.$"),
        ("text.npy", {}, r"text\.npy: not an NPY or NPZ file of numbers\.$"),
        ("two.npz", {"key": "d"}, r"^key = 'd' is not in .*two\.npz, which holds b, c\.$"),
        ("two.npz", {"key": "c"}, r"two\.npz: shape \(3,\) must be \(nx, ny, nz, 3\)"),
        ("good.npy", {"key": "b"}, r"^key = 'b' is for NPZ files only\.$"),
        ("first.npy", {}, r"first\.npy: shape \(3, 12, 14, 16\) must be \(nx, ny, nz, 3\)"),
        ("thin.npy", {}, r"thin\.npy: shape \(3, 14, 16, 3\) must be .* at least 4 points"),
        ("nan.npy", {}, r"nan\.npy: 2 of 8064 numbers are not finite\.$"),
        ("complex.npy", {}, r"complex\.npy: numbers of type complex128 must be real numbers\.$"),
        ("good.npy", {"spacing": -1.0}, r"^spacing = -1.0 must be a finite number above 0"),
        ("good.npy", {"shortest": 0.0}, r"^shortest = 0.0 must be a finite number above 0"),
        ("good.npy", {"tolerance": math.nan}, r"^tolerance = nan must be a finite number"),
        ("good.npy", {"interpolation": 1}, r"^interpolation = 1 is not known"),
    ],
)
def test_a_file_that_holds_no_field_is_refused(tmp_path, source, options, complaint):
    _, good = wave()
    broken = good.copy()
    broken[3, 4, 5, 0], broken[7, 0, 0, 2] = math.nan, math.inf
    np.save(tmp_path / "good.npy", good)
    np.save(tmp_path / "first.npy", np.moveaxis(good, 3, 0))
    np.save(tmp_path / "thin.npy", good[:3])
    np.save(tmp_path / "nan.npy", broken)
    np.save(tmp_path / "complex.npy", good * 1j)
    np.save(tmp_path / "objects.npy", np.array([{}]))
    np.savez(tmp_path / "two.npz", b=good, c=np.zeros(3))
    (tmp_path / "text.npy").write_text("1 2 3\n")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "good.npy").read_bytes()[:500])
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:500])
    with pytest.raises((OutputError, RangeError), match=complaint) as caught:
        load_grid(tmp_path / source, **{"spacing": SPACING} | options)
    assert "\n" not in str(caught.value)


def test_what_is_no_array_is_refused():
    with pytest.raises(RangeError, match=r"^source: not an array"):
        load_grid([[1.0], [1.0, 2.0]], 1.0)
    with pytest.raises(RangeError, match=r"^source: shape \(\) must be"):
        load_grid(3.0, 1.0)
    with pytest.raises(RangeError, match=r"^key = 'b' is for NPZ files only"):
        load_grid(NOISE, 1.0, key="b")


def test_divergence_is_taken_out_and_counted():
    """A wave along its wave vector beside one across it: all of the former goes, and is stated."""
    across, array = wave()
    k = across.k / np.linalg.norm(across.k)
    along = PlaneWave((1, -2, 1), BOX, 0.5 * np.linalg.norm(across.strength) * k, 1.7)
    mean = np.array([3.0, -4.0, 50.0])
    both = array + along.vector(lattice(SHAPE, SPACING, ORIGIN)) + mean
    share = 0.5 / math.sqrt(1.25)
    complaint = r"^tolerance = 0.1: a field without div.* by 0.447 of .* of which 0.447 is diverg"
    with pytest.raises(RangeError, match=complaint):
        load_grid(both, SPACING, ORIGIN)
    grid = load_grid(both, SPACING, ORIGIN, tolerance=0.5)
    assert isinstance(grid, PotentialGrid)
    assert grid.removed == pytest.approx(share, rel=1e-5)
    assert grid.misfit == pytest.approx(share, rel=2e-3)
    pure = load_grid(array + mean, SPACING, ORIGIN)
    assert pure.removed < 1e-5
    np.testing.assert_allclose(answers_at(grid, PLACES)[0], answers_at(pure, PLACES)[0], atol=1e-4)


def test_misfit_is_the_difference_at_the_points():
    _, array = wave()
    mean = np.array([0.0, 0.0, 20.0])
    grid = load_grid(array + mean, SPACING, ORIGIN)
    found, _ = answers_at(grid, lattice(SHAPE, SPACING, ORIGIN).reshape(-1, 3))
    difference = found.reshape(array.shape) - array - mean
    misfit = np.sqrt((difference**2).sum() / (array**2).sum())
    assert 1e-5 < grid.misfit < 5e-3
    assert grid.misfit == pytest.approx(misfit, rel=1e-2)
    rough = load_grid(NOISE, SPACING, tolerance=2.0)
    found, _ = answers_at(rough, lattice(SHAPE, SPACING).reshape(-1, 3))
    misfit = np.sqrt(((found.reshape(NOISE.shape) - NOISE) ** 2).sum() / (NOISE**2).sum())
    assert rough.misfit == pytest.approx(misfit, rel=1e-2)
    assert rough.removed == pytest.approx(math.sqrt(1.0 / 3.0), abs=0.05)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_a_uniform_field_stays_one(interpolation):
    array = np.broadcast_to([1.0, -2.0, 0.7], (*SHAPE, 3))
    grid = load_grid(array, SPACING, interpolation=interpolation)
    found, slopes = answers_at(grid, PLACES)
    np.testing.assert_allclose(found, np.broadcast_to([1.0, -2.0, 0.7], found.shape), rtol=1e-6)
    assert np.abs(slopes).max() < 1e-6
    if isinstance(grid, PotentialGrid):
        assert grid.removed == 0.0


def test_python_asks_the_same_field():
    grid = turbulent("spline")
    assert isinstance(grid, SplineGrid)
    assert b_vector(grid, *PLACES[0]) == tuple(answers_at(grid, PLACES[:1])[0][0])
    out = np.ones(200)
    places = np.append(PLACES[:64].T.ravel(), [math.nan] * 8)
    b_block(grid, places, out)
    expected = 1.0 + answers_at(grid, PLACES[:64])[0].T.ravel()
    assert out[:192].tolist() == expected.tolist()
    assert out[192:].tolist() == [1.0] * 8
