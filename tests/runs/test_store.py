"""Runs that survive: kills, signals, full disks, damaged and foreign files, a second writer."""

import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from click.testing import CliRunner
from faults import (
    FORK,
    cut,
    flipped,
    is_refused,
    killed,
    run_with_kills,
    spoilt,
    stored_files,
    written,
)

from mcprop import cli, store
from mcprop.batch_file import decode, encode
from mcprop.batches import Batch, rounds
from mcprop.errors import ExecutorError, OutputError, StoppedError
from mcprop.result import Result
from mcprop.scenario import load
from mcprop.sealed import open_arrays, open_document, seal_arrays, seal_document
from mcprop.simulation import Simulation
from mcprop.store import Store

CONFIG = load("xue-liu-2025").replace(
    {
        "energies": {"values": ["1 TeV", "100 TeV"]},
        "species.names": ["p"],
        "stop.histories": 2048,
        "monte_carlo.batch": 256,
        "monte_carlo.nside": 2,
        "monte_carlo.seed": 11,
        "monte_carlo.halving": "on",
    }
)
BATCHES = 2 * 8 + 2  # energies, ranges; one with half the step each


@pytest.fixture(scope="module", autouse=True)
def without_curve():
    """Leave out the line of the figures: formulas on a fine grid, of no interest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that nothing has happened to."""
    directory = tmp_path_factory.mktemp("undisturbed") / "run"
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


def after(count):
    """A wish to halt that comes when it has been asked so often."""
    asked = iter(range(count))
    return lambda: None if next(asked, None) is not None else "a test"


def stop_early(config, directory, batches):
    """Run until about so many batches are finished."""

    def enough():
        return "enough" if len(list(directory.glob("batches/*.npz"))) >= batches else None

    with pytest.raises(StoppedError, match="Stopped by enough"):
        Simulation(config).run(directory=directory, workers=1, halt=enough)


# What is kept


def test_every_batch_is_kept_and_the_result_is_that_of_memory(finished, tmp_path):
    assert len(Store.opened(finished).finished()) == BATCHES
    memory = Simulation(CONFIG).run(workers=2).write(tmp_path / "memory")
    assert written(memory) == written(finished)


def test_a_batch_is_read_back_bit_for_bit(finished):
    path = min((finished / "batches").iterdir())
    meta, outcomes = decode(path.read_bytes())
    assert encode(meta, outcomes) == path.read_bytes()
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


# Going on


@pytest.mark.parametrize("batches", [0, 1, 7, 12])
def test_a_stopped_run_goes_on_to_the_same_bits(batches, finished, tmp_path):
    stop_early(CONFIG, tmp_path / "run", batches)
    assert not (tmp_path / "run" / "dipole.ecsv").exists()
    with pytest.raises(OutputError, match="not finished; mcprop resume continues it"):
        Result.read(tmp_path / "run")
    Simulation.resume(tmp_path / "run", workers=2)
    assert written(tmp_path / "run") == written(finished)


def test_batches_may_be_finished_in_any_order(finished, unfinished):
    for place in (0, 5, 11):
        sorted((unfinished / "batches").iterdir())[place].unlink()
    Simulation.resume(unfinished, workers=1)
    assert written(unfinished) == written(finished)


def test_rules_that_stop_early_stop_at_the_same_place(tmp_path):
    """The look after 1, 2, 4 batches finds the same, interrupted or not."""
    config = CONFIG.replace({"stop.rel_err": 0.05, "stop.histories": 65536})
    whole = Simulation(config).run(directory=tmp_path / "whole", workers=2)
    stop_early(config, tmp_path / "parts", 3)
    Simulation.resume(tmp_path / "parts", workers=1)
    assert written(tmp_path / "parts") == written(tmp_path / "whole")
    used = whole.provenance["histories_per_job"].values()
    assert all(n // 256 in (1, 2, 4, 8, 16, 32, 64, 128, 256) for n in used)
    assert min(used) < 65536


def kill_test(tmp_path, finished, kills, seed):
    draw = random.Random(seed)
    config = CONFIG.replace({"monte_carlo.halving": "on"})
    count = run_with_kills(config, tmp_path / "run", draw, kills, 0.6, workers=2)
    assert written(tmp_path / "run") == written(finished)
    return count


def test_a_run_that_is_killed_again_and_again(finished, tmp_path):
    counts = [kill_test(tmp_path / str(i), finished, 3, i) for i in range(2)]
    assert sum(counts) >= 2


@pytest.mark.nightly
def test_fifty_kills(finished, tmp_path):
    count = attempts = 0
    while count < 50 and attempts < 50:
        count += kill_test(tmp_path / str(attempts), finished, 50 - count, 100 + attempts)
        attempts += 1
    assert count >= 50


def test_at_most_one_batch_per_worker_is_lost(tmp_path):
    """What had begun when the process was killed, and is not there: one for each thread."""
    log, directory = tmp_path / "log", tmp_path / "run"

    class Telling(ThreadPoolExecutor):
        def submit(self, function, *args):
            def told():
                with log.open("a") as stream:
                    stream.write(f"{args[1].name}.npz\n")
                return function(*args)

            return super().submit(told)

    def task():
        with Telling(3) as executor:
            Simulation(CONFIG).run(directory=directory, executor=executor)

    draw, lost = random.Random(5), []
    while len(lost) < 4:
        shutil.rmtree(directory, ignore_errors=True)
        log.unlink(missing_ok=True)
        if killed(task, draw.uniform(0.05, 0.4)) and log.exists():
            begun = set(log.read_text().split())
            there = [path.name for path in directory.glob("batches/*.npz")]
            lost.append(len(begun.difference(there)))
    assert max(lost) <= 3


# Signals


def program(*arguments):
    """The command as a process that has said its first line."""
    return subprocess.Popen(
        [sys.executable, "-m", "mcprop", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_signals_end_a_run_which_goes_on_from_there(tmp_path):
    """SIGUSR1, then SIGTERM, then SIGINT, each with exit code 0 and the line how to go on."""
    directory, file = tmp_path / "run", tmp_path / "long.toml"
    file.write_text(CONFIG.replace({"stop.histories": 4_000_000}).to_toml())
    commands = [["run", file, "-o", directory, "-j", 2], *[["resume", directory, "-j", 1]] * 2]
    counts = [0]
    for number, command in zip(
        (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT), commands, strict=True
    ):
        with program(*command) as process:
            while len(list(directory.glob("batches/*.npz"))) <= counts[-1] + 3:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.02)
            process.send_signal(number)
            said, complaint = process.communicate(timeout=60)
        counts.append(len(list(directory.glob("batches/*.npz"))))
        name = signal.Signals(number).name
        assert (process.returncode, complaint) == (0, "")
        assert said.splitlines()[-1] == (
            f"Stopped by {name}: {counts[-1]} finished batches are kept; continue with: mcprop"
            f" resume {directory}"
        )
        assert not is_refused(directory)
    told = CliRunner().invoke(cli.main, ["status", str(directory)]).stdout
    assert f"{counts[-1]} of at most" in told
    assert f"nobody is at it: mcprop resume {directory} goes on" in told


# What is refused


def refused(directory, match, **how):
    with pytest.raises(OutputError, match=match) as caught:
        Simulation.resume(directory, **how)
    assert "\n" not in str(caught.value)


def test_damaged_batches_are_named_and_run_again(finished, unfinished):
    names = sorted(os.listdir(unfinished / "batches"))[2:4]
    for name, fault in zip(names, (flipped, cut), strict=True):
        path = unfinished / "batches" / name
        path.write_bytes(fault(path.read_bytes(), random.Random(1)))
    refused(unfinished, rf"2 damaged files \({', '.join(names)}\); mcprop resume --repair runs")
    Simulation.resume(unfinished, workers=1, repair=True)
    assert written(unfinished) == written(finished)


def test_a_damaged_manifest_is_made_from_the_batches(finished, unfinished):
    (unfinished / "manifest.json").write_bytes(b"{}")
    refused(unfinished, "manifest.json is damaged; mcprop resume --repair writes it anew")
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
        child = FORK.Process(target=lambda: os._exit(refused(unfinished, "is being written") or 7))
        child.start()
        child.join()
        assert child.exitcode == 7
        told = CliRunner().invoke(cli.main, ["status", str(unfinished)]).stdout
        assert f"process {os.getpid()} on" in told
    Simulation.resume(unfinished, workers=1)


def test_what_is_no_run_is_refused(tmp_path):
    for command in ("resume", "status"):
        outcome = CliRunner().invoke(cli.main, [command, str(tmp_path)])
        assert outcome.exit_code == 3
        assert outcome.stderr == f"{tmp_path}: is not a run directory: it has no manifest.json.\n"


def flip_test(directory, flips, cuts):
    draw, files = random.Random(3), stored_files(directory)
    for fault, count in ((flipped, flips), (cut, cuts)):
        for _ in range(count):
            path = draw.choice(files)
            with spoilt(path, fault, draw):
                assert is_refused(directory), path
    assert not is_refused(directory)


def test_every_bit_counts(unfinished):
    for path in sorted((unfinished / "batches").iterdir())[2:]:
        path.unlink()  # fewer files to look through
    flip_test(unfinished, 60, 40)


@pytest.mark.nightly
def test_every_bit_counts_in_many_places(unfinished):
    for path in sorted((unfinished / "batches").iterdir())[2:]:
        path.unlink()
    flip_test(unfinished, 3000, 2000)


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
            shutil.rmtree(directory)
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
    stop_early_over(other, directory)
    assert Store.opened(directory).manifest["seed"] == 3
    assert os.listdir(tmp_path) == ["run"]


def stop_early_over(config, directory):
    with pytest.raises(StoppedError):
        Simulation(config).run(directory=directory, overwrite=True, workers=1, halt=after(2))


# Time


def test_looks_are_fixed_beforehand():
    assert list(rounds(16, True)) == [1, 2, 4, 8, 16]
    assert list(rounds(20, True)) == [1, 2, 4, 8, 16, 20]
    assert list(rounds(20, False)) == [20]
    assert list(rounds(1, True)) == [1]


def test_when_time_is_over_all_energies_have_the_same_histories(tmp_path, monkeypatch):
    """A clock that jumps: 3 s after each batch; a limit of 40 s lets each energy have four."""
    clock = iter(range(0, 10**6, 3))
    monkeypatch.setattr(Store, "elapsed", property(lambda self: float(next(clock))))
    config = CONFIG.replace({"stop.seconds": 40.0, "monte_carlo.halving": "off"})
    result = Simulation(config).run(directory=tmp_path / "run", workers=1)
    counts = set(result.provenance["histories_per_job"].values())
    assert len(counts) == 1
    assert counts.pop() in (512, 1024)
    for name in ("dipole.ecsv", "provenance.json"):
        (tmp_path / "run" / name).unlink()
    monkeypatch.setattr(Store, "elapsed", 0.0)  # the decision stands, whatever the clock says
    again = Simulation.resume(tmp_path / "run", workers=1)
    assert again.provenance["histories_per_job"] == result.provenance["histories_per_job"]


def test_a_limit_of_time_holds_without_a_directory():
    config = CONFIG.replace({"stop.histories": 10**9, "monte_carlo.batch": 1024})
    result = Simulation(config).run(seconds=1.0, workers=1)
    assert max(result.provenance["histories_per_job"].values()) < 10**9


# Workers


class Mortal:
    """An executor one of whose batches kills its worker some times."""

    def __init__(self, deaths):
        self.deaths, self.pool = deaths, ThreadPoolExecutor(1)

    def submit(self, function, *args):
        from concurrent.futures import BrokenExecutor

        if function.__name__ == "run_batch" and len(args[0]) and self.deaths > 0:
            self.deaths -= 1
            return self.pool.submit(self._die, BrokenExecutor("killed"))
        return self.pool.submit(function, *args)

    @staticmethod
    def _die(error):
        raise error


def test_a_batch_whose_worker_dies_is_run_again(finished, tmp_path):
    Simulation(CONFIG).run(directory=tmp_path / "run", executor=Mortal(2))
    assert written(tmp_path / "run") == written(finished)


def test_a_batch_that_always_kills_is_named(tmp_path):
    with pytest.raises(ExecutorError) as caught:
        Simulation(CONFIG).run(directory=tmp_path / "run", executor=Mortal(10**9))
    assert re.fullmatch(
        r"batch 0000\d\d \(1000 GeV\): its worker has died 3 times \(killed\)", str(caught.value)
    )


def test_sealed_documents_and_arrays_come_back():
    document = {"text": "ä\n", "numbers": [1, 2.5, 1e300], "none": None, "table": {"x": True}}
    assert open_document(seal_document(document)) == document
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([], dtype=np.int64)}
    again = open_arrays(seal_arrays(arrays))
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
