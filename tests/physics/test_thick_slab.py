"""Behind a thick slab few histories leave: psi = exp(-u x/k_xx) is small, and exits are counted.

The score is centred on a share c of what an instant exit meets; any share is unbiased, the right
one quiet.
"""

from dataclasses import replace

import numpy as np
import pytest

from mcprop.cloud import centre_share
from mcprop.scenario import load
from mcprop.transport import run_job
from mcprop.xue_liu_2025.plan import Planner

N = 1 << 16


def jobs(scenario, energy, **changes):
    config = load(scenario).replace({"cloud.depth": "10 pc", **changes})
    model = config.model()
    planned = Planner(model, config.monte_carlo).jobs(energy)
    job = next(p.job for p in planned if p.component == "nearby" and p.species == "p")
    return model, job


def recentred(job, centre):
    return replace(job, slab=job.slab._replace(centre=centre))


@pytest.mark.parametrize("energy", [1e2, 3e2, 1e3])
def test_steady_density_and_dipole(energy):
    """Errors of 1 % and less, where the estimator centred on all exits knows nothing."""
    model, job = jobs("xue-liu-2025", energy)
    rigidity = np.sqrt(energy**2 - 0.938272**2)
    psi = np.exp(-model.flow_speed * 10.0 / model.k_xx(rigidity, "p"))
    moments = run_job(job, 5, 0, N, 0).moments
    density, error = moments.density()
    assert error < 0.015 * psi
    assert abs(density - psi) < 4.0 * error
    expected = model.dipole("nearby", rigidity, "p")
    found = moments.dipole()
    along = expected / np.linalg.norm(expected)
    sigma = np.sqrt(along @ found.covariance @ along)
    assert abs((found.vector - expected) @ along) < 4.0 * sigma < 0.03 * np.linalg.norm(expected)
    whole = run_job(recentred(job, 1.0), 5, 0, N, 0).moments
    assert whole.log_density_variance() > 5.0 * moments.log_density_variance()


@pytest.mark.parametrize("centre", [0.9, 0.5, 0.0])
def test_any_centre_is_unbiased(centre):
    model, job = jobs("xue-liu-2025", 1e3)
    moments = run_job(recentred(job, centre), 6, 0, N, 0).moments
    psi = np.exp(-model.flow_speed * 10.0 / model.k_xx(np.sqrt(1e6 - 0.938272**2), "p"))
    assert abs(moments.density()[0] - psi) < 4.0 * moments.density()[1]
    # a share of the exits left out is noticed
    assert abs(0.9 * moments.density()[0] - psi) > 4.0 * moments.density()[1]


@pytest.mark.parametrize("estimator", ["walk", "assisted"])
def test_time_dependent_cloud(estimator):
    changes = {"monte_carlo.estimator": estimator}
    model, job = jobs("xue-liu-2025-time-dependent", 1e3, **changes)
    psi = model.density("nearby", np.sqrt(1e6 - 0.938272**2), "p")
    density, error = run_job(job, 7, 0, 2 * N, 0).moments.density()
    assert abs(density - psi) < 4.0 * error < 0.25 * psi


def test_share_of_the_centre_falls_with_the_thickness():
    shares = [centre_share(optical) for optical in (0.0, 0.4, 1.0, 3.0, 30.0, 1e6)]
    assert shares[:2] == [1.0, 1.0]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 0.0
