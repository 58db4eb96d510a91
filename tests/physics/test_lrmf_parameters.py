"""Parameters of the model with a local regular field: units, choices, refusals, losses."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u

from mcprop import analytic
from mcprop.analytic import LrmfSdp, lrmf_losses
from mcprop.errors import RangeError, UnitsError
from mcprop.galaxy import Galaxy
from mcprop.species import SPECIES, rigidity_of
from mcprop.units import PC_CM

MODEL = LrmfSdp()


def test_text_and_quantities_are_the_numbers_of_the_paper():
    given = LrmfSdp(
        geminga_distance="330 pc",
        geminga_age=0.34 * u.Myr,
        geminga_cutoff="25 TV",
        geminga_cutoff_energy="25 TeV",
        background_cutoff=7 * u.PV,
        normalisation_energy="0.1 TeV",
        sun_height="0 kpc",
        field_lat="-57.1 deg",
        gas_density="1 cm-3",
        geminga_source={name: f"{q} GV-1" for name, q in MODEL.geminga_source.items()},
    )
    for name in ("geminga_distance", "geminga_age", "geminga_cutoff", "geminga_cutoff_energy"):
        assert getattr(given, name) == pytest.approx(getattr(MODEL, name), rel=1e-12)
    assert given.gas_density == pytest.approx(MODEL.gas_density, rel=1e-9)
    assert given.geminga_source == pytest.approx(MODEL.geminga_source, rel=1e-12)
    assert given.total_dipole(1e4) == pytest.approx(MODEL.total_dipole(1e4), rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"extent": "disc"}, "extent = 'disc' is not known: choose from uniform, none, sphere"),
        ({"normalisation": "ams"}, "normalisation = 'ams' is not known: choose from fit, table"),
        ({"normalisation_per": "GeV"}, "normalisation_per = 'GeV' is not known"),
        ({"local_cutoff": "total"}, "local_cutoff = 'total' is not known"),
        ({"parallel_diffusion": "disc"}, "parallel_diffusion = 'disc' is not known"),
        ({"species": ("p", "U")}, "species = 'U' is not known: choose from p, He, C"),
        ({"species": "p"}, "species = 'p' must be a tuple of names"),
        ({"species": ()}, "must be a tuple of names"),
        ({"species": ("p", "p")}, "holds a nucleus twice"),
        ({"epsilon": -0.1}, "epsilon = -0.1 must be positive"),
        ({"epsilon": np.nan}, "epsilon = nan is not a finite number"),
        ({"ratio_cap": 0.0}, "ratio_cap = 0.0 must be positive"),
        ({"geminga_age": 0.0}, "geminga_age = 0.0 must be positive"),
        ({"geminga_index": {"p": 2.0}}, "geminga_index = .* lacks He, C"),
        ({"background_flux": 0.1}, "background_flux = 0.1 must be a table of species"),
        ({"background_flux": {"p": None}, "species": ("p",)}, r"flux\[p\] = None is not a finite"),
        ({"sun_height": 6000.0}, "sun_height = 6000.0 pc must be less than 5000 pc"),
        ({"galaxy": None}, "galaxy = None must be a mcprop.galaxy.Galaxy"),
        ({"spallation": "yes"}, "spallation = 'yes' must be True or False"),
    ],
)
def test_nonsense_is_refused_by_name(changes, sentence):
    with pytest.raises(RangeError, match=sentence):
        replace(MODEL, **changes)


def test_units_of_another_kind_are_refused():
    with pytest.raises(UnitsError, match="geminga_cutoff"):
        LrmfSdp(geminga_cutoff="25 pc")
    with pytest.raises(UnitsError, match=r"geminga_source\[p\]"):
        LrmfSdp(species=("p",), geminga_source={"p": "1e52 GV"})


def test_rigidity_beyond_the_solution_is_refused():
    with pytest.raises(RangeError, match="outside the table"):
        MODEL.intensity("background", 1e11, "p")


def test_models_share_their_galaxy():
    other = replace(MODEL, epsilon=0.1, normalisation="table", galaxy=Galaxy())
    assert other.background_table("p") is MODEL.background_table("Fe")
    assert replace(MODEL, sun_height=1.0).galaxy == MODEL.galaxy


def test_a_few_elements_need_a_few_numbers():
    names = ("background_flux", "background_index", "geminga_source", "geminga_index")
    tables = {name: {"p": getattr(MODEL, name)["p"]} for name in names}
    light = replace(MODEL, species=("p",), **tables)
    assert light.total_dipole(1e4) == pytest.approx(MODEL.total_dipole(1e4, "p"), rel=1e-14)


# Spallation


# Nuclear interaction lengths [g/cm^2] and molar masses [g/mol] of the Particle Data Group (Workman
# et al. 2022, Prog. Theor. Exp. Phys. 083C01, "Atomic and nuclear properties of materials")
INTERACTION = {
    "p": (52.0, 1.008),
    "He": (71.0, 4.0026),
    "C": (85.8, 12.011),
    "N": (89.7, 14.007),
    "O": (90.2, 15.999),
    "Ne": (99.0, 20.180),
    "Si": (108.4, 28.086),
    "Fe": (132.1, 55.845),
}


@pytest.mark.parametrize("species", INTERACTION)
def test_cross_sections_are_near_those_of_the_interaction_lengths(species):
    length, molar = INTERACTION[species]
    millibarn = molar / (length * 6.02214076e23) / 1e-27
    found = lrmf_losses.inelastic_cross_section(species)
    assert found == pytest.approx(millibarn, rel=0.01 if species == "p" else 0.1)


def test_loss_rate_is_density_times_speed_times_cross_section():
    """In cgs: one atom per cm^3, and a tenth of helium."""
    per_second = 2.99792458e10 * 1e-27 * (32.2 + 0.1 * lrmf_losses.inelastic_cross_section("He"))
    assert lrmf_losses.loss_rate("p", PC_CM**3) == pytest.approx(per_second * 3.15576e7, rel=1e-12)
    assert MODEL.loss_rate("Fe") == 0.0
    lossy = replace(MODEL, spallation=True)
    assert lossy.loss_rate("Fe") == lrmf_losses.loss_rate("Fe", MODEL.gas_density)


def hardening(model, species, energy):
    """What losses add to the background, normalised at 100 GeV per nucleon."""
    lossy = replace(model, spallation=True)
    with_losses = lossy.intensity_energy("background", energy, species)
    return with_losses / model.intensity_energy("background", energy, species) - 1.0


@pytest.fixture(scope="module")
def thick():
    """Gas as high as the sources: 2.1 mg/cm^2 of hydrogen through the disc."""
    return replace(MODEL, galaxy=Galaxy(gas_height=200.0))


@pytest.mark.parametrize(("species", "percent", "within"), [("p", 3.0, 0.6), ("Fe", 42.0, 4.0)])
def test_size_of_the_losses(thick, species, percent, within):
    """An independent solution has 3 and 42 per cent at 10 TeV per nucleon."""
    energy = 1e4 * SPECIES[species].nucleons
    assert 100.0 * hardening(thick, species, energy) == pytest.approx(percent, abs=within)
    if species == "Fe":  # at 10 TeV per nucleus it is still near where it is normalised
        assert hardening(thick, species, 1e4) < 0.12


def test_losses_thin_the_density_and_matter_less_at_high_rigidity(thick):
    lossy = replace(thick, spallation=True)
    rigidity = np.array([rigidity_of(5600.0, "Fe"), 1e5, 1e7])
    left = lossy.density("background", rigidity, "Fe") / thick.density("background", rigidity, "Fe")
    assert np.all((left > 0.5) & (left < 1.0))
    assert np.all(np.diff(left) > 0.0)
    assert lossy.density("geminga", 1e3, "Fe") == thick.density("geminga", 1e3, "Fe")


def test_the_model_is_imported_when_asked_for():
    asked = "import sys, mcprop.analytic as a; assert 'scipy' not in sys.modules; a.LrmfSdp()"
    subprocess.run([sys.executable, "-c", asked], check=True)
    with pytest.raises(AttributeError, match="no attribute 'LrmfSpd'"):
        _ = analytic.LrmfSpd
