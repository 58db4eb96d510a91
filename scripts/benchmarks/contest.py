"""Ways to walk the same particles, measured in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import cpu_seconds, interleaved, ratios, summary


@dataclass(frozen=True)
class Contestant:
    """One way to walk.

    Parameters
    ----------
    about : str
        What it is, in a few words.
    run : callable
        Walks a number of particles; gives where they end, particles along the last axis.
    particles : int
        How many are walked in a measurement.
    check : callable
        What the ends have in common with those of the others, whatever the way.
    target : float, optional
        How many times slower than the package it should be.
    """

    about: str
    run: Callable[[int], np.ndarray]
    particles: int
    check: Callable[[np.ndarray], dict[str, float]]
    target: float | None = None

    def speed(self, steps: int) -> float:
        """Measure once: million steps per CPU second, for `steps` steps of a particle."""
        return self.particles * steps / cpu_seconds(lambda: self.run(self.particles)) / 1e6


def race(
    field: Mapping[str, Contestant], ours: str, steps: int, what: str, repeats: int
) -> dict[str, Any]:
    """Measure the contestants in turn: speeds, and how many times faster the package is.

    Parameters
    ----------
    field : mapping
        Contestants by name.
    ours : str
        Name of the one that the others are compared with.
    steps : int
        Steps of a particle.
    what : str
        Key for the results of their checks.
    repeats : int
        Number of rounds.
    """
    # the first call compiles, so it is not timed; what it yields shows that all do the same work
    checks = {name: c.check(c.run(c.particles)) for name, c in field.items()}
    takes = {name: lambda c=c: c.speed(steps) for name, c in field.items()}
    speeds = interleaved(takes, repeats)
    shown = {
        name: summary(speeds[name], "Msteps/s", about=c.about, **{what: checks[name]})
        for name, c in field.items()
    }
    faster = {
        f"{ours}/{name}": summary(ratios(speeds[ours], speeds[name]), "", above=c.target)
        for name, c in field.items()
        if name != ours
    }
    return {"speed": shown, "ratio": faster}
