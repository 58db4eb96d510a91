"""A scenario, ready to be evaluated: formulas alone, or a run of pseudo-particles."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mcprop.assembly import ALL, formula_rows, spectrum_rows
from mcprop.comparison import Comparison
from mcprop.errors import RangeError
from mcprop.provenance import provenance
from mcprop.result import Result
from mcprop.runner import Executor, OnEnergy, Run
from mcprop.scenario import Config, load
from mcprop.species import SPECIES
from mcprop.study import Study
from mcprop.tables import Row
from mcprop.units import has_unit, strip


class Simulation:
    """A scenario, ready to be evaluated.

    Parameters
    ----------
    config : Config or str
        Checked configuration (see `mcprop.load`), or the name of a scenario or file.

    Examples
    --------
    >>> import mcprop as mp
    >>> simulation = mp.Simulation.from_scenario("xue-liu-2025")
    >>> simulation.analytic(energies=[1e4]).dipole(1e4)
    Dipole(amplitude 0.0009822, RA 38.37 deg, Dec -32.58 deg, |delta| 0.001166)
    """

    def __init__(self, config: Config | str) -> None:
        self.config = load(config) if isinstance(config, str) else config
        self.model: Any = self.config.model()
        self.study: Study = self.config.study

    @classmethod
    def from_scenario(cls, name: str) -> Simulation:
        """Take a built-in scenario by name, or a file.

        Parameters
        ----------
        name : str
            Name of a scenario, or path of a TOML file.

        Raises
        ------
        ConfigError
            If there is no such scenario, or the file is not a valid one.
        """
        return cls(load(name))

    def __repr__(self) -> str:
        energies = self.config.energies.grid
        span = f"{min(energies):g} to {max(energies):g} GeV"
        return f"Simulation({self.config.title!r}, {len(energies)} energies, {span})"

    def analytic(self, energies: Any = None) -> Result:
        """Evaluate the formulas alone.

        Parameters
        ----------
        energies : float, Quantity or text, or several, optional
            Total energies, bare numbers in GeV; by default those of the configuration.

        Returns
        -------
        Result
            Without Monte Carlo rows, sky maps and comparison.
        """
        config = self._configured(energies=energies)
        grid = config.energies.grid
        return Result(
            rows=[row for energy in grid for row in formula_rows(self.model, energy)],
            spectrum=[row for energy in grid for row in spectrum_rows(self.model, energy)],
            config=config,
            provenance=provenance(config.title),
            markers=self.study.markers(self.model),
            references=self.study.references,
            curve=self._curve(grid),
        )

    def run(
        self,
        histories: int | None = None,
        seed: int | None = None,
        executor: Executor | None = None,
        threads: int | None = None,
        rel_err: float | None = None,
        energies: Any = None,
        analog: bool = False,
        on_energy: OnEnergy | None = None,
        halving: bool = False,
    ) -> Result:
        """Run the pseudo-particles and compare them with the formulas.

        Parameters
        ----------
        histories : int, optional
            Pseudo-particles per energy, species and component; at most so many with `rel_err`.
        seed : int, optional
            Between 0 and 2^63 - 1; by default that of the configuration, or a drawn one.
        executor : object with ``submit``, optional
            Runs the batches; by default a pool of threads.  The result does not depend on it, bit
            for bit.
        threads : int, optional
            Size of that pool; by default one for each core.
        rel_err : float, optional
            An energy is done when the largest standard deviation of the total's equatorial
            projection is below this share of its amplitude.
        energies : float, Quantity or text, or several, optional
            Total energies, bare numbers in GeV; by default those of the configuration.
        analog : bool
            Plain histories: one random direction each, without common random numbers, weights or
            tilt.
        on_energy : callable, optional
            Called after each energy with (done, total, rows, comparisons, seconds left).
        halving : bool
            Run a share of the histories once more with half the step; the comparison then holds
            the difference with the result (reference "full step").

        Returns
        -------
        Result

        Raises
        ------
        ConfigError
            If an argument is not allowed.
        RangeError
            If analog histories would start outside the cloud, or `threads` is not positive.
        """
        drawn = self.config.monte_carlo.seed if seed is None else seed
        config = self._configured(
            histories, secrets.randbits(63) if drawn is None else drawn, rel_err, energies, analog
        )
        curve = self._curve(config.energies.grid)  # first, for what it might refuse
        run = Run(self.model, config, on_energy, halving)
        run.go(executor, threads)
        energies = config.energies.grid
        return Result(
            rows=run.rows,
            spectrum=[row for energy in energies for row in spectrum_rows(self.model, energy)],
            comparison=Comparison(run.comparisons),
            skies=run.skies,
            config=config,
            provenance=provenance(config.title) | run.record(),
            markers=self.study.markers(self.model),
            references=self.study.references,
            curve=curve,
        )

    def _configured(
        self,
        histories: int | None = None,
        seed: int | None = None,
        rel_err: float | None = None,
        energies: Any = None,
        analog: bool = False,
    ) -> Config:
        """Configuration with the arguments of a call in it."""
        changes = {
            "stop.histories": histories,
            "monte_carlo.seed": seed,
            "stop.rel_err": rel_err,
            "monte_carlo.estimator": self.config.estimator_of(analog),
            "energies": None if energies is None else {"values": _energy_texts(energies)},
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return self.config.replace(given) if given else self.config

    def _curve(self, grid: Sequence[float]) -> list[Row]:
        """Formulas on a fine grid, for the lines of the figures."""
        low, high = min(grid), max(grid)
        if low == high:  # half a decade to each side, but nobody at rest
            heaviest = max(SPECIES[name].mass for name in self.model.species)
            low, high = max(low / 3.0, 10.0, 1.5 * heaviest), 3.0 * high
        fine = np.geomspace(low, max(low, high), 121).tolist()
        return [row for energy in fine for row in formula_rows(self.model, energy, (ALL,))]


def _energy_texts(energies: Any) -> list[str]:
    """Write energies as the configuration takes them, every digit kept."""
    if hasattr(energies, "unit"):
        energies = np.ravel(strip(energies, "energy", "energies")).tolist()
    elif isinstance(energies, str) or not isinstance(energies, Iterable):
        energies = [energies]
    bare = [strip(e, "energy", "energies") if has_unit(e) else e for e in energies]
    try:
        return [f"{float(energy)!r} GeV" for energy in bare]
    except (TypeError, ValueError):
        raise RangeError(f"energies = {bare} must be numbers in GeV, or have a unit.") from None
