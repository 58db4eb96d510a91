"""Rows of a study of skies: sky.ecsv, hall.ecsv, power.ecsv, duration.ecsv."""

from __future__ import annotations

from typing import NamedTuple


class SkyRow(NamedTuple):
    """The dipole of one sky; axes of the field, z along the mean field, arrival convention.

    realisation : int; amplitude : float, length of the dipole; ra, dec : float, where it points,
    ICRS [deg]; dipole_... and errors : float, by least squares; angle_to_local,
    angle_to_mean : float, of the dipole to the line of either field [deg]; local_lean : float,
    angle between the two [deg]; power : float, C_l of all multipoles from 2 on over that of the
    dipole, noise taken out; chance : float, p-value of noise alone having it.
    """

    realisation: int
    amplitude: float
    ra: float
    dec: float
    dipole_x: float
    dipole_x_err: float
    dipole_y: float
    dipole_y_err: float
    dipole_z: float
    dipole_z_err: float
    angle_to_local: float
    angle_to_mean: float
    local_lean: float
    power: float
    chance: float


class HallRow(NamedTuple):
    """Mean dipole, and diffusion, of one charge; axes of the field, z along the mean field.

    observer : str, "orbits" through the turbulence, the mean over realisations, or "kinetic theory"
    in the mean field alone, with the same kappa_parallel; charge : int, 1 or -1, or 0 for the mean
    of both, in which the Hall part cancels; dipole_... and errors : float; angle_to_mean : float,
    of the dipole to the line of the mean field [deg]; kappa_parallel, kappa_perp, kappa_hall and
    errors : float [pc2/yr], of the whole legs.
    """

    observer: str
    charge: int
    dipole_x: float
    dipole_x_err: float
    dipole_y: float
    dipole_y_err: float
    dipole_z: float
    dipole_z_err: float
    angle_to_mean: float
    kappa_parallel: float
    kappa_parallel_err: float
    kappa_perp: float
    kappa_perp_err: float
    kappa_hall: float
    kappa_hall_err: float


class PowerRow(NamedTuple):
    """Angular power, a mean over skies.

    multipole : int; c_l, c_l_err : float [sr], noise taken out, its error from the scatter of the
    realisations or from the noise, whichever is larger; noise : float [sr], level of the noise that
    was taken out; common, common_err : float [sr], C_l of the mean over all fields, without what is
    each sky's own, NaN from less than three; relative, relative_err : float, the mean of C_l over
    that of the dipole, sky by sky.
    """

    multipole: int
    c_l: float
    c_l_err: float
    noise: float
    common: float
    common_err: float
    relative: float
    relative_err: float


class DurationRow(NamedTuple):
    """What the same orbits give at half of the duration, and at the whole; means over realisations.

    quantity : str, a coefficient of diffusion or "memory", what is left of the direction along the
    mean field, of both charges, or C_l/C_1 of a multipole; unit : str; half, whole and errors :
    float; growth : float, whole - half; growth_err : float, from the scatter of the differences;
    verdict : str, "converged", "not yet", "undecided" where a change by half of the value could not
    be told, "noise" where no power was seen, "not judged" of memory.
    """

    quantity: str
    unit: str
    half: float
    half_err: float
    whole: float
    whole_err: float
    growth: float
    growth_err: float
    verdict: str
