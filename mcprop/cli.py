"""The command line. Exit codes: 0, 2 (usage or configuration), 3 (files, disk), 130 (Ctrl-C)."""

from __future__ import annotations

import sys
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from mcprop import __version__, cli_run, cli_wander
from mcprop.cli_shared import config_argument, unwritable
from mcprop.errors import McpropError, OutputError, one_line
from mcprop.ranks import mpi_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcprop.scenario import Config

INTERRUPTED = 130


class _Group(click.Group):
    """A group that ends every foreseeable trouble with plain lines and an exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **how: Any) -> Any:
        """Do what the command line says; of several ranks of MPI, only the first does."""
        with mpi_ranks(sys.argv[1:] if args is None else list(args)) as first:
            return super().main(args, *more, **how) if first else None

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


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mcprop")
def main() -> None:
    """Cosmic-ray arrival directions: backward Monte Carlo against published formulas."""


@main.command()
def scenarios() -> None:
    """List the built-in scenarios."""
    from mcprop import scenario
    from mcprop.wander_study import config as wandering

    titles = {name: scenario.load(name).title for name in scenario.names()}
    titles |= {name: wandering.load(name).title for name in wandering.names()}
    width = max(map(len, titles))
    for name, title in titles.items():
        click.echo(f"{name.ljust(width)}  {title}")


@main.command()
@click.argument("scenario_name", metavar="SCENARIO")
@click.option(
    "-o", "output", metavar="FILE", type=click.Path(path_type=Path), help="File to write."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
def init(scenario_name: str, output: Path | None, overwrite: bool) -> None:
    """Copy a built-in SCENARIO, to edit it. Without -o to standard output."""
    from mcprop import scenario
    from mcprop.wander_study import config as wandering

    for_wander = scenario_name in wandering.names()
    if for_wander:
        text = wandering.text(scenario_name)
    else:
        text = scenario.FILES.text(scenario_name, wandering.names())
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("w" if overwrite else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{output}: exists already; --overwrite replaces it.") from None
    except (OSError, ValueError) as error:
        raise unwritable(output, error) from None
    shown = one_line(str(output))
    command = "wander" if for_wander else "run"
    click.echo(f"Wrote {shown}; run it with: mcprop {command} {shown} -o DIR")


@main.command()
@config_argument
def check(config: str) -> None:
    """Say whether a configuration can be run, and what follows from it."""
    from mcprop import models, scenario
    from mcprop.wander_study import config as wandering

    if wandering.belongs(config):
        click.echo(cli_wander.check_text(config))
        return
    if config and config not in scenario.names():
        scenario.FILES.require(config, "neither a file nor a scenario", wandering.names())
        wandering.require_model(config, models.known())
    checked = scenario.load(config)
    study, model = checked.study, checked.model()
    energies, names = checked.energies.grid, ", ".join(checked.species.names)
    click.echo(f"{one_line(config)}: fine. {checked.title}")
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
@click.argument("target", metavar="DIR|SCENARIO")
def cite(target: str) -> None:
    """Print BibTeX of what a run, or a scenario, rests on."""
    from mcprop import cite as references
    from mcprop import scenario
    from mcprop.wander_study import config as wandering

    directory = Path(target)
    if target in wandering.names() or wandering.belongs(target):
        model = wandering.load(target).study
        skies = ("sky",) if model == "wandering-sky" else ()
        click.echo(references.bibliography(("wander", *skies), model=model), nl=False)
        return
    nothing = "neither a run directory, a file nor a scenario"
    scenario.FILES.require(target, nothing, wandering.names())
    if target not in scenario.names() and directory.is_dir():
        parts, version = references.parts_of(directory), references.version_of(directory)
        model = references.model_of(directory)
        click.echo(references.bibliography(parts, version, model), nl=False)
    else:
        model = scenario.load(target).formulas
        click.echo(references.bibliography(model=model), nl=False)


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


for _command in (*cli_run.COMMANDS, *cli_wander.COMMANDS):
    main.add_command(_command)
