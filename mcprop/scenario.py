"""Scenarios: commented TOML with units in the text, checked strictly before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import PrivateAttr, ValidationError

from mcprop.config_checks import cross_checks, problem_lines
from mcprop.errors import ConfigError
from mcprop.quantity_text import near_miss, show
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
from mcprop.units import KM_PER_S

if TYPE_CHECKING:
    from mcprop.analytic.xue_liu_2025 import XueLiu2025

BASE = "xue-liu-2025"
"""The scenario whose values hold for every key that a file leaves out."""


class Config(Sections):
    """A checked scenario; every value in internal units (pc, yr, pc/yr, GV, GeV, uG, deg).

    Made by `load`, `parse` or `Config.from_dict`, which fill in what was left out. It cannot be
    changed; `replace` makes another one.
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
            The checked scenario.

        Raises
        ------
        ConfigError
            With one line for each problem.
        """
        whole = _with_defaults(plain_document(document))
        try:
            config = cls.model_validate(whole)
        except ValidationError as error:
            raise ConfigError(problem_lines(error, cls)) from None
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
        return type(self).from_dict(document)

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

    def model(self) -> XueLiu2025:
        """Build the formulas of the published model from these values.

        Returns
        -------
        XueLiu2025
            The model with every parameter in internal units.

        Raises
        ------
        ConfigError
            If the velocities leave the direction of the cloud undefined.
        """
        from mcprop.analytic.xue_liu_2025 import XueLiu2025

        place, velocity, cloud, outer = self.field, self.velocity, self.cloud, self.diffusion
        background, nearby, centre = self.background, self.nearby, self.centre
        coefficient = self.compton_getting.coefficient
        model = XueLiu2025(
            field_ra=place.ra,
            field_dec=place.dec,
            field_strength=place.strength,
            **velocity.model_dump(),
            cloud_mode=cloud.mode,
            cloud_transport=cloud.transport,
            cloud_depth=cloud.depth,
            critical_rigidity=cloud.critical_rigidity,
            diffusion_d0=outer.d0,
            diffusion_reference_rigidity=outer.reference_rigidity,
            diffusion_slope=outer.slope,
            parallel_factor=outer.parallel_factor,
            mach_alfven=outer.mach_alfven,
            background_source=dict(background.source),
            background_height=background.height,
            background_rate=background.rate,
            background_volume=background.volume,
            background_cutoff=background.cutoff,
            background_dipole=background.dipole,
            modulation_potential=background.modulation,
            nearby_source=dict(nearby.source),
            nearby_age=nearby.age,
            nearby_r_parallel=nearby.r_parallel,
            nearby_r_perp=nearby.r_perp,
            nearby_cutoff=nearby.cutoff,
            centre_source=dict(centre.source),
            centre_age=centre.age,
            centre_distance=centre.distance,
            centre_cutoff=centre.cutoff,
            spectral_index=dict(self.spectrum.index),
            compton_getting_coefficient=coefficient if isinstance(coefficient, float) else None,
            species=self.species.names,
        )
        return _with_direction(model)


def names() -> tuple[str, ...]:
    """Names of the built-in scenarios, the best fit first.

    Returns
    -------
    tuple of str
        Names that `load` and `text` take.
    """
    found = (entry.name for entry in (files("mcprop") / "scenarios").iterdir())
    stems = sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
    return tuple(sorted(stems, key=lambda stem: stem != BASE))


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
            f"{shown(name)}: no such scenario; known: {known}{near_miss(name, names())}"
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
    path = Path(path_or_name)
    if str(path_or_name):
        require(path_or_name, "neither a file nor a scenario")
    return parse(read_text(path), shown(path))


def require(path_or_name: str | Path, otherwise: str) -> None:
    """Refuse what neither names a scenario nor is anywhere on the disk.

    Parameters
    ----------
    path_or_name : str or Path
        Name of a built-in scenario, or a path.
    otherwise : str
        What to say of it if it is neither.

    Raises
    ------
    ConfigError
        With the scenarios there are.
    """
    name = str(path_or_name)
    built_in = isinstance(path_or_name, str) and name in names()
    if not built_in and not _exists(Path(path_or_name)):
        known = ", ".join(names())
        hint = near_miss(name, names())
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
    return Config.from_dict(parse_document(text, name))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _with_direction(model: XueLiu2025) -> XueLiu2025:
    """Pass a model on whose cloud moves, and not along the field."""
    speed = model.flow_speed
    if speed < 1e-6 * KM_PER_S:
        raise ConfigError(
            "velocity: got a cloud at rest in the local standard of rest;"
            " allowed: cloud velocity plus solar motion greater than 1e-6 km/s"
        )
    across = np.linalg.norm(np.cross(model.u_lsr / speed, model.b_hat))
    if across < 1e-6:
        raise ConfigError(
            "velocity: got a cloud that moves along the field, where the plane of the two is"
            " undefined; allowed: any other direction of cloud velocity plus solar motion"
        )
    return model


@cache
def _base() -> dict[str, Any]:
    return parse_document(text(BASE), BASE)


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Add what is left out; the model must be named, and no title is borrowed."""
    whole: dict[str, Any] = {"title": "untitled"} | document
    for name, defaults in _base().items():
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
