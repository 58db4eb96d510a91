"""How the moments of a job go on with its histories, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mcprop.moments import Moments
from mcprop.transport import FATES, Outcome

GROUPS = 64
"""Groups of histories that are kept at most."""


@dataclass
class Trend:
    """Moments of a job in groups of consecutive histories; batches are added in their order.

    Groups hold the slices of batches. When there are too many, neighbours are merged, and from then
    on twice as many slices go into a group: a function of the batches in their order alone.

    Parameters
    ----------
    groups : list of Moments
        In the order of the histories.
    fates : ndarray, shape (4,)
        Histories by fate, in the order of `FATES`.
    steps : int
        Steps walked.
    """

    groups: list[Moments] = field(default_factory=list)
    fates: np.ndarray = field(default_factory=lambda: np.zeros(len(FATES), dtype=np.int64))
    steps: int = 0
    _stride: int = 1  # slices in a group
    _open: int = 0  # slices in the last group, 0 if it is complete

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of the next batch."""
        self.fates = self.fates + outcome.fates
        self.steps += outcome.steps
        slices = outcome.parts or (outcome.moments,) * bool(outcome.moments.n)
        fits = len(slices) <= self._stride - self._open
        for part in (outcome.moments,) * bool(slices) if fits else slices:
            if self._open:
                self.groups[-1] = self.groups[-1] + part
            else:
                self._begin(part)
            self._open = (self._open + (len(slices) if fits else 1)) % self._stride

    def _begin(self, part: Moments) -> None:
        if len(self.groups) == GROUPS:
            pairs = zip(self.groups[0::2], self.groups[1::2], strict=True)
            self.groups = [first + second for first, second in pairs]
            self._stride *= 2
        self.groups.append(part)

    @property
    def whole(self) -> Moments:
        """Moments of all histories."""
        first, second = self.halves()
        return first + second

    def halves(self) -> tuple[Moments, Moments]:
        """Moments of the first and of the second half, as equal as whole groups can be.

        The second is empty where there is one group alone.
        """
        ends = np.cumsum([group.n for group in self.groups])
        cut = 1 + int(np.argmin(np.abs(ends - 0.5 * ends[-1]))) if len(ends) else 0
        return sum(self.groups[:cut], Moments()), sum(self.groups[cut:], Moments())
