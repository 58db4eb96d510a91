"""Disks that are full, refuse or vanish: one line, and nothing is lost."""

import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner
from faults import is_refused, written
from small_run import BATCHES, CONFIG, refused, stop_early

from mcprop import cli
from mcprop.errors import OutputError
from mcprop.simulation import Simulation
from mcprop.store import Store

pytestmark = pytest.mark.usefixtures("without_curve")


# Disks


def hostile_disk(error):
    """What writing to a disk does that refuses."""

    def refuse(*args, **options):
        raise OSError(error, os.strerror(error))

    return refuse


def mounted(folder, size):
    """Mount a small disk in memory; whether that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_full_disk_loses_nothing(finished, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    size = sum(path.stat().st_size for path in (finished / "batches").iterdir())
    if not mounted(folder, size * 2 // 3):
        pytest.skip("only root can mount a small disk")
    try:
        file = tmp_path / "run.toml"
        file.write_text(CONFIG.to_toml())
        command = ["run", str(file), "-o", str(folder / "run"), "-j", "1"]
        outcome = CliRunner().invoke(cli.main, command)
        kept = len(os.listdir(folder / "run" / "batches"))
        assert outcome.exit_code == 3
        assert outcome.stderr == (
            f"{folder}/run: the run cannot be kept (No space left on device); {kept} finished"
            f" batches are kept, continue with: mcprop resume {folder}/run\n"
        )
        assert 3 < kept < BATCHES
        assert not is_refused(folder / "run")
        shutil.copytree(folder / "run", tmp_path / "elsewhere")
        Simulation.resume(tmp_path / "elsewhere", workers=1)
        assert written(tmp_path / "elsewhere") == written(finished)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_results_that_find_no_room_are_written_later(finished, unfinished, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("mcprop.plot.write_figures", hostile_disk(28))
        refused(unfinished, r"the results cannot be written \(No space left on device\)")
    assert not (unfinished / "provenance.json").exists()
    assert not list(unfinished.glob(".part*"))
    Simulation.resume(unfinished, workers=1)
    assert written(unfinished) == written(finished)


def test_a_directory_that_vanishes_is_told(tmp_path):
    directory = tmp_path / "run"

    def vanish():
        if directory.exists() and list(directory.glob("batches/*.npz")):
            directory.rename(tmp_path / "elsewhere")
        return None

    with pytest.raises(OutputError, match="has vanished"):
        Simulation(CONFIG).run(directory=directory, workers=1, halt=vanish)


@pytest.mark.parametrize("error", [28, 30, 5])
def test_a_disk_that_refuses_is_told_in_one_line(error, tmp_path, monkeypatch):
    monkeypatch.setattr("mcprop.sealed.os.fsync", hostile_disk(error))
    with pytest.raises(OutputError) as caught:
        Simulation(CONFIG).run(directory=tmp_path / "run", workers=1)
    assert os.strerror(error) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_overwriting_begins_anew_and_keeps_the_old_run_if_it_cannot(
    finished, tmp_path, monkeypatch
):
    directory = tmp_path / "run"
    shutil.copytree(finished, directory)
    with pytest.raises(OutputError, match="holds a run already"):
        Simulation(CONFIG).run(directory=directory)
    with monkeypatch.context() as patch:
        patch.setattr("mcprop.store.write_durably", hostile_disk(28))
        with pytest.raises(OutputError, match="cannot be begun"):
            Simulation(CONFIG).run(directory=directory, overwrite=True)
    assert written(directory) == written(finished)
    other = CONFIG.replace({"monte_carlo.seed": 3})
    stop_early(other, directory, 2, overwrite=True)
    assert Store.opened(directory).manifest["seed"] == 3
    assert os.listdir(tmp_path) == ["run"]
