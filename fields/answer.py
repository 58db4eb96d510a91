"""What somebody's own field answers at one place, looked at before a kernel compiles it."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from mcprop.errors import ModelError
from mcprop.fields.total import Sum
from mcprop.fields.uniform import UniformField
from mcprop.protocol import answers, b_vector, is_ours, plain_name


def check_answer(field: Any, place: Any = (0.0, 0.0, 0.0)) -> None:
    """Ask a field at one place: what goes wrong in a kernel takes pages to tell.

    Parameters
    ----------
    field : model of a field
        Of its parts those are asked that anybody can write down, not those that are checked where
        they are made.
    place : three floats
        Where [pc].

    Raises
    ------
    ModelError
        If it fails, or answers anything but three finite numbers.
    """
    if isinstance(field, Sum):
        check_answer(field.first, place)
        check_answer(field.second, place)
    elif answers(b_vector, field) and (isinstance(field, UniformField) or not is_ours(field)):
        x, y, z = map(float, place)
        asked = f"b_vector of a {plain_name(type(field))} at ({x:g}, {y:g}, {z:g}) pc"
        try:
            found = b_vector(field, x, y, z)
        except Exception as error:
            raise ModelError(f"{asked} fails: {type(error).__name__}: {error!s:.200}") from error
        if not _is_vector(found):
            raise ModelError(
                f"{asked} is {found!r:.200}; it must be a tuple of three finite numbers [uG]."
            )


def _is_vector(found: Any) -> bool:
    are_three = isinstance(found, tuple) and len(found) == 3
    return are_three and all(isinstance(b, Real) and math.isfinite(b) for b in found)
