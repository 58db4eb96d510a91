"""What the commands share: arguments, options, how trouble is told."""

from __future__ import annotations

import math
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcprop.errors import ConfigError, OutputError, one_line

if TYPE_CHECKING:
    from mcprop.scenario import Config


class Whole(click.ParamType):
    """A whole number, also written as 1e5."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number, or say what is wrong with it."""
        try:
            number = Decimal(value)
            # int() of 1e999999999 would fill the memory
            if number.is_finite() and number.adjusted() < 40 and number == int(number):
                return int(number)
        except (ArithmeticError, TypeError, ValueError):
            pass
        self.fail(f"{value!r} is not a whole number, such as 100000 or 1e5.", param, ctx)


config_argument = click.argument("config", metavar="CONFIG|SCENARIO")


def _named(ctx: click.Context, param: click.Parameter, value: str) -> Path:
    if not value:
        raise click.BadParameter("the name of the directory is empty.")
    return Path(value)


output_option = click.option(
    "-o", "output", required=True, metavar="DIR", type=click.Path(), callback=_named,
    help="Directory for the result, made if it is missing; an earlier run in it is"
    " refused unless --overwrite is given.",
)  # fmt: skip
MOST_WORKERS = 1024


def _worker_count(ctx: click.Context, param: click.Parameter, value: int | None) -> int | None:
    if value is not None and not 1 <= value <= MOST_WORKERS:
        raise click.BadParameter(f"{value} workers; allowed are 1 to {MOST_WORKERS}.")
    return value


workers_option = click.option(
    "-j", "--workers", type=int, callback=_worker_count, metavar="N",
    help=f"Threads or processes; default: all cores, at most {MOST_WORKERS}.",
)  # fmt: skip


def executor_options(command: Any) -> Any:
    """Options that say who computes."""
    executor = click.option(
        "--executor", default="threads", metavar="NAME",
        help="threads (default), processes, dask:ADDRESS (or dask:FILE.json, of its scheduler), or"
        " mpi (under mpiexec). Changes no bit of the result.",
    )  # fmt: skip
    return executor(workers_option(command))


energies_option = click.option(
    "--energies", metavar="E,E,...", help="Total energies in GeV, in place of those configured."
)
overwrite_option = click.option(
    "--overwrite", is_flag=True,
    help="Remove an earlier run in DIR, finished or not, with everything in it."
    " A directory without a run in it is never touched.",
)  # fmt: skip


def load(config: str, changes: dict[str, Any], analog: bool = False) -> Config:
    """Load a scenario and apply what the options say; None is no option."""
    from mcprop import scenario
    from mcprop.wander_study import config as wandering

    if wandering.belongs(config):
        raise ConfigError(f"{one_line(config)}: is for mcprop wander, not for this command")
    if config:
        scenario.FILES.require(config, "neither a file nor a scenario", wandering.names())
    settings = scenario.load(config)
    changes = changes | {"monte_carlo.estimator": settings.estimator_of(analog)}
    settings = settings.replace({k: value for k, value in changes.items() if value is not None})
    settings.model()
    return settings


def number_or_text(option: str | None) -> float | str | None:
    """A number as it is meant, or text with a unit."""
    try:
        return None if option is None else float(option)
    except ValueError:
        return option


def energy_list(option: str | None) -> dict[str, list[str]] | None:
    """Turn 1e3,1e4 into a section of the scenario, each number kept exactly."""
    if option is None:
        return None
    try:
        numbers = [float(item) for item in option.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        shown = option if len(option) <= 80 else option[:80] + "..."
        raise ConfigError(
            f"--energies: got {shown!r}; allowed: numbers in GeV with commas between, as in 1e3,1e4"
        )
    return {"values": [f"{number!r} GeV" for number in numbers]}


def require_free(directory: Path, overwrite: bool) -> None:
    """Refuse at once, not after the run, a directory that cannot be written."""
    from mcprop.rundir import check_directory, is_empty, is_finished

    try:
        # what is no run is never replaced
        target = check_directory(directory, overwrite=True)
        if not overwrite and target.exists() and not is_empty(target):
            go_on = "" if is_finished(target) else f"mcprop resume {directory} goes on with it, "
            raise OutputError(f"{directory}: holds a run already; {go_on}--overwrite replaces it.")
        empty = target.is_dir() and is_empty(target)  # it is filled, not replaced
        home = target if empty else next(folder for folder in target.parents if folder.exists())
        # trying is the only test that knows quotas, read-only disks and access lists
        with tempfile.TemporaryDirectory(prefix=".mcprop-", dir=home):
            pass
    except (OSError, ValueError) as error:
        raise unwritable(directory, error) from None


def unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    """Say that something cannot be written, and why."""
    return OutputError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error}).")
