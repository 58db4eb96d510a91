"""The ranks of MPI: the first one does what the command line says, the others compute for it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NoReturn

KEPT_FROM_RANKS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Signals by which a launcher asks all ranks to end; the first one answers for them, and the
others compute until it lets them go."""

pool_of_ranks: list[Any] = []
"""The executor of the other ranks, on the first one while it has them."""


@contextmanager
def mpi_ranks(arguments: Sequence[str]) -> Iterator[bool]:
    """Make the ranks of MPI other than the first serve it, if a command line asks for them.

    Enter it before anything else is done: whatever ends the first rank then sets the others free.

    Parameters
    ----------
    arguments : sequence of str
        The command line. Ranks serve if ``--executor mpi`` is in it.

    Yields
    ------
    bool
        Whether this process is to do what the command line says. False on a rank that has served,
        once the first one is done: it has nothing left to do.

    Examples
    --------
    >>> with mpi_ranks(["run", "xue-liu-2025", "-o", "out"]) as first:
    ...     first
    True
    """
    if not _asks_for_mpi(arguments):
        yield True
        return
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPICommExecutor
    except (ImportError, RuntimeError):  # RuntimeError: there is no MPI library
        yield _launched_rank() == 0  # it says what is missing as soon as it opens the executor
        return
    if MPI.COMM_WORLD.rank:
        for number in KEPT_FROM_RANKS:
            signal.signal(number, signal.SIG_IGN)
    ranks: Any = MPICommExecutor(MPI.COMM_WORLD, root=0)
    with ranks as pool:
        if pool is not None:
            pool_of_ranks.append(pool)
            try:
                yield True
            finally:
                pool_of_ranks.clear()
                pool.shutdown(wait=False, cancel_futures=True)
    if pool is None:
        yield False


def leave(code: int) -> NoReturn:
    """End this process at once, though threads of it, or ranks that it leads, still compute.

    Parameters
    ----------
    code : int
        Exit status. Under MPI the launcher takes it over, which it does not if the first rank
        simply ends before the others.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if pool_of_ranks:
        from mpi4py import MPI

        MPI.COMM_WORLD.Abort(code)
    os._exit(code)


def _asks_for_mpi(arguments: Sequence[str]) -> bool:
    return "--executor=mpi" in arguments or ("--executor", "mpi") in pairwise(arguments)


def _launched_rank() -> int:
    """Rank of this process by what the launchers of MPI say, without MPI itself."""
    names = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
    return next((int(os.environ[name]) for name in names if name in os.environ), 0)
