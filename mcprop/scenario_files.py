"""Built-in scenarios of a package, and how a name or a path is told from what is neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mcprop.errors import ConfigError
from mcprop.quantity_text import near_miss, show
from mcprop.toml_text import read_text, shown


@dataclass(frozen=True)
class ScenarioFiles:
    """The TOML files in the folder ``scenarios`` of a package.

    Attributes
    ----------
    package : str
        Dotted name of the package.
    place : callable
        Place of a name among the names; those of one place follow the alphabet.
    """

    package: str
    place: Callable[[str], int] = lambda name: 0

    def names(self) -> tuple[str, ...]:
        """Names of the scenarios, in order.

        Returns
        -------
        tuple of str
        """
        found = (entry.name for entry in (files(self.package) / "scenarios").iterdir())
        stems = sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
        return tuple(sorted(stems, key=self.place))

    def text(self, name: str, others: tuple[str, ...] = ()) -> str:
        """The commented text of a scenario.

        Parameters
        ----------
        name : str
            One of `names`.
        others : tuple of str
            Further scenarios that may have been meant, of other commands.

        Returns
        -------
        str
            TOML.

        Raises
        ------
        ConfigError
            If there is no such scenario.
        """
        if name not in self.names():
            choice = (*self.names(), *others)
            raise ConfigError(f"{shown(str(name))}: no such scenario; {known(name, choice)}")
        folder = files(self.package) / "scenarios"
        return (folder / f"{name}.toml").read_text(encoding="utf-8")

    def find(self, path_or_name: str | Path) -> tuple[str, str]:
        """Text of a scenario or of a file, and what to call it.

        Parameters
        ----------
        path_or_name : str or Path
            Name of a scenario of the package, or path of a file.

        Returns
        -------
        (str, str)
            TOML, and the name or the path.

        Raises
        ------
        ConfigError
            If it is neither, or cannot be read.
        """
        if isinstance(path_or_name, str) and path_or_name in self.names():
            return self.text(path_or_name), path_or_name
        if not isinstance(path_or_name, (str, Path)):
            raise ConfigError(
                f"scenario: got {show(path_or_name)}; allowed: the name of a scenario, or a path"
            )
        self.require(path_or_name, "neither a file nor a scenario")
        path = Path(path_or_name)
        return read_text(path), shown(path)

    def require(
        self, path_or_name: str | Path, otherwise: str, others: tuple[str, ...] = ()
    ) -> None:
        """Refuse what neither names a scenario nor is anywhere on the disk.

        Parameters
        ----------
        path_or_name : str or Path
            Name of a scenario of the package, or a path.
        otherwise : str
            What to say of it if it is neither.
        others : tuple of str
            Further scenarios that it may name, of other commands.

        Raises
        ------
        ConfigError
            With the scenarios there are.
        """
        choice = (*self.names(), *others)
        built_in = isinstance(path_or_name, str) and path_or_name in choice
        if not built_in and not _exists(path_or_name):
            name = shown(str(path_or_name))
            raise ConfigError(f"{name}: {otherwise}; {known(path_or_name, choice, 'scenarios')}")


def known(name: object, names: tuple[str, ...], what: str = "known") -> str:
    """What there is, and which of it a wrong name may have meant.

    Parameters
    ----------
    name : object
        What was asked for.
    names : tuple of str
        What there is.
    what : str
        What they are called.

    Returns
    -------
    str
    """
    return f"{what}: {', '.join(names)}{near_miss(str(name), names)}"


def _exists(path: str | Path) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
