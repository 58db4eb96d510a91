"""An open function is answered by the type of the model: in Python, compiled, nested, and new."""

import json
import math
import os
import subprocess
import sys
from typing import NamedTuple

import astropy.units as u
import numpy as np
import pytest
from numba.core.errors import TypingError

from mcprop.errors import ModelError, RangeError, UnitsError
from mcprop.fields import UniformField, sample, turbulence, turbulent_grid
from mcprop.kernels.lanes import LANES
from mcprop.kernels.launch import frames
from mcprop.kernels.score import score_frames
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.protocol import (
    answers,
    b_block,
    b_gradient,
    b_vector,
    by_default,
    drift,
    implements,
    kernel,
    noise,
    open_function,
    outside,
    step_scale,
)
from mcprop.source import Burst, SteadyDensity, WalkedBurst


class Spinning(NamedTuple):
    """A medium of its own, unknown to the package: no noise, rotation about z at `rate` [1/yr]."""

    rate: float


@implements(noise, Spinning)
def _(medium, x, y, z, n0, n1, n2):
    return 0.0, 0.0, 0.0


@implements(drift, Spinning)
def _(medium, x, y, z):
    return -medium.rate * y, medium.rate * x, 1.0


class Unanswered(NamedTuple):
    """A model that answers nothing."""

    number: float


def walked(medium, pairs=3, records=2, n=64, h=10.0):
    out = np.empty((records, 3, n))
    walk(medium, np.uint64(1), np.uint64(2), np.uint64(0), np.ones(3), pairs, h, out)
    return out


def test_plain_python_finds_the_answer_by_type():
    assert b_vector(UniformField(1.0, 2.0, 3.0), 9.0, 9.0, 9.0) == (1.0, 2.0, 3.0)
    assert outside(SteadyDensity(7.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) == 7.0
    assert drift(Spinning(2.0), 3.0, 5.0, 7.0) == (-10.0, 6.0, 1.0)


def test_a_model_without_an_answer_is_named():
    with pytest.raises(TypeError, match=r"^b_vector is not defined for a Unanswered$"):
        b_vector(Unanswered(1.0), 0.0, 0.0, 0.0)


MODELS = {
    "TrilinearGrid": turbulent_grid(5, 5.0, 2.0, 25.0, 20.0, interpolation="trilinear"),
    "PlaneWaves": turbulence("isotropic", 2.0, 100.0, 20.0, waves=3),
    "UniformField": UniformField(1.0, -2.0, 0.5),
}
THREE = np.zeros(3)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("ask", [b_vector, b_gradient, step_scale], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize(
    ("place", "told"),
    [
        ((THREE, THREE, THREE), "x = array of shape (3,)"),
        ((0.0, [1.0], 0.0), "y = [1.0]"),
        ((0.0, 0.0, "1"), "z = '1'"),
        ((THREE,), "x = array of shape (3,)"),
        ((0.0, None, 0.0), "y = None"),
    ],
)
def test_python_asks_at_one_place_at_a_time(model, ask, place, told):
    with pytest.raises(RangeError) as refused:
        ask(model, *place)
    rule = "must be one number [pc]: ask at one place at a time."
    assert str(refused.value) == f"{ask.__name__}: {told} {rule}"


def test_a_place_with_a_unit_is_refused():
    with pytest.raises(UnitsError, match=r"^drift: z is a Quantity \[kpc\] and must be plain"):
        drift(Spinning(2.0), 0.0, 0.0, 1.0 * u.kpc)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_whole_numbers_and_floats_of_32_bits_are_places_as_well(model):
    place = 2, np.float32(-3.5), np.int16(7)
    assert b_vector(model, *place) == b_vector(model, 2.0, -3.5, 7.0)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_block_takes_arrays_that_hold_it(model):
    """Compiled code would go beyond their ends."""
    enough = np.zeros(3 * LANES)
    for wrong in (np.zeros(9), [0.0] * 192, np.zeros(192, "f4"), np.zeros(384)[::2]):
        for name, arrays in (("places", (wrong, enough)), ("out", (enough, wrong))):
            with pytest.raises(RangeError, match=rf"^b_block: {name} must be an array of 192 f"):
                b_block(model, *arrays)
    assert not enough.any()


def test_a_kernel_refuses_a_model_without_an_answer_in_the_same_words():
    with pytest.raises(ModelError, match=r"^noise is not defined for a Unanswered$"):
        walked(Unanswered(1.0))


def test_a_part_without_an_answer_is_named():
    with pytest.raises(ModelError, match=r"^b_vector is not defined for a Unanswered$"):
        walked(Aligned(Unanswered(1.0), 1.0, 0.1, 0.0, 0.0, 0.0))


def test_other_mistakes_in_a_model_stay_numbas():
    class Broken(NamedTuple):
        number: float

    implements(noise, Broken)(lambda medium, x, y, z, n0, n1, n2: "no number" + x)
    implements(drift, Broken)(lambda medium, x, y, z: (0.0, 0.0, 0.0))
    with pytest.raises(TypingError):
        walked(Broken(1.0))


def test_defaults_are_chosen_by_type_and_give_way_to_answers():
    @open_function
    def doubled(model, x):
        """Twice the number, by default with an offset."""

    @by_default(doubled)
    def _(model):
        return (lambda model, x: 2.0 * model.number + x) if "number" in model._fields else None

    class Other(NamedTuple):
        rate: float

    @kernel
    def ask(model):
        return doubled(model, 1.0)

    assert doubled(Unanswered(4.0), 1.0) == ask(Unanswered(4.0)) == 9.0
    for question in (ask, lambda model: doubled(model, 1.0)):
        with pytest.raises(ModelError, match=r"^doubled is not defined for a Other$"):
            question(Other(1.0))
    implements(doubled, Other)(lambda model, x: 7.0)
    assert doubled(Other(1.0), 1.0) == 7.0
    assert answers(doubled, Other(1.0))
    assert not answers(doubled, Unanswered)


def test_an_answer_that_kernels_hold_already_cannot_be_changed():
    class Early(NamedTuple):
        rate: float

    implements(noise, Early)(lambda medium, x, y, z, n0, n1, n2: (0.0, 0.0, 0.0))
    implements(drift, Early)(lambda medium, x, y, z: (medium.rate, 0.0, 0.0))
    implements(drift, Early)(lambda medium, x, y, z: (0.0, medium.rate, 0.0))
    assert walked(Early(1.0))[0, 1, 0] > 1.0
    with pytest.raises(ModelError, match=r"^drift of a Early is compiled already; define"):
        implements(drift, Early)(lambda medium, x, y, z: (0.0, 0.0, 0.0))


def test_functions_keep_their_own_answers():
    @open_function
    def first(model):
        """Ask one thing."""

    @open_function
    def second(model):
        """Ask another."""

    implements(first, Unanswered)(lambda model: model.number)
    assert first(Unanswered(4.0)) == 4.0
    assert (first.__name__, first.__doc__) == ("first", "Ask one thing.")
    with pytest.raises(TypeError):
        second(Unanswered(4.0))


def test_a_new_model_runs_in_the_kernel_as_it_stands():
    """Euler steps of a rotation: (1 + i rate h)^steps, exactly."""
    rate, h, pairs = 0.02, 10.0, 3
    out = walked(Spinning(rate), pairs, records=2, n=70, h=h)
    for record in range(2):
        steps = 2 * pairs * (record + 1)
        turned = (1.0 + 1.0j) * (1.0 + 1.0j * rate * h) ** steps
        assert out[record, 0] == pytest.approx(turned.real, rel=1e-13)
        assert out[record, 1] == pytest.approx(turned.imag, rel=1e-13)
        assert out[record, 2] == pytest.approx(1.0 + h * steps)


def test_noise_is_a_root_of_the_tensor():
    medium = Aligned(UniformField(1.0, -2.0, 0.5), 3.0, 0.2, 0.1, 0.2, -0.3)
    root = np.stack([noise(medium, 0.0, 0.0, 0.0, *unit) for unit in np.eye(3)])
    tensor = 0.2 * np.eye(3) + 2.8 * np.outer((1, -2, 0.5), (1, -2, 0.5)) / 5.25
    assert root @ root.T == pytest.approx(tensor, rel=1e-14)
    assert noise(medium, 0.0, 0.0, 0.0, 1.0, -0.5, 2.0) == pytest.approx([1.0, -0.5, 2.0] @ root)


def small_run():
    """Bits of a walk through a nested model, of the scores of its ends, and of its field there."""
    field = UniformField(1.0, -2.0, 0.5)
    kicks = walked(Aligned(field, 3.0, 0.2, 0.0, 0.0, 0.0), pairs=1, records=1)
    burst = WalkedBurst(
        Burst(2.0, 1.0, 0.0, 50.0, field, 3.0, 0.2), kicks, 30.0, 0.1, 0.0, 0.0, 0.5
    )
    axes, scores = np.empty((64, 9)), np.empty((64, 6))
    frames(np.uint64(1), np.uint64(2), np.uint64(0), axes)
    score_frames(burst, 0.1 * np.eye(3), axes, scores)
    everything = (kicks, axes, scores, sample(field, kicks[0].T).vectors)
    return [float(x).hex() for array in everything for x in array.ravel()[:96]]


def test_without_compiler_the_bits_are_the_same():
    code = (
        "import json, sys, importlib.util, warnings\n"
        "import numpy; numpy.seterr(over='ignore')\n"
        f"spec = importlib.util.spec_from_file_location('plain', {__file__!r})\n"
        "plain = importlib.util.module_from_spec(spec); spec.loader.exec_module(plain)\n"
        "json.dump(plain.small_run(), sys.stdout)\n"
    )
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=env
    )
    assert done.returncode == 0, done.stderr
    bits = json.loads(done.stdout)
    assert all(math.isfinite(float.fromhex(x)) for x in bits)
    assert bits == small_run()
