"""A model in a user's own file: edits are noticed, and the kernels of the package stay clean."""

import os
import subprocess
import sys

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
