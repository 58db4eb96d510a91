"""Signals that ask a run to end: it keeps what it has, and can go on later."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""What a terminal, a batch system and its warning before the time is over send."""


class Signals:
    """Context in which signals ask instead of kill; called, it tells the first one, or None.

    A second signal of the same kind raises KeyboardInterrupt: somebody is in a hurry. Outside the
    main thread, where Python handles no signals, nothing changes.
    """

    def __init__(self) -> None:
        self._asked: list[str] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {kind: signal.signal(kind, self._ask) for kind in ASKING}
        return self

    def __exit__(self, *error: object) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)

    def __call__(self) -> str | None:
        """Name of the first signal that came."""
        return self._asked[0] if self._asked else None

    def _ask(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        again = name in self._asked
        self._asked.append(name)
        if again:
            raise KeyboardInterrupt
