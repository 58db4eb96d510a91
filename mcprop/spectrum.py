"""Spectra: injection, leaky box, solar modulation, and densities turned into intensities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcprop.species import Species, beta_of, find
from mcprop.units import C_LIGHT, PER_PC2_YR


def injection(rigidity: Any, source: float, index: float, cutoff: float) -> Any:
    """Particles injected per rigidity, Q = Q0 (R/GV)^-index exp(-R/cutoff).

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    source : float
        Q0 [GV^-1].
    index : float
        Spectral index.
    cutoff : float
        Cut-off rigidity [GV].

    Returns
    -------
    float or ndarray
        Q [GV^-1].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eqs. 8 and 10.
    """
    rigidity = np.asarray(rigidity, dtype=float)[()]
    return source * rigidity**-index * np.exp(-rigidity / cutoff)


def relative_injection(rigidity: Any, reference: float, index: float, cutoff: float) -> Any:
    """Shape of an injected spectrum that is 1 at a reference, (R/R0)^-index exp((R0 - R)/cutoff).

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity [GV].
    reference : float
        Reference rigidity R0 [GV].
    index : float
        Spectral index.
    cutoff : float
        Cut-off rigidity [GV].

    Returns
    -------
    float or ndarray
        Q(R)/Q(R0).
    """
    rigidity = np.asarray(rigidity, dtype=float)[()]
    return (rigidity / reference) ** -index * np.exp((reference - rigidity) / cutoff)


def leaky_box_density(diffusion: Any, height: float, rate: float, volume: float) -> Any:
    """Density per injected spectrum of many sources in a leaky box, w H^2/(V D).

    Parameters
    ----------
    diffusion : float or ndarray
        Diffusion coefficient [pc^2/yr].
    height : float
        Thickness of the box [pc].
    rate : float
        Rate of explosions [1/yr].
    volume : float
        Volume of the box [pc^3].

    Returns
    -------
    float or ndarray
        Density [pc^-3].

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 1.
    """
    return rate * height**2 / (volume * diffusion)


def intensity_per_density(beta: Any) -> Any:
    """Factor v/(4 pi) that turns a density into an intensity.

    Parameters
    ----------
    beta : float or ndarray
        Speed in units of that of light.

    Returns
    -------
    float or ndarray
        Intensity per density [m^-2 s^-1 sr^-1 / pc^-3].
    """
    return beta * C_LIGHT / (4.0 * np.pi) * PER_PC2_YR


def interstellar_rigidity(rigidity: Any, potential: float, species: str | Species) -> Any:
    """Rigidity outside the heliosphere of a nucleus that is seen at Earth.

    Parameters
    ----------
    rigidity : float or ndarray
        Rigidity R' at Earth [GV].
    potential : float
        Modulation potential phi [GV].
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        R = sqrt(R'^2 + 2 R' phi/beta' + phi^2) [GV], which says E = E' + Z phi.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 4.
    """
    inside = np.asarray(rigidity, dtype=float)[()]
    beta = beta_of(inside, species)
    return np.sqrt(inside**2 + 2.0 * inside * potential / beta + potential**2)


def modulated(
    outside: Callable[[Any], Any], rigidity: Any, potential: float, species: str | Species
) -> Any:
    """Intensity at Earth in the force-field approximation.

    Parameters
    ----------
    outside : callable
        Interstellar intensity per rigidity as a function of rigidity [GV].
    rigidity : float or ndarray
        Rigidity R' at Earth [GV].
    potential : float
        Modulation potential [GV].
    species : str or Species
        Nucleus.

    Returns
    -------
    float or ndarray
        J(R') = [beta' R'^2/(beta R^2)] J(R), in the unit of `outside`.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eqs. 3-4.
    """
    nucleus = find(species)
    inside = np.asarray(rigidity, dtype=float)[()]
    far = interstellar_rigidity(inside, potential, nucleus)
    factor = beta_of(inside, nucleus) * inside**2 / (beta_of(far, nucleus) * far**2)
    return factor * outside(far)


def log_slope(intensity: Callable[[Any], Any], energy: Any, step: float = 1e-3) -> Any:
    """Logarithmic slope dlnJ/dlnE of a spectrum.

    Parameters
    ----------
    intensity : callable
        Intensity as a function of energy [GeV].
    energy : float or ndarray
        Energy [GeV].
    step : float
        Half width of the central difference in ln E.

    Returns
    -------
    float or ndarray
        Slope, exact to order step^2.
    """
    energy = np.asarray(energy, dtype=float)[()]
    above = np.log(intensity(energy * np.exp(step)))
    below = np.log(intensity(energy * np.exp(-step)))
    return (above - below) / (2.0 * step)


def compton_getting_coefficient(slope: Any) -> Any:
    """Compton-Getting coefficient C of a spectrum, 3C = 2 - dlnJ/dlnE.

    Parameters
    ----------
    slope : float or ndarray
        Logarithmic slope dlnJ/dlnE.

    Returns
    -------
    float or ndarray
        C, a third of the index of the momentum distribution.
    """
    return (2.0 - slope) / 3.0
