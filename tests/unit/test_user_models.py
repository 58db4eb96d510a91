"""A model in a user's own file: edits are noticed, and the kernels of the package stay clean."""

import os
import subprocess
import sys

import pytest

MODEL = """
from typing import NamedTuple

from mcprop.protocol import b_vector, implements


class Turned(NamedTuple):
    angle: float


@implements(b_vector, Turned)
def _(field, x, y, z):
    return {answer}
"""

WALK = """
import numpy as np
from mcprop.fields import UniformField
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
{imports}
medium = Aligned({field}, 1.0, 0.0, 0.0, 0.0, 0.0)
out = np.empty((1, 3, 64))
zero = np.uint64(0)
walk(medium, zero, zero, zero, np.zeros(3), 1, 1.0, out)
print((abs(out[0]).max(axis=1) > 0.0).tolist())
"""


def run(folder, repository, imports, field):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    env["PYTHONPATH"] = os.pathsep.join([str(repository), str(folder / "models")])
    code = WALK.format(imports=imports, field=field)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_edited_model_is_compiled_anew_and_leaves_no_trace(tmp_path, repository):
    model = tmp_path / "models" / "turned_field.py"
    model.parent.mkdir()
    args = ("from turned_field import Turned", "Turned(1.0)")
    model.write_text(MODEL.format(answer="(field.angle, 0.0, 0.0)"))
    assert run(tmp_path, repository, *args) == "[True, False, False]"
    model.write_text(MODEL.format(answer="(0.0, 0.0, field.angle)"))
    assert run(tmp_path, repository, *args) == "[False, False, True]"
    model.unlink()
    assert run(tmp_path, repository, "", "UniformField(0.0, 1.0, 0.0)") == "[False, True, False]"


SCRIPT = """
import math
from typing import NamedTuple

import numpy
from mcprop.particles import walk
from mcprop.protocol import implements, kappa

numpy.seterr(over="ignore")


class Wavy(NamedTuple):
    amplitude: float


@implements(kappa, Wavy)
def _(medium, x, y, z):
    value = 1.0 + medium.amplitude * math.sin(x + 2.0 * y)
    return value, 0.1 * value, 0.0, value, 0.0, 2.0 - value


ends = walk(Wavy(0.5), (0.3, 0.2, 0.1), [1.0, 3.0], histories=64, seed=1, fraction=0.1)
print(ends.steps, *ends.positions[1, :8].ravel())
"""


def test_a_script_of_one_class_and_one_function_walks(tmp_path, repository):
    """As a file of its own, compiled and, to be debugged, without a compiler."""
    script = tmp_path / "wavy.py"
    script.write_text(SCRIPT)
    told = []
    for disabled in ("0", "1"):
        env = {**os.environ, "PYTHONPATH": str(repository), "NUMBA_DISABLE_JIT": disabled}
        done = subprocess.run(
            [sys.executable, script], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told.append([float(number) for number in done.stdout.split()])
    assert len(told[0]) == 25
    assert told[0] == pytest.approx(told[1], rel=1e-9)
    assert told[0][0] >= 2 * 64
