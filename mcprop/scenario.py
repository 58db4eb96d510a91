"""Scenarios: commented TOML with units in the text, checked strictly before anything runs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from mcprop import models
from mcprop.config_checks import cross_checks, problem_lines
from mcprop.errors import ConfigError
from mcprop.quantity_text import Choice, near_miss, show
from mcprop.sections import Sections
from mcprop.toml_text import (
    dotted,
    format_document,
    parse_document,
    plain,
    plain_document,
    read_text,
    shown,
)


class Config(Sections, ABC):
    """A checked scenario; every value in internal units (pc, yr, pc/yr, GV, GeV, uG, deg).

    Made by `load`, `parse` or `Config.from_dict`, which fill in what was left out; each model has a
    class of its own, with its sections. It cannot be changed; `replace` makes another one.
    """

    _document: dict[str, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Config:
        """Check a document and fill in what it leaves out.

        Parameters
        ----------
        document : Mapping
            Sections and values as in a scenario file; in place of text with a unit an astropy
            Quantity may stand, and an array of them in place of a list. A value of None counts
            as left out.

        Returns
        -------
        Config
            The checked scenario, of the class that belongs to its ``model``.

        Raises
        ------
        ConfigError
            With one line for each problem.
        """
        given = plain_document(document)
        key = _model_of(given)
        whole, kind = _with_defaults(given, _base(key)), models.study(key).configuration()
        try:
            config: Config = kind.model_validate(whole)
        except ValidationError as error:
            raise ConfigError(problem_lines(error, kind)) from None
        problems = cross_checks(config)
        if problems:
            raise ConfigError(problems)
        config._document = whole
        return config

    def replace(self, changes: Mapping[str, Any]) -> Config:
        """Make another configuration with some values changed.

        Parameters
        ----------
        changes : Mapping
            New values by dotted key of any depth, such as ``{"cloud.depth": "3 pc"}`` or
            ``{"nearby.source.p": "1e52 GV-1"}``, or whole sections by name. None takes a value
            out.

        Returns
        -------
        Config
            The changed configuration, checked anew.

        Raises
        ------
        ConfigError
            With one line for each problem.

        Examples
        --------
        >>> load("xue-liu-2025").replace({"cloud.depth": "10 pc"}).cloud.depth
        10.0
        """
        document = plain_document(self._document)
        if not isinstance(changes, Mapping):
            raise ConfigError(f"changes: got {show(changes)}; allowed: a table of dotted keys")
        for key, value in changes.items():
            _put(document, str(key).split("."), plain(value, 2))
        return Config.from_dict(document)

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

    def estimator_of(self, analog: bool) -> str | None:
        """Value of ``monte_carlo.estimator`` that a wish for analog histories stands for.

        Parameters
        ----------
        analog : bool
            Whether plain histories are wanted, in place of the estimator configured.

        Returns
        -------
        str or None
            "analog"; None, which changes nothing, if they are not wanted.

        Raises
        ------
        ConfigError
            If the model has none.
        """
        if analog and not self.study.has_analog:
            raise ConfigError(
                f"analog: got true; allowed: false, as the model {self.formulas} has no estimator"
                " of plain histories"
            )
        return "analog" if analog else None

    @property
    def study(self) -> Any:
        """What belongs to the model, see `mcprop.study.Study`."""
        return models.study(self.formulas)

    @abstractmethod
    def model(self) -> models.Model:
        """Build the formulas of the model from these values.

        Returns
        -------
        Model
            The model with every parameter in internal units.

        Raises
        ------
        ConfigError
            If the values leave something in the model undefined.
        """


def names() -> tuple[str, ...]:
    """Names of the built-in scenarios, by model; the one that a model is named after comes first.

    Returns
    -------
    tuple of str
        Names that `load` and `text` take.
    """
    found = (entry.name for entry in (files("mcprop") / "scenarios").iterdir())
    stems = sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
    return tuple(sorted(stems, key=_place))


def _place(name: str) -> int:
    """Place of a scenario's model among the models."""
    keys = models.known()
    return next((place for place, key in enumerate(keys) if name.startswith(key)), len(keys))


def text(name: str) -> str:
    """The commented text of a built-in scenario.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    str
        TOML.

    Raises
    ------
    ConfigError
        If there is no such scenario.
    """
    if name not in names():
        known = ", ".join(names())
        raise ConfigError(
            f"{shown(str(name))}: no such scenario; known: {known}{near_miss(str(name), names())}"
        )
    return (files("mcprop") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")


def load(path_or_name: str | Path) -> Config:
    """Read and check a scenario.

    Parameters
    ----------
    path_or_name : str or Path
        Name of a built-in scenario, or path of a file.

    Returns
    -------
    Config
        The checked scenario.

    Raises
    ------
    ConfigError
        With one line for each problem.
    """
    if isinstance(path_or_name, str) and path_or_name in names():
        return parse(text(path_or_name), path_or_name)
    if not isinstance(path_or_name, (str, Path)):
        raise ConfigError(
            f"scenario: got {show(path_or_name)}; allowed: the name of a scenario, or a path"
        )
    path = Path(path_or_name)
    if str(path_or_name):
        require(path_or_name, "neither a file nor a scenario")
    return parse(read_text(path), shown(path))


def require(path_or_name: str | Path, otherwise: str, others: tuple[str, ...] = ()) -> None:
    """Refuse what neither names a scenario nor is anywhere on the disk.

    Parameters
    ----------
    path_or_name : str or Path
        Name of a built-in scenario, or a path.
    otherwise : str
        What to say of it if it is neither.
    others : tuple of str
        Further scenarios that it may name, of other commands.

    Raises
    ------
    ConfigError
        With the scenarios there are.
    """
    name, choice = str(path_or_name), (*names(), *others)
    built_in = isinstance(path_or_name, str) and name in choice
    if not built_in and not _exists(Path(path_or_name)):
        known = ", ".join(choice)
        hint = near_miss(name, choice)
        raise ConfigError(f"{shown(name)}: {otherwise}; scenarios: {known}{hint}")


def parse(text: str, name: str = "scenario") -> Config:
    """Check the text of a scenario.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What the text is called where it is not TOML at all.

    Returns
    -------
    Config
        The checked scenario.

    Raises
    ------
    ConfigError
        With one line for each problem.
    """
    if not isinstance(text, str):
        raise ConfigError(f"{name}: got {show(text)}; allowed: the text of a scenario")
    return Config.from_dict(parse_document(text, name))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _model_of(document: Mapping[str, Any]) -> str:
    """Key of the model that a document names, which it must."""
    keys = Choice(models.known())
    if "model" not in document:
        raise ConfigError(f"model: missing; allowed: {keys.allowed}")
    try:
        return keys.parse(document["model"])
    except ValueError as error:
        raise ConfigError(f"model: {error}") from None


@cache
def _base(key: str) -> dict[str, Any]:
    """Values of the keys that a scenario of a model leaves out."""
    return parse_document(models.study(key).defaults(), key)


def _with_defaults(document: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Add what is left out; the model must be named, and no title is borrowed."""
    whole: dict[str, Any] = {"title": "untitled"} | document
    for name, defaults in base.items():
        given = document.get(name, {})
        if isinstance(defaults, dict) and isinstance(given, dict):
            # a list of energies replaces the grid, it does not join it
            complete = name == "energies" and "values" in given
            whole[name] = given if complete else plain_document(defaults) | given
    return whole


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
