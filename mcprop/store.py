"""The store of a run: one sealed file for each finished batch, a manifest, a lock.

Nothing is ever rewritten: a batch is there whole or not at all, and results are a pure function of
the batches, added up in their order. So a run may end at any moment and go on later, anywhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcprop import __version__
from mcprop._cache import source_hash
from mcprop.batch_file import decode, encode
from mcprop.batches import Batch
from mcprop.errors import OutputError
from mcprop.lock import locked
from mcprop.provenance import provenance
from mcprop.rundir import MANIFEST, check_directory, is_finished, make, path_given, set_aside
from mcprop.scenario import Config, parse
from mcprop.sealed import PART, open_document, seal_document, sync_folder, write_durably

if TYPE_CHECKING:
    from mcprop.transport import Outcome

FORMAT = 1
"""Format of the run directories that this version writes; it reads those up to it."""

_BATCHES = "batches"
_DECISION = "stopped.json"
_BATCH_FILE = re.compile(r"(?:half-)?\d{6,}\.npz")


class Store:
    """The batches of one run on disk.

    Made by `create` or `opened`.

    Parameters
    ----------
    directory : Path
        The run directory.
    manifest : dict
        What the file ``manifest.json`` holds.
    """

    def __init__(self, directory: Path, manifest: dict[str, Any]) -> None:
        self.directory, self.manifest = directory, manifest
        self.before, self._start = 0.0, time.monotonic()
        self._gate, self._is_open = threading.Lock(), True

    @classmethod
    def create(cls, directory: str | Path, config: Config, overwrite: bool = False) -> Store:
        """Begin a run directory.

        Parameters
        ----------
        directory : str or Path
            New, empty, or with an earlier run in it.
        config : Config
            Configuration, its seed drawn.
        overwrite : bool
            Whether an earlier run may be removed, finished or not.

        Returns
        -------
        Store

        Raises
        ------
        OutputError
            When something stands there that must not be replaced, or the disk refuses.
        """
        target = check_directory(directory, overwrite)
        store = cls(target, manifest_of(config))
        with _told(target, "begun"):
            is_new = make(target)
        with _told(target, "begun"), locked(target):
            check_directory(target, overwrite)  # somebody may have been faster
            with set_aside(target, is_new):
                (target / _BATCHES).mkdir()
                write_durably(target / MANIFEST, seal_document(store.manifest))
                sync_folder(target.parent)
        return store

    @classmethod
    def opened(cls, directory: str | Path, repair: bool = False) -> Store:
        """Open a run directory, whatever sources have written it.

        Parameters
        ----------
        directory : str or Path
        repair : bool
            Whether a damaged manifest is written anew, from what the batches say of it.

        Returns
        -------
        Store

        Raises
        ------
        OutputError
            When it is no run directory, of a newer format, or its manifest is damaged.
        """
        folder = path_given(directory)
        with _told(folder, "read"):
            folder = folder.resolve()
            if not (folder / MANIFEST).is_file() and not (folder / _BATCHES).is_dir():
                other = " What it holds is finished; status, resume and replay are for mcprop run."
                raise OutputError(
                    f"{directory}: is not a run directory: it has no {MANIFEST}."
                    + other * is_finished(folder)
                )
            try:
                manifest = open_document((folder / MANIFEST).read_bytes())
            except (ValueError, FileNotFoundError):
                if not repair:
                    raise OutputError(
                        f"{directory}: {MANIFEST} is damaged; mcprop resume --repair"
                        f" {directory} writes it anew from the batches."
                    ) from None
                manifest = _from_batches(folder)
                write_durably(folder / MANIFEST, seal_document(manifest))
        if manifest["format"] > FORMAT:
            raise OutputError(
                f"{directory}: has the format {manifest['format']} of a newer mcprop"
                f" ({manifest['mcprop']}); this one knows formats up to {FORMAT}."
            )
        return cls(folder, manifest)

    def verify(self, repair: bool = False) -> None:
        """Look through all files, before the run goes on, and remove what was half written.

        Parameters
        ----------
        repair : bool
            Whether damaged files are removed, so that their batches are run again.

        Raises
        ------
        OutputError
            When other sources have begun the run, or files are damaged.
        """
        begun_by = self.manifest["source_hash"]
        if begun_by != source_hash():
            raise OutputError(
                f"{self.directory}: was begun by mcprop {self.manifest['mcprop']} with the sources"
                f" {begun_by[:12]}, these are {source_hash()[:12]}; only the same sources can"
                " continue it."
            )
        damaged = self.damaged()
        if damaged and not repair:
            names = ", ".join(damaged[:5]) + (", ..." if len(damaged) > 5 else "")
            what, whose = ("file", "its batch") if len(damaged) == 1 else ("files", "their batches")
            raise OutputError(
                f"{self.directory}: {len(damaged)} damaged {what} ({names}); mcprop resume --repair"
                f" {self.directory} runs {whose} again."
            )
        with _told(self.directory, "repaired"):
            for name in damaged:
                (self.directory / _BATCHES / name).unlink()
        self._sweep()

    @property
    def config(self) -> Config:
        """Configuration of the run."""
        return parse(self.manifest["config"], MANIFEST)

    @property
    def elapsed(self) -> float:
        """Wall-clock time that the run has taken so far, in all its parts [s]."""
        return self.before + time.monotonic() - self._start

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out, as long as the block runs; afterwards nothing is kept.

        Raises
        ------
        OutputError
            When another process writes there, or has begun another run there.
        """
        with _told(self.directory, "locked"), locked(self.directory):
            self._start = time.monotonic()
            if (self.directory / MANIFEST).read_bytes() != seal_document(self.manifest):
                raise OutputError(f"{self.directory}: another run has been begun there meanwhile.")
            try:
                yield
            finally:
                with self._gate:  # a thread that has been left behind keeps nothing any more
                    self._is_open = False

    def has(self, batch: Batch) -> bool:
        """Whether a batch is finished."""
        return self._path(batch).is_file()

    def load(self, batch: Batch) -> list[Outcome]:
        """Read what the jobs of a batch have yielded.

        Parameters
        ----------
        batch : Batch
            A finished one.

        Returns
        -------
        list of Outcome
            One for each job.

        Raises
        ------
        OutputError
            When its file is damaged.
        """
        path = self._path(batch)
        with _told(self.directory, "read"):
            content = path.read_bytes()
        try:
            meta, outcomes = decode(content)
            self._check(path.name, meta)
        except ValueError as error:
            raise OutputError(
                f"{path}: is damaged ({error}); mcprop resume --repair runs its batch again."
            ) from None
        self.before = max(self.before, meta["elapsed"])
        return outcomes

    def save(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Keep what the jobs of a batch have yielded.

        Parameters
        ----------
        batch : Batch
        outcomes : sequence of Outcome
            One for each job.

        Raises
        ------
        OutputError
            When the disk refuses; what was kept before stays as it is.
        """
        meta = {"manifest": self.manifest, "batch": batch.name, "elapsed": self.elapsed}
        content = encode(meta, outcomes)
        with self._gate, _told(self.directory, "kept"):
            if self._is_open and not self.has(batch):
                write_durably(self._path(batch), *content)

    def finished(self) -> list[str]:
        """Names of the files of finished batches, in order."""
        with _told(self.directory, "read"), suppress(FileNotFoundError):
            names = os.listdir(self.directory / _BATCHES)
            return sorted(name for name in names if _BATCH_FILE.fullmatch(name))
        return []

    def damaged(self) -> list[str]:
        """Names of the files in the folder of the batches that are not what was written."""
        return [name for name in self.finished() if not self._is_whole(name)]

    def decided(self) -> int | None:
        """Number of batches of each energy after which the time was over; None if it was not."""
        path = self.directory / _DECISION
        if not path.exists():
            return None
        with _told(self.directory, "read"):
            content = path.read_bytes()
        try:
            return int(open_document(content)["batches"])
        except (ValueError, KeyError):
            raise OutputError(f"{path}: is damaged; remove it to let the run go on.") from None

    def decide(self, batches: int) -> None:
        """Keep that the time was over after so many batches of each energy, once and for all."""
        with _told(self.directory, "kept"):
            write_durably(self.directory / _DECISION, seal_document({"batches": batches}))

    def _sweep(self) -> None:
        """Remove what was being written when an earlier process ended."""
        for folder in (self.directory, self.directory / _BATCHES):
            for path in folder.glob(f"{PART}*"):
                with suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _path(self, batch: Batch) -> Path:
        return self.directory / _BATCHES / f"{batch.name}.npz"

    def _is_whole(self, name: str) -> bool:
        with _told(self.directory, "read"):
            content = (self.directory / _BATCHES / name).read_bytes()
        try:
            meta, _ = decode(content)
            self._check(name, meta)
        except ValueError:
            return False
        self.before = max(self.before, meta["elapsed"])
        return True

    def _check(self, name: str, meta: dict[str, Any]) -> None:
        """Refuse what belongs to another run, or to another batch."""
        if meta["manifest"] != self.manifest:
            raise ValueError("it belongs to another run")
        if f"{meta['batch']}.npz" != name:
            raise ValueError(f"it holds the batch {meta['batch']}")


def manifest_of(config: Config) -> dict[str, Any]:
    """What is written down about a run when it begins.

    Parameters
    ----------
    config : Config
        Configuration, its seed drawn.

    Returns
    -------
    dict
        Ready for JSON.
    """
    told = provenance(config.title)
    return {
        "format": FORMAT,
        "title": config.title,
        "mcprop": __version__,
        "source_hash": source_hash(),
        "config_hash": config.digest,
        "seed": config.monte_carlo.seed,
        "versions": told["versions"],
        "cpu": told["cpu"],
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": config.to_toml(),
    }


def _from_batches(folder: Path) -> dict[str, Any]:
    """The manifest that all whole batches agree on."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((folder / _BATCHES).glob("*.npz")):
        with suppress(ValueError):
            manifest = decode(path.read_bytes())[0]["manifest"]
            found[json.dumps(manifest, sort_keys=True)] = manifest
    if len(found) != 1:
        raise OutputError(
            f"{folder / MANIFEST}: is damaged, and the batches know of"
            f" {'several runs' if found else 'none'}; begin the run anew with --overwrite."
        )
    return next(iter(found.values()))


@contextmanager
def _told(directory: Path, what: str) -> Iterator[None]:
    """Say in one line what the disk has refused."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not directory.exists():
            raise OutputError(f"{directory}: has vanished.") from error
        reason = error.strerror or str(error)
        raise OutputError(f"{directory}: the run cannot be {what} ({reason}).") from error
