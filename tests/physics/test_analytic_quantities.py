"""The public face of the closed forms: values with units in and out, mistakes named."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import constants
from astropy import units as u

from mcprop import analytic
from mcprop.analytic import XueLiu2025, cloud, green
from mcprop.errors import RangeError, UnitsError

BEST = XueLiu2025()


def test_parameters_with_units_make_the_same_model():
    model = XueLiu2025(
        field_ra="48.5 deg",
        cloud_speed=25.4 * u.km / u.s,
        diffusion_d0="2.15e28 cm2/s",
        background_volume="10 kpc3",
        nearby_source={"p": "4.7e52 GV-1", "He": 7.05e51 / u.GV},
        centre_age="4 Myr",
        spectral_index={"p": 2.6, "He": 2.523},
        compton_getting_coefficient=None,
        cloud_mode="steady",
        species=("p",),
    )
    plain = replace(BEST, species=("p",), compton_getting_coefficient=None)
    assert model.total_dipole(1e4) == pytest.approx(plain.total_dipole(1e4), rel=1e-10)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"cloud_depth": -1.6 * u.pc}, RangeError, "cloud_depth = -1.6 must not be negative"),
        ({"cloud_depth": 1.6 * u.one}, UnitsError, "cloud_depth = 1.6 has no unit"),
        ({"solar_v": 10}, RangeError, "solar_v = 10 pc/yr is not below the speed of light"),
        (
            {"nearby_source": 1e52 / u.GV},
            RangeError,
            "must be a table of species",
        ),
        ({"cloud_depth": "1.6 yr"}, UnitsError, "cloud_depth = 1.6 yr has unit 'yr'"),
        ({"nearby_source": {"p": "1 GeV-1"}}, UnitsError, r"nearby_source\[p\]"),
        ({"cloud_deepness": "1.6 pc"}, TypeError, "unexpected keyword argument 'cloud_deepness'"),
        ({"nearby_source": {"p": 1.0}}, RangeError, "nearby_source = .* lacks He"),
        ({"diffusion_slope": float("nan")}, RangeError, "diffusion_slope = nan is not a finite"),
        ({"cloud_mode": "moving"}, RangeError, "choose from steady, time-dependent"),
        ({"cloud_transport": "bohm"}, RangeError, "choose from kinetic, wandering"),
    ],
)
def test_bad_parameters_are_named(values, error, said):
    with pytest.raises(error, match=said):
        XueLiu2025(**values)


def test_methods_take_quantities_as_well_as_numbers():
    """A unit is converted, never dropped: 10 TeV is not 10 GeV."""
    assert BEST.total_dipole(10 * u.TeV).tolist() == BEST.total_dipole(1e4).tolist()
    assert BEST.dipole("nearby", rigidity="10 TV", species="p").tolist() == (
        BEST.dipole("nearby", 1e4, "p").tolist()
    )
    assert BEST.diffusion([1, 10] * u.TV, "p").tolist() == BEST.diffusion([1e3, 1e4], "p").tolist()
    with pytest.raises(UnitsError, match=r"energy = 1\.0 TV has unit 'TV': give an energy"):
        BEST.total_dipole(1 * u.TV)
    with pytest.raises(RangeError, match=r"rigidity = -1\.0 must be positive"):
        BEST.k_xx(-1.0, "p")
    with pytest.raises(RangeError, match=r"rigidity = -1\.0 must be positive"):
        analytic.kinetic_tensor(-1 * u.GV)


def test_functions_with_quantities_agree_with_the_plain_ones():
    parallel, perp = analytic.kinetic_tensor(10 * u.TV, "He")
    assert (parallel.to_value("pc2/yr"), perp.to_value("pc2/yr")) == pytest.approx(
        BEST.local_tensor(1e4, "He")
    )
    assert analytic.slab_density("1.6 pc", "1e27 cm2/s", "20 km/s") == pytest.approx(
        np.exp(-(1.6 * 3.0856775815e18 * 20e5 / 1e27)), rel=1e-9
    )


def test_cloud_and_burst_with_quantities():
    kappa, outer, source = np.diag([1.0, 2.0, 3.0]), np.diag([4.0, 2.0, 5.0]), [-3.0, 1.0, 0.5]
    density, gradient = analytic.cloud_density(
        "1 pc", kappa * u.pc**2 / u.yr, "0.2 pc/yr", outer * u.pc**2 / u.yr, source * u.pc, "2 yr"
    )
    plain = cloud.solve(1.0, kappa, 0.2, outer, source, 2.0)
    assert density.to_value("kpc-3") == pytest.approx(1e9 * np.exp(plain[0]))
    assert gradient.to_value("pc-1") == pytest.approx(plain[1])
    burst = analytic.burst_density(source * u.pc, outer * u.pc**2 / u.yr, 2.0 * u.yr)
    assert burst.to_value("pc-3") == pytest.approx(green.density(source, outer, 2.0))
    assert analytic.burst_dipole([250.0, 0, 0] * u.pc, constants.c, "340 kyr")[0] == pytest.approx(
        3.597313e-3, rel=1e-6
    )


def test_model_with_quantities():
    assert np.array_equal(analytic.dipole(BEST, 10 * u.TeV), BEST.total_dipole(1e4))
    assert np.array_equal(
        analytic.dipole(BEST, "10 TeV", "nearby", "He"), BEST.component_dipole("nearby", 1e4, "He")
    )
    per_rigidity = analytic.intensity(BEST, "centre", "1 PV", "p")
    assert per_rigidity.to_value("GV-1 cm-2 s-1 sr-1") == pytest.approx(
        1e-4 * BEST.intensity("centre", 1e6, "p")
    )
    per_energy = analytic.intensity_energy(BEST, "nearby", "10 TeV")
    assert per_energy.to_value("TeV-1 m-2 s-1 sr-1") == pytest.approx(
        1e3 * BEST.intensity_energy("nearby", 1e4, "all")
    )
    with pytest.raises(UnitsError, match=r"energy = 10000\.0 has no unit"):
        analytic.dipole(BEST, 1e4)
