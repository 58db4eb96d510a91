"""Calls whose answer never comes: they fail, whatever has become of it, and nobody waits."""

import os
import subprocess
import sys
from pathlib import Path

import deadly

import mcprop
from mcprop.executors import died
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
