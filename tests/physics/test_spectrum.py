"""Spectra against identities written in other variables."""

import numpy as np
import pytest

from mcprop import spectrum
from mcprop.species import HELIUM, PROTON, energy_of
from mcprop.units import C_CM_S, PC_CM, YR_S

RIGIDITY = np.geomspace(0.5, 1e6, 25)


def power_law(rigidity):
    return rigidity**-2.7


@pytest.mark.parametrize("nucleus", [PROTON, HELIUM])
def test_force_field_is_a_loss_of_charge_times_potential(nucleus):
    far = spectrum.interstellar_rigidity(RIGIDITY, 0.97, nucleus)
    lost = energy_of(far, nucleus) - energy_of(RIGIDITY, nucleus)
    assert lost[:10] == pytest.approx(np.full(10, nucleus.charge * 0.97), rel=1e-10)


@pytest.mark.parametrize("nucleus", [PROTON, HELIUM])
def test_force_field_conserves_the_phase_space_density(nucleus):
    # f = J_R/(beta p^2) is what modulation leaves alone; p = Z R and the charges cancel.
    inside = spectrum.modulated(power_law, RIGIDITY, 0.97, nucleus)
    far = spectrum.interstellar_rigidity(RIGIDITY, 0.97, nucleus)
    speed_inside = nucleus.charge * RIGIDITY / energy_of(RIGIDITY, nucleus)
    speed_far = nucleus.charge * far / energy_of(far, nucleus)
    assert inside / (speed_inside * RIGIDITY**2) == pytest.approx(
        power_law(far) / (speed_far * far**2), rel=1e-12
    )


def test_relative_injection_is_a_ratio():
    at, reference = (spectrum.injection(r, 3e52, 2.3, 7e6) for r in (RIGIDITY, 200.0))
    relative = spectrum.relative_injection(RIGIDITY, 200.0, 2.3, 7e6)
    assert relative == pytest.approx(at / reference, rel=1e-12)


def test_no_potential_no_modulation():
    unchanged = spectrum.modulated(power_law, RIGIDITY, 0.0, "p")
    assert unchanged == pytest.approx(power_law(RIGIDITY), rel=1e-12)
    assert np.all(spectrum.modulated(power_law, RIGIDITY, 0.97, "p") < unchanged)


def test_injection_is_a_cut_power_law():
    assert spectrum.injection(1.0, 4.7e52, 2.6, np.inf) == 4.7e52
    assert spectrum.injection(4e6, 1.0, 2.6, 4e6) == pytest.approx(4e6**-2.6 / np.e)
    assert spectrum.injection(np.array([10, 100]), 1.0, 2.0, np.inf) == pytest.approx([1e-2, 1e-4])


def test_density_to_intensity_in_square_metres_and_seconds():
    # 1 particle/pc^3 at the speed of light
    per_cubic_metre = (1e2 / PC_CM) ** 3
    expected = per_cubic_metre * C_CM_S * 1e-2 / (4.0 * np.pi)
    assert spectrum.intensity_per_density(1.0) == pytest.approx(expected, rel=1e-12)


def test_leaky_box_in_centimetres_and_seconds():
    rate, height, volume, coefficient = 0.03 / YR_S, 100 * PC_CM, 1e10 * PC_CM**3, 4.6e28
    expected = rate * height**2 / (volume * coefficient) * PC_CM**3
    density = spectrum.leaky_box_density(4.6e28 * YR_S / PC_CM**2, 100.0, 0.03, 1e10)
    assert density == pytest.approx(expected, rel=1e-12)


def test_slope_of_a_cut_power_law():
    energy = np.geomspace(1.0, 1e4, 9)
    slope = spectrum.log_slope(lambda e: e**-2.7 * np.exp(-e / 1e3), energy)
    assert slope == pytest.approx(-2.7 - energy / 1e3, abs=1e-5)


def test_compton_getting_coefficient_of_a_power_law():
    # The dipole of J ~ E^-g in a moving frame is (2 + g) v/c.
    assert 3.0 * spectrum.compton_getting_coefficient(-2.8) == pytest.approx(4.8)
