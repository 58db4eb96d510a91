"""The examples in the docstrings are true."""

import doctest
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import mcprop

MODULES = ["mcprop", *(found.name for found in pkgutil.walk_packages(mcprop.__path__, "mcprop."))]


def examples(module: ModuleType) -> list[doctest.DocTest]:
    """Docstrings of a module that hold examples."""
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    module = import_module(name)
    told: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples(module):
        runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_there_are_examples():
    assert {"mcprop", "mcprop.fields.uniform", "mcprop.simulation"} <= set(MODULES)
    assert sum(len(examples(import_module(name))) for name in MODULES) >= 10


def test_a_false_example_is_noticed():
    module = ModuleType("made_up")
    module.__doc__ = ">>> 1 + 1\n3\n"
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples(module):
        runner.run(test, out=lambda text: None)
    assert (runner.failures, runner.tries) == (1, 1)
