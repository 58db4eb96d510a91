"""A small run for the tests of what befalls runs: finished, and with batches missing."""

import shutil

import pytest
from small_run import CONFIG

from mcprop.simulation import Simulation


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run that nothing has happened to."""
    directory = tmp_path_factory.mktemp("undisturbed") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        Simulation(CONFIG).run(directory=directory, workers=1)
    return directory


@pytest.fixture
def unfinished(finished, tmp_path):
    """The same before its results were written, with three batches missing."""
    directory = tmp_path / "run"
    (directory / "batches").mkdir(parents=True)
    shutil.copy(finished / "manifest.json", directory)
    for path in sorted((finished / "batches").iterdir())[:-3]:
        shutil.copy(path, directory / "batches")
    return directory


@pytest.fixture
def without_curve(monkeypatch):
    """Leave out the line of the figures: formulas on a fine grid, of no interest here."""
    monkeypatch.setattr(Simulation, "_curve", lambda *args: [])
