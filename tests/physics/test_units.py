"""Units: constants against astropy, round trips, and refusals that name the value."""

import numpy as np
import pytest
from astropy import constants
from astropy import units as u

from mcprop import units
from mcprop.errors import UnitsError


def test_constants_are_those_of_astropy():
    assert pytest.approx(u.pc.to(u.cm), rel=1e-10) == units.PC_CM
    assert u.yr.to(u.s) == units.YR_S
    assert constants.c.to_value("cm/s") == units.C_CM_S
    assert pytest.approx(constants.c.to_value("pc/yr"), rel=1e-10) == units.C_LIGHT
    assert pytest.approx((u.cm**2 / u.s).to("pc2/yr"), rel=1e-10) == units.CM2_PER_S
    assert pytest.approx((u.km / u.s).to("pc/yr"), rel=1e-10) == units.KM_PER_S
    assert pytest.approx((u.pc**-2 / u.yr).to("m-2 s-1"), rel=1e-10) == units.PER_PC2_YR


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("0.25 kpc", "length", 250.0),
        ("4 Myr", "time", 4e6),
        ("25.4 km/s", "speed", 25.4 * units.KM_PER_S),
        ("2.15e28 cm2/s", "diffusion", 2.15e28 * units.CM2_PER_S),
        ("3 PV", "rigidity", 3e6),
        ("4.6e52 GV-1", "inverse rigidity", 4.6e52),
        ("10 TeV", "energy", 1e4),
        ("0.3 nT", "field", 3.0),
        ("1 rad", "angle", 180.0 / np.pi),
        ("0.03 yr-1", "rate", 0.03),
        ("10 kpc3", "volume", 1e10),
        ("1 kpc-3", "density", 1e-9),
    ],
)
def test_text_and_quantity_become_the_internal_number(text, kind, number):
    assert units.strip(text, kind) == pytest.approx(number, rel=1e-10)
    assert units.strip(u.Quantity(text), kind) == units.strip(text, kind)


@pytest.mark.parametrize("kind", sorted(units.UNITS))
def test_round_trip_is_exact(kind):
    numbers = np.array([-1.5, 0.0, 2.15e28])
    assert np.array_equal(units.strip(units.attach(numbers, kind), kind), numbers)
    assert isinstance(units.strip(units.attach(3.5, kind), kind), float)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (250.0, "length"),
        ("250", "length"),
        (np.arange(3.0), "length"),
        (250.0 * u.yr, "length"),
        (3.0 * u.GeV, "rigidity"),
        (3.0 * u.GV, "energy"),
        ("1 pc", "dimensionless"),
        ("three pc", "length"),
        ("3 parsnips", "length"),
        (None, "length"),
        (True, "dimensionless"),
        (np.nan * u.pc, "length"),
        ([1.0, np.inf] * u.pc, "length"),
    ],
)
def test_refusal_names_the_value(value, kind):
    with pytest.raises(UnitsError, match=r"^r_parallel = .*give an? .*\.$") as caught:
        units.strip(value, kind, "r_parallel")
    assert "\n" not in str(caught.value)


def test_plain_numbers_pass_where_there_is_no_dimension():
    assert units.strip(0.1, "dimensionless") == 0.1
    assert units.strip(50.0 * u.percent, "dimensionless") == 0.5
