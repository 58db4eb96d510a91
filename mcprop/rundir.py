"""The directory of a run: whether it may be written, all or nothing, and what JSON can hold."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcprop.errors import OutputError, RangeError
from mcprop.lock import LOCK
from mcprop.sealed import PART, sync_folder, sync_tree

MARK = "provenance.json"
"""The file by which the directory of a finished run is known."""
MANIFEST = "manifest.json"
"""The file by which a directory is known in which a run has begun."""


def path_given(value: Any, name: str = "directory") -> Path:
    """Take the path that an argument gives.

    Parameters
    ----------
    value : str or Path
        The argument.
    name : str
        What it is called.

    Returns
    -------
    Path

    Raises
    ------
    RangeError
        When it is none.
    """
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        raise RangeError(f"{name} = {str(value)[:80]!r} must be a path: text, or a Path.")
    return Path(value)


def check_directory(directory: str | Path, overwrite: bool = False) -> Path:
    """Find out, before a long run, whether its results may be written to a directory.

    Parameters
    ----------
    directory : str or Path
    overwrite : bool
        Whether an earlier run may be replaced.

    Returns
    -------
    Path
        Absolute path of the directory.

    Raises
    ------
    OutputError
        When it is a file, an earlier run (without `overwrite`, or at a mount point, which nothing
        can take the place of), or holds anything but a run.
    """
    target = path_given(directory)
    try:
        target = target.resolve()
        if not target.exists():
            return target
        if not target.is_dir():
            raise OutputError(f"{target} is a file; give a directory for the run.")
        if is_empty(target):
            return target
    except (OSError, RuntimeError) as error:  # the latter for links in a circle
        reason = getattr(error, "strerror", None) or "links in a circle"
        raise OutputError(f"Cannot look into {str(target)[-200:]}: {reason}.") from error
    if not is_run(target):
        raise OutputError(f"{target} holds something that is not a run; it is left as it is.")
    if not overwrite:
        hint = "" if is_finished(target) else ", which mcprop resume continues"
        raise OutputError(
            f"{target} holds a run already{hint}; allow overwriting or choose another."
        )
    if _is_mount_point(target):
        raise OutputError(f"{target} is a mount point: its run cannot be replaced; empty it first.")
    return target


def is_empty(directory: Path) -> bool:
    """Whether a directory holds nothing but a lock, and what a killed process has half written."""
    return all(_is_nothing(directory / name) for name in os.listdir(directory))


def _is_nothing(path: Path) -> bool:
    if path.name == "batches" and path.is_dir():
        return not any(path.iterdir())
    return path.name == LOCK or path.name.startswith(PART)


def is_run(directory: Path) -> bool:
    """Whether a directory holds a run, finished or not."""
    return any((directory / name).is_file() for name in (MARK, MANIFEST))


def is_finished(directory: Path) -> bool:
    """Whether a directory holds a run with its results."""
    return (directory / MARK).is_file()


def _is_mount_point(target: Path) -> bool:
    if os.path.ismount(target):
        return True
    # a folder that is mounted twice on one device is known to the kernel alone
    escaped = re.sub(rb"[\\ \t\n]", lambda found: b"\\%03o" % ord(found[0]), os.fsencode(target))
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return False
    return any(line.split(b" ")[4:5] == [escaped] for line in lines)


def make(target: Path) -> bool:
    """Make a directory; whether it was not there before.

    Parameters
    ----------
    target : Path
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.mkdir()
    except FileExistsError:
        return False
    return True


@contextmanager
def set_aside(target: Path, is_new: bool = False) -> Iterator[None]:
    """Take what is in a directory away, for something new; it comes back if the block raises.

    The directory itself stays, and so does the lock on it: it may be a mount point, or the
    directory that a shell stands in.

    Parameters
    ----------
    target : Path
        An existing directory that is locked.
    is_new : bool
        Whether the directory has just been made; with nothing in it, it goes if the block raises.
    """
    old = target / f"{PART}old-{secrets.token_hex(4)}"
    old.mkdir()
    names = [name for name in os.listdir(target) if name not in (LOCK, old.name)]
    try:
        for name in names:
            os.rename(target / name, old / name)
        yield
    except BaseException:
        if is_new and not names:
            shutil.rmtree(target, ignore_errors=True)
            raise
        for name in os.listdir(target):
            if name not in (LOCK, old.name):
                _remove(target / name)
        for name in os.listdir(old):
            os.rename(old / name, target / name)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a new directory whose contents become those of another once they are complete.

    An empty directory that is there already stays the same one: it may be a mount point, or the
    directory that a shell stands in.

    Parameters
    ----------
    target : Path
        The directory to be made, filled or replaced; left as it is when the block raises.
    """
    name = f".{target.name}.{secrets.token_hex(4)}"
    if target.is_dir() and not any(target.iterdir()):
        with _filling(target, f"{name}.part") as fresh:
            yield fresh
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = target.parent / f"{name}.part", target.parent / f"{name}.old"
    fresh.mkdir()
    try:
        yield fresh
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(fresh, target)
        except BaseException:
            if old.exists():
                os.replace(old, target)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def completing(target: Path) -> Iterator[Path]:
    """Give a new directory whose contents become the results of the run in another one.

    Parameters
    ----------
    target : Path
        Directory of a run without results, but perhaps with some that a killed process was moving.
    """
    fresh = target / f"{PART}{secrets.token_hex(4)}"
    fresh.mkdir()
    try:
        yield fresh
        sync_tree(fresh)
        (target / MARK).unlink(missing_ok=True)
        for name in _mark_last(fresh):
            if name == MARK:
                sync_folder(target)
            if (target / name).is_dir():
                shutil.rmtree(target / name)
            os.replace(fresh / name, target / name)
        sync_folder(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _filling(target: Path, name: str) -> Iterator[Path]:
    """Give a new directory whose children are moved into an empty one in the end."""
    inside, beside = target / name, target.parent / name
    inside.mkdir()
    try:
        try:
            # beside it, a killed run leaves it empty; only trying tells of rights and devices
            inside.rename(beside)
            fresh = beside
        except OSError:
            fresh = inside
        yield fresh
        _move_children(fresh, target)
    finally:
        shutil.rmtree(inside, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)


def _move_children(source: Path, target: Path) -> None:
    """Move all or nothing; last comes the file by which the run is known."""
    names = _mark_last(source)
    for name in names:
        if os.path.lexists(target / name):  # somebody was faster
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target / name))
    try:
        for name in names:
            os.rename(source / name, target / name)
    except BaseException:
        for name in names[::-1]:
            if not os.path.lexists(source / name):
                _remove(target / name)
        raise


def _mark_last(folder: Path) -> list[str]:
    """Names of what is in a folder; last the file by which a finished run is known."""
    return sorted(os.listdir(folder), key=lambda name: (name == MARK, name))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """Make numpy's numbers and arrays, paths and mappings fit for JSON.

    Parameters
    ----------
    value : object
        What the JSON encoder does not know.

    Raises
    ------
    TypeError
        When JSON has no form for it.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Path, set, frozenset)):
        return str(value) if isinstance(value, Path) else sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")
