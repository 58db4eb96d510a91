"""Run as a process: time the imports and the first call of the kernels that are named."""

from __future__ import annotations

import json
import sys

from benchmarks.measure import tidy, wall_seconds


def main() -> None:
    """Print seconds by kernel as JSON."""
    found = {"imports": tidy(wall_seconds(load))}
    found |= {name: tidy(wall_seconds(first_call(name))) for name in sys.argv[1:]}
    print(json.dumps({name: {"value": value, "unit": "s"} for name, value in found.items()}))


def load() -> None:
    """Import what the kernels need, so that their own time is only theirs."""
    import mcprop.scenario
    import mcprop.xue_liu_2025.plan  # noqa: F401


def first_call(kernel: str) -> object:
    """Prepare the call of a kernel on next to no work."""
    import numpy as np

    from benchmarks.problem import lane_walk, nearby_job, slab_steps

    if kernel == "walk":
        return lambda: lane_walk(0, np.empty((1, 3, 64)))
    job = nearby_job("xue-liu-2025", "walk")
    return lambda: slab_steps(job, 64)


if __name__ == "__main__":
    main()
