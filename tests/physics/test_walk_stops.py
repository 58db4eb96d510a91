"""Walks of pseudo-particles that are told to stop, and that look up on the way."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from mcprop.fields import UniformField
from mcprop.wandering import pseudo_particles
from mcprop.wandering.realisations import each_realisation

UP = UniformField(0.0, 0.0, 3.0)
FEW = {"realisations": 2, "particles": 200, "seed": 1, "step": 10.0}


def test_looking_up_changes_no_bit(monkeypatch):
    times = [100.0, 200.0, 300.0]
    whole = pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **FEW)
    monkeypatch.setattr(pseudo_particles, "TOGETHER", 1)
    often = pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **FEW)
    np.testing.assert_array_equal(whole.across, often.across)
    np.testing.assert_array_equal(whole.along, often.along)


def test_an_interruption_stops_those_under_way(monkeypatch):
    calls = []

    def slow(*arguments):
        if threading.current_thread() is threading.main_thread():
            return 0  # the first realisation
        calls.append(arguments)
        if len(calls) == 10:
            os.kill(os.getpid(), signal.SIGINT)  # Ctrl-C, of which the main thread hears
        time.sleep(0.01)
        return 0

    monkeypatch.setattr(pseudo_particles, "wander", slow)
    options = FEW | {"realisations": 3, "particles": 8, "workers": 2}
    times = 100.0 * np.arange(1, 501)
    with pytest.raises(KeyboardInterrupt):
        pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **options)
    assert 10 <= len(calls) < 200  # of 1000


def test_trouble_in_one_realisation_is_told_to_the_others():
    stop = threading.Event()

    def work(number):
        if number == 1:
            raise ValueError("trouble")
        return number == 0 or stop.wait(20.0)

    with pytest.raises(ValueError, match="trouble"):
        each_realisation(work, 3, 2, stop)
    assert stop.is_set()
