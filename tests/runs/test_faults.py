"""Runs that are killed go on to the same files; damage to what they have kept is found."""

import random
import shutil

import faults
import pytest
from whole_result import CONFIG, ENERGIES

from mcprop.errors import OutputError
from mcprop.simulation import Simulation
from mcprop.store import Store

SMALL = CONFIG.replace(
    {
        "monte_carlo.seed": 5,
        "stop.histories": 1100,
        "energies": {"values": [f"{energy!r} GeV" for energy in ENERGIES]},
    }
)


@pytest.fixture(scope="module", autouse=True)
def without_curve():
    """Leave out the line of the figures: formulas on a fine grid, of no interest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing has happened to."""
    directory = tmp_path_factory.mktemp("faults") / "whole"
    Simulation(SMALL).run(directory=directory)
    return directory


@pytest.fixture
def copied(whole, tmp_path):
    """The same, to be spoilt."""
    return shutil.copytree(whole, tmp_path / "copied")


@pytest.mark.parametrize(
    "kills", [6, pytest.param(100, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_killed_runs_go_on_to_the_same_files(whole, tmp_path, kills):
    """Each is killed up to four times, after 0 to 0.5 s; a whole one takes about one."""
    expected, draw, suffered = faults.written(whole), random.Random(f"{kills} kills"), 0
    assert {"dipole.ecsv", "comparison.ecsv", "spectrum.ecsv", "config.toml"} <= set(expected)
    for i in range(2 * kills):
        directory = tmp_path / str(i)
        suffered += faults.run_with_kills(SMALL, directory, draw, 4, 0.5, workers=1 + i % 3)
        assert faults.written(directory) == expected
        if suffered >= kills:
            break
    assert suffered >= kills


def test_another_seed_writes_other_files(whole, tmp_path):
    """So the comparison of files sees what it should, beyond the seed that they name."""
    Simulation(SMALL.replace({"monte_carlo.seed": 6})).run(directory=tmp_path / "other")
    expected, found = faults.written(whole), faults.written(tmp_path / "other")
    lines, others = (set(files["dipole.ecsv"].splitlines()) for files in (expected, found))
    assert len(lines - others) > 10
    assert all(found[name] != expected[name] for name in found if name.startswith("sky/nearby"))


@pytest.mark.parametrize("fault", [faults.flipped, faults.cut])
@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.nightly)])
def test_damage_is_found(copied, fault, count):
    Store.opened(copied).decide(1)  # as a limit of time would
    assert not faults.is_refused(copied)
    draw = random.Random(f"{fault.__name__} {count}")
    files = faults.stored_files(copied)
    assert len(files) == 2 + 2 * 5  # documents; energies, batches
    for i in range(count):
        path = files[i % len(files)]
        with faults.spoilt(path, fault, draw):
            assert faults.is_refused(copied), path.name
    assert not faults.is_refused(copied)


def test_a_batch_of_another_run_or_place_is_refused(copied, tmp_path):
    batches = sorted((copied / "batches").iterdir())
    content = batches[0].read_bytes()
    batches[0].write_bytes(batches[1].read_bytes())
    assert faults.is_refused(copied)
    Simulation(SMALL.replace({"monte_carlo.seed": 6})).run(directory=tmp_path / "other")
    batches[0].write_bytes((tmp_path / "other" / "batches" / batches[0].name).read_bytes())
    assert faults.is_refused(copied)
    batches[0].write_bytes(content)
    assert not faults.is_refused(copied)


def test_damaged_batches_are_run_again(copied, whole):
    draw = random.Random("repair")
    (copied / "provenance.json").unlink()
    first, second, *_ = sorted((copied / "batches").iterdir())
    for path, fault in ((first, faults.flipped), (second, faults.cut)):
        path.write_bytes(fault(path.read_bytes(), draw))
    with pytest.raises(OutputError, match="2 damaged files"):
        Simulation.resume(copied)
    Simulation.resume(copied, repair=True)
    assert faults.written(copied) == faults.written(whole)
    assert not faults.is_refused(copied)


def test_a_run_of_other_sources_is_refused(copied, monkeypatch):
    (copied / "provenance.json").unlink()
    monkeypatch.setattr("mcprop.store.source_hash", lambda: "0" * 64)
    with pytest.raises(OutputError, match="only the same sources"):
        Simulation.resume(copied)


def test_a_run_that_is_being_written_is_refused(copied):
    (copied / "provenance.json").unlink()
    with Store.opened(copied).locked(), pytest.raises(OutputError, match="being written by"):
        Simulation.resume(copied)
