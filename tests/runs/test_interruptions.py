"""Runs that end early and go on: kills, signals, time limits, workers that die."""

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from faults import is_refused, killed, run_with_kills, written
from small_run import CONFIG, stop_early

from mcprop import cli
from mcprop.batches import rounds
from mcprop.errors import ExecutorError, OutputError
from mcprop.result import Result
from mcprop.simulation import Simulation
from mcprop.store import Store

pytestmark = pytest.mark.usefixtures("without_curve")


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


def survive(kills, seed, finished, tmp_path):
    """Run again and again until there were so many kills; every result is that of `finished`."""
    draw, count, runs = random.Random(seed), 0, 0
    while count < kills:
        directory = tmp_path / str(runs)
        count += run_with_kills(CONFIG, directory, draw, kills - count, 0.6, workers=2)
        assert written(directory) == written(finished)
        runs += 1
    return count


def test_six_kills(finished, tmp_path):
    assert survive(6, 1, finished, tmp_path) == 6


@pytest.mark.nightly
def test_fifty_kills(finished, tmp_path):
    assert survive(50, 2, finished, tmp_path) == 50


def test_at_most_one_batch_per_worker_is_lost(tmp_path):
    """What had begun when the process was killed, and is not there: one for each thread."""
    log, directory = tmp_path / "log", tmp_path / "run"

    class Telling(ThreadPoolExecutor):
        def submit(self, function, *args):
            def told():
                with log.open("a") as stream:
                    stream.write("one\n")
                return function(*args)

            return super().submit(told)

    def task():
        with Telling(3) as executor:
            Simulation(CONFIG).run(directory=directory, executor=executor)

    draw, lost, span = random.Random(5), [], 0.4
    while len(lost) < 4:
        shutil.rmtree(directory, ignore_errors=True)
        log.unlink(missing_ok=True)
        was_killed = killed(task, draw.uniform(0.05, span))
        if was_killed and log.exists():
            begun = len(log.read_text().split())
            lost.append(begun - len(list(directory.glob("batches/*.npz"))))
        elif was_killed:
            span += 0.1  # on a busy machine nothing may have begun by then
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
            said, complaint = process.communicate(timeout=300)
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


def test_what_there_was_time_for_once_there_is_time_for_again(tmp_path, monkeypatch):
    """A run that has gone on after a look goes on after it when it is resumed, much later."""
    config = CONFIG.replace({"stop.seconds": 1000.0, "monte_carlo.halving": "off"})
    stop_early(config, tmp_path / "run", 11)  # both energies are beyond four batches
    monkeypatch.setattr(Store, "elapsed", 900.0)
    result = Simulation.resume(tmp_path / "run", workers=1)
    assert set(result.provenance["histories_per_job"].values()) == {2048}


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
        r"batch 0000\d\d \(1000+ GeV\): its worker has died 3 times \(killed\)", str(caught.value)
    )
