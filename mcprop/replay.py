"""One history of a run once more, in plain Python: its path, and the same bits as compiled.

A history is a function of seed, job and number alone, so it needs no run around it. Numba reads
``NUMBA_DISABLE_JIT`` when it is imported: plain Python is a process of its own, started here as
``python -m mcprop.replay``, which takes a list of requests and gives its answers as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mcprop import models
from mcprop.errors import McpropError, RangeError
from mcprop.paths import Call, recorded, witnessed
from mcprop.plan import Planned
from mcprop.replayed import Replayed, as_data, replayed, written
from mcprop.scenario import parse

if TYPE_CHECKING:
    from mcprop.scenario import Config

SLOW, MOST = 200_000, 5_000_000
"""Steps of a history, all copies counted, that take minutes; and that are not replayed at all."""
STEPS_PER_SECOND = 5000.0
"""Of plain Python, roughly; for a warning."""

PLAIN = ("-P", "-m", "mcprop.replay")
"""Arguments of the process in plain Python."""


class Report(NamedTuple):
    """Histories as text.

    Parameters
    ----------
    text : str
        Path and scores; the last line says whether the compiled kernels give the same bits.
    same : bool
        Whether they do.
    """

    text: str
    same: bool


def run(
    config: Config,
    seed: int,
    energy: float,
    history: int,
    component: str | None = None,
    species: str | None = None,
) -> Report:
    """Replay a history of every job at one energy and write down its paths.

    Parameters
    ----------
    config : Config
        Configuration of the run.
    seed : int
        Seed of the run.
    energy : float
        Total energy [GeV].
    history : int
        Number of the history in the run, from 0.
    component, species : str, optional
        Only the jobs of this component, of this species.

    Returns
    -------
    Report

    Raises
    ------
    RangeError
        As `replay`.
    """
    found = replay(config, seed, energy, history, component, species)
    lines = [f"# history {history} of the run with seed {seed}, at {energy:g} GeV"]
    for one in found:
        lines += ["#", *written(one)]
    differences = [line for one in found for line in one.differences]
    lines += ["#", *(f"# differs: {line}" for line in differences)]
    verdict = "other bits, see above" if differences else "the same bits"
    return Report("\n".join([*lines, f"# compiled: {verdict}"]) + "\n", not differences)


def replay(
    config: Config,
    seed: int,
    energy: float,
    history: int,
    component: str | None = None,
    species: str | None = None,
    gives: str | None = None,
) -> list[Replayed]:
    """Run one history of every job at one energy, compiled and in plain Python.

    Parameters
    ----------
    config, seed, energy, history, component, species
        As in `run`.
    gives : str, optional
        Only the jobs that give this, such as "dipole".

    Returns
    -------
    list of Replayed
        One for each job that has run this history, in the order of the run.

    Raises
    ------
    RangeError
        If no job is of this component or species, none has run this history, or it is very long.
    """
    from numba import config as numba_config

    if numba_config.DISABLE_JIT:
        raise RangeError(
            "NUMBA_DISABLE_JIT is set; it must not be, for there is nothing to compare."
        )
    planned = config.study.planner(config.model(), config.monte_carlo).jobs(energy)
    wanted = {"component": component, "species": species, "gives": gives}
    numbers = _chosen(planned, {k: v for k, v in wanted.items() if v is not None}, energy, history)
    compiled = [_run(witnessed, planned[number], seed, history) for number in numbers]
    _measure(sum(answer["steps"] for answer in compiled))
    [plain] = _asked([request(config, seed, energy, history, numbers)])
    return [
        replayed(planned[number], *answers)
        for number, *answers in zip(numbers, plain, compiled, strict=True)
    ]


def request(
    config: Config, seed: int, energy: float, history: int, jobs: Sequence[int]
) -> dict[str, Any]:
    """What the process in plain Python is asked.

    Parameters
    ----------
    config, seed, energy, history
        As in `run`.
    jobs : sequence of int
        Numbers of the jobs, in the order of the plan.

    Returns
    -------
    dict
        For ``json.dump``.
    """
    return {
        "config": config.to_toml(),
        "seed": int(seed),
        "energy": float(energy),
        "history": int(history),
        "jobs": list(jobs),
        "models": dict(models.STUDIES),
    }


def _chosen(
    planned: Sequence[Planned], wanted: dict[str, str], energy: float, history: int
) -> list[int]:
    """Numbers of the jobs that are wanted and have run the history."""
    for name, value in wanted.items():
        known = dict.fromkeys(getattr(p, name) for p in planned)
        if value not in known:
            raise RangeError(
                f"{name} = {value!r} is not transported at {energy:g} GeV; allowed: "
                f"{', '.join(known)}."
            )
    fitting = [
        i for i, p in enumerate(planned) if all(getattr(p, k) == v for k, v in wanted.items())
    ]
    if not fitting:
        asked = ", ".join(f"{name} = {value!r}" for name, value in wanted.items())
        raise RangeError(f"{asked}: no job at {energy:g} GeV is all of this.")
    most = max((planned[i].histories or 2**63) for i in fitting)
    if not 0 <= history < most:
        raise RangeError(f"history = {history} must lie between 0 and {most - 1}.")
    return [i for i in fitting if history < (planned[i].histories or 2**63)]


def _measure(steps: int) -> None:
    """Warn of histories that take minutes in plain Python, refuse those that take hours."""
    if steps > MOST:
        raise RangeError(f"The history has {steps} steps; allowed are {MOST} in plain Python.")
    if steps > SLOW:
        minutes = steps / STEPS_PER_SECOND / 60.0
        warnings.warn(
            f"the history has {steps} steps: plain Python takes about {minutes:.0f} min",
            stacklevel=4,
        )


def _asked(questions: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Answers of a process without a compiler, one for each job of each request."""
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, *PLAIN],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word of it"])[-1]
        raise McpropError(f"Plain Python ended with exit code {done.returncode}: {last}")
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


def _run(
    seen: Callable[[], AbstractContextManager[list[Call]]],
    planned: Planned,
    seed: int,
    history: int,
) -> dict[str, Any]:
    """A history as JSON, every bit kept."""
    with seen() as calls:
        outcome = planned.job.run(seed, history, 1, 0)
    moments = outcome.moments
    score = moments.mean.tolist() if moments.n else [float("nan")] * 4
    return {
        "calls": [call._replace(values=as_data(call.values)) for call in calls],
        "score": score,
        "fates": outcome.fates.tolist(),
        "steps": int(outcome.steps),
    }


@cache
def _planned(config: str, energy: float) -> list[Planned]:
    """Jobs at one energy of a configuration as text."""
    parsed = parse(config)
    planned: list[Planned] = parsed.study.planner(parsed.model(), parsed.monte_carlo).jobs(energy)
    return planned


def _work(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer a request, in the process without a compiler."""
    models.STUDIES.update(question["models"])
    planned = _planned(question["config"], question["energy"])
    answers: list[dict[str, Any]] = []
    for number in question["jobs"]:
        try:
            answers.append(_run(recorded, planned[number], question["seed"], question["history"]))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{os.path.basename(place.filename)}, line {place.lineno}"
            answers.append({"stopped": f"{type(error).__name__}: {error} ({where})"})
    return answers


def main() -> None:
    """Answer the requests on standard input; whatever models print goes to standard error."""
    try:
        with redirect_stdout(sys.stderr):
            answers = [_work(question) for question in json.load(sys.stdin)]
    except McpropError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(error.exit_code)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
