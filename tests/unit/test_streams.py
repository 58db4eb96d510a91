"""Random numbers of different seeds and jobs: no two are the same.

The 64-bit words behind all random numbers are functions of (seed, stream, history, block). Of N
words that are independent two are equal with a probability of N^2 / 2^65: 2e-7 for the three
million here.
"""

import numpy as np
import pytest

from mcprop import background_job, region_job, transport
from mcprop.halving import variants
from mcprop.kernels.rng import LAUNCH, words
from mcprop.scenario import load

SEEDS = range(1, 11)
ENERGIES = (1e3, 1e5)
HISTORIES = 64
BLOCKS = (*range(16), *(int(LAUNCH) + k for k in range(2)))
SCENARIOS = ("xue-liu-2025", "xue-liu-2025-time-dependent", "lrmf-sdp-region")


def plan(scenario):
    config = load(scenario)
    if scenario.startswith("lrmf"):
        config = config.replace({"species": {"names": ["p", "Fe"]}})
    planner = config.study.planner(config.model(), config.monte_carlo)
    return [job for energy in ENERGIES for job in planner.jobs(energy)]


@pytest.fixture(scope="module")
def streams():
    """Streams that the jobs of real plans ask for while they run, with half steps and legs."""
    asked = []

    def spy(*name):
        asked.append((name, int(real(*name))))
        return real(*name)

    real = transport.stream
    with pytest.MonkeyPatch.context() as patch:
        for module in (transport, background_job, region_job):
            patch.setattr(module, "stream", spy)
        for scenario in SCENARIOS:
            for planned in plan(scenario):
                for job in (planned, *variants(planned, 1)):
                    job.job.run(1, 0, 2, 1)
    return dict(asked)


def drawn(seed, stream, first=0):
    """All words of some histories in some blocks, as kernels draw them."""
    out = np.empty((len(BLOCKS), HISTORIES, 2), dtype=np.uint64)
    for block, place in zip(BLOCKS, out, strict=True):
        words(np.uint64(seed), np.uint64(stream), np.uint64(first), np.uint64(block), place)
    return out.ravel()


def repeated(samples):
    """Number of words that have been there before, and of all."""
    every = np.concatenate(list(samples))
    return every.size - np.unique(every).size, every.size


def test_jobs_have_streams_of_their_own(streams):
    parts = {word for name in streams for word in name}
    assert {"halved", "shortened", "outside", "axes", "perp", "boost"} <= parts
    assert len(set(streams.values())) == len(streams) > 100


def test_seeds_and_streams_share_no_random_number(streams):
    found, size = repeated(drawn(seed, s) for seed in SEEDS for s in streams.values())
    assert size == len(SEEDS) * len(streams) * len(BLOCKS) * HISTORIES * 2 > 10**6
    assert size**2 / 2.0**65 < 1e-6
    assert found == 0


def test_batches_of_one_seed_share_none(streams):
    """Workers take different histories of the same seed."""
    some = list(streams.values())[:10]
    ranks = [rank * HISTORIES for rank in range(4)]
    found, _ = repeated(drawn(e, s, first) for e in SEEDS for s in some for first in ranks)
    assert found == 0


def test_a_seed_for_each_worker_is_caught(streams):
    """Were the key seed + rank, and all counters from zero, runs of near seeds would overlap."""
    some = list(streams.values())[:10]
    found, size = repeated(drawn(e + rank, s) for e in SEEDS for s in some for rank in range(4))
    assert found / size == pytest.approx(1.0 - (len(SEEDS) + 3) / (4 * len(SEEDS)))


def test_streams_that_forget_the_energy_are_caught(streams):
    forgetful = [transport.stream(*name[:4], *name[5:]) for name in streams]
    found, size = repeated(drawn(1, s) for s in forgetful)
    assert found == size * (len(forgetful) - len(set(forgetful))) / len(forgetful) > 0
