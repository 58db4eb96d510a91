"""Atomic nuclei, and the conversions between rigidity and total energy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mcprop.errors import RangeError


class Species(NamedTuple):
    """A fully stripped nucleus.

    Attributes
    ----------
    name : str
        Short name, a key of `SPECIES`.
    charge : int
        Atomic number Z.
    mass : float
        Rest energy of the nucleus [GeV].
    nucleons : int
        Mass number A.
    """

    name: str
    charge: int
    mass: float
    nucleons: int


PROTON = Species("p", 1, 0.938272, 1)
HELIUM = Species("He", 2, 3.727379, 4)
# The most abundant isotope. Atomic masses of AME2020 (Wang et al. 2021, Chinese Phys. C 45,
# 030003), less Z electrons, plus what binds them (eq. 2 there, 0.03 MeV for iron).
_HEAVIER = (
    Species("C", 6, 11.174864, 12),
    Species("N", 7, 13.040205, 14),
    Species("O", 8, 14.895083, 16),
    Species("Ne", 10, 18.617734, 20),
    Species("Mg", 12, 22.335798, 24),
    Species("Si", 14, 26.053196, 28),
    Species("Fe", 26, 52.089812, 56),
)
SPECIES = {species.name: species for species in (PROTON, HELIUM, *_HEAVIER)}
"""Known nuclei by name, in order of their charge."""


def find(species: str | Species) -> Species:
    """Look a nucleus up by name.

    Parameters
    ----------
    species : str or Species
        A key of `SPECIES`, or a nucleus, which is returned as it is.

    Returns
    -------
    Species
        The nucleus.

    Raises
    ------
    RangeError
        If the name is not known.
    """
    if isinstance(species, Species):
        return species
    if species not in SPECIES:
        raise RangeError(f"species = {species!r} is not known: choose from {', '.join(SPECIES)}.")
    return SPECIES[species]


def energy_of(rigidity: Any, species: str | Species) -> Any:
    """Total energy at a rigidity, E = sqrt((Z R)^2 + m^2).

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        Total energy of the nucleus [GeV].

    Examples
    --------
    >>> print(f"{energy_of(1.0, 'p'):.4f}")
    1.3713
    """
    nucleus = find(species)
    return np.hypot(nucleus.charge * np.asarray(rigidity), nucleus.mass)[()]


def rigidity_of(energy: Any, species: str | Species) -> Any:
    """Rigidity at a total energy.

    Parameters
    ----------
    energy : float or ndarray
        Total energy of the nucleus [GeV], above its rest energy.
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        Rigidity [GV].

    Raises
    ------
    RangeError
        If an energy is not above the rest energy.
    """
    nucleus = find(species)
    total = np.asarray(energy, dtype=float)
    if not np.all(total > nucleus.mass):
        raise RangeError(
            f"energy = {energy} GeV must exceed the rest energy of {nucleus.name},"
            f" {nucleus.mass} GeV."
        )
    product = (total - nucleus.mass) * (total + nucleus.mass)
    return (np.sqrt(product) / nucleus.charge)[()]


def beta_of(rigidity: Any, species: str | Species) -> Any:
    """Speed in units of that of light.

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        v/c = Z R/E.
    """
    nucleus = find(species)
    return nucleus.charge * np.asarray(rigidity, dtype=float)[()] / energy_of(rigidity, nucleus)


def energy_jacobian(rigidity: Any, species: str | Species) -> Any:
    """Factor dR/dE = E/(Z^2 R) that turns an intensity per rigidity into one per energy.

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        dR/dE [GV/GeV].
    """
    nucleus = find(species)
    return energy_of(rigidity, nucleus) / (nucleus.charge**2 * np.asarray(rigidity)[()])
