"""Whether a model leaves particles at the energies asked for; without any there is no dipole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from mcprop.errors import ConfigError
from mcprop.models import Model

FAINTEST = 1e-290
"""Intensity [GeV^-1 m^-2 s^-1 sr^-1] below which products of it are no longer numbers."""


def require_particles(model: Model, energies: Iterable[float]) -> None:
    """Refuse energies at which cut-offs or distances leave nothing to be seen.

    Parameters
    ----------
    model : Model
        Formulas.
    energies : iterable of float
        Total energies [GeV].

    Raises
    ------
    ConfigError
        With one line: the first energy, and how many there are.
    """
    empty = list(_empty(model, energies))
    if empty:
        energy, total = empty[0]
        more = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
        raise ConfigError(
            f"energies: got {energy:g} GeV{more}, where the intensity of all components is"
            f" {total:.3g} GeV-1 m-2 s-1 sr-1; allowed: energies and cut-offs that leave more than"
            f" {FAINTEST:g}"
        )


def _empty(model: Model, energies: Iterable[float]) -> Iterator[tuple[float, float]]:
    """Energies without particles, or without a number of them, and that number."""
    for energy in energies:
        with np.errstate(all="ignore"):
            total = math.fsum(
                float(model.intensity_energy(component, energy, species))
                for component in model.components
                for species in model.species
            )
        if not (math.isfinite(total) and total > FAINTEST):
            yield energy, total
