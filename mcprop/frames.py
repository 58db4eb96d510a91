"""Directions on the sky, the frames of the field and of the cloud, and the local velocities.

All vectors are Cartesian in ICRS axes (x to RA 0, Dec 0; z to the north celestial pole) unless a
name says otherwise. The matrix of a frame has its axes as rows, so that ``axes @ vector`` gives
components in that frame and ``components @ axes`` gives the vector back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from mcprop.errors import RangeError

LRMF_FIELD = (210.5, -57.1)
"""Direction of the local regular field, Galactic l and b [deg]: by IBEX (arXiv:2107.00313, 1)."""

LIC_FIELD = (48.5, -21.2)
"""Direction of the field in the local cloud, RA and Dec [deg]: by IBEX (arXiv:2507.07057, II A)."""

FIELD_UNCERTAINTY = 1.5
"""Uncertainty of the direction by IBEX [deg] (arXiv:2107.00313, section 1)."""


@lru_cache(maxsize=1)
def _galactic_axes() -> np.ndarray:
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    axes = SkyCoord(l=[0, 90, 0] * u.deg, b=[0, 0, 90] * u.deg, frame="galactic").icrs
    matrix = np.ascontiguousarray(axes.cartesian.xyz.value.T)
    matrix.setflags(write=False)
    return matrix


def galactic_axes() -> np.ndarray:
    """Axes of the Galactic frame as ICRS vectors.

    Returns
    -------
    ndarray, shape (3, 3)
        Rows: toward the Galactic centre, along rotation, toward the north Galactic pole.
        Read-only; from astropy.coordinates.
    """
    return _galactic_axes()


def _to_icrs(frame: str) -> np.ndarray:
    if frame == "icrs":
        return np.eye(3)
    if frame == "galactic":
        return galactic_axes()
    raise RangeError(f"frame = {frame!r} is not known: choose 'icrs' or 'galactic'.")


def unit_vector(lon: Any, lat: Any, frame: str = "icrs") -> np.ndarray:
    """Unit vector toward a point of the sky.

    Parameters
    ----------
    lon, lat : float or ndarray
        Right ascension and declination, or Galactic longitude and latitude [deg].
    frame : {"icrs", "galactic"}
        The frame of `lon` and `lat`.

    Returns
    -------
    ndarray, shape (..., 3)
        Unit vector, ICRS axes.

    Raises
    ------
    RangeError
        If the frame is not known.

    Examples
    --------
    >>> unit_vector(0.0, 90.0).round(3).tolist()
    [0.0, 0.0, 1.0]
    """
    lon, lat = np.broadcast_arrays(np.radians(lon), np.radians(lat))
    native = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    return native @ _to_icrs(frame)


def lon_lat(vector: Any, frame: str = "icrs") -> tuple[Any, Any]:
    """Direction of a vector on the sky.

    Parameters
    ----------
    vector : array_like, shape (..., 3)
        Vector of any length, ICRS axes.
    frame : {"icrs", "galactic"}
        The frame of the answer.

    Returns
    -------
    lon : float or ndarray
        Right ascension in [-180, 180], or Galactic longitude in [0, 360) [deg].
    lat : float or ndarray
        Declination or Galactic latitude [deg].

    Raises
    ------
    RangeError
        If the frame is not known.
    """
    x, y, z = np.moveaxis(np.asarray(vector, dtype=float) @ _to_icrs(frame).T, -1, 0)
    lon = np.degrees(np.arctan2(y, x))
    lat = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return (lon if frame == "icrs" else lon % 360.0)[()], lat[()]


def normalise(vector: Any) -> np.ndarray:
    """Unit vector along a vector.

    Parameters
    ----------
    vector : array_like, shape (..., 3)
        Vector of any length but zero.

    Returns
    -------
    ndarray, shape (..., 3)
        Unit vector.

    Raises
    ------
    RangeError
        If the vector has no direction.
    """
    vector = np.asarray(vector, dtype=float)
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    if not np.all(length > 0.0):
        raise RangeError(f"vector = {vector.tolist()} has no direction: its length must exceed 0.")
    return vector / length


def field_frame(b_hat: Any) -> np.ndarray:
    """Right-handed frame with its third axis along the field.

    Parameters
    ----------
    b_hat : array_like, shape (3,)
        Direction of the field, ICRS axes.

    Returns
    -------
    ndarray, shape (3, 3)
        Rows: two axes perpendicular to the field, and the field.
    """
    axis = normalise(b_hat)
    # The coordinate axis farthest from the field gives the best-conditioned first perpendicular.
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    first = normalise(helper - (helper @ axis) * axis)
    return np.stack([first, np.cross(axis, first), axis])


def cloud_frame(u_hat: Any, b_hat: Any) -> np.ndarray:
    """Frame of a cloud that moves along `u_hat`.

    Parameters
    ----------
    u_hat : array_like, shape (3,)
        Direction of motion of the cloud through the surrounding medium, ICRS axes.
    b_hat : array_like, shape (3,)
        Direction of the field, ICRS axes.

    Returns
    -------
    ndarray, shape (3, 3)
        Rows: the depth axis -u_hat (depth grows behind the leading face), the part of the field
        perpendicular to it, and their cross product. For a field along the flow the second axis is
        any perpendicular.
    """
    depth = -normalise(u_hat)
    field = normalise(b_hat)
    across = field - (field @ depth) * depth
    if np.linalg.norm(across) < 1e-12:
        across = field_frame(depth)[0]
    second = normalise(across)
    return np.stack([depth, second, np.cross(depth, second)])


def lsr_velocity(u_hc: Any, solar_uvw: Any) -> np.ndarray:
    """Velocity of the cloud in the local standard of rest.

    Parameters
    ----------
    u_hc : array_like, shape (3,)
        Velocity of the cloud relative to the Sun, ICRS axes [any unit].
    solar_uvw : array_like, shape (3,)
        Solar motion toward the Galactic centre, along rotation and toward the north Galactic pole
        [same unit].

    Returns
    -------
    ndarray, shape (3,)
        Velocity of the cloud, ICRS axes [same unit].
    """
    return np.asarray(u_hc, dtype=float) + np.asarray(solar_uvw, dtype=float) @ galactic_axes()


def angle_between(first: Any, second: Any) -> float:
    """Angle between two vectors.

    Parameters
    ----------
    first, second : array_like, shape (3,)
        Vectors of any length but zero.

    Returns
    -------
    float
        Angle [rad], in [0, pi]; accurate also for nearly (anti)parallel vectors.
    """
    a, b = normalise(first), normalise(second)
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))
