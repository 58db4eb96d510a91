"""The internal unit system, and the one door through which units enter and leave.

Beneath the public surface every number is a plain float: length in pc, time in yr, speed in pc/yr,
diffusion coefficient in pc^2/yr, rigidity in GV, total energy in GeV, field in uG, angle in deg.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from mcprop.errors import RangeError, UnitsError

Class = TypeVar("Class", bound=type)

PC_CM = 3.0856775815e18
"""One parsec [cm]."""
YR_S = 3.15576e7
"""One Julian year [s]."""
C_CM_S = 2.99792458e10
"""Speed of light [cm/s]."""
C_LIGHT = C_CM_S * YR_S / PC_CM
"""Speed of light [pc/yr]."""
CM2_PER_S = YR_S / PC_CM**2
"""1 cm^2/s [pc^2/yr]."""
KM_PER_S = 1e5 * YR_S / PC_CM
"""1 km/s [pc/yr]."""
PER_PC2_YR = 1e4 / (PC_CM**2 * YR_S)
"""1 pc^-2 yr^-1 [m^-2 s^-1]."""

UNITS = {
    "length": "pc",
    "time": "yr",
    "speed": "pc / yr",
    "diffusion": "pc2 / yr",
    "rigidity": "GV",
    "inverse rigidity": "GV-1",
    "energy": "GeV",
    "field": "uG",
    "angle": "deg",
    "rate": "yr-1",
    "volume": "pc3",
    "density": "pc-3",
    "inverse length": "pc-1",
    "intensity": "GV-1 m-2 s-1 sr-1",
    "intensity per energy": "GeV-1 m-2 s-1 sr-1",
    "dimensionless": "",
}
"""Internal unit of each kind of quantity."""


_EXAMPLES = {"speed": "1 km/s", "diffusion": "1e28 cm2/s", "rigidity": "1 TV", "energy": "1 TeV"}


_CONVERTED: tuple[str, ...] = ("rigidity", "energy")


def has_unit(value: Any) -> bool:
    """Whether a value brings a unit along, as a Quantity or as a text."""
    return isinstance(value, str) or hasattr(value, "unit")


def bare(name: str, value: Any, unit: str = "") -> Any:
    """Refuse a Quantity where plain numbers are taken: NumPy would drop its unit without a word.

    Parameters
    ----------
    name, unit : str
        What it is called, and the unit in which it is taken; "" if it has none.
    value : array_like
        What was given.

    Returns
    -------
    array_like
        The same.

    Raises
    ------
    UnitsError
        If it has a unit.
    """
    if hasattr(value, "unit"):
        wanted = f" [{unit}]" if unit else ""
        raise UnitsError(
            f"{name} is a Quantity [{value.unit}] and must be plain numbers{wanted}: "
            f'`.to_value("{unit}")` makes them of it.'
        )
    return value


def takes_quantities(cls: Class) -> Class:
    """Class decorator: methods take `rigidity` and `energy` as plain numbers or as quantities.

    Both must be positive; a `RangeError` says so.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and callable(method):
            named = list(signature(method).parameters)
            places = {kind: named.index(kind) for kind in _CONVERTED if kind in named}
            if places:
                setattr(cls, name, _stripping(method, places))
    return cls


def _stripping(method: Callable[..., Any], places: dict[str, int]) -> Callable[..., Any]:
    """The method with its arguments at `places` stripped of units and checked."""

    @wraps(method)
    def stripped(*args: Any, **kwargs: Any) -> Any:
        given = list(args)
        for kind, place in places.items():
            if kind in kwargs:
                kwargs[kind] = positive(kwargs[kind], kind)
            elif place < len(given):
                given[place] = positive(given[place], kind)
        return method(*given, **kwargs)

    return stripped


def positive(value: Any, kind: str) -> Any:
    """Plain number of a kind from a Quantity or a number; a `RangeError` if it is not positive."""
    number = strip(value, kind, kind) if has_unit(value) else value
    if not np.all(np.asarray(number) > 0.0):
        raise RangeError(f"{kind} = {value} must be positive.")
    return number


def strip(value: Any, kind: str, name: str = "value") -> Any:
    """Turn a quantity with units into a plain number in internal units.

    Parameters
    ----------
    value : astropy.units.Quantity or str
        A quantity, or a text such as ``"250 pc"``. A bare number is accepted for the kind
        ``"dimensionless"`` only.
    kind : str
        A key of `UNITS`.
    name : str
        What the value is called in the error message.

    Returns
    -------
    float or ndarray
        The value in the internal unit of `kind`.

    Raises
    ------
    UnitsError
        If `value` has no unit, a unit of another kind, or is not a finite number.

    Examples
    --------
    >>> strip("0.25 kpc", "length")
    250.0
    """
    from astropy.units import Quantity, UnitConversionError

    unit = UNITS[kind]
    article, example = "an" if kind[0] in "aei" else "a", _EXAMPLES.get(kind, f"1 {unit}")
    wanted = (
        f"give {article} {kind} with its unit, such as '{example}'"
        if unit
        else "give a plain number"
    )
    if isinstance(value, (bool, np.bool_)):
        raise UnitsError(f"{name} = {value!r} is not a number: {wanted}.")
    try:
        quantity = Quantity(value)
        number = quantity.to_value(unit)
    except UnitConversionError:
        found = f"has unit '{quantity.unit}'" if str(quantity.unit) else "has no unit"
        raise UnitsError(f"{name} = {value} {found}: {wanted}.") from None
    except (TypeError, ValueError):
        raise UnitsError(f"{name} = {value!r} cannot be read: {wanted}.") from None
    if np.iscomplexobj(number):
        raise UnitsError(f"{name} = {value} is not real: {wanted}.")
    if not np.all(np.isfinite(number)):
        raise UnitsError(f"{name} = {value} is not finite: {wanted}.")
    return np.asarray(number, dtype=float) if np.ndim(number) else float(number)


def attach(value: Any, kind: str) -> Any:
    """Give a plain number in internal units its unit back.

    Parameters
    ----------
    value : float or ndarray
        Number in the internal unit of `kind`.
    kind : str
        A key of `UNITS`.

    Returns
    -------
    astropy.units.Quantity
        The same number with its unit.

    Examples
    --------
    >>> attach(250.0, "length")
    <Quantity 250. pc>
    """
    from astropy.units import Quantity

    return Quantity(value, UNITS[kind])
