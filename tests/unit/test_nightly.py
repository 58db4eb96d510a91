"""Tests that are marked as nightly run when `--all` is given, and only then."""

import os
import shutil
import subprocess
import sys

import pytest

SAMPLE = """
import pytest

def test_short():
    pass

@pytest.mark.nightly
def test_long():
    pass

@pytest.mark.parametrize("case", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_partly(case):
    pass
"""
SHORT, LONG = {"test_short", "test_partly[1]"}, {"test_long", "test_partly[2]"}


def passed(repository, folder, *arguments):
    """Names of the tests that pass, out of those of the sample."""
    (folder / "tests").mkdir(exist_ok=True)
    shutil.copy(repository / "pyproject.toml", folder)
    shutil.copy(repository / "tests" / "conftest.py", folder / "tests")
    (folder / "tests" / "test_sample.py").write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, 5), done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if " PASSED" in line]
    return {line.split("::")[1].split(" PASSED")[0] for line in lines}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), SHORT),
        (("--all", "tests/test_sample.py"), SHORT | LONG),
        (("--all", "-m", "nightly"), LONG),
    ],
)
def test_nightly_tests_run_when_asked_for(repository, tmp_path, arguments, names):
    assert passed(repository, tmp_path, *arguments) == names


def test_the_script_checks_everything_or_passes_on_what_it_is_given(repository, tmp_path):
    """scripts/test with a venv that only tells what it is asked to do."""
    scripts, python = tmp_path / "scripts", tmp_path / ".venv" / "bin" / "python"
    shutil.copytree(repository / "scripts", scripts)
    shutil.copy(repository / "pyproject.toml", tmp_path)
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\n[ "$1" != -m ] || echo "$@" >>"$TOLD"\n')
    python.chmod(0o755)
    told = tmp_path / "told"

    def asked(*arguments):
        told.unlink(missing_ok=True)
        environment = os.environ | {"TOLD": str(told)}
        subprocess.run(
            [scripts / "test", *arguments],
            env=environment, capture_output=True, timeout=300, check=True,
        )  # fmt: skip
        return [line.split()[1:] for line in told.read_text().splitlines()]

    style = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]]
    first = asked()
    assert first[0][0] == "pip"
    assert first[1:] == [*style, ["pytest"]]
    assert asked("--all") == [*style, ["pytest", "--all"]]
    assert asked("tests/unit", "-k", "cache") == [["pytest", "tests/unit", "-k", "cache"]]
    assert asked("--all", "tests/unit") == [["pytest", "--all", "tests/unit"]]
