"""The bugs that `scripts/planted` plants: mistakes that are easily made, where they could be."""

from planted_bugs import directions, lines, runs, skies, walks, wandering
from planted_bugs.bug import Bug

BUGS = (
    *walks.BUGS, *directions.BUGS, *runs.BUGS, *lines.BUGS, *skies.BUGS, *wandering.BUGS,
)  # fmt: skip
"""All of them."""

__all__ = ["BUGS", "Bug"]
