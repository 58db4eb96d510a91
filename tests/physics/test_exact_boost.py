"""Compton-Getting without approximation: a second integration, the first order, and a closed form.

In the gas frame the particles are isotropic. Integrated there, over gas directions, the observer's
dipole needs aberration and the solid angle explicitly; integrated over the observer's directions it
needs neither. Both must agree.
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from mcprop import comparison
from mcprop.analytic import boost
from mcprop.scenario import load
from mcprop.transport import run_job
from mcprop.xue_liu_2025.assembly import Assembly
from mcprop.xue_liu_2025.plan import Planner

DIRECTION = np.array([0.36, -0.48, 0.8])


def from_the_gas_frame(energy, mass, index, speed):
    """Amplitude by integration over directions in the gas frame, derivatives by differences."""
    gamma, momentum = 1.0 / math.sqrt(1.0 - speed**2), math.sqrt(energy**2 - mass**2)

    def momentum_in_gas(cosine):
        low, high = 1e-9 * momentum, 1e3 * momentum  # energy grows with it: bisection
        for _ in range(200):
            middle = 0.5 * (low + high)
            seen = gamma * (math.hypot(middle, mass) + middle * speed * cosine)
            low, high = (middle, high) if seen < energy else (low, middle)
        return 0.5 * (low + high)

    def seen_cosine(cosine):
        p = momentum_in_gas(cosine)
        return gamma * (p * cosine + speed * math.hypot(p, mass)) / momentum

    def integrand(cosine, power):
        slope = (seen_cosine(cosine + 1e-5) - seen_cosine(cosine - 1e-5)) / 2e-5
        intensity = (momentum / momentum_in_gas(cosine)) ** (2.0 + index)
        return intensity * slope * seen_cosine(cosine) ** power

    first, zeroth = (quad(integrand, -1.0, 1.0, args=(k,), epsabs=1e-9)[0] for k in (1, 0))
    return 3.0 * first / zeroth


@pytest.mark.parametrize(
    ("energy", "mass", "speed"), [(1e4, 0.938272, 0.3), (2.0, 0.938272, 0.2), (6.0, 3.727379, 0.4)]
)
def test_integration_in_the_gas_frame(energy, mass, speed):
    found = boost.dipole(energy, mass, 2.8, speed * DIRECTION)
    assert found == pytest.approx(
        from_the_gas_frame(energy, mass, 2.8, speed) * DIRECTION, rel=1e-6
    )


@pytest.mark.parametrize("energy", [5.0, 1e2, 1e6])
def test_first_order_in_the_velocity(energy):
    speed, mass = 8.5e-5, 0.938272
    v = math.sqrt(1.0 - (mass / energy) ** 2)
    found = boost.dipole(energy, mass, 2.8, speed * DIRECTION)
    assert found == pytest.approx(4.8 * speed / v * DIRECTION, rel=1e-6)
    assert boost.dipole(energy, mass, 2.8, np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_closed_form_of_a_photon_gas():
    """Without mass and with index 0 the intensity is (1 - u mu)^-2 up to a constant."""
    u = 0.5
    zeroth = 2.0 / (1.0 - u**2)
    first = (zeroth + math.log((1.0 - u) / (1.0 + u)) / u) / u
    found = boost.dipole(1.0, 0.0, 0.0, u * DIRECTION)
    assert found == pytest.approx(3.0 * first / zeroth * DIRECTION, rel=1e-12)


def assembled(velocity_factor=1.0, energy=15.0):
    """Answers at one energy, the Sun's velocity in the boosted arrivals times a factor."""
    config = load("xue-liu-2025").replace({"monte_carlo.nside": 1})
    planned = Planner(config.model(), config.monte_carlo).jobs(energy)
    outcomes = []
    for p in planned:
        if p.component == "compton-getting":
            turned = tuple(velocity_factor * u for u in p.job.velocity)
            object.__setattr__(p.job, "velocity", turned)
        outcomes.append(run_job(p.job, 3, 0, 1 << 17, 1))
    rows = Assembly(config.model(), energy, planned, outcomes).comparisons()
    return {(row.component, row.reference): row for row in rows if row.quantity == "dipole"}


def test_the_boost_is_judged_exactly_at_low_energy():
    """At 15 GeV the first order is visibly off; the verdict does not suffer from it."""
    rows = assembled()
    assert rows["compton-getting", "exact boost"].verdict == "agrees"
    assert rows["total", "formula and exact boost"].verdict == "agrees"
    first = rows["compton-getting", "first order boost"]
    assert first.verdict == "finding"
    assert first.sigma > comparison.THRESHOLD


@pytest.mark.parametrize("factor", [-0.9, -1.0, 1.05])
def test_a_wrong_boost_differs(factor):
    rows = assembled(factor, energy=1e3)
    assert rows["compton-getting", "exact boost"].verdict == "differs"
    assert rows["total", "formula and exact boost"].verdict == "differs"
