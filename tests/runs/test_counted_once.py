"""Every history of a run counts, and counts once, whatever the batches are."""

import numpy as np
import pytest
from faults import written
from whole_result import CONFIG, ENERGIES, HISTORIES, run

from mcprop.scenario import load
from mcprop.simulation import Simulation
from mcprop.transport import run_job

SEED, HALF = 3, 96


def planned(config, energy=1e4):
    """Jobs of protons at one energy."""
    config = config.replace({"species.names": ["p"]})
    return config.study.planner(config.model(), config.monte_carlo).jobs(energy)


def same(moments, others):
    """Whether moments are equal up to the rounding of their sums, far below their noise."""
    noise = np.sqrt(np.diag(others.covariance_of_mean()))
    off = np.abs(moments.mean - others.mean)
    spread = np.abs(moments.scatter - others.scatter).max()
    return (
        moments.n == others.n
        and (off <= 1e-6 * noise + 1e-12 * np.abs(others.mean).max()).all()
        and spread <= 1e-6 * np.abs(others.scatter).max() + 1e-15 * np.abs(others.mean).max() ** 2
    )


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("xue-liu-2025", {}),
        ("xue-liu-2025", {"monte_carlo.estimator": "analog"}),
        ("xue-liu-2025-time-dependent", {}),
        ("lrmf-sdp-region", {}),
    ],
    ids=["steady", "analog", "time-dependent", "region"],
)
def test_two_batches_are_one_of_both(scenario, changes):
    """In particular the second is not the first again."""
    for job in (p.job for p in planned(load(scenario).replace(changes), 1e3)):
        first, second = (run_job(job, SEED, at, HALF, 0).moments for at in (0, HALF))
        assert same(first + second, run_job(job, SEED, 0, 2 * HALF, 0).moments), job.name
        if first.scatter.any():  # not all histories score the same
            assert not same(first + first, first + second), job.name


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        yield run(CONFIG, seed=SEED)


@pytest.mark.parametrize("energy", ENERGIES)
def test_a_run_is_the_sum_of_its_histories(result, energy):
    """Each job once more, as one batch: its dipole is the run's, for all that batches do."""
    jobs = [p for p in planned(CONFIG, energy) if p.gives == "dipole"]
    assert len(jobs) == 3
    for job in jobs:
        expected = run_job(job.job, SEED, 0, HISTORIES, 0).moments.dipole()
        found = result.dipole(energy, job.component, "p")
        noise = np.sqrt(np.trace(expected.covariance))
        assert np.abs(found.vector - expected.vector).max() < 1e-6 * noise
        np.testing.assert_allclose(
            found.covariance, expected.covariance, rtol=1e-6, atol=1e-6 * noise**2
        )


def test_another_seed_is_seen_in_the_files(tmp_path):
    """So a comparison of files sees what histories have come to, beyond the seed they name."""
    files = []
    for seed in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Simulation, "_curve", lambda *args: [])
            run(CONFIG, [ENERGIES[0]], 256, seed, directory=tmp_path / str(seed))
        files.append(written(tmp_path / str(seed)))
    lines, others = (set(found["dipole.ecsv"].splitlines()) for found in files)
    assert len(lines - others) > 10
    assert all(
        files[0][name] != files[1][name] for name in files[0] if name.startswith("sky/nearby")
    )
