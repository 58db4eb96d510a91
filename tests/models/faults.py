"""What befalls runs: a process is killed, a bit of a file flips, a file is cut short."""

import multiprocessing
import os
import re
import shutil
import signal
import warnings
from contextlib import contextmanager
from pathlib import Path

from mcprop.errors import OutputError
from mcprop.rundir import is_finished, is_run
from mcprop.simulation import Simulation
from mcprop.store import Store

FORK = multiprocessing.get_context("fork")
"""A child that begins as this process is: nothing is imported or compiled anew."""


def forked(task, *args):
    """Do a task in a child that has begun."""
    child = FORK.Process(target=task, args=args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # idle threads of libraries
        child.start()
    return child


def killed(task, seconds):
    """Do a task in a child, killed by SIGKILL after `seconds`; False if it has ended before.

    Any other end than that of a task that is done raises.
    """
    child = forked(task)
    child.join(seconds)
    if child.exitcode is None:
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    if child.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"the run has ended with the exit code {child.exitcode}")
    return child.exitcode != 0


def run_with_kills(config, directory, draw, kills, span, **how):
    """Run a configuration that is killed at random moments and goes on each time.

    Parameters
    ----------
    config : Config
        With a seed.
    directory : Path
        Of the run; new.
    draw : random.Random
    kills : int
        How often it is killed at most: it may end before.
    span : float
        A process lives for a time between 0 and this one [s].
    **how
        Executor and workers.

    Returns
    -------
    int
        How often it was killed.
    """

    def live():
        if is_run(directory):
            Simulation.resume(directory, **how)
        else:  # killed before there was anything to go on with
            shutil.rmtree(directory, ignore_errors=True)
            Simulation(config).run(directory=directory, **how)

    count = 0
    while count < kills and not is_finished(directory):
        count += killed(live, draw.uniform(0.0, span))
    live()
    return count


def written(directory):
    """The files of a result with every bit that does not tell of time, place or batches."""
    when = re.compile(rb"DATE +=[^/]*")  # in the header of a map
    return {
        str(path.relative_to(directory)): when.sub(b"", path.read_bytes())
        for path in sorted(Path(directory).rglob("*"))
        if path.suffix in (".ecsv", ".fits", ".png") or path.name == "config.toml"
    }


def flipped(content, draw):
    """Bytes with one bit turned."""
    at = draw.randrange(8 * len(content))
    turned = bytearray(content)
    turned[at // 8] ^= 1 << at % 8
    return bytes(turned)


def cut(content, draw):
    """Bytes of which some are missing at the end, perhaps all."""
    return content[: draw.randrange(len(content))]


def stored_files(directory):
    """Files of a run on which its continuation rests."""
    documents = [directory / name for name in ("manifest.json", "stopped.json")]
    return [*(p for p in documents if p.exists()), *sorted((directory / "batches").iterdir())]


@contextmanager
def spoilt(path, fault, draw):
    """A file with a fault in it, as long as the block runs."""
    content = path.read_bytes()
    path.write_bytes(fault(content, draw))
    try:
        yield
    finally:
        path.write_bytes(content)


def is_refused(directory):
    """Whether the damage in a run directory is found, in one sentence."""
    said = ""
    try:
        store = Store.opened(directory)
        with store.locked():
            store.verify()
            store.decided()
    except OutputError as error:
        said = str(error)
    return "damaged" in said and "\n" not in said
