"""Executors by name: threads, processes, the workers of a Dask cluster, the ranks of MPI."""

from __future__ import annotations

import json
import logging
import os
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mcprop._cache import source_hash
from mcprop.errors import ConfigError, ExecutorError, StoppedError
from mcprop.processes import Processes
from mcprop.ranks import pool_of_ranks

CONNECT_SECONDS = 15.0
"""How long the scheduler of a Dask cluster may take to answer, or to write its file."""

WORKER_SECONDS = 120.0
"""How long its first worker may take to turn up."""

STARTS = 3
"""How often a client is made whose thread does not start."""

ALLOWED = "allowed: threads, processes, dask:ADDRESS (or dask:FILE.json) and mpi"


class Executor(Protocol):
    """Anything with ``submit``: a pool of threads or processes, of Dask, of MPI."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Start a call; what is returned has the methods ``result()`` and ``cancel()``."""


MOST_WORKERS = 1024
"""Threads or processes of an executor of our own."""


class Choice(NamedTuple):
    """An executor that was asked for.

    kind : str; address : str, that of Dask's scheduler; workers : int or None, as many as cores.
    """

    kind: str
    address: str
    workers: int | None


def choose(name: str, workers: int | None = None) -> Choice:
    """Check the name of an executor; nothing is started.

    Parameters
    ----------
    name : str
        ``threads``, ``processes``, ``dask:ADDRESS``, ``dask:FILE.json`` or ``mpi``.
    workers : int, optional
        Number of threads or processes.

    Returns
    -------
    Choice

    Raises
    ------
    ConfigError
        If there is no such executor, or the number of workers is not up to mcprop.
    """
    kind, colon, address = name.partition(":")
    if kind not in _OPEN or (colon and kind != "dask"):
        raise ConfigError(f"--executor {name!r}: no such executor; {ALLOWED}")
    if kind == "dask" and not address:
        raise ConfigError(
            "--executor dask: the address of the scheduler is missing; give dask:tcp://HOST:8786 or"
            " dask:FILE.json, the file that the scheduler writes"
        )
    if workers is not None and kind in ("dask", "mpi"):
        started = "the cluster" if kind == "dask" else "mpiexec -n"
        raise ConfigError(
            f"-j {workers}: the number of workers of --executor {kind} is that of {started};"
            " leave -j out"
        )
    if workers is not None and (type(workers) is not int or not 1 <= workers <= MOST_WORKERS):
        raise ConfigError(
            f"-j {workers!r}: the number of workers must be at least 1, at most {MOST_WORKERS}"
        )
    return Choice(kind, address, workers)


def open_executor(
    name: str = "threads", workers: int | None = None
) -> AbstractContextManager[Executor]:
    """Open an executor by its name.

    Its futures are those of `concurrent.futures`. At the end of the context what waits is
    cancelled; processes are ended at once, threads and ranks when they are done with their call.

    Parameters
    ----------
    name : str
        ``threads``, ``processes``, ``dask:ADDRESS`` or ``dask:FILE.json`` (the workers of a Dask
        cluster, by the address or the file of its scheduler), or ``mpi`` (the other ranks; only
        under `mcprop.ranks.mpi_ranks`).
    workers : int, optional
        Number of threads or processes; by default one for each core.

    Returns
    -------
    context manager of Executor

    Raises
    ------
    ConfigError
        If the name or the number is not allowed, or a package is missing.
    ExecutorError
        On entry, if the cluster does not answer.
    """
    choice = choose(name, workers)
    return _OPEN[choice.kind](choice)


def died(error: BaseException) -> bool:
    """Whether a call failed for want of a worker, and may succeed with another one.

    Parameters
    ----------
    error : BaseException
        What ``result()`` of a future raised.

    Returns
    -------
    bool
        True if the worker was killed, cut off or out of memory; False for an error of the call
        itself, which would come again.
    """
    lost = isinstance(error, BrokenExecutor | CancelledError | MemoryError)
    return lost or any(
        kind.__module__.startswith("distributed.") and kind.__name__ in _DASK_DEATHS
        for kind in type(error).__mro__
    )


_DASK_DEATHS = {"KilledWorker", "CommClosedError", "NoValidWorkerError"}


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def call_of_same_source(source: str, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function, on a worker that runs the same mcprop as the run itself.

    Raises
    ------
    ExecutorError
        If the worker's sources are others: its bits might be too.
    """
    if source != source_hash():
        raise ExecutorError(
            f"{os.uname().nodename}: the worker runs another mcprop ({source_hash()[:16]}) than the"
            f" run itself ({source[:16]}); install the same one on all machines"
        )
    return function(*args)


class _SameSource:
    """An executor whose workers refuse to compute with another mcprop."""

    def __init__(self, submit: Callable[..., Future[Any]]) -> None:
        self._submit = submit

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Start a call."""
        return self._submit(call_of_same_source, source_hash(), function, args)


@contextmanager
def _threads(choice: Choice) -> Iterator[Executor]:
    pool = ThreadPoolExecutor(choice.workers or cores())
    patient = True
    try:
        yield pool
    except (KeyboardInterrupt, StoppedError):
        patient = False
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)


@contextmanager
def _processes(choice: Choice) -> Iterator[Executor]:
    with Processes(choice.workers or cores()) as pool:
        yield _SameSource(pool.submit)


@contextmanager
def _dask(choice: Choice) -> Iterator[Executor]:
    with _without_log():
        try:
            from distributed import Client
        except ImportError:
            raise _missing("dask", "distributed") from None
        client = _connected(_closing(Client), choice.address)
        try:
            _await_worker(client, choice.address)
            yield DaskExecutor(client)
        finally:
            with suppress(TimeoutError):  # a scheduler that does not answer any more
                client.close()


class DaskExecutor:
    """The workers of a Dask cluster; Dask itself repeats calls whose worker has died.

    Parameters
    ----------
    client : distributed.Client
        Connected to the scheduler.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Start a call.

        Raises
        ------
        ExecutorError
            If the scheduler is gone.
        """
        if self._client.status != "running":
            raise ExecutorError("--executor dask: the connection to the scheduler is lost")
        # pickled here, so that Dask does not search the arguments for tasks and keys of its own
        call = pickle.dumps((source_hash(), function, args), pickle.HIGHEST_PROTOCOL)
        # pure: two calls with equal arguments are two calls, and no argument needs to be hashed
        task, answer = self._client.submit(_unpickled_call, call, pure=False), Future[Any]()
        loop = self._client.loop

        def cancel(answer: Future[Any]) -> None:
            if answer.cancelled():
                loop.add_callback(task.cancel)  # there, because any thread may have cancelled it

        answer.add_done_callback(cancel)
        loop.add_callback(_pass_on, task, answer)
        return answer


async def _pass_on(task: Any, answer: Future[Any]) -> None:
    """Answer a call, whatever becomes of its task.

    Dask's own executor never does where a result is lost on its way from the worker.
    """
    result, error = None, None
    try:
        result = await task
    except BaseException as trouble:  # noqa: BLE001 - whatever it is, the caller is told
        error = trouble
        if task.status != "error" and not isinstance(trouble, CancelledError):
            error = BrokenExecutor(f"the result was lost on its way: {trouble!r}")
    if not answer.set_running_or_notify_cancel():  # cancelled; from here on it cannot be
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def _unpickled_call(call: bytes) -> Any:
    return call_of_same_source(*pickle.loads(call))


def _closing(client: type[Any]) -> type[Any]:
    """Make clients that are closed if they cannot start.

    Otherwise the garbage collector closes them, in the midst of anything: where that is the start
    of another client, both want the one lock of all event loops, and wait for ever.
    """

    class ClosingClient(client):
        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                with suppress(TimeoutError):
                    # however busy the machine is: there is nobody whose answer it would wait for
                    self.close(timeout=None)
                    self._loop_runner.stop()  # which is left out if it had closed itself before
                raise

    return ClosingClient


def _connected(client: Callable[..., Any], address: str) -> Any:
    """Connect to a scheduler, or say in one line why not."""
    try:
        if address.endswith(".json"):
            return _patiently(client, _address_in(Path(address)), timeout=CONNECT_SECONDS)
        return _patiently(client, address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:  # no answer; no such protocol, no address in the file
        raise ExecutorError(
            f"--executor dask:{address}: no scheduler ({_one_line(error)})"
        ) from None


def _patiently(client: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Make a client; on a busy machine its thread may take longer to start than it waits (10 s)."""
    for _ in range(STARTS):
        try:
            return client(*args, **options)
        except AssertionError:  # all that it says then
            pass
    raise OSError("the thread that would speak with it does not start")


def _address_in(path: Path) -> str:
    """Give the scheduler, which may have been started just now, the time to write its file."""
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return str(json.loads(path.read_bytes())["address"])
        except FileNotFoundError:
            trouble = "no such file"
        except (ValueError, KeyError, TypeError):  # as long as it is half written, too
            trouble = "no address in the file"
        if time.monotonic() > end:
            raise ValueError(trouble)
        time.sleep(0.1)


def _await_worker(client: Any, address: str) -> None:
    """Refuse a cluster without a worker, on which a run would wait for ever."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        none = f"the scheduler has no worker, and none came within {WORKER_SECONDS:g} s"
        raise ExecutorError(f"--executor dask:{address}: {none}") from None


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep libraries from writing lines of their own; what matters reaches the run as an error."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _mpi(choice: Choice) -> Iterator[Executor]:
    if not pool_of_ranks:
        try:
            import mpi4py.MPI  # noqa: F401
        except (ImportError, RuntimeError) as error:
            raise _missing("mpi", "mpi4py", error) from None
        raise ConfigError(
            "--executor mpi: in Python, pass the executor of mpi4py.futures.MPICommExecutor"
        )
    yield _SameSource(pool_of_ranks[0].submit)


def _missing(extra: str, package: str, error: Exception | None = None) -> ConfigError:
    if isinstance(error, RuntimeError):
        return ConfigError(f"--executor {extra}: no MPI library is found; install mpich or openmpi")
    return ConfigError(
        f"--executor {extra}: needs the package {package}; pip install 'mcprop[{extra}]'"
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


_OPEN: dict[str, Callable[[Choice], AbstractContextManager[Executor]]] = {
    "threads": _threads,
    "processes": _processes,
    "dask": _dask,
    "mpi": _mpi,
}
