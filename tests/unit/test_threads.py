"""Calls in threads: Ctrl-C is heard wherever it comes, and ends them all."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from mcprop import particles, threads
from mcprop.medium import Constant, Isotropic
from mcprop.threads import in_order
from mcprop.wandering import kinetic_sky
from mcprop.wandering.realisations import each_realisation

GUARD = 300.0
"""How long to wait for what comes at once, unless the machine is busy or it never comes."""

CALLS = 5
"""Calls in threads of one study; before them there is one that compiles."""


@pytest.fixture
def heard():
    """Set when the main thread hears Ctrl-C, which then ends what it does as it always does."""
    event = threading.Event()

    def hear(number, frame):
        event.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    yield event
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ctrl_c(monkeypatch):
    """Ctrl-C, taken by the thread that calls this: it ends no wait of the main thread.

    It comes when so many calls are submitted, so that there is nothing left but to wait.
    """
    submit, waiting = ThreadPoolExecutor.submit, threading.Event()
    left = list(range(CALLS))

    def counted(*arguments):
        future = submit(*arguments)
        left.pop()
        if not left:
            waiting.set()
        return future

    def ctrl_c():
        assert waiting.wait(GUARD)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", counted)
    return ctrl_c


def realisations(interrupt, stop, monkeypatch):
    each_realisation(lambda number: number and interrupt(), 1 + CALLS, 1, stop)


def orbits_traced_back(interrupt, stop, monkeypatch):
    def run(field, seed, stream, first, starts, told):
        if first > 0:
            interrupt()

    monkeypatch.setattr(kinetic_sky, "CHUNK", 1)
    observer = SimpleNamespace(field=None, seed=1, place=np.zeros(3), axes=np.eye(3))
    course = SimpleNamespace(run=run)
    kinetic_sky._trace_back(observer, course, np.ones((1 + CALLS, 3)), 1, stop)


def walks(interrupt, stop, monkeypatch):
    def walk_to(*arguments):
        if threading.current_thread() is not threading.main_thread():
            interrupt()
        return 0

    monkeypatch.setattr(particles, "walk_to", walk_to)
    monkeypatch.setattr(particles, "BATCH", 1)
    try:
        medium, start = Isotropic(Constant(0.5)), (0.0, 0.0, 0.0)
        particles.walk(medium, start, 1.0, 1 + CALLS, seed=1, threads=1)
    finally:
        stop.set()  # there is nothing else that could stop


@pytest.mark.parametrize("study", [realisations, orbits_traced_back, walks])
def test_ctrl_c_that_ends_no_wait_is_heard_all_the_same(monkeypatch, heard, ctrl_c, study):
    """Such is also one that comes after the last look for it, just before a wait begins."""
    stop, in_time = threading.Event(), []

    def interrupt():
        if not in_time:
            ctrl_c()
            in_time.append(heard.wait(GUARD))

    with pytest.raises(KeyboardInterrupt):
        study(interrupt, stop, monkeypatch)
    assert in_time == [True]
    assert stop.is_set()


@pytest.mark.usefixtures("heard")
def test_what_waits_when_ctrl_c_comes_never_begins(monkeypatch, ctrl_c):
    over, begun = threading.Event(), []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, **options):
            super().shutdown(wait=False, **options)
            over.set()
            super().shutdown(wait)

    def work(number):
        begun.append(number)
        ctrl_c()
        assert over.wait(GUARD)

    monkeypatch.setattr(threads, "ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        in_order(work, range(CALLS), 1)
    assert begun == [0]


def test_answers_and_errors_come_in_the_order_of_the_arguments():
    later = threading.Event()

    def work(number):
        if number == 1:
            later.set()
        elif number == 0:
            assert later.wait(GUARD)
        if number >= 2:
            raise ValueError(number)
        return number

    assert in_order(work, range(2), 2) == [0, 1]
    assert in_order(work, []) == []
    stop = threading.Event()
    with pytest.raises(ValueError, match="2"):
        in_order(work, range(4), 2, stop)
    assert stop.is_set()
