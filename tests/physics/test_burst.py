"""A burst in a uniform medium: delta = 3 r/(2 v T), from which the tensor drops out.

Histories walk at least nine tenths of the age; the closed form serves only as the kernel of the
last leg. Bounds are 4 sigma.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from mcprop.analytic import green
from mcprop.diffusion import tensor
from mcprop.fields import UniformField
from mcprop.observer import Observer
from mcprop.plan import burst_form
from mcprop.source import Burst, SteadyDensity, WalkedBurst
from mcprop.transport import BurstJob, BurstWalk, run_job
from mcprop.units import C_LIGHT, CM2_PER_S

AGE = 3.4e5
B_HAT = np.array([2.0, -1.0, 2.0]) / 3.0
ACROSS = np.array([1.0, 2.0, 0.0]) / math.sqrt(5.0)
PLACE = 250.0 * B_HAT + 18.5 * ACROSS
PARALLEL, PERP = 6.45e29 * CM2_PER_S, 6.45e25 * CM2_PER_S
MEDIA = {"anisotropic": (PARALLEL, PERP), "isotropic": (0.02 * PARALLEL, 0.02 * PARALLEL)}
N = 1 << 15


def burst_of(medium="anisotropic", age=AGE, place=PLACE):
    return Burst(*map(float, place), age, UniformField(*map(float, B_HAT)), *MEDIA[medium])


def walk_of(burst, leg=0.1, steps=20, aimed=True):
    """The way of the engine: aimed at the source and in antithetic pairs, or plain."""
    last = leg * burst.age
    if not aimed or leg == 1.0:
        return BurstWalk(burst, last, steps, (0.0, 0.0, 0.0), 0.0)
    drift = tuple(x / (burst.age - last) for x in (burst.x, burst.y, burst.z))
    return BurstWalk(burst, last, steps, drift, 0.5)


def sun(medium="anisotropic", leg=0.1, step=0.01):
    """Observer whose displacement is a hundredth of the scale of the last leg."""
    mean_free_path = 3.0 / C_LIGHT * tensor(*MEDIA[medium], B_HAT)
    form = burst_form(burst_of(medium), leg * AGE)
    longest = math.sqrt(np.linalg.eigvalsh(mean_free_path.T @ form @ mean_free_path)[-1])
    return Observer(mean_free_path, min(1.0, step / longest))


def outcome(walk, medium="anisotropic", leg=0.1, n=N, name="burst", observer=None):
    job = BurstJob((name, leg), walk, observer or sun(medium, leg))
    return run_job(job, 11, 0, n, 0)


def pulls(moments, medium="anisotropic"):
    """Density and the three components (along the axes of the covariance) in standard deviations.

    Where a component has no variance to speak of, the truncation of differences (1e-4) is allowed.
    """
    expected = 3.0 * PLACE / (2.0 * C_LIGHT * AGE)
    density = green.density(PLACE, tensor(*MEDIA[medium], B_HAT), AGE)
    dipole = moments.dipole()
    values, vectors = np.linalg.eigh(dipole.covariance)
    floor = 2.5e-5 * np.linalg.norm(expected)
    errors = np.hypot(np.sqrt(np.maximum(values, 0.0)), floor)
    mean, std_dev = moments.density()
    return np.array([abs(mean / density - 1.0) / math.hypot(std_dev / density, 2.5e-5),
                     *np.abs((dipole.vector - expected) @ vectors / errors)])  # fmt: skip


def test_reference_numbers_of_the_closed_form():
    """Density and dipole (250 and 18.5 pc, 3.4e5 yr) as another program has them."""
    assert PARALLEL * np.array([1, 1e-4]) == pytest.approx([PARALLEL, PERP])
    kappa = tensor(PARALLEL, PERP, B_HAT)
    assert green.density(PLACE, kappa, AGE) == pytest.approx(1.092560e-7, rel=1e-6)
    dipole = green.dipole(PLACE, C_LIGHT, AGE)
    assert [dipole @ B_HAT, dipole @ ACROSS] == pytest.approx([3.597313e-3, 2.662012e-4], rel=1e-6)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("leg", [0.1, 0.05, 0.025])
def test_walked_dipole_and_density_for_each_last_leg(medium, leg):
    """The answer does not depend on how little is left to the closed form.

    Errors of the dipole: 0.5 to 1 % isotropic, 2, 4 and 10 % anisotropic.
    """
    found = outcome(walk_of(burst_of(medium), leg), medium, leg, n=8 * N)
    assert pulls(found.moments, medium).max() < 4.0
    dipole = found.moments.dipole()
    along = abs(dipole.vector @ B_HAT)
    assert math.sqrt(B_HAT @ dipole.covariance @ B_HAT) < 0.15 * along
    assert found.steps == 20 * 8 * N
    assert found.fates.tolist() == [0, 0, 8 * N, 0]


@pytest.mark.parametrize("medium", MEDIA)
def test_assisted_dipole_is_exact(medium):
    """The closed form for the whole age: no variance, and only the truncation of differences."""
    moments = outcome(walk_of(burst_of(medium), 1.0), medium, n=256).moments
    expected = 3.0 * PLACE / (2.0 * C_LIGHT * AGE)
    np.testing.assert_allclose(moments.dipole().vector, expected, rtol=3e-5)
    density = green.density(PLACE, tensor(*MEDIA[medium], B_HAT), AGE)
    assert moments.density()[0] == pytest.approx(density, rel=1e-4)


@pytest.mark.parametrize("steps", [2, 60])
def test_steps_of_the_walk_do_not_matter(steps):
    assert pulls(outcome(walk_of(burst_of(), steps=steps), name="s").moments).max() < 4.0


def test_plain_walks_agree_with_aimed_ones():
    """Single paths, not drawn to the source: noisier, and the same answer."""
    plain = outcome(walk_of(burst_of("isotropic"), aimed=False), "isotropic", n=8 * N).moments
    aimed = outcome(walk_of(burst_of("isotropic")), "isotropic").moments
    assert pulls(plain, "isotropic").max() < 4.0
    assert math.sqrt(8.0) * plain.dipole().sigma.min() > 2.0 * aimed.dipole().sigma.max()


def test_source_at_the_observer_gives_no_dipole():
    """Antithetic paths cancel, exactly."""
    burst = burst_of("isotropic", place=(0.0, 0.0, 0.0))
    dipole = outcome(walk_of(burst), "isotropic", n=256).moments.dipole()
    assert np.abs(dipole.vector).max() < 1e-15


@dataclass(frozen=True)
class Altered:
    """A walk whose kicks are multiplied by `factor` before the last leg."""

    walk: BurstWalk
    factor: float

    def density(self, *numbers):
        met = self.walk.density(*numbers)
        assert isinstance(met, WalkedBurst)
        return met._replace(kicks=self.factor * met.kicks)

    @property
    def steps_walked(self):
        return self.walk.steps_walked


BURST = burst_of("isotropic")
SLOW = sun("isotropic")
PLANTED = {
    "sqrt 2 missing": (Altered(walk_of(BURST), math.sqrt(0.5)), SLOW),
    "walk left out": (Altered(walk_of(BURST), 0.0), SLOW),
    "age 5 % too long": (walk_of(burst_of("isotropic", age=1.05 * AGE)), SLOW),
    "flow for arrival": (walk_of(BURST), SLOW._replace(mean_free_path=-SLOW.mean_free_path)),
    "mean free path kappa/v": (
        walk_of(BURST),
        SLOW._replace(mean_free_path=SLOW.mean_free_path / 3),
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_biases_are_caught(bug):
    walk, observer = PLANTED[bug]
    assert pulls(outcome(walk, "isotropic", observer=observer).moments, "isotropic").max() > 4.0


def test_inverted_anisotropy_is_caught():
    inverted = burst_of()._replace(kappa_parallel=PERP, kappa_perp=PARALLEL)
    assert pulls(outcome(walk_of(inverted)).moments).max() > 4.0


def test_a_drift_that_is_not_undone_is_caught():
    """The weight of Girsanov left out: walks aimed at the source count as they are."""

    @dataclass(frozen=True)
    class Drawn:
        walk: BurstWalk
        steps_walked: int = 20

        def density(self, *numbers):
            met, burst = self.walk.density(*numbers), self.walk.burst
            kicks = met.kicks + np.array([burst.x, burst.y, burst.z])[:, None]
            return met._replace(kicks=kicks)

    plain = walk_of(BURST, aimed=False)
    assert pulls(outcome(Drawn(plain), "isotropic").moments, "isotropic").max() > 4.0


def test_a_constant_density_outside_needs_no_walk():
    """Met as it stands; nothing is walked and there is no dipole."""
    found = outcome(SteadyDensity(2.5), n=128)
    assert found.moments.density() == (2.5, 0.0)
    assert not found.moments.dipole().vector.any()
    assert found.steps == 0


def test_before_the_burst_there_is_nothing():
    """Exits earlier than the burst itself meet no particle."""
    from mcprop.protocol import outside

    burst = burst_of("isotropic")
    for met in (burst, walk_of(burst).density(np.uint64(1), np.uint64(1), 0, 64)):
        for elapsed in (AGE, 1.1 * AGE):
            assert outside(met, *PLACE, elapsed, 0.0, 0.0, 0.0, 0.0) == 0.0
        assert outside(met, *PLACE, 0.99 * AGE, 0.0, 0.0, 0.0, 0.0) > 0.0
