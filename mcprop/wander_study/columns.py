"""What the columns of the tables of a study are, in words: descriptions in their ECSV files."""

from __future__ import annotations

_CASE = {
    "geometry": "geometry of the turbulence",
    "slope": "of the energy spectrum in one dimension, E(k) ~ k^-slope",
    "longest": "longest wavelength of the turbulence; of a strong range, that of the injection",
    "shortest": "shortest wavelength of the turbulence",
    "rigidity": "rigidity; it sets the unit of time",
    "mach": "M_A = dB/B0, dB the root mean square of all components; nan where not held fixed",
    "epsilon": "kappa_perp / kappa_parallel; nan where not held fixed",
    "epsilon_from": "number: as configured; kinetic: 1/(1 + (omega tau)^2)",
    "realisation": "number of the realisation of the field",
}
_DIPOLE = {
    "dipole_x": "dipole across the mean field, arrival convention, axes of the field",
    "dipole_y": "dipole across the mean field, arrival convention, axes of the field",
    "dipole_z": "dipole along the mean field, arrival convention, axes of the field",
    "angle_to_local": "angle of the dipole to the line of the local field",
    "angle_to_mean": "angle of the dipole to the line of the mean field",
    "local_lean": "angle between the local and the mean field",
}
_ON_THE_SKY = _DIPOLE | {
    "dipole_x": "dipole along x: the ICRS axis farthest from the mean field, less its part along"
    " it; arrival convention",
    "dipole_y": "dipole along y = z cross x, arrival convention",
    "dipole_z": "dipole along z, the mean field, arrival convention",
}
_KINDS = {
    "WanderRow": {
        "kappa_parallel": "diffusion along the local field that the walks are given",
        "kappa_perp": "diffusion across the local field that the walks are given",
        "mean_free_path": "along the field, 3 kappa_parallel / c",
        "d_parallel": "diffusion along the mean field on large scales, as measured",
        "d_perp": "diffusion across the mean field on large scales, as measured, of one axis",
        "drift": "what d_perp grows by, taken from two windows to four instead of one to two; nan"
        " of walks too short for it",
        "ratio": "d_perp / d_parallel",
        "d_lines": "diffusion of the field lines by arc length, <dx^2> = 2 d_lines s of one axis",
        "d_lines_height": "the same by height along the mean field, <dx^2> = 2 d_lines_height z",
        "mach_two": "law M_A^2 D_parallel for d_perp, D_parallel as measured",
        "mach_four": "law M_A^4 D_parallel for d_perp, D_parallel as measured",
        "isotropic": "law kappa_perp + (pi/8) M_A^2 sqrt(kappa_perp kappa_parallel) for d_perp;"
        " nan but in isotropic turbulence",
        "pull_mach_two": "(d_perp - mach_two) / error, that of the ratio times d_parallel",
        "pull_mach_four": "(d_perp - mach_four) / error, that of the ratio times d_parallel",
        "pull_isotropic": "(d_perp - isotropic) / d_perp_err",
        "time_step": "of the walks",
        "duration": "of the walks",
        "realisations": "number of realisations of the field",
        "walk": "rows with the same number are one walk in other units of time",
    },
    "MsdRow": {
        "time": "time since the start",
        "perp": "mean square displacement across the mean field, of one axis",
        "parallel": "mean square displacement along the mean field",
    },
    "HalvingRow": {
        "quantity": "what is compared, in units of kappa_parallel",
        "whole": "with the whole time step",
        "half": "with half of it, in the same realisations of the field",
        "difference": "half - whole",
        "pull": "difference / difference_err",
    },
    "ExponentRow": {
        "quantity": "what is fitted",
        "against": "a power of this: mach, epsilon or time",
        "regime": "range of the fit; of powers of time the regime that theory expects there, of the"
        " diffusion model also where that is faster than light",
        "low": "start of the range, in yr for a power of time",
        "high": "end of the range, in yr for a power of time",
        "exponent": "power",
        "chi2": "of the fit; nan for powers of time: their points are from the same walks, so they"
        " are not independent, and the error of the exponent is from leaving out realisations",
        "points": "number of points",
    },
    "SourceRow": _DIPOLE
    | {
        "density": "density at the observer of one particle set free",
        "flux_ratio": "density over that of the formula with D_perp = M_A^4 D_parallel",
        "dipole_along": "dipole along the local field",
        "amplitude_ratio": "length of the dipole over the formula's, 3 r/(2 v T)",
        "finite_ratio": "dipole over a whole mean free path, over the one from the gradient",
        "line_distance": "distance across to the line of the source",
        "effective_distance": "distance across by which the formula would be right",
        "growth_perp": "<dx^2>/(2 t) of the cloud across the mean field over kappa_parallel",
        "growth_late": "the same of the second half of its way alone",
    },
    "LegRow": _DIPOLE
    | {
        "leg": "how long displaced observers' clouds go; half, one and two times that of the run",
        "backward_time": "how long the observer's own cloud goes in all",
        "density": "density at the observer of one particle set free",
        "change_density": "density over that with the leg of the run, less 1",
        "change_x": "dipole_x less that with the leg of the run",
        "change_y": "dipole_y less that with the leg of the run",
        "change_z": "dipole_z less that with the leg of the run",
        "chance": "p-value of the changes of density and dipole; nan for the leg of the run",
    },
    "SkyRow": _ON_THE_SKY
    | {
        "amplitude": "length of the dipole",
        "ra": "right ascension to which the dipole points, ICRS",
        "dec": "declination to which the dipole points, ICRS",
        "power": "C_l of all multipoles from 2 on, weighted with 2 l + 1, over that of the dipole;"
        " noise taken out",
        "chance": "p-value of noise alone having the power from l = 2 on",
    },
    "HallRow": _ON_THE_SKY
    | {
        "observer": "orbits: mean over realisations; kinetic theory: in the mean field alone",
        "charge": "1 or -1; 0: mean of both, in which the Hall part cancels",
        "kappa_parallel": "diffusion along the mean field, of the whole legs",
        "kappa_perp": "diffusion across the mean field, of the whole legs",
        "kappa_hall": "antisymmetric part of the diffusion, of the whole legs",
    },
    "PowerRow": {
        "multipole": "l",
        "c_l": "angular power, mean over skies, noise taken out",
        "noise": "level of the noise that was taken out",
        "common": "C_l of the mean sky over all fields; nan from less than three skies",
        "relative": "mean of C_l over that of the dipole, sky by sky",
    },
    "DurationRow": {
        "quantity": "coefficient of diffusion, or memory of the direction along the mean field,"
        " means of both charges; power of a multipole",
        "unit": "of the numbers of this row",
        "half": "at half of the duration, the same orbits",
        "whole": "at the whole duration",
        "growth": "whole - half",
        "verdict": "whether it still changes with the duration; noise: no power was seen",
    },
}  # fmt: skip


def description(kind: str, column: str) -> str:
    """What a column is.

    Parameters
    ----------
    kind : str
        Name of the class of the rows.
    column : str
        A name that ends on _err is the error of the column without it.

    Returns
    -------
    str
        Empty if it is not known.

    Examples
    --------
    >>> description("WanderRow", "ratio_err")
    'standard deviation of ratio'
    """
    known = _CASE | _KINDS.get(kind, {})
    if column not in known and column.removesuffix("_err") in known:
        return f"standard deviation of {column.removesuffix('_err')}"
    return known.get(column, "")
