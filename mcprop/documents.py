"""What configurations of any command share: the document they come from, and how it is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import PrivateAttr

from mcprop.errors import ConfigError
from mcprop.quantity_text import Choice, show
from mcprop.sections import Section
from mcprop.toml_text import dotted, format_document, plain, plain_document


class Resolved(Section):
    """A checked configuration that keeps its document, values as they were given."""

    _document: dict[str, Any] = PrivateAttr(default_factory=dict)

    def to_toml(self) -> str:
        """Write the resolved configuration.

        Returns
        -------
        str
            TOML with every value as it was given, units in the text; `parse` reads it back to an
            equal configuration.
        """
        names = [field.alias or name for name, field in type(self).model_fields.items()]
        return format_document({name: self._document[name] for name in names})

    @property
    def digest(self) -> str:
        """SHA-256 of `to_toml`, by which files tell what they belong to; 64 hexadecimal digits."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def _changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The document with new values by dotted key of any depth, unchecked."""
        if not isinstance(changes, Mapping):
            raise ConfigError(f"changes: got {show(changes)}; allowed: a table of dotted keys")
        document = plain_document(self._document)
        for key, value in changes.items():
            _put(document, str(key).split("."), plain(value, 2))
        return document


def _put(document: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value in tables within tables, which are made where they are missing."""
    table = document
    for place, parent in enumerate(path[:-1], start=1):
        if table.get(parent) is None:
            table[parent] = {}
        table = table[parent]
        if not isinstance(table, dict):
            inside, home = dotted(tuple(path[: place + 1])), dotted(tuple(path[:place]))
            raise ConfigError(f"{inside}: {home} is {show(table)}; allowed: keys of tables only")
    table[path[-1]] = value


def model_of(document: Mapping[str, Any], known: Sequence[str]) -> str:
    """Key of the model that a document names, which it must.

    Parameters
    ----------
    document : Mapping
        Sections and values.
    known : sequence of str
        What it may name.

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        If it names none of them.
    """
    keys = Choice(tuple(known))
    if "model" not in document:
        raise ConfigError(f"model: missing; allowed: {keys.allowed}")
    try:
        return keys.parse(document["model"])
    except ValueError as error:
        raise ConfigError(f"model: {error}") from None


def with_defaults(document: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Add what a document leaves out; the model must be named, and no title is borrowed.

    Parameters
    ----------
    document : Mapping
        Sections and values.
    base : Mapping
        Sections with the values of every key that may be left out.

    Returns
    -------
    dict
    """
    whole: dict[str, Any] = {"title": "untitled"} | dict(document)
    for name, defaults in base.items():
        given = document.get(name, {})
        if isinstance(defaults, dict) and isinstance(given, dict):
            # a list of energies replaces the grid, it does not join it
            complete = name == "energies" and "values" in given
            whole[name] = given if complete else plain_document(defaults) | given
    return whole
