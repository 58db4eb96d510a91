"""Walks of pseudo-particles that are told to stop, and that look up on the way."""

import itertools
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mcprop import threads
from mcprop.fields import UniformField
from mcprop.kernels.lanes import LANES
from mcprop.wandering import (
    course,
    follow_orbits,
    line_divergence,
    line_spread,
    pseudo_particles,
    running_diffusion,
    trace,
    tracing,
)
from mcprop.wandering.realisations import each_realisation

UP = UniformField(0.0, 0.0, 3.0)
FEW = {"realisations": 2, "particles": 200, "seed": 1, "step": 10.0}
GUARD = 300.0
"""How long to wait for what comes at once, unless the machine is busy or it never comes."""


def test_looking_up_changes_no_bit(monkeypatch):
    times = [100.0, 200.0, 300.0]
    whole = pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **FEW)
    monkeypatch.setattr(pseudo_particles, "TOGETHER", 1)
    often = pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **FEW)
    np.testing.assert_array_equal(whole.across, often.across)
    np.testing.assert_array_equal(whole.along, often.along)
    monkeypatch.setattr(pseudo_particles, "AT_ONCE", 3)  # of 10 steps from record to record
    oftener = pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **FEW)
    np.testing.assert_allclose(whole.across, oftener.across, rtol=1e-12)
    np.testing.assert_allclose(whole.along, oftener.along, rtol=1e-12)


@pytest.fixture
def heard():
    """Ctrl-C is heard, also in a job in the background, which is started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("times", [100.0 * np.arange(1, 501), [50_000.0]], ids=["many", "one"])
def test_an_interruption_stops_those_under_way(monkeypatch, times):
    stop, numbers, submitted, late = threading.Event(), itertools.count(1), itertools.count(1), []
    main, under_way = threading.main_thread(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def submit(self, *arguments, **options):  # it forgets a thread, if it is interrupted here
            future = super().submit(*arguments, **options)
            if next(submitted) == 2:
                under_way.set()
            return future

    def slow(*arguments):
        if threading.current_thread() is main:
            return 0  # the first realisation
        number = next(numbers)  # nobody else gets the same one
        if number == 10:
            assert under_way.wait(GUARD), "not every realisation was submitted"
            signal.pthread_kill(main.ident, signal.SIGINT)  # Ctrl-C
        if number >= 10:
            late.append(stop.wait(GUARD))
            assert late[-1], "nobody has said stop"
        return 0

    monkeypatch.setattr(threads, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(pseudo_particles, "wander", slow)
    monkeypatch.setattr(pseudo_particles, "Event", lambda: stop)
    options = FEW | {"realisations": 3, "particles": 8, "workers": 2}
    monkeypatch.setattr(pseudo_particles, "AT_ONCE", 10)
    with pytest.raises(KeyboardInterrupt):
        pseudo_particles.spread(lambda seed: UP, 2.0, 0.1, times, **options)
    assert 1 <= len(late) <= 2  # of 991: each thread has ended the call that it was in
    assert all(late)


def test_trouble_in_one_realisation_is_told_to_the_others():
    stop = threading.Event()

    def work(number):
        if number == 1:
            raise ValueError("trouble")
        return number == 0 or stop.wait(GUARD)

    with pytest.raises(ValueError, match="trouble"):
        each_realisation(work, 3, 2, stop)
    assert stop.is_set()


ALONG = ([(0.0, 0.0, 0.0)], [(0.6, 0.0, 0.8)])
LONG = {
    "trace_fixed": [
        lambda: trace(UP, ALONG[0], 1e6, step=0.1),
        lambda: line_spread(lambda seed: UP, 1e6, 2, 100, 1, step=0.1),
        lambda: line_divergence(lambda seed: UP, 1e8, 2, 100, 1, step=0.1),
    ],
    "trace_controlled": [lambda: trace(UP, ALONG[0], 1e9, tolerance=1e-5)],
    "boris": [
        lambda: follow_orbits(UP, 1.0, *ALONG, [1.0], step=1e-7),
        lambda: running_diffusion(lambda seed: UP, 1.0, [1.0], 3, 100, 1, step=1e-7),
    ],
    "dormand_prince": [
        lambda: follow_orbits(UP, 1.0, *ALONG, [1.0], step=1e-7, tolerance=1e-6),
    ],
}
"""Studies that take millions of steps."""

STEPS = {
    "trace_fixed": lambda args: args[-2] * args[-1].shape[0],
    "trace_controlled": lambda args: args[-2],
    "boris": lambda args: min(args[6].halt, args[4].sum()) - args[6].done,
    "dormand_prince": lambda args: args[-3] / LANES,
}
"""Steps of a call of the kernel at most."""


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_is_heard_between_the_calls_of_a_kernel(monkeypatch, name):
    calls = []

    def quick(*args):
        calls.append(STEPS[name](args) * -(-args[-1].shape[2] // LANES) * LANES)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        args[-1][...] = 0.5  # where they have come
        return 0

    monkeypatch.setattr(tracing if "trace" in name else course, name, quick)
    for study in LONG[name]:
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            study()
        assert len(calls) == 3
        assert max(calls) <= 200_000  # a second or so


def test_threads_end_when_one_of_them_fails(monkeypatch):
    """What is told is what went wrong, though others with lower numbers gave up for it."""
    busy = threading.Event()

    def quick(field, *args):
        args[-1][...] = 0.5
        if field.bz == 4.0:  # the second realisation, which would go on for a long time
            busy.set()
        if field.bz == 5.0:
            assert busy.wait(GUARD)
            raise ValueError("trouble")

    strengths = itertools.count(3)
    monkeypatch.setattr(tracing, "trace_fixed", quick)
    with pytest.raises(ValueError, match="trouble"):
        line_spread(
            lambda seed: UniformField(0.0, 0.0, float(next(strengths))),
            1e8,
            3,
            4,
            1,
            step=1.0,
            workers=2,
        )
