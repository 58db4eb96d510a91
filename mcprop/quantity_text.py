"""What a value in a scenario may be, and the one sentence that says so when it is not.

Each class here is a marker for ``typing.Annotated``: pydantic reads the value through its `parse`,
which returns the value in internal units or raises a `ValueError` with half a sentence; the dotted
name of the key is put in front by `mcprop.config_checks`.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from numbers import Integral
from typing import Any

from pydantic_core import CoreSchema, core_schema

from mcprop.errors import UnitsError
from mcprop.species import SPECIES
from mcprop.units import strip

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
_UNIT = r"(?:1? ?/|[A-Za-z])[A-Za-z0-9 */^.()+-]*"
_NUMBER_AND_UNIT = re.compile(rf"\s*({_NUMBER})\s*({_UNIT})?\s*")
_LONGEST = 80
"""Characters of a value that are read, and shown back."""


def show(value: object) -> str:
    """Write a refused value as it would stand in a file, cut to a length that fits on a line.

    Parameters
    ----------
    value : object
        Whatever was found.

    Returns
    -------
    str
        One line of at most about 80 characters.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "an empty list" if not value else f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
        return json.dumps(cut, ensure_ascii=False)
    return str(value)[:_LONGEST]


def near_miss(word: str, known: Iterable[str]) -> str:
    """Suggest what was probably meant.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been written.

    Returns
    -------
    str
        A clause to append to a sentence, empty if nothing comes near.
    """
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word[:_LONGEST].casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]}?" if close else ""


@dataclass(frozen=True)
class Bounds:
    """An interval. Bounds are numbers, or text with a unit; None is no bound.

    Parameters
    ----------
    above, below : float or str, optional
        Bounds that are not allowed themselves.
    least, most : float or str, optional
        Bounds that are allowed.
    """

    above: float | str | None = None
    least: float | str | None = None
    below: float | str | None = None
    most: float | str | None = None

    def __str__(self) -> str:
        """Say the interval in words."""
        words = {
            "greater than": self.above,
            "at least": self.least,
            "less than": self.below,
            "at most": self.most,
        }
        return " and ".join(f"{word} {bound}" for word, bound in words.items() if bound is not None)

    def contain(self, number: float, kind: str | None = None) -> bool:
        """Whether a number, in internal units of `kind`, lies inside."""
        above, least, below, most = (
            None if bound is None else _internal(bound, kind)
            for bound in (self.above, self.least, self.below, self.most)
        )
        return (
            (above is None or number > above)
            and (least is None or number >= least)
            and (below is None or number < below)
            and (most is None or number <= most)
        )


@cache
def _internal(bound: float | str, kind: str | None) -> float:
    """A bound in internal units."""
    return float(strip(bound, kind)) if isinstance(bound, str) and kind else float(bound)


class Allowed(ABC):
    """Base of the markers: `parse` reads a value, `allowed` says what it may be."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What the value may be, in words."""

    @abstractmethod
    def parse(self, value: Any) -> Any:
        """Read a value, or raise `ValueError` with what is wrong and what is allowed."""

    def refuse(self, value: object, why: str = "", hint: str = "") -> ValueError:
        """Make the error that says what was given and what is allowed."""
        return ValueError(f"got {show(value)}{why}; allowed: {self.allowed}{hint}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Read the value through `parse` alone."""
        return core_schema.no_info_plain_validator_function(self.parse)


@dataclass(frozen=True)
class Amount(Allowed):
    """A number with a unit, as text such as "1.6 pc".

    Parameters
    ----------
    kind : str
        A key of `mcprop.units.UNITS`.
    example : str
        A value that is allowed.
    bounds : Bounds
        Where it may lie.
    """

    kind: str
    example: str
    bounds: Bounds = Bounds()

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        span = f" {self.bounds}" if str(self.bounds) else ""
        return f'{_with_article(self.kind)}{span}, with its unit, such as "{self.example}"'

    def parse(self, value: Any) -> float:
        """Read the amount into internal units."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise self.refuse(value, " without a unit")
        if not isinstance(value, str):
            raise self.refuse(value)
        number = self._convert(value)
        if not math.isfinite(number):
            raise self.refuse(value, ", which is not finite")
        if not self.bounds.contain(number, self.kind):
            raise self.refuse(value)
        return number

    def _convert(self, text: str) -> float:
        match = _NUMBER_AND_UNIT.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise self.refuse(text)
        number, unit = float(match[1]), (match[2] or "").strip()
        if not unit:
            raise self.refuse(text, " without a unit")
        if not math.isfinite(number):
            return number
        return number * self._factor(text, unit)

    def _factor(self, text: str, unit: str) -> float:
        """Size of a unit in internal units."""
        try:
            return _factor_of(unit, self.kind)
        except UnitsError:
            why = f", where {show(unit)} is not the unit of {_with_article(self.kind)}"
            volts = " (rigidities are in volts, energies in electronvolts)"
            hint = volts if {"rigidity", "energy"} & {self.kind, _kind_of(unit)} else ""
            raise self.refuse(text, why, hint) from None
        except ValueError:
            raise self.refuse(text, f", where {show(unit)} is not a known unit") from None


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


@lru_cache(maxsize=256)
def _factor_of(unit: str, kind: str) -> float:
    """Size of a unit in internal units; ValueError if unknown, UnitsError if of another kind."""
    from astropy.units import Quantity, Unit

    if re.search(r"[0-9]{2}", unit):
        raise ValueError("no unit of use here has a power of ten or more")
    if unit.count("/") > 1:
        # astropy reads it with a warning, and warnings cannot be caught in one thread alone
        raise ValueError("what the second of two slashes divides is doubtful")
    try:
        known = Unit(f"1{unit}" if unit.startswith("/") else unit)
        quantity = Quantity(1.0, known)
    except (TypeError, ArithmeticError) as error:
        raise ValueError(str(error)) from None
    if known.scale != 1.0:
        raise ValueError("a unit with a number in front hides part of the value")
    return float(strip(quantity, kind))


def _kind_of(unit: str) -> str:
    """Tell rigidity and energy, the two that are mistaken for each other, from the rest."""
    for kind in ("rigidity", "energy"):
        try:
            _factor_of(unit, kind)
        except ValueError:
            continue
        return kind
    return ""


@dataclass(frozen=True)
class Number(Allowed):
    """A plain number without dimension, or one of a few words.

    Parameters
    ----------
    bounds : Bounds
        Where it may lie.
    words : tuple of str
        Texts that are allowed as well.
    """

    bounds: Bounds = Bounds()
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return " or ".join([f"a number {self.bounds}", *(f'"{word}"' for word in self.words)])

    def parse(self, value: Any) -> float | str:
        """Read the number."""
        if isinstance(value, str) and value in self.words:
            return value
        if isinstance(value, str):
            hint = near_miss(value, self.words)
            raise self.refuse(value, hint=hint or " (a plain number, without quotes or unit)")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse(value)
        if not -1e308 < value < 1e308:
            raise self.refuse(value, ", which is not finite or too large")
        if not self.bounds.contain(float(value)):
            raise self.refuse(value)
        return float(value)


@dataclass(frozen=True)
class Whole(Allowed):
    """A whole number.

    Parameters
    ----------
    least, most : int
        Bounds that are allowed themselves.
    multiple_of : int
        What it must be a multiple of.
    power_of_two : bool
        Whether only 1, 2, 4, 8, ... are allowed.
    """

    least: int
    most: int
    multiple_of: int = 1
    power_of_two: bool = False

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        name = "a power of two" if self.power_of_two else "a whole number"
        if self.multiple_of > 1:
            name = f"a multiple of {self.multiple_of}"
        return f"{name} from {self.least} to {self.most}"

    def parse(self, value: Any) -> int:
        """Read the whole number."""
        if isinstance(value, bool) or not isinstance(value, Integral):
            hint = " (written without a point, an exponent or quotes)"
            raise self.refuse(value, hint=hint if isinstance(value, (float, str)) else "")
        number = int(value)
        fits = self.least <= number <= self.most and number % self.multiple_of == 0
        if not fits or (self.power_of_two and number & (number - 1)):
            raise self.refuse(value)
        return number


@dataclass(frozen=True)
class Choice(Allowed):
    """One of a few words.

    Parameters
    ----------
    words : tuple of str
        The words.
    """

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return " or ".join(f'"{word}"' for word in self.words)

    def parse(self, value: Any) -> str:
        """Read the word."""
        if isinstance(value, str) and value in self.words:
            return value
        raise self.refuse(
            value, hint=near_miss(value, self.words) if isinstance(value, str) else ""
        )


@dataclass(frozen=True)
class Line(Allowed):
    """Free text on one line.

    Parameters
    ----------
    longest : int
        Number of characters it may have.
    """

    longest: int = 200

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return f"text of 1 to {self.longest} printable characters"

    def parse(self, value: Any) -> str:
        """Read the text."""
        if isinstance(value, str) and 1 <= len(value) <= self.longest and value.isprintable():
            return value
        raise self.refuse(value)


@dataclass(frozen=True)
class Several(Allowed):
    """A list that is not empty, and not endless; its items are read by their own markers.

    Parameters
    ----------
    most : int
        Number of items it may have.
    """

    most: int

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return f"a list of 1 to {self.most}"

    def parse(self, value: Any) -> tuple[Any, ...]:
        """Read the list, with its items as they are."""
        if isinstance(value, (list, tuple)) and 1 <= len(value) <= self.most:
            return tuple(value)
        if not isinstance(value, (str, int, float)) or value == "":
            raise self.refuse(value)
        # text that is a plain number is meant as one
        is_number = isinstance(value, str) and re.fullmatch(_NUMBER, value) and len(value) < 30
        raise self.refuse(value, hint=f", such as [{value if is_number else show(value)}]")


SPECIES_NAME = Choice(tuple(SPECIES))
"""The name of a known nucleus."""
