"""The list of mistakes that are easily made, each planted in a whole job and caught.

One judge for all: the comparison of the package itself, four standard deviations, against the
formulas of the model. What is unbroken must agree; what is broken must differ.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from mcprop import transport
from mcprop.analytic import cloud
from mcprop.cloud import slab
from mcprop.comparison import compare, compare_density
from mcprop.dipole import Dipole
from mcprop.fields import UniformField
from mcprop.kernels.walk import walk
from mcprop.medium import Aligned
from mcprop.observer import Observer
from mcprop.protocol import drift, implements, noise
from mcprop.scenario import load
from mcprop.source import Burst, WalkedBurst
from mcprop.species import energy_of
from mcprop.transport import BurstWalk, CloudJob, run_job
from mcprop.xue_liu_2025.plan import Planner

STEADY, TIMED = load("xue-liu-2025"), load("xue-liu-2025-time-dependent")
ASSISTED = TIMED.replace({"monte_carlo.estimator": "assisted"})
RIGIDITY = 1e3
N = 1 << 16


def planned(config, component):
    """Job of protons of 1 TV."""
    energy = float(energy_of(RIGIDITY, "p"))
    jobs = Planner(config.model(), config.monte_carlo).jobs(energy)
    return next(p.job for p in jobs if p.component == component and p.species == "p")


def verdicts(config, component, job, n=N):
    """Verdicts on dipole and density of a job against the formulas of the model."""
    moments = run_job(job, 17, 0, n, 1).moments
    model = config.model()
    dipole = compare(moments.dipole(), Dipole(model.dipole(component, RIGIDITY, "p")))
    expected = model.density(component, RIGIDITY, "p")
    if component == "nearby" and config is STEADY:  # the cloud's own factor
        expected = math.exp(-model.flow_speed * model.cloud_depth / model.k_xx(RIGIDITY, "p"))
    mean, std_dev = moments.density()
    return {dipole.verdict, compare_density(mean / expected, std_dev / expected).verdict}


def flow_for_arrival(job):
    sun = job.observer
    return replace(job, observer=sun._replace(mean_free_path=-sun.mean_free_path))


def drift_reversed(job):
    return replace(job, slab=job.slab._replace(flow=-job.slab.flow))


def half_diffusion(job):
    return replace(job, slab=job.slab._replace(kappa_xx=job.slab.kappa_xx / 2.0))


def no_tangential_flow(job):
    return replace(job, slab=job.slab._replace(shear=0.0))


def inverted_locally(job):
    """kappa_perp along the field and kappa_parallel across it, for the last mean free path."""
    free = job.observer.mean_free_path
    scale = np.trace(free @ free.T) ** 0.5
    return replace(
        job, observer=job.observer._replace(mean_free_path=scale * np.linalg.inv(free).T)
    )


def inverted_outside(job):
    burst = job.outside.burst
    burst = burst._replace(kappa_parallel=burst.kappa_perp, kappa_perp=burst.kappa_parallel)
    return replace(job, outside=replace(job.outside, burst=burst))


def galactic_axes_for_icrs(job):
    from mcprop.frames import galactic_axes

    free = job.observer.mean_free_path @ galactic_axes()
    return replace(job, observer=job.observer._replace(mean_free_path=free))


def age_in_another_unit(job):
    """An age in Myr taken for one in Gyr, for the burst and its last leg."""
    walk_ = job.outside
    burst = walk_.burst._replace(age=1e3 * walk_.burst.age)
    toward = tuple(1e-3 * u for u in walk_.drift)
    return replace(
        job, outside=BurstWalk(burst, 1e3 * walk_.last, walk_.steps, toward, walk_.mirrored)
    )


def age_of_the_cloud_in_kyr(job):
    return replace(job, slab=job.slab._replace(age=1e-3 * job.slab.age))


def forgotten_sqrt_2(job):
    """Kicks of the walk outside without their sqrt 2."""

    class Weak(BurstWalk):
        def density(self, *numbers):
            met = super().density(*numbers)
            assert isinstance(met, WalkedBurst)
            return met._replace(kicks=math.sqrt(0.5) * met.kicks)

    old = job.outside
    return replace(job, outside=Weak(old.burst, old.last, old.steps, old.drift, old.mirrored))


def unbroken(job):
    return job


BUGS = [
    (STEADY, "nearby", flow_for_arrival),
    (STEADY, "nearby", drift_reversed),
    (STEADY, "nearby", half_diffusion),
    (STEADY, "nearby", inverted_locally),
    (STEADY, "nearby", galactic_axes_for_icrs),
    (TIMED, "nearby", flow_for_arrival),
    (TIMED, "nearby", half_diffusion),
    (TIMED, "nearby", drift_reversed),
    (ASSISTED, "nearby", no_tangential_flow),
    (TIMED, "nearby", inverted_outside),
    (TIMED, "nearby", age_of_the_cloud_in_kyr),
    (STEADY, "centre", flow_for_arrival),
    (STEADY, "centre", age_in_another_unit),
    (STEADY, "centre", forgotten_sqrt_2),
    (STEADY, "centre", galactic_axes_for_icrs),
]


@pytest.mark.parametrize(
    ("config", "component"),
    [(STEADY, "nearby"), (TIMED, "nearby"), (ASSISTED, "nearby"), (STEADY, "centre")],
)
def test_unbroken_jobs_agree(config, component):
    assert verdicts(config, component, unbroken(planned(config, component))) == {"agrees"}


@pytest.mark.parametrize(
    ("config", "component", "bug"),
    BUGS,
    ids=[f"{'steady' if c is STEADY else 'timed'}-{k}-{b.__name__}" for c, k, b in BUGS],
)
def test_broken_jobs_differ(config, component, bug):
    broken = bug(planned(config, component))
    assert "differs" in verdicts(config, component, broken, n=4 * N)


def test_a_stream_shared_between_cloud_and_walk_is_caught(monkeypatch):
    """The numbers that move the exits along the face move the walks outside along it as well.

    Single paths, since antithetic ones cancel what is odd in them; kappa = 1 inside, 0.5 outside.
    """
    age, place = 10.0, (-4.0, 6.0, 3.0)
    field = UniformField(0.0, 0.0, 1.0)
    outside = BurstWalk(Burst(*place, age, field, 0.5, 0.5), 0.1 * age, 2, (0.0, 0.0, 0.0), 0.0)
    described = slab(np.eye(3), 0.3, 1.5, age, 2.0)
    job = CloudJob(("shared",), described, outside, Observer(0.01 * np.eye(3), 1.0))
    expected = cloud.density(1.5, np.eye(3), 0.3, 0.5 * np.eye(3), place, age)

    def verdict():
        mean, std_dev = run_job(job, 17, 0, 4 * N, 0).moments.density()
        return compare_density(mean / expected, std_dev / expected).verdict

    assert verdict() == "agrees"
    monkeypatch.setattr(transport, "stream", lambda *name: np.uint64(99))
    assert verdict() == "differs"


class Reusing(NamedTuple):
    """An isotropic medium whose third noise takes 4 % of the first slot."""

    kappa: float


@implements(noise, Reusing)
def _(medium, x, y, z, n0, n1, n2):
    root = math.sqrt(medium.kappa)
    return root * n0, root * n1, root * (0.9992 * n2 + 0.04 * n0)


@implements(drift, Reusing)
def _(medium, x, y, z):
    return 0.0, 0.0, 0.0


def correlations(medium):
    """Correlations of the three coordinates of driftless walks, in standard deviations."""
    out = np.empty((1, 3, N))
    walk(medium, np.uint64(1), np.uint64(2), np.uint64(0), np.zeros(3), 1, 1.0, out)
    return math.sqrt(N) * (np.corrcoef(out[0]) - np.eye(3))


def test_a_slot_used_twice_is_caught():
    """Correlations of 65536 walks: 0.4 % is one sigma."""
    isotropic = Aligned(UniformField(0.0, 0.0, 1.0), 0.5, 0.5, 0.0, 0.0, 0.0)
    assert np.abs(correlations(isotropic)).max() < 4.0
    assert np.abs(correlations(Reusing(0.5))).max() > 4.0
