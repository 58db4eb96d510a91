"""What is asked of a field, or of what makes fields, before anything follows it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any

from mcprop.errors import ModelError
from mcprop.fields import (
    FastPlaneWaves,
    PlaneWaves,
    PotentialGrid,
    SplineGrid,
    TrilinearGrid,
)
from mcprop.protocol import answers, b_block, b_vector, plain_name, step_scale

GRIDS = (PotentialGrid, SplineGrid, TrilinearGrid)
RANDOM = (PlaneWaves, FastPlaneWaves, *GRIDS)
"""Models of the package that hold a realisation."""

PLACES = ((0.0, 0.0, 0.0), (7.0, -11.0, 13.0), (-310.0, 170.0, 230.0))
"""Where two fields are compared [pc]."""


def check_maker(field_of: Any) -> None:
    """Refuse what makes no fields.

    Parameters
    ----------
    field_of : callable
        What was given.

    Raises
    ------
    ModelError
        If it cannot be called.
    """
    if not callable(field_of):
        raise ModelError(
            f"field_of is a {plain_name(type(field_of))} and must be a function that makes a field "
            "of a seed."
        )


def check_field(field: Any) -> None:
    """Refuse what is no model of a field.

    Parameters
    ----------
    field : model of a field
        What was given, or what ``field_of`` made.

    Raises
    ------
    ModelError
        If it answers neither `b_vector` nor `b_block`.
    """
    if not (isinstance(field, tuple) and (answers(b_vector, field) or answers(b_block, field))):
        raise ModelError(
            f"field = {plain_name(type(field))} must be a model of a magnetic field, such as those "
            "of mcprop.fields."
        )


def seeded(field_of: Callable[[int], Any]) -> Callable[[int], Any]:
    """Let a maker of fields go on, unless it makes the same waves of the first two seeds.

    Errors from the scatter of realisations would not know of the scatter of fields. One field that
    was made before, such as the snapshot of a simulation, may be returned for all seeds; errors are
    then those of that field. So may one without waves.

    Parameters
    ----------
    field_of : callable
        Makes a field from its seed.

    Returns
    -------
    callable
        It does the same.

    Raises
    ------
    ModelError
        If `field_of` cannot be called; what is returned raises it of the second seed.
    """
    check_maker(field_of)
    before: list[tuple[int, Any] | None] = []  # the first field, until the second has come
    one_by_one = Lock()

    def made(seed: int) -> Any:
        field = field_of(seed)
        with one_by_one:
            first = before[0] if before else None
            before[:] = [None] if before else [(seed, field)]
        if first is not None and _made_again(first[1], field):
            raise ModelError(
                f"field_of makes the same waves of the seeds {first[0]} and {seed}: it must make "
                "them of its seed, or return a field that was made before."
            )
        return field

    return made


def _made_again(one: Any, other: Any) -> bool:
    """Whether the second field has waves of its own that vary as those of the first."""
    known = {id(part) for part in _parts(one) if isinstance(part, RANDOM)}
    anew = [part for part in _parts(other) if isinstance(part, RANDOM) and id(part) not in known]
    if not (known and anew and answers(b_vector, one) and answers(b_vector, other)):
        return False
    there = [b_vector(one, *place) for place in PLACES]
    return len(set(there)) > 1 and there == [b_vector(other, *place) for place in PLACES]


def _parts(field: Any) -> list[Any]:
    """A model and all models in it."""
    if not isinstance(field, tuple):
        return []
    return [field, *(part for inner in field for part in _parts(inner))]


def scale_of(field: Any, place: Any, instead: str = "") -> float:
    """`step_scale` of a field at a place, where nothing else tells how long steps may be.

    Parameters
    ----------
    field : model of a field
        What was given.
    place : three floats
        Where [pc].
    instead : str
        Arguments that would do in its place, such as "step=", if there are any.

    Returns
    -------
    float
        The length [pc].

    Raises
    ------
    ModelError
        If it, or a part of it, has neither an answer to `step_scale` nor a field `scale`: that of
        other models may be far too long for it.
    """
    mute = _without_scale(field)
    if mute is not None:
        raise ModelError(
            f"field = {plain_name(mute)} tells no length on which it varies: give it a field "
            f"`scale` [pc] (its shortest wavelength){', or give ' + instead if instead else ''}."
        )
    return float(step_scale(field, *map(float, place)))


def _without_scale(field: Any) -> type | None:
    """The type of a field, or of a part of it, whose `step_scale` would be a mere default."""
    kind = type(field)
    if answers(step_scale, kind):
        parts = field if kind.__module__.startswith("mcprop.") else ()  # such as those of a Sum
        found = (_without_scale(part) for part in parts if answers(b_vector, part))
        return next((one for one in found if one is not None), None)
    return None if "scale" in getattr(kind, "_fields", ()) else kind


def warn_of_period(field: Any, length: float) -> None:
    """Warn of lines that come back to waves they have met, on a periodic grid.

    Parameters
    ----------
    field : model of a field
        Its mean is along z.
    length : float
        How far lines go [pc].
    """
    periods = [part.nz * part.spacing for part in _parts(field) if isinstance(part, GRIDS)]
    if periods and length > min(periods):
        warnings.warn(
            f"length = {length:g} pc exceeds the period of the grid along the mean field, "
            f"{min(periods):g} pc: lines meet the same waves again, which changes how they spread.",
            stacklevel=5,  # of who calls what goes through the realisations
        )
