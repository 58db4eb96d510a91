"""What a model brings along to be run: its configuration, jobs, answers and words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mcprop import frames, scenario

if TYPE_CHECKING:
    from mcprop.assembly import Assembly
    from mcprop.cite import Reference
    from mcprop.plan import Planned, Planner
    from mcprop.transport import Outcome


class Study(ABC):
    """Binds together what belongs to one model.

    The package of a model makes one and calls it ``STUDY``; `mcprop.models` finds it there. Its
    methods import what they need, so that a scenario is checked without loading any kernel.
    """

    key: ClassVar[str]
    """What ``model`` is in a scenario; the scenario of this name holds the defaults."""
    references: ClassVar[tuple[str, ...]]
    """Publications of the model, for the heads of tables."""
    papers: ClassVar[tuple[Reference, ...]]
    """The same as entries of the bibliography."""
    has_analog: ClassVar[bool] = False
    """Whether ``monte_carlo.estimator`` may be "analog": plain histories."""

    def defaults(self) -> str:
        """Text of the scenario whose values hold for every key that a scenario leaves out.

        Returns
        -------
        str
            TOML.
        """
        return scenario.text(self.key)

    @abstractmethod
    def configuration(self) -> type[scenario.Config]:
        """Class of the model's configurations."""

    @abstractmethod
    def planner(self, model: Any, settings: Any) -> Planner:
        """Set up what plans the jobs.

        Parameters
        ----------
        model : Model
            Formulas, made by the model's configuration.
        settings : MonteCarlo
            Section ``monte_carlo`` of that configuration.

        Returns
        -------
        Planner
        """

    @abstractmethod
    def assembly(
        self, model: Any, energy: float, planned: Sequence[Planned], outcomes: Sequence[Outcome]
    ) -> Assembly:
        """Assemble the outcomes of the jobs of one energy; parameters as in `Assembly`."""

    @abstractmethod
    def directions(self, model: Any) -> Mapping[str, np.ndarray]:
        """Directions that figures show.

        Parameters
        ----------
        model : Model
            Formulas.

        Returns
        -------
        mapping of str to ndarray, shape (3,)
            Label to a vector of any length, ICRS axes; for labels with a meaning see `Result`.
        """

    def markers(self, model: Any) -> dict[str, tuple[float, float]]:
        """The same as angles.

        Parameters
        ----------
        model : Model
            Formulas.

        Returns
        -------
        dict
            Label to (right ascension, declination) [deg].
        """
        found = {}
        for label, vector in self.directions(model).items():
            lon, lat = frames.lon_lat(vector)
            found[label] = (float(lon), float(lat))
        return found

    def summary(self, config: Any, model: Any) -> list[str]:
        """What follows from a configuration, for people.

        Parameters
        ----------
        config : Config
            A configuration of the model.
        model : Model
            Formulas, made by it.

        Returns
        -------
        list of str
            Lines.
        """
        return []

    def notes(self, planner: Any, energies: Sequence[float]) -> list[str]:
        """What a reader of a run ought to know, beside its table.

        Parameters
        ----------
        planner : Planner
            What planned the jobs.
        energies : sequence of float
            Total energies of the run [GeV].

        Returns
        -------
        list of str
            Sentences without a full stop.
        """
        return []
