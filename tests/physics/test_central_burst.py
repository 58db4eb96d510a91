"""A burst at the Galactic centre in the SDP medium: eigenmodes, and a backward leg to them."""

import math

import numpy as np
import pytest
from scipy.special import j0, j1, jn_zeros

from mcprop.central_burst import central_burst
from mcprop.errors import RangeError
from mcprop.galaxy import Galaxy
from mcprop.galaxy.modes import CentralBurst

SUN, AGE = 8500.0, 4e6

# An independent solution: rigidity [GV], ln psi [kpc^-3], dlnpsi/dr [/kpc], modes that count
REFERENCE = [(1e3, -9.6312, -0.3669, 40), (1e5, -31.8434, -0.15386, 10)]


@pytest.mark.parametrize(("rigidity", "ln_psi", "slope", "modes"), REFERENCE)
def test_second_method(rigidity, ln_psi, slope, modes):
    burst = CentralBurst(Galaxy(), rigidity, AGE, modes)
    assert burst.ln_density(SUN) + 3.0 * math.log(1e3) == pytest.approx(ln_psi, abs=1e-4)
    assert 1e3 * burst.slope_r(SUN) == pytest.approx(slope, abs=6e-5)  # digits of the reference
    assert burst.slope_z(SUN, 50.0) == -burst.slope_z(SUN, -50.0)


def test_uniform_medium_in_closed_form():
    """Where D is constant the modes are J0(k r) cos(q z)."""
    galaxy = Galaxy(slope=0.0, contrast=1.0, source_height=1e-6)
    age, r, z = 3e7, 6000.0, 900.0
    burst = CentralBurst(galaxy, 1e3, age, modes=60)
    total = 0.0
    for k in jn_zeros(0, 40):
        for m in range(20):
            q = (m + 0.5) * np.pi / galaxy.half_height
            square = np.pi * (galaxy.radius * j1(k)) ** 2 * galaxy.half_height
            rate = galaxy.d0 * ((k / galaxy.radius) ** 2 + q * q)
            total += j0(k * r / galaxy.radius) * np.cos(q * z) * np.exp(-rate * age) / square
    assert burst.ln_density(r, z) == pytest.approx(np.log(total), abs=1e-4)


@pytest.mark.parametrize(("rigidity", "modes"), [(1e3, 40), (1e5, 10)])
def test_no_leg_matters(rigidity, modes):
    """Legs of different lengths give the same answer: a plateau, and the answer of the modes."""
    burst = CentralBurst(Galaxy(), rigidity, AGE, modes)
    legs = (5e3, 1e4) if rigidity > 1e4 else (1e4, 4e4)
    for leg in legs:
        mc = central_burst(burst, 2048, seed=1, leg=leg)
        assert mc.ln_density_err < 2e-3
        assert abs(mc.ln_density - burst.ln_density(SUN)) < 4.0 * mc.ln_density_err
        # differences over 300 pc are off by less than 5e-4
        off = abs(mc.slope_r - burst.slope_r(SUN)) - 5e-4 * abs(mc.slope_r)
        assert off < 4.0 * mc.slope_r_err < 0.01 * abs(mc.slope_r)


def test_planted_bias():
    """A leg that forgets to make the burst younger is seen."""
    burst = CentralBurst(Galaxy(), 1e3, AGE, 40)
    late = CentralBurst(Galaxy(), 1e3, AGE + 4e4, 40)
    mc = central_burst(late, 2048, seed=1, leg=4e4)
    assert abs(mc.ln_density - burst.ln_density(SUN)) > 5.0 * mc.ln_density_err


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: CentralBurst(Galaxy(), 1e3, 1e5, 5), "too young"),
        (lambda: central_burst(CentralBurst(Galaxy(), 1e5, AGE, 10), 64, 1, leg=5e6), "leg"),
        (lambda: central_burst(CentralBurst(Galaxy(), 1e5, AGE, 10), 1, 1), "histories"),
    ],
)
def test_refused(call, word):
    with pytest.raises(RangeError, match=word):
        call()
