"""A run: energy by energy, batches of histories on any executor, answers in a Result."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mcprop import frames
from mcprop.assembly import ALL, Assembly, formula_rows, spectrum_rows
from mcprop.comparison import Comparison, ComparisonRow
from mcprop.plan import Planned, Planner
from mcprop.provenance import provenance
from mcprop.result import Result
from mcprop.scenario import Config, load
from mcprop.tables import Row
from mcprop.transport import FATES, Outcome, run_batch
from mcprop.units import has_unit, strip

if TYPE_CHECKING:
    from mcprop.sky import SkyMap

OnEnergy = Callable[[int, int, list[Row], list[ComparisonRow], float], None]

LONG_FREE_PATH = 0.1
"""Mean free path over depth beyond which the diffusion approximation of the cloud is doubtful."""


class Executor(Protocol):
    """Anything with ``submit``: a pool of threads or processes, of Dask, of MPI."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Start a call; its result has a method ``result()``."""


@dataclass
class Counts:
    """What a run has used, summed over its batches."""

    histories: int = 0
    steps: int = 0
    cpu_seconds: float = 0.0
    fates: np.ndarray | None = None

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a job."""
        self.histories += int(outcome.fates.sum())
        self.steps += outcome.steps
        self.cpu_seconds += outcome.cpu
        self.fates = outcome.fates if self.fates is None else self.fates + outcome.fates


class Simulation:
    """A scenario, ready to be evaluated.

    Parameters
    ----------
    config : Config
        Checked configuration; see `mcprop.load`.

    Examples
    --------
    >>> import mcprop as mp
    >>> simulation = mp.Simulation.from_scenario("xue-liu-2025")
    >>> simulation.analytic(energies=[1e4]).dipole(1e4)
    Dipole(amplitude 0.0009822, RA 38.37 deg, Dec -32.58 deg, |delta| 0.001166)
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.model = config.model()

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
            markers=self._markers(),
            references=REFERENCES,
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

        Returns
        -------
        Result

        Raises
        ------
        ConfigError
            If an argument is not allowed.
        RangeError
            If analog histories would start outside the cloud.
        """
        drawn = self.config.monte_carlo.seed if seed is None else seed
        config = self._configured(
            histories, secrets.randbits(63) if drawn is None else drawn, rel_err, energies, analog
        )
        return _Run(self, config, on_energy).result(executor, threads)

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
            "monte_carlo.histories": histories,
            "monte_carlo.seed": seed,
            "monte_carlo.rel_err": rel_err,
            "monte_carlo.estimator": "analog" if analog else None,
            "energies": None if energies is None else {"values": _energy_texts(energies)},
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return self.config.replace(given) if given else self.config

    def _markers(self) -> dict[str, tuple[float, float]]:
        """Directions that figures show, (right ascension, declination) [deg]."""
        model = self.model
        named = {
            "b_hat": model.b_hat,
            "Galactic centre": model.centre_vector,
            "Geminga": frames.unit_vector(*GEMINGA),
            "source": model.source_vector,
            "u_LSR": model.u_lsr,
            "Compton-Getting": -model.u_hc,
        }
        return {label: tuple(map(float, frames.lon_lat(v))) for label, v in named.items()}  # type: ignore[misc]

    def _curve(self, grid: Sequence[float]) -> list[Row]:
        """Formulas on a fine grid, for the lines of the figures."""
        low, high = min(grid), max(grid)
        if low == high:  # half a decade to each side, but nobody at rest
            low, high = max(low / 3.0, 10.0), 3.0 * high
        fine = np.geomspace(low, max(low, high), 121).tolist()
        return [row for energy in fine for row in formula_rows(self.model, energy, (ALL,))]


GEMINGA = (98.4756, 17.7703)
"""PSR J0633+1746 today, (right ascension, declination) [deg]; Manchester et al. 2005, AJ 129, 1993.

The remnant that the model has in mind lies elsewhere, where its distances along and across the
field put it: the mark "source"."""

REFERENCES = ("Xue & Liu 2025, arXiv:2507.07057",)


class _Run:
    """State of one run."""

    def __init__(self, simulation: Simulation, config: Config, on_energy: OnEnergy | None) -> None:
        self.simulation, self.config, self.on_energy = simulation, config, on_energy
        self.model, self.settings = simulation.model, config.monte_carlo
        self.planner = Planner(self.model, self.settings)
        self.seed = int(self.settings.seed or 0)
        self.rows: list[Row] = []
        self.comparisons: list[ComparisonRow] = []
        self.skies: dict[tuple[str, float], SkyMap] = {}
        self.counts = Counts()
        self.per_energy: dict[float, int] = {}
        self.notes: list[str] = []

    def result(self, executor: Executor | None, threads: int | None) -> Result:
        """Run all energies, in order."""
        energies, start = self.config.energies.grid, time.monotonic()
        plans = {energy: self.planner.jobs(energy) for energy in energies}
        with _pool(executor, threads) as pool:
            for done, energy in enumerate(energies, 1):
                self._energy(energy, plans[energy], pool)
                if self.on_energy is not None:
                    left = (time.monotonic() - start) / done * (len(energies) - done)
                    self._report(done, energy, left)
        self._note_free_paths(energies)
        return Result(
            rows=self.rows,
            spectrum=[row for energy in energies for row in spectrum_rows(self.model, energy)],
            comparison=Comparison(self.comparisons),
            skies=self.skies,
            config=self.config,
            provenance=self._provenance(time.monotonic() - start),
            markers=self.simulation._markers(),
            references=REFERENCES,
            curve=self.simulation._curve(energies),
        )

    def _energy(self, energy: float, planned: list[Planned], pool: Executor) -> None:
        outcomes = [Outcome() for _ in planned]
        for batches in self._rounds():
            pending = [[self._submit(pool, p, batch) for batch in batches] for p in planned]
            for i, futures in enumerate(pending):
                outcomes[i] = sum((future.result() for future in futures), outcomes[i])
            assembly = Assembly(self.model, energy, planned, outcomes)
            if self.settings.rel_err and assembly.relative_error() <= self.settings.rel_err:
                break
        self._keep(assembly, outcomes)

    def _rounds(self) -> Iterator[list[tuple[int, int]]]:
        """All batches at once, or rounds fixed beforehand that double the histories."""
        batches = self.settings.batches()
        if self.settings.rel_err is None:
            yield batches
            return
        begin = 0
        while begin < len(batches):
            end = max(1, 2 * begin)
            yield batches[begin:end]
            begin = end

    def _submit(self, pool: Executor, planned: Planned, batch: tuple[int, int]) -> Any:
        nside = self.settings.nside if planned.gives == "dipole" else 0
        return pool.submit(run_batch, planned.job, self.seed, *batch, nside)

    def _keep(self, assembly: Assembly, outcomes: list[Outcome]) -> None:
        self.rows += formula_rows(self.model, assembly.energy) + assembly.rows()
        self.comparisons += assembly.comparisons()
        self.skies |= assembly.skies(self.seed, self.config.title)
        for outcome in outcomes:
            self.counts.add(outcome)
        lost = sum(int(outcome.fates[-1]) for outcome in outcomes)
        if lost:
            self.notes.append(
                f"at {assembly.energy:g} GeV {lost} histories were lost (their score is not a "
                "number) and left out"
            )
        error, limit = assembly.relative_error(), self.settings.rel_err
        self.per_energy[assembly.energy] = int(outcomes[0].fates.sum())
        if limit is not None and error > limit:
            self.notes.append(
                f"at {assembly.energy:g} GeV the relative error of the total is {error:.2g}, above "
                f"{limit:g}, after all {self.settings.histories} histories; allow more"
            )

    def _report(self, done: int, energy: float, seconds_left: float) -> None:
        rows = [row for row in self.rows if row.energy == energy]
        comparisons = [row for row in self.comparisons if row.energy == energy]
        assert self.on_energy is not None
        self.on_energy(done, len(self.config.energies.grid), rows, comparisons, seconds_left)

    def _note_free_paths(self, energies: Sequence[float]) -> None:
        """Say from which energy on the diffusion approximation inside the cloud is doubtful."""
        first: dict[float, list[str]] = {}
        for species in self.model.species:
            paths = [self.planner.free_path_over_depth(energy, species) for energy in energies]
            long = [e for e, path in zip(energies, paths, strict=True) if path > LONG_FREE_PATH]
            if long:
                first.setdefault(min(long), []).append(species)
        for energy, species_there in first.items():
            self.notes.append(
                f"{' and '.join(species_there)} at {energy:g} GeV and above: the mean free path "
                f"inside the cloud exceeds {LONG_FREE_PATH:g} of the depth of the Sun; diffusion "
                "itself is doubtful there"
            )

    def _provenance(self, wall: float) -> dict[str, Any]:
        counts = self.counts
        fates = [0] * len(FATES) if counts.fates is None else counts.fates.tolist()
        return provenance(self.config.title) | {
            "seed": self.seed,
            "wall_seconds": wall,
            "cpu_seconds": counts.cpu_seconds,
            "histories": counts.histories,
            "histories_per_job": {f"{energy!r} GeV": n for energy, n in self.per_energy.items()},
            "steps": counts.steps,
            "fates": dict(zip(FATES, fates, strict=True)),
            "notes": self.notes,
        }


@contextmanager
def _pool(executor: Executor | None, threads: int | None) -> Iterator[Executor]:
    """The executor given, or a pool of threads that ends with the run and drops what waits."""
    if executor is not None:
        yield executor
        return
    pool = ThreadPoolExecutor(threads or cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _energy_texts(energies: Any) -> list[str]:
    """Write energies as the configuration takes them, every digit kept."""
    if hasattr(energies, "unit"):
        energies = np.atleast_1d(strip(energies, "energy", "energies")).tolist()
    elif isinstance(energies, str) or not isinstance(energies, Iterable):
        energies = [energies]
    bare = [strip(e, "energy", "energies") if has_unit(e) else e for e in energies]
    return [f"{float(energy)!r} GeV" for energy in bare]
