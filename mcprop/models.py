"""The models that can be run: where each stands, and what the formulas of all of them answer.

A model is found by its name when it is wanted, because what it consists of stands above what all
models share, and so that nothing is loaded that no one asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

STUDIES = {"xue-liu-2025": "mcprop.xue_liu_2025", "lrmf-sdp": "mcprop.lrmf_sdp"}
"""Module that holds the `STUDY` of each model, by the key that scenarios name the model with.

A scenario of the same name holds the values of every key that is left out."""

WANDERING = ("wandering-scan", "wandering-burst", "wandering-sky")
"""Keys of the studies of fields that wander."""


class Model(Protocol):
    """Formulas of a model: what its Monte Carlo is assembled from and compared with.

    Intensities are in GV^-1 (or GeV^-1) m^-2 s^-1 sr^-1. A model with a dipole that no component
    carries, because it comes from the motion of the observer, names it by an attribute ``boost``.
    """

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the nuclei."""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that carry particles."""

    def source_rate(self, component: str, rigidity: Any, species: str) -> Any:
        """Interstellar intensity per density."""

    def density(self, component: str, rigidity: Any, species: str) -> Any:
        """Density at the Sun, in the unit that `source_rate` takes."""

    def intensity(self, component: str, rigidity: Any, species: str) -> Any:
        """Intensity at Earth per rigidity."""

    def intensity_energy(self, component: str, energy: Any, species: str) -> Any:
        """Intensity at Earth per total energy; `species` may be "all"."""

    def share(self, component: str, energy: Any, species: str = "all") -> Any:
        """Part of the intensity of all species and components."""

    def component_dipole(self, component: str, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of a component, or of the boost, at a total energy; arrival convention."""

    def total_dipole(self, energy: Any, species: str = "all") -> np.ndarray:
        """Dipole of the summed intensity at a total energy, boost included."""


def known() -> tuple[str, ...]:
    """Keys of the models that can be run.

    Returns
    -------
    tuple of str
        What ``model`` may be in a scenario.
    """
    return tuple(STUDIES)


def study(key: str) -> Any:
    """The study of a model.

    Parameters
    ----------
    key : str
        One of `known`.

    Returns
    -------
    Study
        What the model's package binds together, see `mcprop.study.Study`.
    """
    return import_module(STUDIES[key]).STUDY


def boost_of(model: Model) -> str:
    """Name of the dipole that all particles share through the motion of the observer.

    Parameters
    ----------
    model : Model
        Formulas.

    Returns
    -------
    str
        Such as "compton-getting"; empty for a model without one.
    """
    return str(getattr(model, "boost", ""))


def papers(key: str) -> tuple[Any, ...]:
    """References of a model, or of a study of fields that wander.

    Parameters
    ----------
    key : str
        One of `known` or of `WANDERING`.

    Returns
    -------
    tuple of mcprop.cite.Reference
        Its papers.
    """
    if key in WANDERING:
        return tuple(import_module("mcprop.wander_study.papers").PAPERS[key])
    return tuple(study(key).papers)
