"""The directory of a run: whether it may be written, all or nothing, and what JSON can hold."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcprop.errors import OutputError

MARK = "provenance.json"
"""The file by which the directory of a run is known."""


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
        When it is a file, an earlier run (without `overwrite`), or holds anything but a run.
    """
    target = Path(directory).resolve()
    try:
        if not target.exists():
            return target
        if not target.is_dir():
            raise OutputError(f"{target} is a file; give a directory for the run.")
        if not any(target.iterdir()):
            return target
    except OSError as error:
        raise OutputError(f"Cannot look into {target}: {error.strerror or error}.") from error
    if not (target / MARK).is_file():
        raise OutputError(f"{target} holds something that is not a run; it is left as it is.")
    if not overwrite:
        raise OutputError(f"{target} holds a run already; allow overwriting or choose another.")
    return target


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a new sibling directory that takes the place of another once it is complete.

    Parameters
    ----------
    target : Path
        The directory to be made or replaced; left as it is when the block raises.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    fresh = target.parent / f".{target.name}.{token}.part"
    old = target.parent / f".{target.name}.{token}.old"
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
