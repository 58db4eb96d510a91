"""What a study says while it goes: a line for each part that is done."""

from __future__ import annotations

import math
import time

from mcprop.report import time_text


class Progress:
    """Prints lines with the time left, from the pace since the first part was done.

    The first part compiles, which says nothing about those that follow.
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def __call__(self, done: int, total: int, share: float, said: str) -> None:
        """Say that a part is done.

        Parameters
        ----------
        done, total : int
            Parts done, and of all.
        share : float
            Share of all work that is done.
        said : str
            What has come out.
        """
        now = time.monotonic()
        begin, before = self._first or (now, share)
        self._first = begin, before
        left = (now - begin) / (share - before) * (1.0 - share) if share > before else math.nan
        print(f"{done}/{total}  {said}  {time_text(left)} left", flush=True)
