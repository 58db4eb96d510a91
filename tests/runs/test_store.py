"""The store: what is kept, what is refused, and that every bit of it counts."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from faults import cut, flipped, forked, is_refused, written
from small_run import BATCHES, CONFIG, refused, stop_early, undetected

from mcprop import cli, store
from mcprop.batch_file import decode, encode
from mcprop.batches import Batch
from mcprop.errors import ModelError, OutputError
from mcprop.result import Result
from mcprop.sealed import open_arrays, open_document, seal_arrays, seal_document
from mcprop.simulation import Simulation
from mcprop.store import Store

pytestmark = pytest.mark.usefixtures("without_curve")


# What is kept


def test_every_batch_is_kept_and_the_result_is_that_of_memory(finished, tmp_path):
    assert len(Store.opened(finished).finished()) == BATCHES
    memory = Simulation(CONFIG).run(workers=2).write(tmp_path / "memory")
    assert written(memory) == written(finished)


def test_a_batch_is_read_back_bit_for_bit(finished):
    path = min((finished / "batches").iterdir())
    meta, outcomes = decode(path.read_bytes())
    assert b"".join(encode(meta, outcomes)) == path.read_bytes()
    assert [outcome.tally is None for outcome in outcomes].count(False) == 3
    with np.load(path) as archive:  # by anybody's means
        assert archive["fates"].sum() == 256 * len(outcomes)


def test_files_say_where_they_come_from(finished):
    config_hash = CONFIG.digest
    assert Store.opened(finished).config.digest == config_hash
    for path in finished.rglob("*"):
        if path.is_file() and path.name != "lock":
            content = path.read_bytes()
            assert config_hash.encode() in content, path
            assert b"numba" in content, path


# What is refused


def test_damaged_batches_are_named_and_run_again(finished, unfinished):
    names = sorted(os.listdir(unfinished / "batches"))[2:4]
    for name, fault in zip(names, (flipped, cut), strict=True):
        path = unfinished / "batches" / name
        path.write_bytes(fault(path.read_bytes(), random.Random(1)))
    refused(unfinished, rf"2 damaged files \({', '.join(names)}\); mcprop resume --repair .* runs")
    Simulation.resume(unfinished, workers=1, repair=True)
    assert written(unfinished) == written(finished)


def test_a_damaged_manifest_is_made_from_the_batches(finished, unfinished):
    (unfinished / "manifest.json").write_bytes(b"{}")
    refused(unfinished, "manifest.json is damaged; mcprop resume --repair .* writes it anew")
    Simulation.resume(unfinished, workers=1, repair=True)
    assert (unfinished / "manifest.json").read_bytes() == (finished / "manifest.json").read_bytes()
    assert written(unfinished) == written(finished)


def test_batches_of_another_run_are_no_batches_of_this_one(finished, unfinished, tmp_path):
    other = tmp_path / "other"
    stop_early(CONFIG.replace({"monte_carlo.seed": 12}), other, 2)
    shutil.copy(other / "batches" / "000000.npz", unfinished / "batches" / "000000.npz")
    refused(unfinished, r"1 damaged file \(000000.npz\)")
    shutil.copy(finished / "batches" / "000001.npz", unfinished / "batches" / "000000.npz")
    refused(unfinished, r"1 damaged file \(000000.npz\)")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": store.FORMAT + 1}, "has the format 2 of a newer mcprop"),
        ({"source_hash": "0" * 64}, "only the same sources can continue it"),
    ],
)
def test_what_others_have_begun_is_refused(change, match, unfinished):
    manifest = open_document((unfinished / "manifest.json").read_bytes())
    (unfinished / "manifest.json").write_bytes(seal_document(manifest | change))
    refused(unfinished, match)


def test_another_configuration_is_refused(unfinished, tmp_path):
    file = tmp_path / "other.toml"
    file.write_text(CONFIG.replace({"cloud.depth": "2 pc"}).to_toml())
    outcome = CliRunner().invoke(cli.main, ["run", str(file), "-o", str(unfinished)])
    assert (outcome.exit_code, outcome.stdout) == (3, "")
    assert f"mcprop resume {unfinished} goes on with it" in outcome.stderr
    manifest = open_document((unfinished / "manifest.json").read_bytes())
    config = CONFIG.replace({"cloud.depth": "2 pc"})
    other = manifest | {"config": config.to_toml(), "config_hash": config.digest}
    (unfinished / "manifest.json").write_bytes(seal_document(other))
    refused(unfinished, "15 damaged files")


def test_a_second_writer_is_kept_out(unfinished):
    with Store.opened(unfinished).locked():
        refused(unfinished, rf"is being written by process {os.getpid()} on ")
        child = forked(lambda: os._exit(refused(unfinished, "is being written") or 7))
        child.join()
        assert child.exitcode == 7
        told = CliRunner().invoke(cli.main, ["status", str(unfinished)]).stdout
        assert f"process {os.getpid()} on" in told
    Simulation.resume(unfinished, workers=1)


def test_a_run_under_way_is_not_overwritten(finished, unfinished):
    with Store.opened(unfinished).locked():
        with pytest.raises(OutputError, match="is being written by process"):
            Simulation(CONFIG).run(directory=unfinished, overwrite=True, workers=1)
        assert not is_refused_now(unfinished)
    Simulation.resume(unfinished, workers=1)
    assert written(unfinished) == written(finished)


def is_refused_now(directory):
    return bool(Store.opened(directory).damaged())


def test_who_has_lost_the_directory_to_another_run_writes_nothing(tmp_path):
    first = Store.create(tmp_path / "run", CONFIG)
    Store.create(tmp_path / "run", CONFIG.replace({"monte_carlo.seed": 12}), overwrite=True)
    with pytest.raises(OutputError, match="another run has been begun there"), first.locked():
        raise AssertionError("never")


@pytest.mark.parametrize("overwrite", [False, True])
def test_who_begins_a_moment_later_takes_nothing_away(overwrite, finished, tmp_path, monkeypatch):
    """Both have found no directory; the other one has made it, and the lock is his."""
    directory = tmp_path / "run"

    def too_late(target):
        shutil.copytree(finished, target, dirs_exist_ok=True)
        raise OutputError("is being written by somebody")

    monkeypatch.setattr("mcprop.store.locked", too_late)
    with pytest.raises(OutputError, match="by somebody"):
        Store.create(directory, CONFIG, overwrite)
    assert written(directory) == written(finished)


def test_a_thread_that_is_left_behind_keeps_nothing(finished, unfinished):
    store_ = Store.opened(unfinished)
    batch = Batch(0, 1, 1)
    outcomes = store_.load(batch)
    (unfinished / "batches" / "000001.npz").unlink()
    with store_.locked():
        pass
    store_.save(batch, outcomes)
    assert not store_.has(batch)
    with Store.opened(unfinished).locked():
        Store.opened(unfinished).save(batch, outcomes)
    assert store_.has(batch)


def test_a_forked_child_keeps_no_lock(unfinished):
    """As the workers of a pool may outlive the run that has made them."""
    with Store.opened(unfinished).locked():
        child = forked(time.sleep, 60)
    with Store.opened(unfinished).locked():
        assert child.is_alive()
    child.kill()
    child.join()


def test_another_model_than_the_configured_one_is_not_kept(tmp_path):
    simulation = Simulation(CONFIG)
    simulation.model = CONFIG.model()
    with pytest.raises(ModelError, match=r"simulation\.model: got another model"):
        simulation.run(directory=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_results_are_made_again_from_the_batches(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "provenance.json").write_text("")
    (tmp_path / "run" / "dipole.ecsv").unlink()
    with pytest.raises(OutputError, match="Cannot read"):
        Result.read(tmp_path / "run")
    Simulation.resume(tmp_path / "run", workers=1)
    assert written(tmp_path / "run") == written(finished)


def test_a_finished_run_does_without_batches_and_without_a_lock(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "batches")
    monkeypatch.setattr("mcprop.lock.os.open", None)  # as on a disk that cannot be written
    found = Simulation.resume(tmp_path / "run")
    assert repr(found) == repr(Result.read(finished))
    told = CliRunner().invoke(cli.main, ["status", str(tmp_path / "run")])
    assert "finished; its results are in" in told.stdout


def test_what_is_no_run_is_refused(tmp_path):
    for command in ("resume", "status"):
        outcome = CliRunner().invoke(cli.main, [command, str(tmp_path)])
        assert outcome.exit_code == 3
        assert outcome.stderr == f"{tmp_path}: is not a run directory: it has no manifest.json.\n"


def test_every_bit_counts(unfinished):
    for path in sorted((unfinished / "batches").iterdir())[2:]:
        path.unlink()  # fewer files to look through
    assert undetected(unfinished, 60, 40) == []
    assert not is_refused(unfinished)


@pytest.mark.nightly
def test_every_bit_counts_in_many_places(unfinished):
    for path in sorted((unfinished / "batches").iterdir())[2:]:
        path.unlink()
    assert undetected(unfinished, 3000, 2000) == []


def test_a_checksum_that_is_not_looked_at_is_noticed(unfinished, monkeypatch):
    """The test of the flips can fail."""

    def careless(content):
        with np.load(io.BytesIO(content)) as archive:
            return {name: archive[name] for name in archive.files}

    monkeypatch.setattr("mcprop.batch_file.open_arrays", careless)
    path = min((unfinished / "batches").iterdir())
    content = path.read_bytes()
    path.write_bytes(content[:10] + bytes([content[10] ^ 1]) + content[11:])  # a time in the zip
    assert not is_refused(unfinished)


# Sealed files


def test_sealed_documents_and_arrays_come_back():
    document = {"text": "ä\n", "numbers": [1, 2.5, 1e300], "none": None, "table": {"x": True}}
    assert open_document(seal_document(document)) == document
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([], dtype=np.int64)}
    again = open_arrays(b"".join(seal_arrays(arrays)))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    with pytest.raises(ValueError, match="checksum"):
        open_document(json.dumps(document).encode())
    assert Batch(1, 2, 10).name == "000010"
    assert Batch(1, 2, 10, half=True).name == "half-000010"


# Replay


def test_a_history_of_a_run_is_replayed(finished):
    """Batch 9 is the second of 100 TeV; the same bits, or the exit code would be 1."""
    command = ["replay", str(finished), "--batch", "9", "--history", "17"]
    done = subprocess.run(
        [sys.executable, "-m", "mcprop", *command, "--component", "nearby"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "history 273" in done.stdout
    assert done.stdout.rstrip().endswith("compiled: the same bits")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--batch", "16", "--history", "0"], "--batch 16: allowed: 0 to 15.\n"),
        (["--batch", "-1", "--history", "0"], "--batch -1: allowed: 0 to 15.\n"),
        (["--batch", "3", "--history", "256"], "--history 256: allowed in batch 3: 0 to 255.\n"),
    ],
)
def test_histories_that_there_are_not(options, said, finished):
    outcome = CliRunner().invoke(cli.main, ["replay", str(finished), *options])
    assert (outcome.exit_code, outcome.stderr) == (2, said)
