"""Where pseudo-particles may stand for particles: mean free paths, and times before the first."""

from __future__ import annotations

from collections.abc import Iterable

from mcprop.units import C_LIGHT

FIRST_ORDER = 0.3
"""|I - 1| up to which a sky of first order in the gradient of the density is told as it is."""


def mean_free_path(kappa_parallel: float) -> float:
    """Mean free path along the field of particles as fast as light, 3 kappa_parallel / c [pc].

    Parameters
    ----------
    kappa_parallel : float
        [pc2/yr]
    """
    return 3.0 * kappa_parallel / C_LIGHT


def diffusive_from(kappa_parallel: float) -> float:
    """Time [yr] until which diffusion would be faster than light, 2 kappa_parallel / c^2.

    Before, sqrt(2 kappa_parallel t) > c t. It is two thirds of the mean free time.

    Parameters
    ----------
    kappa_parallel : float
        [pc2/yr]
    """
    return 2.0 * kappa_parallel / C_LIGHT**2


def validity_text(kappas: Iterable[tuple[float, float]], shortest: float) -> str:
    """Say where diffusion along a line is a fair picture: a line for each rigidity.

    Parameters
    ----------
    kappas : iterable of (float, float)
        Rigidity [GV] and kappa_parallel [pc2/yr]; each rigidity is told once.
    shortest : float
        Shortest wavelength of the turbulence [pc].
    """
    lines = []
    for rigidity, kappa in dict(kappas).items():
        path = mean_free_path(kappa)
        lines.append(
            f"{rigidity:g} GV: mean free path {path:.3g} pc, {path / shortest:.3g} of the shortest"
            f" wavelength; mean free time {path / C_LIGHT:.3g} yr; before"
            f" {diffusive_from(kappa):.3g} yr displacements are of the diffusion model, faster than"
            " light"
        )
        if path > shortest:
            lines.append(
                f"warning: {rigidity:g} GV: the mean free path is longer than the shortest"
                " wavelength: diffusion along a line is doubtful"
            )
    return "\n".join(lines)


def gradient_text(gradient: float, duration: float) -> str:
    """Warn beforehand of a gradient that may be too steep for orbits of that length.

    Parameters
    ----------
    gradient : float
        Of ln(density) [1/pc].
    duration : float
        How long orbits are traced back [yr].

    Returns
    -------
    str
        Empty where no particle can come from far enough.
    """
    most = gradient * C_LIGHT * duration
    if most <= FIRST_ORDER:
        return ""
    return (
        f"warning: gradient times the length of the orbits is {most:.3g}: the density is of first"
        f" order in the gradient, good up to |I - 1| = {FIRST_ORDER:g}"
    )


def intensity_text(lowest: float, highest: float) -> str:
    """Warn of skies beyond the first order in the gradient.

    Parameters
    ----------
    lowest, highest : float
        Relative intensity over all pixels of all skies.

    Returns
    -------
    str
        Empty where they are within.
    """
    if max(1.0 - lowest, highest - 1.0) <= FIRST_ORDER:
        return ""
    below = ", below 0" * (lowest < 0.0)
    return (
        f"warning: the relative intensity goes from {lowest:.3g} to {highest:.3g}{below}: the"
        f" density is of first order in the gradient, good up to |I - 1| = {FIRST_ORDER:g}"
    )
