"""What a study found, and how it tells of its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mcprop.sky import SkyMap

OnPart = Callable[[int, int, float, str], None]
"""Told of each part that is done: how many, of how many, share of the work, what came out."""


class Outcome(NamedTuple):
    """What a study found.

    tables : mapping of file names to (rows, class of the rows); figures : mapping of file names to
    functions that draw them; text : str, what it says in the end; maps : mapping of file names to
    skies.
    """

    tables: Mapping[str, tuple[Sequence[Any], type]]
    figures: Mapping[str, Callable[[], Figure]]
    text: str
    maps: Mapping[str, SkyMap] = MappingProxyType({})
