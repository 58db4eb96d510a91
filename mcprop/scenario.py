"""Scenarios: commented TOML with units in the text, checked strictly before anything runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mcprop import models
from mcprop.config_checks import cross_checks, problem_lines
from mcprop.documents import Resolved, model_of, with_defaults
from mcprop.errors import ConfigError
from mcprop.quantity_text import show
from mcprop.scenario_files import ScenarioFiles
from mcprop.sections import Sections
from mcprop.toml_text import parse_document, plain_document


class Config(Resolved, Sections, ABC):
    """A checked scenario; every value in internal units (pc, yr, pc/yr, GV, GeV, uG, deg).

    Made by `load`, `parse` or `Config.from_dict`, which fill in what was left out; each model has a
    class of its own, with its sections. It cannot be changed; `replace` makes another one.
    """

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
        key = model_of(given, models.known())
        whole, kind = with_defaults(given, _base(key)), models.study(key).configuration()
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
        return Config.from_dict(self._changed(changes))

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


def _place(name: str) -> int:
    """Place of a scenario's model among the models."""
    keys = models.known()
    return next((place for place, key in enumerate(keys) if name.startswith(key)), len(keys))


FILES = ScenarioFiles("mcprop", _place)
"""The built-in scenarios of runs."""


def names() -> tuple[str, ...]:
    """Names of the built-in scenarios, by model; the one that a model is named after comes first.

    Returns
    -------
    tuple of str
        Names that `load` and `text` take.
    """
    return FILES.names()


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
    return FILES.text(name)


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
    return parse(*FILES.find(path_or_name))


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


@cache
def _base(key: str) -> dict[str, Any]:
    """Values of the keys that a scenario of a model leaves out."""
    return parse_document(models.study(key).defaults(), key)
