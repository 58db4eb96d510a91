"""Calls that kill their worker, and executors that hand them out; workers import them by name."""

import os
import signal
import sys
from multiprocessing.connection import Connection

from whole_result import digest, run

from mcprop.executors import open_executor
from mcprop.ranks import leave, mpi_ranks
from mcprop.simulation import Simulation


def kill(number=signal.SIGKILL):
    """The end of the worker, whatever it does."""
    os.kill(os.getpid(), number)
    signal.pause()  # delivery may take a moment


def die_once(flag, function, *args):
    """Kill the worker that gets here first, in the middle of its call; compute ever after."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return function(*args)
    return kill()


def die_while_answering():
    """Kill the worker in the midst of its answer, as the system does that is short of memory."""

    def half(pipe, data):
        os.write(pipe.fileno(), data[: len(data) // 2])
        kill()

    Connection._send = half


def cut_off():
    """Close the pipe instead of answering, and live on."""

    def close(pipe, data):
        pipe.close()
        signal.pause()

    Connection._send = close


class Spoilt:
    """Cannot be made again from its pickle."""

    def __init__(self, error):
        self.error = error

    def __reduce__(self):
        return fail, (self.error,)


class Unwilling(Spoilt):
    """Cannot be pickled."""

    def __reduce__(self):
        raise self.error


def fail(error):
    """Trouble that looks like that of a pipe."""
    raise error


class Fatal:
    """Hands all calls on; the one of that number kills the first worker that takes it."""

    def __init__(self, executor, number, flag):
        self.executor, self.number, self.flag, self.submitted = executor, number, str(flag), 0

    def submit(self, function, *args):
        self.submitted += 1
        if self.submitted == self.number:
            return self.executor.submit(die_once, self.flag, function, *args)
        return self.executor.submit(function, *args)


def main(arguments):
    """Print the digest of a run on the ranks of MPI.

    `fail` ends the first rank by an error, `leave` while another one computes for ever.
    """
    with mpi_ranks(arguments) as first:
        if not first:
            return
        if "fail" in arguments:
            print("wrong", file=sys.stderr)
            sys.exit(2)
        Simulation._curve = lambda *args: []
        with open_executor("mpi") as executor:
            if "leave" in arguments:
                endless = executor.submit(signal.pause)
                while not endless.running():
                    pass
                print("left")
                leave(0)
            print(digest(run(executor=executor)))


if __name__ == "__main__":
    main(sys.argv[1:])
