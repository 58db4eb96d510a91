"""The commands that evaluate and run scenarios, and look after runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcprop.cli_shared import (
    Whole,
    config_argument,
    energies_option,
    energy_list,
    executor_options,
    load,
    number_or_text,
    output_option,
    overwrite_option,
    require_free,
)
from mcprop.errors import OutputError, RangeError, StoppedError, one_line
from mcprop.ranks import leave

if TYPE_CHECKING:
    from mcprop.result import Result
    from mcprop.scenario import Config

directory_argument = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@config_argument
@output_option
@energies_option
@overwrite_option
def analytic(config: str, output: Path, energies: str | None, overwrite: bool) -> None:
    """Evaluate the published formulas only."""
    from mcprop import report

    with _nothing_written():
        settings = load(config, {"energies": energy_list(energies)})
        require_free(output, overwrite)
        from mcprop.simulation import Simulation

        result = Simulation(settings).analytic()
    result.write(output, overwrite=overwrite)
    click.echo(report.closing(result, output))


@click.command()
@config_argument
@output_option
@energies_option
@click.option(
    "--histories",
    type=Whole(),
    metavar="N",
    help="Pseudo-particles per energy, species and component, such as 1e5; in lrmf-sdp of the"
    " remnant, the background has monte_carlo.background_histories.",
)
@click.option("--rel-err", type=float, metavar="X", help="Relative error at which to stop early.")
@click.option(
    "--seconds", metavar="S",
    help="No energy is given more histories if the run would then take longer than this, in"
    ' seconds or such as "30 min".',
)  # fmt: skip
@click.option("--seed", type=int, metavar="S", help="Seed; without it one is drawn and stored.")
@executor_options
@click.option(
    "--analog",
    is_flag=True,
    help="Plain histories without variance reduction: an independent check that needs far more"
    " of them for the same error bar.",
)
@click.option(
    "--halving",
    is_flag=True,
    help="Run 1 % of the histories (at least 256 of a job) once more with half the step, and 4 %"
    " with half the last leg to a burst; the comparison then holds the differences.",
)
@overwrite_option
def run(
    config: str,
    output: Path,
    energies: str | None,
    histories: int | None,
    rel_err: float | None,
    seconds: str | None,
    seed: int | None,
    executor: str,
    workers: int | None,
    analog: bool,
    halving: bool,
    overwrite: bool,
) -> None:
    """Run pseudo-particles and compare them with the formulas.

    Every finished batch is kept in DIR at once. Ctrl-C, SIGTERM and SIGUSR1 end the run within
    seconds; mcprop resume DIR goes on with it, also after a crash, and gives the same result, bit
    for bit.

    Exit codes: 0 (also if ended by a signal); 2 (usage or configuration); 3 (files, disk, workers).
    """
    changes = {
        "energies": energy_list(energies),
        "stop.histories": histories,
        "stop.rel_err": rel_err,
        "stop.seconds": number_or_text(seconds),
        "monte_carlo.seed": seed,
        "monte_carlo.halving": "on" if halving else None,
    }
    with _nothing_written():
        settings = load(config, changes, analog)
        require_free(output, overwrite)
        from mcprop.simulation import Simulation

        simulation = Simulation(settings)
    _watched(
        output,
        lambda **how: simulation.run(
            executor=executor, workers=workers, directory=output, overwrite=overwrite, **how
        ),
    )


@click.command()
@directory_argument
@executor_options
@click.option("--repair", is_flag=True, help="Run batches again whose files are damaged.")
def resume(directory: Path, executor: str, workers: int | None, repair: bool) -> None:
    """Go on with the run in DIR, on any executor; the result is the same, bit for bit.

    Exit codes: as of mcprop run.
    """
    from mcprop.simulation import Simulation

    _watched(
        directory,
        lambda **how: Simulation.resume(
            directory, executor=executor, workers=workers, repair=repair, **how
        ),
    )


@click.command()
@directory_argument
def status(directory: Path) -> None:
    """Say of the run in DIR how far it is, how good, and how long it will take."""
    from mcprop.status import status_text

    click.echo(status_text(directory))


@click.command()
@directory_argument
@click.option("--batch", type=int, required=True, metavar="K", help="Number of the batch.")
@click.option(
    "--history", type=int, required=True, metavar="N", help="Number of the history in it, from 0."
)
@click.option("--component", metavar="C", help="Only this component, such as nearby.")
@click.option("--species", metavar="S", help="Only this nucleus, such as p.")
@click.pass_context
def replay(
    ctx: click.Context,
    directory: Path,
    batch: int,
    history: int,
    component: str | None,
    species: str | None,
) -> None:
    """Run one history of the run in DIR again, in plain Python, and print its path.

    It is also run compiled; exit code 1 if the two differ in a bit. The batches of mcprop run are
    numbered energy by energy, as their files are.
    """
    from mcprop import replay as again
    from mcprop.store import Store

    config = Store.opened(directory).config
    energy, number = place_of(config, batch, history)
    report = again.run(config, config.monte_carlo.seed or 0, energy, number, component, species)
    click.echo(report.text)
    ctx.exit(0 if report.same else 1)


def place_of(config: Config, batch: int, history: int) -> tuple[float, int]:
    """Energy [GeV] of a batch, and the number in the run of one of its histories.

    Raises
    ------
    RangeError
        If there is no such batch, or it has fewer histories.
    """
    spans, grid = config.batches(), config.energies.grid
    if not 0 <= batch < len(spans) * len(grid):
        raise RangeError(f"--batch {batch}: allowed: 0 to {len(spans) * len(grid) - 1}.")
    first, n = spans[batch % len(spans)]
    if not 0 <= history < n:
        raise RangeError(f"--history {history}: allowed in batch {batch}: 0 to {n - 1}.")
    return grid[batch // len(spans)], first + history


def _watched(directory: Path, task: Callable[..., Result]) -> None:
    """Do a run while its progress is shown and signals are heard."""
    from mcprop import report
    from mcprop.interruption import Signals
    from mcprop.status import kept

    try:
        with Signals() as halt, report.Progress() as progress, _how_to_go_on(directory):
            result = task(on_energy=progress.on_energy, halt=halt)
    except StoppedError as stopped:
        shown = one_line(str(directory))
        click.echo(f"{stopped}: {kept(directory)}; continue with: mcprop resume {shown}")
        if stopped.dropped:  # threads that compute on would keep the process alive
            leave(StoppedError.exit_code)
        return
    click.echo(report.closing(result, directory))


@contextmanager
def _how_to_go_on(directory: Path) -> Iterator[None]:
    """Add to trouble in the middle of a run what has been kept."""
    from mcprop.errors import ExecutorError
    from mcprop.status import kept

    try:
        yield
    except KeyboardInterrupt:
        if not kept(directory):
            raise KeyboardInterrupt("nothing was written") from None
        raise StoppedError("Interrupted", dropped=1) from None
    except (ExecutorError, OutputError) as error:
        if not error.can_go_on:
            raise
        said, shown = str(error).rstrip("."), one_line(str(directory))
        told = f"{said}; {kept(directory)}, continue with: mcprop resume {shown}"
        raise type(error)(told) from error


@contextmanager
def _nothing_written() -> Iterator[None]:
    """Say on Ctrl-C that no file has been touched so far."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing was written") from None


COMMANDS: tuple[Any, ...] = (analytic, run, resume, status, replay)
