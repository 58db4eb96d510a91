"""A run of a second, finished and not, for tests of what befalls runs."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from faults import cut, flipped, is_refused, spoilt, stored_files

from mcprop.errors import OutputError, StoppedError
from mcprop.scenario import load
from mcprop.simulation import Simulation

CONFIG = load("xue-liu-2025").replace(
    {
        "energies": {"values": ["1 TeV", "100 TeV"]},
        "species.names": ["p"],
        "stop.histories": 2048,
        "monte_carlo.batch": 256,
        "monte_carlo.nside": 2,
        "monte_carlo.seed": 11,
        "monte_carlo.halving": "on",
    }
)
BATCHES = 2 * 8 + 2  # energies, ranges; one with half the step each


def stop_early(config, directory, batches, **how):
    """Run until about so many batches are finished."""
    told = Event()

    def are_finished():
        return len(list(directory.glob("batches/*.npz"))) >= batches

    def enough():
        if told.is_set() or are_finished():
            told.set()
            return "enough"
        return None

    class Patient(ThreadPoolExecutor):
        """One thread, that does not come to the end before the run has looked up."""

        def submit(self, function, *args):
            def call():
                assert not are_finished() or told.wait(300.0), "nobody has looked up"
                return function(*args)

            return super().submit(call)

    with pytest.raises(StoppedError, match="Stopped by enough"), Patient(1) as executor:
        Simulation(config).run(directory=directory, executor=executor, halt=enough, **how)


def refused(directory, match, **how):
    """Hold that a run cannot go on, and that one line says why."""
    with pytest.raises(OutputError, match=match) as caught:
        Simulation.resume(directory, **how)
    assert "\n" not in str(caught.value)


def undetected(directory, flips, cuts, seed=3):
    """Damage files of a run again and again; what has not been noticed."""
    draw, files = random.Random(seed), stored_files(directory)
    missed = []
    for fault, count in ((flipped, flips), (cut, cuts)):
        for _ in range(count):
            path = draw.choice(files)
            with spoilt(path, fault, draw):
                if not is_refused(directory):
                    missed.append((path, fault))
    return missed
