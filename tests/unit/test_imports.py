"""`import mcprop` is light, and its names appear when they are used."""

import ast
import json
import subprocess
import sys
from importlib import import_module

import pytest

import mcprop

HEAVY = {"astropy", "healpy", "matplotlib", "numba", "numpy", "pydantic", "rich", "scipy"}


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([n for n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_import_loads_nothing_heavy():
    assert loaded_after("import mcprop") & HEAVY == set()


def test_a_heavy_import_would_be_noticed():
    assert loaded_after("import mcprop, numpy") & HEAVY == {"numpy"}


def test_help_loads_no_engine():
    statement = (
        "import contextlib, io\nfrom mcprop.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])"
    )
    assert loaded_after(statement) & {"healpy", "matplotlib", "numba", "scipy"} == set()


@pytest.mark.parametrize("name", mcprop.__all__)
def test_exported_name_is_there(name):
    value = getattr(mcprop, name)
    if name in mcprop._HOME:
        assert value is getattr(import_module(mcprop._HOME[name]), name)
    elif name != "__version__":
        assert value is import_module(f"mcprop.{name}")


def test_type_checkers_are_told_the_same_names():
    with open(mcprop.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        told |= {alias.name: node.module for alias in node.names}
    assert {name: home for name, home in told.items() if home != "mcprop"} == mcprop._HOME
    assert sorted([*told, "__version__"]) == mcprop.__all__


def test_dir_lists_the_exports_and_nothing_else():
    assert dir(mcprop) == sorted(mcprop.__all__)


def test_a_typo_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="module 'mcprop' has no attribute 'Simulaton'"):
        _ = mcprop.Simulaton
    assert not hasattr(mcprop, "healpy")
