"""The Hall part of skies: orbits of both charges, and kinetic theory in the mean field alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mcprop.fields import UniformField
from mcprop.units import C_LIGHT
from mcprop.wander_study.config import SkyConfig
from mcprop.wander_study.tables import HallRow
from mcprop.wandering.kinetic_sky import scattered_sky
from mcprop.wandering.realisations import estimate
from mcprop.wandering.seen_sky import KineticSky
from mcprop.wandering.sky_ensemble import SkyEnsemble

ORBITS, THEORY = "orbits", "kinetic theory"
"""What a row is of: orbits through the turbulence, or collisions in the mean field."""
WITHOUT = 0
"""In place of a charge: the mean of both, in which the Hall part cancels."""
_NAMES = ("dipole_x", "dipole_y", "dipole_z", "kappa_parallel", "kappa_perp", "kappa_hall")
FLIGHTS = 64
"""Flights from a pixel of the sky of kinetic theory."""


def kinetic_sky(
    config: SkyConfig, kappa: float, seed: int, charge: int = 1, axes: np.ndarray | None = None
) -> KineticSky | None:
    """Sky of collisions in the mean field alone, which give kappa_parallel.

    Parameters
    ----------
    config : SkyConfig
    kappa : float
        kappa_parallel [pc2/yr].
    seed, charge, axes
        As for `mcprop.wandering.scattered_sky`.

    Returns
    -------
    KineticSky or None
        None where kappa_parallel is not positive: orbits too short and too few.
    """
    if not kappa > 0.0:
        return None
    sky = config.sky
    return scattered_sky(
        UniformField(0.0, 0.0, config.field.mean_field),
        sky.rigidity,
        3.0 * kappa / C_LIGHT**2,
        (sky.gradient_across, 0.0, sky.gradient_along),
        nside=sky.nside,
        per_pixel=FLIGHTS,
        seed=seed,
        charge=charge,
        axes=axes,
    )


def hall_rows(
    config: SkyConfig, orbits: tuple[SkyEnsemble, SkyEnsemble], axes: np.ndarray, seed: int
) -> list[HallRow]:
    """Rows of both charges and of their mean, from orbits and from kinetic theory.

    Parameters
    ----------
    config : SkyConfig
    orbits : tuple of SkyEnsemble
        Of a positive and a negative charge, through the same fields.
    axes : ndarray, shape (3, 3)
        Axes of the field in those of the maps.
    seed : int
        Of the skies of kinetic theory.
    """
    found = [np.array([_numbers(sky, axes) for sky in one.skies]) for one in orbits]
    rows = [
        _mean_row(1, found[0]),
        _mean_row(-1, found[1]),
        _mean_row(WITHOUT, 0.5 * (found[0] + found[1])),
    ]
    kappa = float(found[0][:, 3].mean())
    skies = [kinetic_sky(config, kappa, seed ^ (q < 0), q) for q in (1, -1)]
    return rows + list(_theory([sky for sky in skies if sky is not None]))


def _numbers(sky: KineticSky, axes: np.ndarray) -> np.ndarray:
    """Dipole in the axes of the field, and the three coefficients, (6,)."""
    return np.concatenate([axes @ sky.dipole.vector, sky.coefficients])


def _theory(skies: list[KineticSky]) -> Iterator[HallRow]:
    values, errors = [_numbers(sky, np.eye(3)) for sky in skies], [_errors(sky) for sky in skies]
    for charge, value, error in zip((1, -1), values, errors, strict=False):
        yield _row(THEORY, charge, value, error)
    if skies:
        mean, error = 0.5 * (values[0] + values[1]), 0.5 * np.hypot(errors[0], errors[1])
        yield _row(THEORY, WITHOUT, mean, error)


def _errors(sky: KineticSky) -> np.ndarray:
    """Standard deviations of what `_numbers` has, for a sky in the axes of the field."""
    variance = (sky.speed / 3.0 * sky.tensor_error.T) ** 2
    across = 0.25 * (variance[0, 0] + variance[1, 1])
    hall = 0.25 * (variance[0, 1] + variance[1, 0])
    return np.concatenate([sky.dipole.sigma, np.sqrt([variance[2, 2], across, hall])])


def _mean_row(charge: int, found: np.ndarray) -> HallRow:
    """Mean over realisations (n, 6), with the error of it from their scatter."""
    mean = estimate(found)
    return _row(ORBITS, charge, mean.value, mean.error)


def _row(observer: str, charge: int, values: np.ndarray, errors: np.ndarray) -> HallRow:
    x, y, z = map(float, values[:3])
    angle = float(np.degrees(np.arctan2(np.hypot(x, y), abs(z))))
    told: dict[str, Any] = {"observer": observer, "charge": charge, "angle_to_mean": angle}
    for name, value, error in zip(_NAMES, values, errors, strict=True):
        told |= {name: float(value), f"{name}_err": float(error)}
    return HallRow(**told)


def hall_text(rows: list[HallRow]) -> list[str]:
    """Say what the Hall part is, next to kinetic theory.

    Parameters
    ----------
    rows : list of HallRow

    Returns
    -------
    list of str
        Lines.
    """
    return [
        f"  {row.observer}, charge {row.charge:+d}: kappa_parallel"
        f" {row.kappa_parallel:.3g} +- {row.kappa_parallel_err:.1g}, kappa_perp"
        f" {row.kappa_perp:.2g} +- {row.kappa_perp_err:.1g}, kappa_A"
        f" {row.kappa_hall:+.2g} +- {row.kappa_hall_err:.1g} pc2/yr; mean dipole"
        f" {row.angle_to_mean:.0f} deg from the mean field"
        for row in rows
        if row.charge != WITHOUT
    ]
