"""What is installed is what stands in the repository, and every file tells the same version."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import mcprop


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def test_fields_is_a_relative_link(repository):
    link = repository / "mcprop" / "fields"
    assert link.is_symlink()
    assert os.readlink(link) == "../fields"
    assert (link / "__init__.py").is_file()


def test_every_package_is_listed(repository, project):
    found = []
    for folder, _, names in os.walk(repository / "mcprop", followlinks=True):
        if "__init__.py" in names:
            found.append(".".join(Path(folder).relative_to(repository).parts))
    assert sorted(found) == project["tool"]["setuptools"]["packages"]


def test_one_version(repository):
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE).group(1) == mcprop.__version__
    changes = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[.+\] - (\S+)", changes, re.MULTILINE).group(1) == mcprop.__version__


def test_licence(repository, project):
    text = (repository / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License\n\nCopyright (c) 2026, The mcprop developers\n")
    assert project["project"]["license"] == "BSD-3-Clause"


@pytest.mark.parametrize("script", [".ci/run", "scripts/quickstart", "scripts/test"])
def test_scripts_can_be_run(repository, script):
    path = repository / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True)


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """Names of the files in a wheel that is built from a copy of the sources."""
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools is older than the build needs")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("mcprop", "fields"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(repository / name, copy / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, copy)
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (path,) = copy.glob("mcprop-*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_wheel_holds_all_modules_and_scenarios(repository, wheel):
    wanted = {"mcprop/py.typed", "mcprop/fields/uniform.py", "mcprop/scenarios/xue-liu-2025.toml"}
    wanted |= {"mcprop/wander_study/scenarios/wander-isotropic.toml"}
    for folder, _, names in os.walk(repository / "mcprop", followlinks=True):
        inside = Path(folder).relative_to(repository)
        wanted |= {str(inside / name) for name in names if name.endswith((".py", ".toml"))}
    assert wanted <= wheel


def test_wheel_holds_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"mcprop", f"mcprop-{mcprop.__version__}.dist-info"}
