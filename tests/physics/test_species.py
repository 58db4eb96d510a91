"""Nuclei: kinematics against identities and finite differences."""

import numpy as np
import pytest
from astropy import constants

from mcprop.errors import RangeError
from mcprop.species import (
    HELIUM,
    PROTON,
    SPECIES,
    Species,
    beta_of,
    energy_jacobian,
    energy_of,
    find,
    rigidity_of,
)

RIGIDITY = np.geomspace(0.01, 1e8, 41)


def test_known_nuclei():
    assert list(SPECIES) == ["p", "He", "C", "N", "O", "Ne", "Mg", "Si", "Fe"]
    assert [nucleus.charge for nucleus in SPECIES.values()] == [1, 2, 6, 7, 8, 10, 12, 14, 26]
    assert [nucleus.nucleons for nucleus in SPECIES.values()] == [1, 4, 12, 14, 16, 20, 24, 28, 56]
    assert (PROTON.charge, PROTON.mass) == (1, 0.938272)
    assert (HELIUM.charge, HELIUM.mass) == (2, 3.727379)
    assert find("He") is HELIUM
    assert find(Species("D", 1, 1.875613, 2)).name == "D"


# Atomic masses in u of AME2020 (Wang et al. 2021, Chinese Phys. C 45, 030003)
ATOMIC_MASSES = {
    "p": 1.007825032,
    "He": 4.002603254,
    "C": 12.0,
    "N": 14.003074004,
    "O": 15.994914619,
    "Ne": 19.992440176,
    "Mg": 23.985041697,
    "Si": 27.976926535,
    "Fe": 55.934935537,
}


@pytest.mark.parametrize("name", SPECIES)
def test_rest_energy_is_that_of_the_atom_without_its_electrons(name):
    nucleus = SPECIES[name]
    atom = (ATOMIC_MASSES[name] * constants.u * constants.c**2).to_value("GeV")
    electron = (constants.m_e * constants.c**2).to_value("GeV")
    binding = 14.4381e-9 * nucleus.charge**2.39 + 1.55468e-15 * nucleus.charge**5.35
    bare = atom - nucleus.charge * electron + binding
    assert nucleus.mass == pytest.approx(bare, abs=1.5e-6)


def test_unknown_nucleus_is_named_with_the_choice():
    with pytest.raises(RangeError, match=r"'proton' is not known: choose from p, He, C,"):
        energy_of(1.0, "proton")


@pytest.mark.parametrize("name", SPECIES)
def test_round_trip(name):
    assert rigidity_of(energy_of(RIGIDITY, name), name) == pytest.approx(RIGIDITY, rel=1e-9)
    assert isinstance(energy_of(3.0, name), float)


@pytest.mark.parametrize("name", SPECIES)
def test_speed_is_that_of_the_lorentz_factor(name):
    gamma = energy_of(RIGIDITY, name) / SPECIES[name].mass
    assert beta_of(RIGIDITY, name)[:20] == pytest.approx(np.sqrt(1.0 - gamma**-2)[:20], rel=1e-9)
    assert beta_of(1e8, name) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", SPECIES)
def test_jacobian_is_the_derivative(name):
    energy = energy_of(RIGIDITY, name)
    step = 1e-5 * (energy - SPECIES[name].mass)
    slope = (rigidity_of(energy + step, name) - rigidity_of(energy - step, name)) / (2.0 * step)
    assert energy_jacobian(RIGIDITY, name) == pytest.approx(slope, rel=1e-6)


def test_helium_at_equal_energy_has_half_the_rigidity():
    assert rigidity_of(1e6, "He") / rigidity_of(1e6, "p") == pytest.approx(0.5, rel=1e-10)


@pytest.mark.parametrize("energy", [0.5, 0.938272, np.array([10.0, 0.1]), np.nan])
def test_energy_below_rest_is_refused(energy):
    with pytest.raises(RangeError, match="must exceed the rest energy of p"):
        rigidity_of(energy, "p")
