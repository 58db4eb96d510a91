"""The sky: what an observer sees whose orbits are traced back through realisations of the field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mcprop.dipole import Dipole
from mcprop.frames import field_frame, lon_lat, unit_vector
from mcprop.sky import SkyMap
from mcprop.wander_study import sky_duration, sky_figures, sky_hall, sky_panels
from mcprop.wander_study.config import SkyConfig
from mcprop.wander_study.measure import field_maker, seed_of
from mcprop.wander_study.outcome import OnPart, Outcome
from mcprop.wander_study.tables import DurationRow, HallRow, PowerRow, SkyRow
from mcprop.wander_study.validity import intensity_text
from mcprop.wander_study.verdicts import Rule
from mcprop.wandering.kinetic_sky import traced_sky
from mcprop.wandering.realisations import estimate, field_seed
from mcprop.wandering.sky_ensemble import SkyEnsemble

if TYPE_CHECKING:
    from mcprop.wandering.seen_sky import KineticSky

_RULE = Rule()
"""By which a multipole is said to be there."""


def run_skies(config: SkyConfig, seed: int, workers: int | None, on_part: OnPart) -> Outcome:
    """Trace orbits back through every realisation.

    Parameters
    ----------
    config : SkyConfig
    seed : int
    workers : int, optional
        Number of threads.
    on_part : callable
        Told of each sky that is done.

    Returns
    -------
    Outcome
    """
    total = config.monte_carlo.realisations
    axes = field_frame(unit_vector(config.sky.ra, config.sky.dec))
    skies: list[KineticSky] = []
    negative: list[KineticSky] = []
    for number in range(total):
        skies.append(_trace(config, number, seed, workers, 1, axes))
        negative.append(_trace(config, number, seed, workers, -1, axes))
        row = _row(number, skies[-1], axes)
        said = (
            f"dipole {np.linalg.norm(skies[-1].dipole.vector):.2e}, {row.angle_to_local:.0f} deg"
            f" from the local field; C_l of l > 1 over the dipole's {row.power:.2e}"
        )
        on_part(number + 1, total, (number + 1) / total, said)
    return _outcome(config, (SkyEnsemble(tuple(skies)), SkyEnsemble(tuple(negative))), seed, axes)


def _outcome(
    config: SkyConfig, orbits: tuple[SkyEnsemble, SkyEnsemble], seed: int, axes: np.ndarray
) -> Outcome:
    """Tables, figures, maps and words, of skies of both charges."""
    skies, negative = orbits[0].skies, orbits[1].skies
    rows, power = [_row(i, sky, axes) for i, sky in enumerate(skies)], power_rows(skies)
    before = power_rows(orbits[0].halfway.skies)
    lasting = sky_duration.duration_rows(orbits, (before, power))
    title = f"{config.title}: first realisation"
    hall = sky_hall.hall_rows(config, orbits, axes, seed)
    kinetic = sky_hall.kinetic_sky(config, hall[0].kappa_parallel, seed, 1, axes)
    maps = [sky.map for sky in (*skies, *negative)]
    told = [
        summary_text(config, rows, power),
        *sky_hall.hall_text(hall),
        *sky_duration.duration_text(config.sky.duration, lasting, (before, power), len(skies)),
        _RULE.caveat(len(skies)),
        intensity_text(float(np.min(maps)), float(np.max(maps))),
    ]
    return Outcome(
        {
            "sky.ecsv": (rows, SkyRow),
            "hall.ecsv": (hall, HallRow),
            "power.ecsv": (power, PowerRow),
            "duration.ecsv": (lasting, DurationRow),
        },
        {
            "sky.png": partial(skies[0].plot, title=title),
            "residual.png": partial(skies[0].plot, residual=True, title=f"{title}, no dipole"),
            "skies.png": partial(sky_panels.draw_panels, orbits[0], kinetic, config.title),
            "power.png": partial(sky_figures.draw_power, power, before, rows, config.title),
        },
        "\n".join(line for line in told if line),
        _maps(config, orbits[0], kinetic),
    )


def _maps(config: SkyConfig, orbits: SkyEnsemble, kinetic: KineticSky | None) -> dict[str, SkyMap]:
    """Maps to write, ICRS axes."""
    mean, covariance = orbits.map, orbits.dipole.covariance
    told: dict[str, Any] = {"title": config.title}
    first = orbits.skies[0]
    found = {
        "first.fits": first.sky_map(component=f"one sky, seed {first.seed}", **told),
        "mean.fits": SkyMap(
            mean.value, mean.error, "mean of skies", dipole_covariance=covariance, **told
        ),
    }
    if kinetic is not None:
        found["kinetic.fits"] = kinetic.sky_map(component="kinetic theory", **told)
    return found


def _trace(
    config: SkyConfig,
    number: int,
    seed: int,
    workers: int | None,
    charge: int,
    axes: np.ndarray,
) -> KineticSky:
    sky, own = config.sky, seed_of(seed, config.spectrum, config.field.mach)
    drawn = field_seed(own, number)
    return traced_sky(
        field_maker(config, config.spectrum, config.field.mach)(drawn),
        sky.rigidity,
        sky.duration,
        (sky.gradient_across, 0.0, sky.gradient_along),
        nside=sky.nside,
        per_pixel=sky.per_pixel,
        seed=drawn,
        tau=sky.tau,
        charge=charge,
        axes=axes,
        halfway=True,
        workers=workers,
    )


def _row(number: int, sky: KineticSky, axes: np.ndarray) -> SkyRow:
    power = sky.power()
    turned = Dipole(axes @ sky.dipole.vector, axes @ sky.dipole.covariance @ axes.T)
    (x, y, z), (x_err, y_err, z_err) = map(np.ndarray.tolist, (turned.vector, turned.sigma))
    ra, dec = map(float, lon_lat(sky.dipole.vector))
    weight = 2.0 * power.multipole + 1.0
    return SkyRow(
        realisation=number,
        amplitude=float(np.linalg.norm(sky.dipole.vector)),
        ra=ra,
        dec=dec,
        dipole_x=x,
        dipole_x_err=x_err,
        dipole_y=y,
        dipole_y_err=y_err,
        dipole_z=z,
        dipole_z_err=z_err,
        angle_to_local=sky.angle_to_local,
        angle_to_mean=sky.angle_to_mean,
        local_lean=sky.local_lean,
        power=float((weight * power.signal)[2:].sum() / (3.0 * power.signal[1])),
        chance=power.chance(),
    )


def power_rows(skies: Sequence[KineticSky]) -> list[PowerRow]:
    """Angular power, a mean over skies; errors from their scatter, those of the noise at least.

    Parameters
    ----------
    skies : sequence of KineticSky
        Two of them at least.
    """
    found = [sky.power() for sky in skies]
    signal = np.array([one.signal for one in found])
    dipoles = signal[:, 1:2]
    # few skies may scatter less than their noise by chance
    by_noise = np.array([one.error for one in found])
    values = {"c_l": (signal, by_noise), "relative": (signal / dipoles, by_noise / dipoles)}
    told = {}
    for name, (value, noise_of_each) in values.items():
        mean = estimate(value)
        least = np.sqrt((noise_of_each**2).sum(axis=0)) / len(found)
        told[name] = mean.value.tolist(), np.maximum(mean.error, least).tolist()
    (c_l, c_l_err), (relative, relative_err) = told["c_l"], told["relative"]
    noise = float(np.mean([one.noise for one in found]))
    common = common_err = [np.nan] * len(c_l)
    if len(skies) > 2:
        shared = SkyEnsemble(tuple(skies)).common()
        common, common_err = shared.c_l.tolist(), shared.error.tolist()
    return [
        PowerRow(
            i, c_l[i], c_l_err[i], noise, common[i], common_err[i], relative[i], relative_err[i]
        )
        for i in range(1, len(c_l))
    ]


def summary_text(config: SkyConfig, rows: Sequence[SkyRow], power: Sequence[PowerRow]) -> str:
    """Say where the dipole points, and what power there is besides.

    Parameters
    ----------
    config : SkyConfig
    rows : sequence of SkyRow
    power : sequence of PowerRow
    """
    sky = config.sky
    said = [
        f"Orbits of {sky.rigidity:g} GV traced back for {sky.duration:g} yr through {len(rows)}"
        f" realisations of {config.spectrum.label} with M_A = {config.field.mach:g}; medians, 16 to"
        " 84 % of the realisations:"
    ]
    count = config.monte_carlo.realisations
    for name, words in _SAID.items():
        low, middle, high = np.quantile([getattr(row, name) for row in rows], (0.16, 0.5, 0.84))
        said.append(f"  {words}: {middle:.3g}, {low:.3g} to {high:.3g}")
    there = sky_duration.above_noise(power, count)
    for row in there[:8]:
        said.append(
            f"  C_{row.multipole}/C_1 = {row.relative:.2e} +- {row.relative_err:.1e}"
            f" ({row.relative / row.relative_err:.1f} standard deviations)"
        )
    worst = max(row.chance for row in rows)
    chance = f"{worst:.1g} at most" if worst > 1e-12 else "below 1e-12"
    said.append(f"  chance that noise alone has the power from l = 2 on: {chance}")
    if not there:
        least = _RULE.reach(1.0, count)
        said.append(
            f"  no mean C_l/C_1 from l = 2 on is above 0 by {least:.3g} standard deviations"
        )
    return "\n".join(said)


_SAID = {
    "angle_to_local": "angle between dipole and local field [deg]",
    "angle_to_mean": "angle between dipole and mean field [deg]",
    "local_lean": "angle between local and mean field [deg]",
    "power": "power of all multipoles from 2 on over that of the dipole",
}
