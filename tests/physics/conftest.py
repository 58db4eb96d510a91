"""The media and the statistics of scripts/drift_test.py, for the tests of transport."""

import importlib.util
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def drift_test(repository) -> ModuleType:
    path = repository / "scripts" / "drift_test.py"
    spec = importlib.util.spec_from_file_location("drift_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
