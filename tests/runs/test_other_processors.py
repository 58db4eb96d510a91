"""Kernels are compiled for the processor at hand; here for lesser ones, which it can play."""

import ast
import os
import platform
import subprocess
import sys

import pytest

KERNELS = [
    "physics/test_analog.py", "physics/test_background.py", "physics/test_boost.py",
    "physics/test_kinetic_theory.py", "physics/test_orbits.py", "physics/test_sphere.py",
    "physics/test_split_walk.py", "physics/test_trace.py", "physics/test_walk.py",
    "physics/test_wandering_burst.py", "statistics/test_normals.py",
]  # fmt: skip
"""Tests that compile each kernel at least once."""

ON_X86 = pytest.mark.skipif(
    platform.machine().lower() not in {"x86_64", "amd64"}, reason="another kind of processor"
)


def run_on(processor, folder, *tests):
    """These tests on a processor without vectors of 512 bits; compiled code goes to `folder`."""
    plainer = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env=os.environ | plainer | {"NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
    )


@ON_X86
def test_steps_of_controlled_error_compile_without_avx512(repository, tmp_path):
    """LLVM may end the whole process where it gives up."""
    lines = f"{repository}/tests/physics/test_trace.py"
    done = run_on("generic", tmp_path, lines, "-k", "controlled or scheme or straight")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@ON_X86
@pytest.mark.nightly
def test_kernels_compile_and_agree_without_avx512(repository, tmp_path):
    done = run_on("haswell", tmp_path, *(f"{repository}/tests/{name}" for name in KERNELS))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    compiled = {path.name.split("-")[0].rpartition(".")[2] for path in tmp_path.rglob("*.nbi")}
    assert kernels(repository) <= compiled


def kernels(repository):
    """Names of all functions of the package that are marked as kernels."""
    return {
        thing.name
        for path in (repository / "mcprop" / "kernels").glob("*.py")
        for thing in ast.parse(path.read_text()).body
        if isinstance(thing, ast.FunctionDef)
        and any(isinstance(mark, ast.Name) and mark.id == "kernel" for mark in thing.decorator_list)
    }
