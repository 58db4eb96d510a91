"""A pool of processes that heals itself: a worker that dies fails its own call and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

KEPT_FROM_WORKERS = (signal.SIGINT, signal.SIGUSR1)
"""Signals that concern the run as a whole, though a terminal or a batch system sends them to every
process of it; the parent answers them."""

FATE_SECONDS = 5.0
"""How long to ask how a process has ended; the system does not tell where SIGCHLD is ignored."""


class WorkerDied(BrokenExecutor):
    """The process that computed a call is gone, and the result with it."""


class Processes:
    """A pool of processes with the ``submit`` of `concurrent.futures`.

    Each process is looked after by a thread that hands it one call at a time. So a process that
    dies (a signal, the kernel short of memory, a crash) fails the call that it was working on with
    `WorkerDied`, no other one, and the next call gets a new process.

    Workers are started as fresh interpreters ("spawn"), when they are first needed: a fork would
    copy locks that threads of the parent hold. They end when the parent does, however that ends.

    Parameters
    ----------
    workers : int
        Number of processes.
    """

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="mcprop-process")
        self._own = threading.local()
        self._alive: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = False
        resource_tracker.ensure_running()  # here, because it unblocks signals in its caller

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Start a call of a function that can be imported, with arguments that can be pickled."""
        return self._threads.submit(self._call, function, args)

    def shutdown(self) -> None:
        """End all processes at once; what waits is cancelled, what runs fails."""
        # first, or the thread of a process that is killed here takes the next call
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            for worker in self._alive:
                worker.process.kill()
        self._threads.shutdown()
        while self._alive:
            self._alive.pop().close()

    def _call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        worker: _Worker = getattr(self._own, "worker", None) or self._start()
        try:
            return worker.call(function, args)
        except WorkerDied:
            del self._own.worker
            with self._lock:
                self._alive.discard(worker)
                worker.close()
            raise

    def _start(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise WorkerDied("The pool of processes is closed.")
            # a child has the blocked signals of the thread that starts it, from its first moment
            signal.pthread_sigmask(signal.SIG_BLOCK, KEPT_FROM_WORKERS)
            self._own.worker = worker = _Worker()
            self._alive.add(worker)
        return worker


class _Worker:
    """One process, and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        # pickled apart from the pipe: what a call or its answer raises there is no fault of it
        asked = _pickled((function, args))
        try:
            self.pipe.send_bytes(asked)
            answer = self.pipe.recv_bytes()
        except (EOFError, OSError, MemoryError) as ended:  # before its answer, in the midst of it
            raise WorkerDied(f"A worker process {self._fate()}.") from ended
        result, error = pickle.loads(answer)
        if error is not None:
            raise error
        return result

    def _fate(self) -> str:
        self.process.kill()  # no matter to one that has ended; else it has cut itself off
        self.process.join()
        end = time.monotonic() + FATE_SECONDS
        # another thread, which starts a process, may have asked for this one's end in between
        while (code := self.process.exitcode) is None:
            if time.monotonic() > end:
                return "has ended"
            time.sleep(0.001)
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {_signal_name(-code)}"

    def close(self) -> None:
        self.pipe.close()
        self.process.join()
        with suppress(ValueError):  # it has ended, though the system may not tell
            self.process.close()


def _pickled(thing: Any) -> bytes:
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no name
        return f"signal {number}"


def _serve(pipe: Connection) -> None:
    """Answer calls until the other end closes; the life of a worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            asked = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            function, args = pickle.loads(asked)
        except Exception as error:  # noqa: BLE001 - what cannot be unpickled is the call's error
            _answer(pipe, None, error)
            continue
        try:
            result = function(*args)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            error.add_note("".join(traceback.format_exception(error)))
            _answer(pipe, None, error)
        else:
            _answer(pipe, result, None)


def _answer(pipe: Connection, result: Any, error: BaseException | None) -> None:
    try:
        answer = _pickled((result, error))
    except Exception as trouble:  # noqa: BLE001 - results and errors may refuse to be pickled
        answer = _pickled((None, RuntimeError(f"{error or trouble!r}")))
    try:
        pipe.send_bytes(answer)
    except OSError:  # nobody is there to be told
        os._exit(1)


def _end_with_parent() -> None:
    """End this process in the middle of a call when the parent is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
