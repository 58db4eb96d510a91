"""The file of a batch: outcomes of its jobs as arrays, and back, without losing a bit."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcprop.moments import Moments
from mcprop.sealed import open_arrays, seal_arrays
from mcprop.sky import SkyTally
from mcprop.transport import Outcome


def encode(meta: dict[str, Any], outcomes: Sequence[Outcome]) -> list[bytes | memoryview]:
    """Write a batch.

    Parameters
    ----------
    meta : dict
        What to say about it, ready for JSON.
    outcomes : sequence of Outcome
        One for each job.

    Returns
    -------
    list of bytes or memoryview
        A sealed ``.npz``: ``meta`` (JSON as bytes), ``moments`` (jobs, k), ``parts`` (all parts,
        k) and how many ``parts_of`` each job, ``fates`` (jobs, 4), ``steps`` and ``cpu`` [s]
        (jobs,), and of each tally the job it is ``tallied`` for, with ``count``, ``sum`` and
        ``sum2`` (tallies, pixels).
    """
    parts = [part.to_array() for outcome in outcomes for part in outcome.parts]
    tallied = [(i, o.tally) for i, o in enumerate(outcomes) if o.tally is not None]
    counts = np.array([tally.count for _, tally in tallied], dtype=np.int64)
    arrays = {
        "meta": np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), dtype=np.uint8),
        "moments": np.array([outcome.moments.to_array() for outcome in outcomes]),
        "parts": np.array(parts),
        "parts_of": np.array([len(outcome.parts) for outcome in outcomes]),
        "fates": np.array([outcome.fates for outcome in outcomes]),
        "steps": np.array([outcome.steps for outcome in outcomes], dtype=np.int64),
        "cpu": np.array([outcome.cpu for outcome in outcomes]),
        "tallied": np.array([i for i, _ in tallied], dtype=np.int64),
        "count": counts.astype(np.min_scalar_type(counts.max(initial=0))),
        "sum": np.array([tally.sum for _, tally in tallied]),
        "sum2": np.array([tally.sum2 for _, tally in tallied]),
    }
    return seal_arrays(arrays)


def decode(content: bytes | memoryview) -> tuple[dict[str, Any], list[Outcome]]:
    """Read a batch.

    Parameters
    ----------
    content : bytes or memoryview
        What `encode` has written.

    Returns
    -------
    meta : dict
    outcomes : list of Outcome
        Equal to those written, bit for bit.

    Raises
    ------
    ValueError
        When a single bit is not as it was written.
    """
    arrays = open_arrays(content)
    meta = json.loads(arrays["meta"].tobytes())
    ends = np.cumsum(arrays["parts_of"])
    outcomes = []
    for i, moments in enumerate(arrays["moments"]):
        parts = arrays["parts"][ends[i] - arrays["parts_of"][i] : ends[i]]
        outcomes.append(
            Outcome(
                Moments.from_array(moments),
                None,
                arrays["fates"][i],
                int(arrays["steps"][i]),
                float(arrays["cpu"][i]),
                parts=tuple(Moments.from_array(part) for part in parts),
            )
        )
    for place, i in enumerate(arrays["tallied"]):
        tally = SkyTally(math.isqrt(arrays["sum"].shape[1] // 12))
        tally.count = arrays["count"][place].astype(np.int64)
        tally.sum, tally.sum2 = arrays["sum"][place], arrays["sum2"][place]
        tally.histories = outcomes[i].moments
        outcomes[i].tally = tally
    return meta, outcomes
