"""What is meant by an energy or a name that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from mcprop.errors import RangeError
from mcprop.units import strip

_MEANT = 1e-3
"""Relative difference of an energy asked for and the one that is meant."""


def in_gev(energy: Any) -> float:
    """Energy [GeV] from a number, a text such as "10 TeV" or a Quantity."""
    if hasattr(energy, "unit") or not isinstance(energy, Real):
        energy = strip(energy, "energy", "energy")
    try:
        return float(energy)
    except TypeError:
        raise RangeError("There is one energy to a row; give a single one.") from None


def nearest(energy: float, energies: Sequence[float]) -> float:
    """Pick the energy meant; refuse when it is not among those there are."""
    nearest = min(energies, key=lambda other: abs(other - energy))
    if not abs(nearest - energy) <= _MEANT * nearest:
        raise RangeError(f"There is no energy of {energy:.6g} GeV; the nearest is {nearest!r} GeV.")
    return nearest


def pick(given: str, known: Iterable[str], what: str) -> str:
    """The known name that is meant, capital letters or not."""
    names = list(dict.fromkeys(known))
    for name in names:
        if name.casefold() == str(given).casefold():
            return name
    raise RangeError(f"There is no {what} {given!r}; there are {', '.join(names) or 'none'}.")
