"""The closed forms for use by hand: astropy Quantities in, Quantities out.

A text such as ``"250 pc"`` does as well as a Quantity. Dipoles are plain arrays in the arrival
convention.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcprop import diffusion
from mcprop.analytic import cloud, green
from mcprop.analytic.xue_liu_2025 import XueLiu2025
from mcprop.species import Species, beta_of
from mcprop.units import attach, positive, strip


def kinetic_tensor(
    rigidity: Any,
    species: str | Species = "p",
    field_strength: Any = "3 uG",
    critical_rigidity: Any = "3 PV",
    reference_rigidity: Any = "10 GV",
    slope: float = 1.0 / 3.0,
) -> tuple[Any, Any]:
    """Diffusion along and across the field from kinetic theory, Bohm's at a critical rigidity.

    Parameters
    ----------
    rigidity : Quantity
        Rigidity.
    species : str or Species
        Nucleus.
    field_strength : Quantity
        Magnetic field.
    critical_rigidity : Quantity
        Rigidity at which the mean free path equals the gyroradius.
    reference_rigidity : Quantity
        Reference of the power law.
    slope : float
        Exponent of the power law.

    Returns
    -------
    kappa_parallel, kappa_perp : Quantity
        Coefficients.

    Raises
    ------
    UnitsError
        If a unit is missing or of another dimension.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), section II A.

    Examples
    --------
    >>> parallel, perp = kinetic_tensor("3 PV")
    >>> float(parallel / perp)
    2.0
    """
    plain = positive(strip(rigidity, "rigidity", "rigidity"), "rigidity")
    parallel, perp = diffusion.kinetic_tensor(
        plain,
        beta_of(plain, species),
        strip(field_strength, "field", "field_strength"),
        strip(critical_rigidity, "rigidity", "critical_rigidity"),
        strip(reference_rigidity, "rigidity", "reference_rigidity"),
        strip(slope, "dimensionless", "slope"),
    )
    return attach(parallel, "diffusion"), attach(perp, "diffusion")


def burst_density(displacement: Any, tensor: Any, age: Any) -> Any:
    """Density of one particle set free in a uniform medium.

    Parameters
    ----------
    displacement : Quantity, shape (..., 3)
        Vector from the observer to the source.
    tensor : Quantity, shape (3, 3) or ()
        Diffusion tensor in the same axes, or an isotropic coefficient.
    age : Quantity
        Time since the burst.

    Returns
    -------
    Quantity
        Density.

    Raises
    ------
    UnitsError
        If a unit is missing or of another dimension.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eqs. 6 and 9.
    """
    plain = green.density(
        strip(displacement, "length", "displacement"),
        strip(tensor, "diffusion", "tensor"),
        strip(age, "time", "age"),
    )
    return attach(plain, "density")


def burst_dipole(displacement: Any, speed: Any, age: Any) -> np.ndarray:
    """Dipole 3 r/(2 v T) of a burst in a uniform medium, arrival convention.

    Parameters
    ----------
    displacement : Quantity, shape (..., 3)
        Vector from the observer to the source.
    speed : Quantity
        Speed of the particles.
    age : Quantity
        Time since the burst.

    Returns
    -------
    ndarray, shape (..., 3)
        Dipole.

    Raises
    ------
    UnitsError
        If a unit is missing or of another dimension.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 12.
    """
    return green.dipole(
        strip(displacement, "length", "displacement"),
        strip(speed, "speed", "speed"),
        strip(age, "time", "age"),
    )


def slab_density(depth: Any, k_xx: Any, flow_speed: Any) -> Any:
    """Density behind the face of a moving cloud for a steady outside density of 1.

    Parameters
    ----------
    depth : Quantity
        Depth behind the face.
    k_xx : Quantity
        Diffusion coefficient along the depth.
    flow_speed : Quantity
        Speed of the cloud.

    Returns
    -------
    float or ndarray
        exp(-u x/k_xx).

    Raises
    ------
    UnitsError
        If a unit is missing or of another dimension.

    References
    ----------
    Xue & Liu 2025 (arXiv:2507.07057), eq. 6.
    """
    return cloud.steady_density(
        strip(depth, "length", "depth"),
        strip(k_xx, "diffusion", "k_xx"),
        strip(flow_speed, "speed", "flow_speed"),
    )


def cloud_density(
    depth: Any, kappa: Any, flow_speed: Any, outer: Any, source: Any, age: Any
) -> tuple[Any, Any]:
    """Density behind the face of a moving cloud for a burst outside, and its gradient.

    Parameters
    ----------
    depth : Quantity
        Depth of the observer behind the face.
    kappa, outer : Quantity, shape (3, 3)
        Diffusion tensors inside and outside, cloud frame.
    flow_speed : Quantity
        Speed of the cloud.
    source : Quantity, shape (3,)
        Vector from the observer to the source, cloud frame.
    age : Quantity
        Time since the burst.

    Returns
    -------
    density : Quantity
        Density of one particle.
    gradient : Quantity, shape (3,)
        Gradient of ln density, cloud frame.

    Raises
    ------
    UnitsError
        If a unit is missing or of another dimension.
    RangeError
        If the depth or the age is not positive.
    """
    ln_density, gradient = cloud.solve(
        strip(depth, "length", "depth"),
        strip(kappa, "diffusion", "kappa"),
        strip(flow_speed, "speed", "flow_speed"),
        strip(outer, "diffusion", "outer"),
        strip(source, "length", "source"),
        strip(age, "time", "age"),
    )
    return attach(np.exp(ln_density), "density"), attach(gradient, "inverse length")


def intensity(model: XueLiu2025, component: str, rigidity: Any, species: str) -> Any:
    """Intensity of one component at Earth per rigidity.

    Parameters
    ----------
    model : XueLiu2025
        The model.
    component : {"nearby", "centre", "background"}
        Component.
    rigidity : Quantity
        Rigidity.
    species : str
        Species.

    Returns
    -------
    Quantity
        Intensity.

    Raises
    ------
    UnitsError
        If the unit is missing or of another dimension.
    """
    plain = positive(strip(rigidity, "rigidity", "rigidity"), "rigidity")
    return attach(model.intensity(component, plain, species), "intensity")


def intensity_energy(model: XueLiu2025, component: str, energy: Any, species: str = "all") -> Any:
    """Intensity of one component at Earth per total energy.

    Parameters
    ----------
    model : XueLiu2025
        The model.
    component : {"nearby", "centre", "background"}
        Component.
    energy : Quantity
        Total energy of the nucleus.
    species : str
        Species, or "all".

    Returns
    -------
    Quantity
        Intensity.

    Raises
    ------
    UnitsError
        If the unit is missing or of another dimension.
    """
    plain = positive(strip(energy, "energy", "energy"), "energy")
    return attach(model.intensity_energy(component, plain, species), "intensity per energy")


def dipole(
    model: XueLiu2025, energy: Any, component: str = "total", species: str = "all"
) -> np.ndarray:
    """Dipole at a total energy, arrival convention, ICRS axes.

    Parameters
    ----------
    model : XueLiu2025
        The model.
    energy : Quantity
        Total energy of the nucleus.
    component : {"total", "nearby", "centre", "background", "compton-getting"}
        Component; a single one is not weighted with its share of the intensity.
    species : str
        Species, or "all".

    Returns
    -------
    ndarray, shape (..., 3)
        Dipole.

    Raises
    ------
    UnitsError
        If the unit is missing or of another dimension.

    Examples
    --------
    >>> dx, dy, dz = dipole(XueLiu2025(), "10 TeV")
    >>> print(f"{np.hypot(dx, dy):.2e}")
    9.82e-04
    """
    plain = positive(strip(energy, "energy", "energy"), "energy")
    if component == "total":
        return model.total_dipole(plain, species)
    return model.component_dipole(component, plain, species)
