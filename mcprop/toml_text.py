"""TOML in and out: whatever is wrong with a file becomes one line, never a traceback."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcprop.errors import ConfigError
from mcprop.quantity_text import show

_LARGEST_FILE = 1_000_000
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read_text(path: Path) -> str:
    """Read a small UTF-8 file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    ConfigError
        If it is missing, no file, unreadable, too large or not UTF-8.
    """
    name = shown(path)
    try:
        if path.is_dir():
            hint = "; did you mean its config.toml?" if (path / "config.toml").is_file() else ""
            raise ConfigError(f"{name}: is a directory, not a scenario file{hint}")
        if path.exists() and not path.is_file():
            raise ConfigError(f"{name}: is not a regular file")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{name}: cannot be read ({reason})") from None
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{name}: is larger than {_LARGEST_FILE} bytes, so it is no scenario")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: is not UTF-8 text (byte {error.start + 1})") from None


def shown(path: str | Path) -> str:
    """Name a file in a message: the end of its path, if that is endless.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str
        At most about 200 characters.
    """
    name = str(path)
    return name if len(name) <= 200 else "..." + name[-200:]


def parse_document(text: str, name: str) -> dict[str, Any]:
    """Parse TOML.

    Parameters
    ----------
    text : str
        The text.
    name : str
        What the text is called in the error message.

    Returns
    -------
    dict
        The document.

    Raises
    ------
    ConfigError
        If it is not valid TOML, with the line and column.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name}: not a scenario (lists or tables nested too deep)") from None
    except ValueError as error:
        # TOMLDecodeError, and the plain ValueError of impossible dates and endless numbers
        raise ConfigError(f"{name}: not valid TOML: {str(error)[:300]}") from None


def dotted(path: tuple[str | int, ...]) -> str:
    """Write the place of a value as it is addressed: ``energies.values[1]``.

    Parameters
    ----------
    path : tuple of str or int
        Keys and list positions, outermost first.

    Returns
    -------
    str
        The dotted path, unusual keys in quotes and cut to 80 characters.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part[:80], ensure_ascii=False)
            text += f".{key[:82]}" if text else key[:82]
    return text


def plain_document(document: Any) -> dict[str, Any]:
    """Copy a document as TOML could hold it.

    Parameters
    ----------
    document : Mapping
        Sections and values; quantities, numpy's numbers and arrays are welcome.

    Returns
    -------
    dict
        The same with quantities as text, and without what is None.

    Raises
    ------
    ConfigError
        If it is no table.
    """
    if not isinstance(document, Mapping):
        raise ConfigError(f"scenario: got {show(document)}; allowed: a table")
    copy: dict[str, Any] = plain(document, 3)
    return copy


def plain(value: Any, depth: int) -> Any:
    """Copy a value as TOML could hold it; what cannot be is left as it is, to be refused later.

    Parameters
    ----------
    value : object
        A value, a list or a table.
    depth : int
        Tables and lists in each other that are looked into.

    Returns
    -------
    object
        Text, number, list or dict.
    """
    if hasattr(value, "unit") and hasattr(value, "value"):
        return _amount(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if depth and isinstance(value, Mapping):
        items = ((str(key), plain(item, depth - 1)) for key, item in value.items())
        return {key: item for key, item in items if item is not None}
    if depth and isinstance(value, (list, tuple)):
        return [plain(item, depth - 1) for item in value]
    return value


def _amount(value: Any) -> Any:
    """Write an astropy Quantity as number, blank, unit; an array of them as a list."""

    def written(number: Any) -> Any:
        if isinstance(number, list):
            return [written(item) for item in number]
        return f"{float(number)!r} {unit}"

    try:
        unit, bare = value.unit.to_string(), value.value
        return written(bare.tolist() if hasattr(bare, "tolist") else bare)
    except (AttributeError, TypeError, ValueError):
        # complex numbers and the like
        return value


def format_document(document: Mapping[str, Any]) -> str:
    """Write a document of plain values, sections and small tables as TOML.

    Parameters
    ----------
    document : Mapping
        Values are text, numbers, lists, or sections of these and of tables of these.

    Returns
    -------
    str
        TOML that parses back to the same document.
    """
    plain = {key: value for key, value in document.items() if not isinstance(value, Mapping)}
    blocks = ["".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())]
    for key, section in document.items():
        if isinstance(section, Mapping):
            lines = (f"{_key(name)} = {_value(value)}\n" for name, value in section.items())
            blocks.append(f"[{_key(key)}]\n" + "".join(lines))
    return "\n".join(blocks)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return repr(float(value)) if isinstance(value, float) else str(int(value))


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
