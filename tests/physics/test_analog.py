"""Analog histories: one random direction, the whole mean free path, one exit or none.

They share no random numbers between directions and carry no weights, so nothing can be hidden in
them. Where the dipole is large they are fast enough to check the estimators. With a whole mean
free path along (a n) the density outside is psi exp(-a . n), whose dipole is 3 (coth a - 1/a).
Bounds are 4 sigma.
"""

import math

import numpy as np
import pytest

from mcprop.cloud import slab
from mcprop.diffusion import tensor
from mcprop.errors import RangeError
from mcprop.fields import UniformField
from mcprop.observer import Observer
from mcprop.scenario import load
from mcprop.simulation import Simulation
from mcprop.source import Burst, SteadyDensity
from mcprop.transport import (
    AnalogBurstJob,
    AnalogCloudJob,
    BurstJob,
    BurstWalk,
    CloudJob,
    run_job,
)
from mcprop.xue_liu_2025.plan import Planner

KAPPA = tensor(0.02, 0.004, np.array([0.6, 0.8, 0.0]))
DEPTH, FLOW, SPEED = 1.5, 0.004, 0.0307  # a tenth of c: a fast case
AXES = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
FREE = 3.0 / SPEED * KAPPA @ AXES  # up to 2 pc along the field, 0.9 pc up
RATE = FLOW / KAPPA[0, 0]
REACH = RATE * FREE[0]
N = 1 << 18


def closed_form():
    """Density averaged over directions, and dipole, with the whole mean free path."""
    a = float(np.linalg.norm(REACH))
    mean = math.exp(-RATE * DEPTH) * math.sinh(a) / a
    return mean, -3.0 * (1.0 / math.tanh(a) - 1.0 / a) * REACH / a


def run(kind, share=1.0, n=N, observer=FREE, seed=2, nside=0, **change):
    described = slab(KAPPA, FLOW, DEPTH, math.inf, 0.5)._replace(**change)
    job = kind(("analog",), described, SteadyDensity(1.0), Observer(observer, share))
    return run_job(job, seed, 0, n, nside)


def worst(moments, expected):
    """Density and the three components of the dipole in standard deviations."""
    dipole, (mean, std_dev) = moments.dipole(), moments.density()
    pulls = (dipole.vector - expected[1]) / np.sqrt(np.maximum(np.diag(dipole.covariance), 1e-18))
    return max(abs(mean - expected[0]) / max(std_dev, 1e-9), *np.abs(pulls))


def test_the_case_is_a_fast_one():
    assert np.linalg.norm(FREE[0]) < 0.85 * DEPTH
    assert 0.1 < np.linalg.norm(closed_form()[1]) < 0.6


def test_analog_cloud_against_the_closed_form():
    """262144 histories: density to 0.2 %, dipole to 0.005."""
    outcome = run(AnalogCloudJob)
    assert worst(outcome.moments, closed_form()) < 4.0
    assert outcome.moments.dipole().sigma.max() < 0.006
    assert outcome.fates.sum() == N
    assert outcome.fates[2] == round(N * outcome.moments.density()[0])


def test_analog_cloud_against_the_estimator():
    """Common random numbers and survival weights, at the same whole mean free path."""
    weighted, analog = run(CloudJob, n=1 << 16).moments, run(AnalogCloudJob, seed=3).moments
    assert worst(weighted, closed_form()) < 4.0
    gap = weighted.dipole().vector - analog.dipole().vector
    error = np.sqrt(np.diag(weighted.dipole().covariance + analog.dipole().covariance))
    assert np.abs(gap / error).max() < 4.0
    assert weighted.dipole().sigma.max() < 0.5 * analog.dipole().sigma.min()


def test_small_share_of_the_mean_free_path_is_the_first_order():
    """The estimator's small displacement gives (3/v) kappa grad ln psi, without the sinh."""
    expected = math.exp(-RATE * DEPTH), -REACH
    assert worst(run(CloudJob, 1e-3, n=1 << 16).moments, expected) < 4.0
    assert worst(run(AnalogCloudJob).moments, expected) > 4.0


PLANTED = {
    "flow for arrival": {"observer": -FREE},
    "drift reversed": {"flow": -FLOW},
    "sqrt 2 missing": {"kappa_xx": KAPPA[0, 0] / 2.0},
    "mean free path kappa/v": {"observer": FREE / 3.0},
    "axes not turned": {"observer": 3.0 / SPEED * KAPPA},
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_biases_are_caught(bug):
    assert worst(run(AnalogCloudJob, **PLANTED[bug]).moments, closed_form()) > 4.0


def test_map_of_analog_histories_has_their_dipole():
    outcome = run(AnalogCloudJob, nside=4)
    fitted = outcome.tally.to_map(outcome.moments.density()[0]).fit_dipole()
    error = np.sqrt(np.diag(fitted.covariance + outcome.moments.dipole().covariance))
    assert np.abs((fitted.vector - closed_form()[1]) / error).max() < 4.0


def burst_job(kind, share, walked=0.9):
    """A young burst 40 pc away: 3 r/(2 v T) = 0.19 for slow particles."""
    burst = Burst(30.0, -20.0, 17.0, 1e4, UniformField(0.6, 0.8, 0.0), 0.06, 0.03)
    walk = BurstWalk(burst, (1.0 - walked) * burst.age, 10, (0.0, 0.0, 0.0), 0.0)
    free = 3.0 / SPEED * tensor(0.06, 0.03, np.array([0.6, 0.8, 0.0]))
    return kind(("burst",), walk, Observer(free, share)), 3.0 * np.array(burst[:3]) / (
        2.0 * SPEED * burst.age
    )


def test_analog_burst_against_the_closed_form():
    """262144 single walks: dipole of 0.13 to 0.01."""
    job, expected = burst_job(AnalogBurstJob, 1.0)
    dipole = run_job(job, 4, 0, N, 0).moments.dipole()
    assert np.abs((dipole.vector - expected) / dipole.sigma).max() < 4.0
    assert np.linalg.norm(expected) > 8.0 * dipole.sigma.max()
    wrong, _ = burst_job(AnalogBurstJob, -1.0)
    dipole = run_job(wrong, 4, 0, N, 0).moments.dipole()
    assert np.abs((dipole.vector - expected) / dipole.sigma).max() > 4.0


def test_analog_burst_against_the_estimator():
    found = [
        run_job(burst_job(kind, share)[0], 5, 0, N, 0).moments.dipole()
        for kind, share in ((AnalogBurstJob, 1.0), (BurstJob, 0.01))
    ]
    error = np.sqrt(np.diag(found[0].covariance + found[1].covariance))
    assert np.abs((found[0].vector - found[1].vector) / error).max() < 4.0


def test_analog_run_of_a_scenario_has_the_density_and_no_contradiction():
    """The published case in analog: the density to 1 %, the dipole lost in noise, as it must be."""
    result = Simulation.from_scenario("xue-liu-2025").run(
        histories=1 << 14, seed=1, workers=1, energies=[1e4], analog=True
    )
    assert result.comparison.agrees
    assert {row.estimator for row in result.comparison if row.component == "nearby"} == {"analog"}
    assert result.dipole(1e4, "nearby").amplitude_err > 1e-3


def test_analog_histories_that_would_start_outside_the_cloud_are_refused():
    config = load("xue-liu-2025-wandering").replace({"monte_carlo.estimator": "analog"})
    with pytest.raises(RangeError, match="too high for analog histories"):
        Planner(config.model(), config.monte_carlo).jobs(1e4)
