"""Nature has no axes of its own: rotating the whole problem rotates the dipole and the map.

A tensor with equal eigenvalues has no direction, a field and its reverse have one tensor, and a
problem without direction has no dipole. Bounds are 4 sigma.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mcprop import diffusion
from mcprop.analytic import XueLiu2025
from mcprop.cloud import slab
from mcprop.fields import UniformField
from mcprop.observer import Observer
from mcprop.scenario import load
from mcprop.source import Burst, SteadyDensity
from mcprop.transport import BurstJob, BurstWalk, CloudJob, run_job
from mcprop.xue_liu_2025.plan import Planner

CONFIG = load("xue-liu-2025-time-dependent").replace({"monte_carlo.estimator": "assisted"})
WALKED = load("xue-liu-2025")
N = 1 << 15
ROTATION = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
ROTATION *= np.linalg.det(ROTATION)
DIRECTIONS = ("b_hat", "u_hc", "u_lsr", "centre_vector")


def rotated(model: XueLiu2025, rotation=ROTATION, directions=DIRECTIONS):
    """The model with its directions turned before anything is derived from them."""
    turned = replace(model)
    for name in directions:
        turned.__dict__[name] = rotation @ getattr(model, name)
    return turned


def outcomes(config, model, seed, nside=1, n=N):
    """Outcomes of the jobs of protons at 10 TeV, by component."""
    planned = Planner(model, config.monte_carlo).jobs(1e4)
    return {
        p.component: run_job(p.job, seed, 0, n, nside)
        for p in planned
        if p.species == "p" and p.gives == "dipole"
    }


def vector_pull(found, expected):
    """Largest deviation of two dipoles along the axes of their covariance; 1e-4 is no deviation."""
    values, vectors = np.linalg.eigh(found.covariance + expected.covariance)
    floor = (5e-5 * np.linalg.norm(expected.vector)) ** 2
    along = (found.vector - expected.vector) @ vectors
    return np.max(np.abs(along) / np.sqrt(np.maximum(values, 0.0) + floor))


def turned_dipole(dipole, rotation=ROTATION):
    return replace(
        dipole, vector=rotation @ dipole.vector,
        covariance=rotation @ dipole.covariance @ rotation.T,
    )  # fmt: skip


@pytest.mark.parametrize("config", [CONFIG, WALKED], ids=["time-dependent", "walk"])
def test_rotating_the_problem_rotates_every_dipole(config):
    model = config.model()
    before = outcomes(config, model, 1)
    after = outcomes(config, rotated(model), 2)
    assert set(before) == {"nearby", "centre", "compton-getting"}
    for component, outcome in before.items():
        expected = turned_dipole(outcome.moments.dipole())
        assert vector_pull(after[component].moments.dipole(), expected) < 4.0
        # left where it was, or turned the other way, it is another dipole
        assert vector_pull(after[component].moments.dipole(), outcome.moments.dipole()) > 4.0
        back = turned_dipole(outcome.moments.dipole(), ROTATION.T)
        assert vector_pull(after[component].moments.dipole(), back) > 4.0


def test_rotating_the_field_alone_is_caught():
    model = CONFIG.model()
    expected = turned_dipole(outcomes(CONFIG, model, 1)["nearby"].moments.dipole())
    half = outcomes(CONFIG, rotated(model, directions=("b_hat",)), 2)["nearby"].moments.dipole()
    assert vector_pull(half, expected) > 4.0


def pixel_probability(outcome, vector, nside=4, fine=64):
    """p-value of a map against the pattern 1 + vector . n, averaged over each pixel."""
    import healpy

    sky = outcome.tally.to_map(outcome.moments.density()[0])
    points = np.stack(healpy.pix2vec(fine, np.arange(12 * fine**2)), axis=-1)
    pattern = 1.0 + healpy.ud_grade(points @ vector, nside)
    chi2 = np.sum(((sky.relative_intensity - pattern) / sky.std_dev) ** 2)
    return stats.chi2.sf(chi2, 12 * nside**2)


@pytest.mark.parametrize("component", ["centre", "compton-getting"])
def test_rotating_the_problem_rotates_the_map(component):
    """192 pixels against the turned dipole of the formula; turned back, the map is another."""
    model = CONFIG.model()
    vector = model.component_dipole(component, 1e4, "p")
    after = outcomes(CONFIG, rotated(model), 2, nside=4)[component]
    assert pixel_probability(after, ROTATION @ vector) > 1e-4
    assert pixel_probability(after, vector) < 1e-4
    assert pixel_probability(after, ROTATION.T @ vector) < 1e-4


def test_fitted_map_of_the_turned_problem_is_the_turned_map():
    model = CONFIG.model()
    fits = []
    for turned, seed in ((model, 1), (rotated(model), 2)):
        outcome = outcomes(CONFIG, turned, seed, nside=8)["nearby"]
        fits.append(outcome.tally.to_map(outcome.moments.density()[0]).fit_dipole())
    assert vector_pull(fits[1], turned_dipole(fits[0])) < 4.0
    assert vector_pull(fits[1], fits[0]) > 4.0


def burst_scores(b_hat, perp, walked=True):
    """Dipole of a burst in a medium with the coefficients 0.5 and `perp`."""
    field = UniformField(*map(float, b_hat))
    burst = Burst(120.0, -40.0, 60.0, 1e5, field, 0.5, perp)
    walk = BurstWalk(burst, 1e4 if walked else 1e5, 20, (1.3e-3, -4e-4, 7e-4), 0.5)
    sun = Observer(10.0 * np.eye(3), 0.01)
    return run_job(BurstJob(("eps",), walk, sun), 3, 0, 4096, 0).moments.dipole().vector


def cloud_scores(b_hat, perp):
    """Dipole behind the face of a cloud whose axes stay where they are."""
    kappa = diffusion.tensor(2.0, perp, np.array(b_hat))
    described = slab(kappa, 0.5, 1.5, math.inf, 0.5)
    sun = Observer(0.01 * kappa, 1e-2)
    job = CloudJob(("eps",), described, SteadyDensity(1.0), sun)
    return run_job(job, 3, 0, 4096, 0).moments.dipole().vector


IN_PLANE = [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.0, -1.0, 0.0)]


@pytest.mark.parametrize("scores", [burst_scores, cloud_scores])
def test_isotropic_tensor_does_not_know_the_field(scores):
    """eps = 1: the same histories to rounding, for every direction; with eps = 0.3 they differ."""
    equal = 0.5 if scores is burst_scores else 2.0
    base, *others = [scores(b_hat, equal) for b_hat in IN_PLANE]
    for other in others:
        np.testing.assert_allclose(other, base, rtol=1e-9, atol=1e-12)
    anisotropic = [scores(b_hat, 0.3 * equal) for b_hat in IN_PLANE]
    assert np.linalg.norm(anisotropic[1] - anisotropic[0]) > 0.05 * np.linalg.norm(anisotropic[0])


@pytest.mark.parametrize("scores", [burst_scores, cloud_scores])
def test_a_field_and_its_reverse_are_one(scores):
    there, back = scores((0.6, 0.8, 0.0), 0.1), scores((-0.6, -0.8, 0.0), 0.1)
    np.testing.assert_allclose(back, there, rtol=1e-9, atol=1e-12)


def test_reversed_field_in_the_whole_model():
    """The axes of the cloud turn over with the field: other histories, the same physics."""
    model = CONFIG.model()
    before = outcomes(CONFIG, model, 1)["nearby"].moments.dipole()
    reverse = replace(model)
    reverse.__dict__["b_hat"] = -model.b_hat
    reverse.__dict__["source_vector"] = model.source_vector
    after = outcomes(CONFIG, reverse, 2)["nearby"].moments.dipole()
    assert vector_pull(after, before) < 4.0


def test_strength_of_the_field_model_does_not_matter_to_a_burst():
    assert burst_scores((6.0, 8.0, 0.0), 0.1) == pytest.approx(burst_scores((0.6, 0.8, 0.0), 0.1))


def test_a_problem_without_direction_has_no_dipole():
    """A burst at the observer, and a cloud without flow: nothing to point to."""
    burst = Burst(0.0, 0.0, 0.0, 1e5, UniformField(0.0, 0.0, 1.0), 0.5, 0.5)
    walk = BurstWalk(burst, 1e4, 20, (0.0, 0.0, 0.0), 0.0)  # single paths: noise, no mean
    sun = Observer(10.0 * np.eye(3), 0.1)
    dipole = run_job(BurstJob(("none",), walk, sun), 3, 0, N, 0).moments.dipole()
    pulls = np.linalg.solve(np.linalg.cholesky(dipole.covariance), dipole.vector)
    assert np.abs(pulls).max() < 4.0
    aside = replace(walk, burst=burst._replace(z=100.0))
    dipole = run_job(BurstJob(("none",), aside, sun), 3, 0, N, 0).moments.dipole()
    pulls = np.linalg.solve(np.linalg.cholesky(dipole.covariance), dipole.vector)
    assert np.abs(pulls).max() > 4.0
