"""Calls whose answer never comes: they fail, whatever has become of it, and nobody waits."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import CancelledError, Future
from pathlib import Path
from types import SimpleNamespace

import deadly
import pytest

import mcprop
from mcprop import executors
from mcprop.errors import ExecutorError
from mcprop.executors import died, open_executor
from mcprop.processes import Processes

LONG = 300.0
"""How long to wait for what comes within seconds, unless the machine is busy or it never comes."""


# Processes


def test_a_process_that_never_ends_its_answer_has_died():
    """Killed in the midst of it; or it has cut itself off, and lives on."""
    with Processes(1) as pool:
        for call in (deadly.die_while_answering, deadly.cut_off):
            error = pool.submit(call).exception(LONG)
            assert str(error) == "A worker process was ended by SIGKILL."
            assert died(error)
        assert pool.submit(max, 1, 2).result(LONG) == 2


def test_trouble_with_what_is_sent_is_that_of_the_call():
    """Though it looks like that of a pipe, the process lives, and goes on."""
    with Processes(1) as pool:
        process = pool.submit(os.getpid).result(LONG)
        for kind in (EOFError, ConnectionResetError, OSError):
            for function, argument in (
                (repr, deadly.Unwilling(kind("there"))),
                (repr, deadly.Spoilt(kind("there"))),
                (deadly.Spoilt, kind("back")),
            ):
                error = pool.submit(function, argument).exception(LONG)
                assert type(error) is kind
                assert not died(error)
            assert "back" in str(pool.submit(deadly.Unwilling, kind("back")).exception(LONG))
        assert pool.submit(os.getpid).result(LONG) == process


UNTOLD = """
import os, signal
from mcprop import processes

if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    processes.FATE_SECONDS = 0.1
    with processes.Processes(1) as pool:
        print(pool.submit(os._exit, 3).exception())
        print(pool.submit(max, 1, 2).result())
"""


def test_the_end_of_a_process_need_not_be_told(tmp_path):
    """As in a program whose parent ignores SIGCHLD, which is inherited."""
    (tmp_path / "untold.py").write_text(UNTOLD)
    done = subprocess.run(
        [sys.executable, "untold.py"],
        env=os.environ | {"PYTHONPATH": str(Path(mcprop.__file__).parent.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert (done.stdout, done.stderr) == ("A worker process has ended.\n2\n", "")


# Dask


class Task:
    """A future of Dask that has ended somehow."""

    def __init__(self, status, result=None, error=None):
        self.status, self.result, self.error = status, result, error

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        if self.error:
            raise self.error
        return self.result


def answered(task, answer=None):
    answer = Future() if answer is None else answer
    asyncio.run(executors._pass_on(task, answer))
    return answer


@pytest.mark.parametrize(
    "error", [OSError("cut off"), EOFError(), TypeError("half a pickle"), asyncio.CancelledError()]
)
def test_a_result_that_is_lost_on_its_way_counts_as_a_death(error):
    told = answered(Task("finished", error=error)).exception(0)
    assert died(told)
    assert repr(error) in str(told)


@pytest.mark.parametrize("error", [OSError("disk full"), SystemExit(4), MemoryError()])
def test_the_error_of_a_call_is_passed_on_as_it_is(error):
    assert answered(Task("error", error=error)).exception(0) is error


def test_what_the_cluster_has_cancelled_counts_as_a_death():
    error = CancelledError("the scheduler is gone")
    told = answered(Task("cancelled", error=error)).exception(0)
    assert told is error
    assert died(told)


@pytest.mark.parametrize("task", [Task("finished", 1), Task("error", error=ValueError())])
def test_an_answer_that_comes_after_the_call_was_cancelled_is_dropped(task):
    answer = Future()
    assert answer.cancel()
    assert answered(task, answer).cancelled()
    assert answered(Task("finished", 1)).result(0) == 1


class Unstarted:
    """Of the class of Dask's client; it does not start, and it does not say goodbye."""

    def __init__(self, told):
        self.told, self._loop_runner = told, SimpleNamespace(stop=lambda: told.append("stopped"))
        self.start()

    def start(self):
        raise OSError("no answer")

    def close(self, timeout="some seconds"):
        self.told.append(timeout)


class Hasty(Unstarted):
    def close(self, timeout="some seconds"):
        super().close(timeout)
        raise TimeoutError("no goodbye")


@pytest.mark.parametrize(("kind", "done"), [(Unstarted, [None, "stopped"]), (Hasty, [None])])
def test_a_client_that_does_not_start_is_closed_however_long_it_takes(kind, done):
    told = []
    with pytest.raises(OSError, match="no answer"):
        executors._closing(kind)(told)
    assert told == done


class Scheduler:
    """Of the class of Dask's client; it never says goodbye."""

    status = "running"

    def __init__(self, *arguments, **options):
        self.options = options

    def wait_for_workers(self, *arguments, **options):
        pass

    def close(self):
        raise TimeoutError


def test_a_scheduler_that_says_no_goodbye_spoils_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Scheduler))
    with open_executor("dask:tcp://there:1") as executor:
        pass
    assert executor._client.options == {"timeout": executors.CONNECT_SECONDS}


class Clock:
    """A clock on which time passes in sleep alone; something happens meanwhile."""

    def __init__(self, *happens):
        self.happens, self.now = list(happens), 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        if self.happens:
            self.happens.pop(0)()


TEXTS = ["", '{"type": "Sched', '{"address": ', "[]", '{"address": "tcp://there:1"}']


def test_the_file_of_a_scheduler_is_awaited_until_it_is_whole(monkeypatch, tmp_path):
    path = tmp_path / "scheduler.json"
    clock = Clock(*(lambda text=text: path.write_text(text) for text in TEXTS))
    monkeypatch.setattr(executors, "time", clock)
    made = executors._connected(lambda *arguments, **options: arguments, str(path))
    assert made == ("tcp://there:1",)
    assert clock.happens == []


@pytest.mark.parametrize("text", TEXTS[:-1])
def test_a_file_of_a_scheduler_that_is_never_whole_is_told(monkeypatch, tmp_path, text):
    path = tmp_path / "scheduler.json"
    path.write_text(text)
    monkeypatch.setattr(executors, "time", Clock())
    told = r"^--executor dask:\S*: no scheduler \(no address in the file\)$"
    with pytest.raises(ExecutorError, match=told):
        executors._connected(lambda *arguments, **options: arguments, str(path))
