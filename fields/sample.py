"""A field at many places, with its derivatives and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import mcprop.fields.differences  # noqa: F401  (registers the default of b_gradient)
from mcprop.errors import ModelError, RangeError
from mcprop.fields.answer import check_answer
from mcprop.protocol import answers, b_gradient, b_vector, kernel, plain_name
from mcprop.units import bare


@dataclass(frozen=True)
class FieldSample:
    """A field at places; `sample` makes it.

    Attributes
    ----------
    places : ndarray, shape (..., 3)
        Where [pc].
    vectors : ndarray, shape (..., 3)
        Field [uG].
    gradients : ndarray, shape (..., 3, 3)
        Derivatives [uG/pc]: ``gradients[..., i, j]`` is that of component i along axis j, so that
        a row belongs to a component, as in `b_gradient`.
    """

    places: np.ndarray
    vectors: np.ndarray
    gradients: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Length B of the vectors [uG], shape (...)."""
        x, y, z = np.moveaxis(self.vectors, -1, 0)
        return np.hypot(np.hypot(x, y), z)

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors b along the field, shape (..., 3); NaN where it is zero, and has none."""
        with np.errstate(invalid="ignore"):
            return self.vectors / self.strength[..., None]

    @property
    def divergence(self) -> np.ndarray:
        """div B [uG/pc], shape (...): zero, but for rounding and what a grid cannot follow."""
        return np.trace(self.gradients, axis1=-2, axis2=-1)

    @property
    def direction_divergence(self) -> np.ndarray:
        """div b = (div B - b . grad B . b)/B [1/pc], shape (...); NaN where the field is zero.

        Lines part where it is positive. Where div B = 0 it is -(b . grad) ln B, the inverse of the
        length on which a field focuses particles.
        """
        b = self.directions
        along = np.einsum("...i,...ij,...j->...", b, self.gradients, b)
        with np.errstate(invalid="ignore"):
            return (self.divergence - along) / self.strength


def sample(field: Any, places: Any) -> FieldSample:
    """Ask a field at any number of places, in compiled code.

    Parameters
    ----------
    field : model of a field
        Of this package, one of yours that answers `b_vector`, or a sum of both.
    places : array_like, shape (..., 3)
        Where [pc].

    Returns
    -------
    FieldSample
        Vectors and gradients as the field answers them, in the shape of the places. For a field
        that answers no `b_gradient`, they are differences over a 1e-5th of its `step_scale`.

    Raises
    ------
    ModelError
        If it is no model of a field, or its answer is not finite at one of the places.
    RangeError
        If the places are no array of finite numbers, three to a place.
    UnitsError
        If they are a Quantity.

    Examples
    --------
    >>> from mcprop.fields import UniformField, sample
    >>> seen = sample(UniformField(0.0, 3.0, 4.0), [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    >>> seen.vectors.shape, seen.gradients.shape
    ((2, 3), (2, 3, 3))
    >>> seen.strength
    array([5., 5.])
    >>> seen.directions[0]
    array([0. , 0.6, 0.8])
    """
    if not (isinstance(field, tuple) and answers(b_vector, field)):
        raise ModelError(f"b_vector is not defined for a {plain_name(type(field))}.")
    there = _places(places)
    rows = there.reshape(-1, 3)
    vectors, gradients = np.empty(rows.shape), np.empty((len(rows), 3, 3))
    if len(rows):
        check_answer(field, rows[0])
        ask_each(field, rows, vectors, gradients)
        _require_finite("b_vector", field, rows, vectors)
        _require_finite("b_gradient", field, rows, gradients.reshape(-1, 9))
    return FieldSample(there, vectors.reshape(there.shape), gradients.reshape(*there.shape, 3))


@kernel
def ask_each(field, places, vectors, gradients):
    """Vectors (n, 3) [uG] and gradients (n, 3, 3) [uG/pc] at places (n, 3) [pc]."""
    for i in range(places.shape[0]):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        vectors[i, 0], vectors[i, 1], vectors[i, 2] = b_vector(field, x, y, z)
        xx, xy, xz, yx, yy, yz, zx, zy, zz = b_gradient(field, x, y, z)
        gradients[i, 0, 0], gradients[i, 0, 1], gradients[i, 0, 2] = xx, xy, xz
        gradients[i, 1, 0], gradients[i, 1, 1], gradients[i, 1, 2] = yx, yy, yz
        gradients[i, 2, 0], gradients[i, 2, 1], gradients[i, 2, 2] = zx, zy, zz


def _places(given: Any) -> np.ndarray:
    """Places as an array of its own, of finite floats, three to a place."""
    for part in (given, *given) if isinstance(given, (list, tuple)) else (given,):
        bare("places", part, "pc")
    try:
        numbers = np.array(given)
    except ValueError:  # rows of several lengths
        numbers = np.array(None)
    if numbers.dtype.kind not in "fiu":
        raise RangeError(f"places = {given!r:.60} must be an array of real numbers.")
    if numbers.ndim == 0 or numbers.shape[-1] != 3:
        raise RangeError(f"places has the shape {numbers.shape}; it must be (..., 3).")
    finite = np.isfinite(numbers)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise RangeError(f"places{where} = {numbers[tuple(where)]} must be finite.")
    return np.ascontiguousarray(numbers, dtype=float)


def _require_finite(asked: str, field: Any, places: np.ndarray, found: np.ndarray) -> None:
    finite = np.isfinite(found).all(axis=1)
    if not finite.all():
        first = int(np.argmin(finite))
        x, y, z = places[first]
        raise ModelError(
            f"{asked} of a {plain_name(type(field))} at ({x:g}, {y:g}, {z:g}) pc is not finite: "
            f"{found[first].tolist()}."
        )
