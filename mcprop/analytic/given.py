"""Checks of the parameters that the published models have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop import units
from mcprop.errors import RangeError


def plain(name: str, value: Any, kind: str) -> Any:
    """Strip the units of one parameter, if it has any; a table of species has them one by one.

    Parameters
    ----------
    name : str
        What the parameter is called.
    value : float, str, Quantity, None or dict of str to these
        What was given.
    kind : str
        A key of `mcprop.units.UNITS`.

    Returns
    -------
    float, ndarray, None or dict
        The same in internal units.

    Raises
    ------
    UnitsError
        If the unit is of another kind.
    """
    if isinstance(value, dict):
        return {key: plain(f"{name}[{key}]", number, kind) for key, number in value.items()}
    return units.strip(value, kind, name) if units.has_unit(value) else value


def require(name: str, good: bool, value: Any, why: str) -> None:
    """Raise a `RangeError` that names a parameter unless it is `good`."""
    if not good:
        raise RangeError(f"{name} = {value} {why}.")


def finite(name: str, value: Any, species: tuple[str, ...]) -> None:
    """Refuse what is not a finite number, and a table that lacks one for a species.

    Parameters
    ----------
    name : str
        What the parameter is called.
    value : float or dict of str to float
        Its value.
    species : tuple of str
        What a table must hold.

    Raises
    ------
    RangeError
        If a number is missing, is no number, or is not finite.
    """
    if isinstance(value, dict):
        missing = [one for one in species if one not in value]
        require(name, not missing, value, f"lacks {', '.join(missing)}")
        for key, number in value.items():
            finite(f"{name}[{key}]", number, ())
        return
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    require(name, bool(is_number and np.isfinite(value)), value, "is not a finite number")


def choose(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a `RangeError` unless the value of a parameter is one of those allowed."""
    if value not in allowed:
        raise RangeError(f"{name} = {value!r} is not known: choose from {', '.join(allowed)}.")


def fixed(array: np.ndarray) -> np.ndarray:
    """Make an array unchangeable, because it is kept."""
    array.setflags(write=False)
    return array
