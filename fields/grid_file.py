"""A magnetic field that somebody else made: an array, or a file of NumPy's, on a periodic grid."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mcprop.errors import OutputError, RangeError
from mcprop.fields.grid import Grid
from mcprop.fields.grid_store import INTERPOLATIONS, Store
from mcprop.fields.grid_turbulence import CELLS_PER_WAVE, require_place
from mcprop.fields.grid_waves import (
    at_points,
    curl_at_points,
    potential_coefficients,
)
from mcprop.fields.spectra import choose, require, require_number
from mcprop.units import bare

ROUNDING = 1e-6
"""Fluctuations below this part of the mean field are rounding of float32."""


def load_grid(
    source: Any,
    spacing: float,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    interpolation: str = "potential",
    key: str | None = None,
    shortest: float | None = None,
    tolerance: float = 0.1,
) -> Grid:
    """A given field on a periodic grid.

    With the default interpolation the field is replaced by the nearest one without divergence: its
    waves are projected across their wave vectors, and become those of a vector potential (in
    Coulomb gauge) plus a mean field. How much of it was divergence, and how far the result is from
    the given field at the points of the grid, is kept in its ``removed`` and ``misfit``.

    Parameters
    ----------
    source : array_like, str or path
        Field [uG] at the points, shape (nx, ny, nz, 3), or an NPY or NPZ file of it. The period is
        (nx, ny, nz) spacings: the last point is not the first one again.
    spacing : float
        Distance of neighbouring points [pc].
    origin : three floats
        Place of the first point [pc].
    interpolation : {"potential", "spline", "trilinear"}
        How the field follows between the points, see `mcprop.fields.grid`.
    key : str, optional
        Name of the array in an NPZ file; it may be left out if there is only one.
    shortest : float, optional
        Length on which the field varies [pc], 4 spacings if not given.
    tolerance : float
        Largest ``misfit`` that is accepted, as a part of the root mean square of the fluctuations.

    Returns
    -------
    PotentialGrid, SplineGrid or TrilinearGrid
        The field.

    Raises
    ------
    OutputError
        If there is no such file, or it cannot be read.
    RangeError
        If an argument is not allowed, the array has another shape or type or numbers that are not
        finite, the file has no such key, or more is lost than `tolerance`.
    UnitsError
        If an argument is a Quantity.
    """
    choose("interpolation", interpolation, INTERPOLATIONS)
    require_number("spacing", spacing, above=True, unit="pc")
    require_number("tolerance", tolerance)
    if shortest is not None:
        require_number("shortest", shortest, above=True, unit="pc")
    place = require_place("origin", origin)
    field = _checked(_read(source, key), source)
    store = Store(interpolation, field.shape[:3])
    scale = CELLS_PER_WAVE * spacing if shortest is None else shortest
    rest: dict[str, float] = {"scale": float(scale)}
    if interpolation == "potential":
        rest |= _fill_potential(store.period, field)
        _require_faithful(rest["removed"], rest["misfit"], tolerance)
    elif interpolation == "spline":
        _fill_spline(store.period, field)
    else:
        store.period[:] = field
    return store.model(place, float(spacing), **rest)


def _read(source: Any, key: str | None) -> Any:
    """The array itself, from wherever it is."""
    if not isinstance(source, (str, os.PathLike)):
        require("key", key, key is None, "is for NPZ files only")
        return source
    path = Path(source)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, not an NPY or NPZ file.")
    if not path.is_file():
        raise OutputError(f"{path}: there is no such file.")
    try:
        with path.open("rb") as stream:
            found = np.load(stream, allow_pickle=False)
            if isinstance(found, np.ndarray):
                require("key", key, key is None, "is for NPZ files only")
                return found
            with found:
                return found[_key(path, found.files, key)]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, RangeError):
            raise
        # NumPy takes anything else for a pickle, and its message is about that
        raise OutputError(f"{path}: not an NPY or NPZ file of numbers.") from None


def _key(path: Path, names: list[str], key: str | None) -> str:
    listed = ", ".join(names) if names else "nothing"
    if key is None:
        if len(names) != 1:
            raise RangeError(
                f"{path}: give the key of the field, one array of shape (nx, ny, nz, 3); the file "
                f"holds {listed}."
            )
        return names[0]
    if key not in names:
        raise RangeError(f"key = {key!r} is not in {path}, which holds {listed}.")
    return key


def _checked(field: Any, source: Any) -> np.ndarray:
    """A field of three components at enough points, all of them finite."""
    name = str(source) if isinstance(source, (str, os.PathLike)) else "source"
    bare(name, field, "uG")
    try:
        array = np.asarray(field)
    except ValueError as error:
        raise RangeError(f"{name}: not an array ({error}).") from None
    if array.dtype.kind not in "fiu":
        raise RangeError(f"{name}: numbers of type {array.dtype} must be real numbers.")
    if array.ndim != 4 or array.shape[3] != 3 or min(array.shape) < 3 or min(array.shape[:3]) < 4:
        raise RangeError(
            f"{name}: shape {array.shape} must be (nx, ny, nz, 3), with at least 4 points along "
            "each axis."
        )
    for plane in array:
        if not np.isfinite(plane).all():
            count = array.size - sum(int(np.isfinite(one).sum()) for one in array)
            raise RangeError(f"{name}: {count} of {array.size} numbers are not finite.")
    return array


def _require_faithful(removed: float, misfit: float, tolerance: float) -> None:
    if misfit > tolerance:
        raise RangeError(
            f"tolerance = {tolerance:g}: a field without divergence differs from the given one by "
            f"{misfit:.3g} of its fluctuations, of which {removed:.3g} is divergence and the rest "
            "waves of few cells; allow for more, or take interpolation='spline'."
        )


def _phases(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Phases per cell of the waves of a real transform along each axis [rad], to broadcast."""
    nx, ny, nz = shape[:3]
    x, y, z = np.fft.fftfreq(nx), np.fft.fftfreq(ny), np.fft.rfftfreq(nz)
    return [2.0 * math.pi * x[:, None, None], 2.0 * math.pi * y[:, None], 2.0 * math.pi * z]


def _transform(component: np.ndarray) -> np.ndarray:
    from scipy import fft

    return fft.rfftn(component.astype(np.float32), norm="forward", overwrite_x=True)


def _fill_spline(out: np.ndarray, field: np.ndarray) -> None:
    """Coefficients of a spline through the field at all points, component by component."""
    from scipy import fft

    x, y, z = map(at_points, _phases(field.shape))
    for axis in range(3):
        waves = _transform(field[..., axis])
        for plane, response in zip(waves, x, strict=True):
            plane /= response * y * z
        out[..., axis] = fft.irfftn(waves, field.shape[:3], norm="forward", overwrite_x=True)


def _fill_potential(out: np.ndarray, field: np.ndarray) -> dict[str, float]:
    """Coefficients of the potential; mean field [uG], and what is lost, by their names."""
    from scipy import fft

    waves = np.stack([_transform(field[..., axis]) for axis in range(3)])
    mean = [float(part[0, 0, 0].real) for part in waves]
    waves[:, 0, 0, 0] = 0.0
    theta = _phases(field.shape)
    twice = np.where(_is_edge(theta[2]) | (theta[2] == 0.0), 1.0, 2.0)
    total, divergence, lost = 0.0, 0.0, 0.0
    for i in range(field.shape[0]):
        here = [theta[0][i], theta[1], theta[2]]
        given = waves[:, i].astype(complex)
        made = potential_coefficients(here, given)
        # two cells per wave: sine and cosine cannot be told apart, and there is no derivative
        kept = ~(_is_edge(here[0]) | _is_edge(here[1]) | _is_edge(here[2]))
        made = [kept * part for part in made]
        total += _power(twice, given)
        lost += _power(twice, np.subtract(given, curl_at_points(here, made)))
        divergence += _power(twice, [_parallel(here, given)])
        waves[:, i] = made
    for axis in range(3):
        out[..., axis] = fft.irfftn(waves[axis], field.shape[:3], norm="forward", overwrite_x=True)
    floor = (ROUNDING * math.hypot(*mean)) ** 2
    over = 1.0 / total if total > floor else 0.0
    shares = {"removed": math.sqrt(divergence * over), "misfit": math.sqrt(lost * over)}
    return dict(zip(("bx", "by", "bz"), mean, strict=True)) | shares


def _is_edge(theta: np.ndarray) -> np.ndarray:
    """Whether a wave has two cells along an axis."""
    return np.abs(theta) > math.pi * (1.0 - 1e-12)


def _power(twice: np.ndarray, parts: Any) -> float:
    return float(sum((twice * np.abs(part) ** 2).sum() for part in parts))


def _parallel(theta: list[np.ndarray], b: np.ndarray) -> np.ndarray:
    """Part of a wave that is parallel to its wave vector."""
    square = theta[0] ** 2 + theta[1] ** 2 + theta[2] ** 2
    along = theta[0] * b[0] + theta[1] * b[1] + theta[2] * b[2]
    return along / np.sqrt(np.where(square > 0.0, square, 1.0))
