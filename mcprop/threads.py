"""Calls in threads, waited for in such a way that Ctrl-C is always heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")

POLL = 0.2
"""Time between looks whether Ctrl-C has come [s]."""


def in_order(
    function: Callable[[Argument], Result],
    arguments: Iterable[Argument],
    workers: int | None = None,
    stop: Event | None = None,
) -> list[Result]:
    """Call a function with each of the arguments, in threads.

    Ctrl-C that comes just before a wait begins, or to another thread, ends no wait: it is heard
    when the wait is over. So none is longer than `POLL`.

    Parameters
    ----------
    function : callable
        Takes one argument.
    arguments : iterable
        What it is called with.
    workers : int, optional
        Number of threads; by default as many as cores, and a few more.
    stop : Event, optional
        Set when Ctrl-C has come or a call has failed: it tells calls under way to end. Those that
        have not begun never do.

    Returns
    -------
    list
        What the calls returned, in the order of the arguments.
    """
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    results, done = [], set()
    with ThreadPoolExecutor(workers) as pool:
        try:
            calls = [pool.submit(function, argument) for argument in arguments]
            for call in calls:
                call.add_done_callback(ended.put)
            for call in calls:
                while call not in done:
                    with suppress(Empty):
                        done.add(ended.get(timeout=POLL))
                results.append(call.result())
        except BaseException:
            if stop is not None:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
