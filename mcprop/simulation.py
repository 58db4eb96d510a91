"""A scenario, ready to be evaluated: formulas alone, or a run of pseudo-particles."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from mcprop.assembly import ALL, formula_rows, spectrum_rows
from mcprop.comparison import Comparison
from mcprop.errors import ModelError, OutputError, RangeError
from mcprop.executors import Executor, open_executor
from mcprop.provenance import provenance
from mcprop.result import Result
from mcprop.rundir import is_finished
from mcprop.runnable import require_particles
from mcprop.runner import Halt, OnEnergy, Run
from mcprop.scenario import Config, load
from mcprop.species import SPECIES
from mcprop.store import Store
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
        self.config = config if isinstance(config, Config) else load(config)
        self.model: Any = self.config.model()
        self._configured_model = self.model
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
        config = self._configured({"energies": energies_section(energies)})
        grid = config.energies.grid
        curve = self._curve(grid)  # first, for what it might refuse
        return Result(
            rows=[row for energy in grid for row in formula_rows(self.model, energy)],
            spectrum=[row for energy in grid for row in spectrum_rows(self.model, energy)],
            config=config,
            provenance=provenance(config.title),
            markers=self.study.markers(self.model),
            references=self.study.references,
            curve=curve,
        )

    def run(
        self,
        histories: int | None = None,
        seed: int | None = None,
        executor: Executor | str | None = None,
        workers: int | None = None,
        rel_err: float | None = None,
        seconds: float | None = None,
        energies: Any = None,
        analog: bool = False,
        halving: bool = False,
        directory: str | Path | None = None,
        overwrite: bool = False,
        on_energy: OnEnergy | None = None,
        halt: Halt | None = None,
    ) -> Result:
        """Run the pseudo-particles and compare them with the formulas.

        Parameters
        ----------
        histories : int, optional
            Pseudo-particles per energy, species and component; at most so many with `rel_err` or
            `seconds`.
        seed : int, optional
            Between 0 and 2^63 - 1; by default that of the configuration, or a drawn one.
        executor : object with ``submit``, or str, optional
            Runs the batches; by default a pool of threads. By name, one of those of
            `mcprop.executors.open_executor`. The result does not depend on it, bit for bit.
        workers : int, optional
            Number of threads, or of processes; by default one for each core.
        rel_err : float, optional
            An energy is done when the largest standard deviation of the total's equatorial
            projection is below this share of its amplitude.
        seconds : float, optional
            No energy goes on to twice its histories if the run would then take longer [s].
        energies : float, Quantity or text, or several, optional
            Total energies, bare numbers in GeV; by default those of the configuration.
        analog : bool
            Plain histories: one random direction each, without common random numbers, weights or
            tilt.
        halving : bool
            Run a share of the histories once more with half the step; the comparison then holds
            the difference with the result (reference "full step").
        directory : str or Path, optional
            Run directory: every batch is kept there as soon as it is finished, so that `resume`
            can go on whatever happens; in the end the result is written there as well.
        overwrite : bool
            Whether an earlier run in `directory` may be removed.
        on_energy : callable, optional
            Called after each energy with (done, total, rows, comparisons, seconds left).
        halt : callable, optional
            Asked several times a second; a text, why, instead of None ends the run.

        Returns
        -------
        Result

        Raises
        ------
        ConfigError
            If an argument is not allowed.
        RangeError
            If analog histories would start outside the cloud.
        ExecutorError
            If a batch has lost its worker too often, or a cluster does not answer.
        OutputError
            If the directory cannot be written, or holds something that must not be replaced.
        StoppedError
            If `halt` has ended the run; what is finished is kept.
        """
        drawn = self.config.monte_carlo.seed if seed is None else seed
        config = self._configured(
            {
                "stop.histories": histories,
                "stop.rel_err": rel_err,
                "stop.seconds": seconds,
                "monte_carlo.seed": secrets.randbits(63) if drawn is None else drawn,
                "monte_carlo.estimator": self.config.estimator_of(analog),
                "monte_carlo.halving": "on" if halving else None,
                "energies": energies_section(energies),
            }
        )
        with opened(executor, workers) as pool:
            if directory is None:
                return self._run(config, None, pool, on_energy, halt)
            if self.model is not self._configured_model:
                raise ModelError(
                    "simulation.model: got another model than the configured one, which a resumed"
                    " run would have; allowed: runs without a directory"
                )
            self._curve(config.energies.grid)  # first, for what it might refuse
            store = Store.create(directory, config, overwrite)
            with store.locked():
                return self._run(config, store, pool, on_energy, halt)

    @classmethod
    def resume(
        cls,
        directory: str | Path,
        executor: Executor | str | None = None,
        workers: int | None = None,
        repair: bool = False,
        on_energy: OnEnergy | None = None,
        halt: Halt | None = None,
    ) -> Result:
        """Go on with a run that has ended early.

        Parameters
        ----------
        directory : str or Path
            Run directory.
        executor, workers, on_energy, halt
            As for `run`; they may be others than those that the run began with.
        repair : bool
            Whether damaged batches are run again.

        Returns
        -------
        Result
            The same, bit for bit, as of a run that nothing has happened to; of a finished run, its
            result.

        Raises
        ------
        OutputError
            If it is no run directory, was begun by other sources, has damaged files, or another
            process writes there.
        ExecutorError, StoppedError
            As for `run`.
        """
        store = Store.opened(directory, repair)
        if is_finished(store.directory) and (found := _readable(store.directory)):
            return found
        with store.locked():
            store.verify(repair)
            config = store.config
            with opened(executor, workers) as pool:
                return cls(config)._run(config, store, pool, on_energy, halt)

    def _run(
        self,
        config: Config,
        store: Store | None,
        executor: Executor,
        on_energy: OnEnergy | None,
        halt: Halt | None,
    ) -> Result:
        grid = config.energies.grid
        curve = self._curve(grid)  # first, for what it might refuse
        run = Run(self.model, config, on_energy, store, halt)
        run.go(executor)
        answers = [run.answers[place] for place in range(len(grid))]
        result = Result(
            rows=[row for found in answers for row in found.rows],
            spectrum=[row for energy in grid for row in spectrum_rows(self.model, energy)],
            comparison=Comparison([row for found in answers for row in found.comparisons]),
            skies={key: sky for found in answers for key, sky in found.skies.items()},
            config=config,
            provenance=provenance(config.title) | {"config_hash": config.digest} | run.record(),
            markers=self.study.markers(self.model),
            references=self.study.references,
            curve=curve,
            health=[light for found in answers for light in found.lights],
        )
        if store:
            try:
                result.complete(store.directory)
            except OutputError as error:
                error.can_go_on = True
                raise
        return result

    def _configured(self, changes: Mapping[str, Any]) -> Config:
        """Configuration with the arguments of a call in it; None is no argument."""
        given = {key: value for key, value in changes.items() if value is not None}
        return self.config.replace(given) if given else self.config

    def _curve(self, grid: Sequence[float]) -> list[Row]:
        """Formulas on a fine grid, for the lines of the figures."""
        require_particles(self.model, grid)
        low, high = min(grid), max(grid)
        if low == high:  # half a decade to each side, but nobody at rest
            heaviest = max(SPECIES[name].mass for name in self.model.species)
            low, high = max(low / 3.0, 10.0, 1.5 * heaviest), 3.0 * high
        fine = np.geomspace(low, max(low, high), 121).tolist()
        with np.errstate(all="ignore"):  # what is not finite there is a gap in a line
            return [row for energy in fine for row in formula_rows(self.model, energy, (ALL,))]


def _readable(directory: Path) -> Result | None:
    """Result of a finished run; None if a file of it is damaged, and it is to be made again."""
    with suppress(OutputError):
        return Result.read(directory)
    return None


@contextmanager
def opened(executor: Executor | str | None, workers: int | None) -> Iterator[Executor]:
    """The executor given, which stays open, or one of that name, which ends with the block."""
    if executor is None or isinstance(executor, str):
        with open_executor(executor or "threads", workers) as pool:
            yield pool
    elif callable(getattr(executor, "submit", None)):
        yield executor
    else:
        raise RangeError(f"executor = {executor!r} must be a name, or have a method submit.")


def energies_section(energies: Any) -> dict[str, list[str]] | None:
    """Write energies as the configuration takes them, every digit kept; None stays None."""
    if energies is None:
        return None
    if hasattr(energies, "unit"):
        energies = np.ravel(strip(energies, "energy", "energies")).tolist()
    elif isinstance(energies, str) or not isinstance(energies, Iterable):
        energies = [energies]
    bare = [strip(e, "energy", "energies") if has_unit(e) else e for e in energies]
    try:
        return {"values": [f"{float(energy)!r} GeV" for energy in bare]}
    except (OverflowError, TypeError, ValueError):
        raise RangeError(
            f"energies = {str(bare)[:200]} must be numbers in GeV, or have a unit."
        ) from None
