"""Files that tell whether they are whole: written at once or not at all, under a checksum."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_DIGITS = 64
_SEAL = "sha256"
PART = ".part-"
"""How the names of files begin that are being written."""


def write_durably(path: Path, *pieces: bytes | memoryview) -> None:
    """Write a file that is there whole, even after a power cut, or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    *pieces : bytes or memoryview
        What it will hold, one after the other.

    Raises
    ------
    OSError
        When the disk refuses; nothing is left behind then, if the disk allows that.
    """
    part = path.with_name(f"{PART}{secrets.token_hex(4)}-{path.name}")
    try:
        with part.open("xb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names of new files in a folder last; not every file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Make the files in a folder, and in those below, last."""
    for home, _, names in os.walk(folder):
        for name in names:
            with (Path(home) / name).open("rb") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(home))


def seal_document(document: Mapping[str, Any]) -> bytes:
    """Write a document as JSON with a checksum of itself.

    Parameters
    ----------
    document : Mapping
        Text, numbers, lists and tables; the key "sha256" is taken.

    Returns
    -------
    bytes
        UTF-8; `open_document` gives the document back.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return (json.dumps({**document, _SEAL: digest}, ensure_ascii=False, indent=1) + "\n").encode()


def open_document(content: bytes) -> dict[str, Any]:
    """Read a sealed document.

    Parameters
    ----------
    content : bytes
        What `seal_document` has written.

    Returns
    -------
    dict
        The document.

    Raises
    ------
    ValueError
        When a single bit is not as it was written.
    """
    try:
        document = json.loads(content)
        del document[_SEAL]
        same = seal_document(document) == content
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        raise ValueError("its checksum is wrong")
    return dict(document)


class _Pieces:
    """A file in memory that refers to what is written to it, and copies nothing."""

    def __init__(self) -> None:
        self.pieces: list[bytes | memoryview] = []

    def write(self, piece: bytes | memoryview) -> int:
        self.pieces.append(piece)
        return memoryview(piece).nbytes

    def flush(self) -> None:
        """Nothing waits."""


def seal_arrays(arrays: Mapping[str, np.ndarray]) -> list[bytes | memoryview]:
    """Write arrays as ``.npz`` with a checksum of the whole file as its comment.

    Parameters
    ----------
    arrays : Mapping
        Arrays by name.

    Returns
    -------
    list of bytes or memoryview
        What the file consists of, one after the other; the numbers are not copied. Any reader of
        ``.npz`` takes it; `open_arrays` also checks it.
    """
    file: Any = _Pieces()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            whole, head = np.ascontiguousarray(array), io.BytesIO()
            np.lib.format.write_array_header_1_0(
                head, np.lib.format.header_data_from_array_1_0(whole)
            )
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                member.write(head.getvalue())
                if whole.size:
                    member.write(whole.data.cast("B"))
        archive.comment = b"0" * _DIGITS
    pieces: list[bytes | memoryview] = file.pieces
    pieces[-1] = bytes(pieces[-1])[:-_DIGITS]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return [*pieces, digest.hexdigest().encode()]


def open_arrays(content: bytes | memoryview) -> dict[str, np.ndarray]:
    """Read sealed arrays.

    Parameters
    ----------
    content : bytes or memoryview
        What `seal_arrays` has written.

    Returns
    -------
    dict
        Arrays by name.

    Raises
    ------
    ValueError
        When a single bit is not as it was written.
    """
    body, digest = memoryview(content)[:-_DIGITS], bytes(content[-_DIGITS:])
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its checksum is wrong")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
