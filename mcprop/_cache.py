"""Where Numba keeps the compiled kernels: a directory named by a hash of the package's sources.

Numba's on-disk cache watches only the file in which a compiled function stands. The kernels inline
functions and constants of other files, so an edit there would go unnoticed and a stale kernel
would run. With the hash of all sources in the directory's name, an edit anywhere compiles anew.

The directory lies in the user's cache folder (``XDG_CACHE_HOME`` or ``~/.cache``, then
``mcprop``); where ``NUMBA_CACHE_DIR`` or ``numba.config.CACHE_DIR`` is set, it lies in there.

Numba knows one cache directory per process. Functions of your own that are decorated with
``cache=True`` *after* mcprop's kernels were imported are therefore kept in mcprop's directory as
well: they work as before, but compile once more whenever mcprop changes. Functions decorated
earlier, other processes and the environment variables are left as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from functools import cache
from pathlib import Path

KEEP_DIRECTORIES = 5
KEEP_DAYS = 30.0
_PACKAGE = Path(__file__).resolve().parent
_OWN_NAME = re.compile(r"kernels-[0-9a-f]{16}-numba-[\w.+-]+")


@cache
def source_hash(package: Path = _PACKAGE) -> str:
    """Hash of the names and contents of all Python files of the package.

    Parameters
    ----------
    package : Path
        Folder of the package; the default is the running mcprop. Linked folders count.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256), the same on every machine. It is computed once per
        process, so it stands for the sources that were imported.
    """
    digest = hashlib.sha256()
    for path in _python_files(package):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _python_files(package: Path) -> list[Path]:
    # os.walk, because Path.rglob does not enter linked folders before Python 3.13
    found = []
    for folder, _, names in os.walk(package, followlinks=True):
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted(found)


def use_source_hashed_cache() -> Path:
    """Point Numba at the cache directory of the present sources, and prune old ones.

    Call it before the first function is decorated with ``cache=True``; calling it again is
    harmless.

    Returns
    -------
    Path
        The directory in use. It exists.
    """
    from numba import __version__ as numba_version
    from numba.core import config

    name = f"kernels-{source_hash()[:16]}-numba-{numba_version}"
    directory = _usable_directory(name, Path(config.CACHE_DIR) if config.CACHE_DIR else None)
    config.CACHE_DIR = str(directory)
    _mark_as_used(directory)
    prune(directory.parent, keep=directory)
    return directory


def _usable_directory(name: str, set_before: Path | None) -> Path:
    if set_before is not None and set_before.name == name:  # an earlier call has set it
        return set_before
    for base in (set_before, _user_cache()):
        if base is not None and _is_writable(base / name):
            return base / name
    return _private_temporary(name)


def _user_cache() -> Path | None:
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():  # the XDG specification: a relative path is to be ignored
        return given / "mcprop"
    try:
        return Path.home() / ".cache" / "mcprop"
    except RuntimeError:  # no home directory is known
        return None


def _is_writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True


def _private_temporary(name: str) -> Path:
    if hasattr(os, "getuid"):
        shared = Path(tempfile.gettempdir(), f"mcprop-{os.getuid()}")
        if _is_private(shared) and _is_writable(shared / name):
            return shared / name
    directory = Path(tempfile.mkdtemp(prefix="mcprop-")) / name
    directory.mkdir()
    return directory


def _is_private(folder: Path) -> bool:
    # The cache holds pickles, so a folder that somebody else could have filled must not be read.
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError:  # a file stands there, or a link to nowhere
        return False
    mine = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid()
    return mine and not state.st_mode & 0o077


def _mark_as_used(directory: Path) -> None:
    try:
        os.utime(directory)
    except OSError:  # somebody else's directory in a shared cache: theirs to mark
        return


def prune(base: Path, keep: Path) -> list[Path]:
    """Remove cache directories of sources that are long gone.

    Parameters
    ----------
    base : Path
        Folder that holds the cache directories. Whatever else lies in it is not touched.
    keep : Path
        The directory in use.

    Returns
    -------
    list of Path
        What was removed: directories that are neither among the `KEEP_DIRECTORIES` last used nor
        used within `KEEP_DAYS` days. What cannot be looked at stays: another process may be
        pruning as well.
    """
    ours = [entry for entry in _own_directories(base) if entry[1] != keep]
    spare = sorted(ours, reverse=True)[KEEP_DIRECTORIES - 1 :]
    oldest_kept = time.time() - KEEP_DAYS * 86400.0
    old = [path for last_used, path in spare if last_used < oldest_kept]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return old


def _own_directories(base: Path) -> list[tuple[float, Path]]:
    found = []
    for path in _listed(base):
        if _OWN_NAME.fullmatch(path.name):
            try:
                state = path.lstat()
            except OSError:
                continue
            if stat.S_ISDIR(state.st_mode):
                found.append((state.st_mtime, path))
    return found


def _listed(base: Path) -> list[Path]:
    try:
        return [base / name for name in os.listdir(base)]
    except OSError:
        return []
