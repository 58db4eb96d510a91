"""The command that studies fields that wander, and what the other commands say of its scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcprop.cli_shared import (
    Whole,
    config_argument,
    output_option,
    overwrite_option,
    require_free,
    workers_option,
)
from mcprop.errors import ConfigError, one_line

if TYPE_CHECKING:
    from mcprop.wander_study.config import AnyConfig


@click.command()
@config_argument
@output_option
@click.option("--seed", type=int, metavar="S", help="Seed; without it one is drawn and stored.")
@workers_option
@overwrite_option
@click.option(
    "--realisations", type=Whole(), metavar="N", help="Realisations of the field of each case."
)
@click.option(
    "--mach", metavar="M,M,...",
    help="dB/B0, in place of those configured; only one for a burst or a sky.",
)  # fmt: skip
def wander(
    config: str,
    output: Path,
    seed: int | None,
    workers: int | None,
    overwrite: bool,
    realisations: int | None,
    mach: str | None,
) -> None:
    """Measure what fields that wander do to diffusion, and say which law holds where.

    A study is told and written once it is finished: Ctrl-C and any trouble leave DIR as it was.

    Exit codes: 0; 2 (usage or configuration); 3 (files, disk); 130 (Ctrl-C).
    """
    with _nothing_written():
        settings = _load(config)
        changes: dict[str, Any] = {
            "monte_carlo.seed": seed,
            "monte_carlo.realisations": realisations,
        } | _mach_of(settings, mach)
        settings = settings.replace({k: v for k, v in changes.items() if v is not None})
        require_free(output, overwrite)
        from mcprop.wander_study.cost import require_affordable, start_text
        from mcprop.wander_study.progress import Progress
        from mcprop.wander_study.study import run, seeded

        require_affordable(settings)
        settings = seeded(settings)
        click.echo(start_text(settings, workers))
        study = run(settings, workers, Progress())
        # told first, which a full disk cannot take back; and written where nobody listens
        with suppress(OSError):
            click.echo(f"{study.text}\nSeed: {study.seed}")
        study.write(output, overwrite=overwrite)
    click.echo(f"Output: {one_line(str(output))}")


def check_text(config: str) -> str:
    """What `mcprop check` says of a configuration of `mcprop wander`.

    Parameters
    ----------
    config : str
        Name of a scenario, or path of a file.
    """
    from mcprop.wander_study import config as configurations
    from mcprop.wander_study.cost import cost_text, require_affordable
    from mcprop.wander_study.plan import plan_text

    checked = configurations.load(config)
    require_affordable(checked)
    told = f"{plan_text(checked)}\n{cost_text(checked)}"
    return f"{one_line(config)}: fine. {checked.title}\n{told}"


def _load(config: str) -> AnyConfig:
    """Load a study; what is made for other commands is sent there."""
    from mcprop import models, scenario
    from mcprop.wander_study import config as configurations

    if config in scenario.names() or configurations.model_in(config) in models.known():
        raise ConfigError(f"{one_line(config)}: is for mcprop run, not for mcprop wander")
    if config:
        configurations.FILES.require(config, "neither a file nor a scenario", scenario.names())
    return configurations.load(config)


def _mach_of(settings: AnyConfig, option: str | None) -> dict[str, Any]:
    """Turn 0.1,0.3 into values of the scenario."""
    if option is None:
        return {}
    try:
        numbers = [float(item) for item in option.split(",")]
    except ValueError:
        shown = option if len(option) <= 80 else option[:80] + "..."
        raise ConfigError(
            f"--mach: got {shown!r}; allowed: numbers with commas between, as in 0.1,0.3"
        ) from None
    if hasattr(settings, "scan"):
        return {"scan.mach": numbers}
    if len(numbers) > 1:
        raise ConfigError(f"--mach: got {len(numbers)} numbers; allowed: one, for a burst or a sky")
    return {"field.mach": numbers[0]}


@contextmanager
def _nothing_written() -> Iterator[None]:
    """Say on Ctrl-C that no file has been touched."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing was written") from None


COMMANDS: tuple[Any, ...] = (wander,)
