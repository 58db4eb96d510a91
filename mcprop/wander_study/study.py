"""A study of fields that wander: run it, keep what came out, write the run directory."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcprop.errors import OutputError
from mcprop.provenance import origin, provenance
from mcprop.rundir import MARK, check_directory, plain, replacing
from mcprop.wander_study import figures, tables
from mcprop.wander_study.config import AnyConfig, BurstConfig, ScanConfig
from mcprop.wander_study.cost import require_affordable
from mcprop.wander_study.outcome import OnPart, Outcome


@dataclass(frozen=True)
class Study:
    """A finished study.

    Attributes
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
        With the seed.
    outcome : Outcome
    provenance : dict
        Versions, sources, machine, command, seed.
    """

    config: AnyConfig
    outcome: Outcome
    provenance: Mapping[str, Any]

    @property
    def seed(self) -> int:
        """Seed of everything that is random in it."""
        return int(self.provenance["seed"])

    @property
    def text(self) -> str:
        """What it says in the end."""
        return self.outcome.text

    def write(self, directory: str | Path, overwrite: bool = False) -> Path:
        """Write the run directory, whole or not at all.

        Parameters
        ----------
        directory : str or Path
        overwrite : bool
            Replace an earlier run, which is kept until the new one is complete.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        OutputError
            When something stands there that must not be replaced, or the disk refuses.
        """
        target = check_directory(directory, overwrite)
        try:
            with replacing(target) as folder:
                self._write_into(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"Cannot write the study to {target}: {reason}.") from error
        return target

    def _write_into(self, folder: Path) -> None:
        told = origin(self.provenance)
        meta = {"title": self.config.title, "seed": self.seed, "origin": told}
        for name, (rows, kind) in self.outcome.tables.items():
            tables.write(rows, kind, folder / name, meta)
        head = "".join(f"# {key}: {value}\n" for key, value in told.items())
        (folder / "config.toml").write_text(head + self.config.to_toml(), encoding="utf-8")
        (folder / "summary.txt").write_text(f"{head}{self.text}\n", encoding="utf-8")
        (folder / "figures").mkdir()
        for name, draw in self.outcome.figures.items():
            figures.save(draw(), folder / "figures" / name, self.config.title, told)
        if self.outcome.maps:
            (folder / "sky").mkdir()
        for name, sky in self.outcome.maps.items():
            # that of the study, whatever seed of its own a sky has: the same in every file
            replace(sky, seed=self.seed).write(folder / "sky" / name, origin=told)
        text = json.dumps(dict(self.provenance), indent=2, default=plain)
        (folder / MARK).write_text(text + "\n", encoding="utf-8")


def seeded(config: AnyConfig) -> AnyConfig:
    """The same configuration with a seed: its own, or one that is drawn.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    """
    if config.monte_carlo.seed is not None:
        return config
    return config.replace({"monte_carlo.seed": secrets.randbits(63)})


def run(
    config: AnyConfig,
    workers: int | None = None,
    on_part: OnPart = lambda done, total, share, said: None,
) -> Study:
    """Run a study.

    Parameters
    ----------
    config : ScanConfig, BurstConfig or SkyConfig
    workers : int, optional
        Number of threads, by default as many as cores. It changes no bit of the result.
    on_part : callable, optional
        Told of each part that is done.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        If it would take the field more often than `mcprop.wander_study.cost.MOST_EVALUATIONS`.
    RangeError
        If a number is beyond what the walks can do.
    """
    require_affordable(config)
    config = seeded(config)
    seed = int(config.monte_carlo.seed or 0)
    if isinstance(config, ScanConfig):
        from mcprop.wander_study.scan import run_scan

        outcome = run_scan(config, seed, workers, on_part)
    elif isinstance(config, BurstConfig):
        from mcprop.wander_study.burst import run_burst

        outcome = run_burst(config, seed, workers, on_part)
    else:
        from mcprop.wander_study.skies import run_skies

        outcome = run_skies(config, seed, workers, on_part)
    told = provenance(config.title) | {"seed": seed, "config_hash": config.digest}
    return Study(config, outcome, told)
