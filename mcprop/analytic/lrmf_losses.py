"""Loss of nuclei in collisions with the interstellar gas: inelastic cross sections and rates."""

from __future__ import annotations

import numpy as np

from mcprop.species import find
from mcprop.units import C_LIGHT, PC_CM

MILLIBARN = 1e-27 / PC_CM**2
"""1 mb [pc^2]."""
PROTON_PROTON = 32.2
"""Inelastic cross section of two protons at 200 GeV [mb] (Tan & Ng 1983)."""
HELIUM_CORRECTION = 0.8
"""Factor on the formula of Letaw et al. for helium."""
HELIUM_PER_HYDROGEN = 0.1
"""Number of helium atoms in the gas for each of hydrogen."""


def inelastic_cross_section(species: str) -> float:
    """Inelastic cross section of a nucleus with a proton at rest, at high energy.

    Parameters
    ----------
    species : str
        Nucleus.

    Returns
    -------
    float
        Cross section [mb]: 45 A^0.7 (1 + 0.016 sin(5.3 - 2.63 ln A)), times 0.8 for helium; the
        constant part of the formula of Tan & Ng for protons.

    References
    ----------
    Letaw, Silberberg & Tsao 1983, ApJS 51, 271; Tan & Ng 1983, J. Phys. G 9, 227.

    Examples
    --------
    >>> print(f"{inelastic_cross_section('C'):.0f} mb, {inelastic_cross_section('Fe'):.0f} mb")
    252 mb, 763 mb
    """
    nucleons = find(species).nucleons
    if nucleons == 1:
        return PROTON_PROTON
    correction = HELIUM_CORRECTION if nucleons == 4 else 1.0
    ripple = 1.0 + 0.016 * np.sin(5.3 - 2.63 * np.log(nucleons))
    return float(correction * 45.0 * nucleons**0.7 * ripple)


def loss_rate(species: str, gas_density: float) -> float:
    """Rate at which nuclei at the speed of light are lost in collisions with the gas.

    Parameters
    ----------
    species : str
        Nucleus.
    gas_density : float
        Hydrogen atoms per volume [pc^-3]; with each come 0.1 of helium, whose cross section with a
        nucleus is 2.10/A^0.055 times that of hydrogen, and with a proton that of the inverse
        reaction.

    Returns
    -------
    float
        Rate [1/yr].

    References
    ----------
    Ferrando et al. 1988, Phys. Rev. C 37, 1490 (collisions with helium).
    """
    nucleons, with_hydrogen = find(species).nucleons, inelastic_cross_section(species)
    if nucleons == 1:
        with_helium = inelastic_cross_section("He")
    else:
        with_helium = 2.10 / nucleons**0.055 * with_hydrogen
    per_hydrogen = with_hydrogen + HELIUM_PER_HYDROGEN * with_helium
    return gas_density * C_LIGHT * per_hydrogen * MILLIBARN
