"""A slab with flow, exactly: psi = exp(-u x/k_xx), first-passage law, and a Laplace transform.

A backward history drifts deeper at u and leaves through the face at time tau and place (y, z). For
the density exp(-s tau + q y + p z) outside, the answer at depth x is (Ito's formula, with
s' = s + q rho u - q^2 c_2 - p^2 c_3, rho = k_yx/k_xx, c_2 = k_yy - k_yx^2/k_xx, c_3 = k_zz)

    psi = exp(q (y - rho x) + p z - (u + sqrt(u^2 + 4 k_xx s')) x/(2 k_xx)),

which tests times and places of all exits at once, with no quadrature. Bounds are 4 sigma.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import log_ndtr

from mcprop.analytic import XueLiu2025, cloud
from mcprop.cloud import slab
from mcprop.diffusion import tensor
from mcprop.kernels.elementary import exp
from mcprop.kernels.slab import ARRIVED, slab_walk
from mcprop.observer import Observer
from mcprop.protocol import implements, is_uniform, outside, own_path
from mcprop.scenario import load
from mcprop.source import SteadyDensity
from mcprop.species import energy_of
from mcprop.transport import AnalogCloudJob, CloudJob, run_job
from mcprop.xue_liu_2025.plan import Planner

FIELD = np.array([0.6, 0.8, 0.0])
KAPPA = tensor(2.0, 0.1, FIELD)
DEPTH = 1.5
FLOW = 0.5
FREE = np.array([[0.02, 0.01, 0.0], [0.01, 0.05, 0.0], [0.0, 0.0, 0.03]])
N = 1 << 16


class Laplace(NamedTuple):
    """Density exp(-rate elapsed + tilt_y y + tilt_z z) outside."""

    rate: float
    tilt_y: float
    tilt_z: float


@implements(own_path, Laplace)
def _(density, j):
    return 0.0, 0.0, 0.0, 0.0


@implements(outside, Laplace)
def _(density, x, y, z, elapsed, p0, p1, p2, p3):
    return exp(-density.rate * elapsed + density.tilt_y * y + density.tilt_z * z)


@implements(is_uniform, Laplace)
def _(density):
    return False


OUTSIDE = Laplace(0.4, 0.12, -0.7)


def exact(density=OUTSIDE, kappa=KAPPA, flow=FLOW):
    """Density at the Sun and gradient of its logarithm."""
    rho, k_xx = kappa[1, 0] / kappa[0, 0], kappa[0, 0]
    rate = density.rate + density.tilt_y * rho * flow - density.tilt_z**2 * kappa[2, 2]
    rate -= density.tilt_y**2 * (kappa[1, 1] - rho * kappa[0, 1])
    slope = -density.tilt_y * rho - (flow + math.sqrt(flow**2 + 4.0 * k_xx * rate)) / (2.0 * k_xx)
    return math.exp(slope * DEPTH), np.array([slope, density.tilt_y, density.tilt_z])


class Met(NamedTuple):
    """What lies outside, handed to a job as it stands."""

    met: object
    steps_walked: int = 0

    def density(self, seed, stream, first, n):
        return self.met


def run(met, step=0.5, n=N, age=math.inf, flow=FLOW, kappa=KAPPA, tilt=False, change=None, seed=3):
    """Outcome of histories; `change` alters the slab that the kernel is told of."""
    described = slab(kappa, flow, DEPTH, age, step, tilt)._replace(**(change or {}))
    around = met if isinstance(met, SteadyDensity) else Met(met)
    rate = flow / kappa[0, 0] if tilt else 0.0
    job = CloudJob(("test", step), described, around, Observer(FREE, 1e-3), rate)
    return run_job(job, seed, 0, n, 0)


def pull(found, expected):
    """Deviation of a (mean, standard deviation) in standard deviations."""
    return abs(found[0] - expected) / found[1]


def dipole_pulls(moments, expected):
    """Deviations along the axes of the covariance, those without variance left out."""
    dipole = moments.dipole()
    values, vectors = np.linalg.eigh(dipole.covariance)
    along = (dipole.vector - expected) @ vectors
    keep = values > 1e-9 * values[-1]
    assert np.abs(along[~keep]).max(initial=0.0) < 1e-5 * np.linalg.norm(expected)
    return np.abs(along[keep]) / np.sqrt(values[keep])


STEADY = (math.exp(-FLOW * DEPTH / KAPPA[0, 0]), FREE[0] * -FLOW / KAPPA[0, 0])


@pytest.mark.parametrize("step", [0.1, 0.5, 2.0])
def test_steady_density_and_dipole_for_any_step(step):
    """Survival weights: errors of 1.0, 0.4, 0.2 % of the density for steps of 0.1, 0.5, 2."""
    outcome = run(SteadyDensity(1.0), step)
    assert pull(outcome.moments.density(), STEADY[0]) < 4.0
    assert dipole_pulls(outcome.moments, STEADY[1]).max() < 4.0
    assert outcome.moments.density()[1] < 0.015 * STEADY[0]


@pytest.mark.parametrize("step", [0.1, 0.5, 2.0])
def test_laplace_transform_of_exits_for_any_step(step):
    """Times and places of exits: errors of 2.3, 1.0, 0.6 % of the density."""
    psi, slope = exact()
    outcome = run(OUTSIDE, step)
    assert pull(outcome.moments.density(), psi) < 4.0
    assert dipole_pulls(outcome.moments, FREE @ slope).max() < 4.0
    assert np.isfinite(outcome.moments.dipole().sigma).all()  # one axis has no variance
    assert outcome.moments.density()[1] < 0.04 * psi


PLANTED = {
    "drift reversed": {"flow": -FLOW},
    "sqrt 2 missing": {"kappa_xx": KAPPA[0, 0] / 2.0},
    "flow without its tangential part": {"shear": 0.0},
    "noise along the face uncorrelated": {"ratio": 0.0, "spread2": KAPPA[1, 1], "shear": 0.0},
    "third axis without noise": {"spread3": 0.0},
    "age 3 times too short": {"age": 3.0},
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_biases_are_caught(bug):
    psi, slope = exact()
    moments = run(OUTSIDE, 2.0, n=4 * N, change=PLANTED[bug]).moments
    worst = max(pull(moments.density(), psi), *dipole_pulls(moments, FREE @ slope))
    assert worst > 4.0


def test_unaltered_slab_passes_at_the_size_of_the_planted_runs():
    psi, slope = exact()
    moments = run(OUTSIDE, 2.0, n=4 * N).moments
    worst = max(pull(moments.density(), psi), *dipole_pulls(moments, FREE @ slope))
    assert worst < 4.0


def test_testing_the_end_of_the_step_against_the_face_would_be_caught():
    """The textbook's way misses crossings within a step: too few exits, by the root of it."""
    rng, x = np.random.default_rng(1), np.full(N, DEPTH)
    inside = np.ones(N, dtype=bool)
    h = 0.1 * DEPTH**2 / KAPPA[0, 0]
    for _ in range(400):
        x[inside] += FLOW * h + math.sqrt(2.0 * KAPPA[0, 0] * h) * rng.normal(size=inside.sum())
        inside &= x > 0.0
    left = 1.0 - inside.mean()
    assert pull((left, math.sqrt(left * (1.0 - left) / N)), STEADY[0]) > 4.0


def test_without_flow_everything_leaves():
    """u -> 0: psi = 1 and no dipole, to the millionth that lies beyond the farthest depth."""
    moments = run(SteadyDensity(1.0), flow=0.0, n=4096).moments
    assert moments.density()[0] == pytest.approx(1.0, abs=3e-6)
    assert np.linalg.norm(moments.dipole().vector) < 3e-6


def test_weak_flow_goes_over_into_none():
    for flow in (1e-2, 1e-4):
        moments = run(SteadyDensity(1.0), flow=flow, n=4096).moments
        assert pull(moments.density(), math.exp(-flow * DEPTH / KAPPA[0, 0])) < 4.0


@pytest.mark.parametrize("step", [0.5, 2.0])
def test_tilted_histories_have_no_variance_where_the_answer_is_steady(step):
    moments = run(SteadyDensity(1.0), step, tilt=True, n=4096).moments
    mean, std_dev = moments.density()
    assert mean == pytest.approx(STEADY[0], rel=1e-5)
    assert std_dev < 1e-6 * mean
    np.testing.assert_allclose(moments.dipole().vector, STEADY[1], rtol=1e-4, atol=1e-9)
    assert moments.dipole().sigma.max() < 1e-6 * np.linalg.norm(STEADY[1])


def test_tilted_histories_agree_with_the_laplace_transform():
    """The tilt changes the drift along the face as well; without that part it is caught."""
    psi, slope = exact()
    moments = run(OUTSIDE, tilt=True, n=N).moments
    assert pull(moments.density(), psi) < 4.0
    assert dipole_pulls(moments, FREE @ slope).max() < 4.0
    sheared = run(OUTSIDE, tilt=True, n=N, change={"shear": 0.0}).moments
    assert pull(sheared.density(), psi) > 4.0


def exit_probability(time, flow=FLOW):
    """Probability to have left by `time`: first passage of a Brownian motion with drift."""
    k_xx = KAPPA[0, 0]
    root = np.sqrt(2.0 * k_xx * time)
    later = log_ndtr((flow * time - DEPTH) / root) - flow * DEPTH / k_xx
    return np.exp(log_ndtr(-(DEPTH + flow * time) / root)) + np.exp(later)


TIMES = np.array([0.15, 0.5, 1.5, 5.0, 20.0])


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("step", [0.1, 2.0])
def test_exit_times_follow_the_law_of_first_passage(time, step):
    """Survival weights at a finite age, for one step or many."""
    moments = run(SteadyDensity(1.0), step, age=time).moments
    assert pull(moments.density(), exit_probability(time)) < 4.0


def arrivals(time, flow=FLOW, n=1 << 17, tilt=False, change=None):
    """Share of analog histories that have left by `time`, and its error."""
    described = slab(KAPPA, flow, DEPTH, time, 0.5, tilt)._replace(**(change or {}))
    job = AnalogCloudJob(
        ("analog",), described, SteadyDensity(1.0), Observer(np.zeros((3, 3)), 1.0)
    )
    fates = run_job(job, 5, 0, n, 0).fates
    share = fates[ARRIVED] / n
    return share, math.sqrt(share * (1.0 - share) / n)


@pytest.mark.parametrize("time", TIMES)
def test_analog_exit_times_follow_the_law_of_first_passage(time):
    """131072 single histories: shares to 0.14 %."""
    assert pull(arrivals(time), exit_probability(time)) < 4.0


def test_wrong_exit_times_would_be_caught():
    for change in ({"kappa_xx": KAPPA[0, 0] / 2.0}, {"flow": -FLOW}, {"age": 1.04 * 1.5}):
        assert pull(arrivals(1.5, change=change), exit_probability(1.5)) > 4.0


def test_law_of_first_passage_is_the_integral_of_the_density_of_exit_times():
    tau = np.geomspace(1e-4, 5.0, 20001)
    law = np.trapezoid(cloud.exit_time_density(tau, DEPTH, KAPPA[0, 0], FLOW), tau)
    assert law == pytest.approx(exit_probability(5.0), rel=1e-6)


def test_backward_and_forward_flow_are_adjoint():
    """f(tau; u) = exp(-u x/k_xx) f(tau; -u): Monte Carlo with either flow, at every age.

    Reversing the flow is the forward equation; the weight exp(-u x/k_xx) is the ratio of the two.
    """
    for time in TIMES:
        backward, backward_err = arrivals(time)
        forward, forward_err = arrivals(time, tilt=True)
        forward, forward_err = STEADY[0] * forward, STEADY[0] * forward_err
        assert abs(backward - forward) < 4.0 * math.hypot(backward_err, forward_err)
    assert arrivals(20.0, tilt=True)[0] - arrivals(20.0)[0] > 4.0 * 0.002


def test_every_history_has_one_fate_at_any_age():
    """Escaped, aged out or arrived, never lost; also at once and without end."""
    for age in (0.01, 1.0, math.inf):
        outcome = run(OUTSIDE, n=1000, age=age)
        assert outcome.fates.sum() == 1000
        assert outcome.fates[3] == 0


def test_lost_histories_are_counted():
    fates = np.zeros(4, dtype=np.int64)
    scores, frames = np.empty((100, 6)), np.empty((100, 9))
    described = slab(KAPPA, FLOW, DEPTH, math.inf, 0.5)._replace(kappa_xx=math.nan)
    keys = np.uint64(1), np.uint64(2), np.uint64(0)
    slab_walk(described, SteadyDensity(1.0), *keys, FREE, scores, frames, fates)
    assert fates.tolist() == [0, 0, 0, 100]


MODELS = {name: load(name) for name in ("xue-liu-2025", "xue-liu-2025-wandering")}


@pytest.mark.parametrize("rigidity", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("name", MODELS)
def test_dipole_of_equation_11(name, rigidity):
    """The planned job, survival weights: density and dipole of the published slab."""
    config = MODELS[name]
    model: XueLiu2025 = config.model()
    energy = float(energy_of(rigidity, "p"))
    job = Planner(model, config.monte_carlo).jobs(energy)[0].job
    moments = run_job(job, 1, 0, N, 0).moments
    steady = math.exp(-model.flow_speed * model.cloud_depth / model.k_xx(rigidity, "p"))
    assert pull(moments.density(), steady) < 4.0
    assert dipole_pulls(moments, model.published_dipole("nearby", rigidity, "p")).max() < 4.0
