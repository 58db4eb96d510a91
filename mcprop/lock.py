"""A lock on a directory: one process writes there, and a dead one keeps nobody out."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mcprop.errors import OutputError

LOCK = "lock"
"""The file that is locked; it stays where it is, whatever becomes of the rest of the directory."""
PATIENCE = 1.0
"""How long to try: somebody who only asks who writes there holds the lock for a moment [s]."""

_held: set[int] = set()


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep every other writer out, as long as the block runs.

    Parameters
    ----------
    directory : Path
        Must exist.

    Raises
    ------
    OutputError
        When another process writes there.
    OSError
        When the file of the lock cannot be made.
    """
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    _held.add(handle)
    try:
        _acquire(handle, directory)
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)
        yield
    finally:
        with suppress(OSError):  # at once, though a forked child may have the file open as well
            fcntl.flock(handle, fcntl.LOCK_UN)
        _held.discard(handle)
        os.close(handle)


def holder(directory: Path) -> str:
    """Say who writes to a directory at the moment.

    Parameters
    ----------
    directory : Path

    Returns
    -------
    str
        Such as "process 71 on node5"; empty if nobody does.
    """
    try:
        handle = os.open(directory / LOCK, os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _name_in(handle)
    except OSError:
        return ""
    finally:
        os.close(handle)
    return ""


def _acquire(handle: int, directory: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise OutputError(
                    f"{directory}: is being written by {_name_in(handle)}; wait for it, or stop it."
                ) from None
            time.sleep(0.05)
        except OSError:  # a file system without locks: nothing to be done about it
            return


def _name_in(handle: int) -> str:
    return os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"


def _let_go() -> None:
    """In a forked child: it must not keep the lock of a parent that has ended."""
    for handle in _held:
        with suppress(OSError):
            os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)
