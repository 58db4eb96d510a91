"""The command line. Exit codes: 0, 2 (usage or configuration), 3 (files, disk), 130 (Ctrl-C)."""

from __future__ import annotations

import math
import tempfile
import tomllib
import warnings
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from mcprop import __version__
from mcprop.errors import ConfigError, McpropError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcprop.scenario import Config

INTERRUPTED = 130
MOST_THREADS = 1024


class _Group(click.Group):
    """A group that ends every foreseeable trouble with plain lines and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except McpropError as error:
                _complain(str(error))
                ctx.exit(error.exit_code)
            except KeyboardInterrupt as interruption:
                _complain("; ".join(["Interrupted", *map(str, interruption.args)]) + ".")
                ctx.exit(INTERRUPTED)
            except BrokenPipeError:
                raise
            except OSError as error:
                _complain(f"{error.filename or 'output'}: {error.strerror or error}")
                ctx.exit(OutputError.exit_code)


def _complain(text: str) -> None:
    click.echo(text, err=True)


@contextmanager
def _nothing_written() -> Iterator[None]:
    """Say on Ctrl-C that no file has been touched so far."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing was written") from None


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say a warning in one line, without the source it comes from."""
    _complain(f"Warning: {' '.join(str(message).split())}")


class _Whole(click.ParamType):
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


def _thread_count(ctx: click.Context, param: click.Parameter, value: int | None) -> int | None:
    if value is not None and not 1 <= value <= MOST_THREADS:
        raise click.BadParameter(f"{value} threads; allowed are 1 to {MOST_THREADS}.")
    return value


_config = click.argument("config", metavar="CONFIG|SCENARIO")
_output = click.option(
    "-o", "output", required=True, metavar="DIR", type=click.Path(path_type=Path),
    help="Directory for the result, made if it is missing; an earlier run in it is"
    " refused unless --overwrite is given.",
)  # fmt: skip
_energies = click.option(
    "--energies", metavar="E,E,...", help="Total energies in GeV, in place of those configured."
)
_overwrite = click.option(
    "--overwrite", is_flag=True,
    help="Replace an earlier run in DIR, all its files, once the new one is complete."
    " A directory that holds anything but a run is never touched.",
)  # fmt: skip


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mcprop")
def main() -> None:
    """Cosmic-ray arrival directions: backward Monte Carlo against published formulas."""


@main.command()
def scenarios() -> None:
    """List the built-in scenarios."""
    from mcprop import scenario

    width = max(map(len, scenario.names()))
    for name in scenario.names():
        click.echo(f"{name.ljust(width)}  {scenario.load(name).title}")


@main.command()
@click.argument("scenario_name", metavar="SCENARIO")
@click.option(
    "-o", "output", metavar="FILE", type=click.Path(path_type=Path), help="File to write."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
def init(scenario_name: str, output: Path | None, overwrite: bool) -> None:
    """Copy a built-in SCENARIO, to edit it. Without -o to standard output."""
    from mcprop import scenario

    text = scenario.text(scenario_name)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("w" if overwrite else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{output}: exists already; --overwrite replaces it.") from None
    except (OSError, ValueError) as error:
        raise _unwritable(output, error) from None
    click.echo(f"Wrote {output}; run it with: mcprop run {output} -o DIR")


@main.command()
@_config
def check(config: str) -> None:
    """Say whether a configuration can be run, and what follows from it."""
    from mcprop import scenario

    checked = scenario.load(config)
    study, model = checked.study, checked.model()
    energies, names = checked.energies.grid, ", ".join(checked.species.names)
    click.echo(f"{config}: fine. {checked.title}")
    click.echo(f"{len(energies)} energies, {min(energies):g} to {max(energies):g} GeV, of {names}")
    for line in study.summary(checked, model):
        click.echo(line)
    run_of = checked.monte_carlo
    estimator = getattr(run_of, "estimator", "")
    with_it = f", estimator {estimator}" if estimator else ""
    click.echo(f"monte_carlo: {checked.stop.histories} histories{with_it}")
    changes = _differences(checked, scenario.parse(study.defaults(), study.key))
    click.echo(f"differs from {study.key} in: {', '.join(changes) or 'nothing'}")


@main.command()
@_config
@_output
@_energies
@_overwrite
def analytic(config: str, output: Path, energies: str | None, overwrite: bool) -> None:
    """Evaluate the published formulas only."""
    from mcprop import report

    with _nothing_written():
        settings = _load(config, {"energies": _energy_list(energies)})
        _require_free(output, overwrite)
        from mcprop.simulation import Simulation

        result = Simulation(settings).analytic()
    result.write(output, overwrite=overwrite)
    click.echo(report.closing(result, output))


@main.command()
@_config
@_output
@_energies
@click.option(
    "--histories",
    type=_Whole(),
    metavar="N",
    help="Pseudo-particles per energy, species and component, such as 1e5; in lrmf-sdp of the"
    " remnant, the background has monte_carlo.background_histories.",
)
@click.option("--rel-err", type=float, metavar="X", help="Relative error at which to stop early.")
@click.option("--seed", type=int, metavar="S", help="Seed; without it one is drawn and stored.")
@click.option(
    "-j",
    "--threads",
    type=int,
    callback=_thread_count,
    metavar="THREADS",
    help=f"Default: all cores; at most {MOST_THREADS}. Changes no bit of the result.",
)
@click.option(
    "--analog",
    is_flag=True,
    help="Plain histories without variance reduction: an independent check that needs far more"
    " of them for the same error bar.",
)
@click.option(
    "--halving",
    is_flag=True,
    help="Run 1 % of the histories (at least 256 of a job) once more with half the step; the"
    " comparison then holds the difference.",
)
@_overwrite
def run(
    config: str,
    output: Path,
    energies: str | None,
    histories: int | None,
    rel_err: float | None,
    seed: int | None,
    threads: int | None,
    analog: bool,
    halving: bool,
    overwrite: bool,
) -> None:
    """Run pseudo-particles and compare them with the formulas.

    Exit codes: 0; 2 (usage or configuration); 3 (files, disk); 130 (Ctrl-C; nothing is written).
    """
    from mcprop import report

    changes = {
        "energies": _energy_list(energies),
        "stop.histories": histories,
        "stop.rel_err": rel_err,
        "monte_carlo.seed": seed,
    }
    with _nothing_written():
        settings = _load(config, changes, analog)
        _require_free(output, overwrite)
        from mcprop.simulation import Simulation

        with report.Progress() as progress:
            result = Simulation(settings).run(
                threads=threads,
                analog=analog,
                on_energy=progress.on_energy,
                halving=halving,
            )
    result.write(output, overwrite=overwrite)
    click.echo(report.closing(result, output))


@main.command()
@click.argument("target", metavar="DIR|SCENARIO")
def cite(target: str) -> None:
    """Print BibTeX of what a run, or a scenario, rests on."""
    from mcprop import cite as references
    from mcprop import scenario

    directory = Path(target)
    scenario.require(target, "neither a run directory, a file nor a scenario")
    if target not in scenario.names() and directory.is_dir():
        parts, version = references.parts_of(directory), references.version_of(directory)
        model = references.model_of(directory)
        click.echo(references.bibliography(parts, version, model), nl=False)
    else:
        model = scenario.load(target).formulas
        click.echo(references.bibliography(model=model), nl=False)


def _load(config: str, changes: dict[str, Any], analog: bool = False) -> Config:
    """Load a scenario and apply what the options say; None is no option."""
    from mcprop import scenario

    settings = scenario.load(config)
    changes = changes | {"monte_carlo.estimator": settings.estimator_of(analog)}
    settings = settings.replace({k: value for k, value in changes.items() if value is not None})
    settings.model()
    return settings


def _differences(config: Config, base: Config) -> list[str]:
    """Values that differ from those of another configuration, each with the other in brackets."""
    ours, theirs = (dict(_leaves(tomllib.loads(c.to_toml()))) for c in (config, base))
    return [
        f"{key} = {_shown(ours.get(key))} ({_shown(theirs.get(key))})"
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key) and key != "title"
    ]


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of everything in a TOML document."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> str:
    """A value for a list of differences; a long list is counted."""
    if isinstance(value, list):
        return f"{len(value)} values" if len(value) > 6 else " ".join(map(str, value))
    return "not set" if value is None else str(value)


def _energy_list(option: str | None) -> dict[str, list[str]] | None:
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


def _require_free(directory: Path, overwrite: bool) -> None:
    """Refuse at once, not after the run, a directory that cannot be written."""
    from mcprop.rundir import check_directory

    try:
        # what is no run is never replaced
        target = check_directory(directory, overwrite=True)
        if not overwrite and target.exists() and any(target.iterdir()):
            raise OutputError(f"{directory}: holds a run already; --overwrite replaces it.")
        empty = target.is_dir() and not any(target.iterdir())  # it is filled, not replaced
        home = target if empty else next(folder for folder in target.parents if folder.exists())
        # trying is the only test that knows quotas, read-only disks and access lists
        with tempfile.TemporaryDirectory(prefix=".mcprop-", dir=home):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(directory, error) from None


def _unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error}).")
